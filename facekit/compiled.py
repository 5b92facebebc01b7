"""Kernels compiled by numba, once per machine."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

__all__ = ["compiled"]

Kernel = TypeVar("Kernel", bound=Callable[..., None])


def compiled(kernel: Kernel) -> Kernel:
    """Compile `kernel` without the interpreter's lock, and keep the machine code on disk.

    Where no cache folder can be written, numba refuses to cache at all; then the kernel is
    compiled anew in each process.

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


def _typed(kernel: Kernel, *, cache: bool) -> Kernel:
    return cast("Kernel", numba.njit(cache=cache, nogil=True)(kernel))
