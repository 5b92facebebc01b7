"""Files and folders: everything in them is read once, in whatever state it is met.

Only regular files are opened, never through a link, and without waiting. Pipes, sockets and devices
hold nothing that a file system stores; their names are searched like all others. Files of SQLite and
PostgreSQL, with journals and write-ahead logs, are searched as the bytes that they are: a deleted row
is there as long as its bytes are.
"""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from facekit.needles import LONGEST
from facekit.sweep import Identity, Sweep
from facekit.telling import shown
from facekit.unpack import unpack

__all__ = ["VEILED", "identity_of", "search_file", "search_folder", "search_name", "search_open"]

_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_ROUNDS: Final = 3  # a file that changes while it is read is read again
_NO_ATTRIBUTES: Final = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENODATA})
VEILED: Final = "‹a name that was searched for›"


def search_folder(sweep: Sweep, folder: Path, *, exclude: frozenset[tuple[int, int]] = frozenset()) -> None:
    """Search all that lies under a folder.

    Parameters
    ----------
    sweep : Sweep
        Keeps the book; what it has seen already is passed over.
    folder : Path
        The folder, or a single file.
    exclude : frozenset of (device, inode)
        Files that are not searched.
    """
    root = os.path.realpath(os.fsencode(folder))
    kernel = _kernel_devices()
    waiting = [(root, _printable(root))]
    while waiting:
        path, place = waiting.pop()
        try:
            status = os.lstat(path)
        except OSError as error:
            sweep.miss(place, _why(error))
            continue
        identity = identity_of(status)
        if identity[:2] in exclude:
            sweep.excluded += 1
        elif identity in sweep.seen or status.st_dev in kernel:
            continue
        elif stat.S_ISDIR(status.st_mode):
            sweep.seen.add(identity)
            _search_extras(sweep, path, place)
            waiting += _list(sweep, path, place)
        elif stat.S_ISREG(status.st_mode):
            sweep.seen.add(identity)
            _search_extras(sweep, path, place)
            search_file(sweep, path, place)


def identity_of(status: os.stat_result) -> Identity:
    """Say which file this is, so that each is read once.

    Parameters
    ----------
    status : os.stat_result
        Of the file.

    Returns
    -------
    Identity
        Of its present state.
    """
    return status.st_dev, status.st_ino, status.st_ctime_ns


def _kernel_devices() -> set[int]:
    """Return the devices of file systems that store nothing."""
    devices = set()
    for path in ("/proc", "/sys"):
        if os.path.ismount(path):
            devices.add(os.lstat(path).st_dev)
    return devices


def _list(sweep: Sweep, path: bytes, place: str) -> list[tuple[bytes, str]]:
    """List a folder's entries, and search their names and what links point to."""
    try:
        with os.scandir(path) as entries:
            names = [(entry.name, entry.is_symlink()) for entry in entries]
    except OSError as error:
        sweep.miss(place, _why(error))
        return []
    sweep.names += len(names)
    veiled = _veiled(sweep, [name for name, _ in names], place)
    found = []
    for name, is_link in names:
        whole = os.path.join(path, name)  # noqa: PTH118 (names need not be text)
        called = f"{place.rstrip('/')}/{VEILED if name in veiled else _printable(name)}"
        if is_link:
            _search_target(sweep, whole, called)
        found.append((whole, called))
    return found


def _veiled(sweep: Sweep, names: list[bytes], place: str) -> set[bytes]:
    """Return the names that hold what is searched for, which no report may repeat."""
    # One search for all names; only if it finds something, one for each.
    if not sweep.scan_bytes(b"\0".join(names), f"{place} (names in it)"):
        return set()
    return {name for name in names if search_name(sweep, name, f"{place} (names in it)")}


def search_name(sweep: Sweep, name: bytes, place: str) -> bool:
    """Search a name; return whether something was in it.

    Parameters
    ----------
    sweep : Sweep
        Keeps the book.
    name : bytes
        A file name, or what a link points to.
    place : str
        What to call it in the report, which does not repeat the name.

    Returns
    -------
    bool
        Whether it holds what is searched for.
    """
    return sweep.scan_bytes(name, place) > 0


def _search_target(sweep: Sweep, path: bytes, place: str) -> None:
    try:
        target = os.readlink(path)  # noqa: PTH115 (names need not be text)
        search_name(sweep, target, f"{place} (what it points to)")
    except OSError as error:
        sweep.miss(place, _why(error))


def _search_extras(sweep: Sweep, path: bytes, place: str) -> None:
    """Search extended attributes."""
    if not hasattr(os, "listxattr"):
        return
    try:
        for name in os.listxattr(path, follow_symlinks=False):
            value = os.getxattr(path, name, follow_symlinks=False)
            sweep.scan_bytes(os.fsencode(name) + b"\0" + value, f"{place} (attributes)")
    except FileNotFoundError:
        return  # it is missed when it is opened
    except OSError as error:
        if error.errno not in _NO_ATTRIBUTES:
            sweep.miss(f"{place} (attributes)", _why(error))


def search_file(sweep: Sweep, path: bytes, place: str) -> None:
    """Search one regular file.

    Parameters
    ----------
    sweep : Sweep
        Keeps the book.
    path : bytes
        The file; a link is not followed.
    place : str
        What to call it in the report.
    """
    try:
        file = os.open(path, _FLAGS | os.O_NOFOLLOW)
    except OSError as error:
        sweep.miss(place, _why(error))
        return
    try:
        if stat.S_ISREG(os.fstat(file).st_mode):
            search_open(sweep, file, place)
        else:
            sweep.miss(place, "was replaced while it was opened")
    finally:
        os.close(file)


def search_open(sweep: Sweep, file: int, place: str) -> None:
    """Search an open file or block device, packed parts included.

    Parameters
    ----------
    sweep : Sweep
        Keeps the book.
    file : int
        Its descriptor.
    place : str
        What to call it in the report.
    """
    try:
        for _ in range(_ROUNDS):
            before = _state(file)
            size = _search_bytes(sweep, file, place)
            if _state(file) == before:
                break
        else:
            sweep.miss(place, "changed all the while it was read")
        sweep.files += 1
        sweep.bytes_read += size
        sweep.databases += os.pread(file, 16, 0) == b"SQLite format 3\0"
        if stat.S_ISREG(os.fstat(file).st_mode):
            with open(os.dup(file), "rb") as again:  # noqa: PTH123 (a descriptor)
                again.seek(0)
                unpack(sweep, again, place)
    except OSError as error:
        sweep.miss(place, _why(error))


def _state(file: int) -> tuple[int, int]:
    status = os.fstat(file)
    return status.st_size, status.st_mtime_ns


def _search_bytes(sweep: Sweep, file: int, place: str) -> int:
    """Search what is stored between the holes; return how many bytes that was."""
    size = os.lseek(file, 0, os.SEEK_END)
    total = 0
    for start, end in _extents(file, size):
        at = start

        def read(into: memoryview, end: int = end) -> int:
            nonlocal at
            got = os.preadv(file, [into[: end - at]], at) if at < end else 0
            at += got
            return got

        total += sweep.scan(read, place, base=start)[0]
    return total


def _extents(file: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield where bytes are stored, with enough of the holes around for what reaches into them."""
    end = 0
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
            end = os.lseek(file, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            start, end = end, size  # a file system, or a device, that tells nothing of holes
        yield max(0, start - LONGEST), min(size, end + LONGEST)


def _printable(path: bytes) -> str:
    """Return a path as text in which nothing steers a terminal or breaks JSON."""
    return shown(path.decode("utf-8", "backslashreplace"))


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "vanished before it was read"
    return (error.strerror or type(error).__name__).lower()
