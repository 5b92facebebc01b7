"""A drawing as pixels: the same paths in the same order as a browser paints them."""

import numpy as np
import numpy.typing as npt

from facekit.effects.avatar.coverage import Lines, cover_fill, cover_stroke, paint
from facekit.effects.avatar.curves import Curve, flatten
from facekit.effects.avatar.drawing import SIDE, Drawing, Shape
from facekit.values import Image, Matte

__all__ = ["rasterise_drawing"]

Box = tuple[int, int, int, int]  # top, bottom, left, right; ends exclusive


def rasterise_drawing(drawing: Drawing, size: int) -> Image:
    """Paint a drawing.

    Parameters
    ----------
    drawing : Drawing
        What to paint.
    size : int, pixels
        Side of the picture.

    Returns
    -------
    Image of shape (size, size, 3), uint8
        Colours are blended as encoded, as browsers do.
    """
    scale = size / SIDE
    canvas = np.empty((size, size, 3), np.float32)
    canvas[:] = colour_of(drawing.paper)
    clips: dict[int, Matte] = {}
    for shape, within in drawing.walk():
        box, cover = _covered(shape, scale, size)
        if cover is None:
            continue
        top, bottom, left, right = box
        for clip in within:
            if id(clip) not in clips:
                clips[id(clip)] = _whole(clip, scale, size)
            cover *= clips[id(clip)][top:bottom, left:right]
        paint(canvas[top:bottom, left:right], cover, colour_of(shape.colour), shape.opacity)
    return np.asarray(np.clip(np.rint(canvas), 0, 255), np.uint8)


def colour_of(text: str) -> npt.NDArray[np.float32]:
    """Read a colour such as ``"#ff8800"``."""
    return np.array([int(text[k : k + 2], 16) for k in (1, 3, 5)], np.float32)


def _covered(shape: Shape, scale: float, size: int) -> tuple[Box, Matte | None]:
    """Return the box in which a shape shows, and how much of each pixel it covers there."""
    radius = shape.width * scale / 2
    rings = [flatten(curve * scale) for curve in shape.curves]
    pad = radius + 1
    low = np.min([ring.min(axis=0) for ring in rings], axis=0) - pad
    high = np.max([ring.max(axis=0) for ring in rings], axis=0) + pad
    left, top = np.clip(np.floor(low), 0, size).astype(int).tolist()
    right, bottom = np.clip(np.ceil(high), 0, size).astype(int).tolist()
    box = top, bottom, left, right
    if left >= right or top >= bottom:
        return box, None
    lines = np.concatenate([_lines(ring - (left, top), closed=not radius) for ring in rings])
    part = bottom - top, right - left
    return box, cover_stroke(lines, radius, part) if radius else cover_fill(lines, part)


def _whole(clip: Curve, scale: float, size: int) -> Matte:
    return cover_fill(_lines(flatten(clip * scale), closed=True), (size, size))


def _lines(ring: npt.NDArray[np.float64], *, closed: bool) -> Lines:
    ends = np.roll(ring, -1, axis=0) if closed else ring[1:]
    return np.concatenate([ring[: len(ends)], ends], axis=1).astype(np.float32)
