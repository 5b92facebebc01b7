"""An avatar as an effect like the others: a picture in, a picture out."""

from types import MappingProxyType

import numpy as np

from facekit.effects.avatar import draw_avatar, measure_face
from facekit.finding import find_face
from facekit.stopwatch import Progress, Stopwatch
from facekit.values import EffectResult, Image, as_image

__all__ = ["portray"]


def portray(
    image: Image, *, size: int = 512, face: int | None = None, progress: Progress | None = None
) -> EffectResult:
    """Draw an avatar in place of a photo.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The photo; never modified.
    size : int, pixels, 16 to 4096
        Side of the picture.
    face : int, optional
        Which face, largest first. By default, the largest.
    progress : function, optional
        Is told each stage as it begins.

    Returns
    -------
    EffectResult
        `image` is square; `mask` is true everywhere, for no pixel is the photo's.

    Raises
    ------
    ArrayError, NoFaceError, FaceIndexError
        As in `facekit.draw_avatar`.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face
    >>> portray(synthetic_face(192), size=64).image.shape
    (64, 64, 3)
    """
    image = as_image(image)
    watch = Stopwatch(progress)
    with watch("detect"):
        mesh = find_face(image, face)
    with watch("draw"):
        drawn = draw_avatar(measure_face(image, mesh), size=size).image
    everywhere = np.ones(drawn.shape[:2], np.bool_)
    return EffectResult(drawn, everywhere, (mesh,), MappingProxyType(watch.seconds))
