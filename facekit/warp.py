"""Similarity and piecewise-affine warps.

A warp is two steps: `rasterise` turns the destination triangles into a sampling map (for every
pixel centre, where in the source it comes from), and `sample` reads the picture there. Who does
not need the map has both done at once: `warp_piecewise_affine`.

References
----------
.. [1] Glasbey & Mardia, "A review of image-warping methods", J. Appl. Stat. 25(2), 1998.
.. [2] Umeyama, "Least-Squares Estimation of Transformation Parameters Between Two Point
   Patterns", IEEE PAMI 13(4), 1991.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facekit.errors import ArrayError
from facekit.mesh import FLAT, place_mesh, signed_areas
from facekit.rasterise import rasterise
from facekit.sampling import LEAST, SamplingMap, Source, sample, sample_mask
from facekit.texture import Texture
from facekit.threads import in_strips
from facekit.topology import FACE_OVAL
from facekit.values import Image, Mask, Points, Triangles, as_image, as_points, as_triangles

__all__ = [
    "SamplingMap",
    "facing",
    "fit_similarity",
    "rasterise",
    "sample",
    "sample_mask",
    "signed_areas",
    "transform_points",
    "warp_in_place",
    "warp_piecewise_affine",
    "warp_points",
    "warp_similarity",
]

ROUNDING = 1e-9  # share of a triangle by which a point on its edge may seem to lie outside

Float = npt.NDArray[np.float32]


def warp_piecewise_affine(
    image: Image,
    src: Points,
    dst: Points,
    triangles: Triangles,
    *,
    shape: tuple[int, int] | None = None,
    depth: Float | None = None,
) -> tuple[Image, Mask]:
    """Carry `image` from the `src` mesh onto the `dst` mesh, triangle by triangle.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        Picture to sample; never modified.
    src, dst : Points of shape (N, 2), float32, pixels
        Matching vertices as (x, y), pixel centres at integers.
    triangles : Triangles of shape (T, 3), int32
        Rows index both `src` and `dst`; where triangles overlap, the last row wins.
    shape : (rows, cols), optional
        Size of the output. By default, that of `image`.
    depth : ndarray of shape (N,), float32, optional
        Distance of the `dst` vertices from the viewer. With it, the nearest triangle wins
        where triangles overlap, and triangles that are edge-on in `dst` are left out.

    Returns
    -------
    warped : Image of shape (rows, cols, 3)
        Zero outside the mesh.
    inside : Mask of shape (rows, cols)
        True where a triangle covers the pixel centre.

    Raises
    ------
    ArrayError
        An argument has the wrong shape, `src` and `dst` differ in shape, or a coordinate is more
        than 2**21 pixels away.
    DegenerateMeshError
        A `dst` triangle has no area; `.triangles` lists the rows.

    Notes
    -----
    Exact for affine maps up to bilinear sampling. Pixel centres on a shared edge belong to one
    triangle (top-left rule), those on the mesh's outer edge are inside. Where the mesh shrinks,
    the source is smoothed first. Allocates 4 bytes for each pixel of the source's box. The result
    is the same for any number of threads.

    References
    ----------
    .. [1] Glasbey & Mardia, "A review of image-warping methods", J. Appl. Stat. 25(2), 1998.

    Examples
    --------
    >>> image = np.zeros((4, 4, 3), np.uint8); image[1, 1] = 255
    >>> src = np.array([[0, 0], [3, 0], [0, 3]], np.float32)
    >>> warped, inside = warp_piecewise_affine(
    ...     image, src, src + [1, 0], np.array([[0, 1, 2]], np.int32))
    >>> int(warped[1, 2, 0]), int(inside.sum())
    (255, 9)
    """
    image = as_image(image)
    rows, cols = image.shape[:2] if shape is None else shape
    mesh = place_mesh(src, dst, triangles, shape=(rows, cols), depth=depth)
    texture = Texture(mesh, Source(image, mesh.reach, shrink=mesh.shrink))
    warped, inside = np.zeros((rows, cols, 3), np.uint8), np.zeros((rows, cols), np.bool_)

    def draw(start: int, stop: int) -> None:
        texture.draw(start, stop, warped, inside)

    in_strips(draw, mesh.size[0], least=LEAST)
    return warped, inside


def warp_points(points: Points, src: Points, dst: Points, triangles: Triangles) -> Float:
    """Carry points of the `src` picture to where the warp onto the `dst` mesh puts them.

    With `src` and `dst` exchanged, it goes the other way.

    Parameters
    ----------
    points : Points of shape (M, 2), float32, pixels
        Points to move.
    src, dst : Points of shape (N, 2), float32, pixels
        Matching vertices.
    triangles : Triangles of shape (T, 3), int32
        Rows index both; where triangles overlap in `src`, the last row wins.

    Returns
    -------
    ndarray of shape (M, 2), float32, pixels
        Moved points; nan outside the `src` mesh. Points on an edge or a vertex are inside.

    Raises
    ------
    ArrayError
        An argument has the wrong shape, or `src` and `dst` differ in shape.

    References
    ----------
    .. [1] Glasbey & Mardia, "A review of image-warping methods", J. Appl. Stat. 25(2), 1998.

    Examples
    --------
    >>> corner = np.array([[0, 0], [2, 0], [0, 2]], np.float32)
    >>> row = np.array([[0, 1, 2]], np.int32)
    >>> warp_points(np.array([[1, 0.5], [3, 3]]), corner, 2 * corner + [1, 0], row).tolist()
    [[3.0, 1.0], [nan, nan]]
    """
    points = as_points(points)
    src, dst = as_points(src, name="src"), as_points(dst, name="dst")
    if src.shape != dst.shape:
        raise ArrayError(f"src and dst: expected one shape, got {src.shape} and {dst.shape}")
    triangles = as_triangles(triangles, points=len(src))
    moved = np.full(points.shape, np.nan, np.float32)
    exact = points.astype(np.float64)
    for row, doubled in zip(triangles, 2 * signed_areas(src, triangles), strict=True):
        a, b, c = src[row].astype(np.float64)
        sides = ((c - b, exact - b), (a - c, exact - c), (b - a, exact - a))
        weights = np.array([side[0] * to[:, 1] - side[1] * to[:, 0] for side, to in sides]) * np.sign(doubled)
        inside = (weights >= -ROUNDING * abs(doubled)).all(axis=0) & (doubled != 0)
        shift = dst[row].astype(np.float64) - src[row]
        shares = weights[:, inside].T / abs(doubled)
        moved[inside] = exact[inside] + shift[0] + shares[:, 1:] @ (shift[1:] - shift[0])
    return moved


def facing(points: Points, triangles: Triangles) -> npt.NDArray[np.bool_]:
    """Tell which triangles of a face mesh face the viewer, and are not edge-on.

    Parameters
    ----------
    points : Points of shape (N, 2), pixels
        Vertices.
    triangles : Triangles of shape (T, 3)
        Rows, as `topology.face_triangles` winds them.

    Returns
    -------
    ndarray of shape (T,), bool
        True where visible, as far as orientation tells.

    Examples
    --------
    >>> corner = np.array([[0, 0], [2, 0], [0, 2]], np.float32)
    >>> facing(corner, np.array([[0, 1, 2], [0, 2, 1]], np.int32)).tolist()
    [True, False]
    """
    return np.asarray(signed_areas(points, triangles) >= FLAT)


def fit_similarity(src: npt.NDArray[Any], dst: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Fit the rotation, scale and shift that carry `src` onto `dst` in the least-squares sense.

    Parameters
    ----------
    src, dst : ndarray of shape (N, 2) or (N, 3), pixels
        At least two distinct points.

    Returns
    -------
    ndarray of shape (2, 3) or (3, 4), float64
        For `transform_points` and `warp_similarity`; never a reflection.

    Raises
    ------
    ArrayError
        The shapes differ or all points of `src` coincide.

    References
    ----------
    .. [1] Umeyama, IEEE PAMI 13(4), 1991.

    Examples
    --------
    >>> square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    >>> fit_similarity(square, 2 * square + [5, 7]).round(6) + 0.0
    array([[2., 0., 5.],
           [0., 2., 7.]])
    """
    src, dst = np.asarray(src, np.float64), np.asarray(dst, np.float64)
    if src.shape != dst.shape or src.ndim != 2:
        raise ArrayError(f"src and dst: expected one shape, got {src.shape} and {dst.shape}")
    middle, new_middle = src.mean(axis=0), dst.mean(axis=0)
    spread, new_spread = src - middle, dst - new_middle
    power = float((spread**2).sum())
    if not power > 0:
        raise ArrayError("src: expected at least two distinct points")
    u, singular, vt = np.linalg.svd(new_spread.T @ spread)
    signs = np.ones(len(singular))
    signs[-1] = np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0
    linear = (u * signs) @ vt * float((singular * signs).sum()) / power
    return np.column_stack([linear, new_middle - linear @ middle])


def transform_points(points: npt.NDArray[Any], matrix: npt.NDArray[np.float64]) -> Float:
    """Apply an affine `matrix` to `points`.

    Parameters
    ----------
    points : ndarray of shape (N, 2) or (N, 3), pixels
        Points.
    matrix : ndarray of shape (2, 3) or (3, 4)
        As `fit_similarity` returns it.

    Returns
    -------
    ndarray of shape (N, 2) or (N, 3), float32
        Moved points.

    Examples
    --------
    >>> transform_points(np.array([[1, 2]]), np.array([[2, 0, 5], [0, 2, 7]])).tolist()
    [[7.0, 11.0]]
    """
    return np.asarray(points.astype(np.float64) @ matrix[:, :-1].T + matrix[:, -1], np.float32)


def warp_similarity(image: Image, matrix: npt.NDArray[np.float64], *, shape: tuple[int, int]) -> Image:
    """Turn, scale and shift `image`, smoothed first where it shrinks; its edge repeats outside.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    matrix : ndarray of shape (2, 3)
        From `image` to the output.
    shape : (rows, cols)
        Size of the output.

    Returns
    -------
    Image of shape (rows, cols, 3)
        The moved picture.

    Examples
    --------
    >>> half = np.array([[1, 0, 1], [0, 1, 0]], float)
    >>> warp_similarity(np.full((2, 2, 3), 9, np.uint8), half, shape=(2, 3)).shape
    (2, 3, 3)
    """
    image = as_image(image)
    inverse = cv2.invertAffineTransform(np.asarray(matrix, np.float64))
    rows, cols = shape
    x, y = np.meshgrid(np.arange(cols, dtype=np.float64), np.arange(rows, dtype=np.float64))
    back = [inverse[k, 0] * x + inverse[k, 1] * y + inverse[k, 2] for k in (0, 1)]
    everywhere = np.ones(shape, np.bool_)
    found = SamplingMap(back[0].astype(np.float32), back[1].astype(np.float32), everywhere, (0, 0))
    return sample(image, found, shrink=float(np.sqrt(abs(np.linalg.det(inverse[:, :2])))))


def warp_in_place(
    image: Image, points: Points, moved: Points, triangles: Triangles, *, reach: float = 0.35
) -> tuple[Image, Mask]:
    """Change a face's shape inside its picture while the surroundings stay still.

    Rings of anchors around the face's oval take up the change: each ring lies further out and
    moves less, the outermost not at all.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    points, moved : Points of shape (N >= 468, 2), float32, pixels
        The face's points, and where they go.
    triangles : Triangles of shape (T, 3), int32
        The face mesh.
    reach : float
        How far the change fades out beyond the oval, as a share of the oval's radius.

    Returns
    -------
    warped : Image of shape (H, W, 3)
        Bit-equal to `image` outside the outermost ring.
    changed : Mask of shape (H, W)
        The mesh and the rings.

    Raises
    ------
    ArrayError, DegenerateMeshError
        As in `warp_piecewise_affine`.

    Examples
    --------
    >>> from facekit.assets import load_numbers
    >>> from facekit.topology import face_triangles
    >>> points = load_numbers("face_axes")["mean"][:, :2] * 40 + 64
    >>> image = np.zeros((128, 128, 3), np.uint8)
    >>> warped, changed = warp_in_place(image, points, points, face_triangles())
    >>> bool((warped == image).all())
    True
    """
    points, moved = as_points(points, name="points"), as_points(moved, name="moved")
    oval = np.array(FACE_OVAL)
    centre = points[oval].mean(axis=0)
    # Smoothstep: the change leaves the oval without a kink in its size and dies without one.
    steps = np.linspace(0, 1, 5)[1:]
    fades = 1 - steps**2 * (3 - 2 * steps)
    src, dst, rows = [points], [moved], [triangles]
    ring = oval
    for step, fade in zip(steps, fades, strict=True):
        anchors = centre + (points[oval] - centre) * (1 + reach * step)
        src.append(anchors)
        dst.append(anchors + fade * (moved[oval] - points[oval]))
        outer = len(np.concatenate(src)) - len(oval) + np.arange(len(oval))
        rows.append(_band(ring, outer))
        ring = outer
    warped, changed = warp_piecewise_affine(
        image,
        np.concatenate(src).astype(np.float32),
        np.concatenate(dst).astype(np.float32),
        np.concatenate(rows).astype(np.int32),
    )
    return np.asarray(cv2.copyTo(warped, changed.view(np.uint8), image.copy()), np.uint8), changed


# -- inside --------------------------------------------------------------------------------


def _band(inner: npt.NDArray[np.intp], outer: npt.NDArray[np.intp]) -> Triangles:
    """Join two rings of equal length by a strip of triangles."""
    following, beyond = np.roll(inner, -1), np.roll(outer, -1)
    first = np.column_stack([inner, outer, following])
    second = np.column_stack([following, outer, beyond])
    return np.concatenate([first, second]).astype(np.int32)
