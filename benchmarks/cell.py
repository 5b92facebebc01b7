"""What a job in a cell costs, beside other ways to do it: processor time, and jobs a second."""

import os
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import cast

from benchmarks.processes import Others, kernel_seconds, on_cpu
from benchmarks.table import Requirement, Table, in_turn, ratio, ready, spread
from benchmarks.workers import LANES, OPTIONS, SIDE, Worker, once, photo
from facekit import seal
from facekit.cell import Cells

ROUNDS = 31
BATCHES, BATCH = 9, 20  # rounds of the rate, and jobs in each
SETTLE = 0.15  # seconds, for the next cell to be born and for the kernel to tidy up after the last
CPU_LIMIT = 1.5
RATE_FLOOR, RATE_AIM = 10, 16

WORK = f"a JPEG of {SIDE} x {SIDE} pixels, swapped into the ready template {OPTIONS['template']}, to JPEG"
WAYS = {
    "warm": "the job in a warm process",
    "fork": "bare fork, landmarker, job",
    "fresh": "a fresh interpreter, job",
}
PARTS = ("the cell itself", "its fork server", "its caller")

Seconds = dict[str, list[float]]


def tables() -> Iterator[Table]:
    """Measure."""
    with two_cores():
        others = Others()
        with started() as cells, Worker("fork") as forks, Worker("threads") as threads:
            seconds = _cpu_seconds(cells, forks, threads)
            batches = _batches(cells, forks, threads)
        meanwhile = others.note()
    yield _cpu(seconds, meanwhile)
    yield _rate(batches, meanwhile)


@contextmanager
def two_cores() -> Iterator[None]:
    """Keep this process and its children to as many cores as jobs run at a time."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:LANES])
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def started(*, standby: int = 2) -> Iterator[Cells]:
    """Start cells, and leave them the time to be born."""
    with Cells(count=LANES, threads=1, standby=standby) as cells:
        time.sleep(1)
        yield cells


def job_in(cells: Cells) -> tuple[float, int]:
    """Do the job in a cell, as client and caller in one; return the cell's CPU and a checksum."""
    lease = cells.lease()
    result = cells.run(lease, seal(photo(), lease.public_key, job=lease.job), "swap", OPTIONS)
    return result.cpu_seconds, zlib.crc32(result.open())


# -- processor time --------------------------------------------------------------------------


def _cpu_seconds(cells: Cells, forks: Worker, threads: Worker) -> Seconds:
    """Let each way do the job in turn, and add up the processor time of all its processes."""
    parts: Seconds = defaultdict(list)
    runs = in_turn(
        {
            "landmarker": ready(lambda: forks.ask("landmarker").cpu),
            "warm": ready(lambda: threads.ask("job").cpu),
            "fork": ready(_beside_kernel, lambda: forks.ask("job").cpu, *_noted(parts, "fork")),
            "cell": ready(_beside_kernel, partial(_in_a_cell, cells, parts), *_noted(parts, "cell")),
            "fresh": ready(lambda: once().cpu),
        },
        rounds=ROUNDS,
        measure=lambda run: cast("float", run()),
    )
    return runs | parts


def _noted(parts: Seconds, way: str) -> tuple[list[float], list[float]]:
    return parts[f"kernel, {way}"], parts[f"length, {way}"]


def _in_a_cell(cells: Cells, parts: Seconds) -> float:
    """Add up what a job costs in all three processes; another cell is born in the used one's place."""
    caller, server = time.process_time(), on_cpu(cells.server_pid)
    inside, _ = job_in(cells)
    time.sleep(SETTLE)
    costs = inside, on_cpu(cells.server_pid) - server, time.process_time() - caller
    for name, cost in zip(PARTS, costs, strict=True):
        parts[name].append(cost)
    return sum(costs)


def _beside_kernel(run: Callable[[], float], paces: list[float], lengths: list[float]) -> float:
    """Note what the kernel's own threads use a second, during a run and just after, and how long that is."""
    start, before = time.perf_counter(), kernel_seconds()
    cost = run()
    time.sleep(SETTLE)
    lengths.append(time.perf_counter() - start)
    paces.append((kernel_seconds() - before) / lengths[-1])
    return cost


def _cpu(runs: Seconds, meanwhile: str) -> Table:
    """Compare what each way adds to the job."""
    usual = median(runs["kernel, fork"])  # whoever else is at work keeps the kernel's threads busy, too
    more = [(pace - usual) * length for pace, length in zip(*_noted(runs, "cell"), strict=True)]
    kernel = max(median(more), 0)
    runs = runs | {"cell": [seconds + kernel for seconds in runs["cell"]]}
    bare, cell = runs["landmarker"], runs["cell"]
    rows = [
        ["a bare fork that creates a landmarker", spread(bare), "1", f"{ratio(cell, bare):.2f}"],
        *(
            [name, spread(runs[way]), f"{_added(runs, way):.2f}", f"{ratio(cell, runs[way]):.2f}"]
            for way, name in (WAYS | {"cell": "**a cell, job and result sealed**"}).items()
        ),
        *([f"of that, {part}", spread(runs[part]), "", ""] for part in PARTS),
        ["of that, the kernel's threads", f"{1e3 * kernel:.1f}", "", ""],
    ]
    note = (
        f"Milliseconds of processor time of all processes, one thread a job, in turn, {ROUNDS} rounds. The "
        f"job: {WORK}. The bare fork starts with what the fork server has, and ends with its landmarker "
        "created: nothing detected, nothing closed. Added: what a way takes beyond the job in a warm "
        "process, over the bare fork. The cell's time holds its birth, walls and key, sealing and opening at "
        "both ends, and what the kernel's threads, which clear its namespaces away, take more than in as "
        f"long a time beside a bare fork. {meanwhile}"
    )
    what = "cell: what it adds to a job, times a bare fork that creates a landmarker"
    met = [Requirement(what, _added(runs, "cell"), CPU_LIMIT, at_most=True)]
    columns = ["way", "CPU", "added", "a cell over it"]
    return Table("Cell, processor time of a job", columns, rows, note, met)


def _added(runs: Mapping[str, Sequence[float]], way: str) -> float:
    """Return what a way adds to the job, in bare forks: the median of the rounds."""
    rounds = zip(runs[way], runs["warm"], runs["landmarker"], strict=False)
    return median((one - job) / bare for one, job, bare in rounds)


# -- rate ------------------------------------------------------------------------------------


def _batches(cells: Cells, forks: Worker, threads: Worker) -> Seconds:
    """Time batches of jobs, `LANES` at a time; all ways must give the same pictures."""
    sums: set[int] = set()
    seconds = in_turn(
        {
            "cells": ready(lambda: sums.update(batch(cells, BATCH))),
            "forks": ready(lambda: sums.update(forks.ask("job", BATCH).sums)),
            "threads": ready(lambda: sums.update(threads.ask("job", BATCH).sums)),
        },
        rounds=BATCHES,
        patient=True,
    )
    assert len(sums) == 1, "not all ways gave the same picture"
    return seconds


def batch(cells: Cells, jobs: int) -> list[int]:
    """Do jobs in cells, `LANES` at a time; return the results' checksums."""
    with ThreadPoolExecutor(LANES) as callers:
        return list(callers.map(lambda _: job_in(cells)[1], range(jobs)))


def _rate(seconds: Seconds, meanwhile: str) -> Table:
    names = {"cells": "**cells**", "forks": "bare forks, each its landmarker", "threads": "warm threads"}
    rates = {way: [BATCH / one for one in some] for way, some in seconds.items()}
    rows = [
        [
            name,
            f"{median(rates[way]):.1f} ({min(rates[way]):.1f} to {max(rates[way]):.1f})",
            f"{ratio(seconds['cells'], seconds[way]):.2f}",
        ]
        for way, name in names.items()
    ]
    note = (
        f"{LANES} jobs at a time on {LANES} cores, one thread each: the median of {BATCHES} batches of "
        f"{BATCH}, in turn, and the range of all. The job: {WORK}; all ways gave the same picture. Sealing "
        f"the photo for a cell and opening its result count, too. Ratio: cells' time over theirs. {meanwhile}"
    )
    what = f"cell: jobs a second, {SIDE} x {SIDE}, two at a time on two cores"
    met = [Requirement(what, median(rates["cells"]), RATE_FLOOR, RATE_AIM)]
    return Table("Cell, jobs a second", ["way", "jobs a second", "ratio"], rows, note, met)
