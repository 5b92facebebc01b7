"""Make a face older or younger.

find -> shape -> colour and folds -> hair. Shape and colour move along the axes of the statistical
model. What a mean cannot hold is added: the face's own folds get deeper or shallower, folds that come
with age are drawn where they come, pores show more or less, and hair turns grey.

References
----------
.. [1] Burt & Perrett, "Perception of age in adult Caucasian male faces", Proc. R. Soc. Lond. B 259, 1995.
.. [2] Tiddeman, Burt & Perrett, "Prototyping and Transforming Facial Textures for Perception Research",
   IEEE CG&A 21(5), 2001: a mean loses wrinkles, so they are put back.
"""

import numpy as np

from facekit.effects.finish import finish
from facekit.effects.folds import folds
from facekit.effects.grey import grey_hair
from facekit.effects.recolour import recolour
from facekit.effects.reshape import reshape
from facekit.effects.zones import changeable, plain_skin, zones
from facekit.errors import ArrayError
from facekit.face_model import along, lay_texture, move_mesh, texture_along
from facekit.finding import find_face
from facekit.segment import occluder_mask
from facekit.stopwatch import Progress, Stopwatch
from facekit.values import EffectResult, FaceMesh, Image, as_image

__all__ = ["change_age"]

YOUNGEST, OLDEST = -30.0, 40.0  # years that can be asked for
SHAPE = 2.5  # years along the axis of shape for each year asked for
OLDER, YOUNGER = (2.1, 1.8), (3.0, 2.4)  # and along the axis of texture, in L, and in a and b
FOREHEAD = 0.3  # of the change of colour that a forehead gets as it grows younger: more shows as a shadow
FULL = 30.0, 20.0  # years older, and younger, over which folds and pores change as far as they do
DRAWN = 9.0  # L by which the deepest fold that is drawn is darker
DEEPER, SHALLOWER = 1.0, 0.85  # by which the face's own folds change
COARSER, FINER_SKIN = 0.5, 0.75  # and its pores


def change_age(
    image: Image, *, years: float, face: int | None = None, progress: Progress | None = None
) -> EffectResult:
    """Move a face along the axis of age.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    years : float in [-30, 40]
        Older or, negative, younger; 0 gives the picture back.
    face : int, optional
        Which face, largest first. By default, the largest.
    progress : function, optional
        Is told each stage as it begins.

    Returns
    -------
    EffectResult
        `mask` tells which pixels differ from `image`; `faces` holds the face with its new shape.

    Raises
    ------
    ArrayError
        `image` is not a picture or `years` is out of range.
    NoFaceError
        The picture shows no face.
    FaceIndexError
        It has fewer faces than `face` asks for.

    References
    ----------
    .. [1] Tiddeman, Burt & Perrett, IEEE CG&A 21(5), 2001.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face
    >>> result = change_age(synthetic_face(192), years=20)
    >>> result.image.shape, list(result.timings)
    ((192, 192, 3), ['detect', 'shape', 'colour', 'hair'])
    """
    image = as_image(image)
    if not YOUNGEST <= years <= OLDEST:
        raise ArrayError(f"years: expected {YOUNGEST:g} to {OLDEST:g}, got {years:g}")
    watch = Stopwatch(progress)
    with watch("detect"):
        mesh = find_face(image, face)
    if years == 0:
        return finish(image, image.copy(), mesh, watch)
    with watch("shape"):
        moved = move_mesh(mesh, along(age=SHAPE * years))
        shaped = reshape(image, mesh, moved.points)
    with watch("colour"):
        result = _coloured(shaped, moved, years)
    if years > 0:
        with watch("hair"):
            result = grey_hair(result, moved, years)
    return finish(image, result, moved, watch)


def _coloured(image: Image, mesh: FaceMesh, years: float) -> Image:
    """Change the skin's colour, folds and pores."""
    free = changeable()
    light, chroma = OLDER if years > 0 else YOUNGER
    if years < 0:
        free = free * (1 - (1 - FOREHEAD) * zones()["forehead"])
    change = texture_along(age=years) * np.array([light, chroma, chroma], np.float32) * free[..., None]
    skin = plain_skin()
    share = years / FULL[0] if years > 0 else max(years / FULL[1], -1.0)
    own = share * (DEEPER if share > 0 else SHALLOWER) * skin
    pores = share * (COARSER if share > 0 else FINER_SKIN) * skin
    drawn = None
    if share > 0:
        laid, _ = lay_texture(folds()[..., None], mesh, image.shape[:2])
        drawn = np.float32(DRAWN * share) * laid.reshape(laid.shape[:2])
    kept = occluder_mask(image, mesh)
    return recolour(image, mesh, change, detail=pores, folds=own, relief=drawn, kept=kept)
