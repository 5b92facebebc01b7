"""Looks twice a second for jobs that must end, and for what must be tried again."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from service.jobs import ledger

if TYPE_CHECKING:
    from service.jobs.room import Room

_LOOK: Final = 0.5  # seconds between looks
_BURY: Final = 600.0  # seconds between looks for processes that have died


class Watcher:
    """One thread for all jobs of a room.

    Parameters
    ----------
    room : Room
        Where they are.
    """

    def __init__(self, room: "Room") -> None:
        self._room = room
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._buried = time.monotonic()

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._look, name="facekit-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        room = self._room
        steps: tuple[Callable[[], object], ...] = (
            self._end_overdue,
            self._end_unwanted,
            self._go_on_ending,
            self._bury,
            room.stock.keep_up,
            room.webhooks.go_on,
        )
        while not self._stop.wait(_LOOK):
            for step in steps:
                try:
                    step()
                except Exception as error:  # whatever it is, the next look must come
                    room.parts.logs.defect(error)

    def _end_overdue(self) -> None:
        # Clause 1.2.2(4)b: a result that nobody fetches goes after ten minutes at the latest.
        now = time.monotonic()
        for job in self._room.jobs():
            if job.state in ("leased", "done") and now >= job.ends:
                self._room.try_to_end(job, "expired")

    def _end_unwanted(self) -> None:
        # Clauses 1.3.8(3), 5.4b: withdrawn, or cancelled, at whichever replica.
        for job in ledger.unwanted(self._room.parts, self._room.jobs()):
            self._room.try_to_end(job, "cancelled", "no-consent")

    def _go_on_ending(self) -> None:
        for job in self._room.jobs():
            if job.outcome is not None:
                self._room.try_to_end(job, job.outcome, job.problem)

    def _bury(self) -> None:
        if time.monotonic() > self._buried + _BURY:
            self._buried = time.monotonic()
            self._room.bury()
