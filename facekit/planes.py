"""The rasteriser's second half: the affine map of each triangle, and how it goes along a run.

The map is kept as a shift from the pixel to its source, so that a mesh that stays where it is
maps every pixel exactly onto itself, whatever grid the vertices snap to.

References
----------
.. [1] Heckbert, "Fundamentals of Texture Mapping and Image Warping", UC Berkeley, 1989.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled
from facekit.scanline import SUBPIXELS, Runs, Snapped, doubled_area
from facekit.values import Mask, Triangles

Float: TypeAlias = npt.NDArray[np.float32]
Planes: TypeAlias = npt.NDArray[np.float64]  # (T, 11), as `fit_planes` says


def write_map(
    runs: Runs, planes: Planes, top: int, map_x: Float, map_y: Float, near: Float, inside: Mask
) -> None:
    """Draw runs: write where each pixel comes from, and that it is covered.

    Parameters
    ----------
    runs : ndarray of shape (R, 4), int32
        In rows `top` to `top + rows`.
    planes : ndarray of shape (T, 11), float64
        The triangles' maps.
    top : int
        The row of the box that is the arrays' first.
    map_x, map_y : ndarray of shape (rows, cols), float32, pixels
        Written where a triangle covers the pixel.
    near : ndarray of shape (rows, cols), float32
        Distance of what is there, infinite where nothing is: the nearest wins. If empty, the last.
    inside : Mask of shape (rows, cols)
        What is covered so far; added to.
    """
    write = _write_map if can_compile() else _write_map_plainly
    write(runs, planes, top, map_x, map_y, near, inside)


# -- kernels -------------------------------------------------------------------------------


@compiled
def fit_planes(dst: Snapped, triangles: Triangles, values: npt.NDArray[np.float64]) -> Planes:
    """Interpolate the vertices' values linearly over each triangle.

    `values` are, for each vertex, the shift to the source in x and y, and the distance. A row of
    the result: the first corner's x and y in pixels, its three values, by how much each grows
    per pixel to the right, and by how much downwards; no growth where the triangle is flat.
    """
    planes = np.zeros((len(triangles), 11))
    for row in range(len(triangles)):
        a, b, c = triangles[row, 0], triangles[row, 1], triangles[row, 2]
        area = doubled_area(dst, a, b, c)
        scale = SUBPIXELS / area if area != 0 else 0.0
        for k in range(2):
            planes[row, k] = dst[a, k] / SUBPIXELS
        for k in range(3):
            to_b, to_c = values[b, k] - values[a, k], values[c, k] - values[a, k]
            planes[row, 2 + k] = values[a, k]
            planes[row, 5 + k] = (to_b * (dst[c, 1] - dst[a, 1]) - to_c * (dst[b, 1] - dst[a, 1])) * scale
            planes[row, 8 + k] = (to_c * (dst[b, 0] - dst[a, 0]) - to_b * (dst[c, 0] - dst[a, 0])) * scale
    return planes


@compiled
def start_of_run(planes: Planes, row: int, x: int, y: int) -> tuple[float, float, float]:
    """Return the source's x and y and the distance at pixel (x, y) of a triangle."""
    at = np.uint64(row)
    right, down = x - planes[at, 0], y - planes[at, 1]
    return (
        x + (planes[at, 2] + planes[at, 5] * right + planes[at, 8] * down),
        y + (planes[at, 3] + planes[at, 6] * right + planes[at, 9] * down),
        planes[at, 4] + planes[at, 7] * right + planes[at, 10] * down,
    )


@compiled
def _write_map(
    runs: Runs, planes: Planes, top: int, map_x: Float, map_y: Float, near: Float, inside: Mask
) -> None:
    for run in range(len(runs)):
        y, first, last, name = int(runs[run, 0]), int(runs[run, 1]), int(runs[run, 2]), int(runs[run, 3])
        row = max(name, ~name)
        start = start_of_run(planes, row, first, y)
        steps = 1 + planes[row, 5], planes[row, 6], planes[row, 7]
        if near.size:
            _write_nearer(map_x, map_y, near, inside, y - top, first, last, start, steps)
        else:
            _write_run(map_x, map_y, inside, y - top, first, last, start, steps, name < 0)


@compiled
def _write_run(
    map_x: Float,
    map_y: Float,
    inside: Mask,
    y: int,
    first: int,
    last: int,
    start: tuple[float, float, float],
    steps: tuple[float, float, float],
    closing: bool,
) -> None:
    """Write a run of pixels; if it closes the outer edge, those that are not covered yet."""
    # Whole arrays, by index: a slice would count references, which two threads do in turn.
    # Counted in 32 bits, which the vector units turn into floats; indexed by what has no sign,
    # because numba looks for a sign at every pixel.
    line, count = np.uint64(y), np.int32(last - first + 1)
    if closing:
        for k in range(count):
            if not inside[line, np.uint64(first + k)]:
                map_x[line, np.uint64(first + k)] = start[0] + k * steps[0]
                map_y[line, np.uint64(first + k)] = start[1] + k * steps[1]
    else:
        for k in range(count):
            map_x[line, np.uint64(first + k)] = start[0] + np.float64(np.int32(k)) * steps[0]
        for k in range(count):
            map_y[line, np.uint64(first + k)] = start[1] + np.float64(np.int32(k)) * steps[1]
    for k in range(count):
        inside[line, np.uint64(first + k)] = True


@compiled
def _write_nearer(
    map_x: Float,
    map_y: Float,
    near: Float,
    inside: Mask,
    y: int,
    first: int,
    last: int,
    start: tuple[float, float, float],
    steps: tuple[float, float, float],
) -> None:
    """Write those pixels of a run that are nearer than what is there."""
    line = np.uint64(y)
    for k in range(np.int32(last - first + 1)):
        x, step = np.uint64(first + k), np.float64(np.int32(k))
        distance = np.float32(start[2] + step * steps[2])
        wins = distance < near[line, x]
        near[line, x] = distance if wins else near[line, x]
        map_x[line, x] = np.float32(start[0] + step * steps[0]) if wins else map_x[line, x]
        map_y[line, x] = np.float32(start[1] + step * steps[1]) if wins else map_y[line, x]
        inside[line, x] = True


# -- plain versions ------------------------------------------------------------------------


def fit_planes_plainly(dst: Snapped, triangles: Triangles, values: npt.NDArray[np.float64]) -> Planes:
    """Do what `fit_planes` does."""
    a, b, c = (dst[triangles[:, k]].astype(np.float64) for k in range(3))
    to_b, to_c = b - a, c - a
    area = to_b[:, 0] * to_c[:, 1] - to_b[:, 1] * to_c[:, 0]
    scale = np.divide(SUBPIXELS, area, out=np.zeros(len(area)), where=area != 0)[:, None]
    first, grown_b, grown_c = (values[triangles[:, k]] for k in range(3))
    grown_b, grown_c = grown_b - first, grown_c - first
    right = (grown_b * to_c[:, 1:] - grown_c * to_b[:, 1:]) * scale
    down = (grown_c * to_b[:, :1] - grown_b * to_c[:, :1]) * scale
    return np.hstack([a / SUBPIXELS, first, right, down])


def _write_map_plainly(
    runs: Runs, planes: Planes, top: int, map_x: Float, map_y: Float, near: Float, inside: Mask
) -> None:
    for y, first, last, name in runs.tolist():
        plane = planes[max(name, ~name)]
        x = np.arange(first, last + 1)
        values = plane[2:5] + np.outer(x - plane[0], plane[5:8]) + (y - plane[1]) * plane[8:]
        at = y - top, slice(first, last + 1)
        if near.size:
            hit = values[:, 2].astype(np.float32) < near[at]
            near[at][hit] = values[hit, 2]
        else:
            hit = ~inside[at] if name < 0 else np.ones(len(x), np.bool_)
        map_x[at][hit] = (x + values[:, 0])[hit]
        map_y[at][hit] = (y + values[:, 1])[hit]
        inside[at] = True
