"""Measure `animefy` over a folder of portraits: whom a network sees in the drawings, and what it costs.

    python tools/measure_anime.py FOLDER

Prints, per style: in how many drawings a face is found again; for how many the drawing's nearest photo
of all is that person's (and among the nearest five), by dlib's network; then the time at 1024 pixels as
a multiple of `detect_faces`.
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
from facekit.landmarks import detect_faces
from facekit.synthetic import synthetic_face
from facekit.values import Image  # noqa: TC001

STYLES: tuple[Style, ...] = ("cel", "ink")


def rank(photos: npt.NDArray[np.float64], drawings: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the shares of drawings whose photo is the nearest, and among the nearest five."""
    away = np.linalg.norm(drawings[:, None] - photos[None], axis=2)
    place = (away < np.diag(away)[:, None]).sum(axis=1)
    return float((place == 0).mean()), float((place < 5).mean())


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
        again = sum(bool(detect_faces(result.image, max_faces=1)) for result in results)
        drawn = np.array([describe_face(result.image, result.faces[0]) for result in results])
        first, five = rank(seen, drawn)
        print(  # noqa: T201
            f"{style}: face found in {again} of {len(photos)}; the right person {first:.0%}, "
            f"among five {five:.0%} (chance {1 / len(photos):.0%}, {5 / len(photos):.0%})"
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
