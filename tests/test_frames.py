"""Messages arrive whole, in order, or not at all."""

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facekit.errors import CellCrashedError
from facekit.frames import MAX_FRAME, Frames


@given(st.lists(st.tuples(st.sampled_from([b"A", b"."]), st.binary(max_size=100))))
def test_messages_come_as_they_went(messages):
    here, there = socket.socketpair()
    with here, there:
        for kind, payload in messages:
            Frames(here).put(kind, payload)
        here.shutdown(socket.SHUT_WR)
        came = list(iter(Frames(there).get, None))
    assert came == messages


@pytest.mark.parametrize("size", [0, 1, MAX_FRAME, MAX_FRAME + 1, 3 * MAX_FRAME + 5])
def test_long_ones_come_in_parts(size):
    here, there = socket.socketpair()
    data = bytes(range(256)) * (size // 256 + 1)
    with here, there:
        sender = threading.Thread(target=lambda: (Frames(here).put_parts(b"U", data[:size]), here.close()))
        sender.start()
        parts = list(iter(Frames(there).get, None))
        sender.join()
    assert b"".join(part for _, part in parts) == data[:size]
    assert len(parts) == -(-size // MAX_FRAME)


@pytest.mark.parametrize("keep", range(8))
def test_what_breaks_off_did_not_come(keep):
    here, there = socket.socketpair()
    with there:
        with here:
            here.sendall(b"A\0\0\0\3abc"[:keep])
        assert Frames(there).get() is None


def test_nobody_makes_the_other_side_set_a_gigabyte_aside():
    here, there = socket.socketpair()
    with here, there:
        here.sendall(b"A\x40\0\0\0")
        with pytest.raises(CellCrashedError, match="out of turn"):
            Frames(there).get()


def test_a_reader_that_left_is_an_error_for_the_writer():
    here, there = socket.socketpair()
    there.close()
    with here, pytest.raises(BrokenPipeError):
        Frames(here).put(b"A", b"gone")
