"""Poisson blending: assemble, solve, compose.

Inside the mask the answer has the guidance's gradients; on the mask's edge it has the target's
colours (Perez et al. 2003). With `f = source + c`, import mode is a membrane: the correction
`c` is harmonic and takes the values `target - source` on the edge, so it is smooth inside and
rough only near the edge. Mixed mode adds, as a right-hand side, what the stronger of the two
gradients has over the source's.

The equations are solved by conjugate gradients, preconditioned by one multigrid cycle; every
solution is checked against its equations.

References
----------
.. [1] Perez, Gangnet & Blake, "Poisson Image Editing", ACM Trans. Graphics 22(3), 2003.
.. [2] Farbman et al., "Coordinates for Instant Image Cloning", ACM Trans. Graphics 28(3), 2009.
.. [3] Tatebe, "The Multigrid Preconditioned Conjugate Gradient Method", 6th Copper Mountain
   Conference on Multigrid Methods, 1993.
.. [4] Braess, "Towards Algebraic Multigrid for Elliptic Problems of Second Order", Computing 55,
   1995.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled
from facekit.errors import ArrayError, SolverError
from facekit.values import FloatImage, Image, Mask, as_image, as_mask

__all__ = ["Equations", "assemble", "blend_poisson", "compose", "solve"]

TOLERANCE = 0.1  # grey levels; largest estimated error that is let through
GOAL = TOLERANCE / 5  # grey levels; where the iteration stops
MAX_ITERATIONS = 80
COARSEST = 2  # pixels; blocks are joined down to this
SMOOTHINGS = 1  # sweeps over both colours, before and after each coarser grid
COARSE_SMOOTHINGS = 4
OVERCORRECTION = 1.8  # piecewise constant corrections are too stiff by about this factor (Braess 1995)
TINY = np.float32(1e-30)

Floats = npt.NDArray[np.float32]
Mode = Literal["import", "mixed"]


@dataclass(frozen=True, slots=True, eq=False)
class Equations:
    """One equation for each pixel of the mask, for the correction to the source.

    For a pixel p with neighbours q inside the picture: `degree(p) c(p)`, less the sum of c(q)
    over those q that are unknown, equals `rhs(p)`, which holds the known neighbours.

    Parameters
    ----------
    unknown : Mask of shape (h, w)
        The mask over its box, which is one pixel wider than the mask where the picture allows.
    degree : ndarray of shape (h, w), float32
        Number of neighbours inside the picture, plus the screening.
    rhs, edge : FloatImage of shape (h, w, 3)
        Right-hand side inside the mask, else 0; known correction outside it, else 0.
    corner : (x0, y0)
        Where the box lies in the picture.
    """

    unknown: Mask
    degree: Floats
    rhs: FloatImage
    edge: FloatImage
    corner: tuple[int, int]


def blend_poisson(
    source: Image, target: Image, mask: Mask, *, mode: Mode = "import", reach: float | None = None
) -> Image:
    """Put `source` into `target` inside `mask`, so that no seam shows.

    Parameters
    ----------
    source, target : Image of shape (H, W, 3), uint8
        Pictures that lie over each other; never modified.
    mask : Mask of shape (H, W)
        Where the source goes. Any shape: several parts, holes, thin lines, up to the border
        (where the answer's slope is the source's). Empty: the target comes back.
    mode : {"import", "mixed"}
        Whose gradients the answer has: the source's, or at each place the stronger.
    reach : float, pixels, optional
        Distance over which the correction at the edge dies away, so that further inside the
        colours are the source's (screened Poisson). By default it spreads over the whole mask.

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
    Laplacian. Only the mask's box is touched.

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
    mask = as_mask(mask, shape=target.shape[:2])
    if mode not in ("import", "mixed"):
        raise ArrayError(f'mode: expected "import" or "mixed", got {mode!r}')
    if reach is not None and not reach > 0:
        raise ArrayError(f"reach: expected more than 0 pixels, got {reach:g}")
    if mask.all():
        raise ArrayError("mask: expected at least one pixel of the picture outside it")
    if not mask.any():
        return target.copy()
    equations = assemble(source, target, mask, mode=mode, reach=reach)
    return compose(source, target, equations, solve(equations))


def assemble(
    source: Image, target: Image, mask: Mask, *, mode: Mode = "import", reach: float | None = None
) -> Equations:
    """Write down the equations for the correction to `source` inside `mask`.

    Parameters
    ----------
    source, target : Image of shape (H, W, 3), uint8
        Pictures that lie over each other.
    mask : Mask of shape (H, W)
        Neither empty nor full.
    mode : {"import", "mixed"}
        As in `blend_poisson`.
    reach : float, pixels, optional
        As in `blend_poisson`.

    Returns
    -------
    Equations
        Over the mask's box.

    Examples
    --------
    >>> source, target = np.zeros((5, 5, 3), np.uint8), np.full((5, 5, 3), 60, np.uint8)
    >>> mask = np.zeros((5, 5), bool); mask[2, 2] = True
    >>> equations = assemble(source, target, mask)
    >>> equations.corner, equations.degree[1, 1].item(), equations.rhs[1, 1].tolist()
    ((1, 1), 4.0, [240.0, 240.0, 240.0])
    """
    rows, cols = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    y0, y1 = max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 2, mask.shape[0])
    x0, x1 = max(int(cols[0]) - 1, 0), min(int(cols[-1]) + 2, mask.shape[1])
    box = slice(y0, y1), slice(x0, x1)
    unknown = mask[box].copy()
    screen = 0.0 if reach is None else 1 / reach**2
    degree = np.full(unknown.shape, 4 + screen, np.float32)
    for side, outermost in ((np.s_[0], y0 == 0), (np.s_[-1], y1 == mask.shape[0])):
        degree[side] -= outermost
    for side, outermost in ((np.s_[0], x0 == 0), (np.s_[-1], x1 == mask.shape[1])):
        degree[:, side] -= outermost
    inside, outside = source[box].astype(np.float32), target[box].astype(np.float32)
    rhs = np.zeros_like(inside) if mode == "import" else _stronger_gradients(inside, outside)
    edge = np.where(unknown[..., None], np.float32(0), outside - inside)
    rhs += _sum_of_neighbours(edge)
    rhs[~unknown] = 0
    return Equations(unknown, degree, rhs, edge, (x0, y0))


def solve(equations: Equations) -> FloatImage:
    """Solve for the correction, and check the solution.

    Parameters
    ----------
    equations : Equations
        As `assemble` writes them.

    Returns
    -------
    FloatImage of shape (h, w, 3), grey levels
        The correction inside the mask; the known one outside.

    Raises
    ------
    SolverError
        The error estimate stays above 0.1 grey levels.

    Notes
    -----
    The error is estimated by one multigrid cycle on the final residual: the cycle is close to
    the inverse of the equations, which the residual alone says nothing about.

    Examples
    --------
    >>> source, target = np.zeros((5, 5, 3), np.uint8), np.full((5, 5, 3), 60, np.uint8)
    >>> mask = np.zeros((5, 5), bool); mask[2, 2] = True
    >>> solve(assemble(source, target, mask))[1, 1].round(3).tolist()
    [60.0, 60.0, 60.0]
    """
    grids = _grids(equations.unknown, equations.degree)
    correction = equations.edge.copy()
    residual = _residual(correction, equations.rhs, grids[0])
    estimate = _cycle(residual, grids)
    step, power = estimate.copy(), _dots(estimate, residual)
    for _ in range(MAX_ITERATIONS):
        if np.abs(estimate).max() <= GOAL:
            break
        image = -_residual(step, np.zeros_like(step), grids[0])
        length = power / np.maximum(_dots(step, image), TINY)
        correction += length * step
        residual -= length * image
        estimate = _cycle(residual, grids)
        before, power = power, _dots(estimate, residual)
        step = estimate + np.asarray(power / np.maximum(before, TINY), np.float32) * step
    error = float(np.abs(_cycle(_residual(correction, equations.rhs, grids[0]), grids)).max())
    if not error <= TOLERANCE:
        raise SolverError(error, TOLERANCE)
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
    x0, y0 = equations.corner
    height, width = equations.unknown.shape
    box = slice(y0, y0 + height), slice(x0, x0 + width)
    blended = np.clip(np.rint(source[box] + correction), 0, 255).astype(np.uint8)
    result = target.copy()
    result[box][equations.unknown] = blended[equations.unknown]
    return result


# -- inside --------------------------------------------------------------------------------


def _sum_of_neighbours(values: FloatImage) -> FloatImage:
    """Add up each pixel's four neighbours."""
    total: FloatImage = np.zeros_like(values)
    total[1:] += values[:-1]
    total[:-1] += values[1:]
    total[:, 1:] += values[:, :-1]
    total[:, :-1] += values[:, 1:]
    return total


def _stronger_gradients(source: FloatImage, target: FloatImage) -> FloatImage:
    """Sum, over each pixel's neighbours, what the stronger gradient has over the source's."""
    total = np.zeros_like(source)
    for axis in (0, 1):
        of_source, of_target = np.diff(source, axis=axis), np.diff(target, axis=axis)
        extra = np.where(np.abs(of_target) > np.abs(of_source), of_target - of_source, 0)
        after, before = np.zeros((2, *source.shape), np.float32)
        np.moveaxis(after, axis, 0)[1:] = np.moveaxis(extra, axis, 0)
        np.moveaxis(before, axis, 0)[:-1] = np.moveaxis(extra, axis, 0)
        total += after - before
    return total


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """A symmetric five-point operator: `diagonal` is zero where a pixel is known."""

    diagonal: Floats  # (h, w)
    right: Floats  # (h, w), weight of the link to the next column
    down: Floats  # (h, w), weight of the link to the next row


def _grids(unknown: Mask, degree: Floats) -> list[_Grid]:
    """Build the fine operator and its Galerkin products over blocks of 2 x 2 pixels.

    With piecewise constant interpolation the product is again a five-point operator, and it
    knows thin arms, holes and the picture's border by itself.
    """
    both_right = np.zeros(unknown.shape, np.float32)
    both_right[:, :-1] = unknown[:, :-1] & unknown[:, 1:]
    both_down = np.zeros(unknown.shape, np.float32)
    both_down[:-1] = unknown[:-1] & unknown[1:]
    grids = [_Grid(np.where(unknown, degree, np.float32(0)), both_right, both_down)]
    while max(grids[-1].diagonal.shape) > COARSEST:
        fine = grids[-1]
        height, width = (side + side % 2 for side in fine.diagonal.shape)
        pad = [(0, height - fine.diagonal.shape[0]), (0, width - fine.diagonal.shape[1])]
        diagonal, right, down = (np.pad(part, pad) for part in (fine.diagonal, fine.right, fine.down))
        within = right[:, ::2][::2] + right[:, ::2][1::2] + down[::2][:, ::2] + down[::2][:, 1::2]
        blocks = diagonal[::2, ::2] + diagonal[1::2, ::2] + diagonal[::2, 1::2] + diagonal[1::2, 1::2]
        coarse = _Grid(
            np.maximum(blocks - 2 * within, 0),
            right[:, 1::2][::2] + right[:, 1::2][1::2],
            down[1::2][:, ::2] + down[1::2][:, 1::2],
        )
        grids.append(coarse)
    return grids


def _cycle(residual: FloatImage, grids: list[_Grid]) -> FloatImage:
    """Run one symmetric V-cycle from zero: smooth, correct from the coarser grid, smooth back."""
    grid, coarser = grids[0], grids[1:]
    x = np.zeros_like(residual)
    sweeps = SMOOTHINGS if coarser else COARSE_SMOOTHINGS
    for _ in range(sweeps):
        _smooth(x, residual, grid.diagonal, grid.right, grid.down, 0)
        _smooth(x, residual, grid.diagonal, grid.right, grid.down, 1)
    if coarser:
        coarse = _cycle(_block_sums(_residual(x, residual, grid)), coarser)
        spread = coarse.repeat(2, axis=0).repeat(2, axis=1)[: x.shape[0], : x.shape[1]]
        x += OVERCORRECTION * np.where(grid.diagonal[..., None] > 0, spread, 0)
    for _ in range(sweeps):
        _smooth(x, residual, grid.diagonal, grid.right, grid.down, 1)
        _smooth(x, residual, grid.diagonal, grid.right, grid.down, 0)
    return x


def _block_sums(values: FloatImage) -> FloatImage:
    """Add up blocks of 2 x 2 pixels."""
    even = np.pad(values, ((0, values.shape[0] % 2), (0, values.shape[1] % 2), (0, 0)))
    return np.asarray(even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2])


def _residual(x: FloatImage, rhs: FloatImage, grid: _Grid) -> FloatImage:
    """Return `rhs - A x` where a pixel is unknown, zero elsewhere."""
    missing = np.zeros_like(x)
    _subtract_operator(x, rhs, grid.diagonal, grid.right, grid.down, missing)
    return missing


def _dots(a: FloatImage, b: FloatImage) -> Floats:
    """Return the inner product of each channel."""
    return np.asarray(np.einsum("ijk,ijk->k", a, b, dtype=np.float64), np.float32)


@compiled
def _smooth(
    x: FloatImage, rhs: FloatImage, diagonal: Floats, right: Floats, down: Floats, colour: int
) -> None:
    """Solve, one by one, the equations of the pixels of one colour of the chessboard (Gauss-Seidel)."""
    height, width = diagonal.shape
    for i in range(height):
        for j in range((i + colour) % 2, width, 2):
            if diagonal[i, j] <= 0:
                continue
            for k in range(3):
                total = rhs[i, j, k]
                if j + 1 < width:
                    total += right[i, j] * x[i, j + 1, k]
                if j > 0:
                    total += right[i, j - 1] * x[i, j - 1, k]
                if i + 1 < height:
                    total += down[i, j] * x[i + 1, j, k]
                if i > 0:
                    total += down[i - 1, j] * x[i - 1, j, k]
                x[i, j, k] = total / diagonal[i, j]


@compiled
def _subtract_operator(
    x: FloatImage, rhs: FloatImage, diagonal: Floats, right: Floats, down: Floats, out: FloatImage
) -> None:
    """Write `rhs - A x` into `out` where a pixel is unknown."""
    height, width = diagonal.shape
    for i in range(height):
        for j in range(width):
            if diagonal[i, j] <= 0:
                continue
            for k in range(3):
                total = rhs[i, j, k] - diagonal[i, j] * x[i, j, k]
                if j + 1 < width:
                    total += right[i, j] * x[i, j + 1, k]
                if j > 0:
                    total += right[i, j - 1] * x[i, j - 1, k]
                if i + 1 < height:
                    total += down[i, j] * x[i + 1, j, k]
                if i > 0:
                    total += down[i - 1, j] * x[i - 1, j, k]
                out[i, j, k] = total
