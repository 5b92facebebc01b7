"""Colours as lightness, and chroma that is the same in the shade as in the sun.

Kernels work a row at a time and without tables, branches or calls in their loops, so that the
compiler fills the vector units.

References
----------
.. [1] CIE 15, "Colorimetry", 2004, for CIELAB; IEC 61966-2-1 for sRGB.
.. [2] Kahan, "Computing a Real Cube Root", 1991, for the first guess from the exponent's bits.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled
from facekit.values import Image

__all__ = [
    "DIMMING",
    "LINEAR",
    "Tone",
    "encoded",
    "from_tone",
    "level",
    "linear",
    "to_levels",
    "to_tone",
    "tones",
]

Tone = npt.NDArray[np.float32]  # (..., 3): L, 100 a / (L + 16), 100 b / (L + 16)


def to_tone(pixels: Image) -> Tone:
    """Convert sRGB bytes to lightness, and chroma relative to lightness.

    Less light on a surface scales L + 16, a and b of CIELAB alike (they are made of cube roots of
    the light), so a / (L + 16) and b / (L + 16) are the same in the shade as in the sun.

    Parameters
    ----------
    pixels : ndarray of shape (..., 3), uint8
        Encoded as sRGB.

    Returns
    -------
    ndarray of shape (..., 3), float32
        L in 0..100, then 100 a / (L + 16) and 100 b / (L + 16); in memory, channel by channel.
    """
    flat = np.ascontiguousarray(pixels).reshape(-1, 3)
    planes = np.empty((3, len(flat)), np.float32)
    if can_compile():
        tones(flat, planes)
    else:
        light = TO_XYZ @ LINEAR[flat.T]
        x, y, z = np.where(light > DARK, np.cbrt(light), (24389 / 27 * light + 16) / 116)
        planes[:] = 116 * y - 16, RED * (x / y - 1), YELLOW * (1 - z / y)
    return np.moveaxis(planes.reshape(3, *pixels.shape[:-1]), 0, -1)


def from_tone(tone: Tone) -> Image:
    """Convert back from `to_tone`; colours out of gamut are clipped.

    Parameters
    ----------
    tone : ndarray of shape (..., 3), float32
        As `to_tone` returns it.

    Returns
    -------
    ndarray of shape (..., 3), uint8
        Encoded as sRGB.

    Examples
    --------
    >>> from_tone(to_tone(np.array([[150, 90, 80]], np.uint8))).tolist()
    [[150, 90, 80]]
    """
    lightness, red, yellow = np.moveaxis(tone, -1, 0)
    y = (np.clip(lightness, 0, 100) + 16) / 116
    roots = np.stack([y + y * red / RED, y, y - y * yellow / YELLOW], axis=-1)
    light = np.where(roots > BEND, roots**3, (roots - 4 / 29) * (108 / 841)) @ FROM_XYZ.T
    return np.asarray(np.rint(encoded(np.clip(light, 0, 1))), np.uint8)


# -- light ---------------------------------------------------------------------------------


def linear(levels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Decode sRGB, 0 to 255, to linear light.

    Parameters
    ----------
    levels : ndarray
        0 to 255.

    Returns
    -------
    ndarray, float64
        0 to 1.
    """
    share = np.asarray(levels, np.float64) / 255
    return np.asarray(np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4))


def encoded(light: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Encode linear light as sRGB.

    Parameters
    ----------
    light : ndarray
        0 to 1.

    Returns
    -------
    ndarray, float64
        0 to 255.

    Examples
    --------
    >>> float(encoded(linear(np.float64(77))).round(9))
    77.0
    """
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


LINEAR = linear(np.arange(256)).astype(np.float32)
DIMMING = np.log2(np.maximum(1 - LINEAR.astype(np.float64), 1e-9)).astype(np.float32)  # what is left to white
XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
TO_XYZ = (XYZ / XYZ.sum(axis=1, keepdims=True)).astype(np.float32)  # white is (1, 1, 1)
FROM_XYZ = np.linalg.inv(XYZ / XYZ.sum(axis=1, keepdims=True)).astype(np.float32)
RED, YELLOW = (
    np.float32(50000 / 116),
    np.float32(20000 / 116),
)  # relative chroma, of the roots' ratio less one
ZERO, ONE, HALF, THIRD = np.float32(0), np.float32(1), np.float32(0.5), np.float32(1 / 3)
DARK, BEND = np.float32(216 / 24389), np.float32(6 / 29)  # where CIELAB's root turns straight
SHADE = np.float32(0.0031308)  # where sRGB's curve does
GUESS = np.int32(709921077)  # two thirds of the bits of 1


@compiled
def _cube_root(value: Any) -> Any:
    """Take the cube root of a positive number: a third of its bits, and two of Newton's steps."""
    root = np.int32(np.float32(value).view(np.int32) // np.int32(3) + GUESS).view(np.float32)
    root -= THIRD * (root - value / (root * root))
    return root - THIRD * (root - value / (root * root))


@compiled
def _root(light: Any) -> Any:
    """Take CIELAB's cube root, straight in the dark."""
    bright = _cube_root(max(light, DARK))
    return bright if light > DARK else np.float32(24389 / 27 / 116) * light + np.float32(16 / 116)


@compiled
def _cubed(root: Any) -> Any:
    """Undo `_root`."""
    return root * root * root if root > BEND else (root - np.float32(4 / 29)) * np.float32(108 / 841)


@compiled
def level(light: Any) -> Any:
    """Encode light as sRGB; x to the power of 5/12 is a product of roots.

    Parameters
    ----------
    light : float32
        Clipped to 0 to 1.

    Returns
    -------
    float32
        0 to 255.
    """
    light = min(max(light, ZERO), ONE)
    root = _cube_root(max(light, SHADE))
    bright = np.float32(255 * 1.055) * root * np.sqrt(np.sqrt(root)) - np.float32(255 * 0.055)
    return bright if light > SHADE else np.float32(255 * 12.92) * light


@compiled
def tones(pixels: Image, out: Tone) -> None:
    """Do as `to_tone` does.

    Parameters
    ----------
    pixels : ndarray of shape (N, 3), uint8
        Encoded as sRGB.
    out : ndarray of shape (3, N) or wider, float32
        Written to.
    """
    for i in range(len(pixels)):
        for k in range(3):
            out[k, i] = LINEAR[pixels[i, k]]
    for i in range(len(pixels)):
        r, g, b = out[0, i], out[1, i], out[2, i]
        x = _root(TO_XYZ[0, 0] * r + TO_XYZ[0, 1] * g + TO_XYZ[0, 2] * b)
        y = _root(TO_XYZ[1, 0] * r + TO_XYZ[1, 1] * g + TO_XYZ[1, 2] * b)
        z = _root(TO_XYZ[2, 0] * r + TO_XYZ[2, 1] * g + TO_XYZ[2, 2] * b)
        out[0, i] = np.float32(116) * y - np.float32(16)
        out[1, i] = RED * (x / y - ONE)
        out[2, i] = YELLOW * (ONE - z / y)


@compiled
def to_levels(tone: Tone, count: int) -> None:
    """Turn tones into levels of sRGB, 0 to 255, in place.

    Parameters
    ----------
    tone : ndarray of shape (3, N), float32
        As `tones` writes it.
    count : int
        How many to turn.
    """
    for i in range(count):
        y = (min(max(tone[0, i], ZERO), np.float32(100)) + np.float32(16)) / np.float32(116)
        x = _cubed(y + y * tone[1, i] / RED)
        z = _cubed(y - y * tone[2, i] / YELLOW)
        y = _cubed(y)
        tone[0, i] = level(FROM_XYZ[0, 0] * x + FROM_XYZ[0, 1] * y + FROM_XYZ[0, 2] * z)
        tone[1, i] = level(FROM_XYZ[1, 0] * x + FROM_XYZ[1, 1] * y + FROM_XYZ[1, 2] * z)
        tone[2, i] = level(FROM_XYZ[2, 0] * x + FROM_XYZ[2, 1] * y + FROM_XYZ[2, 2] * z)
