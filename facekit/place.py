"""The template's half of a swap: all that follows from a slot alone, worked out once per slot."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from facekit.growing import grown
from facekit.once import Once
from facekit.segment import cut_out, eye_distance, feature_mask, inner_mouth_mask
from facekit.values import FaceMesh, Mask, Matte, Slot

__all__ = ["PADDING", "Place", "make_place", "place_of"]

PADDING = 0.6  # outer-eye distances around the face's box that the work is done in
SOFT_MOUTH = 0.025  # outer-eye distances; softness of the kept mouth's edge
CLEAR = 0.015  # outer-eye distances kept free around hair and other occluders

Box = tuple[slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A slot in the box around its face.

    Parameters
    ----------
    box : (rows, cols)
        Where the box lies in the template.
    mesh : FaceMesh
        The face as seen in the box; so are all masks.
    mask, occluders : Mask of shape (h, w)
        As in `Slot`; views.
    skin : Mask of shape (h, w)
        What the slot shows of the face, but for eyes, brows, lips and nose.
    free : Mask of shape (h, w)
        What the slot shows, clear of occluders.
    unit : float, pixels
        The outer-eye distance.
    """

    box: Box
    mesh: FaceMesh
    mask: Mask
    occluders: Mask
    skin: Mask
    free: Mask
    unit: float
    _mouth: Once = field(default_factory=Once, init=False, repr=False)

    def mouth(self) -> tuple[Matte, Box]:
        """Return the inner mouth with a soft edge.

        Returns
        -------
        matte : Matte of shape (h, w)
            Over the mouth's box.
        box : (rows, cols)
            Where that lies.
        """
        return self._mouth.get(lambda: _mouth_matte(self.mesh, self.mask.shape, self.unit))


def place_of(slot: Slot) -> Place:
    """Return a slot's place; it is worked out once, held by the slot, and goes with it.

    Parameters
    ----------
    slot : Slot
        Of a template; never modified.

    Returns
    -------
    Place
        The same one every time.
    """
    return slot.kept.get(lambda: _place_of(slot))


def _place_of(slot: Slot) -> Place:
    _, mesh, box = cut_out(slot.mask, slot.mesh, PADDING * eye_distance(slot.mesh))
    return make_place(mesh, slot.mask[box], slot.occluders[box], box)


def make_place(mesh: FaceMesh, mask: Mask, occluders: Mask, box: Box) -> Place:
    """Work a place out.

    Parameters
    ----------
    mesh : FaceMesh
        The face as seen in the box.
    mask, occluders : Mask of shape (h, w)
        As in `Slot`, within the box.
    box : (rows, cols)
        Where the box lies in the template.

    Returns
    -------
    Place
        It holds nothing of any picture.
    """
    unit = eye_distance(mesh)
    features = feature_mask(mesh, (mask.shape[0], mask.shape[1]))
    shown = mask & ~occluders
    free = shown & (~grown(occluders, CLEAR * unit) | features)
    return Place(box, mesh, mask, occluders, shown & ~features, free, unit)


def _mouth_matte(mesh: FaceMesh, shape: tuple[int, ...], unit: float) -> tuple[Matte, Box]:
    soft = max(SOFT_MOUTH * unit, 0.5)
    mouth = inner_mouth_mask(mesh, (shape[0], shape[1])).view(np.uint8)
    x, y, width, height = cv2.boundingRect(mouth)
    pad = int(np.ceil(4 * soft))
    box = slice(max(y - pad, 0), y + height + pad), slice(max(x - pad, 0), x + width + pad)
    return np.asarray(cv2.GaussianBlur(mouth[box].astype(np.float32), (0, 0), soft)), box
