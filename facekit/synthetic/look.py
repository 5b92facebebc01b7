"""What a mannequin looks like, and its shaded colours, in CIELAB."""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from facekit.values import FloatImage

__all__ = ["EDGE", "Array", "Look", "Vector", "lit", "to_rgb"]

Vector: TypeAlias = tuple[float, float, float]
Array: TypeAlias = npt.NDArray[np.float32]

EDGE = 16  # how much darker, in L, a surface seen edge-on is


@dataclass(frozen=True, slots=True)
class Look:
    """How a mannequin is coloured and lit.

    Parameters
    ----------
    skin, hair, cloth, iris : (L, a, b)
        CIELAB, L from 0 to 100.
    light : (x, y, z)
        Towards the lamp; (-0.5, -0.6, -0.8) is over the viewer's left shoulder.
    contrast : float
        How much darker the side away from the lamp is, in units of L.
    gender : float
        -1 colours the mean woman, 0 the mean adult, 1 the mean man.
    bald, shirt : bool
        Whether the head has no hair, and whether there are shoulders.
    """

    skin: Vector = (67.0, 14.0, 18.0)
    hair: Vector = (22.0, 7.0, 10.0)
    cloth: Vector = (42.0, -4.0, -14.0)
    iris: Vector = (34.0, 8.0, 14.0)
    light: Vector = (-0.45, -0.65, -0.9)
    contrast: float = 14.0
    gender: float = 0.0
    bald: bool = False
    shirt: bool = True


def to_rgb(lab: Array) -> FloatImage:
    """Turn CIELAB (L 0..100) into sRGB, 0..255."""
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * 255, np.float32)


def lit(normal: Array, look: Look) -> Array:
    """Return the change of L: 0 where a surface faces the viewer, less towards edges and shadow."""
    lamp = np.array(look.light) / np.linalg.norm(look.light)
    shadow = look.contrast * (normal @ lamp + lamp[2])
    return np.asarray(shadow - EDGE * (1 + normal[..., 2]) ** 2, np.float32)
