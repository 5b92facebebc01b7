"""Where the points of the mean face lie under a pose.

Lengths are in units of the distance between the outer eye corners; x right, y down, z away.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from facekit.assets import load_numbers
from facekit.topology import LEFT_EYE, RIGHT_EYE
from facekit.values import Blendshapes, FaceMesh

__all__ = ["FLIP", "IRIS", "mean_face", "place_face", "rotation"]

IRIS = 0.068
FLIP = np.diag([1.0, -1.0, -1.0])  # poses have y up and z towards the viewer
_SIDED = (
    "browDown browOuterUp cheekSquint eyeBlink eyeLookDown eyeLookIn eyeLookOut eyeLookUp eyeSquint eyeWide "
    "mouthDimple mouthFrown mouthLowerDown mouthPress mouthSmile mouthStretch mouthUpperUp noseSneer"
)
_UNSIDED = (
    "_neutral browInnerUp cheekPuff jawForward jawLeft jawOpen jawRight mouthClose mouthFunnel mouthLeft "
    "mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper"
)
_BLENDSHAPES = tuple(
    sorted([name + side for name in _SIDED.split() for side in ("Left", "Right")] + _UNSIDED.split())
)


def rotation(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> npt.NDArray[np.float64]:
    """Return the turn of a head, for column vectors (x right, y down, z away).

    Parameters
    ----------
    yaw, pitch, roll : float, degrees
        Nose to the picture's right, then nose down, then all clockwise.

    Returns
    -------
    ndarray of shape (3, 3), float64
        A rotation.

    Examples
    --------
    >>> nose = np.array([0, 0, -1])
    >>> (rotation(yaw=90) @ nose).round(6).tolist(), (rotation(pitch=90) @ nose).round(6).tolist()
    ([1.0, 0.0, -0.0], [0.0, 1.0, -0.0])
    """
    angles = np.radians([yaw, pitch, roll])
    (sy, sp, sr), (cy, cp, cr) = np.sin(angles), np.cos(angles)
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y)


@cache
def mean_face() -> npt.NDArray[np.float64]:
    """Return the mean face with its irises, (478, 3), unturned."""
    face = load_numbers("face_axes")["mean"].astype(np.float64)
    irises = []
    for lids in (RIGHT_EYE, LEFT_EYE):
        centre = (face[lids[0]] + face[lids[8]]) / 2 * (1, 0, 1) + face[list(lids)].mean(axis=0) * (0, 1, 0)
        ring = IRIS * np.array([[0, 0, 0], [1, 0, 0], [0, -1, 0], [-1, 0, 0], [0, 1, 0]])
        irises.append(centre + ring)
    whole = np.concatenate([face, *irises])
    whole /= np.linalg.norm(whole[33] - whole[263])
    whole.setflags(write=False)
    return whole


def place_face(
    centre: tuple[float, float],
    eye_distance: float,
    *,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
) -> FaceMesh:
    """Place the mean face: the mesh of a drawn face, exactly.

    Parameters
    ----------
    centre : (x, y), pixels
        Where the middle of the head's face lies: on the bridge of the nose, near its tip when frontal.
    eye_distance : float, pixels
        Between the outer eye corners (points 33 and 263) before turning.
    yaw, pitch, roll : float, degrees
        As in `rotation`.

    Returns
    -------
    FaceMesh
        Expressionless; its pose holds the rotation and no translation.

    Examples
    --------
    >>> mesh = place_face((100, 80), 50)
    >>> float(mesh.points[263, 0] - mesh.points[33, 0])
    50.0
    """
    turn = rotation(yaw, pitch, roll)
    placed = mean_face() @ turn.T * eye_distance
    points = (placed[:, :2] + centre).astype(np.float32)
    pose = np.eye(4, dtype=np.float32)
    pose[:3, :3] = FLIP @ turn @ FLIP
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return FaceMesh(
        points,
        placed[:, 2].astype(np.float32),
        Blendshapes(_BLENDSHAPES, np.zeros(len(_BLENDSHAPES), np.float32)),
        pose,
        1.0,
        (float(x0), float(y0), float(x1), float(y1)),
    )
