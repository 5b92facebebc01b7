"""Other ways to do a cell's job, each in a process of its own that answers lines with lines of JSON.

``python -m benchmarks.workers WAY``, where WAY is one of `WAYS`, or "once": one job and the end.
"""

import ctypes
import gc
import json
import os
import select
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from resource import RUSAGE_CHILDREN, RUSAGE_SELF
from typing import Any, NoReturn, Self

from benchmarks.detection import bare_detection
from benchmarks.processes import cpu
from facekit import encode_image, synthetic_face
from facekit.works import prepare, swap

SIDE = 1024  # pixels of the photo
OPTIONS = {"template": "card", "format": "jpeg"}
LANES = 2  # jobs at a time
ONE_THREAD = {"FACEKIT_THREADS": "1", "OMP_NUM_THREADS": "1"}  # for each job, as in a cell


@cache
def photo() -> bytes:
    """Return the photo of every job: a face that is nobody's, as JPEG."""
    return encode_image(synthetic_face(SIDE, seed=3), "jpeg")


def job() -> bytes:
    """Do the job here."""
    return swap(bytearray(photo()), OPTIONS, str)


# -- the caller's side -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What one order cost, and the results' checksums."""

    cpu: float
    seconds: float
    sums: tuple[int, ...]


class Worker:
    """A process that does jobs in one of `WAYS`; it runs at a cell's priority, lest others' load decide."""

    def __init__(self, way: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.workers", way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ONE_THREAD,
            text=True,
        )
        self.ask("ready")

    def ask(self, order: str, jobs: int = 1) -> Answer:
        """Give an order of its way, for so many jobs; return what they cost."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(order, jobs, file=self._process.stdin, flush=True)
        cpu, seconds, sums = json.loads(self._process.stdout.readline())
        return Answer(cpu, seconds, tuple(sums))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._process.communicate()


def once() -> Answer:
    """Do a job in a fresh interpreter."""
    start, used = time.perf_counter(), cpu(RUSAGE_CHILDREN)
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.workers", "once"],
        input=photo(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | ONE_THREAD,
        check=True,
    )
    seconds = time.perf_counter() - start
    return Answer(cpu(RUSAGE_CHILDREN) - used, seconds, (zlib.crc32(run.stdout),))


# -- the worker's side -----------------------------------------------------------------------


def _fork(work: Callable[[], bytes]) -> tuple[int, int]:
    """Let a child do the work; return its process id and where its result comes out."""
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        _be_child(work, write)
    os.close(write)
    return pid, read


def _be_child(work: Callable[[], bytes], write: int) -> NoReturn:
    gc.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # MediaPipe chatters
    try:
        with os.fdopen(write, "wb") as out:
            out.write(work())
        os._exit(0)
    finally:
        os._exit(1)


def _forked(work: Callable[[], bytes], jobs: int) -> list[int]:
    """Do jobs in children, `LANES` at a time; return the results' checksums."""
    running: dict[int, tuple[int, bytearray]] = {}
    sums: list[int] = []
    while jobs or running:
        while jobs and len(running) < LANES:
            jobs -= 1
            pid, read = _fork(work)
            running[read] = pid, bytearray()
        for read in select.select(list(running), [], [])[0]:
            pid, result = running[read]
            if part := os.read(read, 2**20):
                result += part
                continue
            del running[read]
            os.close(read)
            assert os.waitpid(pid, 0)[1] == 0, "a child failed"
            sums.append(zlib.crc32(result))
    return sums


def _only_landmarker() -> bytes:
    """Create a landmarker, detect nothing, and end without closing it, as a cell does."""
    with bare_detection():
        os._exit(0)


def _in_threads(jobs: int) -> list[int]:
    if jobs == 1:
        return [zlib.crc32(job())]
    with ThreadPoolExecutor(LANES) as pool:
        return list(pool.map(lambda _: zlib.crc32(job()), range(jobs)))


WAYS: dict[str, dict[str, Callable[[int], list[int]]]] = {
    "fork": {"landmarker": partial(_forked, _only_landmarker), "job": partial(_forked, job)},
    "threads": {"job": _in_threads},
}


def _serve(orders: dict[str, Callable[[int], list[int]]]) -> None:
    """Make ready what a fork server makes ready, and do as told until nobody tells any more."""
    prepare()
    photo()
    gc.collect()
    gc.freeze()
    ctypes.CDLL(None).malloc_trim(0)
    for line in sys.stdin:
        order, jobs = line.split()
        start, used = time.perf_counter(), cpu(RUSAGE_SELF, RUSAGE_CHILDREN)
        sums: Any = orders[order](int(jobs)) if order in orders else []
        seconds = time.perf_counter() - start
        print(json.dumps([cpu(RUSAGE_SELF, RUSAGE_CHILDREN) - used, seconds, sums]), flush=True)


if __name__ == "__main__":
    os.setpriority(os.PRIO_PROCESS, 0, 19)
    if sys.argv[1] == "once":
        sys.stdout.buffer.write(swap(bytearray(sys.stdin.buffer.read()), OPTIONS, str))
    else:
        _serve(WAYS[sys.argv[1]])
