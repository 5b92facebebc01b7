"""Colour and light of one face, given to another.

References
----------
.. [1] Reinhard et al., "Color Transfer between Images", IEEE Computer Graphics and
   Applications 21(5), 2001.
"""

import cv2
import numpy as np

from facekit.errors import ArrayError
from facekit.pixels import Change, ink_sums, pick, recolour, relight, sum_light
from facekit.tone import Tone, to_tone
from facekit.typical import typical
from facekit.values import Image, Mask, as_image, as_mask

__all__ = ["match_colour", "match_light"]

CONTRAST = (0.75, 1.15)  # how far the spread of a channel may be changed
ONE_INK = 1.5  # relative chroma; a target less than this off a curve is printed in one ink, beyond twice not
RATIO = 4.0  # how much brighter or darker a place may be made
DARK = 0.01  # of full light; keeps ratios calm where both are black
ENOUGH = 8192  # pixels; from more, evenly many are left out of the statistics


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
    lightness and in chroma relative to lightness (`tone.to_tone`); the change of spread is limited to
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
    recolour(result, where, _change(source, target, mask, where), amount)
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
    relight(result, where, factor)
    return result


def _checked(source: Image, target: Image, mask: Mask, amount: float) -> tuple[Image, Image, Mask]:
    source, target = (
        np.ascontiguousarray(as_image(image, name=name))
        for image, name in ((source, "source"), (target, "target"))
    )
    if source.shape != target.shape:
        raise ArrayError(f"source and target: expected one shape, got {source.shape} and {target.shape}")
    if not 0 <= amount <= 1:
        raise ArrayError(f"amount: expected 0 to 1, got {amount:g}")
    return source, target, np.ascontiguousarray(as_mask(mask, shape=source.shape[:2]))


# -- what to change ------------------------------------------------------------------------


def _change(source: Image, target: Image, mask: Mask, where: Mask) -> Change:
    """Learn the change from evenly spread pixels of the skin, and of all that is changed."""
    centre, spread = typical(to_tone(pick(source, mask, most=ENOUGH)))
    new_centre, new_spread = typical(to_tone(pick(target, mask, most=ENOUGH)))
    old, new = (np.clip(1 - float(x) / 100, 1e-3, 0.999) for x in (centre[0], new_centre[0]))
    curve = np.log(new) / np.log(old)
    slope = curve * old ** (curve - 1)  # what the curve alone does to the spread
    ratio = new_spread / spread / np.array([slope, 1, 1])
    ink, share = _ink(to_tone(pick(target, where, most=ENOUGH)))
    contrast = np.clip(ratio, *CONTRAST).astype(np.float32)
    return Change(centre, new_centre, contrast, float(curve), ink, share)


def _ink(target: Tone) -> tuple[Tone, float]:
    """Return the colours of the ink that the target is printed in, and whether it is one ink.

    One ink on one paper is a curve in colour space; how far the target's pixels lie from the
    best quadratic one tells. Lips, eyes and skin of a photograph are far off.
    """
    terms, mixed, squares = ink_sums(target)
    ink, *_ = np.linalg.lstsq(terms, mixed, rcond=1e-10)
    missed = squares - float(np.sum(2 * ink * mixed - ink * (terms @ ink)))
    off = float(np.sqrt(max(missed, 0.0) / max(len(target), 1)))
    return ink.astype(np.float32), float(np.clip(2 - off / ONE_INK, 0, 1))


def _light_ratio(source: Image, target: Image, mask: Mask, sigma: float) -> Tone:
    """Return how much brighter the target is, smoothed over the mask only, on a coarse grid."""
    height, width = mask.shape
    step = max(int(sigma / 4), 1)
    rows, cols = (np.arange(n + 1) * side // n for side in mask.shape for n in [max(side // step, 1)])
    sums = sum_light(source, target, mask, rows, cols)
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
