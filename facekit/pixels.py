"""What is done to each pixel of a face: picked out, recoloured, added up, relit.

Each is there twice: compiled, and plainly for whole arrays, where nothing can be compiled.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled
from facekit.threads import in_strips
from facekit.tone import (
    DIMMING,
    HALF,
    LINEAR,
    ONE,
    Tone,
    encoded,
    from_tone,
    level,
    to_levels,
    to_tone,
    tones,
)
from facekit.values import Image, Mask

__all__ = ["Change", "ink_sums", "pick", "recolour", "relight", "sum_light"]

NEAR_SKIN = 28.0  # relative chroma; at this distance from the skin's, half the change is made
FINE = 2048  # steps of the lightness curve's table; straight between them, good to a hundredth of a level
NEARNESS = np.float32(1 / NEAR_SKIN**2)
LEAST_ROWS = 64  # of a picture; fewer are not worth a thread
EXP2 = np.polynomial.Chebyshev.interpolate(np.exp2, 5, domain=[0, 1]).convert(kind=np.polynomial.Polynomial)
E0, E1, E2, E3, E4, E5 = EXP2.coef.astype(np.float32)

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
    _pick(image, mask, step, picked)
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
        squares = _ink_sums(planes, powers, mixed)
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
        _recolour_rows(image[start:stop], where[start:stop], lightness, *parts)

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
        _sum_light_rows(source, target, mask, rows, cols, sums, start, stop)

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
        _relight_rows(image, where, wide, start, stop)

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


# -- row by row ----------------------------------------------------------------------------


@compiled
def _pick(image: Image, mask: Mask, step: int, picked: Image) -> None:
    """Do as `pick` says."""
    left, found = 0, 0
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if mask[y, x]:
                if left == 0:
                    picked[found, 0], picked[found, 1], picked[found, 2] = (
                        image[y, x, 0],
                        image[y, x, 1],
                        image[y, x, 2],
                    )
                    found += 1
                    left = step
                left -= 1


@compiled
def _ink_sums(planes: Floats, powers: Doubles, mixed: Doubles) -> float:
    """Do as `ink_sums` says; `powers` are summed lightness to the power of 0 to 4."""
    first = second = third = fourth = 0.0
    red = red_once = red_twice = yellow = yellow_once = yellow_twice = squares = 0.0
    for i in range(planes.shape[1]):
        light, a, b = planes[0, i] * np.float32(0.01), planes[1, i], planes[2, i]
        square = light * light
        first += light
        second += square
        third += square * light
        fourth += square * square
        red += a
        red_once += a * light
        red_twice += a * square
        yellow += b
        yellow_once += b * light
        yellow_twice += b * square
        squares += a * a + b * b
    powers[0], powers[1], powers[2], powers[3], powers[4] = planes.shape[1], first, second, third, fourth
    mixed[0, 0], mixed[1, 0], mixed[2, 0] = red_twice, red_once, red
    mixed[0, 1], mixed[1, 1], mixed[2, 1] = yellow_twice, yellow_once, yellow
    return squares


@compiled
def _span(row: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Return where the set part of a row begins and ends; twice the same where nothing is set."""
    start, stop = 0, len(row)
    while stop > 0 and not row[stop - 1]:
        stop -= 1
    while start < stop and not row[start]:
        start += 1
    return start, stop


@compiled
def _put(levels: Tone, image: Image, where: npt.NDArray[np.bool_]) -> None:
    """Round levels, (3, N), into the pixels of a row."""
    for i in range(len(where)):
        if where[i]:
            image[i, 0] = np.uint8(levels[0, i] + HALF)
            image[i, 1] = np.uint8(levels[1, i] + HALF)
            image[i, 2] = np.uint8(levels[2, i] + HALF)


@compiled
def _recolour_rows(
    image: Image,
    where: Mask,
    lightness: Tone,
    centre: Tone,
    new: Tone,
    contrast: Tone,
    ink: Tone,
    dials: Tone,
) -> None:
    """Do as `_recoloured` does; `lightness` tabulates the new lightness over the old."""
    tone, place = np.empty((3, image.shape[1]), np.float32), np.empty(image.shape[1], np.float32)
    for y in range(image.shape[0]):
        start, stop = _span(where[y])
        if start == stop:
            continue
        tones(image[y, start:stop], tone)
        _look_up(tone[0], lightness, place, stop - start)
        _change_row(tone, place, stop - start, centre, new, contrast, ink, dials)
        to_levels(tone, stop - start)
        _put(tone, image[y, start:stop], where[y, start:stop])


@compiled
def _look_up(old: Tone, table: Tone, new: Tone, count: int) -> None:
    """Read a table over lightness 0 to 100, on the straight line between two entries."""
    steps = len(table) - 1
    scale = np.float32(steps / 100)
    for i in range(count):
        far = min(max(old[i] * scale, np.float32(0)), np.float32(steps))
        index = min(int(far), steps - 1)
        new[i] = table[index] + (far - np.float32(index)) * (table[index + 1] - table[index])


@compiled
def _change_row(
    tone: Tone, place: Tone, count: int, centre: Tone, new: Tone, contrast: Tone, ink: Tone, dials: Tone
) -> None:
    """Do to tones, (3, N), as `Change.chroma` does; `place` holds their new lightness."""
    share, amount = dials
    for i in range(count):
        red, yellow, light = tone[1, i], tone[2, i], place[i] * np.float32(0.01)
        off_red, off_yellow = red - centre[1], yellow - centre[2]
        likeness = ONE / (ONE + (off_red * off_red + off_yellow * off_yellow) * NEARNESS)
        new_red = red + likeness * (off_red * contrast[1] + new[1] - red)
        new_yellow = yellow + likeness * (off_yellow * contrast[2] + new[2] - yellow)
        new_red += share * ((ink[0, 0] * light + ink[1, 0]) * light + ink[2, 0] - new_red)
        new_yellow += share * ((ink[0, 1] * light + ink[1, 1]) * light + ink[2, 1] - new_yellow)
        tone[0, i] += amount * (place[i] - tone[0, i])
        tone[1, i] += amount * (new_red - red)
        tone[2, i] += amount * (new_yellow - yellow)


@compiled
def _sum_light_rows(
    source: Image, target: Image, mask: Mask, rows: Edges, cols: Edges, sums: Tone, start: int, stop: int
) -> None:
    """Do as `sum_light` says for the cells' rows from `start` to `stop`."""
    for i in range(start, stop):
        for y in range(rows[i], rows[i + 1]):
            for j in range(len(cols) - 1):
                r = g = b = s = t = u = n = np.float32(0)
                for x in range(cols[j], cols[j + 1]):
                    if mask[y, x]:
                        r += LINEAR[source[y, x, 0]]
                        g += LINEAR[source[y, x, 1]]
                        b += LINEAR[source[y, x, 2]]
                        s += LINEAR[target[y, x, 0]]
                        t += LINEAR[target[y, x, 1]]
                        u += LINEAR[target[y, x, 2]]
                        n += ONE
                if n > 0:
                    total = sums[i, j]
                    total[0] += r
                    total[1] += g
                    total[2] += b
                    total[3] += s
                    total[4] += t
                    total[5] += u
                    total[6] += n


@compiled
def _exp2(power: Any) -> Any:
    """Raise 2 to a power: the whole part goes into the exponent's bits, the rest is a polynomial's."""
    power = max(power, np.float32(-126))
    whole = np.floor(power)
    x = power - whole
    rest = ((((E5 * x + E4) * x + E3) * x + E2) * x + E1) * x + E0
    return np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32) * rest


@compiled
def _relight_rows(image: Image, where: Mask, factor: Tone, start: int, stop: int) -> None:
    """Do as `_relit` does, with factors for whole rows of pixels, but only every few rows."""
    ratio = len(factor) / len(image)
    size = 3 * image.shape[1]
    light, dimming, levels = (
        np.empty(size, np.float32),
        np.empty(size, np.float32),
        np.empty(size, np.float32),
    )
    for y in range(start, stop):
        first, last = _span(where[y])
        if first == last:
            continue
        down = min(max((y + 0.5) * ratio - 0.5, 0.0), len(factor) - 1.0)  # from row's middle to row's middle
        upper = int(down)
        lower = min(upper + 1, len(factor) - 1)
        pixels = image[y, first:last].reshape(-1)
        for i in range(len(pixels)):
            light[i], dimming[i] = LINEAR[pixels[i]], DIMMING[pixels[i]]
        above, below = factor[upper, first:last].reshape(-1), factor[lower, first:last].reshape(-1)
        _lit_row(light, dimming, above, below, np.float32(down - upper), levels)
        for x in range(first, last):
            if where[y, x]:
                for k in range(3):
                    image[y, x, k] = np.uint8(levels[3 * (x - first) + k])


@compiled
def _lit_row(
    light: Floats, dimming: Floats, above: Floats, below: Floats, share: Any, levels: Floats
) -> None:
    """Multiply light by factors between `above` and `below`; cut off, `levels` are rounded."""
    for i in range(len(above)):
        times = above[i] + share * (below[i] - above[i])
        saved = ONE - _exp2(times * dimming[i])
        levels[i] = level(light[i] * times if times <= ONE else saved) + HALF
