"""Logs of a closed schema: an event has the fields of its class, of their types, and no other.

One JSON line each, in a file for each day (UTC), which `sweep` removes after 180 days. There is no free
text: no message, no header, no query string, no path but the route's template. An account is a pseudonym
under a key that changes every 90 days and is then destroyed, an address is its network.
"""

import hashlib
import hmac
import json
import logging
import os
import sys
import threading
import traceback
from dataclasses import dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final

from service.clock import Clock
from service.vault import Vault

DAYS: Final = 180
ROTATION: Final = timedelta(days=90)
_KEY: Final = "pseudonyms"
_SIZES: Final = (0, 2**10, 2**14, 2**18, 2**20, 2**22, 2**24, 2**26)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Anything that may be logged is one of the classes below."""

    name: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Event):
    """A request was answered."""

    name: ClassVar = "request"
    method: str
    route: str  # its template, never the path
    status: int
    milliseconds: int
    network: str
    client: str  # the family of the client's program
    account: str  # a pseudonym
    size: str  # of the request's body, as a range


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect(Event):
    """Something went wrong that should not have: where, and never with what."""

    name: ClassVar = "defect"
    kind: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed(Event):
    """Something was done that those who run the service look for."""

    name: ClassVar = "deed"
    deed: str  # one of the words in the code
    account: str = ""
    count: int = 0


class Logs:
    """Writes events.

    Parameters
    ----------
    folder : Path
        Where the files are; made for its owner alone.
    vault : Vault
        Holds the key of pseudonyms.
    clock : function
        Tells the time.
    stderr : bool
        Whether to write to standard error as well.
    """

    def __init__(self, folder: Path, vault: Vault, clock: Clock, *, stderr: bool = False) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._vault, self._clock, self._stderr = folder, vault, clock, stderr
        self._lock = threading.Lock()
        self._pseudonyms = vault.named_key(_KEY)

    def write(self, event: Event) -> None:
        """Write an event.

        Raises
        ------
        TypeError
            It is none of the classes here, or a field is of another type.
        """
        if type(event) not in (Request, Defect, Deed):
            raise TypeError("only the events of service.logs can be logged")
        row = {field.name: getattr(event, field.name) for field in fields(event)}
        for field in fields(event):
            if type(row[field.name]).__name__ != str(
                field.type if isinstance(field.type, str) else field.type.__name__
            ):
                raise TypeError(f"{event.name}.{field.name}: expected {field.type}")
        now = self._clock()
        line = json.dumps({"at": now.isoformat(timespec="milliseconds"), "event": event.name, **row})
        with self._lock:
            file = os.open(
                self._folder / f"{now:%Y-%m-%d}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
            )
            try:
                os.write(file, line.encode() + b"\n")
            finally:
                os.close(file)
        if self._stderr:
            sys.stderr.write(line + "\n")

    def defect(self, error: BaseException) -> None:
        """Write where an error came from; not its message, which may hold anything."""
        self.write(Defect(kind=type(error).__name__, where=_where(error.__traceback__)))

    def pseudonym(self, account_id: str) -> str:
        """Return what an account is called in the logs."""
        # Clause 1.3.2(4)b: without the key, which goes after 90 days, nobody can say whose line it was.
        return (
            hmac.digest(self._pseudonyms, account_id.encode(), hashlib.sha256).hex()[:16]
            if account_id
            else ""
        )

    def sweep(self) -> int:
        """Remove files that are too old, change the key of pseudonyms when it is time; say how many files."""
        today, removed = self._clock().date(), 0
        for path in self._folder.glob("*.jsonl"):
            if date.fromisoformat(path.stem) < today - timedelta(days=DAYS):
                path.unlink()
                removed += 1
        if self._vault.named_key_age(_KEY) > ROTATION:
            self._vault.drop_named_key(_KEY)
            self._pseudonyms = self._vault.named_key(_KEY)
        return removed


class _Other(logging.Handler):
    """Takes what libraries log: where from and of which kind, never the words."""

    def __init__(self, logs: Logs) -> None:
        super().__init__(logging.WARNING)
        self._logs = logs

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record as a defect."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._logs.defect(error)
        else:
            self._logs.write(Defect(kind=record.levelname.lower(), where=f"{record.name}:{record.lineno}"))


def take_over(logs: Logs) -> None:
    """Send all that libraries log through the closed schema."""
    root = logging.getLogger()
    root.handlers[:] = [_Other(logs)]
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "sqlalchemy", "alembic", "httpx"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)


def size_range(size: int) -> str:
    """Return the range that a size lies in.

    >>> size_range(0), size_range(5000)
    ('0', '<=16384')
    """
    above = next((edge for edge in _SIZES if size <= edge), None)
    return f">{_SIZES[-1]}" if above is None else "0" if above == 0 else f"<={above}"


def client_family(agent: str) -> str:
    """Return the family of a client's program, of a closed list.

    >>> client_family("curl/8.5.0"), client_family("anything else")
    ('curl', 'other')
    """
    families = ("facekit", "python-httpx", "curl", "Firefox", "Chrome", "Safari")
    return next((family for family in families if family in agent), "other")


def _where(trace: TracebackType | None) -> str:
    """Name the innermost place in our own code, or the innermost of all."""
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if {"service", "facekit"} & set(Path(frame.filename).parts)]
    if not frames:
        return "unknown"
    found = (ours or frames)[-1]
    return f"{Path(found.filename).stem}.{found.name}:{found.lineno}"
