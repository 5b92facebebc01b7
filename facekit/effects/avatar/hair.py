"""Hair: a silhouette behind the head and one over the forehead, in the light and in the shade.

Every style is an outline at the back, an outline in front, and a few strokes of a brush; which style
it is, its parting, its volume and its hairline come from the portrait.
"""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from facekit.effects.avatar.curves import Curve, circle, ellipse, join, polyline, smooth
from facekit.effects.avatar.drawing import Layer, Shape, fill, stroke
from facekit.effects.avatar.figure import LINE, Figure
from facekit.effects.avatar.palette import HAIR, mixed, shaded

__all__ = ["draw_hair"]

Flat = npt.NDArray[np.float64]
Style = Callable[["_Cut"], tuple[list[Shape | Layer], list[Shape | Layer]]]


class _Cut:
    """What all styles need to know of a figure."""

    def __init__(self, figure: Figure) -> None:
        look = figure.look
        self.figure = figure
        self.volume = float(np.clip(look.volume, 0.03, 0.6))
        self.half = figure.half
        self.forehead = float(figure.oval[0, 1])
        self.line = self.forehead + look.hairline
        self.side = {"left": -1, "middle": 0, "right": 1}[look.parting]
        self.colour = HAIR[look.hair]
        dark = look.hair in ("black", "espresso")
        self.shade = shaded(self.colour, 1.3, warmth=0.1)
        self.back = shaded(self.colour, 2.0, warmth=0.1)
        self.gleam = mixed(self.colour, "#ffffff", 0.16 if dark else 0.22)
        self.temple = float(np.abs(figure.oval[[4, 32], 0]).mean())

    def mirrored(self, points: npt.ArrayLike) -> Flat:
        """Flip points for a parting at the picture's left."""
        flat = np.asarray(points, np.float64)
        return flat if self.side >= 0 else flat * (-1, 1)

    def oriented(self, points: npt.ArrayLike) -> Flat:
        """Flip points for a parting at the left, and keep their order from left to right."""
        flat = self.mirrored(points)
        return flat if self.side >= 0 else flat[::-1]

    def filled(self, outline: Curve, name: str, *strands: Curve, gleams: tuple[Curve, ...] = (), side: float = 0.5) -> Layer:
        """Fill an outline in the light, shade its right, and comb it."""
        w = self.half
        edge = smooth([(side * w, -2.6), ((side + 0.16) * w, -1.5), ((side + 0.34) * w, -0.9), ((side + 0.36) * w, -0.2), ((side + 0.3) * w, 0.6), ((side + 0.34) * w, 2.4)])
        right = join(edge, polyline([edge[-1], (3.0, 2.4), (3.0, -2.6), edge[0]]))
        parts: list[Shape | Layer] = [
            fill(outline, colour=self.colour),
            fill(right, colour=self.shade),
        ]
        parts += [stroke(one, colour=self.shade, width=0.7 * LINE) for one in strands]
        parts += [stroke(one, colour=self.gleam, width=0.9 * LINE, opacity=0.75) for one in gleams]
        return Layer(name, tuple(parts), outline)

    def gleams(self, volume: float) -> tuple[Curve, ...]:
        """Return two strokes of light along the dome, upper left."""
        return (
            smooth(self.figure.dome(volume * 0.62 + 0.0, -52, -18, steps=4)),
            smooth(self.figure.dome(volume * 0.2 - 0.02, -42, -26, steps=3)),
        )


def draw_hair(figure: Figure) -> tuple[Layer, Layer]:
    """Draw the hair behind the head, and that in front of it.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Returns
    -------
    back, front : Layer
        ``hair-back`` and ``hair-front``; either may be empty.
    """
    back, front = STYLES[figure.look.hair_class](_Cut(figure))
    return Layer("hair-back", tuple(back)), Layer("hair-front", tuple(front))


def _bald(cut: _Cut) -> tuple[list[Shape | Layer], list[Shape | Layer]]:
    """Leave a gleam on the head."""
    gleam = smooth(cut.figure.dome(-0.16, -48, -22, steps=4))
    return [], [stroke(gleam, colour=mixed(cut.figure.skin, "#ffffff", 0.5), width=1.5 * LINE, opacity=0.7)]


def _cap(cut: _Cut, *, volume: float, temples: float, line: float, burns: float, point: float = 0.0) -> Curve:
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
    return join(smooth(outer), polyline([outer[-1], inner[0]]), smooth(inner, corners=(3, 7)), polyline([inner[-1], outer[0]]))


def _buzz(cut: _Cut) -> tuple[list[Shape | Layer], list[Shape | Layer]]:
    outline = _cap(cut, volume=0.035, temples=0.06, line=max(cut.line, cut.forehead + 0.0), burns=-0.16)
    soft = mixed(cut.colour, cut.figure.skin, 0.14)
    shade = mixed(cut.shade, cut.figure.shade, 0.14)
    layer = cut.filled(outline, "hair-cap", gleams=(smooth(cut.figure.dome(-0.16, -46, -24, steps=4)),))
    recoloured = tuple(
        Shape(part.curves, {cut.colour: soft, cut.shade: shade}.get(part.colour, part.colour), part.width, part.opacity)
        for part in layer.parts
        if isinstance(part, Shape)
    )
    return [], [Layer(layer.name, recoloured, layer.clip)]


def _short(cut: _Cut) -> tuple[list[Shape | Layer], list[Shape | Layer]]:
    """Comb short hair up and to a side, into a soft quiff."""
    w, t, v, line = cut.half, cut.temple, cut.volume, cut.line
    outer = cut.figure.dome(v, -92, 92, wide=min(0.05 + 0.2 * v, 0.1), steps=13)
    outer[[0, -1]] = [(-w - 0.012, -0.17), (w + 0.012, -0.17)]
    lift = np.zeros(13)
    lift[3:8] = np.array([0.25, 0.55, 0.7, 0.45, 0.15]) * v * 0.6
    if cut.side < 0:
        lift = lift[::-1]
    outer[:, 1] -= lift
    inner = cut.mirrored(
        [
            (w - 0.07, -0.15),
            (w - 0.085, -0.38),
            (t + 0.015, cut.forehead + 0.22),
            (t - 0.07, line + 0.06),
            (0.42 * t, line - 0.05),
            (0.1 * t, line + 0.0),
            (-0.22 * t, line + 0.035),
            (-0.52 * t, line + 0.0),
            (-t + 0.06, line + 0.1),
            (-t - 0.015, cut.forehead + 0.24),
            (-w + 0.085, -0.38),
            (-w + 0.07, -0.15),
        ]
    )
    if cut.side < 0:
        inner = inner[::-1]
    outline = join(smooth(outer), polyline([outer[-1], inner[0]]), smooth(inner, corners=(3, 8)), polyline([inner[-1], outer[0]]))
    strands = [
        smooth(cut.mirrored([(0.5 * t, line - 0.03), (0.2 * t, line - 0.2), (-0.3 * t, line - 0.28 - 0.3 * v)])),
        smooth(cut.mirrored([(-0.1 * t, line + 0.0), (-0.35 * t, line - 0.12), (-0.66 * t, line - 0.1)])),
    ]
    return [], [cut.filled(outline, "hair-cap", *strands, gleams=cut.gleams(v))]


def _side_parted(cut: _Cut) -> tuple[list[Shape | Layer], list[Shape | Layer]]:
    """Part the hair at one side, and sweep it over the forehead to the other."""
    w, t, v, line = cut.half, cut.temple, cut.volume, cut.line
    outer = cut.figure.dome(v, -92, 92, wide=0.07 + 0.15 * v, steps=13)
    outer[[0, -1]] = [(-w - 0.02, -0.12), (w + 0.02, -0.12)]
    part = (0.52 * t, line - 0.05)
    inner = cut.oriented(
        [
            (-w + 0.06, -0.1),
            (-w + 0.075, -0.36),
            (-t - 0.0, cut.forehead + 0.28),
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
    outline = join(smooth(outer), polyline([outer[-1], inner[0]]), smooth(inner, corners=(corner,)), polyline([inner[-1], outer[0]]))
    crown = (0.36 * t, cut.figure.top - 0.35 * v)
    strands = [
        smooth(cut.mirrored([part, (0.47 * t, line - 0.2), crown])),
        smooth(cut.mirrored([(0.3 * t, line - 0.08), (-0.2 * t, line - 0.12), (-0.75 * t, line + 0.06)])),
        smooth(cut.mirrored([(0.3 * t, line - 0.26), (-0.3 * t, line - 0.3), (-0.9 * t, line - 0.05)])),
    ]
    return [], [cut.filled(outline, "hair-cap", *strands, gleams=cut.gleams(v))]


def _fringe_line(cut: _Cut) -> Flat:
    """Return the lower edge of a fringe, from the picture's right to its left: locks, combed aside."""
    t = cut.temple
    low = float(np.clip(cut.line + 0.1, cut.forehead + 0.18, cut.forehead + 0.34))
    x = np.linspace(t + 0.03, -t - 0.03, 9)
    locks = np.array([0.10, 0.0, 0.05, -0.015, 0.045, -0.01, 0.05, 0.01, 0.12])
    return cut.mirrored(np.column_stack([x, low + locks])) if cut.side >= 0 else cut.mirrored(np.column_stack([x, low + locks]))[::-1]


def _fringe(cut: _Cut) -> tuple[list[Shape | Layer], list[Shape | Layer]]:
    """Let short hair fall over the forehead."""
    w, v = cut.half, cut.volume
    outer = cut.figure.dome(v, -92, 92, wide=0.06 + 0.25 * v, steps=13)
    outer[[0, -1]] = [(-w - 0.03, -0.08), (w + 0.03, -0.08)]
    edge = _fringe_line(cut)
    inner = np.concatenate([[(w - 0.05, -0.06), (w - 0.07, -0.3)], edge, [(-w + 0.07, -0.3), (-w + 0.05, -0.06)]])
    outline = join(smooth(outer), polyline([outer[-1], inner[0]]), smooth(inner, corners=(3, 5, 7, 9)), polyline([inner[-1], outer[0]]))
    strands = [
        smooth([edge[k] + (0, -0.01), edge[k] + (0.05 * cut.side, -0.14), edge[k] * (0.7, 1) + (0.05, -0.3)]) for k in (3, 5, 7)
    ]
    return [], [cut.filled(outline, "hair-cap", *strands, gleams=cut.gleams(v))]


def _curtain(cut: _Cut, wide: float, ends: float, *, inward: float, fringe: bool) -> tuple[Curve, list[Curve], Flat]:
    """Return what frames a face from a parting down to the ends: its outline, its strands, the outer line."""
    w, t, v, line = cut.half, cut.temple, cut.volume, cut.line
    outer = cut.figure.dome(v, -92, 92, wide=wide, steps=13)
    outer[[0, -1]] = [(-w - wide - 0.02, -0.15), (w + wide + 0.02, -0.15)]
    part = 0.42 * t * cut.side
    if fringe:
        edge = _fringe_line(cut)
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
    right = np.array([(w + wide - inward, ends), (w + wide + 0.0, ends - 0.32), (w + wide + 0.02, ends - 0.75)])
    inner_right = np.array([(w - 0.02 - inward * 0.3, ends - 0.03), (w + 0.015, ends - 0.4), (w - 0.01, -0.05), (w - 0.05, -0.4)])
    left, inner_left = right * (-1, 1), inner_right * (-1, 1)
    over = [point for point in outer if point[1] < min(right[2, 1], left[2, 1]) - 0.15]
    ring = np.concatenate([left, over, right[::-1], inner_right, edge, inner_left[::-1]])
    first = len(left) + len(over) + len(right)
    corners = [0, first - 1, first, len(ring) - 1] + ([] if fringe else [first + 4 + 3])
    strands = [] if fringe else [smooth([(part, line - 0.06), (part + 0.01, line - 0.2), (part * 0.9, cut.figure.top - 0.4 * v)])]
    for s in (-1, 1):
        strands.append(smooth([(part + s * 0.2, line - 0.12), (s * (t + 0.02), line + 0.2), (s * (w + 0.45 * wide + 0.02), -0.1), (s * (w + 0.5 * wide), ends - 0.25)]))
    return smooth(ring, closed=True, corners=corners), strands, outer


def _bob(cut: _Cut) -> tuple[list[Shape | Layer], list[Shape | Layer]]:
    """Frame the face down to the jaw."""
    w, chin = cut.half, float(cut.figure.oval[18, 1])
    wide = 0.14 + 0.25 * cut.volume
    ends = 0.78 * chin
    outline, strands, _ = _curtain(cut, wide, ends, inward=0.1, fringe=cut.figure.look.hairline > 0.16)
    back = smooth(
        np.concatenate([cut.figure.dome(cut.volume * 0.8, -90, 90, wide=wide - 0.04, steps=9), [(w + wide - 0.05, 0.45), (w - 0.02, ends - 0.02), (0.3, ends + 0.03), (-0.3, ends + 0.03), (-w + 0.02, ends - 0.02), (-w - wide + 0.05, 0.45)]]),
        closed=True,
    )
    return [fill(back, colour=cut.back)], [cut.filled(outline, "hair-cap", *strands, gleams=cut.gleams(cut.volume), side=0.62)]


def _long(cut: _Cut) -> tuple[list[Shape | Layer], list[Shape | Layer]]:
    """Let the hair fall behind and over the shoulders."""
    w = cut.half
    wide = 0.13 + 0.3 * cut.volume
    outline, strands, _ = _curtain(cut, wide, 1.52, inward=-0.06, fringe=cut.figure.look.hairline > 0.16)
    back = smooth(
        np.concatenate([cut.figure.dome(cut.volume * 0.8, -90, 90, wide=wide - 0.04, steps=9), [(w + wide + 0.0, 0.5), (w + wide + 0.08, 1.2), (w + 0.05, 1.72), (0.3, 1.6), (-0.3, 1.6), (-w - 0.05, 1.72), (-w - wide - 0.08, 1.2), (-w - wide - 0.0, 0.5)]]),
        closed=True,
    )
    return [fill(back, colour=cut.back)], [cut.filled(outline, "hair-cap", *strands, gleams=cut.gleams(cut.volume), side=0.62)]


def _tied_up(cut: _Cut) -> tuple[list[Shape | Layer], list[Shape | Layer]]:
    """Draw the hair back, into a bun on the crown."""
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
    outline = join(smooth(outer), polyline([outer[-1], inner[0]]), smooth(inner), polyline([inner[-1], outer[0]]))
    strands = [smooth([(s * x * t, line + d), (s * x * 0.75 * t, line - 0.2), (s * x * 0.2 * t, top + 0.08)]) for s in (-1, 1) for x, d in ((0.95, 0.16), (0.4, -0.03))]
    twist = smooth([(-0.2, top - 0.02), (0.0, top - 0.2), (0.24, top - 0.18)])
    return [cut.filled(bun, "hair-bun", twist, side=0.16)], [cut.filled(outline, "hair-cap", *strands, gleams=cut.gleams(v))]


def _curly(cut: _Cut) -> tuple[list[Shape | Layer], list[Shape | Layer]]:
    """Crown the head with a cloud of curls."""
    v = float(np.clip(cut.volume, 0.2, 0.55))
    wide = 0.75 * v
    t, w, line = cut.temple, cut.half, cut.line
    ring = cut.figure.dome(v - 0.08, -122, 122, wide=wide - 0.06, steps=13)
    back = [circle(float(x), float(y), 0.17 + 0.03 * np.sin(2.4 * k)) for k, (x, y) in enumerate(ring)]
    bulk = smooth(np.concatenate([cut.figure.dome(v - 0.06, -122, 122, wide=wide - 0.05, steps=13), [(0, 0.3)]]), closed=True)
    edge = [
        (w - 0.0, -0.2), (w - 0.05, -0.42), (t + 0.0, cut.forehead + 0.26), (0.74 * t, line + 0.08), (0.38 * t, line + 0.0), (0.0, line + 0.03),
        (-0.38 * t, line + 0.0), (-0.74 * t, line + 0.08), (-t - 0.0, cut.forehead + 0.26), (-w + 0.05, -0.42), (-w + 0.0, -0.2),
    ]
    outer = cut.figure.dome(0.06, -92, 92, wide=0.06, steps=13)
    outer[[0, -1]] = [(-w - 0.05, -0.2), (w + 0.05, -0.2)]
    front = join(smooth(outer), polyline([outer[-1], edge[0]]), smooth(edge, corners=range(2, 9)), polyline([edge[-1], outer[0]]))
    curls = [
        smooth([(x - 0.09, y + 0.05), (x - 0.05, y - 0.05), (x + 0.05, y - 0.05), (x + 0.08, y + 0.04)])
        for x, y in np.concatenate([cut.figure.dome(0.5 * v, -70, 70, wide=0.4 * wide, steps=6), cut.figure.dome(-0.12, -40, 40, steps=4)])
    ]
    shade = [stroke(one, colour=cut.shade, width=0.8 * LINE) for one in curls]
    light = [stroke(one + (-0.01, 0.0), colour=cut.gleam, width=0.8 * LINE, opacity=0.7) for one in curls[:2]]
    dark = [k for k in range(len(back)) if ring[k][0] > 0.62 * w]
    return (
        [fill(bulk, *back, colour=cut.colour), fill(*[back[k] for k in dark], colour=cut.shade)] if dark else [fill(bulk, *back, colour=cut.colour)],
        [fill(front, colour=cut.colour), *shade, *light],
    )


STYLES: MappingProxyType[str, Style] = MappingProxyType(
    {
        "bald": _bald,
        "buzz": _buzz,
        "short": _short,
        "side-parted": _side_parted,
        "fringe": _fringe,
        "bob": _bob,
        "long": _long,
        "tied-up": _tied_up,
        "curly": _curly,
    }
)
