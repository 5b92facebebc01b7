"""Hold the docstrings of facekit's public names against numpydoc's rules and their own signatures.

numpydoc's own command reads source text and so cannot see the signature of a dataclass; this imports.
"""

import inspect
import pkgutil
import sys
from collections.abc import Iterator
from enum import Enum
from importlib import import_module

from numpydoc.validate import validate

import facekit

# Not asked for: long summaries, see-also lists, bare types of results, and where a first line stands.
IGNORED = {"ES01", "GL01", "GL02", "GL03", "RT02", "SA01", "YD01"}
# The command line documents itself by --help; the others serve one module each.
INTERNAL = (
    "facekit.__main__",
    "facekit.cli",
    "facekit.views",
    "facekit.likeness",
    "facekit.archives",
    "facekit.grid",
    "facekit.guidance",
    "facekit.ink_rows",
    "facekit.multigrid",
    "facekit.readout",
    "facekit.controls",
    "facekit.running",
    "facekit.stored",
    "facekit.synthetic.look",
    "facekit.synthetic.texture",
    "facekit.sweep",
    "facekit.unpack",
)


def public_names() -> Iterator[tuple[str, set[str]]]:
    """Yield each public class, function and method by dotted name, and the rules it is excused from."""
    for found in pkgutil.walk_packages(facekit.__path__, "facekit."):
        if found.name.startswith(INTERNAL):
            continue
        module = import_module(found.name)
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if not str(getattr(thing, "__module__", None)).startswith(found.name):
                continue
            if inspect.isfunction(inspect.unwrap(thing)):
                yield f"{found.name}.{name}", set() if _is_public(name, thing) else {"EX01"}
            elif inspect.isclass(thing):
                # Nobody makes the members of an enumeration, so its constructor needs no description.
                yield f"{found.name}.{name}", {"EX01", "PR01"} if issubclass(thing, Enum) else {"EX01"}
                for method, value in vars(thing).items():
                    if not method.startswith("_") and inspect.isfunction(value):
                        yield f"{found.name}.{name}.{method}", {"EX01"}


def _is_public(name: str, thing: object) -> bool:
    """Tell whether `facekit` itself offers a function, not another one of the same name."""
    return name in facekit.__all__ and getattr(facekit, name) is thing


def main() -> int:
    """Print every fault; return the exit status."""
    faults = []
    for name, excused in public_names():
        found = validate(name)["errors"]
        faults += [f"{name}: {code} {what}" for code, what in found if code not in IGNORED | excused]
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
