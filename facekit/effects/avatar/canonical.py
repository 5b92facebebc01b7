"""A face seen in its own upright frame at one size, so that measuring costs the same in every photo."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facekit.beard import beard_matte
from facekit.effects.avatar.upright import mean_points
from facekit.glasses import glasses_score
from facekit.hair import hair_matte
from facekit.lab import to_lab
from facekit.segment import cut_out, eye_distance, fill_rings
from facekit.threads import beside
from facekit.values import FaceMesh, Image, Mask, Matte
from facekit.views import box_of
from facekit.warp import fit_similarity, transform_points

__all__ = ["CENTRE", "PER_UNIT", "View", "look_upright"]

PER_UNIT = 56  # pixels for an outer-eye distance
FINE = 64  # pixels for an outer-eye distance at which hair is looked for
AROUND = 1.9  # outer-eye distances around the face that are looked at
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
    hair, beard : Matte of shape (264, 252)
        Where they are.
    glasses : float
        How sure it is that glasses are worn.
    """

    image: Image
    lab: npt.NDArray[np.float32]
    inside: Mask
    points: npt.NDArray[np.float32]
    hair: Matte
    beard: Matte
    glasses: float

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
        return fill_rings([self.points[list(indices)]], self.inside.shape) & self.inside

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
    """Turn, scale and cut a photo to a head, and find its hair, beard and glasses.

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
    small, near = _shrunken(image, mesh)
    wanted = mean_points()[:, :2] * PER_UNIT + CENTRE
    fitted = list(FITTED)
    matrix = fit_similarity(near.points[fitted].astype(np.float64), wanted[fitted])

    def turned(picture: npt.NDArray[Any], flags: int, border: int = cv2.BORDER_CONSTANT) -> npt.NDArray[Any]:
        return np.asarray(cv2.warpAffine(picture, matrix, SIDE, flags=flags, borderMode=border))

    with beside(lambda: (beard_matte(small, near), glasses_score(small, near))) as rest:
        hair = hair_matte(small, near)
    beard, glasses = rest()
    upright = turned(small, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
    lab = to_lab(upright)
    return View(
        upright,
        np.asarray(lab, np.float32),
        turned(np.ones(small.shape[:2], np.uint8), cv2.INTER_NEAREST).view(np.bool_),
        transform_points(near.points, matrix),
        turned(hair, cv2.INTER_LINEAR),
        turned(beard, cv2.INTER_LINEAR),
        glasses,
    )


def _shrunken(image: Image, mesh: FaceMesh) -> tuple[Image, FaceMesh]:
    """Cut out a head, and shrink it (never enlarge it) to the size at which it is measured."""
    unit = eye_distance(mesh)
    part, near, _ = cut_out(image, mesh, AROUND * unit)
    scale = FINE / unit
    if scale >= 1:
        return np.ascontiguousarray(part), near
    rows, cols = (max(round(side * scale), 1) for side in part.shape[:2])
    small = cv2.resize(part, (cols, rows), interpolation=cv2.INTER_AREA)
    ratio = np.array([cols / part.shape[1], rows / part.shape[0]], np.float32)
    points = (near.points + np.float32(0.5)) * ratio - np.float32(0.5)
    return np.asarray(small, np.uint8), replace(near, points=points, box=box_of(points))
