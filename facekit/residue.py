"""The search for what should not be there: any byte of a face, on disks or in memory.

A search that finds nothing proves something only if it would have found it. So each begins with a
positive control: random secrets are planted in all kinds of places and must be found. And each ends
with what could not be read; then it is "incomplete", and never "clean".
"""

import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from platformdirs import user_cache_path, user_data_path

from facekit.canaries import Canaries
from facekit.controls import Surrogates, check_control
from facekit.errors import InputError
from facekit.running import search_process
from facekit.stored import search_folder, search_open
from facekit.sweep import Hit, Sweep, Unread

__all__ = [
    "Hit",
    "ResidueReport",
    "Searched",
    "State",
    "Unread",
    "find_residue",
    "size",
    "usual_places",
    "worst",
]

State = Literal["clean", "found", "incomplete"]

_WORST: Final[tuple[State, ...]] = ("found", "incomplete")
_SHOWN: Final = 40  # rows of a kind in the table
_CRASHES: Final = ("/var/crash", "/var/lib/systemd/coredump", "/var/lib/apport/coredump")
_LIMITS: Final = (
    "databases, their journals and logs are seen as bytes: what a database has compressed is not found",
    "a picture that was scaled or compressed again has other bytes",
    "not looked at: pipes and sockets, graphics memory, blocks that a disk has given up, other machines",
)


@dataclass(frozen=True, slots=True)
class Searched:
    """How much was searched.

    Parameters
    ----------
    files, names, databases, processes : int
        Files, file names, SQLite files among the files, processes.
    bytes : int
        Of the files, as stored; holes are not counted.
    bytes_unpacked : int
        That lay packed in them.
    bytes_of_memory : int
        Of the processes.
    """

    files: int
    names: int
    databases: int
    processes: int
    bytes: int
    bytes_unpacked: int
    bytes_of_memory: int


@dataclass(frozen=True, slots=True)
class ResidueReport:
    """What a search found, and how far it saw. `str` gives a table.

    Parameters
    ----------
    hits : tuple of Hit
        Where something was found; never what.
    unread : tuple of Unread
        What could not be read, and why.
    searched : Searched
        How much was.
    control : tuple of str
        Where random secrets were planted first. All were found: else there is no report.
    excluded : int
        Files that were left out because the caller said so.
    seconds : float
        How long it took, control included.
    limits : tuple of str
        What no such search can see.
    """

    hits: tuple[Hit, ...]
    unread: tuple[Unread, ...]
    searched: Searched
    control: tuple[str, ...]
    excluded: int
    seconds: float
    limits: tuple[str, ...] = _LIMITS

    @property
    def state(self) -> State:
        """``"found"`` with hits, else ``"incomplete"`` with anything unread, else ``"clean"``."""
        return "found" if self.hits else "incomplete" if self.unread else "clean"

    def __str__(self) -> str:
        """Return a table for people."""
        return "\n".join(_lines(self))


def find_residue(
    canaries: Canaries,
    *,
    folders: Iterable[str | os.PathLike[str]] = (),
    processes: Iterable[int] = (),
    usual: bool = True,
    exclude: Iterable[str | os.PathLike[str]] = (),
) -> ResidueReport:
    """Search folders, databases and the memory of processes for what should not be there.

    Parameters
    ----------
    canaries : Canaries
        What to search for, by `canaries_of`.
    folders : iterable of path
        Folders or files, with all that lies under them. Links are not followed.
    processes : iterable of int
        Their numbers. Their memory in the swap, deleted files that they hold open, arguments and
        environment are searched, too. One that holds a photo on purpose is found to.
    usual : bool
        Search `usual_places`, the swap and the processes' folders for crash dumps, too.
    exclude : iterable of path
        Files that may hold what is searched for, such as the photo itself; by device and inode.

    Returns
    -------
    ResidueReport
        `ResidueReport.state` is ``"clean"``, ``"found"`` or ``"incomplete"``.

    Raises
    ------
    ControlError
        What was planted to be found was not found.
    InputError
        There are no canaries, there is nothing to search, or a folder or file is not there.

    See Also
    --------
    canaries_of : What to search for.

    Notes
    -----
    Nothing is changed but that secrets are planted, and removed, in each folder that can be written.
    Who may not read something, such as another user's process, gets an incomplete report.

    A picture of the same bytes in two places is two hits. Packed files are looked into up to 1 GiB each.

    Examples
    --------
    >>> from facekit import canaries_of
    >>> photo = os.urandom(5000)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     before = find_residue(canaries_of(upload=photo), folders=[folder], usual=False)
    ...     forgotten = Path(folder, "upload.tmp").write_bytes(photo[1000:2000])
    ...     after = find_residue(canaries_of(upload=photo), folders=[folder], usual=False)
    >>> before.state, after.state
    ('clean', 'found')
    """
    began = time.monotonic()
    pids = tuple(dict.fromkeys(processes))
    places = [Path(folder) for folder in folders]
    left_out = [Path(file) for file in exclude]
    for name, given in (("folders", places), ("exclude", left_out)):
        if not all(place.exists() for place in given):
            raise InputError(f"{name}: expected folders or files that are there, got one that is not")
    places += [*usual_places(), *_crash_folders(pids)] if usual else []
    if not len(canaries) or not (places or pids):
        raise InputError("expected canaries, and something to search: folders, processes or usual places")
    surrogates = Surrogates(canaries)
    both = canaries + surrogates.canaries()
    sweep = Sweep(both.needles, both.labels)
    control = check_control(sweep, canaries, surrogates, [place for place in places if place.is_dir()])
    _search(sweep, places, pids, usual=usual, exclude=left_out)
    return _report(sweep, control, time.monotonic() - began)


def worst(reports: Iterable[ResidueReport]) -> State:
    """Say how several searches ended.

    Parameters
    ----------
    reports : iterable of ResidueReport
        Of each.

    Returns
    -------
    {"clean", "found", "incomplete"}
        "found" if any found something, else "incomplete" if any could not read all.
    """
    states = {report.state for report in reports}
    return next((state for state in _WORST if state in states), "clean")


def _search(
    sweep: Sweep,
    places: list[Path],
    pids: tuple[int, ...],
    *,
    usual: bool,
    exclude: list[Path],
) -> None:
    left_out = frozenset((status.st_dev, status.st_ino) for status in map(os.stat, exclude))
    for pid in pids:  # first: they may end
        search_process(sweep, pid)
    for place in places:
        search_folder(sweep, place, exclude=left_out)
    if usual:
        for device in _swaps():
            _search_device(sweep, device)


def _report(sweep: Sweep, control: tuple[str, ...], seconds: float) -> ResidueReport:
    searched = Searched(
        files=sweep.files,
        names=sweep.names,
        databases=sweep.databases,
        processes=sweep.processes,
        bytes=sweep.bytes_read,
        bytes_unpacked=sweep.bytes_unpacked,
        bytes_of_memory=sweep.bytes_of_memory,
    )
    unread = tuple(sorted(sweep.unread))
    return ResidueReport(sweep.hits(), unread, searched, control, sweep.excluded, seconds)


# -- where it could be --------------------------------------------------------------------------


def usual_places() -> tuple[Path, ...]:
    """List the folders in which programs leave things behind, as far as they are there.

    Returns
    -------
    tuple of Path
        Temporary folders and shared memory; the user's caches, wastebasket, and Jupyter's and
        IPython's histories; notebook checkpoints under the working folder; crash dumps.

    Examples
    --------
    >>> Path(tempfile.gettempdir()) in usual_places()
    True
    """
    home = Path.home()
    data = user_data_path()
    candidates = [
        Path(tempfile.gettempdir()),
        *(Path(os.environ[name]) for name in ("TMPDIR", "XDG_RUNTIME_DIR") if os.environ.get(name)),
        *map(Path, ("/tmp", "/var/tmp", "/dev/shm")),  # noqa: S108 (searched, not used)
        user_cache_path(),
        Path(os.environ.get("JUPYTER_DATA_DIR", data / "jupyter")),
        Path(os.environ.get("JUPYTER_RUNTIME_DIR", data / "jupyter" / "runtime")),
        Path(os.environ.get("IPYTHONDIR", home / ".ipython")),
        data / "Trash",
        home / ".Trash",
        *Path.cwd().glob("**/.ipynb_checkpoints"),
        *map(Path, _CRASHES),
        *_core_folder(),
    ]
    return tuple(dict.fromkeys(place for place in candidates if place.is_dir()))


def _core_folder() -> list[Path]:
    """Return where the system writes crash dumps, if that is one folder."""
    folder = os.path.dirname(_core_pattern())  # noqa: PTH120 (it may be empty)
    return [Path(folder)] if folder.startswith("/") and "%" not in folder else []


def _core_pattern() -> str:
    try:
        return Path("/proc/sys/kernel/core_pattern").read_text().strip()
    except OSError:
        return ""


def _crash_folders(pids: tuple[int, ...]) -> Iterator[Path]:
    """Yield crash dumps in the folders that the processes, and this one, work in."""
    pattern = _core_pattern()
    if pattern.startswith(("/", "|")) or not pattern:
        return
    name = re.sub(r"%.", "*", pattern)
    for folder in (Path("/proc/self/cwd"), *(Path(f"/proc/{pid}/cwd") for pid in pids)):
        try:
            yield from (
                path.resolve()
                for shape in (name, f"{name}.*")
                for path in folder.resolve().glob(shape)
                if path.is_file()
            )
        except OSError:
            continue  # the process itself cannot be read either, and is put down


def _swaps() -> list[Path]:
    try:
        lines = Path("/proc/swaps").read_text().splitlines()[1:]
    except OSError:
        return []
    # A blank in a name is written as \040.
    return [Path(re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), line.split()[0])) for line in lines]


def _search_device(sweep: Sweep, device: Path) -> None:
    try:
        file = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        sweep.miss(f"swap {device}", (error.strerror or "cannot be read").lower())
        return
    try:
        search_open(sweep, file, f"swap {device}")
    finally:
        os.close(file)


# -- the table ----------------------------------------------------------------------------------


def _lines(report: ResidueReport) -> Iterator[str]:
    searched = report.searched
    yield f"{report.state} after {report.seconds:.1f} s"
    yield ""
    yield f"  control    planted and found in {', '.join(report.control)}"
    unpacked = f"{size(searched.bytes_unpacked)} unpacked"
    yield f"  files      {searched.files:,} with {size(searched.bytes)}, {unpacked}"
    yield f"  names      {searched.names:,}"
    yield f"  databases  {searched.databases:,} of SQLite among the files"
    yield f"  processes  {searched.processes:,} with {size(searched.bytes_of_memory)}"
    yield f"  left out   {report.excluded:,}"
    yield from _rows(
        "found",
        [
            f"{hit.place}: {hit.kind} as {hit.form}, {hit.count} times from {hit.offset:#x}"
            for hit in report.hits
        ],
    )
    yield from _rows("not read", [f"{one.place}: {one.why}" for one in report.unread])
    yield from _rows("limits", list(report.limits))


def _rows(title: str, rows: list[str]) -> Iterator[str]:
    if rows:
        yield ""
        yield title
        yield from (f"  {row}" for row in rows[:_SHOWN])
    if len(rows) > _SHOWN:
        yield f"  and {len(rows) - _SHOWN:,} more"


def size(count: int) -> str:
    """Write a number of bytes for people.

    Parameters
    ----------
    count : int
        How many.

    Returns
    -------
    str
        With its unit.

    Examples
    --------
    >>> size(1536)
    '1.5 KiB'
    """
    large = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if large < 1024:
            return f"{large:.0f} {unit}" if unit == "bytes" else f"{large:.1f} {unit}"
        large /= 1024
    return f"{large:.1f} GiB"
