"""Where a face's parts lie in the model's layout, as soft weights."""

from functools import cache
from types import MappingProxyType

import cv2
import numpy as np

from facekit.beard import JAW
from facekit.face_model import TEXTURE_SIDE, texture_layout
from facekit.segment import fill_rings
from facekit.topology import (
    FACE_OVAL,
    LEFT_BROW,
    LEFT_EYE,
    LIPS_INNER,
    LIPS_OUTER,
    NOSE,
    RIGHT_BROW,
    RIGHT_EYE,
)
from facekit.values import Matte

__all__ = ["changeable", "open_parts", "plain_skin", "rim", "zones"]

RIM = 14  # texels over which a change fades towards the oval


@cache
def zones() -> MappingProxyType[str, Matte]:
    """Return the parts of a face; together they are 1 everywhere.

    Returns
    -------
    mapping of str to Matte of shape (192, 192)
        Eyes with their lids, brows, lips, nose, beard, forehead and cheeks.

    Examples
    --------
    >>> parts = zones()
    >>> bool(np.allclose(sum(parts.values()), 1, atol=1e-5)), sorted(parts)[:3]
    (True, ['beard', 'brows', 'cheeks'])
    """
    eyes = _soft([RIGHT_EYE, LEFT_EYE], grown=5, blur=3)
    brows = _soft([RIGHT_BROW, LEFT_BROW], grown=4, blur=3)
    lips = _soft([LIPS_OUTER], grown=2, blur=2)
    nose = _soft([NOSE], grown=3, blur=4)
    found = {"eyes": eyes, "brows": brows, "lips": lips, "nose": nose}
    found["beard"] = _soft([JAW], grown=2, blur=5) * (1 - lips)
    total = sum(found.values())
    for name in found:
        found[name] = np.asarray(found[name] / np.maximum(total, 1), np.float32)
    rest = 1 - np.minimum(np.asarray(total), 1)
    line = texture_layout()[[RIGHT_BROW[0], LEFT_BROW[0]], 1].mean()
    down = np.arange(TEXTURE_SIDE, dtype=np.float32)[:, None] - line
    below = np.clip(0.5 + down / 12, 0, 1)
    return MappingProxyType(found | {"forehead": rest * (1 - below), "cheeks": rest * below})


@cache
def open_parts() -> Matte:
    """Return the eyeballs and what shows between the lips: neither is skin.

    Returns
    -------
    Matte of shape (192, 192)
        1 inside.
    """
    return np.maximum(_soft([RIGHT_EYE, LEFT_EYE], grown=0, blur=0.8), _soft([LIPS_INNER], grown=0, blur=0.8))


@cache
def changeable() -> Matte:
    """Return how far a face's colours may change: not at the oval, not of what is no skin.

    Returns
    -------
    Matte of shape (192, 192)
        1 where they may.
    """
    return rim() * (1 - open_parts())


@cache
def plain_skin() -> Matte:
    """Return the skin beside eyes, brows and lips, whose detail is pores and folds.

    Returns
    -------
    Matte of shape (192, 192)
        1 there, less towards the oval.
    """
    parts = zones()
    return (1 - parts["eyes"] - parts["brows"] - parts["lips"]) * rim()


@cache
def rim() -> Matte:
    """Return how far a change may go near the face's oval, where it must end unseen.

    Returns
    -------
    Matte of shape (192, 192)
        1 inside, 0 at the oval, smooth between.
    """
    inside = _soft([FACE_OVAL], grown=0, blur=0) > 0.5
    far = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    step = np.clip((far - 1) / RIM, 0, 1)
    return np.asarray(step * step * (3 - 2 * step), np.float32)


def _soft(rings: list[tuple[int, ...]], *, grown: int, blur: float) -> Matte:
    """Fill rings of landmarks, grown by some texels, then blurred."""
    layout = texture_layout()
    mask = fill_rings([layout[list(ring)] for ring in rings], (TEXTURE_SIDE, TEXTURE_SIDE)).astype(np.float32)
    if grown:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grown + 1, 2 * grown + 1))
        mask = np.asarray(cv2.dilate(mask, disc), np.float32)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), np.float32) if blur else mask
