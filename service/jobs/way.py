"""A job's way: a photo comes in and is stored sealed, a cell works, the sealed result is kept."""

import time
from collections.abc import Iterator
from datetime import timedelta

from facekit.envelope import HEADER_SIZE, data_size, seal_chunks
from facekit.errors import CellCrashedError, ErasedError
from facekit.pool import CellResult
from facekit.receipts import What
from service.errors import GoneError, NoConsentError
from service.jobs import ledger
from service.jobs.events import MOST
from service.jobs.feed import Feed
from service.jobs.live import ENDED, Live, State
from service.jobs.room import Room
from service.logs import size_range


def receive(room: Room, job: Live, feed: Feed, length: int, *, plain: bool) -> None:
    """Store a photo as it comes in, on one of the room's `hands`; then the job waits for its turn.

    Parameters
    ----------
    room : Room
        Where the job lives.
    job : Live
        That has taken the feed.
    feed : Feed
        The photo: an envelope, or a picture.
    length : int
        How many bytes it is said to have.
    plain : bool
        Whether it is a picture.

    Raises
    ------
    ServiceError, FacekitError
        What was wrong with it. The job has failed, and is erased.
    """
    try:
        how = "plain" if plain else "sealed"
        ledger.move(room.parts, job.id, upload=how, size=size_range(str(length)))
        parts: Iterator[bytes] = feed.parts()
        if plain:
            # Clause 1.2.2(4)a: sealed to the cell as it comes, so that the disk has no other form of it.
            job.scratch.upload = "plain"
            parts = seal_chunks(parts, job.lease.public_key, job=job.id)
        job.upload = job.scratch.keep(What.UPLOAD_STORED, parts)
        job.deadline = None
        _move(room, job, "queued")
        room.workers.submit(_work, room, job)
    except BaseException as error:
        has_ended = job.outcome is not None
        room.fail(job, error)
        if has_ended or isinstance(error, ErasedError):
            raise GoneError(ENDED) from None
        raise


def _work(room: Room, job: Live) -> None:
    """Have a cell do the job, on a thread of its own."""
    try:
        _check(room, job)
        assert job.upload is not None  # noqa: S101 (`receive` has stored it)
        result = room.stock.cells().run(
            job.lease,
            job.upload.chunks(),
            job.order.effect,
            job.order.options,
            result_key=job.order.result_key,
            progress=lambda stage: _progress(room, job, stage),
            scratch=job.scratch,
        )
        _keep(room, job, result)
    except BaseException as error:
        room.fail(job, error)


def _progress(room: Room, job: Live, stage: str) -> None:
    """Tell of a stage, having looked whether the job is still wanted."""
    # Clause 5.4b: consent and permission are read between the steps, too.
    _check(room, job)
    if stage == "opened":
        _move(room, job, "running")
    job.stages += 1
    if job.stages > MOST:  # a cell that was taken over could go on for ever
        raise CellCrashedError("the job's process told of more stages than there are")
    job.stage = stage
    job.log.add("stage", {"stage": stage})


def _check(room: Room, job: Live) -> None:
    job.check()
    if ledger.unwanted(room.parts, [job]):
        raise NoConsentError("face.effect")


def _keep(room: Room, job: Live, result: CellResult) -> None:
    """Keep the sealed result for as long as it may be fetched."""
    # Clause 1.2.2(4)a: sealed to the client's key, or to one that this process holds in memory.
    kept = job.scratch.keep(What.RESULT_STORED, result.sealed)
    seconds = room.parts.settings.result_seconds
    with job.lock:
        job.check()
        job.result, job.keys, job.upload = kept, result.keys, None
        job.size = kept.size
        if result.keys is not None:
            job.size = data_size(result.sealed[:HEADER_SIZE], kept.size)
        job.ends = time.monotonic() + seconds
        job.deadline = room.parts.clock() + timedelta(seconds=seconds)
    _move(room, job, "done", last=True)
    room.tell_webhook(job, "done")


def _move(room: Room, job: Live, state: State, *, last: bool = False) -> None:
    with job.lock:
        job.check()
        job.state = state
    ledger.move(room.parts, job.id, state=state)
    job.log.add("state", {"state": state}, last=last)
