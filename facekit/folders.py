"""The folders of a store, which only its owner may open."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from facekit.errors import PrivacyError

__all__ = ["LEDGER", "RUNS", "SEALED", "open_inner", "open_top"]

LEDGER: Final = "ledger.sqlite"
SEALED: Final = "sealed"  # of which everything is the store's, to erase
RUNS: Final = "runs"
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def open_top(path: Path) -> None:
    """Make the folder of a store, or make sure that it is one.

    Parameters
    ----------
    path : Path
        The folder.

    Raises
    ------
    OSError
        It cannot be made or opened.
    PrivacyError
        It is somebody else's, others may open it, or it holds what is no store's.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.stat()
    if found.st_mode & 0o077 or found.st_uid != os.geteuid():
        raise PrivacyError(
            "the store's folder must be one that its owner, who is to run this, alone can open (mode 0700)"
        )
    # What is unknown in a store is erased: so none may begin in a folder that holds somebody's files.
    names = {entry.name for entry in path.iterdir()}
    if names and LEDGER not in names:
        raise PrivacyError("the store's folder must be empty, or have been a store before")


def open_inner(top: Path, name: str) -> int:
    """Make a folder inside, if missing, and open it.

    Parameters
    ----------
    top : Path
        The folder of a store.
    name : str
        Which one.

    Returns
    -------
    int
        Its descriptor.

    Raises
    ------
    OSError
        It cannot be had, or is a link.
    """
    with suppress(FileExistsError):
        (top / name).mkdir(mode=0o700)
    folder = os.open(top, _FOLDER)
    try:
        os.fsync(folder)
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    finally:
        os.close(folder)
