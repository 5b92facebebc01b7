"""The fixed triangulation and the named regions of the 478 points.

"Left" and "right" are the person's own, as in the literature. Rings are ordered and closed
(the last point joins the first). Eyes run from the outer corner along the lower lid; irises
start at the centre, then side by side with their eye's ring.

References
----------
.. [1] Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile
   GPUs", CVPR Workshop on Computer Vision for AR/VR, 2019.
"""

from types import MappingProxyType
from typing import TYPE_CHECKING

from facekit.assets import load_numbers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from facekit.values import Triangles

__all__ = [
    "FACE_OVAL",
    "INNER_FACE",
    "LEFT_BROW",
    "LEFT_EYE",
    "LEFT_IRIS",
    "LIPS_INNER",
    "LIPS_OUTER",
    "NOSE",
    "REGIONS",
    "RIGHT_BROW",
    "RIGHT_EYE",
    "RIGHT_IRIS",
    "SURFACE_POINTS",
    "face_triangles",
    "mirror_permutation",
]

SURFACE_POINTS = 468

# fmt: off
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
RIGHT_IRIS = (468, 471, 472, 469, 470)
LEFT_IRIS = (473, 474, 477, 476, 475)
RIGHT_BROW = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
LEFT_BROW = (276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
LIPS_OUTER = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
)
LIPS_INNER = (
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)
NOSE = (168, 193, 245, 128, 114, 217, 198, 209, 49, 48, 64, 98, 97, 2, 326, 327, 294, 278, 279, 429,
        420, 437, 343, 357, 465, 417)
# fmt: on

REGIONS: MappingProxyType[str, tuple[int, ...]] = MappingProxyType(
    {
        "face_oval": FACE_OVAL,
        "right_eye": RIGHT_EYE,
        "left_eye": LEFT_EYE,
        "right_iris": RIGHT_IRIS,
        "left_iris": LEFT_IRIS,
        "right_brow": RIGHT_BROW,
        "left_brow": LEFT_BROW,
        "lips_outer": LIPS_OUTER,
        "lips_inner": LIPS_INNER,
        "nose": NOSE,
    }
)
INNER_FACE = tuple(
    sorted({i for name, ring in REGIONS.items() if name != "face_oval" for i in ring if i < SURFACE_POINTS})
)


def face_triangles(*, irises: bool = False) -> "Triangles":
    """Return the triangulation of the face, clockwise on the screen where it faces the viewer.

    Parameters
    ----------
    irises : bool
        Whether the eyes are filled around the 10 iris points (478 points) or straight
        across, from lid to lid (468 points).

    Returns
    -------
    Triangles of shape (898, 3) or (918, 3), int32
        Read-only. Eyes and mouth are filled: the mesh is one closed disc.

    Examples
    --------
    >>> face_triangles().shape, int(face_triangles().max())
    ((898, 3), 467)
    >>> int(face_triangles(irises=True).max())
    477
    """
    return load_numbers("topology")["triangles_iris" if irises else "triangles"]


def mirror_permutation() -> "npt.NDArray[np.int16]":
    """Return the index of each point's mirror image.

    Returns
    -------
    ndarray of shape (478,), int16
        Its own inverse; points on the midline map to themselves.

    Examples
    --------
    >>> int(mirror_permutation()[33]), int(mirror_permutation()[1])
    (263, 1)
    """
    return load_numbers("topology")["mirror"]
