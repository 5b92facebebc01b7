"""Colours laid over a canvas, and canvases turned into pixels.

References
----------
.. [1] Porter & Duff, "Compositing Digital Images", SIGGRAPH 1984, for the operator "over".
"""

import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled
from facekit.threads import in_strips
from facekit.values import FloatImage, Image, Matte

__all__ = ["as_bytes", "lay_over"]

LEAST_ROWS = 64  # of a canvas; fewer are not worth a thread
NO_CLIP = np.zeros((0, 0), np.float32)

Floats = npt.NDArray[np.float32]


def lay_over(
    canvas: FloatImage,
    colour: Floats,
    cover: Matte,
    *,
    at: tuple[int, int] = (0, 0),
    opacity: float = 1.0,
    clip: Matte | None = None,
) -> None:
    """Lay a colour over a canvas where a shape covers it, in place.

    Parameters
    ----------
    canvas : ndarray of shape (H, W, C), float32
        Painted on; contiguous.
    colour : ndarray of shape (C,) or (H, W, C), float32
        One colour, or a picture of the canvas's size.
    cover : Matte of shape (h, w)
        How much of each pixel the shape covers.
    at : (row, col)
        Where on the canvas the shape's box begins; all of it lies on the canvas.
    opacity : float in [0, 1]
        Of what the shape covers.
    clip : Matte of shape (H, W), optional
        Where the shape may show.

    References
    ----------
    .. [1] Porter & Duff, "Compositing Digital Images", SIGGRAPH 1984.

    Examples
    --------
    >>> canvas = np.zeros((1, 3, 1), np.float32)
    >>> lay_over(canvas, np.float32([8]), np.float32([[1, 0.5]]), at=(0, 1), opacity=0.5)
    >>> canvas.ravel().tolist()
    [0.0, 4.0, 2.0]
    """
    paint = np.ascontiguousarray(colour).reshape(
        -1, canvas.shape[1] if colour.ndim == 3 else 1, canvas.shape[2]
    )
    rows, cols = cover.shape
    box = slice(at[0], at[0] + rows), slice(at[1], at[1] + cols)
    if not can_compile():
        share = cover * np.float32(opacity)
        if clip is not None:
            share *= clip[box]
        part = canvas[box]
        part += share[..., None] * ((paint[box] if colour.ndim == 3 else paint) - part)
        return
    cover, within = np.ascontiguousarray(cover), NO_CLIP if clip is None else np.ascontiguousarray(clip)

    def strip(start: int, stop: int) -> None:
        _lay(canvas, paint, cover, within, at[0], at[1], np.float32(opacity), start, stop)

    in_strips(strip, rows, least=LEAST_ROWS)


def as_bytes(canvas: FloatImage) -> Image:
    """Round a canvas to pixels.

    Parameters
    ----------
    canvas : ndarray of shape (H, W, 3), float32
        0 to 255; what lies beyond is clipped.

    Returns
    -------
    Image of shape (H, W, 3), uint8
        Halves are rounded up.

    Examples
    --------
    >>> as_bytes(np.float32([[[-3, 0.5, 260]]])).tolist()
    [[[0, 1, 255]]]
    """
    result = np.empty(canvas.shape, np.uint8)
    if not can_compile():
        result[:] = np.clip(canvas + np.float32(0.5), 0, 255)
        return result
    levels, pixels = np.ascontiguousarray(canvas).reshape(-1), result.reshape(-1)

    def strip(start: int, stop: int) -> None:
        _round(levels[start:stop], pixels[start:stop])

    in_strips(strip, len(levels), least=LEAST_ROWS * canvas.shape[1] * 3)
    return result


@compiled
def _lay(
    canvas: FloatImage, paint: Floats, cover: Matte, clip: Matte, top: int, left: int, opacity: np.float32,
    start: int, stop: int,
) -> None:  # fmt: skip
    """Lay rows of the shape over the canvas; a single colour's paint is one pixel."""
    whole = len(paint) > 1
    clipped = clip.size > 0
    for row in range(start, stop):
        y = top + row
        for col in range(cover.shape[1]):
            x = left + col
            share = cover[row, col] * opacity
            if share > 0 and clipped:
                share *= clip[y, x]
            if share > 0:
                for k in range(canvas.shape[2]):
                    colour = paint[y, x, k] if whole else paint[0, 0, k]
                    canvas[y, x, k] += share * (colour - canvas[y, x, k])


@compiled
def _round(levels: Floats, pixels: npt.NDArray[np.uint8]) -> None:
    for i in range(len(levels)):
        pixels[i] = np.uint8(min(max(levels[i] + np.float32(0.5), np.float32(0)), np.float32(255)))
