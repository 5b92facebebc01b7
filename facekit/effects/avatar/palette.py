"""The fixed colours of every portrait, how a measured colour finds its own, and what is derived from it.

References
----------
.. [1] CIE 15, "Colorimetry", 2004, for CIELAB.
.. [2] Fitzpatrick, "The Validity and Practicality of Sun-Reactive Skin Types I Through VI", Archives of
   Dermatology 124(6), 1988, for how many tones of skin there are to tell.
"""

from collections.abc import Mapping
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

__all__ = [
    "BACKGROUNDS",
    "EYES",
    "GARMENTS",
    "HAIR",
    "INK",
    "SKIN",
    "farthest",
    "lab_of",
    "mixed",
    "nearest",
    "shaded",
]

Lab = npt.NDArray[np.float64]  # L, a, b

SKIN: Mapping[str, str] = MappingProxyType(
    {
        "porcelain-warm": "#fbdcc2",
        "porcelain-cool": "#f9d6ca",
        "fair-warm": "#f4c8a2",
        "fair-cool": "#f0c0ab",
        "honey-warm": "#e6ae7e",
        "honey-cool": "#dda68a",
        "tan-warm": "#cd9261",
        "tan-cool": "#c48a6c",
        "brown-warm": "#a66d44",
        "brown-cool": "#9c6850",
        "deep-warm": "#74472d",
        "deep-cool": "#6c4538",
    }
)
HAIR: Mapping[str, str] = MappingProxyType(
    {
        "black": "#231f26",
        "espresso": "#3a2a27",
        "brown": "#563a2c",
        "chestnut": "#744a31",
        "light-brown": "#93693f",
        "dark-blond": "#b98d54",
        "blond": "#dcb671",
        "platinum": "#edd9ab",
        "auburn": "#8c3d27",
        "ginger": "#c4662f",
        "grey": "#8d8b8e",
        "silver": "#d3d1d0",
    }
)
EYES: Mapping[str, str] = MappingProxyType(
    {
        "dark-brown": "#3d2619",
        "brown": "#6d4427",
        "hazel": "#8b6a34",
        "green": "#61804f",
        "blue": "#4d7fab",
        "grey": "#75858f",
    }
)
GARMENTS: Mapping[str, str] = MappingProxyType(
    {
        "mustard": "#dba53f",
        "terracotta": "#c65c3e",
        "teal": "#2f7275",
        "navy": "#2f4263",
        "sage": "#819f82",
        "plum": "#73425f",
        "cream": "#f1e6d3",
        "charcoal": "#41434d",
    }
)
BACKGROUNDS: Mapping[str, str] = MappingProxyType(
    {
        "peach": "#f6cfae",
        "mint": "#c3e0d5",
        "lavender": "#d5cfe8",
        "sky": "#bcd7e8",
        "sand": "#ecdcb6",
        "rose": "#f0c3bd",
        "teal": "#6fa7a3",
        "dusk": "#7f86b2",
    }
)
INK = "#2b2024"  # the one dark of lines, lashes and pupils


def lab_of(colour: str) -> Lab:
    """Return a colour in CIELAB.

    Parameters
    ----------
    colour : str
        As ``"#rrggbb"``.

    Returns
    -------
    ndarray of shape (3,), float64
        L from 0 to 100, a, b.

    Examples
    --------
    >>> lab_of("#ffffff").round().tolist()
    [100.0, 0.0, 0.0]
    """
    rgb = np.array([[[int(colour[k : k + 2], 16) for k in (1, 3, 5)]]], np.float32) / np.float32(255)
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[0, 0], np.float64)


def hex_of(lab: npt.ArrayLike) -> str:
    """Return a CIELAB colour as ``"#rrggbb"``; out of gamut, it is clipped."""
    rgb = cv2.cvtColor(np.asarray(lab, np.float32).reshape(1, 1, 3), cv2.COLOR_LAB2RGB)[0, 0]
    red, green, blue = np.clip(np.rint(rgb * 255), 0, 255).astype(int).tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"


def nearest(lab: npt.ArrayLike, palette: Mapping[str, str], *, weights: tuple[float, float, float]) -> str:
    """Find the name of a palette's colour that is most like a measured one.

    Parameters
    ----------
    lab : array_like of shape (3,)
        CIELAB.
    palette : Mapping of str to str
        Colours by name.
    weights : (float, float, float)
        How much differences of L, a and b count.

    Returns
    -------
    str
        The name; of equals, the first.

    Examples
    --------
    >>> nearest((12, 2, 0), HAIR, weights=(1, 1, 1))
    'black'
    """
    wanted = np.asarray(lab, np.float64)
    names = list(palette)
    away = [float(np.square((lab_of(palette[name]) - wanted) * weights).sum()) for name in names]
    return names[int(np.argmin(away))]


def farthest(colours: tuple[str, ...], palette: Mapping[str, str], pick: int, *, among: int) -> str:
    """Pick one of a palette's colours that stand out best from others.

    Parameters
    ----------
    colours : tuple of str
        What to stand out from.
    palette : Mapping of str to str
        Colours by name.
    pick : int
        Which of the best.
    among : int
        How many are good enough.

    Returns
    -------
    str
        A name of the palette.
    """
    marks = {
        name: min(
            float(np.hypot(*((lab_of(one) - lab_of(colour)) * (1.0, 0.7, 0.7)).tolist()[:2]))
            for one in colours
        )
        for name, colour in palette.items()
    }
    best = sorted(palette, key=lambda name: -marks[name])[:among]
    return sorted(best)[pick % len(best)]


def shaded(colour: str, amount: float = 1.0, *, warmth: float = 1.0) -> str:
    """Return a colour as it is in the shade: darker, and for skin a little redder and richer.

    Parameters
    ----------
    colour : str
        As ``"#rrggbb"``.
    amount : float
        1 for the one shade of every portrait; negative for a gleam.
    warmth : float
        How much redder it gets: 1 as skin does, 0 not at all.

    Returns
    -------
    str
        As ``"#rrggbb"``.
    """
    light, red, yellow = lab_of(colour).tolist()
    step = 0.13 * light + 1.5
    return hex_of(
        (
            light - amount * step,
            red * (1 + 0.12 * amount * warmth) + 2.0 * amount * warmth,
            yellow * (1 + 0.06 * amount * warmth),
        )
    )


def mixed(first: str, second: str, share: float) -> str:
    """Mix two colours in CIELAB.

    Parameters
    ----------
    first, second : str
        As ``"#rrggbb"``.
    share : float in [0, 1]
        Of the second.

    Returns
    -------
    str
        As ``"#rrggbb"``.
    """
    return hex_of((1 - share) * lab_of(first) + share * lab_of(second))
