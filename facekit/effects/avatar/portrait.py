"""What is known of a face when it is drawn: numbers and names, and nothing of the picture."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from facekit.effects.avatar.expression import Action

__all__ = ["Beard", "HairClass", "Look", "Parting", "Portrait"]

HairClass: TypeAlias = Literal[
    "bald", "buzz", "short", "side-parted", "fringe", "bob", "long", "tied-up", "curly"
]
Beard: TypeAlias = Literal["none", "stubble", "moustache", "goatee", "full"]
Parting: TypeAlias = Literal["left", "middle", "right"]


@dataclass(frozen=True, slots=True)
class Look:
    """Colours and classes: what a mesh alone does not tell.

    Parameters
    ----------
    skin, hair, eyes : str
        Names in the palettes of `facekit.effects.avatar.palette`.
    lips : float in [0, 1]
        How much redder than the skin lips are: 0 as pale as it, 1 painted.
    brows : str
        Name in the palette of hair.
    brow_weight : float in [0, 1]
        From thin and faint to thick and dark.
    hair_class : {"bald", "buzz", "short", "side-parted", "fringe", "bob", "long", "tied-up", "curly"}
        The silhouette.
    parting : {"left", "middle", "right"}
        Side of the picture on which the hair is parted.
    volume : float, outer-eye distances
        How far the hair stands up from the skull, 0.02 to 0.6.
    hairline : float, outer-eye distances
        How far below the top of the forehead's outline hair begins; negative where it has receded.
    beard : {"none", "stubble", "moustache", "goatee", "full"}
        Its class.
    beard_colour : str
        Name in the palette of hair.
    glasses : bool
        Whether the face wears any.
    """

    skin: str = "honey-warm"
    hair: str = "brown"
    eyes: str = "brown"
    lips: float = 0.45
    brows: str = "espresso"
    brow_weight: float = 0.5
    hair_class: HairClass = "short"
    parting: Parting = "right"
    volume: float = 0.16
    hairline: float = 0.06
    beard: Beard = "none"
    beard_colour: str = "brown"
    glasses: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A face as it is drawn: its shape at rest, what it does, and how it looks.

    Parameters
    ----------
    points : ndarray of shape (478, 2), float64, outer-eye distances
        The shape at rest in the face's own upright frame: x right, y down, the mean face's middle
        at the origin.
    action : Action
        What the face does.
    look : Look
        Colours and classes.
    """

    points: npt.NDArray[np.float64]
    action: Action = field(default_factory=Action)
    look: Look = field(default_factory=Look)
