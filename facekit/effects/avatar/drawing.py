"""What a drawing is: named layers of filled and stroked curves, in the order in which to paint them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from facekit.effects.avatar.curves import Curve

__all__ = ["SIDE", "Drawing", "Layer", "Shape", "fill", "stroke"]

SIDE = 512  # units of the drawing's own square
DECIMALS = 2  # of a unit; finer than a hundredth nobody sees


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One path: filled, or stroked with round ends, in one colour.

    Parameters
    ----------
    curves : tuple of Curve
        Filled shapes are closed; where curves overlap, or run the same way round, all is filled.
    colour : str
        As ``"#rrggbb"``.
    width : float
        Of the stroke; 0 fills instead.
    opacity : float in [0, 1]
        How much it covers what lies below.
    name : str
        Its id, where it has one.
    """

    curves: tuple[Curve, ...]
    colour: str
    width: float = 0.0
    opacity: float = 1.0
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A named group of shapes and of layers within it.

    Parameters
    ----------
    name : str
        Its id.
    parts : tuple of Shape or Layer
        In the order in which to paint them.
    clip : Curve, optional
        Closed: of the parts only what lies within shows.
    """

    name: str
    parts: tuple["Shape | Layer", ...]
    clip: Curve | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A finished drawing on a square of `SIDE` units.

    Parameters
    ----------
    layers : tuple of Layer
        In the order in which to paint them.
    title, description : str
        For people who cannot see it.
    paper : str
        The colour below everything, as ``"#rrggbb"``.
    """

    layers: tuple[Layer, ...]
    title: str
    description: str
    paper: str = field(default="#fbf6ee")

    def walk(self) -> Iterator[tuple[Shape, tuple[Curve, ...]]]:
        """Yield every shape in painting order, and the clips that it lies under.

        Yields
        ------
        tuple of Shape and tuple of Curve
            Outermost clip first.
        """
        for layer in self.layers:
            yield from _walk(layer, ())

    def names(self) -> list[str]:
        """List the ids of all layers and named shapes.

        Returns
        -------
        list of str
            In painting order.
        """
        return [name for layer in self.layers for name in _names(layer)]


def fill(*curves: Curve, colour: str, opacity: float = 1.0, name: str = "") -> Shape:
    """Fill closed curves.

    Parameters
    ----------
    *curves : Curve
        Closed.
    colour : str
        As ``"#rrggbb"``.
    opacity : float in [0, 1]
        How much it covers.
    name : str
        Its id.

    Returns
    -------
    Shape
        Without a line around it.
    """
    return Shape(curves, colour, 0.0, opacity, name)


def stroke(*curves: Curve, colour: str, width: float, opacity: float = 1.0, name: str = "") -> Shape:
    """Draw along open curves with a round pen.

    Parameters
    ----------
    *curves : Curve
        Open.
    colour : str
        As ``"#rrggbb"``.
    width : float
        Of the pen.
    opacity : float in [0, 1]
        How much it covers.
    name : str
        Its id.

    Returns
    -------
    Shape
        Nothing is filled.
    """
    return Shape(curves, colour, width, opacity, name)


def placed(part: "Shape | Layer", scale: float, x: float, y: float) -> "Shape | Layer":
    """Scale and shift a part, and round it as it will be written."""
    if isinstance(part, Shape):
        curves = tuple(_rounded(curve, scale, x, y) for curve in part.curves)
        return replace(
            part,
            curves=curves,
            width=round(part.width * scale, DECIMALS),
            opacity=round(part.opacity, DECIMALS),
        )
    clip = None if part.clip is None else _rounded(part.clip, scale, x, y)
    return Layer(part.name, tuple(placed(one, scale, x, y) for one in part.parts), clip)


def _rounded(curve: Curve, scale: float, x: float, y: float) -> Curve:
    # Minus zero would be written otherwise than zero.
    return np.asarray(np.round(curve * scale + (x, y), DECIMALS) + 0.0)


def _walk(layer: Layer, clips: tuple[Curve, ...]) -> Iterator[tuple[Shape, tuple[Curve, ...]]]:
    inner = clips if layer.clip is None else (*clips, layer.clip)
    for part in layer.parts:
        if isinstance(part, Shape):
            yield part, inner
        else:
            yield from _walk(part, inner)


def _names(part: Shape | Layer) -> Iterator[str]:
    if part.name:
        yield part.name
    if isinstance(part, Layer):
        for one in part.parts:
            yield from _names(one)
