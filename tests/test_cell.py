"""A cell does its one job and ends; what goes wrong in it goes no further."""

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import captives
import numpy as np
import pytest
from living import children, eventually, is_alive

from facekit import (
    decode_image,
    encode_image,
    load_template,
    run_in_cell,
    swap_face,
    synthetic_face,
    verify_receipt,
)
from facekit.cell import Cells, Job, Limits
from facekit.envelope import open_sealed, seal
from facekit.errors import (
    CellCrashedError,
    CellError,
    CellMemoryError,
    CellTimeoutError,
    ErasedError,
    FacekitError,
    InputError,
    NoFaceError,
    QueueFullError,
    SealError,
    TemplateError,
    WallError,
)
from facekit.keys import KeyPair
from facekit.privacy import Scratch
from facekit.walls import REQUIRED

PHOTO = b"not a picture, but as good as one: " + bytes(range(256)) * 40
WORKS = captives.WORKS  # a server without the swap starts in a second


@pytest.fixture(scope="module")
def cells():
    with Cells(count=2, works=WORKS | {"swap": "facekit.works:swap"}, seconds=30) as cells:
        yield cells


def run(cells, work, options=None, photo=PHOTO, **settings):
    lease = cells.lease()
    return cells.run(lease, seal(photo, lease.public_key, job=lease.job), work, options, **settings)


def goes_on(cells):
    """Say whether the next job is done as if nothing had happened."""
    return run(cells, "echo").open() == PHOTO


# -- the job ----------------------------------------------------------------------------------


@pytest.mark.clause("1.2.2(2)", partly="a swap in a process of its own")
def test_a_swap_in_a_cell_is_the_swap_outside(cells):
    photo = encode_image(synthetic_face(400, seed=3), "png")
    stages = []
    result = run(cells, "swap", {"template": "stamp", "shape": 0.3}, photo, progress=stages.append)
    outside = swap_face(decode_image(photo), load_template("stamp"), shape=0.3)
    assert np.array_equal(decode_image(bytes(result.open())), outside.image)
    assert stages == ["opened", "decode", *[s for s in stages if s in outside.timings], "encode"]
    assert set(outside.timings) <= set(stages)


def test_run_in_cell_needs_nothing_but_a_job():
    photo = encode_image(synthetic_face(300), "jpeg")
    result = run_in_cell(Job(photo, "swap", {"template": "card", "format": "webp"}))
    assert decode_image(bytes(result.open())).shape == load_template("card").image.shape
    assert "photo" not in repr(Job(photo))


@pytest.mark.clause("1.2.3c", partly="a job in a cell ends with a signed receipt")
def test_run_in_cell_gives_a_receipt_of_what_it_erased(cells):
    result = run_in_cell(Job(PHOTO, "echo"), cells=cells)
    receipt = verify_receipt(result.receipt, cells.signer.public_bytes)
    assert receipt.job == result.job
    assert [(row.what.value, row.how.value) for row in receipt.erased] == [
        ("upload-held", "overwritten"),
        ("cell", "process-ended"),
    ]
    assert (receipt.upload, receipt.result_key, receipt.outcome) == ("plain", "job", "delivered")
    assert set(receipt.walls) == {wall.partition(":")[0] for wall in cells.walls}
    assert result.open() == PHOTO


def test_a_scratch_knows_what_became_of_its_job(cells):
    """The upload goes when the cell has opened it, not when the job ends."""
    with KeyPair.generate() as client:
        for work, outcome in (("sleep", "delivered"), ("crash", "failed")):
            erased = []
            with suppress(CellCrashedError), Scratch() as scratch:
                lease = cells.lease(scratch.job)
                envelope = scratch.hold(
                    bytearray(seal(PHOTO, lease.public_key, job=lease.job)), "upload-held"
                )
                cells.run(
                    lease,
                    envelope,
                    work,
                    {"seconds": 0.1},
                    result_key=client.public_bytes,
                    progress=lambda _, held=envelope, erased=erased: erased.append(not any(held)),
                    scratch=scratch,
                )
            assert erased
            assert all(erased)
            assert scratch.receipt.outcome == outcome
            assert scratch.receipt.result_key == "client"
            assert "cell" in {row.what for row in scratch.receipt.erased}


def test_a_job_key_is_erased_with_its_scratch(cells):
    with Scratch() as scratch:
        lease = cells.lease(scratch.job)
        result = cells.run(lease, seal(PHOTO, lease.public_key, job=lease.job), "echo", scratch=scratch)
    with pytest.raises(ErasedError):
        result.open()
    assert "keys" in {row.what for row in scratch.receipt.erased}


def test_a_result_opens_once_and_prints_nothing_of_itself(cells):
    result = run(cells, "echo")
    assert "sealed" not in repr(result)
    assert result.open() == PHOTO
    with pytest.raises(ErasedError):
        result.open()


@pytest.mark.clause("1.2.2(3)", partly="what the cell gives back opens with the client's key alone")
@pytest.mark.parametrize("kem", ["x25519", "mlkem768x25519"])
def test_a_client_with_a_key_alone_can_open_the_result(cells, kem):
    with KeyPair.generate(kem) as client:
        result = run(cells, "echo", result_key=client.public_bytes)
        assert result.keys is None
        with pytest.raises(SealError, match="client"):
            result.open()
        assert open_sealed(result.sealed, client, job=result.job, direction="result") == PHOTO


def test_cells_may_have_keys_that_hold_against_a_quantum_computer():
    with Cells(count=1, standby=1, works=WORKS, kem="mlkem768x25519") as cells:
        lease = cells.lease()
        assert len(lease.public_key) == 1218
        sealed = seal(PHOTO, lease.public_key, job=lease.job)
        assert cells.run(lease, sealed, "echo").open() == PHOTO


def test_each_cell_has_its_own_key_and_does_one_job(cells):
    leases = [cells.lease() for _ in range(4)]
    assert len({lease.public_key for lease in leases}) == len({lease.job for lease in leases}) == 4
    first, second = leases[:2]
    cells.run(first, seal(PHOTO, first.public_key, job=first.job), "echo")
    with pytest.raises(CellError, match="has been used"):
        cells.run(first, seal(PHOTO, first.public_key, job=first.job), "echo")
    assert cells.run(second, seal(PHOTO, second.public_key, job=second.job), "echo").open() == PHOTO
    for lease in leases:
        cells.cancel(lease)


def test_an_envelope_larger_than_any_buffer_comes_and_goes_whole(cells):
    photo = np.random.default_rng(0).bytes(9_000_001)
    assert run(cells, "echo", photo=photo).open() == photo


# -- what does not open -------------------------------------------------------------------------


@pytest.mark.clause("1.2.2(1)", partly="an envelope opens in the cell it was sealed to, for its job, once")
def test_two_jobs_never_meet(cells):
    mine, theirs = cells.lease(), cells.lease()
    envelope = seal(PHOTO, mine.public_key, job=mine.job)
    with pytest.raises(SealError):
        cells.run(theirs, envelope, "echo")
    assert cells.run(mine, envelope, "echo").open() == PHOTO
    third = cells.lease()
    with pytest.raises(SealError):  # replayed
        cells.run(third, envelope, "echo")


def altered(envelope):
    middle = len(envelope) // 2
    yield "a byte changed", envelope[:middle] + bytes([envelope[middle] ^ 1]) + envelope[middle + 1 :]
    yield "cut short", envelope[:-1]
    yield "cut in the head", envelope[:20]
    yield "nothing", b""
    yield "longer", envelope + b"\0"
    yield "no envelope", PHOTO


def test_what_was_altered_is_refused_and_the_next_job_is_not(cells):
    for what, envelope in altered(seal(PHOTO, KeyPair.generate().public_bytes, job="-")):
        lease = cells.lease()
        genuine = dict(altered(seal(PHOTO, lease.public_key, job=lease.job)))
        del envelope
        with pytest.raises(SealError):
            cells.run(lease, genuine[what], "echo")
    assert goes_on(cells)


def test_a_key_that_is_none_is_refused_before_the_cell_is_used(cells):
    lease = cells.lease()
    envelope = seal(PHOTO, lease.public_key, job=lease.job)
    with pytest.raises(SealError):
        cells.run(lease, envelope, "echo", result_key=b"no key")
    assert cells.run(lease, envelope, "echo").open() == PHOTO


# -- errors -------------------------------------------------------------------------------------


def test_what_the_work_refuses_is_said_as_outside(cells):
    flat = encode_image(np.full((200, 200, 3), 90, np.uint8))
    with pytest.raises(NoFaceError, match="no face was found"):
        run(cells, "swap", {"template": "stamp"}, flat)
    with pytest.raises(TemplateError, match="ready template"):
        run(cells, "swap", {"template": "/etc/passwd"}, flat)
    with pytest.raises(InputError, match="sharpness"):
        run(cells, "swap", {"template": "stamp", "sharpness": 1}, flat)
    with pytest.raises(InputError, match="a dial is not a number"):
        run(cells, "swap", {"template": "stamp", "shape": "much"}, flat)
    with pytest.raises(InputError, match="one of the works"):
        run(cells, "paint")


@pytest.mark.clause("1.2.3b", partly="a defect's message crosses the wall without what it held")
def test_a_defect_is_named_without_its_message(cells):
    with pytest.raises(CellCrashedError, match="ZeroDivisionError") as caught:
        run(cells, "defect")
    assert "picture" not in str(caught.value)


def test_what_a_cell_says_is_cut_down_to_stages_and_nothing_is_printed(cells, capfd):
    stages = []
    run(cells, "chatter", progress=stages.append)
    assert stages == ["opened", "unknown", "warp"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "words",
    [
        *("", "no JSON", "[1]", '"text"', "null", "{}", '{"kind": "os", "message": 1}', "[" * 100_000),
        *('{"kind": "KeyboardInterrupt", "message": "stop"}', '{"kind": "FacekitError", "message": {}}'),
    ],
)
def test_a_cell_that_was_taken_over_cannot_say_what_is_no_error(cells, words):
    with pytest.raises(FacekitError) as caught:
        run(cells, "lie", {"words": words})
    assert 0 < len(str(caught.value)) <= 300
    assert "\n" not in str(caught.value)


def test_a_result_without_end_is_cut_off():
    with Cells(count=1, standby=1, works=WORKS, largest_result=5 * 2**20) as cells:
        with pytest.raises(CellCrashedError, match="larger than 5242880 bytes"):
            run(cells, "flood")
        assert goes_on(cells)


# -- walls --------------------------------------------------------------------------------------


@pytest.mark.clause("1.2.3a", partly="a job reaches no network")
@pytest.mark.parametrize("way", captives.ATTEMPTS)
def test_there_is_no_way_out(cells, way):
    result = bytes(run(cells, "tries", {"way": way}).open()).decode()
    assert result.startswith("stopped: "), result


def test_the_same_ways_are_open_outside(tmp_path):
    """The walls stop them, not a mistake in how they are tried."""
    captives.ATTEMPTS["write memory file"]()
    captives.ATTEMPTS["write a byte"]()
    captives.ATTEMPTS["read passwd"]()
    captives.ATTEMPTS["write to null"]()
    with pytest.raises(ConnectionRefusedError):
        captives.ATTEMPTS["connect"]()
    captives.ATTEMPTS["datagram"]()
    here, there = socket.socketpair()
    with here, there:
        captives.ATTEMPTS["signal by a descriptor"]()
        captives.ATTEMPTS["signal by a request"]()
    captives.ATTEMPTS["share memory"]()
    captives.ATTEMPTS["let memory grow"]()


def test_a_cell_knows_no_password_of_its_callers(monkeypatch):
    """What a decoder that was taken over finds in memory, it can give to its client as a result."""
    monkeypatch.setenv("FACEKIT_DATABASE_URL", "postgresql://facekit:secret@db")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with Cells(count=1, standby=1, works=WORKS) as cells:
        known = bytes(run(cells, "environment").open()).decode().split("\n")
    assert {"PATH", "PYTHONPATH", "FACEKIT_THREADS"} <= set(known)
    assert not {"FACEKIT_DATABASE_URL", "AWS_SECRET_ACCESS_KEY"} & set(known)


def test_a_result_says_which_walls_held(cells):
    result = run(cells, "echo")
    assert {wall.partition(":")[0] for wall in result.walls} >= set(REQUIRED)
    assert result.walls == cells.walls


def test_a_machine_without_the_means_refuses_or_is_told_not_to(monkeypatch, tmp_path):
    """Libraries that cannot be loaded, as on a machine without them, and no namespace to be had."""
    for name in ("landlock", "pyseccomp"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(WallError, match="files, processes"):
        Cells(count=1, standby=1, works=WORKS).start()
    with Cells(count=1, standby=1, works=WORKS, allow_weak_cell=True) as cells:
        walls = {wall.partition(":")[0] for wall in run(cells, "echo").walls}
        assert "memory" in walls
        assert not {"files", "processes"} & walls


# -- what goes wrong inside -----------------------------------------------------------------------


def test_bombs_do_not_go_off(cells):
    before = len(children(cells.server_pid))
    processes, threads = (int(part.split()[0]) for part in bytes(run(cells, "bomb").open()).split(b", "))
    assert processes == 0
    assert threads < 1000
    assert eventually(lambda: len(children(cells.server_pid)) <= before)
    assert goes_on(cells)


def test_four_gibibytes_are_not_to_be_had(cells):
    with pytest.raises(CellMemoryError):
        run(cells, "allocate", {"bytes": 4 * 2**30})
    taken = int(bytes(run(cells, "allocate_in_c").open()))
    assert 0 < taken < 2**30
    assert goes_on(cells)


def test_memory_is_what_the_limits_say(cells):
    with Cells(count=1, standby=1, works=WORKS, limits=Limits(memory=2 * 2**30)) as large:
        run(large, "allocate", {"bytes": 2**30})
    with pytest.raises(CellMemoryError):
        run(cells, "allocate", {"bytes": 2**30})


def test_a_loop_ends_by_the_clock_and_by_the_processor(cells):
    with Cells(count=2, standby=2, works=WORKS, seconds=2) as hasty, ThreadPoolExecutor(2) as callers:
        for endless in [callers.submit(run, hasty, work) for work in ("loop", "sleep")]:
            with pytest.raises(CellTimeoutError):
                endless.result()
        assert goes_on(hasty)
    with Cells(count=1, standby=1, works=WORKS, limits=Limits(cpu_seconds=1)) as thrifty:
        with pytest.raises(CellTimeoutError):
            run(thrifty, "loop")
        assert goes_on(thrifty)


@pytest.mark.parametrize("way", ["crash", "crash_in_mediapipe", "leave"])
def test_a_crash_ends_its_cell_alone(cells, way):
    """Another job runs meanwhile, and is not harmed."""
    with ThreadPoolExecutor(1) as other:
        slow = other.submit(run, cells, "sleep", {"seconds": 0.5})
        with pytest.raises(CellCrashedError):
            run(cells, way, {"code": 0})
        assert slow.result().open() == PHOTO
    assert is_alive(cells.server_pid)
    assert goes_on(cells)


# -- leases and the queue -------------------------------------------------------------------------


def test_a_lease_runs_out():
    with Cells(count=1, standby=1, works=WORKS, lease_seconds=1.5) as cells:
        lease = cells.lease()
        assert eventually(lambda: not is_alive(lease.cell.pid))
        with pytest.raises(CellTimeoutError):
            cells.run(lease, seal(PHOTO, lease.public_key, job=lease.job), "echo")
        assert goes_on(cells)


def test_no_more_are_leased_than_may_be():
    with Cells(count=1, standby=1, works=WORKS, leases=2) as cells:
        leases = [cells.lease(), cells.lease()]
        with pytest.raises(QueueFullError):
            cells.lease()
        cells.cancel(leases[0])
        assert eventually(lambda: leases[0].cell.ended.is_set())
        assert goes_on(cells)


def test_no_more_are_leased_than_may_be_when_many_ask_at_once():
    """They wait together for the first cells, and each must look again when one has come."""

    def ask(_):
        with suppress(QueueFullError):
            return cells.lease()

    with Cells(count=1, standby=1, works=WORKS, leases=2) as cells, ThreadPoolExecutor(6) as callers:
        leases = list(filter(None, callers.map(ask, range(6))))
        assert len(leases) == 2


def test_jobs_wait_for_their_turn_and_no_more_of_them_than_may():
    with Cells(count=1, standby=3, works=WORKS, queue=1) as cells, ThreadPoolExecutor(2) as callers:
        began = threading.Event()
        first = callers.submit(run, cells, "sleep", {"seconds": 1.0}, progress=lambda _: began.set())
        assert began.wait(30)
        second = callers.submit(run, cells, "echo")
        assert eventually(lambda: len(cells._turns) == 1)
        with pytest.raises(QueueFullError):
            run(cells, "echo")
        assert not second.done()
        assert first.result().open() == second.result().open() == PHOTO


def test_never_more_cells_work_than_were_asked_for():
    working, most, guard = set(), [], threading.Lock()

    def one(cells, k):
        def note(stage):
            with guard:
                if stage == "opened":
                    working.add(k)
                    most.append(len(working))

        run(cells, "sleep", {"seconds": 0.05}, progress=note)
        with guard:
            working.discard(k)

    with Cells(count=2, standby=4, works=WORKS) as cells, ThreadPoolExecutor(6) as callers:
        list(callers.map(lambda k: one(cells, k), range(24)))
    assert max(most) in (1, 2, 3)  # one may have ended, and its caller not have heard of it
    assert len(most) == 24


def test_a_cancelled_job_ends_at_once_wherever_it_is(cells):
    lease, began = cells.lease(), threading.Event()
    with ThreadPoolExecutor(1) as caller:
        envelope = seal(PHOTO, lease.public_key, job=lease.job)
        running = caller.submit(cells.run, lease, envelope, "sleep", progress=lambda _: began.set())
        assert began.wait(30)
        cells.cancel(lease)
        with pytest.raises(CellError, match="cancelled"):
            running.result(30)
    assert not is_alive(lease.cell.pid)
    cells.cancel(lease)
    assert goes_on(cells)


def test_an_error_in_the_callers_own_hands_ends_the_cell(cells):
    def refuse(stage):
        raise KeyboardInterrupt

    lease = cells.lease()
    with pytest.raises(KeyboardInterrupt):
        cells.run(lease, seal(PHOTO, lease.public_key, job=lease.job), "sleep", progress=refuse)
    assert eventually(lambda: not is_alive(lease.cell.pid))
    assert goes_on(cells)


@pytest.mark.parametrize("error", [ConnectionResetError, BrokenPipeError, ValueError])
def test_an_upload_that_breaks_off_ends_the_cell_and_is_said(cells, error):
    """A client that hangs up looks like a cell that does, and is none."""

    def broken():
        yield b"FKSE"
        raise error("the client has gone")

    lease = cells.lease()
    with pytest.raises(error):
        cells.run(lease, broken(), "echo")
    assert eventually(lambda: not is_alive(lease.cell.pid))
    assert goes_on(cells)


def test_a_job_whose_scratch_is_closed_is_not_begun(cells):
    with Scratch() as scratch:
        lease = cells.lease(scratch.job)
    with pytest.raises(ErasedError):
        cells.run(lease, seal(PHOTO, lease.public_key, job=lease.job), "echo", scratch=scratch)
    assert eventually(lambda: not is_alive(lease.cell.pid))
    assert goes_on(cells)


# -- life and death -------------------------------------------------------------------------------


@pytest.mark.clause("1.2.3b", partly="no process outlives the one that asked for it")
@pytest.mark.parametrize("victim", ["caller", "server"])
def test_all_die_together(victim):
    script = (
        "import sys, threading, time\n"
        "from facekit.cell import Cells\n"
        "from facekit.envelope import seal\n"
        "import captives\n"
        "cells = Cells(count=1, standby=2, works=captives.WORKS).start()\n"
        "lease = cells.lease()\n"
        "def told(stage):\n"
        "    if stage == 'sleep': print(cells.server_pid, lease.cell.pid, flush=True)\n"
        "cells.run(lease, seal(b'x', lease.public_key, job=lease.job), 'sleep', progress=told)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as caller:
        server, cell = map(int, caller.stdout.readline().split())
        family = [server, *children(server)]
        assert cell in family
        assert len(family) >= 3
        os.kill({"caller": caller.pid, "server": server}[victim], signal.SIGKILL)
        assert eventually(lambda: not any(map(is_alive, family)))
        caller.kill()


def test_a_server_that_died_is_said_and_can_be_started_again():
    cells = Cells(count=1, standby=1, works=WORKS).start()
    with ThreadPoolExecutor(1) as caller:
        lease, began = cells.lease(), threading.Event()
        envelope = seal(PHOTO, lease.public_key, job=lease.job)
        running = caller.submit(cells.run, lease, envelope, "sleep", progress=lambda _: began.set())
        assert began.wait(30)
        os.kill(cells.server_pid, signal.SIGKILL)
        with pytest.raises(CellCrashedError):
            running.result(30)
    with pytest.raises(CellError, match="start the cells again"):
        cells.lease()
    with cells:
        assert goes_on(cells)


def test_closing_ends_every_process():
    cells = Cells(count=1, standby=3, works=WORKS).start()
    family = [cells.server_pid, *children(cells.server_pid)]
    cells.close()
    assert not any(map(is_alive, family))
    with pytest.raises(CellError, match="closed"):
        cells.lease()


def test_cells_that_were_not_started_say_so():
    with pytest.raises(CellError, match="have not been started"):
        Cells().lease()
    with pytest.raises(InputError, match="standby"):
        Cells(standby=0)


def test_a_work_that_is_not_there_is_refused_at_the_start():
    with pytest.raises(InputError, match="module:function"):
        Cells(works={"paint": "facekit.works:paint"}).start()


def test_the_server_has_one_thread_and_no_cell_leaves_one_behind(cells):
    assert goes_on(cells)
    assert len(list(Path(f"/proc/{cells.server_pid}/task").iterdir())) == 1
    assert eventually(lambda: len(children(cells.server_pid)) == 2)


def test_a_waiting_cell_holds_its_channel_and_nothing_else():
    """Neither the fork server's socket to its caller, nor a descriptor with a number over a cell's limit."""
    with ExitStack() as many:
        for _ in range(2 * Limits().open_files):
            many.enter_context(Path(os.devnull).open())
        cells = many.enter_context(Cells(count=1, standby=1, works=WORKS))
        lease = cells.lease()
        opened = sorted(Path(f"/proc/{lease.cell.pid}/fd").iterdir(), key=lambda fd: int(fd.name))
        kinds = [str(fd.readlink()) for fd in opened]
        assert kinds[:3] == ["/dev/null"] * 3
        assert len(kinds) == 4
        assert kinds[3].startswith("socket:")


def test_nothing_is_compiled_in_a_cell(cells):
    """A job with a cold kernel would take seconds; that of a new user takes the first one's time."""
    photo = encode_image(synthetic_face(700, seed=5, yaw=20), "jpeg")
    result = run(cells, "swap", {"template": "carnival", "shape": 0.4, "features": 0.7}, photo)
    assert result.cpu_seconds < 3


def test_callers_that_stop_early_leave_no_waiting_threads(cells):
    before = threading.active_count()
    for _ in range(3):
        with pytest.raises(FacekitError):
            run(cells, "paint")
    gc.collect()
    assert threading.active_count() <= before
