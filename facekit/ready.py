"""The ready templates by name, with whom to thank: what can be said of them without loading a picture."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from facekit.data import has_sample

__all__ = ["CONFIG", "Ready", "ready_folder", "ready_templates", "template_names"]

CONFIG: Final = "template.toml"


@dataclass(frozen=True, slots=True)
class Ready:
    """A ready template.

    Parameters
    ----------
    name, title, credit, licence : str
        As in `Template`.
    """

    name: str
    title: str
    credit: str
    licence: str


def template_names() -> tuple[str, ...]:
    """Return the names of the ready templates.

    Returns
    -------
    tuple of str
        Sorted.

    Examples
    --------
    >>> {"astronaut", "joconde", "card", "stamp"} <= set(template_names())
    True
    """
    return tuple(sorted(entry.name for entry in _shelf().iterdir() if (entry / CONFIG).is_file()))


def ready_folder(name: str) -> Path:
    """Return the folder of a ready template.

    Parameters
    ----------
    name : str
        One of `template_names`.

    Returns
    -------
    Path
        With `template.toml`.
    """
    return _shelf() / name


def ready_templates() -> tuple[Ready, ...]:
    """Describe the ready templates whose picture is here.

    Returns
    -------
    tuple of Ready
        By name; those made from a sample that has not been fetched are left out.

    Examples
    --------
    >>> next(one.title for one in ready_templates() if one.name == "card")
    'The king of hearts'
    """
    found = []
    for name in template_names():
        config = tomllib.loads((ready_folder(name) / CONFIG).read_text("utf-8"))
        if "sample" not in config or has_sample(config["sample"]):
            found.append(Ready(name, *(str(config.get(key, "")) for key in ("title", "credit", "licence"))))
    return tuple(found)


def _shelf() -> Path:
    return Path(str(files("facekit.assets"))) / "templates"
