"""The memory of processes, and what only they still hold: deleted files and anonymous ones.

What is read of a process are its pages in memory or in the swap, by ``/proc/PID/pagemap``. Other pages
of its address space were never touched, or are those of files, which a folder's search reads. The
process is not stopped meanwhile. What it moves while it is read can be missed, so search a process that
waits.

Out of reach: what waits in pipes and sockets, registers, and the memory of devices.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from facekit.stored import identity_of, search_name, search_open
from facekit.sweep import Sweep

__all__ = ["can_read_processes", "search_process"]

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_PAGES: Final = 64 * 1024  # whose entries are read at a time
_HELD: Final = np.uint64(0b11 << 62)  # in memory, or in the swap
_MAP: Final = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+)\s*(.*)")
_KERNEL: Final = (b"[vvar", b"[vsyscall]", b"[vdso]")  # the same for all, and not all readable
_ELSEWHERE: Final = (b"/memfd:", b"/dev/zero", b"/SYSV", b"/dev/shm/")  # shared memory
_ROUNDS: Final = 3


class _EndedError(Exception):
    """The process has ended."""


@dataclass(frozen=True, slots=True)
class _Map:
    """A line of ``/proc/PID/maps``."""

    start: int
    end: int
    path: bytes

    @property
    def is_hidden(self) -> bool:
        """Whether it maps shared memory that lies in no folder, or a deleted file."""
        return self.path.startswith(_ELSEWHERE) or self.path.endswith(b" (deleted)")


def can_read_processes() -> bool:
    """Tell whether this system shows the memory of processes.

    Returns
    -------
    bool
        True on Linux.
    """
    return os.path.exists("/proc/self/pagemap")  # noqa: PTH110


def search_process(sweep: Sweep, pid: int) -> None:
    """Search one process: memory, arguments, environment, and files that only it holds.

    Parameters
    ----------
    sweep : Sweep
        Keeps the book.
    pid : int
        Its number.
    """
    place, folder = f"process {pid}", Path(f"/proc/{pid}")
    born = _birth(folder)
    if born is None:
        sweep.miss(place, "is no process" if can_read_processes() else "this system shows no memory")
        return
    try:
        for _ in range(_ROUNDS):
            whole = _search_memory(sweep, folder, place)
            if whole:
                break
        else:
            sweep.miss(place, "gave back memory all the while it was read")
        _search_words(sweep, folder, place)
        _search_descriptors(sweep, folder, place)
    except (_EndedError, FileNotFoundError, ProcessLookupError):
        sweep.miss(place, "ended while it was searched")
        return
    except OSError as error:
        sweep.miss(place, f"cannot be read ({(error.strerror or '').lower()})")
        return
    if _birth(folder) != born:
        sweep.miss(place, "ended while it was searched")
    sweep.processes += 1


def _birth(folder: Path) -> bytes | None:
    """Return when a process began, which tells it from a later one of the same number; None without one."""
    try:
        fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in b"ZX" else fields[19]


def _search_memory(sweep: Sweep, folder: Path, place: str) -> bool:
    """Search the pages; return whether all of them were there to the end."""
    maps = list(_maps(folder))
    with ExitStack() as stack:
        memory, pages = (stack.enter_context(_opened(folder / name)) for name in ("mem", "pagemap"))
        whole, total = True, 0
        for start, end in _held(maps, pages):
            read = _Pages(memory, start, end)
            total += sweep.scan(read, place, base=start)[0]
            whole &= read.at == end
    sweep.bytes_of_memory += total
    for each in maps:
        if each.is_hidden:
            _search_map(sweep, folder, each, place)
    return whole


class _opened:  # noqa: N801 (a context manager)
    """A descriptor that closes itself."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> int:
        return self._file

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


class _Pages:
    """Reads a run of pages; `at` says how far it came."""

    def __init__(self, memory: int, start: int, end: int) -> None:
        self._memory, self.at, self._end = memory, start, end

    def __call__(self, into: memoryview) -> int:
        if self.at >= self._end:
            return 0
        try:
            got = os.preadv(self._memory, [into[: self._end - self.at]], self.at)
        except OSError:
            return 0  # given back meanwhile
        if not got:
            raise _EndedError
        self.at += got
        return got


def _maps(folder: Path) -> Iterator[_Map]:
    lines = (folder / "maps").read_bytes().splitlines()
    for line in lines:
        found = _MAP.match(line)
        if found and not found[5].startswith(_KERNEL):
            yield _Map(int(found[1], 16), int(found[2], 16), found[5])
    if not lines and _birth(folder) is None:
        raise _EndedError


def _held(maps: list[_Map], pages: int) -> Iterator[tuple[int, int]]:
    """Yield the runs of pages that the process holds, across the borders of maps."""
    start = end = 0
    for first, last in _runs(maps, pages):
        if first == end:
            end = last
            continue
        if end > start:
            yield start, end
        start, end = first, last
    if end > start:
        yield start, end


def _runs(maps: list[_Map], pages: int) -> Iterator[tuple[int, int]]:
    for each in maps:
        for start in range(each.start, each.end, _PAGES * _PAGE):
            count = (min(each.end, start + _PAGES * _PAGE) - start) // _PAGE
            entries = np.frombuffer(os.pread(pages, 8 * count, start // _PAGE * 8), np.uint64)
            held = np.zeros(len(entries) + 2, np.int8)
            held[1:-1] = (entries & _HELD) != 0
            edges = np.flatnonzero(np.diff(held)) * _PAGE + start
            yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _search_map(sweep: Sweep, folder: Path, each: _Map, place: str) -> None:
    """Search shared memory or a deleted file that is mapped: also what this process never touched."""
    path = folder / "map_files" / f"{each.start:x}-{each.end:x}"
    _search_held(sweep, path, f"{place} (mapped at {each.start:#x})")


def _search_held(sweep: Sweep, path: Path, place: str) -> None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or identity_of(status) in sweep.seen:
            return
        with _opened(path) as file:
            sweep.seen.add(identity_of(status))
            search_open(sweep, file, place)
    except FileNotFoundError:
        return  # closed meanwhile, and with it gone
    except OSError as error:
        sweep.miss(place, (error.strerror or "cannot be read").lower())


def _search_words(sweep: Sweep, folder: Path, place: str) -> None:
    """Search arguments, environment, and the names of mapped files."""
    for name in ("cmdline", "environ", "maps"):
        search_name(sweep, (folder / name).read_bytes(), f"{place} ({name})")


def _search_descriptors(sweep: Sweep, folder: Path, place: str) -> None:
    for link in (folder / "fd").iterdir():
        with suppress(FileNotFoundError):
            target = os.fsencode(link.readlink())
            search_name(sweep, target, f"{place} (name of open file {link.name})")
            if target.endswith(b" (deleted)") or target.startswith(b"/memfd:"):
                _search_held(sweep, link, f"{place} (open file {link.name})")
