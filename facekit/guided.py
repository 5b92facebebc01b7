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

from facekit.compiled import can_compile, compiled, inlined
from facekit.threads import in_strips
from facekit.values import Image, Matte

__all__ = ["guided_filter"]

COARSE = 2.5  # pixels; a radius is brought down to this by shrinking the picture, as in [2]_
LEAST_ROWS = 32  # of a picture; fewer are not worth a thread

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
    wanted = np.clip(_resized(np.asarray(matte, np.float32), size), 0, 1)
    half = max(round(radius / shrink), 1)
    maps = _maps(_resized(image, size), wanted, half, np.float32((255 * softness) ** 2))
    return _mapped(image, _resized(maps, (cols, rows)))


def _resized(picture: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    if picture.shape[1::-1] == size:
        return picture
    smaller = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=way))


def _maps(guide: Image, wanted: Matte, half: int, ridge: np.float32) -> Floats:
    """Fit each window's linear map by least squares, and average the maps that cover a pixel."""
    rows, cols = wanted.shape
    edge = half, half, half, half, cv2.BORDER_REFLECT
    planes = np.empty((4, rows + 2 * half, cols + 2 * half), np.float32)
    planes[:3] = np.moveaxis(cv2.copyMakeBorder(guide, *edge), 2, 0)
    planes[3] = cv2.copyMakeBorder(wanted, *edge)
    maps = np.empty((rows, cols, 4), np.float32)

    def strip(start: int, stop: int) -> None:
        _fit(planes, half, ridge, maps, start, stop)

    if can_compile():
        in_strips(strip, rows, least=LEAST_ROWS)
    else:
        _fit_plainly(planes, half, ridge, maps)
    side = 2 * half + 1
    return np.asarray(cv2.blur(maps, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)


def _mapped(image: Image, maps: Floats) -> Matte:
    """Map each pixel's colour."""
    if not can_compile():
        mapped = (image * maps[..., :3]).sum(axis=-1) + maps[..., 3]
        return np.asarray(np.clip(mapped, 0, 1), np.float32)
    result = np.empty(image.shape[:2], np.float32)

    def strip(start: int, stop: int) -> None:
        _map(image[start:stop], maps[start:stop], result[start:stop])

    in_strips(strip, len(image), least=LEAST_ROWS)
    return result


def _fit_plainly(planes: Floats, half: int, ridge: np.float32, maps: Floats) -> None:
    """Do as `_fit` does."""
    side = 2 * half + 1
    seen = np.lib.stride_tricks.sliding_window_view(planes.astype(np.float64), (side, side), axis=(1, 2))
    mean = seen.mean(axis=(3, 4))
    spread = np.einsum("iyxab,jyxab->yxij", seen, seen) / side**2 - np.einsum("iyx,jyx->yxij", mean, mean)
    matrix = spread[..., :3, :3] + ridge * np.eye(3)
    maps[..., :3] = np.linalg.solve(matrix, spread[..., :3, 3:])[..., 0]
    maps[..., 3] = mean[3] - np.einsum("yxi,iyx->yx", maps[..., :3], mean[:3])


@compiled
def _fit(planes: Floats, half: int, ridge: np.float32, maps: Floats, start: int, stop: int) -> None:
    """Add up each window's values and their products, columns first, and solve.

    Sums of products of bytes are whole numbers below 2^24, hence exact.
    """
    side, cols = 2 * half + 1, maps.shape[1]
    down = np.empty((13, planes.shape[2]), np.float32)
    sums = np.empty((13, cols), np.float32)
    for row in range(start, stop):
        down[:] = 0
        for y in range(row, row + side):
            i = 4
            for p in range(4):
                _add(planes[p, y], down[p])
                for q in range(p, 4 if p < 3 else 0):
                    _add_product(planes[p, y], planes[q, y], down[i])
                    i += 1
        sums[:] = 0
        for i in range(13):
            for x in range(side):
                _add(down[i, x : x + cols], sums[i])
        _solve(sums, np.float32(1 / side**2), ridge, maps[row])


@inlined
def _add(line: Floats, total: Floats) -> None:
    for x in range(len(total)):
        total[x] += line[x]


@inlined
def _add_product(one: Floats, other: Floats, total: Floats) -> None:
    for x in range(len(total)):
        total[x] += one[x] * other[x]


@inlined
def _solve(sums: Floats, share: np.float32, ridge: np.float32, maps: Floats) -> None:
    """Solve a symmetric system of three equations for each pixel of a row, by cofactors."""
    for i in range(len(maps)):
        r, g, blue, wanted = sums[0, i] * share, sums[1, i] * share, sums[2, i] * share, sums[3, i] * share
        a, b, c = (
            sums[4, i] * share - r * r + ridge,
            sums[5, i] * share - r * g,
            sums[6, i] * share - r * blue,
        )
        d, e = sums[8, i] * share - g * g + ridge, sums[9, i] * share - g * blue
        f = sums[11, i] * share - blue * blue + ridge
        x, y = sums[7, i] * share - r * wanted, sums[10, i] * share - g * wanted
        z = sums[12, i] * share - blue * wanted
        aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
        dd, ee, ff = a * f - c * c, b * c - a * e, a * d - b * b
        scale = np.float32(1) / (a * aa + b * bb + c * cc)
        u = (aa * x + bb * y + cc * z) * scale
        v = (bb * x + dd * y + ee * z) * scale
        w = (cc * x + ee * y + ff * z) * scale
        maps[i, 0], maps[i, 1], maps[i, 2], maps[i, 3] = u, v, w, wanted - u * r - v * g - w * blue


@compiled
def _map(image: Image, maps: Floats, result: Matte) -> None:
    for row in range(result.shape[0]):
        for col in range(result.shape[1]):
            value = maps[row, col, 3]
            for k in range(3):
                value += maps[row, col, k] * np.float32(image[row, col, k])
            result[row, col] = min(max(value, np.float32(0)), np.float32(1))
