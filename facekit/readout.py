"""Reading a solution off its hierarchy: pixels of the band as they are, hidden ones by cubics.

Rows are made one after the other, each from four rows of the next coarser grid, which are made
just before from that grid's own next coarser one: nothing but a few rows is ever stored.

References
----------
.. [1] Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE Trans. ASSP
   29(6), 1981.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled
from facekit.grids import HIDDENS, Grids

__all__ = ["add_to_bytes", "write_floats"]

Floats = npt.NDArray[np.float32]
Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

RING = 8  # rows kept of each grid; six are in use at a time
PAD = 12  # values on each side of a row
THREE, SIX = np.uint64(3), np.uint64(6)
HALF, NINE, ONE = np.float32(0.5), np.float32(9 / 16), np.float32(1 / 16)


@compiled
def add_to_bytes(
    grids: Grids, field: Floats, source: Bytes, x0: int, y0: int, out: Bytes, start: int, stop: int
) -> None:
    """Write `source + field`, rounded, into the box's rows from `start` to `stop` of `out`.

    Pictures have shape (H, 3 W); the box begins at (x0, y0).
    """
    rings, following, line = _begin(grids, start)
    for y in range(start + 1, stop + 1):
        row = _next(grids, field, rings, following, line, y)
        before, after = source[y - 1 + y0], out[y - 1 + y0]
        for r in range(grids.span_rows[y], grids.span_rows[y + 1]):
            _add(row, before, after, grids.spans[r, 0], grids.spans[r, 1], x0)
        for r in range(grids.hidden_rows[y], grids.hidden_rows[y + 1]):
            _add(row, before, after, grids.hidden[r, 0], grids.hidden[r, 1], x0)


@compiled
def write_floats(grids: Grids, field: Floats, out: Floats, start: int, stop: int) -> None:
    """Write the field into the box's rows from `start` to `stop`; `out` has shape (h, 3 w)."""
    rings, following, line = _begin(grids, start)
    for y in range(start + 1, stop + 1):
        row = _next(grids, field, rings, following, line, y)
        for r in range(grids.span_rows[y], grids.span_rows[y + 1]):
            for k in range(3 * grids.spans[r, 0], 3 * grids.spans[r, 1]):
                out[y - 1, k - 3] = row[PAD + k]
        for r in range(grids.hidden_rows[y], grids.hidden_rows[y + 1]):
            for k in range(3 * grids.hidden[r, 0], 3 * grids.hidden[r, 1]):
                out[y - 1, k - 3] = row[PAD + k]


@compiled
def _add(row: Floats, before: Bytes, after: Bytes, first: int, last: int, x0: int) -> None:
    low, high = np.float32(0), np.float32(255)
    a, b = np.uint64(3 * first + PAD), np.uint64(3 * (first - 1 + x0))
    for k in range(np.uint64(3 * (last - first))):
        value = np.float32(before[b + k]) + row[a + k]
        after[b + k] = np.uint8(np.int32(min(max(value, low), high) + HALF))


@compiled
def _begin(grids: Grids, start: int) -> tuple[Floats, Longs, Floats]:
    """Return room for rows, and the first row of each grid that is needed from row `start` on."""
    depth = 1
    while grids.ends[depth, HIDDENS] > grids.ends[depth - 1, HIDDENS]:
        depth += 1
    following = np.empty(depth, np.int64)
    following[0] = start + 1
    for level in range(1, depth):
        following[level] = max((following[level - 1] + 1 - grids.shapes[level, 2]) // 2 - 1, 0)
    width = 3 * grids.shapes[0, 1] + 2 * PAD
    return np.zeros((depth, RING, width), np.float32), following, np.zeros(width, np.float32)


@compiled
def _next(grids: Grids, field: Floats, rings: Floats, following: Longs, line: Floats, y: int) -> Floats:
    """Make row `y` of the finest grid, and before that what it needs of the coarser ones."""
    depth = len(following)
    needed = np.empty(depth, np.int64)
    needed[0] = y
    for level in range(1, depth):
        last = (needed[level - 1] + 1 - grids.shapes[level, 2]) // 2 + 2
        needed[level] = min(last, grids.shapes[level, 0] - 1)
    for level in range(depth - 1, -1, -1):
        while following[level] <= needed[level]:
            _make_row(grids, field, rings, line, level, following[level])
            following[level] += 1
    return rings[0, y % RING]


@compiled
def _make_row(grids: Grids, field: Floats, rings: Floats, line: Floats, level: int, y: int) -> None:
    """Make one row of one grid."""
    row, base = rings[level, y % RING], grids.row_ends[level] + y
    for r in range(grids.span_rows[base], grids.span_rows[base + 1]):
        a, f = np.uint64(3 * grids.spans[r, 0] + PAD), np.uint64(3 * grids.spans[r, 2])
        for k in range(np.uint64(3 * (grids.spans[r, 1] - grids.spans[r, 0]))):
            row[a + k] = field[f + k]
    if grids.hidden_rows[base] == grids.hidden_rows[base + 1]:
        return
    top, left = grids.shapes[level + 1, 2], grids.shapes[level + 1, 3]
    i, between = (y + 1 - top) // 2, (y + 1 - top) % 2
    one, two = rings[level + 1, (i - 1) % RING], rings[level + 1, i % RING]
    three, four = rings[level + 1, (i + 1) % RING], rings[level + 1, (i + 2) % RING]
    for r in range(grids.hidden_rows[base], grids.hidden_rows[base + 1]):
        first, last = grids.hidden[r, 0], grids.hidden[r, 1]
        j = (first + 1 - left) // 2
        if between:
            a = np.uint64(3 * (j - 1) + PAD)
            for k in range(np.uint64(3 * ((last - first) // 2 + 4))):
                line[a + k] = _cubic(one[a + k], two[a + k], three[a + k], four[a + k])
            _widen(line, row, first, last, j, (first + 1 - left) % 2)
        else:
            _widen(two, row, first, last, j, (first + 1 - left) % 2)


@compiled
def _widen(line: Floats, row: Floats, first: int, last: int, j: int, odd: int) -> None:
    """Interpolate a coarse row, from column `j` on, at the columns from `first` to `last`."""
    f, a, n = np.uint64(3 * first + PAD), np.uint64(3 * j + PAD), np.uint64(last - first)
    if odd:
        for c in range(THREE):
            row[f + c] = _along(line, a + c)
        f, a, n = f + THREE, a + THREE, n - np.uint64(1)
    for k in range(n // np.uint64(2)):
        for c in range(THREE):
            row[f + SIX * k + c] = line[a + THREE * k + c]
            row[f + SIX * k + THREE + c] = _along(line, a + THREE * k + c)
    if n % np.uint64(2):
        for c in range(THREE):
            row[f + THREE * (n - np.uint64(1)) + c] = line[a + THREE * (n // np.uint64(2)) + c]


@compiled
def _along(line: Floats, k: np.uint64) -> Any:
    return _cubic(line[k - THREE], line[k], line[k + THREE], line[k + SIX])


@compiled
def _cubic(one: Any, two: Any, three: Any, four: Any) -> Any:
    """Interpolate halfway between `two` and `three`."""
    return NINE * (two + three) - ONE * (one + four)
