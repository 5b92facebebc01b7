"""The figure that is drawn: a portrait's shape, a little exaggerated, and what all layers share.

References
----------
.. [1] Brennan, "Caricature Generator: The Dynamic Exaggeration of Faces by Computer", Leonardo 18(3),
   1985: away from the mean is what makes a likeness.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facekit.effects.avatar.expression import Action
from facekit.effects.avatar.palette import SKIN, mixed, shaded
from facekit.effects.avatar.portrait import Look, Portrait
from facekit.effects.avatar.upright import mean_points
from facekit.topology import FACE_OVAL, mirror_permutation

__all__ = ["LINE", "Figure", "make_figure"]

Flat = npt.NDArray[np.float64]

EXAGGERATION = 1.2  # of how a face differs from the mean
FARTHEST = 0.28  # outer-eye distances that a point may lie from the mean's, so that any mesh gives a face
LINE = 0.050  # outer-eye distances: the one weight of lines
SYMMETRY = 0.5  # how much of a face's lopsidedness is drawn away
SKULL = 0.86  # height of the skull over the eyes, over that of the face below them


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """What the layers are drawn from; lengths in outer-eye distances.

    Parameters
    ----------
    points : ndarray of shape (478, 2)
        At rest, exaggerated.
    action : Action
        What the face does.
    look : Look
        Colours and classes.
    oval : ndarray of shape (36, 2)
        The face's outline, from the top clockwise in the picture, with the chin where it is now.
    top : float
        Height of the skull.
    half : float
        Half the head's width, at the ears.
    skin, shade, deep : str
        Colours of the skin, in the light, in the shade, and of lines on it.
    """

    points: Flat
    action: Action
    look: Look
    oval: Flat
    top: float
    half: float
    skin: str
    shade: str
    deep: str

    def at(self, index: int) -> Flat:
        """Return one point of the mesh.

        Parameters
        ----------
        index : int
            Of the 478.

        Returns
        -------
        ndarray of shape (2,)
            Where it lies.
        """
        return np.asarray(self.points[index])

    def dome(
        self, volume: float, start: float, end: float, *, wide: float | None = None, steps: int = 9
    ) -> Flat:
        """Return points along the skull, so far off it.

        Parameters
        ----------
        volume : float
            Distance from the skull, at its top.
        start, end : float, degrees
            From -90, at the picture's left, over 0, the top, to 90; beyond, around the head's widest.
        wide : float, optional
            Distance from the skull at its sides; by default, as at its top.
        steps : int
            How many points.

        Returns
        -------
        ndarray of shape (steps, 2)
            In order.
        """
        angle = np.radians(np.linspace(start, end, steps))
        middle = -0.42
        across = self.half + (volume if wide is None else wide)
        up = middle - self.top + volume
        # A superellipse: heads are squarer than ellipses.
        x = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.86 * across
        y = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.86 * up
        return np.column_stack([x, middle - y])


def make_figure(portrait: Portrait) -> Figure:
    """Exaggerate a portrait's shape, and work out what the layers share.

    Parameters
    ----------
    portrait : Portrait
        What is known of the face.

    Returns
    -------
    Figure
        What to draw.
    """
    points = exaggerated(portrait.points)
    oval = points[list(FACE_OVAL)].copy()
    mouth, chin = float(points[[61, 291], 1].mean()), float(oval[18, 1])
    share = np.clip((oval[:, 1] - mouth) / max(chin - mouth, 0.1), 0, 1)
    oval[:, 1] += portrait.action.chin * share
    eyes = float(points[[33, 133, 263, 362], 1].mean())
    half = float(np.abs(oval[[8, 28], 0]).mean())
    skin = SKIN[portrait.look.skin]
    return Figure(
        points=points,
        action=portrait.action,
        look=portrait.look,
        oval=oval,
        top=eyes - SKULL * max(chin - eyes, 0.8),
        half=max(half, 0.5),
        skin=skin,
        shade=shaded(skin),
        deep=mixed(shaded(skin, 2.6), "#5a2a26", 0.25),
    )


def exaggerated(points: Flat) -> Flat:
    """Move a shape away from the mean, and towards its own mirror image."""
    mean = mean_points()[:, :2]
    away = (points - mean) * EXAGGERATION
    size = np.hypot(*away.T)[:, None]
    away *= np.minimum(1.0, FARTHEST / np.maximum(size, 1e-9))
    mirrored = away[mirror_permutation()] * (-1, 1)
    return np.asarray(mean + (1 - SYMMETRY / 2) * away + SYMMETRY / 2 * mirrored)
