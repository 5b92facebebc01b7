"""Asks a server at a steady rate, whether it keeps up or not: an open loop.

Each request has its moment, drawn before (arrivals at random, as of many people who know nothing of each
other), and its time counts from that moment on. A client that waited for each answer before it asked again
would ask a stalled server nothing, and so measure none of the stall ("coordinated omission", [1]_).

References
----------
.. [1] Tene, "How NOT to Measure Latency", Strange Loop, 2015; Schroeder, Wierman & Harchol-Balter, "Open
   versus closed: a cautionary tale", NSDI 2006.
"""

import asyncio
import json
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

_END: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to send."""

    kind: str
    method: str
    path: str
    token: str
    body: bytes = b""

    def bytes(self, host: str) -> bytes:
        """Write it as HTTP/1.1."""
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            f"Host: {host}",
            f"Authorization: Bearer {self.token}",
        ]
        if self.body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(self.body)}"]
        return "\r\n".join(lines).encode() + _END + self.body


@dataclass(frozen=True, slots=True)
class Answered:
    """How long a request took, from its moment on, and what came."""

    kind: str
    seconds: float
    status: int


def json_body(**fields: str) -> bytes:
    """Write a body."""
    return json.dumps(fields).encode()


def load(url: str, asks: Sequence[Ask], rate: float, *, seed: int) -> list[Answered]:
    """Send requests at a rate.

    Parameters
    ----------
    url : str
        The server's.
    asks : sequence of Ask
        In this order.
    rate : float
        Requests a second, on average.
    seed : int
        Draws the moments.
    """
    return asyncio.run(_Load(url).run(asks, rate, random.Random(seed)))  # noqa: S311 (no secret)


class _Load:
    """Keeps connections, and takes one that is free for each request."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        # The one that has been free for longest is next, so that none is for as long as servers allow.
        self._free: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def run(self, asks: Sequence[Ask], rate: float, draw: random.Random) -> list[Answered]:
        moment = perf_counter() + 0.2
        async with asyncio.TaskGroup() as group:
            tasks = []
            for ask in asks:
                moment += draw.expovariate(rate)
                tasks.append(group.create_task(self._send(ask, moment)))
        for _, writer in self._free:
            writer.close()
        return [task.result() for task in tasks]

    async def _send(self, ask: Ask, moment: float) -> Answered:
        await asyncio.sleep(moment - perf_counter())
        reader, writer = (
            self._free.popleft() if self._free else await asyncio.open_connection(self._host, self._port)
        )
        writer.write(ask.bytes(self._host))
        head = (await reader.readuntil(_END)).decode().lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
        await reader.readexactly(length)
        seconds = perf_counter() - moment
        self._free.append((reader, writer))
        return Answered(ask.kind, seconds, int(head.split(maxsplit=2)[1]))
