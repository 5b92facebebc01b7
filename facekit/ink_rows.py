"""What is done to each row of a picture in ink: each compiled, and plainly.

All but one write the rows from `start` to `stop` of their last array, `result`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled
from facekit.values import Mask, Matte

__all__ = [
    "along",
    "along_plainly",
    "differences",
    "differences_plainly",
    "dots",
    "dots_plainly",
    "keep",
    "keep_plainly",
    "measure",
]

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@compiled
def measure(labels: Labels, areas: npt.NDArray[np.int64]) -> None:
    """Count each mark's pixels; 0 is no mark."""
    for row in range(len(labels)):
        for col in range(labels.shape[1]):
            label = labels[row, col]
            if label > 0:
                areas[label] += 1


@compiled
def keep(ink: Matte, labels: Labels, kept: Flags, result: Matte, start: int, stop: int) -> None:
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
def differences(
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
def along(
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
def dots(
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
            place = (down[row] + across[col]) * np.float32(last + 1)
            k = min(int(place), last)
            rank = ranks[k] + (place - np.float32(k)) * (ranks[k + 1] - ranks[k])
            ink = (dark - (np.float32(1) - rank)) * sharp + np.float32(0.5)
            result[row, col] = min(max(ink, np.float32(0)), np.float32(1))


# -- plain versions ------------------------------------------------------------------------


def keep_plainly(ink: Matte, labels: Labels, kept: Flags, result: Matte, start: int, stop: int) -> None:
    """Do as `keep` does."""
    result[start:stop] = np.where(kept[labels[start:stop]], ink[start:stop], 0)


def differences_plainly(
    padded: Floats, flow: Floats, weights: Floats, where: Mask, result: Floats, start: int, stop: int
) -> None:
    """Do as `differences` does."""
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


def along_plainly(
    picture: Floats, flow: Floats, weights: Floats, where: Mask, result: Floats, start: int, stop: int
) -> None:
    """Do as `along` does."""
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


def dots_plainly(
    tone: Matte, down: Floats, across: Floats, ranks: Floats, sharp: Any, result: Matte, start: int, stop: int
) -> None:
    """Do as `dots` does."""
    dark, levels = tone[start:stop], np.linspace(0, 1, len(ranks))
    rank = np.interp(down[start:stop, None] + across, levels, ranks)
    ink = np.clip((dark - (1 - rank)) * sharp + 0.5, 0, 1)
    result[start:stop] = np.where(dark <= 0, 0, np.where(dark >= 1, 1, ink))
