"""What the kernel says of processes: their processor time and their memory."""

import os
import time
from contextlib import suppress
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

KERNEL = 2  # the process whose children are the kernel's own threads


def cpu(*whose: int) -> float:
    """Return the processor seconds used so far by RUSAGE_SELF, RUSAGE_CHILDREN or both."""
    usages = map(getrusage, whose)
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def on_cpu(pid: int) -> float:
    """Return the processor seconds of a process with one thread; `stat` would count hundredths."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def kernel_seconds() -> float:
    """Return the processor seconds of the kernel's own threads, which no process's usage holds."""
    seconds = 0.0
    for pid in children(KERNEL):
        with suppress(OSError):  # it has ended meanwhile
            seconds += on_cpu(pid)
    return seconds


def children(parent: int) -> list[int]:
    """List the children of a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(folder.name))
    return found


def megabytes(pid: int, file: str, *fields: str) -> float:
    """Add up fields of a process's `smaps_rollup` or `status`, in 1,000,000 bytes."""
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    kilobytes = {line.partition(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
    return sum(int(kilobytes[field]) for field in fields) * 1024 / 1e6


class Others:
    """What else goes on from now on, while processes of ours run and end: it slows all of them."""

    def __init__(self) -> None:
        self._start, self._busy, self._ours = time.perf_counter(), _busy(), cpu(RUSAGE_SELF, RUSAGE_CHILDREN)

    def note(self) -> str:
        """Say how much."""
        ours = cpu(RUSAGE_SELF, RUSAGE_CHILDREN) - self._ours
        share = (_busy() - self._busy - ours) / (time.perf_counter() - self._start) / (os.cpu_count() or 1)
        return f"Everything else on the machine took {100 * max(share, 0):.0f} % of its cores meanwhile."


def _busy() -> float:
    """Return the seconds that all cores together have worked since the machine started."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().split(maxsplit=8)[1:8]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")  # less idle, and waiting for disks
