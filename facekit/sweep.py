"""One run of the residue search: its patterns, its one buffer, and what has come to light so far."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from facekit.needles import LONGEST, Needles, Seeker

__all__ = ["BUFFER_SIZE", "CONTROL", "Hit", "Identity", "Label", "Reader", "Sweep", "Unread"]

BUFFER_SIZE: Final = 1024 * 1024  # bytes that are read at a time
CONTROL: Final = "control"  # the kind of a pattern that the search planted itself
_MOST_OFFSETS = 10_000  # of one pattern's kind in one place; beyond, a count is a floor

Identity = tuple[int, int, int]  # device, inode and its last change: numbers are given out again
Reader = Callable[[memoryview], int]  # fills a buffer as far as it can; 0 at the end


@dataclass(frozen=True, slots=True, order=True)
class Label:
    """What a pattern is made from.

    Parameters
    ----------
    kind : str
        ``"upload"``, ``"pixels"``, ``"landmarks"``, ``"result"``, ``"hash"`` or ``"name"``.
    form : str
        How it is written down, such as ``"raw"`` or ``"base64"``.
    """

    kind: str
    form: str


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """Where something was found; never what.

    Parameters
    ----------
    place : str
        A file, a part of one, or a process.
    kind, form : str
        As `Label` has them.
    offset : int, bytes
        Of the first occurrence, from the start of the place; in a process its address.
    count : int
        Occurrences; from 10,000 on a floor.
    """

    place: str
    kind: str
    form: str
    offset: int
    count: int


@dataclass(frozen=True, slots=True, order=True)
class Unread:
    """What could not be read.

    Parameters
    ----------
    place : str
        A file, a folder or a process.
    why : str
        In a few words.
    """

    place: str
    why: str


@dataclass(slots=True, eq=False)
class Sweep:
    """Reads whatever it is given through one buffer, and keeps book.

    Parameters
    ----------
    needles : Needles
        The patterns.
    labels : tuple of Label
        One for each.
    """

    needles: Needles
    labels: tuple[Label, ...]
    files: int = 0
    bytes_read: int = 0
    bytes_unpacked: int = 0
    names: int = 0
    databases: int = 0
    processes: int = 0
    bytes_of_memory: int = 0
    excluded: int = 0
    unread: set[Unread] = field(default_factory=set)
    seen: set[Identity] = field(default_factory=set)
    _offsets: dict[tuple[str, Label], set[int]] = field(default_factory=dict)
    _seeker: Seeker = None  # type: ignore[assignment]  # made where none is given

    def fresh(self) -> "Sweep":
        """Return a sweep with the same searching parts and an empty book.

        Returns
        -------
        Sweep
            Not to be used at the same time.
        """
        return Sweep(self.needles, self.labels, _seeker=self._seeker)

    def __post_init__(self) -> None:
        self._seeker = self._seeker or Seeker(self.needles, BUFFER_SIZE)

    def scan(self, read: Reader, place: str, *, base: int = 0) -> tuple[int, int]:
        """Read to the end, and search on the way.

        Parameters
        ----------
        read : function
            Fills a buffer.
        place : str
            What to call it in the report.
        base : int, bytes
            Offset of the first byte.

        Returns
        -------
        bytes, hits : int
            How many were read, and found.
        """
        buffer, kept, total, hits = self._seeker.buffer, 0, 0, 0
        used, view = 0, memoryview(buffer.data)
        try:
            while got := read(view[kept:]):
                length = kept + got
                used, total = max(used, length), total + got
                hits += self._note(length, kept, place, base + total - length)
                # What straddles the border is found with the next part.
                tail = min(length, LONGEST - 1)
                buffer[:tail] = buffer[length - tail : length]
                kept = tail
        finally:
            self._seeker.wipe(used)
        return total, hits

    def _note(self, length: int, kept: int, place: str, base: int) -> int:
        positions, which = self._seeker.find(length)
        fresh = positions + self.needles.lengths[which] > kept
        for position, index in zip(positions[fresh].tolist(), which[fresh].tolist(), strict=True):
            offsets = self._offsets.setdefault((place, self.labels[index]), set())
            if len(offsets) < _MOST_OFFSETS:
                offsets.add(base + position)
        return int(np.count_nonzero(fresh))

    def scan_bytes(self, data: bytes | bytearray | memoryview, place: str) -> int:
        """Search what is in memory already.

        Parameters
        ----------
        data : bytes, bytearray or memoryview
            What to search.
        place : str
            What to call it in the report.

        Returns
        -------
        int
            Hits.
        """
        view, at = memoryview(data).cast("B"), 0

        def read(into: memoryview) -> int:
            nonlocal at
            part = view[at : at + len(into)]
            into[: len(part)] = part
            at += len(part)
            return len(part)

        return self.scan(read, place)[1]

    def miss(self, place: str, why: str) -> None:
        """Put down that something could not be read.

        Parameters
        ----------
        place, why : str
            As in `Unread`.
        """
        self.unread.add(Unread(place, why))

    def hits(self) -> tuple[Hit, ...]:
        """Return what was found, without what the search planted.

        Returns
        -------
        tuple of Hit
            Sorted by place.
        """
        found = (
            Hit(place, label.kind, label.form, min(offsets), len(offsets))
            for (place, label), offsets in self._offsets.items()
            if label.kind != CONTROL
        )
        return tuple(sorted(found))

    def controls(self, place: str) -> set[str]:
        """Return which planted patterns were found in a place.

        Parameters
        ----------
        place : str
            As it was named to `scan`.

        Returns
        -------
        set of str
            Their labels' forms.
        """
        return {label.form for (where, label) in self._offsets if label.kind == CONTROL and where == place}
