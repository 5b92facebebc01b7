"""The values that pass between modules: plain arrays with named shapes, and frozen records.

Arrays are indexed [row, col]; points are (x, y) in pixels, with pixel centres at integers.
Check at the border (`as_*`), trust inside. Inputs are never written to.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from facekit.assets import load_numbers
from facekit.errors import ArrayError
from facekit.once import Once

__all__ = [
    "Blendshapes",
    "EffectResult",
    "FaceMesh",
    "FloatImage",
    "Image",
    "Mask",
    "Matte",
    "Points",
    "Slot",
    "Template",
    "Triangles",
    "as_image",
    "as_mask",
    "as_points",
    "as_triangles",
]

Image: TypeAlias = npt.NDArray[np.uint8]  # (H, W, 3), RGB, sRGB-encoded
FloatImage: TypeAlias = npt.NDArray[np.float32]  # (H, W, 3), 0..255, the region being worked on
Mask: TypeAlias = npt.NDArray[np.bool_]  # (H, W)
Matte: TypeAlias = npt.NDArray[np.float32]  # (H, W) in [0, 1]
Points: TypeAlias = npt.NDArray[np.float32]  # (N, 2) as (x, y)
Triangles: TypeAlias = npt.NDArray[np.int32]  # (T, 3)


def as_image(array: npt.ArrayLike, *, name: str = "image") -> Image:
    """Check that `array` is a picture: (H, W, 3), uint8, not empty.

    Parameters
    ----------
    array : array_like
        What a caller handed in.
    name : str
        What to call it in the error.

    Returns
    -------
    Image of shape (H, W, 3), uint8
        The same memory where possible.

    Raises
    ------
    ArrayError
        The shape or type differs.

    Examples
    --------
    >>> as_image(np.zeros((2, 3, 3), np.uint8)).shape
    (2, 3, 3)
    """
    result = np.asarray(array)
    if result.ndim != 3 or result.shape[2] != 3 or 0 in result.shape:
        raise ArrayError(f"{name}: expected shape (H, W, 3), got {result.shape}")
    if result.dtype != np.uint8:
        raise ArrayError(f"{name}: expected uint8, got {result.dtype}")
    return result


def as_mask(array: npt.ArrayLike, *, shape: tuple[int, ...] | None = None, name: str = "mask") -> Mask:
    """Check that `array` is a mask: (H, W), bool, of the wanted shape.

    Parameters
    ----------
    array : array_like
        What a caller handed in.
    shape : (rows, cols), optional
        The shape that it must have.
    name : str
        What to call it in the error.

    Returns
    -------
    Mask of shape (H, W)
        The same memory where possible.

    Raises
    ------
    ArrayError
        The shape or type differs.

    Examples
    --------
    >>> as_mask(np.ones((2, 3), bool), shape=(2, 3)).sum().item()
    6
    """
    result = np.asarray(array)
    if result.dtype != np.bool_:
        raise ArrayError(f"{name}: expected bool, got {result.dtype}")
    if result.ndim != 2 or (shape is not None and result.shape != tuple(shape)):
        raise ArrayError(f"{name}: expected shape {shape or '(H, W)'}, got {result.shape}")
    return result


def as_points(array: npt.ArrayLike, *, name: str = "points") -> Points:
    """Check that `array` holds points: (N, 2), finite; float32 comes back.

    Parameters
    ----------
    array : array_like
        What a caller handed in.
    name : str
        What to call it in the error.

    Returns
    -------
    Points of shape (N, 2), float32
        Converted where needed.

    Raises
    ------
    ArrayError
        The shape differs, or a coordinate is not finite.

    Examples
    --------
    >>> as_points([[1, 2]]).dtype
    dtype('float32')
    """
    result = np.asarray(array)
    if result.ndim != 2 or result.shape[1] != 2:
        raise ArrayError(f"{name}: expected shape (N, 2), got {result.shape}")
    if result.dtype.kind not in "iuf":
        raise ArrayError(f"{name}: expected numbers, got {result.dtype}")
    result = result.astype(np.float32, copy=False)
    if not np.isfinite(result).all():
        raise ArrayError(f"{name}: expected finite coordinates")
    return result


def as_triangles(array: npt.ArrayLike, *, points: int, name: str = "triangles") -> Triangles:
    """Check that `array` holds triangles: (T, 3), integer, every index below `points`.

    Parameters
    ----------
    array : array_like
        What a caller handed in.
    points : int
        Number of vertices that the rows may index.
    name : str
        What to call it in the error.

    Returns
    -------
    Triangles of shape (T, 3), int32
        Converted where needed.

    Raises
    ------
    ArrayError
        The shape or type differs, or an index is out of range.

    Examples
    --------
    >>> as_triangles([[0, 1, 2]], points=3).dtype
    dtype('int32')
    """
    result = np.asarray(array)
    if result.ndim != 2 or result.shape[1] != 3:
        raise ArrayError(f"{name}: expected shape (T, 3), got {result.shape}")
    if result.dtype.kind not in "iu":
        raise ArrayError(f"{name}: expected integers, got {result.dtype}")
    if result.size and (int(result.min()) < 0 or int(result.max()) >= points):
        raise ArrayError(f"{name}: expected indices from 0 to {points - 1}")
    return result.astype(np.int32, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class Blendshapes(Mapping[str, float]):
    """The 52 expression scores of a face, by name, each in [0, 1].

    Parameters
    ----------
    names : tuple of str
        Such as ``"jawOpen"``, ``"mouthSmileLeft"``.
    scores : ndarray of shape (52,), float32
        One score a name.

    Examples
    --------
    >>> Blendshapes(("jawOpen",), np.array([0.25], np.float32))["jawOpen"]
    0.25
    """

    names: tuple[str, ...]
    scores: npt.NDArray[np.float32]

    def __getitem__(self, name: str) -> float:
        """Return the score of `name`."""
        try:
            return float(self.scores[self.names.index(name)])
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self.names)

    def __len__(self) -> int:
        """Return the number of scores."""
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class FaceMesh:
    """One face: where its 478 points lie, how it is turned, what it expresses.

    Parameters
    ----------
    points : Points of shape (478, 2), float32, pixels
        MediaPipe's canonical order: 468 of the surface, then 5 for each iris.
    depth : ndarray of shape (478,), float32, pixels
        Distance along the line of sight, in the scale of `points`; smaller is nearer.
    blendshapes : Blendshapes
        52 named scores.
    pose : ndarray of shape (4, 4), float32
        Metric head pose: rotation, and translation in centimetres (x right, y up, z towards the viewer).
    score : float
        How much the picture under the mesh looks like the mean face, in [0, 1]; doubtful under 0.38.
    box : (x0, y0, x1, y1), pixels
        Tight box around `points`.
    """

    points: Points
    depth: npt.NDArray[np.float32]
    blendshapes: Blendshapes
    pose: npt.NDArray[np.float32]
    score: float
    box: tuple[float, float, float, float]

    def angles(self) -> tuple[float, float, float]:
        """Return how the head is turned: yaw, pitch and roll.

        Returns
        -------
        yaw : float, degrees in [-180, 180]
            Nose to the picture's right.
        pitch : float, degrees in [-90, 90]
            Nose down.
        roll : float, degrees in [-180, 180]
            Clockwise. Yaw is turned first and roll last, about fixed axes.

        Examples
        --------
        >>> from facekit.synthetic import synthetic_mesh
        >>> [round(angle, 3) for angle in synthetic_mesh(64, yaw=20, pitch=10, roll=-5).angles()]
        [20.0, 10.0, -5.0]
        """
        rotation = self.pose[:3, :3].astype(np.float64)
        rotation /= np.linalg.norm(rotation, axis=0)
        yaw = np.arctan2(-rotation[2, 0], rotation[2, 2])
        pitch = np.arcsin(np.clip(rotation[2, 1], -1, 1))
        roll = np.arctan2(rotation[0, 1], rotation[1, 1])
        return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))

    def ibug68(self) -> Points:
        """Return the 68 points that the literature measures (iBUG 300-W order).

        Returns
        -------
        Points of shape (68, 2), float32, pixels
            A linear map of the mesh, so it commutes with any affine change of the picture.

        References
        ----------
        .. [1] Sagonas et al., "300 Faces in-the-Wild Challenge", ICCV Workshops, 2013.

        Examples
        --------
        >>> from facekit.synthetic import synthetic_mesh
        >>> synthetic_mesh(64).ibug68().shape
        (68, 2)
        """
        weights = load_numbers("ibug68")["weights"].astype(np.float64)
        return np.asarray(weights @ self.points.astype(np.float64), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A place for a face in a template.

    Parameters
    ----------
    mesh : FaceMesh
        The face that is there now.
    mask : Mask of shape (H, W)
        Where the new face may show.
    occluders : Mask of shape (H, W)
        What lies in front of the face and stays: hair, a visor's rim, a hand.

    Notes
    -----
    `kept` holds what the first swap works out about the slot for those that follow. It goes with
    the slot, is never pickled, and starts anew in what `dataclasses.replace` makes.
    """

    mesh: FaceMesh
    mask: Mask
    occluders: Mask
    kept: Once = field(default_factory=Once, init=False, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A picture with slots for faces, and whom to thank for it.

    Parameters
    ----------
    name : str
        Short name, as on the command line.
    image : Image of shape (H, W, 3), uint8
        The picture.
    slots : tuple of Slot
        Largest first.
    title, credit, licence : str
        For people; `licence` is an SPDX identifier or "public domain".
    """

    name: str
    image: Image
    slots: tuple[Slot, ...]
    title: str = ""
    credit: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class EffectResult:
    """What an effect made.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The finished picture.
    mask : Mask of shape (H, W)
        Where it differs from what went in; outside it is bit-equal.
    faces : tuple of FaceMesh
        The faces that were worked on.
    timings : Mapping of str to float
        Seconds by stage, in order.
    """

    image: Image
    mask: Mask
    faces: tuple[FaceMesh, ...]
    timings: Mapping[str, float]
