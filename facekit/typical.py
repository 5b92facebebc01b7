"""Which of many values are typical, and what their centre and spread are.

References
----------
.. [1] Leys et al., "Detecting outliers: Do not use standard deviation around the mean, use
   absolute deviation around the median", J. Exp. Soc. Psychology 49(4), 2013.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled

__all__ = ["NORMAL", "median", "typical", "typical_pixels"]

FENCE = 2.5  # robust deviations beyond which a pixel is not typical (Leys et al.)
NORMAL = 1.4826  # a normal distribution's deviation over its median absolute deviation
LEAST = np.array([4.0, 2.0, 2.0], np.float32)  # L and relative chroma; smallest deviation to reckon with
LEAST_SPREAD = 0.5  # L or relative chroma
CLASSES = 1024  # of values, to narrow down where the middle one lies
FEW = 32  # values that are sorted at once

Floats = npt.NDArray[np.float32]


def typical(pixels: Floats) -> tuple[Floats, Floats]:
    """Return centre and spread of the typical pixels, channel by channel.

    Parameters
    ----------
    pixels : ndarray of shape (N, 3), float32
        At least one pixel.

    Returns
    -------
    centre, spread : ndarray of shape (3,), float32
        Mean and standard deviation of the pixels that are no outliers.

    Examples
    --------
    >>> skin = np.tile(np.float32([60, 15, 20]), (99, 1))
    >>> centre, _ = typical(np.concatenate([skin, np.zeros((20, 3), np.float32)]))
    >>> centre.tolist()
    [60.0, 15.0, 20.0]
    """
    channels = np.ascontiguousarray(pixels.T)
    middle, reach = _fence(channels, FENCE)
    if can_compile():
        found = np.array([_sums_within(channels, middle, reach, k) for k in range(len(channels))])
        count, away, squares = found.T
    else:
        kept = (channels - middle[:, None])[:, _within(channels, middle, reach)].astype(np.float64)
        count, away, squares = (
            np.full(len(kept), kept.shape[1]),
            kept.sum(axis=1),
            np.square(kept).sum(axis=1),
        )
    off = away / count
    spread = np.sqrt(np.maximum(squares / count - off**2, 0.0))
    return (middle + off).astype(np.float32), np.maximum(spread, LEAST_SPREAD).astype(np.float32)


def typical_pixels(pixels: Floats, *, fence: float = FENCE) -> npt.NDArray[np.bool_]:
    """Tell which pixels lie within `fence` robust deviations of the median in every channel.

    Parameters
    ----------
    pixels : ndarray of shape (N, 3), float32
        At least one pixel.
    fence : float
        Robust deviations.

    Returns
    -------
    ndarray of shape (N,), bool
        True where typical; always true for at least one pixel.
    """
    channels = np.ascontiguousarray(pixels.T)
    return _within(channels, *_fence(channels, fence))


def _fence(channels: Floats, fence: float) -> tuple[Floats, Floats]:
    """Return the medians, and how far from them a pixel is still typical; in doubt, all are."""
    middle = median(channels)
    spread = np.float32(NORMAL) * median(np.abs(channels - middle[:, None]))
    reach = np.float32(fence) * np.maximum(spread, LEAST)
    found = _within(channels, middle, reach).any()
    return middle, reach if found else np.full_like(reach, np.inf)


def _within(channels: Floats, middle: Floats, reach: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray((np.abs(channels - middle[:, None]) <= reach[:, None]).all(axis=0))


def median(rows: Floats) -> Floats:
    """Return the median of each row.

    Parameters
    ----------
    rows : ndarray of shape (M, N), float32
        Finite; at least one column.

    Returns
    -------
    ndarray of shape (M,), float32
        As NumPy's, which takes several times as long.

    Examples
    --------
    >>> median(np.float32([[3, 1, 2, 9], [5, 5, 5, 0]])).tolist()
    [2.5, 5.0]
    """
    if not can_compile():
        return np.asarray(np.median(rows, axis=1), np.float32)
    result = np.empty(len(rows), np.float32)
    _medians(np.ascontiguousarray(rows), result)
    return result


@compiled
def _medians(rows: Floats, result: Floats) -> None:
    """Do as `median` does."""
    count = rows.shape[1]
    for i in range(len(rows)):
        lower = _ranked(rows[i], (count - 1) // 2)
        upper, below = np.float32(np.inf), 0
        for value in rows[i]:
            below += value <= lower
            upper = min(upper, value if value > lower else np.float32(np.inf))
        result[i] = lower if below > count // 2 else (lower + upper) / np.float32(2)


@compiled
def _ranked(values: Floats, rank: int) -> Any:
    """Return what would stand at `rank` if the values were sorted: classes, then the right class alone."""
    kinds = np.empty(len(values), np.int16)
    while len(values) > FEW:
        least, most = values[0], values[0]
        for value in values:
            least, most = min(least, value), max(most, value)
        if not most > least:
            return least
        scale = np.float32(CLASSES - 1) / (most - least)
        sizes = np.zeros(CLASSES, np.int64)
        for i in range(len(values)):
            kinds[i] = np.int16((values[i] - least) * scale)
        for i in range(len(values)):
            sizes[kinds[i]] += 1
        kind = 0
        while rank >= sizes[kind]:
            rank -= sizes[kind]
            kind += 1
        chosen, found = np.empty(sizes[kind], np.float32), 0
        for i in range(len(values)):
            if kinds[i] == kind:
                chosen[found] = values[i]
                found += 1
        values = chosen
    return np.sort(values)[rank]


@compiled
def _sums_within(channels: Floats, middle: Floats, reach: Floats, k: int) -> tuple[float, float, float]:
    """Count the typical pixels; add up how far they lie from the middle in one channel, and its squares."""
    count, sum_, squares = 0.0, 0.0, 0.0
    for i in range(channels.shape[1]):
        a, b, c = channels[0, i] - middle[0], channels[1, i] - middle[1], channels[2, i] - middle[2]
        inside: Any = np.float32((abs(a) <= reach[0]) & (abs(b) <= reach[1]) & (abs(c) <= reach[2]))
        away = (channels[k, i] - middle[k]) * inside
        count += inside
        sum_ += away
        squares += away * away
    return count, sum_, squares
