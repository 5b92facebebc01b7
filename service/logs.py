"""Logs of a closed schema: an event has the fields of its class, of their types and forms, and no other.

One JSON line each, in a file for each day (UTC), which `sweep` removes after 180 days. There is no free
text: no message, no header, no query string, no path but the route's template. An account is a pseudonym
under a key that changes every 90 days and is then destroyed, an address is its network.

What libraries log, what nobody caught and what Python warns of goes the same way (`take_over`): where it
came from and of which kind, and none of its words.
"""

import hashlib
import hmac
import json
import logging
import os
import re
import sys
import threading
import traceback
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final

from service.clock import Clock
from service.vault import Vault

DAYS: Final = 180
ROTATION: Final = timedelta(days=90)
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other")
FAMILIES: Final = ("facekit", "python-httpx", "curl", "Firefox", "Chrome", "Safari", "other")
_KEY: Final = "pseudonyms"
_SIZES: Final = (0, 2**10, 2**14, 2**18, 2**20, 2**22, 2**24, 2**26)
_RANGES: Final = ("", "0", *(f"<={edge}" for edge in _SIZES[1:]), f">{_SIZES[-1]}")
_LARGEST: Final = 10**9
_WORD: Final = r"[a-z0-9][a-z0-9 ._-]{0,39}|"
_PSEUDONYM: Final = r"[0-9a-f]{16}|"
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_.]{0,79}"
_PLACE: Final = r"[A-Za-z0-9_.<>-]{1,120}:[0-9]{1,6}|unknown"


def of_form(pattern: str, **more: Any) -> Any:
    """Declare a text of an event: the whole of it has to match; by default, a text is a word of the code."""
    return field(metadata={"form": pattern}, **more)


def one_of(*words: str) -> Any:
    """Declare a text of an event that is one of a few words."""
    return of_form("|".join(map(re.escape, words)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Anything that may be logged is one of `EVENTS`."""

    name: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Event):
    """A request was answered."""

    name: ClassVar = "request"
    method: str = one_of(*METHODS)
    route: str = of_form(r"(/([a-z0-9._-]+|\{[a-z_]+(:path)?\})){0,12}")  # its template, never the path
    status: int
    milliseconds: int
    network: str = of_form(r"[0-9a-f.:]{0,39}(/(24|48))?")
    client: str = one_of(*FAMILIES)
    account: str = of_form(_PSEUDONYM)
    size: str = one_of(*_RANGES)  # of the request's body, as a range


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect(Event):
    """Something went wrong that should not have: where, and never with what."""

    name: ClassVar = "defect"
    kind: str = of_form(_NAME)
    where: str = of_form(_PLACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed(Event):
    """Something was done that those who run the service look for."""

    name: ClassVar = "deed"
    deed: str  # one of the words in the code
    account: str = of_form(_PSEUDONYM, default="")
    count: int = 0


EVENTS: Final = (Request, Defect, Deed)


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
        self._key, self._key_of = vault.named_key(_KEY), clock().date()

    def write(self, event: Event) -> None:
        """Write an event.

        Raises
        ------
        TypeError
            It is none of `EVENTS`, or a field is of another type or form; the message does not hold it.
        """
        row = {"event": event.name, **_checked(event)}
        now = self._clock()
        line = json.dumps({"at": now.isoformat(timespec="milliseconds"), **row})
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
        # Clause 1.3.2(3): what crashed is named by its place in the code; no value of a variable is.
        self.write_defect(type(error).__name__, _where(error.__traceback__))

    def write_defect(self, kind: str, where: str) -> None:
        """Write that something went wrong; a name that is none of code's is left out."""
        self.write(
            Defect(
                kind=kind if re.fullmatch(_NAME, kind) else "unknown",
                where=where if re.fullmatch(_PLACE, where) else "unknown",
            )
        )

    def pseudonym(self, account_id: str) -> str:
        """Return what an account is called in the logs."""
        # Clause 1.3.2(4)b: without the key, which goes after 90 days, nobody can say whose line it was.
        if not account_id:
            return ""
        return hmac.digest(self._key_of_today(), account_id.encode(), hashlib.sha256).hex()[:16]

    def sweep(self) -> int:
        """Remove files that are too old, change the key of pseudonyms when it is time; say how many files."""
        # Clause 1.3.2(1): a line is gone after 180 days.
        today, removed = self._clock().date(), 0
        for path in self._folder.glob("*.jsonl"):
            if date.fromisoformat(path.stem) < today - timedelta(days=DAYS):
                path.unlink(missing_ok=True)
                removed += 1
        if self._vault.named_key_age(_KEY) > ROTATION:
            self._vault.drop_named_key(_KEY)
            self._key, self._key_of = self._vault.named_key(_KEY), today
        return removed

    def _key_of_today(self) -> bytes:
        """Ask for the key once a day: another replica may have replaced it."""
        today = self._clock().date()
        if self._key_of != today:
            self._key, self._key_of = self._vault.named_key(_KEY), today
        return self._key


def _checked(event: Event) -> dict[str, str | int]:
    """Return an event's fields, if each is of its type and form."""
    if type(event) not in EVENTS:
        raise TypeError("only the events of service.logs can be logged")
    row: dict[str, str | int] = {}
    for one in fields(event):
        value, form = getattr(event, one.name), one.metadata.get("form", _WORD)
        if type(value) is not one.type:  # a truth value is no number here
            raise TypeError(f"{event.name}.{one.name}: of another type")
        fits = re.fullmatch(form, value) if isinstance(value, str) else 0 <= value <= _LARGEST
        if not fits:
            raise TypeError(f"{event.name}.{one.name}: of another form")
        row[one.name] = value
    return row


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
            self._logs.write_defect(record.levelname.lower(), f"{record.name}:{record.lineno}")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's)
        """Say nothing: by default the record, with all its words, would go to standard error."""


def take_over(logs: Logs) -> None:
    """Send all that libraries log, Python warns of and nobody catches through the closed schema."""
    root = logging.getLogger()
    root.handlers[:] = [_Other(logs)]
    root.setLevel(logging.WARNING)
    known = (logging.getLogger(name) for name in tuple(root.manager.loggerDict))
    for logger in known:
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(logger.level, logging.WARNING) if logger.level else logging.NOTSET)
    logging.captureWarnings(True)
    sys.excepthook = lambda _, error, __: logs.defect(error)
    threading.excepthook = lambda told: logs.defect(told.exc_value or RuntimeError())
    sys.unraisablehook = lambda told: logs.defect(told.exc_value or RuntimeError())


def size_range(length: str) -> str:
    """Return the range that the size of a body lies in, from what its header says.

    >>> size_range("0"), size_range("5000"), size_range("no number")
    ('0', '<=16384', '')
    """
    if not re.fullmatch("[0-9]{1,15}", length):
        return ""
    above = next((edge for edge in _SIZES if int(length) <= edge), None)
    return f">{_SIZES[-1]}" if above is None else "0" if above == 0 else f"<={above}"


def client_family(agent: str) -> str:
    """Return the family of a client's program, of a closed list.

    >>> client_family("curl/8.5.0"), client_family("anything else")
    ('curl', 'other')
    """
    return next((family for family in FAMILIES if family in agent), "other")


def _where(trace: TracebackType | None) -> str:
    """Name the innermost place in our own code, or the innermost of all."""
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if {"service", "facekit"} & set(Path(frame.filename).parts)]
    if not frames:
        return "unknown"
    found = (ours or frames)[-1]
    return f"{Path(found.filename).stem}.{found.name}:{found.lineno}"
