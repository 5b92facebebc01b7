"""The rasteriser's kernels: which pixel centres a triangle covers, and the map along each row of it.

Vertices are whole numbers of 1/256 pixel, so edge functions are exact. Each kernel has a plain
version beside it, for where numba cannot compile.

References
----------
.. [1] Pineda, "A Parallel Algorithm for Polygon Rasterization", SIGGRAPH 1988.
.. [2] Bresenham, "Algorithm for computer control of a digital plotter", IBM Syst. J. 4(1), 1965.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled
from facekit.values import Mask, Triangles

SUBPIXELS = 256  # vertices snap to this grid, on which the fill rule is exact
FARTHEST = 2**21  # pixels; beyond, the exact integers of the fill rule could overflow

Float = npt.NDArray[np.float32]
Edge: TypeAlias = tuple[int, int, int, int, int, int]  # side, end, rest, their steps, unit: see `_edge`


@compiled
def fill(
    dst: npt.NDArray[np.int64],
    triangles: Triangles,
    rim: npt.NDArray[np.bool_],
    values: npt.NDArray[np.float64],
    map_x: Float,
    map_y: Float,
    near: Float,
    inside: Mask,
    top: int,
) -> None:
    """Write each triangle's affine map at the pixel centres that it covers, in the rows from `top`.

    `dst` is in units of 1/SUBPIXELS. A centre on an edge belongs to the triangle for which the
    edge is a top or a left one; then, on the mesh's outer edges, to any if none has it yet. An
    empty `near` means that the last row wins; else the nearest.
    """
    count = len(triangles)
    for turn in range(2 * count):
        closing = turn >= count
        row = 2 * count - 1 - turn if closing else turn  # closing goes backwards: the last row wins
        if closing and not rim[row]:
            continue
        a, b, c = triangles[row]
        low, high = min(dst[a, 1], dst[b, 1], dst[c, 1]), max(dst[a, 1], dst[b, 1], dst[c, 1])
        level = int(dst[a, 1] == high) + int(dst[b, 1] == high) + int(dst[c, 1] == high) > 1
        y_first = max(-(-low // SUBPIXELS), top)
        y_last = min((high - int(level and not closing)) // SUBPIXELS, top + len(inside) - 1)
        area = _doubled_area(dst, a, b, c)
        if y_first > y_last or area == 0:
            continue
        if area < 0:
            b, c, area = c, b, -area
        ab = _edge(dst, a, b, y_first, closing)
        bc = _edge(dst, b, c, y_first, closing)
        ca = _edge(dst, c, a, y_first, closing)
        x_x, x_y = _gradient(dst, values, 0, a, b, c, SUBPIXELS / area)
        y_x, y_y = _gradient(dst, values, 1, a, b, c, SUBPIXELS / area)
        z_x, z_y = _gradient(dst, values, 2, a, b, c, SUBPIXELS / area)
        for y in range(y_first, y_last + 1):
            first = max(_left(ab), _left(bc), _left(ca), 0)
            last = min(_right(ab), _right(bc), _right(ca), map_x.shape[1] - 1)
            ab, bc, ca = _below(ab), _below(bc), _below(ca)
            if first > last:
                continue
            right, down = first - dst[a, 0] / SUBPIXELS, y - dst[a, 1] / SUBPIXELS
            at_x = first + (values[a, 0] + x_x * right + x_y * down), 1 + x_x
            at_y = y + (values[a, 1] + y_x * right + y_y * down), y_x
            at_z = values[a, 2] + z_x * right + z_y * down, z_x
            _write_run(map_x, map_y, near, inside, y - top, first, last, at_x, at_y, at_z, closing)


@compiled
def _write_run(
    map_x: Float,
    map_y: Float,
    near: Float,
    inside: Mask,
    y: int,
    first: int,
    last: int,
    at_x: tuple[float, float],
    at_y: tuple[float, float],
    at_z: tuple[float, float],
    closing: bool,
) -> None:
    """Write a run of pixels: the map's value at the first, and how it grows, for x, y and distance."""
    # Whole arrays, by index: a slice would count references, which two threads do in turn.
    # Counted in 32 bits, which the vector units turn into floats; indexed by what has no sign,
    # because numba looks for a sign at every pixel.
    line = np.uint64(y)
    if near.size:
        for k in range(np.int32(last - first + 1)):
            x, step = np.uint64(first + k), np.float64(np.int32(k))
            distance = np.float32(at_z[0] + step * at_z[1])
            wins = distance < near[line, x]
            near[line, x] = distance if wins else near[line, x]
            map_x[line, x] = np.float32(at_x[0] + step * at_x[1]) if wins else map_x[line, x]
            map_y[line, x] = np.float32(at_y[0] + step * at_y[1]) if wins else map_y[line, x]
    elif closing:
        for k in range(np.int32(last - first + 1)):
            if not inside[line, np.uint64(first + k)]:
                map_x[line, np.uint64(first + k)] = at_x[0] + k * at_x[1]
                map_y[line, np.uint64(first + k)] = at_y[0] + k * at_y[1]
    else:
        for k in range(np.int32(last - first + 1)):
            map_x[line, np.uint64(first + k)] = at_x[0] + np.float64(np.int32(k)) * at_x[1]
        for k in range(np.int32(last - first + 1)):
            map_y[line, np.uint64(first + k)] = at_y[0] + np.float64(np.int32(k)) * at_y[1]
    for k in range(np.int32(last - first + 1)):
        inside[line, np.uint64(first + k)] = True


@compiled
def _doubled_area(dst: npt.NDArray[np.int64], a: int, b: int, c: int) -> int:
    """Return twice the area, exactly; positive where a, b, c are clockwise on the screen."""
    right, down = dst[b, 0] - dst[a, 0], dst[b, 1] - dst[a, 1]
    return int(right * (dst[c, 1] - dst[a, 1]) - down * (dst[c, 0] - dst[a, 0]))


@compiled
def _gradient(
    dst: npt.NDArray[np.int64], values: npt.NDArray[np.float64], of: int, a: int, b: int, c: int, scale: float
) -> tuple[float, float]:
    """Return how a value that is linear over a triangle grows per pixel, rightwards and downwards."""
    to_b, to_c = values[b, of] - values[a, of], values[c, of] - values[a, of]
    right = to_b * (dst[c, 1] - dst[a, 1]) - to_c * (dst[b, 1] - dst[a, 1])
    down = to_c * (dst[b, 0] - dst[a, 0]) - to_b * (dst[c, 0] - dst[a, 0])
    return right * scale, down * scale


@compiled
def _edge(dst: npt.NDArray[np.int64], p: int, q: int, y: int, closing: bool) -> Edge:
    """Tell where the edge from p to q bounds row `y`, and how that goes on in the rows below.

    The edge function, less one where centres on the edge are not in, is not negative at pixels
    x >= -end for an edge that runs up (side -1), at x <= end for one that runs down (side 1).
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


@compiled
def find_rim(triangles: Triangles, points: int) -> npt.NDArray[np.bool_]:
    """Tell which triangles have an edge that no other triangle shares."""
    # Edges are chained by the lower of their two ends; a chain is about three long.
    first = np.full(points, -1, np.int64)
    following = np.empty(3 * len(triangles), np.int64)
    shared = np.zeros(3 * len(triangles), np.bool_)
    for edge in range(3 * len(triangles)):
        p, q = triangles[edge // 3, edge % 3], triangles[edge // 3, (edge + 1) % 3]
        other = first[min(p, q)]
        while other >= 0:
            r, s = triangles[other // 3, other % 3], triangles[other // 3, (other + 1) % 3]
            if max(r, s) == max(p, q):
                break
            other = following[other]
        if other >= 0:
            shared[other] = True
            shared[edge] = True
        else:
            following[edge] = first[min(p, q)]
            first[min(p, q)] = edge
    return ~(shared[0::3] & shared[1::3] & shared[2::3])


def fill_plainly(
    dst: npt.NDArray[np.int64],
    triangles: Triangles,
    rim: npt.NDArray[np.bool_],
    values: npt.NDArray[np.float64],
    map_x: Float,
    map_y: Float,
    near: Float,
    inside: Mask,
    top: int,
) -> None:
    """Do what `fill` does: test the edge functions all over each triangle's box."""
    order = [(row, False) for row in range(len(triangles))]
    order += [(int(row), True) for row in np.flatnonzero(rim)[::-1]]
    for row, closing in order:
        corners = dst[triangles[row]]
        low = np.maximum(-(-corners.min(axis=0) // SUBPIXELS), (0, top))
        high = np.minimum(corners.max(axis=0) // SUBPIXELS, (inside.shape[1] - 1, top + len(inside) - 1))
        edges = np.roll(corners, -1, axis=0) - corners
        area = int(edges[0, 0] * edges[1, 1] - edges[0, 1] * edges[1, 0])
        if area == 0 or (low > high).any():
            continue
        edges = edges * np.sign(area)
        x, y = np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1)[:, None]
        weights = [
            dx * (y * SUBPIXELS - py) - dy * (x * SUBPIXELS - px)
            for (dx, dy), (px, py) in zip(edges, corners, strict=True)
        ]
        owned = [closing or dy < 0 or (dy == 0 and dx > 0) for dx, dy in edges]
        hit = np.all([w >= (0 if own else 1) for w, own in zip(weights, owned, strict=True)], axis=0)
        box = slice(low[1] - top, high[1] + 1 - top), slice(low[0], high[0] + 1)
        # The weight of a corner is the edge function of the edge that faces it.
        shares = np.stack([weights[1], weights[2], weights[0]], axis=2) / abs(area)
        first, *others = values[triangles[row]]
        shift = first + sum(shares[..., k + 1, None] * (other - first) for k, other in enumerate(others))
        distance = shift[..., 2].astype(np.float32)
        if near.size:
            hit &= distance < near[box]
            near[box][hit] = distance[hit]
        elif closing:
            hit &= ~inside[box]
        map_x[box][hit] = (x + shift[..., 0])[hit]
        map_y[box][hit] = (y + shift[..., 1])[hit]
        inside[box][hit] = True


def find_rim_plainly(triangles: Triangles) -> npt.NDArray[np.bool_]:
    """Do what `find_rim` does, by sorting."""
    ends = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 3, 2), axis=2).astype(np.int64)
    keys = ends[..., 0] << 32 | ends[..., 1]
    _, where, count = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray((count[where.reshape(keys.shape)] == 1).any(axis=1))
