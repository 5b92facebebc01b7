"""Beards: stubble, moustache, goatee, full; drawn below the mouth, so that the lips show."""

import numpy as np

from facekit.effects.avatar.curves import Curve, join, polyline, shifted, smooth
from facekit.effects.avatar.drawing import Layer, Shape, fill
from facekit.effects.avatar.figure import Figure
from facekit.effects.avatar.head import face_curve
from facekit.effects.avatar.mouth import lip_lines
from facekit.effects.avatar.palette import HAIR, mixed, shaded

__all__ = ["draw_beard"]


def draw_beard(figure: Figure) -> Layer:
    """Draw the beard.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Returns
    -------
    Layer
        ``beard``, empty where there is none.
    """
    kind = figure.look.beard
    colour = HAIR[figure.look.beard_colour]
    parts: list[Shape | Layer] = []
    if kind == "stubble":
        shade = mixed(figure.shade, colour, 0.55)
        parts.append(
            Layer(
                "beard-stubble", (fill(_mask(figure, 0.0), colour=shade, opacity=0.42),), face_curve(figure)
            )
        )
    if kind == "full":
        mask = _mask(figure, 0.085)
        parts.append(_lit(mask, "beard-full", colour, figure))
    if kind == "goatee":
        parts.append(_lit(_chin(figure), "beard-chin", colour, figure))
    if kind in ("moustache", "goatee", "full"):
        parts.append(
            _lit(
                _moustache(figure),
                "beard-moustache",
                shaded(colour, -0.35, warmth=0.1) if kind == "full" else colour,
                figure,
            )
        )
    return Layer("beard", tuple(parts))


def _lit(outline: Curve, name: str, colour: str, figure: Figure) -> Layer:
    """Fill an outline, and shade its right side as the face's."""
    w = figure.half
    right = polyline([(0.52 * w, -0.6), (0.5 * w, 0.5), (0.22 * w, 1.6), (2, 1.6), (2, -0.6)])
    return Layer(
        name, (fill(outline, colour=colour), fill(right, colour=shaded(colour, 1.2, warmth=0.1))), outline
    )


def _mask(figure: Figure, grow: float) -> Curve:
    """Return a full beard's outline: down the jaw from the ears, and back along the cheeks over the lip."""
    oval = figure.oval
    top, *_ = lip_lines(figure)
    right = oval[[8, 9, 10, 11, 12, 13, 14, 15, 16, 17]]
    left = oval[[36 - k for k in range(17, 7, -1)]]
    jaw = np.concatenate([right, [oval[18]], left])
    away = jaw - (0, 0.1)
    size = np.maximum(np.hypot(*away.T), 1e-6)[:, None]
    strength = grow * np.sin(np.linspace(0, np.pi, len(jaw)))[:, None] ** 0.7
    jaw = jaw + away / size * strength * (0.7, 1.2)
    w = figure.half
    nose = float(figure.at(2)[1])
    mouth = float(top[[0, 10], 1].mean())
    reach = float(top[10, 0] - top[0, 0]) / 2
    back = [
        (-w + 0.085, -0.12),
        (-w + 0.12, 0.16),
        (-0.62 * w, mouth - 0.12),
        (-reach - 0.06, mouth - 0.17),
        (-0.17, nose + 0.075),
        (0.0, nose + 0.095),
        (0.17, nose + 0.075),
        (reach + 0.06, mouth - 0.17),
        (0.62 * w, mouth - 0.12),
        (w - 0.12, 0.16),
        (w - 0.085, -0.12),
    ]
    outer = smooth(jaw[::2])
    return join(outer, smooth(back))


def _moustache(figure: Figure) -> Curve:
    """Return a moustache: from the base of the nose to beyond the corners, over the upper lip."""
    top, upper, *_ = lip_lines(figure)
    nose = float(figure.at(2)[1])
    left, right = top[0], top[10]
    lip = float((top[5, 1] + upper[5, 1]) / 2)
    over = [
        shifted(left, -0.045, 0.06),
        shifted(left, -0.02, -0.05),
        (left + top[4]) / 2 + (0.02, -0.095),
        (-0.09, nose + 0.055),
        (0.0, nose + 0.08),
        (0.09, nose + 0.055),
        (right + top[6]) / 2 + (-0.02, -0.095),
        shifted(right, 0.02, -0.05),
        shifted(right, 0.045, 0.06),
    ]
    under = [
        shifted(right, 0.045, 0.06),
        shifted(right, -0.05, -0.005),
        (0.13, lip - 0.005),
        (0.0, lip - 0.02),
        (-0.13, lip - 0.005),
        shifted(left, 0.05, -0.005),
        shifted(left, -0.045, 0.06),
    ]
    return join(smooth(over), smooth(under))


def _chin(figure: Figure) -> Curve:
    """Return a goatee: beside the corners of the mouth, and around the chin."""
    top, _, _, bottom = lip_lines(figure)
    left, right = top[0], top[10]
    chin = float(figure.oval[18, 1])
    low = float(bottom[5, 1])
    outer = smooth(
        [
            shifted(right, 0.06, -0.04),
            shifted(right, 0.07, 0.14),
            (0.3, chin - 0.1),
            (0.0, chin + 0.07),
            (-0.3, chin - 0.1),
            shifted(left, -0.07, 0.14),
            shifted(left, -0.06, -0.04),
        ]
    )
    inner = smooth(
        [
            shifted(left, 0.015, 0.0),
            shifted(left, 0.03, 0.11),
            (-0.12, low + 0.045),
            (0.0, low + 0.03),
            (0.12, low + 0.045),
            shifted(right, -0.03, 0.11),
            shifted(right, -0.015, 0.0),
        ]
    )
    return join(outer, inner)
