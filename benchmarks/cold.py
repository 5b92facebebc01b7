"""The first blend and warp of a fresh process: nothing compiled, compiled before, without a compiler."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping

from benchmarks.table import Requirement, Table

SHARE = 0.25  # of the cold start that a warm one may take
SIDE = 128  # pixels

CODE = """
import json, time
start = time.perf_counter()
import numpy as np
from facekit.assets import load_numbers
from facekit.blend import blend_poisson
from facekit.topology import face_triangles
from facekit.warp import facing, warp_piecewise_affine

side = {side}
image = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
mask = np.zeros((side, side), bool)
mask[side // 4 : -side // 4, side // 4 : -side // 4] = True
points = (load_numbers("face_axes")["mean"][:468, :2] * side / 3 + side / 2).astype(np.float32)
triangles = face_triangles()
triangles = triangles[facing(points, triangles)]
seconds = [time.perf_counter() - start]
for _ in range(2):
    for work in (
        lambda: blend_poisson(image, image[::-1].copy(), mask),
        lambda: blend_poisson(image, image[::-1].copy(), mask, mode="mixed"),
        lambda: warp_piecewise_affine(image, points, points + 1, triangles),
    ):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
print(json.dumps(seconds))
"""


def tables() -> Iterator[Table]:
    """Start afresh three times."""
    with tempfile.TemporaryDirectory() as folder:
        cached = {"NUMBA_CACHE_DIR": folder}
        runs = {
            "nothing compiled yet": _first(cached),
            "compiled before": _first(cached),
            "no compiler (NUMBA_DISABLE_JIT)": _first({"NUMBA_DISABLE_JIT": "1"}),
        }
    rows = [[name, *(f"{1e3 * one:.0f}" for one in _summed(seconds))] for name, seconds in runs.items()]
    cold, warm, _ = (sum(_summed(seconds)[1:4]) for seconds in runs.values())
    note = (
        f"Milliseconds in a fresh process, one run each, a picture of {SIDE} x {SIDE}: the imports; the "
        "first blend, the first in mixed mode, the first warp; and all three once more."
    )
    columns = ["process", "imports", "first blend", "first mixed", "first warp", "all three again"]
    met = [Requirement("cold start: share of it that a warm one takes", warm / cold, SHARE, at_most=True)]
    yield Table("Cold start", columns, rows, note, met)


def _first(settings: Mapping[str, str]) -> list[float]:
    """Return the seconds that `CODE` prints."""
    command = [sys.executable, "-c", CODE.format(side=SIDE)]
    run = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **settings}, timeout=300
    )
    return [float(one) for one in json.loads(run.stdout)]


def _summed(seconds: list[float]) -> list[float]:
    return [*seconds[:4], sum(seconds[4:])]
