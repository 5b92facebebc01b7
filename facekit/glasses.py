"""Whether somebody wears glasses, told by the rims.

References
----------
.. [1] Jing & Mariani, "Glasses detection and extraction by deformable contour", ICPR 2000, for the
   edges on the bridge of the nose and under the eyes.
"""

import cv2
import numpy as np
import numpy.typing as npt

from facekit.framing import frame_head
from facekit.segment import cut_out
from facekit.values import FaceMesh, Image, Points, as_image

__all__ = ["glasses_score"]

UNIT = 96  # pixels that an outer-eye distance takes up: a thin rim is still two wide
BRIDGE = 0.055, -0.20, 0.16  # eye distances around the inner corners' middle: half width, top, bottom
UNDER = 0.10, 0.46  # eye distances under the lower lid, where the lower rim lies
PAD = 0.6  # eye distances around the face that are looked at
BLUR = 0.012  # eye distances; pores and noise are finer
MIDDLE, STEEP = 0.118, 0.02  # contrast of an edge at which the score is a half, and how fast it rises

Floats = npt.NDArray[np.float32]


def glasses_score(image: Image, mesh: FaceMesh) -> float:
    """Tell whether a face wears glasses.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    mesh : FaceMesh
        A face in it.

    Returns
    -------
    float
        From 0 (none) to 1 (sure). Rims are seen, not lenses: rimless glasses score low.

    Raises
    ------
    ArrayError
        `image` is not a picture.

    References
    ----------
    .. [1] Jing & Mariani, "Glasses detection and extraction by deformable contour", ICPR 2000.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> glasses_score(synthetic_face(256), synthetic_mesh(256)) < 0.3
    True
    """
    return float(1 / (1 + np.exp((MIDDLE - _contrast(as_image(image), mesh)) / STEEP)))


def _contrast(image: Image, mesh: FaceMesh) -> float:
    """Measure how strong the weakest of three rims is: on the bridge, under either eye."""
    framed = frame_head(image, mesh, unit=UNIT)
    face, mesh, _ = cut_out(framed.image, framed.mesh, PAD * UNIT)
    light = cv2.cvtColor(face, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32) * np.float32(100 / 255)
    edges = _rims(np.asarray(cv2.GaussianBlur(light, (0, 0), BLUR * UNIT), np.float32))
    bridge, eyes = _on_bridge(mesh.points, edges), _under_eyes(mesh.points, edges)
    return float(np.sqrt(max(bridge, 0.0) * max(eyes, 0.0)))


def _rims(light: Floats) -> Floats:
    """Measure how much darker or brighter than what is above and below it each pixel is."""
    reach = round(0.05 * UNIT)
    above, below = np.roll(light, reach, axis=0), np.roll(light, -reach, axis=0)
    line = np.maximum(np.minimum(above, below) - light, light - np.maximum(above, below))
    return np.asarray(np.maximum(line, 0) / (np.minimum(above, below) + 16), np.float32)


def _on_bridge(points: Points, edges: Floats) -> float:
    (x, y), (half, top, bottom) = (points[133] + points[362]) / 2, BRIDGE
    part = _part(edges, x - half * UNIT, x + half * UNIT, y + top * UNIT, y + bottom * UNIT)
    return float(np.median(part.max(axis=0))) if part.size else 0.0


def _under_eyes(points: Points, edges: Floats) -> float:
    """Return what the better of the two eyes shows: a turned head hides one rim in its own cheek."""
    found = []
    for lid, (left, right) in ((145, (33, 133)), (374, (362, 263))):
        x0, x1 = sorted((points[left, 0], points[right, 0]))
        y, inset = points[lid, 1], 0.2 * (x1 - x0)
        part = _part(edges, x0 + inset, x1 - inset, y + UNDER[0] * UNIT, y + UNDER[1] * UNIT)
        found.append(float(np.median(part.max(axis=0))) if part.size else 0.0)
    return max(found)


def _part(picture: Floats, x0: float, x1: float, y0: float, y1: float) -> Floats:
    rows, cols = picture.shape
    return picture[max(round(y0), 0) : min(round(y1), rows), max(round(x0), 0) : min(round(x1) + 1, cols)]
