"""The main job: a face from a photo into a template.

detect -> shape -> warp -> colour and light -> mask -> blend, each a few lines over the modules
that do the work. Everything happens in a box around the template's face. Only the copy of the
whole template takes longer in a larger picture, and it is made while the photo is searched.

References
----------
.. [1] Bitouk et al., "Face Swapping: Automatically Replacing Faces in Photographs", ACM Trans.
   Graphics 27(3), 2008.
.. [2] Perez, Gangnet & Blake, "Poisson Image Editing", ACM Trans. Graphics 22(3), 2003.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import cv2
import numpy as np

from facekit.aside import start_aside
from facekit.blend import blend_poisson
from facekit.colour import match_colour, match_light
from facekit.errors import ArrayError, TemplateError
from facekit.finding import find_faces
from facekit.growing import grown
from facekit.place import PADDING, Place, make_place, place_of
from facekit.rasterise import rasterise, signed_areas
from facekit.sampling import SamplingMap, sample, sample_mask
from facekit.segment import cut_out, eye_distance, feature_mask, occluder_mask
from facekit.stopwatch import Progress, Stopwatch
from facekit.topology import (
    INNER_FACE,
    LEFT_EYE,
    LEFT_IRIS,
    RIGHT_EYE,
    RIGHT_IRIS,
    SURFACE_POINTS,
    face_triangles,
)
from facekit.values import EffectResult, FaceMesh, Image, Mask, Matte, Points, Template, as_image
from facekit.views import box_of
from facekit.warp import facing, fit_similarity, transform_points, warp_in_place

__all__ = ["swap_face", "swap_faces"]

KeepMouth = bool | Literal["auto"]
Gaze = Literal["template", "photo"]

FORESHORTENED = 0.25  # of its fair share of the photo's pixels; a triangle with less is seen too edge-on
RELIEF = 0.2  # share of the relief's shift with the pitch that the network leaves out
LIGHT_SCALE = 0.30  # outer-eye distances; shading broader than this is the template's
SHADOW = 0.09  # outer-eye distances around the photo's hair that lie in its shadow
OPEN_MOUTH = 0.12  # lip gap over mouth width above which a mouth is open
REACH = 0.25  # outer-eye distances; how far the blend's correction reaches in from the edge
CLEAR = 0.015  # outer-eye distances kept free around what the photo does not show
SMOOTH = 0.06  # outer-eye distances; bays and capes of the mask narrower than twice this go
HAIR_UNIT = 96  # pixels; a photo whose eyes are further apart is searched for hair in a smaller copy


@dataclass(frozen=True, slots=True)
class Dials:
    """How much of the person goes into the template; see `swap_face`."""

    shape: float = 0.0
    features: float = 1.0
    colour: float = 1.0
    keep_mouth: KeepMouth = "auto"
    gaze: Gaze = "template"

    def __post_init__(self) -> None:
        for name in ("shape", "features", "colour"):
            if not 0 <= getattr(self, name) <= 1:
                raise ArrayError(f"{name}: expected 0 to 1, got {getattr(self, name):g}")
        if self.keep_mouth not in (True, False, "auto"):
            raise ArrayError(f'keep_mouth: expected True, False or "auto", got {self.keep_mouth!r}')
        if self.gaze not in ("template", "photo"):
            raise ArrayError(f'gaze: expected "template" or "photo", got {self.gaze!r}')


def swap_face(
    photo: Image,
    template: Template,
    *,
    face: int = 0,
    slot: int = 0,
    shape: float = 0.0,
    features: float = 1.0,
    colour: float = 1.0,
    keep_mouth: KeepMouth = "auto",
    gaze: Gaze = "template",
    progress: Progress | None = None,
) -> EffectResult:
    """Put a face from `photo` into a slot of `template`.

    Parameters
    ----------
    photo : Image of shape (H, W, 3), uint8
        Picture of a person; never modified.
    template : Template
        As `load_template` returns it; never modified.
    face : int
        Which face of the photo, largest first.
    slot : int
        Which slot of the template, largest first.
    shape : float in [0, 1]
        0 keeps the template's face shape, 1 takes the person's, turned into the template's pose.
    features : float in [0, 1]
        1 shows the person's features, 0 the template's; between, the two melt together.
    colour : float in [0, 1]
        How far the person's skin takes the template's colour and light.
    keep_mouth : bool or "auto"
        Whether what shows between the lips (teeth, tongue) stays the template's. "auto" keeps
        it where the template's mouth is clearly further open than the person's.
    gaze : {"template", "photo"}
        Whose gaze the eyes have.
    progress : function, optional
        Is told the name of each stage, as in `timings`, when it begins.

    Returns
    -------
    EffectResult
        The picture has the template's size; outside `mask` it is bit-equal to the template.
        `faces` holds the photo's face, then the template's.

    Raises
    ------
    NoFaceError
        The photo shows no face.
    FaceIndexError
        The photo has fewer faces than `face` asks for.
    TemplateError
        The template has fewer slots than `slot` asks for.
    ArrayError
        A dial is out of range.

    References
    ----------
    .. [1] Bitouk et al., "Face Swapping", ACM Trans. Graphics 27(3), 2008.

    Examples
    --------
    >>> from facekit import synthetic_face
    >>> from facekit.templates import template_from_picture
    >>> result = swap_face(synthetic_face(256, seed=1), template_from_picture(synthetic_face(256)))
    >>> result.image.shape, list(result.timings)
    ((256, 256, 3), ['detect', 'warp', 'colour', 'mask', 'blend'])
    """
    dials = Dials(shape, features, colour, keep_mouth, gaze)
    return _swap(photo, template, [(face, slot)], dials, progress)


def swap_faces(
    photo: Image,
    template: Template,
    pairs: Sequence[tuple[int, int]],
    *,
    shape: float = 0.0,
    features: float = 1.0,
    colour: float = 1.0,
    keep_mouth: KeepMouth = "auto",
    gaze: Gaze = "template",
    progress: Progress | None = None,
) -> EffectResult:
    """Put several faces of `photo` into several slots of `template`.

    Parameters
    ----------
    photo : Image of shape (H, W, 3), uint8
        Picture of one or more people; never modified.
    template : Template
        As `load_template` returns it; never modified.
    pairs : sequence of (face, slot)
        Which face goes into which slot; each slot at most once.
    shape, features, colour : float in [0, 1]
        As in `swap_face`.
    keep_mouth : bool or "auto"
        As in `swap_face`.
    gaze : {"template", "photo"}
        As in `swap_face`.
    progress : function, optional
        As in `swap_face`; told of a stage once for each pair.

    Returns
    -------
    EffectResult
        `faces` holds the photo's and the template's face of each pair.

    Raises
    ------
    NoFaceError, FaceIndexError, TemplateError, ArrayError
        As in `swap_face`.

    Examples
    --------
    >>> from facekit import synthetic_face
    >>> from facekit.templates import template_from_picture
    >>> photo = synthetic_face(256, seed=1)
    >>> len(swap_faces(photo, template_from_picture(synthetic_face(256)), [(0, 0)]).faces)
    2
    """
    if not pairs or len({slot for _, slot in pairs}) < len(pairs):
        raise ArrayError("pairs: expected at least one, and each slot at most once")
    return _swap(photo, template, pairs, Dials(shape, features, colour, keep_mouth, gaze), progress)


def _swap(
    photo: Image,
    template: Template,
    pairs: Sequence[tuple[int, int]],
    dials: Dials,
    progress: Progress | None,
) -> EffectResult:
    photo = as_image(photo, name="photo")
    watch = Stopwatch(progress)
    for _, slot in pairs:
        if not 0 <= slot < len(template.slots):
            raise TemplateError(f"slot {slot} was asked for; the template has {len(template.slots)}, from 0")
    with watch("detect"):
        copied = start_aside(template.image.copy)
        try:
            people = find_faces(photo, [face for face, _ in pairs])
        finally:
            result = copied()
    changed = np.zeros(result.shape[:2], np.bool_)
    faces: list[FaceMesh] = []
    # Clauses 1.2.2(2), 1.2.3b: the face goes into a copy of the template, which keeps nothing of it.
    for person, (_, slot) in zip(people, pairs, strict=True):
        _swap_one(photo, person, result, changed, place_of(template.slots[slot]), dials, watch)
        faces += (person, template.slots[slot].mesh)
    return EffectResult(result, changed, tuple(faces), MappingProxyType(watch.seconds))


def _swap_one(
    photo: Image,
    person: FaceMesh,
    result: Image,
    changed: Mask,
    slot: Place,
    dials: Dials,
    watch: Stopwatch,
) -> None:
    """Swap one face, in place, in the box around its slot."""
    box = slot.box
    photo, person, _ = cut_out(photo, person, PADDING * eye_distance(person))
    target = result[box]
    if dials.shape > 0:
        with watch("shape"):
            target, slot, reshaped = _reshape(target, person, slot, dials.shape)
            changed[box] |= reshaped
    with watch("warp"):
        warped, valid = _warp(photo, person, slot, dials.gaze)
    with watch("colour"):
        _dress(warped, target, valid, slot, dials.colour)
        _keep_template(warped, target, person, slot, dials)
    with watch("mask"):
        mask = _final_mask(slot, valid)
    with watch("blend"):
        result[box] = blend_poisson(warped, target, mask, reach=REACH * slot.unit)
        changed[box] |= mask


def _reshape(target: Image, person: FaceMesh, slot: Place, amount: float) -> tuple[Image, Place, Mask]:
    """Move the template's face shape towards the person's, the surroundings with it."""
    mesh = slot.mesh
    mine = np.column_stack([person.points, person.depth])
    theirs = np.column_stack([mesh.points, mesh.depth])
    posed = transform_points(mine, fit_similarity(mine[:SURFACE_POINTS], theirs[:SURFACE_POINTS]))
    moved = theirs + np.float32(amount) * (posed - theirs)
    new = replace(mesh, points=moved[:, :2], depth=moved[:, 2], box=box_of(moved[:, :2]))
    triangles = face_triangles()
    shown = triangles[facing(mesh.points, triangles) & facing(new.points, triangles)]
    points = mesh.points[:SURFACE_POINTS], new.points[:SURFACE_POINTS]
    warped, changed = warp_in_place(target, *points, shown)
    masks = np.dstack([slot.mask, slot.occluders, changed]).astype(np.uint8) * 255
    mask, occluders, _ = np.moveaxis(warp_in_place(masks, *points, shown)[0] >= 128, 2, 0)
    return warped, make_place(new, mask, occluders, slot.box), changed


def _warp(photo: Image, person: FaceMesh, slot: Place, gaze: Gaze) -> tuple[Image, Mask]:
    """Carry the person's face onto the slot's mesh; what the photo does not show stays empty."""
    src, dst, irises = _gaze_points(person, slot.mesh, gaze)
    triangles = face_triangles(irises=irises)
    triangles = triangles[facing(dst, triangles)]
    depth = slot.mesh.depth[: len(dst)]
    found = rasterise(src, dst, triangles, shape=slot.mask.shape, depth=depth)
    from_area, to_area = signed_areas(src, triangles), signed_areas(dst, triangles)
    shrink = float(np.sqrt(np.abs(from_area).sum() / to_area.sum()))
    edge_on = from_area <= FORESHORTENED * shrink**2 * to_area
    warped, valid = np.zeros((*slot.mask.shape, 3), np.uint8), np.zeros(slot.mask.shape, np.bool_)
    if found.inside.any() and not edge_on.all():
        warped[found.box] = sample(photo, found, shrink=shrink)
        valid[found.box] = found.inside
        if edge_on.any():
            unseen = rasterise(src, dst, triangles[edge_on], shape=slot.mask.shape, depth=depth)
            valid[unseen.box] &= ~unseen.inside
        valid[found.box] = _without_holes(valid[found.box]) & ~_under_hair(photo, person, found)
    return warped, valid


def _without_holes(mask: Mask) -> Mask:
    """Fill what does not reach the picture's edge: a nostril turned away, a closed mouth."""
    outside = cv2.copyMakeBorder((~mask).view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=[1])
    cv2.floodFill(outside, None, (0, 0), 2)
    return np.asarray(outside[1:-1, 1:-1] != 2)


def _under_hair(photo: Image, person: FaceMesh, found: SamplingMap) -> Mask:
    """Tell where hair or its shadow would be carried; the photo is looked at no closer than needed."""
    factor = max(int(np.ceil(eye_distance(person) / HAIR_UNIT)), 1)
    rows, cols = (side - side % factor or side for side in photo.shape[:2])
    size = max(cols // factor, 1), max(rows // factor, 1)
    small = np.asarray(cv2.resize(photo[:rows, :cols], size, interpolation=cv2.INTER_AREA), np.uint8)
    half = np.float32(0.5)  # pixel centres lie at integers
    points = (person.points + half) / np.float32(factor) - half
    person = replace(person, points=points, box=box_of(points))
    hair = occluder_mask(small, person)
    if not hair.any():
        return np.zeros_like(found.inside)
    hidden = grown(hair, SHADOW * eye_distance(person))
    hidden &= ~feature_mask(person, hidden.shape, reach=0.02)
    x, y = ((place + half) / np.float32(factor) - half for place in (found.x, found.y))
    return sample_mask(hidden, SamplingMap(x, y, found.inside, found.corner))


def _gaze_points(person: FaceMesh, mesh: FaceMesh, gaze: Gaze) -> tuple[Points, Points, bool]:
    """Return matching points, with the irises where both persons' eyes are open."""
    src, dst = person.points.copy(), _relieved(mesh, person)
    eyes = ((RIGHT_EYE, RIGHT_IRIS), (LEFT_EYE, LEFT_IRIS))
    if gaze == "template" and all(_tuck_iris(points, *eye) for points in (src, dst) for eye in eyes):
        return src, dst, True
    return src[:SURFACE_POINTS], dst[:SURFACE_POINTS], False


def _relieved(mesh: FaceMesh, person: FaceMesh) -> Points:
    """Return where the person's features must go so that they are found at the template's points.

    The network draws the points of a face that nods towards where they would be without the
    nod. Between two faces of different pitch that leaves an error along the relief; `RELIEF` of
    it was found by measuring the pitch of results.
    """
    nod = np.radians(mesh.angles()[1] - person.angles()[1])
    relief = mesh.depth - mesh.depth[list(INNER_FACE)].mean()
    moved = mesh.points.copy()
    moved[:, 1] -= np.float32(RELIEF * nod) * relief
    return moved


def _tuck_iris(points: Points, ring: Sequence[int], iris: Sequence[int]) -> bool:
    """Pull an iris' edge points inside its eyelids, in place; False if its centre is not."""
    lids = points[list(ring)]
    (x, y), *edge = points[list(iris)].tolist()
    if cv2.pointPolygonTest(lids, (x, y), True) < 0.5:
        return False
    for index, (to_x, to_y) in zip(iris[1:], edge, strict=True):
        reach = next(
            share
            for share in (1.0, 0.85, 0.7, 0.55, 0.4, 0.25, 0.1, 0.0)
            if cv2.pointPolygonTest(lids, (x + share * (to_x - x), y + share * (to_y - y)), False) > 0
        )
        points[index] = x + 0.9 * reach * (to_x - x), y + 0.9 * reach * (to_y - y)
    return True


def _dress(warped: Image, target: Image, valid: Mask, slot: Place, colour: float) -> None:
    """Give the warped face the template's skin colour, then its broad light and shade, in place."""
    x, y, width, height = cv2.boundingRect(valid.view(np.uint8))
    box = slice(y, y + height), slice(x, x + width)  # all else stays, and need not be looked at
    face, there, where = warped[box], target[box], valid[box]
    skin, area = where & slot.skin[box], where & slot.mask[box] & ~slot.occluders[box]
    if not skin.any() or colour == 0:
        return
    face[:] = match_colour(face, there, skin, amount=colour, where=where)
    face[:] = match_light(face, there, area, sigma=LIGHT_SCALE * slot.unit, amount=colour, where=where)


def _keep_template(dressed: Image, target: Image, person: FaceMesh, slot: Place, dials: Dials) -> None:
    """Let the template show through, in place: all over as `features` asks, and between the lips."""
    matte: Matte = np.zeros((0, 0), np.float32)
    box = slice(0), slice(0)  # nowhere
    if dials.keep_mouth is True or (dials.keep_mouth == "auto" and _mouth_must_stay(person, slot.mesh)):
        matte, box = slot.mouth()
    if dials.features < 1:
        everywhere = np.full(target.shape[:2], 1 - dials.features, np.float32)
        everywhere[box] = np.maximum(everywhere[box], matte)
        matte, box = everywhere, (slice(None), slice(None))
    if matte.size:
        dressed[box] = cv2.blendLinear(dressed[box], target[box], 1 - matte, matte)


def _mouth_must_stay(person: FaceMesh, mesh: FaceMesh) -> bool:
    """Tell whether the template's mouth is open and the person's has too little inside to fill it."""
    theirs = mouth_opening(mesh)
    return theirs > OPEN_MOUTH and mouth_opening(person) < 0.6 * theirs


def mouth_opening(mesh: FaceMesh) -> float:
    """Return the gap between the lips over the width of the mouth."""
    points = mesh.points.astype(np.float64)
    gap, width = points[14] - points[13], points[308] - points[78]
    return float(np.hypot(*gap) / max(np.hypot(*width), 1e-6))


def _final_mask(slot: Place, valid: Mask) -> Mask:
    """Take what the slot shows and the photo fills, clear of hair and holes, in one smooth piece."""
    # The blend looks one pixel beyond the mask: the photo must fill that, too.
    mask = slot.free & grown(valid, -max(CLEAR * slot.unit, 1.5))
    mask = grown(grown(mask, -SMOOTH * slot.unit), SMOOTH * slot.unit)
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    part = mask[y : y + height, x : x + width]
    if part.size:
        _, labels, stats, _ = cv2.connectedComponentsWithStats(part.view(np.uint8), connectivity=4)
        part &= labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return mask
