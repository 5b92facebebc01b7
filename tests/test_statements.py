"""Twelve statements about deletion, each of which can fail.

A desk does jobs in processes of its own; this process is the client, and the only one that may have
a photo. Before anything is said to be gone, it has been found.
"""

import ast
import os
import random
import secrets
import signal
import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import captives
import mutations
import pytest
from living import eventually

from facekit import encode_image, pool, synthetic_face
from facekit.canaries import canaries_of
from facekit.desk import Desk
from facekit.envelope import open_sealed, seal
from facekit.errors import CellCrashedError, CellError, ErasedError, ErasureError, FacekitError, PrivacyError
from facekit.keys import KeyPair
from facekit.proof import canaries_of_photo, canaries_of_result
from facekit.receipts import How, What, verify_receipt
from facekit.residue import find_residue
from facekit.scratch import Scratch
from facekit.stored import search_folder
from facekit.sweep import Sweep

WORKS = captives.WORKS | {"swap": "facekit.works:swap"}
OPTIONS = {"template": "stamp", "format": "webp"}
ROUNDS = int(os.environ.get("FACEKIT_ROUNDS", "8"))  # of killing
JOBS = int(os.environ.get("FACEKIT_JOBS", "24"))

#: Where each statement is proved.
STATEMENTS = {
    1: "test_after_the_analysis_the_upload_is_nowhere",
    2: "test_a_result_is_nowhere_after_its_end",
    3: "test_who_takes_a_sealed_photo_never_has_it",
    4: "test_killing_leaves_nothing",
    5: "test_many_jobs_leave_no_trace test_logs_have_no_room_for_a_picture "
    "test_the_ledger_has_no_room_for_a_picture",
    6: "test_cell.py::test_there_is_no_way_out test_cell.py::test_bombs_do_not_go_off "
    "test_cell.py::test_four_gibibytes_are_not_to_be_had "
    "test_cell.py::test_a_loop_ends_by_the_clock_and_by_the_processor",
    7: "test_cell.py::test_a_crash_ends_its_cell_alone",
    8: "test_two_jobs_with_one_photo_never_meet test_cell.py::test_two_jobs_never_meet",
    9: "test_cell.py::test_what_was_altered_is_refused_and_the_next_job_is_not "
    "test_envelope.py::test_an_envelope_with_any_bit_flipped_is_refused "
    "test_envelope.py::test_chunks_dropped_doubled_or_in_another_order_are_refused",
    10: "test_receipts.py::test_a_receipt_with_any_byte_changed_does_not_hold "
    "test_receipts.py::test_another_key_does_not_do_nor_what_is_none",
    11: "test_without_its_erasing_a_desk_is_found_out test_without_looking_at_the_start_something_stays "
    "test_store_faults.py::test_the_same_test_sees_a_duty_that_comes_too_late_or_goes_too_early",
    12: "test_store_faults.py::test_a_full_disk_ends_in_an_open_duty_and_never_in_a_receipt "
    "test_store_faults.py::test_a_read_only_disk_ends_in_an_open_duty_and_never_in_a_receipt "
    "test_store_faults.py::test_a_missing_permission_ends_in_an_open_duty_and_never_in_a_receipt",
}


class Photo:
    """A photo of nobody, with a comment as cameras leave one, and what to search for of it."""

    def __init__(self, seed):
        plain = encode_image(synthetic_face(512, seed=seed, yaw=seed % 20 - 10), "jpeg")
        name = f"holiday-with-{secrets.token_hex(8)}.jpg"
        comment = b"\xff\xfe" + (len(name) + 2).to_bytes(2) + name.encode()
        self.file = plain[:2] + comment + plain[2:]
        self.canaries = canaries_of_photo(self.file) + canaries_of(name=name)


@pytest.fixture(scope="module")
def photo():
    return Photo(seed=1)


@contextmanager
def open_desk(folder, *, mutation=None, **settings):
    python = (sys.executable, "-m", "facekit.desk")
    if mutation is not None:
        python = (sys.executable, mutations.__file__, mutation)
    temporary = folder.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    settings = {"count": 2, "works": WORKS, **settings}
    with Desk(folder, settings, temporary=temporary, python=python) as desk:
        yield desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with open_desk(tmp_path_factory.mktemp("statements") / "desk") as desk:
        yield desk


def hand_in(desk, photo, work="swap", options=OPTIONS, *, keys=None, progress=None):
    """Lease, seal, run; return the ticket and the envelope."""
    ticket = desk.lease()
    envelope = seal(photo.file, ticket.public_key, job=ticket.job)
    desk.run(ticket.job, envelope, work, options, result_key=keys and keys.public_bytes, progress=progress)
    return ticket, envelope


def stored(desk, canaries):
    """Search where the desk could have left something on a disk."""
    places = [desk.folder, desk.folder.parent / "temporary", Path("/dev/shm")]  # noqa: S108 (searched, not used)
    return find_residue(canaries, folders=places, usual=False)


def in_memory(desk, canaries):
    # The youngest first: what works now may end.
    return find_residue(canaries, processes=reversed(desk.processes()), usual=False)


@pytest.fixture
def seen(require):
    """Check a report's state; where a process cannot be read, say what a user can do."""

    def check(report, state="clean"):
        unreadable = [one for one in report.unread if one.place.startswith("process")]
        require("ptrace", not unreadable, "waiting cells can be read by root, or under `unshare -r`, alone")
        assert report.state == state, str(report)

    return check


# -- 1 ------------------------------------------------------------------------------------------


@pytest.mark.clause("1.2.1c")
@pytest.mark.clause("1.2.2(4)c", "1.2.3c", partly="of a photo's upload, on disk and in memory")
def test_after_the_analysis_the_upload_is_nowhere(desk, photo, seen):
    analysed = threading.Event()
    with KeyPair.generate() as keys, ThreadPoolExecutor(1) as client:
        ticket = desk.lease()
        envelope = seal(photo.file, ticket.public_key, job=ticket.job)
        sought = photo.canaries + canaries_of(upload=envelope)
        running = client.submit(
            desk.run,
            ticket.job,
            envelope,
            "hold",
            {"seconds": 6},
            result_key=keys.public_bytes,
            progress=lambda stage: analysed.set() if stage == "held" else None,
        )
        assert analysed.wait(30)
        held = in_memory(desk, photo.canaries)
        seen(held, "found")  # in the cell, which works with it, and nowhere else
        assert len({hit.place for hit in held.hits}) == 1
        assert {hit.kind for hit in held.hits} >= {"pixels", "landmarks"}  # the file is overwritten by then
        time.sleep(1)
        seen(stored(desk, sought))
        running.result()
    seen(in_memory(desk, photo.canaries))
    desk.acknowledge(ticket.job)


# -- 2 ------------------------------------------------------------------------------------------


def deliver(desk, ticket):
    desk.acknowledge(ticket.job)


def cancel(desk, ticket):
    desk.cancel(ticket.job)


def wait_for_the_deadline(desk, ticket):
    deadline = time.monotonic() + 30
    with suppress(ErasedError):
        while time.monotonic() < deadline:
            desk.fetch(ticket.job)
            time.sleep(0.05)
    with pytest.raises(ErasedError):
        desk.fetch(ticket.job)


@pytest.mark.clause("1.2.2(4)b", partly="a desk's result, after each of its ends")
@pytest.mark.parametrize("end", [deliver, cancel, wait_for_the_deadline])
def test_a_result_is_nowhere_after_its_end(tmp_path, request, photo, seen, end):
    with ExitStack() as opened, KeyPair.generate() as keys:
        if end is wait_for_the_deadline:
            desk = opened.enter_context(open_desk(tmp_path / "desk", lifetime=4.0))
        else:
            desk = request.getfixturevalue("desk")
        ticket, _ = hand_in(desk, photo, keys=keys)
        envelope = desk.fetch(ticket.job)
        result = bytes(open_sealed(envelope, keys, job=ticket.job, direction="result"))
        plain, sealed = canaries_of_result(result, "stamp"), canaries_of(result=envelope)
        if end is not wait_for_the_deadline:
            seen(stored(desk, plain + sealed), "found")
        end(desk, ticket)
        time.sleep(1)
        seen(stored(desk, plain + sealed))
        seen(in_memory(desk, plain))


@pytest.mark.clause("1.2.2(4)b", partly="nothing of a job that failed late")
def test_a_job_that_fails_leaves_no_result(desk, photo, seen):
    ticket = desk.lease()
    envelope = seal(photo.file, ticket.public_key, job=ticket.job)
    with pytest.raises(CellCrashedError, match="ArithmeticError"):
        desk.run(ticket.job, envelope, "fail_late")
    with pytest.raises(FacekitError):
        desk.fetch(ticket.job)
    receipt = verify_receipt(desk.acknowledge(ticket.job), desk.receipt_key)
    assert receipt.outcome == "failed"
    seen(stored(desk, photo.canaries + canaries_of(upload=envelope)))
    seen(in_memory(desk, photo.canaries))
    assert not list((desk.folder / "sealed").iterdir())


# -- 3 ------------------------------------------------------------------------------------------


@pytest.mark.clause("1.2.2(1)", partly="the process that takes a sealed upload never holds a byte of it")
@pytest.mark.clause("1.2.3b", partly="nor of the result, where the client gave a key")
def test_who_takes_a_sealed_photo_never_has_it(desk, photo, seen):
    """Searched again and again, from before the job until after it."""
    reports, ended = [], threading.Event()

    def watch():
        while not ended.is_set():
            reports.append(find_residue(photo.canaries, processes=desk.processes()[:2], usual=False))

    with ThreadPoolExecutor(1) as aside, KeyPair.generate() as keys:
        watching = aside.submit(watch)
        ticket, _ = hand_in(desk, photo, "hold", {"seconds": 5}, keys=keys)
        desk.acknowledge(ticket.job)
        ended.set()
        watching.result()
    assert len(reports) >= 2
    for report in reports:
        seen(report)
    with ThreadPoolExecutor(1) as aside:  # the same search finds it where it is
        held = threading.Event()
        running = aside.submit(
            hand_in,
            desk,
            photo,
            "hold",
            {"seconds": 4},
            progress=lambda stage: stage == "held" and held.set(),
        )
        assert held.wait(30)
        seen(in_memory(desk, photo.canaries), "found")
        desk.acknowledge(running.result()[0].job)


# -- 4 ------------------------------------------------------------------------------------------


class Watch:
    """Looks at a folder again and again for what must never lie there."""

    def __init__(self, canaries, folder):
        self._sweep, self._folder = Sweep(canaries.needles, canaries.labels), folder
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.looks, self.hits = 0, []

    def _look(self):
        while not self._ended.is_set():
            sweep = self._sweep.fresh()
            search_folder(sweep, self._folder)
            self.hits += sweep.hits()
            self.looks += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()


@pytest.mark.clause("1.2.2(4)a", partly="killed at any moment, the disk has ciphertext alone")
@pytest.mark.clause("1.2.3c", partly="and after a new start not even that")
def test_killing_leaves_nothing(tmp_path, photo):
    chance = random.Random(7)  # noqa: S311 (moments, not secrets)
    folder, found = tmp_path / "desk", 0
    canaries = photo.canaries
    probe = tmp_path / "probe"
    probe.mkdir()
    (probe / "canary").write_bytes(photo.file)  # nobody's face: the positive control
    with Watch(canaries, probe) as control:
        assert eventually(lambda: control.hits, 30)
    works = {"hold": "captives:hold", "sleep": "captives:sleep"}
    with Watch(canaries, folder) as watch:
        for k in range(ROUNDS):
            with open_desk(folder, works=works, count=2, standby=2) as desk:
                sealed = folder / "sealed"
                assert eventually(lambda sealed=sealed: not list(sealed.iterdir()), 5), "left from before"
                with ThreadPoolExecutor(2) as clients:
                    running = [
                        clients.submit(hand_in, desk, photo, "sleep", {"seconds": chance.random() / 2})
                        for _ in range(2)
                    ]
                    time.sleep(chance.random() / 2)
                    found += len(list(sealed.iterdir()))
                    kill(("cell", "desk", "server", "both")[k % 4], desk, chance)
                    for one in running:
                        with suppress(FacekitError):
                            one.result()
    assert watch.looks > ROUNDS
    assert not watch.hits
    assert found, "no round was killed while something lay on the disk"
    with open_desk(folder, works=works, count=1, standby=1):
        assert eventually(lambda: not list(sealed.iterdir()), 5)
        assert duties(folder) == []


def kill(victim, desk, chance):
    with suppress(FacekitError, ProcessLookupError):
        _, server, *cells = desk.processes()
        if victim in ("cell", "both") and cells:
            os.kill(chance.choice(cells), signal.SIGKILL)
        if victim == "server":
            os.kill(server, signal.SIGKILL)
    if victim in ("desk", "both"):
        os.kill(desk.pid, signal.SIGKILL)


def duties(folder):
    with sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro", uri=True) as ledger:
        found = ledger.execute("SELECT * FROM duty").fetchall()
    ledger.close()
    return found


# -- 5 ------------------------------------------------------------------------------------------


@pytest.mark.clause("1.2.3b", partly="of many jobs no file name, hash, point or pixel is left at a desk")
def test_many_jobs_leave_no_trace(tmp_path, capfd):
    """What a desk holds afterwards is its empty ledger, a key and a lock."""
    photos = [Photo(seed=k) for k in range(4)]
    canaries = sum((photo.canaries for photo in photos[1:]), photos[0].canaries)
    folder = tmp_path / "desk"
    with open_desk(folder) as desk, ThreadPoolExecutor(2) as clients:

        def one(k):
            ticket, _ = hand_in(desk, photos[k % len(photos)])
            return verify_receipt(desk.acknowledge(ticket.job), desk.receipt_key)

        receipts = list(clients.map(one, range(JOBS)))
        report = stored(desk, canaries)
        assert report.state == "clean", str(report)
        there = {path.name for path in folder.iterdir()} - {"ledger.sqlite-journal"}
        assert there == {"ledger.sqlite", "receipts.pem", "runs", "sealed"}
        assert not list((folder / "sealed").iterdir())
        assert duties(folder) == []
    assert len({receipt.job for receipt in receipts}) == JOBS
    alike = {(r.outcome, frozenset((e.what, e.how) for e in r.erased), r.walls, r.limits) for r in receipts}
    assert len(alike) == 1, "receipts of different photos tell them apart"
    assert capfd.readouterr().err == ""  # nothing is logged of a job that went well


def test_the_ledger_has_no_room_for_a_picture(tmp_path):
    with open_desk(tmp_path / "desk", works=captives.WORKS):
        with sqlite3.connect(tmp_path / "desk" / "ledger.sqlite") as ledger:
            columns = [row[1] for row in ledger.execute("PRAGMA table_info(duty)")]
        ledger.close()
    assert columns == ["file", "job", "kind", "run", "made", "due"]


#: All that is ever logged: module, words, what is filled in. `failed` is an ErasureError: kinds of things.
LOGGED = {
    ("compiled", "numba cannot compile here; facekit works, but slowly", ()),
    ("privacy", "the store could not be reconciled: %s", ("type(error).__name__",)),
    ("scratch", "%s", ("failed",)),
}


@pytest.mark.clause("1.2.3b", partly="what is logged comes from a closed list")
def test_logs_have_no_room_for_a_picture():
    found = set()
    for path in Path(pool.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            call = node.func if isinstance(node, ast.Call) else None
            levels = {"debug", "info", "warning", "error", "exception", "critical", "log"}
            if isinstance(call, ast.Attribute) and call.attr in levels and "og" in ast.unparse(call.value):
                words, *filled = node.args
                found.add((path.stem, ast.literal_eval(words), tuple(map(ast.unparse, filled))))
    assert found == LOGGED


# -- 8 ------------------------------------------------------------------------------------------


def test_two_jobs_with_one_photo_never_meet(desk, photo):
    with KeyPair.generate() as mine, KeyPair.generate() as theirs, ThreadPoolExecutor(2) as clients:
        both = list(clients.map(lambda keys: hand_in(desk, photo, "echo", {}, keys=keys)[0], (mine, theirs)))
        assert both[0].job != both[1].job
        envelopes = [desk.fetch(ticket.job) for ticket in both]
        for keys, ticket, own, other in zip(
            (mine, theirs), both, envelopes, reversed(envelopes), strict=True
        ):
            assert open_sealed(own, keys, job=ticket.job, direction="result") == photo.file
            with pytest.raises(PrivacyError):
                open_sealed(other, keys, job=ticket.job, direction="result")
        desk.acknowledge(both[0].job)
        assert desk.fetch(both[1].job) == envelopes[1]  # the one that goes takes nothing of the other along
        desk.acknowledge(both[1].job)


# -- 11 -----------------------------------------------------------------------------------------


def upload_is_gone(desk, photo):
    held = threading.Event()
    with ThreadPoolExecutor(1) as client:
        ticket = desk.lease()
        envelope = seal(photo.file, ticket.public_key, job=ticket.job)
        running = client.submit(
            desk.run,
            ticket.job,
            envelope,
            "sleep",
            {"seconds": 3},
            progress=lambda stage: stage == "sleep" and held.set(),
        )
        assert held.wait(30)
        report = stored(desk, canaries_of(upload=envelope))
        running.result()
    return report.state == "clean"


def result_is_gone(desk, photo):
    ticket, _ = hand_in(desk, photo, "echo", {})
    envelope = desk.fetch(ticket.job)
    desk.acknowledge(ticket.job)
    return stored(desk, photo.canaries + canaries_of(result=envelope)).state == "clean"


def result_stays_shut(desk, photo):
    hand_in(desk, photo, "echo", {})
    return in_memory(desk, photo.canaries).state == "clean"


CAUGHT_BY = {
    "keep_the_upload": upload_is_gone,
    "keep_the_result": result_is_gone,
    "open_the_result": result_stays_shut,
    "write_to_the_disk": result_is_gone,
}


@pytest.mark.parametrize("mutation", [None, *CAUGHT_BY])
def test_without_its_erasing_a_desk_is_found_out(tmp_path, photo, mutation):
    """Each check holds at a desk as it is, and fails at one that does a single thing wrong."""
    checks = CAUGHT_BY.values() if mutation is None else [CAUGHT_BY[mutation]]
    with open_desk(tmp_path / "desk", mutation=mutation, works=captives.WORKS) as desk:
        for check in dict.fromkeys(checks):
            assert check(desk, photo) is (mutation is None)


def test_without_looking_at_the_start_something_stays(tmp_path, photo):
    works = {"works": captives.WORKS, "count": 1, "standby": 1}
    for mutation, left in (("erase_nothing_at_the_start", True), (None, False)):
        with open_desk(tmp_path / "desk", **works) as desk:
            ticket, _ = hand_in(desk, photo, "echo", {})
            assert desk.fetch(ticket.job)
            os.kill(desk.pid, signal.SIGKILL)
        with open_desk(tmp_path / "desk", mutation=mutation, **works):
            time.sleep(1)
            assert bool(list((tmp_path / "desk" / "sealed").iterdir())) is left


def test_a_cell_that_stays_means_no_receipt():
    cell = SimpleNamespace(has_gone=lambda _: False)
    scratch = Scratch()
    scratch.expect(What.CELL, How.PROCESS_ENDED, lambda: pool._look(cell))
    with pytest.raises(ErasureError, match="has not ended"):
        scratch.close()
    with pytest.raises(PrivacyError):
        _ = scratch.receipt
    cell.has_gone = lambda _: True
    scratch.close()
    assert [row.what for row in scratch.receipt.erased] == [What.CELL]


# -- all ----------------------------------------------------------------------------------------


def test_every_statement_has_its_test():
    folder = Path(__file__).parent
    for number, places in STATEMENTS.items():
        for place in places.split():
            file, _, name = place.rpartition("::")
            tree = ast.parse((folder / (file or Path(__file__).name)).read_text())
            names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            assert name in names, f"statement {number}: {place}"
    assert list(STATEMENTS) == list(range(1, 13))


def test_desks_answer_to_nonsense_and_to_their_end(desk, tmp_path):
    with pytest.raises(PrivacyError, match="no such job"):
        desk.fetch("nobody's")
    with open_desk(tmp_path / "desk", works=captives.WORKS) as other:
        ticket = other.lease()
    with pytest.raises(CellError, match="has ended"):
        other.fetch(ticket.job)
