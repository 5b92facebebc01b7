"""Masks of a face: its oval, its features, its skin, and what lies in front of it.

References
----------
.. [1] Kolkur et al., "Human Skin Detection Using RGB, HSV and YCbCr Color Models", ICCASP 2016,
   for how far fixed thresholds go; here each face's own skin is the model.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from facekit.colour import NORMAL, to_tone
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
from facekit.values import FaceMesh, Image, Mask, Points

__all__ = [
    "eye_distance",
    "face_mask",
    "feature_mask",
    "grown",
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
    mask = _filled([mesh.points[list(FACE_OVAL)]], shape)
    return grown(mask, -margin * eye_distance(mesh))


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
    rings = (LEFT_EYE, RIGHT_EYE, LEFT_BROW, RIGHT_BROW, LIPS_OUTER, NOSE)
    mask = _filled([mesh.points[list(ring)] for ring in rings], shape)
    return grown(mask, reach * eye_distance(mesh))


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
    return _filled([mesh.points[list(LIPS_INNER)]], shape)


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
    shape = image.shape[:2]
    oval = _filled([mesh.points[list(FACE_OVAL)]], shape)
    skin = np.zeros(shape, np.bool_)
    (x0, y0), (x1, y1) = _box(mesh, shape)
    box = slice(y0, y1), slice(x0, x1)
    tone = to_tone(cv2.GaussianBlur(image[box], (0, 0), max(0.02 * eye_distance(mesh), 0.3)).astype(np.uint8))
    cheeks = mesh.points[list(CHEEKS)] - np.array([x0, y0], np.float32)
    samples = _around(tone, cheeks, 0.05 * eye_distance(mesh))
    middle = np.median(samples, axis=0)
    deviation = np.maximum(NORMAL * np.median(np.abs(samples - middle), axis=0), LEAST)
    above = tone - middle
    reach = SKIN_FENCE * deviation
    lit = (above[..., 0] <= reach[0]) & (tone[..., 0] + 16 >= SHADE * (middle[0] + 16))
    skin[box] = lit & (np.abs(above[..., 1:]) <= reach[1:]).all(axis=2)
    return np.asarray(skin & oval & ~feature_mask(mesh, shape, reach=0.0))


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
    shape = image.shape[:2]
    upper = _upper(mesh, shape) & ~feature_mask(mesh, shape, reach=0.09)
    return _pieces_at_rim(upper & ~skin_mask(image, mesh), mesh)


def _pieces_at_rim(odd: Mask, mesh: FaceMesh) -> Mask:
    """Keep the pieces inside the oval that are large enough and in one piece with its edge."""
    oval = _filled([mesh.points[list(FACE_OVAL)]], odd.shape)
    unit = eye_distance(mesh)
    odd = grown(grown(odd & oval, -SPECK * unit / 2), SPECK * unit / 2)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(odd.astype(np.uint8))
    touching = np.unique(labels[odd & ~grown(oval, -0.08 * unit)])
    large = touching[stats[touching, cv2.CC_STAT_AREA] > LEAST_AREA * unit**2]
    return np.asarray(np.isin(labels, large[large > 0]))


def grown(mask: Mask, pixels: float) -> Mask:
    """Grow (or, for negative `pixels`, shrink) a mask by a distance; beyond the picture is outside.

    Parameters
    ----------
    mask : Mask of shape (H, W)
        Never modified.
    pixels : float
        Distance.

    Returns
    -------
    Mask of shape (H, W)
        The new mask.

    Examples
    --------
    >>> dot = np.zeros((5, 5), bool); dot[2, 2] = True
    >>> int(grown(dot, 1).sum()), int(grown(grown(dot, 1), -1).sum())
    (5, 1)
    """
    if pixels == 0 or not mask.any():
        return mask.copy()
    far = -pixels if pixels < 0 else pixels
    seen = ~mask if pixels > 0 else mask
    padded = np.pad(seen.astype(np.uint8), 1, constant_values=1 if pixels > 0 else 0)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    return np.asarray(distance <= far + 0.01 if pixels > 0 else distance > far + 0.01)


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


def _filled(rings: Sequence[Points], shape: tuple[int, ...]) -> Mask:
    """Fill closed polygons, vertices at a sixteenth of a pixel."""
    canvas = np.zeros(shape[:2], np.uint8)
    for ring in rings:
        cv2.fillPoly(canvas, [np.round(ring * 16).astype(np.int32)], 1, lineType=cv2.LINE_8, shift=4)
    return canvas.astype(np.bool_)


def _upper(mesh: FaceMesh, shape: tuple[int, ...]) -> Mask:
    """Mark the half of the picture on the forehead's side of the lower lids."""
    across = mesh.points[263] - mesh.points[33]
    origin = (mesh.points[145] + mesh.points[374]) / 2
    down = np.array([-across[1], across[0]])
    rows, cols = np.indices(shape[:2], np.float32, sparse=True)
    return np.asarray((cols - origin[0]) * down[0] + (rows - origin[1]) * down[1] < 0)


def _box(mesh: FaceMesh, shape: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    x0, y0, x1, y1 = mesh.box
    height, width = shape[:2]
    low = int(np.clip(x0 - 4, 0, width - 1)), int(np.clip(y0 - 4, 0, height - 1))
    return low, (int(np.clip(x1 + 5, low[0] + 1, width)), int(np.clip(y1 + 5, low[1] + 1, height)))


def _around(
    tone: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]", points: Points, radius: float
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """Collect the pixels within `radius` of any of `points`."""
    canvas = np.zeros(tone.shape[:2], np.uint8)
    for x, y in np.round(points).astype(int).tolist():
        cv2.circle(canvas, (x, y), max(round(radius), 1), 1, -1)
    found = tone[canvas.astype(np.bool_)]
    return found if len(found) else tone.reshape(-1, 3)
