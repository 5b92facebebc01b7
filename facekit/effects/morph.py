"""What researchers try first with a model of faces: between two, the mean of many, away from the mean.

References
----------
.. [1] Benson & Perrett, "Perception and recognition of photographic quality facial caricatures", European
   J. Cognitive Psychology 3(1), 1991.
.. [2] Langlois & Roggman, "Attractive Faces Are Only Average", Psychological Science 1(2), 1990.
.. [3] Wolberg, "Image morphing: a survey", The Visual Computer 14, 1998.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from facekit.effects.finish import finish
from facekit.effects.reshape import reshape
from facekit.errors import ArrayError
from facekit.face_model import average_shape, fit_face, mean_shape, move_mesh
from facekit.finding import find_face
from facekit.stopwatch import Progress, Stopwatch
from facekit.topology import SURFACE_POINTS
from facekit.values import EffectResult, FaceMesh, FloatImage, Image, as_image
from facekit.views import box_of
from facekit.warp import fit_similarity, transform_points, warp_similarity

__all__ = ["average", "caricature", "morph"]

LEAST, MOST = -1.0, 1.0  # amount of a caricature
SMALLEST, LARGEST = 32, 4096  # pixels of an average's side
EYES = 0.27  # share of an average's side between the outer eye corners
MIDDLE = 0.44  # share of its height at which the middle of the eyes lies


def caricature(
    image: Image, *, amount: float = 0.5, face: int | None = None, progress: Progress | None = None
) -> EffectResult:
    """Move a face's shape away from the mean face, or towards it.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    amount : float in [-1, 1]
        By which share the differences to the mean face grow; at -1 none is left, 0 gives the picture back.
    face : int, optional
        Which face, largest first. By default, the largest.
    progress : function, optional
        Is told each stage as it begins.

    Returns
    -------
    EffectResult
        `mask` tells which pixels differ from `image`; `faces` holds the face with its new shape.

    Raises
    ------
    ArrayError
        `image` is not a picture or `amount` is out of range.
    NoFaceError
        The picture shows no face.
    FaceIndexError
        It has fewer faces than `face` asks for.

    References
    ----------
    .. [1] Benson & Perrett, European J. Cognitive Psychology 3(1), 1991.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face
    >>> result = caricature(synthetic_face(192), amount=0.5)
    >>> result.image.shape, list(result.timings)
    ((192, 192, 3), ['detect', 'shape'])
    """
    image = as_image(image)
    if not LEAST <= amount <= MOST:
        raise ArrayError(f"amount: expected {LEAST:g} to {MOST:g}, got {amount:g}")
    watch = Stopwatch(progress)
    with watch("detect"):
        mesh = find_face(image, face)
    if amount == 0:
        return finish(image, image.copy(), mesh, watch)
    with watch("shape"):
        fitted = fit_face(mesh)
        step = np.float32(amount) * (fitted.shape - mean_shape())
        moved = move_mesh(mesh, np.asarray(step, np.float32), fitted=fitted)
        result = reshape(image, mesh, moved.points)
    return finish(image, result, moved, watch)


def morph(
    image: Image, other: Image, *, share: float = 0.5, face: int | None = None, other_face: int | None = None
) -> Image:
    """Show a face between two.

    Parameters
    ----------
    image, other : Image of shape (H, W, 3), uint8
        Two pictures; never modified.
    share : float in [0, 1]
        How much of `other` there is: 0 gives `image` back.
    face, other_face : int, optional
        Which faces, largest first. By default, the largest.

    Returns
    -------
    Image of shape (H, W, 3)
        In the frame of `image`; the other picture is turned, scaled and shifted to fit.

    Raises
    ------
    ArrayError
        One is not a picture, or `share` is out of range.
    NoFaceError, FaceIndexError
        As in `caricature`.

    References
    ----------
    .. [1] Wolberg, The Visual Computer 14, 1998.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face
    >>> morph(synthetic_face(192), synthetic_face(128), share=0.3).shape
    (192, 192, 3)
    """
    image, other = as_image(image), as_image(other, name="other")
    if not 0 <= share <= 1:
        raise ArrayError(f"share: expected 0 to 1, got {share:g}")
    mesh, theirs = find_face(image, face), find_face(other, other_face)
    if share == 0:
        return image.copy()
    matrix = fit_similarity(theirs.points[:SURFACE_POINTS], mesh.points[:SURFACE_POINTS])
    shown = warp_similarity(other, matrix, shape=image.shape[:2])
    theirs = _carried(theirs, matrix)
    between = mesh.points + np.float32(share) * (theirs.points - mesh.points)
    ours, shown = reshape(image, mesh, between), reshape(shown, theirs, between)
    mixed = ours + np.float32(share) * (shown.astype(np.float32) - ours)
    return np.asarray(np.rint(mixed), np.uint8)


def average(images: Sequence[Image], *, size: int = 512) -> Image:
    """Average the largest faces of some pictures: their shapes first, then their colours on that shape.

    Parameters
    ----------
    images : sequence of Image of shape (H, W, 3), uint8
        At least one; never modified.
    size : int, pixels
        Side of the result, 32 to 4096.

    Returns
    -------
    Image of shape (size, size, 3)
        The average face, upright and frontal; around it, the mean of what surrounds them.

    Raises
    ------
    ArrayError
        There is no picture, one is not a picture, or `size` is out of range.
    NoFaceError
        One shows no face.

    References
    ----------
    .. [1] Langlois & Roggman, Psychological Science 1(2), 1990.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face
    >>> average([synthetic_face(128), synthetic_face(192, roll=20)], size=96).shape
    (96, 96, 3)
    """
    if not len(images):
        raise ArrayError("images: expected at least one")
    if not SMALLEST <= size <= LARGEST:
        raise ArrayError(f"size: expected {SMALLEST} to {LARGEST} pixels, got {size}")
    pictures = [as_image(image) for image in images]
    meshes = [find_face(picture) for picture in pictures]
    shape = average_shape([fit_face(mesh).shape for mesh in meshes])
    across = float(np.hypot(*(shape[263] - shape[33])[:2]))
    eyes = (shape[263] + shape[33])[:2] / 2
    goal = (shape[:, :2] - eyes) * (EYES * size / across) + np.array([0.5, MIDDLE]) * (size - 1)
    total: FloatImage = np.zeros((size, size, 3), np.float32)
    for picture, mesh in zip(pictures, meshes, strict=True):
        matrix = fit_similarity(mesh.points[:SURFACE_POINTS], goal)
        seen = warp_similarity(picture, matrix, shape=(size, size))
        total += reshape(seen, _carried(mesh, matrix), goal)
    return np.asarray(np.rint(total / len(pictures)), np.uint8)


def _carried(mesh: FaceMesh, matrix: npt.NDArray[np.float64]) -> FaceMesh:
    """Return a face where a similarity of its picture puts it."""
    points = transform_points(mesh.points, matrix)
    return replace(mesh, points=points, box=box_of(points))
