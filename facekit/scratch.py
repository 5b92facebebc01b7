"""Scratch: one owner for every buffer, key and sealed file of a job, which leaves none of them."""

import logging
import os
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from threading import RLock
from types import TracebackType
from typing import Final, Self, TypeAlias, TypeVar

from facekit.envelope import Bytes
from facekit.errors import ErasedError, ErasureError, InputError, PrivacyError
from facekit.holding import Key, Memory
from facekit.keys import KeyPair
from facekit.ledger import Kind
from facekit.receipts import (
    Erased,
    ErasureReceipt,
    How,
    Outcome,
    ResultKey,
    Signer,
    Upload,
    What,
    is_job_id,
    issue_receipt,
)
from facekit.shelf import Kept, Shelf, utc_now

__all__ = ["Scratch", "leave"]

Buffer = TypeVar("Buffer")
Erase: TypeAlias = Callable[[], None]

_log = logging.getLogger(__name__)
_IN_MEMORY: Final = (What.UPLOAD_HELD, What.RESULT_HELD, What.KEYS)
_ON_DISK: Final[dict[What, Kind]] = {What.UPLOAD_STORED: "upload", What.RESULT_STORED: "result"}
_TRIES: Final = 3  # of each kind of thing, where Ctrl-C comes in between


class Scratch:
    r"""Owns all that a job leaves in memory and on disk, and erases it on leaving, by whatever way.

    A context manager. Once all is erased, and looked at, there is a `receipt`. Where something
    could not be erased there is none: `close` erases the rest, and then raises ErasureError.

    Parameters
    ----------
    job : str, optional
        The job's id, as ``secrets.token_urlsafe(16)`` makes one, which by default it does.
    signer : Signer, optional
        Signs the receipt. By default, a key that is made for it.
    upload : {"sealed", "plain"}
        How the upload comes in. The receipt says so.
    shelf : Shelf, optional
        Where sealed files go; `Store.scratch` gives one. By default, nothing can be kept on disk.
    clock : function
        Tells the time, in UTC.

    Attributes
    ----------
    outcome : {"delivered", "failed", "cancelled", "expired", "lost"} or None
        How the job ended, for the receipt. Where nobody says, "failed" after an error, "cancelled"
        after an interrupt, and else "delivered".
    result_key : {"client", "job", "none"}
        What the result is sealed to, for the receipt.
    walls : tuple of str
        What held around the process that worked on the job, for the receipt; lower-case words.
    upload : {"sealed", "plain"}
        As given; who learns later how the upload comes in, says it here.

    Raises
    ------
    InputError
        `job` is not of its form: an id that means something would tell it by the receipt.

    Notes
    -----
    Something that cannot be erased weighs more than an error of the job: ErasureError is raised, and
    that error is its ``__context__``. KeyboardInterrupt, SystemExit and the like are not replaced,
    so that what is to stop does; then the ErasureError is a note on them, and is logged. Either way
    the duty stays open, and there is no receipt.

    An interrupt in the middle of erasing is held back until all is erased. In a process forked
    from the one that made it, a Scratch erases nothing: that process's memory ends with it, and the
    files are not its own.

    A thread that is still writing by `keep` is waited for: make its source stop first.

    Examples
    --------
    >>> with Scratch() as scratch:
    ...     photo = scratch.hold(bytearray(b"a photo"), What.UPLOAD_HELD)
    >>> photo
    bytearray(b'\x00\x00\x00\x00\x00\x00\x00')
    >>> [row.what.words for row in scratch.receipt.erased]
    ['the upload in memory']
    """

    def __init__(
        self,
        job: str | None = None,
        *,
        signer: Signer | None = None,
        upload: Upload = "sealed",
        shelf: Shelf | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        if job is not None and not is_job_id(job):
            raise InputError("job: expected an id of 16 random bytes, as secrets.token_urlsafe(16) makes one")
        self.job = secrets.token_urlsafe(16) if job is None else job
        self.signer = Signer.generate() if signer is None else signer
        self.outcome: Outcome | None = None
        self.result_key: ResultKey = "none"
        self.walls: tuple[str, ...] = ()
        self.upload: Upload = upload
        self._shelf, self._clock = shelf, clock
        self._things: dict[What, list[tuple[How, Erase]]] = {what: [] for what in What}
        self._rows: dict[tuple[What, How], Erased] = {}
        self._receipt: ErasureReceipt | None = None
        self._closing = False
        self._lock = RLock()
        self._process = os.getpid()

    def hold(self, buffer: Buffer, what: What | str) -> Buffer:
        """Take over a buffer: it will be overwritten.

        Parameters
        ----------
        buffer : bytearray, memoryview or array
            Writable and contiguous; all of its memory, not a view of some of it. While it is held,
            a bytearray cannot change its length, since moving it would leave a copy.
        what : {"upload-held", "result-held", "keys"}
            What is in it.

        Returns
        -------
        bytearray, memoryview or array
            The same.

        Raises
        ------
        InputError
            It cannot be overwritten: `bytes`, for one, never can. Or `what` is another.
        ErasedError
            All has been erased already; the buffer has not.
        """
        with self._lock:
            self._admit(_known(what, _IN_MEMORY), How.OVERWRITTEN, Memory(buffer).erase)
        return buffer

    def buffer(self, size: int, what: What | str) -> bytearray:
        """Make a buffer that will be overwritten.

        Parameters
        ----------
        size : int
            Its length, bytes.
        what : {"upload-held", "result-held", "keys"}
            What will be in it.

        Returns
        -------
        bytearray
            Zeros.

        Raises
        ------
        InputError, ErasedError
            As in `hold`.
        """
        return self.hold(bytearray(size), what)

    def own(self, key_pair: KeyPair) -> KeyPair:
        """Take over a key pair: its private half will be erased.

        Parameters
        ----------
        key_pair : KeyPair
            The pair.

        Returns
        -------
        KeyPair
            The same.

        Raises
        ------
        ErasedError
            All has been erased already; the pair has not.
        """
        with self._lock:
            self._admit(What.KEYS, How.DROPPED, Key(key_pair).erase)
        return key_pair

    def expect(self, what: What | str, how: How, look: Callable[[], None]) -> None:
        """Take over the duty to see that somebody else erases something.

        Parameters
        ----------
        what : {"cell"}
            What it is.
        how : How
            How it goes.
        look : function
            Waits a little for it to be gone, and raises ErasureError while it is not.

        Raises
        ------
        InputError
            Another `what`.
        ErasedError
            All has been erased already.
        """
        with self._lock:
            self._admit(_known(what, (What.CELL,)), how, look)

    def keep(self, what: What | str, parts: Bytes | Iterable[Bytes]) -> Kept:
        """Keep sealed bytes on disk until they are erased or their time is over.

        Parameters
        ----------
        what : {"upload-stored", "result-stored"}
            What they are.
        parts : bytes or iterable of bytes
            An envelope, at once or as it comes.

        Returns
        -------
        Kept
            To read them, whole or in parts.

        Raises
        ------
        InputError
            Another `what`.
        SealError
            They are no envelope: nothing else may reach the disk.
        ErasedError
            All has been erased already, or their time was over before all was there.
        PrivacyError
            This Scratch is for memory only, or they cannot be stored. Nothing is left.
        ErasureError
            They cannot be stored, nor what was stored be erased. The duty stays.
        """
        what = _known(what, tuple(_ON_DISK))
        if self._shelf is None:
            raise PrivacyError("this Scratch is for memory only; one of a Store can keep sealed files")
        self._check_open()
        kept = self._shelf.put(self.job, _ON_DISK[what], parts)
        with self._lock:
            try:
                self._admit(what, How.OVERWRITTEN_UNLINKED, kept.erase)
            except ErasedError:
                kept.erase()
                raise
        return kept

    def note(self, erased: Erased) -> None:
        """Note what somebody else has erased, and looked at.

        Parameters
        ----------
        erased : Erased
            For the receipt; of the same kind and way, the last counts.
        """
        with self._lock:
            key = erased.what, erased.how
            before = self._rows.get(key)
            self._rows[key] = erased if before is None else max(before, erased, key=lambda row: row.at)

    def erase(self, what: What | str) -> None:
        """Erase all of one kind now, and look. There being nothing of it is no error.

        Parameters
        ----------
        what : What
            Which kind.

        Raises
        ------
        ErasureError
            Some of it is left; the rest is gone.
        """
        what = _known(what, tuple(What))
        reasons: dict[str, None] = {}
        with self._lock:
            # Clauses 1.2.1c, 1.2.2(4)c: the upload can go before the rest, as soon as it has been opened.
            for thing in tuple(self._things[what]):
                how, erase = thing
                try:
                    erase()
                except (OSError, PrivacyError) as error:
                    reasons[str(error)] = None
                else:
                    self.note(Erased(what, how, self._clock()))
                    self._things[what].remove(thing)
        if reasons:
            raise ErasureError(_left(what, ", ".join(reasons)))

    def close(self) -> None:
        """Erase all, look, and issue the receipt. Closing again does the rest, or nothing.

        Raises
        ------
        ErasureError
            Something is left. All else is gone.
        ReceiptError
            All is gone, but what the receipt was to say is not of its form.
        """
        if self._process != os.getpid():
            return
        with self._lock:
            if self._receipt is not None:
                return
            self._closing = True
            failed, stop = self._erase_each()
            if not failed:
                self._receipt = self._issue()
        leave(partial(_refuse, failed), stop)
        if stop is not None:
            raise stop

    def _erase_each(self) -> tuple[list[str], BaseException | None]:
        """Erase kind after kind; return what failed, and the interrupt that came in between."""
        failed: list[str] = []
        stop: BaseException | None = None
        steps: list[Erase] = [*(partial(self.erase, what) for what in What), self._erase_forgotten]
        for step in steps:
            for _ in range(_TRIES):
                try:
                    step()
                except PrivacyError as error:
                    failed.append(str(error))
                except (KeyboardInterrupt, SystemExit) as error:
                    stop = error
                    continue
                break
        failed += [_left(what, "interrupted") for what in What if self._things[what] and not failed]
        return failed, stop

    def _erase_forgotten(self) -> None:
        """Erase what the ledger has of this job beside: an interrupt came before it was taken over."""
        if self._shelf is None:
            return
        for duty in self._shelf.duties(self.job):
            what = next(what for what, kind in _ON_DISK.items() if kind == duty.kind)
            try:
                self._shelf.erase(duty)
            except ErasureError as error:
                if not self._things[what]:  # else it has been said
                    raise ErasureError(_left(what, str(error))) from error
            else:
                self.note(Erased(what, How.OVERWRITTEN_UNLINKED, self._clock()))

    def _issue(self) -> ErasureReceipt:
        return issue_receipt(
            self.signer,
            self.job,
            issued=self._clock(),
            outcome=self.outcome or "delivered",
            erased=self._rows.values(),
            upload=self.upload,
            result_key=self.result_key,
            walls=self.walls,
        )

    @property
    def receipt(self) -> ErasureReceipt:
        """What was erased, signed.

        Raises
        ------
        PrivacyError
            Not all has been erased yet, or it could not be.
        """
        if self._receipt is None:
            raise PrivacyError("there is no receipt before all has been erased")
        return self._receipt

    def __enter__(self) -> Self:
        """Return the Scratch."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Erase all; see the Notes for what is raised where that fails."""
        if self.outcome is None and error is not None:
            self.outcome = "failed" if isinstance(error, Exception) else "cancelled"
        leave(self.close, error)

    def _admit(self, what: What, how: How, erase: Erase) -> None:
        self._check_open()
        self._things[what].append((how, erase))

    def _check_open(self) -> None:
        if self._closing:
            raise ErasedError("all of this job has been erased, so it takes nothing new")


def leave(close: Callable[[], None], error: BaseException | None) -> None:
    """Close on the way out of a context; say what failed without hiding what stops the program.

    Parameters
    ----------
    close : function
        Erases.
    error : BaseException or None
        What is on its way already.

    Raises
    ------
    PrivacyError
        From `close`, where nothing or an ordinary error is on its way.
    """
    try:
        close()
    except PrivacyError as failed:
        if error is None or isinstance(error, Exception):
            raise
        error.add_note(f"besides: {failed}")
        _log.error("%s", failed)


def _left(what: What, why: str) -> str:
    return f"{what.words} could not be erased ({why}); the duty to erase it stays open"


def _refuse(failed: list[str]) -> None:
    if failed:
        raise ErasureError("; ".join(failed))


def _known(what: What | str, allowed: tuple[What, ...]) -> What:
    if what not in allowed:
        raise InputError(f"what: expected one of {', '.join(allowed)}, got {str(what)!r}")
    return What(what)
