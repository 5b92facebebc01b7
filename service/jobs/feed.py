"""The body of an upload: comes in on the event loop, and is taken by a thread, part by part.

The next part is asked for when the one before has been stored, so that no more than one is ever held.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import CancelledError, Future
from typing import Final

from starlette.requests import ClientDisconnect

from service.errors import BrokenOffError

#: Seconds that an upload may rest. Who sends a byte now and then is ended with the lease.
IDLE: Final = 10.0
_BROKEN: Final = "the upload broke off, or did not go on in time; begin a new job"


class Feed:
    """The parts of a body, for a thread.

    Parameters
    ----------
    stream : async iterator of bytes
        The body, on the running loop.
    """

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream, self._loop = stream, asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._next: Future[bytes | None] | None = None
        self._is_stopped = False

    def parts(self) -> Iterator[bytes]:
        """Yield the parts; on another thread than the loop's.

        Raises
        ------
        BrokenOffError
            The client hung up, rested for too long, or `stop` was called.
        """
        while (part := self._wait()) is not None:
            if part:
                yield part

    def stop(self) -> None:
        """Wake up whoever waits for a part, and give no more."""
        with self._lock:
            self._is_stopped = True
            if self._next is not None:
                self._next.cancel()

    def _wait(self) -> bytes | None:
        with self._lock:
            if self._is_stopped:
                raise BrokenOffError(_BROKEN)
            self._next = asyncio.run_coroutine_threadsafe(self._take(), self._loop)
        try:
            return self._next.result(IDLE + 5)  # longer only where the loop has ended
        except (CancelledError, TimeoutError, ClientDisconnect):
            raise BrokenOffError(_BROKEN) from None

    async def _take(self) -> bytes | None:
        return await asyncio.wait_for(anext(self._stream, None), IDLE)
