"""The words in which an erasure is told: a closed list, in which no picture can be described."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from facekit.errors import ReceiptError

__all__ = ["LIMITS", "Erased", "How", "What", "cut_time"]

# Clause 1.2.3c: the receipt says what we cannot promise.
LIMITS: Final[dict[str, str]] = {
    "copies": "Python cannot overwrite every copy that it made in memory; "
    "only the end of the process frees them.",
    "machine": "Memory that the machine wrote to its swap, or that a snapshot of a virtual machine holds, "
    "is out of reach.",
    "client": "What you and your own devices keep of the picture, and of the result, is yours to delete.",
    "disk": "A solid-state disk may keep overwritten blocks until it reuses them; they hold ciphertext only.",
    "system": "File systems that copy on write, and snapshots of them, may keep overwritten ciphertext; "
    "its key was in memory only.",
    "plain": "The upload came unsealed: fragments of it may stay in the memory of the process that took "
    "it in.",
}


class What(StrEnum):
    """What was erased: a kind of thing, and never how many.

    >>> What("keys").words
    'the keys of the job'
    """

    UPLOAD_STORED = "upload-stored"
    UPLOAD_HELD = "upload-held"
    RESULT_STORED = "result-stored"
    RESULT_HELD = "result-held"
    KEYS = "keys"
    CELL = "cell"

    @property
    def words(self) -> str:
        """The same for people."""
        return _WHAT[self]


class How(StrEnum):
    """How it was erased.

    >>> How("dropped").words
    'let go of'
    """

    OVERWRITTEN_UNLINKED = "overwritten-unlinked"
    OVERWRITTEN = "overwritten"
    PROCESS_ENDED = "process-ended"
    DROPPED = "dropped"

    @property
    def words(self) -> str:
        """The same for people."""
        return _HOW[self]


_WHAT: Final = {
    What.UPLOAD_STORED: "the sealed upload on disk",
    What.UPLOAD_HELD: "the upload in memory",
    What.RESULT_STORED: "the sealed result on disk",
    What.RESULT_HELD: "the result in memory",
    What.KEYS: "the keys of the job",
    What.CELL: "all memory of the process that worked on the job",
}
_HOW: Final = {
    How.OVERWRITTEN_UNLINKED: "overwritten and unlinked, both synced to disk",
    How.OVERWRITTEN: "overwritten",
    How.PROCESS_ENDED: "freed by the end of the process",
    How.DROPPED: "let go of",
}


@dataclass(frozen=True, slots=True)
class Erased:
    """One kind of thing that was erased.

    Parameters
    ----------
    what : What
        Which kind.
    how : How
        How.
    at : datetime
        When the last of it was seen to be gone; UTC, cut to milliseconds.
    """

    what: What
    how: How
    at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", cut_time(self.at))


def cut_time(moment: datetime) -> datetime:
    """Return a moment in UTC, cut to milliseconds.

    Parameters
    ----------
    moment : datetime
        With a time zone.

    Returns
    -------
    datetime
        The same.

    Raises
    ------
    ReceiptError
        It has none.
    """
    if moment.tzinfo is None:
        raise ReceiptError("a receipt's times are in UTC, got one without a time zone")
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
