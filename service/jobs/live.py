"""A job that lives: what its process holds of it, in memory only."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from facekit.keys import KeyPair
from facekit.pool import Lease
from facekit.privacy import Kept, Scratch
from facekit.receipts import Outcome
from service.errors import ConflictError, GoneError
from service.jobs.events import EventLog
from service.jobs.feed import Feed
from service.jobs.webhooks import Hook

State = Literal["leased", "queued", "running", "done"]
Source = Literal["album", "camera", "file"]

# Clauses 1.3.3(1), 1.3.3(2), 1.3.8(2): the permission that each way of choosing a photo needs.
NEEDS: Final[Mapping[Source, str]] = {"album": "album", "camera": "camera", "file": "storage"}
ENDED: Final = "the job has ended, and all of it has been erased; GET its receipt says what"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, and for whom.

    Parameters
    ----------
    account_id : str
        Whose job it is.
    effect, template : str
        Of the catalogue.
    options : mapping
        What a cell is told.
    source : {"album", "camera", "file"}
        Where the photo is from.
    said : str
        Whose face it is, as was said.
    result_key : bytes, optional
        What the result is sealed to; by default a key of the job's.
    hook : Hook, optional
        Who is told.
    """

    account_id: str
    effect: str
    template: str | None
    options: Mapping[str, Any] = field(repr=False)
    source: Source
    said: str
    result_key: bytes | None = field(repr=False)
    hook: Hook | None

    @property
    def permission(self) -> str:
        """The permission that it needs."""
        return NEEDS[self.source]


@dataclass(slots=True, eq=False)
class Live:
    """A job from its lease to its end.

    Parameters
    ----------
    id : str
        Its number.
    order : Order
        What is to be done.
    scratch : Scratch
        Owns all that is to be erased.
    lease : Lease
        The cell that waits for its photo.
    created_at : datetime
        When it began.
    deadline : datetime, optional
        When it expires by itself; `ends` is the same by a clock that nobody can set.
    """

    id: str
    order: Order
    scratch: Scratch = field(repr=False)
    lease: Lease = field(repr=False)
    created_at: datetime
    deadline: datetime | None
    ends: float
    state: State = "leased"
    stage: str | None = None
    stages: int = 0
    problem: str | None = None
    outcome: Outcome | None = None  # once it is set, the job is ending, or has ended
    is_over: bool = False
    has_resisted: bool = False
    feed: Feed | None = None
    upload: Kept | None = None
    result: Kept | None = None
    keys: KeyPair | None = field(default=None, repr=False)
    size: int | None = None
    opened: bytearray | None = field(default=None, repr=False)
    readers: int = 0
    log: EventLog = field(default_factory=EventLog, repr=False)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    closing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def check(self) -> None:
        """Refuse where the job is ending; raises GoneError."""
        if self.outcome is not None:
            raise GoneError(ENDED)

    def take(self, feed: Feed) -> None:
        """Let a photo come in, once.

        Raises
        ------
        GoneError
            The job has ended.
        ConflictError
            It has its photo already, or another is coming in.
        """
        with self.lock:
            self.check()
            if self.state != "leased" or self.feed is not None:
                raise ConflictError("the job has its photo already; begin another job for another photo")
            self.feed = feed
