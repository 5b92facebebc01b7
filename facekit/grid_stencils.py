"""The stencils of a hierarchy's grids.

References
----------
.. [1] Trottenberg, Oosterlee & Schüller, "Multigrid", Academic Press, 2001; section 7.7 on
   Galerkin coarse grids.
"""

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled
from facekit.grid_pixels import ALIKE, FEW, ODD, UNKNOWN

__all__ = ["border_weights", "coarser_stencil", "galerkin", "galerkin_stencil", "inverse"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]

STIFF = 1e6  # largest screening of a coarse grid; all that matters is that it is large


@compiled
def coarser_stencil(stencil: Floats) -> Floats:
    """Return corner, edge and centre of the stencil of every second pixel, with the same solutions.

    In units of the edge's weight plus twice the corner's, a stencil is `a + b + t/2 a b - S`,
    where a and b are the second differences along the axes. With `A = a^2 + 4 a` the second
    difference over two pixels, `a + b + t/2 a b = S` implies `A + B + t'/2 A B = S'` up to
    `(a b)^2`, for the t' and S' below. From the five-point stencil on, t goes from 0 to 1/3.
    """
    t = -2 * float(stencil[0])
    screen = float(stencil[2]) - 4 + 2 * t
    new = (2 + 2 * t + t * screen) / (8 + 2 * screen)
    screen = min(screen * screen + 4 * screen, STIFF)
    return np.array([-new / 2, new - 1, 4 - 2 * new + screen], np.float32)


@compiled
def galerkin_stencil(stencil: Floats) -> Floats:
    """Return corner, edge and centre of a constant stencil interpolated, applied and restricted.

    Along one axis, the identity becomes (1/4, 3/2, 1/4) and the sum of both neighbours (1, 2, 1);
    this is the product of the two axes.
    """
    corner, edge, centre = float(stencil[0]), float(stencil[1]), float(stencil[2])
    new_corner = centre / 16 + edge / 2 + corner
    new_edge = 3 * centre / 8 + 2 * edge + 2 * corner
    return np.array([new_corner, new_edge, 9 * centre / 4 + 6 * edge + 4 * corner], np.float32)


@compiled
def border_weights(
    classes: Bytes, number: Ints, stencil: Floats, border: npt.NDArray[np.bool_], weights: Floats
) -> None:
    """Write the weights of the finest grid's odd pixels: those at the picture's border."""
    rows, cols = classes.shape
    for y in range(1, rows - 1 if border.any() else 1):
        for x in range(1, cols - 1):
            if classes[y, x] != np.uint8(ODD):
                continue
            own = weights[number[y, x]]
            own[:] = 0
            own[1] = own[3] = own[5] = own[7] = stencil[1]
            own[4] = stencil[2]
            for side in range(4):
                edge = (y == 1, y == rows - 2, x == 1, x == cols - 2)[side]
                if border[side] and edge:
                    own[4] += stencil[1]
                    own[(1, 7, 3, 5)[side]] = 0


@compiled
def galerkin(
    fine: Bytes,
    number: Ints,
    weights: Floats,
    stencil: Floats,
    classes: Bytes,
    top: int,
    left: int,
    count: int,
) -> None:
    """Work out the Galerkin stencils of the odd coarse pixels, by bilinear interpolation.

    Each of the 3 x 3 fine pixels around counts by its share; what their stencils say of the
    5 x 5 pixels around goes to the coarse pixels from which those are interpolated.
    """
    around, rows = np.empty((5, 5), np.float64), np.empty((3, 5), np.float64)
    for i in range(1, classes.shape[0] - 1):
        y = 2 * (i - 1) + top + 1
        for j in range(1, classes.shape[1] - 1):
            if classes[i, j] != np.uint8(ODD):
                continue
            x = 2 * (j - 1) + left + 1
            around[:] = 0
            for n in range(9):
                _add_stencil(fine, number, weights, stencil, y, x, n // 3, n % 3, around)
            _forget_known(fine, y, x, around)
            for q in range(5):
                rows[0, q] = around[0, q] + 0.5 * around[1, q]
                rows[1, q] = 0.5 * (around[1, q] + around[3, q]) + around[2, q]
                rows[2, q] = 0.5 * around[3, q] + around[4, q]
            for r in range(3):
                weights[count, 3 * r] = rows[r, 0] + 0.5 * rows[r, 1]
                weights[count, 3 * r + 1] = 0.5 * (rows[r, 1] + rows[r, 3]) + rows[r, 2]
                weights[count, 3 * r + 2] = 0.5 * rows[r, 3] + rows[r, 4]
            count += 1


@compiled
def _add_stencil(
    fine: Bytes,
    number: Ints,
    weights: Floats,
    stencil: Floats,
    y: int,
    x: int,
    py: int,
    px: int,
    around: Doubles,
) -> None:
    """Add the stencil of one of the 3 x 3 pixels around (y, x), by its share."""
    kind = fine[y + py - 1, x + px - 1]
    if not kind & UNKNOWN:
        return
    share = (0.5 if py != 1 else 1.0) * (0.5 if px != 1 else 1.0)
    if not kind & ALIKE:
        own = weights[number[y + py - 1, x + px - 1]]
        for n in range(9):
            around[py + n // 3, px + n % 3] += share * own[n]
        return
    corner, edge, centre = share * stencil[0], share * stencil[1], share * stencil[2]
    around[py, px + 1] += edge
    around[py + 1, px] += edge
    around[py + 1, px + 1] += centre
    around[py + 1, px + 2] += edge
    around[py + 2, px + 1] += edge
    if corner != 0.0:
        around[py, px] += corner
        around[py, px + 2] += corner
        around[py + 2, px] += corner
        around[py + 2, px + 2] += corner


@compiled
def _forget_known(fine: Bytes, y: int, x: int, around: Doubles) -> None:
    """Clear what the stencils say of known pixels: they are zero."""
    for qy in range(5):
        for qx in range(5):
            v, u = y + qy - 2, x + qx - 2
            inside = 0 <= v < fine.shape[0] and 0 <= u < fine.shape[1]
            if not (inside and fine[v, u] & UNKNOWN):
                around[qy, qx] = 0.0


@compiled
def inverse(
    classes: Bytes, place: Ints, number: Ints, weights: Floats, stencil: Floats
) -> tuple[Ints, Floats]:
    """Return the coarsest grid's pixels and the inverse of its equations; nothing if they are many."""
    rows, cols = classes.shape
    which, count = np.full((rows, cols), -1, np.int64), 0
    for y in range(rows):
        for x in range(cols):
            if classes[y, x] & np.uint8(2):
                which[y, x] = count
                count += 1
    if count > FEW:
        return np.empty(0, np.int32), np.empty((0, 0), np.float32)
    last, matrix = np.empty(count, np.int32), np.zeros((count, 2 * count))
    for y in range(1, rows - 1):
        for x in range(1, cols - 1):
            k = which[y, x]
            if k >= 0:
                last[k] = place[y, x]
                matrix[k, count + k] = 1
                own = weights[number[y, x]] if classes[y, x] == np.uint8(ODD) else _nine(stencil)
                for n in range(9):
                    other = which[y + n // 3 - 1, x + n % 3 - 1]
                    if other >= 0:
                        matrix[k, other] = own[n]
    _eliminate(matrix)
    return last, matrix[:, count:].astype(np.float32)


@compiled
def _nine(stencil: Floats) -> Floats:
    """Write a common stencil out."""
    corner, edge, centre = stencil
    return np.array([corner, edge, corner, edge, centre, edge, corner, edge, corner], np.float32)


@compiled
def _eliminate(matrix: Doubles) -> None:
    """Turn (A, 1) into (1, A^-1), as Gauss and Jordan do; A is close to diagonally dominant."""
    count = len(matrix)
    for k in range(count):
        pivot = 1 / matrix[k, k]  # positive, so that no row needs another's place
        for n in range(2 * count):
            matrix[k, n] *= pivot
        for other in range(count):
            times = matrix[other, k]
            if other != k and times != 0.0:
                for n in range(k, count + k + 1):
                    matrix[other, n] -= times * matrix[k, n]
