"""The caller's side of the fork server: starts it, hears of its cells, and tells it when to end one."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from facekit.errors import CellCrashedError, CellError, CellMemoryError, CellTimeoutError, FacekitError
from facekit.frames import Frames
from facekit.telling import rebuilt, told

__all__ = ["Cell", "Warden"]

Order: TypeAlias = Literal["lease", "deadline", "kill"]
Message: TypeAlias = Mapping[str, Any]

_GLANCE = 0.02  # seconds between looks at a process, where the kernel cannot tell of its end
#: What cells may know of the caller's environment, in which there may be passwords.
_KNOWN = re.compile(
    r"PATH|HOME|LANG|LC_\w+|TZ|TMPDIR|XDG_\w+|VIRTUAL_ENV|CONDA_PREFIX|LD_LIBRARY_PATH|DYLD_\w+|PYTHON\w+"
    r"|NUMBA_\w+|OPENBLAS_\w+|MKL_\w+|FACEKIT_(MODELS|SAMPLES|EGRESS\w*)"
)


@dataclass(slots=True, eq=False)
class Cell:
    """A cell, as its caller knows it.

    Parameters
    ----------
    number, pid : int
        How the server knows it, and the kernel.
    frames : Frames
        To speak with it.
    ended : threading.Event
        Set once its process is no more; what follows says how.
    code : int, optional
        Its exit code, or minus the signal that killed it.
    killed : str
        Why the server killed it: "asked", "deadline", or nothing.
    cpu_seconds : float
        What all its threads used.
    watched : int, optional
        What becomes readable when the process ends, where the kernel offers it.
    """

    number: int
    pid: int
    frames: Frames = field(repr=False)
    ended: threading.Event = field(default_factory=threading.Event)
    code: int | None = None
    killed: str = ""
    cpu_seconds: float = 0.0
    watched: int | None = None

    def has_gone(self, seconds: float) -> bool:
        """Wait for the process to be no more, by the kernel's word where it gives one.

        Parameters
        ----------
        seconds : float
            How long to wait.

        Returns
        -------
        bool
            Whether it has gone.
        """
        if self.watched is None:
            # Without a code nobody has reaped it: its server ended, and not everywhere does it end along.
            return self.ended.wait(seconds) and (self.code is not None or _vanishes(self.pid, seconds))
        looking = select.poll()
        looking.register(self.watched, select.POLLIN)
        return bool(looking.poll(1000 * seconds)) and self.ended.wait(seconds)

    def hang_up(self) -> None:
        """Let go of what leads to the process."""
        self.frames.close()
        if self.watched is not None:
            os.close(self.watched)
            self.watched = None


def _vanishes(pid: int, seconds: float) -> bool:
    """Wait for a process that is nobody's child here to be no more."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            os.kill(pid, 0)
        except OSError:  # none of this number, or by now somebody else's
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(_GLANCE)


class Warden:
    """A fork server that runs, and the cells that wait.

    Parameters
    ----------
    settings : mapping
        As `facekit.forkserver` takes them.

    Attributes
    ----------
    changed : threading.Condition
        Holds while what follows is looked at, and tells when it may have changed.
    waiting : deque of Cell
        Those that nobody has leased.
    gone : FacekitError or None
        Why there are no cells any more.
    walls : tuple of str
        What held when a first cell tried.
    pid : int
        The server's.

    Raises
    ------
    WallError
        A wall cannot be had here, and the settings want it.
    CellError
        The server did not start.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.changed = threading.Condition()
        self.waiting: deque[Cell] = deque()
        self.gone: FacekitError | None = None
        self._alive: dict[int, Cell] = {}
        self._owner = os.getpid()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._server = _start(theirs, settings)
        messages = self._messages()
        mute: Message = {"refused": told(CellError("the fork server did not start"))}
        first, _ = next(messages, (mute, -1))
        if "refused" in first:
            self._control.close()
            self._server.wait()
            raise rebuilt(first["refused"])
        self.pid: int = first["ready"]
        self.walls: tuple[str, ...] = tuple(first["walls"])
        threading.Thread(target=self._listen, args=(messages,), name="facekit-cells", daemon=True).start()

    def pids(self) -> tuple[int, ...]:
        """List the cells that live, as far as the server has told.

        Returns
        -------
        tuple of int
            Their process ids.
        """
        with self.changed:
            return tuple(cell.pid for cell in self._alive.values())

    def close(self) -> None:
        """End the server and all cells; jobs that run end in `CellCrashedError`."""
        if os.getpid() != self._owner:  # a fork of the caller's, on its own way out
            return
        with self.changed:
            self.gone = self.gone or CellError("the cells have been closed")
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._server.wait()

    def order(self, cell: Cell, what: Order, seconds: float = 0.0) -> None:
        """Lease a cell or give it another deadline, in seconds from now, or end it at once.

        Parameters
        ----------
        cell : Cell
            It does no harm if it has ended.
        what : {"lease", "deadline", "kill"}
            The order.
        seconds : float
            After which it is ended.
        """
        with self.changed, suppress(OSError):  # a server that has gone took its cells along
            if not cell.ended.is_set():
                line = json.dumps({"do": what, "cell": cell.number, "seconds": seconds})
                self._control.sendall(line.encode() + b"\n")

    def why(self, cell: Cell) -> CellError:
        """Say why a cell ended without a word.

        Parameters
        ----------
        cell : Cell
            One that has ended.

        Returns
        -------
        CellError
            To be raised.
        """
        if cell.killed == "asked":
            return CellError("the job was cancelled")
        if cell.killed == "deadline" or cell.code == -signal.SIGXCPU:
            return CellTimeoutError("the job took too long, or its picture came too late; start a new one")
        if self.gone is not None:
            return CellCrashedError(f"the job ended with its fork server: {self.gone}")
        if cell.code == -signal.SIGKILL:
            return CellMemoryError("the system ended the job's process, as it does when memory is short")
        how = f"signal {-cell.code}" if cell.code is not None and cell.code < 0 else f"code {cell.code}"
        return CellCrashedError(f"the job's process ended before its work did ({how}); nothing of it is left")

    def _messages(self) -> Iterator[tuple[Message, int]]:
        """Yield what the server says, each with a cell's socket or -1."""
        data, sockets = b"", deque[int]()
        while True:
            try:
                part, found, _, _ = socket.recv_fds(self._control, 65536, 16)
            except OSError:
                return
            sockets += found
            if not part:
                return
            *lines, data = (data + part).split(b"\n")
            for line in lines:
                message = json.loads(line)
                yield message, sockets.popleft() if "born" in message else -1

    def _listen(self, messages: Iterator[tuple[Message, int]]) -> None:
        for message, number in messages:
            with self.changed:
                if "born" in message:
                    cell = _born(message, number)
                    self._alive[cell.number] = cell
                    self.waiting.append(cell)
                elif "ended" in message:
                    self._bury(self._alive.pop(message["ended"]), message)
                else:
                    self.gone = rebuilt(message["refused"])
                self.changed.notify_all()
        with self.changed:
            self.gone = self.gone or CellError("the fork server has ended; start the cells again")
            while self._alive:
                self._bury(self._alive.popitem()[1], {"code": None, "killed": "", "cpu_seconds": 0.0})
            self._control.close()
            self.changed.notify_all()
        self._server.wait()

    def _bury(self, cell: Cell, how: Message) -> None:
        cell.code, cell.killed, cell.cpu_seconds = how["code"], how["killed"], how["cpu_seconds"]
        if cell in self.waiting:
            self.waiting.remove(cell)
            cell.hang_up()
        cell.ended.set()


def _born(message: Message, number: int) -> Cell:
    cell = Cell(message["born"], message["pid"], Frames(socket.socket(fileno=number)))
    with suppress(AttributeError, ProcessLookupError):  # not on every system; or it has ended already
        cell.watched = os.pidfd_open(cell.pid)
    return cell


def _start(control: socket.socket, settings: Mapping[str, Any]) -> "subprocess.Popen[bytes]":
    """Start a new program, not a fork: nothing of the caller's memory comes along, and no password."""
    known = {name: value for name, value in os.environ.items() if _KNOWN.fullmatch(name)}
    command = [sys.executable, "-m", "facekit.forkserver", str(control.fileno()), json.dumps(settings)]
    return subprocess.Popen(  # noqa: S603 (ourselves)
        command,
        pass_fds=[control.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=known | {"FACEKIT_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
