"""Hair that frames the face or crowns it: to the chin, to the shoulders, tied up, curly."""

import numpy as np

from facekit.effects.avatar.curves import Curve, between, circle, ellipse, shifted, smooth
from facekit.effects.avatar.cuts import Cut, Parts, fringe_line
from facekit.effects.avatar.drawing import fill, stroke
from facekit.effects.avatar.figure import LINE

__all__ = ["bob", "curly", "long", "tied_up"]


def _curtain(cut: Cut, wide: float, ends: float, *, inward: float, fringe: bool) -> tuple[Curve, list[Curve]]:
    """Return what frames a face from a parting down to the ends: its outline and its strands."""
    w, t, v, line = cut.half, cut.temple, cut.volume, cut.line
    outer = cut.figure.dome(v, -92, 92, wide=wide, steps=13)
    outer[[0, -1]] = [(-w - wide - 0.02, -0.15), (w + wide + 0.02, -0.15)]
    part = 0.42 * t * cut.side
    if fringe:
        edge = fringe_line(cut)
    else:
        edge = np.array(
            [
                (t + 0.01, cut.forehead + 0.44),
                (part + (t - part) * 0.72, line + 0.20),
                (part + (t - part) * 0.34, line + 0.06),
                (part, line - 0.06),
                (part - (t + part) * 0.34, line + 0.06),
                (part - (t + part) * 0.72, line + 0.20),
                (-t - 0.01, cut.forehead + 0.44),
            ]
        )
    right = np.array([(w + wide - inward, ends), (w + wide, ends - 0.32), (w + wide + 0.02, ends - 0.75)])
    inner_right = np.array(
        [(w - 0.02 - inward * 0.3, ends - 0.03), (w + 0.015, ends - 0.4), (w - 0.01, -0.05), (w - 0.05, -0.4)]
    )
    left, inner_left = right * (-1, 1), inner_right * (-1, 1)
    over = [point for point in outer if point[1] < min(right[2, 1], left[2, 1]) - 0.15]
    ring = np.concatenate([left, over, right[::-1], inner_right, edge, inner_left[::-1]])
    first = len(left) + len(over) + len(right)
    corners = [0, first - 1, first, len(ring) - 1] + ([] if fringe else [first + 4 + 3])
    strands = (
        []
        if fringe
        else [
            smooth([(part, line - 0.06), (part + 0.01, line - 0.2), (part * 0.9, cut.figure.top - 0.4 * v)])
        ]
    )
    strands += [
        smooth(
            [
                (part + s * 0.2, line - 0.12),
                (s * (t + 0.02), line + 0.2),
                (s * (w + 0.45 * wide + 0.02), -0.1),
                (s * (w + 0.5 * wide), ends - 0.25),
            ]
        )
        for s in (-1, 1)
    ]
    return smooth(ring, closed=True, corners=corners), strands


def _framing(
    cut: Cut, wide: float, ends: float, *, inward: float, right: list[tuple[float, float]]
) -> tuple[Parts, Parts]:
    """Frame the face down to the ends; behind the head hair falls along `right`, and its mirror image."""
    outline, strands = _curtain(cut, wide, ends, inward=inward, fringe=cut.figure.look.hairline > 0.16)
    dome = cut.figure.dome(cut.volume * 0.8, -90, 90, wide=wide - 0.04, steps=9)
    fall = np.array(right)
    back = smooth(np.concatenate([dome, fall, fall[::-1] * (-1, 1)]), closed=True)
    return [fill(back, colour=cut.back)], [
        cut.filled(outline, "hair-cap", *strands, gleams=cut.gleams(cut.volume), side=0.62)
    ]


def bob(cut: Cut) -> tuple[Parts, Parts]:
    """Frame the face down to the jaw.

    Parameters
    ----------
    cut : Cut
        The figure's hair.

    Returns
    -------
    back, front : list of Shape or Layer
        Behind the head, and before it.
    """
    w, chin = cut.half, float(cut.figure.oval[18, 1])
    wide = 0.14 + 0.25 * cut.volume
    ends = 0.78 * chin
    right = [(w + wide - 0.05, 0.45), (w - 0.02, ends - 0.02), (0.3, ends + 0.03)]
    return _framing(cut, wide, ends, inward=0.1, right=right)


def long(cut: Cut) -> tuple[Parts, Parts]:
    """Let the hair fall behind and over the shoulders.

    Parameters
    ----------
    cut : Cut
        The figure's hair.

    Returns
    -------
    back, front : list of Shape or Layer
        Behind the head, and before it.
    """
    w = cut.half
    wide = 0.13 + 0.3 * cut.volume
    right = [(w + wide, 0.5), (w + wide + 0.08, 1.2), (w + 0.05, 1.72), (0.3, 1.6)]
    return _framing(cut, wide, 1.52, inward=-0.06, right=right)


def tied_up(cut: Cut) -> tuple[Parts, Parts]:
    """Draw the hair back, into a bun on the crown.

    Parameters
    ----------
    cut : Cut
        The figure's hair.

    Returns
    -------
    back, front : list of Shape or Layer
        Behind the head, and before it.
    """
    w, t, v, line = cut.half, cut.temple, min(cut.volume, 0.22), cut.line
    top = cut.figure.top - v
    bun = ellipse(0.06 * cut.side, top - 0.1, 0.36, 0.28)
    outer = cut.figure.dome(v, -92, 92, wide=0.05, steps=13)
    outer[[0, -1]] = [(-w - 0.01, -0.16), (w + 0.01, -0.16)]
    inner = np.array(
        [
            (w - 0.05, -0.13),
            (w - 0.075, -0.4),
            (t + 0.02, cut.forehead + 0.26),
            (0.72 * t, line + 0.03),
            (0.36 * t, line - 0.045),
            (0.0, line - 0.06),
            (-0.36 * t, line - 0.045),
            (-0.72 * t, line + 0.03),
            (-t - 0.02, cut.forehead + 0.26),
            (-w + 0.075, -0.4),
            (-w + 0.05, -0.13),
        ]
    )
    outline = between(outer, inner)
    strands = [
        smooth([(s * x * t, line + d), (s * x * 0.75 * t, line - 0.2), (s * x * 0.2 * t, top + 0.08)])
        for s in (-1, 1)
        for x, d in ((0.95, 0.16), (0.4, -0.03))
    ]
    twist = smooth([(-0.2, top - 0.02), (0.0, top - 0.2), (0.24, top - 0.18)])
    return [cut.filled(bun, "hair-bun", twist, side=0.16)], [
        cut.filled(outline, "hair-cap", *strands, gleams=cut.gleams(v))
    ]


def curly(cut: Cut) -> tuple[Parts, Parts]:
    """Crown the head with a cloud of curls.

    Parameters
    ----------
    cut : Cut
        The figure's hair.

    Returns
    -------
    back, front : list of Shape or Layer
        Behind the head, and before it.
    """
    v = float(np.clip(cut.volume, 0.2, 0.55))
    wide = 0.75 * v
    t, w, line = cut.temple, cut.half, cut.line
    ring = cut.figure.dome(v - 0.08, -122, 122, wide=wide - 0.06, steps=13)
    back = [circle(float(x), float(y), 0.17 + 0.03 * np.sin(2.4 * k)) for k, (x, y) in enumerate(ring)]
    bulk = smooth(
        np.concatenate([cut.figure.dome(v - 0.06, -122, 122, wide=wide - 0.05, steps=13), [(0, 0.3)]]),
        closed=True,
    )
    edge = [
        (w, -0.2),
        (w - 0.05, -0.42),
        (t, cut.forehead + 0.26),
        (0.74 * t, line + 0.08),
        (0.38 * t, line),
        (0.0, line + 0.03),
        (-0.38 * t, line),
        (-0.74 * t, line + 0.08),
        (-t, cut.forehead + 0.26),
        (-w + 0.05, -0.42),
        (-w, -0.2),
    ]
    outer = cut.figure.dome(0.06, -92, 92, wide=0.06, steps=13)
    outer[[0, -1]] = [(-w - 0.05, -0.2), (w + 0.05, -0.2)]
    front = between(outer, edge, corners=range(2, 9))
    curls = [
        smooth([(x - 0.09, y + 0.05), (x - 0.05, y - 0.05), (x + 0.05, y - 0.05), (x + 0.08, y + 0.04)])
        for x, y in np.concatenate(
            [
                cut.figure.dome(0.5 * v, -70, 70, wide=0.4 * wide, steps=6),
                cut.figure.dome(-0.12, -40, 40, steps=4),
            ]
        )
    ]
    shade = [stroke(one, colour=cut.shade, width=0.8 * LINE) for one in curls]
    light = [
        stroke(shifted(one, -0.01, 0.0), colour=cut.gleam, width=0.8 * LINE, opacity=0.7) for one in curls[:2]
    ]
    dark = [k for k in range(len(back)) if ring[k][0] > 0.62 * w]
    behind: Parts = [fill(bulk, *back, colour=cut.colour)]
    if dark:
        behind.append(fill(*[back[k] for k in dark], colour=cut.shade))
    return behind, [fill(front, colour=cut.colour), *shade, *light]
