"""The ledger of duties to erase: written before what is to be erased is.

One row is one file of sealed bytes that must go. The row is on disk before the file's first byte
is, and goes only after somebody has looked and the file is gone, so that whatever happens in
between, the next start knows what to do. It tells a random number, times, and nothing of a picture.

SQLite overwrites rows that are deleted only if told to, and keeps them in its journal only if not
told otherwise [1]_: both are told, and asserted, each time that the ledger is opened. It is opened
for each step anew, so that no connection crosses a fork or is shared by threads.

References
----------
.. [1] SQLite, "Pragma statements": secure_delete, journal_mode, synchronous.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, TypeVar

from facekit.errors import ErasedError, PrivacyError

__all__ = ["Duty", "Kind", "Ledger"]

Kind = Literal["upload", "result"]
Made = TypeVar("Made")

_APPLICATION: Final = 0x464B4C44  # "FKLD"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS duty (
    file TEXT PRIMARY KEY NOT NULL,
    job TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('upload', 'result')),
    run TEXT NOT NULL,
    made INTEGER NOT NULL,
    due INTEGER NOT NULL
) WITHOUT ROWID
"""
# Clause 1.2.3c: what a deleted row said is overwritten, in the journal, too; and a duty is on the disk
# before the call that writes it returns.
_PRAGMAS: Final = (
    ("secure_delete", "ON", 1),
    ("journal_mode", "TRUNCATE", "truncate"),
    ("synchronous", "EXTRA", 3),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_PATIENCE = 10.0  # seconds that one step waits for others


@dataclass(frozen=True, slots=True)
class Duty:
    """The duty to erase one file.

    Parameters
    ----------
    file : str
        Its name, a random number.
    job : str
        The job's id, another.
    kind : {"upload", "result"}
        What the job keeps in it.
    run : str
        The run of the program that wrote it.
    made, due : datetime
        When the duty was taken on, and by when it must be done; UTC, milliseconds.
    """

    file: str
    job: str
    kind: Kind
    run: str
    made: datetime
    due: datetime


class Ledger:
    """Duties on disk, for several processes at once.

    Parameters
    ----------
    path : Path
        The database; made if missing, readable by its owner alone.

    Raises
    ------
    PrivacyError
        It cannot be opened, is no ledger, or cannot be told to overwrite what it deletes.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Ledger(Path(folder, "ledger.sqlite")).duties()
    ()
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise PrivacyError(f"the ledger of duties cannot be opened ({error.strerror})") from error
        with self._opened(writing=True) as ledger:
            if _value(ledger, "application_id") not in {0, _APPLICATION}:
                raise PrivacyError("expected a ledger of duties, got another database")
            ledger.execute(_SCHEMA)
            ledger.execute(f"PRAGMA application_id = {_APPLICATION}")

    def add(self, duty: Duty) -> None:
        """Take on a duty; it is on disk when this returns.

        Parameters
        ----------
        duty : Duty
            With a file that no other duty has.

        Raises
        ------
        PrivacyError
            It cannot be written. Nothing of it may be stored then.
        """
        row = (duty.file, duty.job, duty.kind, duty.run, _number(duty.made), _number(duty.due))
        with self._opened(writing=True) as ledger:
            ledger.execute("INSERT INTO duty VALUES (?, ?, ?, ?, ?, ?)", row)

    def claim(self, file: str, create: Callable[[], Made]) -> Made:
        """Create a file while nobody can take its duty away.

        Parameters
        ----------
        file : str
            Of a duty.
        create : function
            Creates it.

        Returns
        -------
        object
            What `create` returned.

        Raises
        ------
        ErasedError
            The duty has been done already: its time was over before the file was there.
        PrivacyError
            The ledger cannot be written.
        """
        with self._opened(writing=True) as ledger:
            if ledger.execute("SELECT 1 FROM duty WHERE file = ?", (file,)).fetchone() is None:
                raise ErasedError("what was to be stored is overdue already")
            return create()

    def retire(self, file: str, is_gone: Callable[[], bool]) -> bool:
        """Strike out a duty that has been done, if it has.

        Parameters
        ----------
        file : str
            Of a duty, or of none any more.
        is_gone : function
            Looks; asked while nobody can create the file.

        Returns
        -------
        bool
            Whether it is gone and struck out.

        Raises
        ------
        PrivacyError
            The ledger cannot be written; the duty stays.
        """
        with self._opened(writing=True) as ledger:
            if not is_gone():
                return False
            ledger.execute("DELETE FROM duty WHERE file = ?", (file,))
            return True

    def duties(self, job: str | None = None) -> tuple[Duty, ...]:
        """List what is still to be erased.

        Parameters
        ----------
        job : str, optional
            Of this job only.

        Returns
        -------
        tuple of Duty
            The earliest first.

        Raises
        ------
        PrivacyError
            The ledger cannot be read.
        """
        query = (
            "SELECT file, job, kind, run, made, due FROM duty WHERE ?1 IS NULL OR job = ?1 ORDER BY due, file"
        )
        with self._opened(writing=False) as ledger:
            rows = ledger.execute(query, (job,)).fetchall()
        return tuple(
            Duty(file, owner, kind, run, _moment(made), _moment(due))
            for file, owner, kind, run, made, due in rows
        )

    @contextmanager
    def _opened(self, *, writing: bool) -> Iterator[sqlite3.Connection]:
        """Open the ledger for one step; what is written is on disk at the end, or nothing is."""
        try:
            # mode=rw: a ledger that has vanished must not come back empty.
            address = f"{self._path.absolute().as_uri()}?mode=rw"
            with closing(_connect(address)) as ledger:
                ledger.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
                try:
                    yield ledger
                except BaseException:
                    if ledger.in_transaction:
                        ledger.execute("ROLLBACK")
                    raise
                ledger.execute("COMMIT")
        except sqlite3.Error as error:
            raise PrivacyError(f"the ledger of duties cannot be used ({error})") from error


def _connect(address: str) -> sqlite3.Connection:
    ledger = sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)
    try:
        for name, wanted, answer in _PRAGMAS:
            ledger.execute(f"PRAGMA {name} = {wanted}")
            _check_pragma(name, _value(ledger, name) == answer)
    except BaseException:
        ledger.close()
        raise
    return ledger


def _check_pragma(name: str, held: bool) -> None:
    if not held:
        raise PrivacyError(f"the ledger of duties cannot be used: SQLite does not hold to {name} here")


def _value(ledger: sqlite3.Connection, pragma: str) -> object:
    return ledger.execute(f"PRAGMA {pragma}").fetchone()[0]


def _number(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _moment(number: int) -> datetime:
    return _EPOCH + number * _MILLISECOND
