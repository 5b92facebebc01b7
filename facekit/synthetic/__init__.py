"""Faces drawn from averages: a painted mannequin that is nobody.

The shape and the colours of the face are means over a thousand adults (`assets/face_axes.npz`);
head, hair, neck and shoulders are ellipsoids.
"""

import numpy as np

from facekit.errors import ArrayError
from facekit.synthetic.head import draw_head
from facekit.synthetic.look import Look, Vector, to_rgb
from facekit.synthetic.mesh import place_face, rotation
from facekit.values import FaceMesh, Image

__all__ = ["Look", "draw_head", "place_face", "rotation", "synthetic_face", "synthetic_mesh"]


def synthetic_mesh(size: int = 512, *, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> FaceMesh:
    """Return the mesh of the face that `synthetic_face` draws with the same arguments.

    Parameters
    ----------
    size : int, pixels
        Side of the picture.
    yaw, pitch, roll : float, degrees
        As in `rotation`.

    Returns
    -------
    FaceMesh
        The drawn points, not detected ones.
    """
    return place_face((size * 0.5, size * 0.52), size * 0.27, yaw=yaw, pitch=pitch, roll=roll)


def synthetic_face(
    size: int = 512, *, seed: int = 0, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0
) -> Image:
    """Draw a picture with one face in it, of nobody.

    Parameters
    ----------
    size : int, pixels
        Side of the square picture, at least 64.
    seed : int
        Picks the tone of skin, hair, clothes, background and lamp.
    yaw, pitch, roll : float, degrees
        As in `rotation`; yaw and pitch up to about 25 and 15 look right.

    Returns
    -------
    Image of shape (size, size, 3)
        The same for the same arguments.

    Raises
    ------
    ArrayError
        `size` is below 64.

    Examples
    --------
    >>> synthetic_face(96).shape
    (96, 96, 3)
    """
    if size < 64:
        raise ArrayError(f"size: expected at least 64, got {size}")
    look, wall = _random_look(np.random.default_rng(seed))
    y, x = (np.mgrid[:size, :size] / size - [[[0.4]], [[0.45]]]).astype(np.float32)
    lab = np.stack([wall[0] - 22 * (x * x + y * y), *(np.full_like(x, v) for v in wall[1:])], axis=2)
    canvas = to_rgb(lab.astype(np.float32))
    head, matte = draw_head((size, size), synthetic_mesh(size, yaw=yaw, pitch=pitch, roll=roll), look)
    canvas += matte[..., None] * (head - canvas)
    return np.asarray(np.clip(canvas + 0.5, 0, 255), np.uint8)


def _random_look(rng: np.random.Generator) -> tuple[Look, Vector]:
    tone = rng.uniform(0, 1)
    skin = (40 + 33 * tone, 15 - 3 * tone + rng.uniform(-1, 1), 18 + rng.uniform(-2, 2))
    hair = (rng.uniform(10, 30 + 25 * tone), rng.uniform(3, 10), rng.uniform(4, 18))
    cloth, wall = (
        (float(lightness), *(rng.uniform(-18, 18, 2).tolist()))
        for lightness in (rng.uniform(25, 60), rng.uniform(70, 88))
    )
    light = (float(rng.choice([-1, 1]) * rng.uniform(0.2, 0.6)), -0.65, -0.9)
    return Look(skin, hair, cloth, light=light, gender=float(rng.uniform(-0.8, 0.8))), wall
