"""Overwriting what must not stay, and looking whether it is gone.

Python can overwrite a buffer and a file; it can reach neither a copy that somebody else made nor
the blocks that a disk has set aside [1]_. What that leaves is said in every receipt.

References
----------
.. [1] Wei, Grupp, Spada & Swanson, "Reliably Erasing Data from Flash-Based Solid State Drives",
   FAST 2011.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np

from facekit.errors import ErasureError

__all__ = ["entries", "erase_entry", "is_there", "locked", "wipe"]

BLOCK: Final = 1024 * 1024  # bytes
_ZEROS: Final = bytes(BLOCK)


def wipe(view: memoryview) -> None:
    r"""Overwrite memory with zeros, and look.

    Parameters
    ----------
    view : memoryview of bytes
        Writable and contiguous.

    Raises
    ------
    ErasureError
        It does not read back as zeros.

    Examples
    --------
    >>> buffer = bytearray(b"secret")
    >>> wipe(memoryview(buffer))
    >>> buffer
    bytearray(b'\x00\x00\x00\x00\x00\x00')
    """
    memory = np.frombuffer(view, np.uint8)
    memory.fill(0)
    if memory.any():
        raise ErasureError("memory that was overwritten does not read back as overwritten")


def erase_entry(folder: int, name: str, *, wait: bool = True) -> None:
    """Overwrite and unlink what stands in a folder under a name, each synced to disk, and look.

    Parameters
    ----------
    folder : int
        Descriptor of the folder.
    name : str
        The entry. Nothing there is no error, so erasing twice is none. A link is removed and never
        followed; a folder goes with all that is in it.
    wait : bool
        Whether to wait for whoever is writing or reading the file just now.

    Raises
    ------
    BlockingIOError
        Somebody is, and `wait` is off.
    OSError
        The disk refuses. What could not be overwritten keeps its name, to be tried again.
    ErasureError
        It is still there.
    """
    try:
        kind = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISREG(kind):
            _erase_file(folder, name, wait=wait)
        elif stat.S_ISDIR(kind):
            _erase_folder(folder, name, wait=wait)
        else:
            os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass  # gone already, or just now by another process
    os.fsync(folder)  # also where it was gone: whoever unlinked it may have died before this
    if is_there(folder, name):
        raise ErasureError("a file that was unlinked is still there")


def _erase_file(folder: int, name: str, *, wait: bool) -> None:
    file = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        with locked(file, wait=wait):
            _overwrite(file)
            os.unlink(name, dir_fd=folder)
    finally:
        os.close(file)


def _erase_folder(folder: int, name: str, *, wait: bool) -> None:
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        for entry in entries(inner):
            erase_entry(inner, entry, wait=wait)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=folder)


def _overwrite(file: int) -> None:
    size = os.fstat(file).st_size
    done = 0
    while done < size:
        done += os.pwrite(file, memoryview(_ZEROS)[: size - done], done)
    os.fsync(file)
    if hasattr(os, "posix_fadvise"):  # so that the disk answers, where it can, and not the cache
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    for start in range(0, size, BLOCK):
        wanted = _ZEROS[: size - start]
        if os.pread(file, len(wanted), start) != wanted:
            raise ErasureError("a file that was overwritten does not read back as overwritten")


def entries(folder: int) -> list[str]:
    """List the names in a folder.

    Parameters
    ----------
    folder : int
        Descriptor of the folder; not to be listed by two threads at once.

    Returns
    -------
    list of str
        In no order.
    """
    with os.scandir(folder) as found:
        return [entry.name for entry in found]


def is_there(folder: int, name: str) -> bool:
    """Say whether a folder has an entry of that name, be it a link to nowhere.

    Parameters
    ----------
    folder : int
        Descriptor of the folder.
    name : str
        The entry.

    Returns
    -------
    bool
        Whether it has.
    """
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def locked(file: int, *, shared: bool = False, wait: bool = True) -> Iterator[None]:
    """Hold the lock of an open file; it ends with the process at the latest.

    Parameters
    ----------
    file : int
        Its descriptor.
    shared : bool
        For reading.
    wait : bool
        Whether to wait for others.

    Yields
    ------
    None
        While it is held.

    Raises
    ------
    BlockingIOError
        Others hold it, and `wait` is off.
    """
    fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    try:
        yield
    finally:
        # By name and not by closing: a process that was forked meanwhile has the file open as well.
        fcntl.flock(file, fcntl.LOCK_UN)
