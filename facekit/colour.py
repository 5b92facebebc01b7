"""Colour and light of one face, given to another.

References
----------
.. [1] Reinhard et al., "Color Transfer between Images", IEEE Computer Graphics and
   Applications 21(5), 2001.
.. [2] Leys et al., "Detecting outliers: Do not use standard deviation around the mean, use
   absolute deviation around the median", J. Exp. Soc. Psychology 49(4), 2013.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facekit.compiled import can_compile, compiled
from facekit.errors import ArrayError
from facekit.threads import in_strips
from facekit.values import Image, Mask, as_image, as_mask

__all__ = ["match_colour", "match_light", "typical", "typical_pixels"]

FENCE = 2.5  # robust deviations beyond which a pixel is not typical (Leys et al.)
NORMAL = 1.4826  # a normal distribution's deviation over its median absolute deviation
LEAST = np.array([4.0, 2.0, 2.0], np.float32)  # L and relative chroma; smallest deviation to reckon with
CONTRAST = (0.75, 1.15)  # how far the spread of a channel may be changed
NEAR_SKIN = 28.0  # relative chroma; at this distance from the skin's, half the change is made
ONE_INK = 1.5  # relative chroma; a target less than this off a curve is printed in one ink, beyond twice not
RATIO = 4.0  # how much brighter or darker a place may be made
DARK = 0.01  # of full light; keeps ratios calm where both are black
ENOUGH = 8192  # pixels; from more, evenly many are left out of the statistics
LEAST_ROWS = 64  # of a picture; fewer are not worth a thread

Tone = npt.NDArray[np.float32]  # (..., 3): L, 100 a / (L + 16), 100 b / (L + 16)


def match_colour(
    source: Image, target: Image, mask: Mask, *, amount: float = 1.0, where: Mask | None = None
) -> Image:
    """Give `source` the colour statistics that `target` has inside `mask`.

    Parameters
    ----------
    source, target : Image of shape (H, W, 3), uint8
        Pictures that lie over each other; never modified.
    mask : Mask of shape (H, W)
        Where both show skin, mostly. Beards, lips, glasses and highlights are found as
        outliers in CIELAB and do not count.
    amount : float in [0, 1]
        0 changes nothing.
    where : Mask of shape (H, W), optional
        What to recolour; by default, the mask.

    Returns
    -------
    Image of shape (H, W, 3), uint8
        `source`, recoloured there, bit-equal elsewhere. An empty mask changes nothing.

    Raises
    ------
    ArrayError
        Shapes differ or `amount` is out of range.

    Notes
    -----
    Centre and spread are those of the pixels within 2.5 robust deviations of the median, in
    lightness and in chroma relative to lightness (`to_tone`); the change of spread is limited to
    factors of 0.75 to 1.15.

    References
    ----------
    .. [1] Reinhard et al., "Color Transfer between Images", IEEE CG&A 21(5), 2001.

    Examples
    --------
    >>> grey, red = np.full((4, 4, 3), 128, np.uint8), np.full((4, 4, 3), (150, 90, 80), np.uint8)
    >>> match_colour(grey, red, np.ones((4, 4), bool))[0, 0].tolist()
    [150, 90, 80]
    """
    source, target, mask = _checked(source, target, mask, amount)
    where = mask if where is None else as_mask(where, shape=mask.shape, name="where")
    if not mask.any() or amount == 0:
        return source.copy()
    result = source.copy()
    _recolour(result, where, _change(source, target, mask, where), amount)
    return result


def match_light(
    source: Image,
    target: Image,
    mask: Mask,
    *,
    sigma: float,
    amount: float = 1.0,
    where: Mask | None = None,
) -> Image:
    """Give `source` the broad light and shade that `target` has inside `mask`.

    Parameters
    ----------
    source, target : Image of shape (H, W, 3), uint8
        Pictures of aligned faces; never modified.
    mask : Mask of shape (H, W)
        Where both show the face.
    sigma : float, pixels
        Detail finer than this stays the source's own.
    amount : float in [0, 1]
        0 changes nothing.
    where : Mask of shape (H, W), optional
        What to relight; by default, the mask.

    Returns
    -------
    Image of shape (H, W, 3), uint8
        `source`, relit there, bit-equal elsewhere.

    Raises
    ------
    ArrayError
        Shapes differ or `amount` is out of range.

    Notes
    -----
    Each channel, in linear light, is multiplied by the ratio of the two pictures, both smoothed
    within the mask (normalised convolution, on a grid of about `sigma / 4`): a ratio image, in
    which skin cancels and light is left, and the person's own detail keeps its contrast.

    References
    ----------
    .. [1] Liu, Shan & Zhang, "Expressive Expression Mapping with Ratio Images", SIGGRAPH 2001.

    Examples
    --------
    >>> ramp = np.repeat(np.linspace(80, 160, 32, dtype=np.uint8)[None, :, None], 3, axis=2)
    >>> ramp = np.repeat(ramp, 32, axis=0)
    >>> lit = match_light(np.full_like(ramp, 120), ramp, np.ones((32, 32), bool), sigma=4)
    >>> bool(lit[16, 4, 0] < 110 < 130 < lit[16, 28, 0])
    True
    """
    source, target, mask = _checked(source, target, mask, amount)
    if not mask.any() or amount == 0:
        return source.copy()
    where = mask if where is None else as_mask(where, shape=mask.shape, name="where")
    factor = _light_ratio(source, target, mask, sigma) ** np.float32(amount)
    result = source.copy()
    _relight(result, where, factor)
    return result


def typical(pixels: Tone) -> tuple[Tone, Tone]:
    """Return centre and spread of the typical pixels, channel by channel.

    Parameters
    ----------
    pixels : ndarray of shape (N, 3)
        At least one pixel.

    Returns
    -------
    centre, spread : ndarray of shape (3,), float32
        Mean and standard deviation of the pixels that are no outliers.

    Examples
    --------
    >>> skin = np.tile(np.float32([60, 15, 20]), (99, 1))
    >>> centre, _ = typical(np.concatenate([skin, np.zeros((20, 3), np.float32)]))
    >>> centre.tolist()
    [60.0, 15.0, 20.0]
    """
    pixels = np.asfortranarray(pixels)  # channel by channel: several times faster
    kept = np.compress(typical_pixels(pixels), pixels.T, axis=1).T
    centre = kept.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = kept.std(axis=0, dtype=np.float64).astype(np.float32)
    return centre, np.maximum(spread, np.float32(0.5))


def typical_pixels(pixels: Tone, *, fence: float = FENCE) -> npt.NDArray[np.bool_]:
    """Tell which pixels lie within `fence` robust deviations of the median in every channel.

    Parameters
    ----------
    pixels : ndarray of shape (N, 3)
        At least one pixel.
    fence : float
        Robust deviations.

    Returns
    -------
    ndarray of shape (N,), bool
        True where typical; always true for at least one pixel.
    """
    pixels = np.asfortranarray(pixels)
    away = np.abs(pixels - _median(pixels))
    near = (away <= fence * np.maximum(NORMAL * _median(away), LEAST)).all(axis=1)
    return np.asarray(near) if near.any() else np.ones(len(pixels), np.bool_)


def to_tone(pixels: Image) -> Tone:
    """Convert sRGB bytes to lightness, and chroma relative to lightness.

    Less light on a surface scales L + 16, a and b of CIELAB alike (they are made of cube roots of
    the light), so a / (L + 16) and b / (L + 16) are the same in the shade as in the sun.

    Parameters
    ----------
    pixels : ndarray of shape (..., 3), uint8
        sRGB.

    Returns
    -------
    ndarray of shape (..., 3), float32
        L in 0..100, then 100 a / (L + 16) and 100 b / (L + 16).
    """
    flat = np.ascontiguousarray(pixels).reshape(1, -1, 3).astype(np.float32) / np.float32(255)
    lab = np.asarray(cv2.cvtColor(flat, cv2.COLOR_RGB2LAB), np.float32).reshape(pixels.shape)
    scale = 100 / (lab[..., 0] + 16)
    for channel in (1, 2):  # one by one: far faster than a loop over two channels at each pixel
        lab[..., channel] *= scale
    return lab


def from_tone(tone: Tone) -> Image:
    """Convert back from `to_tone`; colours out of gamut are clipped.

    Parameters
    ----------
    tone : ndarray of shape (..., 3), float32
        As `to_tone` returns it.

    Returns
    -------
    ndarray of shape (..., 3), uint8
        sRGB.

    Examples
    --------
    >>> from_tone(to_tone(np.array([[150, 90, 80]], np.uint8))).tolist()
    [[150, 90, 80]]
    """
    lab = np.array(tone, np.float32)
    lab[..., 0] = np.clip(lab[..., 0], 0, 100)
    lab[..., 1:] *= (lab[..., :1] + 16) / 100
    srgb = cv2.cvtColor(lab.reshape(1, -1, 3), cv2.COLOR_LAB2RGB).reshape(lab.shape)
    return np.asarray(np.clip(np.rint(srgb * 255), 0, 255), np.uint8)


def _checked(source: Image, target: Image, mask: Mask, amount: float) -> tuple[Image, Image, Mask]:
    source, target = as_image(source, name="source"), as_image(target, name="target")
    if source.shape != target.shape:
        raise ArrayError(f"source and target: expected one shape, got {source.shape} and {target.shape}")
    if not 0 <= amount <= 1:
        raise ArrayError(f"amount: expected 0 to 1, got {amount:g}")
    return source, target, as_mask(mask, shape=source.shape[:2])


# -- what to change ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """How one skin's pixels become another's.

    Lightness follows a curve, so that pupils stay dark and highlights do not burn out. What has
    another chroma than the skin (teeth, the whites of the eyes, grey hair) keeps its own the
    more, the further it is away.
    """

    centre: Tone  # (3,)
    new_centre: Tone  # (3,)
    contrast: Tone  # (3,), factors of the spread; of the lightness', after the curve
    curve: float  # exponent that takes the skin's darkness to the other's; black and white stay
    ink: Tone  # (3, 2), chroma of the target's one ink: coefficients of squared lightness, lightness, one
    share: float  # 0 where the target has more than one ink, up to 1 where it has one

    def lightness(self, old: Tone) -> Tone:
        """Return the new lightness."""
        light = np.clip(1 - old / 100, 1e-3, 1)
        raised = 100 * (1 - light ** np.float32(self.curve))
        return np.asarray((raised - self.new_centre[0]) * self.contrast[0] + self.new_centre[0])

    def chroma(self, old: Tone, lightness: Tone) -> Tone:
        """Return the new relative chroma of pixels whose new lightness is known."""
        away = old - self.centre[1:]
        likeness = 1 / (1 + np.square(away).sum(axis=-1, keepdims=True) / NEAR_SKIN**2)
        wanted = away * self.contrast[1:] + self.new_centre[1:]
        changed = old + likeness * (wanted - old)
        printed = _powers(lightness).T @ self.ink
        return np.asarray(changed + np.float32(self.share) * (printed - changed))


def _change(source: Image, target: Image, mask: Mask, where: Mask) -> _Change:
    """Learn the change from evenly spread pixels of the skin, and of all that is changed."""
    skin = _spread(mask)
    centre, spread = typical(to_tone(source[skin]))
    new_centre, new_spread = typical(to_tone(target[skin]))
    old, new = (np.clip(1 - float(x) / 100, 1e-3, 0.999) for x in (centre[0], new_centre[0]))
    curve = np.log(new) / np.log(old)
    slope = curve * old ** (curve - 1)  # what the curve alone does to the spread
    ratio = new_spread / spread / np.array([slope, 1, 1])
    ink, share = _ink(to_tone(target[_spread(where)]))
    contrast = np.clip(ratio, *CONTRAST).astype(np.float32)
    return _Change(centre, new_centre, contrast, float(curve), ink, share)


def _ink(target: Tone) -> tuple[Tone, float]:
    """Return the colours of the ink that the target is printed in, and whether it is one ink.

    One ink on one paper is a curve in colour space; how far the target's pixels lie from the
    best quadratic one tells. Lips, eyes and skin of a photograph are far off.
    """
    curve, chroma = _powers(target[:, 0]).astype(np.float64), target[:, 1:].T.astype(np.float64)
    ink, *_ = np.linalg.lstsq(curve @ curve.T, curve @ chroma.T, rcond=1e-10)
    off = float(np.sqrt(np.square(chroma - ink.T @ curve).sum(axis=0).mean()))
    return ink.astype(np.float32), float(np.clip(2 - off / ONE_INK, 0, 1))


def _powers(lightness: Tone) -> Tone:
    """Return the terms of a quadratic in lightness, one a row."""
    share = lightness / 100
    return np.stack([share * share, share, np.ones_like(share)])


def _spread(mask: Mask) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return rows and columns of pixels of the mask: all, or evenly spread ones where they are many."""
    found = np.flatnonzero(mask)
    return np.divmod(found[:: -(-len(found) // ENOUGH) or 1], mask.shape[1])


def _median(values: Tone) -> Tone:
    """Return the median of each column; faster than NumPy's, which looks out for NaN."""
    middle = [(len(values) - 1) // 2, len(values) // 2]
    return np.asarray(np.partition(values, middle, axis=0)[middle].mean(axis=0))


def _light_ratio(source: Image, target: Image, mask: Mask, sigma: float) -> Tone:
    """Return how much brighter the target is, smoothed over the mask only, on a coarse grid."""
    height, width = mask.shape
    step = max(int(sigma / 4), 1)
    rows, cols = (np.arange(n + 1) * side // n for side in mask.shape for n in [max(side // step, 1)])
    sums = _sum_light(source, target, mask, rows, cols)
    blur = sigma * (len(cols) - 1) / width
    smooth = [
        cv2.GaussianBlur(np.ascontiguousarray(part), (0, 0), blur, borderType=cv2.BORDER_CONSTANT)
        for part in np.split(sums, [3, 6], axis=2)
    ]
    share = np.maximum(smooth[2].reshape(sums.shape[:2]), 1e-4 * height * width / sums[..., 0].size)[
        ..., None
    ]
    before, wanted = (part.reshape(*share.shape[:2], 3) / share for part in smooth[:2])
    return np.asarray(np.clip((wanted + DARK) / (before + DARK), 1 / RATIO, RATIO), np.float32)


# -- tables --------------------------------------------------------------------------------


def _linear(encoded: npt.NDArray[np.float64]) -> Tone:
    """Decode sRGB to linear light (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


def _encoded(light: npt.NDArray[np.float64]) -> Tone:
    """Encode linear light as sRGB, 0 to 255 (IEC 61966-2-1)."""
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(255 * encoded, np.float32)


def _root(light: npt.NDArray[np.float64]) -> Tone:
    """Return CIELAB's cube root, straight in the dark."""
    return np.where(light > 216 / 24389, np.cbrt(light), (24389 / 27 * light + 16) / 116).astype(np.float32)


FINE = 2048  # steps of the tables; straight lines between them are good to a hundredth of a level
LINEAR = _linear(np.arange(256) / 255)
DIMMING = np.log(np.maximum(1 - LINEAR.astype(np.float64), 1e-9)).astype(np.float32)  # what is left to white
ENCODED = _encoded(np.arange(FINE + 1) / FINE)
ROOT = _root(np.arange(FINE + 1) / FINE)
XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
TO_XYZ = (XYZ / XYZ.sum(axis=1, keepdims=True)).astype(np.float32)  # white is (1, 1, 1)
ONE, HALF, KNEE = np.float32(1), np.float32(0.5), np.float32(6 / 29)
RED, YELLOW = (
    np.float32(50000 / 116),
    np.float32(20000 / 116),
)  # relative chroma, of the roots' ratio less one
NEARNESS = np.float32(1 / NEAR_SKIN**2)
FROM_XYZ = np.linalg.inv(XYZ / XYZ.sum(axis=1, keepdims=True)).astype(np.float32)


# -- pixel by pixel ------------------------------------------------------------------------


def _recolour(image: Image, where: Mask, change: _Change, amount: float) -> None:
    """Make the change, in place."""
    if not can_compile():
        image[where] = _recoloured(image[where], change, amount)
        return
    lightness = change.lightness(np.linspace(0, 100, FINE + 1, dtype=np.float32)) / np.float32(100)
    dials = np.array([change.share, amount], np.float32)
    parts = change.centre, change.new_centre, change.contrast, change.ink, dials

    def strip(start: int, stop: int) -> None:
        _recolour_rows(image[start:stop], where[start:stop], lightness, *parts)

    in_strips(strip, len(image), least=LEAST_ROWS)


def _recoloured(pixels: Image, change: _Change, amount: float) -> Image:
    """Make the change to pixels of shape (N, 3): the naive version."""
    tone = to_tone(pixels)
    changed = np.empty_like(tone)
    changed[:, 0] = change.lightness(tone[:, 0])
    changed[:, 1:] = change.chroma(tone[:, 1:], changed[:, 0])
    return from_tone(tone + np.float32(amount) * (changed - tone))


def _relight(image: Image, where: Mask, factor: Tone) -> None:
    """Multiply the light by factors given on a coarse grid, in place."""
    if not can_compile():
        fine = cv2.resize(factor, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
        image[where] = _relit(image[where], np.asarray(fine, np.float32)[where])
        return

    def strip(start: int, stop: int) -> None:
        _relight_rows(image, where, factor, start, stop)

    in_strips(strip, len(image), least=LEAST_ROWS)


def _relit(pixels: Image, factor: Tone) -> Image:
    """Multiply the light of pixels of shape (N, 3): the naive version. Bright parts never burn out."""
    light = LINEAR[pixels]
    lit = np.where(factor > 1, 1 - (1 - light) ** factor, light * factor)
    return np.asarray(np.rint(_encoded(np.clip(lit, 0, 1).astype(np.float64))), np.uint8)


def _sum_light(
    source: Image, target: Image, mask: Mask, rows: npt.NDArray[np.intp], cols: npt.NDArray[np.intp]
) -> Tone:
    """Add up, by cells between `rows` and `cols`, the mask's light in both pictures, and its pixels."""
    source, target = np.ascontiguousarray(source), np.ascontiguousarray(target)
    if not can_compile():
        parts = LINEAR[source] * mask[..., None], LINEAR[target] * mask[..., None], mask[..., None]
        light = np.concatenate(parts, axis=2, dtype=np.float32)
        return np.asarray(np.add.reduceat(np.add.reduceat(light, rows[:-1], axis=0), cols[:-1], axis=1))
    sums = np.empty((len(rows) - 1, len(cols) - 1, 7), np.float32)

    def strip(start: int, stop: int) -> None:
        _sum_light_rows(source, target, mask, rows, cols, sums, start, stop)

    in_strips(strip, len(sums), least=8)
    return sums


@compiled
def _between(table: Tone, place: Any) -> Any:
    """Read a table over 0 to 1 at any place, on the straight line between two entries."""
    steps = len(table) - 1
    far = min(max(place, np.float32(0)), np.float32(1)) * np.float32(steps)
    index = min(int(far), steps - 1)
    return table[index] + (far - np.float32(index)) * (table[index + 1] - table[index])


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
    """Do as `_recoloured` does; `lightness` tabulates the new lightness over the old, both 0 to 1."""
    share, amount = dials
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            if not where[y, x]:
                continue
            r, g, b = LINEAR[image[y, x, 0]], LINEAR[image[y, x, 1]], LINEAR[image[y, x, 2]]
            root_x = _between(ROOT, TO_XYZ[0, 0] * r + TO_XYZ[0, 1] * g + TO_XYZ[0, 2] * b)
            root_y = _between(ROOT, TO_XYZ[1, 0] * r + TO_XYZ[1, 1] * g + TO_XYZ[1, 2] * b)
            root_z = _between(ROOT, TO_XYZ[2, 0] * r + TO_XYZ[2, 1] * g + TO_XYZ[2, 2] * b)
            light = np.float32(1.16) * root_y - np.float32(0.16)
            over = ONE / root_y
            red, yellow = RED * (root_x * over - ONE), YELLOW * (ONE - root_z * over)
            place = _between(lightness, light)
            off_red, off_yellow = red - centre[1], yellow - centre[2]
            likeness = ONE / (ONE + (off_red * off_red + off_yellow * off_yellow) * NEARNESS)
            new_red = red + likeness * (off_red * contrast[1] + new[1] - red)
            new_yellow = yellow + likeness * (off_yellow * contrast[2] + new[2] - yellow)
            new_red += share * ((ink[0, 0] * place + ink[1, 0]) * place + ink[2, 0] - new_red)
            new_yellow += share * ((ink[0, 1] * place + ink[1, 1]) * place + ink[2, 1] - new_yellow)
            light = min(max(light + amount * (place - light), np.float32(0)), ONE)
            root_y = (light + np.float32(0.16)) / np.float32(1.16)
            root_x = root_y + root_y * (red + amount * (new_red - red)) / RED
            root_z = root_y - root_y * (yellow + amount * (new_yellow - yellow)) / YELLOW
            cube_x, cube_y, cube_z = _cubed(root_x), _cubed(root_y), _cubed(root_z)
            for k in range(3):
                mixed = FROM_XYZ[k, 0] * cube_x + FROM_XYZ[k, 1] * cube_y + FROM_XYZ[k, 2] * cube_z
                image[y, x, k] = np.uint8(_between(ENCODED, mixed) + HALF)


@compiled
def _cubed(root: Any) -> Any:
    """Undo `_root`."""
    if root > KNEE:
        return root * root * root
    return (root - np.float32(4 / 29)) * np.float32(108 / 841)


@compiled
def _sum_light_rows(
    source: Image,
    target: Image,
    mask: Mask,
    rows: npt.NDArray[np.intp],
    cols: npt.NDArray[np.intp],
    sums: Tone,
    start: int,
    stop: int,
) -> None:
    """Do as `_sum_light` says for the cells' rows from `start` to `stop`."""
    total = np.empty(7, np.float32)
    for i in range(start, stop):
        for j in range(len(cols) - 1):
            total[:] = 0
            for y in range(rows[i], rows[i + 1]):
                for x in range(cols[j], cols[j + 1]):
                    if mask[y, x]:
                        for k in range(3):
                            total[k] += LINEAR[source[y, x, k]]
                            total[3 + k] += LINEAR[target[y, x, k]]
                        total[6] += 1
            sums[i, j] = total


@compiled
def _relight_rows(image: Image, where: Mask, factor: Tone, start: int, stop: int) -> None:
    """Do as `_relit` does, with the factors interpolated from cell centre to cell centre."""
    height, width = where.shape
    rows, cols = factor.shape[:2]
    near = np.empty((cols, 3), np.float32)
    for y in range(start, stop):
        down = np.float32(min(max((y + 0.5) * rows / height - 0.5, 0), rows - 1))
        i = min(int(down), max(rows - 2, 0))
        below = min(i + 1, rows - 1)
        for j in range(cols):
            for k in range(3):
                near[j, k] = factor[i, j, k] + (down - i) * (factor[below, j, k] - factor[i, j, k])
        for x in range(width):
            if not where[y, x]:
                continue
            along = np.float32(min(max((x + 0.5) * (cols / width) - 0.5, 0), cols - 1))
            j = min(int(along), max(cols - 2, 0))
            right = min(j + 1, cols - 1)
            for k in range(3):
                times = near[j, k] + (along - j) * (near[right, k] - near[j, k])
                byte = image[y, x, k]
                lit = LINEAR[byte] * times if times <= ONE else ONE - np.exp(times * DIMMING[byte])
                image[y, x, k] = np.uint8(_between(ENCODED, lit) + HALF)
