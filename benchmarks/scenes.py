"""Pictures and masks to measure with."""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from facekit import load_sample, load_template
from facekit.values import Image, Mask

SHAPES = ("ellipse", "face", "star", "islands", "holes")
KINDS = ("blobs", "lines", "noise", "holes", "border")  # of random masks
PICTURES = ("obama", "astronaut")  # source, target


def pictures(size: int) -> tuple[Image, Image]:
    """Return two photos, `size` pixels a side."""
    source, target = (_square(load_sample(name), size) for name in PICTURES)
    return source, target


def noise(size: int, seed: int) -> tuple[Image, Image]:
    """Return two pictures of nothing but noise."""
    random = np.random.default_rng(seed)
    source, target = random.integers(0, 256, (2, size, size, 3), np.uint8)
    return source, target


def _square(image: Image, size: int) -> Image:
    side = min(image.shape[:2])
    how = cv2.INTER_AREA if size < side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image[:side, :side], (size, size), interpolation=how), np.uint8)


def shape_mask(name: str, size: int) -> Mask:
    """Return one of `SHAPES` in a picture `size` pixels a side."""
    if name == "face":
        return _face(size)
    mask = np.zeros((size, size), np.uint8)
    middle = (size // 2, size // 2)
    if name in ("ellipse", "holes"):
        mask[_ellipse(size)] = 1
        for y in range(size // 16, size, size // 8) if name == "holes" else ():
            for x in range(size // 16, size, size // 8):
                cv2.circle(mask, (x, y), size // 64 + (x + y) // (size // 4), 0, -1)
    elif name == "star":
        turns = np.arange(24) * np.pi / 12
        radii = np.where(np.arange(24) % 2, 0.03, 0.48) * size
        points = middle + np.stack([np.cos(turns), np.sin(turns)], axis=1) * radii[:, None]
        cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 1)
    else:
        for left, top, radius in ((0.27, 0.3, 0.2), (0.7, 0.68, 0.23)):
            cv2.circle(mask, (int(left * size), int(top * size)), int(radius * size), 1, -1)
    return mask.astype(np.bool_)


def _ellipse(size: int) -> Mask:
    """Fill an ellipse, half as high again as wide, over a quarter of the picture."""
    half_width = size * np.sqrt(1 / (4 * np.pi * 1.5))
    y, x = np.ogrid[:size, :size]
    middle = (size - 1) / 2
    return np.asarray(((x - middle) / half_width) ** 2 + ((y - middle) / (1.5 * half_width)) ** 2 <= 1)


@cache
def _face(size: int) -> Mask:
    """Return the mask of a sample's face, cut out with a margin of a quarter of its size."""
    mask = load_template("astronaut").slots[0].mask
    rows, cols = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    side = int(1.5 * max(np.ptp(rows), np.ptp(cols)))
    y, x = (max(int(which.min() + which.max() - side) // 2, 0) for which in (rows, cols))
    part = mask[y : y + side, x : x + side].astype(np.float32)
    return np.asarray(cv2.resize(part, (size, size), interpolation=cv2.INTER_LINEAR) > 0.5)


def random_mask(kind: str, size: int, random: np.random.Generator) -> Mask:
    """Return a random mask of one of `KINDS`; never empty, never the whole picture."""
    while True:
        mask = _random_mask(kind, size, random)
        if mask.any() and not mask.all():
            return mask


def _random_mask(kind: str, size: int, random: np.random.Generator) -> Mask:
    if kind == "noise":
        return np.asarray(random.random((size, size)) < random.uniform(0.05, 0.98))
    if kind == "lines":
        lines = np.zeros((size, size), np.uint8)
        for x0, y0, x1, y1 in random.integers(2, size - 2, (random.integers(1, 30), 4)).tolist():
            cv2.line(lines, (x0, y0), (x1, y1), 1, int(random.integers(1, 4)))
        return _framed(lines.astype(np.bool_))
    waves = cv2.GaussianBlur(_grain(size, random), (0, 0), float(random.uniform(2, size / 6)))
    mask = np.asarray(waves > np.quantile(waves, random.uniform(0.1, 0.9)))
    if kind == "holes":
        for x, y, radius in random.integers(0, size, (random.integers(5, 60), 3)).tolist():
            holes = np.zeros((size, size), np.uint8)
            cv2.circle(holes, (x, y), radius % 6, 1, -1)
            mask &= holes == 0
    return mask if kind == "border" else _framed(mask)


def _grain(size: int, random: np.random.Generator) -> npt.NDArray[np.float64]:
    return random.standard_normal((size, size))


def _framed(mask: Mask) -> Mask:
    """Clear the picture's outermost pixels."""
    mask[[0, -1]] = False
    mask[:, [0, -1]] = False
    return mask
