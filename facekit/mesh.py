"""A mesh that is to be drawn: checked, snapped to the grid, and with an affine map for each triangle.

References
----------
.. [1] Heckbert, "Fundamentals of Texture Mapping and Image Warping", UC Berkeley, 1989.
"""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled
from facekit.errors import ArrayError, DegenerateMeshError
from facekit.planes import Planes, fit_planes, fit_planes_plainly, write_map
from facekit.sampling import Bounds, Float
from facekit.scanline import (
    FARTHEST,
    SUBPIXELS,
    Rows,
    Runs,
    Snapped,
    find_rows,
    find_rows_plainly,
    find_runs,
    find_runs_plainly,
)
from facekit.values import Mask, Points, Triangles, as_points, as_triangles

__all__ = ["FLAT", "PlacedMesh", "place_mesh", "signed_areas"]

FLAT = 1e-3  # square pixels; a triangle with less area counts as flat

Pair: TypeAlias = tuple[float, float]
Survey: TypeAlias = tuple[npt.NDArray[np.bool_], Pair, Pair, tuple[Bounds, Bounds]]  # see `_survey`
Exact: TypeAlias = npt.NDArray[np.float64]  # (N, 2), pixels


@dataclass(frozen=True, slots=True, eq=False)
class PlacedMesh:
    """A mesh that was checked and snapped, ready to be rasterised in any rows.

    Parameters
    ----------
    corner : (x0, y0)
        Where its box lies in the output.
    size : (rows, cols)
        Of the box.
    reach : (x0, y0, x1, y1), pixels, optional
        Where in the source it lies; None without triangles.
    shrink : float
        Source pixels per output pixel and side, over the whole mesh.
    snapped : ndarray of shape (N, 2), int64, 1/256 pixel
        Vertices in the box.
    triangles : Triangles of shape (T, 3)
        Without flat ones.
    rows : ndarray of shape (T, 3), int32
        Which rows they cover, as `find_rows` says.
    planes : ndarray of shape (T, 11), float64
        Their maps, as `fit_planes` says.
    deep : bool
        Whether the nearest triangle wins.
    """

    corner: tuple[int, int]
    size: tuple[int, int]
    reach: Bounds | None
    shrink: float
    snapped: Snapped
    triangles: Triangles
    rows: Rows
    planes: Planes
    deep: bool

    def runs(self, top: int, stop: int) -> Runs:
        """Find what to draw in some rows of the box.

        Parameters
        ----------
        top, stop : int
            The rows, end exclusive.

        Returns
        -------
        ndarray of shape (R, 4), int32
            As `find_runs` says.
        """
        find = find_runs if can_compile() else find_runs_plainly
        return find(self.snapped, self.triangles, self.rows, self.size[1], top, stop)

    def distances(self, rows: int) -> Float:
        """Make room for the distances of what is drawn in some rows of the box.

        Parameters
        ----------
        rows : int
            How many.

        Returns
        -------
        ndarray of shape (rows, cols), float32
            Infinite; empty if the last triangle wins and not the nearest.
        """
        return np.full((rows, self.size[1]) if self.deep else (0, 0), np.inf, np.float32)

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
        runs, near = self.runs(top, top + len(inside)), self.distances(len(inside))
        write_map(runs, self.planes, top, map_x, map_y, near, inside)


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
    src, dst, triangles = _checked(src, dst, triangles, depth)
    # Copies, so that the kernels need to be compiled for one kind of array only.
    source, exact, triangles = src.astype(np.float64), dst.astype(np.float64), np.array(triangles, order="C")
    distance = np.zeros(len(dst)) if depth is None else np.array(depth, np.float64)
    survey, settle = (_survey, _settle) if can_compile() else (_survey_plainly, _settle_plainly)
    flat, farthest, areas, bounds = survey(source, exact, triangles)
    _check_farthest(*farthest)
    if flat.any():
        if depth is None:
            raise DegenerateMeshError(np.flatnonzero(flat).tolist())
        triangles = triangles[~flat]
    corner, size = _clipped_box(bounds[1], shape)
    snapped, rows, planes = settle(source, exact, distance, triangles, corner)
    reach = bounds[0] if len(triangles) else None
    shrink = math.sqrt(areas[0] / max(areas[1], FLAT))
    return PlacedMesh(corner, size, reach, shrink, snapped, triangles, rows, planes, depth is not None)


def signed_areas(points: npt.NDArray[Any], triangles: Triangles) -> npt.NDArray[np.float64]:
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


def _checked(
    src: Points, dst: Points, triangles: Triangles, depth: Float | None
) -> tuple[Points, Points, Triangles]:
    src, dst = as_points(src, name="src"), as_points(dst, name="dst")
    if src.shape != dst.shape:
        raise ArrayError(f"src and dst: expected one shape, got {src.shape} and {dst.shape}")
    triangles = as_triangles(triangles, points=len(dst))
    if depth is not None and np.shape(depth) != (len(dst),):
        raise ArrayError(f"depth: expected shape ({len(dst)},), got {np.shape(depth)}")
    if depth is not None and not np.isfinite(depth).all():
        raise ArrayError("depth: expected finite distances")
    return src, dst, triangles


def _check_farthest(src: float, dst: float) -> None:
    for name, most in (("src", src), ("dst", dst)):
        if most > FARTHEST:
            raise ArrayError(f"{name}: expected coordinates within {FARTHEST} pixels, got {most:g}")


def _clipped_box(bounds: Bounds, shape: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the corner (x0, y0) and the size (rows, cols) of the pixels within `bounds` and `shape`."""
    rows, cols = shape
    if bounds[0] > bounds[2]:  # around nothing
        return (0, 0), (0, 0)
    left, top = min(max(math.floor(bounds[0]), 0), cols), min(max(math.floor(bounds[1]), 0), rows)
    right, below = min(math.ceil(bounds[2]) + 1, cols), min(math.ceil(bounds[3]) + 1, rows)
    return (left, top), (max(below - top, 0), max(right - left, 0))


@compiled
def _survey(src: Exact, dst: Exact, triangles: Triangles) -> Survey:
    """Return what is flat in `dst`, the farthest coordinates, all areas' sums, and bounds without the flat.

    The last three are of `src` first, then of `dst`.
    """
    flat = np.zeros(len(triangles), np.bool_)
    far_u = far_x = from_area = to_area = 0.0
    low_u = low_v = low_x = low_y = np.inf
    high_u = high_v = high_x = high_y = -np.inf
    for point in range(len(src)):
        for k in range(2):
            far_u, far_x = max(far_u, abs(src[point, k])), max(far_x, abs(dst[point, k]))
    for row in range(len(triangles)):
        a, b, c = triangles[row, 0], triangles[row, 1], triangles[row, 2]
        area = abs(_area(dst, a, b, c))
        from_area, to_area = from_area + abs(_area(src, a, b, c)), to_area + area
        flat[row] = area < FLAT
        if area < FLAT:
            continue
        for corner in (a, b, c):
            u, v, x, y = src[corner, 0], src[corner, 1], dst[corner, 0], dst[corner, 1]
            low_u, low_v, low_x, low_y = min(low_u, u), min(low_v, v), min(low_x, x), min(low_y, y)
            high_u, high_v, high_x, high_y = max(high_u, u), max(high_v, v), max(high_x, x), max(high_y, y)
    within = ((low_u, low_v, high_u, high_v), (low_x, low_y, high_x, high_y))
    return flat, (far_u, far_x), (from_area, to_area), within


@compiled
def _area(points: Exact, a: int, b: int, c: int) -> float:
    x, y = points[a, 0], points[a, 1]
    return float((points[b, 0] - x) * (points[c, 1] - y) - (points[b, 1] - y) * (points[c, 0] - x)) / 2


@compiled
def _settle(
    src: Exact, dst: Exact, distance: npt.NDArray[np.float64], triangles: Triangles, corner: tuple[int, int]
) -> tuple[Snapped, Rows, Planes]:
    """Snap the vertices to the grid of a box that begins at `corner`, and return what drawing needs."""
    snapped, values = np.empty((len(dst), 2), np.int64), np.empty((len(dst), 3))
    for point in range(len(dst)):
        for k in range(2):
            snapped[point, k] = int(np.rint((dst[point, k] - corner[k]) * SUBPIXELS))
            # The map is interpolated as a shift from the pixel: a still mesh stays exact on any grid.
            values[point, k] = src[point, k] - dst[point, k] + corner[k]
        values[point, 2] = distance[point]
    return snapped, find_rows(snapped, triangles), fit_planes(snapped, triangles, values)


# -- plain versions ------------------------------------------------------------------------


def _survey_plainly(src: Exact, dst: Exact, triangles: Triangles) -> Survey:
    """Do what `_survey` does."""
    from_area, to_area = (np.abs(signed_areas(points, triangles)) for points in (src, dst))
    flat = to_area < FLAT
    far = [float(np.abs(points).max(initial=0)) for points in (src, dst)]
    bounds = [_bounds(points[triangles[~flat]].reshape(-1, 2)) for points in (src, dst)]
    return flat, (far[0], far[1]), (float(from_area.sum()), float(to_area.sum())), (bounds[0], bounds[1])


def _settle_plainly(
    src: Exact, dst: Exact, distance: npt.NDArray[np.float64], triangles: Triangles, corner: tuple[int, int]
) -> tuple[Snapped, Rows, Planes]:
    """Do what `_settle` does."""
    snapped = np.rint((dst - corner) * SUBPIXELS).astype(np.int64)
    values = np.column_stack([src - dst + corner, distance])
    rows = find_rows_plainly(snapped, triangles)
    return snapped, rows, fit_planes_plainly(snapped, triangles, values)


def _bounds(corners: Exact) -> Bounds:
    low, high = corners.min(axis=0, initial=np.inf), corners.max(axis=0, initial=-np.inf)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
