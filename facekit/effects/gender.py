"""Make a face look more like a woman's or a man's, and still like this person's.

find -> tell which way -> shape -> beard -> colour. Shape and colour move along the axes of the
statistical model; each part of the face moves as far as it tells something, eyes and brows further
than the nose. Eyeballs, teeth and what hangs into the face stay as they are.

References
----------
.. [1] Rowland & Perrett, "Manipulating Facial Appearance through Shape and Color", IEEE CG&A 15(5), 1995.
.. [2] Brown & Perrett, "What Gives a Face its Gender?", Perception 22(7), 1993, for the parts that tell.
"""

from functools import cache
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from facekit.effects.finish import finish
from facekit.effects.recolour import recolour
from facekit.effects.reshape import reshape
from facekit.effects.shave import shave
from facekit.effects.stubble import stubble
from facekit.effects.zones import changeable, open_parts, plain_skin, rim, zones
from facekit.errors import ArrayError
from facekit.face_model import (
    FittedFace,
    along,
    fit_face,
    move_mesh,
    project_shape,
    project_texture,
    read_texture,
    texture_along,
)
from facekit.finding import find_face
from facekit.glasses import glasses_score
from facekit.segment import occluder_mask
from facekit.stopwatch import Progress, Stopwatch
from facekit.values import EffectResult, FaceMesh, Image, as_image

__all__ = ["change_gender"]

MOST = 1.5  # amount
STEPS = 1.6  # along the axis of shape, at amount 1: women and men lie one apart on average
#: Steps along the axis of texture at amount 1, for L, and for a and b: far where little of the person lies.
REACH = MappingProxyType(
    {
        "eyes": (3.5, 3.6),
        "brows": (2.3, 2.5),
        "lips": (1.5, 4.4),
        "nose": (1.3, 4.0),
        "beard": (2.5, 3.4),
        "forehead": (1.2, 2.0),
        "cheeks": (2.0, 4.4),
    }
)
SKIN = 0.5  # by which fine detail of a man's skin is stronger, and of a woman's weaker, at most
SHAVEN = 0.9  # of a beard that is taken off, at most
BEHIND_GLASSES = 0.45  # of the change of colour around the eyes that is left out where glasses are worn
#: How much shape, L and a of the whole face, and L of the brows tell about which way is the other one,
#: and where the middle between women and men lies: fitted to 43 portraits, all of which it tells right.
TELLING = 0.25, 1.0, 0.25, 0.5
MIDDLE = 0.3

Toward = Literal["auto", "female", "male"]
Floats = npt.NDArray[np.float32]


def change_gender(
    image: Image,
    *,
    toward: Toward = "auto",
    amount: float = 1.0,
    face: int | None = None,
    progress: Progress | None = None,
) -> EffectResult:
    """Move a face along the axis from women to men, or back.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    toward : {"auto", "female", "male"}
        Which way. "auto" goes the way to the other side of the mean face; what it takes the face for is
        neither returned nor kept.
    amount : float in [0, 1.5]
        0 gives the picture back; 0.5 looks in between; at 1 most people see the other gender.
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
        `image` is not a picture, `toward` is unknown or `amount` is out of range.
    NoFaceError
        The picture shows no face.
    FaceIndexError
        It has fewer faces than `face` asks for.

    References
    ----------
    .. [1] Rowland & Perrett, IEEE CG&A 15(5), 1995.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face
    >>> result = change_gender(synthetic_face(192), toward="male")
    >>> result.image.shape, list(result.timings)
    ((192, 192, 3), ['detect', 'shape', 'colour'])
    """
    image = as_image(image)
    if toward not in ("auto", "female", "male"):
        raise ArrayError(f'toward: expected "auto", "female" or "male", got {toward!r}')
    if not 0 <= amount <= MOST:
        raise ArrayError(f"amount: expected 0 to {MOST:g}, got {amount:g}")
    watch = Stopwatch(progress)
    with watch("detect"):
        mesh = find_face(image, face)
    if amount == 0:
        return finish(image, image.copy(), mesh, watch)
    with watch("shape"):
        fitted = fit_face(mesh)
        side = _way(image, mesh, fitted, toward)
        moved = move_mesh(mesh, along(gender=STEPS * amount * side), fitted=fitted)
        shaped = reshape(image, mesh, moved.points)
    with watch("colour"):
        result = _coloured(shaped, moved, amount * side)
    return finish(image, result, moved, watch)


def _way(image: Image, mesh: FaceMesh, fitted: FittedFace, toward: Toward) -> int:
    """Return 1 towards men, -1 towards women."""
    if toward != "auto":
        return 1 if toward == "male" else -1
    # Clause 1.2.1a: a guess for this one picture, which ends with this call and goes into no result.
    texture, inside = read_texture(image, mesh)
    light, red, _ = project_texture(texture, inside * rim())
    brows = project_texture(texture, inside * rim() * zones()["brows"])[0]
    told = np.array([project_shape(fitted.shape)[0], light, red, brows]) @ TELLING
    return -1 if told > MIDDLE else 1


def _coloured(image: Image, mesh: FaceMesh, amount: float) -> Image:
    """Change the skin's colour, detail and beard; a negative amount leads towards women."""
    # Behind glasses lies less of an eye's make-up than of their rims and gleams.
    free = changeable() * (1 - BEHIND_GLASSES * glasses_score(image, mesh) * zones()["eyes"])
    change = texture_along(gender=amount) * _reach() * free[..., None]
    detail = SKIN * min(max(amount, -1), 1) * plain_skin()
    kept = occluder_mask(image, mesh)
    if amount > 0:
        grain = np.float32(amount) * stubble(mesh, image.shape[:2])
        return recolour(image, mesh, change, detail=detail, relief=grain, kept=kept)
    under, beard = shave(image, mesh)
    beard = beard * np.float32(SHAVEN * min(-amount, 1)) * (1 - open_parts())
    change = change * (1 - beard[..., None])
    return recolour(image, mesh, change, detail=detail, cover=(under, beard), kept=kept)


@cache
def _reach() -> Floats:
    """Return `REACH` at each texel, for L, a and b."""
    light, chroma = (sum(REACH[name][k] * part for name, part in zones().items()) for k in (0, 1))
    return np.dstack([light, chroma, chroma])
