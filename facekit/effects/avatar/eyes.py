"""Eyes, brows and glasses."""

import numpy as np
import numpy.typing as npt

from facekit.effects.avatar.curves import Curve, circle, ellipse, join, polyline, reverse, shifted, smooth
from facekit.effects.avatar.drawing import Layer, Shape, fill, stroke
from facekit.effects.avatar.figure import LINE, Figure
from facekit.effects.avatar.palette import EYES, HAIR, INK, mixed
from facekit.topology import LEFT_BROW, LEFT_EYE, RIGHT_BROW, RIGHT_EYE

__all__ = ["draw_brow", "draw_eye", "draw_glasses"]

Flat = npt.NDArray[np.float64]

LARGER = 1.36  # eyes, as they are drawn
IRIS = 0.104  # outer-eye distances; larger than life, too
SHUT = 0.16  # of an open eye's height below which it is drawn shut
WHITE = "#fdfaf5"


def draw_eye(figure: Figure, side: int) -> Layer:
    """Draw an eye: white, iris, lid and lash.

    Parameters
    ----------
    figure : Figure
        What is drawn.
    side : int
        0 for the person's right eye, 1 for the left one.

    Returns
    -------
    Layer
        ``eye-right`` or ``eye-left``.
    """
    name = ("eye-right", "eye-left")[side]
    ring, open_ = figure.points[list((RIGHT_EYE, LEFT_EYE)[side])], _eased(figure.action.lids[side])
    middle = (ring.max(axis=0) + ring.min(axis=0)) / 2
    ring = middle + (ring - middle) * LARGER
    lower, upper = ring[:9], ring[[0, *range(15, 7, -1)]]  # both from the outer corner to the inner one
    outward = np.sign(lower[0, 0] - lower[8, 0]) or 1.0
    # The upper lid comes down on the lower one, which meets it a little.
    meet = lower - (0, 0.012)
    upper = meet + (upper - meet) * max(open_, 0.0)
    thick = LINE * (1.0 if figure.look.lips < 0.6 else 1.15)
    flick = np.array([outward * 0.045, -0.022 if open_ > SHUT else 0.02]) * (
        1.0 if figure.look.lips < 0.6 else 1.7
    )
    lash = smooth(np.concatenate([[upper[0] + flick], upper[[0, 2, 4, 6, 8]]]))
    parts: list[Shape | Layer] = []
    if open_ > SHUT:
        white = join(smooth(upper[[0, 2, 4, 6, 8]]), reverse(smooth(lower[[0, 2, 4, 6, 8]])))
        parts.append(Layer(f"{name}-ball", tuple(_ball(figure, side, upper, white, name)), white))
    crease = upper[[1, 2, 4, 6, 7]] + [(0, -0.055 - 0.02 * open_)] * 5
    parts.append(
        stroke(
            smooth(crease),
            colour=mixed(figure.shade, figure.deep, 0.35),
            width=0.55 * LINE,
            name=f"{name}-lid",
        )
    )
    under = lower[[1, 3, 5, 7]] + [(0, 0.035)] * 4
    if open_ > SHUT:
        parts.append(
            stroke(
                smooth(under),
                colour=mixed(figure.shade, figure.deep, 0.12),
                width=0.5 * LINE,
                name=f"{name}-bag",
            )
        )
    parts.append(stroke(lash, colour=INK, width=thick, name=f"{name}-lash"))
    return Layer(name, tuple(parts))


def _eased(lids: float) -> float:
    """Open eyes a little more than they are, but leave shut ones shut: tired eyes charm nobody."""
    return lids + 0.45 * max(1 - lids, 0) * float(np.clip((lids - 0.3) / 0.3, 0, 1))


def _ball(figure: Figure, side: int, upper: Flat, white: Curve, name: str) -> list[Shape | Layer]:
    """Draw what shows between the lids."""
    tint = mixed(WHITE, figure.skin, 0.06)
    # Irises rest midway between the corners, where the lids at rest have them; the lid does not move them.
    rest = figure.points[(468, 473)[side]]
    x, y = rest + figure.action.gaze
    x = float(np.clip(x, min(upper[0, 0], upper[8, 0]) + 0.05, max(upper[0, 0], upper[8, 0]) - 0.05))
    y = float(y)
    iris = EYES[figure.look.eyes]
    shadow = smooth(upper[[0, 2, 4, 6, 8]])
    return [
        fill(white, colour=tint, name=f"{name}-white"),
        Layer(
            f"{name}-iris",
            (
                fill(circle(x, y, IRIS), colour=mixed(iris, INK, 0.45)),
                fill(circle(x, y, 0.82 * IRIS), colour=iris),
                fill(circle(x, y, 0.46 * IRIS), colour=INK),
                fill(circle(x - 0.34 * IRIS, y - 0.36 * IRIS, 0.24 * IRIS), colour="#ffffff"),
            ),
        ),
        stroke(shifted(shadow, 0, 0.02), colour=mixed(figure.deep, INK, 0.4), width=0.07, opacity=0.28),
    ]


def draw_brow(figure: Figure, side: int) -> Layer:
    """Draw a brow: full at its inner end, thin at its outer one.

    Parameters
    ----------
    figure : Figure
        What is drawn.
    side : int
        0 for the person's right brow, 1 for the left one.

    Returns
    -------
    Layer
        ``brow-right`` or ``brow-left``.
    """
    ring = figure.points[list((RIGHT_BROW, LEFT_BROW)[side])]
    line = (ring[:5] + ring[:4:-1]) / 2  # from the outer end to the inner one
    action, look = figure.action, figure.look
    raised = np.linspace(action.brows_outer[side], action.brows_inner[side], 5)
    line = line - np.column_stack([np.zeros(5), raised * 1.25])
    thick = (0.055 + 0.075 * look.brow_weight) * np.array([0.22, 0.72, 1.0, 1.0, 0.8]) / 2
    along = np.gradient(line, axis=0)
    normal = np.column_stack([along[:, 1], -along[:, 0]]) / np.maximum(np.hypot(*along.T), 1e-6)[:, None]
    normal *= np.sign(normal[2, 1]) or 1.0
    over, under = line - normal * thick[:, None], line + normal * thick[:, None]
    end = line[4] + (line[4] - line[3]) * 0.12
    shape = smooth(np.concatenate([over, [end], under[::-1]]), closed=True, corners=(0, 10))
    colour = mixed(HAIR[look.brows], figure.skin, 0.32 * (1 - look.brow_weight))
    return Layer(("brow-right", "brow-left")[side], (fill(shape, colour=colour),))


def draw_glasses(figure: Figure) -> Layer:
    """Draw glasses: two rims, a bridge, and arms to the ears.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Returns
    -------
    Layer
        ``glasses``.
    """
    parts: list[Shape | Layer] = []
    centres = []
    for ring in (RIGHT_EYE, LEFT_EYE):
        eye = figure.points[list(ring)]
        centres.append(np.array([(eye[0, 0] + eye[8, 0]) / 2, (eye[0, 1] + eye[8, 1]) / 2 + 0.03]))
    span = abs(float(centres[1][0] - centres[0][0]))
    across, down = 0.40 * span, 0.33 * span
    for centre, side in zip(centres, (-1, 1), strict=True):
        x, y = float(centre[0]) + side * 0.03, float(centre[1])
        rim = _rounded_box(x, y, across, down)
        glint = polyline([(x - 0.5 * across, y + 0.1 * down), (x - 0.1 * across, y - 0.6 * down)])
        parts += [
            fill(rim, colour="#ffffff", opacity=0.16),
            stroke(glint, colour="#ffffff", width=LINE, opacity=0.35),
            stroke(rim, colour=INK, width=1.05 * LINE),
            stroke(
                polyline(
                    [(x + side * across, y - 0.35 * down), (side * (figure.half + 0.02), y - 0.42 * down)]
                ),
                colour=INK,
                width=LINE,
            ),
        ]
    (x0, y0), (x1, y1) = centres
    bridge = smooth(
        [
            (x0 - 0.03 + across, y0 - 0.2 * down),
            ((x0 + x1) / 2, (y0 + y1) / 2 - 0.42 * down),
            (x1 + 0.03 - across, y1 - 0.2 * down),
        ]
    )
    parts.append(stroke(bridge, colour=INK, width=LINE))
    return Layer("glasses", tuple(parts))


def _rounded_box(x: float, y: float, across: float, down: float) -> Curve:
    """Return a closed curve between an ellipse and a box."""
    outer = ellipse(x, y, across, down)
    box = outer.copy()
    corner = (outer - (x, y)) * 1.0
    for k in (1, 2, 4, 5, 7, 8, 10, 11):  # longer handles make squarer corners
        anchor = corner[3 * round(k / 3)]
        box[k] = (x, y) + anchor + (corner[k] - anchor) * 1.42
    return box
