"""A matte made to follow a picture's edges.

References
----------
.. [1] He, Sun & Tang, "Guided Image Filtering", IEEE PAMI 35(6), 2013.
.. [2] He & Sun, "Fast Guided Filter", arXiv:1505.00996, 2015.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled
from facekit.values import Image, Matte

__all__ = ["guided_filter"]

COARSE = 2.5  # pixels; a radius is brought down to this by shrinking the picture, as in [2]_

Floats = npt.NDArray[np.float32]


def guided_filter(image: Image, matte: Matte, *, radius: float, softness: float = 0.03) -> Matte:
    """Smooth a matte along a picture's edges, never across them.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        Whose edges to follow.
    matte : Matte of shape (h, w)
        What to smooth; of any size, it is stretched over the picture.
    radius : float, pixels of `image`
        How far the smoothing reaches.
    softness : float
        Differences of colour, as a share of white, above which there is an edge.

    Returns
    -------
    Matte of shape (H, W)
        In each window of the picture, the linear map of its colours that is nearest to `matte`.

    References
    ----------
    .. [1] He, Sun & Tang, "Guided Image Filtering", IEEE PAMI 35(6), 2013.

    Examples
    --------
    >>> image = np.zeros((32, 32, 3), np.uint8); image[:, 16:] = 200
    >>> blurred = np.tile(np.linspace(0, 1, 32, dtype=np.float32), (32, 1))
    >>> sharp = guided_filter(image, blurred, radius=12)
    >>> bool(sharp[16, 17] - sharp[16, 14] > 0.3 > blurred[16, 17] - blurred[16, 14])
    True
    """
    rows, cols = image.shape[:2]
    shrink = max(radius / COARSE, 1.0)
    size = max(round(cols / shrink), 1), max(round(rows / shrink), 1)
    small = _resized(image, size).astype(np.float32) * np.float32(1 / 255)
    wanted = np.clip(_resized(np.asarray(matte, np.float32), size), 0, 1)
    side = 2 * max(round(radius / shrink), 1) + 1
    planes = _coefficients(small, wanted, side, softness**2)
    large = [_resized(plane, (cols, rows)) for plane in (planes[..., :2], planes[..., 2:])]
    share = np.float32(1 / 255)
    mapped = image[..., 0] * (large[0][..., 0] * share)
    mapped += image[..., 1] * (large[0][..., 1] * share)
    mapped += image[..., 2] * (large[1][..., 0] * share)
    mapped += large[1][..., 1]
    return np.asarray(np.clip(mapped, 0, 1, out=mapped), np.float32)


def _resized(picture: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    if picture.shape[1::-1] == size:
        return picture
    smaller = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=way))


def _coefficients(guide: Floats, wanted: Matte, side: int, ridge: float) -> Floats:
    """Fit each window's linear map by least squares, and average the maps that cover a pixel."""
    mean = _box(guide, side)
    middle = _box(wanted, side)
    cross = _box(guide * wanted[..., None], side) - mean * middle[..., None]
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    products = np.stack([guide[..., i] * guide[..., j] for i, j in pairs], axis=-1)
    spread = np.concatenate([_box(products[..., :3], side), _box(products[..., 3:], side)], axis=-1)
    spread -= np.stack([mean[..., i] * mean[..., j] for i, j in pairs], axis=-1)
    result = np.empty((*wanted.shape, 4), np.float32)
    solve = _solve if can_compile() else _solve_plainly
    solve(
        np.ascontiguousarray(spread.reshape(-1, 6)), cross.reshape(-1, 3), np.float32(ridge),
        result.reshape(-1, 4),
    )  # fmt: skip
    result[..., 3] = middle - (result[..., :3] * mean).sum(axis=-1)
    return _box(result, side)


def _box(picture: Floats, side: int) -> Floats:
    return np.asarray(cv2.blur(picture, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)


def _solve_plainly(spread: Floats, cross: Floats, ridge: Any, result: Floats) -> None:
    """Do as `_solve` does."""
    matrix = spread[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(-1, 3, 3) + ridge * np.eye(3, dtype=np.float32)
    result[:, :3] = np.linalg.solve(matrix, cross[..., None])[..., 0]


@compiled
def _solve(spread: Floats, cross: Floats, ridge: Any, result: Floats) -> None:
    """Solve a symmetric system of three equations for each pixel, by cofactors."""
    for i in range(len(spread)):
        a, b, c = spread[i, 0] + ridge, spread[i, 1], spread[i, 2]
        d, e, f = spread[i, 3] + ridge, spread[i, 4], spread[i, 5] + ridge
        x, y, z = cross[i, 0], cross[i, 1], cross[i, 2]
        aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
        dd, ee, ff = a * f - c * c, b * c - a * e, a * d - b * b
        scale = np.float32(1) / (a * aa + b * bb + c * cc)
        result[i, 0] = (aa * x + bb * y + cc * z) * scale
        result[i, 1] = (bb * x + dd * y + ee * z) * scale
        result[i, 2] = (cc * x + ee * y + ff * z) * scale
