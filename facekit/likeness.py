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

SIDE = 64  # pixels; the face is judged at this size
FINE, COARSE = 1.0, 8.0  # pixels of SIDE; the band of detail that is compared
TEXELS = 3.0  # texels of the mean texture per pixel of SIDE

Grey = npt.NDArray[np.float32]


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
        0.4 to 0.8 for a true mesh, under 0.36 for one on an upside-down face.
    """
    height, width = image.shape[:2]
    x0, y0 = np.clip(points.min(axis=0).astype(int), 0, [width - 1, height - 1])
    x1, y1 = np.clip(points.max(axis=0).astype(int) + 2, [x0 + 1, y0 + 1], [width, height])
    small = cv2.resize(image[y0:y1, x0:x1], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    grey = np.log(small.mean(axis=2, dtype=np.float32) + 8)
    places = (points[:SURFACE_POINTS] - [x0, y0]) / [x1 - x0, y1 - y0] * SIDE - 0.5
    band = cv2.GaussianBlur(grey, (0, 0), FINE) - cv2.GaussianBlur(grey, (0, 0), COARSE)
    return max(float(_unit(_sample(band, places)) @ _mean_face()), 0.0)


@cache
def _mean_face() -> Grey:
    """Sample the mean face's local contrast at the 468 points."""
    axes = load_numbers("face_axes")
    inside = axes["inside"].astype(np.float32)
    light = axes["texture_mean"][..., 0].astype(np.float32)

    def blurred(sigma: float) -> Grey:
        weight = cv2.GaussianBlur(inside, (0, 0), sigma)
        return np.asarray(cv2.GaussianBlur(light * inside, (0, 0), sigma) / np.maximum(weight, 1e-3))

    return _unit(_sample(blurred(FINE * TEXELS) - blurred(COARSE * TEXELS), axes["layout"]))


def _sample(grey: Grey, places: npt.NDArray[np.floating]) -> Grey:
    x, y = (np.ascontiguousarray(places[None, :, axis], np.float32) for axis in (0, 1))
    return np.asarray(cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0])


def _unit(values: Grey) -> Grey:
    centred = values - values.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6))
