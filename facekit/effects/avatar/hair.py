"""Hair: a silhouette behind the head and one over the forehead, in the light and in the shade."""

from collections.abc import Callable
from types import MappingProxyType

from facekit.effects.avatar import hair_long, hair_short
from facekit.effects.avatar.cuts import Cut, Parts
from facekit.effects.avatar.drawing import Layer
from facekit.effects.avatar.figure import Figure

__all__ = ["draw_hair"]

STYLES: MappingProxyType[str, Callable[[Cut], tuple[Parts, Parts]]] = MappingProxyType(
    {
        "bald": hair_short.bald,
        "buzz": hair_short.buzz,
        "short": hair_short.short,
        "side-parted": hair_short.side_parted,
        "fringe": hair_short.fringe,
        "bob": hair_long.bob,
        "long": hair_long.long,
        "tied-up": hair_long.tied_up,
        "curly": hair_long.curly,
    }
)


def draw_hair(figure: Figure) -> tuple[Layer, Layer]:
    """Draw the hair behind the head, and that in front of it.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Returns
    -------
    back, front : Layer
        ``hair-back`` and ``hair-front``; either may be empty.
    """
    back, front = STYLES[figure.look.hair_class](Cut(figure))
    return Layer("hair-back", tuple(back)), Layer("hair-front", tuple(front))
