"""Poisson blending, from Perez's equations to their solution: assemble, solve, compose.

Inside the mask the answer has the guidance's gradients; on the mask's edge it has the target's
colours (Perez et al. 2003). With `f = source + c`, import mode is a membrane: the correction
`c` is harmonic and takes the values `target - source` on the edge, so it is smooth inside and
rough only near the edge. Mixed mode adds, as a right-hand side, what the stronger of the two
gradients has over the source's.

`solve_directly` is the naive way, and the oracle: write the matrix down, factor it. `solve` is
the fast one. It works on ever coarser grids: two smoothing steps take the rough part out of an
error, and what is left is smooth enough to be found on every second pixel, which is the same
task again with a quarter of the pixels (`multigrid`). One such V-cycle removes about 85 % to
95 % of the error; for the odd mask where it does less, conjugate gradients go on. And where the
right-hand side is zero, so inside a membrane, each grid is needed only within a few of its
pixels from the edge (`grids`): the work grows with the edge, not with the area. Every solution
is checked: what the iteration has to go, and what leaving out the inside costs, are estimated,
and a solution for which they are too much is found again without leaving anything out.

References
----------
.. [1] Perez, Gangnet & Blake, "Poisson Image Editing", ACM Trans. Graphics 22(3), 2003.
.. [2] Farbman et al., "Coordinates for Instant Image Cloning", ACM Trans. Graphics 28(3), 2009.
.. [3] Agarwala, "Efficient Gradient-Domain Compositing Using Quadtrees", SIGGRAPH 2007.
.. [4] Trottenberg, Oosterlee & Schüller, "Multigrid", Academic Press, 2001.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from facekit import guidance, multigrid, readout
from facekit.compiled import can_compile
from facekit.errors import ArrayError, SolverError
from facekit.grids import Grids, make_grids
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

TOLERANCE = 0.4  # grey levels; largest estimated error that is let through
GOAL = 0.2  # grey levels; estimated error at which the iteration stops
MAX_CYCLES = 8
MAX_ITERATIONS = 100
STRIP = 250_000  # pixels; waking a thread takes longer than a sweep over fewer

Flat = npt.NDArray[np.float32]  # (3 n,): three channels for each pixel that a hierarchy stores
Mode = Literal["import", "mixed"]


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
    compiles : bool
        Whether kernels can be compiled here; where not, the naive ways do.
    """

    unknown: Mask
    corner: tuple[int, int]
    shape: tuple[int, int]
    screen: float
    compiles: bool
    _made: dict[bool, Grids] = field(default_factory=dict, init=False, repr=False)

    @property
    def at_border(self) -> tuple[bool, bool, bool, bool]:
        """Whether the box ends at the picture's border: top, bottom, left, right."""
        (x0, y0), (height, width) = self.corner, self.unknown.shape
        return y0 == 0, y0 + height == self.shape[0], x0 == 0, x0 + width == self.shape[1]

    @property
    def crosses(self) -> bool:
        """Whether the box goes from one border of the picture to the opposite one."""
        top, bottom, left, right = self.at_border
        return (top and bottom) or (left and right)

    def grids(self, *, hide: bool) -> Grids:
        """Return the hierarchy, built when first asked for.

        Parameters
        ----------
        hide : bool
            Whether coarser grids may stand for the inside; only for a membrane.

        Returns
        -------
        Grids
            Kernels must be compiled to use it.
        """
        if hide not in self._made:
            # Hiding was measured for masks with known pixels all around; others may be tied to few.
            made = None
            if not hide or not any(self.at_border):
                made = make_grids(self.unknown, self.screen, self.at_border, hide=hide)
            if made is None or (hide and not made.graded):  # or nothing lies deep enough
                made = self.grids(hide=False)
            self._made[hide] = made
        return self._made[hide]


@dataclass(frozen=True, slots=True, eq=False)
class Equations:
    """One equation for each pixel of the mask, for the correction to the source.

    For a pixel p with neighbours q inside the picture, as many as `degree(p)`:
    `(degree(p) + screen) c(p)`, less the sum of c(q) over those q that are unknown, equals
    the right-hand side at p.

    Parameters
    ----------
    region : Region
        Whose pixels are unknown.
    grids : Grids or None
        The hierarchy that the right-hand side is laid out for.
    rhs : ndarray of shape (3 n,), float32
        Right-hand side, three channels for each pixel that the hierarchy stores, zero at hidden
        ones; without a hierarchy, for each pixel of the mask's box.
    """

    region: Region
    grids: Grids | None
    rhs: Flat

    def right_hand_side(self) -> FloatImage:
        """Return the right-hand side as an image.

        Returns
        -------
        FloatImage of shape (h, w, 3)
            Over the mask's box; zero where a pixel is known.
        """
        rows, cols = self.region.unknown.shape
        if self.grids is None:
            return self.rhs.reshape(rows, cols, 3).copy()
        image = np.zeros((rows, 3 * cols), np.float32)
        guidance.scatter(self.grids, self.rhs, image)
        return image.reshape(rows, cols, 3)


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
    Laplacian, solved to 0.4 grey levels before rounding (typically 0.1). Only the mask's box
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
        mask = _region(mask, reach)
    elif reach is not None:
        raise ArrayError("reach: the region has its own; give it to prepare")
    equations = assemble(source, target, mask, mode=mode)
    if equations.grids is None:
        return compose(source, target, equations, solve_directly(equations))
    grids, found = _solved(mask, equations.grids, equations.rhs)
    result = np.array(target, order="C")
    flat, out, (x0, y0) = _flat(source), _flat(result), mask.corner
    _in_strips(lambda *ends: readout.add_to_bytes(grids, found, flat, x0, y0, out, *ends), mask)
    return result


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
    region = _region(as_mask(mask), reach)
    if region.compiles:
        region.grids(hide=True)
    return region


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
    >>> equations.region.corner, equations.right_hand_side().tolist()
    ((2, 2), [[[240.0, 240.0, 240.0]]])
    """
    region = mask if isinstance(mask, Region) else _region(as_mask(mask), reach)
    if target.shape[:2] != region.shape:
        raise ArrayError(f"mask: expected a region for shape {target.shape[:2]}, got {region.shape}")
    if not region.compiles:
        return Equations(region, None, _naive_rhs(source, target, region, mode))
    grids = region.grids(hide=mode == "import")
    flat, (x0, y0) = (_flat(source), _flat(target)), region.corner
    rhs = np.zeros(3 * grids.size, np.float32)
    guidance.add_rim(*flat, grids, x0, y0, rhs)
    if mode == "mixed":
        _in_strips(lambda *ends: guidance.add_gradients(*flat, grids, x0, y0, rhs, *ends), region)
    return Equations(region, grids, rhs)


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
        The error estimate stays above 0.4 grey levels.

    Notes
    -----
    An iteration that shrinks the residual by a factor q, and has just moved by m, has about
    m q / (1 - q) to go, with q taken as 0.1 at least. What hiding the inside costs shows most at
    the edge of what is hidden: there, pixels that were solved for are compared with the cubics
    that stand for their neighbours. The sum of both must be within the tolerance.

    Examples
    --------
    >>> source, target = np.zeros((5, 5, 3), np.uint8), np.full((5, 5, 3), 60, np.uint8)
    >>> mask = np.zeros((5, 5), bool); mask[2, 2] = True
    >>> solve(assemble(source, target, mask))[0, 0].round(3).tolist()
    [60.0, 60.0, 60.0]
    """
    if equations.grids is None:
        return solve_directly(equations)
    grids, found = _solved(equations.region, equations.grids, equations.rhs)
    rows, cols = equations.region.unknown.shape
    image = np.zeros((rows, 3 * cols), np.float32)
    _in_strips(lambda *ends: readout.write_floats(grids, found, image, *ends), equations.region)
    return image.reshape(rows, cols, 3)


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
    rhs = equations.right_hand_side()[unknown].astype(np.float64)
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
    (x0, y0), unknown = equations.region.corner, equations.region.unknown
    box = slice(y0, y0 + unknown.shape[0]), slice(x0, x0 + unknown.shape[1])
    result = np.array(target, order="C")
    blended = np.clip(source[box] + correction, 0, 255) + np.float32(0.5)
    result[box][unknown] = blended.astype(np.uint8)[unknown]
    return result


# -- inside --------------------------------------------------------------------------------


def _region(mask: Mask, reach: float | None) -> Region:
    """Cut a mask out of its picture; the hierarchy is built when it is needed."""
    if reach is not None and not reach > 0:
        raise ArrayError(f"reach: expected more than 0 pixels, got {reach:g}")
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise ArrayError("mask: expected at least one pixel in it")
    if mask.all():
        raise ArrayError("mask: expected at least one pixel of the picture outside it")
    (y0, y1), (x0, x1) = (rows[0], rows[-1] + 1), (cols[0], cols[-1] + 1)
    screen = 0.0 if reach is None else 1 / reach**2
    shape, corner = (mask.shape[0], mask.shape[1]), (int(x0), int(y0))
    return Region(mask[y0:y1, x0:x1].copy(), corner, shape, screen, can_compile())


def _solved(region: Region, grids: Grids, rhs: Flat) -> tuple[Grids, Flat]:
    """Return a solution that was checked, and the hierarchy that it is laid out for.

    V-cycles do, nearly always; not for a mask from one border of the picture to the opposite one,
    where no coarser grid ends with the picture on both sides. Where hiding the inside costs too
    much, or they are slow, all pixels are worked on; where that is slow, too, conjugate gradients
    go on.
    """
    found = np.zeros_like(rhs)
    most = 0 if region.crosses and len(grids.shapes) > 1 else MAX_CYCLES
    error, hiding = multigrid.cycles(grids, found, rhs.copy(), GOAL, most)
    if error + hiding <= TOLERANCE:
        return grids, found
    if grids.graded:
        return _solved(region, *_unhidden(region, grids, rhs))
    if not np.isnan(error):
        error = multigrid.conjugate_gradients(grids, found, rhs, GOAL, MAX_ITERATIONS)
    if not error <= TOLERANCE:
        raise SolverError(error, TOLERANCE)
    return grids, found


def _unhidden(region: Region, grids: Grids, rhs: Flat) -> tuple[Grids, Flat]:
    """Lay a right-hand side out for a hierarchy that hides nothing."""
    full, image = region.grids(hide=False), Equations(region, grids, rhs).right_hand_side()
    unhidden = np.zeros(3 * full.size, np.float32)
    guidance.collect(full, _flat(image), unhidden)
    return full, unhidden


def _in_strips(work: Callable[[int, int], None], region: Region) -> None:
    """Run a kernel over the rows of the mask's box, in strips."""
    rows, cols = region.unknown.shape
    in_strips(work, rows, least=STRIP // cols + 1)


def _flat(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Look at a picture as rows of values."""
    return np.ascontiguousarray(image).reshape(len(image), -1)


# -- the naive way -------------------------------------------------------------------------


def _degree(region: Region) -> npt.NDArray[np.float32]:
    """Count each pixel's neighbours inside the picture."""
    (x0, y0), (height, width) = region.corner, region.unknown.shape
    y, x = np.indices((height, width), sparse=True)
    rows, cols = region.shape
    down = (y + y0 > 0).astype(np.float32) + (y + y0 < rows - 1)
    across = (x + x0 > 0).astype(np.float32) + (x + x0 < cols - 1)
    return np.asarray(down + across)


def _naive_rhs(source: Image, target: Image, region: Region, mode: Mode) -> Flat:
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
    rhs[box][~region.unknown] = 0
    return rhs[box].ravel()
