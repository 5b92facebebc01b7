"""Hair that turns grey."""

import numpy as np

from facekit.hair import hair_matte
from facekit.lab import from_lab, to_lab
from facekit.segment import cut_out, eye_distance
from facekit.values import FaceMesh, Image

__all__ = ["grey_hair"]

FIRST, WHITE = 8.0, 45.0  # years older at which hair begins to turn grey, and would be white
LIGHTER = 26.0  # L by which dark hair that is white is lighter; strands keep their contrast
LIGHT = 78.0  # L over which hair does not get lighter
AROUND = 3.0  # outer-eye distances around the face that hair is looked for in


def grey_hair(image: Image, mesh: FaceMesh, years: float) -> Image:
    """Turn a person's hair grey.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    mesh : FaceMesh
        The person's face.
    years : float
        By how much older they get.

    Returns
    -------
    Image of shape (H, W, 3)
        Bit-equal to `image` where there is no hair.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> face = synthetic_face(192)
    >>> bool((grey_hair(face, synthetic_mesh(192), 1) == face).all())
    True
    """
    share = min(max((years - FIRST) / (WHITE - FIRST), 0.0), 1.0)
    result = image.copy()
    if share == 0:
        return result
    part, near, box = cut_out(image, mesh, AROUND * eye_distance(mesh))
    hair = share * hair_matte(part, near)
    lab = to_lab(part)
    lab[..., 1:] *= 1 - 0.9 * hair[..., None]
    room = np.clip((LIGHT - lab[..., 0]) / LIGHT, 0, 1)
    lab[..., 0] += LIGHTER * hair * room * (lab[..., 0] + 16) / 40
    result[box] = np.where((hair > 1e-3)[..., None], from_lab(lab), part)
    return result
