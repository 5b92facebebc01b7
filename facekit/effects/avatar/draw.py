"""`draw_avatar`: find, measure, design, write and paint."""

from dataclasses import dataclass, replace

import numpy.typing as npt

from facekit.effects.avatar.design import design
from facekit.effects.avatar.expression import read_action
from facekit.effects.avatar.measure import measure_face, measure_mesh
from facekit.effects.avatar.portrait import Portrait
from facekit.effects.avatar.raster import rasterise_drawing
from facekit.effects.avatar.svg import write_svg
from facekit.errors import ArrayError
from facekit.finding import find_face
from facekit.values import FaceMesh, Image, as_image

__all__ = ["Avatar", "draw_avatar"]

SMALLEST, LARGEST = 16, 4096  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class Avatar:
    """A drawn head.

    Parameters
    ----------
    svg : str
        The drawing as an SVG document, layers by name: ``background``, ``hair-back``, ``neck``,
        ``shoulders``, ``ears``, ``face``, ``shade``, ``beard``, ``mouth``, ``nose``, ``eye-right``,
        ``eye-left`` (with ``-iris``, ``-lid`` and ``-lash``), ``brow-right``, ``brow-left``,
        ``hair-front`` and, where worn, ``glasses``. Left and right are the person's own.
    image : Image of shape (size, size, 3), uint8
        The same drawing as pixels.
    portrait : Portrait
        What was measured, and nothing else that the drawing was made from. Handed to
        `draw_avatar` again, it saves measuring anew.
    """

    svg: str
    image: Image
    portrait: Portrait


def draw_avatar(
    face_or_image: FaceMesh | Portrait | npt.ArrayLike,
    *,
    size: int = 512,
    expression: FaceMesh | None = None,
    face: int | None = None,
) -> Avatar:
    """Draw a vector portrait wholly from measurements; it holds no pixel of the photo.

    Parameters
    ----------
    face_or_image : Image of shape (H, W, 3), uint8, or FaceMesh, or Portrait
        A photo, in which a face is found and measured with its colours, hair, beard and glasses;
        or a mesh, of which only shape and expression are known; or what was measured before.
        Never modified.
    size : int, pixels, 16 to 4096
        Side of the picture, and the SVG's nominal size.
    expression : FaceMesh, optional
        Another face, whose blendshapes say what the eyes, brows, mouth and jaw do. Its shape is
        ignored: the portrait stays the same person's.
    face : int, optional
        Which face of the photo, largest first. By default, the largest.

    Returns
    -------
    Avatar
        The same for the same arguments.

    Raises
    ------
    ArrayError
        The photo is not a picture, the mesh is not one of 478 finite points, or `size` or `face` is
        out of range.
    NoFaceError
        The photo shows no face.
    FaceIndexError
        It shows fewer than `face` asks for.
    ModelError
        A model file is missing or altered.

    Notes
    -----
    Shapes are those of the face with its pose undone, a fifth further from the mean face than they
    are; colours are names of fixed palettes. A video drives a portrait by `expression`: measure
    once, and hand each frame's mesh.

    References
    ----------
    .. [1] Brennan, "Caricature Generator: The Dynamic Exaggeration of Faces by Computer", Leonardo
       18(3), 1985.

    Examples
    --------
    >>> from facekit import synthetic_face
    >>> avatar = draw_avatar(synthetic_face(256), size=128)
    >>> avatar.image.shape, avatar.svg.startswith("<svg"), '<g id="hair-front"' in avatar.svg
    ((128, 128, 3), True, True)
    >>> avatar.portrait.look.glasses
    False
    """
    if isinstance(size, bool) or not isinstance(size, int) or not SMALLEST <= size <= LARGEST:
        raise ArrayError(f"size: expected a whole number from {SMALLEST} to {LARGEST}, got {size!r:.40}")
    portrait = _portrait(face_or_image, face)
    if expression is not None:
        portrait = replace(portrait, action=read_action(expression.blendshapes))
    drawing = design(portrait)
    return Avatar(write_svg(drawing, size), rasterise_drawing(drawing, size), portrait)


def _portrait(given: FaceMesh | Portrait | npt.ArrayLike, face: int | None) -> Portrait:
    """Measure what was handed in."""
    if isinstance(given, Portrait):
        return given
    if isinstance(given, FaceMesh):
        return measure_mesh(given)
    image = as_image(given)
    if face is not None and (isinstance(face, bool) or not isinstance(face, int) or not 0 <= face < 100):
        raise ArrayError(f"face: expected a whole number from 0 to 99, got {face!r:.40}")
    return measure_face(image, find_face(image, face))
