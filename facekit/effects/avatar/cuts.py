"""A cut of hair as it is filled and combed: what all styles share.

Every style is an outline at the back, an outline in front, and a few strokes of a brush; which style
it is, its parting, its volume and its hairline come from the portrait.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from facekit.effects.avatar.curves import Curve, join, polyline, smooth
from facekit.effects.avatar.drawing import Layer, Shape, fill, stroke
from facekit.effects.avatar.figure import LINE, Figure
from facekit.effects.avatar.palette import HAIR, mixed, shaded

__all__ = ["Cut", "Flat", "Parts", "fringe_line"]

Flat: TypeAlias = npt.NDArray[np.float64]
Parts: TypeAlias = list[Shape | Layer]


class Cut:
    """What all styles need to know of a figure.

    Parameters
    ----------
    figure : Figure
        What is drawn.
    """

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
        """Flip points for a parting at the picture's left.

        Parameters
        ----------
        points : array_like of shape (N, 2)
            For a parting at the right.

        Returns
        -------
        ndarray of shape (N, 2)
            For the parting there is.
        """
        flat = np.asarray(points, np.float64)
        return flat if self.side >= 0 else flat * (-1, 1)

    def oriented(self, points: npt.ArrayLike) -> Flat:
        """Flip points for a parting at the left, and keep their order from left to right.

        Parameters
        ----------
        points : array_like of shape (N, 2)
            For a parting at the right.

        Returns
        -------
        ndarray of shape (N, 2)
            For the parting there is.
        """
        flat = self.mirrored(points)
        return flat if self.side >= 0 else flat[::-1]

    def filled(
        self, outline: Curve, name: str, *strands: Curve, gleams: tuple[Curve, ...] = (), side: float = 0.5
    ) -> Layer:
        """Fill an outline in the light, shade its right, and comb it.

        Parameters
        ----------
        outline : Curve
            Closed.
        name : str
            Id of the layer.
        *strands : Curve
            Drawn in the shade's colour.
        gleams : tuple of Curve
            Drawn lighter than the hair.
        side : float
            Where the shade begins, over half the head's width.

        Returns
        -------
        Layer
            Clipped to the outline.
        """
        w = self.half
        edge = smooth(
            [
                (side * w, -2.6),
                ((side + 0.16) * w, -1.5),
                ((side + 0.34) * w, -0.9),
                ((side + 0.36) * w, -0.2),
                ((side + 0.3) * w, 0.6),
                ((side + 0.34) * w, 2.4),
            ]
        )
        right = join(edge, polyline([edge[-1], (3.0, 2.4), (3.0, -2.6), edge[0]]))
        parts: list[Shape | Layer] = [
            fill(outline, colour=self.colour),
            fill(right, colour=self.shade),
        ]
        parts += [stroke(one, colour=self.shade, width=0.7 * LINE) for one in strands]
        parts += [stroke(one, colour=self.gleam, width=0.9 * LINE, opacity=0.75) for one in gleams]
        return Layer(name, tuple(parts), outline)

    def gleams(self, volume: float) -> tuple[Curve, ...]:
        """Return two strokes of light along the dome, upper left.

        Parameters
        ----------
        volume : float, outer-eye distances
            How far the hair stands up.

        Returns
        -------
        tuple of Curve
            Open.
        """
        return (
            smooth(self.figure.dome(volume * 0.62, -52, -18, steps=4)),
            smooth(self.figure.dome(volume * 0.2 - 0.02, -42, -26, steps=3)),
        )


def fringe_line(cut: Cut) -> Flat:
    """Return the lower edge of a fringe, from the picture's right to its left: locks, combed aside.

    Parameters
    ----------
    cut : Cut
        The figure's hair.

    Returns
    -------
    ndarray of shape (9, 2)
        Outer-eye distances.
    """
    t = cut.temple
    low = float(np.clip(cut.line + 0.1, cut.forehead + 0.18, cut.forehead + 0.34))
    x = np.linspace(t + 0.03, -t - 0.03, 9)
    locks = np.array([0.10, 0.0, 0.05, -0.015, 0.045, -0.01, 0.05, 0.01, 0.12])
    return cut.oriented(np.column_stack([x, low + locks]))
