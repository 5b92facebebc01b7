"""Ink lines: where a picture's edges flow, drawn as coherent strokes; and dots for the tones between.

References
----------
.. [1] Kang, Lee & Chui, "Coherent Line Drawing", NPAR 2007, for differences of Gaussians across an
   edge, gathered along its flow.
.. [2] Winnemoeller, Kyprianidis & Olsen, "XDoG: An eXtended difference-of-Gaussians compendium
   including advanced image stylization", Computers & Graphics 36(6), 2012, for the soft threshold.
.. [3] Ulichney, "Digital Halftoning", MIT Press, 1987, for clustered dots at 45 degrees.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facekit.ink_rows import along, areas, differences, dots, keep
from facekit.threads import in_strips, side_by_side
from facekit.values import Image, Mask, Matte

__all__ = ["edge_flow", "flow_smoothed", "halftone", "ink_lines", "without_specks"]

WIDER = 1.6  # the outer Gaussian of the difference over the inner one [1]_
ALONG = 3.0  # times the line's width over which a stroke is gathered
FLOW = 2.5  # times the line's width over which neighbours agree about the flow
STEEP = 0.9  # how soft the threshold is, per unit of lightness [2]_
SPECK = 12  # pixels; smaller marks are dirt, not ink
INKED = 0.1  # of full ink, from which a pixel belongs to a mark
RANKS = 1024  # steps of the table that tells a screen's level from its rank
LEAST_ROWS = 32  # of a picture; fewer are not worth a thread

Floats = npt.NDArray[np.float32]


def ink_lines(image: Image, *, width: float, threshold: float = 0.6, where: Mask | None = None) -> Matte:
    """Draw a picture's dark edges as ink lines.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    width : float, pixels
        Standard deviation of a line's profile; details finer than this are not drawn.
    threshold : float, units of lightness
        How much darker than its surroundings a line is at least.
    where : Mask of shape (H, W), optional
        Where lines are asked for; there are none elsewhere.

    Returns
    -------
    Matte of shape (H, W)
        1 where there is ink; no mark of it is smaller than 12 pixels.

    References
    ----------
    .. [1] Kang, Lee & Chui, "Coherent Line Drawing", NPAR 2007.

    Examples
    --------
    >>> image = np.full((40, 40, 3), 200, np.uint8); image[18:21] = 60
    >>> lines = ink_lines(image, width=1.2)
    >>> bool(lines[19, 20] > 0.9), float(lines[5, 20])
    (True, 0.0)
    """
    light = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32) * np.float32(100 / 255)
    flow = edge_flow(light, FLOW * width)
    asked = np.ones(light.shape, np.bool_) if where is None else where
    weights = _profile(width)
    darkest = threshold + np.arctanh(INKED) / STEEP  # fainter ink belongs to no mark
    steps = _steps(ALONG * width)
    near = _grown(_may_reach(light, weights, darkest), steps) & asked
    across = _across(light, flow, weights, _grown(near, steps))
    # No mean is below all that it is made of: only near something dark enough is there ink.
    near &= _grown(across < -darkest, steps)
    gathered = flow_smoothed(across, flow, ALONG * width, where=near)
    ink = np.clip(np.tanh((-gathered - np.float32(threshold)) * np.float32(STEEP)), 0, 1)
    return without_specks(ink)


def _may_reach(light: Floats, weights: Floats, darkest: float) -> Mask:
    """Tell where the picture varies enough for a difference of Gaussians as low as this."""
    window = np.ones((2 * len(weights) + 1,) * 2, np.uint8)
    most = (abs(weights[0]) + 2 * np.abs(weights[1:]).sum()) / 2  # of the variation
    variation = cv2.dilate(light, window) - cv2.erode(light, window)
    return np.asarray(variation * most > darkest)


def _grown(mask: Mask, steps: int) -> Mask:
    """Mark all from which some of a mask can be reached."""
    window = np.ones((2 * steps + 3,) * 2, np.uint8)
    return np.asarray(cv2.dilate(mask.view(np.uint8), window)).view(np.bool_)


def _across(light: Floats, flow: Floats, weights: Floats, where: Mask) -> Floats:
    """Take the difference of Gaussians across the flow; 0 where it is not asked for."""
    pad = len(weights)
    padded = np.asarray(cv2.copyMakeBorder(light, *(pad,) * 4, cv2.BORDER_REPLICATE), np.float32)
    result = np.zeros_like(light)
    _by_rows(differences, padded, flow, weights, where, result)
    return result


def _by_rows(work: Callable[..., None], *arrays: Any) -> None:
    """Write all rows of the last array, in strips."""
    in_strips(lambda start, stop: work(*arrays, start, stop), len(arrays[-1]), least=LEAST_ROWS)


def without_specks(ink: Matte, *, least: int = SPECK) -> Matte:
    """Take marks away that are too small to be drawn.

    Parameters
    ----------
    ink : Matte of shape (H, W)
        Never modified.
    least : int, pixels
        The smallest mark that stays.

    Returns
    -------
    Matte of shape (H, W)
        Faint traces beside marks go, too.

    Examples
    --------
    >>> dots = np.zeros((9, 9), np.float32); dots[1, 1] = 1; dots[4:8, 4:8] = 1
    >>> int(without_specks(dots).sum())
    16
    """
    marked = ink > INKED
    count, found = cv2.connectedComponents(marked.view(np.uint8))
    labels = np.asarray(found, np.int32)
    kept = areas(labels, count) >= max(least, 1)
    result = np.empty(ink.shape, np.float32)
    _by_rows(keep, ink, labels, kept, result)
    return result


def edge_flow(light: Floats, sigma: float) -> Floats:
    """Return the direction in which a picture changes least.

    Parameters
    ----------
    light : ndarray of shape (H, W), float32
        Lightness.
    sigma : float, pixels
        Over which neighbours agree.

    Returns
    -------
    ndarray of shape (H, W, 2), float32
        Unit vectors (x, y); a vector and its opposite say the same.

    References
    ----------
    .. [1] Brox et al., "Adaptive structure tensors and their applications", 2006.

    Examples
    --------
    >>> stripes = np.tile(np.sin(np.arange(20, dtype=np.float32)), (20, 1))
    >>> np.abs(edge_flow(stripes, 2.0)[10, 10]).round(3).tolist()
    [0.0, 1.0]
    """
    gx, gy = cv2.Scharr(light, cv2.CV_32F, 1, 0), cv2.Scharr(light, cv2.CV_32F, 0, 1)
    products = (gx * gx, gx * gy, gy * gy)
    xx, xy, yy = side_by_side(*(partial(cv2.GaussianBlur, part, (0, 0), sigma) for part in products))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)
    return np.asarray(cv2.merge([np.cos(angle), np.sin(angle)]), np.float32)


def flow_smoothed(picture: Floats, flow: Floats, sigma: float, *, where: Mask | None = None) -> Floats:
    """Smooth along a flow and not across it.

    Parameters
    ----------
    picture : ndarray of shape (H, W), float32
        What to smooth; never modified.
    flow : ndarray of shape (H, W, 2), float32
        As `edge_flow` returns it.
    sigma : float, pixels
        Along the flow.
    where : Mask of shape (H, W), optional
        The pixels that are asked for; the rest come out as 0.

    Returns
    -------
    ndarray of shape (H, W), float32
        Smoothed.

    References
    ----------
    .. [1] Cabral & Leedom, "Imaging vector fields using line integral convolution", SIGGRAPH 1993.

    Examples
    --------
    >>> flow = np.zeros((9, 9, 2), np.float32); flow[..., 0] = 1
    >>> row = np.zeros((9, 9), np.float32); row[4] = 1
    >>> bool(np.allclose(flow_smoothed(row, flow, 2.0), row, atol=1e-6))
    True
    """
    weights = np.exp(-0.5 * (np.arange(_steps(sigma) + 1) / sigma) ** 2).astype(np.float32)
    picture, result = np.ascontiguousarray(picture), np.zeros_like(picture)
    asked = np.ones(picture.shape, np.bool_) if where is None else where
    _by_rows(along, picture, flow, weights, asked, result)
    return result


def _steps(sigma: float) -> int:
    return max(round(2 * sigma), 1)


def halftone(tone: Matte, *, period: float) -> Matte:
    """Turn greys into dots on a grid that stands at 45 degrees.

    Parameters
    ----------
    tone : Matte of shape (H, W)
        How dark: 0 white, 1 black.
    period : float, pixels
        From one dot to the next.

    Returns
    -------
    Matte of shape (H, W)
        Ink, anti-aliased; it covers about the share of an area that `tone` says.

    References
    ----------
    .. [1] Ulichney, "Digital Halftoning", MIT Press, 1987.

    Examples
    --------
    >>> dots = halftone(np.full((64, 64), 0.25, np.float32), period=8)
    >>> bool(0.2 < dots.mean() < 0.3), float(dots.min()), float(dots.max())
    (True, 0.0, 1.0)
    """
    rows, cols = tone.shape
    # cos(x) cos(y) is the mean of cos(x + y) and cos(x - y): waves that run along both diagonals.
    down, across = (np.cos(np.pi * np.sqrt(2) / period * np.arange(n)) for n in (rows, cols))
    down, across = (0.5 * down).astype(np.float32), across.astype(np.float32)
    ranks, result = _ranks(), np.empty(tone.shape, np.float32)
    sharp = np.float32(period / 3.5)
    _by_rows(dots, tone, down, across, ranks, sharp, result)
    return result


@cache
def _ranks() -> Floats:
    """Return which share of the screen lies below each of evenly spaced levels."""
    one = np.cos(np.linspace(0, np.pi, 512))
    levels = np.sort((0.5 + 0.5 * one[:, None] * one).ravel())
    return (np.searchsorted(levels, np.linspace(0, 1, RANKS + 1)) / levels.size).astype(np.float32)


def _profile(width: float) -> Floats:
    """Return the weights of the inner Gaussian less those of the outer, from the middle outwards."""
    steps = np.arange(max(round(2.5 * width * WIDER), 2) + 1)
    pair = [np.exp(-0.5 * (steps / sigma) ** 2) for sigma in (width, width * WIDER)]
    inner, outer = (weights / (weights[0] + 2 * weights[1:].sum()) for weights in pair)
    return np.asarray(inner - outer, np.float32)
