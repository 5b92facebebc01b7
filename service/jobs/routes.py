"""Ways in to jobs."""

import asyncio
import base64
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from facekit import errors as facekit_errors
from service import errors
from service.caller import Access, Caller, Level
from service.jobs import catalogue, reading, service, way
from service.jobs.feed import Feed
from service.jobs.live import Live
from service.jobs.ranges import part_of
from service.jobs.reading import SEALED
from service.jobs.room import Room
from service.jobs.schemas import (
    EffectList,
    EffectView,
    JobList,
    JobStarted,
    JobView,
    ReceiptKey,
    ReceiptView,
    StartJob,
    TemplateList,
    TemplateView,
)
from service.parts import Parts, the_parts
from service.problems import problems
from service.schemas import JobId

router = APIRouter(tags=["jobs"])


async def the_room(request: Request) -> Room:
    """Return where jobs live; a dependency."""
    return cast("Room", request.app.state.parts.jobs)


TheParts = Annotated[Parts, Depends(the_parts)]
TheRoom = Annotated[Room, Depends(the_room)]
Anybody = Annotated[Caller, Depends(Access(Level.ANYBODY))]
Reader = Annotated[Caller, Depends(Access(Level.ACCOUNT, scope="jobs:read"))]
Writer = Annotated[Caller, Depends(Access(Level.ACCOUNT, scope="jobs:write"))]
# Who has not accepted a new version can still end a job, and have it erased.
Ender = Annotated[Caller, Depends(Access(Level.ACCOUNT, scope="jobs:write", leaving=True))]
Id = Annotated[JobId, Path(description="The job's number.")]


def _read_job(caller: Reader, parts: TheParts, room: TheRoom, job_id: Id) -> Live:
    return service.live(parts, room, caller, job_id)


def _write_job(caller: Writer, parts: TheParts, room: TheRoom, job_id: Id) -> Live:
    return service.live(parts, room, caller, job_id)


def _end_job(caller: Ender, parts: TheParts, room: TheRoom, job_id: Id) -> Live:
    return service.live(parts, room, caller, job_id)


_CALLER: Final = (errors.UnknownCallerError, errors.NotAcceptedError, errors.NoScopeError)
_FINDING: Final = (*_CALLER, errors.AbsentError, errors.TooManyError, errors.RefusedError)
_LIVING: Final = (*_FINDING, errors.GoneError, errors.ClosedError)
_STARTING: Final = (
    *_CALLER,
    errors.NoConsentError,
    errors.NotAttestedError,
    errors.ConflictError,
    errors.RefusedError,
    errors.TooManyError,
    errors.ClosedError,
    facekit_errors.SealError,
    facekit_errors.QueueFullError,
    facekit_errors.CellError,
)
_PHOTO: Final = (
    *_LIVING,
    errors.NoConsentError,
    errors.ConflictError,
    errors.LengthRequiredError,
    errors.TooLongError,
    errors.MediaTypeError,
    errors.BrokenOffError,
    facekit_errors.SealError,
)


def _file(description: str, *kinds: str) -> dict[str, Any]:
    file = {"schema": {"type": "string", "format": "binary"}}
    return {"description": description, "content": dict.fromkeys(kinds, file)}


# -- what there is --------------------------------------------------------------------------------


@router.get("/templates", responses=problems(errors.UnknownCallerError))
def list_templates(_: Anybody) -> TemplateList:
    """List the ready templates."""
    fields = ("name", "title", "credit", "licence")
    return TemplateList(
        items=[TemplateView(**{name: getattr(one, name) for name in fields}) for one in catalogue.templates()]
    )


@router.get("/effects", responses=problems(errors.UnknownCallerError))
def list_effects(_: Anybody) -> EffectList:
    """List what can be done with a face, and what can be chosen about it."""
    return EffectList(
        items=[
            EffectView(
                name=name,
                words=one.words,
                takes_template=one.takes_template,
                options=one.options.model_json_schema(),
            )
            for name, one in catalogue.EFFECTS.items()
        ]
    )


@router.get("/receipt-key", responses=problems(errors.UnknownCallerError))
def read_receipt_key(_: Anybody, parts: TheParts) -> ReceiptKey:
    """Read the public key of erasure receipts; get it on another way as well, to be sure of it."""
    key = base64.b64encode(parts.signer.public_bytes).decode()
    return ReceiptKey(id=parts.signer.id, public_key=key)


# -- jobs -----------------------------------------------------------------------------------------


@router.post("/jobs", status_code=201, responses=problems(*_STARTING))
def start_job(
    caller: Writer,
    parts: TheParts,
    room: TheRoom,
    asked: StartJob,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=200,
            pattern=r"^[!-~]+$",
            description="The same request sent again with it within 24 hours gets the same answer.",
        ),
    ] = None,
) -> JobStarted:
    """Begin a job: a walled-in process waits for the photo, sealed to the public key that is answered."""
    return service.start(parts, room, caller, asked, key)


@router.get("/jobs", responses=problems(*_CALLER))
def list_jobs(caller: Reader, parts: TheParts, room: TheRoom) -> JobList:
    """List your jobs."""
    return JobList(items=service.listed(parts, room, caller))


@router.get("/jobs/{job_id}", responses=problems(*_FINDING))
def read_job(caller: Reader, parts: TheParts, room: TheRoom, job_id: Id) -> JobView:
    """Read how far a job is, or how it ended."""
    return service.view(service.mine(parts, caller, job_id), room.find(job_id))


@router.put(
    "/jobs/{job_id}/photo",
    status_code=202,
    responses=problems(*_PHOTO),
    openapi_extra={"requestBody": _file("The sealed photo.", SEALED, "image/*") | {"required": True}},
)
async def put_photo(
    request: Request,
    caller: Writer,
    parts: TheParts,
    room: TheRoom,
    job: Annotated[Live, Depends(_write_job)],
) -> JobView:
    """Hand in the photo, sealed. What is wrong is said before a byte of it is read."""
    length, plain = _checked_headers(request, parts)
    # Clauses 5.4b, 1.2.1d: the gate is read before the body is.
    await run_in_threadpool(service.check_consent, parts, caller.account_id, job.order.source)
    feed = Feed(request.stream().__aiter__())
    job.take(feed)
    receiving = partial(way.receive, room, job, feed, length, plain=plain)
    await asyncio.get_running_loop().run_in_executor(room.hands, receiving)
    row = await run_in_threadpool(service.mine, parts, caller, job.id)
    return service.view(row, job)


def _checked_headers(request: Request, parts: Parts) -> tuple[int, bool]:
    """Return a body's length, and whether it is a plain picture; raises BodyError."""
    length = request.headers.get("content-length", "")
    if "transfer-encoding" in request.headers or not (length.isascii() and length.isdigit()):
        raise errors.LengthRequiredError("say the body's length: Content-Length")
    if int(length) > parts.settings.largest_upload:
        raise errors.TooLongError(f"at most {parts.settings.largest_upload} bytes are taken")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    plain = kind.startswith("image/")
    if kind != SEALED and not (plain and parts.settings.plain_uploads):
        # Clause 1.2.2(1): sealed to the cell, unless the operator has decided otherwise.
        raise errors.MediaTypeError(f"seal the photo to the job's key, and send it as {SEALED}")
    return int(length), plain


@router.get("/jobs/{job_id}/events", response_class=EventSourceResponse, responses=problems(*_LIVING))
async def follow_job(
    job: Annotated[Live, Depends(_read_job)],
    last: Annotated[
        str,
        Header(alias="Last-Event-ID", description="The last event that you have; what came after follows."),
    ] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Follow a job: its states and stages as they come, until it is done or ends."""
    async for event in job.log.follow(int(last) if last.isdecimal() and len(last) < 10 else 0):
        yield ServerSentEvent(id=str(event.number), event=event.kind, data=dict(event.data))


@router.get(
    "/jobs/{job_id}/result",
    response_class=Response,
    responses=problems(*_LIVING, errors.ConflictError, errors.RangeError)
    | {
        200: _file("The result.", SEALED, "image/png", "image/jpeg", "image/webp"),
        206: _file("A part of it.", SEALED, "image/png", "image/jpeg", "image/webp"),
    },
)
def read_result(
    job: Annotated[Live, Depends(_read_job)],
    asked: Annotated[str | None, Header(alias="Range", description="A single range of bytes.")] = None,
    only_if: Annotated[str | None, Header(alias="If-Range", description="The ETag it must have.")] = None,
) -> Response:
    """Fetch the result, whole or from where it was cut off. Say by DELETE that you have it."""
    size, tag = reading.size_of(job), f'"{job.id}"'
    part = part_of(size, asked) if only_if in (None, tag) else None
    start, stop = part or (0, size)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "Content-Length": str(stop - start),
        "ETag": tag,
    }
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    status = 200 if part is None else 206
    body = reading.chunks(job, start, stop)
    return StreamingResponse(body, status, headers, reading.media_type(job))


@router.delete(
    "/jobs/{job_id}",
    response_model=ReceiptView,
    responses=problems(*_LIVING, facekit_errors.ErasureError),
)
def end_job(room: TheRoom, job: Annotated[Live, Depends(_end_job)]) -> Response:
    """End a job: say that you have its result, or that you want none. All of it is erased by the answer."""
    return Response(service.finish(room, job), media_type="application/json")


@router.get(
    "/jobs/{job_id}/receipt",
    response_model=ReceiptView,
    responses=problems(
        errors.UnknownCallerError,
        errors.NoScopeError,
        errors.AbsentError,
        errors.ConflictError,
        errors.RefusedError,
        errors.TooManyError,
    ),
)
def read_receipt(caller: Anybody, parts: TheParts, job_id: Id) -> Response:
    """Read the receipt of what was erased of a job; for two years, at last by the job's number alone."""
    if caller.key_id and "jobs:read" not in caller.scopes:
        raise errors.NoScopeError("this needs an API key with the scope 'jobs:read'")
    return Response(service.receipt(parts, caller, job_id), media_type="application/json")
