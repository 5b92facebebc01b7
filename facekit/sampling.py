"""Sampling: a map says for every pixel where in a picture it comes from; here the picture is read.

Bilinear weights are whole numbers (`bilinear`), so that a sample is exact for any number of threads
and on any machine.

References
----------
.. [1] Wolberg, "Digital Image Warping", IEEE Computer Society Press, 1990, chapter 5.
"""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from facekit.bilinear import HALF, PLACES, STEPS, Words, as_words, put, weighed
from facekit.compiled import can_compile, compiled
from facekit.threads import in_strips
from facekit.values import Image, Mask, as_image, as_mask

__all__ = ["LEAST", "SamplingMap", "Source", "sample", "sample_mask"]

LEAST = 64  # rows below which a strip is not worth a thread
SHRINK = 1.25  # source pixels per output pixel above which the source is smoothed first

Bounds: TypeAlias = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels
Float = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SamplingMap:
    """Where each pixel of a box comes from.

    Parameters
    ----------
    x, y : ndarray of shape (h, w), float32, pixels
        Source coordinates; of no meaning outside `inside`.
    inside : Mask of shape (h, w)
        Pixel centres that a triangle covers.
    corner : (x0, y0)
        Where the box lies in the output.
    reach : (x0, y0, x1, y1), optional
        Where all source coordinates lie; looked for in `x` and `y` where it is not known.
    """

    x: Float
    y: Float
    inside: Mask
    corner: tuple[int, int]
    reach: Bounds | None = None

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the output that the map covers."""
        (x0, y0), (height, width) = self.corner, self.inside.shape
        return slice(y0, y0 + height), slice(x0, x0 + width)


def sample(image: Image, found: SamplingMap, *, shrink: float = 1.0) -> Image:
    """Sample `image` bilinearly at a map's coordinates; beyond its edge, the edge repeats.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The source.
    found : SamplingMap
        Where to sample.
    shrink : float
        Source pixels per output pixel; above 1.25, the source is smoothed to match first.

    Returns
    -------
    Image of shape (h, w, 3), uint8
        Over the map's box; zero outside the mesh.

    Raises
    ------
    ArrayError
        `image` is no picture.

    References
    ----------
    .. [1] Wolberg, "Digital Image Warping", 1990, chapter 5.

    Examples
    --------
    >>> image = np.repeat(np.array([[[10], [30]]], np.uint8), 3, axis=2)
    >>> x, y = np.array([[0, 0.5, 7]], np.float32), np.zeros((1, 3), np.float32)
    >>> sample(image, SamplingMap(x, y, np.ones((1, 3), bool), (0, 0)))[0, :, 0].tolist()
    [10, 20, 30]
    """
    source = Source(as_image(image), _reach(found), shrink=shrink)
    out = np.zeros((*found.inside.shape, 3), np.uint8)

    def read(start: int, stop: int) -> None:
        rows = slice(start, stop)
        source.read(found.x[rows], found.y[rows], found.inside[rows], out[rows])

    in_strips(read, len(out), least=LEAST)
    return out


class Source:
    """The part of a picture that a map reaches, smoothed and packed, ready to be read in any order.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    reach : (x0, y0, x1, y1), pixels, optional
        Where all that will be read lies; None if nothing will be.
    shrink : float
        As in `sample`.

    Attributes
    ----------
    words : ndarray of shape (h, w), uint32
        A pixel each, as `bilinear.as_words` says; the last row and column repeat the ones before.
    scales : (scale, shift_x, shift_y)
        How the picture's coordinates are counted in `words`, in steps of 1/64 pixel; rounded if cut off.
    """

    __slots__ = ("scales", "words")

    def __init__(self, image: Image, reach: Bounds | None, *, shrink: float) -> None:
        shrink = min(shrink, max(image.shape[:2]))  # from there on, all that is left is one colour
        box = _source_box(reach, image.shape, pad=2 + int(np.ceil(2 * shrink)))
        part, factor = _smooth(image[box], shrink)
        self.words = as_words(_padded(part))
        self.scales = _scales(box, factor)

    def read(self, map_x: Float, map_y: Float, inside: Mask, out: Image) -> None:
        """Write what a map finds.

        Parameters
        ----------
        map_x, map_y : ndarray of shape (h, w), float32, pixels
            Where to read.
        inside : Mask of shape (h, w)
            Which pixels to write.
        out : Image of shape (h, w, 3), C-contiguous
            Left alone outside.
        """
        if can_compile():
            _gather(self.words, map_x, map_y, inside, self.scales, out)
        else:
            part = self.words[..., None].view(np.uint8)[..., :3]
            out[inside] = _gather_plainly(part, map_x[inside], map_y[inside], self.scales) + HALF >> PLACES


def sample_mask(mask: Mask, found: SamplingMap) -> Mask:
    """Sample `mask` bilinearly at a map's coordinates; half covered counts as set.

    Parameters
    ----------
    mask : Mask of shape (H, W)
        The source; beyond its edge, the edge repeats.
    found : SamplingMap
        Where to sample.

    Returns
    -------
    Mask of shape (h, w)
        Over the map's box; False outside the mesh.

    Raises
    ------
    ArrayError
        `mask` is no mask.

    Examples
    --------
    >>> x, y = np.array([[0, 0.4, 0.5, 7]], np.float32), np.zeros((1, 4), np.float32)
    >>> sample_mask(np.array([[False, True]]), SamplingMap(x, y, np.ones((1, 4), bool), (0, 0))).tolist()
    [[False, False, True, True]]
    """
    mask = as_mask(mask)
    out = np.zeros(found.inside.shape, np.bool_)
    box = _source_box(_reach(found), mask.shape, pad=2)
    part, scales = _padded(mask[box].view(np.uint8)), _scales(box, 1)

    def read(start: int, stop: int) -> None:
        map_x, map_y, inside = found.x[start:stop], found.y[start:stop], found.inside[start:stop]
        if can_compile():
            _gather_mask(part, map_x, map_y, inside, scales, out[start:stop])
        else:
            sums = _gather_plainly(part, map_x[inside], map_y[inside], scales)
            out[start:stop][inside] = sums >= HALF

    in_strips(read, len(out), least=LEAST)
    return out


# -- inside --------------------------------------------------------------------------------


def _reach(found: SamplingMap) -> Bounds | None:
    """Return where all of a map's coordinates lie; None if it has none."""
    if found.reach is not None or not found.inside.any():
        return found.reach
    xs, ys = found.x[found.inside], found.y[found.inside]
    return float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max())


def _source_box(reach: Bounds | None, shape: tuple[int, ...], *, pad: int) -> tuple[slice, slice]:
    """Return the rows and columns of the source that sampling touches; a corner if nothing does."""
    x0, y0, x1, y1 = reach or (0.0, 0.0, 0.0, 0.0)
    return _span(y0, y1, pad, shape[0]), _span(x0, x1, pad, shape[1])


def _span(low: float, high: float, pad: int, size: int) -> slice:
    """Return the part of a side that sampling from `low` to `high` touches."""
    start = min(max(int(np.floor(low)) - pad, 0), size - 1)
    return slice(start, max(min(int(np.ceil(high)) + pad + 1, size), start + 1))


def _smooth(part: Image, shrink: float) -> tuple[Image, int]:
    """Average `part` over whole blocks, then blur what is left of `shrink`."""
    if shrink <= SHRINK:
        return part, 1
    factor = max(int(shrink), 1)
    if factor > 1:
        rows, cols = (-(-side // factor) * factor for side in part.shape[:2])
        whole = cv2.copyMakeBorder(
            part, 0, rows - part.shape[0], 0, cols - part.shape[1], cv2.BORDER_REPLICATE
        )
        part = np.asarray(
            cv2.resize(whole, (cols // factor, rows // factor), interpolation=cv2.INTER_AREA), np.uint8
        )
    rest = shrink / factor
    sigma = 0.5 * np.sqrt(max(rest**2 - 1, 0.0))
    if sigma > 0.2:
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), sigma), np.uint8)
    return part, factor


def _padded(part: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Repeat the last row and column, so that each pixel has a right and a lower neighbour."""
    return np.asarray(cv2.copyMakeBorder(part, 0, 1, 0, 1, cv2.BORDER_REPLICATE), np.uint8)


def _scales(box: tuple[slice, slice], factor: int) -> tuple[float, float, float]:
    """Return by how much, and from where, coordinates count in steps of the part; half a step rounds."""
    shifts = [((0.5 - side.start) / factor - 0.5) * STEPS + 0.5 for side in box]
    return STEPS / factor, shifts[1], shifts[0]


@compiled
def _step(value: float, last: int) -> np.uint64:
    """Round down to a step within the part; what is no number becomes 0."""
    return np.uint64(min(value, float(last)) if value > 0.0 else 0.0)


@compiled
def _gather(
    words: Words,
    map_x: Float,
    map_y: Float,
    inside: Mask,
    scales: tuple[float, float, float],
    out: Image,
) -> None:
    """Sample where `inside`."""
    flat, width = words.ravel(), np.uint64(words.shape[1])
    last_x, last_y = STEPS * (words.shape[1] - 2), STEPS * (words.shape[0] - 2)
    scale, shift_x, shift_y = scales
    pixels = out.reshape(-1)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            if inside[y, x]:
                u = _step(map_x[y, x] * scale + shift_x, last_x)
                v = _step(map_y[y, x] * scale + shift_y, last_y)
                put(pixels, np.uint64(y * out.shape[1] + x), weighed(flat, width, u, v))


@compiled
def _gather_mask(
    part: npt.NDArray[np.uint8],
    map_x: Float,
    map_y: Float,
    inside: Mask,
    scales: tuple[float, float, float],
    out: Mask,
) -> None:
    """Sample a mask of zeros and ones where `inside`."""
    flat, width = part.ravel(), np.uint64(part.shape[1])
    last_x, last_y = STEPS * (part.shape[1] - 2), STEPS * (part.shape[0] - 2)
    scale, shift_x, shift_y = scales
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            if inside[y, x]:
                u = _step(map_x[y, x] * scale + shift_x, last_x)
                v = _step(map_y[y, x] * scale + shift_y, last_y)
                out[y, x] = _mixed(flat, width, u, v) >= np.uint64(HALF)


@compiled
def _mixed(flat: npt.NDArray[np.uint8], width: np.uint64, u: np.uint64, v: np.uint64) -> np.uint64:
    """Weigh the four values around (u, v), given in steps; the weights add up to STEPS squared."""
    one, steps = np.uint64(1), np.uint64(STEPS)
    at, right, down = (v // steps) * width + u // steps, u % steps, v % steps
    upper = (steps - right) * flat[at] + right * flat[at + one]
    lower = (steps - right) * flat[at + width] + right * flat[at + width + one]
    return np.uint64((steps - down) * upper + down * lower)


def _gather_plainly(
    part: npt.NDArray[np.uint8], xs: Float, ys: Float, scales: tuple[float, float, float]
) -> npt.NDArray[np.int64]:
    """Return the weighted sums at some places, by whole-array operations."""
    scale, *shifts = scales
    steps = [
        np.clip(values.astype(np.float64) * scale + shift, 0, STEPS * (side - 2)).astype(np.int64)
        for values, shift, side in zip((xs, ys), shifts, part.shape[1::-1], strict=True)
    ]
    (ix, right), (iy, down) = (np.divmod(step, STEPS) for step in steps)
    if part.ndim == 3:
        right, down = right[:, None], down[:, None]
    upper = (STEPS - right) * part[iy, ix] + right * part[iy, ix + 1]
    lower = (STEPS - right) * part[iy + 1, ix] + right * part[iy + 1, ix + 1]
    return np.asarray((STEPS - down) * upper + down * lower)
