"""A folder of sealed files, each of which goes in time, whatever becomes of the process that wrote it.

For every file: its duty in the ledger, on disk; the file, empty; its bytes. And back: its bytes
overwritten; its name unlinked; the duty struck out. So a process that is killed between any two of
these leaves no file without a duty, and `Shelf.reconcile` needs nothing but the ledger to go on.
"""

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Final

from facekit.envelope import HEADER_SIZE, Bytes, read_header
from facekit.erasures import cut_time
from facekit.errors import ErasedError, ErasureError, PrivacyError
from facekit.files import write_all
from facekit.folders import LEDGER, RUNS, SEALED, open_inner, open_top
from facekit.ledger import Duty, Kind, Ledger
from facekit.runs import Run
from facekit.sweeping import Swept, sweep
from facekit.wiping import erase_entry, is_there, locked

__all__ = ["Kept", "Shelf", "utc_now"]

_READ_SIZE: Final = 1024 * 1024
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def utc_now() -> datetime:
    """Tell the time.

    Returns
    -------
    datetime
        In UTC.
    """
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """Sealed bytes on disk, until they are erased or overdue.

    Parameters
    ----------
    shelf : Shelf
        Where.
    duty : Duty
        The duty to erase them.
    size : int
        How many bytes; known here only, and written nowhere.
    """

    shelf: "Shelf" = field(repr=False)
    duty: Duty = field(repr=False)
    size: int = field(repr=False)

    def read(self, offset: int = 0, size: int | None = None) -> bytes:
        """Read some of the bytes.

        Parameters
        ----------
        offset : int
            Where to begin, from 0.
        size : int, optional
            How many; by default, and at most, all that follow.

        Returns
        -------
        bytes
            As they were kept.

        Raises
        ------
        ErasedError
            They are gone.
        PrivacyError
            They cannot be read.
        """
        return self.shelf.read(self.duty, offset, self.size if size is None else size)

    def chunks(self, offset: int = 0) -> Iterator[bytes]:
        """Read the bytes in parts.

        Parameters
        ----------
        offset : int
            Where to begin, from 0.

        Yields
        ------
        bytes
            At most 1 MiB each.

        Raises
        ------
        ErasedError, PrivacyError
            As in `read`.
        """
        for start in range(offset, self.size, _READ_SIZE):
            yield self.read(start, _READ_SIZE)

    def erase(self) -> None:
        """Erase them, and look.

        Raises
        ------
        ErasureError
            They are not gone, and the duty stays.
        """
        self.shelf.erase(self.duty)


class Shelf:
    """A folder of sealed files with its ledger, in use by this run of the program.

    Parameters
    ----------
    folder : Path
        Made if missing. Only its owner may open it, and it is empty or has been a shelf before.
    lifetime : timedelta
        How long a file may stay.
    clock : function
        Tells the time, in UTC.

    Raises
    ------
    PrivacyError
        The folder or the ledger is none that can be used.

    Notes
    -----
    A duty is overdue when its time has come by the clock; when by the clock it has not begun, since
    then the clock was set back and nobody knows; or when its lifetime has passed as this process
    counts it.
    """

    def __init__(self, folder: Path, *, lifetime: timedelta, clock: Callable[[], datetime] = utc_now) -> None:
        self._lifetime, self._clock = lifetime, clock
        self._ends: dict[str, float] = {}  # by a clock that nobody can set
        self._reconciling = Lock()
        try:
            open_top(folder)
            self._ledger = Ledger(folder / LEDGER)
            self._sealed, self._runs = open_inner(folder, SEALED), open_inner(folder, RUNS)
            self._run = Run(self._runs)
        except OSError as error:
            raise PrivacyError(f"the store's folder cannot be used ({error.strerror})") from error

    def put(self, job: str, kind: Kind, parts: Bytes | Iterable[Bytes]) -> Kept:
        """Store sealed bytes.

        Parameters
        ----------
        job : str
            The job's id.
        kind : {"upload", "result"}
            What they are.
        parts : bytes or iterable of bytes
            An envelope, at once or as it comes.

        Returns
        -------
        Kept
            To read and to erase them.

        Raises
        ------
        SealError
            They are no envelope. No byte was stored.
        ErasedError
            Their time was over before all was there. Nothing is left.
        PrivacyError
            They cannot be stored. Nothing is left.
        ErasureError
            The same, and what was stored could not be erased. The duty stays.
        """
        self._run.check()
        source: Iterator[Bytes] = iter((parts,) if isinstance(parts, Bytes) else parts)
        head = _take_head(source)
        # Clause 1.2.2(4)a: what is not sealed cannot reach the disk by mistake.
        read_header(head)
        now = cut_time(self._clock())
        duty = Duty(secrets.token_hex(16), job, kind, self._run.id, now, now + self._lifetime)
        self._ends[duty.file] = time.monotonic() + self._lifetime.total_seconds()
        # Clause 1.2.3c: the duty to erase is on the disk before the first byte of what is to be erased.
        self._ledger.add(duty)
        try:
            size = self._write(duty, chain((head,), source))
        except BaseException:
            self.erase(duty)
            raise
        return Kept(self, duty, size)

    def _write(self, duty: Duty, parts: Iterable[Bytes]) -> int:
        size = 0
        with _storing(duty.kind):
            file = self._ledger.claim(
                duty.file, partial(os.open, duty.file, _NEW, 0o600, dir_fd=self._sealed)
            )
        try:
            # While it is written, a sweep leaves the file alone: so its writer must watch the time.
            with locked(file):
                if not os.fstat(file).st_nlink:
                    raise ErasedError(f"the {duty.kind} was overdue before any of it was stored")
                for part in parts:
                    if self._is_overdue(duty):
                        raise ErasedError(f"the {duty.kind} was overdue before all of it was stored")
                    with _storing(duty.kind):
                        size += write_all(file, part)
                with _storing(duty.kind):
                    os.fsync(file)
                    os.fsync(self._sealed)
        finally:
            os.close(file)
        return size

    def read(self, duty: Duty, offset: int, size: int) -> bytes:
        """Read some bytes of a file.

        Parameters
        ----------
        duty : Duty
            The duty to erase it.
        offset, size : int
            Where to begin, and how many bytes at most.

        Returns
        -------
        bytes
            Fewer than `size` at the end.

        Raises
        ------
        ErasedError
            It is gone, or overdue.
        PrivacyError
            It cannot be read.
        """
        self._run.check()
        try:
            file = os.open(duty.file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._sealed)
            try:
                with locked(file, shared=True):
                    if self._is_overdue(duty) or not os.fstat(file).st_nlink:
                        raise FileNotFoundError
                    return _read(file, offset, size)
            finally:
                os.close(file)
        except FileNotFoundError:
            raise ErasedError(f"the {duty.kind} has been erased") from None
        except OSError as error:
            raise PrivacyError(f"the sealed {duty.kind} cannot be read ({error.strerror})") from error

    def erase(self, duty: Duty, *, wait: bool = True) -> None:
        """Erase a file, look, and strike out its duty.

        Parameters
        ----------
        duty : Duty
            May have been done already.
        wait : bool
            Whether to wait for whoever writes or reads it just now.

        Raises
        ------
        ErasureError
            It is not gone, or the ledger cannot be written; the duty stays.
        """
        try:
            self._run.check()
            erase_entry(self._sealed, duty.file, wait=wait)
            # Clause 1.2.3c: the duty goes when, and only when, somebody has looked.
            if not self._ledger.retire(duty.file, lambda: not is_there(self._sealed, duty.file)):
                raise ErasureError("it has come back")
        except OSError as error:
            raise ErasureError(str(error.strerror)) from error
        except PrivacyError as error:
            raise ErasureError(str(error)) from error
        self._ends.pop(duty.file, None)

    def duties(self, job: str | None = None) -> tuple[Duty, ...]:
        """List what is still to be erased, by whatever run it was written.

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
        return self._ledger.duties(job)

    def reconcile(self) -> tuple[Swept, ...]:
        """Erase what nobody needs: unknown files, overdue ones, and those of runs that have ended.

        Returns
        -------
        tuple of Swept
            What it came upon. One that resists does not keep it from the others.

        Raises
        ------
        PrivacyError
            The folder or the ledger cannot be read.
        """
        self._run.check()
        with self._reconciling:
            return sweep(
                self._sealed,
                self._runs,
                self._ledger,
                own=self._run.id,
                is_overdue=self._is_overdue,
                erase=partial(self.erase, wait=False),
            )

    def _is_overdue(self, duty: Duty) -> bool:
        ends = self._ends.get(duty.file)
        now = self._clock()
        # A duty's times are cut to milliseconds, so one of this moment has begun.
        return not duty.made <= now < duty.due or (ends is not None and time.monotonic() >= ends)

    def close(self) -> None:
        """Erase what this run has left, and end it.

        Raises
        ------
        ErasureError
            Something is left; the duty stays, for the next run.
        """
        try:
            self._run.check()
        except PrivacyError:
            return  # closed already, or not ours to close
        left = False
        try:
            for duty in self._ledger.duties():
                if duty.run == self._run.id:
                    try:
                        self.erase(duty, wait=False)
                    except ErasureError:
                        left = True
        finally:
            self._run.end()
            os.close(self._sealed)
            os.close(self._runs)
        if left:
            raise ErasureError("sealed files are left in the store; the duty to erase them stays open")


def _take_head(source: Iterator[Bytes]) -> bytes:
    """Take parts until there is enough to tell an envelope by."""
    head = b""
    while len(head) < HEADER_SIZE:
        part = next(source, None)
        if part is None:
            break
        head += part
    return head


@contextmanager
def _storing(kind: Kind) -> Iterator[None]:
    """Tell a disk that refuses from a source that breaks off, whose error is the caller's."""
    try:
        yield
    except OSError as error:
        raise PrivacyError(f"the sealed {kind} could not be stored ({error.strerror})") from error


def _read(file: int, offset: int, size: int) -> bytes:
    parts = []
    while size > 0 and (part := os.pread(file, min(size, _READ_SIZE), offset)):
        parts.append(part)
        offset, size = offset + len(part), size - len(part)
    return b"".join(parts)
