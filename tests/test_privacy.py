"""Stores: sealed files that go in time, whoever wrote them, and nothing else on the disk."""

import os
import time
from contextlib import ExitStack, suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from types import SimpleNamespace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from facekit import Scratch, verify_receipt
from facekit import privacy as privacy_module
from facekit import shelf as shelf_module
from facekit.envelope import KeyPair, seal
from facekit.errors import ErasedError, ErasureError, InputError, NoFaceError, PrivacyError, SealError
from facekit.privacy import Store
from facekit.receipts import How, Signer, What
from tests.erasing import LONG, PAIR, Clock, abandon, envelope, in_ledger, on_disk, orphans

KINDS = ("upload-stored", "result-stored")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(folder, clock):
    with Store(folder, clock=clock, sweep_every=LONG) as opened:
        yield opened


# -- keeping -----------------------------------------------------------------------------------------


def test_what_is_kept_can_be_read_whole_and_in_any_part(store):
    data = envelope(3_000_000)
    with store.scratch() as scratch:
        kept = scratch.keep("result-stored", data)
        assert kept.read() == b"".join(kept.chunks()) == data
        assert kept.size == len(data)
        assert kept.read(5) == b"".join(kept.chunks(5)) == data[5:]
        assert kept.read(1_000_000, 7) == data[1_000_000:1_000_007]
        assert kept.read(len(data) - 2, 100) == data[-2:]
        assert kept.read(len(data)) == b""


@pytest.mark.parametrize("cuts", [[1, 2, 3], [14, 15, 16], [200], []])
def test_an_envelope_may_come_in_parts_of_any_length(store, cuts):
    data = envelope()
    ends = [0, *cuts, len(data)]
    parts = [memoryview(data)[start:end] for start, end in pairwise(ends)]
    with store.scratch() as scratch:
        assert scratch.keep("upload-stored", iter(parts)).read() == data


@pytest.mark.clause("1.2.2(4)a", partly="nothing but a sealed envelope reaches the disk of a store")
@pytest.mark.parametrize(
    "parts",
    [
        b"",
        b"\xff\xd8\xff\xe0 a JPEG",
        b"FKSE",
        b"FKSE\x01" + bytes(100),
        [b"\x89PNG", b"\r\n"],
        [],
        [b"F", b"K"],
    ],
)
def test_what_is_not_sealed_is_refused_before_a_byte_is_written(store, folder, parts):
    with store.scratch() as scratch:
        for kind in KINDS:
            with pytest.raises(SealError):
                scratch.keep(kind, parts)
        assert not on_disk(folder)
        assert not store.open_duties()
    assert scratch.receipt.erased == ()


def test_only_its_owner_can_open_a_store_and_its_files(folder, clock):
    before = os.umask(0)
    try:
        with Store(folder, clock=clock, sweep_every=LONG) as store, store.scratch() as scratch:
            scratch.keep("upload-stored", envelope())
            found = {path.relative_to(folder): path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {mode for path, mode in found.items() if path.name in {"sealed", "runs"}} == {0o700}
    assert {mode for path, mode in found.items() if path.name not in {"sealed", "runs"}} == {0o600}


@pytest.mark.clause(
    "1.2.3b", partly="a store names its files by random numbers, and its ledger has ids and times only"
)
def test_nothing_on_the_disk_names_or_measures_what_is_kept(store, folder):
    with store.scratch() as scratch:
        scratch.keep("upload-stored", envelope(12_345))
        (duty,) = store.open_duties()
        assert set(duty.__slots__) == {"file", "job", "kind", "run", "made", "due"}
        assert duty.job == scratch.job
        assert on_disk(folder) == {duty.file}
        assert len(duty.file) == 32
        assert "12345" not in repr(scratch.keep("upload-stored", envelope(12_345)))


def test_a_source_that_breaks_off_leaves_nothing_and_its_error_is_its_own(store, folder):
    def parts():
        yield envelope()
        assert len(on_disk(folder)) == 1
        raise ConnectionResetError("the client has gone")

    with store.scratch() as scratch:
        with pytest.raises(ConnectionResetError):
            scratch.keep("upload-stored", parts())
        assert not on_disk(folder)
        assert not store.open_duties()


def test_the_duty_is_in_the_ledger_before_the_file_is_there(store, folder, monkeypatch):
    seen = []
    real = os.open

    def opening(path, flags, *args, **options):
        if flags & os.O_EXCL:
            seen.append((set(on_disk(folder)), len(store.open_duties())))
        return real(path, flags, *args, **options)

    # Not by `store`: a second look from outside, by another connection.
    with store.scratch() as scratch:
        monkeypatch.setattr(os, "open", opening)
        scratch.keep("upload-stored", envelope())
        monkeypatch.undo()
    assert seen == [(set(), 1)]


# -- erasing -----------------------------------------------------------------------------------------


@pytest.mark.clause(
    "1.2.1c", "1.2.2(4)c", partly="a stored upload and its key can go, verified, before the result is there"
)
def test_an_upload_goes_before_its_result(store, folder):
    with store.scratch() as scratch:
        keys = scratch.own(KeyPair.generate())
        kept = scratch.keep("upload-stored", seal(b"a face", keys.public_bytes, job=scratch.job))
        scratch.erase("upload-stored")
        scratch.erase("keys")
        assert keys.erased
        assert not on_disk(folder)
        with pytest.raises(ErasedError, match="the upload has been erased"):
            kept.read()
        scratch.keep("result-stored", envelope())
        assert len(on_disk(folder)) == 1
    assert {(row.what, row.how) for row in scratch.receipt.erased} == {
        (What.KEYS, How.DROPPED),
        (What.UPLOAD_STORED, How.OVERWRITTEN_UNLINKED),
        (What.RESULT_STORED, How.OVERWRITTEN_UNLINKED),
    }


@pytest.mark.clause("1.2.2(4)b", partly="a stored result is erased on delivery, failure and cancel")
@pytest.mark.parametrize("way", [None, NoFaceError("nobody"), KeyboardInterrupt(), SystemExit(0)])
def test_on_every_way_out_nothing_is_left_on_disk(store, folder, way):
    scratch = store.scratch()

    def job():
        with scratch:
            for kind in KINDS:
                scratch.keep(kind, envelope())
            assert len(on_disk(folder)) == 2
            if way is not None:
                raise way

    with suppress(*([type(way)] if way is not None else [])):
        job()
    assert not on_disk(folder)
    assert not store.open_duties()
    assert len(scratch.receipt.erased) == 2


def test_what_an_interrupt_left_is_erased_though_nobody_had_taken_it_over(store, folder):
    scratch = store.scratch()
    store._shelf.put(scratch.job, "result", envelope())
    assert on_disk(folder)
    scratch.close()
    assert not on_disk(folder)
    assert [row.what for row in scratch.receipt.erased] == [What.RESULT_STORED]


def test_what_has_been_erased_by_a_sweep_is_no_error(store, clock):
    with store.scratch() as scratch:
        scratch.keep("result-stored", envelope())
        clock.pass_by(minutes=10)
        store.reconcile()
    assert [row.what for row in scratch.receipt.erased] == [What.RESULT_STORED]


def test_a_file_that_stays_keeps_its_duty_and_there_is_no_receipt(store, folder, monkeypatch):
    scratch = store.scratch()
    scratch.keep("result-stored", envelope())
    monkeypatch.setattr(os, "unlink", lambda *_, **__: None)
    with pytest.raises(ErasureError, match="the sealed result on disk could not be erased"):
        scratch.close()
    assert len(store.open_duties()) == 1
    with pytest.raises(PrivacyError):
        _ = scratch.receipt
    monkeypatch.undo()
    scratch.close()
    assert not store.open_duties()
    assert scratch.receipt


# -- time ----------------------------------------------------------------------------------------------


@pytest.mark.clause("1.2.2(4)b", partly="a stored result is erased after ten minutes")
def test_after_ten_minutes_it_is_gone_and_before_it_is_not(store, folder, clock):
    scratch = store.scratch()
    kept = scratch.keep("result-stored", envelope())
    clock.pass_by(minutes=9, seconds=59)
    assert store.reconcile() == ()
    assert kept.read()
    clock.pass_by(seconds=1)
    with pytest.raises(ErasedError):  # in time, even where the sweep is late
        kept.read()
    (swept,) = store.reconcile()
    assert (swept.job, swept.kind, swept.why, swept.erased) == (scratch.job, "result", "overdue", True)
    assert not on_disk(folder)
    assert not store.open_duties()
    scratch.close()


def test_nobody_can_ask_for_more_than_ten_minutes(folder):
    for wrong in (timedelta(minutes=10, milliseconds=1), timedelta(), -timedelta(seconds=1)):
        with pytest.raises(InputError, match="lifetime"):
            Store(folder, lifetime=wrong)
    with pytest.raises(InputError, match="sweep_every"):
        Store(folder, sweep_every=0)


def test_a_clock_that_is_set_back_keeps_nothing_longer(store, folder, clock):
    store.scratch().keep("result-stored", envelope())
    clock.pass_by(days=-1)
    assert [swept.why for swept in store.reconcile()] == ["overdue"]
    assert not on_disk(folder)


def test_a_clock_that_stands_still_keeps_nothing_longer(store, monkeypatch):
    seconds = 7.0
    monkeypatch.setattr(shelf_module, "time", SimpleNamespace(monotonic=lambda: seconds))
    store.scratch().keep("result-stored", envelope())
    seconds += 599.9
    assert store.reconcile() == ()
    seconds += 0.1
    assert [swept.why for swept in store.reconcile()] == ["overdue"]


def test_the_store_sweeps_by_itself(folder, clock):
    with Store(folder, clock=clock, sweep_every=0.01) as store:
        store.scratch().keep("result-stored", envelope())
        clock.pass_by(minutes=10)
        ended = time.monotonic() + 60
        while on_disk(folder) and time.monotonic() < ended:
            time.sleep(0.01)
        assert not on_disk(folder)


def test_sweeping_goes_on_after_a_look_that_failed(folder, clock, monkeypatch, caplog):
    looks = []
    real = privacy_module.Shelf.reconcile

    def reconcile(shelf):
        looks.append(shelf)
        if len(looks) == 2:  # the first is that of the start
            raise PrivacyError("the ledger of duties cannot be used")
        return real(shelf)

    monkeypatch.setattr(privacy_module.Shelf, "reconcile", reconcile)
    with Store(folder, clock=clock, sweep_every=0.01):
        ended = time.monotonic() + 60
        while len(looks) < 4 and time.monotonic() < ended:
            time.sleep(0.01)
    assert len(looks) >= 4
    assert "could not be reconciled: PrivacyError" in caplog.text


def test_an_upload_that_comes_too_slowly_is_given_up(store, folder, clock):
    def parts():
        data = envelope()
        yield data[:100]
        clock.pass_by(minutes=10)
        assert [swept.erased for swept in store.reconcile()] == [False]  # left to its writer
        yield data[100:]

    with store.scratch() as scratch:
        with pytest.raises(ErasedError, match="overdue before all of it was stored"):
            scratch.keep("upload-stored", parts())
        assert not on_disk(folder)
        assert not store.open_duties()


def test_a_duty_that_is_struck_out_before_its_file_is_there_stops_the_writing(store, folder, monkeypatch):
    real = privacy_module.Shelf._write

    def late(shelf, duty, parts):
        shelf._ledger.retire(duty.file, lambda: True)  # another process, whose clock is ahead
        return real(shelf, duty, parts)

    monkeypatch.setattr(privacy_module.Shelf, "_write", late)
    with store.scratch() as scratch:
        with pytest.raises(ErasedError, match="overdue already"):
            scratch.keep("upload-stored", envelope())
        assert not on_disk(folder)


# -- others ----------------------------------------------------------------------------------------------


def test_unknown_files_are_erased_and_what_links_lead_to_is_not(store, folder, tmp_path):
    (tmp_path / "mine").write_bytes(b"mine")
    (folder / "sealed" / "unknown").write_bytes(b"a face")
    (folder / "sealed" / "link").symlink_to(tmp_path / "mine")
    (folder / "sealed" / "folder").mkdir()
    (folder / "sealed" / "folder" / "inside").write_bytes(b"a face")
    assert [(swept.why, swept.job, swept.erased) for swept in store.reconcile()] == [
        ("unknown", None, True)
    ] * 3
    assert not on_disk(folder)
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_one_file_that_resists_does_not_keep_the_sweep_from_the_others(store, folder, clock, monkeypatch):
    scratches = [store.scratch() for _ in range(3)]
    for scratch in scratches:
        scratch.keep("result-stored", envelope())
    stubborn = store.open_duties()[1]
    real = os.unlink

    def unlink(name, **options):
        if name == stubborn.file:
            raise PermissionError(13, "Permission denied")
        real(name, **options)

    monkeypatch.setattr(os, "unlink", unlink)
    clock.pass_by(minutes=10)
    assert sorted(swept.erased for swept in store.reconcile()) == [False, True, True]
    assert store.open_duties() == (stubborn,)
    monkeypatch.undo()
    assert [swept.erased for swept in store.reconcile()] == [True]
    assert store.open_duties() == ()


@pytest.mark.clause("1.2.3c", partly="what a process that died has stored is erased by another that lives")
def test_files_of_a_dead_run_go_and_those_of_a_live_one_stay(store, folder, clock):
    other = Store(folder, clock=clock, sweep_every=LONG)
    other.start()
    mine, theirs = (each.scratch().keep("upload-stored", envelope()) for each in (store, other))
    assert store.reconcile() == ()
    assert other.reconcile() == ()
    abandon(other)
    (swept,) = store.reconcile()
    assert (swept.job, swept.why, swept.erased) == (theirs.duty.job, "lost", True)
    assert on_disk(folder) == {mine.duty.file}
    assert len(list((folder / "runs").iterdir())) == 1


def test_files_of_a_live_run_that_are_overdue_go_whoever_looks(store, folder, clock):
    with Store(folder, clock=clock, sweep_every=LONG) as other:
        other.scratch().keep("upload-stored", envelope())
        clock.pass_by(minutes=10)
        assert [swept.why for swept in store.reconcile()] == ["overdue"]
        assert not on_disk(folder)


def test_closing_erases_what_is_left_of_this_run_and_gives_the_receipts(folder):
    store = Store(folder, sweep_every=LONG)
    store.start()
    scratch = store.scratch()
    scratch.keep("upload-stored", envelope())
    held = scratch.hold(bytearray(b"a face"), "upload-held")
    store._shelf.put("J" * 22, "upload", envelope())  # of a job that nobody remembers
    store.close()
    store.close()
    assert not any(held)
    assert scratch.receipt
    assert not on_disk(folder)
    assert not in_ledger(folder)
    assert not list((folder / "runs").iterdir())
    for use in (store.scratch, store.reconcile, store.open_duties):
        with pytest.raises(PrivacyError, match="not open"):
            use()


def test_a_store_that_cannot_erase_on_closing_says_so_and_the_next_start_does(folder, monkeypatch):
    store = Store(folder, sweep_every=LONG)
    store.start()
    scratch = store.scratch()
    scratch.keep("upload-stored", envelope())
    monkeypatch.setattr(os, "unlink", lambda *_, **__: None)
    with pytest.raises(ErasureError, match="stays open"):
        store.close()
    monkeypatch.undo()
    with pytest.raises(ErasureError, match="this store is closed"):
        scratch.close()
    with Store(folder, sweep_every=LONG) as again:
        assert not on_disk(folder)
        assert not again.open_duties()
    with pytest.raises(PrivacyError):
        _ = scratch.receipt


def test_a_store_signs_with_the_key_of_its_folder_or_with_the_given_one(folder):
    keys = set()
    for _ in range(2):
        with Store(folder, sweep_every=LONG) as store, store.scratch() as scratch:
            keys.add(scratch.signer.public_bytes)
        verify_receipt(scratch.receipt, Signer.load(folder / "receipts.pem").public_bytes)
    assert len(keys) == 1
    given = Signer.generate()
    with Store(folder, signer=given, sweep_every=LONG) as store, store.scratch() as scratch:
        pass
    verify_receipt(scratch.receipt, given.public_bytes)


def test_a_folder_that_is_somebody_elses_is_refused_and_stays_as_it_was(tmp_path):
    full, wide = tmp_path / "full", tmp_path / "wide"
    full.mkdir(mode=0o700)
    (full / "holiday.jpg").write_bytes(b"mine")
    wide.mkdir()
    wide.chmod(0o755)
    with pytest.raises(PrivacyError, match="must be empty, or have been a store before"):
        Store(full).start()
    with pytest.raises(PrivacyError, match="mode 0700"):
        Store(wide).start()
    assert [path.name for path in full.iterdir()] == ["holiday.jpg"]
    assert not list(wide.iterdir())
    with pytest.raises(PrivacyError, match=r"cannot be used \((File exists|Not a directory)\)"):
        Store(full / "holiday.jpg").start()


def test_a_store_is_opened_once(store):
    with pytest.raises(PrivacyError, match="open already"):
        store.start()


def test_two_jobs_at_once_never_meet(store, folder):
    receipts = []

    def job(number):
        data = seal(str(number).encode() * 50, PAIR.public_bytes, job="41c8")
        for _ in range(5):
            with store.scratch() as scratch:
                kept = scratch.keep("upload-stored", data)
                assert kept.read() == data
            receipts.append(scratch.receipt)

    threads = [Thread(target=job, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({receipt.job for receipt in receipts}) == 20
    assert not on_disk(folder)


# -- any order of things -----------------------------------------------------------------------------------


class Stores(RuleBasedStateMachine):
    """Two stores of one folder, whose jobs keep, erase, crash and are late, in any order."""

    @initialize()
    def begin(self):
        self.clock = Clock()
        self.stack = ExitStack()
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 (syncing costs nothing there)
        self.folder = Path(self.stack.enter_context(TemporaryDirectory(dir=memory)), "store")
        self.stores = {}
        self.jobs = []
        self.planted = set()
        for name in "ab":
            self.start(name)

    def start(self, name):
        store = Store(self.folder, signer=SIGNER, clock=self.clock, sweep_every=LONG)
        store.start()
        self.stores[name] = store
        self.planted.clear()  # a start reconciles

    def job(self, data):
        return data.draw(st.sampled_from(self.jobs))

    @rule(name=st.sampled_from("ab"))
    def take_a_job(self, name):
        self.jobs.append((name, self.stores[name].scratch()))

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), kind=st.sampled_from(KINDS))
    def keep(self, data, kind):
        _, scratch = self.job(data)
        if scratch._closing:
            with pytest.raises(ErasedError):
                scratch.keep(kind, ENVELOPE)
        else:
            assert scratch.keep(kind, ENVELOPE).read() == ENVELOPE

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), kind=st.sampled_from(KINDS))
    def erase(self, data, kind):
        _, scratch = self.job(data)
        scratch.erase(kind)
        wanted = kind.removesuffix("-stored")
        assert not [duty for duty in self.duties() if duty.job == scratch.job and duty.kind == wanted]

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def close(self, data):
        _, scratch = self.job(data)
        scratch.close()
        verify_receipt(scratch.receipt, SIGNER.public_bytes)
        assert scratch.job not in {duty.job for duty in self.duties()}

    @rule(name=st.sampled_from("ab"))
    def crash(self, name):
        abandon(self.stores[name])
        self.jobs = [job for job in self.jobs if job[0] != name]
        self.start(name)
        self.only_what_is_needed()

    @rule(name=st.sampled_from("ab"))
    def reconcile(self, name):
        assert all(swept.erased for swept in self.stores[name].reconcile())
        self.planted.clear()
        self.only_what_is_needed()

    @rule(minutes=st.sampled_from([-60, -1, 1, 4, 10, 60]))
    def time_jumps(self, minutes):
        self.clock.pass_by(minutes=minutes)

    @rule(number=st.integers(0, 3))
    def somebody_drops_a_file(self, number):
        Path(self.folder, "sealed", str(number)).write_bytes(b"unknown")
        self.planted.add(str(number))

    def duties(self):
        return self.stores["a"].open_duties()

    def only_what_is_needed(self):
        live = {store._shelf._run.id for store in self.stores.values()}
        for duty in self.duties():
            assert duty.run in live
            assert duty.made <= self.clock() < duty.due

    @invariant()
    def every_file_is_somebodys_duty_and_no_receipt_has_one_left(self):
        assert orphans(self.folder) <= self.planted
        done = {scratch.job for _, scratch in self.jobs if scratch._receipt is not None}
        assert not done & {duty.job for duty in self.duties()}

    def teardown(self):
        for store in getattr(self, "stores", {}).values():
            store.close()
        if hasattr(self, "folder"):
            assert not on_disk(self.folder) - self.planted
            assert not in_ledger(self.folder)
            self.stack.close()


SIGNER = Signer.generate()
ENVELOPE = envelope()


def test_in_any_order_of_things_every_file_is_somebodys_duty():
    run_state_machine_as_test(
        Stores, settings=settings(max_examples=30, stateful_step_count=30, deadline=None)
    )


def test_a_scratch_without_a_store_is_the_same_class(store):
    assert type(store.scratch()) is Scratch
