"""What a face does, told by its blendshapes: taken away from a measured face, and put onto any other.

The coefficients are slopes of a linear regression of upright shapes on blendshapes, over portraits;
a few that rarely show in portraits (a kiss, a frown) are larger than measured, as illustrators do.

References
----------
.. [1] Ekman & Friesen, "Facial Action Coding System", 1978, for what moves together.
.. [2] Lewis et al., "Practice and Theory of Blendshape Facial Models", Eurographics STAR, 2014.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facekit.effects.avatar.upright import mean_points
from facekit.topology import FACE_OVAL, LEFT_BROW, LEFT_EYE, LIPS_INNER, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE

__all__ = ["Action", "read_action", "resting"]

Flat = npt.NDArray[np.float64]  # (478, 2), outer-eye distances

# Outer-eye distances for a score of 1, unless it says otherwise.
SMILE_WIDER, SMILE_UP = 0.148, 0.062  # the mouth's width; its corners
STRETCH_WIDER, PUCKER_NARROWER = 0.15, 0.22
FROWN_DOWN = 0.07
JAW_DROPS, CHIN_DROPS = 0.36, 0.31  # the gap between the lips; the chin
LOWER_DOWN, UPPER_UP, SMILE_PARTS = 0.137, 0.081, 0.04  # of the gap, by each lip and by a smile
CLOSED = 0.03  # gap below which a mouth counts as closed
BROW_DOWN, BROW_UP, BROW_INNER_UP = 0.062, 0.075, 0.055
SQUINT, LOOK_DOWN, LOOK_UP, WIDE = 0.42, 0.33, 0.22, 0.25  # shares of an open eye's height
GAZE_ACROSS, GAZE_DOWN = 0.085, 0.06  # how far an iris wanders
STARTS, SHUT = 0.25, 0.75  # scores of a blink between which lids close
CORNERS = (-0.012, 0.035)  # outer-eye distances below the middle of the lips, at rest
REST_OPEN = 0.131  # the height of a mean eye that does nothing


@dataclass(frozen=True, slots=True)
class Action:
    """What a face does, side by side where sides may differ: the person's right, then left.

    Parameters
    ----------
    lids : (float, float)
        How far eyes are open: 0 shut, 1 at rest, more when wide.
    gaze : (float, float)
        Where both irises look, outer-eye distances right and down in the picture.
    brows_inner, brows_outer : (float, float)
        How far ends of brows are raised, outer-eye distances.
    gap : float
        Between the lips, outer-eye distances.
    chin : float
        How far the chin has dropped, outer-eye distances.
    corners : (float, float)
        How far corners of the mouth are raised, outer-eye distances.
    wider : float
        How much wider the mouth is, outer-eye distances.
    pucker, press : float
        How far lips are pushed forward, or rolled in, 0 to 1.
    aside : float
        How far the mouth is drawn to the picture's right, outer-eye distances.
    teeth : float
        How much of the gap teeth fill from above, 0 to 1.
    """

    lids: tuple[float, float] = (1.0, 1.0)
    gaze: tuple[float, float] = (0.0, 0.0)
    brows_inner: tuple[float, float] = (0.0, 0.0)
    brows_outer: tuple[float, float] = (0.0, 0.0)
    gap: float = 0.0
    chin: float = 0.0
    corners: tuple[float, float] = (0.0, 0.0)
    wider: float = 0.0
    pucker: float = 0.0
    press: float = 0.0
    aside: float = 0.0
    teeth: float = 0.0


def read_action(blendshapes: Mapping[str, float]) -> Action:
    """Read what a face does from its blendshapes.

    Parameters
    ----------
    blendshapes : Mapping of str to float
        Scores in [0, 1]; names that are missing count as 0.

    Returns
    -------
    Action
        At rest where all scores are 0.
    """

    def score(name: str) -> float:
        value = float(blendshapes.get(name, 0.0))
        return min(max(value, 0.0), 1.0) if np.isfinite(value) else 0.0

    def both(name: str) -> tuple[float, float]:
        return score(f"{name}Right"), score(f"{name}Left")

    def mean(name: str) -> float:
        return sum(both(name)) / 2

    smile, frown, pucker = both("mouthSmile"), both("mouthFrown"), score("mouthPucker")
    funnel, jaw = score("mouthFunnel"), score("jawOpen")
    sides = (0, 1)
    inner_up, outer_up, down = score("browInnerUp"), both("browOuterUp"), both("browDown")
    # The person's right eye looks to the picture's right when it looks in; the left one when it looks out.
    across = (
        score("eyeLookInRight") - score("eyeLookOutRight") + score("eyeLookOutLeft") - score("eyeLookInLeft")
    )
    gap = JAW_DROPS * jaw + LOWER_DOWN * mean("mouthLowerDown") + UPPER_UP * mean("mouthUpperUp")
    gap += SMILE_PARTS * sum(smile) / 2 + 0.08 * funnel
    gap = max(gap * (1 - 0.8 * score("mouthClose")) - CLOSED, 0.0)
    # A gap shows the upper teeth, the more so in a smile, and not in an O.
    teeth = 0.35 + 0.9 * sum(smile) / 2 + 0.6 * mean("mouthUpperUp") - 0.6 * funnel - 0.5 * pucker
    teeth = float(np.clip(teeth, 0, 1)) if gap else 0.0
    return Action(
        lids=_lids(both),
        gaze=(GAZE_ACROSS * across / 2, GAZE_DOWN * (mean("eyeLookDown") - mean("eyeLookUp"))),
        brows_inner=_pair(
            BROW_INNER_UP * inner_up + 0.03 * outer_up[k] - 0.7 * BROW_DOWN * down[k] for k in sides
        ),
        brows_outer=_pair(BROW_UP * outer_up[k] - BROW_DOWN * down[k] for k in sides),
        gap=gap,
        chin=CHIN_DROPS * jaw,
        corners=_pair(SMILE_UP * smile[k] - FROWN_DOWN * frown[k] for k in sides),
        wider=SMILE_WIDER * sum(smile) / 2
        + STRETCH_WIDER * mean("mouthStretch")
        - PUCKER_NARROWER * pucker
        - 0.12 * funnel,
        pucker=max(pucker, 0.7 * funnel),
        press=max(mean("mouthPress"), score("mouthRollLower"), score("mouthRollUpper")),
        aside=0.12 * (score("mouthLeft") + score("jawLeft") - score("mouthRight") - score("jawRight")),
        teeth=teeth,
    )


def _lids(both: Callable[[str], tuple[float, float]]) -> tuple[float, float]:
    """Return how far eyes are open: what moves lids a little multiplies, a blink shuts."""
    blink, squint, wide = both("eyeBlink"), both("eyeSquint"), both("eyeWide")
    down, up = both("eyeLookDown"), both("eyeLookUp")
    return _pair(
        (1 - SQUINT * squint[k] - LOOK_DOWN * down[k] + LOOK_UP * up[k] + WIDE * wide[k])
        * float(np.clip((SHUT - blink[k]) / (SHUT - STARTS), 0, 1))
        for k in (0, 1)
    )


def _pair(values: Iterable[float]) -> tuple[float, float]:
    right, left = (round(float(value), 6) for value in values)
    return right, left


def resting(points: Flat, action: Action) -> Flat:
    """Take away from a measured face what it does.

    Parameters
    ----------
    points : ndarray of shape (478, 2), float64, outer-eye distances
        Upright, as measured.
    action : Action
        What the face does there.

    Returns
    -------
    ndarray of shape (478, 2), float64, outer-eye distances
        Eyes open, irises in their middle, brows and corners of the mouth at rest, lips closed.
    """
    result = points.copy()
    for k, (eye, brow, iris) in enumerate(((RIGHT_EYE, RIGHT_BROW, 468), (LEFT_EYE, LEFT_BROW, 473))):
        _rest_eye(result, points, eye, action.lids[k])
        result[iris : iris + 5] += _middle(result, eye) - result[iris]
        inner = _share(points[list(brow), 0], points[brow[0], 0], points[brow[4], 0])
        raised = action.brows_outer[k] + inner * (action.brows_inner[k] - action.brows_outer[k])
        result[list(brow), 1] += raised
    _rest_mouth(result, points, action)
    _rest_jaw(result, points, action)
    return result


def _middle(points: Flat, eye: tuple[int, ...]) -> Flat:
    """Return where an iris rests: midway between the corners, a little above the opening's middle."""
    ring = points[list(eye)]
    return np.array([(ring[0, 0] + ring[8, 0]) / 2, (ring[:, 1].min() + ring[:, 1].max()) / 2 - 0.005])


def _share(x: Flat, start: float, end: float) -> Flat:
    run = end - start
    return np.asarray(np.clip((x - start) / (run if abs(run) > 1e-6 else 1e-6), 0, 1))


def _rest_eye(result: Flat, points: Flat, eye: tuple[int, ...], lids: float) -> None:
    """Open an eye as far as it is at rest; where it is nearly shut, as far as a mean eye."""
    ring = points[list(eye)]
    mean = mean_points()[list(eye), :2]
    open_now = float(ring[1:8, 1].max() - ring[9:, 1].min())
    trust = float(np.clip((lids - 0.3) / 0.3, 0, 1))
    wanted = np.clip(open_now / max(lids, 0.3), 0.7 * REST_OPEN, 1.35 * REST_OPEN)
    wanted = trust * wanted + (1 - trust) * REST_OPEN
    # The mean eye's arcs, stretched between the corners where the measured ones are too flat to tell.
    axis = ring[8] - ring[0]
    base = mean[8] - mean[0]
    along = np.clip((mean[:, 0] - mean[0, 0]) / base[0], 0, 1)
    chord = ring[0] + along[:, None] * axis
    arcs = mean[:, 1] - (mean[0, 1] + along * base[1])
    arcs *= REST_OPEN / max(float(arcs.max() - arcs.min()), 1e-6)
    drawn = chord + np.column_stack([np.zeros(16), arcs * wanted / REST_OPEN])
    own_along = _share(ring[:, 0], ring[0, 0], ring[8, 0])
    own = ring[:, 1] - (ring[0, 1] + own_along * axis[1])
    stretched = own * wanted / max(open_now, 0.02)
    own_ring = np.column_stack([ring[:, 0], ring[0, 1] + own_along * axis[1] + stretched])
    result[list(eye)] = trust * own_ring + (1 - trust) * drawn


def _rest_mouth(result: Flat, points: Flat, action: Action) -> None:
    """Close the lips, and bring their corners back."""
    outer, inner = points[list(LIPS_OUTER)], points[list(LIPS_INNER)]
    upper = np.maximum(inner[[0, *range(19, 10, -1), 10], 1], -9)
    lower = inner[:11, 1]
    gap = np.maximum(lower - upper, 0)
    ratio = float(np.clip(1 - action.wider / max(outer[10, 0] - outer[0, 0], 0.2), 0.75, 1.3))
    middle = (outer[0, 0] + outer[10, 0]) / 2 - action.aside
    side = np.clip((points[:, 0] - middle) / 0.3, -1, 1)
    lift = np.where(side < 0, action.corners[0], action.corners[1]) * side**2
    drop = 0.42 * action.chin  # the jaw takes the corners along
    rows = {}
    for k in range(11):
        over, under = LIPS_INNER[(20 - k) % 20], LIPS_INNER[k]
        line = upper[k] + gap[k] * 0.25
        rows[over] = rows[under] = line
        rows[LIPS_OUTER[(20 - k) % 20]] = points[LIPS_OUTER[(20 - k) % 20], 1] + gap[k] * 0.25
        rows[LIPS_OUTER[k]] = points[LIPS_OUTER[k], 1] - gap[k] * 0.75
    for corner in (LIPS_OUTER[0], LIPS_OUTER[10], LIPS_INNER[0], LIPS_INNER[10]):
        rows[corner] = points[corner, 1] - drop
    for index, y in rows.items():
        result[index] = middle + (points[index, 0] - action.aside - middle) * ratio, y + lift[index]
    # What is left of a smile or a sulk: no mouth at rest has its corners far off its middle.
    centre = result[LIPS_INNER[5], 1]
    for index in (LIPS_OUTER[0], LIPS_OUTER[10]):
        off = result[index, 1] - centre
        shift = np.clip(off, *CORNERS) - off
        same_side = [one for one in rows if (side[one] < 0) == (side[index] < 0)]
        result[same_side, 1] += shift * side[same_side] ** 2


def _rest_jaw(result: Flat, points: Flat, action: Action) -> None:
    """Lift the chin back by what the jaw has dropped."""
    oval = list(FACE_OVAL)
    mouth = float(points[[61, 291], 1].mean())
    chin = float(points[oval, 1].max())
    share = np.clip((points[oval, 1] - mouth) / max(chin - mouth, 1e-3), 0, 1)
    result[oval, 1] -= action.chin * share
