"""Work on arrays, split over a pool of threads.

Compiled kernels are serial and give the interpreter's lock back, so that plain threads can run
them side by side: unlike the compiler's own parallel loops, these survive a fork. Strips are
claimed, not dealt out [1]_: waking a thread can take longer than the work, and who wakes late
finds nothing left to do instead of being waited for. Who splits work must see to it that each
strip's result does not depend on where the strips end.

References
----------
.. [1] Polychronopoulos & Kuck, "Guided Self-Scheduling: A Practical Scheduling Scheme for Parallel
   Supercomputers", IEEE Trans. Computers C-36(12), 1987.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from queue import SimpleQueue
from typing import Any

from facekit.errors import InputError

__all__ = ["beside", "in_strips", "side_by_side", "thread_count"]

MOST = 16  # threads; the work is bound by memory long before

Work = Callable[[int, int], object]

_inside = threading.local()


def thread_count() -> int:
    """Return how many threads work at a time.

    Returns
    -------
    int
        The environment's FACEKIT_THREADS; by default, one for each core this process may use.

    Raises
    ------
    InputError
        FACEKIT_THREADS is not a whole number from 1 on.
    """
    wanted = os.environ.get("FACEKIT_THREADS")
    if wanted is None:
        # macOS gives no process a share of the cores.
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(cores, MOST)
    if not wanted.isascii() or not wanted.isdigit() or int(wanted) < 1:
        raise InputError(f"FACEKIT_THREADS: expected a whole number from 1 on, got {wanted!r}")
    return min(int(wanted), MOST)


def in_strips(work: Work, count: int, *, least: int = 1) -> None:
    """Call `work(start, stop)` for strips that together cover `range(count)`.

    The calling thread works, too, and waits only for strips that others have begun.

    Parameters
    ----------
    work : function
        Does the rows from `start` to `stop`, end exclusive, and nothing else.
    count : int
        Number of rows.
    least : int
        Rows below which a strip is not worth a thread. Only the last of them are cut finer, so
        that all threads end together.

    Raises
    ------
    Exception
        Whatever `work` raised first, after all strips that had begun have ended; no others begin.

    Examples
    --------
    >>> squares = [None] * 5
    >>> def square(start, stop):
    ...     squares[start:stop] = [k * k for k in range(start, stop)]
    >>> in_strips(square, 5)
    >>> squares
    [0, 1, 4, 9, 16]
    """
    least = max(least, 1)
    threads = 1 if getattr(_inside, "strip", False) else min(thread_count(), max(count // least, 1))
    if threads == 1:
        work(0, count)
        return
    job = _Job(work, _ends(count, threads, least))
    _pool().offer(job, helpers=threads - 1)
    job.help()
    job.finish()


def side_by_side(*works: Callable[[], Any]) -> list[Any]:
    """Call functions that need nothing of each other, as many at a time as there are threads.

    Parameters
    ----------
    *works : function
        Takes nothing; what it splits itself is not split again.

    Returns
    -------
    list
        What each returned, in order.

    Raises
    ------
    Exception
        As `in_strips` does.

    Examples
    --------
    >>> side_by_side(lambda: "left", lambda: "right")
    ['left', 'right']
    """
    results: list[Any] = [None] * len(works)

    def strip(start: int, stop: int) -> None:
        for k in range(start, stop):
            results[k] = works[k]()

    in_strips(strip, len(works))
    return results


@contextmanager
def beside(work: Callable[[], Any]) -> Iterator[Callable[[], Any]]:
    """Do work in another thread, where there is one, while the block goes on in this one.

    Parameters
    ----------
    work : function
        Takes nothing; needs nothing of the block.

    Yields
    ------
    function
        Gives what `work` returned, once the block has ended.

    Raises
    ------
    Exception
        Whatever `work` raised, at the end of the block.

    Examples
    --------
    >>> with beside(lambda: "left") as left:
    ...     right = "right"
    >>> left(), right
    ('left', 'right')
    """
    results: list[Any] = []
    job = _Job(lambda *_: results.append(work()), [0, 1])
    if thread_count() > 1 and not getattr(_inside, "strip", False):
        _pool().offer(job, helpers=1)
    try:
        yield lambda: results[0]
    finally:
        job.help()
        job.finish()


def _ends(count: int, threads: int, least: int) -> list[int]:
    """Return where strips begin and end: large ones first, small ones for those who are done early."""
    ends = [0]
    while (left := count - ends[-1]) > least:
        ends.append(ends[-1] + max(left // (2 * threads), least))
    parts = min(left, threads)
    return ends + [ends[-1] + left * k // parts for k in range(1, parts + 1)]


class _Job:
    """Strips to be claimed one after the other, from any thread."""

    def __init__(self, work: Work, ends: list[int]) -> None:
        self._work = work
        self._ends = ends
        self._claimed = self._running = 0
        self._errors: list[BaseException] = []
        self._changed = threading.Condition()

    def help(self) -> None:
        """Do strips until none is left."""
        while (claimed := self._claim()) is not None:
            error = _attempt(self._work, *claimed)
            with self._changed:
                self._running -= 1
                if error is not None:
                    self._claimed = len(self._ends) - 1
                    self._errors.append(error)
                self._changed.notify()
            del error  # its traceback holds this frame

    def finish(self) -> None:
        """Wait for what others have begun, let go of the work, and raise the first error."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)
        del self._work  # a thread that wakes late holds the job, but no picture
        if self._errors:
            try:
                raise self._errors[0]
            finally:
                self._errors.clear()  # an error's traceback holds this frame, and so the job

    def _claim(self) -> tuple[int, int] | None:
        with self._changed:
            if self._claimed + 1 == len(self._ends):
                return None
            self._claimed += 1
            self._running += 1
            return self._ends[self._claimed - 1], self._ends[self._claimed]


def _attempt(work: Work, start: int, stop: int) -> BaseException | None:
    _inside.strip = True  # a strip is not split again: that would only cost time
    try:
        work(start, stop)
    except BaseException as error:
        return error
    finally:
        _inside.strip = False
    return None


class _Pool:
    """Threads that wait for jobs; no more of them than were ever needed at a time."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._threads = 0
        self._hiring = threading.Lock()

    def offer(self, job: _Job, *, helpers: int) -> None:
        """Ask for up to `helpers` threads, and wait for none."""
        with self._hiring:
            while self._threads < helpers:
                self._threads += 1
                name = f"facekit-{self._threads}"
                threading.Thread(target=self._serve, name=name, daemon=True).start()
        for _ in range(helpers):
            self._jobs.put(job)

    def _serve(self) -> None:
        while True:
            self._jobs.get().help()  # no name for the job: it would live on until the next one


@cache
def _pool() -> _Pool:
    return _Pool()


os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked child has none of the pool's threads
