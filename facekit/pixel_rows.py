"""What is done to the pixels of a face, row by row: the compiled half of `pixels`.

Loops that reckon are kept apart from those that look up or skip, so that the former fill the
vector units; each buffer is an array of its own, so that the compiler sees that none overlap.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled
from facekit.tone import DIMMING, HALF, LINEAR, ONE, Tone, level, to_levels, tones
from facekit.values import Image, Mask

__all__ = [
    "NEAR_SKIN",
    "add_up_ink",
    "pick_rows",
    "recolour_rows",
    "relight_rows",
    "sum_light_rows",
]

NEAR_SKIN = 28.0  # relative chroma; at this distance from the skin's, half the change is made
NEARNESS = np.float32(1 / NEAR_SKIN**2)
EXP2 = np.polynomial.Chebyshev.interpolate(np.exp2, 5, domain=[0, 1]).convert(kind=np.polynomial.Polynomial)
E0, E1, E2, E3, E4, E5 = EXP2.coef.astype(np.float32)

Edges = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@compiled
def pick_rows(image: Image, mask: Mask, step: int, picked: Image) -> None:
    """Pick every `step`-th pixel of a mask, in reading order.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    mask : Mask of shape (H, W)
        Where to pick.
    step : int
        1 picks all.
    picked : ndarray of shape (N, 3), uint8
        Written to; just long enough.
    """
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
def add_up_ink(planes: Floats, powers: Doubles, mixed: Doubles) -> float:
    """Do as `pixels.ink_sums` says.

    Parameters
    ----------
    planes : ndarray of shape (3, N), float32
        Tones.
    powers : ndarray of shape (5,), float64
        Written to: sums of lightness to the power of 0 to 4.
    mixed : ndarray of shape (3, 2), float64
        Written to.

    Returns
    -------
    float
        Sum of the squared chroma.
    """
    first = second = third = fourth = 0.0
    red = red_once = red_twice = yellow = yellow_once = yellow_twice = squares = 0.0
    for i in range(planes.shape[1]):
        light, a, b = planes[0, i] / 100.0, np.float64(planes[1, i]), np.float64(planes[2, i])
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
def recolour_rows(
    image: Image,
    where: Mask,
    lightness: Tone,
    centre: Tone,
    new: Tone,
    contrast: Tone,
    ink: Tone,
    dials: Tone,
) -> None:
    """Make a change, in place.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        Rows of a picture.
    where : Mask of shape (H, W)
        Which pixels to change.
    lightness : ndarray of shape (N,), float32
        The new lightness over the old, from 0 to 100.
    centre, new, contrast, ink : ndarray, float32
        As in `pixels.Change`.
    dials : ndarray of shape (2,), float32
        How much of one ink the target is, and how much of the change to make.
    """
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
def sum_light_rows(
    source: Image, target: Image, mask: Mask, rows: Edges, cols: Edges, sums: Tone, start: int, stop: int
) -> None:
    """Do as `pixels.sum_light` says for some rows of cells.

    Parameters
    ----------
    source, target : Image of shape (H, W, 3), uint8
        The pictures.
    mask : Mask of shape (H, W)
        Which pixels count.
    rows, cols : ndarray of int
        Where the cells begin, and where the last one ends.
    sums : ndarray of shape (len(rows) - 1, len(cols) - 1, 7), float32
        Written to; zero before.
    start, stop : int
        Which rows of cells.
    """
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
def relight_rows(image: Image, where: Mask, factor: Tone, start: int, stop: int) -> None:
    """Multiply linear light, in place.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    where : Mask of shape (H, W)
        Which pixels to relight.
    factor : ndarray of shape (h, W, 3), float32
        For whole rows of pixels, but only every few rows; interpolated linearly between.
    start, stop : int
        Which rows of pixels.
    """
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
