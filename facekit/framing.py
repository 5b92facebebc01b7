"""A head with its surroundings, upright and always of one size, and the way back.

What is looked for around a face (hair, a beard, glasses) is looked for here: the sizes of everything
are known, and the cost does not grow with the picture.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from facekit.segment import eye_distance
from facekit.values import FaceMesh, Image, Mask, Matte, Points
from facekit.views import box_of

__all__ = ["Framed", "frame_head"]

UNIT = 48  # pixels that an outer-eye distance takes up
SIDES, ABOVE, BELOW = 2.7, 2.3, 3.3  # outer-eye distances that are shown around the middle of the eyes

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Framed:
    """A head as `frame_head` shows it.

    Parameters
    ----------
    image : Image of shape (h, w, 3), uint8
        The head, upright; the picture's border is repeated beyond it.
    mesh : FaceMesh
        The face in it.
    inside : Mask of shape (h, w)
        Where the picture shows something.
    matrix : ndarray of shape (2, 3), float64
        From the picture to here, pixel centres at integers.
    unit : int
        Pixels that an outer-eye distance takes up.
    """

    image: Image
    mesh: FaceMesh
    inside: Mask
    matrix: npt.NDArray[np.float64]
    unit: int

    @cached_property
    def places(self) -> tuple[Floats, Floats]:
        """Where each pixel lies from the middle of the eyes, to the right and down, in eye distances."""
        rows, cols = self.image.shape[:2]
        x = (np.arange(cols, dtype=np.float32) - SIDES * self.unit) / self.unit
        y = (np.arange(rows, dtype=np.float32) - ABOVE * self.unit) / self.unit
        return np.broadcast_to(x, (rows, cols)), np.broadcast_to(y[:, None], (rows, cols))

    def carry_back(self, matte: Matte, shape: tuple[int, int]) -> Matte:
        """Show a matte of the head as one of the whole picture, 0 beyond the frame.

        Parameters
        ----------
        matte : Matte of shape (h, w)
            Over `image`.
        shape : (rows, cols)
            Size of the picture.

        Returns
        -------
        Matte of shape (rows, cols)
            Resampled.
        """
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        back = cv2.warpAffine(np.asarray(matte, np.float32), self.matrix, shape[::-1], flags=flags)
        return np.asarray(back, np.float32)


def frame_head(image: Image, mesh: FaceMesh, *, unit: int = UNIT) -> Framed:
    """Show a head upright, with some room around it, at a fixed size.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    mesh : FaceMesh
        A face in it.
    unit : int
        Pixels that an outer-eye distance shall take up.

    Returns
    -------
    Framed
        The head, and how to carry what is found there back.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> framed = frame_head(synthetic_face(256, roll=30), synthetic_mesh(256, roll=30))
    >>> framed.image.shape, abs(round(framed.mesh.angles()[2])) < 1
    ((269, 260, 3), True)
    """
    across = (mesh.points[263] - mesh.points[33]).astype(np.float64)
    scale = unit / eye_distance(mesh)
    cos, sin = scale * across / max(float(np.hypot(*across)), 1e-6)
    turn = np.array([[cos, sin], [-sin, cos]])
    middle = (mesh.points[263] + mesh.points[33]).astype(np.float64) / 2
    size = round(2 * SIDES * unit) + 1, round((ABOVE + BELOW) * unit)
    matrix = np.column_stack([turn, np.array([SIDES, ABOVE]) * unit - turn @ middle])
    seen = _sampled(image, matrix, size)
    rows, cols = image.shape[:2]
    inverse = cv2.invertAffineTransform(matrix)
    x, y = np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32)[:, None]
    from_x, from_y = (inverse[k, 0] * x + inverse[k, 1] * y + inverse[k, 2] for k in (0, 1))
    inside = (from_x > -0.5) & (from_y > -0.5) & (from_x < cols - 0.5) & (from_y < rows - 0.5)
    return Framed(seen, _moved(mesh, matrix, scale), np.asarray(inside), matrix, unit)


def _sampled(image: Image, matrix: npt.NDArray[np.float64], size: tuple[int, int]) -> Image:
    """Sample the picture, averaged first where it shrinks."""
    shrink = int(1 / np.hypot(*matrix[:, 0]))
    if shrink > 1:
        rows, cols = (max(side // shrink, 1) for side in image.shape[:2])
        even = image[: rows * shrink, : cols * shrink]
        image = np.asarray(cv2.resize(even, (cols, rows), interpolation=cv2.INTER_AREA), np.uint8)
        matrix = np.column_stack([matrix[:, :2] * shrink, matrix @ [(shrink - 1) / 2, (shrink - 1) / 2, 1.0]])
    seen = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.uint8)


def _moved(mesh: FaceMesh, matrix: npt.NDArray[np.float64], scale: float) -> FaceMesh:
    points: Points = (mesh.points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    cos, sin = matrix[:, 0] / scale
    turn = np.eye(4, dtype=np.float32)
    turn[:2, :2] = [[cos, sin], [-sin, cos]]
    depth = (mesh.depth * scale).astype(np.float32)
    return replace(mesh, points=points, depth=depth, pose=turn @ mesh.pose, box=box_of(points))
