"""Reading a solution off its hierarchy: pixels of the band as they are, hidden ones by cubics.

Rows are made one after the other, each from four rows of the next coarser grid, which are made
just before from that grid's own next coarser one: nothing but a few rows is ever stored.

References
----------
.. [1] Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE Trans. ASSP
   29(6), 1981.
"""

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled, inlined
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
    rings, lines, following = _begin(grids)
    for y in range(start + 1, stop + 1):
        _make_hidden(grids, field, rings, lines, following, y)
        before, after, row = source[y - 1 + y0], out[y - 1 + y0], rings[0, 0]
        for r in range(grids.span_rows[y], grids.span_rows[y + 1]):
            first, last, place = grids.spans[r]
            _add(field, 3 * place, before, after, 3 * (first - 1 + x0), 3 * (last - first))
        for r in range(grids.hidden_rows[y], grids.hidden_rows[y + 1]):
            first, last = grids.hidden[r]
            _add(row, 3 * first + PAD, before, after, 3 * (first - 1 + x0), 3 * (last - first))


@compiled
def write_floats(grids: Grids, field: Floats, out: Floats, start: int, stop: int) -> None:
    """Write the field into the box's rows from `start` to `stop`; `out` has shape (h, 3 w)."""
    rings, lines, following = _begin(grids)
    for y in range(start + 1, stop + 1):
        _make_hidden(grids, field, rings, lines, following, y)
        for r in range(grids.span_rows[y], grids.span_rows[y + 1]):
            first, last, place = grids.spans[r]
            _copy(field, 3 * place, out[y - 1], 3 * (first - 1), 3 * (last - first))
        for r in range(grids.hidden_rows[y], grids.hidden_rows[y + 1]):
            first, last = grids.hidden[r]
            _copy(rings[0, 0], 3 * first + PAD, out[y - 1], 3 * (first - 1), 3 * (last - first))


@compiled
def _add(values: Floats, a: int, before: Bytes, after: Bytes, b: int, count: int) -> None:
    """Add `count` values from place `a` on to the bytes from place `b` on."""
    low, high = np.float32(0), np.float32(255)
    more, old, new = values[a : a + count], before[b : b + count], after[b : b + count]
    for k in range(len(more)):
        new[k] = np.uint8(min(max(np.float32(old[k]) + more[k], low), high) + HALF)


@compiled
def _copy(values: Floats, a: int, out: Floats, b: int, count: int) -> None:
    some, room = values[a : a + count], out[b : b + count]
    for k in range(len(some)):
        room[k] = some[k]


# -- rows of hidden pixels -----------------------------------------------------------------


@compiled
def _begin(grids: Grids) -> tuple[Floats, Floats, Longs]:
    """Return room for rows and for what is between, and each grid's row that comes next."""
    depth = 1
    while grids.ends[depth, HIDDENS] > grids.ends[depth - 1, HIDDENS]:
        depth += 1
    following = np.zeros(depth, np.int64)
    width = 3 * grids.shapes[0, 1] + 2 * PAD
    return np.zeros((depth, RING, width), np.float32), np.zeros((2, width), np.float32), following


@inlined
def _make_hidden(grids: Grids, field: Floats, rings: Floats, lines: Floats, following: Longs, y: int) -> None:
    """Make the hidden pixels of the finest grid's row `y`, and before that the coarser rows they need."""
    if grids.hidden_rows[y] == grids.hidden_rows[y + 1]:
        return
    for level in range(len(following) - 1, 0, -1):
        low, high = y, y
        for k in range(1, level + 1):
            low = max((low + 1 - grids.shapes[k, 2]) // 2 - 1, 0)
            high = min((high + 1 - grids.shapes[k, 2]) // 2 + 2, grids.shapes[k, 0] - 1)
        for line in range(max(low, following[level]), high + 1):
            _make_row(grids, field, rings, lines, level, line)
        following[level] = high + 1
    _interpolate(grids, rings, lines, rings[0, 0], 0, y)


@inlined
def _make_row(grids: Grids, field: Floats, rings: Floats, lines: Floats, level: int, y: int) -> None:
    """Make one row of a coarser grid."""
    row, base = rings[level, y % RING], grids.row_ends[level] + y
    for r in range(grids.span_rows[base], grids.span_rows[base + 1]):
        first, last, place = grids.spans[r]
        _copy(field, 3 * place, row, 3 * first + PAD, 3 * (last - first))
    _interpolate(grids, rings, lines, row, level, y)


@inlined
def _interpolate(grids: Grids, rings: Floats, lines: Floats, row: Floats, level: int, y: int) -> None:
    """Fill the hidden pixels of one row from four rows of the next coarser grid."""
    base = grids.row_ends[level] + y
    if grids.hidden_rows[base] == grids.hidden_rows[base + 1]:
        return
    top, left = grids.shapes[level + 1, 2], grids.shapes[level + 1, 3]
    i, coarse = (y + 1 - top) // 2, rings[level + 1]
    for r in range(grids.hidden_rows[base], grids.hidden_rows[base + 1]):
        first, last = grids.hidden[r]
        j, line = (first + 1 - left) // 2, coarse[i % RING]
        if (y + 1 - top) % 2:
            a, b = 3 * (j - 1) + PAD, 3 * (j + (last - first) // 2 + 3) + PAD
            line = lines[0]
            rows = coarse[(i - 1) % RING], coarse[i % RING], coarse[(i + 1) % RING], coarse[(i + 2) % RING]
            _halfway(rows[0][a:b], rows[1][a:b], rows[2][a:b], rows[3][a:b], line[a:b])
        _widen(line, lines[1], row, first, last - first, j, (first + 1 - left) % 2)


@compiled
def _widen(line: Floats, half: Floats, row: Floats, first: int, count: int, j: int, odd: int) -> None:
    """Interpolate a coarse row, from column `j` on, at `count` columns from `first` on."""
    a, size = 3 * j + PAD, 3 * (count // 2 + 1)
    _halfway(line[a - 3 :], line[a:], line[a + 3 :], line[a + 6 :], half[:size])
    f, k = np.uint64(3 * first + PAD), np.uint64(0)
    here = line[a : a + size + 3]
    if odd:
        for c in range(THREE):
            row[f + c] = half[c]
        f, k, count = f + THREE, THREE, count - 1
    for _ in range(count // 2):
        for c in range(THREE):
            row[f + c] = here[k + c]
            row[f + THREE + c] = half[k + c]
        f, k = f + SIX, k + THREE
    if count % 2:
        for c in range(THREE):
            row[f + c] = here[k + c]


@compiled
def _halfway(one: Floats, two: Floats, three: Floats, four: Floats, out: Floats) -> None:
    """Interpolate halfway between `two` and `three`, by cubics."""
    for k in range(len(out)):
        out[k] = NINE * (two[k] + three[k]) - ONE * (one[k] + four[k])
