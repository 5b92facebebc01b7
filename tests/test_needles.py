"""The matcher finds what `bytes.find` finds, and its memory holds nothing that could be found."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facekit.errors import InputError
from facekit.needles import LONGEST, SHORTEST, Needles, Seeker
from facekit.sweep import Label, Sweep


def naive(patterns, data):
    found = set()
    for index, pattern in enumerate(patterns):
        at = data.find(pattern)
        while at >= 0:
            found.add((at, index))
            at = data.find(pattern, at + 1)
    return found


def sought(patterns, data):
    seeker = Seeker(Needles.hide(patterns), len(data) + 1)
    seeker.buffer[: len(data)] = np.frombuffer(data, np.uint8)
    return set(zip(*(part.tolist() for part in seeker.find(len(data))), strict=True))


# Few different bytes, so that patterns overlap themselves and each other.
few = st.integers(1, 3).flatmap(
    lambda kinds: st.lists(
        st.lists(st.integers(0, kinds), min_size=SHORTEST, max_size=LONGEST).map(bytes),
        min_size=1,
        max_size=5,
    )
)


@given(patterns=few, glue=st.lists(st.binary(max_size=20), min_size=1, max_size=8), order=st.randoms())
def test_all_occurrences_are_found_wherever_they_lie(patterns, glue, order):
    parts = [*patterns, *patterns, *glue]
    order.shuffle(parts)
    data = b"".join(parts)
    assert sought(patterns, data) == naive(patterns, data)


@given(patterns=few, data=st.binary(max_size=300))
def test_nothing_is_found_that_is_not_there(patterns, data):
    assert sought(patterns, data) == naive(patterns, data)


@given(
    length=st.integers(SHORTEST, LONGEST),
    before=st.integers(0, 200),
    cuts=st.lists(st.integers(1, 90), min_size=1, max_size=12),
)
def test_what_straddles_two_readings_is_found_once(length, before, cuts):
    pattern = np.random.default_rng(length).bytes(length)
    data = bytes(before) + pattern + bytes(LONGEST)
    sweep = Sweep(Needles.hide([pattern]), (Label("upload", "raw"),))
    at, turn = 0, 0

    def read(into):
        nonlocal at, turn
        part = data[at : at + cuts[turn % len(cuts)]]
        into[: len(part)] = part
        at, turn = at + len(part), turn + 1
        return len(part)

    assert sweep.scan(read, "here") == (len(data), 1)
    assert [(hit.offset, hit.count) for hit in sweep.hits()] == [(before, 1)]


def test_the_border_of_the_real_buffer_hides_nothing():
    pattern = np.random.default_rng(0).bytes(24)
    sweep = Sweep(Needles.hide([pattern]), (Label("upload", "raw"),))
    borders = sweep._seeker.buffer.size
    for shift in range(-30, 30):
        data = bytearray(2 * borders)
        data[borders + shift : borders + shift + 24] = pattern
        assert sweep.scan_bytes(data, str(shift)) == 1


def test_thousands_of_patterns_cost_one_pass():
    rng = np.random.default_rng(1)
    patterns = [rng.bytes(24) for _ in range(3000)]
    data = rng.bytes(1 << 16) + b"".join(patterns) + rng.bytes(1 << 16)
    assert sought(patterns, data) == naive(patterns, data)


def test_zeros_in_a_pattern_do_not_lead_to_every_zero_in_memory(monkeypatch):
    pattern = bytes(range(1, 4)) + bytes(12) + bytes(range(4, 40))
    seeker = Seeker(Needles.hide([pattern]), 4096)
    for place in range(1000, 1008):  # whatever its alignment
        seeker.buffer[:] = 0
        seeker.buffer[place : place + len(pattern)] = np.frombuffer(pattern, np.uint8)
        assert seeker.find(4096)[0].tolist() == [place]
    seeker.buffer[:] = 0
    monkeypatch.setattr(Seeker, "_compare", lambda *_: pytest.fail("zeros are compared"))
    assert not len(seeker.find(4096)[0])


def test_neither_the_needles_nor_the_seeker_hold_a_pattern_in_clear():
    pattern = np.random.default_rng(2).bytes(32)
    needles = Needles.hide([pattern])
    seeker = Seeker(needles, 4096)
    seeker.buffer[100:132] = np.frombuffer(pattern, np.uint8)
    assert seeker.find(4096)[0].tolist() == [100]
    seeker.wipe()
    held = [needles.masked, seeker.buffer, seeker._words, seeker._hashes, seeker._keys]
    for piece in (pattern[at : at + 8] for at in range(25)):
        assert not any(piece in part.tobytes() for part in held)
        assert piece not in pickle.dumps(needles)


def test_needles_that_are_put_together_keep_their_patterns():
    one, two = np.random.default_rng(3).bytes(20), np.random.default_rng(4).bytes(40)
    both = Needles.hide([one]) + Needles.hide([two])
    for index, pattern in enumerate((one, two)):
        buffer = bytearray(LONGEST)
        both.reveal(index, memoryview(buffer))
        assert buffer == pattern + bytes(LONGEST - len(pattern))


@pytest.mark.parametrize("length", [0, SHORTEST - 1, LONGEST + 1])
def test_patterns_that_are_too_short_or_long_are_refused(length):
    with pytest.raises(InputError, match=f"15 to 64 bytes, got {length}"):
        Needles.hide([bytes(length)])
