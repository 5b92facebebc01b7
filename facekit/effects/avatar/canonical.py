"""A face seen in its own upright frame at one size, so that measuring costs the same in every photo."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facekit.effects.avatar.upright import mean_points
from facekit.values import FaceMesh, Image, Mask
from facekit.warp import fit_similarity, transform_points

__all__ = ["CENTRE", "PER_UNIT", "View", "look_upright"]

PER_UNIT = 56  # pixels for an outer-eye distance
SIDE = (252, 264)  # columns, rows
CENTRE = (126.0, 124.0)  # where the origin of the upright frame lies
# The similarity is fitted to points that lie about the head's axis, or in pairs around it.
FITTED = (33, 133, 263, 362, 168, 6, 1, 2, 152, 10, 234, 454, 127, 356)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A photo turned, scaled and cut to a head.

    Parameters
    ----------
    image : Image of shape (264, 252, 3), uint8
        The head and what is around it.
    lab : ndarray of shape (264, 252, 3), float32
        The same in CIELAB.
    inside : Mask of shape (264, 252)
        Where the photo reaches.
    points : ndarray of shape (478, 2), float32, pixels
        The mesh there.
    """

    image: Image
    lab: npt.NDArray[np.float32]
    inside: Mask
    points: npt.NDArray[np.float32]

    def within(self, *indices: int) -> Mask:
        """Fill the polygon over points of the mesh.

        Parameters
        ----------
        *indices : int
            Of the 478, in order.

        Returns
        -------
        Mask of shape (264, 252)
            True inside, where the photo reaches.
        """
        canvas = np.zeros(self.inside.shape, np.uint8)
        cv2.fillPoly(canvas, [np.rint(self.points[list(indices)] * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
        return np.asarray(canvas.view(np.bool_) & self.inside)

    def box(self, x0: float, y0: float, x1: float, y1: float) -> Mask:
        """Mark a box of the upright frame.

        Parameters
        ----------
        x0, y0, x1, y1 : float, outer-eye distances
            Its sides.

        Returns
        -------
        Mask of shape (264, 252)
            True inside, where the photo reaches.
        """
        mask = np.zeros(self.inside.shape, np.bool_)
        left, right = (round(max(x * PER_UNIT + CENTRE[0], 0)) for x in (x0, x1))
        top, bottom = (round(max(y * PER_UNIT + CENTRE[1], 0)) for y in (y0, y1))
        mask[top:bottom, left:right] = True
        return mask & self.inside


def look_upright(image: Image, mesh: FaceMesh) -> View:
    """Turn, scale and cut a photo to a head.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The photo; never modified.
    mesh : FaceMesh
        A face in it.

    Returns
    -------
    View
        The head, upright.
    """
    wanted = mean_points()[:, :2] * PER_UNIT + CENTRE
    fitted = list(FITTED)
    matrix = fit_similarity(mesh.points[fitted].astype(np.float64), wanted[fitted])
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    seen, onto = image, matrix
    if scale < 0.75:  # shrink by areas first, or fine hair would turn to noise
        corners = cv2.transform(
            np.array([[(0, 0), (SIDE[0], 0), (0, SIDE[1]), SIDE]], np.float64), cv2.invertAffineTransform(matrix)
        )[0]
        low = np.clip(np.floor(corners.min(axis=0)), 0, np.array(image.shape[1::-1]) - 1).astype(int)
        high = np.clip(np.ceil(corners.max(axis=0)), low + 1, image.shape[1::-1]).astype(int)
        part = image[low[1] : high[1], low[0] : high[0]]
        sides = tuple(max(round(side * scale), 1) for side in part.shape[1::-1])
        seen = cv2.resize(part, sides, interpolation=cv2.INTER_AREA)
        ratio = np.array(part.shape[1::-1]) / np.array(sides)
        # A small pixel's centre is the middle of the large ones that it is made of.
        back = np.array([[ratio[0], 0, low[0] + (ratio[0] - 1) / 2], [0, ratio[1], low[1] + (ratio[1] - 1) / 2], [0, 0, 1]])
        onto = (np.vstack([matrix, (0, 0, 1)]) @ back)[:2]
    upright = cv2.warpAffine(seen, onto, SIDE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones(seen.shape[:2], np.uint8), onto, SIDE, flags=cv2.INTER_NEAREST)
    lab = cv2.cvtColor(upright.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return View(
        np.asarray(upright, np.uint8),
        np.asarray(lab, np.float32),
        np.asarray(inside).view(np.bool_),
        transform_points(mesh.points, matrix),
    )
