"""The room where jobs live: photos come in sealed, results go out sealed, and all of it is erased.

A job is in one process only: its lease, its keys and its place in the queue are in memory, and go with
the process. What the database has is the ledger (`service.jobs.ledger`), what the disk has are envelopes,
each with a duty to erase it (`facekit.privacy.Store`). A job ends once, by `Room.end`, whoever asks for
it: the client, a failure on its way (`service.jobs.way`), or the watcher (`service.jobs.watcher`).
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from facekit.envelope import seal
from facekit.errors import CellTimeoutError, FacekitError, PrivacyError, QueueFullError
from facekit.pool import WORKS
from facekit.privacy import Store
from facekit.receipts import ErasureReceipt, Outcome, What
from facekit.threads import thread_count
from service.errors import ClosedError, NoConsentError, ServiceError, SetupError
from service.jobs import ledger
from service.jobs.live import Live, Order
from service.jobs.lost import Replica, duties_in
from service.jobs.stock import PATIENCE, Stock
from service.jobs.watcher import Watcher
from service.jobs.webhooks import Webhooks
from service.parts import Parts
from service.problems import kind_of
from service.settings import Settings


class Room:
    """The live jobs of this process.

    Parameters
    ----------
    settings : Settings
        What the operator decides.
    works : mapping of str to str, optional
        What cells can do, as in `facekit.pool.Cells`; no request and no setting can change it.
    """

    parts: Parts  # given once they are together

    def __init__(self, settings: Settings, *, works: Mapping[str, str] = WORKS) -> None:
        self._settings = settings
        self.stock = Stock(settings, works, self._tell_failure)
        self._failure: FacekitError | None = None
        self._tell: Callable[[FacekitError], object] = lambda _: None
        self._jobs: dict[str, Live] = {}
        self._lock = threading.Lock()
        self._most = settings.queue + (settings.cells or thread_count())
        #: Threads that wait for cells, and threads that take photos in.
        self.workers = ThreadPoolExecutor(self._most, thread_name_prefix="facekit-job")
        self.hands = ThreadPoolExecutor(settings.leases, thread_name_prefix="facekit-photo")
        self._store: Store | None = None
        self._watcher = Watcher(self)

    # -- life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to take jobs; starting again does nothing.

        Raises
        ------
        SetupError
            The folder for sealed files cannot be used.
        """
        if self._store is not None or not self._settings.jobs:
            return
        folder = self._settings.data / "jobs"
        try:
            duties = duties_in(folder)
            self._replica = Replica(self._settings.data / "replicas")
            store = Store(folder, signer=self.parts.signer, clock=self.parts.clock)
            store.start()
        except (OSError, PrivacyError) as error:
            raise SetupError(f"FACEKIT_DATA: {error}") from error
        self._store = store
        self.webhooks = Webhooks(
            self.parts.gateway, private=self._settings.webhook_private, note=self._note_webhook
        )
        # Clause 1.2.3c: jobs of a process that died are lost, and all that they left has just been erased.
        self._replica.bury(self.parts, store, duties)
        self.stock.keep_up()
        self._watcher.start()

    def close(self) -> None:
        """End all jobs, erase them, and close. Closing again does nothing."""
        if self._store is None:
            return
        self._watcher.stop()
        store, self._store = self._store, None
        for job in self.jobs():
            self.try_to_end(job, "lost")
        self.stock.close()
        self.hands.shutdown()
        self.workers.shutdown()
        store.close()
        self._replica.end()

    @property
    def store(self) -> Store:
        """Where sealed files are; raises ClosedError."""
        if self._store is None:
            raise ClosedError("this service takes no jobs")
        return self._store

    @property
    def replica(self) -> str:
        """The name of this process among those that share the ledger."""
        return self._replica.id

    def bury(self) -> None:
        """Look for processes that have died, and write down that their jobs are lost."""
        self._replica.bury(self.parts, self.store, ())

    # -- jobs --------------------------------------------------------------------------------

    def jobs(self) -> list[Live]:
        """List the jobs that live here."""
        with self._lock:
            return list(self._jobs.values())

    def find(self, job_id: str) -> Live | None:
        """Return a job that lives here."""
        with self._lock:
            return self._jobs.get(job_id)

    def check_place(self) -> None:
        """Refuse where as many jobs wait as may; raises QueueFullError, or ClosedError."""
        self.stock.cells()
        if sum(job.state != "done" for job in self.jobs()) >= self._most:
            raise QueueFullError("as many jobs wait as may; try again soon")

    def lease(self, job_id: str, order: Order) -> Live:
        """Take a cell for a job, which lives from now on.

        Raises
        ------
        ClosedError
            There are no cells at the moment.
        CellError
            No cell became free in time.
        """
        scratch = self.store.scratch(job_id)
        lease = self.stock.cells().lease(job_id, timeout=PATIENCE)
        now, seconds = self.parts.clock(), self._settings.lease_seconds
        ends = time.monotonic() + seconds
        job = Live(job_id, order, scratch, lease, now, now + timedelta(seconds=seconds), ends)
        job.log.add("state", {"state": "leased"})
        with self._lock:
            self._jobs[job_id] = job
        return job

    def end(self, job: Live, outcome: Outcome, problem: str | None = None) -> ErasureReceipt:
        """End a job wherever it is, and have all of it erased; the first to ask says how it ended.

        Parameters
        ----------
        job : Live
            The job.
        outcome : str
            How it ended, where nobody has said before.
        problem : str, optional
            A word of `service.problems`, where it failed.

        Returns
        -------
        ErasureReceipt
            Of what was erased.

        Raises
        ------
        ErasureError
            Something resists. The rest is gone; the watcher goes on trying.
        """
        with job.lock:
            if job.outcome is None:
                job.outcome, job.problem = outcome, problem
            how = job.outcome
        with job.closing:
            if not job.is_over:
                self._erase(job)
                ledger.finish(self.parts, job.id, how, job.problem, job.scratch.receipt)
                job.is_over = True
                with self._lock:
                    self._jobs.pop(job.id, None)
                job.log.add("state", {"state": how, "problem": job.problem}, last=True)
                self.tell_webhook(job, how)
        return job.scratch.receipt

    def _erase(self, job: Live) -> None:
        if job.feed is not None:
            job.feed.stop()
        # Clause 1.3.8(3): the cell goes first, and with it all that it has in memory.
        self.stock.cancel(job.lease)
        job.scratch.outcome = job.outcome
        job.scratch.close()

    def fail(self, job: Live, error: BaseException) -> None:
        """End a job for an error; one that nobody expected is written down."""
        kind = kind_of(error)
        if not isinstance(error, FacekitError | ServiceError):
            self.parts.logs.defect(error)
        if isinstance(error, NoConsentError):
            self.try_to_end(job, "cancelled", kind.slug)
        elif isinstance(error, CellTimeoutError) and job.state != "running":
            self.try_to_end(job, "expired", kind.slug)
        else:
            self.try_to_end(job, "failed", kind.slug)

    def try_to_end(self, job: Live, outcome: Outcome, problem: str | None = None) -> None:
        """End a job, or leave it to the watcher to try again."""
        try:
            self.end(job, outcome, problem)
        except Exception as error:
            if not job.has_resisted:
                self.parts.logs.defect(error)
            job.has_resisted = True

    # -- for others --------------------------------------------------------------------------

    def stop(self, account_id: str, *, permission: str = "") -> int:
        """End an account's jobs (those of a permission, or all), and erase them; return how many."""
        # Clauses 1.3.8(3), 5.4b: what was withdrawn stops at once, wherever it is.
        found = [
            job
            for job in self.jobs()
            if job.order.account_id == account_id and permission in ("", job.order.permission)
        ]
        for job in found:
            self.try_to_end(job, "cancelled", "no-consent")
        return len(found)

    def is_ready(self) -> bool:
        """Say whether a job could begin now; where none are taken, nothing is waited for."""
        return not self._settings.jobs or self.stock.is_up

    def work(self, name: str, picture: bytearray, options: Mapping[str, Any]) -> bytearray:
        """Have a cell do something with a picture that is no job's; see `service.parts.Jobs`."""
        with self.store.scratch(upload="plain") as scratch:
            scratch.hold(picture, What.UPLOAD_HELD)
            cells = self.stock.cells()
            lease = cells.lease(scratch.job, timeout=PATIENCE)
            envelope = seal(picture, lease.public_key, job=lease.job)
            return cells.run(lease, envelope, name, options, scratch=scratch).open()

    def tell_webhook(self, job: Live, state: str) -> None:
        """Tell the client's webhook of a state, where it has one."""
        if job.order.hook is not None:
            self.webhooks.send(job.order.hook, job.id, job.order.account_id, state, self.parts.clock())

    def _note_webhook(self, job_id: str, how: str) -> None:
        try:
            ledger.note_webhook(self.parts, job_id, how)
        except Exception as error:
            self.parts.logs.defect(error)

    def when_refused(self, tell: Callable[[FacekitError], object]) -> None:
        """Have an error told that keeps cells from being started, also one from before."""
        with self._lock:
            self._tell = tell
            failure = self._failure
        if failure is not None:
            tell(failure)

    def _tell_failure(self, error: FacekitError) -> None:
        self.parts.logs.defect(error)
        with self._lock:
            self._failure = error
            tell = self._tell
        tell(error)
