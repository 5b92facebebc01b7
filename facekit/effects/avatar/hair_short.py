"""Hair that leaves the neck free: none, cropped, short, parted, with a fringe."""

from dataclasses import replace

import numpy as np

from facekit.effects.avatar.curves import Curve, between, smooth
from facekit.effects.avatar.cuts import Cut, Parts, fringe_line
from facekit.effects.avatar.drawing import Layer, Shape, stroke
from facekit.effects.avatar.figure import LINE
from facekit.effects.avatar.palette import mixed

__all__ = ["bald", "buzz", "fringe", "short", "side_parted"]


def bald(cut: Cut) -> tuple[Parts, Parts]:
    """Leave a gleam on the head.

    Parameters
    ----------
    cut : Cut
        The figure's hair.

    Returns
    -------
    back, front : list of Shape or Layer
        Behind the head, and before it.
    """
    gleam = smooth(cut.figure.dome(-0.16, -48, -22, steps=4))
    return [], [stroke(gleam, colour=mixed(cut.figure.skin, "#ffffff", 0.5), width=1.5 * LINE, opacity=0.7)]


def _cap(cut: Cut, *, volume: float, temples: float, line: float, burns: float, point: float = 0.0) -> Curve:
    """Return short hair's outline: over the dome, and back along temples and hairline."""
    w, t = cut.half, cut.temple
    outer = cut.figure.dome(volume, -92, 92, wide=min(volume, 0.07), steps=13)
    outer[[0, -1], 1] = burns - 0.02
    outer[[0, -1], 0] = [-w - 0.012, w + 0.012]
    inner = [
        (w - 0.075, burns),
        (w - 0.085, burns - 0.24),
        (t + 0.02, cut.forehead + 0.20),
        (t - temples, line + 0.02),
        (0.34 * t, line - 0.02),
        (0.0, line + point),
        (-0.34 * t, line - 0.02),
        (-t + temples, line + 0.02),
        (-t - 0.02, cut.forehead + 0.20),
        (-w + 0.085, burns - 0.24),
        (-w + 0.075, burns),
    ]
    return between(outer, inner, corners=(3, 7))


def buzz(cut: Cut) -> tuple[Parts, Parts]:
    """Crop the hair, so that the skin shows through.

    Parameters
    ----------
    cut : Cut
        The figure's hair.

    Returns
    -------
    back, front : list of Shape or Layer
        Behind the head, and before it.
    """
    outline = _cap(cut, volume=0.035, temples=0.06, line=max(cut.line, cut.forehead), burns=-0.16)
    soft = mixed(cut.colour, cut.figure.skin, 0.14)
    shade = mixed(cut.shade, cut.figure.shade, 0.14)
    layer = cut.filled(outline, "hair-cap", gleams=(smooth(cut.figure.dome(-0.16, -46, -24, steps=4)),))
    recoloured = tuple(
        replace(part, colour={cut.colour: soft, cut.shade: shade}.get(part.colour, part.colour))
        for part in layer.parts
        if isinstance(part, Shape)
    )
    return [], [Layer(layer.name, recoloured, layer.clip)]


def short(cut: Cut) -> tuple[Parts, Parts]:
    """Comb short hair up and to a side, into a soft quiff.

    Parameters
    ----------
    cut : Cut
        The figure's hair.

    Returns
    -------
    back, front : list of Shape or Layer
        Behind the head, and before it.
    """
    w, t, v, line = cut.half, cut.temple, cut.volume, cut.line
    outer = cut.figure.dome(v, -92, 92, wide=min(0.05 + 0.2 * v, 0.1), steps=13)
    outer[[0, -1]] = [(-w - 0.012, -0.17), (w + 0.012, -0.17)]
    lift = np.zeros(13)
    lift[3:8] = np.array([0.25, 0.55, 0.7, 0.45, 0.15]) * v * 0.6
    if cut.side < 0:
        lift = lift[::-1]
    outer[:, 1] -= lift
    inner = cut.oriented(
        [
            (w - 0.07, -0.15),
            (w - 0.085, -0.38),
            (t + 0.015, cut.forehead + 0.22),
            (t - 0.07, line + 0.06),
            (0.42 * t, line - 0.05),
            (0.1 * t, line),
            (-0.22 * t, line + 0.035),
            (-0.52 * t, line),
            (-t + 0.06, line + 0.1),
            (-t - 0.015, cut.forehead + 0.24),
            (-w + 0.085, -0.38),
            (-w + 0.07, -0.15),
        ]
    )
    outline = between(outer, inner, corners=(3, 8))
    strands = [
        smooth(
            cut.mirrored([(0.5 * t, line - 0.03), (0.2 * t, line - 0.2), (-0.3 * t, line - 0.28 - 0.3 * v)])
        ),
        smooth(cut.mirrored([(-0.1 * t, line), (-0.35 * t, line - 0.12), (-0.66 * t, line - 0.1)])),
    ]
    return [], [cut.filled(outline, "hair-cap", *strands, gleams=cut.gleams(v))]


def side_parted(cut: Cut) -> tuple[Parts, Parts]:
    """Part the hair at one side, and sweep it over the forehead to the other.

    Parameters
    ----------
    cut : Cut
        The figure's hair.

    Returns
    -------
    back, front : list of Shape or Layer
        Behind the head, and before it.
    """
    w, t, v, line = cut.half, cut.temple, cut.volume, cut.line
    outer = cut.figure.dome(v, -92, 92, wide=0.07 + 0.15 * v, steps=13)
    outer[[0, -1]] = [(-w - 0.02, -0.12), (w + 0.02, -0.12)]
    part = (0.52 * t, line - 0.05)
    inner = cut.oriented(
        [
            (-w + 0.06, -0.1),
            (-w + 0.075, -0.36),
            (-t, cut.forehead + 0.28),
            (-t + 0.1, line + 0.17),
            (-0.35 * t, line + 0.13),
            (0.1 * t, line + 0.06),
            part,
            (t - 0.06, line + 0.12),
            (t + 0.02, cut.forehead + 0.26),
            (w - 0.075, -0.36),
            (w - 0.06, -0.1),
        ]
    )[::-1]
    corner = 4 if cut.side >= 0 else 6
    outline = between(outer, inner, corners=(corner,))
    crown = (0.36 * t, cut.figure.top - 0.35 * v)
    strands = [
        smooth(cut.mirrored([part, (0.47 * t, line - 0.2), crown])),
        smooth(cut.mirrored([(0.3 * t, line - 0.08), (-0.2 * t, line - 0.12), (-0.75 * t, line + 0.06)])),
        smooth(cut.mirrored([(0.3 * t, line - 0.26), (-0.3 * t, line - 0.3), (-0.9 * t, line - 0.05)])),
    ]
    return [], [cut.filled(outline, "hair-cap", *strands, gleams=cut.gleams(v))]


def fringe(cut: Cut) -> tuple[Parts, Parts]:
    """Let short hair fall over the forehead.

    Parameters
    ----------
    cut : Cut
        The figure's hair.

    Returns
    -------
    back, front : list of Shape or Layer
        Behind the head, and before it.
    """
    w, v = cut.half, cut.volume
    outer = cut.figure.dome(v, -92, 92, wide=0.06 + 0.25 * v, steps=13)
    outer[[0, -1]] = [(-w - 0.03, -0.08), (w + 0.03, -0.08)]
    edge = fringe_line(cut)
    inner = np.concatenate(
        [[(w - 0.05, -0.06), (w - 0.07, -0.3)], edge, [(-w + 0.07, -0.3), (-w + 0.05, -0.06)]]
    )
    outline = between(outer, inner, corners=(3, 5, 7, 9))
    strands = [
        smooth([edge[k] + (0, -0.01), edge[k] + (0.05 * cut.side, -0.14), edge[k] * (0.7, 1) + (0.05, -0.3)])
        for k in (3, 5, 7)
    ]
    return [], [cut.filled(outline, "hair-cap", *strands, gleams=cut.gleams(v))]
