"""Files that are there whole or not at all, and where facekit keeps its own."""

import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

__all__ = ["read_private", "save_whole", "user_cache", "write_all", "write_private"]


def save_whole(path: Path, data: bytes | Iterable[bytes], *, force: bool) -> None:
    """Write a file that is there whole or not at all, even if the process is killed.

    Parameters
    ----------
    path : Path
        The file; its folder exists.
    data : bytes or iterable of bytes
        Its contents, at once or in parts, which are written as they come.
    force : bool
        Replace a file of that name.

    Raises
    ------
    FileExistsError
        Something is there, and `force` is off. It stays as it was.
    OSError
        The folder is missing or cannot be written; what was there stays.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save_whole(Path(folder, "a.bin"), b"whole", force=False)
    ...     Path(folder, "a.bin").read_bytes()
    b'whole'
    """
    part = path.with_name(f".facekit-{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.writelines((data,) if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
        if force:
            part.replace(path)
        else:
            _publish(part, path)
    finally:
        with suppress(OSError):  # never hides why the writing failed
            part.unlink(missing_ok=True)


def _publish(part: Path, path: Path) -> None:
    """Give `part` its name; unlike a rename, a hard link never replaces what has just come."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError("the file exists already") from None
        part.replace(path)


def write_all(file: int, data: bytes | bytearray | memoryview) -> int:
    """Write to a descriptor until all is written.

    Parameters
    ----------
    file : int
        The descriptor.
    data : bytes-like
        What to write.

    Returns
    -------
    int
        How many bytes that was.

    Raises
    ------
    OSError
        Not all could be written.
    """
    left = memoryview(data).cast("B")
    size = len(left)
    while left:
        left = left[os.write(file, left) :]
    return size


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that its owner alone can read.

    Parameters
    ----------
    path : Path
        The file; its folder exists.
    data : bytes
        Its contents.

    Raises
    ------
    FileExistsError
        Something is there. It stays as it was.
    OSError
        It cannot be written.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        write_all(file, data)
        os.fsync(file)
    finally:
        os.close(file)


def read_private(path: Path, *, most: int) -> bytes:
    """Read a file that nobody but its owner, who is to run this, can read.

    Parameters
    ----------
    path : Path
        The file.
    most : int
        Bytes to read, at most.

    Returns
    -------
    bytes
        Its contents.

    Raises
    ------
    PermissionError
        Others can read it, it belongs to somebody else, or it is no ordinary file.
    OSError
        It is not there, or cannot be read.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077 or found.st_uid != os.geteuid():
            raise PermissionError("others can read this file")
        return os.read(file, most)
    finally:
        os.close(file)


def user_cache() -> Path:
    """Say where facekit keeps what it fetched or found out for this user.

    Returns
    -------
    Path
        The platform's cache folder for facekit; it need not exist yet.

    Notes
    -----
    On Linux this is ``$XDG_CACHE_HOME/facekit``, or ``~/.cache/facekit``.

    Examples
    --------
    >>> user_cache().name
    'facekit'
    """
    return user_cache_path("facekit", appauthor=False)
