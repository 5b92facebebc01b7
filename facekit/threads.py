"""Work on arrays, split over a pool of threads.

Compiled kernels are serial and give the interpreter's lock back, so that plain threads can run
them side by side: unlike the compiler's own parallel loops, these survive a fork. Who splits
work must see to it that each strip's result does not depend on where the strips end.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from facekit.errors import InputError

__all__ = ["in_strips", "thread_count"]

MOST = 16  # threads; the work is bound by memory long before

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
        return min(len(os.sched_getaffinity(0)), MOST)
    if not wanted.isascii() or not wanted.isdigit() or int(wanted) < 1:
        raise InputError(f"FACEKIT_THREADS: expected a whole number from 1 on, got {wanted!r}")
    return min(int(wanted), MOST)


def in_strips(work: Callable[[int, int], object], count: int, *, least: int = 1) -> None:
    """Call `work(start, stop)` for strips that together cover `range(count)`.

    Parameters
    ----------
    work : function
        Does the rows from `start` to `stop`, end exclusive, and nothing else.
    count : int
        Number of rows.
    least : int
        Rows below which a strip is not worth a thread.

    Raises
    ------
    Exception
        Whatever `work` raised first, after all strips have ended.

    Examples
    --------
    >>> squares = [None] * 5
    >>> def square(start, stop):
    ...     squares[start:stop] = [k * k for k in range(start, stop)]
    >>> in_strips(square, 5)
    >>> squares
    [0, 1, 4, 9, 16]
    """
    strips = 1 if getattr(_inside, "strip", False) else min(thread_count(), max(count // max(least, 1), 1))
    if strips == 1:
        work(0, count)
        return
    ends = [count * k // strips for k in range(strips + 1)]
    others = [_pool().submit(_strip, work, *ends[k : k + 2]) for k in range(1, strips)]
    try:
        _strip(work, *ends[:2])
    finally:
        errors = [other.exception() for other in others]
    for error in errors:
        if error is not None:
            raise error


def _strip(work: Callable[[int, int], object], start: int, stop: int) -> None:
    _inside.strip = True  # a strip is not split again: its thread would wait for itself
    try:
        work(start, stop)
    finally:
        _inside.strip = False


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST - 1, thread_name_prefix="facekit")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked child has none of the pool's threads
