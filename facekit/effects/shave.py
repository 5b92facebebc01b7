"""What a face would look like under its beard, as far as the rest of its skin tells.

The skin that shows differs from the model's mean by something that changes slowly over the face: light
and complexion. Under the beard that difference is taken from around it, by normalised convolution.

References
----------
.. [1] Knutsson & Westin, "Normalized and Differential Convolution", CVPR 1993.
"""

import cv2
import numpy as np
import numpy.typing as npt

from facekit.beard import beard_matte
from facekit.effects.zones import zones
from facekit.face_model import mean_texture, read_colours, texture_along
from facekit.values import FaceMesh, Image, Matte

__all__ = ["shave"]

REACH = 18.0  # texels from which the skin around a beard vouches for what is under it
STRANDS = 2.5  # texels; a beard's own tone is what this blur leaves
FROM_AFAR = 1e-3  # weight of the whole face's skin where none is near

Floats = npt.NDArray[np.float32]


def shave(image: Image, mesh: FaceMesh) -> tuple[Floats, Matte]:
    """Tell the colours under a beard.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    mesh : FaceMesh
        A face in it.

    Returns
    -------
    skin : ndarray of shape (192, 192, 3), float32
        CIELAB, L in 0..100: what the skin under it looks like, in the light that falls on it.
    beard : Matte of shape (192, 192)
        Where there is one; empty on a shaven face.

    References
    ----------
    .. [1] Knutsson & Westin, CVPR 1993.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> skin, beard = shave(synthetic_face(192), synthetic_mesh(192))
    >>> bool(beard.max() < 0.5)
    True
    """
    matte = beard_matte(image, mesh)
    lab, beard = read_colours(image, mesh, matte)
    if not beard.any():
        return lab, beard
    smooth = np.asarray(cv2.GaussianBlur(lab, (0, 0), STRANDS))
    parts = zones()
    shown = (parts["cheeks"] + parts["beard"] + parts["forehead"] / 4) * np.square(1 - beard)
    shown *= lab[..., 0] > 0
    bare = mean_texture() + texture_along(gender=-0.5)
    off = smooth - bare
    usual = (off * shown[..., None]).sum(axis=(0, 1)) / max(float(shown.sum()), 1e-6)
    near = cv2.GaussianBlur(shown, (0, 0), REACH)[..., None] + np.float32(FROM_AFAR)
    filled = (cv2.GaussianBlur(off * shown[..., None], (0, 0), REACH) + FROM_AFAR * usual) / near
    return np.asarray(bare + filled, np.float32), beard
