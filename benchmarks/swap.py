"""Stage times and peak memory of a swap, by size of the template."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from benchmarks.table import Table, spread
from facekit import load_sample, load_template, swap_face, write_image
from facekit.values import Image, Template

SIZES = (512, 1024, 2048)
RUNS = 15

MEMORY = """
import ctypes, json, sys
from pathlib import Path
from benchmarks.swap import scene
from facekit import swap_face

def resident(name):
    line, = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(name))
    return int(line.split()[1]) / 1024

swap_face(*scene(256))  # libraries, models and kernels are loaded
photo, template = scene(int(sys.argv[1]))
ctypes.CDLL(None).malloc_trim(0)  # what was freed goes back, so that its reuse shows
Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
before = resident("VmRSS")
swap_face(photo, template)
print(json.dumps([before, resident("VmHWM")]))
"""


def scene(size: int) -> tuple[Image, Template]:
    """Return a photo and a template, both `size` pixels wide."""
    photo, picture = (_resized(load_sample(name), size) for name in ("obama", "astronaut"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{size}.png"
        write_image(path, picture)
        return photo, load_template(path)


def _resized(image: Image, width: int) -> Image:
    height = round(image.shape[0] * width / image.shape[1])
    shrinks = width < image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)


def measure_stages() -> Table:
    """Time the stages."""
    runs = []
    for size in SIZES:
        photo, template = scene(size)
        swap_face(photo, template)
        runs.append([dict(swap_face(photo, template).timings) for _ in range(RUNS)])
    stages = list(runs[0][0])
    rows = [[stage, *(spread([run[stage] for run in some]) for some in runs)] for stage in stages]
    rows.append(["**all**", *(spread([sum(run.values()) for run in some]) for some in runs)])
    note = (
        f"Milliseconds: median of {RUNS} runs, and the half of the runs around it, after one run to warm up."
    )
    return Table("Stages of a swap", ["stage", *(f"{size} px" for size in SIZES)], rows, note)


def measure_memory() -> Table:
    """Measure what one swap needs on top of what was there before."""
    rows = []
    for size in SIZES:
        command = [sys.executable, "-c", MEMORY, str(size)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        before, peak = json.loads(run.stdout)
        rows.append([f"{size} px", f"{before:.0f}", f"{peak:.0f}", f"{peak - before:.0f}"])
    note = (
        "MiB of resident memory, each size in a process of its own: before the swap, with libraries, models, "
        "photo and template loaded; at the peak; and what the swap itself adds."
    )
    return Table("Memory of a swap", ["template", "before", "peak", "added"], rows, note)
