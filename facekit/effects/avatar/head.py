"""Background, neck, shoulders, ears, and the face with its shade."""

import numpy as np

from facekit.effects.avatar.curves import Curve, circle, ellipse, join, polyline, shifted, smooth
from facekit.effects.avatar.drawing import Layer, Shape, fill, stroke
from facekit.effects.avatar.figure import LINE, Figure
from facekit.effects.avatar.palette import mixed, shaded

__all__ = [
    "DISC",
    "draw_background",
    "draw_ears",
    "draw_face",
    "draw_neck",
    "draw_shade",
    "draw_shoulders",
    "face_curve",
]

DISC = (0.0, 0.035, 2.12)  # x, y and radius of the background, outer-eye distances
NECK_TOP, NECK_END = 0.45, 1.62  # heights between which the neck shows


def face_curve(figure: Figure) -> Curve:
    """Return the outline of face and skull.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Returns
    -------
    Curve
        Closed, clockwise from the top of the skull.
    """
    oval = figure.oval
    below = [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]
    right, left = oval[below], oval[[36 - k for k in below]][::-1]
    middle = oval[18]
    # Two passes of a short mean: an illustrator's jaw has no bumps.
    jaw = np.concatenate([right[:-1], [middle], left[1:]])
    for _ in range(2):
        jaw[1:-1] = 0.25 * jaw[:-2] + 0.5 * jaw[1:-1] + 0.25 * jaw[2:]
    jaw = jaw[[0, 2, 4, 6, 8, 10, 11, 12, 14, 16, 18, 20, 22]]
    skull = figure.dome(0.0, -74, 74, steps=9)
    return smooth(np.concatenate([skull, jaw]), closed=True)


def draw_background(colour: str) -> Layer:
    """Draw the disc behind the head.

    Parameters
    ----------
    colour : str
        Of the disc.

    Returns
    -------
    Layer
        ``background``.
    """
    return Layer("background", (fill(circle(*DISC), colour=colour, name="disc"),))


def draw_ears(figure: Figure) -> Layer:
    """Draw both ears, between brows and the base of the nose.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Returns
    -------
    Layer
        ``ears``.
    """
    high = float(figure.points[[33, 263], 1].mean()) + 0.02
    low = float(figure.at(2)[1]) + 0.04
    middle, tall = (high + low) / 2, max((low - high) / 2, 0.12)
    parts = []
    for side, colour in ((-1, figure.skin), (1, figure.shade)):
        x = side * (figure.half + 0.025)
        parts += [
            fill(ellipse(x, middle, 0.115, tall, turn=side * 9), colour=colour),
            stroke(
                smooth(
                    [
                        (x + side * 0.055, middle - 0.52 * tall),
                        (x, middle - 0.6 * tall),
                        (x - side * 0.03, middle - 0.1 * tall),
                        (x + side * 0.02, middle + 0.25 * tall),
                    ]
                ),
                colour=mixed(figure.shade, figure.deep, 0.3 if side < 0 else 0.45),
                width=0.7 * LINE,
            ),
        ]
    return Layer("ears", tuple(parts))


def draw_face(figure: Figure) -> Layer:
    """Fill the face, and redden its cheeks.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Returns
    -------
    Layer
        ``face``.
    """
    cheeks = []
    blush = mixed(figure.skin, "#e0533f", 0.42)
    for index, side in ((205, -1), (425, 1)):
        x, y = figure.at(index)
        cheeks.append(fill(ellipse(float(x) + side * 0.03, float(y), 0.19, 0.125), colour=blush, opacity=0.3))
    outline = face_curve(figure)
    return Layer(
        "face", (fill(outline, colour=figure.skin, name="skin"), Layer("cheeks", tuple(cheeks), outline))
    )


def draw_shade(figure: Figure) -> Layer:
    """Shade the side of the face that is turned from the light, upper left.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Returns
    -------
    Layer
        ``shade``.
    """
    oval = figure.oval
    w = figure.half
    chin = float(oval[18, 1])
    inner = smooth(
        [
            (0.50 * w, figure.top - 0.1),
            (0.74 * w, -0.95),
            (0.80 * w, -0.55),
            (0.77 * w, -0.25),
            (0.80 * w, 0.08),
            (0.66 * w, 0.45 * chin),
            (0.48 * w, 0.72 * chin),
            (0.16 * w, chin - 0.07),
            (-0.35 * w, chin + 0.05),
        ]
    )
    around = polyline([(-0.35 * w, chin + 0.5), (w + 0.6, chin + 0.5), (w + 0.6, figure.top - 0.1)])
    return Layer("shade", (fill(join(inner, around), colour=figure.shade),), face_curve(figure))


def _neck_half(figure: Figure) -> float:
    """Return half the neck's width: as the jaw's, within what necks are."""
    jaw = float(np.abs(figure.oval[[12, 24], 0]).mean())
    return float(np.clip(0.66 * jaw, 0.34, 0.52))


def neck_curve(figure: Figure) -> Curve:
    """Return the outline of the neck and the top of the chest."""
    w = _neck_half(figure)
    return join(
        smooth([(-w, NECK_TOP), (-w, 1.05), (-w - 0.03, 1.25), (-w - 0.2, 1.42), (-w - 0.6, 1.56)]),
        polyline([(-w - 0.6, 1.56), (-w - 0.6, 2.2), (w + 0.6, 2.2), (w + 0.6, 1.56)]),
        smooth([(w + 0.6, 1.56), (w + 0.2, 1.42), (w + 0.03, 1.25), (w, 1.05), (w, NECK_TOP)]),
    )


def draw_neck(figure: Figure) -> Layer:
    """Draw the neck with the shadow that the head throws on it.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Returns
    -------
    Layer
        ``neck``.
    """
    curve = neck_curve(figure)
    shadow = shifted(face_curve(figure), 0.07, 0.2)
    return Layer(
        "neck",
        (
            Layer(
                "neck-skin",
                (
                    fill(curve, colour=figure.skin),
                    fill(shadow, colour=figure.shade),
                    fill(
                        polyline([(0.28, 0.5), (1.4, 0.5), (1.4, 1.5), (0.5, 1.5), (0.34, 1.2)]),
                        colour=figure.shade,
                    ),
                ),
                curve,
            ),
        ),
        circle(*DISC),
    )


def draw_shoulders(figure: Figure, garment: str, collar: int) -> Layer:
    """Draw a plain garment over the shoulders.

    Parameters
    ----------
    figure : Figure
        What is drawn.
    garment : str
        Its colour.
    collar : int
        0 for a round neck, 1 for a shirt's collar, 2 for a roll neck.

    Returns
    -------
    Layer
        ``shoulders``, clipped to the background's disc.
    """
    w = _neck_half(figure) + 0.12
    dip = (1.58, 1.72, 1.30)[collar]
    side = (1.36, 1.36, 1.24)[collar]
    rim = smooth([(-w, side), (-0.55 * w, dip - 0.06), (0, dip), (0.55 * w, dip - 0.06), (w, side)])
    right = smooth([(w, side), (w + 0.22, 1.45), (1.15, 1.62), (1.5, 1.86), (1.62, 2.4)])
    left = smooth([(-1.62, 2.4), (-1.5, 1.86), (-1.15, 1.62), (-w - 0.22, 1.45), (-w, side)])
    body = join(rim, right, polyline([(1.62, 2.4), (-1.62, 2.4)]), left)
    dark = shaded(garment, 1.1, warmth=0.1)
    parts: list[Shape | Layer] = [
        fill(body, colour=garment, name="garment"),
        Layer(
            "garment-shade",
            (
                fill(
                    smooth(
                        [(0.5, 1.2), (0.72, 1.6), (0.86, 2.0), (0.9, 2.5), (2.2, 2.5), (2.2, 1.2)],
                        closed=True,
                        corners=(0, 3, 4, 5),
                    ),
                    colour=dark,
                ),
            ),
            body,
        ),
    ]
    if collar == 0:
        parts.append(stroke(shifted(rim, 0, 0.075), colour=dark, width=0.7 * LINE))
    elif collar == 1:
        for s in (-1, 1):
            flap = join(
                smooth([(s * (w - 0.02), side - 0.06), (s * 0.6 * w, dip - 0.17), (0, dip + 0.02)]),
                polyline([(0, dip + 0.02), (s * 0.36, dip + 0.26), (s * (w + 0.16), side + 0.14)]),
                smooth([(s * (w + 0.16), side + 0.14), (s * (w - 0.02), side - 0.06)]),
            )
            parts.append(fill(flap, colour=mixed(garment, "#ffffff", 0.22 if s < 0 else 0.06)))
        parts.append(stroke(polyline([(0, dip + 0.06), (0, 2.4)]), colour=dark, width=0.6 * LINE))
    else:
        tube = join(
            smooth([(-w + 0.02, 1.12), (-w, 1.3), (-w - 0.06, 1.46)]),
            smooth([(-w - 0.06, 1.46), (-0.4 * w, 1.57), (0.4 * w, 1.57), (w + 0.06, 1.46)]),
            smooth([(w + 0.06, 1.46), (w, 1.3), (w - 0.02, 1.12)]),
            smooth([(w - 0.02, 1.12), (0.4 * w, 1.2), (-0.4 * w, 1.2), (-w + 0.02, 1.12)]),
        )
        parts += [
            fill(tube, colour=garment),
            Layer(
                "roll-shade",
                (fill(polyline([(0.22, 1.0), (1.2, 1.0), (1.2, 1.7), (0.3, 1.7)]), colour=dark),),
                tube,
            ),
            stroke(
                smooth([(-w - 0.02, 1.46), (-0.4 * w, 1.56), (0.4 * w, 1.56), (w + 0.02, 1.46)]),
                colour=dark,
                width=0.6 * LINE,
            ),
        ]
    return Layer("shoulders", tuple(parts), circle(*DISC))
