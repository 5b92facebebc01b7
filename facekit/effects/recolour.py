"""A change of colour laid on a face, in its own light.

A change is given in the model's layout, for a face of usual lightness. Light scales it: what is
darker changes less, as it would under less light; nothing gets much lighter than the cheeks in the
light, nor much ruddier; and a warm colour gets paler but never grey, green or blue.

References
----------
.. [1] Rowland & Perrett, "Manipulating Facial Appearance through Shape and Color", IEEE CG&A 15(5), 1995.
.. [2] CIE 15, "Colorimetry", 2004, for CIELAB, whose L + 16 scales with the cube root of the light.
"""

import cv2
import numpy as np
import numpy.typing as npt

from facekit.effects.zones import zones
from facekit.face_model import lay_texture
from facekit.lab import from_lab, to_lab
from facekit.segment import eye_distance
from facekit.values import FaceMesh, Image, Mask, Matte

__all__ = ["recolour"]

USUAL = 60.0  # L of the skin for which the axes are what they are
LIT, BRIGHTER = 75, 8.0  # percentile of the cheeks' L, and how much more a change may lead to
CALM = 8.0  # of a or b; below this, a colour that gets paler loses less
PALEST = 0.6, 0.3  # of a or b that are left at least, on skin and on lips
RUDDY = 1.4, 1.1  # of the cheeks' own a and b, to which a change may lead on skin
LIPS = 3.0, 0.5  # and so much more on lips
LEAST_CHANGE = 1e-3  # of L, a, b or a share; less is none
LEAST_ROOM = 0.5  # of L, a or b
CHEEKS = (50, 101, 118, 117, 36, 205, 280, 330, 347, 346, 266, 425)  # right, left
PORES = 0.025  # outer-eye distances; what is finer is detail
NARROW, WIDE = 0.012, 0.06  # outer-eye distances; a fold is darker than its surroundings at this scale
DEEPEST = 12.0  # L by which a fold may be darker; what is darker still is a nostril, a lash, a shadow
STRONG = 9.0  # L; detail well over this is no pore, but a lash or a fold, and stays as it is

# Channels that are laid: what changes something, then what it changes to, and where lips are.
CHANGE, DETAIL, FOLDS, FINE, COVERED = slice(0, 3), 3, 4, 5, slice(6, 7)
CHANGES, COVER, LIPS_AT = slice(0, 7), slice(7, 10), 10

Floats = npt.NDArray[np.float32]


def recolour(
    image: Image,
    mesh: FaceMesh,
    change: Floats,
    *,
    detail: Floats | None = None,
    folds: Floats | None = None,
    cover: tuple[Floats, Matte] | None = None,
    relief: Floats | None = None,
    kept: Mask | None = None,
) -> Image:
    """Lay a change of colour on a face.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    mesh : FaceMesh
        The face in it.
    change : ndarray of shape (192, 192, 3), float32
        By how much L, a and b change, in the model's layout.
    detail : ndarray of shape (192, 192), float32, optional
        By which share fine detail of the skin gets stronger, or, negative, weaker.
    folds : ndarray of shape (192, 192), float32, optional
        By which share the person's own folds get deeper, or, negative, shallower.
    cover : ndarray of shape (192, 192, 3) and Matte of shape (192, 192), optional
        CIELAB colours that are laid over the face first, and how much they cover.
    relief : ndarray of shape (h, w), float32, optional
        Changes of L too fine for the layout, such as stubble: over the mesh's box, as `lay_texture` lays.
    kept : Mask of shape (H, W), optional
        What hangs into the face, and must stay as it is.

    Returns
    -------
    Image of shape (H, W, 3)
        Bit-equal to `image` where nothing is changed.

    Examples
    --------
    >>> from facekit.face_model import texture_along
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> face, mesh = synthetic_face(128), synthetic_mesh(128)
    >>> same = recolour(face, mesh, 0 * texture_along(gender=1))
    >>> bool((same == face).all())
    True
    """
    none = np.zeros(change.shape[:2], np.float32)
    detail, folds = none if detail is None else detail, none if folds is None else folds
    colours, covered = (np.zeros_like(change), none) if cover is None else cover
    layers = np.dstack([change, detail, folds, none, covered, colours, zones()["lips"]])
    laid, box = lay_texture(layers, mesh, image.shape[:2])
    if relief is not None:
        laid[..., FINE] += relief
    if kept is not None and kept[box].any():
        hidden = cv2.GaussianBlur(kept[box].astype(np.float32), (0, 0), 0.02 * eye_distance(mesh))
        laid[..., CHANGES] *= np.clip(1 - 1.5 * hidden, 0, 1)[..., None]
    part = image[box]
    changed = np.zeros(laid.shape[:2], np.bool_)
    for channel in np.moveaxis(laid[..., CHANGES], 2, 0):
        changed |= np.abs(channel) > LEAST_CHANGE
    lab = to_lab(part)
    if cover is not None:
        lab += laid[..., COVERED] * (laid[..., COVER] - lab)
    fresh = _in_its_light(lab, laid[..., CHANGE], _usual(lab, mesh, box), laid[..., LIPS_AT])
    unit = eye_distance(mesh)
    fresh[..., 0] += laid[..., DETAIL] * _pores(lab[..., 0], PORES * unit) + laid[..., FINE]
    if folds.any():
        fresh[..., 0] += laid[..., FOLDS] * _own_folds(lab[..., 0], unit)
    result = image.copy()
    result[box] = np.where(changed[..., None], from_lab(fresh), part)
    return result


def _usual(lab: Floats, mesh: FaceMesh, box: tuple[slice, slice]) -> Floats:
    """Return the cheeks' colour: L where the light falls, and a and b over L + 16."""
    x, y = np.rint(mesh.points[list(CHEEKS)] - (box[1].start, box[0].start)).astype(np.intp).T
    seen = lab[np.clip(y, 0, lab.shape[0] - 1), np.clip(x, 0, lab.shape[1] - 1)]
    lit = np.percentile(seen[:, 0], LIT)
    chroma = np.maximum(np.median(seen[:, 1:] / (seen[:, :1] + 16), axis=0), 0)
    return np.asarray([lit, *chroma], np.float32)


def _in_its_light(lab: Floats, change: Floats, usual: Floats, lips: Matte) -> Floats:
    """Add a change to colours, scaled by their light, and within what this skin can look like."""
    light = lab[..., 0] + 16
    share = light / np.float32(USUAL + 16)
    fresh = np.empty_like(lab)
    rise = _softly(np.maximum(change[..., 0], 0) * share, usual[0] + BRIGHTER - lab[..., 0])
    fresh[..., 0] = np.maximum(lab[..., 0] + rise + np.minimum(change[..., 0], 0) * share, 0)
    shade = (fresh[..., 0] + 16) / light
    for k in (1, 2):
        had = lab[..., k]
        palest = PALEST[0] + lips * np.float32(PALEST[1] - PALEST[0])
        fading = np.exp(np.minimum(change[..., k], 0) * share / (np.maximum(had, CALM) * (1 - palest)))
        paler = np.where(had > 0, had * (palest + (1 - palest) * fading), had)
        most = usual[k] * (RUDDY[k - 1] + lips * np.float32(LIPS[k - 1]))
        fresh[..., k] = (paler + _softly(np.maximum(change[..., k], 0) * share, most * light - had)) * shade
    return fresh


def _softly(step: Floats, room: Floats) -> Floats:
    """Return a step that begins as asked for and never leaves the room there is."""
    room = np.maximum(room, LEAST_ROOM)
    return np.asarray(-room * np.expm1(-step / room), np.float32)


def _pores(light: Floats, sigma: float) -> Floats:
    """Return the fine detail of skin: what a blur takes away, but for strong edges."""
    fine = light - cv2.GaussianBlur(light, (0, 0), max(sigma, 0.5))
    return np.asarray(fine * np.exp(-np.square(fine / np.float32(STRONG))), np.float32)


def _own_folds(light: Floats, unit: float) -> Floats:
    """Return how dark the face's folds are against what lies around them, 0 or less."""
    near = cv2.GaussianBlur(light, (0, 0), max(NARROW * unit, 0.5))
    dark = np.minimum(near - cv2.GaussianBlur(light, (0, 0), max(WIDE * unit, 1.0)), 0)
    return np.asarray(dark * np.exp(-np.square(dark / np.float32(DEEPEST))), np.float32)
