"""The fork server: a process that only makes cells and ends them.

It runs as ``python -m facekit.forkserver FD SETTINGS``. It has loaded and compiled everything, holds
nothing of any user's and has one thread, so that a fork is safe and cheap: a cell has what the
server has, for the price of its page tables. It keeps some cells waiting, each with its own key
pair. The caller speaks with a cell by a socket of their own; the server never sees a byte of a job,
and knows cells by number only.

Lines of JSON, over the socket FD. To the server: ``lease`` N for SECONDS (another cell is forked in
its place), ``deadline`` N in SECONDS, ``kill`` N. From it: ``ready``, or ``refused`` with an error;
``born`` N and PID, with the cell's socket; ``ended`` N with how.

When the caller ends, in whatever way, the server sees its socket close, kills all cells and ends;
when the server ends, the kernel kills the cells.
"""

import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from facekit.compiled import close_cache, has_compiled
from facekit.envelope import open_sealed, seal
from facekit.errors import CellError, FacekitError, InputError, WallError
from facekit.frames import Frames
from facekit.inside import Orders, Work, live
from facekit.keys import KeyPair
from facekit.telling import rebuilt, told
from facekit.trimming import trim
from facekit.walls import Limits, load_libraries, readable_folders

__all__ = ["Server", "main"]

_HASTY = 3  # cells in a row that ended before anybody leased them: something is wrong
_POLL = 0.02  # seconds between looks at the children, where the kernel cannot tell


@dataclass(slots=True)
class _Child:
    """A cell, as its server knows it."""

    pid: int
    watched: int | None
    leased: bool = False
    deadline: float = float("inf")
    killed: str = ""


class Server:
    """Makes cells, and sees to it that each ends.

    Parameters
    ----------
    control : socket.socket
        To the caller.
    orders : Orders
        What every cell is told.
    standby : int
        How many cells wait.
    """

    def __init__(self, control: socket.socket, orders: Orders, *, standby: int) -> None:
        self._control = control
        self._orders = orders
        self._standby = standby
        self._children: dict[int, _Child] = {}
        self._born = self._hasty = 0
        self._pending = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ, "control")
        # The socket tells that the caller has gone, unless a fork of the caller's holds it, too.
        if (caller := _watch(os.getppid())) is not None:
            self._selector.register(caller, selectors.EVENT_READ, "caller")

    def serve(self) -> None:
        """Work until the caller has gone.

        Raises
        ------
        CellError
            Cells end before anybody has used them.
        """
        try:
            while True:
                self._fill_up()
                for key, _ in self._selector.select(self._patience()):
                    if key.data == "caller" or (key.data == "control" and not self._obey()):
                        return
                self._reap()
                self._end_overdue()
        finally:
            for child in self._children.values():
                os.kill(child.pid, signal.SIGKILL)  # not reaped yet, so the number is still its own
            for child in self._children.values():
                os.waitpid(child.pid, 0)

    def _patience(self) -> float | None:
        """Return the seconds until something must be done unasked."""
        children = self._children.values()
        least = max(min(child.deadline for child in children) - time.monotonic(), 0)
        if any(child.watched is None for child in children):
            return min(least, _POLL)
        return None if least == float("inf") else least

    def _fill_up(self) -> None:
        waiting = sum(not child.leased for child in self._children.values())
        for _ in range(self._standby - waiting):
            self._fork()

    def _fork(self) -> None:
        theirs, ours = socket.socketpair()
        pid = _fork_cell(theirs, self._orders)
        watched = _watch(pid)
        self._born += 1
        self._children[self._born] = _Child(pid, watched)
        if watched is not None:
            self._selector.register(watched, selectors.EVENT_READ)
        with ours:
            socket.send_fds(self._control, [_line({"born": self._born, "pid": pid})], [ours.fileno()])

    def _obey(self) -> bool:
        """Read what the caller wants; say whether it is still there."""
        try:
            data = self._control.recv(65536)
        except ConnectionResetError:
            return False
        *lines, self._pending = (self._pending + data).split(b"\n")
        for order in map(json.loads, lines):
            child = self._children.get(order["cell"])
            if child is None:  # it has ended meanwhile, and the caller will hear of it
                continue
            if order["do"] == "kill":
                self._kill(child, "asked")
            else:
                child.leased = True
                child.deadline = time.monotonic() + order["seconds"]
                self._hasty = 0
        return bool(data)

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            if child.deadline <= now:
                child.deadline = float("inf")
                self._kill(child, "deadline")

    def _kill(self, child: _Child, why: str) -> None:
        child.killed = child.killed or why
        os.kill(child.pid, signal.SIGKILL)

    def _reap(self) -> None:
        for number, child in list(self._children.items()):
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if not pid:
                continue
            del self._children[number]
            if child.watched is not None:
                self._selector.unregister(child.watched)
                os.close(child.watched)
            self._tell(
                {
                    "ended": number,
                    "code": os.waitstatus_to_exitcode(status),
                    "killed": child.killed,
                    "cpu_seconds": usage.ru_utime + usage.ru_stime,
                }
            )
            self._hasty += not child.leased
            if self._hasty == _HASTY:
                raise CellError("cells end before they have a job: `facekit doctor` says what is wrong")

    def _tell(self, document: Mapping[str, Any]) -> None:
        self._control.sendall(_line(document))


def main() -> None:
    """Run a fork server: its arguments are the number of a socket, and settings as JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's
    number, settings = int(sys.argv[1]), json.loads(sys.argv[2])
    with socket.socket(fileno=number) as control:
        try:
            orders = _orders(settings)
            load_libraries(orders.readable)
            _prepare(orders.works.values())
            if has_compiled() and "again" not in sys.argv:  # the next process will be half as large
                again = [sys.executable, "-m", "facekit.forkserver", *sys.argv[1:], "again"]
                os.execv(sys.executable, again)  # noqa: S606 (itself)
            control.set_inheritable(False)
            close_cache()
            trim()
            os.environ["FACEKIT_THREADS"] = str(settings["threads"])
            server = Server(control, orders, standby=settings["standby"])
            control.sendall(_line({"ready": os.getpid(), "walls": _walls_of_a_first(orders)}))
            server.serve()
        except (BrokenPipeError, ConnectionResetError):
            pass
        except FacekitError as error:
            with suppress(OSError):
                control.sendall(_line({"refused": told(error)}))
    os._exit(0)  # MediaPipe and others have nothing to tidy up that the kernel does not


def _find(place: str) -> Work:
    module, _, name = place.partition(":")
    try:
        work: Work = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise InputError(f"expected a work as module:function, got {place!r}") from None
    return work


def _prepare(works: Iterable[Work]) -> None:
    """Let the works' modules load and compile what a cell will need, so that it finds it in memory."""
    for module in dict.fromkeys(work.__module__ for work in works):
        getattr(sys.modules[module], "prepare", int)()
    with KeyPair.generate() as keys:  # what a first key sets up takes longer than the key
        open_sealed(seal(b"", keys.public_bytes, job="-"), keys, job="-")
    gc.collect()
    gc.freeze()  # a collection in a cell leaves the server's pages alone


def _orders(settings: Mapping[str, Any]) -> Orders:
    return Orders(
        limits=Limits(**settings["limits"]),
        kem=settings["kem"],
        allow_weak=settings["allow_weak"],
        readable=(*readable_folders(), *map(Path, settings["readable"])),
        works={name: _find(place) for name, place in settings["works"].items()},
    )


def _walls_of_a_first(orders: Orders) -> list[str]:
    """Have a first cell try the walls, so that what is missing is said before there is a job."""
    tasks = Path("/proc/self/task")
    if tasks.is_dir() and len(list(tasks.iterdir())) != 1:
        raise CellError("the fork server has more than one thread: a defect in facekit")
    theirs, ours = socket.socketpair()
    pid = _fork_cell(theirs, orders)
    cell = Frames(ours)
    born = cell.get()
    cell.close()  # nobody comes, so it ends
    os.waitpid(pid, 0)
    if born is None:
        raise WallError("a cell ended while its walls went up")
    if born[0] != b"K":
        raise rebuilt(born[1])
    return list(json.loads(born[1])["walls"])


def _fork_cell(channel: socket.socket, orders: Orders) -> int:
    """Fork a cell, which takes its end of the channel along; return its process id."""
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        live(channel, orders, parent=parent)
    channel.close()
    return pid


def _watch(pid: int) -> int | None:
    """Return what becomes readable when a process ends, where the kernel offers it."""
    return os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


if __name__ == "__main__":
    main()
