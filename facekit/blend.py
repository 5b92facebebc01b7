"""Poisson blending, from Perez's equations to their solution: assemble, solve, compose.

Inside the mask the answer has the guidance's gradients; on the mask's edge it has the target's
colours (Perez et al. 2003). With `f = source + c`, import mode is a membrane: the correction
`c` is harmonic and takes the values `target - source` on the edge, so it is smooth inside and
rough only near the edge. Mixed mode adds, as a right-hand side, what the stronger of the two
gradients has over the source's.

`solve_directly` is the naive way, and the oracle: write the matrix down, factor it. `solve` is
the fast one. It works on ever coarser grids: two smoothing steps take the rough part out of an
error, and what is left is smooth enough to be found on every second pixel, which is the same
task again with a quarter of the pixels. Coarse equations are Galerkin products with bilinear
interpolation cut off at the mask, so that they know thin arms, holes and the picture's border.
One such V-cycle removes about 95 % of the error; for the odd mask where it does less,
conjugate gradients go on. Every solution is checked.

References
----------
.. [1] Perez, Gangnet & Blake, "Poisson Image Editing", ACM Trans. Graphics 22(3), 2003.
.. [2] Farbman et al., "Coordinates for Instant Image Cloning", ACM Trans. Graphics 28(3), 2009.
.. [3] Trottenberg, Oosterlee & Schüller, "Multigrid", Academic Press, 2001.
.. [4] Tatebe, "The Multigrid Preconditioned Conjugate Gradient Method", 6th Copper Mountain
   Conference on Multigrid Methods, 1993.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from facekit import stencils
from facekit.compiled import can_compile
from facekit.errors import ArrayError, SolverError
from facekit.threads import in_strips
from facekit.values import FloatImage, Image, Mask, as_image, as_mask

__all__ = [
    "Equations",
    "Region",
    "assemble",
    "blend_poisson",
    "compose",
    "prepare",
    "solve",
    "solve_directly",
]

TOLERANCE = 0.3  # grey levels; largest estimated error that is let through
GOAL = 0.25  # grey levels; estimated error at which the iteration stops
LEAST_RATE = 0.1  # of convergence; nothing faster is believed
MAX_CYCLES = 8
MAX_ITERATIONS = 100
SLOW = 0.4  # rate of convergence; if V-cycles are slower, conjugate gradients go on
FEW = 128  # unknowns; a grid with no more is solved by its inverse
TINY = 1e-30
STRIP = 250_000  # pixels; waking a thread takes longer than a sweep over fewer


def _chebyshev(low: float, high: float) -> npt.NDArray[np.float32]:
    """Return the two Jacobi steps that together damp errors between two eigenvalues best."""
    roots = np.cos(np.pi * np.array([1, 3]) / 4)
    return (1 / ((high + low) / 2 + (high - low) / 2 * roots)).astype(np.float32)


# Eigenvalues, in units of the diagonal, of the errors that the next coarser grid cannot see.
FINE_STEPS = _chebyshev(0.5, 2.0)  # of the five-point stencil
COARSE_STEPS = _chebyshev(0.6, 1.6)  # of the nine-point ones

Field = npt.NDArray[np.float32]  # (h + 2, 3 (w + 2)); see stencils
Mode = Literal["import", "mixed"]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """One grid of the hierarchy; see `stencils` for how its unknowns are held."""

    kind: npt.NDArray[np.uint8]  # (h + 2, w + 2)
    number: npt.NDArray[np.int32]  # (h + 2, w + 2); of the odd pixels
    runs: npt.NDArray[np.int32]
    run_rows: npt.NDArray[np.int32]
    odd: npt.NDArray[np.int32]
    odd_rows: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]  # (odd pixels, 9)
    common: npt.NDArray[np.float32]  # (9,)
    corner: tuple[int, int]  # (top, left): the pixel of the finer grid on which the first one sits
    inverse: npt.NDArray[np.float32] | None  # (n, n), of the coarsest grid if that is small

    @property
    def rows(self) -> int:
        """Number of rows, without the rim."""
        return int(self.kind.shape[0]) - 2

    def field(self) -> Field:
        """Return a field of zeros."""
        return np.zeros((self.kind.shape[0], 3 * self.kind.shape[1]), np.float32)

    def run(self, kernel: Any, *fields: Any, rows: int | None = None, stencils: bool = True) -> None:
        """Run a kernel over this grid, in strips."""
        pixels: tuple[Any, ...] = (self.runs, self.run_rows, self.odd, self.odd_rows)
        if stencils:
            pixels += (self.weights, self.common)
        count = self.rows if rows is None else rows
        _in_strips(lambda *ends: kernel(*fields, *ends, *pixels), count, self.kind.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A mask, made ready for blending; good for any number of pictures of the same size.

    Parameters
    ----------
    unknown : Mask of shape (h, w)
        The mask over its bounding box.
    corner : (x0, y0)
        Where the box lies in the picture.
    shape : (rows, cols)
        Size of the picture.
    screen : float
        1 / reach^2, or 0.
    grids : tuple of Grid
        From fine to coarse; empty where kernels cannot be compiled.
    """

    unknown: Mask
    corner: tuple[int, int]
    shape: tuple[int, int]
    screen: float
    grids: tuple[Grid, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Equations:
    """One equation for each pixel of the mask, for the correction to the source.

    For a pixel p with neighbours q inside the picture, as many as `degree(p)`:
    `(degree(p) + screen) c(p)`, less the sum of c(q) over those q that are unknown, equals
    `rhs(p)`.

    Parameters
    ----------
    region : Region
        Whose pixels are unknown.
    rhs : ndarray of shape (h + 2, 3 (w + 2)), float32
        Right-hand side, with a rim around the box, three channels a pixel; zero where a pixel is
        known.
    """

    region: Region
    rhs: Field


def blend_poisson(
    source: Image,
    target: Image,
    mask: Mask | Region,
    *,
    mode: Mode = "import",
    reach: float | None = None,
) -> Image:
    """Put `source` into `target` inside `mask`, so that no seam shows.

    Parameters
    ----------
    source, target : Image of shape (H, W, 3), uint8
        Pictures that lie over each other; never modified.
    mask : Mask of shape (H, W), or Region
        Where the source goes. Any shape: several parts, holes, thin lines, up to the border
        (where the answer's slope is the source's). Empty: the target comes back. What
        `prepare` makes of a mask saves that work for the next picture.
    mode : {"import", "mixed"}
        Whose gradients the answer has: the source's, or at each place the stronger.
    reach : float, pixels, optional
        Distance over which the correction at the edge dies away, so that further inside the
        colours are the source's (screened Poisson). By default it spreads over the whole mask.
        A `Region` has its own.

    Returns
    -------
    Image of shape (H, W, 3), uint8
        Bit-equal to `target` outside the mask.

    Raises
    ------
    ArrayError
        Shapes differ, the mode is unknown, or the mask covers the whole picture, so that
        nothing says how bright the answer is.
    SolverError
        The solution misses its equations; this would be a defect.

    Notes
    -----
    The equations are those of the true Dirichlet problem on the mask, with its 4-neighbour
    Laplacian, solved to 0.3 grey levels before rounding (typically 0.05). Only the mask's box
    is touched. The answer is the same for any number of threads.

    References
    ----------
    .. [1] Perez, Gangnet & Blake, "Poisson Image Editing", ACM Trans. Graphics 22(3), 2003.
    .. [2] Bhat et al., "Fourier Analysis of the 2D Screened Poisson Equation for Gradient Domain
       Problems", ECCV 2008.

    Examples
    --------
    >>> source, target = np.full((5, 5, 3), 10, np.uint8), np.full((5, 5, 3), 200, np.uint8)
    >>> mask = np.zeros((5, 5), bool); mask[1:4, 1:4] = True
    >>> bool((blend_poisson(source, target, mask) == 200).all())
    True
    """
    source, target = as_image(source, name="source"), as_image(target, name="target")
    if source.shape != target.shape:
        raise ArrayError(f"source and target: expected one shape, got {source.shape} and {target.shape}")
    if mode not in ("import", "mixed"):
        raise ArrayError(f'mode: expected "import" or "mixed", got {mode!r}')
    if not isinstance(mask, Region):
        mask = as_mask(mask, shape=target.shape[:2])
        if not mask.any():
            return target.copy()
        mask = prepare(mask, reach=reach)
    elif reach is not None:
        raise ArrayError("reach: the region has its own; give it to prepare")
    equations = assemble(source, target, mask, mode=mode)
    return _put_in(source, target, mask, _solved(equations))


def prepare(mask: Mask, *, reach: float | None = None) -> Region:
    """Do the part of a blend that depends on the mask alone: the hierarchy of grids.

    Parameters
    ----------
    mask : Mask of shape (H, W)
        Neither empty nor full.
    reach : float, pixels, optional
        As in `blend_poisson`.

    Returns
    -------
    Region
        For `blend_poisson` and `assemble`, any number of times; holds nothing of any picture.

    Raises
    ------
    ArrayError
        The mask is empty or covers the whole picture, or the reach is not more than 0.

    Examples
    --------
    >>> mask = np.zeros((5, 5), bool); mask[1:4, 2] = True
    >>> region = prepare(mask)
    >>> region.corner, region.unknown.shape
    ((2, 1), (3, 1))
    """
    mask = as_mask(mask)
    if reach is not None and not reach > 0:
        raise ArrayError(f"reach: expected more than 0 pixels, got {reach:g}")
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise ArrayError("mask: expected at least one pixel in it")
    if mask.all():
        raise ArrayError("mask: expected at least one pixel of the picture outside it")
    (y0, y1), (x0, x1) = (rows[0], rows[-1] + 1), (cols[0], cols[-1] + 1)
    unknown = mask[y0:y1, x0:x1].copy()
    screen = 0.0 if reach is None else 1 / reach**2
    at_border = (y0 == 0, y1 == mask.shape[0], x0 == 0, x1 == mask.shape[1])
    grids = _hierarchy(unknown, screen, at_border) if can_compile() else ()
    return Region(unknown, (int(x0), int(y0)), (mask.shape[0], mask.shape[1]), screen, grids)


def assemble(
    source: Image,
    target: Image,
    mask: Mask | Region,
    *,
    mode: Mode = "import",
    reach: float | None = None,
) -> Equations:
    """Write down the equations for the correction to `source` inside `mask`.

    Parameters
    ----------
    source, target : Image of shape (H, W, 3), uint8
        Pictures that lie over each other.
    mask : Mask of shape (H, W), or Region
        Neither empty nor full.
    mode : {"import", "mixed"}
        As in `blend_poisson`.
    reach : float, pixels, optional
        As in `blend_poisson`.

    Returns
    -------
    Equations
        Over the mask's box.

    Raises
    ------
    ArrayError
        As in `prepare`, or the region is for pictures of another size.

    Examples
    --------
    >>> source, target = np.zeros((5, 5, 3), np.uint8), np.full((5, 5, 3), 60, np.uint8)
    >>> mask = np.zeros((5, 5), bool); mask[2, 2] = True
    >>> equations = assemble(source, target, mask)
    >>> equations.region.corner, equations.rhs[1, 3:6].tolist()
    ((2, 2), [240.0, 240.0, 240.0])
    """
    region = mask if isinstance(mask, Region) else prepare(mask, reach=reach)
    if target.shape[:2] != region.shape:
        raise ArrayError(f"mask: expected a region for shape {target.shape[:2]}, got {region.shape}")
    if not region.grids:
        return Equations(region, _naive_rhs(source, target, region, mode))
    source, target = np.ascontiguousarray(source), np.ascontiguousarray(target)
    rhs = region.grids[0].field()
    pictures = (source, target, region.grids[0].kind, *region.corner)
    for kernel in (stencils.add_rim,) if mode == "import" else (stencils.add_rim, stencils.add_gradients):
        _strips(rhs, kernel, *pictures, rhs)
    return Equations(region, rhs)


def solve(equations: Equations) -> FloatImage:
    """Solve for the correction, and check the solution.

    Parameters
    ----------
    equations : Equations
        As `assemble` writes them.

    Returns
    -------
    FloatImage of shape (h, w, 3), grey levels
        The correction inside the mask, 0 elsewhere.

    Raises
    ------
    SolverError
        The error estimate stays above 0.3 grey levels.

    Notes
    -----
    An iteration that shrinks the residual by a factor q, and has just moved by m, has about
    m q / (1 - q) to go. That must be within the tolerance, with q taken as 0.1 at least.

    Examples
    --------
    >>> source, target = np.zeros((5, 5, 3), np.uint8), np.full((5, 5, 3), 60, np.uint8)
    >>> mask = np.zeros((5, 5), bool); mask[2, 2] = True
    >>> solve(assemble(source, target, mask))[0, 0].round(3).tolist()
    [60.0, 60.0, 60.0]
    """
    return _as_image(_solved(equations))


def solve_directly(equations: Equations) -> FloatImage:
    """Solve for the correction by a sparse LU factorisation: exact, and slow.

    Parameters
    ----------
    equations : Equations
        As `assemble` writes them.

    Returns
    -------
    FloatImage of shape (h, w, 3), grey levels
        The correction inside the mask, 0 elsewhere.

    Raises
    ------
    SolverError
        The equations hold something that is not a number.

    Examples
    --------
    >>> source, target = np.zeros((5, 5, 3), np.uint8), np.full((5, 5, 3), 60, np.uint8)
    >>> mask = np.zeros((5, 5), bool); mask[2, 2] = True
    >>> solve_directly(assemble(source, target, mask))[0, 0].round(3).tolist()
    [60.0, 60.0, 60.0]
    """
    from scipy.sparse import coo_matrix, diags
    from scipy.sparse.linalg import splu

    unknown = equations.region.unknown
    number = np.cumsum(unknown).reshape(unknown.shape) - 1
    pairs = [(number[:, :-1], number[:, 1:], unknown[:, :-1] & unknown[:, 1:])]
    pairs += [(number[:-1], number[1:], unknown[:-1] & unknown[1:])]
    one, other = (np.concatenate([pair[k][pair[2]] for pair in pairs]) for k in (0, 1))
    count = int(unknown.sum())
    links = coo_matrix((np.ones(2 * len(one)), (np.r_[one, other], np.r_[other, one])), (count, count))
    matrix = diags(_degree(equations.region)[unknown] + equations.region.screen) - links
    rhs = _as_image(equations.rhs)[unknown].astype(np.float64)
    correction = np.zeros((*unknown.shape, 3), np.float32)
    correction[unknown] = splu(matrix.tocsc()).solve(rhs)
    if not np.isfinite(correction).all():
        raise SolverError(float("nan"), TOLERANCE)
    return correction


def compose(source: Image, target: Image, equations: Equations, correction: FloatImage) -> Image:
    """Add the correction to the source inside the mask, and put it into a copy of the target.

    Parameters
    ----------
    source, target : Image of shape (H, W, 3), uint8
        As given to `assemble`.
    equations : Equations
        As `assemble` wrote them.
    correction : FloatImage of shape (h, w, 3)
        As `solve` found it.

    Returns
    -------
    Image of shape (H, W, 3), uint8
        The blended picture.

    Examples
    --------
    >>> source, target = np.zeros((5, 5, 3), np.uint8), np.full((5, 5, 3), 60, np.uint8)
    >>> mask = np.zeros((5, 5), bool); mask[2, 2] = True
    >>> equations = assemble(source, target, mask)
    >>> compose(source, target, equations, solve(equations))[2, 2].tolist()
    [60, 60, 60]
    """
    field = np.zeros_like(equations.rhs)
    _as_image(field)[...] = correction
    return _put_in(source, target, equations.region, field)


# -- the fast solver -----------------------------------------------------------------------


def _solved(equations: Equations) -> Field:
    """Let V-cycles remove what is missing; should they do too little, go on by conjugate gradients."""
    grids, rhs = equations.region.grids, equations.rhs
    if not grids:
        field = np.zeros_like(rhs)
        _as_image(field)[...] = solve_directly(equations)
        return field
    spare = [(grid.field(), grid.field(), grid.field() if level else rhs) for level, grid in enumerate(grids)]
    field, residual = grids[0].field(), rhs.copy()
    squares = _inner(residual, residual)
    if not squares > 0:  # zero: nothing is missing; or not a number
        return _checked(field, squares)
    sums = np.zeros((2, len(rhs)))
    step = spare[0][0]
    _correct(step, residual, grids, spare)  # of the first step, only the smooth part
    last = 0.0
    for count in range(MAX_CYCLES):
        grids[0].run(stencils.settle, field, residual, step, sums)
        before, squares = squares, float(sums[0].sum())
        move = float(sums[1].max())
        # The slower of the two tells: what is smooth hardly shows in the residual.
        rate = max(float(np.sqrt(squares / max(before, TINY))), move / max(last, TINY))
        if count and _to_go(move, rate) <= GOAL:
            return field
        if count > 1 and not rate < SLOW:
            break
        last, step = move, _cycle(residual, grids, spare)
    return _conjugate_gradients(field, residual, grids, spare)


def _conjugate_gradients(
    field: Field, residual: Field, grids: tuple[Grid, ...], spare: list[tuple[Field, Field, Field]]
) -> Field:
    """Go on with directions that do not undo each other, each made from a V-cycle's."""
    fine, error = grids[0], np.inf
    image, step = fine.field(), _cycle(residual, grids, spare).copy()
    squares = _inner(residual, residual)
    sums = np.zeros((2, len(field)))
    for _ in range(MAX_ITERATIONS):
        fine.run(stencils.image_of, step, residual, image, sums)
        stretch, pull = min(float(sums[0].sum()), -TINY), float(sums[1].sum())
        length = -pull / stretch
        _strips(field, stencils.advance, field, residual, step, image, length, sums)
        before, squares = squares, float(sums[0].sum())
        error = _to_go(abs(length) * float(sums[1].max()), float(np.sqrt(squares / max(before, TINY))))
        if error <= GOAL:
            break
        better = _cycle(residual, grids, spare)
        _strips(step, stencils.aim, step, better, -_inner(better, image) / stretch)
    return _checked(field, error)


def _to_go(move: float, rate: float) -> float:
    """Estimate the error left after a move, where each is `rate` times the one before."""
    rate = max(rate, LEAST_RATE)
    return move * rate / (1 - rate) if rate < 1 else float(move and np.inf)


def _checked(field: Field, error: float) -> Field:
    """Return the field, if its error is known to be small."""
    if not error <= TOLERANCE:
        raise SolverError(error, TOLERANCE)
    return field


def _cycle(rhs: Field, grids: tuple[Grid, ...], spare: list[tuple[Field, Field, Field]]) -> Field:
    """Run one symmetric V-cycle from zero: smooth, correct from the coarser grid, smooth."""
    grid, (field, smoothed, _) = grids[0], spare[0]
    if grid.inverse is not None:
        y, x = np.nonzero(grid.kind)
        _pixels(field)[y, x] = grid.inverse @ _pixels(rhs)[y, x]
        return field
    steps = FINE_STEPS if grid.common[0] == 0 else COARSE_STEPS
    grid.run(stencils.smooth_zero, rhs, field, steps)
    _correct(field, rhs, grids, spare)
    grid.run(stencils.smooth, field, rhs, smoothed, steps[::-1])
    return smoothed


def _correct(
    field: Field, rhs: Field, grids: tuple[Grid, ...], spare: list[tuple[Field, Field, Field]]
) -> None:
    """Correct `field` by what the coarser grids make of its residual."""
    if len(grids) == 1:
        return
    coarser, coarse_rhs = grids[1], spare[1][2]
    grids[0].run(stencils.restrict_residual, field, rhs, coarse_rhs, *coarser.corner, rows=coarser.rows)
    found = _cycle(coarse_rhs, grids[1:], spare[1:])
    grids[0].run(stencils.prolong, found, field, *coarser.corner, stencils=False)


def _inner(one: Field, other: Field) -> float:
    """Return the inner product; summed by rows, so that threads make no difference."""
    sums = np.zeros(len(one))
    _strips(one, stencils.measure, one, other, sums)
    return float(sums.sum())


def _strips(like: Field, kernel: Any, *fields: Any) -> None:
    """Run a kernel that knows no grid over the rows of a field, in strips."""
    _in_strips(lambda *ends: kernel(*fields, *ends), len(like) - 2, like.shape[1] // 3)


def _in_strips(work: Any, rows: int, width: int) -> None:
    in_strips(work, rows, least=STRIP // width + 1)


# -- the hierarchy -------------------------------------------------------------------------


def _hierarchy(unknown: Mask, screen: float, at_border: tuple[bool, bool, bool, bool]) -> tuple[Grid, ...]:
    """Build the pixels' own grid and its Galerkin products, down to a few unknowns.

    `at_border` says where the box touches the picture's border: top, bottom, left, right.
    """
    top, bottom, left, right = at_border
    kind = np.zeros((unknown.shape[0] + 2, unknown.shape[1] + 2), np.uint8)
    kind[1:-1, 1:-1] = unknown * np.uint8(stencils.UNKNOWN | stencils.ALIKE)
    sides: tuple[Any, ...] = (np.s_[1], np.s_[-2], np.s_[:, 1], np.s_[:, -2])
    for side, touches in zip(sides, at_border, strict=True):
        if touches:  # fewer neighbours
            kind[side] &= stencils.UNKNOWN
    common = np.array([0, -1, 0, -1, 4 + screen, -1, 0, -1, 0], np.float32)
    grid = _grid(kind, common, (0, 0))
    grid.weights[:] = common
    rows = np.repeat(np.arange(len(kind)), np.diff(grid.odd_rows))
    for touches, link, outermost in (
        (top, 1, rows == 1),
        (bottom, 7, rows == len(kind) - 2),
        (left, 3, grid.odd == 1),
        (right, 5, grid.odd == kind.shape[1] - 2),
    ):
        if touches:
            grid.weights[outermost, 4] -= 1
            grid.weights[outermost, link] = 0
    grids = [grid]
    while np.count_nonzero(grids[-1].kind) > FEW:
        coarser = _coarser(grids[-1], at_border)
        if coarser is None:
            break
        grids.append(coarser)
    if np.count_nonzero(kind) <= FEW:
        grids = [replace(grid, inverse=_inverse(grid))]
    return tuple(grids)


def _coarser(fine: Grid, at_border: tuple[bool, bool, bool, bool]) -> Grid | None:
    """Build the grid of every second pixel; None if the mask has none of those."""
    top, bottom, left, right = at_border
    height, width = (side - 2 for side in fine.kind.shape)
    # Where the picture ends, a pixel of the coarser grid sits on the border, if only one side asks.
    corner = ((height - 1) % 2 if bottom and not top else 0, (width - 1) % 2 if right and not left else 0)
    size = ((height - 1 - corner[0]) // 2 + 3, (width - 1 - corner[1]) // 2 + 3)
    if min(size) < 3:
        return None
    kind = np.zeros(size, np.uint8)
    stencils.classify(fine.kind, kind, *corner)
    if not kind.any():
        return None
    coarse = _grid(kind, _galerkin(fine.common), corner)
    from_fine = (fine.kind, fine.number, fine.weights, fine.common)
    to_coarse: tuple[Any, ...] = (coarse.odd, coarse.odd_rows, coarse.weights, *corner)
    _in_strips(lambda *ends: stencils.coarse_stencils(*from_fine, *to_coarse, *ends), coarse.rows, width)
    if np.count_nonzero(kind) > FEW:
        return coarse
    return replace(coarse, inverse=_inverse(coarse))


def _grid(kind: npt.NDArray[np.uint8], common: npt.NDArray[np.float32], corner: tuple[int, int]) -> Grid:
    """List a grid's runs and odd pixels; the weights are still to be filled in."""
    alike = kind == stencils.UNKNOWN | stencils.ALIKE
    runs = np.empty((int(np.count_nonzero(alike[:, 1:] > alike[:, :-1])), 2), np.int32)
    odd = np.empty(int(np.count_nonzero(kind == stencils.UNKNOWN)), np.int32)
    run_rows, odd_rows = np.empty((2, len(kind) + 1), np.int32)
    number = np.empty(kind.shape, np.int32)
    stencils.trace(kind, runs, run_rows, odd, odd_rows, number)
    weights = np.empty((len(odd), 9), np.float32)
    return Grid(kind, number, runs, run_rows, odd, odd_rows, weights, common, corner, None)


def _galerkin(stencil: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the coarse stencil of a constant fine one: interpolated, applied, restricted.

    Along one axis, the identity becomes (1/4, 3/2, 1/4) and the sum of both neighbours (1, 2, 1);
    this is the product of the two axes.
    """
    corner, edge, _, _, centre = stencil[:5].astype(np.float64)
    coarse_corner = centre / 16 + edge / 2 + corner
    coarse_edge = 3 * centre / 8 + 2 * edge + 2 * corner
    coarse_centre = 9 * centre / 4 + 6 * edge + 4 * corner
    row = [coarse_corner, coarse_edge, coarse_corner]
    return np.array([*row, coarse_edge, coarse_centre, coarse_edge, *row], np.float32)


def _inverse(grid: Grid) -> npt.NDArray[np.float32]:
    """Invert the equations of a small grid."""
    pixels = np.argwhere(grid.kind)
    number = np.full(grid.kind.shape, -1)
    number[tuple(pixels.T)] = np.arange(len(pixels))
    matrix = np.zeros((len(pixels), len(pixels)))
    alike = grid.kind[tuple(pixels.T)] != stencils.UNKNOWN
    stencil = np.tile(grid.common, (len(pixels), 1))
    stencil[~alike] = grid.weights
    for k, (dy, dx) in enumerate(np.ndindex(3, 3)):
        other = number[pixels[:, 0] + dy - 1, pixels[:, 1] + dx - 1]
        linked = np.flatnonzero(other >= 0)
        matrix[linked, other[linked]] = stencil[linked, k]
    return np.linalg.inv(matrix).astype(np.float32)


# -- pictures in, picture out --------------------------------------------------------------


def _pixels(field: Field) -> FloatImage:
    """Look at a field as an image with a rim."""
    return field.reshape(len(field), -1, 3)


def _as_image(field: Field) -> FloatImage:
    """Look at a field as an image of shape (h, w, 3)."""
    return _pixels(field)[1:-1, 1:-1]


def _put_in(source: Image, target: Image, region: Region, field: Field) -> Image:
    """Add the field to the source inside the mask, and put it into a copy of the target."""
    result = np.array(target, order="C")
    if not region.grids:
        (x0, y0), (height, width) = region.corner, region.unknown.shape
        box = slice(y0, y0 + height), slice(x0, x0 + width)
        blended = np.clip(np.rint(source[box] + _as_image(field)), 0, 255).astype(np.uint8)
        result[box][region.unknown] = blended[region.unknown]
        return result
    flat = [np.ascontiguousarray(picture).reshape(len(picture), -1) for picture in (source, result)]
    region.grids[0].run(stencils.put, flat[0], field, *region.corner, flat[1], stencils=False)
    return result


def _degree(region: Region) -> npt.NDArray[np.float32]:
    """Count each pixel's neighbours inside the picture."""
    (x0, y0), (height, width) = region.corner, region.unknown.shape
    y, x = np.indices((height, width), sparse=True)
    rows, cols = region.shape
    down = (y + y0 > 0).astype(np.float32) + (y + y0 < rows - 1)
    across = (x + x0 > 0).astype(np.float32) + (x + x0 < cols - 1)
    return np.asarray(down + across)


def _naive_rhs(source: Image, target: Image, region: Region, mode: Mode) -> Field:
    """Write the right-hand side over the whole picture, as the papers put it."""
    (x0, y0), (height, width) = region.corner, region.unknown.shape
    box = slice(y0, y0 + height), slice(x0, x0 + width)
    unknown = np.zeros(region.shape, np.bool_)
    unknown[box] = region.unknown
    inside, outside = source.astype(np.float32), target.astype(np.float32)
    known = np.where(unknown[..., None], np.float32(0), outside - inside)
    rhs = np.zeros_like(inside)
    for axis in (0, 1):
        part, values = np.moveaxis(rhs, axis, 0), np.moveaxis(known, axis, 0)
        part[1:] += values[:-1]
        part[:-1] += values[1:]
        if mode == "mixed":
            ours, theirs = (np.diff(np.moveaxis(picture, axis, 0), axis=0) for picture in (inside, outside))
            extra = np.where(np.abs(theirs) > np.abs(ours), theirs - ours, 0)
            part[1:] += extra
            part[:-1] -= extra
    field = np.zeros((height + 2, 3 * (width + 2)), np.float32)
    _as_image(field)[region.unknown] = rhs[box][region.unknown]
    return field
