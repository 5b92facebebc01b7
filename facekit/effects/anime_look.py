"""The colours that a face is drawn with, taken from the person and made clear."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facekit.effects.anime_scene import Scene
from facekit.growing import grown
from facekit.segment import feature_mask, fill_rings, inner_mouth_mask
from facekit.topology import LEFT_BROW, LEFT_EYE, LEFT_IRIS, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE, RIGHT_IRIS
from facekit.typical import median

__all__ = ["Palette", "from_lab", "take_colours"]

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Palette:
    """Colours as sRGB, 0 to 255; `skin_lab` and `hair_lab` are the measured ones, in CIELAB.

    Parameters
    ----------
    skin, skin_shade : ndarray of shape (3,)
        Flat skin, and in the shade.
    hair, hair_shade, hair_shine : ndarray of shape (3,)
        Flat hair, and its shade and shine.
    brow, iris, lips, beard, ink : ndarray of shape (3,)
        The features.
    skin_lab, hair_lab : ndarray of shape (3,)
        As they are in the picture.
    makeup : float
        How much the lips stand out from the skin, from 0 to 1.
    brows : float
        How heavy the brows are, from 0.5 to 1.3.
    teeth : bool
        Whether teeth show.
    """

    skin: Floats
    skin_shade: Floats
    hair: Floats
    hair_shade: Floats
    hair_shine: Floats
    brow: Floats
    iris: Floats
    lips: Floats
    beard: Floats
    ink: Floats
    skin_lab: Floats
    hair_lab: Floats
    makeup: float
    brows: float
    teeth: bool


def from_lab(*lab: float) -> Floats:
    """Turn CIELAB into sRGB, 0 to 255.

    Parameters
    ----------
    *lab : float
        L, a, b.

    Returns
    -------
    ndarray of shape (3,), float32
        Clipped to what a screen shows.
    """
    pixel = np.array([[[min(max(lab[0], 0), 100), lab[1], lab[2]]]], np.float32)
    return np.asarray(np.clip(cv2.cvtColor(pixel, cv2.COLOR_LAB2RGB)[0, 0] * 255, 0, 255), np.float32)


def take_colours(scene: Scene) -> Palette:
    """Measure the person's colours, and clear them up.

    Parameters
    ----------
    scene : Scene
        The picture's parts.

    Returns
    -------
    Palette
        What to draw with.
    """
    lab, shape = scene.lab, scene.face.shape
    plain = (
        scene.face & ~feature_mask(scene.seen, shape, reach=0.03) & (scene.hair < 0.2) & (scene.beard < 0.2)
    )
    skin = _median(lab, plain if plain.any() else scene.face)
    lit = float(np.percentile(lab[plain][:, 0], 60)) if plain.any() else skin[0]
    light = min(lit + 7 + 0.16 * max(80 - lit, 0), 93)
    chroma = 1.02 * light / max(lit, 20)
    base = light, skin[1] * min(chroma, 1.25), skin[2] * min(chroma, 1.25)
    fade = 0.80 if light > 60 else 0.76
    shade = light * fade, base[1] * 1.05 + 5, base[2] * 0.95 + 1
    strong = scene.hair > 0.7
    hair = _median(lab, strong) if strong.sum() > 30 else np.array([25, 3, 5], np.float32)
    body = float(np.clip(hair[0] * 1.05 + 2, 12, 90)), hair[1] * 1.2, hair[2] * 1.2
    dark = float(np.clip(body[0] * 0.66, 5, 80)), body[1] * 1.05 + 1, body[2] * 0.9 - 2
    shine = float(min(body[0] + 9 + 0.12 * (100 - body[0]), 97)), body[1] * 0.9, body[2] * 0.95
    brow, heavy = _brows(scene, skin)
    lips, makeup = _lips(scene, skin, base)
    bristle = _median(lab, scene.beard > 0.5) if (scene.beard > 0.5).sum() > 20 else hair
    return Palette(
        skin=from_lab(*base),
        skin_shade=from_lab(*shade),
        hair=from_lab(*body),
        hair_shade=from_lab(*dark),
        hair_shine=from_lab(*shine),
        brow=brow,
        iris=_iris(scene),
        lips=lips,
        beard=from_lab(float(min(bristle[0], light - 14)), bristle[1] * 1.1, bristle[2] * 1.1),
        ink=from_lab(14, 6, 4),
        skin_lab=skin,
        hair_lab=hair,
        makeup=makeup,
        brows=heavy,
        teeth=_teeth(scene, skin),
    )


def _median(lab: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    return median(np.ascontiguousarray(lab[where].T)) if where.any() else np.array([60, 10, 15], np.float32)


def _ring(scene: Scene, ring: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    return fill_rings([scene.seen.points[list(ring)]], scene.face.shape)


def _brows(scene: Scene, skin: Floats) -> tuple[Floats, float]:
    """Return the brows' colour and weight: a fair brow is a thin one in a drawing."""
    where = (_ring(scene, RIGHT_BROW) | _ring(scene, LEFT_BROW)) & (scene.hair < 0.5)
    pixels = scene.lab[where]
    if len(pixels) < 6:
        return from_lab(25, 5, 6), 1.0
    dark = pixels[pixels[:, 0] <= np.percentile(pixels[:, 0], 35)].mean(axis=0)
    contrast = float(np.clip((skin[0] - np.median(pixels[:, 0])) / 22, 0, 1))
    light = float(min(dark[0] * 0.95, skin[0] - 18))
    return from_lab(light, dark[1] * 1.1, dark[2] * 1.1), 0.65 + 0.55 * contrast


def _lips(scene: Scene, skin: Floats, base: tuple[float, float, float]) -> tuple[Floats, float]:
    inner = grown(inner_mouth_mask(scene.seen, scene.face.shape), 1)
    where = _ring(scene, LIPS_OUTER) & ~inner
    lips = _median(scene.lab, where) if where.any() else skin
    red = float(np.clip((lips[1] - skin[1] - 5) / 22, 0, 1))
    light = float(np.clip(base[0] + (lips[0] - skin[0]) * 0.8 - 4, 20, 90))
    return from_lab(light, max(lips[1] * 1.15, base[1] + 8), lips[2]), red


def _iris(scene: Scene) -> Floats:
    """Return the irises' colour, a little clearer than it is."""
    found = []
    for eye, iris in ((RIGHT_EYE, RIGHT_IRIS), (LEFT_EYE, LEFT_IRIS)):
        points = scene.seen.points[list(iris)]
        radius = float(np.hypot(*(points[1:] - points[0]).T).mean())
        opening = _ring(scene, eye)
        rows, cols = np.nonzero(opening)
        away = np.hypot(cols - points[0, 0], rows - points[0, 1])
        found.append(scene.lab[opening][(away < 0.85 * radius) & (away > 0.4 * radius)])
    pixels = np.concatenate(found)
    colour = np.median(pixels, axis=0) if len(pixels) > 5 else np.array([28, 6, 10], np.float32)
    chroma = float(np.hypot(colour[1], colour[2]))
    gain = min(max(1.5, 14 / max(chroma, 3.0)), 2.4)
    return from_lab(float(np.clip(colour[0] * 1.1 + 4, 24, 58)), colour[1] * gain, colour[2] * gain)


def _teeth(scene: Scene, skin: Floats) -> bool:
    inner = inner_mouth_mask(scene.seen, scene.face.shape)
    pixels = scene.lab[inner]
    if len(pixels) < 8:
        return False
    pale = (pixels[:, 0] > 0.72 * skin[0]) & (pixels[:, 1] < skin[1] + 4)
    return bool(pale.mean() > 0.25)
