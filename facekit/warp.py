"""Similarity and piecewise-affine warps.

A warp is two steps: `rasterise` turns the destination triangles into a sampling map (for every
pixel centre, where in the source it comes from), and one `cv2.remap` samples the picture.

References
----------
.. [1] Glasbey & Mardia, "A review of image-warping methods", J. Appl. Stat. 25(2), 1998.
.. [2] Pineda, "A Parallel Algorithm for Polygon Rasterization", SIGGRAPH 1988.
.. [3] Umeyama, "Least-Squares Estimation of Transformation Parameters Between Two Point
   Patterns", IEEE PAMI 13(4), 1991.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled
from facekit.errors import ArrayError, DegenerateMeshError
from facekit.topology import FACE_OVAL
from facekit.values import Image, Mask, Points, Triangles, as_image, as_points, as_triangles

__all__ = [
    "SamplingMap",
    "facing",
    "fit_similarity",
    "rasterise",
    "signed_areas",
    "transform_points",
    "warp_in_place",
    "warp_piecewise_affine",
    "warp_similarity",
]

SUBPIXELS = 256  # vertices snap to this grid, on which the fill rule is exact
FARTHEST = 2**21  # pixels; beyond, the exact integers of the fill rule could overflow
FLAT = 1e-3  # square pixels; a triangle with less area counts as flat
REMAP_LIMIT = 32_000  # pixels; cv2.remap refuses sides of 2**15 and more
SHRINK = 1.25  # source pixels per output pixel above which the source is smoothed first

Float = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SamplingMap:
    """Where each pixel of a box comes from.

    Parameters
    ----------
    x, y : ndarray of shape (h, w), float32, pixels
        Source coordinates; undefined outside `inside`.
    inside : Mask of shape (h, w)
        Pixel centres that a triangle covers.
    corner : (x0, y0)
        Where the box lies in the output.
    """

    x: Float
    y: Float
    inside: Mask
    corner: tuple[int, int]

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the output that the map covers."""
        (x0, y0), (height, width) = self.corner, self.inside.shape
        return slice(y0, y0 + height), slice(x0, x0 + width)


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
        An argument has the wrong shape, or `src` and `dst` differ in shape.
    DegenerateMeshError
        A `dst` triangle has no area; `.triangles` lists the rows.

    Notes
    -----
    Exact for affine maps up to bilinear sampling. Pixel centres on a shared edge belong to one
    triangle (top-left rule), those on the mesh's outer edge are inside. Where the mesh shrinks,
    the source is smoothed first. Allocates one (rows, cols, 2) map over the mesh's box.

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
    src, dst = as_points(src, name="src"), as_points(dst, name="dst")
    found = rasterise(src, dst, triangles, shape=(rows, cols), depth=depth)
    warped = np.zeros((rows, cols, 3), np.uint8)
    inside = np.zeros((rows, cols), np.bool_)
    if found.inside.any():
        shrink = _shrink(src, dst, as_triangles(triangles, points=len(src)))
        warped[found.box] = np.where(found.inside[..., None], sample(image, found, shrink=shrink), 0)
        inside[found.box] = found.inside
    return warped, inside


def rasterise(
    src: Points,
    dst: Points,
    triangles: Triangles,
    *,
    shape: tuple[int, int],
    depth: Float | None = None,
) -> SamplingMap:
    """Find for every pixel centre under the `dst` mesh where in the `src` mesh it comes from.

    Parameters
    ----------
    src, dst : Points of shape (N, 2), float32, pixels
        Matching vertices.
    triangles : Triangles of shape (T, 3), int32
        Rows index both.
    shape : (rows, cols)
        Size of the output that the map must stay within.
    depth : ndarray of shape (N,), float32, optional
        As in `warp_piecewise_affine`.

    Returns
    -------
    SamplingMap
        Over the box of the `dst` mesh, clipped to `shape`.

    Raises
    ------
    ArrayError, DegenerateMeshError
        As in `warp_piecewise_affine`.

    Examples
    --------
    >>> corner = np.array([[0, 0], [2, 0], [0, 2]], np.float32)
    >>> found = rasterise(2 * corner, corner, np.array([[0, 1, 2]], np.int32), shape=(9, 9))
    >>> found.box
    (slice(0, 3, None), slice(0, 3, None))
    >>> int(found.inside.sum()), found.x[0].tolist()
    (6, [0.0, 2.0, 4.0])
    """
    src, dst = as_points(src, name="src"), as_points(dst, name="dst")
    if src.shape != dst.shape:
        raise ArrayError(f"src and dst: expected one shape, got {src.shape} and {dst.shape}")
    if dst.size and np.abs(dst).max() > FARTHEST:
        raise ArrayError(f"dst: expected coordinates within {FARTHEST} pixels, got {np.abs(dst).max():g}")
    triangles = as_triangles(triangles, points=len(dst))
    if depth is not None and np.shape(depth) != (len(dst),):
        raise ArrayError(f"depth: expected shape ({len(dst)},), got {np.shape(depth)}")
    flat = np.abs(signed_areas(dst, triangles)) < FLAT
    if flat.any() and depth is None:
        raise DegenerateMeshError(np.flatnonzero(flat).tolist())
    triangles = triangles[~flat]
    x0, y0, x1, y1 = _clipped_box(dst, triangles, shape)
    size = (max(y1 - y0, 0), max(x1 - x0, 0))
    found = SamplingMap(
        np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(size, np.bool_), (x0, y0)
    )
    if found.inside.size:
        near = np.full(size if depth is not None else (0, 0), np.inf, np.float32)
        distance = np.zeros(len(dst)) if depth is None else np.asarray(depth, np.float64)
        snapped = np.round((dst.astype(np.float64) - found.corner) * SUBPIXELS).astype(np.int64)
        shift = src.astype(np.float64) - dst.astype(np.float64) + found.corner
        maps = (found.x, found.y, found.inside, near)
        _fill(shift, snapped, triangles, distance, *maps, False)
        closing = np.flatnonzero(_on_edge(triangles))[::-1]  # backwards, so that the last row wins
        _fill(shift, snapped, triangles[closing], distance, *maps, True)
    return found


def sample(image: Image, found: SamplingMap, *, shrink: float = 1.0) -> Image:
    """Sample `image` bilinearly at a map's coordinates; beyond its edge, the edge repeats.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The source.
    found : SamplingMap
        Where to sample.
    shrink : float
        Source pixels per output pixel; above 1.25, the source is smoothed to match first.

    Returns
    -------
    Image of shape (h, w, 3), uint8
        Over the map's box; arbitrary outside the mesh.

    Examples
    --------
    >>> image = np.repeat(np.array([[[10], [30]]], np.uint8), 3, axis=2)
    >>> x, y = np.array([[0, 0.5, 7]], np.float32), np.zeros((1, 3), np.float32)
    >>> sample(image, SamplingMap(x, y, np.ones((1, 3), bool), (0, 0)))[0, :, 0].tolist()
    [10, 20, 30]
    """
    height, width = image.shape[:2]
    xs, ys = found.x[found.inside], found.y[found.inside]
    pad = 2 + int(np.ceil(2 * shrink))
    x0, x1 = _span(xs, pad, width)
    y0, y1 = _span(ys, pad, height)
    part, factor = _smooth(image[y0:y1, x0:x1], shrink)
    if max(part.shape[:2]) > REMAP_LIMIT:
        raise ArrayError(f"source mesh: expected a box under {REMAP_LIMIT} pixels, got {part.shape[:2]}")
    map_x = (found.x - np.float32(x0) + np.float32(0.5)) / np.float32(factor) - np.float32(0.5)
    map_y = (found.y - np.float32(y0) + np.float32(0.5)) / np.float32(factor) - np.float32(0.5)
    if factor == 1:  # exact: no rounding through the halves
        map_x, map_y = found.x - np.float32(x0), found.y - np.float32(y0)
    sampled = cv2.remap(part, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.uint8)


def signed_areas(points: Points, triangles: Triangles) -> npt.NDArray[np.float64]:
    """Return each triangle's area; positive where it is clockwise on the screen (y down).

    Parameters
    ----------
    points : Points of shape (N, 2), pixels
        Vertices.
    triangles : Triangles of shape (T, 3)
        Rows.

    Returns
    -------
    ndarray of shape (T,), float64, square pixels
        Negative where a mesh triangle faces away.

    Examples
    --------
    >>> corner = np.array([[0, 0], [2, 0], [0, 2]], np.float32)
    >>> signed_areas(corner, np.array([[0, 1, 2], [0, 2, 1]], np.int32)).tolist()
    [2.0, -2.0]
    """
    a, b, c = (points[triangles[:, k]].astype(np.float64) for k in range(3))
    return np.asarray(
        ((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])) / 2
    )


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
    return np.where(changed[..., None], warped, image), changed


# -- inside --------------------------------------------------------------------------------


@compiled
def _fill(
    shift: npt.NDArray[np.float64],
    dst: npt.NDArray[np.int64],
    triangles: Triangles,
    depth: npt.NDArray[np.float64],
    map_x: Float,
    map_y: Float,
    inside: Mask,
    near: Float,
    closing: bool,
) -> None:
    """Write each triangle's affine map at the pixel centres that it covers.

    `dst` is in units of 1/SUBPIXELS, so edge functions are exact integers: a centre on an edge
    belongs to the triangle for which the edge is a top or a left one; with `closing`, to any,
    if none has it yet. An empty `near` means that the last row wins; else the nearest. The map
    is interpolated as a shift from the pixel, so that the grid costs a still mesh no exactness.
    """
    one = np.int64(SUBPIXELS)
    height, width = inside.shape
    for row in range(len(triangles)):
        a, b, c = triangles[row]
        ax, ay, bx, by, cx, cy = dst[a, 0], dst[a, 1], dst[b, 0], dst[b, 1], dst[c, 0], dst[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        if area < 0:
            b, c = c, b
            bx, by, cx, cy = cx, cy, bx, by
            area = -area
        # Weights of a, b, c at a point are the edge functions of the opposite edges over the area.
        dax, day, dbx, dby, dcx, dcy = cx - bx, cy - by, ax - cx, ay - cy, bx - ax, by - ay
        # Clockwise on the screen: an edge is a top one when it runs right, a left one when it runs up.
        bias_a = 0 if closing or day < 0 or (day == 0 and dax > 0) else -1
        bias_b = 0 if closing or dby < 0 or (dby == 0 and dbx > 0) else -1
        bias_c = 0 if closing or dcy < 0 or (dcy == 0 and dcx > 0) else -1
        y_first = max(-((-min(ay, by, cy)) // one), 0)
        y_last = min(max(ay, by, cy) // one, height - 1)
        x_first = max(-((-min(ax, bx, cx)) // one), 0)
        x_last = min(max(ax, bx, cx) // one, width - 1)
        scale = 1.0 / area
        for y in range(y_first, y_last + 1):
            py = y * one
            for x in range(x_first, x_last + 1):
                px = x * one
                wa = dax * (py - by) - day * (px - bx)
                wb = dbx * (py - cy) - dby * (px - cx)
                wc = dcx * (py - ay) - dcy * (px - ax)
                if wa + bias_a < 0 or wb + bias_b < 0 or wc + bias_c < 0:
                    continue
                if closing and inside[y, x] and not near.size:
                    continue
                fa, fb, fc = wa * scale, wb * scale, wc * scale
                if near.size:
                    distance = fa * depth[a] + fb * depth[b] + fc * depth[c]
                    if distance >= near[y, x]:
                        continue
                    near[y, x] = distance
                map_x[y, x] = x + (fa * shift[a, 0] + fb * shift[b, 0] + fc * shift[c, 0])
                map_y[y, x] = y + (fa * shift[a, 1] + fb * shift[b, 1] + fc * shift[c, 1])
                inside[y, x] = True


def _on_edge(triangles: Triangles) -> npt.NDArray[np.bool_]:
    """Tell which triangles have an edge that no other triangle shares."""
    ends = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 3, 2), axis=2).astype(np.int64)
    keys = ends[..., 0] << 32 | ends[..., 1]
    _, where, count = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray((count[where.reshape(keys.shape)] == 1).any(axis=1))


def _clipped_box(points: Points, triangles: Triangles, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the pixels (x0, y0, x1, y1), end exclusive, that `triangles` can cover."""
    if not len(triangles):
        return 0, 0, 0, 0
    used = points[triangles.ravel()].astype(np.float64)
    limit = np.array([shape[1], shape[0]])
    low = np.clip(np.floor(used.min(axis=0)), 0, limit).astype(int)
    high = np.clip(np.ceil(used.max(axis=0)) + 1, 0, limit).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _span(values: Float, pad: int, size: int) -> tuple[int, int]:
    """Return the part [start, stop) of a side that sampling at `values` touches."""
    start = int(np.clip(np.floor(values.min()) - pad, 0, size - 1))
    stop = int(np.clip(np.ceil(values.max()) + pad + 1, start + 1, size))
    return start, stop


def _shrink(src: Points, dst: Points, triangles: Triangles) -> float:
    """Return how many source pixels fall on one output pixel, per side, over the whole mesh."""
    areas = [float(np.abs(signed_areas(points, triangles)).sum()) for points in (src, dst)]
    return float(np.sqrt(areas[0] / max(areas[1], FLAT)))


def _smooth(part: Image, shrink: float) -> tuple[Image, int]:
    """Average `part` over whole blocks, then blur what is left of `shrink`."""
    if shrink <= SHRINK:
        return part, 1
    factor = max(int(shrink), 1)
    if factor > 1:
        rows, cols = (-(-side // factor) * factor for side in part.shape[:2])
        whole = cv2.copyMakeBorder(
            part, 0, rows - part.shape[0], 0, cols - part.shape[1], cv2.BORDER_REPLICATE
        )
        part = np.asarray(
            cv2.resize(whole, (cols // factor, rows // factor), interpolation=cv2.INTER_AREA), np.uint8
        )
    rest = shrink / factor
    sigma = 0.5 * np.sqrt(max(rest**2 - 1, 0.0))
    if sigma > 0.2:
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), sigma), np.uint8)
    return part, factor


def _band(inner: npt.NDArray[np.intp], outer: npt.NDArray[np.intp]) -> Triangles:
    """Join two rings of equal length by a strip of triangles."""
    following, beyond = np.roll(inner, -1), np.roll(outer, -1)
    first = np.column_stack([inner, outer, following])
    second = np.column_stack([following, outer, beyond])
    return np.concatenate([first, second]).astype(np.int32)
