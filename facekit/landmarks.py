"""Faces in a picture: 478 points, blendshapes and pose for each.

The only module that talks to MediaPipe's landmarker. One landmarker is kept per thread and
reused; it is never carried across a fork, where it would hang, and always closed.

References
----------
.. [1] Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile
   GPUs", CVPR Workshop on Computer Vision for AR/VR, 2019.
.. [2] Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs",
   CVPR Workshop on Computer Vision for AR/VR, 2019.
"""

import concurrent.futures.thread  # noqa: F401  (loaded first, on purpose: see _close_all)
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from facekit.errors import ArrayError, ModelError
from facekit.likeness import likeness
from facekit.models import load_model
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

__all__ = ["close_landmarkers", "detect_faces"]

MAX_FACES = 100
MAX_SIDE = 32_000  # pixels; MediaPipe aborts the process on a picture wider than 32,767
SAME_FACE = 0.35  # overlap (intersection over union) above which two meshes are of one face
AGREE = 0.2  # outer-eye distances; meshes closer than this on average say the same
DOUBT = 0.38  # likeness below which a face may be upside down
NO_FACE = 0.15  # likeness below which a mesh that only a search found is thrown away
CANNOT_START = "MediaPipe cannot start: run `facekit doctor` ({})"
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


def close_landmarkers() -> None:
    """Close the calling thread's landmarkers, for instance before the process forks."""
    for held in list(vars(_local).values()):
        held.close()
    vars(_local).clear()


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


class _Held:
    """One landmarker of one thread, closed when the thread or the process ends."""

    def __init__(self, max_faces: int) -> None:
        self._quiet = True  # the first detection chatters too
        self._landmarker = _create(max_faces)
        self._finalizer = weakref.finalize(self, self._landmarker.close)
        self._finalizer.atexit = False  # too late for MediaPipe: see _close_all
        _alive.add(self)

    def detect(self, image: Image) -> Any:
        """Run the network, muted the first time."""
        picture = _mediapipe().Image(
            image_format=_mediapipe().ImageFormat.SRGB, data=np.ascontiguousarray(image)
        )
        if not self._quiet:
            return self._landmarker.detect(picture)
        with _muted_stderr():
            self._quiet = False
            return self._landmarker.detect(picture)

    def close(self) -> None:
        """Close the task."""
        self._finalizer()

    def forget(self) -> None:
        """Drop a task that belongs to the parent process: closing it here would hang."""
        self._finalizer.detach()


_local = threading.local()
_alive: "weakref.WeakSet[_Held]" = weakref.WeakSet()
_inherited: list[_Held] = []  # after a fork: kept, so that no destructor of theirs ever runs
_stderr_lock = threading.Lock()


def _close_all() -> None:
    for held in list(_alive):
        held.close()


# MediaPipe closes tasks through a thread pool, which Python shuts down before `atexit` runs. What
# is registered here, after the pool's own module, runs just before that.
threading._register_atexit(_close_all)  # type: ignore[attr-defined]  # noqa: SLF001


def _after_fork() -> None:
    global _local, _stderr_lock
    _inherited.extend(_alive)
    for held in _inherited:
        held.forget()
    _local, _stderr_lock = threading.local(), threading.Lock()


os.register_at_fork(after_in_child=_after_fork)


@cache
def _mediapipe() -> Any:
    """Import MediaPipe when first needed; it takes longer than everything else together."""
    try:
        with _muted_stderr():  # matplotlib, which it loads, chatters where no home is writable
            import mediapipe
    except (ImportError, OSError) as error:
        raise ModelError(CANNOT_START.format(type(error).__name__)) from error
    return mediapipe


def _create(max_faces: int) -> Any:
    """Start a landmarker."""
    tasks = _mediapipe().tasks
    options = tasks.vision.FaceLandmarkerOptions(
        base_options=tasks.BaseOptions(model_asset_buffer=load_model("face_landmarker")),
        num_faces=max_faces,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    try:
        with _muted_stderr():
            return tasks.vision.FaceLandmarker.create_from_options(options)
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(CANNOT_START.format(type(error).__name__)) from error


@contextmanager
def _muted_stderr() -> Iterator[None]:
    """Hide what native code writes to file descriptor 2; show it after all if the block raises."""
    with _stderr_lock:
        kept = os.memfd_create("stderr") if hasattr(os, "memfd_create") else os.open(os.devnull, os.O_RDWR)
        saved = os.dup(2)
        os.dup2(kept, 2)
        try:
            yield
        except BaseException:
            os.lseek(kept, 0, os.SEEK_SET)
            os.write(saved, os.read(kept, 1 << 16))
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(kept)


def _detect(image: Image, max_faces: int) -> list[FaceMesh]:
    """Run the network once over `image` as it is."""
    held = vars(_local).get(str(max_faces))
    if held is None:
        held = vars(_local)[str(max_faces)] = _Held(max_faces)
    # Clause 1.2.1a: points, scores of expression and a pose; nothing that would tell one person from another.
    found = held.detect(image)
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
