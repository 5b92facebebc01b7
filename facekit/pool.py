"""Cells in stock: leased one by one, run a few at a time, and never used twice."""

import base64
import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

from facekit.effects import EFFECTS
from facekit.envelope import Bytes, open_sealed
from facekit.errors import (
    CellCrashedError,
    CellError,
    CellTimeoutError,
    ErasureError,
    InputError,
    QueueFullError,
    SealError,
)
from facekit.frames import Frames
from facekit.keys import KemName, KeyPair, kem_of
from facekit.privacy import Scratch
from facekit.receipts import ErasureReceipt, How, Signer, What
from facekit.telling import rebuilt
from facekit.threads import thread_count
from facekit.walls import Limits
from facekit.warden import Cell, Warden

__all__ = ["WORKS", "CellResult", "Cells", "Lease"]

Progress = Callable[[str], object]

#: What a cell can be asked to do, as "module:function": the swap, and the catalogue of effects.
WORKS: Final[Mapping[str, str]] = MappingProxyType(
    {name: f"facekit.works:{name}" for name in ("swap", *EFFECTS)}
)
_STAGE: Final = frozenset("abcdefghijklmnopqrstuvwxyz_")
_ENDING = 5.0  # seconds that a cell may take to end after it has said that it is done


@dataclass(frozen=True, slots=True)
class CellResult:
    """What came out of a cell.

    Parameters
    ----------
    job : str
        The job's id, to which the result is sealed, too.
    sealed : bytes
        The result, as an envelope of direction "result".
    walls : tuple of str
        The walls that held, each with its means.
    seconds, cpu_seconds : float
        From the envelope's first byte to the cell's end; what all its threads used.
    keys : KeyPair, optional
        The pair that opens the result; None where the client gave a key of its own.
    receipt : ErasureReceipt, optional
        What `run_in_cell` erased; with `Cells.run`, the caller's Scratch has it.
    """

    job: str
    sealed: bytes = field(repr=False)
    walls: tuple[str, ...]
    seconds: float
    cpu_seconds: float
    keys: KeyPair | None = None
    receipt: ErasureReceipt | None = field(default=None, repr=False)

    def open(self) -> bytearray:
        """Open the result, once; the key is erased.

        Returns
        -------
        bytearray
            The result's bytes, a picture file for a swap.

        Raises
        ------
        ErasedError
            It has been opened before.
        SealError
            It was sealed to a key of the client's.
        """
        if self.keys is None:
            raise SealError("the result is sealed to the client's key; only the client can open it")
        with self.keys:
            return open_sealed(self.sealed, self.keys, job=self.job, direction="result")


@dataclass(frozen=True, slots=True, eq=False)
class Lease:
    """A cell that waits for one envelope.

    Parameters
    ----------
    job : str
        The job's id; seal for it.
    public_key : bytes
        What to seal to; the private half is in the cell and nowhere else.
    walls : tuple of str
        The walls that hold, each with its means.
    seconds : float
        For how long, from the leasing on, it waits.
    cell : Cell
        The process, as its caller knows it.
    """

    job: str
    public_key: bytes
    walls: tuple[str, ...]
    seconds: float
    cell: Cell = field(repr=False)


class Cells:
    """Cells in stock: a fork server, some cells that wait, and a queue before those that work.

    Parameters
    ----------
    count : int, optional
        Cells that work at a time; by default, one for each core.
    standby : int
        Cells that wait to be leased; they hold a few megabytes each.
    leases : int
        Cells that wait for the envelope of who leased them, at most.
    lease_seconds, seconds : float
        How long a leased cell waits, and how long a job may take.
    queue : int
        Jobs that wait for their turn, at most.
    largest_result : int
        Bytes of a sealed result, at most: what a cell that was taken over can make the caller hold.
    limits : Limits
        What a cell may use.
    threads : int, optional
        Threads of a cell; by default, the cores divided by `count`.
    kem : {"x25519", "mlkem768x25519"}
        The kind of the cells' keys.
    allow_weak_cell : bool
        Go on where a wall cannot be had; what held stands in each result.
    works : mapping of str to str, optional
        What a cell can do, as "module:function"; see `facekit.works`.
    readable : sequence of path
        Folders that a cell may read beside the code's own, for works that need files.
    signer : Signer, optional
        Signs the receipts of `run_in_cell`; by default, one that lives as long as the cells.

    Examples
    --------
    >>> from facekit import encode_image, open_sealed, seal, synthetic_face
    >>> with Cells(count=1, standby=1) as cells:
    ...     lease = cells.lease()
    ...     envelope = seal(encode_image(synthetic_face(256)), lease.public_key, job=lease.job)
    ...     result = cells.run(lease, envelope, "swap", {"template": "stamp"})
    >>> result.open()[1:4]
    bytearray(b'PNG')
    """

    def __init__(
        self,
        *,
        count: int | None = None,
        standby: int = 2,
        leases: int = 16,
        lease_seconds: float = 60.0,
        seconds: float = 60.0,
        queue: int = 64,
        largest_result: int = 256 * 2**20,
        limits: Limits | None = None,
        threads: int | None = None,
        kem: KemName = "x25519",
        allow_weak_cell: bool = False,
        works: Mapping[str, str] = WORKS,
        readable: Sequence[str | Path] = (),
        signer: Signer | None = None,
    ) -> None:
        cores = thread_count()
        self.count = cores if count is None else count
        for name, value in (("count", self.count), ("standby", standby), ("leases", leases)):
            if value < 1:
                raise InputError(f"{name}: expected 1 or more, got {value}")
        self._leases, self._lease_seconds, self._seconds, self._queue = leases, lease_seconds, seconds, queue
        self._kem: KemName = kem
        self._largest = largest_result
        self._settings = {
            "standby": standby,
            "limits": asdict(limits or Limits()),
            "threads": threads or max(cores // self.count, 1),
            "kem": kem,
            "allow_weak": allow_weak_cell,
            "works": dict(works),
            "readable": [str(Path(folder).resolve()) for folder in readable],
        }
        self.signer = signer or Signer.generate()
        self._leased: set[Cell] = set()
        self._turns: deque[object] = deque()
        self._running = 0
        self._started: Warden | None = None

    # -- life --------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start the fork server; a few seconds, and once per machine, for compiling, half a minute.

        Returns
        -------
        Cells
            Itself.

        Raises
        ------
        WallError
            A wall cannot be had here, and `allow_weak_cell` is off.
        CellError
            The server did not start.
        """
        self._started = Warden(self._settings)
        return self

    def close(self) -> None:
        """End all cells and their server; jobs that run end in `CellCrashedError`."""
        if self._started is not None:
            self._started.close()
            self._drop(self._leased)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    @property
    def is_running(self) -> bool:
        """Whether there are cells to be leased; once their server has ended, there are none any more."""
        return self._started is not None and self._started.gone is None

    @property
    def walls(self) -> tuple[str, ...]:
        """What held when a first cell tried, each with its means."""
        return self._warden.walls

    @property
    def server_pid(self) -> int:
        """The fork server's process id; the cells are its children."""
        return self._warden.pid

    def pids(self) -> tuple[int, ...]:
        """List the cells that live at the moment.

        Returns
        -------
        tuple of int
            Their process ids; those that wait among them.
        """
        return self._warden.pids()

    @property
    def _warden(self) -> Warden:
        if self._started is None:
            raise CellError("the cells have not been started: use `with Cells(...) as cells:`")
        return self._started

    # -- jobs --------------------------------------------------------------------------------

    def lease(self, job: str | None = None, *, timeout: float = 10.0) -> Lease:
        """Take a waiting cell for one job.

        Parameters
        ----------
        job : str, optional
            The job's id, as of a Scratch; by default, a new random one.
        timeout : float
            Seconds to wait for one, where none waits at the moment.

        Returns
        -------
        Lease
            Its cell waits for `lease_seconds`.

        Raises
        ------
        QueueFullError
            As many are leased as may be, or none became free in time.
        CellError
            The cells are not running.
        """
        warden = self._warden
        with warden.changed:
            # Others may lease while this waits, so what is full is asked again each time.
            warden.changed.wait_for(lambda: bool(warden.gone or warden.waiting or self._is_full()), timeout)
            if warden.gone is not None:
                raise CellError(str(warden.gone))
            if self._is_full():
                raise QueueFullError(f"{self._leases} jobs wait for their pictures already; try again soon")
            if not warden.waiting:
                raise QueueFullError("no cell became free in time; try again soon")
            cell = warden.waiting.popleft()
            self._leased.add(cell)
        warden.order(cell, "lease", self._lease_seconds)
        born = cell.frames.get()
        if born is None or born[0] != b"K":
            cell.hang_up()
            raise rebuilt(born[1]) if born else CellCrashedError("the cell ended at once")
        found = json.loads(born[1])
        return Lease(
            job=secrets.token_urlsafe(16) if job is None else job,
            public_key=base64.b64decode(found["public_key"]),
            walls=tuple(found["walls"]),
            seconds=self._lease_seconds,
            cell=cell,
        )

    def run(
        self,
        lease: Lease,
        envelope: Bytes | Iterable[Bytes],
        work: str,
        options: Mapping[str, Any] | None = None,
        *,
        result_key: bytes | None = None,
        progress: Progress | None = None,
        scratch: Scratch | None = None,
    ) -> CellResult:
        """Give the leased cell its envelope, and wait for what it makes of it.

        Parameters
        ----------
        lease : Lease
            From `lease`; used up by this call, whatever happens.
        envelope : bytes-like, or iterable of such
            Sealed to the lease's key, for its job; at once or as it comes.
        work : str
            One of the works.
        options : mapping, optional
            The work's own; anything that JSON can hold.
        result_key : bytes, optional
            The client's public key, for the result; by default, a new one that the result holds.
        progress : function, optional
            Is told each stage as it begins: "opened", then the work's own.
        scratch : Scratch, optional
            The job's. Its upload is erased as soon as the cell has opened the envelope, it owns the
            key that opens the result, and it learns what its receipt has to say of the cell.

        Returns
        -------
        CellResult
            The cell has ended.

        Raises
        ------
        SealError
            The envelope does not open in this cell for this job, or `result_key` is not a key.
        CellTimeoutError
            The lease had run out, or the job took too long.
        CellMemoryError
            The job needs more memory than a cell has.
        CellCrashedError
            The cell ended before its work did.
        QueueFullError
            Too many jobs wait already.
        ErasureError
            The upload could not be erased; the cell was killed.
        FacekitError
            What the work refuses.
        """
        keys = None if result_key is not None else KeyPair.generate(self._kem)
        job = {
            "job": lease.job,
            "work": work,
            "options": dict(options or {}),
            "result_key": _checked_key(keys.public_bytes if keys else result_key),
        }
        cell = self._take(lease)
        told = _Told(progress, scratch)
        try:
            told.begin(lease, keys)
            with self._turn(cell):
                start = time.perf_counter()
                self._warden.order(cell, "deadline", self._seconds)
                sealed = self._talk(cell, job, envelope, told)
                seconds = time.perf_counter() - start
        except BaseException:
            self._warden.order(cell, "kill")
            if keys is not None:
                keys.erase()
            raise
        finally:
            try:
                told.end(cell)
            finally:
                cell.hang_up()
        return CellResult(lease.job, sealed, lease.walls, seconds, cell.cpu_seconds, keys)

    def cancel(self, lease: Lease) -> None:
        """End a leased or running cell at once; its `run` ends in `CellError`.

        Parameters
        ----------
        lease : Lease
            From `lease`; it does no harm to cancel what has ended.
        """
        self._warden.order(lease.cell, "kill")
        with self._warden.changed:
            self._drop(self._leased & {lease.cell})

    def _is_full(self) -> bool:
        """Say whether as many are leased as may be; those that have ended are not."""
        self._drop(one for one in self._leased if one.ended.is_set())
        return len(self._leased) >= self._leases

    def _drop(self, cells: Iterable[Cell]) -> None:
        """Hang up on cells that nobody will run."""
        for cell in tuple(cells):
            self._leased.remove(cell)
            cell.hang_up()

    def _take(self, lease: Lease) -> Cell:
        """Use the lease up; until its turn comes, the cell waits once more as long."""
        cell = lease.cell
        with self._warden.changed:
            if cell in self._leased:
                self._leased.remove(cell)
                self._warden.changed.notify_all()
                self._warden.order(cell, "deadline", self._lease_seconds)
                return cell
        raise self._warden.why(cell) if cell.killed else CellError("the lease has been used; take a new one")

    # -- the conversation --------------------------------------------------------------------

    def _talk(
        self, cell: Cell, job: Mapping[str, Any], envelope: Bytes | Iterable[Bytes], told: "_Told"
    ) -> bytes:
        _hand_in(cell.frames, job, (envelope,) if isinstance(envelope, Bytes) else envelope)
        sealed = bytearray()
        while (message := cell.frames.get()) is not None:
            kind, payload = message
            if kind == b"R":
                sealed += payload
                if len(sealed) > self._largest:
                    raise CellCrashedError(
                        f"the result is larger than {self._largest} bytes, the most allowed"
                    )
            elif kind == b"S":
                told.stage(_stage(payload))
            elif kind in b"ED":
                break
        if not cell.has_gone(_ENDING):
            raise CellTimeoutError("the job's process did not end after its work")
        if message is None:
            raise self._warden.why(cell)
        if message[0] == b"E":
            raise rebuilt(message[1])
        return bytes(sealed)

    @contextmanager
    def _turn(self, cell: Cell) -> Iterator[None]:
        """Wait for a turn, first come, first served."""
        mine = object()
        with self._warden.changed:
            if len(self._turns) >= self._queue:
                raise QueueFullError(f"{self._queue} jobs wait already; try again soon")
            self._turns.append(mine)
            try:
                self._warden.changed.wait_for(
                    lambda: cell.ended.is_set() or (self._turns[0] is mine and self._running < self.count)
                )
            finally:
                self._turns.remove(mine)
                self._warden.changed.notify_all()
            if cell.ended.is_set():
                raise self._warden.why(cell)
            self._running += 1
        try:
            yield
        finally:
            with self._warden.changed:
                self._running -= 1
                self._warden.changed.notify_all()


@dataclass(frozen=True, slots=True)
class _Told:
    """Passes on what a cell tells, to who looks on and to who has to erase."""

    progress: Progress | None
    scratch: Scratch | None

    def begin(self, lease: Lease, keys: KeyPair | None) -> None:
        if self.scratch is not None:
            self.scratch.walls = tuple(wall.partition(":")[0] for wall in lease.walls)
            self.scratch.result_key = "client" if keys is None else "job"
            self.scratch.expect(What.CELL, How.PROCESS_ENDED, partial(_look, lease.cell))
            if keys is not None:
                self.scratch.own(keys)

    def stage(self, name: str) -> None:
        if name == "opened" and self.scratch is not None:
            # Clauses 1.2.1c, 1.2.2(4)c, 1.2.3c: the upload is the cell's alone now, and goes first.
            self.scratch.erase(What.UPLOAD_STORED)
            self.scratch.erase(What.UPLOAD_HELD)
        if self.progress is not None:
            self.progress(name)

    def end(self, cell: Cell) -> None:
        if self.scratch is not None:
            self.scratch.erase(What.CELL)
        else:
            cell.has_gone(_ENDING)


def _look(cell: Cell) -> None:
    if not cell.has_gone(_ENDING):
        raise ErasureError("its process has not ended")


def _hand_in(frames: Frames, job: Mapping[str, Any], parts: Iterable[Bytes]) -> None:
    """Send a cell its job and its envelope; where it has gone, it has said why."""
    if _is_heard(frames.put_json, b"J", job) and all(
        _is_heard(frames.put_parts, b"U", part) for part in parts
    ):
        _is_heard(frames.put, b".")


def _is_heard(say: Callable[..., None], *what: Any) -> bool:
    try:
        say(*what)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _checked_key(key: bytes | None) -> str:
    kem_of(key or b"")
    return base64.b64encode(key or b"").decode()


def _stage(payload: bytearray) -> str:
    """Take a stage's name for what it is: one short word, whatever a cell that was taken over sends."""
    name = payload[:20].decode("ascii", "replace")
    return name if _STAGE.issuperset(name) else "unknown"
