"""The cells, started aside and again where they end: until there are some, there are no jobs."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from facekit.errors import FacekitError
from facekit.pool import Cells, Lease
from service.errors import ClosedError
from service.settings import Settings

#: Seconds that a request waits for the first cells, and between two tries to start them.
PATIENCE: Final = 5.0


class Stock:
    """Cells that are there, as far as they are.

    Parameters
    ----------
    settings : Settings
        How many, and what they may.
    works : mapping of str to str
        What they can do.
    report : function
        Is told an error that keeps cells from being started.
    """

    def __init__(
        self, settings: Settings, works: Mapping[str, str], report: Callable[[FacekitError], None]
    ) -> None:
        self._settings, self._works, self._report = settings, works, report
        self._cells: Cells | None = None
        self._changed = threading.Condition()
        self._starter: threading.Thread | None = None
        self._is_closed = not settings.jobs
        self._not_before = 0.0

    def keep_up(self) -> None:
        """Start cells where there are none; returns at once."""
        with self._changed:
            if self._is_closed or self._starter is not None or time.monotonic() < self._not_before:
                return
            if self._cells is None or not self._cells.is_running:
                self._starter = threading.Thread(target=self._start, name="facekit-start", daemon=True)
                self._starter.start()

    def cells(self) -> Cells:
        """Return the cells, waiting a little for the first; raises ClosedError."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self.is_up, PATIENCE)
            if self._is_closed:
                raise ClosedError("this service takes no jobs")
            if self._cells is None or not self.is_up:
                raise ClosedError("the cells are being started; try again soon")
            return self._cells

    @property
    def is_up(self) -> bool:
        """Whether there are cells."""
        return self._cells is not None and self._cells.is_running

    def cancel(self, lease: Lease) -> None:
        """End a leased or working cell at once; it does no harm where it has ended."""
        cells = self._cells
        if cells is not None:
            cells.cancel(lease)

    def processes(self) -> tuple[int, ...]:
        """List the fork server and its cells."""
        cells = self._cells
        return () if cells is None or not self.is_up else (cells.server_pid, *cells.pids())

    def close(self) -> None:
        """End them all. A server that is just starting sees that nobody is there, and ends."""
        with self._changed:
            self._is_closed = True
            cells, self._cells = self._cells, None
            self._changed.notify_all()
        if cells is not None:
            cells.close()

    def _start(self) -> None:
        settings, error = self._settings, None
        cells = Cells(
            count=settings.cells,
            standby=settings.standby,
            leases=settings.leases,
            lease_seconds=settings.lease_seconds,
            seconds=settings.job_seconds,
            # Who may wait is counted where jobs begin; here there is always room for those.
            queue=settings.queue + settings.leases,
            kem=settings.kem,
            allow_weak_cell=settings.allow_weak_cell,
            works=self._works,
        )
        try:
            cells.start()
        except FacekitError as failed:
            error = failed
        with self._changed:
            old, self._starter = self._cells, None
            self._not_before = time.monotonic() + PATIENCE
            keep = error is None and not self._is_closed
            if keep:
                self._cells = cells
            self._changed.notify_all()
        if old is not None and keep:
            old.close()
        if error is None and not keep:
            cells.close()
        if error is not None:
            self._report(error)
