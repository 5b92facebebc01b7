"""Measure everything; write results.md, results.json and the plots beside this file.

With names of tables, only those run, and nothing is written unless asked for: then they take their
places among those written before. Exit 1 on a missed requirement.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.markdown import Markdown

from benchmarks.table import Requirement, Table, closing

NAMES = (
    "imports",
    "cold",
    "detection",
    "swap",
    "effects",
    "threads",
    "warping",
    "poisson",
    "random_masks",
    "cell",
    "standby",
    "service",
)
#: These take minutes each, and run only where they are named.
LONG = ("service_memory",)
LIBRARIES = ("facekit-reference", "numpy", "scipy", "numba", "opencv-python", "mediapipe", "pillow")
FOLDER = Path(__file__).parent
WIDTH = 180  # characters, where the output is no terminal
PEERS = ("fpie", "pyamg", "scikit-image", "taichi", "matplotlib")


def machine() -> dict[str, str]:
    """Say what the numbers were measured on."""
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in cpus if line.startswith("model name")]
    return {
        "processor": f"{names[0] if names else platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "libraries": ", ".join(_versions(LIBRARIES)),
        "peers": ", ".join(_versions(PEERS)),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def _versions(names: Sequence[str]) -> list[str]:
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return found


def main() -> int:
    """Run the tables; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"of {', '.join(NAMES)}; all by default; or {', '.join(LONG)}",
    )
    parser.add_argument("--write", action="store_true", help="write the named tables among the others, too")
    asked = parser.parse_args()
    names = asked.names
    if unknown := set(names) - {*NAMES, *LONG}:
        parser.error(f"no such table: {', '.join(sorted(unknown))}; there are {', '.join((*NAMES, *LONG))}")
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    where, tables = machine(), _measured(console, names or NAMES)
    console.print(*_facts(where), sep="\n", highlight=False)
    if not names:
        _write(where, tables)
    elif asked.write:
        _write(*_merged(where, names, tables))
    return 1 if any(not met.met for table in tables for met in table.requirements) else 0


def _measured(console: Console, names: Sequence[str]) -> list[Table]:
    tables: list[Table] = []
    for name in names:
        start = perf_counter()
        for table in import_module(f"benchmarks.{name}").tables():
            console.print(Markdown(table.markdown()))
            tables.append(table)
        console.print(f"{name} took {perf_counter() - start:.0f} s", style="dim")
    tables.append(closing(tables))
    console.print(Markdown(tables[-1].markdown()))
    return tables


def _merged(
    where: dict[str, str], names: Sequence[str], tables: Sequence[Table]
) -> tuple[dict[str, str], list[Table]]:
    """Put new tables among those written before; say when, and where if elsewhere, they were measured."""
    record = json.loads((FOLDER / "results.json").read_text())
    before = [
        Table(**one | {"requirements": [Requirement(**some) for some in one["requirements"]]})
        for one in record["tables"][:-1]
    ]
    new = {table.title: table for table in tables[:-1]}
    merged = [new.pop(table.title, table) for table in before] + list(new.values())
    facts: dict[str, str] = record["machine"]
    other = [fact for key, fact in where.items() if key == "date" or (facts[key] != fact and key != "peers")]
    return facts | {", ".join(names): "; ".join(other)}, [*merged, closing(merged)]


def _write(where: dict[str, str], tables: Sequence[Table]) -> None:
    head = ["# Measurements", "", "Written by `make bench`.", "", *_facts(where), ""]
    *measured, required = tables  # what most readers look for comes first
    text = "\n".join([*head, *(table.markdown() for table in (required, *measured))])
    record = {"machine": where, "tables": [asdict(table) for table in tables]}
    (FOLDER / "results.md").write_text(text)
    (FOLDER / "results.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    import_module("benchmarks.plots").draw(record["tables"], FOLDER)


def _facts(where: dict[str, str]) -> list[str]:
    return [f"- {key}: {fact}" for key, fact in where.items()]


if __name__ == "__main__":
    sys.exit(main())
