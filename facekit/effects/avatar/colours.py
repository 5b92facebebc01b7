"""Which colours a head has: skin, lips, brows, eyes, hair, beard, each as a name of a palette.

Medians in CIELAB, so that gleams, pores and strands do not count.
"""

import cv2
import numpy as np
import numpy.typing as npt

from facekit.effects.avatar.canonical import View
from facekit.effects.avatar.palette import EYES, HAIR, SKIN, nearest
from facekit.segment import eye_distance, fill_rings
from facekit.topology import LEFT_BROW, LEFT_EYE, LIPS_INNER, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE
from facekit.values import FaceMesh, Image, Mask

__all__ = ["brow_weight", "eye_colour", "hair_colour", "lip_redness", "skin_colour", "skin_tone"]

Lab = npt.NDArray[np.float64]

CHEEKS = ((117, 118, 101, 205, 187, 123), (346, 347, 330, 425, 411, 352))
FOREHEAD = (109, 338, 337, 151, 108)
LIT = (25, 80)  # percentiles of lightness between which skin is neither in the shade nor gleaming
GREY_CHROMA = 4.0  # below this a photo has no colours to tell
NEUTRAL_SKIN = (16.0, 20.0)  # a and b of skin in general, for photos without colour
DIM, USUAL_YELLOW, MOST_DIM = 0.75, 9.5, 7.0  # L for what a skin is redder than usual (a - b), and its limit
FEW = 12  # pixels; fewer tell nothing


def skin_colour(view: View) -> Lab:
    """Measure the skin in the light.

    Parameters
    ----------
    view : View
        A head.

    Returns
    -------
    ndarray of shape (3,), float64
        CIELAB.
    """
    mask = view.within(*CHEEKS[0]) | view.within(*CHEEKS[1]) | view.within(*FOREHEAD)
    pixels = view.lab[mask & (view.hair < 0.3)]
    if len(pixels) < FEW:
        pixels = view.lab.reshape(-1, 3)
    low, high = np.percentile(pixels[:, 0], LIT)
    kept = pixels[(pixels[:, 0] >= low) & (pixels[:, 0] <= high)]
    return np.asarray(np.median(kept, axis=0), np.float64)


def skin_tone(skin: Lab) -> str:
    """Name a skin: how light it is counts most, then whether it is warm.

    Parameters
    ----------
    skin : ndarray of shape (3,)
        CIELAB, in the light.

    Returns
    -------
    str
        A name of the palette.
    """
    light, red, yellow = skin.tolist()
    # Coloured lamps are not skin: towards the middle of what skin is.
    colourless = np.hypot(red, yellow) < GREY_CHROMA
    red, yellow = NEUTRAL_SKIN if colourless else (np.clip(red, 6, 24), np.clip(yellow, 8, 32))
    # A photo may be dim or bright. Dark skin is yellower than fair skin in the shade, which is redder.
    light += np.clip(DIM * (USUAL_YELLOW + red - yellow), -MOST_DIM, MOST_DIM)
    return nearest((light, red, yellow), SKIN, weights=(1.0, 0.35, 0.35))


def hair_colour(view: View, mask: Mask, skin: Lab, *, lighter: bool = True) -> str:
    """Name the colour of what hair a mask holds.

    Parameters
    ----------
    view : View
        A head.
    mask : Mask of shape (264, 252)
        The hair.
    skin : ndarray of shape (3,)
        The skin, CIELAB: where it has no colour, the photo has none.
    lighter : bool
        Whether to judge it by its lit half, as hair on the head is lit from above.

    Returns
    -------
    str
        A name of the palette.
    """
    pixels = view.lab[mask]
    if len(pixels) < FEW:
        return "brown"
    low, high = np.percentile(pixels[:, 0], (35, 85) if lighter else (15, 65))
    kept = pixels[(pixels[:, 0] >= low) & (pixels[:, 0] <= high)]
    light, red, yellow = np.median(kept, axis=0).tolist()
    if np.hypot(*skin[1:]) < GREY_CHROMA:  # a photo without colours: by lightness alone
        browns = {
            name: HAIR[name] for name in ("black", "espresso", "brown", "chestnut", "dark-blond", "silver")
        }
        return nearest((light, 0, 0), browns, weights=(1.0, 0.0, 0.0))
    if np.hypot(red, yellow) < GREY_CHROMA + 3 and light > 36:
        return "silver" if light > 62 else "grey"
    names = {name: colour for name, colour in HAIR.items() if name not in ("grey", "silver")}
    return nearest((light - 2, red, yellow), names, weights=(1.0, 0.7, 0.6))


def lip_redness(view: View, skin: Lab) -> float:
    """Tell how much lips stand out from the skin.

    Parameters
    ----------
    view : View
        A head.
    skin : ndarray of shape (3,)
        Its skin, CIELAB.

    Returns
    -------
    float in [0, 1]
        0 as pale as skin, 1 painted.
    """
    mask = view.within(*LIPS_OUTER) & ~view.within(*LIPS_INNER) & (view.beard < 0.5)
    pixels = view.lab[mask]
    if len(pixels) < FEW:
        return 0.4
    light, red, _ = np.median(pixels, axis=0).tolist()
    return float(np.clip(0.1 + (red - skin[1]) / 34 + max(skin[0] - light - 14, 0) / 110, 0.1, 1.0))


def brow_weight(view: View, skin: Lab) -> tuple[float, str]:
    """Tell how thick and dark brows are, and name their colour.

    Parameters
    ----------
    view : View
        A head.
    skin : ndarray of shape (3,)
        Its skin, CIELAB.

    Returns
    -------
    weight : float in [0, 1]
        From thin and faint to thick and dark.
    colour : str
        A name of the palette of hair.
    """
    shares, dark = [], np.zeros(view.inside.shape, np.bool_)
    for ring in (RIGHT_BROW, LEFT_BROW):
        zone = cv2.dilate(view.within(*ring).astype(np.uint8), np.ones((5, 3))).view(np.bool_) & (
            view.hair < 0.5
        )
        around = view.lab[zone, 0]
        if len(around) < FEW:
            continue
        base = np.percentile(around, 90)
        hairs = zone & (view.lab[..., 0] < base - max(0.16 * base, 6))
        depth = float((base - np.percentile(around, 15)) / max(base, 20))
        shares.append(hairs.sum() / max(zone.sum(), 1) * np.clip(depth / 0.5, 0.2, 1.2))
        dark |= hairs & (view.lab[..., 0] < np.percentile(around, 40))
    weight = float(np.clip((np.mean(shares) - 0.1) / 0.8, 0, 1)) if shares else 0.5
    if dark.sum() < FEW:
        return weight, "brown"
    return weight, hair_colour(view, dark, skin, lighter=False)


def eye_colour(image: Image, mesh: FaceMesh, skin: Lab) -> str:
    """Name the colour of the irises, from the rings around the pupils, in the photo's own pixels.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The photo.
    mesh : FaceMesh
        The face in it.
    skin : ndarray of shape (3,)
        Its skin, CIELAB: the lamp that lights it lights the eyes.

    Returns
    -------
    str
        A name of the palette; brown where eyes are shut or too small to tell.
    """
    if 0.066 * eye_distance(mesh) < 2.5:
        return "brown"
    rings = []
    for centre, lids in ((468, RIGHT_EYE), (473, LEFT_EYE)):
        x, y = mesh.points[centre]
        radius = float(np.hypot(*(mesh.points[centre + 1] - mesh.points[centre + 3]))) / 2
        rings.append(_ring(image, float(x), float(y), radius, mesh.points[list(lids)]))
    pixels = np.concatenate(rings)
    if len(pixels) < FEW:
        return "brown"
    lab = cv2.cvtColor(pixels.reshape(1, -1, 3).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    low, high = np.percentile(lab[:, 0], (20, 80))
    light, red, yellow = np.median(lab[(lab[:, 0] >= low) & (lab[:, 0] <= high)], axis=0).tolist()
    # What the skin's own chroma lacks of usual skin's, the lamp took, from the eyes too.
    red, yellow = red - 0.4 * (skin[1] - NEUTRAL_SKIN[0]), yellow - 0.5 * (skin[2] - NEUTRAL_SKIN[1])
    if light < 24:
        return "dark-brown"
    if yellow < 1.5 and light > 30:
        return "blue" if yellow < -1.5 or red < 1 else "grey"
    if red < 2 and light > 36:
        return "green"
    return nearest(
        (light, red, yellow), {k: EYES[k] for k in ("dark-brown", "brown", "hazel")}, weights=(1.0, 0.3, 0.3)
    )


def _ring(image: Image, x: float, y: float, radius: float, lids: npt.NDArray[np.float32]) -> Image:
    """Collect the pixels of an iris that neither the pupil nor the lids hide."""
    reach = max(int(np.ceil(radius)), 1) + 1
    cols = slice(max(int(x) - reach, 0), min(int(x) + reach + 1, image.shape[1]))
    rows = slice(max(int(y) - reach, 0), min(int(y) + reach + 1, image.shape[0]))
    part = image[rows, cols]
    if part.size == 0:
        return np.zeros((0, 3), np.uint8)
    row, col = np.mgrid[rows, cols]
    away = np.hypot(col - x, row - y) / max(radius, 1e-3)
    opening = fill_rings([lids - np.array([cols.start, rows.start], np.float32)], part.shape)
    seen = opening & (away > 0.5) & (away < 0.92) & (row > y - 0.35 * radius)
    return np.asarray(part[seen], np.uint8)
