"""The lines of a drawing: outlines of its parts, and the ink of what is worn."""

import cv2
import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled
from facekit.compositing import lay_over
from facekit.effects.anime_look import Palette
from facekit.effects.anime_scene import Scene
from facekit.effects.anime_tones import Tones
from facekit.growing import grown
from facekit.ink import ink_lines, without_specks
from facekit.strokes import curve, stroke
from facekit.threads import in_strips
from facekit.values import FloatImage, Matte

__all__ = ["draw_lines"]

LINE = 0.019  # outer-eye distances; the outline's width
DETAIL = 0.012  # outer-eye distances; the finest inked detail
HEAVY, LIGHTER = np.float32(0.85), np.float32(0.35)  # of its width: an outline's mean, and its range
FLAT = np.float32(1e-6)  # per pixel; least slope of a part that is reckoned with
NEARLY = np.float32(0.02)  # of a part: less is nothing, and all but so much is all
FAINT = np.float32(0.35)  # of the slope of a sharp edge; parts that fade more slowly have no outline
LEAST_ROWS = 64  # of a picture; fewer are not worth a thread

Floats = npt.NDArray[np.float32]


def draw_lines(canvas: FloatImage, scene: Scene, look: Palette, tones: Tones, *, strong: bool) -> None:
    """Draw the outlines of person, hair and face, and the ink of what is worn.

    Parameters
    ----------
    canvas : FloatImage of shape (rows, cols, 3)
        Drawn on.
    scene : Scene
        The picture's parts.
    look : Palette
        The person's colours.
    tones : Tones
        The shapes.
    strong : bool
        Whether the background gets lines, too.
    """
    width = max(LINE * scene.unit, 1.1)
    ink = _detail(scene, strong=strong)
    _outline(scene, scene.person, width * 1.15, ink)
    _outline(scene, scene.hair, width, ink)
    ink = without_specks(ink)
    if strong and look.hair[0] < 60:
        ink *= 1 - tones.hair * (1 - tones.shine)
    lay_over(canvas, look.ink, ink)
    jaw = scene.mesh.points[
        [132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361]
    ]
    stroke(canvas, curve(jaw), look.ink, width * 1.1, taper=(0.2, 0.2), clip=(1 - tones.hair) * tones.person)


def _outline(scene: Scene, field: Floats, width: float, ink: Matte) -> None:
    """Draw the line along which a part ends, heavier below and to the right."""
    blur = max(0.025 * scene.unit * scene.scale, 1.0)
    soft = scene.large(np.asarray(cv2.GaussianBlur(field, (0, 0), blur), np.float32))
    half, clear = np.float32(0.5 * width), np.float32(8 * blur / scene.scale)
    if not can_compile():
        _mark_plainly(soft, half, clear, ink)
        return

    def strip(start: int, stop: int) -> None:
        _mark(soft, half, clear, ink, start, stop)

    in_strips(strip, len(ink), least=LEAST_ROWS)


def _mark_plainly(soft: Floats, half: np.float32, clear: np.float32, ink: Matte) -> None:
    """Do as `_mark` does."""
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=0.125)
    slope = np.sqrt(gx * gx + gy * gy) + FLAT
    reach = half * (HEAVY - LIGHTER * (gx + gy) / slope) + np.float32(0.5)
    share = np.clip(reach - np.abs(soft - np.float32(0.5)) / slope, 0, 1)
    share *= np.clip(slope * clear - FAINT, 0, 1) * ((soft > NEARLY) & (soft < 1 - NEARLY))
    np.maximum(ink, share, out=ink)


@compiled
def _mark(soft: Floats, half: np.float32, clear: np.float32, ink: Matte, start: int, stop: int) -> None:
    """Ink what lies nearer to where a soft part is one half than the line is wide there."""
    rows, cols = soft.shape
    for row in range(start, stop):
        above, below = abs(row - 1), rows - 1 - abs(rows - 2 - row)
        for col in range(cols):
            value = soft[row, col]
            if value <= NEARLY or value >= 1 - NEARLY:  # too far from any edge, as smooth as the part is
                continue
            left, right = abs(col - 1), cols - 1 - abs(cols - 2 - col)
            falling = soft[below, right] - soft[above, left]
            rising = soft[above, right] - soft[below, left]
            x = (falling + rising + np.float32(2) * (soft[row, right] - soft[row, left])) * np.float32(0.125)
            y = (falling - rising + np.float32(2) * (soft[below, col] - soft[above, col])) * np.float32(0.125)
            slope = np.sqrt(x * x + y * y) + FLAT
            strong = slope * clear - FAINT
            if strong > 0:
                reach = half * (HEAVY - LIGHTER * (x + y) / slope) + np.float32(0.5)
                share = min(reach - abs(value - np.float32(0.5)) / slope, np.float32(1))
                ink[row, col] = max(ink[row, col], share * min(strong, np.float32(1)))


def _detail(scene: Scene, *, strong: bool) -> Matte:
    """Ink folds, ears and strands; the drawn face stays free, and the background nearly so."""
    unit = scene.unit * scene.scale
    free = cv2.GaussianBlur(grown(scene.face, 0.08 * unit).astype(np.float32), (0, 0), 0.02 * unit + 0.5)
    shown = 1 - free * (1 - scene.hair)
    shown *= np.where(scene.person > 0.5, 0.9 - 0.35 * scene.hair, np.float32(0.45 if strong else 0))
    lines = ink_lines(scene.image, width=max(DETAIL * unit, 0.9), threshold=0.9, where=shown > 0)
    large = scene.large(lines * shown)
    if scene.scale == 1:
        return large
    large *= np.float32(1.5)
    large -= np.float32(0.15)
    return np.clip(large, 0, 1, out=large)
