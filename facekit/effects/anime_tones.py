"""Flat tones with clean shapes."""

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled
from facekit.compositing import lay_over
from facekit.effects.anime_look import Palette
from facekit.effects.anime_scene import Scene, smoothed_within, strands
from facekit.ink import halftone
from facekit.segment import feature_mask
from facekit.threads import side_by_side
from facekit.values import FloatImage, Matte

__all__ = ["Tones", "ink_tones", "paint", "tones_of"]

SHADOW = 7.0  # units of L under the skin's usual, from which it is drawn in the shade
FORM = 0.075  # outer-eye distances; smaller forms of light are not drawn
STRAND = 0.30  # outer-eye distances along which a strand has one tone
STEP = np.float32(13)  # units of L between the tones of clothes
DOTS = 0.062  # outer-eye distances from one dot of a screen to the next
LEAST_DOTS = 4.0  # pixels; a finer screen is only grey

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tones:
    """Sharp parts at the picture's size.

    Parameters
    ----------
    person, hair, skin, beard : Matte of shape (rows, cols)
        The parts.
    shadow : Matte of shape (rows, cols)
        Where skin lies in the shade.
    dark, shine : Matte of shape (rows, cols)
        The hair's shade and its shine.
    clothes, behind : FloatImage of shape (h, w, 3)
        What is worn and the background, simplified, each over all of the smaller picture.
    """

    person: Matte
    hair: Matte
    skin: Matte
    beard: Matte
    shadow: Matte
    dark: Matte
    shine: Matte
    clothes: FloatImage
    behind: FloatImage


def tones_of(scene: Scene) -> Tones:
    """Find the shapes of shade and shine.

    Parameters
    ----------
    scene : Scene
        The picture's parts.

    Returns
    -------
    Tones
        At the picture's size.
    """
    clothes, (dark, shine), shadow, behind = side_by_side(
        *(partial(part, scene) for part in (_clothes, _locks, _shade, _behind))
    )
    cuts = (
        (scene.person, 0.5), (scene.hair, 0.5), (scene.skin, 0.45), (scene.beard, 0.35),
        (shadow, 0.5), (dark, 0.5), (shine, 0.5),
    )  # fmt: skip
    sharp = side_by_side(*(partial(scene.sharp, field, level=level) for field, level in cuts))
    return Tones(*[*sharp, clothes, behind])


def _shade(scene: Scene) -> Floats:
    """Return where skin is darker than usual, from 0 to 1, with the fringe's and the chin's cast shadow."""
    unit = scene.unit * scene.scale
    features = feature_mask(scene.seen, scene.face.shape, reach=0.03)
    where = np.where(features | (scene.beard > 0.3), 0, scene.skin).astype(np.float32)
    light = smoothed_within(scene.lab[..., 0], where, FORM * unit)
    usual = float(np.percentile(light[scene.face], 55)) if scene.face.any() else 60.0
    soft = np.clip(0.5 + (usual - SHADOW - light) / 6, 0, 1)
    down = scene.seen.points[152] - scene.seen.points[10]
    down = down / max(float(np.hypot(*down)), 1e-6)
    under_hair = _shifted(scene.hair, down * 0.075 * unit) * scene.face
    chin = _shifted(scene.face.astype(np.float32), down * 0.20 * unit) * (1 - scene.face)
    return np.asarray(np.maximum(np.maximum(soft, under_hair), chin * 0.95), np.float32)


def _shifted(matte: Floats, by: npt.NDArray[np.float32]) -> Floats:
    matrix = np.array([[1, 0, by[0]], [0, 1, by[1]]], np.float64)
    return np.asarray(cv2.warpAffine(matte, matrix, matte.shape[::-1]), np.float32)


def _locks(scene: Scene) -> tuple[Floats, Floats]:
    """Return the hair's shade and shine: large shapes that follow its strands."""
    nothing = np.zeros(scene.hair.shape, np.float32)
    strong = scene.hair > 0.5
    if strong.sum() < 30:
        return nothing, nothing
    unit = scene.unit * scene.scale
    light = smoothed_within(strands(scene, max(STRAND * unit, 1.5)), scene.hair, 0.025 * unit + 0.5)
    broad = smoothed_within(scene.lab[..., 0], scene.hair, 0.5 * unit)
    lifted = light - 0.35 * broad
    low, middle, high = np.percentile(lifted[strong], (34, 50, 87))
    spread = max(float(high - low), 3.0)
    dark = np.clip(0.5 + (low - lifted) / (0.25 * spread), 0, 1)
    bright = np.clip(0.5 + (max(high, middle + 2.5) - lifted) / (-0.25 * spread), 0, 1)
    return np.asarray(dark, np.float32), np.asarray(bright, np.float32)


def paint(scene: Scene, look: Palette, tones: Tones) -> FloatImage:
    """Lay flat colours over each other: background, clothes, skin, beard, hair.

    Parameters
    ----------
    scene : Scene
        The picture's parts.
    look : Palette
        The person's colours.
    tones : Tones
        The shapes.

    Returns
    -------
    FloatImage of shape (rows, cols, 3)
        The painting, without lines and features.
    """
    canvas = np.array(tones.behind) if scene.scale == 1 else scene.large(tones.behind)
    lay_over(canvas, scene.large(tones.clothes), tones.person)
    lay_over(canvas, look.skin, tones.skin)
    lay_over(canvas, look.skin_shade, tones.skin, clip=tones.shadow)
    lay_over(canvas, look.beard, tones.beard, opacity=0.85, clip=tones.skin)
    lay_over(canvas, look.hair, tones.hair)
    lay_over(canvas, look.hair_shade, tones.hair, clip=tones.dark)
    lay_over(canvas, look.hair_shine, tones.hair, clip=tones.shine)
    return canvas


def _behind(scene: Scene) -> FloatImage:
    """Simplify the background to a few broad, light tones."""
    unit = scene.unit * scene.scale
    away = np.clip(1 - 1.2 * scene.person, 0, 1).astype(np.float32)
    lab = smoothed_within(scene.lab, away, max(0.16 * unit, 1.5))
    return _flat(lab, 0.72, 28, 0.9)


def _clothes(scene: Scene) -> FloatImage:
    """Bring what is worn down to a few flat tones."""
    unit = scene.unit * scene.scale
    worn = np.clip(scene.person - scene.skin - scene.hair, 0, 1).astype(np.float32)
    lab = smoothed_within(scene.lab, worn + np.float32(0.02), max(0.02 * unit, 0.8))
    lab = np.asarray(cv2.bilateralFilter(lab, 5, 10, max(0.05 * unit, 1.5)), np.float32)
    lab[..., 1:] = cv2.GaussianBlur(lab, (0, 0), max(0.02 * unit, 0.8))[..., 1:]
    return _flat(lab, 0.96, 3, 1.15)


def _flat(lab: Floats, share: float, base: float, colour: float) -> FloatImage:
    """Round lightness to steps with short slopes between them [1]_ (see `anime`), scale all, leave CIELAB."""
    scales = np.float32(share), np.float32(base), np.float32(colour)
    flatten = _flatten if can_compile() else _flatten_plainly
    flatten(lab, *scales)
    rgb = np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.float32)
    rgb *= 255
    return np.clip(rgb, 0, 255, out=rgb)


@compiled
def _flatten(lab: Floats, share: np.float32, base: np.float32, colour: np.float32) -> None:
    """Change a picture in place."""
    for row in range(len(lab)):
        for col in range(lab.shape[1]):
            steps = lab[row, col, 0] / STEP
            whole = np.floor(steps)
            part = min(max((steps - whole) * np.float32(5) - np.float32(2), np.float32(0)), np.float32(1))
            lab[row, col, 0] = base + share * STEP * (whole + part)
            lab[row, col, 1] *= colour
            lab[row, col, 2] *= colour


def _flatten_plainly(lab: Floats, share: np.float32, base: np.float32, colour: np.float32) -> None:
    """Do as `_flatten` does."""
    steps = lab[..., 0] / STEP
    whole = np.floor(steps)
    lab[..., 0] = base + share * STEP * (whole + np.clip((steps - whole) * 5 - 2, 0, 1))
    lab[..., 1:] *= colour


_LEVELS = np.arange(256) / 255
#: How dark the screen is for each grey: behind the person, where light is paper; on clothes, in four tones.
BEHIND = np.where(_LEVELS > 0.68, 0, np.clip(0.46 - 0.55 * _LEVELS, 0.05, 0.26)).astype(np.float32)
WORN = np.select([_LEVELS < 0.30, _LEVELS < 0.45, _LEVELS < 0.68], [1, 0.5, 0.22], 0).astype(np.float32)


def ink_tones(scene: Scene, look: Palette, tones: Tones) -> FloatImage:
    """Put white, dots and solid black in place of colours.

    Parameters
    ----------
    scene : Scene
        The picture's parts.
    look : Palette
        The person's colours.
    tones : Tones
        The shapes.

    Returns
    -------
    FloatImage of shape (rows, cols, 3)
        Black and white, without lines and features.
    """
    behind, clothes = (scene.large(_grey(part)).astype(np.uint8) for part in (tones.behind, tones.clothes))
    grey: Floats = np.asarray(cv2.LUT(behind, BEHIND), np.float32)[..., None]
    lay_over(grey, np.asarray(cv2.LUT(clothes, WORN), np.float32)[..., None], tones.person)

    def screen(tone: float, cover: Matte, within: Matte | None = None) -> None:
        lay_over(grey, np.array([tone], np.float32), cover, clip=within)

    dark_skin = float(np.clip((62 - look.skin_lab[0]) / 60, 0, 0.3))
    screen(dark_skin, tones.skin)
    screen(0.22 + dark_skin, tones.skin, tones.shadow)
    screen(0.6, tones.beard, tones.skin)
    light = float(look.hair_lab[0])
    base, shade, shine = (
        (1.0, 1.0, 0.0) if light < 38 else (0.28, 0.6, 0.0) if light < 60 else (0.0, 0.3, 0.0)
    )
    screen(base, tones.hair)
    screen(shade, tones.hair, tones.dark)
    screen(shine, tones.hair, tones.shine)
    period = max(DOTS * scene.unit, LEAST_DOTS)
    paper = halftone(grey[..., 0], period=period)
    np.subtract(1, paper, out=paper)
    paper *= 255
    return np.asarray(cv2.merge([paper, paper, paper]), np.float32)


def _grey(picture: FloatImage) -> Floats:
    """Return the mean of red, green and blue, from 0 to 255."""
    return np.asarray(cv2.transform(picture, np.full((1, 3), 1 / 3)), np.float32)
