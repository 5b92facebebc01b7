"""From a mask to a hierarchy of grids, coarser from one to the next and from the rim inwards.

A harmonic correction is rough only near the mask's rim: at a distance of d pixels, what is
left of it varies over d pixels or more. So each grid keeps its pixels within a *band* along
the rim; those further inside are *hidden*: the next coarser grid stands for them, and cubic
interpolation gives their values. With a band of eight pixels that costs about 0.0004 of the
largest correction; the work grows with the rim, not with the area.

What makes it exact is the coarse stencil. The five-point solution on the pixels is not quite
harmonic; the nine-point stencil of `coarser_stencil` has the same solutions on every second
pixel, up to sixth order. Near the rim coarse stencils are Galerkin products, which know thin
arms, holes and the picture's border.

A grid's pixels are *common* (one stencil for all), *odd* (nine weights of their own), *ghosts*
(hidden, but next to a pixel in the band), or *rim* (known, next to one: always zero). All of
them, of all grids, are stored one after the other, row by row; lists say which of them lie next
to each other, so that no loop asks what a pixel is.

References
----------
.. [1] Agarwala, "Efficient Gradient-Domain Compositing Using Quadtrees", SIGGRAPH 2007.
.. [2] Brandt, "Multi-Level Adaptive Solutions to Boundary-Value Problems", Math. Comp. 31, 1977.
.. [3] Trottenberg, Oosterlee & Schüller, "Multigrid", Academic Press, 2001; sections 7.7 on
   Galerkin coarse grids and 9 on adaptive ones.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled

__all__ = ["Grids", "build", "coarser_stencil", "make_grids"]

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

UNKNOWN, ALIKE = 1, 2  # bits of a pixel's kind: in the mask; of the common stencil
# Classes: bit 1 says that a pixel is worked on, bit 0, of the others, that it is stored all the same.
OUTSIDE, RIM, ODD, COMMON, HIDDEN, GHOST = 0, 1, 2, 3, 4, 5

BAND = 8  # pixels of the finest grid between the rim and what is hidden
COARSE_BAND = 7  # pixels of a coarser grid between its odd pixels and what is hidden
FEW = 48  # unknowns; a grid with no more is solved by its inverse
STIFF = 1e6  # largest screening of a coarse grid; all that matters is that it is large


class Grids(NamedTuple):
    """The hierarchy, finest grid first; `ends[l]` to `ends[l + 1]` are grid l's parts of the lists.

    Pixels are given by their place among all stored ones; a place in a list means the first of
    several that lie next to each other.
    """

    shapes: Longs  # (L, 4): rows and columns, with a rim; top and left: see `_coarse_shape`
    stencils: Floats  # (L, 3): corner, edge and centre of the common stencil
    ends: Longs  # (L + 1, 9): pixels, runs, odd, transfers, pieces, ghosts, probes, spans, hidden
    row_ends: Longs  # (L + 1,): where each grid's rows begin in `span_rows` and `hidden_rows`
    runs: Ints  # (n, 4): common pixels in a row: how many, the first, those above and below
    odd: Ints  # (n, 6): an odd pixel, those above and below; the three finer rows' under it, from the left
    weights: Floats  # (n, 9): of the odd pixels
    transfers: Ints  # (n, 7): common pixels that the finer grid decides: as runs; three finer rows' pixels
    pieces: Ints  # (n, 5): finer pixels to correct: how many, the first, odd column?, both coarse rows'
    ghosts: Ints  # (n, 8): finer ghosts: how many, the first, odd column?, odd row?, four coarse rows'
    probes: Ints  # (n, 5): a finer pixel next to a ghost; four coarse ones in a line with it
    spans: Ints  # (n, 3): pixels worked on: columns from, to; the first
    span_rows: Ints
    hidden: Ints  # (n, 2): hidden pixels: columns from, to
    hidden_rows: Ints
    rim: Ints  # (n, 4): a finest pixel with known neighbours; row and column in the box; which
    last: Ints  # (n,): the coarsest grid's pixels, if they are few
    inverse: Floats  # (n, n): of its equations

    @property
    def size(self) -> int:
        """Number of pixels stored, of all grids."""
        return int(self.ends[-1, 0])

    @property
    def finest(self) -> int:
        """Number of pixels stored of the finest grid."""
        return int(self.ends[1, 0])

    @property
    def graded(self) -> bool:
        """Whether any pixel is hidden."""
        return bool(self.ends[1, 8] > 0)


PIXELS, RUNS, ODDS, TRANSFERS, PIECES, GHOSTS, PROBES, SPANS, HIDDENS = range(9)  # columns of `ends`


def make_grids(
    unknown: npt.NDArray[np.bool_], screen: float, at_border: tuple[bool, bool, bool, bool], *, hide: bool
) -> Grids | None:
    """Build the hierarchy for a mask.

    Parameters
    ----------
    unknown : Mask of shape (h, w)
        The mask over its bounding box.
    screen : float
        1 / reach^2, or 0.
    at_border : (top, bottom, left, right)
        Where the box touches the picture's border.
    hide : bool
        Whether to leave the inside to coarser grids; only for a right-hand side of zero there.

    Returns
    -------
    Grids or None
        None if something could not be interpolated; then without hiding.
    """
    built, fine = build(unknown, np.array(at_border), np.float32(screen), hide)
    return built if fine else None


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
def build(
    unknown: npt.NDArray[np.bool_], border: npt.NDArray[np.bool_], screen: np.float32, hide: bool
) -> tuple[Grids, bool]:
    """Do as `make_grids` says; False if something could not be interpolated."""
    kinds, shapes, stencils = _layers(unknown, border, screen)
    depth = len(kinds)
    classes, places, numbers = (
        [np.zeros((1, 1), np.uint8)],
        [np.zeros((1, 1), np.int32)],
        [np.zeros((1, 1), np.int32)],
    )
    visible = [np.ones((1, 1), np.uint8)]
    ends = np.zeros((depth + 1, 9), np.int64)
    for level in range(depth):
        deep = np.zeros((1, 1), np.uint8)
        if level + 1 < depth and hide:
            band = COARSE_BAND if level else BAND
            deep = _deep(kinds[level], kinds[level + 1], band, shapes[level + 1, 2], shapes[level + 1, 3])
        kind = _classified(kinds[level], deep, shapes[min(level + 1, depth - 1)])
        place, number = np.empty(kind.shape, np.int32), np.empty(kind.shape, np.int32)
        ends[level + 1, PIXELS], ends[level + 1, ODDS] = _count(
            kind, place, number, ends[level, PIXELS], ends[level, ODDS]
        )
        visible.append(deep)
        classes.append(kind)
        places.append(place)
        numbers.append(number)
    size, odds = ends[depth, PIXELS], ends[depth, ODDS]
    row_ends = np.zeros(depth + 1, np.int64)
    for level in range(depth):
        row_ends[level + 1] = row_ends[level] + shapes[level, 0] + 1
    runs, odd = np.empty((size, 4), np.int32), np.empty((odds, 6), np.int32)
    spans, hidden = np.empty((size, 3), np.int32), np.empty((size, 2), np.int32)
    span_rows, hidden_rows = np.empty(row_ends[depth], np.int32), np.empty(row_ends[depth], np.int32)
    transfers, pieces = np.empty((size, 7), np.int32), np.empty((size, 5), np.int32)
    ghosts, probes = np.empty((size, 8), np.int32), np.empty((size, 5), np.int32)
    weights = np.empty((odds, 9), np.float32)
    fine = True
    for level in range(depth):
        rows = row_ends[level], row_ends[level + 1]
        one, place = classes[level + 1], places[level + 1]
        start, stop = ends[level], ends[level + 1]
        stop[RUNS], stop[SPANS], stop[HIDDENS] = _list(
            one,
            place,
            numbers[level + 1],
            runs,
            start[RUNS],
            odd,
            spans,
            start[SPANS],
            span_rows[rows[0] : rows[1]],
            hidden,
            start[HIDDENS],
            hidden_rows[rows[0] : rows[1]],
        )
        if not level:
            _border_weights(one, numbers[1], stencils[0], border, weights)
            continue
        top, left = shapes[level, 2], shapes[level, 3]
        finer, finer_place = classes[level], places[level]
        _galerkin(kinds[level - 1], numbers[level], weights, stencils[level - 1], one, top, left, start[ODDS])
        stop[TRANSFERS] = _list_transfers(
            one, place, visible[level], finer_place, transfers, start[TRANSFERS], odd, start[ODDS], top, left
        )
        stop[PIECES] = _list_pieces(finer, finer_place, one, place, pieces, start[PIECES], top, left)
        found, stop[GHOSTS] = _list_ghosts(finer, finer_place, one, place, ghosts, start[GHOSTS], top, left)
        fine = fine and found
        stop[PROBES] = _list_probes(finer, finer_place, one, place, probes, start[PROBES], top, left)
    rim = _rim(classes[1], kinds[0], places[1], border)
    last, inverse = _inverse(classes[depth], places[depth], numbers[depth], weights, stencils[depth - 1])
    grids = Grids(
        shapes,
        stencils,
        ends,
        row_ends,
        runs[: ends[depth, RUNS]].copy(),
        odd,
        weights,
        transfers[: ends[depth, TRANSFERS]].copy(),
        pieces[: ends[depth, PIECES]].copy(),
        ghosts[: ends[depth, GHOSTS]].copy(),
        probes[: ends[depth, PROBES]].copy(),
        spans[: ends[depth, SPANS]].copy(),
        span_rows,
        hidden[: ends[depth, HIDDENS]].copy(),
        hidden_rows,
        rim,
        last,
        inverse,
    )
    return grids, fine


# -- what a pixel is -----------------------------------------------------------------------


@compiled
def _layers(
    unknown: npt.NDArray[np.bool_], border: npt.NDArray[np.bool_], screen: np.float32
) -> tuple[list[Bytes], Longs, Floats]:
    """Say of each pixel of each grid whether it is unknown, and whether its stencil is the common one."""
    height, width = unknown.shape
    kind = np.zeros((height + 2, width + 2), np.uint8)
    for y in range(height):
        for x in range(width):
            kind[y + 1, x + 1] = np.uint8(UNKNOWN | ALIKE) if unknown[y, x] else np.uint8(0)
    # At the picture's border there are fewer neighbours.
    if border[0]:
        kind[1] &= np.uint8(UNKNOWN)
    if border[1]:
        kind[height] &= np.uint8(UNKNOWN)
    if border[2]:
        kind[:, 1] &= np.uint8(UNKNOWN)
    if border[3]:
        kind[:, width] &= np.uint8(UNKNOWN)
    kinds, shapes = [kind], np.zeros((32, 4), np.int64)
    stencils = np.zeros((32, 3), np.float32)
    shapes[0, 0], shapes[0, 1] = kind.shape
    stencils[0] = np.array([0, -1, 4 + screen], np.float32)
    depth = 1
    while _unknowns(kinds[depth - 1]) > FEW:
        shape = _coarse_shape(shapes[depth - 1], border)
        if shape[0] < 3 or shape[1] < 3:
            break
        coarse = np.zeros((shape[0], shape[1]), np.uint8)
        _classify(kinds[depth - 1], coarse, shape[2], shape[3])
        if _unknowns(coarse) == 0:
            break
        kinds.append(coarse)
        shapes[depth] = shape
        stencils[depth] = coarser_stencil(stencils[depth - 1])
        depth += 1
    return kinds, shapes[:depth].copy(), stencils[:depth].copy()


@compiled
def _unknowns(kind: Bytes) -> int:
    total = 0
    for y in range(kind.shape[0]):
        row, some = kind[y], np.uint32(0)
        for x in range(len(row)):
            some += np.uint32(row[x] & np.uint8(UNKNOWN))
        total += np.int64(some)
    return total


@compiled
def _coarse_shape(fine: Longs, border: npt.NDArray[np.bool_]) -> Longs:
    """Return the shape of the grid of every second pixel; top and left: which of the first two it keeps.

    Where the picture ends, a pixel of the coarser grid sits on the border, if only one side asks.
    """
    height, width = fine[0] - 2, fine[1] - 2
    top = (height - 1) % 2 if border[1] and not border[0] else 0
    left = (width - 1) % 2 if border[3] and not border[2] else 0
    return np.array([(height - 1 - top) // 2 + 3, (width - 1 - left) // 2 + 3, top, left])


@compiled
def _classify(fine: Bytes, coarse: Bytes, top: int, left: int) -> None:
    """Say of each coarse pixel what kind it is.

    Coarse pixel (i, j) sits on the fine one (2 i + top - 1, 2 j + left - 1). Its stencil is the
    common one where the 5 x 5 fine pixels around are unknown and the inner 3 x 3 have the common
    stencil.
    """
    rows, cols = fine.shape
    wide, near = np.zeros(cols + 4, np.uint8), np.zeros(cols + 4, np.uint8)
    both = np.zeros(cols + 4, np.uint8)
    for i in range(1, coarse.shape[0] - 1):
        y = 2 * (i - 1) + top + 1
        if y < 2 or y > rows - 3:
            both[:] = 0
        else:
            one, two, three, four, five = fine[y - 2], fine[y - 1], fine[y], fine[y + 1], fine[y + 2]
            for x in range(cols):
                inner = two[x] & three[x] & four[x]
                near[x + 2] = inner
                wide[x + 2] = inner & one[x] & five[x]
            for x in range(cols):
                every = wide[x] & wide[x + 1] & wide[x + 2] & wide[x + 3] & wide[x + 4]
                alike = near[x + 1] & near[x + 2] & near[x + 3]
                both[x] = (every & np.uint8(UNKNOWN)) << np.uint8(1) & alike
        row, here = coarse[i], fine[y]
        for j in range(1, len(row) - 1):
            x = 2 * (j - 1) + left + 1
            row[j] = here[x] & np.uint8(UNKNOWN) | both[x]


@compiled
def _deep(kind: Bytes, coarse: Bytes, band: int, top: int, left: int) -> Bytes:
    """Say of each coarse pixel whether the finer ones within `band` around it all have the common stencil."""
    rows, cols = kind.shape
    deep = np.zeros(coarse.shape, np.uint8)
    run = np.zeros(cols, np.uint8)  # of alike pixels upwards, up to twice the band and one
    wide, other = np.zeros(cols + 64, np.uint8), np.zeros(cols + 64, np.uint8)
    full, doublings = np.uint8(2 * band + 1), 0
    while 2 << doublings <= 2 * band + 1:
        doublings += 1
    for y in range(rows):
        here = kind[y]
        for x in range(cols):
            run[x] = min(run[x] + np.uint8(1), full) if here[x] == np.uint8(UNKNOWN | ALIKE) else np.uint8(0)
        middle = y - band
        if middle < 1 or (middle - top - 1) % 2 or (middle - top - 1) // 2 + 1 > coarse.shape[0] - 2:
            continue
        for x in range(cols):
            wide[x] = np.uint8(1) if run[x] == full else np.uint8(0)
        for k in range(doublings):
            shift = 1 << k
            ahead = wide[shift:]
            for x in range(cols):
                other[x] = wide[x] & ahead[x]
            wide, other = other, wide
        row = deep[(middle - top - 1) // 2 + 1]
        reach = band + 1 - (1 << doublings)
        for j in range(1, len(row) - 1):
            x = 2 * (j - 1) + left + 1
            if x >= band:
                row[j] = wide[x - band] & wide[x + reach]
    return deep


@compiled
def _classified(kind: Bytes, deep: Bytes, shape: Longs) -> Bytes:
    """Return the class of each pixel."""
    rows, cols = kind.shape
    top, left = shape[2], shape[3]
    classes = np.zeros((rows, cols), np.uint8)
    for y in range(1, rows - 1):
        here, row = kind[y], classes[y]
        for x in range(cols):
            row[x] = here[x] + (here[x] & np.uint8(1) & ~(here[x] >> np.uint8(1)))  # 3 stays, 1 becomes 2
        if len(deep) > 1:
            i = (y + 1 - top) // 2
            _hide(row, deep[i], deep[i + (y + 1 - top) % 2], left)
    some = np.zeros(cols + 2, np.uint8)
    for y in range(rows):
        above, here, below = classes[max(y - 1, 0)], classes[y], classes[min(y + 1, rows - 1)]
        for x in range(cols):
            some[x + 1] = (above[x] | here[x] | below[x]) & np.uint8(2)
        # What is worked on has this bit whether its row is marked already or not.
        for x in range(cols):
            near = (some[x] | some[x + 1] | some[x + 2]) >> np.uint8(1)
            here[x] |= near & ~(here[x] >> np.uint8(1))
    return classes


@compiled
def _hide(row: Bytes, above: Bytes, below: Bytes, left: int) -> None:
    """Hide the pixels of a row all of whose coarse neighbours stand for themselves."""
    first = np.uint8(0)
    for j in range(len(above)):
        second = above[j] & below[j]
        x = 2 * j + left - 1
        if first & second:
            row[x - 1] = np.uint8(HIDDEN)
        if second:
            row[x] = np.uint8(HIDDEN)
        first = second


@compiled
def _count(classes: Bytes, place: Ints, number: Ints, pixels: int, odds: int) -> tuple[int, int]:
    """Number what is stored, and the odd pixels among that."""
    for y in range(classes.shape[0]):
        row, where, which = classes[y], place[y], number[y]
        for x in range(len(row)):
            kind = row[x]
            if kind & np.uint8(3):
                where[x] = pixels
                pixels += 1
                if kind == np.uint8(ODD):
                    which[x] = odds
                    odds += 1
    return pixels, odds


# -- lists ---------------------------------------------------------------------------------


@compiled
def _list(
    classes: Bytes,
    place: Ints,
    number: Ints,
    runs: Ints,
    run: int,
    odd: Ints,
    spans: Ints,
    span: int,
    span_rows: Ints,
    hidden: Ints,
    gap: int,
    hidden_rows: Ints,
) -> tuple[int, int, int]:
    """List runs and odd pixels, what is worked on and what is hidden, row by row."""
    rows, cols = classes.shape
    for y in range(rows):
        span_rows[y], hidden_rows[y] = span, gap
        row = classes[y]
        before = np.uint8(OUTSIDE)
        for x in range(cols):
            here = row[x]
            if here == np.uint8(ODD):
                k = number[y, x]
                odd[k, 0], odd[k, 1], odd[k, 2] = place[y, x], place[y - 1, x], place[y + 1, x]
            if here == before:
                continue
            if here & np.uint8(2) and not before & np.uint8(2):
                spans[span, 0], spans[span, 2] = x, place[y, x]
            elif before & np.uint8(2) and not here & np.uint8(2):
                spans[span, 1] = x
                span += 1
            if here & np.uint8(4) and not before & np.uint8(4):
                hidden[gap, 0] = x
            elif before & np.uint8(4) and not here & np.uint8(4):
                hidden[gap, 1] = x
                gap += 1
            if here == np.uint8(COMMON):
                runs[run, 0] = x
                runs[run, 1], runs[run, 2], runs[run, 3] = place[y, x], place[y - 1, x], place[y + 1, x]
            elif before == np.uint8(COMMON):
                runs[run, 0] = x - runs[run, 0]
                run += 1
            before = here
    span_rows[rows], hidden_rows[rows] = span, gap
    return run, span, gap


@compiled
def _list_transfers(
    classes: Bytes,
    place: Ints,
    deep: Bytes,
    finer_place: Ints,
    transfers: Ints,
    count: int,
    odd: Ints,
    single: int,
    top: int,
    left: int,
) -> int:
    """List the pixels that the finer grid decides, with the finer ones around them."""
    rows, cols = classes.shape
    hides = len(deep) > 1
    for i in range(1, rows - 1):
        y, length = 2 * (i - 1) + top + 1, 0
        for j in range(1, cols):
            here = classes[i, j]
            if here == np.uint8(COMMON) and not (hides and deep[i, j]):
                if not length:
                    x = 2 * (j - 1) + left
                    transfers[count, 1] = place[i, j]
                    transfers[count, 2], transfers[count, 3] = place[i - 1, j], place[i + 1, j]
                    for k in range(3):
                        transfers[count, 4 + k] = finer_place[y + k - 1, x]
                length += 1
                transfers[count, 0] = length
                continue
            if length:
                count += 1
                length = 0
            if here == np.uint8(ODD):
                x = 2 * (j - 1) + left
                for k in range(3):
                    odd[single, 3 + k] = finer_place[y + k - 1, x]
                single += 1
    return count


@compiled
def _list_pieces(
    finer: Bytes,
    finer_place: Ints,
    classes: Bytes,
    place: Ints,
    pieces: Ints,
    count: int,
    top: int,
    left: int,
) -> int:
    """List the finer pixels that are worked on and whose coarse neighbours are stored."""
    for y in range(1, finer.shape[0] - 1):
        i = (y + 1 - top) // 2
        other = i + (y + 1 - top) % 2
        row, one, two = finer[y], classes[i], classes[other]
        length = 0
        for x in range(1, len(row)):
            if row[x] & np.uint8(2):
                j = (x + 1 - left) // 2
                right = j + (x + 1 - left) % 2
                if one[j] & 3 and one[right] & 3 and two[j] & 3 and two[right] & 3:
                    if not length:
                        pieces[count, 1], pieces[count, 2] = finer_place[y, x], (x + 1 - left) % 2
                        pieces[count, 3], pieces[count, 4] = place[i, j], place[other, j]
                    length += 1
                    pieces[count, 0] = length
                    continue
            if length:
                count += 1
                length = 0
    return count


@compiled
def _list_ghosts(
    finer: Bytes,
    finer_place: Ints,
    classes: Bytes,
    place: Ints,
    ghosts: Ints,
    count: int,
    top: int,
    left: int,
) -> tuple[bool, int]:
    """List the finer ghosts with the coarse rows around them; False if a coarse pixel is not stored."""
    fine = True
    for y in range(1, finer.shape[0] - 1):
        i, between = (y + 1 - top) // 2, (y + 1 - top) % 2
        row, x = finer[y], 1
        while x < len(row) - 1:
            if row[x] != np.uint8(GHOST):
                x += 1
                continue
            start = x
            while row[x] == np.uint8(GHOST):
                x += 1
            parity, length = (start + 1 - left) % 2, x - start
            low = (start + 1 - left) // 2 - np.int64(parity or length > 1)
            high = (x - left) // 2 + (2 if (x - left) % 2 else np.int64(length > 1))
            ghosts[count, 0], ghosts[count, 1] = length, finer_place[y, start]
            ghosts[count, 2], ghosts[count, 3] = parity, between
            for k in range(4):
                line = i - 1 + k if between else i
                if line < 0 or line >= classes.shape[0] or low < 0 or high >= classes.shape[1]:
                    fine = False
                    continue
                ghosts[count, 4 + k] = place[line, (start + 1 - left) // 2]
                for j in range(low, high + 1):
                    fine = fine and classes[line, j] & np.uint8(3) != 0
            count += 1
    return fine, count


@compiled
def _list_probes(
    finer: Bytes,
    finer_place: Ints,
    classes: Bytes,
    place: Ints,
    probes: Ints,
    count: int,
    top: int,
    left: int,
) -> int:
    """List finer pixels next to a ghost, halfway between coarse ones, with four of those in a line."""
    rows, cols = classes.shape
    for y in range(2, finer.shape[0] - 2):
        row, between = finer[y], (y + 1 - top) % 2
        i = (y + 1 - top) // 2
        for x in range(2, len(row) - 2):
            if row[x] != np.uint8(COMMON):
                continue
            aside = row[x - 1] == np.uint8(GHOST) or row[x + 1] == np.uint8(GHOST)
            astride = finer[y - 1, x] == np.uint8(GHOST) or finer[y + 1, x] == np.uint8(GHOST)
            if not (aside or astride):
                continue
            odd, j = (x + 1 - left) % 2, (x + 1 - left) // 2
            down, right = np.int64(astride and between and not odd), np.int64(aside and odd and not between)
            if down + right != 1 or min(i - down, j - right) < 0:
                continue
            if i + 2 * down >= rows or j + 2 * right >= cols:
                continue
            stored = True
            for k in range(4):
                v, u = i + (k - 1) * down, j + (k - 1) * right
                stored = stored and classes[v, u] & np.uint8(3) != 0
                probes[count, 1 + k] = place[v, u]
            if stored:
                probes[count, 0] = finer_place[y, x]
                count += 1
    return count


@compiled
def _rim(classes: Bytes, kind: Bytes, place: Ints, border: npt.NDArray[np.bool_]) -> Ints:
    """List the finest grid's pixels with known neighbours inside the picture: bits say above, below, left, right."""
    rows, cols = classes.shape
    total = 0
    for turn in range(2):
        rim = np.empty((total, 4), np.int32)
        count = 0
        for y in range(1, rows - 1):
            above, here, below, row = kind[y - 1], kind[y], kind[y + 1], classes[y]
            for x in range(1, cols - 1):
                if not row[x] & np.uint8(2) or (above[x] and below[x] and here[x - 1] and here[x + 1]):
                    continue
                bits = 0
                if not above[x] and not (border[0] and y == 1):
                    bits |= 1
                if not below[x] and not (border[1] and y == rows - 2):
                    bits |= 2
                if not here[x - 1] and not (border[2] and x == 1):
                    bits |= 4
                if not here[x + 1] and not (border[3] and x == cols - 2):
                    bits |= 8
                if not bits:
                    continue
                if turn:
                    rim[count, 0], rim[count, 1], rim[count, 2], rim[count, 3] = (
                        place[y, x],
                        y - 1,
                        x - 1,
                        bits,
                    )
                count += 1
        total = count
    return rim


# -- stencils ------------------------------------------------------------------------------


@compiled
def _border_weights(
    classes: Bytes, number: Ints, stencil: Floats, border: npt.NDArray[np.bool_], weights: Floats
) -> None:
    """Write the weights of the finest grid's odd pixels: those at the picture's border."""
    rows, cols = classes.shape
    for y in range(1, rows - 1):
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
def _galerkin(
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
            for py in range(3):
                for px in range(3):
                    kind = fine[y + py - 1, x + px - 1]
                    if not kind & UNKNOWN:
                        continue
                    share = (0.5 if py != 1 else 1.0) * (0.5 if px != 1 else 1.0)
                    if kind & ALIKE:
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
                    else:
                        own = weights[number[y + py - 1, x + px - 1]]
                        for n in range(9):
                            around[py + n // 3, px + n % 3] += share * own[n]
            for qy in range(5):
                for qx in range(5):
                    v, u = y + qy - 2, x + qx - 2
                    inside = 0 <= v < fine.shape[0] and 0 <= u < fine.shape[1]
                    if not (inside and fine[v, u] & UNKNOWN):
                        around[qy, qx] = 0.0
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
def _inverse(
    classes: Bytes, place: Ints, number: Ints, weights: Floats, stencil: Floats
) -> tuple[Ints, Floats]:
    """Invert the equations of the coarsest grid by Gauss and Jordan; nothing if it is not small."""
    rows, cols = classes.shape
    which = np.full((rows, cols), -1, np.int64)
    count = 0
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
            if k < 0:
                continue
            last[k] = place[y, x]
            matrix[k, count + k] = 1
            for n in range(9):
                other = which[y + n // 3 - 1, x + n % 3 - 1]
                if other < 0:
                    continue
                away = abs(n // 3 - 1) + abs(n % 3 - 1)
                common = stencil[2 - away]
                matrix[k, other] = weights[number[y, x], n] if classes[y, x] == np.uint8(ODD) else common
    for k in range(count):
        pivot = 1 / matrix[k, k]  # positive: no row needs another's place
        for n in range(2 * count):
            matrix[k, n] *= pivot
        for other in range(count):
            times = matrix[other, k]
            if other != k and times != 0.0:
                for n in range(k, count + k + 1):
                    matrix[other, n] -= times * matrix[k, n]
    return last, matrix[:, count:].astype(np.float32)
