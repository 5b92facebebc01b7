"""Masks of a face: its oval, its features, its skin, and what lies in front of it.

References
----------
.. [1] Kolkur et al., "Human Skin Detection Using RGB, HSV and YCbCr Color Models", ICCASP 2016,
   for how far fixed thresholds go; here each face's own skin is the model.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import cv2
import numpy as np

from facekit.growing import grown
from facekit.pixels import pick
from facekit.tone import to_tone
from facekit.topology import (
    FACE_OVAL,
    LEFT_BROW,
    LEFT_EYE,
    LIPS_INNER,
    LIPS_OUTER,
    NOSE,
    RIGHT_BROW,
    RIGHT_EYE,
)
from facekit.typical import NORMAL, median
from facekit.values import FaceMesh, FloatImage, Image, Mask, Points
from facekit.views import box_of

__all__ = [
    "cut_out",
    "eye_distance",
    "face_mask",
    "feature_mask",
    "fill_rings",
    "inner_mouth_mask",
    "occluder_mask",
    "skin_mask",
]

MARGIN = 0.03  # outer-eye distances between the oval and the mask
CHEEKS = (50, 101, 118, 117, 205, 187, 280, 330, 347, 346, 425, 411, 5, 195, 197, 6, 4)
SKIN_FENCE = 3.5  # robust deviations; light varies across a face
SHADE = 0.5  # of the cheeks' L + 16; skin in the shade is still lighter than this, hair often not
LEAST = np.array([9.0, 2.0, 4.0], np.float32)  # L and relative chroma; smallest deviation to reckon with
LEAST_AREA = 0.03  # square outer-eye distances; smaller occluders are highlights or noise
SPECK = 0.1  # outer-eye distances; occluders thinner than this are stray hairs or noise
ALL = slice(None), slice(None)

Picture = TypeVar("Picture", Image, Mask, FloatImage)


def face_mask(mesh: FaceMesh, shape: tuple[int, int], *, margin: float = MARGIN) -> Mask:
    """Fill the face's oval, drawn in by a margin that scales with the face.

    Parameters
    ----------
    mesh : FaceMesh
        The face.
    shape : (rows, cols)
        Size of the mask.
    margin : float
        In outer-eye distances.

    Returns
    -------
    Mask of shape (rows, cols)
        True inside.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_mesh
    >>> mesh = synthetic_mesh(64)
    >>> wide, narrow = (face_mask(mesh, (64, 64), margin=margin) for margin in (0, 0.1))
    >>> bool(wide[32, 32]), bool(wide[0, 0]), bool((wide > narrow).any())
    (True, False, True)
    """
    return grown(_oval(mesh, shape), -margin * eye_distance(mesh))


def feature_mask(mesh: FaceMesh, shape: tuple[int, int], *, reach: float = 0.06) -> Mask:
    """Fill eyes, brows, lips and nose, with a rim.

    Parameters
    ----------
    mesh : FaceMesh
        The face.
    shape : (rows, cols)
        Size of the mask.
    reach : float
        Width of the rim in outer-eye distances.

    Returns
    -------
    Mask of shape (rows, cols)
        True on the features.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_mesh
    >>> mesh = synthetic_mesh(64)
    >>> mask = feature_mask(mesh, (64, 64))
    >>> x, y = mesh.points[1].round().astype(int)  # the tip of the nose
    >>> bool(mask[y, x]), bool(mask.mean() < 0.2)
    (True, True)
    """
    return grown(_features(mesh, shape), reach * eye_distance(mesh))


def inner_mouth_mask(mesh: FaceMesh, shape: tuple[int, int]) -> Mask:
    """Fill what shows between the lips.

    Parameters
    ----------
    mesh : FaceMesh
        The face.
    shape : (rows, cols)
        Size of the mask.

    Returns
    -------
    Mask of shape (rows, cols)
        Nearly empty where the mouth is closed.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_mesh
    >>> mesh = synthetic_mesh(64)  # its mouth is closed
    >>> bool(inner_mouth_mask(mesh, (64, 64)).mean() < 0.01)
    True
    """
    return fill_rings([mesh.points[list(LIPS_INNER)]], shape)


def skin_mask(image: Image, mesh: FaceMesh) -> Mask:
    """Find the skin within the face's oval, by the colour of its own cheeks and nose.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    mesh : FaceMesh
        A face in it.

    Returns
    -------
    Mask of shape (H, W)
        True on skin; eyes, brows and lips are not skin.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> mesh = synthetic_mesh(96)
    >>> skin = skin_mask(synthetic_face(96), mesh)
    >>> x, y = mesh.points[50].round().astype(int)  # a cheek
    >>> bool(skin[y, x]), bool(skin[0, 0])
    (True, False)
    """
    skin = np.zeros(image.shape[:2], np.bool_)
    near, mesh, box = cut_out(image, mesh, 4)
    skin[box] = (
        _lit_as_skin(near, mesh) & _oval(mesh, near.shape) & ~feature_mask(mesh, near.shape[:2], reach=0)
    )
    return skin


def occluder_mask(image: Image, mesh: FaceMesh) -> Mask:
    """Find what hangs into the face from above: hair, a hat's brim, a visor.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    mesh : FaceMesh
        A face in it.

    Returns
    -------
    Mask of shape (H, W)
        True where the face's oval shows no skin, above the eyes' lower lids, in one piece with
        the oval's edge.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> bool(occluder_mask(synthetic_face(96), synthetic_mesh(96)).any())
    False
    """
    occluders = np.zeros(image.shape[:2], np.bool_)
    near, mesh, box = cut_out(image, mesh, 4)
    unit, oval = eye_distance(mesh), _oval(mesh, near.shape)
    asked = oval & _upper(mesh, near.shape)
    # Nothing lies further than this from where it is asked for: most of the face need not be looked at.
    part = _around(asked, int(0.1 * unit) + 2)
    features = grown(_features(mesh, near.shape)[part], 0.09 * unit)
    odd = asked[part] & ~features & ~_lit_as_skin(near, mesh, part)
    odd = grown(grown(odd, -SPECK * unit / 2), SPECK * unit / 2)
    if not odd.any():
        return occluders
    _, labels, stats, _ = cv2.connectedComponentsWithStats(odd.view(np.uint8))
    at_rim = np.unique(labels[odd & ~grown(oval[part], -0.08 * unit)])
    large = at_rim[stats[at_rim, cv2.CC_STAT_AREA] > LEAST_AREA * unit**2]
    occluders[box][part] = np.isin(labels, large[large > 0])
    return occluders


def cut_out(image: Picture, mesh: FaceMesh, pad: float) -> tuple[Picture, FaceMesh, tuple[slice, slice]]:
    """Cut a box around a face out of its picture.

    Parameters
    ----------
    image : ndarray of shape (H, W, ...)
        The picture, or a mask over it.
    mesh : FaceMesh
        A face in it, or beyond its border.
    pad : float, pixels
        Width of the rim around the face's own box.

    Returns
    -------
    part : ndarray of shape (h, w, ...)
        A view of at least one pixel.
    mesh : FaceMesh
        The face as seen in that part.
    box : (rows, cols)
        The part's slices.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> part, mesh, _ = cut_out(synthetic_face(96), synthetic_mesh(96), 2)
    >>> part.shape[0] < 96, [int(low) for low in mesh.box[:2]]
    (True, [2, 2])
    """
    x0, y0 = (
        min(max(int(low - pad), 0), side - 1) for low, side in zip(mesh.box, image.shape[1::-1], strict=False)
    )
    x1 = min(max(int(mesh.box[2] + pad) + 1, x0 + 1), image.shape[1])
    y1 = min(max(int(mesh.box[3] + pad) + 1, y0 + 1), image.shape[0])
    box = slice(y0, y1), slice(x0, x1)
    points = mesh.points - np.array([x0, y0], np.float32)
    return image[box], replace(mesh, points=points, box=box_of(points)), box


def eye_distance(mesh: FaceMesh) -> float:
    """Return the distance between the outer eye corners, in pixels: the face's unit of length.

    Parameters
    ----------
    mesh : FaceMesh
        The face.

    Returns
    -------
    float
        In the plane of the picture, but never less than the height of the eyes over the mouth
        allows, so that it stays a unit in profile.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_mesh
    >>> round(eye_distance(synthetic_mesh(100)), 3)
    27.0
    """
    points = mesh.points.astype(np.float64)
    across = float(np.hypot(*(points[263] - points[33])))
    down = float(np.hypot(*((points[263] + points[33]) / 2 - (points[61] + points[291]) / 2)))
    return max(across, 0.9 * down, 1e-3)


def fill_rings(rings: Sequence[Points], shape: tuple[int, ...]) -> Mask:
    """Fill closed polygons, vertices at a sixteenth of a pixel.

    Parameters
    ----------
    rings : sequence of Points of shape (N, 2), pixels
        One for each polygon.
    shape : (rows, cols)
        Size of the mask.

    Returns
    -------
    Mask of shape (rows, cols)
        True in any of them.

    Examples
    --------
    >>> int(fill_rings([np.float32([[1, 1], [3, 1], [3, 3], [1, 3]])], (6, 6)).sum())
    9
    """
    canvas = np.zeros(shape[:2], np.uint8)
    for ring in rings:
        cv2.fillPoly(canvas, [np.round(ring * 16).astype(np.int32)], 1, lineType=cv2.LINE_8, shift=4)
    return canvas.view(np.bool_)


def _oval(mesh: FaceMesh, shape: tuple[int, ...]) -> Mask:
    return fill_rings([mesh.points[list(FACE_OVAL)]], shape)


def _features(mesh: FaceMesh, shape: tuple[int, ...]) -> Mask:
    rings = (LEFT_EYE, RIGHT_EYE, LEFT_BROW, RIGHT_BROW, LIPS_OUTER, NOSE)
    return fill_rings([mesh.points[list(ring)] for ring in rings], shape)


def _around(mask: Mask, pad: int) -> tuple[slice, slice]:
    """Return the rows and columns of a mask's box, and some more."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    return slice(max(y - pad, 0), y + height + pad), slice(max(x - pad, 0), x + width + pad)


def _lit_as_skin(image: Image, mesh: FaceMesh, part: tuple[slice, slice] = ALL) -> Mask:
    """Tell what in a part has the colour of the cheeks and the nose, in any light that falls on a face."""
    unit = eye_distance(mesh)
    smooth = np.asarray(cv2.GaussianBlur(image, (0, 0), max(0.02 * unit, 0.3)), np.uint8)
    samples = np.ascontiguousarray(to_tone(_near(smooth, mesh.points[list(CHEEKS)], 0.05 * unit)).T)
    middle = median(samples)
    reach = SKIN_FENCE * np.maximum(NORMAL * median(np.abs(samples - middle[:, None])), LEAST)
    light, *chroma = np.moveaxis(to_tone(smooth[part]), 2, 0)
    lit = (light <= middle[0] + reach[0]) & (light + 16 >= SHADE * (middle[0] + 16))
    for channel in (0, 1):
        lit &= np.abs(chroma[channel] - middle[channel + 1]) <= reach[channel + 1]
    return np.asarray(lit)


def _upper(mesh: FaceMesh, shape: tuple[int, ...]) -> Mask:
    """Mark the half of the picture on the forehead's side of the lower lids."""
    across = mesh.points[263] - mesh.points[33]
    origin = (mesh.points[145] + mesh.points[374]) / 2
    down = np.array([-across[1], across[0]])
    rows, cols = np.indices(shape[:2], np.float32, sparse=True)
    return np.asarray((cols - origin[0]) * down[0] + (rows - origin[1]) * down[1] < 0)


def _near(image: Image, points: Points, radius: float) -> Image:
    """Collect the pixels within `radius` of any of `points`; all, if none is."""
    canvas = np.zeros(image.shape[:2], np.uint8)
    for x, y in np.round(points).astype(int).tolist():
        cv2.circle(canvas, (x, y), max(round(radius), 1), 1, -1)
    found = pick(image, canvas.view(np.bool_), most=canvas.size)
    return found if len(found) else image.reshape(-1, 3)
