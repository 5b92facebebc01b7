"""The same work with one thread and with two: how long it takes, and that the results are the same."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks import swap, warping
from benchmarks.scenes import pictures, shape_mask
from benchmarks.table import Maker, Requirement, Table, in_turn, ratio, spread
from facekit import swap_face, warp_piecewise_affine
from facekit.blend import blend_poisson
from facekit.values import Image

VARIABLE = "FACEKIT_THREADS"
SIZE = 1024


def tables() -> Iterator[Table]:
    """Measure."""
    rows, met = [], []
    for name, work in _works().items():
        answers: dict[str, list[Image]] = {"1": [], "2": []}
        runs = in_turn({count: _maker(count, work, answers[count]) for count in answers}, warm_up=2)
        first, *others = [*answers["1"], *answers["2"]]
        same = sum(np.array_equal(first, other) for other in others) / len(others)
        times = ratio(runs["1"], runs["2"])
        verdict = "bit for bit" if same == 1 else "**no**"
        rows.append([name, spread(runs["1"]), spread(runs["2"]), f"{times:.2f}", verdict])
        met.append(Requirement(f"threads: share of equal results, {name}", same, 1))
    os.environ.pop(VARIABLE, None)
    note = (
        f"Milliseconds with {VARIABLE} set to 1 and to 2, in turn. Ratio: one thread over two. Same: whether "
        "every run of either gave the same answer. What numba does not run (OpenCV, MediaPipe) has threads "
        "of its own."
    )
    columns = ["work", "1 thread", "2 threads", "ratio", "same"]
    yield Table("Threads", columns, rows, note, met)


def _maker(count: str, work: Callable[[], Image], answers: list[Image]) -> Maker:
    def run() -> None:
        answers.append(work())

    def make() -> Callable[[], None]:
        os.environ[VARIABLE] = count
        return run

    return make


def _works() -> dict[str, Callable[[], Image]]:
    mask = shape_mask("ellipse", SIZE)
    blended: tuple[Any, ...] = (*pictures(SIZE), mask)
    photo, src, dst, triangles = warping.scene()
    person, template = swap.scene(SIZE)
    shape = (warping.SIDE, warping.SIDE)
    return {
        f"blend, import, {SIZE} px": lambda: blend_poisson(*blended),
        f"blend, mixed, {SIZE} px": lambda: blend_poisson(*blended, mode="mixed"),
        f"warp, {warping.SIDE} px": lambda: warp_piecewise_affine(photo, src, dst, triangles, shape=shape)[0],
        f"swap, {SIZE} px": lambda: swap_face(person, template).image,
    }
