"""The solver on a hierarchy of grids: smooth, carry what is missing to a coarser grid, correct, smooth.

Each grid holds the full approximation, not a correction (Brandt): where a finer grid works, its
right-hand side is what makes its equations agree with the finer ones; where none does, its own
equations count. So one V-cycle serves a grid that covers the mask and one that follows its rim.

A field has one float a channel for each stored pixel, three channels one after the other. Rim
pixels stay zero; ghosts are set from the coarser grid. Kernels are loops over the hierarchy's
lists; inner loops are plain, over runs of pixels, and index by what has no sign, which is what
fills the vector units.

References
----------
.. [1] Brandt, "Multi-Level Adaptive Solutions to Boundary-Value Problems", Math. Comp. 31, 1977.
.. [2] Trottenberg, Oosterlee & Schüller, "Multigrid", Academic Press, 2001; section 5.3.
.. [3] Tatebe, "The Multigrid Preconditioned Conjugate Gradient Method", 6th Copper Mountain
   Conference on Multigrid Methods, 1993.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled
from facekit.grids import GHOSTS, ODDS, PIECES, PIXELS, PROBES, RUNS, TRANSFERS, Grids

__all__ = ["conjugate_gradients", "cycles"]

Floats = npt.NDArray[np.float32]

LEAST_RATE = 0.1  # of convergence; nothing faster is believed
SLOW = 0.4  # rate of convergence; if V-cycles are slower, conjugate gradients do better
SLOWEST = 0.98  # rate that conjugate gradients are thought to have at least
TINY = 1e-30
PART = 512  # values that are summed, or compared, at a time
TWO, THREE, SIX = np.uint64(2), np.uint64(3), np.uint64(6)
HALF, NINE, ONE = np.float32(0.5), np.float32(9 / 16), np.float32(1 / 16)


def _chebyshev(low: float, high: float) -> tuple[float, float]:
    """Return the two Jacobi steps that together damp errors between two eigenvalues best."""
    roots = np.cos(np.pi * np.array([1, 3]) / 4)
    first, second = 1 / ((high + low) / 2 + (high - low) / 2 * roots)
    return float(first), float(second)


# Eigenvalues, in units of the diagonal, of the errors that the next coarser grid cannot see.
FINE_STEPS = _chebyshev(0.5, 2.0)  # of the five-point stencil
COARSE_STEPS = _chebyshev(0.58, 1.65)  # of the nine-point ones


@compiled
def cycles(grids: Grids, field: Floats, rhs: Floats, goal: float, most: int) -> tuple[float, float]:
    """Improve `field` by V-cycles, from the coarser grids' answer on; return two estimates of error.

    The first is what the iteration has to go, infinite if it is slow; the second what hiding
    pixels costs. `rhs` is overwritten on the coarser grids.
    """
    spare, old, known = np.zeros_like(field), np.zeros_like(field), np.empty_like(field)
    missing = np.zeros(3 * grids.ends[1, PIXELS], np.float32)
    _descend(grids, 0, field, rhs, spare, old)
    last, squares, error = 0.0, 0.0, np.inf
    for turn in range(most):
        _copy(field, known, len(field))
        _v_cycle(grids, 0, field, rhs, spare, old)
        move = _largest_difference(field, known, len(field))  # on all grids: what is hidden moves, too
        before, squares = squares, _residual_squares(grids, field, rhs, missing)
        if not squares > 0:  # zero: nothing is missing; or not a number
            return squares, 0.0
        if turn:
            # The slower of the two tells: what is smooth hardly shows in the residual.
            rate = max(np.sqrt(squares / max(before, TINY)), move / max(last, TINY))
            error = _to_go(move, rate)
            if turn > 1 and error <= goal:  # the first rate is that of what goes fast
                break
            if turn > 1 and not rate < SLOW:
                return np.inf, 0.0
        last = move
    return error, _hiding_error(grids, field)


@compiled
def conjugate_gradients(grids: Grids, field: Floats, rhs: Floats, goal: float, most: int) -> float:
    """Improve `field` by directions that do not undo each other, each made from a V-cycle's.

    For a hierarchy that hides nothing. Returns the estimate of error.
    """
    size = 3 * grids.ends[1, PIXELS]
    residual, image = np.zeros(size, np.float32), np.zeros(size, np.float32)
    _residual(grids, 0, field, rhs, residual)
    better, wanted = np.zeros_like(field), np.zeros_like(field)
    spare, old = np.zeros_like(field), np.zeros_like(field)
    step, nothing = np.zeros(size, np.float32), np.zeros(size, np.float32)
    squares, error = _product(residual, residual, size), np.inf
    share, stretch, move, latest = 0.0, -TINY, 0.0, np.inf
    for turn in range(most):
        better[:] = 0
        _copy(residual, wanted, size)
        _v_cycle(grids, 0, better, wanted, spare, old)
        if turn:
            share = -_product(better, image, size) / stretch
        for k in range(size):
            step[k] = better[k] + np.float32(share) * step[k]
        _residual(grids, 0, step, nothing, image)  # less the step's image
        stretch = min(_product(step, image, size), -TINY)
        length = -_product(step, residual, size) / stretch
        for k in range(size):
            field[k] += np.float32(length) * step[k]
            residual[k] += np.float32(length) * image[k]
        before, squares = squares, _product(residual, residual, size)
        last, move = move, abs(length) * _largest_difference(step, nothing, size)
        rate = max(np.sqrt(squares / max(before, TINY)), move / max(last, TINY))
        rate = min(rate, SLOWEST)  # each step gets closer; where rounding is all that is left, none shows
        # A single short step may be an accident: what two steps say is believed.
        before_last, latest = latest, _to_go(max(move, last), rate)
        error = max(before_last, latest)
        if turn and error <= goal:
            break
    return error


@compiled
def _to_go(move: float, rate: float) -> float:
    """Estimate the error left after a move, where each is `rate` times the one before."""
    rate = max(rate, LEAST_RATE)
    if rate < 1:
        return float(move * rate / (1 - rate))
    return 0.0 if move == 0 else np.inf


# -- the cycle -----------------------------------------------------------------------------


@compiled
def _v_cycle(grids: Grids, top: int, field: Floats, rhs: Floats, spare: Floats, old: Floats) -> None:
    """Run one V-cycle from grid `top` down and up again."""
    if not _solve_last(grids, top, field, rhs):
        _smooth(grids, top, field, rhs, spare, False)
        _descend(grids, top, field, rhs, spare, old)
        _smooth(grids, top, field, rhs, spare, True)


@compiled
def _descend(grids: Grids, top: int, field: Floats, rhs: Floats, spare: Floats, old: Floats) -> None:
    """Correct grid `top` from the coarser ones."""
    bottom = len(grids.shapes) - 1
    for level in range(top + 1, bottom + 1):
        _to_coarser(grids, level, field, rhs, spare, old)
        if level < bottom:
            _smooth(grids, level, field, rhs, spare, False)
        elif not _solve_last(grids, level, field, rhs):
            _smooth(grids, level, field, rhs, spare, False)
            _smooth(grids, level, field, rhs, spare, True)
    for level in range(bottom, top, -1):
        _to_finer(grids, level, field, old)
        if level - 1 > top:
            _smooth(grids, level - 1, field, rhs, spare, True)


@compiled
def _solve_last(grids: Grids, level: int, field: Floats, rhs: Floats) -> bool:
    """Solve the coarsest grid by its inverse; False if this is another one, or has none."""
    last, inverse = grids.last, grids.inverse
    if level < len(grids.shapes) - 1 or not len(last):
        return False
    for k in range(len(last)):
        for c in range(3):
            total = np.float32(0)
            for n in range(len(last)):
                total += inverse[k, n] * rhs[3 * last[n] + c]
            field[3 * last[k] + c] = total
    return True


@compiled
def _smooth(grids: Grids, level: int, field: Floats, rhs: Floats, spare: Floats, back: bool) -> None:
    """Take two Jacobi steps on one grid."""
    steps = COARSE_STEPS if level else FINE_STEPS
    one, two = (steps[1], steps[0]) if back else (steps[0], steps[1])
    _copy_ghosts(grids, level, field, spare)
    _jacobi(grids, level, field, rhs, spare, np.float32(one))
    _jacobi(grids, level, spare, rhs, field, np.float32(two))


@compiled
def _jacobi(grids: Grids, level: int, field: Floats, rhs: Floats, out: Floats, step: np.float32) -> None:
    """Write `field + step * (rhs - A field) / diag A`."""
    runs, odd, weights = grids.runs, grids.odd, grids.weights
    start, stop = grids.ends[level], grids.ends[level + 1]
    corner, edge, centre = grids.stencils[level]
    gain, keep = step / centre, np.float32(1) - step
    for r in range(start[RUNS], stop[RUNS]):
        n, a = THREE * np.uint64(runs[r, 0]), THREE * np.uint64(runs[r, 1])
        u, d = THREE * np.uint64(runs[r, 2]), THREE * np.uint64(runs[r, 3])
        before, after = a - THREE, a + THREE
        if level == 0:
            for k in range(n):
                around = (field[before + k] + field[after + k]) + (field[u + k] + field[d + k])
                out[a + k] = keep * field[a + k] + gain * (rhs[a + k] - edge * around)
        else:
            ul, ur, dl, dr = u - THREE, u + THREE, d - THREE, d + THREE
            for k in range(n):
                around = (field[before + k] + field[after + k]) + (field[u + k] + field[d + k])
                across = (field[ul + k] + field[ur + k]) + (field[dl + k] + field[dr + k])
                out[a + k] = keep * field[a + k] + gain * (rhs[a + k] - edge * around - corner * across)
    for r in range(start[ODDS], stop[ODDS]):
        pull = step / weights[r, 4]
        a = THREE * np.uint64(odd[r, 0])
        u, d = THREE * np.uint64(odd[r, 1]), THREE * np.uint64(odd[r, 2])
        image = _image(field, weights, np.uint64(r), a, u, d)
        for c in range(3):
            at = a + np.uint64(c)
            out[at] = field[at] + pull * (rhs[at] - image[c])


@compiled
def _image(
    field: Floats, weights: Floats, row: np.uint64, a: np.uint64, u: np.uint64, d: np.uint64
) -> tuple[Any, Any, Any]:
    """Apply odd stencil `row` to a pixel's three channels."""
    one, two, three = weights[row, np.uint64(0)], weights[row, np.uint64(1)], weights[row, np.uint64(2)]
    four, five, six = weights[row, np.uint64(3)], weights[row, np.uint64(4)], weights[row, np.uint64(5)]
    seven, eight, nine = weights[row, np.uint64(6)], weights[row, np.uint64(7)], weights[row, np.uint64(8)]
    red, green, blue = np.float32(0), np.float32(0), np.float32(0)
    for middle, left, centre, right in ((u, one, two, three), (a, four, five, six), (d, seven, eight, nine)):
        k = middle - THREE
        red += left * field[k] + centre * field[k + THREE] + right * field[k + SIX]
        k += np.uint64(1)
        green += left * field[k] + centre * field[k + THREE] + right * field[k + SIX]
        k += np.uint64(1)
        blue += left * field[k] + centre * field[k + THREE] + right * field[k + SIX]
    return red, green, blue


@compiled
def _residual(grids: Grids, level: int, field: Floats, rhs: Floats, out: Floats) -> None:
    """Write `rhs - A field` where a grid is worked on; elsewhere `out` must be zero and stays so."""
    runs, odd, weights = grids.runs, grids.odd, grids.weights
    start, stop = grids.ends[level], grids.ends[level + 1]
    corner, edge, centre = grids.stencils[level]
    for r in range(start[RUNS], stop[RUNS]):
        n, a = THREE * np.uint64(runs[r, 0]), THREE * np.uint64(runs[r, 1])
        u, d = THREE * np.uint64(runs[r, 2]), THREE * np.uint64(runs[r, 3])
        before, after = a - THREE, a + THREE
        if level == 0:
            for k in range(n):
                around = (field[before + k] + field[after + k]) + (field[u + k] + field[d + k])
                out[a + k] = rhs[a + k] - centre * field[a + k] - edge * around
        else:
            ul, ur, dl, dr = u - THREE, u + THREE, d - THREE, d + THREE
            for k in range(n):
                around = (field[before + k] + field[after + k]) + (field[u + k] + field[d + k])
                across = (field[ul + k] + field[ur + k]) + (field[dl + k] + field[dr + k])
                out[a + k] = rhs[a + k] - centre * field[a + k] - edge * around - corner * across
    for r in range(start[ODDS], stop[ODDS]):
        a = THREE * np.uint64(odd[r, 0])
        u, d = THREE * np.uint64(odd[r, 1]), THREE * np.uint64(odd[r, 2])
        image = _image(field, weights, np.uint64(r), a, u, d)
        for c in range(3):
            out[a + np.uint64(c)] = rhs[a + np.uint64(c)] - image[c]


# -- between grids -------------------------------------------------------------------------


@compiled
def _to_coarser(grids: Grids, level: int, field: Floats, rhs: Floats, spare: Floats, old: Floats) -> None:
    """Let grid `level` take over the finer one's field, and say what that is missing."""
    transfers, odd = grids.transfers, grids.odd
    start, stop = grids.ends[level], grids.ends[level + 1]
    _residual(grids, level - 1, field, rhs, spare)
    for r in range(start[TRANSFERS], stop[TRANSFERS]):
        n, a = np.uint64(transfers[r, 0]), THREE * np.uint64(transfers[r, 1])
        f = THREE * np.uint64(transfers[r, 5]) + THREE
        for k in range(n):
            for c in range(THREE):
                field[a + THREE * k + c] = field[f + SIX * k + c]
    for r in range(start[ODDS], stop[ODDS]):
        a, f = THREE * np.uint64(odd[r, 0]), THREE * np.uint64(odd[r, 4]) + THREE
        for c in range(THREE):
            field[a + c] = field[f + c]
    for k in range(3 * start[PIXELS], 3 * stop[PIXELS]):
        old[k] = field[k]
    _agree(grids, level, field, rhs, spare)


@compiled
def _agree(grids: Grids, level: int, field: Floats, rhs: Floats, missing: Floats) -> None:
    """Write the right-hand side for which grid `level` moves only by what the finer one is missing."""
    transfers, odd, weights = grids.transfers, grids.odd, grids.weights
    start, stop = grids.ends[level], grids.ends[level + 1]
    corner, edge, centre = grids.stencils[level]
    for r in range(start[TRANSFERS], stop[TRANSFERS]):
        count, a = np.uint64(transfers[r, 0]), THREE * np.uint64(transfers[r, 1])
        u, d = THREE * np.uint64(transfers[r, 2]), THREE * np.uint64(transfers[r, 3])
        before, after = a - THREE, a + THREE
        ul, ur, dl, dr = u - THREE, u + THREE, d - THREE, d + THREE
        for k in range(THREE * count):
            around = (field[before + k] + field[after + k]) + (field[u + k] + field[d + k])
            across = (field[ul + k] + field[ur + k]) + (field[dl + k] + field[dr + k])
            rhs[a + k] = centre * field[a + k] + edge * around + corner * across
        above, here = THREE * np.uint64(transfers[r, 4]), THREE * np.uint64(transfers[r, 5])
        below = THREE * np.uint64(transfers[r, 6])
        for k in range(count):
            for c in range(THREE):
                rhs[a + THREE * k + c] += _sum(missing, above, here, below, SIX * k + c)
    for r in range(start[ODDS], stop[ODDS]):
        a = THREE * np.uint64(odd[r, 0])
        u, d = THREE * np.uint64(odd[r, 1]), THREE * np.uint64(odd[r, 2])
        above, here = THREE * np.uint64(odd[r, 3]), THREE * np.uint64(odd[r, 4])
        below = THREE * np.uint64(odd[r, 5])
        image = _image(field, weights, np.uint64(r), a, u, d)
        for c in range(3):
            rhs[a + np.uint64(c)] = image[c] + _sum(missing, above, here, below, np.uint64(c))


@compiled
def _sum(missing: Floats, above: np.uint64, here: np.uint64, below: np.uint64, k: np.uint64) -> Any:
    """Add up 3 x 3 finer pixels, by the weights of bilinear interpolation."""
    middle = missing[here + k + THREE] + HALF * (missing[above + k + THREE] + missing[below + k + THREE])
    left = missing[here + k] + HALF * (missing[above + k] + missing[below + k])
    right = missing[here + k + SIX] + HALF * (missing[above + k + SIX] + missing[below + k + SIX])
    return middle + HALF * (left + right)


@compiled
def _to_finer(grids: Grids, level: int, field: Floats, old: Floats) -> None:
    """Correct the finer grid by how grid `level` moved, and set its ghosts."""
    pieces = grids.pieces
    start, stop = grids.ends[level], grids.ends[level + 1]
    for k in range(3 * start[PIXELS], 3 * stop[PIXELS]):
        old[k] = field[k] - old[k]
    for r in range(start[PIECES], stop[PIECES]):
        n, f = np.uint64(pieces[r, 0]), THREE * np.uint64(pieces[r, 1])
        a, b = THREE * np.uint64(pieces[r, 3]), THREE * np.uint64(pieces[r, 4])
        if pieces[r, 2]:  # the first lies between two coarse columns
            for c in range(THREE):
                field[f + c] += HALF * (
                    _middle(old, a + c, b + c) + _middle(old, a + THREE + c, b + THREE + c)
                )
            n, f, a, b = n - np.uint64(1), f + THREE, a + THREE, b + THREE
        for k in range(n // TWO):
            for c in range(THREE):
                here = _middle(old, a + THREE * k + c, b + THREE * k + c)
                there = _middle(old, a + THREE * k + THREE + c, b + THREE * k + THREE + c)
                field[f + SIX * k + c] += here
                field[f + SIX * k + THREE + c] += HALF * (here + there)
        if n % TWO:
            f, a, b = f + SIX * (n // TWO), a + THREE * (n // TWO), b + THREE * (n // TWO)
            for c in range(THREE):
                field[f + c] += _middle(old, a + c, b + c)
    _set_ghosts(grids, level, field)


@compiled
def _middle(values: Floats, a: np.uint64, b: np.uint64) -> Any:
    return HALF * (values[a] + values[b])


@compiled
def _set_ghosts(grids: Grids, level: int, field: Floats) -> None:
    """Interpolate the finer grid's ghosts by cubics."""
    ghosts = grids.ghosts
    for r in range(grids.ends[level, GHOSTS], grids.ends[level + 1, GHOSTS]):
        out, odd = ghosts[r, 1], ghosts[r, 2]
        for k in range(odd, odd + ghosts[r, 0]):
            for c in range(3):
                j = 3 * (k // 2) + c
                if ghosts[r, 3]:
                    rows = (
                        3 * ghosts[r, 4] + j,
                        3 * ghosts[r, 5] + j,
                        3 * ghosts[r, 6] + j,
                        3 * ghosts[r, 7] + j,
                    )
                    if k % 2:
                        value = _cubic(
                            _along(field, rows[0]),
                            _along(field, rows[1]),
                            _along(field, rows[2]),
                            _along(field, rows[3]),
                        )
                    else:
                        value = _cubic(field[rows[0]], field[rows[1]], field[rows[2]], field[rows[3]])
                else:
                    value = _along(field, 3 * ghosts[r, 4] + j) if k % 2 else field[3 * ghosts[r, 4] + j]
                field[3 * (out + k - odd) + c] = value


@compiled
def _copy_ghosts(grids: Grids, level: int, field: Floats, out: Floats) -> None:
    """Copy the ghosts of grid `level`."""
    if level + 1 < len(grids.shapes):
        for r in range(grids.ends[level + 1, GHOSTS], grids.ends[level + 2, GHOSTS]):
            first = 3 * grids.ghosts[r, 1]
            for k in range(first, first + 3 * grids.ghosts[r, 0]):
                out[k] = field[k]


@compiled
def _along(field: Floats, k: int) -> Any:
    return _cubic(field[k - 3], field[k], field[k + 3], field[k + 6])


@compiled
def _cubic(one: Any, two: Any, three: Any, four: Any) -> Any:
    """Interpolate halfway between `two` and `three`."""
    return NINE * (two + three) - ONE * (one + four)


# -- how good it is ------------------------------------------------------------------------


@compiled
def _hiding_error(grids: Grids, field: Floats) -> float:
    """Estimate what hiding pixels costs: where the band ends, compare its pixels with their cubics."""
    probes, total = grids.probes, 0.0
    for level in range(1, len(grids.shapes)):
        worst = np.float32(0)
        for r in range(grids.ends[level, PROBES], grids.ends[level + 1, PROBES]):
            a, b, c, d = probes[r, 1], probes[r, 2], probes[r, 3], probes[r, 4]
            for k in range(3):
                guess = _cubic(field[3 * a + k], field[3 * b + k], field[3 * c + k], field[3 * d + k])
                worst = max(worst, abs(field[3 * probes[r, 0] + k] - guess))
        total += float(worst)
    return total


@compiled
def _residual_squares(grids: Grids, field: Floats, rhs: Floats, missing: Floats) -> float:
    _residual(grids, 0, field, rhs, missing)
    return _product(missing, missing, len(missing))


@compiled
def _product(one: Floats, other: Floats, count: int) -> float:
    """Return the inner product of the first `count` values, by parts of a few hundred."""
    total = 0.0
    for start in range(0, count, PART):
        first, second = one[start : min(start + PART, count)], other[start : min(start + PART, count)]
        part = np.float32(0)
        for k in range(len(first)):
            part += first[k] * second[k]
        total += float(part)
    return total


@compiled
def _largest_difference(one: Floats, other: Floats, count: int) -> float:
    """Return the largest size of the difference; not a number if there is one.

    Floats without their sign are in the order of their bits, and not-a-number comes last; the
    largest of whole numbers is what the vector units can find.
    """
    away, found = np.empty(PART, np.float32), np.zeros(1, np.int32)
    bits, most = away.view(np.int32), np.int32(0)
    for start in range(0, count, PART):
        first, second = one[start : min(start + PART, count)], other[start : min(start + PART, count)]
        for k in range(len(first)):
            away[k] = first[k] - second[k]
        for k in range(len(first)):
            most = max(most, bits[k] & np.int32(0x7FFFFFFF))
    found[0] = most
    return float(found.view(np.float32)[0])


@compiled
def _copy(values: Floats, out: Floats, count: int) -> None:
    for k in range(count):
        out[k] = values[k]
