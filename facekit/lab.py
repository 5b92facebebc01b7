"""sRGB to CIELAB and back.

References
----------
.. [1] CIE 15, "Colorimetry", 2004, for CIELAB; IEC 61966-2-1 for sRGB.
"""

import cv2
import numpy as np
import numpy.typing as npt

from facekit.values import Image

__all__ = ["Lab", "from_lab", "to_lab"]

Lab = npt.NDArray[np.float32]  # (..., 3): L in 0..100, a, b


def to_lab(image: Image) -> Lab:
    """Convert sRGB bytes to CIELAB.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        Encoded as sRGB.

    Returns
    -------
    ndarray of shape (H, W, 3), float32
        L in 0..100, a and b; the white point is D65.

    Examples
    --------
    >>> to_lab(np.full((1, 1, 3), 255, np.uint8)).round().tolist()
    [[[100.0, 0.0, 0.0]]]
    """
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


def from_lab(lab: Lab) -> Image:
    """Convert CIELAB to sRGB bytes; what no screen can show is clipped.

    Parameters
    ----------
    lab : ndarray of shape (H, W, 3), float32
        L in 0..100, a and b.

    Returns
    -------
    Image of shape (H, W, 3), uint8
        Encoded as sRGB.

    Examples
    --------
    >>> grey = np.full((1, 1, 3), 119, np.uint8)
    >>> bool((from_lab(to_lab(grey)) == grey).all())
    True
    """
    rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return np.asarray(np.rint(np.clip(rgb, 0, 1) * 255), np.uint8)
