"""The reference: a page for each module, in the order in which a swap uses them, and the public names."""

import inspect
import pkgutil
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import facekit

ROOT = Path(__file__).parent.parent
INTRODUCTION = (
    "`from facekit import ...` gives the names of the first table; each loads its module when it is first "
    "used. Points are (x, y), arrays are [row, col], pictures are uint8 RGB; arguments are never written to."
)
LEFT_OUT = {"cli"}  # it has a page of its own, made from the commands' help
# The chapters of the menu. What is in none of them stands in the last, in the order of the layers.
PIPELINE, REST = "The pipeline", "What they stand on"
CHAPTERS = {
    "What goes in": ("templates", "data", "synthetic"),
    "What passes between": ("values", "errors", "topology"),
    "Effects": (
        "effects",
        "effects.gender",
        "effects.age",
        "effects.anime",
        "effects.avatar",
        "effects.morph",
        "face_model",
    ),
    "The client of the service": (
        "client",
        "client_account",
        "client_jobs",
        "client_rights",
        "answers",
        "local_service",
    ),
    "Around it": ("checkup", "demo", "demo_service", "evaluate", "judges", "models", "show"),
}


@dataclass(frozen=True)
class Page:
    """A module's page.

    Parameters
    ----------
    name : str
        The module, without the package.
    chapter : str
        Where it stands in the menu.
    """

    name: str
    chapter: str

    @property
    def path(self) -> str:
        """Where the page lies."""
        return f"reference/{self.name}.md"

    @property
    def text(self) -> str:
        """The page, which mkdocstrings fills."""
        return f"# facekit.{self.name}\n\n::: facekit.{self.name}\n"


@cache
def module_pages() -> list[Page]:
    """List every module of facekit but the command line, the stages first, in README.md's order."""
    stages = re.findall(r"^\| \w+ \| `(\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    chapters = {PIPELINE: ("swap", *stages), **CHAPTERS}
    placed = {module for modules in chapters.values() for module in modules}
    chapters[REST] = tuple(module for module in by_layer() if module not in placed)
    return [Page(module, chapter) for chapter, modules in chapters.items() for module in modules]


def homes() -> dict[str, list[str]]:
    """Return the public names of facekit by the module that they live in."""
    return {module: list(names) for module, names in facekit._HOME.items()}  # noqa: SLF001 (its table)


@cache
def homes_of_names() -> dict[str, str]:
    """Return where each class and function is described, by its name.

    Names that could also be a word or a parameter, and names that two modules have, are left out.
    """
    found: dict[str, set[str]] = {}
    for page in module_pages():
        module = import_module(f"facekit.{page.name}")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            distinct = "_" in name.strip("_") or name != name.lower()
            if distinct and (inspect.isclass(thing) or inspect.isfunction(inspect.unwrap(thing))):
                found.setdefault(name, set()).add(f"{module.__name__}.{name}")
    return {name: homes.pop() for name, homes in found.items() if len(homes) == 1}


@cache
def by_layer() -> list[str]:
    """List the modules from the top layer to the bottom."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contract, *_ = settings["tool"]["importlinter"]["contracts"]
    layered = [module for layer in contract["layers"] for module in layer.split(" | ")]
    there = {found.name for found in pkgutil.iter_modules(facekit.__path__)} - {"__main__"} - LEFT_OUT
    return [module for module in layered if module in there] + sorted(there - set(layered))


def public_names() -> str:
    """Write the index of public names, and of modules."""
    parts = [
        "# Reference",
        INTRODUCTION,
        "## Public names",
        "| name | what it does |\n|---|---|",
    ]
    for page in module_pages():
        for name in homes().get(page.name, ()):
            thing = getattr(facekit, name)
            told = first_line(thing if callable(thing) else import_module(f"facekit.{page.name}"))
            parts[-1] += f"\n| [`{name}`][facekit.{page.name}.{name}] | {told} |"
    for chapter in (PIPELINE, *CHAPTERS, REST):
        parts += [f"## {chapter}", "| module | what is in it |\n|---|---|"]
        for page in module_pages():
            if page.chapter == chapter:
                module = import_module(f"facekit.{page.name}")
                parts[-1] += f"\n| [`facekit.{page.name}`]({page.name}.md) | {first_line(module)} |"
    return "\n\n".join(parts) + "\n"


def first_line(thing: object) -> str:
    """Return the summary of a docstring."""
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ").replace("|", "&#124;")
