"""What is done to each pixel of a face: picked out, recoloured, added up, relit.

Each is there twice: compiled, in `pixel_rows`, and plainly for whole arrays, where nothing can be
compiled.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile
from facekit.pixel_rows import NEAR_SKIN, add_up_ink, pick_rows, recolour_rows, relight_rows, sum_light_rows
from facekit.threads import in_strips
from facekit.tone import LINEAR, Tone, encoded, from_tone, to_tone
from facekit.values import Image, Mask

__all__ = ["Change", "ink_sums", "pick", "recolour", "relight", "sum_light"]

FINE = 2048  # steps of the lightness curve's table; straight between them, good to a hundredth of a level
LEAST_ROWS = 64  # of a picture; fewer are not worth a thread

Edges = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """How one skin's pixels become another's.

    Lightness follows a curve, so that pupils stay dark and highlights do not burn out. What has
    another chroma than the skin (teeth, the whites of the eyes, grey hair) keeps its own the
    more, the further it is away.

    Parameters
    ----------
    centre, new_centre : ndarray of shape (3,), float32
        The skin's tone, before and after.
    contrast : ndarray of shape (3,), float32
        Factors of the spread; of the lightness', after the curve.
    curve : float
        Exponent that takes the skin's darkness to the other's; black and white stay.
    ink : ndarray of shape (3, 2), float32
        Chroma of the target's one ink: coefficients of squared lightness, lightness, one.
    share : float
        0 where the target has more than one ink, up to 1 where it has one.
    """

    centre: Tone
    new_centre: Tone
    contrast: Tone
    curve: float
    ink: Tone
    share: float

    def lightness(self, old: Tone) -> Tone:
        """Return the new lightness.

        Parameters
        ----------
        old : ndarray, float32
            0 to 100.

        Returns
        -------
        ndarray, float32
            Of the same shape.
        """
        light = np.clip(1 - old / 100, 1e-3, 1)
        raised = 100 * (1 - light ** np.float32(self.curve))
        return np.asarray((raised - self.new_centre[0]) * self.contrast[0] + self.new_centre[0])

    def chroma(self, old: Tone, lightness: Tone) -> Tone:
        """Return the new relative chroma of pixels whose new lightness is known.

        Parameters
        ----------
        old : ndarray of shape (N, 2), float32
            The chroma before.
        lightness : ndarray of shape (N,), float32
            As `lightness` returns it.

        Returns
        -------
        ndarray of shape (N, 2), float32
            The chroma after.
        """
        away = old - self.centre[1:]
        likeness = 1 / (1 + np.square(away).sum(axis=-1, keepdims=True) / NEAR_SKIN**2)
        wanted = away * self.contrast[1:] + self.new_centre[1:]
        changed = old + likeness * (wanted - old)
        share = lightness[:, None] / 100
        printed = (self.ink[0] * share + self.ink[1]) * share + self.ink[2]
        return np.asarray(changed + np.float32(self.share) * (printed - changed))


def pick(image: Image, mask: Mask, *, most: int) -> Image:
    """Pick evenly spread pixels of a mask: all, or every so manieth in reading order.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    mask : Mask of shape (H, W)
        Where to pick.
    most : int
        Pick at most this many.

    Returns
    -------
    ndarray of shape (N, 3), uint8
        Empty where the mask is.
    """
    count = int(np.count_nonzero(mask))
    step = -(-count // most) or 1
    if not can_compile():
        return image[np.divmod(np.flatnonzero(mask)[::step], mask.shape[1])]
    picked = np.empty((-(-count // step), 3), np.uint8)
    pick_rows(image, mask, step, picked)
    return picked


def ink_sums(tone: Tone) -> tuple[Doubles, Doubles, float]:
    """Add up what fitting the chroma by a quadratic in lightness needs to know.

    Parameters
    ----------
    tone : ndarray of shape (N, 3), float32
        As `to_tone` returns it.

    Returns
    -------
    terms : ndarray of shape (3, 3), float64
        Products of squared lightness, lightness (0 to 1) and one with each other.
    mixed : ndarray of shape (3, 2), float64
        Their products with the chroma.
    squares : float
        Squared chroma.
    """
    planes = np.ascontiguousarray(tone.T)
    if can_compile():
        powers, mixed = np.zeros(5), np.zeros((3, 2))
        squares = add_up_ink(planes, powers, mixed)
    else:
        share, chroma = planes[0].astype(np.float64) / 100, planes[1:].astype(np.float64)
        powers = np.array([(share**k).sum() for k in range(5)])
        mixed = np.stack([share**k for k in (2, 1, 0)]) @ chroma.T
        squares = float(np.square(chroma).sum())
    return powers[[[4, 3, 2], [3, 2, 1], [2, 1, 0]]], mixed, squares


def recolour(image: Image, where: Mask, change: Change, amount: float) -> None:
    """Make a change, in place.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        Contiguous.
    where : Mask of shape (H, W)
        Which pixels to change.
    change : Change
        What to do to them.
    amount : float in [0, 1]
        How much of it.
    """
    if not can_compile():
        image[where] = _recoloured(image[where], change, amount)
        return
    lightness = change.lightness(np.linspace(0, 100, FINE + 1, dtype=np.float32))
    dials = np.array([change.share, amount], np.float32)
    parts = change.centre, change.new_centre, change.contrast, change.ink, dials

    def strip(start: int, stop: int) -> None:
        recolour_rows(image[start:stop], where[start:stop], lightness, *parts)

    in_strips(strip, len(image), least=LEAST_ROWS)


def sum_light(source: Image, target: Image, mask: Mask, rows: Edges, cols: Edges) -> Tone:
    """Add up, by cells, the mask's linear light in both pictures, and its pixels.

    Parameters
    ----------
    source, target : Image of shape (H, W, 3), uint8
        The pictures.
    mask : Mask of shape (H, W)
        Which pixels count.
    rows, cols : ndarray of int
        Where the cells begin, and where the last one ends.

    Returns
    -------
    ndarray of shape (len(rows) - 1, len(cols) - 1, 7), float32
        Light of the source, light of the target, pixels.
    """
    if not can_compile():
        parts = LINEAR[source] * mask[..., None], LINEAR[target] * mask[..., None], mask[..., None]
        light = np.concatenate(parts, axis=2, dtype=np.float32)
        return np.asarray(np.add.reduceat(np.add.reduceat(light, rows[:-1], axis=0), cols[:-1], axis=1))
    sums = np.zeros((len(rows) - 1, len(cols) - 1, 7), np.float32)

    def strip(start: int, stop: int) -> None:
        sum_light_rows(source, target, mask, rows, cols, sums, start, stop)

    in_strips(strip, len(sums), least=8)
    return sums


def relight(image: Image, where: Mask, factor: Tone) -> None:
    """Multiply linear light, in place; bright parts never burn out.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        Contiguous.
    where : Mask of shape (H, W)
        Which pixels to relight.
    factor : ndarray of shape (h, w, 3), float32
        On a coarse grid over the picture; between its cells' centres, interpolated linearly.
    """
    if not can_compile():
        fine = cv2.resize(factor, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
        image[where] = _relit(image[where], np.asarray(fine, np.float32)[where])
        return

    wide = np.asarray(cv2.resize(factor, (image.shape[1], len(factor))), np.float32)  # linearly

    def strip(start: int, stop: int) -> None:
        relight_rows(image, where, wide, start, stop)

    in_strips(strip, len(image), least=LEAST_ROWS)


def _recoloured(pixels: Image, change: Change, amount: float) -> Image:
    """Make the change to pixels of shape (N, 3): the naive version."""
    tone = to_tone(pixels)
    changed = np.empty_like(tone)
    changed[:, 0] = change.lightness(tone[:, 0])
    changed[:, 1:] = change.chroma(tone[:, 1:], changed[:, 0])
    return from_tone(tone + np.float32(amount) * (changed - tone))


def _relit(pixels: Image, factor: Tone) -> Image:
    """Multiply the light of pixels of shape (N, 3): the naive version."""
    light = LINEAR[pixels]
    lit = np.where(factor > 1, 1 - (1 - light) ** factor, light * factor)
    return np.asarray(np.rint(encoded(np.clip(lit, 0, 1).astype(np.float64))), np.uint8)
