"""A face's own upright frame: the pose undone in three dimensions, scale and place taken away.

Lengths are outer-eye distances of the mean face; x right, y down, z away, the origin at the mean
face's middle, on the bridge of the nose.

References
----------
.. [1] Umeyama, "Least-Squares Estimation of Transformation Parameters Between Two Point Patterns",
   IEEE PAMI 13(4), 1991.
"""

import numpy as np
import numpy.typing as npt

from facekit.face_model import mean_shape
from facekit.topology import LEFT_EYE, RIGHT_EYE, mirror_permutation
from facekit.values import FaceMesh

__all__ = ["mean_points", "upright_points"]

Solid = npt.NDArray[np.float64]  # (478, 3)

IRIS = 0.066  # outer-eye distances; the radius of an iris, nearly the same in all adults
# Points that no expression moves: eye corners, the nose's bridge and base, the rim beside eyes and brow.
RIGID = (33, 133, 263, 362, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 234, 454, 127, 356, 10, 151, 9, 8, 21, 251)
FRONTAL = 15.0  # degrees of yaw up to which both sides of a face are seen equally well
HIDDEN = 35.0  # degrees of yaw from which the far side is guessed from the near one
FARTHEST = 3.0  # outer-eye distances from the middle; no face reaches further


def mean_points() -> Solid:
    """Return the mean face with its irises, upright.

    Returns
    -------
    ndarray of shape (478, 3), float64, outer-eye distances
        Symmetric.
    """
    face = mean_shape().astype(np.float64)
    ring = IRIS * np.array([[0, 0, 0], [1, 0, 0], [0, -1, 0], [-1, 0, 0], [0, 1, 0]])
    irises = []
    for lids in (RIGHT_EYE, LEFT_EYE):
        centre = (face[lids[0]] + face[lids[8]]) / 2 * (1, 0, 1) + face[list(lids)].mean(axis=0) * (0, 1, 0)
        irises.append(centre + ring)
    whole = np.concatenate([face, *irises])
    return np.asarray(whole / np.linalg.norm(whole[33] - whole[263]))


def upright_points(mesh: FaceMesh) -> Solid:
    """Undo a face's pose: turn, scale and shift its points onto the mean face, by what no expression moves.

    Parameters
    ----------
    mesh : FaceMesh
        The face.

    Returns
    -------
    ndarray of shape (478, 3), float64, outer-eye distances
        Where a face is turned far aside, its hidden side is the mirror image of the other; a mesh
        without any extent gives the mean face.
    """
    mean = mean_points()
    solid = np.column_stack([mesh.points, mesh.depth]).astype(np.float64)
    turned = _aligned(solid, mean)
    if turned is None:
        return mean
    found = np.clip(turned, -FARTHEST, FARTHEST)
    other = found[mirror_permutation()] * (-1, 1, 1)
    yaw = mesh.angles()[0]
    if not np.isfinite(yaw):
        return found
    near = (
        found[:, 0] * (1 if yaw > 0 else -1) < 0
    )  # the nose points right: the left side of the picture shows
    doubt = np.clip((abs(yaw) - FRONTAL) / (HIDDEN - FRONTAL), 0, 1)
    # From the front, a slight lean towards symmetry calms the network's noise.
    lean = np.where(near, 0.15 * (1 - doubt), 0.15 + 0.85 * doubt)[:, None]
    return np.asarray((1 - lean) * found + lean * other)


def _aligned(solid: Solid, mean: Solid) -> Solid | None:
    """Fit the rigid points by a similarity in space; None where they have no extent."""
    rigid = list(RIGID)
    centre, wanted = solid[rigid].mean(axis=0), mean[rigid].mean(axis=0)
    away, to = solid[rigid] - centre, mean[rigid] - wanted
    spread = float(np.square(away).sum())
    if not spread > 1e-12:
        return None
    left, size, right = np.linalg.svd(away.T @ to)
    signs = np.array([1, 1, np.sign(np.linalg.det(left @ right)) or 1.0])
    scale = float((size * signs).sum()) / spread
    if not scale > 0:
        return None
    return np.asarray(scale * (solid - centre) @ ((left * signs) @ right) + wanted)
