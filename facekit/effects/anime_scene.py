"""What a drawing is made from: the parts of a picture, and their tones.

Everything here is soft and smaller than the picture; what is drawn from it gets its sharp edges at
the picture's own size (`Scene.sharp`).
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from facekit.beard import beard_matte
from facekit.compiled import can_compile, compiled
from facekit.effects.anime_shape import drawn_points
from facekit.glasses import glasses_score
from facekit.growing import grown
from facekit.guided import guided_filter
from facekit.hair import hair_matte
from facekit.ink import edge_flow, flow_smoothed
from facekit.lab import to_lab
from facekit.person import person_matte
from facekit.segment import eye_distance, face_mask, feature_mask
from facekit.threads import beside
from facekit.tone import Tone, to_tone
from facekit.typical import median
from facekit.values import FaceMesh, Image, Mask, Matte
from facekit.views import box_of

__all__ = ["Scene", "look_at", "smoothed_within", "strands"]

UNIT = 110.0  # pixels that an outer-eye distance takes up at most in the smaller copy
SIDE = 600.0  # pixels; the smaller copy's longer side at most
SKIN = 4.0  # relative chroma; how far skin strays from this face's own
FOREHEAD = 0.3  # outer-eye distances that it may reach beyond the oval
COARSE = 2.5  # pixels; a wider Gaussian is taken of a smaller copy
LEAST_WEIGHT = np.float32(1e-4)  # of what lies outside a part: it goes on there as its edge is
EDGE = 0.02  # outer-eye distances over which a part's outline is smoothed

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """The parts of a picture, seen small.

    Parameters
    ----------
    image : Image of shape (h, w, 3)
        The picture, made smaller.
    lab : ndarray of shape (h, w, 3), float32
        The same in CIELAB, with noise taken away.
    mesh, small : FaceMesh
        The face as it will be drawn, in the picture and in the smaller one.
    seen : FaceMesh
        The face as it is, in the smaller picture.
    unit : float, pixels
        Outer-eye distance in the picture.
    scale : float
        Size of the smaller picture over the picture's.
    person, hair, skin, beard : Matte of shape (h, w)
        The parts.
    face : Mask of shape (h, w)
        The face's oval.
    glasses : float
        How sure it is that the person wears glasses.
    shape : (rows, cols)
        Size of the picture.
    """

    image: Image
    lab: Floats
    mesh: FaceMesh
    small: FaceMesh
    seen: FaceMesh
    unit: float
    scale: float
    person: Matte
    hair: Matte
    skin: Matte
    beard: Matte
    face: Mask
    glasses: float
    shape: tuple[int, int]

    def large(self, field: Floats) -> Floats:
        """Stretch a field to the picture's size.

        Parameters
        ----------
        field : ndarray of shape (h, w) or (h, w, 3), float32
            Over the smaller picture.

        Returns
        -------
        ndarray of shape (rows, cols) or (rows, cols, 3), float32
            Over the picture.
        """
        if field.shape[:2] == self.shape:
            return field
        return np.asarray(cv2.resize(field, self.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)

    def sharp(self, field: Floats, *, level: float = 0.5) -> Matte:
        """Cut a soft field at a level, with an outline that is smooth and one pixel wide.

        Parameters
        ----------
        field : ndarray of shape (h, w), float32
            Over the smaller picture; a part's matte, or anything from 0 to 1.
        level : float
            Where to cut.

        Returns
        -------
        Matte of shape (rows, cols)
            Over the picture.
        """
        sigma = max(EDGE * self.unit * self.scale, 0.8)
        soft = cv2.GaussianBlur(field, (0, 0), sigma)
        gain = np.float32(2.5 * sigma / self.scale)
        large = self.large((soft - np.float32(level)) * gain + np.float32(0.5))
        return np.asarray(np.clip(large, 0, 1, out=large), np.float32)


def look_at(image: Image, mesh: FaceMesh) -> Scene:
    """Find a picture's parts.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    mesh : FaceMesh
        The face that is to be drawn.

    Returns
    -------
    Scene
        The parts.
    """
    unit = eye_distance(mesh)
    scale = min(1.0, UNIT / unit, SIDE / max(image.shape[:2]))
    rows, cols = image.shape[:2]
    size = max(round(cols * scale), 1), max(round(rows * scale), 1)
    small = (
        image if scale == 1 else np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    )
    seen = _scaled(mesh, np.array([size[0] / cols, size[1] / rows]))
    face = face_mask(seen, small.shape[:2], margin=0.0)

    def look_closely() -> tuple[Floats, Tone, Floats, Matte, float]:
        return (
            _denoised(small, unit * scale),
            to_tone(np.asarray(cv2.GaussianBlur(small, (0, 0), 0.02 * unit * scale + 0.3), np.uint8)),
            np.asarray(cv2.distanceTransform((~face).view(np.uint8), cv2.DIST_L2, 5), np.float32),
            beard_matte(small, seen),
            glasses_score(image, mesh),
        )

    with beside(look_closely) as closely:
        person = np.maximum(person_matte(small), face.astype(np.float32))
        hair = np.minimum(hair_matte(small, seen), person)
    lab, tone, far, beard, glasses = closely()
    drawn = drawn_points(mesh)
    return Scene(
        image=small,
        lab=lab,
        mesh=drawn,
        small=_scaled(drawn, np.array([size[0] / cols, size[1] / rows])),
        seen=seen,
        unit=unit,
        scale=scale,
        person=person,
        hair=hair,
        skin=_skin(small, seen, person, hair, face, tone, far / eye_distance(seen)),
        beard=beard,
        face=face,
        glasses=glasses,
        shape=(rows, cols),
    )


def smoothed_within(picture: Floats, where: Matte, sigma: float) -> Floats:
    """Smooth what lies in a part; nothing comes in from outside.

    Parameters
    ----------
    picture : ndarray of shape (h, w) or (h, w, 3), float32
        What to smooth.
    where : Matte of shape (h, w)
        The part.
    sigma : float, pixels
        How far.

    Returns
    -------
    ndarray of the picture's shape, float32
        Beyond the part it goes on as its edge is.
    """
    factor = max(int(sigma / COARSE), 1)
    rows, cols = where.shape
    planes = picture.reshape(rows, cols, -1)
    weighted = _weighted(planes, where)
    if factor > 1:
        size = max(cols // factor, 1), max(rows // factor, 1)
        weighted = np.asarray(cv2.resize(weighted, size, interpolation=cv2.INTER_AREA), np.float32)
    soft = np.asarray(cv2.GaussianBlur(weighted, (0, 0), sigma / factor), np.float32)
    mean = _unweighted(soft)
    if factor > 1:
        mean = np.asarray(cv2.resize(mean, (cols, rows)), np.float32)
    return mean.reshape(picture.shape)


def _weighted(picture: Floats, where: Matte) -> Floats:
    """Multiply a picture by weights, and put these behind it; nowhere they are nothing."""
    result = np.empty((*where.shape, picture.shape[2] + 1), np.float32)
    if can_compile():
        _weigh(picture, where, result)
    else:
        result[..., -1] = where + LEAST_WEIGHT
        result[..., :-1] = picture * result[..., -1:]
    return result


def _unweighted(weighted: Floats) -> Floats:
    """Divide by the weights again."""
    if not can_compile():
        return np.asarray(weighted[..., :-1] / weighted[..., -1:], np.float32)
    result = np.empty((*weighted.shape[:2], weighted.shape[2] - 1), np.float32)
    _unweigh(weighted, result)
    return result


@compiled
def _weigh(picture: Floats, where: Matte, weighted: Floats) -> None:
    last = picture.shape[2]
    for row in range(len(picture)):
        for col in range(picture.shape[1]):
            weight = where[row, col] + LEAST_WEIGHT
            for k in range(last):
                weighted[row, col, k] = picture[row, col, k] * weight
            weighted[row, col, last] = weight


@compiled
def _unweigh(weighted: Floats, picture: Floats) -> None:
    last = picture.shape[2]
    for row in range(len(picture)):
        for col in range(picture.shape[1]):
            for k in range(last):
                picture[row, col, k] = weighted[row, col, k] / weighted[row, col, last]


def strands(scene: Scene, sigma: float) -> Floats:
    """Return the hair's lightness, smoothed along its strands.

    Parameters
    ----------
    scene : Scene
        The picture's parts.
    sigma : float, pixels of the smaller picture
        How far along.

    Returns
    -------
    ndarray of shape (h, w), float32
        Lightness.
    """
    unit = scene.unit * scene.scale
    result: Floats = scene.lab[..., 0].copy()
    x, y, width, height = cv2.boundingRect((scene.hair > 0.05).view(np.uint8))
    light = result[y : y + height, x : x + width]
    half = max(width // 2, 1), max(height // 2, 1)  # shapes this broad need no more
    small = cv2.GaussianBlur(
        cv2.resize(light, half, interpolation=cv2.INTER_AREA), (0, 0), 0.006 * unit + 0.3
    )
    light = np.asarray(small, np.float32)
    along = flow_smoothed(light, edge_flow(light, 0.02 * unit + 0.8), sigma / 2)
    result[y : y + height, x : x + width] = cv2.resize(along, (width, height))
    return result


def _scaled(mesh: FaceMesh, factor: npt.NDArray[np.float64]) -> FaceMesh:
    points = ((mesh.points + 0.5) * factor - 0.5).astype(np.float32)
    depth = (mesh.depth * factor[0]).astype(np.float32)
    return replace(mesh, points=points, depth=depth, box=box_of(points))


def _denoised(image: Image, unit: float) -> Floats:
    smooth = cv2.bilateralFilter(image, 5, 32, max(0.02 * unit, 1.2))
    return to_lab(np.asarray(smooth, np.uint8))


def _skin(
    image: Image, mesh: FaceMesh, person: Matte, hair: Matte, face: Mask, tone: Tone, far: Floats
) -> Matte:
    """Find the person's skin: the face, and what is coloured like it."""
    unit = eye_distance(mesh)
    plain = face & ~feature_mask(mesh, face.shape, reach=0.03) & (hair < 0.3)
    usual = median(np.ascontiguousarray(tone[plain if plain.any() else np.ones_like(plain)].T))
    share = (tone[..., 0] + 16) / (usual[0] + 16)
    away = np.hypot(tone[..., 1] - usual[1], tone[..., 2] - usual[2])
    spread = SKIN * np.clip(1 + 3 * (share - 1), 1, 2.5)
    likely = np.exp(-0.5 * (away / spread) ** 2) * np.clip((share - 0.4) / 0.15, 0, 1)
    likely = np.clip(2 * likely - 0.5, 0, 1).astype(np.float32)
    # Ears and neck lie close; far away only what is clearly skin counts, for shirts may be beige.
    likely *= np.clip(1.35 - 0.25 * far, 0, 1)
    found = np.maximum(likely, face.astype(np.float32)) * person * (1 - hair)
    found = guided_filter(image, found, radius=max(0.05 * unit, 2), softness=0.05)
    # Whatever its colour: a little beyond the oval, and the forehead's gloss under the hair.
    above = np.arange(face.shape[0])[:, None] < mesh.points[[105, 334], 1].mean()
    keep = grown(face, 0.02 * unit) | (grown(face, FOREHEAD * unit) & above & (hair < 0.5))
    return np.asarray(np.where(keep, np.maximum(found, 1 - hair), found) * person, np.float32)
