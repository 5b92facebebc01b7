"""A drawing as pixels: the same paths in the same order as a browser paints them."""

import numpy as np
import numpy.typing as npt

from facekit.compositing import as_bytes, lay_over
from facekit.effects.avatar.coverage import Lines, cover_fill, cover_stroke
from facekit.effects.avatar.curves import Curve, flatten
from facekit.effects.avatar.drawing import SIDE, Drawing
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
    clips: dict[int, tuple[Box, Matte]] = {}
    whole = 0, size, 0, size
    for shape, within in drawing.walk():
        box = whole
        for clip in within:
            if id(clip) not in clips:
                clips[id(clip)] = _covered((clip,), 0.0, scale, whole)
            box = _common(box, clips[id(clip)][0])
        box, cover = _covered(shape.curves, shape.width, scale, box)
        if not cover.size:
            continue
        top, bottom, left, right = box
        for clip in within:
            (first, _, start, _), matte = clips[id(clip)]
            cover *= matte[top - first : bottom - first, left - start : right - start]
        lay_over(canvas, colour_of(shape.colour), cover, at=(top, left), opacity=shape.opacity)
    return as_bytes(canvas)


def colour_of(text: str) -> npt.NDArray[np.float32]:
    """Read a colour such as ``"#ff8800"``."""
    return np.array([int(text[k : k + 2], 16) for k in (1, 3, 5)], np.float32)


def _covered(curves: tuple[Curve, ...], width: float, scale: float, limit: Box) -> tuple[Box, Matte]:
    """Return the box in which curves show within a limit, and how much of each pixel they cover there."""
    radius = width * scale / 2
    rings = [flatten(curve * scale) for curve in curves]
    pad = radius + 1
    low = np.min([ring.min(axis=0) for ring in rings], axis=0) - pad
    high = np.max([ring.max(axis=0) for ring in rings], axis=0) + pad
    left, top = np.floor(low).astype(int).tolist()
    right, bottom = np.ceil(high).astype(int).tolist()
    box = _common((top, bottom, left, right), limit)
    top, bottom, left, right = box
    if left >= right or top >= bottom:
        return box, np.zeros((0, 0), np.float32)
    lines = np.concatenate([_lines(ring - (left, top), closed=not radius) for ring in rings])
    part = bottom - top, right - left
    return box, cover_stroke(lines, radius, part) if radius else cover_fill(lines, part)


def _common(one: Box, other: Box) -> Box:
    """Return what two boxes share; where that is nothing, a box without rows or columns."""
    top, left = max(one[0], other[0]), max(one[2], other[2])
    return top, max(min(one[1], other[1]), top), left, max(min(one[3], other[3]), left)


def _lines(ring: npt.NDArray[np.float64], *, closed: bool) -> Lines:
    ends = np.roll(ring, -1, axis=0) if closed else ring[1:]
    return np.concatenate([ring[: len(ends)], ends], axis=1).astype(np.float32)
