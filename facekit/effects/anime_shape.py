"""How a face's shape changes as it is drawn: larger eyes, a narrower chin, a smaller nose and mouth."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from facekit.segment import eye_distance
from facekit.topology import LEFT_EYE, LEFT_IRIS, LIPS_INNER, LIPS_OUTER, RIGHT_EYE, RIGHT_IRIS
from facekit.values import FaceMesh, Points
from facekit.views import box_of

__all__ = ["drawn_points", "narrowed"]

CHIN = 0.13  # share by which the chin is narrower; the cheekbones stay
EYE = 1.16, 1.42  # how much wider and higher an eye is drawn
OPEN = 0.62  # height of an eye over its width, at most
SHUT = 0.12  # height over width under which an eye is closed
IRIS = 1.42  # how much larger an iris is drawn
MOUTH = 0.90  # size of the mouth that is drawn
LIPS = tuple(sorted({*LIPS_OUTER, *LIPS_INNER}))


def narrowed(mesh: FaceMesh) -> Points:
    """Narrow the lower face towards its midline, more the lower.

    Parameters
    ----------
    mesh : FaceMesh
        The face.

    Returns
    -------
    Points of shape (478, 2), float32, pixels
        Where its points go.
    """
    points = mesh.points.astype(np.float64)
    across = points[263] - points[33]
    across /= max(float(np.hypot(*across)), 1e-6)
    down = np.array([-across[1], across[0]])
    nose, chin = points[4] @ down, points[152] @ down
    share = np.clip((points @ down - nose) / max(chin - nose, 1e-6), 0, 1)
    middle = points[4] + (points[152] - points[4]) * share[:, None]
    aside = ((points - middle) @ across)[:, None] * across
    moved = points - aside * (CHIN * share**1.5)[:, None]
    return np.asarray(moved, np.float32)


def drawn_points(mesh: FaceMesh) -> FaceMesh:
    """Enlarge the eyes and make the mouth smaller.

    Parameters
    ----------
    mesh : FaceMesh
        The face.

    Returns
    -------
    FaceMesh
        With the points where they are drawn.
    """
    points = mesh.points.astype(np.float64).copy()
    for ring, iris in ((RIGHT_EYE, RIGHT_IRIS), (LEFT_EYE, LEFT_IRIS)):
        _enlarge(points, list(ring), list(iris), eye_distance(mesh))
    lips = list(LIPS)
    middle = points[lips].mean(axis=0)
    points[lips] = middle + (points[lips] - middle) * MOUTH
    placed = points.astype(np.float32)
    return replace(mesh, points=placed, box=box_of(placed))


def _enlarge(points: npt.NDArray[np.float64], ring: list[int], iris: list[int], unit: float) -> None:
    """Scale an eye about its middle, along its own axes; closed eyes stay as they are."""
    outer, inner = points[ring[0]].copy(), points[ring[8]].copy()
    along = inner - outer
    width = max(float(np.hypot(*along)), 1e-6)
    along /= width
    down = np.array([-along[1], along[0]])
    height = float(np.ptp(points[ring] @ down))
    middle = (outer + inner) / 2
    if height < SHUT * width:
        return
    tall = min(EYE[1], max(OPEN * EYE[0] * width / height, 1.0))
    every = ring + iris
    off = points[every] - middle
    points[every] = middle + np.outer(off @ along, along) * EYE[0] + np.outer(off @ down, down) * tall
    centre = points[iris[0]].copy()
    radius = np.hypot(*(points[iris[1:]] - centre).T).mean() / ((EYE[0] + tall) / 2)
    angles = np.arange(4) * np.pi / 2
    ring4 = np.column_stack([np.cos(angles), np.sin(angles)]) * max(radius, 0.05 * unit) * IRIS
    points[iris[1:]] = centre + ring4
