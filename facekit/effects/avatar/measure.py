"""From a photo, or a mesh alone, to a portrait: numbers and names, and nothing of the picture."""

from dataclasses import replace

import numpy as np

from facekit.effects.avatar.canonical import look_upright
from facekit.effects.avatar.colours import (
    brow_weight,
    eye_colour,
    hair_colour,
    lip_redness,
    skin_colour,
    skin_tone,
)
from facekit.effects.avatar.expression import read_action, resting
from facekit.effects.avatar.portrait import Look, Portrait
from facekit.effects.avatar.silhouette import Silhouette, beard_class, measure_silhouette
from facekit.effects.avatar.upright import upright_points
from facekit.errors import ArrayError
from facekit.values import FaceMesh, Image, as_image

__all__ = ["measure_face", "measure_mesh"]

WORN = 0.5  # score of glasses above which they are drawn
SKULL_ABOVE = 0.52  # outer-eye distances of a bald skull above the forehead's top


def measure_mesh(mesh: FaceMesh) -> Portrait:
    """Measure what a mesh alone tells: shape and expression; colours and hair are plain.

    Parameters
    ----------
    mesh : FaceMesh
        The face.

    Returns
    -------
    Portrait
        With the default `Look`.

    Raises
    ------
    ArrayError
        The mesh has not 478 points, or some are not finite.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_mesh
    >>> measure_mesh(synthetic_mesh(256)).look.hair_class
    'short'
    """
    if mesh.points.shape != (478, 2) or mesh.depth.shape != (478,):
        raise ArrayError(
            f"mesh: expected 478 points with depths, got {mesh.points.shape} and {mesh.depth.shape}"
        )
    if not (np.isfinite(mesh.points).all() and np.isfinite(mesh.depth).all()):
        raise ArrayError("mesh: expected finite points and depths")
    action = read_action(mesh.blendshapes)
    # A hundredth of a millimetre is less than anybody can measure: equal faces give equal drawings.
    points = np.round(resting(upright_points(mesh)[:, :2], action), 4)
    return Portrait(points, action)


def measure_face(image: Image, mesh: FaceMesh) -> Portrait:
    """Measure a face in a photo: shape, expression, colours, hair, beard and glasses.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The photo; never modified.
    mesh : FaceMesh
        A face in it, as `facekit.detect_faces` finds it.

    Returns
    -------
    Portrait
        Lengths in outer-eye distances of the mean face, in the face's own upright frame (x right,
        y down); colours and classes by name. It holds no pixel of the photo.

    Raises
    ------
    ArrayError
        `image` is not a picture, or `mesh` not one of 478 finite points.
    ModelError
        The model that tells people from the background is missing or altered.

    References
    ----------
    .. [1] Yacoob & Davis, "Detection and Analysis of Hair", IEEE PAMI 28(7), 2006.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> portrait = measure_face(synthetic_face(256), synthetic_mesh(256))
    >>> portrait.look.beard, portrait.look.glasses
    ('none', False)
    """
    image = as_image(image)
    portrait = measure_mesh(mesh)
    view = look_upright(image, mesh)
    skin = skin_colour(view)
    silhouette = measure_silhouette(view)
    beard = beard_class(view)
    weight, brows = brow_weight(view, skin)
    hair = view.hair > 0.7
    kind = silhouette.hair_class()
    colour = hair_colour(view, hair, skin) if hair.sum() > 60 else brows
    look = Look(
        skin=skin_tone(skin),
        hair=colour,
        eyes=eye_colour(image, mesh, skin),
        lips=round(lip_redness(view, skin), 2),
        brows=brows,
        brow_weight=round(weight, 2),
        hair_class=kind,
        parting=silhouette.parting(),
        volume=round(_volume(silhouette), 2),
        hairline=round(silhouette.hairline, 2),
        beard=beard,
        beard_colour=hair_colour(view, view.beard > 0.5, skin, lighter=False) if beard != "none" else colour,
        glasses=view.glasses > WORN,
    )
    return replace(portrait, look=look)


def _volume(silhouette: Silhouette) -> float:
    """Return how far hair stands off the skull."""
    above = 0.14 if np.isnan(silhouette.height) else silhouette.height - SKULL_ABOVE
    return float(np.clip(0.7 * above + 0.5 * silhouette.width, 0.05, 0.5))
