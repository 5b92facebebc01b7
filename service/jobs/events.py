"""What happened to a job, for whoever follows it: told on threads, heard on the event loop."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

#: A cell that was taken over may tell of stages without end.
MOST: Final = 128


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Parameters
    ----------
    number : int
        From 1 on.
    kind : {"state", "stage"}
        Of which kind.
    data : mapping
        What is told of it.
    """

    number: int
    kind: Literal["state", "stage"]
    data: Mapping[str, str | None]


class EventLog:
    """The last events of a job."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=MOST)
        self._count = 0
        self._is_over = False
        self._lock = threading.Lock()
        self._listeners: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def add(
        self, kind: Literal["state", "stage"], data: Mapping[str, str | None], *, last: bool = False
    ) -> None:
        """Tell of an event; after the last, followers are let go."""
        with self._lock:
            self._count += 1
            self._events.append(Event(self._count, kind, data))
            self._is_over = self._is_over or last
            for loop, signal in self._listeners:
                with suppress(RuntimeError):  # a loop that has been closed hears nothing
                    loop.call_soon_threadsafe(signal.set)

    async def follow(self, after: int = 0) -> AsyncIterator[Event]:
        """Yield the events after a number, as they come, until the last."""
        me = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            self._listeners.add(me)
        try:
            while True:
                me[1].clear()
                with self._lock:
                    new, over = [one for one in self._events if one.number > after], self._is_over
                for one in new:
                    yield one
                    after = one.number
                if over:
                    return
                await me[1].wait()
        finally:
            with self._lock:
                self._listeners.discard(me)
