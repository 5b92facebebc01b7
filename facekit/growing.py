"""Masks grown and shrunk by a distance.

References
----------
.. [1] Meijster, Roerdink & Hesselink, "A General Algorithm for Computing Distance Transforms in
   Linear Time", ISMM 2000, for looking along columns first.
"""

import cv2
import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled
from facekit.values import Mask

__all__ = ["grown"]

FARTHEST = 32_000  # pixels; what is held of distances is 16 bits wide

Bytes = npt.NDArray[np.uint8]
Shorts = npt.NDArray[np.int16]


def grown(mask: Mask, pixels: float) -> Mask:
    """Grow (or, for negative `pixels`, shrink) a mask by a distance; beyond the picture is outside.

    Parameters
    ----------
    mask : Mask of shape (H, W)
        Never modified.
    pixels : float
        Euclidean distance.

    Returns
    -------
    Mask of shape (H, W)
        The new mask.

    Examples
    --------
    >>> dot = np.zeros((5, 5), bool); dot[2, 2] = True
    >>> int(grown(dot, 1).sum()), int(grown(grown(dot, 1), -1).sum())
    (5, 1)
    """
    x, y, width, height = cv2.boundingRect(np.ascontiguousarray(mask).view(np.uint8))
    if pixels == 0 or width == 0:
        return mask.copy()
    # All that can change lies in the mask's own box, grown as far: the rest need not be looked at.
    far, pad = abs(pixels) + 0.01, max(int(pixels) + 1, 0)
    box = slice(max(y - pad, 0), y + height + pad), slice(max(x - pad, 0), x + width + pad)
    result = np.zeros(mask.shape, np.bool_)
    if pixels > 0:
        np.logical_not(_far_from(mask[box], far), out=result[box])
    else:
        outside = (~mask[box]).view(np.uint8)
        seeds = cv2.copyMakeBorder(outside, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=[1]).view(np.bool_)
        result[box] = _far_from(seeds, far)[1:-1, 1:-1]
    return result


def _far_from(seeds: Mask, far: float) -> Mask:
    """Tell which pixels lie further than a distance from all seeds."""
    if not can_compile():
        nothing = (~seeds).view(np.uint8)
        return np.asarray(cv2.distanceTransform(nothing, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > far)
    reach = min(int(far), seeds.shape[1] - 1)  # columns
    heights = np.sqrt(np.maximum(far**2 - np.arange(reach + 1.0) ** 2, 0))
    heights = np.minimum(heights, FARTHEST).astype(np.int16)
    result = np.empty(seeds.shape, np.uint8)
    _clear(
        np.ascontiguousarray(seeds).view(np.uint8),
        heights,
        np.full(seeds.shape, heights[0] + 1, np.int16),
        result,
    )
    return result.view(np.bool_)


@compiled
def _clear(seeds: Bytes, heights: Shorts, down: Shorts, result: Bytes) -> None:
    """Set what is near to no seed: first how far one is in each column, then in columns up to so far off."""
    rows, cols = seeds.shape
    for y in range(rows):
        _look(seeds[y], down[max(y - 1, 0)], down[y])
    for y in range(rows - 2, -1, -1):
        _look(seeds[y], down[y + 1], down[y])
    for y in range(rows):
        result[y] = 1
        for off in range(1 - len(heights), len(heights)):
            _unset(down[y, max(off, 0) : cols + min(off, 0)], heights[abs(off)], result[y, max(-off, 0) :])


@compiled
def _look(seeds: Bytes, before: Shorts, down: Shorts) -> None:
    """Step on by a row: no seed is further than one more than it was in the row before."""
    for x in range(len(seeds)):
        down[x] = 0 if seeds[x] else min(before[x] + 1, down[x])


@compiled
def _unset(down: Shorts, height: int, line: Bytes) -> None:
    for x in range(len(down)):
        line[x] &= np.uint8(down[x] > height)
