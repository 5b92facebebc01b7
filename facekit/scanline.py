"""The rasteriser's first half: which pixel centres each triangle covers, as runs along rows.

Vertices are whole numbers of 1/256 pixel, so edge functions, and hence runs, are exact. Where a
run ends follows from the row above by adding, without a division or a test of any pixel. Each
kernel has a plain version beside it, for where numba cannot compile.

References
----------
.. [1] Pineda, "A Parallel Algorithm for Polygon Rasterization", SIGGRAPH 1988.
.. [2] Bresenham, "Algorithm for computer control of a digital plotter", IBM Syst. J. 4(1), 1965.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled
from facekit.values import Triangles

SUBPIXELS = 256  # vertices snap to this grid, on which the fill rule is exact
FARTHEST = 2**21  # pixels; beyond, the exact integers of the fill rule could overflow

Snapped: TypeAlias = npt.NDArray[np.int64]  # (N, 2) in units of 1/SUBPIXELS pixel
Rows: TypeAlias = npt.NDArray[np.int32]  # (T, 3): first, behind the last, as `find_rows` says
Runs: TypeAlias = npt.NDArray[np.int32]  # (R, 4): row, first and last pixel, triangle, as `find_runs` says
Edge: TypeAlias = tuple[int, int, int, int, int, int]  # side, end, rest, their steps, unit: see `_edge`


@compiled
def find_rows(dst: Snapped, triangles: Triangles) -> Rows:
    """Return for each triangle its first row, the one behind its last, and that with all its edges in.

    The third is the first again where no centre can lie on an edge that is not the triangle's own.
    """
    rows = np.zeros((len(triangles), 3), np.int32)
    for row in range(len(triangles)):
        a, b, c = triangles[row, 0], triangles[row, 1], triangles[row, 2]
        area = doubled_area(dst, a, b, c)
        if area == 0:
            continue
        if area < 0:
            b, c = c, b
        low, high = min(dst[a, 1], dst[b, 1], dst[c, 1]), max(dst[a, 1], dst[b, 1], dst[c, 1])
        level = int(dst[a, 1] == high) + int(dst[b, 1] == high) + int(dst[c, 1] == high) > 1
        closing = _may_lose(dst, a, b) or _may_lose(dst, b, c) or _may_lose(dst, c, a)
        rows[row, 0] = -(-low // SUBPIXELS)
        rows[row, 1] = (high - int(level)) // SUBPIXELS + 1  # a level edge at the bottom is no top edge
        rows[row, 2] = high // SUBPIXELS + 1 if closing else rows[row, 0]
    return rows


@compiled
def _may_lose(dst: Snapped, p: int, q: int) -> bool:
    """Tell whether a centre can lie on the edge from p to q, though it is no top or left edge.

    At centres, both terms of the edge function that vary are multiples of SUBPIXELS: it can be
    zero at some only if what remains is one, too.
    """
    dx, dy = dst[q, 0] - dst[p, 0], dst[q, 1] - dst[p, 1]
    return bool((dy > 0 or (dy == 0 and dx < 0)) and (dx * dst[p, 1] - dy * dst[p, 0]) % SUBPIXELS == 0)


@compiled
def find_runs(dst: Snapped, triangles: Triangles, rows: Rows, width: int, top: int, stop: int) -> Runs:
    """Find the pixels that triangles cover in some rows of a box, in the order in which to draw them.

    A centre on an edge belongs to the triangle for which the edge is a top or a left one. Then come
    triangles that may have a centre on another of their edges, with all of these in: their runs
    close the mesh's outer edge, and are to be drawn only where no triangle has the pixel yet.

    Parameters
    ----------
    dst : ndarray of shape (N, 2), int64, 1/256 pixel
        Vertices, where the box begins at 0, 0.
    triangles : Triangles of shape (T, 3)
        Rows; later ones are drawn over earlier ones.
    rows : ndarray of shape (T, 3), int32
        First row, the one behind the last, and that with all edges in, as `find_rows` tells.
    width : int
        Of the box.
    top, stop : int
        The rows of the box, end exclusive.

    Returns
    -------
    ndarray of shape (R, 4), int32
        Row, first pixel, last pixel, and the triangle; that triangle's complement (~) in runs
        that close the outer edge.
    """
    most = 1
    for row in range(len(triangles)):
        for k in (1, 2):
            most += max(min(rows[row, k], stop) - max(rows[row, 0], top), 0)
    runs, found = np.empty((most, 4), np.int32), 0
    for row in range(len(triangles)):
        y, behind = max(rows[row, 0], top), min(rows[row, 1], stop)
        if y < behind:
            found = _add_runs(runs, found, dst, triangles, row, False, width, y, behind)
    for row in range(len(triangles) - 1, -1, -1):  # backwards: the last row wins
        y, behind = max(rows[row, 0], top), min(rows[row, 2], stop)
        if y < behind:
            found = _add_runs(runs, found, dst, triangles, row, True, width, y, behind)
    return runs[:found]


@compiled
def _add_runs(
    runs: Runs,
    found: int,
    dst: Snapped,
    triangles: Triangles,
    row: int,
    closing: bool,
    width: int,
    y: int,
    behind: int,
) -> int:
    """Write the runs of one triangle behind those found so far, and return how many there are then."""
    a, b, c = triangles[row, 0], triangles[row, 1], triangles[row, 2]
    if doubled_area(dst, a, b, c) < 0:
        b, c = c, b
    ab, bc, ca = _edge(dst, a, b, y, closing), _edge(dst, b, c, y, closing), _edge(dst, c, a, y, closing)
    name = ~row if closing else row
    for line in range(y, behind):
        first = max(_left(ab), _left(bc), _left(ca), 0)
        last = min(_right(ab), _right(bc), _right(ca), width - 1)
        # Written always, counted only if not empty: no branch, which could not be foretold.
        at = np.uint64(found)
        runs[at, 0], runs[at, 1], runs[at, 2], runs[at, 3] = line, first, last, name
        found += int(first <= last)
        ab, bc, ca = _below(ab), _below(bc), _below(ca)
    return found


@compiled
def doubled_area(dst: Snapped, a: int, b: int, c: int) -> int:
    """Return twice the area, exactly; positive where a, b, c are clockwise on the screen."""
    right, down = dst[b, 0] - dst[a, 0], dst[b, 1] - dst[a, 1]
    return int(right * (dst[c, 1] - dst[a, 1]) - down * (dst[c, 0] - dst[a, 0]))


@compiled
def _edge(dst: Snapped, p: int, q: int, y: int, closing: bool) -> Edge:
    """Tell where the edge from p to q bounds row `y`, and how that goes on in the rows below.

    The edge function, less one where centres on the edge are not in, is not negative at pixels
    x >= -end for an edge that runs up (side -1), at x <= end for one that runs down (side 1).
    A level edge (side 0) bounds no row that `find_rows` tells.
    `end` and `rest` are quotient and remainder of a division by `unit`, the next two their steps.
    """
    dx, dy = dst[q, 0] - dst[p, 0], dst[q, 1] - dst[p, 1]
    side, unit = np.sign(dy), max(abs(dy) * SUBPIXELS, 1)
    value = dx * (y * SUBPIXELS - dst[p, 1]) + dy * dst[p, 0] - int(dy > 0 and not closing)
    end, step = value // unit, dx * SUBPIXELS // unit
    return side, end, value - end * unit, step, dx * SUBPIXELS - step * unit, unit


@compiled
def _left(edge: Edge) -> int:
    """Return the first pixel that an edge allows."""
    return -edge[1] if edge[0] < 0 else 0


@compiled
def _right(edge: Edge) -> int:
    """Return the last pixel that an edge allows."""
    return edge[1] if edge[0] > 0 else 2 * FARTHEST


@compiled
def _below(edge: Edge) -> Edge:
    """Go down one row: add the steps, and carry from the remainder to the quotient."""
    side, end, rest, step, rest_step, unit = edge
    rest += rest_step
    carry = int(rest >= unit)
    return side, end + step + carry, rest - unit * carry, step, rest_step, unit


# -- plain versions ------------------------------------------------------------------------


def find_rows_plainly(dst: Snapped, triangles: Triangles) -> Rows:
    """Do what `find_rows` does."""
    corners = dst[triangles]
    low, high = corners[..., 1].min(axis=1), corners[..., 1].max(axis=1)
    level = (corners[..., 1] == high[:, None]).sum(axis=1) > 1
    edges = np.roll(corners, -1, axis=1) - corners
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    dx, dy = np.moveaxis(edges * np.sign(area)[:, None, None], 2, 0)
    rest = (dx * corners[..., 1] - dy * corners[..., 0]) % SUBPIXELS
    closing = (((dy > 0) | ((dy == 0) & (dx < 0))) & (rest == 0)).any(axis=1)
    first, behind = -(-low // SUBPIXELS), high // SUBPIXELS + 1
    rows = np.column_stack([first, (high - level) // SUBPIXELS + 1, np.where(closing, behind, first)])
    rows[area == 0] = 0
    return rows.astype(np.int32)


def find_runs_plainly(
    dst: Snapped, triangles: Triangles, rows: Rows, width: int, top: int, stop: int
) -> Runs:
    """Do what `find_runs` does: test the edge functions all over each triangle's box."""
    order = [(row, False) for row in range(len(triangles))]
    order += [(int(row), True) for row in np.flatnonzero(rows[:, 2] > rows[:, 0])[::-1]]
    found: list[list[int]] = []
    for row, closing in order:
        corners = dst[triangles[row]]
        low = np.maximum(-(-corners.min(axis=0) // SUBPIXELS), (0, top))
        high = np.minimum(corners.max(axis=0) // SUBPIXELS, (width - 1, stop - 1))
        if (low > high).any():
            continue
        hit = _covered(corners, low, high, closing=closing)
        for line in np.flatnonzero(hit.any(axis=1)):
            at = np.flatnonzero(hit[line])
            found.append([low[1] + line, low[0] + at[0], low[0] + at[-1], ~row if closing else row])
    return np.array(found, np.int32).reshape(-1, 4)


def _covered(
    corners: Snapped, low: npt.NDArray[np.int64], high: npt.NDArray[np.int64], *, closing: bool
) -> npt.NDArray[np.bool_]:
    """Tell which pixels from `low` to `high` one triangle covers."""
    edges = np.roll(corners, -1, axis=0) - corners
    area = int(edges[0, 0] * edges[1, 1] - edges[0, 1] * edges[1, 0])
    edges = edges * np.sign(area)
    x, y = np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1)[:, None]
    inside = np.full((len(y), len(x)), area != 0)
    for (dx, dy), (px, py) in zip(edges, corners, strict=True):
        owned = closing or dy < 0 or (dy == 0 and dx > 0)
        inside &= dx * (y * SUBPIXELS - py) - dy * (x * SUBPIXELS - px) >= (0 if owned else 1)
    return inside
