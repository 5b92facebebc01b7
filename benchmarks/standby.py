"""What cells cost before there is a job: memory, and the time until one is at hand."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from statistics import median

from benchmarks.cell import SETTLE, batch, job_in, started, two_cores
from benchmarks.processes import children, megabytes
from benchmarks.table import Requirement, Table, spread, timed
from benchmarks.workers import LANES
from facekit.cell import Cells, Lease

WAITING = 5  # cells whose memory is read
JOBS = 50  # after which it is read again
STARTS, LEASES = 5, 21
SERVER_LIMIT, CELL_LIMIT = 400, 5  # MB

SERVER, OWN = "fork server, resident", "a waiting cell, its own"


def tables() -> Iterator[Table]:
    """Measure."""
    with two_cores():
        yield _memory()
        yield _delays()


# -- memory ----------------------------------------------------------------------------------


def _memory() -> Table:
    """Look at a fork server and the cells that wait, before and after some jobs."""
    with started(standby=WAITING) as cells:
        fresh = _held(cells)
        batch(cells, JOBS)
        time.sleep(1)
        used = _held(cells)
    rows = [[name, _range(fresh[name]), _range(used[name])] for name in fresh]
    note = (
        f"MB (1,000,000 bytes) after the start, and after {JOBS} jobs; of {WAITING} waiting cells the median "
        "and the range. Resident: as the kernel counts it, libraries included. Its own: what no other "
        "process shares, Private_Clean and Private_Dirty. Page tables are in neither."
    )
    limits = {SERVER: SERVER_LIMIT, OWN: CELL_LIMIT}
    met = [
        Requirement(f"cell: MB of {name}", max(median(fresh[name]), median(used[name])), limit, at_most=True)
        for name, limit in limits.items()
        if name in fresh
    ]
    if OWN not in fresh:
        note += " What a cell holds of its own, only root can see."
    return Table("Cell, memory", ["what", "after the start", f"after {JOBS} jobs"], rows, note, met)


def _held(cells: Cells) -> Mapping[str, list[float]]:
    """Return in MB what server and cells hold; the latter lies open to root alone."""
    server, waiting = cells.server_pid, children(cells.server_pid)
    held = {
        SERVER: [megabytes(server, "smaps_rollup", "Rss")],
        "fork server, its page tables": [megabytes(server, "status", "VmPTE")],
    }
    with suppress(PermissionError):
        private = ("Private_Clean", "Private_Dirty")
        held[OWN] = [megabytes(pid, "smaps_rollup", *private) for pid in waiting]
    return held | {"a waiting cell, its page tables": [megabytes(pid, "status", "VmPTE") for pid in waiting]}


def _range(figures: Sequence[float]) -> str:
    middle = f"{median(figures):.2f}"
    return middle if len(figures) == 1 else f"{middle} ({min(figures):.2f} to {max(figures):.2f})"


# -- delays ----------------------------------------------------------------------------------


def _delays() -> Table:
    """Time what a caller waits for."""
    starts, found, born, jobs = [_start() for _ in range(STARTS)], [], [], []
    with started(standby=1) as cells:
        for _ in range(LEASES):
            found.append(_leased(cells, 1))
            born.append(_leased(cells, 2))
            time.sleep(SETTLE)
            jobs.append(timed(lambda: job_in(cells)))
            time.sleep(SETTLE)
    rows = [
        ["start of the fork server, kernels compiled before", spread(starts)],
        ["lease, a cell waiting", spread(found)],
        ["lease, none waiting: one is born", spread(born)],
        ["job, from the lease to the opened result", spread(jobs)],
    ]
    note = f"Milliseconds on the clock on the wall, one at a time: {STARTS} starts, {LEASES} of each other."
    return Table("Cell, delays", ["what", "ms"], rows, note)


def _start() -> float:
    cells = Cells(count=LANES, threads=1, standby=1)
    seconds = timed(cells.start)
    cells.close()
    return seconds


def _leased(cells: Cells, count: int) -> float:
    """Lease as many cells at once, and let them go."""
    leases: list[Lease] = []
    seconds = timed(lambda: leases.extend(cells.lease() for _ in range(count)))
    for lease in leases:
        cells.cancel(lease)
    time.sleep(SETTLE)
    return seconds
