"""The people that notebooks work on, cut out of the sample pictures."""

import cv2
import numpy as np

from facekit.data import load_sample
from facekit.landmarks import detect_faces
from facekit.values import Image

__all__ = ["portrait"]

MARGIN = 0.9  # half of the square's side, in heights of the face


def portrait(name: str, size: int) -> Image:
    """Cut a square around a sample's largest face.

    Parameters
    ----------
    name : str
        Of the sample.
    size : int, pixels
        Of the result.

    Returns
    -------
    Image of shape (size, size, 3)
        The face in the middle, as far as the picture goes.
    """
    image = load_sample(name)
    x0, y0, x1, y1 = detect_faces(image)[0].box
    half, x, y = MARGIN * (y1 - y0), (x0 + x1) / 2, (y0 + y1) / 2
    top, left = max(round(y - half), 0), max(round(x - half), 0)
    square = image[top : round(y + half), left : round(x + half)]
    return np.asarray(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
