"""What importing facekit costs, against importing numpy."""

import subprocess
import sys
from statistics import median

from benchmarks.table import Table, spread

RUNS = 30
LIMIT = 1.5

CODE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def _seconds(module: str) -> float:
    command = [sys.executable, "-c", CODE.format(module)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure_imports() -> Table:
    """Import both in turn, each time in a fresh process."""
    times: dict[str, list[float]] = {"numpy": [], "facekit": []}
    for _ in range(RUNS):
        for module, seconds in times.items():
            seconds.append(_seconds(module))
    ratio = median(times["facekit"]) / median(times["numpy"])
    rows = [[module, spread(seconds)] for module, seconds in times.items()]
    rows.append(["ratio", f"{ratio:.2f}"])
    note = f"Milliseconds inside a fresh process, in turn, median of {RUNS}. Required: ratio {LIMIT} or less."
    missed = [f"importing facekit takes {ratio:.2f} times importing numpy"] if ratio > LIMIT else []
    return Table("Import", ["module", "ms"], rows, note, missed)
