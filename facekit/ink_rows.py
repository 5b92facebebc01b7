"""What is done to each row of a picture in ink: compiled, and plainly where nothing can be compiled.

References
----------
.. [1] Kang, Lee & Chui, "Coherent Line Drawing", NPAR 2007.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled
from facekit.values import Mask, Matte

__all__ = ["along", "areas", "differences", "dots", "keep"]

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


def areas(labels: Labels, count: int) -> Counts:
    """Count each mark's pixels.

    Parameters
    ----------
    labels : ndarray of shape (H, W), int32
        Which mark each pixel belongs to; 0 is none.
    count : int
        Number of marks, and one.

    Returns
    -------
    ndarray of shape (count,), int64
        0 for what is no mark.
    """
    if can_compile():
        result = np.zeros(count, np.int64)
        _measure(labels, result)  # OpenCV would take ten times as long over it
    else:
        result = np.bincount(labels.ravel(), minlength=count)
        result[0] = 0
    return result


def keep(ink: Matte, labels: Labels, kept: Flags, result: Matte, start: int, stop: int) -> None:
    """Keep the ink of some marks.

    Parameters
    ----------
    ink : Matte of shape (H, W)
        The ink of all.
    labels : ndarray of shape (H, W), int32
        Which mark each pixel belongs to.
    kept : ndarray of shape (N,), bool
        Which marks to keep.
    result : ndarray of shape (H, W), float32
        Written to, all of its rows that are asked for.
    start, stop : int
        The rows, end exclusive.
    """
    (_keep if can_compile() else _keep_plainly)(ink, labels, kept, result, start, stop)


def differences(
    padded: Floats, flow: Floats, weights: Floats, where: Mask, result: Floats, start: int, stop: int
) -> None:
    """Weigh what lies across the flow on either side.

    Parameters
    ----------
    padded : ndarray of shape (H + 2 N, W + 2 N), float32
        Lightness, which goes on beyond the picture for as far as the weights reach.
    flow : ndarray of shape (H, W, 2), float32
        Unit vectors.
    weights : ndarray of shape (N,), float32
        From the middle outwards.
    where : Mask of shape (H, W)
        The pixels that are asked for.
    result : ndarray of shape (H, W), float32
        Written to, where it is asked for.
    start, stop : int
        The rows, end exclusive.
    """
    (_differences if can_compile() else _differences_plainly)(
        padded, flow, weights, where, result, start, stop
    )


def along(
    picture: Floats, flow: Floats, weights: Floats, where: Mask, result: Floats, start: int, stop: int
) -> None:
    """Walk along the flow both ways, and average what is met.

    Parameters
    ----------
    picture : ndarray of shape (H, W), float32
        What to average.
    flow : ndarray of shape (H, W, 2), float32
        Unit vectors; a vector and its opposite say the same.
    weights : ndarray of shape (N,), float32
        Of each step, from the middle outwards.
    where : Mask of shape (H, W)
        The pixels that are asked for.
    result : ndarray of shape (H, W), float32
        Written to, where it is asked for.
    start, stop : int
        The rows, end exclusive.
    """
    (_along if can_compile() else _along_plainly)(picture, flow, weights, where, result, start, stop)


def dots(
    tone: Matte, down: Floats, across: Floats, ranks: Floats, sharp: Any, result: Matte, start: int, stop: int
) -> None:
    """Ink what ranks above the tone on a screen, which is 1 in a dot's middle.

    Parameters
    ----------
    tone : Matte of shape (H, W)
        How dark.
    down, across : ndarray of shape (H,) and (W,), float32
        The screen less a half, as a product of both.
    ranks : ndarray of shape (N,), float32
        Which share of the screen lies below each of evenly spaced levels.
    sharp : float32
        Slope of a dot's rim.
    result : ndarray of shape (H, W), float32
        Written to, all of its rows that are asked for.
    start, stop : int
        The rows, end exclusive.
    """
    (_dots if can_compile() else _dots_plainly)(tone, down, across, ranks, sharp, result, start, stop)


@compiled
def _measure(labels: Labels, result: Counts) -> None:
    """Count each mark's pixels; 0 is no mark."""
    for row in range(len(labels)):
        for col in range(labels.shape[1]):
            label = labels[row, col]
            if label > 0:
                result[label] += 1


@compiled
def _keep(ink: Matte, labels: Labels, kept: Flags, result: Matte, start: int, stop: int) -> None:
    """Keep the ink of some marks."""
    for row in range(start, stop):
        for col in range(ink.shape[1]):
            result[row, col] = ink[row, col] if kept[labels[row, col]] else np.float32(0)


@compiled
def _at(picture: Floats, x: Any, y: Any) -> Any:
    """Sample bilinearly, where all four pixels are there."""
    left, top = int(x), int(y)
    u, v = x - np.float32(left), y - np.float32(top)
    upper = picture[top, left] + u * (picture[top, left + 1] - picture[top, left])
    lower = picture[top + 1, left] + u * (picture[top + 1, left + 1] - picture[top + 1, left])
    return upper + v * (lower - upper)


@compiled
def _differences(
    padded: Floats, flow: Floats, weights: Floats, where: Mask, result: Floats, start: int, stop: int
) -> None:
    """Weigh what lies across the flow on either side; `padded` goes on for as far as that reaches."""
    pad = len(weights)
    for row in range(start, stop):
        for col in range(result.shape[1]):
            if not where[row, col]:
                continue
            x, y = np.float32(col + pad), np.float32(row + pad)
            nx, ny = -flow[row, col, 1], flow[row, col, 0]
            value = weights[0] * padded[row + pad, col + pad]
            for k in range(1, pad):
                dx, dy = np.float32(k) * nx, np.float32(k) * ny
                both = _at(padded, x + dx, y + dy) + _at(padded, x - dx, y - dy)
                value += weights[k] * both
            result[row, col] = value


@compiled
def _along(
    picture: Floats, flow: Floats, weights: Floats, where: Mask, result: Floats, start: int, stop: int
) -> None:
    """Walk along the flow both ways, and average what is met."""
    rows, cols = picture.shape
    for row in range(start, stop):
        for col in range(cols):
            if not where[row, col]:
                continue
            total, value = weights[0], weights[0] * picture[row, col]
            for sign in (-1, 1):
                x, y = np.float32(col), np.float32(row)
                dx, dy = flow[row, col, 0] * np.float32(sign), flow[row, col, 1] * np.float32(sign)
                for k in range(1, len(weights)):
                    x += dx
                    y += dy
                    i, j = int(y + np.float32(0.5)), int(x + np.float32(0.5))
                    if i < 0 or j < 0 or i >= rows or j >= cols or x < 0 or y < 0:
                        break
                    value += weights[k] * picture[i, j]
                    total += weights[k]
                    u, v = flow[i, j, 0], flow[i, j, 1]
                    turn = np.float32(1) if u * dx + v * dy >= 0 else np.float32(-1)
                    dx, dy = u * turn, v * turn
            result[row, col] = value / total


@compiled
def _dots(
    tone: Matte, down: Floats, across: Floats, ranks: Floats, sharp: Any, result: Matte, start: int, stop: int
) -> None:
    """Ink what ranks above the tone on the screen, which is 1 in a dot's middle."""
    last = len(ranks) - 2
    for row in range(start, stop):
        for col in range(tone.shape[1]):
            dark = tone[row, col]
            if dark <= 0 or dark >= 1:
                result[row, col] = min(max(dark, np.float32(0)), np.float32(1))
                continue
            place = (np.float32(0.5) + down[row] * across[col]) * np.float32(last + 1)
            k = min(int(place), last)
            rank = ranks[k] + (place - np.float32(k)) * (ranks[k + 1] - ranks[k])
            ink = (dark - (np.float32(1) - rank)) * sharp + np.float32(0.5)
            result[row, col] = min(max(ink, np.float32(0)), np.float32(1))


# -- plain versions ------------------------------------------------------------------------


def _keep_plainly(ink: Matte, labels: Labels, kept: Flags, result: Matte, start: int, stop: int) -> None:
    """Do as `_keep` does."""
    result[start:stop] = np.where(kept[labels[start:stop]], ink[start:stop], 0)


def _differences_plainly(
    padded: Floats, flow: Floats, weights: Floats, where: Mask, result: Floats, start: int, stop: int
) -> None:
    """Do as `_differences` does."""
    pad = len(weights)
    row, col = np.nonzero(where[start:stop])
    row += start
    nx, ny = -flow[row, col, 1], flow[row, col, 0]
    value = weights[0] * padded[row + pad, col + pad]
    for k in range(1, pad):
        for step in (k, -k):
            x, y = col + pad + step * nx, row + pad + step * ny
            left, top = x.astype(np.intp), y.astype(np.intp)
            u, v = x - left, y - top
            upper = (1 - u) * padded[top, left] + u * padded[top, left + 1]
            lower = (1 - u) * padded[top + 1, left] + u * padded[top + 1, left + 1]
            value += weights[k] * ((1 - v) * upper + v * lower).astype(np.float32)
    result[row, col] = value


def _along_plainly(
    picture: Floats, flow: Floats, weights: Floats, where: Mask, result: Floats, start: int, stop: int
) -> None:
    """Do as `_along` does."""
    rows, cols = picture.shape
    row, col = np.nonzero(where[start:stop])
    row += start
    value, total = weights[0] * picture[row, col], np.full(len(row), weights[0])
    for sign in (-1, 1):
        x, y = col.astype(np.float32), row.astype(np.float32)
        step, within = np.float32(sign) * flow[row, col], np.ones(len(row), np.bool_)
        for weight in weights[1:]:
            x, y = x + step[:, 0], y + step[:, 1]
            i, j = (y + np.float32(0.5)).astype(np.intp), (x + np.float32(0.5)).astype(np.intp)
            within &= (x >= 0) & (y >= 0) & (i < rows) & (j < cols)
            i, j = np.where(within, i, 0), np.where(within, j, 0)
            value += weight * within * picture[i, j]
            total += weight * within
            there = flow[i, j]
            step = np.where((there * step).sum(axis=1, keepdims=True) >= 0, there, -there)
    result[row, col] = value / total


def _dots_plainly(
    tone: Matte, down: Floats, across: Floats, ranks: Floats, sharp: Any, result: Matte, start: int, stop: int
) -> None:
    """Do as `_dots` does."""
    dark, levels = tone[start:stop], np.linspace(0, 1, len(ranks))
    rank = np.interp(np.float32(0.5) + down[start:stop, None] * across, levels, ranks)
    ink = np.clip((dark - (1 - rank)) * sharp + 0.5, 0, 1)
    result[start:stop] = np.where(dark <= 0, 0, np.where(dark >= 1, 1, ink))
