"""Beginning a job, and finding it again: who may, how often, and what was answered."""

import base64
import json
import secrets
from datetime import timedelta
from typing import Any, Final

from facekit.keys import kem_of
from facekit.receipts import Outcome
from service.caller import Caller
from service.consent.service import require
from service.errors import AbsentError, ClosedError, ConflictError, GoneError, NotAttestedError
from service.jobs import catalogue, ledger
from service.jobs.live import ENDED, NEEDS, Live, Order, Source
from service.jobs.reading import media_type
from service.jobs.room import Room
from service.jobs.schemas import JobStarted, JobView, StartJob
from service.jobs.store import LIVE, Job
from service.jobs.webhooks import Hook, check_address
from service.parts import Parts

_LISTED: Final = 200
_ABSENT: Final = "there is no such job, or it is not yours"


def start(parts: Parts, room: Room, caller: Caller, asked: StartJob, key: str | None) -> JobStarted:
    """Begin a job, or repeat what was answered to the same request.

    Parameters
    ----------
    parts, room, caller : Parts, Room, Caller
        The parts, where jobs live, and who asks.
    asked : StartJob
        What for.
    key : str, optional
        The request's own: sent again with it, it begins no second job for 24 hours.

    Raises
    ------
    ServiceError, FacekitError
        As the route says. No cell was taken.
    """
    check_consent(parts, caller.account_id, asked.source)
    order = _order(parts, caller.account_id, asked)
    marks = None if key is None else _marks(parts, caller.account_id, key, asked)
    if marks is not None and (answer := ledger.answer_of(parts, caller.account_id, marks)) is not None:
        return JobStarted.model_validate_json(answer)
    room.check_place()
    hour = timedelta(hours=1)
    parts.limits.spend("jobs by", caller.account_id, parts.settings.jobs_per_hour, hour)
    job_id = secrets.token_urlsafe(16)
    ledger.begin(parts, job_id, room.replica, order, marks)
    try:
        job = room.lease(job_id, order)
    except BaseException:
        ledger.unwrite(parts, job_id, marks)
        raise
    started = _started(parts, job)
    if marks is not None:
        ledger.keep_answer(parts, caller.account_id, marks, started.model_dump_json())
    return started


def check_consent(parts: Parts, account_id: str, source: Source) -> None:
    """Refuse where the consent to the effect, or the photo's permission, is off; raises NoConsentError."""
    # Clauses 1.2.1d, 1.3.3(1), 1.3.8(2): these gate jobs, and nothing else.
    with parts.database.begin() as session:
        require(session, account_id, "face.effect")
        require(session, account_id, NEEDS[source], "permission")


def _order(parts: Parts, account_id: str, asked: StartJob) -> Order:
    # Clause 1.3.3 note: other people's faces, with their consent; nobody's under 14 (C19).
    if asked.attestation is None or not asked.attestation.over_14:
        raise NotAttestedError(
            "attestation: say that the person shown is you, or agrees, and is 14 or over; "
            "pictures of younger people are not taken"
        )
    options = catalogue.checked(asked.effect, asked.template, asked.options)
    if asked.result_key is not None:
        kem_of(asked.result_key)
    hook = None
    if asked.webhook is not None:
        check_address(asked.webhook, private=parts.settings.webhook_private)
        hook = Hook(asked.webhook, secrets.token_urlsafe(32))
    person, source = asked.attestation.person, asked.source
    return Order(account_id, asked.effect, asked.template, options, source, person, asked.result_key, hook)


def _marks(parts: Parts, account_id: str, key: str, asked: StartJob) -> tuple[bytes, bytes]:
    """Return keyed digests of a request's key, which is the account's own, and of what was asked."""
    index, body = parts.vault.index, json.dumps(asked.model_dump(mode="json"), sort_keys=True)
    return index("job key", f"{account_id}:{key}"), index("job body", body)


def _started(parts: Parts, job: Live) -> JobStarted:
    return JobStarted(
        id=job.id,
        state="leased",
        deadline=job.deadline or job.created_at,
        public_key=base64.b64encode(job.lease.public_key).decode(),
        kem=parts.settings.kem,
        largest=parts.settings.largest_upload,
        webhook_secret=job.order.hook.secret if job.order.hook else None,
    )


def mine(parts: Parts, caller: Caller, job_id: str) -> Job:
    """Return the line of one's own job.

    Raises
    ------
    AbsentError
        There is none, or it is somebody else's.
    """
    row = ledger.find(parts, job_id)
    if row is None or row.account_id is None or row.account_id != caller.account_id:
        raise AbsentError(_ABSENT)
    return row


def live(parts: Parts, room: Room, caller: Caller, job_id: str) -> Live:
    """Return one's own job while it lives.

    Raises
    ------
    AbsentError
        As in `mine`.
    GoneError
        It has ended.
    ClosedError
        It lives in another process.
    """
    row, job = mine(parts, caller, job_id), room.find(job_id)
    if job is not None:
        return job
    if row.state in LIVE and row.replica != room.replica:
        raise ClosedError("the job is with another process of this service; send its requests there")
    raise GoneError(ENDED)


def receipt(parts: Parts, caller: Caller, job_id: str) -> str:
    """Return a job's receipt: to its owner for as long as the ledger knows one, then to who has its number.

    Raises
    ------
    AbsentError
        As in `mine`.
    ConflictError
        The job has not ended yet.
    """
    row = ledger.find(parts, job_id)
    if row is not None and row.account_id is not None and row.account_id != caller.account_id:
        raise AbsentError(_ABSENT)
    if (found := ledger.receipt(parts, job_id)) is not None:
        return found
    if row is None:
        raise AbsentError(_ABSENT)
    raise ConflictError("there is no receipt before all has been erased; DELETE the job to end it")


def finish(room: Room, job: Live) -> str:
    """End a job for its owner, who has the result or wants none; return the receipt."""
    outcome: Outcome = "delivered" if job.state == "done" else "cancelled"
    return room.end(job, outcome).to_json()


def view(row: Job, job: Live | None) -> JobView:
    """Show a job: what the ledger has, and what its process knows besides."""
    shown: dict[str, Any] = {
        name: getattr(row, name)
        for name in ("id", "effect", "template", "state", "created_at", "problem", "webhook")
    } | dict.fromkeys(("stage", "deadline", "size", "media_type"))
    if job is not None and job.outcome is None:
        shown |= {name: getattr(job, name) for name in ("state", "stage", "deadline", "size")}
        shown["media_type"] = media_type(job)
    return JobView(**shown)


def listed(parts: Parts, room: Room, caller: Caller) -> list[JobView]:
    """List one's jobs, the latest first."""
    return [view(row, room.find(row.id)) for row in ledger.recent(parts, caller.account_id, _LISTED)]
