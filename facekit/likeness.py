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
COARSER = 4  # times; the coarse blur works at this much smaller a size
TEXELS = 3.0  # texels of the mean texture per pixel of SIDE

MEAN_CHANNEL = np.full((1, 3), 1 / 3)
HALF = np.float32(0.5)  # pixel centres lie at integers

Grey = npt.NDArray[np.float32]


def likeness(image: Image, points: Points, box: tuple[float, float, float, float]) -> float:
    """Correlate the local contrast of `image` at a mesh's points with that of the mean face.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    points : Points of shape (468 or 478, 2), float32, pixels
        A face mesh in it.
    box : (x0, y0, x1, y1), pixels
        Tight box around `points`.

    Returns
    -------
    float in [0, 1]
        0.4 to 0.8 for a true mesh, under 0.36 for one on an upside-down face.
    """
    left, top, right, bottom = box
    height, width = image.shape[:2]
    x0, y0 = min(max(int(left), 0), width - 1), min(max(int(top), 0), height - 1)
    x1 = min(max(int(right) + 2, x0 + 1), width)
    y1 = min(max(int(bottom) + 2, y0 + 1), height)
    step = max(min(x1 - x0, y1 - y0) // SIDE, 1)  # coarse, and so nearly free
    face = np.ascontiguousarray(image[y0:y1:step, x0:x1:step])
    small = cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    grey = cv2.log(cv2.transform(small, MEAN_CHANNEL) + 8)
    scale = np.array([SIDE / (x1 - x0), SIDE / (y1 - y0)], np.float32)
    places = (points[:SURFACE_POINTS] - np.array([x0, y0], np.float32)) * scale
    fine = _sample(cv2.GaussianBlur(grey, (0, 0), FINE), places - HALF)
    shrunk = cv2.resize(grey, (SIDE // COARSER, SIDE // COARSER), interpolation=cv2.INTER_AREA)
    coarse = _sample(cv2.GaussianBlur(shrunk, (0, 0), COARSE / COARSER), places / COARSER - HALF)
    return max(float(_unit(fine - coarse) @ _mean_face()), 0.0)


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


def _sample(grey: cv2.typing.MatLike, places: npt.NDArray[np.floating]) -> Grey:
    x, y = (np.ascontiguousarray(places[None, :, axis], np.float32) for axis in (0, 1))
    return np.asarray(cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0], np.float32)


def _unit(values: Grey) -> Grey:
    centred = values - values.mean()
    return np.asarray(centred / max(float(centred @ centred) ** 0.5, 1e-6))
