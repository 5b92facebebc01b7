"""Where the hair of a head is, told by the face's own evidence.

No network knows hair here. What lies on the head above the forehead's rim and is no skin teaches the
colours of hair; skin, clothes and background teach the other colours; where something lies says the
rest: hair crowns the head, may hang beside the cheeks, and reaches the shoulders only from there.

References
----------
.. [1] Yacoob & Davis, "Detection and Analysis of Hair", IEEE PAMI 28(7), 2006, for seeds around the
   face and growth from them.
.. [2] Rother, Kolmogorov & Blake, "GrabCut", ACM Trans. Graphics 23(3), 2004, for colour models that
   are learnt again from what they found.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facekit.framing import Framed, frame_head
from facekit.growing import grown
from facekit.guided import guided_filter
from facekit.lab import to_lab
from facekit.person import person_matte
from facekit.segment import eye_distance, face_mask, feature_mask
from facekit.threads import beside
from facekit.tone import to_tone
from facekit.topology import LEFT_BROW, RIGHT_BROW
from facekit.typical import median
from facekit.values import FaceMesh, Image, Mask, Matte, as_image

__all__ = ["hair_matte"]

BINS = 32  # of each of L, a and b in the histograms of colour
SPREAD = 1.0  # bins; how far a colour that was seen vouches for its neighbours
FLOOR = 2e-6  # share of a class's pixels that any colour may have by chance
ROUNDS = 3  # of learning colours and finding them again
CROWN = 0.34  # outer-eye distances above the face's oval where hair is looked for first
RIM = 0.05  # outer-eye distances beside the oval that are skin as likely as hair
LEAST_SEED = 0.12  # of the crown that must be no skin, or the head is bald
TRUST = 0.7  # of the colours' evidence; neighbouring pixels are not independent
SMOOTH = 0.10  # outer-eye distances over which neighbours agree
LONG = 0.30  # share of the strip beside the neck that is hair where hair is long
SKINLIKE = np.array([26.0, 7.0, 8.0], np.float32)  # L, a, b from the skin's own colour that is still skin
SKIN_SPREAD = 3.0  # relative chroma; how far skin strays from its own usual
SKIN_PEAK = 0.012  # share of a face's skin that one cell of the histogram holds
GLOSS = 0.3  # outer-eye distances above the oval up to which a bald forehead may shine
FRAME_EDGE = 0.03  # outer-eye distances, in the picture, to which the edges are refined

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Colours:
    """What is known of a head before anybody says where the person is.

    Parameters
    ----------
    cells : ndarray of shape (h, w), int64
        Each pixel's cell in the histograms.
    oval, skinlike, glare : Mask of shape (h, w)
        The face's oval; what looks like its skin; its gloss.
    skin : ndarray of shape (h, w), float32
        How likely each pixel's colour is for skin.
    prior : ndarray of shape (h, w), float32
        Log odds of hair by place alone.
    """

    cells: npt.NDArray[np.int64]
    oval: Mask
    skinlike: Mask
    glare: Mask
    skin: Floats
    prior: Floats


def hair_matte(image: Image, mesh: FaceMesh) -> Matte:
    """Find the hair on a head: on the crown, over the forehead, beside the cheeks, on the shoulders.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    mesh : FaceMesh
        A face in it.

    Returns
    -------
    Matte of shape (H, W)
        1 on hair; brows and beard are not hair. Nearly empty for a bald head. A hat is taken for hair.

    Raises
    ------
    ArrayError
        `image` is not a picture.
    ModelError
        The model file of `person_matte` is missing or altered, or MediaPipe cannot start.

    References
    ----------
    .. [1] Yacoob & Davis, "Detection and Analysis of Hair", IEEE PAMI 28(7), 2006.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> mesh = synthetic_mesh(192)
    >>> hair = hair_matte(synthetic_face(192), mesh)
    >>> x, y = mesh.points[10].astype(int)  # the top of the forehead
    >>> bool(hair[y - 16, x] > 0.8), bool(hair[y + 20, x] < 0.2)
    (True, True)
    """
    image = as_image(image)
    framed = frame_head(image, mesh)
    with beside(partial(_look_at, framed)) as colours:
        person = _people(framed)
    found = _found(framed, person, colours())
    back = framed.carry_back(found, image.shape[:2])
    rows, cols = _box(back)
    if rows.stop <= rows.start:
        return back
    reach = max(FRAME_EDGE * eye_distance(mesh), 2.0)
    back[rows, cols] = guided_filter(image[rows, cols], back[rows, cols], radius=reach)
    return back


def _people(framed: Framed) -> Matte:
    """Find the person; where the network sees nobody in the face, a head's shape must do."""
    person = person_matte(framed.image)
    if person[face_mask(framed.mesh, person.shape)].mean() > 0.7:
        return person
    x, y = framed.places
    head = np.clip(4 - 4 * np.hypot(x / 1.05, (y - 0.1) / 1.45), 0, 1)
    return np.asarray(np.maximum(person, head), np.float32)


def _look_at(framed: Framed) -> Colours:
    """Tell what the picture's colours and the face's place say of each pixel."""
    smooth = np.asarray(cv2.bilateralFilter(framed.image, 5, 20, 3), np.uint8)
    lab = to_lab(smooth)
    oval = face_mask(framed.mesh, framed.image.shape[:2], margin=0.0)
    skinlike, glare, skin = _skinlike(smooth, lab, framed.mesh, oval)
    return Colours(_cells(lab), oval, skinlike, glare, skin, _prior(framed, oval))


def _found(framed: Framed, person: Matte, colours: Colours) -> Matte:
    """Learn colours, find them, and learn again from what was found."""
    mesh, shape = framed.mesh, framed.image.shape[:2]
    cells, oval, skinlike, glare = colours.cells, colours.oval, colours.skinlike, colours.glare
    features = feature_mask(mesh, shape, reach=0.04)
    crown = (
        (_crown(framed, oval) | (oval & _fringe_zone(framed) & ~features)) & (person > 0.6) & framed.inside
    )
    seeds = crown & ~skinlike & ~glare
    if seeds.sum() < LEAST_SEED * crown.sum():
        seeds = crown & False
    sure_skin = oval & skinlike
    x, y = framed.places
    hair = seeds.astype(np.float32)
    dressed = np.clip((y - 0.8) / 0.5, 0, 1)  # no clothes over the chin
    neck = (y > 1.3) & (np.abs(x) < 0.25) & framed.inside
    behind = 0.5 * (1 - person) * _density(cells, framed.inside & (person < 0.2))
    body = (person > 0.6) & (y > 1.75) & framed.inside
    long = np.zeros(2)
    for _ in range(ROUNDS):
        if hair.sum() < 0.01 * framed.unit**2:
            return np.zeros(shape, np.float32)
        clothes = body & (hair < 0.5)
        clothes &= ~((x < -0.3) & (long[0] > LONG)) & ~((x > 0.3) & (long[1] > LONG)) | (y > 2.6) | neck
        other = 0.6 * _density(cells, sure_skin & ~features & (hair < 0.5)) + 0.4 * colours.skin
        other = np.maximum(other, 0.6 * dressed * _density(cells, clothes))
        other = np.maximum(other, behind)
        ratio = np.log(_density(cells, hair * ~(skinlike & ~seeds))) - np.log(other)
        score = TRUST * ratio + colours.prior + _reach_down(framed, long)
        hair = person * (1 / (1 + np.exp(-score)))
        hair[(features & oval) | glare] = 0
        hair = guided_filter(framed.image, hair, radius=SMOOTH * framed.unit, softness=0.05)
        hair = _connected(hair, crown)
        long = _length(framed, hair, person)
    return np.asarray(np.clip((hair - 0.2) / 0.6, 0, 1) * person, np.float32)


# -- where ---------------------------------------------------------------------------------


def _crown(framed: Framed, oval: Mask) -> Mask:
    """Mark a band above the forehead's rim, from temple to temple."""
    y = framed.places[1]
    top = framed.mesh.points[10, 1] / framed.unit + y[0, 0]
    band = grown(oval, CROWN * framed.unit) & ~grown(oval, RIM * framed.unit)
    return np.asarray(band & (y < 0.35 * top))


def _fringe_zone(framed: Framed) -> Mask:
    """Mark the forehead's upper half, where what looks like skin may be fair hair."""
    y = framed.places[1]
    brows = framed.mesh.points[[*LEFT_BROW, *RIGHT_BROW], 1].min() / framed.unit + y[0, 0]
    return np.asarray(y < brows - 0.12)


def _prior(framed: Framed, oval: Mask) -> Floats:
    """Return log odds of hair by place alone."""
    x, y = framed.places
    away = _distance(~oval) / framed.unit  # from the oval, outside
    within = _distance(oval) / framed.unit  # from its rim, inside
    aside = np.clip((y - 0.1) / 0.5, 0, 1)  # 0 over the eyes, 1 beside the mouth
    far = np.clip(away - 0.55, 0, None)
    outside = 1.2 - 0.9 * aside - 1.8 * far * (0.6 + aside)
    outside -= 1.2 * np.clip(1 - away / 0.2, 0, 1)  # the oval ends a little under the hair
    outside -= 4.0 * np.clip((y - 0.9) / 0.4, 0, 1) * np.clip((0.65 - np.abs(x)) / 0.2, 0, 1)  # the neck
    brow = framed.mesh.points[[*LEFT_BROW, *RIGHT_BROW], 1].min() / framed.unit + y[0, 0]
    below_brow = np.clip((y - brow + 0.1) / 0.15, 0, 1)
    nose = framed.mesh.points[4, 1] / framed.unit + y[0, 0]
    beard = np.clip((y - nose) / 0.15, 0, 1)
    inside = -0.6 - 1.6 * below_brow - (3.0 + 1.5 * below_brow) * within - 2.0 * beard
    return np.asarray(np.where(oval, inside, outside), np.float32)


def _reach_down(framed: Framed, long: npt.NDArray[np.float64]) -> Floats:
    """Return log odds by place below the jaw: hair goes on there only where it hangs beside the neck."""
    x, y = framed.places
    below = np.clip((y - 1.15) / 0.35, 0, 1)
    side = np.clip(0.5 + x / 0.5, 0, 1)
    hangs = (1 - side) * (long[0] > LONG) + side * (long[1] > LONG)
    return np.asarray(below * (1.2 * hangs - 4.0 * (1 - hangs)), np.float32)


def _length(framed: Framed, hair: Matte, person: Matte) -> npt.NDArray[np.float64]:
    """Measure on either side how much of the strip beside jaw and neck is hair, of what is there."""
    x, y = framed.places
    strip = (y > 0.85) & (y < 1.2) & (np.abs(x) > 0.45) & (np.abs(x) < 1.2) & framed.inside
    room = framed.unit**2 * 0.06
    return np.array(
        [float(hair[strip & side].sum() / max(person[strip & side].sum(), room)) for side in (x < 0, x > 0)]
    )


def _connected(hair: Matte, crown: Mask) -> Matte:
    """Keep what hangs together with the crown."""
    _, labels = cv2.connectedComponents((hair > 0.35).astype(np.uint8))
    sizes = np.bincount(labels[crown], minlength=int(labels.max()) + 1)
    sizes[0] = 0
    kept = sizes > 0.02 * max(crown.sum(), 1)
    return np.asarray(hair * (kept[labels] | (hair <= 0.35)), np.float32)


# -- colours -------------------------------------------------------------------------------


def _skinlike(image: Image, lab: Floats, mesh: FaceMesh, oval: Mask) -> tuple[Mask, Mask, Floats]:
    """Tell what looks like this face's skin, what its gloss is, and how likely each colour is for it."""
    middle = grown(oval, -0.1 * eye_distance(mesh)) & ~feature_mask(mesh, oval.shape, reach=0.03)
    below_brows = np.arange(oval.shape[0])[:, None] > mesh.points[[105, 334], 1].mean()
    where = middle & below_brows if (middle & below_brows).any() else np.ones_like(oval)
    colour = median(np.ascontiguousarray(lab[where].T))
    bright = np.percentile(lab[where][:, 0], 95)
    red, yellow = ((lab[..., k] - colour[k]) / SKINLIKE[k] for k in (1, 2))
    light = (lab[..., 0] > colour[0] - SKINLIKE[0]) & (lab[..., 0] < bright + 10)
    # Nothing bright hangs into a face; and above it, what is bright is gloss where the hair is dark.
    brim = grown(oval, GLOSS * eye_distance(mesh))
    crown = grown(oval, 1.6 * GLOSS * eye_distance(mesh)) & ~brim
    crown &= np.arange(oval.shape[0])[:, None] < mesh.points[10, 1]
    dark = crown.any() and np.percentile(lab[crown][:, 0], 40) < colour[0] - 8
    glare = (brim if dark else oval) & (lab[..., 0] > colour[0])
    alike = light & (np.hypot(red, yellow) < 1)
    # Less light scales L + 16, a and b alike: skin in the shade keeps its place in the plane of chroma.
    tone = to_tone(image)
    usual = median(np.ascontiguousarray(tone[where].T))
    # Gloss is as white as the lamp: what is brighter than the skin may be paler.
    share = (tone[..., 0] + 16) / (usual[0] + 16)
    spread = SKIN_SPREAD * np.clip(1 + 4 * (share - 1), 1, 3)
    away = np.hypot(tone[..., 1] - usual[1], tone[..., 2] - usual[2]) / spread
    lit = np.clip((share - 0.48) / 0.12, 0, 1) * np.clip((1.6 - share) / 0.2, 0, 1)
    return np.asarray(alike), glare, np.asarray(SKIN_PEAK * lit * np.exp(-0.5 * away**2), np.float32)


def _cells(lab: Floats) -> npt.NDArray[np.int64]:
    """Return the number of each pixel's cell in the histograms."""
    level = np.clip(lab[..., 0] / 100 * BINS, 0, BINS - 1).astype(np.int64)
    red, yellow = (np.clip(lab[..., k] / 4 + BINS / 2, 0, BINS - 1).astype(np.int64) for k in (1, 2))
    return np.asarray((level * BINS + red) * BINS + yellow)


def _density(cells: npt.NDArray[np.int64], share: npt.NDArray[Any]) -> Floats:
    """Return how often the colour of each pixel is found among the pixels of a class."""
    counts = np.bincount(cells.ravel(), share.ravel().astype(np.float64), minlength=BINS**3)
    cube = counts.astype(np.float32).reshape(BINS, BINS, BINS)
    for taps in (7, 5, 5):  # along the first axis, which then becomes the last
        soft = cv2.GaussianBlur(cube.reshape(BINS, -1), (1, taps), sigmaX=SPREAD, sigmaY=SPREAD)
        cube = np.ascontiguousarray(np.moveaxis(soft.reshape(BINS, BINS, BINS), 0, 2))
    total = max(float(share.sum()), 1.0)
    return np.asarray(np.take(cube / np.float32(total) + np.float32(FLOOR), cells), np.float32)


def _distance(mask: Mask) -> Floats:
    return np.asarray(cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))


def _box(matte: Matte) -> tuple[slice, slice]:
    x, y, width, height = cv2.boundingRect((matte > 0.01).view(np.uint8))
    pad = 8
    return slice(max(y - pad, 0), y + height + (pad if height else 0)), slice(
        max(x - pad, 0), x + width + pad
    )
