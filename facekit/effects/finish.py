"""What every effect gives back: the picture, and which of its pixels differ."""

from types import MappingProxyType

import cv2
import numpy as np

from facekit.stopwatch import Stopwatch
from facekit.values import EffectResult, FaceMesh, Image

__all__ = ["finish"]


def finish(image: Image, result: Image, face: FaceMesh, watch: Stopwatch) -> EffectResult:
    """Compare a result with the picture that it was made from.

    Parameters
    ----------
    image, result : Image of shape (H, W, 3), uint8
        Before and after.
    face : FaceMesh
        The face that was worked on, as it is now.
    watch : Stopwatch
        What timed the stages.

    Returns
    -------
    EffectResult
        `mask` is true where a channel differs.
    """
    red, green, blue = cv2.split((result != image).view(np.uint8))  # `any` takes ten times as long
    mask = (red | green | blue).view(np.bool_)
    return EffectResult(result, mask, (face,), MappingProxyType(watch.seconds))
