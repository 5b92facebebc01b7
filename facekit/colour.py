"""Colour and light of one face, given to another.

References
----------
.. [1] Reinhard et al., "Color Transfer between Images", IEEE Computer Graphics and
   Applications 21(5), 2001.
.. [2] Leys et al., "Detecting outliers: Do not use standard deviation around the mean, use
   absolute deviation around the median", J. Exp. Soc. Psychology 49(4), 2013.
"""

import cv2
import numpy as np
import numpy.typing as npt

from facekit.errors import ArrayError
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
    before = to_tone(source[where])
    changed = _carried(before, typical(to_tone(source[mask])), typical(to_tone(target[mask])))
    _print_in_ink(changed, to_tone(target[where]))
    result = source.copy()
    result[where] = from_tone(before + np.float32(amount) * (changed - before))
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
    before, wanted = LINEAR[source], LINEAR[target]
    ratio = (_blurred_within(wanted, mask, sigma) + DARK) / (_blurred_within(before, mask, sigma) + DARK)
    factor = np.clip(ratio[where], 1 / RATIO, RATIO) ** np.float32(amount)
    light = before[where]
    lit = np.where(factor > 1, 1 - (1 - light) ** factor, light * factor)  # bright parts never burn out
    result = source.copy()
    result[where] = _to_srgb(lit)
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
    kept = pixels[typical_pixels(pixels)]
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
    middle = np.median(pixels, axis=0)
    deviation = NORMAL * np.median(np.abs(pixels - middle), axis=0)
    near = (np.abs(pixels - middle) <= fence * np.maximum(deviation, LEAST)).all(axis=1)
    return np.asarray(near) if near.any() else np.ones(len(pixels), np.bool_)


def _carried(tone: Tone, have: tuple[Tone, Tone], want: tuple[Tone, Tone]) -> Tone:
    """Carry pixels from one skin's centre and spread to another's.

    Lightness follows a curve, so that pupils stay dark and highlights do not burn out. What has
    another chroma than the skin (teeth, the whites of the eyes, grey hair) keeps its own the
    more, the further it is away.
    """
    (centre, spread), (new_centre, new_spread) = have, want
    light, old, new = (np.clip(1 - x / 100, 1e-3, 1) for x in (tone[..., 0], centre[0], new_centre[0]))
    curve = np.log(new) / np.log(old)  # black and white stay, the skin's centre goes to the other's
    slope = curve * old ** (curve - 1)  # what the curve alone does to the spread
    changed = np.empty_like(tone)
    contrast = np.clip(new_spread[0] / spread[0] / slope, *CONTRAST)
    changed[..., 0] = (100 * (1 - light**curve) - new_centre[0]) * contrast + new_centre[0]
    away = (tone - centre)[..., 1:]
    likeness = 1 / (1 + np.square(away).sum(axis=-1, keepdims=True) / NEAR_SKIN**2)
    wanted = away * np.clip(new_spread[1:] / spread[1:], *CONTRAST) + new_centre[1:]
    changed[..., 1:] = tone[..., 1:] + likeness * (wanted - tone[..., 1:])
    return changed


def _print_in_ink(tone: Tone, target: Tone) -> None:
    """Where the target is printed in one ink, let chroma follow lightness as it does there.

    One ink on one paper is a curve in colour space; how far the target's pixels lie from the
    best quadratic one tells. Lips, eyes and skin of a photograph are far off.
    """
    curve = np.vander(target[:, 0] / 100, 3)
    ink, *_ = np.linalg.lstsq(curve, target[:, 1:], rcond=None)
    off = float(np.sqrt(np.square(target[:, 1:] - curve @ ink).sum(axis=1).mean()))
    share = np.float32(np.clip(2 - off / ONE_INK, 0, 1))
    if share > 0:
        tone[:, 1:] += share * ((np.vander(tone[:, 0] / 100, 3) @ ink).astype(np.float32) - tone[:, 1:])


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
    flat = np.ascontiguousarray(pixels).reshape(-1, 1, 3).astype(np.float32) / np.float32(255)
    lab = np.asarray(cv2.cvtColor(flat, cv2.COLOR_RGB2LAB), np.float32).reshape(pixels.shape)
    lab[..., 1:] *= 100 / (lab[..., :1] + 16)
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
    srgb = cv2.cvtColor(lab.reshape(-1, 1, 3), cv2.COLOR_LAB2RGB).reshape(lab.shape)
    return np.asarray(np.clip(np.rint(srgb * 255), 0, 255), np.uint8)


def _to_srgb(linear: npt.NDArray[np.float32]) -> Image:
    """Encode linear light as sRGB bytes (IEC 61966-2-1)."""
    light = np.clip(linear, 0, 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** np.float32(1 / 2.4) - 0.055)
    return np.asarray(np.rint(encoded * 255), np.uint8)


def _linear_table() -> npt.NDArray[np.float32]:
    """Tabulate the linear light of each sRGB byte (IEC 61966-2-1)."""
    encoded = np.arange(256) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


LINEAR = _linear_table()


def _checked(source: Image, target: Image, mask: Mask, amount: float) -> tuple[Image, Image, Mask]:
    source, target = as_image(source, name="source"), as_image(target, name="target")
    if source.shape != target.shape:
        raise ArrayError(f"source and target: expected one shape, got {source.shape} and {target.shape}")
    if not 0 <= amount <= 1:
        raise ArrayError(f"amount: expected 0 to 1, got {amount:g}")
    return source, target, as_mask(mask, shape=source.shape[:2])


def _blurred_within(values: Tone, mask: Mask, sigma: float) -> Tone:
    """Blur `values` over the mask only, on a coarse grid, since the result is smooth."""
    height, width = mask.shape
    step = max(int(sigma / 4), 1)
    size = (max(width // step, 1), max(height // step, 1))
    weight = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    held = cv2.resize(values * mask[..., None], size, interpolation=cv2.INTER_AREA)
    blur = sigma * size[0] / width
    smooth = cv2.GaussianBlur(held, (0, 0), blur, borderType=cv2.BORDER_CONSTANT)
    share = cv2.GaussianBlur(weight, (0, 0), blur, borderType=cv2.BORDER_CONSTANT)
    smooth = smooth.reshape(*share.shape, 3) / np.maximum(share, 1e-4)[..., None]
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
