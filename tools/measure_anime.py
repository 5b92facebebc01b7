"""Measure `animefy` over a folder of portraits: whom a network sees in the drawings, and what it costs.

    python tools/measure_anime.py FOLDER

Prints, per style: in how many drawings a face is found again; for how many the drawing's nearest photo
of all is that person's (and among the nearest five), by dlib's network, and by the shape of the face that
is found in the drawing, turned to the front; then the time at 1024 pixels as a multiple of `detect_faces`.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import numpy.typing as npt

from facekit.codec import read_image
from facekit.effects.anime import Style, animefy
from facekit.evaluate import describe_face
from facekit.face_model import fit_face
from facekit.landmarks import detect_faces
from facekit.synthetic import synthetic_face
from facekit.values import FaceMesh, Image

STYLES: tuple[Style, ...] = ("cel", "ink")


def rank(
    photos: npt.NDArray[np.float64], drawings: npt.NDArray[np.float64], own: list[int]
) -> tuple[float, float]:
    """Return the shares of drawings whose own photo is the nearest, and among the nearest five."""
    away = np.linalg.norm(drawings[:, None] - photos[None], axis=2)
    place = (away < away[np.arange(len(own)), own][:, None]).sum(axis=1)
    return float((place == 0).mean()), float((place < 5).mean())


def shapes(meshes: list[FaceMesh]) -> npt.NDArray[np.float64]:
    """Return faces' shapes less their own mean: what a style does to all of them does not count."""
    found = np.array([fit_face(mesh).shape.ravel() for mesh in meshes], np.float64)
    return np.asarray(found - found.mean(axis=0))


def median_seconds(work: Callable[[], object], rounds: int = 9) -> float:
    """Return how long a call takes."""
    seconds = []
    for _ in range(rounds):
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return float(np.median(seconds))


def main(folder: str) -> int:
    """Measure; return the exit status."""
    photos: list[Image] = [read_image(path) for path in sorted(Path(folder).glob("*.png"))]
    meshes = [detect_faces(photo, max_faces=1)[0] for photo in photos]
    seen = np.array([describe_face(photo, mesh) for photo, mesh in zip(photos, meshes, strict=True)])
    for style in STYLES:
        results = [animefy(photo, style=style) for photo in photos]
        again = [detect_faces(result.image, max_faces=1) for result in results]
        drawn = np.array([describe_face(result.image, result.faces[0]) for result in results])
        first, five = rank(seen, drawn, list(range(len(photos))))
        print(  # noqa: T201
            f"{style}: the right person by the network {first:.0%}, "
            f"among five {five:.0%} (chance {1 / len(photos):.0%}, {5 / len(photos):.0%})"
        )
        own = [number for number, faces in enumerate(again) if faces]
        first, five = rank(shapes(meshes), shapes([again[number][0] for number in own]), own)
        print(  # noqa: T201
            f"{style}: a face is found in {len(own)} of {len(photos)}; "
            f"the right person by its shape {first:.0%}, among five {five:.0%}"
        )
    portrait = cv2.resize(synthetic_face(512, seed=1), (1024, 1024), interpolation=cv2.INTER_CUBIC)
    image = np.asarray(portrait, np.uint8)
    detect = median_seconds(lambda: detect_faces(image))
    for style in STYLES:
        taken = median_seconds(partial(animefy, image, style=style))
        print(f"{style}: {taken * 1000:.0f} ms at 1024 px, {taken / detect:.1f} times detect_faces")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
