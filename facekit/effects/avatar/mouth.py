"""Mouth and nose."""

import numpy as np
import numpy.typing as npt

from facekit.effects.avatar.curves import join, reverse, smooth
from facekit.effects.avatar.drawing import Layer, Shape, fill, stroke
from facekit.effects.avatar.figure import LINE, Figure
from facekit.effects.avatar.palette import mixed, shaded
from facekit.topology import LIPS_INNER, LIPS_OUTER

__all__ = ["draw_mouth", "draw_nose", "lip_lines"]

Flat = npt.NDArray[np.float64]

OPEN = 0.012  # outer-eye distances; a gap below this is a line
THROAT, TEETH, TONGUE = "#5b232d", "#fdfaf4", "#c96767"
RED = "#b8323c"  # what lips are mixed with
FRIENDLY = 0.028  # outer-eye distances that corners of mouths are raised, as illustrators do
LOWER, UPPER = 0.72, 0.28  # shares of a gap that the lower and the upper lip move


def lip_lines(figure: Figure) -> tuple[Flat, Flat, Flat, Flat]:
    """Return the lips' edges as they are now, from the picture's left to its right.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Returns
    -------
    top, upper, lower, bottom : ndarray of shape (11, 2), outer-eye distances
        The upper lip's upper edge, the edges of the gap, the lower lip's lower edge.
    """
    points, action = figure.points, figure.action
    over = [0, *range(19, 9, -1)]  # around the upper half of a ring
    top, bottom = points[[LIPS_OUTER[k] for k in over]], points[list(LIPS_OUTER[:11])]
    line = (points[[LIPS_INNER[k] for k in over]] + points[list(LIPS_INNER[:11])]) / 2
    width = float(top[10, 0] - top[0, 0])
    middle = float(top[[0, 10], 0].mean())
    reach = max(width / 2, 0.1)
    ratio = float(np.clip(1 + action.wider / max(width, 0.2), 0.45, 1.5))
    # The line between the lips runs from corner to corner.
    line = np.concatenate([top[:1], line[1:-1], top[10:]])
    line[:, 0] = np.linspace(top[0, 0], top[10, 0], 11)
    moved = []
    for edge, share in ((top, -UPPER), (line, -UPPER), (line, LOWER), (bottom, LOWER)):
        u = np.clip((edge[:, 0] - middle) / reach, -1, 1)
        arch = (1 - np.abs(u) ** 2.4) ** 0.8
        y = edge[:, 1] + share * action.gap * arch
        y = y - np.where(u < 0, action.corners[0], action.corners[1]) * 1.25 * np.abs(u) ** 1.6
        y = y + 0.35 * action.chin * np.abs(u) ** 1.6 + 0.12 * action.chin
        y = y + FRIENDLY * (0.4 - np.abs(u) ** 1.6)
        moved.append(np.column_stack([middle + (edge[:, 0] - middle) * ratio + action.aside, y]))
    top, upper, lower, bottom = moved
    fuller = 1 + 0.5 * action.pucker - 0.45 * action.press
    # A smile spreads the lips, and they grow thinner.
    fuller *= float(np.clip(1 - 0.9 * max(ratio - 1, 0), 0.7, 1))
    return upper + (top - upper) * fuller, upper, lower, lower + (bottom - lower) * fuller


def draw_mouth(figure: Figure) -> Layer:
    """Draw the lips, and what shows between them.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Returns
    -------
    Layer
        ``mouth``.
    """
    top, upper, lower, bottom = lip_lines(figure)
    colour = mixed(shaded(figure.skin, 0.55), RED, 0.14 + 0.5 * figure.look.lips)
    dark = shaded(colour, 0.9)
    few = [0, 1, 3, 5, 7, 9, 10]
    bow = [0, 2, 4, 5, 6, 8, 10]
    above, below = smooth(top[bow], corners=()), smooth(bottom[few])
    inner_up, inner_down = smooth(upper[few]), smooth(lower[few])
    parts: list[Shape | Layer] = []
    gap = figure.action.gap
    if gap > OPEN:
        parts.append(_inside(figure, upper, lower))
    parts += [
        fill(join(above, reverse(inner_up)), colour=dark, name="lip-upper"),
        fill(join(inner_down, reverse(below)), colour=colour, name="lip-lower"),
    ]
    if gap <= OPEN:
        ends = np.concatenate(
            [[_beyond(upper[1], upper[0])], upper[[1, 3, 5, 7, 9]], [_beyond(upper[9], upper[10])]]
        )
        parts.append(
            stroke(smooth(ends), colour=mixed(dark, figure.deep, 0.75), width=0.8 * LINE, name="lip-line")
        )
    shadow = bottom[[3, 5, 7]] + [(0.0, 0.05), (0.02, 0.06), (0.0, 0.05)]
    parts.append(stroke(smooth(shadow), colour=figure.shade, width=0.8 * LINE, name="lip-shadow"))
    return Layer("mouth", tuple(parts))


def _beyond(inner: Flat, corner: Flat) -> Flat:
    step = corner - inner
    return np.asarray(corner + step * min(1.0, 0.02 / max(float(np.hypot(*step)), 1e-6)))


def _inside(figure: Figure, upper: Flat, lower: Flat) -> Layer:
    """Draw the dark of an open mouth, teeth and tongue."""
    hole = join(smooth(upper[[0, 1, 3, 5, 7, 9, 10]]), reverse(smooth(lower[[0, 1, 3, 5, 7, 9, 10]])))
    gap = lower - upper
    parts: list[Shape | Layer] = [fill(hole, colour=THROAT, name="mouth-hole")]
    deep = float(gap[5, 1])
    if deep > 0.13:
        x, y = lower[5]
        arch = smooth(
            [
                (x - 0.2, y + 0.1),
                (x - 0.12, y - 0.26 * deep),
                (x, y - 0.3 * deep),
                (x + 0.12, y - 0.26 * deep),
                (x + 0.2, y + 0.1),
            ],
            closed=True,
        )
        parts.append(fill(arch, colour=TONGUE, name="tongue"))
    if figure.action.teeth > 0.15:
        # Never more than a row of teeth is high.
        share = np.minimum(figure.action.teeth * gap[:, 1:], 0.12) + 0.0
        edge = upper + np.column_stack([np.zeros(11), share[:, 0]])
        raised = upper - (0, 0.02)
        teeth = join(smooth(raised[[0, 1, 3, 5, 7, 9, 10]]), reverse(smooth(edge[[0, 1, 3, 5, 7, 9, 10]])))
        parts.append(fill(teeth, colour=TEETH, name="teeth"))
    return Layer("mouth-inside", tuple(parts), hole)


def draw_nose(figure: Figure) -> Layer:
    """Draw the nose: its side that lies in the shade, and the line below it.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Returns
    -------
    Layer
        ``nose``.
    """
    bridge, tip, base = figure.at(168), figure.at(1), figure.at(2)
    right, left = figure.at(64), figure.at(294)
    low = float(base[1]) + 0.0
    wing = float(np.mean([right[1], left[1]]))
    half_r, half_l = abs(float(right[0] - base[0])), abs(float(left[0] - base[0]))
    x = float(base[0])
    side = smooth(
        [
            (float(bridge[0]) + 0.03, float(bridge[1]) + 0.06),
            (float(bridge[0]) + 0.085, (float(bridge[1]) + wing) / 2 - 0.02),
            (x + 0.55 * half_l, wing - 0.13),
            (x + 1.0 * half_l, wing - 0.02),
            (x + 0.9 * half_l, wing + 0.05),
            (x + 0.35 * half_l, low - 0.01),
            (float(tip[0]) + 0.055, float(tip[1]) - 0.02),
            (float(tip[0]) + 0.03, float(tip[1]) - 0.2),
        ],
        closed=True,
        corners=(0,),
    )
    under = smooth(
        [
            (x - 0.98 * half_r, wing - 0.045),
            (x - 1.0 * half_r, wing + 0.03),
            (x - 0.66 * half_r, wing + 0.06),
            (x - 0.34 * half_r, low - 0.035),
            (x, low + 0.005),
            (x + 0.34 * half_l, low - 0.035),
            (x + 0.66 * half_l, wing + 0.06),
            (x + 1.0 * half_l, wing + 0.03),
            (x + 0.98 * half_l, wing - 0.045),
        ]
    )
    return Layer(
        "nose",
        (
            fill(side, colour=figure.shade, opacity=0.85, name="nose-shade"),
            stroke(under, colour=mixed(figure.shade, figure.deep, 0.6), width=0.8 * LINE, name="nose-line"),
        ),
    )
