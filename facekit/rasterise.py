"""The rasteriser: for every pixel centre under a mesh, where in the picture it comes from.

Vertices snap to a grid of 1/256 pixel, on which edge functions are whole numbers: which centres
a triangle covers is exact, and no two triangles that share an edge share a centre. Each row of
a triangle is one run of pixels. Where it ends follows from the row above by adding, without a
division or a test of any pixel; along it, the affine map grows by a constant.

References
----------
.. [1] Pineda, "A Parallel Algorithm for Polygon Rasterization", SIGGRAPH 1988.
.. [2] Bresenham, "Algorithm for computer control of a digital plotter", IBM Syst. J. 4(1), 1965.
.. [3] Heckbert, "Fundamentals of Texture Mapping and Image Warping", UC Berkeley, 1989.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile
from facekit.errors import ArrayError, DegenerateMeshError
from facekit.sampling import LEAST, Float, SamplingMap
from facekit.scanline import FARTHEST, SUBPIXELS, fill, fill_plainly, find_rim, find_rim_plainly
from facekit.threads import in_strips
from facekit.values import Mask, Points, Triangles, as_points, as_triangles

__all__ = ["PlacedMesh", "place_mesh", "rasterise", "signed_areas"]

FLAT = 1e-3  # square pixels; a triangle with less area counts as flat


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

    References
    ----------
    .. [1] Pineda, "A Parallel Algorithm for Polygon Rasterization", SIGGRAPH 1988.

    Examples
    --------
    >>> corner = np.array([[0, 0], [2, 0], [0, 2]], np.float32)
    >>> found = rasterise(2 * corner, corner, np.array([[0, 1, 2]], np.int32), shape=(9, 9))
    >>> found.box
    (slice(0, 3, None), slice(0, 3, None))
    >>> int(found.inside.sum()), found.x[0].tolist()
    (6, [0.0, 2.0, 4.0])
    """
    mesh = place_mesh(src, dst, triangles, shape=shape, depth=depth)
    map_x, map_y = np.zeros(mesh.size, np.float32), np.zeros(mesh.size, np.float32)
    inside = np.zeros(mesh.size, np.bool_)
    in_strips(
        lambda start, stop: mesh.fill(start, map_x[start:stop], map_y[start:stop], inside[start:stop]),
        mesh.size[0],
        least=LEAST,
    )
    return SamplingMap(map_x, map_y, inside, mesh.corner, mesh.reach)


@dataclass(frozen=True, slots=True, eq=False)
class PlacedMesh:
    """A mesh that was checked and snapped, ready to be rasterised in any rows.

    Parameters
    ----------
    corner : (x0, y0)
        Where its box lies in the output.
    size : (rows, cols)
        Of the box.
    reach : (x0, y0, x1, y1), optional
        Where in the source it lies; None without triangles.
    snapped : ndarray of shape (N, 2), int64, 1/256 pixel
        Vertices in the box.
    triangles : Triangles of shape (T, 3)
        Without flat ones.
    rim : ndarray of shape (T,), bool
        Which triangles have an outer edge.
    values : ndarray of shape (N, 3), float64, pixels
        Shift from the box to the source, and distance from the viewer.
    deep : bool
        Whether the nearest triangle wins.
    """

    corner: tuple[int, int]
    size: tuple[int, int]
    reach: tuple[float, float, float, float] | None
    snapped: npt.NDArray[np.int64]
    triangles: Triangles
    rim: npt.NDArray[np.bool_]
    values: npt.NDArray[np.float64]
    deep: bool

    def fill(self, top: int, map_x: Float, map_y: Float, inside: Mask) -> None:
        """Write the map of some rows of the box, and what is covered.

        Parameters
        ----------
        top : int
            The first row.
        map_x, map_y : ndarray of shape (rows, cols), float32
            Written where a triangle covers the pixel.
        inside : Mask of shape (rows, cols)
            False on entry.
        """
        near = np.full(inside.shape if self.deep else (0, 0), np.inf, np.float32)
        write = fill if can_compile() else fill_plainly
        write(self.snapped, self.triangles, self.rim, self.values, map_x, map_y, near, inside, top)


def place_mesh(
    src: Points, dst: Points, triangles: Triangles, *, shape: tuple[int, int], depth: Float | None
) -> PlacedMesh:
    """Check a mesh and snap it to the grid.

    Parameters
    ----------
    src, dst : Points of shape (N, 2), float32, pixels
        Matching vertices.
    triangles : Triangles of shape (T, 3), int32
        Rows index both.
    shape : (rows, cols)
        Size of the output.
    depth : ndarray of shape (N,), float32, or None
        As in `warp_piecewise_affine`.

    Returns
    -------
    PlacedMesh
        Over the box of the `dst` mesh, clipped to `shape`.

    Raises
    ------
    ArrayError, DegenerateMeshError
        As in `warp_piecewise_affine`.
    """
    src, dst = as_points(src, name="src"), as_points(dst, name="dst")
    if src.shape != dst.shape:
        raise ArrayError(f"src and dst: expected one shape, got {src.shape} and {dst.shape}")
    if dst.size and np.abs(dst).max() > FARTHEST:
        raise ArrayError(f"dst: expected coordinates within {FARTHEST} pixels, got {np.abs(dst).max():g}")
    triangles = as_triangles(triangles, points=len(dst))
    if depth is not None and np.shape(depth) != (len(dst),):
        raise ArrayError(f"depth: expected shape ({len(dst)},), got {np.shape(depth)}")
    if depth is not None and not np.isfinite(depth).all():
        raise ArrayError("depth: expected finite distances")
    flat = np.abs(signed_areas(dst, triangles)) < FLAT
    if flat.any():
        if depth is None:
            raise DegenerateMeshError(np.flatnonzero(flat).tolist())
        triangles = triangles[~flat]
    x0, y0, x1, y1 = _clipped_box(dst, triangles, shape)
    exact = dst.astype(np.float64)
    distance = np.zeros(len(dst)) if depth is None else np.asarray(depth, np.float64)
    return PlacedMesh(
        (x0, y0),
        (max(y1 - y0, 0), max(x1 - x0, 0)),
        _bounds(src, triangles),
        np.round((exact - (x0, y0)) * SUBPIXELS).astype(np.int64),
        triangles,
        find_rim(triangles, len(dst)) if can_compile() else find_rim_plainly(triangles),
        # The map is interpolated as a shift from the pixel: a still mesh stays exact on any grid.
        np.column_stack([src.astype(np.float64) - exact + (x0, y0), distance]),
        depth is not None,
    )


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
    x, y = (points[:, k].astype(np.float64)[triangles.T] for k in (0, 1))
    return np.asarray(((x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])) / 2)


# -- inside --------------------------------------------------------------------------------


def _bounds(points: Points, triangles: Triangles) -> tuple[float, float, float, float] | None:
    """Return the box around the corners of `triangles`; None if there are none."""
    if not len(triangles):
        return None
    x, y = points[:, 0][triangles], points[:, 1][triangles]
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _clipped_box(points: Points, triangles: Triangles, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the pixels (x0, y0, x1, y1), end exclusive, that `triangles` can cover."""
    bounds = _bounds(points, triangles)
    if bounds is None:
        return 0, 0, 0, 0
    low = [min(max(math.floor(end), 0), side) for end, side in zip(bounds[:2], shape[::-1], strict=True)]
    high = [min(max(math.ceil(end) + 1, 0), side) for end, side in zip(bounds[2:], shape[::-1], strict=True)]
    return low[0], low[1], high[0], high[1]
