"""What importing facekit costs, against importing numpy."""

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.table import Requirement, Table, ratio, spread

RUNS = 30
LIMIT = 1.5

CODE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def _seconds(module: str) -> float:
    command = [sys.executable, "-c", CODE.format(module)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def tables() -> Iterator[Table]:
    """Import both in turn, each time in a fresh process."""
    times: dict[str, list[float]] = {"numpy": [], "facekit": []}
    for _ in range(RUNS):
        for module, seconds in times.items():
            seconds.append(_seconds(module))
    rows = [[module, spread(seconds)] for module, seconds in times.items()]
    share = ratio(times["facekit"], times["numpy"])
    rows.append(["ratio", f"{share:.2f}"])
    note = f"Milliseconds inside a fresh process, in turn, median of {RUNS}."
    met = [Requirement("import facekit: times import numpy", share, LIMIT, at_most=True)]
    yield Table("Import", ["module", "ms"], rows, note, met)
