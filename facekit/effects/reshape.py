"""A face's shape changed in its picture, its surroundings still."""

import numpy as np

from facekit.segment import cut_out, eye_distance
from facekit.topology import SURFACE_POINTS, face_triangles
from facekit.values import FaceMesh, Image, Points
from facekit.warp import facing, warp_in_place

__all__ = ["reshape"]

REACH = 0.35  # of the oval's radius, over which a change dies out, as in `warp_in_place`


def reshape(image: Image, mesh: FaceMesh, moved: Points) -> Image:
    """Move a face's points in its picture.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    mesh : FaceMesh
        The face.
    moved : Points of shape (N >= 468, 2), float32, pixels
        Where its points go; irises do not count.

    Returns
    -------
    Image of shape (H, W, 3)
        Bit-equal to `image` beyond a rim around the face.

    Raises
    ------
    DegenerateMeshError
        The face is seen edge-on.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> face, mesh = synthetic_face(128), synthetic_mesh(128)
    >>> bool((reshape(face, mesh, mesh.points) == face).all())
    True
    """
    _, _, box = cut_out(image, mesh, REACH * 1.5 * eye_distance(mesh))
    rows, cols = box
    corner = (cols.start, rows.start)
    surface = slice(0, SURFACE_POINTS)
    points, goals = mesh.points[surface] - corner, np.asarray(moved[surface] - corner, np.float32)
    triangles = face_triangles()
    shown = triangles[facing(points, triangles) & facing(goals, triangles)]
    result = image.copy()
    result[box] = warp_in_place(image[box], points, goals, shown, reach=REACH)[0]
    return result
