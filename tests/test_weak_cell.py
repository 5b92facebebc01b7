"""Where the kernel has none of Linux's means, as on macOS, a cell refuses or is weaker, and says so."""

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import captives
import pytest

from facekit.cell import Cells
from facekit.envelope import seal
from facekit.errors import CellCrashedError, CellTimeoutError, ErasureError, PrivacyError, WallError
from facekit.scratch import Scratch
from facekit.threads import thread_count
from facekit.walls import REQUIRED, Limits, _holds

PHOTO = b"as good as a picture" * 5000
#: Takes away what Linux alone has, in the fork server before it loads anything.
LESS = """
import ctypes, os, pathlib, sys

for name in ("pidfd_open", "memfd_create", "sched_getaffinity", "posix_fadvise", "unshare", "setns"):
    if hasattr(os, name):
        delattr(os, name)
sys.modules["landlock"] = sys.modules["pyseccomp"] = None

find = ctypes.CDLL.__getattr__
def less(library, name):
    if name in ("prctl", "unshare", "malloc_trim"):
        raise AttributeError(name)
    return find(library, name)
ctypes.CDLL.__getattr__ = less

is_dir, write_text = pathlib.Path.is_dir, pathlib.Path.write_text
def is_there(path, *args):
    return not str(path).startswith("/proc") and is_dir(path, *args)
def write(path, *args):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(2, "no such file")
    return write_text(path, *args)
pathlib.Path.is_dir, pathlib.Path.write_text = is_there, write
"""


@pytest.fixture
def _elsewhere(monkeypatch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(LESS)
    paths = os.pathsep.join(map(str, (tmp_path, Path(__file__).parent)))
    monkeypatch.setenv("PYTHONPATH", paths, prepend=os.pathsep)
    for name in ("pidfd_open", "sched_getaffinity"):
        monkeypatch.delattr(os, name)


@pytest.fixture
def weak(_elsewhere):
    with Cells(count=1, standby=1, works=captives.WORKS, allow_weak_cell=True, seconds=20) as cells:
        yield cells


def run(cells, work, options=None, **settings):
    lease = cells.lease()
    envelope = seal(PHOTO, lease.public_key, job=lease.job)
    return cells.run(lease, envelope, work, options, **settings)


@pytest.mark.usefixtures("_elsewhere")
def test_without_linuxs_means_cells_refuse_and_name_every_wall():
    with pytest.raises(WallError, match="network, files, processes, dump, parent"):
        Cells(count=1, standby=1, works=captives.WORKS).start()


def test_a_weak_cell_does_its_job_and_claims_no_wall_that_it_lacks(weak):
    result = run(weak, "echo")
    held = {wall.partition(":")[0] for wall in result.walls}
    assert held == {"memory", "time", "priority"}
    assert not held >= set(REQUIRED)
    assert result.open() == PHOTO
    with pytest.raises(CellCrashedError):
        run(weak, "crash")
    assert run(weak, "echo").open() == PHOTO


def test_a_weak_cell_writes_no_byte_to_a_file(weak):
    """RLIMIT_FSIZE is POSIX: a file may open, and stays empty."""
    assert bytes(run(weak, "tries", {"way": "write a byte"}).open()) == b"stopped: EFBIG"


@pytest.mark.usefixtures("_elsewhere")
def test_a_weak_cell_ends_by_the_clock():
    settings = {"works": captives.WORKS, "allow_weak_cell": True, "seconds": 0.5}
    with Cells(count=1, standby=1, **settings) as hasty, pytest.raises(CellTimeoutError):
        run(hasty, "loop")


def test_no_receipt_says_that_a_cell_has_ended_which_outlived_its_server(weak):
    scratch, began, lease = Scratch(), threading.Event(), weak.lease()
    with ThreadPoolExecutor(1) as caller:
        envelope = seal(PHOTO, lease.public_key, job=lease.job)
        running = caller.submit(
            weak.run, lease, envelope, "sleep", scratch=scratch, progress=lambda _: began.set()
        )
        try:
            assert began.wait(10)
            os.kill(weak.server_pid, signal.SIGKILL)
            assert lease.cell.ended.wait(10)
            assert not lease.cell.has_gone(0.1)
            with pytest.raises(ErasureError, match="has not ended"):
                scratch.close()
            with pytest.raises(PrivacyError):
                _ = scratch.receipt
        finally:
            os.kill(lease.cell.pid, signal.SIGKILL)
        with pytest.raises(CellCrashedError):
            running.result(20)
    scratch.close()
    assert lease.cell.has_gone(10)


def test_a_limit_that_does_not_count_mapped_memory_is_no_wall(monkeypatch):
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (Limits().memory, Limits().memory))
    assert _holds("memory", Limits(), os.getppid())
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not _holds("memory", Limits(), os.getppid())


def test_threads_are_counted_where_a_process_has_no_share_of_the_cores(monkeypatch):
    monkeypatch.delenv("FACEKIT_THREADS", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert thread_count() == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert thread_count() == 1
