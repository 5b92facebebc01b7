"""From a mask to a hierarchy of grids, coarser from one to the next and from the rim inwards.

A harmonic correction is rough only near the mask's rim: at a distance of d pixels, what is
left of it varies over d pixels or more. So each grid keeps its pixels within a *band* along
the rim; those further inside are *hidden*: the next coarser grid stands for them, and cubic
interpolation gives their values. With a band of eight pixels that costs about 0.0004 of the
largest correction; the work grows with the rim, not with the area.

What makes it exact is the coarse stencil. The five-point solution on the pixels is not quite
harmonic; the nine-point stencil of `coarser_stencil` has the same solutions on every second
pixel, up to sixth order. Near the rim coarse stencils are Galerkin products, which know thin
arms, holes and the picture's border. Where nothing is hidden, all are.

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
from facekit.grid_lists import (
    list_ghosts,
    list_odd,
    list_pieces,
    list_pixels,
    list_probes,
    list_rim,
    list_transfers,
)
from facekit.grid_pixels import BAND, COARSE_BAND, classified, count, deep, layers
from facekit.grid_stencils import border_weights, coarser_stencil, galerkin, galerkin_stencil, inverse

__all__ = ["Grids", "build", "make_grids"]

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


class Grids(NamedTuple):
    """The hierarchy, finest grid first; `ends[l]` to `ends[l + 1]` are grid l's parts of the lists.

    Pixels are given by their place among all stored ones; a place in a list means the first of
    several that lie next to each other.
    """

    shapes: Longs  # (L, 4): rows and columns, with a rim; top and left: as `grid_pixels` says
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
        return int(self.ends[-1, PIXELS])

    @property
    def graded(self) -> bool:
        """Whether any pixel is hidden."""
        return bool(self.ends[1, HIDDENS] > 0)


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
def build(
    unknown: npt.NDArray[np.bool_], border: npt.NDArray[np.bool_], screen: np.float32, hide: bool
) -> tuple[Grids, bool]:
    """Do as `make_grids` says; False if something could not be interpolated."""
    kinds, shapes = layers(unknown, border)
    depth = len(kinds)
    stencils = np.zeros((depth, 3), np.float32)
    stencils[0] = np.array([0, -1, 4 + screen], np.float32)
    # Lists begin with a stand-in, so that place k + 1 is grid k's and place k the finer one's.
    none, nowhere = np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.int32)
    classes, visible, places, numbers = [none], [none], [nowhere], [nowhere]
    ends = np.zeros((depth + 1, 9), np.int64)
    for level in range(depth):
        if level:
            finer = stencils[level - 1]
            stencils[level] = coarser_stencil(finer) if hide else galerkin_stencil(finer)
        seen = none
        if level + 1 < depth and hide:
            band = COARSE_BAND if level else BAND
            seen = deep(kinds[level], kinds[level + 1], band, shapes[level + 1, 2], shapes[level + 1, 3])
        kind = classified(kinds[level], seen, shapes[min(level + 1, depth - 1)])
        place = np.empty((kind.shape[0], kind.shape[1]), np.int32)
        number = np.empty((kind.shape[0], kind.shape[1]), np.int32)
        start, stop = ends[level], ends[level + 1]
        stop[PIXELS], stop[ODDS] = count(kind, place, number, start[PIXELS], start[ODDS])
        visible.append(seen)
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
        stop[RUNS], stop[SPANS], stop[HIDDENS] = list_pixels(
            one,
            place,
            runs,
            start[RUNS],
            spans,
            start[SPANS],
            span_rows[rows[0] : rows[1]],
            hidden,
            start[HIDDENS],
            hidden_rows[rows[0] : rows[1]],
        )
        list_odd(one, place, spans, span_rows[rows[0] : rows[1]], odd, start[ODDS])
        if not level:
            border_weights(one, numbers[1], stencils[0], border, weights)
            continue
        top, left = shapes[level, 2], shapes[level, 3]
        finer, finer_place = classes[level], places[level]
        above = span_rows[row_ends[level - 1] : row_ends[level]]
        galerkin(kinds[level - 1], numbers[level], weights, stencils[level - 1], one, top, left, start[ODDS])
        stop[TRANSFERS] = list_transfers(
            one, place, visible[level], finer_place, transfers, start[TRANSFERS], odd, start[ODDS], top, left
        )
        stop[PIECES] = list_pieces(spans, above, one, place, pieces, start[PIECES], top, left)
        found, stop[GHOSTS] = list_ghosts(finer, finer_place, one, place, ghosts, start[GHOSTS], top, left)
        fine = fine and found
        stop[PROBES] = list_probes(finer, spans, above, one, place, probes, start[PROBES], top, left)
    rim = list_rim(kinds[0], spans, span_rows[: row_ends[1]], border, ends[1, PIXELS])
    last, inverted = inverse(classes[depth], places[depth], numbers[depth], weights, stencils[depth - 1])
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
        inverted,
    )
    return grids, fine
