"""Redraw the template pictures: ``python -m templates.draw [NAME ...]``."""

import sys
from importlib import import_module
from pathlib import Path

from templates.picture import Drawn, save

FOLDER = Path(__file__).parents[1] / "facekit" / "assets" / "templates"
TITLES = {
    "spacesuit": "Above the Earth",
    "card": "The king of hearts",
    "carnival": "The mighty one",
    "stamp": "A stamp of one's own",
}


def draw(name: str) -> Drawn:
    """Draw one picture.

    Parameters
    ----------
    name : str
        One of `TITLES`.

    Returns
    -------
    Drawn
        The same for the same code.
    """
    drawn: Drawn = import_module(f"templates.{name}").draw()
    return drawn


def main(names: list[str]) -> None:
    """Draw and write the named pictures, or all of them."""
    for name in names or TITLES:
        save(draw(name), FOLDER / name, TITLES[name])


if __name__ == "__main__":
    main(sys.argv[1:])
