"""Scratch: whatever the way out, what a job held is overwritten, and a receipt comes only after a look."""

import logging
import secrets
from datetime import timedelta

import numpy as np
import pytest

from facekit import Scratch, holding, verify_receipt
from facekit import scratch as scratch_module
from facekit.envelope import KeyPair
from facekit.errors import ErasedError, ErasureError, InputError, NoFaceError, PrivacyError, ReceiptError
from facekit.receipts import Erased, How, Signer, What
from tests.erasing import Clock

FACE = b"a face that is nobody's business"


def rows(scratch):
    return {(row.what.value, row.how.value) for row in scratch.receipt.erased}


# -- the ways out --------------------------------------------------------------------------------


@pytest.mark.clause("1.2.3c", partly="what a job held in memory is overwritten, whatever the way out")
@pytest.mark.parametrize(
    ("way", "outcome"),
    [
        (None, "delivered"),
        (NoFaceError("no face was found"), "failed"),
        (MemoryError(), "failed"),
        (KeyboardInterrupt(), "cancelled"),
        (SystemExit(3), "cancelled"),
        (GeneratorExit(), "cancelled"),
    ],
)
def test_on_every_way_out_what_was_held_is_overwritten(way, outcome):
    held = bytearray(FACE)
    pixels = np.full((4, 4, 3), 200, np.uint8)
    keys = KeyPair.generate()
    scratch = Scratch()

    def job():
        with scratch:
            scratch.hold(held, "upload-held")
            scratch.hold(pixels, What.RESULT_HELD)
            scratch.own(keys)
            assert held == FACE
            if way is not None:
                raise way

    if way is None:
        job()
    else:
        with pytest.raises(type(way)) as caught:
            job()
        assert caught.value is way
    assert held == bytes(len(FACE))
    assert not pixels.any()
    assert keys.erased
    assert scratch.receipt.outcome == outcome
    assert rows(scratch) == {
        ("upload-held", "overwritten"),
        ("result-held", "overwritten"),
        ("keys", "dropped"),
    }
    verify_receipt(scratch.receipt, scratch.signer.public_bytes)


def test_without_overwriting_the_same_look_finds_the_face(monkeypatch):
    monkeypatch.setattr(holding, "wipe", lambda _: None)
    with Scratch() as scratch:
        held = scratch.hold(bytearray(FACE), "upload-held")
    assert held == FACE


def test_a_generator_that_is_dropped_erases():
    def frames():
        with Scratch() as scratch:
            yield scratch.hold(bytearray(FACE), "upload-held")

    stream = frames()
    held = next(stream)
    stream.close()
    assert held == bytes(len(FACE))


# -- what can be held ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: bytearray(FACE),
        lambda: memoryview(bytearray(FACE)),
        lambda: np.full((3, 4), 7.0, np.float32),
        lambda: np.ones((2, 3, 4), bool),
        lambda: np.ones(5, np.complex128),
        lambda: bytearray(),
        lambda: np.empty((0, 3)),
    ],
)
def test_any_writable_memory_can_be_held_and_is_handed_back(make):
    buffer = make()
    with Scratch() as scratch:
        assert scratch.hold(buffer, "upload-held") is buffer
    assert not any(bytes(buffer))


@pytest.mark.parametrize(
    ("buffer", "said"),
    [
        (FACE, "bytes can never be overwritten; hold a bytearray"),
        ("face", "str can never be overwritten"),
        (memoryview(FACE), "got one that is read-only"),
        (np.frombuffer(FACE, np.uint8), "got one that is read-only"),
        (np.ones((4, 4))[:, :2], "a view that leaves some out"),
        (np.ones((4, 4)).T, "a view that leaves some out"),
        (np.array([object()]), "plain numbers"),
        (7, "expected memory of plain numbers, got int"),
    ],
)
def test_what_cannot_be_overwritten_is_refused(buffer, said):
    with Scratch() as scratch, pytest.raises(InputError, match=said):
        scratch.hold(buffer, "upload-held")


def test_a_bytearray_cannot_move_while_it_is_held_since_that_would_leave_a_copy():
    with Scratch() as scratch:
        held = scratch.buffer(8, "upload-held")
        held[:] = b"12345678"
        with pytest.raises(BufferError):
            held.extend(b"9")
    held.extend(b"9")  # now it is the caller's again
    assert held == bytes(8) + b"9"


@pytest.mark.parametrize("what", ["upload-stored", "cell", "face", ""])
def test_what_is_held_is_of_a_kind_that_can_be(what):
    with (
        Scratch() as scratch,
        pytest.raises(InputError, match="what: expected one of upload-held, result-held, keys"),
    ):
        scratch.hold(bytearray(1), what)


def test_memory_alone_keeps_nothing_on_disk():
    with Scratch() as scratch, pytest.raises(PrivacyError, match="for memory only"):
        scratch.keep("upload-stored", b"")


# -- early -------------------------------------------------------------------------------------------


@pytest.mark.clause(
    "1.2.1c", "1.2.2(4)c", partly="an upload in memory and its key can go before the result does"
)
def test_one_kind_can_go_before_the_rest_and_again():
    clock = Clock()
    with Scratch(clock=clock) as scratch:
        upload, result = scratch.buffer(3, "upload-held"), scratch.buffer(3, "result-held")
        upload[:] = result[:] = b"abc"
        scratch.erase("upload-held")
        scratch.erase(What.UPLOAD_HELD)
        assert (upload, result) == (bytes(3), b"abc")
        clock.pass_by(seconds=5)
    first, second = scratch.receipt.erased
    assert (first.what, second.what) == (What.UPLOAD_HELD, What.RESULT_HELD)
    assert second.at - first.at == timedelta(seconds=5)


def test_of_many_things_of_a_kind_the_last_counts():
    clock = Clock()
    with Scratch(clock=clock) as scratch:
        for _ in range(3):
            scratch.buffer(3, "upload-held")
            scratch.erase("upload-held")
            clock.pass_by(seconds=1)
    (row,) = scratch.receipt.erased
    assert row.at == clock.now - timedelta(seconds=1)


def test_what_a_cell_reports_is_in_the_receipt():
    clock = Clock()
    with Scratch(clock=clock, upload="plain") as scratch:
        scratch.note(Erased(What.CELL, How.PROCESS_ENDED, clock.now))
        scratch.note(Erased(What.CELL, How.PROCESS_ENDED, clock.now - timedelta(seconds=1)))
        scratch.walls, scratch.result_key, scratch.outcome = ("seccomp",), "client", "expired"
    receipt = scratch.receipt
    assert rows(scratch) == {("cell", "process-ended")}
    assert receipt.erased[0].at == clock.now
    assert (receipt.walls, receipt.result_key, receipt.outcome) == (("seccomp",), "client", "expired")
    assert receipt.upload == "plain"


# -- receipts ----------------------------------------------------------------------------------------


def test_there_is_no_receipt_before_all_is_erased_and_nothing_is_taken_after():
    with Scratch() as scratch:
        scratch.erase("upload-held")
        with pytest.raises(PrivacyError, match="no receipt before all has been erased"):
            _ = scratch.receipt
    receipt = scratch.receipt
    scratch.close()
    assert scratch.receipt is receipt
    for take in (lambda: scratch.buffer(1, "keys"), lambda: scratch.own(KeyPair.generate())):
        with pytest.raises(ErasedError, match="takes nothing new"):
            take()


def test_a_job_has_a_random_id_and_no_other():
    job = secrets.token_urlsafe(16)
    assert Scratch(job).job == job
    assert len(Scratch().job) == len(job)
    for wrong in ("", "41c8", "me.jpg", "x" * 22):
        with pytest.raises(InputError, match="an id of 16 random bytes"):
            Scratch(wrong)


def test_the_signer_that_is_given_signs():
    signer = Signer.generate()
    with Scratch(signer=signer) as scratch:
        pass
    assert verify_receipt(scratch.receipt, signer.public_bytes).erased == ()


def test_words_that_no_receipt_allows_are_refused_after_all_is_erased():
    scratch = Scratch()
    held = scratch.hold(bytearray(FACE), "upload-held")
    scratch.walls = ("3 faces",)
    with pytest.raises(ReceiptError, match="walls"):
        scratch.close()
    assert held == bytes(len(FACE))


# -- where erasing fails -------------------------------------------------------------------------------


@pytest.fixture
def stubborn(monkeypatch):
    """Make memory of one length resist."""
    real, broken = holding.wipe, [True]

    def wipe(view):
        if broken[0] and len(view) == 7:
            raise ErasureError("memory that was overwritten does not read back as overwritten")
        real(view)

    monkeypatch.setattr(holding, "wipe", wipe)
    return broken


def fill(scratch):
    stays = scratch.hold(bytearray(b"a face!"), "upload-held")
    goes = [scratch.hold(bytearray(FACE), what) for what in ("upload-held", "result-held")]
    return stays, goes, scratch.own(KeyPair.generate())


def test_what_resists_is_said_after_the_rest_is_gone_and_there_is_no_receipt(stubborn):
    scratch = Scratch()
    stays, goes, keys = fill(scratch)
    with pytest.raises(ErasureError) as caught:
        scratch.close()
    assert str(caught.value) == (
        "the upload in memory could not be erased (memory that was overwritten does not read back as "
        "overwritten); the duty to erase it stays open"
    )
    assert stays == b"a face!"
    assert all(gone == bytes(len(FACE)) for gone in goes)
    assert keys.erased
    with pytest.raises(PrivacyError):
        _ = scratch.receipt
    stubborn[0] = False
    scratch.close()
    assert stays == bytes(7)
    assert ("upload-held", "overwritten") in rows(scratch)


def test_an_error_of_the_job_is_the_context_of_what_could_not_be_erased(stubborn):
    scratch = Scratch()
    fill(scratch)
    with pytest.raises(ErasureError) as caught, scratch:
        raise NoFaceError("no face was found")
    assert isinstance(caught.value.__context__, NoFaceError)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(2)])
def test_what_stops_the_program_is_not_replaced_and_tells_of_what_could_not_be_erased(stubborn, caplog, stop):
    scratch = Scratch()
    fill(scratch)
    with caplog.at_level(logging.ERROR), pytest.raises(type(stop)) as caught, scratch:
        raise stop
    assert caught.value is stop
    (note,) = caught.value.__notes__
    assert note.startswith("besides: the upload in memory could not be erased")
    assert "the upload in memory could not be erased" in caplog.text
    with pytest.raises(PrivacyError):
        _ = scratch.receipt


def test_a_key_that_stays_is_noticed(monkeypatch):
    monkeypatch.setattr(KeyPair, "erase", lambda _: None)
    scratch = Scratch()
    scratch.own(KeyPair.generate())
    with pytest.raises(ErasureError, match="the keys of the job could not be erased"):
        scratch.close()


def test_an_interrupt_while_erasing_waits_until_all_is_erased(monkeypatch):
    real, blows = holding.wipe, [KeyboardInterrupt(), SystemExit(2)]

    def wipe(view):
        if blows:
            raise blows.pop(0)
        real(view)

    monkeypatch.setattr(holding, "wipe", wipe)
    scratch = Scratch()
    stays, goes, keys = fill(scratch)
    with pytest.raises(SystemExit):
        scratch.close()
    assert not any(stays)
    assert not any(map(any, goes))
    assert keys.erased
    assert scratch.receipt


def test_interrupts_without_end_leave_no_receipt(monkeypatch):
    def wipe(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(holding, "wipe", wipe)
    scratch = Scratch()
    _, _, keys = fill(scratch)
    with pytest.raises(KeyboardInterrupt) as caught:
        scratch.close()
    assert "could not be erased (interrupted)" in caught.value.__notes__[0]
    assert keys.erased
    with pytest.raises(PrivacyError):
        _ = scratch.receipt


def test_a_forked_process_leaves_what_is_not_its_own(monkeypatch):
    scratch = Scratch()
    held = scratch.hold(bytearray(FACE), "upload-held")
    here = scratch_module.os.getpid()
    monkeypatch.setattr(scratch_module.os, "getpid", lambda: here + 1)
    scratch.close()
    assert held == FACE
    monkeypatch.undo()
    scratch.close()
    assert held == bytes(len(FACE))
