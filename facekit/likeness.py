"""How much the picture under a mesh looks like a face.

The network behind the landmarks puts a well-shaped mesh on an upside-down face, too. What
gives it away is the picture: the local contrast at the points (dark eyes and brows, light
cheeks) does not follow that of the mean face.
"""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from facekit.assets import load_numbers
from facekit.topology import SURFACE_POINTS
from facekit.values import Image, Points

__all__ = ["likeness"]

EVERY = slice(0, SURFACE_POINTS, 2)  # half of the points tell as much as all, in a quarter of the time
NEIGHBOURS = 0.2  # outer-eye distances; contrast is a point's lightness less that of such a neighbourhood
SOFT = 3.0  # texels; the mean face's texture is smoothed by this before it is sampled

Floats = npt.NDArray[np.float32]


def likeness(image: Image, points: Points) -> float:
    """Correlate the local contrast of `image` at a mesh's points with that of the mean face.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    points : Points of shape (468 or 478, 2), float32, pixels
        A face mesh in it.

    Returns
    -------
    float in [0, 1]
        0.4 to 0.9 for a true mesh, under 0.3 for most on an upside-down face.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> face, points = synthetic_face(256), synthetic_mesh(256).points
    >>> likeness(face, points) > 0.5, likeness(face[::-1], points) > 0.3
    (True, False)
    """
    contrast, wanted = _mean_face()
    x, y = np.rint(points[EVERY]).astype(np.intp).T
    np.clip(x, 0, image.shape[1] - 1, out=x)
    np.clip(y, 0, image.shape[0] - 1, out=y)
    seen = contrast @ np.log(image[y, x].sum(axis=1, dtype=np.float32) + 24)
    length = float(np.linalg.norm(seen))
    return max(float(seen @ wanted) / max(length, 1e-6), 0.0)


@cache
def _mean_face() -> tuple[Floats, Floats]:
    """Return the matrix that takes lightness to local contrast, and the mean face's contrast."""
    axes = load_numbers("face_axes")
    places = axes["mean"][EVERY, :2].astype(np.float64)
    apart = np.square(places[:, None] - places).sum(axis=2)
    weights = np.exp(-apart / (2 * NEIGHBOURS**2))
    contrast = np.eye(len(places)) - weights / weights.sum(axis=1, keepdims=True)
    contrast -= contrast.mean(axis=0)
    inside = axes["inside"].astype(np.float32)
    held = cv2.GaussianBlur(axes["texture_mean"][..., 0].astype(np.float32) * inside, (0, 0), SOFT)
    light = held / np.maximum(cv2.GaussianBlur(inside, (0, 0), SOFT), 1e-3)
    x, y = np.ascontiguousarray(axes["layout"][EVERY].T, np.float32)
    wanted = contrast @ cv2.remap(light, x[None], y[None], cv2.INTER_LINEAR)[0]
    return contrast.astype(np.float32), np.asarray(wanted / np.linalg.norm(wanted), np.float32)
