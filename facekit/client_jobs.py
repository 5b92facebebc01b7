"""Jobs at a service: a photo goes there sealed, a result comes back sealed, and a receipt for both.

A broken connection is gone on with where it broke: events after the last that came, the result from the
first byte that is missing.
"""

import json
import os
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import httpx

from facekit.answers import Effect, Job, JobEvent, NewJob, TemplateCard
from facekit.documents import read_answer, read_items
from facekit.envelope import seal_chunks, sealed_size
from facekit.errors import InputError, ReceiptError, ServiceLostError, ServiceRefusedError, TooLargeError
from facekit.receipts import ErasureReceipt, verify_receipt
from facekit.wire import Wire

__all__ = ["Jobs", "Person", "Photo", "Source"]

Photo: TypeAlias = bytes | bytearray | str | os.PathLike[str]  # its bytes, or where it lies
Person = Literal["me", "consenting"]
Source = Literal["album", "camera", "file"]

SEALED: Final = "application/vnd.facekit.sealed"
_GONE: Final = "/v1/problems/gone"
_TRIES: Final = 4
_OVER: Final = frozenset({"done", "delivered", "cancelled", "failed", "expired", "lost"})


class Jobs:
    """The jobs of who has signed in; errors as `Client` says.

    Parameters
    ----------
    wire : Wire
        The way to the service.
    receipt_key : bytes of length 32, optional
        The key that receipts must be signed with. By default the first that the service names counts from
        then on, which proves less than one that was got on another way.
    """

    def __init__(self, wire: Wire, receipt_key: bytes | None = None) -> None:
        self._wire, self._receipt_key = wire, receipt_key

    def create(
        self,
        effect: str,
        *,
        person: Person,
        over_14: bool,
        template: str | None = None,
        options: Mapping[str, Any] | None = None,
        source: Source = "file",
        result_key: bytes | None = None,
        webhook: str | None = None,
    ) -> NewJob:
        """Begin a job: a process is set aside for it, and its key comes back.

        Parameters
        ----------
        effect : str
            What to do; one of `effects`.
        person : {"me", "consenting"}
            Who is shown, as you attest: you, or somebody who has agreed to this.
        over_14 : bool
            Whether everybody shown is over 14, as you attest.
        template : str, optional
            One of `templates`.
        options : mapping, optional
            Of the effect.
        source : {"album", "camera", "file"}
            Where the photo came from on this device; the permission of that must be open.
        result_key : bytes, optional
            ``KeyPair.public_bytes``, which the result is sealed to.
        webhook : str, optional
            Address that is told of each state.

        Returns
        -------
        NewJob
            Its number, its key, and until when the photo must have come.
        """
        asked = {
            "effect": effect,
            "template": template,
            "options": dict(options or {}),
            "attestation": {"person": person, "over_14": over_14},
            "source": source,
            "result_key": None if result_key is None else b64encode(result_key).decode(),
            "webhook": webhook,
        }
        # With a key of its own it is one job, however often it is asked for.
        headers = {"Idempotency-Key": secrets.token_urlsafe(16)}
        return read_answer(
            NewJob, self._wire.ask("POST", "/jobs", json=asked, headers=headers, repeatable=True)
        )

    def upload(self, job: NewJob, photo: Photo) -> Job:
        """Seal a photo chunk by chunk, and send it.

        Parameters
        ----------
        job : NewJob
            From `create`.
        photo : bytes, or path
            A picture file.

        Returns
        -------
        Job
            As it stands then.

        Raises
        ------
        TooLargeError, InputError
            It is larger than the service takes, or cannot be read.
        """
        data = _read(photo, job.largest)
        size = sealed_size(len(data), job.public_key)
        if size > job.largest:
            raise TooLargeError(f"photo: expected at most {job.largest} bytes once sealed, got more")
        try:
            answer = self._wire.ask(
                "PUT",
                f"/jobs/{job.id}/photo",
                content=lambda: seal_chunks(data, job.public_key, job=job.id),
                headers={"Content-Type": SEALED, "Content-Length": str(size)},
                repeatable=False,  # the key opens one envelope
            )
        except ServiceLostError:
            found = self.view(job.id)  # perhaps only the answer was lost
            if found.state == "leased":
                raise
            return found
        return read_answer(Job, answer)

    def wait(self, job_id: str, *, progress: Callable[[str], object] | None = None) -> Job:
        """Wait until there is a result.

        Parameters
        ----------
        job_id : str
            The job.
        progress : function, optional
            Is told each stage as it begins.

        Returns
        -------
        Job
            Done.

        Raises
        ------
        ServiceRefusedError
            It ended without a result.
        ServiceLostError
            As in `create`.
        """
        for event in self.events(job_id):
            if event.kind == "stage" and progress is not None:
                progress(str(event.data.get("stage", "")))
        job = self.view(job_id)
        if job.state != "done":
            raise _failure(job)
        return job

    def events(self, job_id: str, *, after: int = 0) -> Iterator[JobEvent]:
        """Follow a job until there is a result, or it has ended without one.

        Parameters
        ----------
        job_id : str
            The job.
        after : int
            The number of the last event that is known.

        Yields
        ------
        JobEvent
            In order, none twice.
        """
        broken = 0
        while broken < _TRIES:
            headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
            with (
                suppress(httpx.TransportError),
                self._wire.stream(f"/jobs/{job_id}/events", headers=headers) as got,
            ):
                for event in _events(got.iter_lines()):
                    after, broken = event.number, 0
                    yield event
                    if event.data.get("state") in _OVER:
                        return
            broken += 1
        raise ServiceLostError("the service does not tell what becomes of the job")

    def fetch(self, job_id: str) -> bytearray:
        """Fetch a result, as it is: sealed, where the job was given a key for it.

        Parameters
        ----------
        job_id : str
            The job.

        Returns
        -------
        bytearray
            All of it. It stays at the service until `end`, or for ten minutes.
        """
        whole, etag = bytearray(), ""
        for _ in range(_TRIES):
            headers = {"Range": f"bytes={len(whole)}-", "If-Range": etag} if whole else {}
            with (
                suppress(httpx.TransportError),
                self._wire.stream(f"/jobs/{job_id}/result", headers=headers) as got,
            ):
                if got.status_code != 206:  # from the beginning, again
                    whole.clear()
                etag = got.headers.get("ETag", "")
                for part in got.iter_bytes():
                    whole += part
                return whole
        raise ServiceLostError("the result breaks off again and again")

    def end(self, job_id: str) -> ErasureReceipt:
        """End a job: say that the result has arrived, or cancel what has not come to one.

        Parameters
        ----------
        job_id : str
            The job.

        Returns
        -------
        ErasureReceipt
            What the service has erased; verified, and about this job.

        Raises
        ------
        ReceiptError
            The receipt does not hold, or is not about this job.
        """
        try:
            return self._verified(job_id, self._wire.ask("DELETE", f"/jobs/{job_id}"))
        except ServiceRefusedError as refusal:
            if refusal.type != _GONE:
                raise
        return self.receipt(job_id)  # it has ended already, perhaps by a request whose answer was lost

    def receipt(self, job_id: str) -> ErasureReceipt:
        """Fetch the receipt of a job that has ended; the service has it for 730 days.

        Parameters
        ----------
        job_id : str
            The job.

        Returns
        -------
        ErasureReceipt
            Verified, and about this job.

        Raises
        ------
        ReceiptError
            The receipt does not hold, or is not about this job.
        """
        return self._verified(job_id, self._wire.ask("GET", f"/jobs/{job_id}/receipt"))

    def _verified(self, job_id: str, document: object) -> ErasureReceipt:
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        found = verify_receipt(text, self.receipt_key())
        if found.job != job_id:
            raise ReceiptError("the receipt is about another job")
        return found

    # -- looking around -----------------------------------------------------------------------

    def receipt_key(self) -> bytes:
        """Return the key that receipts are signed with.

        Returns
        -------
        bytes of length 32
            The one that was given for this client; else the service's, asked for once.
        """
        if self._receipt_key is None:
            self._receipt_key = read_answer(_ReceiptKey, self._wire.ask("GET", "/receipt-key")).public_key
        return self._receipt_key

    def view(self, job_id: str) -> Job:
        """Look how a job stands.

        Parameters
        ----------
        job_id : str
            The job.

        Returns
        -------
        Job
            As it stands.
        """
        return read_answer(Job, self._wire.ask("GET", f"/jobs/{job_id}"))

    def list(self) -> tuple[Job, ...]:
        """List jobs: those that live, and those of the last days.

        Returns
        -------
        tuple of Job
            The last first.
        """
        return read_items(Job, self._wire.ask("GET", "/jobs"))

    def templates(self) -> tuple[TemplateCard, ...]:
        """List what templates there are; nobody needs to sign in for it.

        Returns
        -------
        tuple of TemplateCard
            By name.
        """
        return read_items(TemplateCard, self._wire.ask("GET", "/templates"))

    def effects(self) -> tuple[Effect, ...]:
        """List what effects there are; nobody needs to sign in for it.

        Returns
        -------
        tuple of Effect
            By name.
        """
        return read_items(Effect, self._wire.ask("GET", "/effects"))


@dataclass(frozen=True, slots=True)
class _ReceiptKey:
    """The key that a service signs receipts with."""

    id: str
    public_key: bytes


def _failure(job: Job) -> ServiceRefusedError:
    kind = f"/v1/problems/{job.problem or 'gone'}"
    return ServiceRefusedError(kind, f"The job is {job.state}", job.problem or "it has no result", 0)


def _read(photo: Photo, most: int) -> bytes | bytearray:
    """Return a photo's bytes; of a file that is too long, no more than show it."""
    if isinstance(photo, bytes | bytearray):
        return photo
    try:
        with Path(photo).open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise InputError(f"photo: cannot be read ({(error.strerror or 'error').lower()})") from None


def _events(lines: Iterable[str]) -> Iterator[JobEvent]:
    """Read server-sent events; comments, which keep the connection alive, are none."""
    found: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            found[name] = value.removeprefix(" ")
            continue
        if found.get("event") in ("state", "stage"):
            yield _event(found)
        found = {}


def _event(found: Mapping[str, str]) -> JobEvent:
    try:
        data = json.loads(found["data"])
        document = {"number": int(found["id"]), "kind": found["event"], "data": data}
    except (KeyError, ValueError, RecursionError):
        raise ServiceLostError("the service told something that is no event") from None
    return read_answer(JobEvent, document)
