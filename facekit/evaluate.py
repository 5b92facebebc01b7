"""The yardsticks: how near a result is to its template in pose and expression, and to whom in identity.

Every yardstick is a pure function of pictures or meshes. `swap_report` applies them to all pairs of
people and templates.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from facekit.errors import FacekitError, NoFaceError
from facekit.lab import to_lab
from facekit.landmarks import detect_faces
from facekit.swap import swap_face
from facekit.values import EffectResult, FaceMesh, Image, Mask, Template, as_image, as_mask
from facekit.views import square_of

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "SwapRow",
    "describe_face",
    "expression_distance",
    "identity_distance",
    "inner_face_error",
    "pose_error",
    "seam_visibility",
    "swap_report",
]

_OUTER_EYES = (36, 45)  # iBUG numbers of the outer eye corners
_INNER = slice(17, 68)  # iBUG without the jaw line: brows, nose, eyes, mouth


def pose_error(a: FaceMesh, b: FaceMesh) -> tuple[float, float, float]:
    """Return by how much two heads are turned differently.

    Parameters
    ----------
    a, b : FaceMesh
        Two faces.

    Returns
    -------
    tuple of float (3), degrees
        Absolute differences in yaw, pitch and roll, the short way round, in [0, 180].

    Examples
    --------
    >>> from facekit.synthetic import synthetic_mesh
    >>> [round(angle) for angle in pose_error(synthetic_mesh(roll=179), synthetic_mesh(roll=-179))]
    [0, 0, 2]
    """
    difference = np.subtract(a.angles(), b.angles())
    yaw, pitch, roll = np.abs((difference + 180) % 360 - 180)
    return float(yaw), float(pitch), float(roll)


def inner_face_error(result: FaceMesh, template: FaceMesh) -> float:
    """Return how far the inner face lies from where the template has it, without any alignment.

    Parameters
    ----------
    result, template : FaceMesh
        Faces in the same frame of pixels.

    Returns
    -------
    float
        Mean distance over the 51 inner iBUG points (brows, nose, eyes, mouth), as a share of the
        distance between the template's outer eye corners.

    References
    ----------
    .. [1] Sagonas et al., "300 Faces in-the-Wild Challenge", ICCV Workshops, 2013.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_mesh
    >>> inner_face_error(synthetic_mesh(), synthetic_mesh())
    0.0
    """
    there, here = template.ibug68(), result.ibug68()
    left, right = there[list(_OUTER_EYES)]
    distances = np.linalg.norm(here[_INNER] - there[_INNER], axis=1)
    return float(distances.mean() / np.linalg.norm(right - left))


def expression_distance(a: FaceMesh, b: FaceMesh) -> float:
    """Return the distance between two expressions.

    Parameters
    ----------
    a, b : FaceMesh
        Two faces.

    Returns
    -------
    float
        Euclidean distance of their 52 blendshape scores; 0 is the same expression.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_mesh
    >>> expression_distance(synthetic_mesh(), synthetic_mesh())
    0.0
    """
    return float(np.linalg.norm(a.blendshapes.scores - b.blendshapes.scores))


def seam_visibility(image: Image, mask: Mask, *, band: int = 3) -> float:
    """Return the step in colour across the edge of a mask.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The finished picture.
    mask : Mask of shape (H, W)
        Where it was changed.
    band : int, pixels
        Width of the strips that are compared on both sides of the edge.

    Returns
    -------
    float
        Mean CIELAB difference (CIE76) between the two strips along the edge; about 2 is where people
        begin to notice. 0 where the mask has no edge inside the picture.

    Raises
    ------
    ArrayError
        `image` or `mask` has the wrong shape or type.

    References
    ----------
    .. [1] CIE 15:2004, "Colorimetry", section 8.2.1.

    Examples
    --------
    >>> mask = np.zeros((20, 20), np.bool_); mask[5:15, 5:15] = True
    >>> seam_visibility(np.full((20, 20, 3), 90, np.uint8), mask)
    0.0
    """
    image = as_image(image)
    inside = as_mask(mask, shape=image.shape[:2]).astype(np.uint8)
    kernel = np.ones((2 * band + 1, 2 * band + 1), np.uint8)
    outer = cv2.dilate(inside, kernel) > inside
    inner = inside > cv2.erode(inside, kernel)
    edge = inside > cv2.erode(inside, np.ones((3, 3), np.uint8))
    if not edge.any():
        return 0.0
    lab = to_lab(image)
    step = _mean_within(lab, inner, band)[edge] - _mean_within(lab, outer, band)[edge]
    return float(np.linalg.norm(step, axis=1).mean())


def _mean_within(values: "npt.NDArray[Any]", where: Mask, radius: int) -> "npt.NDArray[Any]":
    """Average `values` over the pixels of `where` that lie within `radius`."""
    size = (2 * radius + 1, 2 * radius + 1)
    weight = cv2.blur(where.astype(np.float32), size)
    total = cv2.blur(values * where[..., None].astype(np.float32), size)
    return np.asarray(total / np.maximum(weight, 1e-6)[..., None])


@cache
def _recogniser() -> tuple[Any, Any, Any]:
    """Load dlib, its five-point predictor and its recognition network, once."""
    models = find_spec("face_recognition_models")
    try:
        import dlib  # here, because only the yardstick of identity needs it
    except ImportError:
        dlib = None
    if dlib is None or models is None or not models.submodule_search_locations:
        raise FacekitError("measuring identity needs dlib: pip install 'facekit-reference[dev]'")
    # The package cannot be imported without the retired pkg_resources; its files can be read.
    folder = Path(models.submodule_search_locations[0]) / "models"
    predictor = dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat"))
    network = dlib.face_recognition_model_v1(str(folder / "dlib_face_recognition_resnet_model_v1.dat"))
    return dlib, predictor, network


def describe_face(image: Image, mesh: FaceMesh | None = None) -> "npt.NDArray[np.float64]":
    """Describe whose face it is, by dlib's recognition network.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        A picture with a face.
    mesh : FaceMesh, optional
        The face that is meant. By default, the largest.

    Returns
    -------
    ndarray of shape (128,), float64
        Descriptors of one person lie within about 0.6 of each other.

    Raises
    ------
    NoFaceError
        There is no face.
    FacekitError
        The network is not installed.

    References
    ----------
    .. [1] King, "High quality face recognition with deep metric learning", dlib.net, 2017.

    Examples
    --------
    >>> from facekit import synthetic_face
    >>> describe_face(synthetic_face(256)).shape
    (128,)
    """
    dlib, predictor, network = _recogniser()
    points = (mesh or _largest_face(image)).ibug68()
    # dlib's own detector frames a face as a square from the brows to the chin.
    box = dlib.rectangle(*square_of(points))
    image = np.ascontiguousarray(image)
    return np.asarray(network.compute_face_descriptor(image, predictor(image, box)), np.float64)


def _largest_face(image: Image) -> FaceMesh:
    faces = detect_faces(image)
    if not faces:
        raise NoFaceError("expected a picture with a face, found none")
    return faces[0]


def identity_distance(a: Image, b: Image) -> float:
    """Return how different the people in two pictures look to a face-recognition network.

    Parameters
    ----------
    a, b : Image of shape (H, W, 3), uint8
        Pictures whose largest faces are compared.

    Returns
    -------
    float
        Euclidean distance of descriptors; below 0.6 the network takes them for one person.

    Raises
    ------
    NoFaceError
        A picture has no face.
    FacekitError
        The network is not installed.

    Examples
    --------
    >>> from facekit import synthetic_face
    >>> picture = synthetic_face(256)
    >>> identity_distance(picture, picture)
    0.0
    """
    return float(np.linalg.norm(describe_face(a) - describe_face(b)))


@dataclass(frozen=True, slots=True)
class SwapRow:
    """One person in one template, measured.

    Parameters
    ----------
    person, template : str
        Their names.
    pose : (yaw, pitch, roll), degrees
        Absolute errors against the template's face; infinite where the result has no face.
    inner_face : float
        `inner_face_error` against the template's face.
    expression : float
        `expression_distance` to the template's face.
    seam : float
        `seam_visibility` of the result, less that of the untouched template on the same mask.
    to_person, to_template : float
        Identity distance of the result to the photo's person and to the template's.
    """

    person: str
    template: str
    pose: tuple[float, float, float]
    inner_face: float
    expression: float
    seam: float
    to_person: float
    to_template: float

    @property
    def nearer_to_person(self) -> bool:
        """Whether the result looks more like the photo's person than like the template's."""
        return self.to_person < self.to_template


def swap_report(
    people: Mapping[str, Image],
    templates: Iterable[Template],
    *,
    swap: Callable[[Image, Template], EffectResult] = swap_face,
) -> list[SwapRow]:
    """Swap every person into every template of another person, and measure the results.

    Parameters
    ----------
    people : mapping of str to Image
        Photos by name.
    templates : iterable of Template
        Templates that show a person. One whose name is also in `people` shows that person, and is
        not paired with their photo.
    swap : callable
        What to measure, as ``swap(photo, template)``.

    Returns
    -------
    list of SwapRow
        Template by template, in the order given.

    Raises
    ------
    NoFaceError
        A photo or a template has no face.
    FacekitError
        The network is not installed.

    Examples
    --------
    >>> from facekit import synthetic_face
    >>> swap_report({"anna": synthetic_face(256)}, [])
    []
    """
    known = {name: describe_face(photo) for name, photo in people.items()}
    return [
        _measure(name, known[name], template, swap(photo, template))
        for template in templates
        for name, photo in people.items()
        if name != template.name
    ]


def _measure(
    person: str, descriptor: "npt.NDArray[np.float64]", template: Template, result: EffectResult
) -> SwapRow:
    there = template.slots[0].mesh
    faces = detect_faces(result.image)
    if not faces:
        far = float("inf")
        return SwapRow(person, template.name, (far, far, far), far, far, far, far, 0.0)
    centre = there.points.mean(axis=0)
    here = min(faces, key=lambda face: float(np.linalg.norm(face.points.mean(axis=0) - centre)))
    found = describe_face(result.image, here)
    return SwapRow(
        person,
        template.name,
        pose=pose_error(here, there),
        inner_face=inner_face_error(here, there),
        expression=expression_distance(here, there),
        seam=seam_visibility(result.image, result.mask) - seam_visibility(template.image, result.mask),
        to_person=float(np.linalg.norm(found - descriptor)),
        to_template=float(np.linalg.norm(found - describe_face(template.image, there))),
    )
