"""From a portrait to a drawing: all layers, in the order in which they are painted."""

import hashlib

from facekit.effects.avatar.beard import draw_beard
from facekit.effects.avatar.drawing import SIDE, Drawing, Layer, placed
from facekit.effects.avatar.eyes import draw_brow, draw_eye, draw_glasses
from facekit.effects.avatar.figure import make_figure
from facekit.effects.avatar.hair import draw_hair
from facekit.effects.avatar.head import (
    draw_background,
    draw_ears,
    draw_face,
    draw_neck,
    draw_shade,
    draw_shoulders,
)
from facekit.effects.avatar.mouth import draw_mouth, draw_nose
from facekit.effects.avatar.palette import BACKGROUNDS, GARMENTS, HAIR, SKIN, farthest
from facekit.effects.avatar.portrait import Look, Portrait

__all__ = ["PLACE", "UNIT", "design"]

UNIT = 112.0  # of the drawing's units for an outer-eye distance
PLACE = (SIDE / 2, 252.0)  # where the origin of the upright frame lies in the drawing


def design(portrait: Portrait) -> Drawing:
    """Draw a portrait.

    Parameters
    ----------
    portrait : Portrait
        What is known of the face.

    Returns
    -------
    Drawing
        The same for the same portrait.
    """
    figure, look = make_figure(portrait), portrait.look
    choice = _choice(look)
    skin, hair = SKIN[look.skin], HAIR[look.hair] if look.hair_class != "bald" else SKIN[look.skin]
    background = BACKGROUNDS[farthest((hair, skin), BACKGROUNDS, choice, among=4)]
    garment = GARMENTS[farthest((background, skin, hair), GARMENTS, choice // 8, among=4)]
    back, front = draw_hair(figure)
    layers = [
        draw_background(background),
        back,
        draw_neck(figure),
        draw_shoulders(figure, garment, choice // 64 % 3),
        draw_ears(figure),
        draw_face(figure),
        draw_shade(figure),
        draw_beard(figure),
        draw_mouth(figure),
        draw_nose(figure),
        draw_eye(figure, 0),
        draw_eye(figure, 1),
        draw_brow(figure, 0),
        draw_brow(figure, 1),
        front,
    ]
    if look.glasses:
        layers.append(draw_glasses(figure))
    drawn = tuple(placed(layer, UNIT, *PLACE) for layer in layers)
    return Drawing(tuple(one for one in drawn if isinstance(one, Layer)), "Portrait", describe(look))


def describe(look: Look) -> str:
    """Say what the drawing shows, for who cannot see it."""
    colour = look.hair.replace("-", " ")
    hair = {
        "bald": "a bald head",
        "buzz": f"cropped {colour} hair",
        "short": f"short {colour} hair",
        "side-parted": f"{colour} hair, parted at the side",
        "fringe": f"{colour} hair with a fringe",
        "bob": f"chin-long {colour} hair",
        "long": f"long {colour} hair",
        "tied-up": f"{colour} hair, tied up",
        "curly": f"full curly {colour} hair",
    }[look.hair_class]
    beard = {
        "none": "",
        "stubble": ", stubble",
        "moustache": ", a moustache",
        "goatee": ", a goatee",
        "full": ", a full beard",
    }[look.beard]
    glasses = ", glasses" if look.glasses else ""
    skin, eyes = look.skin.split("-")[0], look.eyes.replace("-", " ")
    return f"A drawn head with {hair}, {skin} skin, {eyes} eyes{beard}{glasses}."


def _choice(look: Look) -> int:
    """Return a number that is as good as random, and the same for the same look."""
    text = "/".join((look.skin, look.hair, look.eyes, look.hair_class, look.parting, look.beard))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
