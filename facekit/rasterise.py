"""The rasteriser: for every pixel centre under a mesh, where in the picture it comes from.

Vertices snap to a grid of 1/256 pixel, on which edge functions are whole numbers: which centres
a triangle covers is exact, and no two triangles that share an edge share a centre (`scanline`).
Each row of a triangle is one run of pixels, along which the affine map grows by a constant (`planes`).

References
----------
.. [1] Pineda, "A Parallel Algorithm for Polygon Rasterization", SIGGRAPH 1988.
.. [2] Bresenham, "Algorithm for computer control of a digital plotter", IBM Syst. J. 4(1), 1965.
.. [3] Heckbert, "Fundamentals of Texture Mapping and Image Warping", UC Berkeley, 1989.
"""

import numpy as np

from facekit.mesh import place_mesh, signed_areas
from facekit.sampling import LEAST, Float, SamplingMap
from facekit.threads import in_strips
from facekit.values import Points, Triangles

__all__ = ["rasterise", "signed_areas"]


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
