"""Deletion that can be checked: a Store for sealed files, a Scratch for a job, a receipt at the end.

::

    with Store(folder) as store, store.scratch(job) as scratch:
        upload = scratch.keep("upload-stored", parts)       # sealed; its duty is on disk first
        ...
        scratch.erase("upload-stored")                      # as soon as it has been opened
        result = scratch.keep("result-stored", sealed)
        ...
    scratch.receipt                                         # all is gone, and was looked for

A job whose process dies is lost on purpose: its keys were in memory only, and its files are
erased by the next run, or by another that lives.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self, cast
from weakref import WeakSet

from facekit.errors import ErasureError, InputError, PrivacyError
from facekit.ledger import Duty
from facekit.receipts import Signer, Upload
from facekit.scratch import Scratch, leave
from facekit.shelf import Kept, Shelf, utc_now
from facekit.sweeping import Swept

__all__ = ["LIFETIME", "Duty", "Kept", "Scratch", "Store", "Swept"]

# Clause 1.2.2(4)b: ten minutes at the latest.
LIFETIME: Final = timedelta(minutes=10)
_SIGNER: Final = "receipts.pem"
_log = logging.getLogger(__name__)


class Store:
    """A folder of sealed files that go in time, safe for several processes at once.

    A context manager. From `start` to `close` a thread looks twice a second for what nobody needs
    any more: files past their time, unknown ones, and those of processes that have died.

    Parameters
    ----------
    folder : str or Path
        Made if missing. Only its owner may open it, and it is empty or has been a store before.
    signer : Signer, optional
        Signs receipts. By default the key in the folder, made at the first start.
    lifetime : timedelta
        How long a file may stay, at most ten minutes.
    clock : function
        Tells the time, in UTC.
    sweep_every : float
        Seconds from one look to the next.

    Raises
    ------
    InputError
        `lifetime` or `sweep_every` is out of range.

    Notes
    -----
    In the folder are ``ledger.sqlite``, the duties; ``sealed``, of which everything is the store's to
    erase; ``runs``, a file that each running process holds locked; and ``receipts.pem``, which signs.

    A process that is forked from the one that started a store cannot use it; start it after forking.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from facekit import seal
    >>> from facekit.envelope import KeyPair
    >>> with TemporaryDirectory() as folder, Store(folder) as store:
    ...     with store.scratch() as scratch:
    ...         keys = scratch.own(KeyPair.generate())
    ...         photo = seal(b"a photo", keys.public_bytes, job=scratch.job)
    ...         kept = scratch.keep("upload-stored", photo)
    ...         assert kept.read() == photo
    ...     store.open_duties()
    ()
    >>> sorted(row.what.words for row in scratch.receipt.erased)
    ['the keys of the job', 'the sealed upload on disk']
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        signer: Signer | None = None,
        lifetime: timedelta = LIFETIME,
        clock: Callable[[], datetime] = utc_now,
        sweep_every: float = 0.5,
    ) -> None:
        if not timedelta() < lifetime <= LIFETIME:
            raise InputError(f"lifetime: expected more than nothing and at most {LIFETIME}, got {lifetime}")
        if not sweep_every > 0:
            raise InputError(f"sweep_every: expected more than 0 seconds, got {sweep_every}")
        self._folder, self._lifetime, self._clock = Path(folder), lifetime, clock
        self._signer, self._every = signer, sweep_every
        self._shelf: Shelf | None = None
        self._scratches: WeakSet[Scratch] = WeakSet()
        self._stop = Event()
        self._sweeper: Thread | None = None

    def start(self) -> None:
        """Open the store, reconcile it at once, and go on doing so.

        Raises
        ------
        PrivacyError
            The folder, the ledger or the key that signs is none that can be used; or it is open.
        """
        if self._shelf is not None:
            raise PrivacyError("this store is open already")
        self._shelf = Shelf(self._folder, lifetime=self._lifetime, clock=self._clock)
        try:
            if self._signer is None:
                self._signer = Signer.load(self._folder / _SIGNER)
            self.reconcile()
        except BaseException:
            self.close()
            raise
        self._stop.clear()
        self._sweeper = Thread(target=self._sweep, name="facekit-sweep", daemon=True)
        self._sweeper.start()

    @property
    def signer(self) -> Signer:
        """What signs receipts.

        Raises
        ------
        PrivacyError
            The store is not open.
        """
        self._opened()
        return cast("Signer", self._signer)

    def scratch(self, job: str | None = None, *, upload: Upload = "sealed") -> Scratch:
        """Make the Scratch of a job.

        Parameters
        ----------
        job : str, optional
            The job's id, as in `Scratch`.
        upload : {"sealed", "plain"}
            How the upload comes in.

        Returns
        -------
        Scratch
            That can keep sealed files here.

        Raises
        ------
        InputError
            `job` is not of its form.
        PrivacyError
            The store is not open.
        """
        made = Scratch(job, signer=self._signer, upload=upload, shelf=self._opened(), clock=self._clock)
        self._scratches.add(made)
        return made

    def reconcile(self) -> tuple[Swept, ...]:
        """Erase what nobody needs any more: unknown, overdue, or of a run that has ended.

        Returns
        -------
        tuple of Swept
            What it came upon; those that are not erased will be tried again.

        Raises
        ------
        PrivacyError
            The store is not open, or its folder or ledger cannot be read.
        """
        return self._opened().reconcile()

    def open_duties(self) -> tuple[Duty, ...]:
        """List what is still to be erased: of jobs at work, and what could not be erased.

        Returns
        -------
        tuple of Duty
            The earliest first; one whose ``due`` has passed is late.

        Raises
        ------
        PrivacyError
            The store is not open, or the ledger cannot be read.
        """
        return self._opened().duties()

    def close(self) -> None:
        """Erase all that is left of this run, and close. Closing again does nothing.

        Raises
        ------
        ErasureError
            Something is left; the duty stays, for the next start.
        """
        self._stop.set()
        if self._sweeper is not None:
            self._sweeper.join()
            self._sweeper = None
        shelf, self._shelf = self._shelf, None
        if shelf is None:
            return
        failed = []
        for step in (*(scratch.close for scratch in tuple(self._scratches)), shelf.close):
            try:
                step()
            except PrivacyError as error:
                failed.append(str(error))
        if failed:
            raise ErasureError("; ".join(failed))

    def __enter__(self) -> Self:
        """Start, and return the store."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, as `Scratch` does."""
        leave(self.close, error)

    def _opened(self) -> Shelf:
        if self._shelf is None:
            raise PrivacyError("this store is not open")
        return self._shelf

    def _sweep(self) -> None:
        shelf = self._opened()
        while not self._stop.wait(self._every):
            try:
                shelf.reconcile()
            except Exception as error:  # whatever it is, the next look must come
                _log.error("the store could not be reconciled: %s", type(error).__name__)
