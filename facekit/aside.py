"""Work that is done aside, by another thread, until its result is needed."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

from facekit.threads import thread_count

__all__ = ["start_aside"]

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")


def start_aside(
    work: Callable[Arguments, Value], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Callable[[], Value]:
    """Start work in another thread; where only one may work at a time, it is done at the end.

    Parameters
    ----------
    work : function
        Does not wait for other work that is done aside.
    *args, **kwargs
        Its arguments.

    Returns
    -------
    function
        Returns what the work returned, or raises what it raised, once that has ended.

    Examples
    --------
    >>> total = start_aside(sum, [1, 2])
    >>> total()
    3
    """
    if thread_count() == 1:
        return lambda: work(*args, **kwargs)
    return _pool().submit(work, *args, **kwargs).result


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="facekit-aside")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked child has none of the pool's threads
