"""How much of each pixel a shape covers: exact areas for fills, distances for strokes.

A filled polygon's edges each add, to the pixels they cross, the area between them and the row's right
end, with a sign; a running sum along each row then gives the covered area, exactly. A stroke covers
what lies nearer to its line than half its width, with a pixel's ramp at the rim.

References
----------
.. [1] Levien, "Inside the fastest font renderer in the world", 2016, for signed areas summed along rows.
.. [2] Gupta & Sproull, "Filtering Edges for Gray-Scale Displays", SIGGRAPH 1981, for strokes by distance.
"""

import cv2
import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled
from facekit.values import Matte

__all__ = ["cover_fill", "cover_stroke"]

Lines = npt.NDArray[np.float32]  # (N, 4): x0, y0, x1, y1, in pixels from the box's corner
FINER = 16  # times finer is the grid on which the plain version counts


def cover_fill(lines: Lines, shape: tuple[int, int]) -> Matte:
    """Return how much of each pixel closed polygons cover.

    Parameters
    ----------
    lines : ndarray of shape (N, 4), float32, pixels
        Edges from (x, y) to (x, y); pixel (0, 0) spans 0 to 1. Closed rings, ring by ring.
    shape : (rows, cols)
        Size of the box. Edges beyond its sides are reckoned with.

    Returns
    -------
    Matte of shape (rows, cols)
        Where rings overlap the same way round, covered once.

    Examples
    --------
    >>> square = np.float32([[0.5, 0, 2, 0], [2, 0, 2, 1], [2, 1, 0.5, 1], [0.5, 1, 0.5, 0]])
    >>> cover_fill(square, (1, 3)).tolist()
    [[0.5, 1.0, 0.0]]
    """
    if not can_compile():
        return _fill_plainly(lines, shape)
    sums = np.zeros((shape[0], shape[1] + 2), np.float32)
    _add_edges(lines, sums)
    result = np.empty(shape, np.float32)
    _run(sums, result)
    return result


def cover_stroke(lines: Lines, radius: float, shape: tuple[int, int]) -> Matte:
    """Return how much of each pixel a pen with a round nib covers that is drawn along lines.

    Parameters
    ----------
    lines : ndarray of shape (N, 4), float32, pixels
        From (x, y) to (x, y).
    radius : float, pixels
        Half the pen's width.
    shape : (rows, cols)
        Size of the box.

    Returns
    -------
    Matte of shape (rows, cols)
        Each pixel once, however often the pen passes.

    Examples
    --------
    >>> cover_stroke(np.float32([[0, 1.5, 4, 1.5]]), 0.5, (3, 4))[:, 2].tolist()
    [0.0, 1.0, 0.0]
    """
    result = np.zeros(shape, np.float32)
    if can_compile():
        _near_lines(lines, radius, result)
    else:
        _stroke_plainly(lines, radius, result)
    return result


@compiled
def _add_edges(lines: Lines, sums: Matte) -> None:
    """Add each edge's signed area to the cells it crosses, row by row."""
    rows, width = sums.shape[0], sums.shape[1] - 2
    for i in range(len(lines)):
        x0, y0, x1, y1 = lines[i, 0], lines[i, 1], lines[i, 2], lines[i, 3]
        if y0 == y1:
            continue
        sign = np.float32(1)
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
            sign = np.float32(-1)
        slope = (x1 - x0) / (y1 - y0)
        for row in range(max(int(np.floor(y0)), 0), min(int(np.ceil(y1)), rows)):
            top, bottom = max(y0, np.float32(row)), min(y1, np.float32(row + 1))
            height = (bottom - top) * sign
            left, right = x0 + (top - y0) * slope, x0 + (bottom - y0) * slope
            if left > right:
                left, right = right, left
            left = min(max(left, np.float32(0)), np.float32(width))
            right = min(max(right, np.float32(0)), np.float32(width))
            first, last = int(left), int(np.ceil(right))
            if last <= first + 1:
                share = np.float32(first + 1) - (left + right) * np.float32(0.5)
                sums[row, first] += height * share
                sums[row, first + 1] += height * (np.float32(1) - share)
                continue
            # Over several cells: the area left of the edge grows as a triangle, a strip each, a triangle.
            each = height / (right - left)
            before = np.float32(0)
            for cell in range(first, last):
                a, b = max(left, np.float32(cell)), min(right, np.float32(cell + 1))
                passed = (b - a) * each
                share = np.float32(cell + 1) - (a + b) * np.float32(0.5)
                sums[row, cell] += before + passed * share
                before = passed * (np.float32(1) - share)
            sums[row, last] += before


@compiled
def _run(sums: Matte, result: Matte) -> None:
    """Sum along each row."""
    for row in range(result.shape[0]):
        total = np.float32(0)
        for col in range(result.shape[1]):
            total += sums[row, col]
            result[row, col] = min(abs(total), np.float32(1))


@compiled
def _near_lines(lines: Lines, radius: float, result: Matte) -> None:
    """Keep for each pixel the most that any line's stroke covers of it."""
    rows, cols = result.shape
    reach = np.float32(radius + 0.5)
    thin = np.float32(min(1.0, 2 * radius))  # a hairline covers no whole pixel
    for i in range(len(lines)):
        x0, y0, x1, y1 = lines[i, 0], lines[i, 1], lines[i, 2], lines[i, 3]
        dx, dy = x1 - x0, y1 - y0
        length = max(dx * dx + dy * dy, np.float32(1e-12))
        top, bottom = int(min(y0, y1) - reach), int(max(y0, y1) + reach) + 1
        start, stop = int(min(x0, x1) - reach), int(max(x0, x1) + reach) + 1
        for row in range(max(top, 0), min(bottom, rows)):
            v = np.float32(row + 0.5) - y0
            for col in range(max(start, 0), min(stop, cols)):
                u = np.float32(col + 0.5) - x0
                t = min(max((u * dx + v * dy) / length, np.float32(0)), np.float32(1))
                away = np.sqrt((u - t * dx) ** 2 + (v - t * dy) ** 2)
                cover = min(max(reach - away, np.float32(0)), thin)
                result[row, col] = max(result[row, col], cover)


# -- plain versions ------------------------------------------------------------------------


def _fill_plainly(lines: Lines, shape: tuple[int, int]) -> Matte:
    """Do as `cover_fill` does, by counting on a finer grid."""
    ends = np.flatnonzero(np.any(lines[:-1, 2:] != lines[1:, :2], axis=1)) + 1
    canvas = np.zeros((shape[0] * FINER, shape[1] * FINER), np.uint8)
    for ring in np.split(lines[:, :2], ends):
        corners = np.rint((np.clip(ring, -1e4, 1e4) * FINER - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(canvas, [corners], 1, cv2.LINE_8, 4)
    return np.asarray(canvas.reshape(shape[0], FINER, shape[1], FINER).mean(axis=(1, 3)), np.float32)


def _stroke_plainly(lines: Lines, radius: float, result: Matte) -> None:
    """Do as `_near_lines` does."""
    y, x = np.mgrid[: result.shape[0], : result.shape[1]].astype(np.float32) + np.float32(0.5)
    for x0, y0, x1, y1 in lines:
        dx, dy = x1 - x0, y1 - y0
        along = ((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-12)
        t = np.clip(along, 0, 1)
        away = np.hypot(x - x0 - t * dx, y - y0 - t * dy)
        np.maximum(result, np.clip(radius + 0.5 - away, 0, min(1, 2 * radius)), out=result)
