"""The shadow of a beard that was shaved this morning, as a grain in the skin."""

import cv2
import numpy as np
import numpy.typing as npt

from facekit.effects.zones import zones
from facekit.face_model import lay_texture
from facekit.segment import eye_distance
from facekit.values import FaceMesh

__all__ = ["stubble"]

GRAIN = 0.006  # outer-eye distances; the size of a hair's root and its shade
LEAST_GRAIN = 0.45  # pixels
DARK = 3.0  # L by which roots are darker, in the mean
SEED = 20_101  # any: the same face gets the same stubble


def stubble(mesh: FaceMesh, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Draw stubble where beards grow.

    Parameters
    ----------
    mesh : FaceMesh
        A face.
    shape : (rows, cols)
        Size of its picture.

    Returns
    -------
    ndarray of shape (h, w), float32
        Changes of L over the mesh's box, for `recolour`; zero or negative.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_mesh
    >>> grain = stubble(synthetic_mesh(256), (256, 256))
    >>> bool(grain.max() <= 0), bool(grain.min() < -3)
    (True, True)
    """
    where, _ = lay_texture(zones()["beard"][..., None], mesh, shape)
    noise = np.random.default_rng(SEED).standard_normal(where.shape[:2], np.float32)
    rough = cv2.GaussianBlur(noise, (0, 0), max(GRAIN * eye_distance(mesh), LEAST_GRAIN))
    roots = np.maximum(rough / max(float(rough.std()), 1e-6), 0)
    return np.asarray(-DARK * where.reshape(rough.shape) * roots, np.float32)
