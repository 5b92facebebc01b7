"""Where a face folds as it ages, as fine lines in the model's layout.

Forehead, frown, crow's feet, under the eyes, nose to mouth, mouth to chin: each line runs through
landmarks. A fold is dark where it turns from the light, and light below, where it turns back to it.

References
----------
.. [1] Lemperle et al., "A Classification of Facial Wrinkles", Plast. Reconstr. Surg. 108(6), 2001, for
   the lines.
.. [2] Liu, Shan & Zhang, "Expressive Expression Mapping with Ratio Images", SIGGRAPH 2001, for folds as
   changes of light.
"""

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from facekit.face_model import TEXTURE_SIDE, texture_layout
from facekit.strokes import curve
from facekit.topology import mirror_permutation

__all__ = ["FINER", "folds"]

FINER = 4  # times finer than the model's textures
LIT, BELOW, WIDER = (
    0.55,
    2.2,
    1.5,
)  # the light below a fold: how strong, how far down in widths, how much wider
BROKEN = 0.35  # by which a line's depth varies along it
SEED = 7  # any: the same lines on every face

Floats = npt.NDArray[np.float32]
Place = int | tuple[int, int]  # a landmark, or the middle between two


class Fold(NamedTuple):
    """A line through landmarks of the right side or the middle; what is on one side is mirrored."""

    places: tuple[Place, ...]
    depth: float  # of the deepest
    width: float  # texels
    fades: tuple[float, float]  # share of the line over which it begins and ends


HIGH = (104, 103), (69, 67), (108, 109), (151, 10), (337, 338), (299, 297), (333, 332)  # on the forehead
FOLDS = (
    Fold((102, (102, 203), 203, 206, 216, 212), 1.7, 0.9, (0.1, 0.6)),
    Fold(((57, 61), 43, 204, 211), 1.0, 0.8, (0.25, 0.7)),
    Fold(
        ((104, 103), (69, 67), (108, 109), (151, 10), (337, 338), (299, 297), (333, 332)),
        0.8,
        0.6,
        (0.35, 0.35),
    ),
    Fold((104, 69, 108, 151, 337, 299, 333), 1.0, 0.65, (0.3, 0.3)),
    Fold(((69, 66), (108, 107), (151, 9), (337, 336), (299, 296)), 0.85, 0.6, (0.3, 0.3)),
    Fold(((107, 9), (107, 8), (55, 8)), 1.0, 0.6, (0.4, 0.4)),
    Fold(((247, 130), (113, 124), 156, 139), 0.85, 0.45, (0.3, 0.7)),
    Fold(((130, 226), 35, 143, 34), 1.0, 0.45, (0.3, 0.7)),
    Fold((226, (35, 31), 111, 116), 0.85, 0.45, (0.3, 0.7)),
    Fold((244, 232, 231, 230, 229, 228, 31), 1.0, 0.7, (0.2, 0.5)),
    Fold(((128, 121), (121, 120), (120, 119), (119, 118)), 0.7, 1.1, (0.2, 0.7)),
)


@cache
def folds() -> Floats:
    """Draw the lines.

    Returns
    -------
    ndarray of shape (768, 768), float32
        Changes of light, about -1 where the deepest fold is darkest; zero beside the lines.

    Examples
    --------
    >>> drawn = folds()
    >>> drawn.shape, bool(-1.3 < drawn.min() < -0.7), bool(np.abs(drawn).mean() < 0.05)
    ((768, 768), True, True)
    """
    rng = np.random.default_rng(SEED)
    side = TEXTURE_SIDE * FINER
    drawn = np.zeros((side, side), np.float32)
    for fold in FOLDS:
        for places in _sides(fold.places):
            drawn += _drawn(places, fold, rng, side)
    return drawn


def _sides(places: tuple[Place, ...]) -> list[tuple[Place, ...]]:
    """Return a line and, unless it runs across the middle, its mirror image."""
    mirror = mirror_permutation()

    def other(place: Place) -> Place:
        return (
            (int(mirror[place[0]]), int(mirror[place[1]])) if isinstance(place, tuple) else int(mirror[place])
        )

    mirrored = tuple(other(place) for place in places)
    return [places] if mirrored[::-1] == places else [places, mirrored]


def _drawn(places: tuple[Place, ...], fold: Fold, rng: np.random.Generator, side: int) -> Floats:
    layout = texture_layout().astype(np.float64)
    nodes = np.array([layout[list(np.atleast_1d(place))].mean(axis=0) for place in places])
    line = curve((nodes + 0.5) * FINER - 0.5)
    along = np.linspace(0, 1, len(line))
    fade = np.clip(along / fold.fades[0], 0, 1) * np.clip((1 - along) / fold.fades[1], 0, 1)
    rough = cv2.GaussianBlur(rng.standard_normal((1, len(line))), (0, 0), 4)[0]
    depth = fold.depth * fade * np.clip(1 - BROKEN * np.abs(rough / max(rough.std(), 1e-6)), 0, 1)
    ink = np.zeros((side, side), np.float32)
    ends = np.rint(line * 16).astype(int)
    for start, stop, strength in zip(ends[:-1], ends[1:], depth, strict=False):
        cv2.line(ink, start.tolist(), stop.tolist(), float(strength), 1, cv2.LINE_8, 4)
    sigma = fold.width * FINER
    dark = cv2.GaussianBlur(ink, (0, 0), sigma) * np.float32(sigma * np.sqrt(2 * np.pi))
    wide = sigma * WIDER
    light = cv2.GaussianBlur(ink, (0, 0), wide) * np.float32(wide * np.sqrt(2 * np.pi))
    shift = np.array([[1, 0, 0], [0, 1, BELOW * sigma]], np.float64)
    below = cv2.warpAffine(light, shift, (side, side))
    return np.asarray(LIT * below - dark, np.float32)
