"""Which way is faster, on a machine that may be busy."""

import time
from collections.abc import Callable

__all__ = ["best_times"]


def best_times(*ways: Callable[[], object], rounds: int = 7) -> list[float]:
    """Run each way in turn, some rounds.

    Parameters
    ----------
    *ways : function
        Without arguments.
    rounds : int
        How often.

    Returns
    -------
    list of float, seconds
        The best run of each: another job on the machine can only slow a run.
    """
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, taken in zip(ways, times, strict=True):
            start = time.perf_counter()
            way()
            taken.append(time.perf_counter() - start)
    return [min(taken) for taken in times]
