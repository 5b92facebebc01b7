"""How long each stage of a job takes, and who is told when it begins."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

__all__ = ["Progress", "Stopwatch"]

Progress = Callable[[str], object]


@dataclass(slots=True)
class Stopwatch:
    """Seconds by stage, added up where a stage comes again.

    Parameters
    ----------
    progress : function, optional
        Is told the name of each stage when it begins.
    seconds : dict of str to float
        By stage, in order.
    """

    progress: Progress | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time a stage."""
        if self.progress is not None:
            self.progress(stage)
        start = perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + perf_counter() - start
