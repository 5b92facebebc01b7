"""A table of measurements, and how it is written down."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a title; `missed` names each requirement that is not met."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str
    missed: Sequence[str] = field(default=())

    def markdown(self) -> str:
        """Set the table as Markdown."""
        lines = [self.columns, ["---"] + ["---:"] * (len(self.columns) - 1), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        missed = "".join(f"\n\n**Missed:** {miss}." for miss in self.missed)
        return f"## {self.title}\n\n{table}\n\n{self.note}{missed}\n"


def spread(seconds: Sequence[float]) -> str:
    """Show the median in milliseconds, and the half of the runs around it."""
    low, _, high = quantiles(seconds, n=4)
    return f"{1e3 * median(seconds):.1f} ({1e3 * low:.1f} to {1e3 * high:.1f})"


def timed(run: Callable[[], object]) -> float:
    """Return how many seconds `run` takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
