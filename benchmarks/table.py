"""A table of measurements: timing in turn, ratios, requirements, and how all of it is written down."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median, quantiles
from typing import Any

import numpy as np

ROUNDS = 15
SLOW = 1.5  # seconds; what takes longer takes part in FEW rounds only
FEW = 3
VERY_SLOW = 5.0  # seconds; what takes longer runs once

Job = Callable[[], object]
Maker = Callable[[], Job]


@dataclass(frozen=True, slots=True)
class Requirement:
    """A figure that must reach a floor, and should reach an aim; with `at_most`, stay below them."""

    what: str
    measured: float
    floor: float
    aim: float | None = None
    at_most: bool = False
    unit: str = ""

    @property
    def met(self) -> bool:
        """Tell whether the floor is reached; what is not a number is not."""
        return self._reaches(self.floor)

    def cells(self) -> list[str]:
        """Return the row of the closing table: what, floor, aim, measured, met."""
        sign = "≤" if self.at_most else "≥"
        aim = "–" if self.aim is None else f"{sign} {self.aim:g}{self.unit}"
        verdict = "**missed**" if not self.met else "met"
        if self.met and self.aim is not None:
            verdict = "met, and the aim" if self._reaches(self.aim) else "met, not the aim"
        return [
            self.what,
            f"{sign} {self.floor:g}{self.unit}",
            aim,
            f"{self.measured:.3g}{self.unit}",
            verdict,
        ]

    def line(self) -> str:
        """Say the same in one line."""
        what, floor, aim, measured, verdict = self.cells()
        return (
            f"{what}: {measured} (required {floor}"
            + (f", aim {aim})" if self.aim is not None else ")")
            + f": {verdict}"
        )

    def _reaches(self, mark: float) -> bool:
        return self.measured <= mark if self.at_most else self.measured >= mark


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a title, what is required of them, and the bare numbers for `plots`."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str
    requirements: Sequence[Requirement] = field(default=())
    data: Mapping[str, Any] = field(default_factory=dict)

    def markdown(self) -> str:
        """Set the table as Markdown."""
        lines = [self.columns, ["---"] + ["---:"] * (len(self.columns) - 1), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        required = "".join(f"\n- {requirement.line()}" for requirement in self.requirements)
        return f"## {self.title}\n\n{table}\n\n{self.note}\n" + (f"{required}\n" if required else "")


def closing(tables: Sequence[Table]) -> Table:
    """Gather what is required by all tables."""
    every = [requirement for table in tables for requirement in table.requirements]
    missed = sum(not requirement.met for requirement in every)
    columns = ["what", "required", "aim", "measured", "met?"]
    note = f"{len(every) - missed} of {len(every)} met."
    return Table("Requirements", columns, [requirement.cells() for requirement in every], note)


def spread(seconds: Sequence[float]) -> str:
    """Show the median in milliseconds and the half of the runs around it; of under 4 runs, all."""
    if len(seconds) == 1:
        return f"{1e3 * seconds[0]:.1f}"
    low, high = (min(seconds), max(seconds)) if len(seconds) < 4 else quantiles(seconds, n=4)[::2]
    return f"{1e3 * median(seconds):.1f} ({1e3 * low:.1f} to {1e3 * high:.1f})"


def ready(run: Callable[..., object], *args: object) -> Maker:
    """Return what makes `run(*args)` a job; nothing needs to be made ready for it."""
    return lambda: partial(run, *args)


def timed(run: Job) -> float:
    """Return how many seconds `run` takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def in_turn(
    jobs: Mapping[str, Maker],
    *,
    rounds: int = ROUNDS,
    warm_up: int = 1,
    patient: bool = False,
    measure: Callable[[Job], float] | None = None,
) -> dict[str, list[float]]:
    """Time every job once a round, forwards and backwards by turns, so that a drift slows all alike.

    A job is made ready outside the timing, afresh for each run. What proves slow takes part in
    the first rounds only, unless the caller is patient. `measure` runs a job and returns its cost,
    where that is not the time by the clock on the wall.
    """
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for make in jobs.values():
        for _ in range(warm_up):
            make()()
    for turn in range(rounds):
        for name, make in list(jobs.items())[:: -1 if turn % 2 else 1]:
            if patient or turn < _rounds(seconds[name], rounds):
                seconds[name].append((measure or timed)(make()))
    return seconds


def _rounds(so_far: Sequence[float], rounds: int) -> int:
    if not so_far or so_far[0] < SLOW:
        return rounds
    return min(rounds, FEW) if so_far[0] < VERY_SLOW else 1


def ratio(a: Sequence[float], b: Sequence[float]) -> float:
    """Return how many times as long as `b` takes `a`: the median of the neighbours' ratios.

    A drifting machine does not move it. Of the longer list, the rounds that both ran count.
    """
    return median(mine / theirs for mine, theirs in zip(a, b, strict=False))


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Fit log time against log size: 1 where the time grows as the size does."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
