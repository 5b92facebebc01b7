"""Smooth curves through points, as cubic Bezier pieces: what every shape of a drawing is made of.

Curves are arrays of control points, (3 n + 1, 2): a start, then two handles and an end for each of
the n pieces, as SVG's path command C takes them.

References
----------
.. [1] Catmull & Rom, "A Class of Local Interpolating Splines", Computer Aided Geometric Design, 1974.
.. [2] Riskus, "Approximation of a Cubic Bezier Curve by Circular Arcs and Vice Versa", Information
   Technology and Control 35(4), 2006, for the handles of a circle.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "Curve",
    "between",
    "circle",
    "ellipse",
    "flatten",
    "join",
    "polyline",
    "reverse",
    "shifted",
    "smooth",
]

Curve: TypeAlias = npt.NDArray[np.float64]  # (3 n + 1, 2): start, then handle, handle, end of each piece

CIRCLE = 0.5522847498  # handles of a quarter circle, over its radius
STRAIGHT = 1 / 6  # of the chord between a point's neighbours: the handles of a Catmull-Rom spline
FINEST = 32  # straight pieces at most that a Bezier piece is cut into


def smooth(points: npt.ArrayLike, *, closed: bool = False, corners: Sequence[int] = ()) -> Curve:
    """Run a Catmull-Rom spline through points.

    Parameters
    ----------
    points : array_like of shape (N, 2)
        At least two.
    closed : bool
        Whether the last point joins the first.
    corners : sequence of int
        Points at which the curve may break.

    Returns
    -------
    Curve of shape (3 n + 1, 2)
        Handles are never longer than a third of their piece, so that close points make no loops.

    Examples
    --------
    >>> smooth([[0, 0], [3, 0], [6, 0]])[:4].tolist()
    [[0.0, 0.0], [0.5, 0.0], [2.0, 0.0], [3.0, 0.0]]
    """
    through = np.asarray(points, np.float64)
    count = len(through)
    following = np.arange(1, count + 1) % count
    before, behind = through[following - 2], through[following]
    slope = behind - before
    if not closed:
        slope[0], slope[-1] = through[1] - through[0], through[-1] - through[-2]
    incoming, outgoing = slope * STRAIGHT, slope * STRAIGHT
    for k in corners:
        k %= count
        incoming[k], outgoing[k] = (through[k] - before[k]) / 3, (behind[k] - through[k]) / 3
        if not closed and k in (0, count - 1):
            incoming[k], outgoing[k] = slope[k] / 3, slope[k] / 3
    pieces = count if closed else count - 1
    start, end = through[:pieces], behind[:pieces]
    most = np.hypot(*(end - start).T) * 0.4
    first = _at_most(outgoing[:pieces], most)
    second = _at_most(incoming[following[:pieces]], most)
    controls = np.stack([start + first, end - second, end], axis=1)
    return np.concatenate([through[:1], controls.reshape(-1, 2)])


def _at_most(vectors: Curve, lengths: npt.NDArray[np.float64]) -> Curve:
    sizes = np.hypot(*vectors.T)
    long = sizes > lengths
    return np.where(long[:, None], vectors * (lengths / np.where(long, sizes, 1))[:, None], vectors)


def polyline(points: npt.ArrayLike, *, closed: bool = False) -> Curve:
    """Join points by straight lines.

    Parameters
    ----------
    points : array_like of shape (N, 2)
        At least two.
    closed : bool
        Whether the last point joins the first.

    Returns
    -------
    Curve of shape (3 n + 1, 2)
        With handles on the lines.

    Examples
    --------
    >>> polyline([[0, 0], [3, 0]]).tolist()
    [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]
    """
    through = np.asarray(points, np.float64)
    return smooth(through, closed=closed, corners=range(len(through)))


def ellipse(x: float, y: float, across: float, down: float, *, turn: float = 0.0) -> Curve:
    """Draw an ellipse.

    Parameters
    ----------
    x, y : float
        Its centre.
    across, down : float
        Its radii.
    turn : float, degrees
        Clockwise.

    Returns
    -------
    Curve of shape (13, 2)
        Closed; the radius is right to 0.03 %.
    """
    k = CIRCLE
    quarter = np.array([[1, 0], [1, k], [k, 1], [0, 1]])
    ring = [quarter[:1]]
    for _ in range(4):
        ring.append(quarter[1:])
        quarter = quarter @ np.array([[0, 1], [-1, 0]])
    radians = np.radians(turn)
    rotation = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
    return np.asarray(np.concatenate(ring) * (across, down) @ rotation + (x, y), np.float64)


def circle(x: float, y: float, radius: float) -> Curve:
    """Draw a circle: an `ellipse` with equal radii.

    Parameters
    ----------
    x, y : float
        Its centre.
    radius : float
        Its radius.

    Returns
    -------
    Curve of shape (13, 2)
        Closed.
    """
    return ellipse(x, y, radius, radius)


def join(*curves: Curve) -> Curve:
    """Run curves one after the other; gaps between them become straight lines.

    Parameters
    ----------
    *curves : Curve
        In order.

    Returns
    -------
    Curve
        One curve.

    Examples
    --------
    >>> len(join(polyline([[0, 0], [1, 0]]), polyline([[2, 0], [2, 1]])))
    10
    """
    joined = curves[0]
    for curve in curves[1:]:
        if np.hypot(*(curve[0] - joined[-1])) > 1e-9:
            joined = np.concatenate([joined, polyline([joined[-1], curve[0]])[1:]])
        joined = np.concatenate([joined, curve[1:]])
    return joined


def between(outer: npt.ArrayLike, inner: npt.ArrayLike, *, corners: Sequence[int] = ()) -> Curve:
    """Enclose what lies between two smooth lines, of which the second runs back.

    Parameters
    ----------
    outer, inner : array_like of shape (N, 2)
        Points along the lines.
    corners : sequence of int
        Points of the second at which it may break.

    Returns
    -------
    Curve
        One curve, which ends where it began.
    """
    there, back = smooth(outer), smooth(inner, corners=corners)
    return join(there, back, polyline([back[-1], there[0]]))


def reverse(curve: Curve) -> Curve:
    """Run a curve the other way.

    Parameters
    ----------
    curve : Curve
        Any.

    Returns
    -------
    Curve
        The same points, backwards.
    """
    return curve[::-1]


def shifted(curve: Curve, x: float, y: float) -> Any:
    """Move a curve, or a point.

    Parameters
    ----------
    curve : ndarray of shape (..., 2)
        Any.
    x, y : float
        How far.

    Returns
    -------
    ndarray of shape (..., 2)
        Moved.
    """
    return np.asarray(curve + np.array([x, y]))


def flatten(curve: Curve, *, fine: float = 1.0) -> npt.NDArray[np.float64]:
    """Cut a curve into straight lines.

    Parameters
    ----------
    curve : Curve
        In pixels.
    fine : float
        How many times finer than usual.

    Returns
    -------
    ndarray of shape (M, 2), float64, pixels
        No further than about a twentieth of a pixel from the curve.
    """
    a, b, c, d = curve[:-1:3], curve[1::3], curve[2::3], curve[3::3]
    # The error of n chords is at most the second difference of the handles over 8 n^2, times 6.
    bend = np.maximum(np.hypot(*(a - 2 * b + c).T), np.hypot(*(b - 2 * c + d).T))
    counts = np.clip(np.ceil(np.sqrt(0.75 * bend / 0.05) * fine), 1, FINEST).astype(int)
    piece = np.repeat(np.arange(len(a)), counts)
    ends = np.cumsum(counts)
    t = ((np.arange(ends[-1]) - np.repeat(ends - counts, counts) + 1) / counts[piece])[:, None]
    s = 1 - t
    points = s * s * s * a[piece] + 3 * s * s * t * b[piece] + 3 * s * t * t * c[piece] + t * t * t * d[piece]
    return np.concatenate([curve[:1], points])
