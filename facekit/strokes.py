"""Drawing on a picture: smooth curves, filled shapes and tapered strokes, anti-aliased.

Every shape is drawn at several times the picture's size in its own box, and reduced.

References
----------
.. [1] Catmull & Rom, "A class of local interpolating splines", Computer Aided Geometric Design, 1974.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from facekit.compositing import lay_over
from facekit.values import FloatImage, Matte

__all__ = ["Colour", "cover", "curve", "fill", "stroke", "stroke_outline"]

FINER = 4  # how much larger than the picture shapes are drawn
LARGE = 400_000  # pixels of a box from which twice as large must do
FIXED = 16  # parts of a pixel that OpenCV's polygons are drawn to

Colour: TypeAlias = Sequence[float] | npt.NDArray[Any]  # red, green, blue, 0 to 255
Path: TypeAlias = npt.NDArray[np.float64]


def curve(points: npt.ArrayLike, *, closed: bool = False, steps: int = 8) -> Path:
    """Lay a smooth curve through points.

    Parameters
    ----------
    points : array_like of shape (N, 2)
        At least two, as (x, y).
    closed : bool
        Whether the last point joins the first.
    steps : int
        Pieces between two points.

    Returns
    -------
    ndarray of shape (M, 2), float64
        Points on a Catmull-Rom spline.

    References
    ----------
    .. [1] Catmull & Rom, "A class of local interpolating splines", 1974.

    Examples
    --------
    >>> curve([[0, 0], [1, 0], [2, 0]], steps=2).tolist()
    [[0.0, 0.0], [0.4375, 0.0], [1.0, 0.0], [1.5625, 0.0], [2.0, 0.0]]
    """
    path = np.asarray(points, np.float64)
    around = [path[-1:], path, path[:2]] if closed else [path[:1], path, path[-1:]]
    knots = np.concatenate(around)
    t = (np.arange(steps) / steps)[:, None]
    pieces = []
    for k in range(len(knots) - 3):
        a, b, c, d = knots[k : k + 4]
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return np.concatenate(pieces if closed else [*pieces, path[-1:]])


def stroke_outline(path: Path, width: float, *, taper: tuple[float, float] = (0.0, 0.0)) -> Path:
    """Return the outline of a stroke that swells in its middle.

    Parameters
    ----------
    path : ndarray of shape (N, 2)
        The middle line.
    width : float, pixels
        Where the stroke is widest.
    taper : (start, end)
        Share of the width that is left at either end.

    Returns
    -------
    ndarray of shape (2 N, 2)
        A polygon.

    Examples
    --------
    >>> stroke_outline(np.array([[0.0, 0], [1, 0], [2, 0]]), 2).tolist()
    [[0.0, 0.0], [1.0, 1.0], [2.0, 0.0], [2.0, 0.0], [1.0, -1.0], [0.0, 0.0]]
    """
    along = np.gradient(path, axis=0)
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    t = np.linspace(0, 1, len(path))
    start, end = taper
    least = start + (end - start) * t
    half = 0.5 * width * (least + (1 - least) * np.sin(np.pi * t) ** 0.7)
    off = normal * np.where((t == 0) | (t == 1), 0.5 * width * least, half)[:, None]
    return np.concatenate([path + off, (path - off)[::-1]]) + 0.0


def stroke(
    canvas: FloatImage,
    path: Path,
    colour: Colour,
    width: float,
    *,
    taper: tuple[float, float] = (0.0, 0.0),
    opacity: float = 1.0,
    clip: Matte | None = None,
) -> None:
    """Draw a stroke that swells in its middle.

    Parameters
    ----------
    canvas : FloatImage of shape (H, W, 3)
        Drawn on.
    path : ndarray of shape (N, 2)
        The middle line, as (x, y).
    colour : (red, green, blue)
        0 to 255.
    width : float, pixels
        Where the stroke is widest.
    taper : (start, end)
        Share of the width that is left at either end.
    opacity : float
        From 0 to 1.
    clip : Matte of shape (H, W), optional
        Where the stroke may show.
    """
    fill(canvas, [stroke_outline(path, width, taper=taper)], colour, opacity=opacity, clip=clip)


def fill(
    canvas: FloatImage,
    shapes: Sequence[Path],
    colour: Colour,
    *,
    opacity: float = 1.0,
    clip: Matte | None = None,
) -> None:
    """Fill shapes.

    Parameters
    ----------
    canvas : FloatImage of shape (H, W, 3)
        Drawn on.
    shapes : sequence of ndarray of shape (N, 2)
        Polygons; what several cover is covered once.
    colour : (red, green, blue) or FloatImage of shape (H, W, 3)
        0 to 255.
    opacity : float
        From 0 to 1.
    clip : Matte of shape (H, W), optional
        Where the shapes may show.
    """
    found = cover(shapes, canvas.shape[:2])
    if found is None:
        return
    share, (rows, cols) = found
    paint = np.asarray(colour, np.float32)
    lay_over(canvas, paint, share, at=(rows.start, cols.start), opacity=opacity, clip=clip)


def cover(shapes: Sequence[Path], shape: tuple[int, ...]) -> tuple[Matte, tuple[slice, slice]] | None:
    """Return how much of each pixel shapes cover.

    Parameters
    ----------
    shapes : sequence of ndarray of shape (N, 2)
        Polygons.
    shape : (rows, cols)
        Size of the picture.

    Returns
    -------
    share : Matte of shape (h, w)
        In a box around the shapes.
    box : (rows, cols)
        The box's slices. None in place of both where the shapes lie beyond the picture.
    """
    every = np.concatenate(list(shapes))
    last = np.array(shape[1::-1])
    x0, y0 = np.clip(np.floor(every.min(axis=0)).astype(int) - 1, 0, last).tolist()
    x1, y1 = np.clip(np.ceil(every.max(axis=0)).astype(int) + 2, 0, last).tolist()
    if x1 <= x0 or y1 <= y0:
        return None
    finer = FINER if (x1 - x0) * (y1 - y0) < LARGE else 2
    canvas = np.zeros(((y1 - y0) * finer, (x1 - x0) * finer), np.uint8)
    for path in shapes:
        placed = (path - [x0, y0] + 0.5) * finer - 0.5
        cv2.fillPoly(canvas, [np.round(placed * FIXED).astype(np.int32)], 255, cv2.LINE_8, 4)
    share = cv2.resize(canvas, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return share.astype(np.float32) / np.float32(255), (slice(y0, y1), slice(x0, x1))
