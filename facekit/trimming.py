"""Makes a process cheap to fork: less memory, in larger pages.

A fork copies the page tables of all memory that is the process's own, and each child that ends clears
them away again; both cost more than everything else that a cell adds. On Linux only; elsewhere, and
where the kernel refuses, nothing happens.
"""

import ctypes
import mmap
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["trim"]

_SMAPS: Final = Path("/proc/self/smaps")
_COLLAPSE: Final = 25  # MADV_COLLAPSE, Linux 6.1: put into huge pages now
_HUGE: Final = 2 * 2**20  # bytes of a huge page on most processors
_RANGE: Final = re.compile(
    r"^(?P<start>[0-9a-f]+)-(?P<end>[0-9a-f]+) (?P<mode>\S+) \S+ \S+ (?P<inode>\d+)"
    r"(?P<rest>.*(?:\n[A-Z].*)*)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class _Range:
    """A range of memory, as ``/proc/self/smaps`` tells of it."""

    start: int
    end: int
    mode: str
    of_file: bool
    own: int  # KiB that are no file's


def trim() -> None:
    """Give back what is not needed, and put the rest into huge pages.

    Notes
    -----
    For a process with one thread that has loaded all it needs. Code that ran once, such as the
    compiler's, is let go of: it is a file's, and comes back when it is run. Only ranges that nobody
    can write to and that hold nothing but their file's bytes are touched.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # the GNU C library's
    for part in _ranges(_told()):
        if part.of_file and "w" not in part.mode and not part.own:
            _advise(part.start, part.end, mmap.MADV_DONTNEED)
        elif not part.of_file and part.mode.startswith("rw") and part.own * 1024 >= _HUGE:
            _advise(-(-part.start // _HUGE) * _HUGE, part.end // _HUGE * _HUGE, _COLLAPSE)


def _told() -> str:
    try:
        return _SMAPS.read_text()
    except OSError:
        return ""


def _ranges(text: str) -> Iterator[_Range]:
    for found in _RANGE.finditer(text):
        own = re.search(r"^Anonymous:\s+(\d+) kB", found["rest"], re.MULTILINE)
        yield _Range(
            int(found["start"], 16),
            int(found["end"], 16),
            found["mode"],
            found["inode"] != "0",
            int(own[1]) if own else 0,
        )


def _advise(start: int, end: int, advice: int) -> None:
    """Advise the kernel, which may refuse."""
    if start < end:
        ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), advice)
