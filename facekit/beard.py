"""Beard, moustache and stubble, told by what the cheeks look like.

References
----------
.. [1] Pavlovic, "Beard segmentation and shaving", for darkness and chroma relative to the cheek;
   here each side of the face is compared with its own cheek, so that a shadow is no beard.
"""

import cv2
import numpy as np
import numpy.typing as npt

from facekit.framing import Framed, frame_head
from facekit.growing import grown
from facekit.guided import guided_filter
from facekit.segment import eye_distance, face_mask, fill_rings
from facekit.tone import to_tone
from facekit.topology import LIPS_OUTER
from facekit.values import FaceMesh, Image, Mask, Matte, as_image

__all__ = ["beard_matte"]

DARK = 0.84, 0.56  # light of a cheek's, under which stubble begins, and which a full beard has
PALE = 0.22, 0.55  # of the cheek's relative chroma lost, where grey hair begins, and where it is sure
LEAST = 0.2  # share of the beard's zone on either side; less is a shadow or a mole
CORE = 0.14  # outer-eye distances from the rim of jaw and chin, which lies in the shade
SMOOTH = 0.05  # outer-eye distances
CHEEKS = ((50, 101, 118, 117, 36), (280, 330, 347, 346, 266))  # right, left
# Jaw and chin from ear to ear, then back under the cheekbones and over the upper lip.
# fmt: off
JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361,
       433, 416, 434, 432, 287, 410, 322, 391, 393, 164, 167, 165, 92, 186, 57, 212, 214, 192, 213)
# fmt: on

Floats = npt.NDArray[np.float32]


def beard_matte(image: Image, mesh: FaceMesh) -> Matte:
    """Find hair on jaw, chin and upper lip.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    mesh : FaceMesh
        A face in it.

    Returns
    -------
    Matte of shape (H, W)
        1 where a beard is full, less where it is stubble; empty on a shaven face. Lips are free.

    Raises
    ------
    ArrayError
        `image` is not a picture.

    References
    ----------
    .. [1] Pavlovic, "Beard segmentation and shaving".

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> float(beard_matte(synthetic_face(192), synthetic_mesh(192)).mean()) < 0.002
    True
    """
    image = as_image(image)
    framed = frame_head(image, mesh)
    zone = _zone(framed)
    found = _density(framed, zone)
    if _core(framed, found, zone) < LEAST:
        return np.zeros(image.shape[:2], np.float32)
    found = guided_filter(framed.image, found, radius=SMOOTH * framed.unit, softness=0.06)
    found *= cv2.GaussianBlur(zone.astype(np.float32), (0, 0), 0.02 * framed.unit)
    back = framed.carry_back(found, image.shape[:2])
    return np.asarray(np.clip((back - 0.12) / 0.8, 0, 1), np.float32)


def _zone(framed: Framed) -> Mask:
    """Mark where a beard may grow on the face."""
    points, shape = framed.mesh.points, framed.image.shape[:2]
    lips = grown(fill_rings([points[list(LIPS_OUTER)]], shape), 0.025 * framed.unit)
    return fill_rings([points[list(JAW)]], shape) & face_mask(framed.mesh, shape, margin=0.01) & ~lips


def _core(framed: Framed, found: Matte, zone: Mask) -> float:
    """Measure the beard away from the jaw's rim, where shadows lie, on the side that has less of it."""
    core = zone & face_mask(framed.mesh, zone.shape, margin=CORE)
    middle = framed.mesh.points[[4, 152, 13], 0].mean()
    left = np.broadcast_to(np.arange(zone.shape[1]) < middle, zone.shape)
    return min(float(found[core & side].mean()) if (core & side).any() else 0.0 for side in (left, ~left))


def _density(framed: Framed, zone: Mask) -> Matte:
    """Return how far each pixel is from the cheek of its own side, towards dark or towards grey."""
    tone = to_tone(np.asarray(cv2.GaussianBlur(framed.image, (0, 0), 0.015 * framed.unit), np.uint8))
    usual = _cheeks(framed, tone)
    share = (tone[..., 0] + 16) / (usual[..., 0] + 16)
    dark = np.clip((DARK[0] - share) / (DARK[0] - DARK[1]), 0, 1)
    chroma, had = (np.hypot(part[..., 1], part[..., 2]) for part in (tone, usual))
    lost = 1 - chroma / np.maximum(had, 4.0)
    pale = np.clip((lost - PALE[0]) / (PALE[1] - PALE[0]), 0, 1) * (had > 8)
    return np.asarray(np.where(zone, np.clip(dark + 0.8 * pale, 0, 1), 0), np.float32)


def _cheeks(framed: Framed, tone: Floats) -> Floats:
    """Return the usual tone of the nearer cheek, blended across the midline."""
    points = framed.mesh.points
    sides = []
    for ring in CHEEKS:
        canvas = np.zeros(tone.shape[:2], np.uint8)
        for x, y in np.round(points[list(ring)]).astype(int).tolist():
            cv2.circle(canvas, (x, y), max(round(0.05 * eye_distance(framed.mesh)), 1), 1, -1)
        sides.append(np.median(tone[canvas > 0], axis=0) if canvas.any() else np.median(tone, axis=(0, 1)))
    x = np.arange(tone.shape[1], dtype=np.float32)
    middle, width = points[[4, 152, 13], 0].mean(), 0.25 * framed.unit
    left = np.clip(0.5 + (x - middle) / (2 * width), 0, 1)[None, :, None]
    return np.asarray(sides[0] * (1 - left) + sides[1] * left, np.float32)
