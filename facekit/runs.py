"""Which runs of a program still live: those that hold the lock of their file.

A lock ends with its process, however that ends; a process number may by then be another's.
"""

import fcntl
import os
import re
import secrets
import weakref
from collections.abc import Collection
from contextlib import suppress
from functools import partial

from facekit.errors import PrivacyError

__all__ = ["Run", "bury", "find_dead", "is_run"]

_ID = re.compile(r"[0-9a-f]{32}")
_MODE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class Run:
    """The run of the program that makes it: alive until `end`, or until its process ends.

    Parameters
    ----------
    folder : int
        Descriptor of the folder in which each run has its file.

    Raises
    ------
    OSError
        The file cannot be made.

    Notes
    -----
    A process that is forked from this one closes the file, so that it does not keep the run alive.
    """

    def __init__(self, folder: int) -> None:
        self.id = secrets.token_hex(16)
        self._folder = folder
        self._file: int | None = self._lock()
        self._process = os.getpid()
        itself = weakref.ref(self)
        os.register_at_fork(after_in_child=partial(_let_go_of, itself))

    def _lock(self) -> int:
        while True:
            file = os.open(self.id, _MODE | os.O_CREAT, 0o600, dir_fd=self._folder)
            fcntl.flock(file, fcntl.LOCK_EX)
            # Between the two, another process may have taken this run for a dead one and removed its file.
            if os.fstat(file).st_nlink:
                return file
            os.close(file)

    def let_go(self) -> None:
        """End the run as far as this process holds it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def check(self) -> None:
        """Refuse to go on in a process that was forked from the one that began this run.

        Raises
        ------
        PrivacyError
            As said, or the run has ended.
        """
        if self._file is None or self._process != os.getpid():
            raise PrivacyError(
                "this store is closed, or belongs to the process that this one was forked from"
            )

    def end(self) -> None:
        """Remove the file, and end the run; what it leaves behind is for others to erase."""
        if self._file is not None:
            with suppress(OSError):  # a file that nobody holds says the same as none
                os.unlink(self.id, dir_fd=self._folder)
            self.let_go()


def _let_go_of(run: "weakref.ref[Run]") -> None:
    found = run()
    if found is not None:
        found.let_go()


def is_run(name: str) -> bool:
    """Say whether a file's name is that of a run.

    Parameters
    ----------
    name : str
        The name.

    Returns
    -------
    bool
        Whether it is.
    """
    return _ID.fullmatch(name) is not None


def find_dead(folder: int, runs: Collection[str]) -> dict[str, int | None]:
    """Find those runs that have ended.

    Parameters
    ----------
    folder : int
        Descriptor of the folder with their files.
    runs : collection of str
        Their ids.

    Returns
    -------
    dict of str to int or None
        Each dead run with the descriptor of its file, now locked by us, or None where there is no
        file. To be given to `bury`.
    """
    dead: dict[str, int | None] = {}
    for run in runs:
        try:
            file = os.open(run, _MODE, dir_fd=folder)
        except FileNotFoundError:
            dead[run] = None
            continue
        except OSError:
            continue  # it cannot be told; what is overdue goes all the same
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
        else:
            dead[run] = file
    return dead


def bury(folder: int, dead: dict[str, int | None], *, keep: Collection[str]) -> None:
    """Let go of dead runs, and remove the files of those that left nothing to erase.

    Parameters
    ----------
    folder : int
        Descriptor of the folder with their files.
    dead : dict of str to int or None
        From `find_dead`.
    keep : collection of str
        Runs whose files stay.
    """
    for run, file in dead.items():
        if file is None:
            continue
        if run not in keep:
            with suppress(OSError):
                os.unlink(run, dir_fd=folder)
        os.close(file)
