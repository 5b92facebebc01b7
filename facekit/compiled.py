"""Kernels compiled by numba, once per machine."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import numba

__all__ = ["can_compile", "close_cache", "compiled", "has_compiled", "inlined"]

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(kernel: Kernel) -> Kernel:
    """Compile `kernel` without the interpreter's lock, and keep the machine code on disk.

    Where no cache folder can be written, numba refuses to cache at all; then the kernel is
    compiled anew in each process. Sums may be reassociated and multiply-adds fused, so that
    loops fill the vector units; the machine code, hence the result, is the same for any number
    of threads.

    Parameters
    ----------
    kernel : function
        Loops over arrays; serial, so that it survives a fork.

    Returns
    -------
    function
        The compiled kernel.
    """
    try:
        return _typed(kernel, cache=True)
    except RuntimeError:
        return _typed(kernel, cache=False)


def inlined(kernel: Kernel) -> Kernel:
    """Compile `kernel` into each kernel that calls it.

    For what is called for every row with many arrays: to pass them takes longer than the work.

    Parameters
    ----------
    kernel : function
        As `compiled` takes it; called by compiled kernels of its own module only.

    Returns
    -------
    function
        The compiled kernel.
    """
    return _typed(kernel, cache=False, inline=True)


def close_cache() -> None:
    """Keep what is compiled from now on in memory alone, for a process that may write no file."""
    for kernel in _kernels:
        kernel._cache.disable()  # noqa: SLF001 (numba offers it nowhere else)


def has_compiled() -> bool:
    """Tell whether this process had to compile what a later one will find in the cache on disk.

    Returns
    -------
    bool
        If so, it holds some hundred megabytes of the compiler's, which no later process will.
    """
    return any(kernel.stats.cache_path and kernel.stats.cache_misses for kernel in _kernels)


@cache
def can_compile() -> bool:
    """Tell whether kernels can be compiled here; where not, naive versions must do.

    Returns
    -------
    bool
        False where numba is told not to (NUMBA_DISABLE_JIT), or fails: some systems forbid
        a process to write machine code for itself.
    """
    if getattr(numba.config, "DISABLE_JIT", False):
        return False
    try:
        return bool(_increment(1) == 2)
    except Exception:  # whatever stops LLVM, the answer is the same
        logging.getLogger(__name__).warning(
            "numba cannot compile here; facekit works, but slowly", exc_info=True
        )
        return False


def _typed(kernel: Kernel, *, cache: bool, inline: bool = False) -> Kernel:
    fast = {"reassoc", "contract", "nsz"}
    made = numba.njit(cache=cache, nogil=True, error_model="numpy", fastmath=fast, forceinline=inline)(kernel)
    if hasattr(made, "_cache"):  # not where numba is told to compile nothing
        _kernels.append(made)
    return cast("Kernel", made)


_kernels: list[Any] = []


@compiled
def _increment(value: int) -> int:
    return value + 1
