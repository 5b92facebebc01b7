"""The smallest service there is: one process that takes sealed photos and gives sealed results.

``python -m facekit.desk FOLDER`` reads orders from standard input and answers on standard output, a
line of JSON each. It is what proofs are made with: its memory, its cells and its folder can be
searched, it can be killed, and whoever wants to believe nothing reads this one file.

===============================================  ============================================
order                                            answers
===============================================  ============================================
lease                                            job, public_key
run (job, envelope, work, options, result_key)   stage, as each begins; then done
fetch (job)                                      sealed
acknowledge (job), cancel (job)                  receipt
processes                                        processes: itself, the fork server, its cells
===============================================  ============================================

Or an error. Each order has a number, which its answers repeat; several are carried out at a time.
Bytes are in base64. `Desk` is the other end.
"""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Final, Self, TypeAlias, cast

from facekit.cell import Cells, Lease
from facekit.errors import CellCrashedError, FacekitError, PrivacyError
from facekit.privacy import LIFETIME, Kept, Scratch, Store
from facekit.receipts import Outcome
from facekit.telling import rebuilt, told

__all__ = ["Desk", "Ticket", "main"]

Answer: TypeAlias = Mapping[str, Any]

_ENDED: Final = "the desk has ended"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a client needs to seal a photo.

    Parameters
    ----------
    job : str
        The job's id.
    public_key : bytes
        What to seal to.
    """

    job: str
    public_key: bytes


# -- the client's end -----------------------------------------------------------------------------


class Desk:
    """A desk that runs in a process of its own; a context manager.

    Parameters
    ----------
    folder : str or Path
        Where it keeps what is sealed, and its ledger.
    settings : mapping, optional
        For `Cells`, as JSON can hold them; and ``lifetime``, the seconds that a sealed file may stay.
    temporary : str or Path, optional
        Where it, and all that it starts, keep temporary files; by default, where this process does.
    python : sequence of str, optional
        What runs it, up to its arguments; by default this interpreter and this module.

    Raises
    ------
    FacekitError
        The desk cannot start: its cells, or its folder.
    """

    def __init__(
        self,
        folder: str | Path,
        settings: Mapping[str, Any] | None = None,
        *,
        temporary: str | Path | None = None,
        python: Sequence[str] = (sys.executable, "-m", "facekit.desk"),
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603 (ourselves)
            [*python, str(folder), json.dumps(dict(settings or {}))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ({} if temporary is None else {"TMPDIR": str(temporary)}),
        )
        self.folder = Path(folder)
        self._orders = count(1)
        self._answers: dict[int, SimpleQueue[Answer]] = {0: SimpleQueue()}
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        #: The key that its receipts are signed with.
        self.receipt_key = base64.b64decode(next(self._replies(0))["receipt_key"])

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def lease(self) -> Ticket:
        """Ask for a job.

        Returns
        -------
        Ticket
            Its id, and what to seal the photo to.
        """
        answer = self._ask(do="lease")
        return Ticket(answer["job"], base64.b64decode(answer["public_key"]))

    def run(
        self,
        job: str,
        envelope: bytes,
        work: str = "swap",
        options: Mapping[str, Any] | None = None,
        *,
        result_key: bytes | None = None,
        progress: Callable[[str], object] | None = None,
    ) -> None:
        """Hand in the sealed photo, and wait for the work to be done.

        Parameters
        ----------
        job : str
            From `lease`.
        envelope : bytes
            The photo, sealed to the ticket's key for its job.
        work : str
            As in `Cells.run`.
        options : mapping, optional
            As in `Cells.run`.
        result_key : bytes, optional
            What the result is sealed to.
        progress : function, optional
            Is told each stage as it begins.

        Raises
        ------
        FacekitError
            What went wrong. Nothing of the job is left; `acknowledge` gives its receipt.
        """
        answers = self._send(
            do="run",
            job=job,
            envelope=_text(envelope),
            work=work,
            options=dict(options or {}),
            result_key=_text(result_key or b""),
        )
        for answer in answers:
            if "done" in answer:
                return
            if progress is not None:
                progress(answer["stage"])

    def fetch(self, job: str) -> bytes:
        """Return the sealed result, as often as it is asked for until it is acknowledged.

        Parameters
        ----------
        job : str
            From `lease`.

        Returns
        -------
        bytes
            An envelope of direction "result".

        Raises
        ------
        ErasedError
            It is gone.
        """
        return base64.b64decode(self._ask(do="fetch", job=job)["sealed"])

    def acknowledge(self, job: str) -> str:
        """Say that the result has arrived, so that it is erased.

        Parameters
        ----------
        job : str
            From `lease`.

        Returns
        -------
        str
            The receipt, as JSON.
        """
        return str(self._ask(do="acknowledge", job=job)["receipt"])

    def cancel(self, job: str) -> str:
        """End a job wherever it is, and have all of it erased.

        Parameters
        ----------
        job : str
            From `lease`.

        Returns
        -------
        str
            The receipt, as JSON.
        """
        return str(self._ask(do="cancel", job=job)["receipt"])

    def processes(self) -> tuple[int, ...]:
        """List the desk's processes.

        Returns
        -------
        tuple of int
            Itself, its fork server, and the cells.
        """
        return tuple(self._ask(do="processes")["processes"])

    def kill(self) -> None:
        """End it without a chance to tidy up, as a power cut does."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """End it; what it holds it erases on the way out."""
        with suppress(BrokenPipeError):
            self._stdin.close()
        self._process.wait()
        self._reader.join()

    def __enter__(self) -> Self:
        """Return the desk."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    @property
    def _stdin(self) -> IO[bytes]:
        return cast("IO[bytes]", self._process.stdin)

    def _ask(self, **order: Any) -> Answer:
        return next(self._send(**order))

    def _send(self, **order: Any) -> Iterator[Answer]:
        number = next(self._orders)
        with self._lock:
            self._answers[number] = SimpleQueue()
            try:
                self._stdin.write(json.dumps(order | {"order": number}).encode() + b"\n")
                self._stdin.flush()
            except (BrokenPipeError, ValueError):
                raise CellCrashedError(_ENDED) from None
        return self._replies(number)

    def _replies(self, number: int) -> Iterator[Answer]:
        try:
            while True:
                answer = self._answers[number].get()
                if "error" in answer:
                    raise rebuilt(answer["error"])
                yield answer
        finally:
            with self._lock:
                self._answers.pop(number, None)

    def _read(self) -> None:
        """Hand out the answers, to whoever waits for them."""
        with cast("IO[bytes]", self._process.stdout) as lines:
            for line in lines:
                answer = json.loads(line)
                waiting = self._answers.get(answer.pop("order"))
                if waiting is not None:  # nobody waits for more than an order's first error
                    waiting.put(answer)
        for waiting in tuple(self._answers.values()):
            waiting.put({"error": told(CellCrashedError(_ENDED))})


# -- the desk itself ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Job:
    """One job at the desk, from its lease to its receipt."""

    scratch: Scratch
    lease: Lease
    result: Kept | None = None


class _Clerk:
    """Carries out orders; photos and results pass through its hands sealed."""

    def __init__(self, store: Store, cells: Cells) -> None:
        self._store, self._cells = store, cells
        self._jobs: dict[str, _Job] = {}

    def obey(self, order: Answer, say: Callable[[Answer], None]) -> None:
        """Carry out an order, and say the answers."""
        try:
            match order["do"]:
                case "lease":
                    say(self._lease())
                case "run":
                    self._run(self._job(order), order, lambda stage: say({"stage": stage}))
                    say({"done": True})
                case "fetch":
                    say({"sealed": _text(self._fetch(self._job(order)))})
                case "acknowledge":
                    say({"receipt": self._end(self._job(order))})
                case "cancel":
                    say({"receipt": self._end(self._job(order), "cancelled")})
                case "processes":
                    say({"processes": [os.getpid(), self._cells.server_pid, *self._cells.pids()]})
        except FacekitError as error:
            say({"error": told(error)})

    def _job(self, order: Answer) -> _Job:
        try:
            return self._jobs[order["job"]]
        except KeyError:
            raise PrivacyError("there is no such job") from None

    def _lease(self) -> Answer:
        scratch = self._store.scratch()
        lease = self._cells.lease(scratch.job)
        self._jobs[scratch.job] = _Job(scratch, lease)
        return {"job": scratch.job, "public_key": _text(lease.public_key)}

    def _run(self, job: _Job, order: Answer, progress: Callable[[str], None]) -> None:
        try:
            # Clause 1.2.2(4)a: the duty to erase is on disk before the first byte, and the byte is sealed.
            upload = job.scratch.keep("upload-stored", base64.b64decode(order["envelope"]))
            result = self._cells.run(
                job.lease,
                upload.chunks(),
                order["work"],
                order["options"],
                result_key=base64.b64decode(order["result_key"]) or None,
                progress=progress,
                scratch=job.scratch,
            )
            job.result = job.scratch.keep("result-stored", result.sealed)
        except BaseException:
            self._end(job, "failed")
            raise

    def _fetch(self, job: _Job) -> bytes:
        if job.result is None:
            raise PrivacyError("this job has no result")
        return job.result.read()

    def _end(self, job: _Job, outcome: Outcome = "delivered") -> str:
        self._cells.cancel(job.lease)
        job.scratch.outcome = job.scratch.outcome or outcome
        job.scratch.close()
        return job.scratch.receipt.to_json()


def main() -> None:
    """Run a desk on standard input and output."""
    folder, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    lock = threading.Lock()

    def say(order: int, answer: Answer) -> None:
        with lock, suppress(BrokenPipeError):
            sys.stdout.write(json.dumps({"order": order, **answer}) + "\n")
            sys.stdout.flush()

    try:
        lifetime = timedelta(seconds=settings.pop("lifetime", LIFETIME.total_seconds()))
        with (
            Store(folder, lifetime=lifetime) as store,
            Cells(**settings) as cells,
            ThreadPoolExecutor(16) as hands,
        ):
            say(0, {"receipt_key": _text(store.signer.public_bytes)})
            clerk = _Clerk(store, cells)
            for line in sys.stdin:
                order = json.loads(line)
                hands.submit(clerk.obey, order, partial(say, order["order"]))
    except FacekitError as error:
        say(0, {"error": told(error)})


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


if __name__ == "__main__":
    main()
