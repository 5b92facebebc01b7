"""A drawing as SVG: paths in one colour, groups with ids, clips; nothing that runs, nothing from outside.

References
----------
.. [1] W3C, "Scalable Vector Graphics (SVG) 1.1 (Second Edition)", 2011.
"""

from xml.sax.saxutils import escape

import numpy as np

from facekit.effects.avatar.curves import Curve
from facekit.effects.avatar.drawing import DECIMALS, SIDE, Drawing, Layer, Shape

__all__ = ["write_svg"]


def write_svg(drawing: Drawing, size: int) -> str:
    """Write a drawing as an SVG document.

    Parameters
    ----------
    drawing : Drawing
        What to write.
    size : int, pixels
        Its width and height where nothing else sets them.

    Returns
    -------
    str
        XML; coordinates are in units of the drawing, whatever the size.
    """
    defs: list[str] = []
    body = [_layer(layer, defs) for layer in drawing.layers]
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{size}" height="{size}" '
                f'viewBox="0 0 {SIDE} {SIDE}" role="img" aria-labelledby="title desc">'
            ),
            f'<title id="title">{escape(drawing.title)}</title>',
            f'<desc id="desc">{escape(drawing.description)}</desc>',
            *(["<defs>", *defs, "</defs>"] if defs else []),
            f'<rect id="paper" width="{SIDE}" height="{SIDE}" fill="{drawing.paper}"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _layer(layer: Layer, defs: list[str]) -> str:
    clip = ""
    if layer.clip is not None:
        defs.append(
            f'<clipPath id="clip-{layer.name}"><path d="{_path(layer.clip, closed=True)}"/></clipPath>'
        )
        clip = f' clip-path="url(#clip-{layer.name})"'
    parts = [_shape(part) if isinstance(part, Shape) else _layer(part, defs) for part in layer.parts]
    return "\n".join([f'<g id="{layer.name}"{clip}>', *parts, "</g>"])


def _shape(shape: Shape) -> str:
    path = "".join(_path(curve, closed=not shape.width) for curve in shape.curves)
    name = f'id="{shape.name}" ' if shape.name else ""
    if shape.width:
        paint = (
            f'fill="none" stroke="{shape.colour}" stroke-width="{_number(shape.width)}" '
            'stroke-linecap="round" stroke-linejoin="round"'
        )
    else:
        paint = f'fill="{shape.colour}"'
    veil = f' opacity="{_number(shape.opacity)}"' if shape.opacity < 1 else ""
    return f'<path {name}d="{path}" {paint}{veil}/>'


def _path(curve: Curve, *, closed: bool) -> str:
    """Write a curve by absolute start and relative pieces; straight pieces and rounding lose nothing."""
    steps = np.rint(curve * 10**DECIMALS).astype(np.int64)
    pieces = (steps[1:].reshape(-1, 3, 2) - steps[:-1:3, None]).reshape(-1, 6)
    words = [_hundredths(numbers) for numbers in [steps[0].tolist(), *pieces.tolist()]]
    return "M" + "c".join(words) + ("z" if closed else "")


def _hundredths(numbers: list[int]) -> str:
    return " ".join([_number(number / 10**DECIMALS) for number in numbers])


def _number(value: float) -> str:
    text = f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
