"""Measure everything; write results.md and results.json beside this file. Exit 1 on a missed requirement."""

import json
import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from benchmarks.detection import measure_detection
from benchmarks.imports import measure_imports
from benchmarks.swap import measure_memory, measure_stages

TABLES = (measure_stages, measure_memory, measure_imports, measure_detection)
LIBRARIES = ("facekit-reference", "numpy", "scipy", "numba", "opencv-python", "mediapipe", "pillow")


def machine() -> dict[str, str]:
    """Say what the numbers were measured on."""
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in cpus if line.startswith("model name")]
    return {
        "processor": f"{names[0] if names else platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def main() -> int:
    """Run every table; return the exit status."""
    console = Console()
    where = machine()
    tables = []
    for measure in TABLES:
        with console.status(f"{measure.__name__.replace('_', ' ')} ..."):
            table = measure()
        console.print(Markdown(table.markdown()))
        tables.append(table)
    facts = [f"- {key}: {fact}" for key, fact in where.items()]
    head = ["# Measurements", "", "Written by `make bench`.", "", *facts, ""]
    text = "\n".join([*head, *(table.markdown() for table in tables)])
    folder = Path(__file__).parent
    (folder / "results.md").write_text(text)
    record = {"machine": where, "tables": [asdict(table) for table in tables]}
    (folder / "results.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    console.print(*facts, sep="\n", highlight=False)
    return 1 if any(table.missed for table in tables) else 0


if __name__ == "__main__":
    sys.exit(main())
