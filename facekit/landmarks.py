"""Faces in a picture: 478 points, blendshapes and pose for each.

The only module that talks to MediaPipe's landmarker; `tasks.py` keeps one for each thread.

References
----------
.. [1] Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile
   GPUs", CVPR Workshop on Computer Vision for AR/VR, 2019.
.. [2] Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs",
   CVPR Workshop on Computer Vision for AR/VR, 2019.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from facekit.errors import ArrayError
from facekit.likeness import likeness
from facekit.models import load_model
from facekit.tasks import mediapipe, run_task
from facekit.values import Blendshapes, FaceMesh, Image, as_image
from facekit.views import (
    SEARCH_SIDE,
    SMALL_TILES,
    TILES,
    View,
    carry_back,
    close_view,
    look,
    overlap,
    tiles,
    turned,
)

__all__ = ["detect_faces"]

MAX_FACES = 100
MAX_SIDE = 32_000  # pixels; MediaPipe aborts the process on a picture wider than 32,767
SAME_FACE = 0.35  # overlap (intersection over union) above which two meshes are of one face
AGREE = 0.2  # outer-eye distances; meshes closer than this on average say the same
DOUBT = 0.38  # likeness below which a face may be upside down
NO_FACE = 0.15  # likeness below which a mesh that only a search found is thrown away
TILTED = 40.0  # degrees; beyond this roll the network is no longer at its best


def detect_faces(image: Image, *, max_faces: int = 6, thorough: bool = False) -> list[FaceMesh]:
    """Find the faces in `image`, largest first.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    max_faces : int, 1 to 100
        Return at most this many.
    thorough : bool
        Also search overlapping tiles, where small faces show, and the picture turned in its
        plane. This is done by itself, once, where nothing is found otherwise, and the turns
        also where a face lies askew or looks upside down.

    Returns
    -------
    list of FaceMesh
        In pixels of `image`; empty when there is no face.

    Raises
    ------
    ArrayError
        `image` is not a picture, or `max_faces` is out of range.
    ModelError
        The model file is missing or altered, or MediaPipe cannot start.

    Notes
    -----
    Deterministic. Costs one pass of the network where a face is found at once; a thorough
    search makes about 60 passes, and 40 more where these find nothing.

    Examples
    --------
    >>> from facekit import synthetic_face
    >>> (face,) = detect_faces(synthetic_face(256))
    >>> face.points.shape, len(face.blendshapes)
    ((478, 2), 52)
    >>> detect_faces(np.zeros((64, 64, 3), np.uint8))
    []
    """
    image = as_image(image)
    if not 1 <= max_faces <= MAX_FACES:
        raise ArrayError(f"max_faces: expected 1 to {MAX_FACES}, got {max_faces}")
    faces = [] if thorough or max(image.shape) > MAX_SIDE else _detect(image, max_faces)
    if not faces:
        faces = _search(image, max_faces, tiled=True)
    elif any(_is_doubtful(face) for face in faces):
        faces = _search(image, max_faces, tiled=False) or faces
    return sorted(faces, key=_area, reverse=True)[:max_faces]


# -- searching -----------------------------------------------------------------------------


def _search(image: Image, max_faces: int, *, tiled: bool) -> list[FaceMesh]:
    """Look at the whole picture turned by eighths, and at its tiles; failing that, at turned tiles."""
    small, shrunken = look(image, turned(image.shape[1], image.shape[0], 0), side=SEARCH_SIDE)
    wholes = [turned(*shrunken.size, degrees) for degrees in range(0, 360, 45)]
    upright = tiles(wholes[0], TILES + SMALL_TILES) if tiled else []
    faces = _detect_in(small, wholes + upright, max_faces)
    if tiled and not faces:
        faces = _detect_in(small, [tile for whole in wholes[2::2] for tile in tiles(whole)], max_faces)
    kept = _distinct([face for face in faces if face.score > NO_FACE])
    return [_look_closely(image, carry_back(face, shrunken)) for face in kept]


def _detect_in(image: Image, views: list[View], max_faces: int) -> list[FaceMesh]:
    """Detect in every view, and carry what is found back into the picture."""
    faces = []
    for view in views:
        seen, used = look(image, view)
        faces += [carry_back(face, used) for face in _detect(seen, max_faces)]
    return faces


def _look_closely(image: Image, face: FaceMesh) -> FaceMesh:
    """Detect once more in an upright square around the face; keep the first answer if that fails.

    The pose stays that of the wider look: the network takes the middle of what it sees for the
    camera's axis, so only whole pictures give comparable poses.
    """
    again = _detect_in(image, [close_view(face)], 1)
    if not again or overlap(again[0], face) < SAME_FACE:
        return face
    return replace(again[0], pose=face.pose)


def _distinct(faces: list[FaceMesh]) -> list[FaceMesh]:
    """Of meshes over one face keep the one that most others agree with, then the most face-like.

    A true mesh comes back from three neighbouring turns or more; an upside-down one is a
    different mistake at every turn.
    """
    votes = [sum(other.score for other in _agreeing(face, faces)) for face in faces]
    kept: list[FaceMesh] = []
    for _, face in sorted(zip(votes, faces, strict=True), key=lambda pair: (-pair[0], -pair[1].score)):
        if all(overlap(face, other) < SAME_FACE for other in kept):
            kept.append(face)
    return kept


def _agreeing(face: FaceMesh, faces: list[FaceMesh]) -> list[FaceMesh]:
    """Return those of `faces` that say the same as `face`, itself included."""
    x, y = face.points.mean(axis=0)
    reach = AGREE * float(np.hypot(*(face.points[263] - face.points[33])))
    near = [
        other
        for other in faces
        if other.box[0] - reach < x < other.box[2] + reach and other.box[1] - reach < y < other.box[3] + reach
    ]
    return [
        other
        for other in near
        if other is face or float(np.hypot(*(face.points - other.points).T).mean()) < reach
    ]


def _is_doubtful(face: FaceMesh) -> bool:
    across = face.points[263] - face.points[33]
    return face.score < DOUBT or bool(abs(np.degrees(np.arctan2(across[1], across[0]))) > TILTED)


def _area(face: FaceMesh) -> float:
    x0, y0, x1, y1 = face.box
    return (x1 - x0) * (y1 - y0)


# -- MediaPipe -----------------------------------------------------------------------------


def _create(max_faces: int) -> Any:
    """Start a landmarker."""
    tasks = mediapipe().tasks
    options = tasks.vision.FaceLandmarkerOptions(
        base_options=tasks.BaseOptions(model_asset_buffer=load_model("face_landmarker")),
        num_faces=max_faces,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    return tasks.vision.FaceLandmarker.create_from_options(options)


def _detect(image: Image, max_faces: int) -> list[FaceMesh]:
    """Run the network once over `image` as it is."""
    # Clause 1.2.1a: points, scores of expression and a pose; nothing that would tell one person from another.
    found = run_task(f"landmarker of {max_faces}", lambda: _create(max_faces), "detect", image)
    poses = found.facial_transformation_matrixes
    return [
        _from_mediapipe(image, landmarks, categories, pose)
        for landmarks, categories, pose in zip(
            found.face_landmarks, found.face_blendshapes, poses, strict=True
        )
    ]


def _from_mediapipe(image: Image, landmarks: Any, categories: Any, pose: Any) -> FaceMesh:
    height, width = image.shape[:2]
    x, y, z = np.array(
        [[p.x for p in landmarks], [p.y for p in landmarks], [p.z for p in landmarks]], np.float32
    )
    # MediaPipe cuts its square out by OpenCV, so pixel centres lie at whole numbers already.
    x, y = x * np.float32(width), y * np.float32(height)
    points = np.column_stack([x, y])
    box = float(x.min()), float(y.min()), float(x.max()), float(y.max())
    return FaceMesh(
        points=points,
        depth=z * np.float32(width),
        blendshapes=Blendshapes(
            tuple(category.category_name for category in categories),
            np.array([category.score for category in categories], np.float32),
        ),
        pose=np.asarray(pose, np.float32),
        score=likeness(image, points),
        box=box,
    )
