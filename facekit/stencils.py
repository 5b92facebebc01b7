"""Nine-point stencils over the pixels of a mask, compiled.

The unknowns of a grid are held row by row as *runs*, stretches of pixels that share one stencil
(centre, edge, corner), and as *odd* pixels, each with nine weights of its own. Away from a mask's
rim all pixels are alike, so that a sweep costs what its memory traffic costs.

Fields have shape (h + 2, 3 (w + 2)): pixels one after the other, three channels each, and a rim
of zeros around. Known pixels are zero as well, so no loop asks whether a neighbour exists. Each
kernel writes the rows from `start` to `stop` (of the picture, without the rim) and depends on
nothing that another strip writes. Inner loops are plain and over whole runs: that is what fills
the vector units.

References
----------
.. [1] Trottenberg, Oosterlee & Schüller, "Multigrid", Academic Press, 2001; section 7.7 on
   Galerkin coarse grids.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled

__all__ = [
    "add_gradients",
    "add_rim",
    "advance",
    "aim",
    "classify",
    "coarse_stencils",
    "image_of",
    "measure",
    "prolong",
    "put",
    "restrict_residual",
    "settle",
    "smooth",
    "smooth_zero",
    "trace",
]

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Sums = npt.NDArray[np.float64]

UNKNOWN, ALIKE = 1, 2  # bits of a pixel's kind


# -- what a grid looks like ----------------------------------------------------------------


@compiled
def trace(kind: Bytes, runs: Ints, run_rows: Ints, odd: Ints, odd_rows: Ints, number: Ints) -> None:
    """List the runs and the odd pixels, row by row; number the odd ones in place.

    `kind` has shape (h + 2, w + 2); `run_rows` and `odd_rows` receive where each row's begin.
    """
    height, width = kind.shape
    run, single = 0, 0
    for y in range(1, height - 1):
        run_rows[y], odd_rows[y] = run, single
        before = 0
        for x in range(1, width):
            here = kind[y, x]
            if here == before:
                if here == UNKNOWN:
                    odd[single] = x
                    number[y, x] = single
                    single += 1
                continue
            if before == UNKNOWN | ALIKE:
                runs[run, 1] = x
                run += 1
            if here == UNKNOWN | ALIKE:
                runs[run, 0] = x
            elif here == UNKNOWN:
                odd[single] = x
                number[y, x] = single
                single += 1
            before = here
    run_rows[0], odd_rows[0] = 0, 0
    run_rows[height - 1 :], odd_rows[height - 1 :] = run, single


@compiled
def classify(fine: Bytes, coarse: Bytes, top: int, left: int) -> None:
    """Say of each coarse pixel whether it is unknown, and whether its stencil is the common one.

    Coarse pixel (i, j) sits on the fine one (2 i + top, 2 j + left). Its stencil is the common
    one where the 5 x 5 fine pixels around are unknown and the inner 3 x 3 have the common stencil.
    """
    rows, cols = fine.shape
    wide, near = np.zeros(cols + 4, np.uint8), np.zeros(cols + 4, np.uint8)
    for i in range(1, coarse.shape[0] - 1):
        y = 2 * (i - 1) + top + 1
        if y < 2 or y > rows - 3:
            wide[:] = 0
        else:
            for x in range(cols):
                near[x + 2] = fine[y - 1, x] & fine[y, x] & fine[y + 1, x]
                wide[x + 2] = near[x + 2] & fine[y - 2, x] & fine[y + 2, x]
        for j in range(1, coarse.shape[1] - 1):
            x = 2 * (j - 1) + left + 1
            every = wide[x] & wide[x + 1] & wide[x + 2] & wide[x + 3] & wide[x + 4] & UNKNOWN
            alike = near[x + 1] & near[x + 2] & near[x + 3] & ALIKE
            kind = fine[y, x] & UNKNOWN
            if every and alike:
                kind |= ALIKE
            coarse[i, j] = kind


@compiled
def coarse_stencils(
    fine: Bytes,
    number: Ints,
    weights: Floats,
    common: Floats,
    coarse_odd: Ints,
    coarse_rows: Ints,
    coarse_weights: Floats,
    top: int,
    left: int,
    start: int,
    stop: int,
) -> None:
    """Work out the Galerkin stencils of the odd coarse pixels, by bilinear interpolation.

    `common` and each row of `weights` hold nine weights, row by row.
    """
    total = np.empty(9, np.float64)
    for i in range(start + 1, stop + 1):
        y = 2 * (i - 1) + top + 1
        for k in range(coarse_rows[i], coarse_rows[i + 1]):
            x = 2 * (coarse_odd[k] - 1) + left + 1
            total[:] = 0
            for py in range(-1, 2):
                for px in range(-1, 2):
                    kind = fine[y + py, x + px]
                    if kind & UNKNOWN:
                        stencil = common if kind & ALIKE else weights[number[y + py, x + px]]
                        share = (1.0 - 0.5 * abs(py)) * (1.0 - 0.5 * abs(px))
                        _add_product(fine, y, x, py, px, stencil, share, total)
            for n in range(9):
                coarse_weights[k, n] = total[n]


@compiled
def _add_product(
    fine: Bytes, y: int, x: int, py: int, px: int, stencil: Floats, share: float, total: Sums
) -> None:
    """Add `share` times the stencil at (y + py, x + px), interpolated from around (y, x), to `total`."""
    for n in range(9):
        qy, qx = py + n // 3 - 1, px + n % 3 - 1
        if stencil[n] == 0.0 or not fine[y + qy, x + qx] & UNKNOWN:
            continue
        # The pixel (qy, qx) away takes from one or two coarse pixels each way.
        both_y, both_x = qy & 1, qx & 1
        weight = stencil[n] * share * (0.5 if both_y else 1.0) * (0.5 if both_x else 1.0)
        low_y, low_x = (qy + 2) // 2 - 1, (qx + 2) // 2 - 1
        for cy in range(low_y, low_y + both_y + 1):
            for cx in range(low_x, low_x + both_x + 1):
                total[3 * cy + cx + 4] += weight


# -- smoothing -----------------------------------------------------------------------------


@compiled
def smooth(
    field: Floats,
    rhs: Floats,
    out: Floats,
    steps: Floats,
    start: int,
    stop: int,
    runs: Ints,
    run_rows: Ints,
    odd: Ints,
    odd_rows: Ints,
    weights: Floats,
    common: Floats,
) -> None:
    """Take two Jacobi steps from `field` to `out`; the field between them is never stored whole."""
    grid = (runs, run_rows, odd, odd_rows, weights, common)
    three = np.zeros((3, field.shape[1]), np.float32)  # rows of the field between, in turn
    for y in range(start, stop + 2):
        three[y % 3] = 0
        if 0 < y < field.shape[0] - 1:
            _jacobi_row(field[y - 1], field[y], field[y + 1], rhs[y], three[y % 3], steps[0], y, *grid)
        if y > start + 1:
            above, here, below = three[(y - 2) % 3], three[(y - 1) % 3], three[y % 3]
            _jacobi_row(above, here, below, rhs[y - 1], out[y - 1], steps[1], y - 1, *grid)


@compiled
def smooth_zero(
    rhs: Floats,
    out: Floats,
    steps: Floats,
    start: int,
    stop: int,
    runs: Ints,
    run_rows: Ints,
    odd: Ints,
    odd_rows: Ints,
    weights: Floats,
    common: Floats,
) -> None:
    """Take two Jacobi steps from a field of zeros to `out`."""
    grid = (runs, run_rows, odd, odd_rows, weights, common)
    three = np.zeros((3, rhs.shape[1]), np.float32)
    for y in range(start, stop + 2):
        _first_row(rhs[y], three[y % 3], steps[0], y, *grid)
        if y > start + 1:
            above, here, below = three[(y - 2) % 3], three[(y - 1) % 3], three[y % 3]
            _jacobi_row(above, here, below, rhs[y - 1], out[y - 1], steps[1], y - 1, *grid)


@compiled
def _jacobi_row(
    above: Floats,
    here: Floats,
    below: Floats,
    rhs: Floats,
    out: Floats,
    step: np.float32,
    y: int,
    runs: Ints,
    run_rows: Ints,
    odd: Ints,
    odd_rows: Ints,
    weights: Floats,
    common: Floats,
) -> None:
    """Write one row of `here + step * (rhs - A field) / diag A`."""
    corner, edge, gain, keep = common[0], common[1], step / common[4], np.float32(1) - step
    for r in range(run_rows[y], run_rows[y + 1]):
        a, b = 3 * runs[r, 0], 3 * runs[r, 1]
        up, mid, low = above[a - 3 : b + 3], here[a - 3 : b + 3], below[a - 3 : b + 3]
        wanted, new = rhs[a:b], out[a:b]
        if corner == 0:
            for k in range(b - a):
                around = (mid[k] + mid[k + 6]) + (up[k + 3] + low[k + 3])
                new[k] = keep * mid[k + 3] + gain * (wanted[k] - edge * around)
        else:
            for k in range(b - a):
                around = (mid[k] + mid[k + 6]) + (up[k + 3] + low[k + 3])
                across = (up[k] + up[k + 6]) + (low[k] + low[k + 6])
                new[k] = keep * mid[k + 3] + gain * (wanted[k] - edge * around - corner * across)
    for k in range(odd_rows[y], odd_rows[y + 1]):
        pull = step / weights[k, 4]
        for x in range(3 * odd[k], 3 * odd[k] + 3):
            out[x] = here[x] + pull * (rhs[x] - _at(above, here, below, weights, k, x))


@compiled
def _first_row(
    rhs: Floats,
    out: Floats,
    step: np.float32,
    y: int,
    runs: Ints,
    run_rows: Ints,
    odd: Ints,
    odd_rows: Ints,
    weights: Floats,
    common: Floats,
) -> None:
    """Write one row of `step * rhs / diag A`: what a Jacobi step makes of zeros."""
    gain = step / common[4]
    out[:] = 0
    for r in range(run_rows[y], run_rows[y + 1]):
        a, b = 3 * runs[r, 0], 3 * runs[r, 1]
        wanted, new = rhs[a:b], out[a:b]
        for k in range(b - a):
            new[k] = gain * wanted[k]
    for k in range(odd_rows[y], odd_rows[y + 1]):
        for x in range(3 * odd[k], 3 * odd[k] + 3):
            out[x] = step / weights[k, 4] * rhs[x]


@compiled
def _at(above: Floats, here: Floats, below: Floats, weights: Floats, k: int, x: int) -> Any:
    """Apply odd stencil `k` at one place of a row."""
    return (
        (weights[k, 0] * above[x - 3] + weights[k, 1] * above[x] + weights[k, 2] * above[x + 3])
        + (weights[k, 3] * here[x - 3] + weights[k, 4] * here[x] + weights[k, 5] * here[x + 3])
        + (weights[k, 6] * below[x - 3] + weights[k, 7] * below[x] + weights[k, 8] * below[x + 3])
    )


# -- between grids -------------------------------------------------------------------------


@compiled
def restrict_residual(
    field: Floats,
    rhs: Floats,
    coarse: Floats,
    top: int,
    left: int,
    start: int,
    stop: int,
    runs: Ints,
    run_rows: Ints,
    odd: Ints,
    odd_rows: Ints,
    weights: Floats,
    common: Floats,
) -> None:
    """Write the residual `rhs - A field`, carried to the coarser grid, into `coarse`.

    `start` and `stop` are rows of the coarser grid. The residual itself is not kept.
    """
    grid = (runs, run_rows, odd, odd_rows, weights, common)
    three = np.zeros((3, field.shape[1]), np.float32)  # rows of the residual, in turn
    line = np.zeros(field.shape[1] + 9, np.float32)
    y = 2 * start + top
    if y > 0:
        _residual_row(field[y - 1], field[y], field[y + 1], rhs[y], three[y % 3], y, *grid)
    for i in range(start, stop):
        middle = 2 * i + top + 1
        for y in range(middle, middle + 2):
            if y < field.shape[0] - 1:
                _residual_row(field[y - 1], field[y], field[y + 1], rhs[y], three[y % 3], y, *grid)
            else:
                three[y % 3] = 0
        above, here, below = three[(middle - 1) % 3], three[middle % 3], three[(middle + 1) % 3]
        _sum_three(above, here, below, left, line, coarse[i + 1])


@compiled
def _residual_row(
    above: Floats,
    here: Floats,
    below: Floats,
    rhs: Floats,
    out: Floats,
    y: int,
    runs: Ints,
    run_rows: Ints,
    odd: Ints,
    odd_rows: Ints,
    weights: Floats,
    common: Floats,
) -> None:
    """Write one row of `rhs - A field`."""
    corner, edge, centre = common[0], common[1], common[4]
    out[:] = 0
    for r in range(run_rows[y], run_rows[y + 1]):
        a, b = 3 * runs[r, 0], 3 * runs[r, 1]
        up, mid, low = above[a - 3 : b + 3], here[a - 3 : b + 3], below[a - 3 : b + 3]
        wanted, new = rhs[a:b], out[a:b]
        if corner == 0:
            for k in range(b - a):
                around = (mid[k] + mid[k + 6]) + (up[k + 3] + low[k + 3])
                new[k] = wanted[k] - centre * mid[k + 3] - edge * around
        else:
            for k in range(b - a):
                around = (mid[k] + mid[k + 6]) + (up[k + 3] + low[k + 3])
                across = (up[k] + up[k + 6]) + (low[k] + low[k + 6])
                new[k] = wanted[k] - centre * mid[k + 3] - edge * around - corner * across
    for k in range(odd_rows[y], odd_rows[y + 1]):
        for x in range(3 * odd[k], 3 * odd[k] + 3):
            out[x] = rhs[x] - _at(above, here, below, weights, k, x)


@compiled
def _sum_three(above: Floats, here: Floats, below: Floats, left: int, line: Floats, out: Floats) -> None:
    """Carry three rows of residuals to one row of the coarser grid: the transpose of `prolong`."""
    for x in range(len(here)):
        line[x] = here[x] + np.float32(0.5) * (above[x] + below[x])
    part, new = line[3 * left :], out[3:-3]
    for k in range(len(new) // 3):
        for c in range(3):
            n = 6 * k + c
            new[3 * k + c] = part[n + 3] + np.float32(0.5) * (part[n] + part[n + 6])


@compiled
def prolong(
    coarse: Floats,
    field: Floats,
    top: int,
    left: int,
    start: int,
    stop: int,
    runs: Ints,
    run_rows: Ints,
    odd: Ints,
    odd_rows: Ints,
) -> None:
    """Add what the coarser grid found, interpolated bilinearly, to `field`."""
    size = coarse.shape[1]
    line = np.empty(size, np.float32)
    wide = np.empty(2 * size, np.float32)
    for y in range(start + 1, stop + 1):
        i, between = (y + 1 - top) // 2, (y + 1 - top) % 2
        first, second = coarse[i], coarse[i + between]
        for k in range(size):
            line[k] = np.float32(0.5) * (first[k] + second[k])
        _spread(line, wide)
        more, new = wide[3 - 3 * left :], field[y]
        for r in range(run_rows[y], run_rows[y + 1]):
            a, b = 3 * runs[r, 0], 3 * runs[r, 1]
            part, correction = new[a:b], more[a:b]
            for k in range(b - a):
                part[k] += correction[k]
        for k in range(odd_rows[y], odd_rows[y + 1]):
            for x in range(3 * odd[k], 3 * odd[k] + 3):
                new[x] += more[x]


@compiled
def _spread(line: Floats, wide: Floats) -> None:
    """Interpolate a row at every half step."""
    for k in range(len(line) // 3 - 1):
        for c in range(3):
            wide[6 * k + c] = line[3 * k + c]
            wide[6 * k + c + 3] = np.float32(0.5) * (line[3 * k + c] + line[3 * k + c + 3])


# -- conjugate gradients -------------------------------------------------------------------


@compiled
def image_of(
    step: Floats,
    residual: Floats,
    image: Floats,
    sums: Sums,
    start: int,
    stop: int,
    runs: Ints,
    run_rows: Ints,
    odd: Ints,
    odd_rows: Ints,
    weights: Floats,
    common: Floats,
) -> None:
    """Write `-A step` into `image`, and the rows' products of `step` with both into `sums`, (2, h + 2)."""
    nothing = np.zeros(step.shape[1], np.float32)
    grid = (runs, run_rows, odd, odd_rows, weights, common)
    for y in range(start + 1, stop + 1):
        _residual_row(step[y - 1], step[y], step[y + 1], nothing, image[y], y, *grid)
        sums[0, y], sums[1, y] = _product(step[y], image[y]), _product(step[y], residual[y])


@compiled
def _product(one: Floats, other: Floats) -> np.float32:
    total = np.float32(0)
    for k in range(len(one)):
        total += one[k] * other[k]
    return total


@compiled
def advance(
    field: Floats,
    residual: Floats,
    step: Floats,
    image: Floats,
    length: float,
    sums: Sums,
    start: int,
    stop: int,
) -> None:
    """Add `length * step` to `field` and `length * image` to `residual`.

    `sums`, of shape (2, h + 2), receives each row's squares of the residual and largest step.
    """
    far = np.float32(length)
    for y in range(start + 1, stop + 1):
        x, r, p, q = field[y], residual[y], step[y], image[y]
        for k in range(len(x)):
            x[k] += far * p[k]
            r[k] += far * q[k]
        sums[0, y], sums[1, y] = _product(r, r), _largest(p)


@compiled
def settle(
    field: Floats,
    residual: Floats,
    step: Floats,
    sums: Sums,
    start: int,
    stop: int,
    runs: Ints,
    run_rows: Ints,
    odd: Ints,
    odd_rows: Ints,
    weights: Floats,
    common: Floats,
) -> None:
    """Add `step` to `field` and take `A step` from `residual`: the plain iteration, in one pass.

    `sums` is as `advance` has it.
    """
    grid = (runs, run_rows, odd, odd_rows, weights, common)
    row = np.zeros(field.shape[1], np.float32)
    for y in range(start + 1, stop + 1):
        _residual_row(step[y - 1], step[y], step[y + 1], residual[y], row, y, *grid)
        x, r, p = field[y], residual[y], step[y]
        for k in range(len(x)):
            x[k] += p[k]
            r[k] = row[k]
        sums[0, y], sums[1, y] = _product(row, row), _largest(p)


@compiled
def _largest(row: Floats) -> Any:
    """Return the largest size; floats without their sign are in the order of their bits."""
    found = np.zeros(1, np.int32)
    bits, most = row.view(np.int32), np.int32(0)
    for k in range(len(bits)):
        most = max(most, bits[k] & np.int32(0x7FFFFFFF))
    found[0] = most  # not-a-number comes last
    return found.view(np.float32)[0]


@compiled
def aim(step: Floats, better: Floats, share: float, start: int, stop: int) -> None:
    """Write `better + share * step` into `step`."""
    for y in range(start + 1, stop + 1):
        p, z = step[y], better[y]
        for k in range(len(p)):
            p[k] = z[k] + np.float32(share) * p[k]


@compiled
def measure(one: Floats, other: Floats, sums: Sums, start: int, stop: int) -> None:
    """Write each row's inner product into `sums`."""
    for y in range(start + 1, stop + 1):
        sums[y] = _product(one[y], other[y])


# -- pictures in, picture out --------------------------------------------------------------


@compiled
def add_rim(
    source: Bytes, target: Bytes, kind: Bytes, x0: int, y0: int, rhs: Floats, start: int, stop: int
) -> None:
    """Add the known neighbours' `target - source` to the pixels along the mask's rim."""
    height, width = source.shape[:2]
    for y in range(start + 1, stop + 1):
        above, here, below = kind[y - 1], kind[y], kind[y + 1]
        for x in range(1, len(here) - 1):
            if not here[x] or (here[x - 1] and here[x + 1] and above[x] and below[x]):
                continue
            for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                v, u = y - 1 + y0 + dy, x - 1 + x0 + dx
                if kind[y + dy, x + dx] or v < 0 or u < 0 or v >= height or u >= width:
                    continue
                for c in range(3):
                    rhs[y, 3 * x + c] += np.float32(target[v, u, c]) - np.float32(source[v, u, c])


@compiled
def add_gradients(
    source: Bytes, target: Bytes, kind: Bytes, x0: int, y0: int, rhs: Floats, start: int, stop: int
) -> None:
    """Add what the stronger of the two gradients has over the source's, towards all neighbours."""
    height, width = source.shape[:2]
    left, right = max(x0 - 1, 0), min(x0 + kind.shape[1] - 1, width)
    size = 3 * (right - left)
    above, below, across = (
        np.zeros(size, np.float32),
        np.zeros(size, np.float32),
        np.zeros(size + 3, np.float32),
    )
    first = 3 * (x0 - left)  # of the box, in a row of the pictures
    for y in range(start + 1, stop + 1):
        v = y - 1 + y0
        ours, theirs = source[v, left:right].reshape(size), target[v, left:right].reshape(size)
        above[:] = 0
        below[:] = 0
        if v > 0:
            ours_above = source[v - 1, left:right].reshape(size)
            _stronger(ours_above, ours, target[v - 1, left:right].reshape(size), theirs, above)
        if v + 1 < height:
            ours_below = source[v + 1, left:right].reshape(size)
            _stronger(ours, ours_below, theirs, target[v + 1, left:right].reshape(size), below)
        _stronger(ours[:-3], ours[3:], theirs[:-3], theirs[3:], across[3:])
        for k in range(size):
            above[k] += (across[k] - across[k + 3]) - below[k]
        part, new = above[first:], rhs[y, 3:-3]
        for x in range(kind.shape[1] - 2):
            if kind[y, x + 1]:
                for c in range(3 * x, 3 * x + 3):
                    new[c] += part[c]


@compiled
def _stronger(ours: Bytes, our_next: Bytes, theirs: Bytes, their_next: Bytes, out: Floats) -> None:
    """Write what the target's gradient has over the source's where it is the stronger, else 0."""
    for k in range(len(ours)):
        mine = np.float32(our_next[k]) - np.float32(ours[k])
        other = np.float32(their_next[k]) - np.float32(theirs[k])
        out[k] = other - mine if abs(other) > abs(mine) else np.float32(0)


@compiled
def put(
    source: Bytes,
    field: Floats,
    x0: int,
    y0: int,
    out: Bytes,
    start: int,
    stop: int,
    runs: Ints,
    run_rows: Ints,
    odd: Ints,
    odd_rows: Ints,
) -> None:
    """Write `source + field`, rounded; pictures have shape (H, 3 W)."""
    low, high = np.float32(0), np.float32(255)
    for y in range(start + 1, stop + 1):
        ours, new = source[y - 1 + y0, 3 * x0 :], out[y - 1 + y0, 3 * x0 :]
        for r in range(run_rows[y], run_rows[y + 1]):
            a, b = 3 * runs[r, 0], 3 * runs[r, 1]
            more, before, after = field[y, a:b], ours[a - 3 : b - 3], new[a - 3 : b - 3]
            for k in range(b - a):
                after[k] = np.uint8(min(max(np.float32(before[k]) + more[k], low), high) + np.float32(0.5))
        for k in range(odd_rows[y], odd_rows[y + 1]):
            for x in range(3 * odd[k], 3 * odd[k] + 3):
                value = np.float32(ours[x - 3]) + field[y, x]
                new[x - 3] = np.uint8(min(max(value, low), high) + np.float32(0.5))
