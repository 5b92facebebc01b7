"""Many patterns searched for in one pass over the bytes, without ever holding one of them in clear.

An occurrence of a pattern of at least 15 bytes covers a whole 8-byte word of the searched memory,
whatever its alignment. So it is enough to look at each word once: at its hash in a table of bits, and
where that says yes, at the sorted keys, which are the 8 words that each pattern can put there. What
remains is compared byte by byte. That is the filtering of [1]_, with words in place of q-grams; in
numpy it runs at the speed of memory, so there is nothing to compile.

Patterns and keys are held under a random mask (exclusive or). The memory of the process that searches
therefore holds none of them, unless somebody else in it does.

References
----------
.. [1] Navarro & Raffinot, "Flexible Pattern Matching in Strings", Cambridge, 2002, chapter 3.
"""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from facekit.errors import InputError

__all__ = ["LONGEST", "SHORTEST", "Needles", "Seeker"]

SHORTEST: Final = 15  # bytes: one less, and an occurrence may cover no aligned word
LONGEST: Final = 64
_WORD = 8
_BITS = 20  # of the hash: a table of 1 MiB stays in the cache
_SHIFT = np.uint64(64 - _BITS)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # Knuth's multiplicative hash
_BLOCK = 4096  # candidates that are compared at a time

Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]
Indices: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Needles:
    """Patterns under a mask.

    Parameters
    ----------
    masked : ndarray of shape (N, 64), uint8
        Each pattern, filled up with zeros, under the mask.
    mask : ndarray of shape (64,), uint8
        Random.
    lengths : ndarray of shape (N,), int64, bytes
        Of the patterns, 15 to 64.
    """

    masked: Bytes
    mask: Bytes
    lengths: Indices

    @classmethod
    def hide(cls, patterns: Iterable[bytes | bytearray]) -> "Needles":
        """Put patterns under a fresh mask.

        Parameters
        ----------
        patterns : iterable of bytes
            Of 15 to 64 bytes each; what the caller holds stays as it is.

        Returns
        -------
        Needles
            In the same order.

        Raises
        ------
        InputError
            A pattern is shorter or longer.
        """
        mask = np.frombuffer(secrets.token_bytes(LONGEST), np.uint8)
        rows, lengths = [], []
        for pattern in patterns:
            if not SHORTEST <= len(pattern) <= LONGEST:
                raise InputError(f"a pattern: expected {SHORTEST} to {LONGEST} bytes, got {len(pattern)}")
            row = mask.copy()
            row[: len(pattern)] ^= np.frombuffer(pattern, np.uint8)
            rows.append(row)
            lengths.append(len(pattern))
        return cls(np.array(rows, np.uint8).reshape(-1, LONGEST), mask, np.array(lengths, np.int64))

    def __len__(self) -> int:
        """Return the number of patterns."""
        return len(self.lengths)

    def __add__(self, other: "Needles") -> "Needles":
        """Return the patterns of both, which are not unmasked on the way."""
        moved = other.masked ^ (other.mask ^ self.mask)
        lengths = np.concatenate([self.lengths, other.lengths])
        return Needles(np.concatenate([self.masked, moved]), self.mask, lengths)

    def reveal(self, index: int, into: memoryview) -> None:
        """Write one pattern, in clear, into a buffer that its owner overwrites.

        Parameters
        ----------
        index : int
            Which.
        into : memoryview
            Where to; at least as long as the pattern.
        """
        length = int(self.lengths[index])
        view = np.frombuffer(into, np.uint8)[:length]
        np.bitwise_xor(self.masked[index, :length], self.mask[:length], out=view)


class Seeker:
    """Finds needles in one buffer that is used again and again.

    Parameters
    ----------
    needles : Needles
        What to find.
    size : int, bytes
        Of the buffer.
    """

    def __init__(self, needles: Needles, size: int) -> None:
        self.needles = needles
        self._words: Words = np.zeros(-(-size // _WORD), np.uint64)
        self.buffer: Bytes = self._words.view(np.uint8)[:size]
        self._hashes = np.zeros_like(self._words)
        self._likely = np.zeros(len(self._words), np.bool_)
        self._key_mask = np.frombuffer(secrets.token_bytes(_WORD), np.uint64)[0]
        self._table = np.zeros(1 << _BITS, np.bool_)
        self._keys, self._owners, self._shifts = self._index()

    def _index(self) -> tuple[Words, Indices, Indices]:
        """Return all keys, masked and sorted, with the pattern and the place in it that each is from."""
        needles, keys, owners, shifts = self.needles, [], [], []
        every = np.arange(len(needles))
        for start in _telling(needles):
            columns = start[:, None] + np.arange(_WORD)
            key = (needles.masked[every[:, None], columns] ^ needles.mask[columns]).view(np.uint64).ravel()
            self._table[(key * _GOLDEN) >> _SHIFT] = True
            keys.append(key ^ self._key_mask)
            key[:] = 0
            owners.append(every)
            shifts.append(start)
        joined = np.concatenate(keys)
        order = np.argsort(joined, kind="stable")
        return joined[order], np.concatenate(owners)[order], np.concatenate(shifts)[order]

    def find(self, length: int) -> tuple[Indices, Indices]:
        """Find every occurrence in the first bytes of the buffer.

        Parameters
        ----------
        length : int, bytes
            How many.

        Returns
        -------
        positions : ndarray of shape (K,), int64
            Where an occurrence begins, ascending.
        which : ndarray of shape (K,), int64
            Of which pattern.
        """
        count = length // _WORD
        hashes, likely = self._hashes[:count], self._likely[:count]
        np.multiply(self._words[:count], _GOLDEN, out=hashes)
        np.right_shift(hashes, _SHIFT, out=hashes)
        np.take(self._table, hashes.view(np.int64), out=likely, mode="clip")
        words = np.flatnonzero(likely)
        found = [self._compare(words[at : at + _BLOCK], length) for at in range(0, len(words), _BLOCK)]
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        positions, which = (np.concatenate(part) for part in zip(*found, strict=True))
        # A long pattern covers several words, and is found at each of them: keep one of each.
        pairs = np.unique(positions * len(self.needles) + which)
        return pairs // len(self.needles), pairs % len(self.needles)

    def _compare(self, words: Indices, length: int) -> tuple[Indices, Indices]:
        """Compare byte by byte what the hash lets through."""
        keys = self._words[words]
        np.bitwise_xor(keys, self._key_mask, out=keys)  # no longer in clear
        low = np.searchsorted(self._keys, keys, "left")
        number = np.searchsorted(self._keys, keys, "right") - low
        within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        entries = np.repeat(low, number) + within
        which = self._owners[entries]
        starts = np.repeat(words * _WORD, number) - self._shifts[entries]
        inside = (starts >= 0) & (starts + self.needles.lengths[which] <= length)
        starts, which = starts[inside], which[inside]
        same = np.zeros(len(starts), np.bool_)
        for at in range(0, len(starts), _BLOCK):
            part = slice(at, at + _BLOCK)
            same[part] = self._equal(starts[part], which[part])
        return starts[same], which[same]

    def _equal(self, starts: Indices, which: Indices) -> npt.NDArray[np.bool_]:
        places = np.arange(LONGEST)
        beyond = places >= self.needles.lengths[which][:, None]
        copy = self.buffer[np.minimum(starts[:, None] + places, len(self.buffer) - 1)]
        np.bitwise_xor(copy, self.needles.mask, out=copy)  # no longer in clear
        equal: npt.NDArray[np.bool_] = ((copy == self.needles.masked[which]) | beyond).all(axis=1)
        return equal

    def wipe(self, length: int | None = None) -> None:
        """Overwrite the buffer and what was worked out from it.

        Parameters
        ----------
        length : int, bytes, optional
            How far it was used; all of it by default.
        """
        used = None if length is None else -(-length // _WORD)
        self._words[:used] = 0
        self._hashes[:used] = 0


def _telling(needles: Needles) -> Iterator[Indices]:
    """Yield, for each alignment, where in each pattern the word begins that is looked for.

    Memory is full of zeros, and so are some patterns (a dark pixel as floats); a word of few zeros lets
    fewer places through. Zeros are seen under the mask: there a pattern equals it.
    """
    zeros = np.lib.stride_tricks.sliding_window_view(needles.masked == needles.mask, _WORD, axis=1).sum(
        axis=2
    )
    for shift in range(_WORD):
        starts = np.arange(shift, LONGEST - _WORD + 1, _WORD)
        beyond = starts + _WORD > needles.lengths[:, None]
        yield starts[np.where(beyond, _WORD + 1, zeros[:, starts]).argmin(axis=1)]
