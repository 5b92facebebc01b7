"""A statistical model of the face: a mean, and how shape and colour go with gender and age.

The axes are regression slopes over 1,014 faces (datasets/README.md says which, and how), so a step
along one changes what goes with it on average and leaves all else, the person above all, as it is.
Lengths are in outer-eye distances of the mean face, colours in CIELAB relative to a face's own mean.

References
----------
.. [1] Rowland & Perrett, "Manipulating Facial Appearance through Shape and Color", IEEE CG&A 15(5), 1995.
.. [2] Cootes, Edwards & Taylor, "Active Appearance Models", IEEE PAMI 23(6), 2001.
.. [3] Gower, "Generalized Procrustes Analysis", Psychometrika 40(1), 1975.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facekit.assets import load_numbers
from facekit.errors import ArrayError
from facekit.lab import to_lab
from facekit.segment import cut_out
from facekit.topology import LEFT_EYE, LEFT_IRIS, RIGHT_EYE, RIGHT_IRIS, SURFACE_POINTS, face_triangles
from facekit.values import FaceMesh, Image, Mask, Matte, Points
from facekit.views import box_of
from facekit.warp import fit_similarity, rasterise, transform_points, warp_piecewise_affine

__all__ = [
    "FittedFace",
    "along",
    "average_shape",
    "fit_face",
    "lay_texture",
    "mean_shape",
    "mean_texture",
    "mirror_shape",
    "move_mesh",
    "project_shape",
    "project_texture",
    "read_colours",
    "read_texture",
    "texture_along",
    "texture_layout",
]

TEXTURE_SIDE = 192  # texels
RIM = 2.0  # pixels around a mesh that its sampling may reach
REMAPPED = 4  # channels that OpenCV remaps at once
ROUNDS = 5  # of generalised Procrustes alignment; three are enough for the sixth digit

Shape = npt.NDArray[np.float32]  # (468, 3): x right, y down, z away, outer-eye distances of the mean
Texture = npt.NDArray[np.float32]  # (192, 192, 3): CIELAB less the face's own mean


@dataclass(frozen=True, slots=True)
class FittedFace:
    """A face as the model sees it: turned to the front, at the mean face's size.

    Parameters
    ----------
    shape : ndarray of shape (468, 3), float32, outer-eye distances of the mean face
        The person's own shape, expression included.
    matrix : ndarray of shape (3, 4), float64
        From the model's space to the picture's pixels and depth.
    """

    shape: Shape
    matrix: npt.NDArray[np.float64]


def mean_shape() -> Shape:
    """Return the mean face, frontal and upright, centred.

    Returns
    -------
    ndarray of shape (468, 3), float32, outer-eye distances
        To the right, down, and away from the viewer.
    """
    return _numbers()["mean"]


def along(*, gender: float = 0.0, age: float = 0.0) -> Shape:
    """Return a step along the axes of shape.

    Parameters
    ----------
    gender : float
        1 is the whole way from the average woman to the average man; negative the other way.
    age : float, years
        Older or, negative, younger.

    Returns
    -------
    ndarray of shape (468, 3), float32, outer-eye distances
        To be added to a shape.

    Examples
    --------
    >>> chin = along(gender=1)[152]
    >>> bool(chin[1] > 0), bool(np.array_equal(along(gender=-1)[152], -chin))
    (True, True)
    """
    numbers = _numbers()
    return np.asarray(gender * numbers["gender"] + age / 10 * numbers["age"], np.float32)


def fit_face(mesh: FaceMesh) -> FittedFace:
    """Turn a face to the front, at the mean face's size, by a least-squares similarity in 3-D.

    Parameters
    ----------
    mesh : FaceMesh
        A face.

    Returns
    -------
    FittedFace
        Its shape, and the way back.

    Raises
    ------
    ArrayError
        All points coincide.

    References
    ----------
    .. [1] Umeyama, IEEE PAMI 13(4), 1991.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_mesh
    >>> one, turned = (fit_face(synthetic_mesh(roll=roll)).shape for roll in (0, 40))
    >>> bool(np.abs(one - turned).max() < 1e-3)
    True
    """
    seen = np.column_stack([mesh.points, mesh.depth])[:SURFACE_POINTS].astype(np.float64)
    matrix = fit_similarity(mean_shape(), seen)
    return FittedFace(transform_points(seen, _inverted(matrix)), matrix)


def project_shape(shape: Shape) -> tuple[float, float]:
    """Say where a shape lies along the axes, by least squares on its symmetric part.

    Parameters
    ----------
    shape : ndarray of shape (468, 3), float32, outer-eye distances
        As `fit_face` gives it.

    Returns
    -------
    gender : float
        0 at the mean face; the average man lies half a step above, the average woman half below.
    age : float, years
        From the mean face.

    Examples
    --------
    >>> gender, age = project_shape(mean_shape() + along(gender=0.5, age=20))
    >>> round(gender, 3), round(age, 2)
    (0.5, 20.0)
    """
    off = (shape + mirror_shape(shape)) / 2 - mean_shape()
    axes = np.stack([along(gender=1).ravel(), along(age=1).ravel()], axis=1)
    gender, age = np.linalg.lstsq(axes.astype(np.float64), off.ravel().astype(np.float64), rcond=None)[0]
    return float(gender), float(age)


def mirror_shape(shape: Shape) -> Shape:
    """Return the shape that a mirror shows.

    Parameters
    ----------
    shape : ndarray of shape (468, 3), float32
        A centred shape.

    Returns
    -------
    ndarray of shape (468, 3), float32
        Landmarks keep their meaning: the right eye is again the right eye.

    Examples
    --------
    >>> bool(np.abs(mirror_shape(mean_shape()) - mean_shape()).max() < 1e-5)
    True
    """
    return np.asarray(shape[_numbers()["mirror"]] * [-1, 1, 1], np.float32)


def average_shape(shapes: Sequence[Shape]) -> Shape:
    """Average shapes by generalised Procrustes alignment, at the mean face's size and place.

    Parameters
    ----------
    shapes : sequence of ndarray of shape (N, 3), float32
        At least one, in any pose and of any size.

    Returns
    -------
    ndarray of shape (N, 3), float32
        Their mean.

    Raises
    ------
    ArrayError
        There is no shape.

    References
    ----------
    .. [1] Gower, Psychometrika 40(1), 1975.

    Examples
    --------
    >>> wide = mean_shape() * [1.1, 1, 1]
    >>> bool(np.ptp(average_shape([mean_shape(), wide]), axis=0)[0] > np.ptp(mean_shape(), axis=0)[0])
    True
    """
    if not len(shapes):
        raise ArrayError("shapes: expected at least one")
    frame = mean_shape()
    middle = frame
    for _ in range(ROUNDS):
        turned = [transform_points(shape, fit_similarity(shape, middle)) for shape in shapes]
        middle = np.asarray(np.mean(turned, axis=0, dtype=np.float64), np.float32)
        middle = transform_points(middle, fit_similarity(middle, frame))
    return middle


def move_mesh(mesh: FaceMesh, step: Shape, *, fitted: FittedFace | None = None) -> FaceMesh:
    """Move a face by a step of the model, in its own pose and expression.

    Parameters
    ----------
    mesh : FaceMesh
        A face.
    step : ndarray of shape (468, 3), float32, outer-eye distances
        For example from `along`.
    fitted : FittedFace, optional
        `fit_face(mesh)`, if it is there already.

    Returns
    -------
    FaceMesh
        The irises go with their eyes; pose, expression and score stay.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_mesh
    >>> mesh = synthetic_mesh()
    >>> bool(move_mesh(mesh, along(gender=2)).points[152, 1] > mesh.points[152, 1])
    True
    """
    turn = (fitted or fit_face(mesh)).matrix[:, :3]
    surface = np.asarray(step, np.float64) @ turn.T
    change = np.zeros((len(mesh.points), 3))
    change[:SURFACE_POINTS] = surface
    for iris, eye in ((RIGHT_IRIS, RIGHT_EYE), (LEFT_IRIS, LEFT_EYE)):
        change[list(iris)] = surface[list(eye)].mean(axis=0)
    points = (mesh.points + change[:, :2]).astype(np.float32)
    depth = (mesh.depth + change[:, 2]).astype(np.float32)
    return replace(mesh, points=points, depth=depth, box=box_of(points))


def read_texture(image: Image, mesh: FaceMesh) -> tuple[Texture, Mask]:
    """Read a face's colours into the model's layout, relative to the face's own mean.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        A picture.
    mesh : FaceMesh
        A face in it.

    Returns
    -------
    texture : ndarray of shape (192, 192, 3), float32
        CIELAB; zero beyond the mesh.
    inside : Mask of shape (192, 192)
        Texels that the mesh covers.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> texture, inside = read_texture(synthetic_face(256), synthetic_mesh(256))
    >>> bool(np.abs(texture[inside].mean(axis=0)).max() < 1e-2)
    True
    """
    lab, inside = _seen(image, mesh)
    lab -= lab[inside].mean(axis=0)
    lab[~inside] = 0
    return lab, inside


def read_colours(image: Image, mesh: FaceMesh, matte: Matte) -> tuple[Texture, Matte]:
    """Read a face's own colours, and a matte over its picture, into the model's layout.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        A picture.
    mesh : FaceMesh
        A face in it.
    matte : Matte of shape (H, W)
        Anything over the picture, for example where there is a beard.

    Returns
    -------
    colours : ndarray of shape (192, 192, 3), float32
        CIELAB, L in 0..100; black beyond the mesh.
    matte : Matte of shape (192, 192)
        To 8 bits; zero beyond the mesh.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face, synthetic_mesh
    >>> everywhere = np.ones((256, 256), np.float32)
    >>> colours, matte = read_colours(synthetic_face(256), synthetic_mesh(256), everywhere)
    >>> bool(matte[96, 96] == 1), bool(colours[96, 96, 0] > 20)
    (True, True)
    """
    part, near, box = cut_out(image, mesh, RIM)
    levels = np.rint(np.clip(matte[box], 0, 1) * 255).astype(np.uint8)
    seen, _ = _carried(np.repeat(levels[..., None], 3, axis=2), near)
    return _seen(part, near)[0], np.asarray(seen[..., 0] / np.float32(255), np.float32)


def texture_along(*, gender: float = 0.0, age: float = 0.0) -> Texture:
    """Return a step along the axes of texture.

    Parameters
    ----------
    gender : float
        1 is the whole way from the average woman to the average man.
    age : float, years
        Older or, negative, younger.

    Returns
    -------
    ndarray of shape (192, 192, 3), float32
        CIELAB, to be added to a texture; zero beyond the mesh.

    Examples
    --------
    >>> step = texture_along(gender=1)
    >>> bool(step[150:, 80:112, 0].mean() < 0)  # men's chins are darker than their own mean
    True
    """
    numbers = _numbers()
    return np.asarray(gender * numbers["texture_gender"] + age / 10 * numbers["texture_age"], np.float32)


def project_texture(texture: Texture, weight: Matte) -> npt.NDArray[np.float64]:
    """Say where a texture lies along the axis of gender, channel by channel, by weighted least squares.

    Parameters
    ----------
    texture : ndarray of shape (192, 192, 3), float32
        As `read_texture` gives it.
    weight : Matte of shape (192, 192)
        Which texels count, and how much; somewhere more than zero.

    Returns
    -------
    ndarray of shape (3,), float64
        For L, a and b: 0 at the mean face; 1 is the whole way from the average woman to the average man.

    Examples
    --------
    >>> texture = mean_texture() + texture_along(gender=0.5)
    >>> project_texture(texture, np.ones((192, 192), np.float32)).round(2).tolist()
    [0.5, 0.5, 0.5]
    """
    axis = texture_along(gender=1).astype(np.float64)
    shares = axis * weight[..., None]
    along_axis = ((texture - mean_texture()) * shares).sum(axis=(0, 1))
    return np.asarray(along_axis / (axis * shares).sum(axis=(0, 1)), np.float64)


def mean_texture() -> Texture:
    """Return the mean face's colours.

    Returns
    -------
    ndarray of shape (192, 192, 3), float32
        CIELAB less the face's own mean; zero beyond the mesh.
    """
    return _numbers()["texture_mean"]


def texture_layout() -> Points:
    """Return where each landmark lies in a texture.

    Returns
    -------
    Points of shape (468, 2), float32, texels
        As (x, y).
    """
    return _numbers()["layout"]


def lay_texture(
    texture: npt.NDArray[np.float32], mesh: FaceMesh, shape: tuple[int, int]
) -> tuple[npt.NDArray[np.float32], tuple[slice, slice]]:
    """Lay a texture on a face.

    Parameters
    ----------
    texture : ndarray of shape (192 k, 192 k, C), float32
        Anything in the model's layout, or in one that is a whole number of times finer.
    mesh : FaceMesh
        The face.
    shape : (rows, cols)
        Size of its picture.

    Returns
    -------
    laid : ndarray of shape (h, w, C), float32
        Zero beside the mesh.
    box : (rows, columns), slices
        The part of the picture that `laid` covers.

    Raises
    ------
    DegenerateMeshError
        The face is flat.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_mesh
    >>> laid, box = lay_texture(texture_along(gender=1), synthetic_mesh(256), (256, 256))
    >>> laid.shape == (box[0].stop - box[0].start, box[1].stop - box[1].start, 3)
    True
    """
    surface = slice(0, SURFACE_POINTS)
    found = rasterise(
        texture_layout(), mesh.points[surface], face_triangles(), shape=shape, depth=mesh.depth[surface]
    )
    finer = len(texture) // TEXTURE_SIDE
    x, y = ((at + np.float32(0.5)) * finer - np.float32(0.5) for at in (found.x, found.y))
    parts = [texture[..., k : k + REMAPPED] for k in range(0, texture.shape[2], REMAPPED)]
    seen = [cv2.remap(np.ascontiguousarray(part), x, y, cv2.INTER_LINEAR) for part in parts]
    laid = np.concatenate([part.reshape(*x.shape, -1) for part in seen], axis=2)
    laid[~found.inside] = 0
    return np.asarray(laid, np.float32), found.box


def _seen(image: Image, mesh: FaceMesh) -> tuple[Texture, Mask]:
    """Return a face's colours in the layout, and which texels the mesh covers."""
    seen, inside = _carried(image, mesh)
    return to_lab(seen), inside


def _carried(image: Image, mesh: FaceMesh) -> tuple[Image, Mask]:
    """Carry a picture from a face onto the layout."""
    points = mesh.points[:SURFACE_POINTS]
    side = TEXTURE_SIDE
    return warp_piecewise_affine(image, points, texture_layout(), face_triangles(), shape=(side, side))


@cache
def _numbers() -> dict[str, npt.NDArray[Any]]:
    """Return the model's arrays, textures in single precision, read-only."""
    numbers = {
        name: value.astype(np.float32) if value.dtype == np.float16 else value
        for name, value in load_numbers("face_axes").items()
    }
    for value in numbers.values():
        value.flags.writeable = False
    return numbers


def _inverted(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Invert a similarity in 3-D."""
    turned = np.linalg.inv(matrix[:, :3])
    return np.column_stack([turned, -turned @ matrix[:, 3]])
