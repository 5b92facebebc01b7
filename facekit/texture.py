"""Texture mapping: a picture is read along the runs of a mesh, with no map in between.

Along a run the source moves by the same step from pixel to pixel, so its position is a sum of
whole numbers: 2**32 parts of a source pixel, of which the upper 6 bits are the bilinear weight.
A position follows from the start of its run alone, so that it is the same in whatever rows the
mesh is drawn. To write a map and to read it again would take longer than all of this.

References
----------
.. [1] Heckbert, "Fundamentals of Texture Mapping and Image Warping", UC Berkeley, 1989.
.. [2] Wolberg, "Digital Image Warping", IEEE Computer Society Press, 1990, chapter 7.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from facekit.bilinear import BITS, Words, put, put_over, weighed
from facekit.compiled import can_compile, compiled
from facekit.mesh import PlacedMesh
from facekit.planes import Planes, start_of_run
from facekit.sampling import Source
from facekit.scanline import Rows, Snapped, find_runs
from facekit.values import Image, Mask, Triangles

__all__ = ["Texture"]

PART = 32  # bits of a position behind the point
BELOW = np.uint64(PART - BITS)  # those of them below a step of 1/64 pixel
STEP = 2.0 ** (PART - BITS)
FARTHEST = 2.0**61  # in fixed point; a start and a row of steps, together, do not overflow

Float = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Steps = npt.NDArray[np.int64]  # (T, 2): by how much the position grows from pixel to pixel, fixed point
Place: TypeAlias = tuple[int, int, int, int]  # x and y in the source, and their steps, fixed point


class Texture:
    """A picture on a mesh, ready to be drawn in any rows.

    Parameters
    ----------
    mesh : PlacedMesh
        What to draw.
    source : Source
        The picture, within the mesh's reach.
    """

    __slots__ = ("_mesh", "_source", "_steps")

    def __init__(self, mesh: PlacedMesh, source: Source) -> None:
        self._mesh, self._source = mesh, source
        self._steps = _steps(mesh.planes, source.scales[0], mesh.size[1])

    def draw(self, top: int, stop: int, warped: Image, inside: Mask) -> None:
        """Draw some rows of the mesh's box.

        Parameters
        ----------
        top, stop : int
            The rows, end exclusive.
        warped : Image of shape (rows, cols, 3), C-contiguous
            The output that the mesh was placed in; written where a triangle covers the pixel.
        inside : Mask of shape (rows, cols), C-contiguous
            False in these rows on entry; true where a triangle covers the pixel on return.
        """
        mesh, source, ((x0, y0), cols) = self._mesh, self._source, (self._mesh.corner, inside.shape[1])
        if can_compile():
            begin = (y0 + top) * cols + x0
            flags, pixels = inside.reshape(-1)[begin:], warped.reshape(-1)[3 * begin :]
            triangles = mesh.snapped, mesh.triangles, mesh.rows, mesh.planes, self._steps
            where = mesh.size[1], cols, top, stop
            _draw(*triangles, source.words, source.scales, *where, mesh.distances(stop - top), flags, pixels)
        else:
            box = slice(y0 + top, y0 + stop), slice(x0, x0 + mesh.size[1])
            map_x, map_y = np.zeros((2, stop - top, mesh.size[1]), np.float32)
            mesh.fill(top, map_x, map_y, inside[box])
            source.read(map_x, map_y, inside[box], warped[box])


# -- kernels -------------------------------------------------------------------------------


@compiled
def _steps(planes: Planes, scale: float, width: int) -> Steps:
    """Return by how much each triangle's position in the source grows from pixel to pixel."""
    # Bounded, so that a row's worth of them does not overflow. No picture is so wide.
    limit = FARTHEST / max(width, 1)
    steps = np.empty((len(planes), 2), np.int64)
    for row in range(len(planes)):
        for k in range(2):
            step = ((1 - k) + planes[row, 5 + k]) * scale * STEP
            steps[row, k] = int(min(max(step, -limit), limit))
    return steps


@compiled
def _draw(
    snapped: Snapped,
    triangles: Triangles,
    rows: Rows,
    planes: Planes,
    steps: Steps,
    words: Words,
    scales: tuple[float, float, float],
    width: int,
    cols: int,
    top: int,
    stop: int,
    near: Float,
    inside: Flags,
    out: Bytes,
) -> None:
    """Draw rows of a box into flat arrays, which begin at its first pixel in row `top`."""
    runs = find_runs(snapped, triangles, rows, width, top, stop)
    flat, stride = words.ravel(), np.uint64(words.shape[1])
    most = (words.shape[1] - 2) << PART, (words.shape[0] - 2) << PART
    for run in range(len(runs)):
        line, first, last, name = int(runs[run, 0]), int(runs[run, 1]), int(runs[run, 2]), int(runs[run, 3])
        row, at, count = max(name, ~name), (line - top) * cols + first, last - first + 1
        x, y, z = start_of_run(planes, row, first, line)
        u, v = _fixed(x * scales[0] + scales[1]), _fixed(y * scales[0] + scales[2])
        right, down = steps[np.uint64(row), 0], steps[np.uint64(row), 1]
        if near.size:
            far = z, planes[np.uint64(row), 7]
            place = u, v, right, down
            _draw_nearer(flat, stride, place, most, near, line - top, first, far, at, count, inside, out)
        elif name < 0 or not (_within(u, right, count, most[0]) and _within(v, down, count, most[1])):
            _draw_free(flat, stride, (u, v, right, down), most, name < 0, at, count, inside, out)
        else:
            # Here, not in a function, whose call would take as long as two pixels. Without signs,
            # because numba looks for a sign wherever it indexes.
            here, end, i, j = np.uint64(at), np.uint64(at + count - 1), np.uint64(u), np.uint64(v)
            while here < end:
                put_over(out, here, weighed(flat, stride, i >> BELOW, j >> BELOW))
                inside[here] = True
                here, i, j = here + np.uint64(1), i + np.uint64(right), j + np.uint64(down)
            _put(out, inside, end, weighed(flat, stride, i >> BELOW, j >> BELOW))


@compiled
def _fixed(steps: float) -> int:
    """Return 64ths of a pixel in fixed point; what lies further out than any picture, as far as it goes."""
    return int(min(max(steps * STEP, -FARTHEST), FARTHEST))


@compiled
def _within(start: int, step: int, count: int, most: int) -> bool:
    """Tell whether all positions of a run lie between 0 and `most`."""
    end = start + (count - 1) * step
    return min(start, end) >= 0 and max(start, end) <= most


@compiled
def _draw_free(
    flat: Words,
    stride: np.uint64,
    place: Place,
    most: tuple[int, int],
    closing: bool,
    at: int,
    count: int,
    inside: Flags,
    out: Bytes,
) -> None:
    """Draw a run that may leave the source; if it closes the outer edge, the pixels that are still free."""
    u, v, right, down = place
    for k in range(count):
        if not (closing and inside[np.uint64(at + k)]):
            sample = _clamped(flat, stride, u + k * right, v + k * down, most)
            _put(out, inside, np.uint64(at + k), sample)


@compiled
def _draw_nearer(
    flat: Words,
    stride: np.uint64,
    place: Place,
    most: tuple[int, int],
    near: Float,
    line: int,
    first: int,
    far: tuple[float, float],
    at: int,
    count: int,
    inside: Flags,
    out: Bytes,
) -> None:
    """Draw what of a run is nearer than what is there; `far` is its distance, and by how much it grows."""
    u, v, right, down = place
    for k in range(count):
        distance = np.float32(far[0] + k * far[1])
        if distance < near[np.uint64(line), np.uint64(first + k)]:
            near[np.uint64(line), np.uint64(first + k)] = distance
            sample = _clamped(flat, stride, u + k * right, v + k * down, most)
            _put(out, inside, np.uint64(at + k), sample)


@compiled
def _clamped(flat: Words, stride: np.uint64, u: int, v: int, most: tuple[int, int]) -> np.uint32:
    """Sample at the nearest place within the source."""
    x, y = np.uint64(min(max(u, 0), most[0])), np.uint64(min(max(v, 0), most[1]))
    return weighed(flat, stride, x >> BELOW, y >> BELOW)


@compiled
def _put(out: Bytes, inside: Flags, at: np.uint64, word: np.uint32) -> None:
    put(out, at, word)
    inside[at] = True
