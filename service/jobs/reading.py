"""Reading a result, whole or in part: from its envelope, or opened for as long as somebody reads."""

from collections.abc import Iterator
from typing import Final

from facekit.envelope import open_sealed
from facekit.receipts import What
from service.errors import ConflictError
from service.jobs.live import Live

SEALED: Final = "application/vnd.facekit.sealed"
_CHUNK: Final = 256 * 1024  # bytes


def media_type(job: Live) -> str:
    """Return what kind of file the result is, as it is given out."""
    return SEALED if job.order.result_key is not None else f"image/{job.order.options.get('format', 'png')}"


def size_of(job: Live) -> int:
    """Return how many bytes it has, as it is given out.

    Raises
    ------
    GoneError
        The job has ended.
    ConflictError
        It is not there yet.
    """
    job.check()
    if job.size is None:
        raise ConflictError("the result is not there yet; follow the job's events")
    return job.size


def chunks(job: Live, start: int, stop: int) -> Iterator[bytes]:
    """Read a part of the result.

    Parameters
    ----------
    job : Live
        That is done.
    start, stop : int
        The first byte, and the one after the last.

    Yields
    ------
    bytes
        A quarter of a megabyte at most.

    Raises
    ------
    ErasedError
        The job ended meanwhile. What was sent so far is shorter than was said, so that no client takes it
        for the whole.
    """
    read = _sealed if job.order.result_key is not None else _opened
    return read(job, start, stop)


def _sealed(job: Live, start: int, stop: int) -> Iterator[bytes]:
    if (kept := job.result) is None:
        job.check()
        return
    for place in range(start, stop, _CHUNK):
        yield kept.read(place, min(_CHUNK, stop - place))


def _opened(job: Live, start: int, stop: int) -> Iterator[bytes]:
    """Open the result for the first reader, and overwrite it after the last."""
    with job.lock:
        if job.opened is None:
            job.check()
            assert job.result is not None  # noqa: S101 (`size_of` was asked before)
            assert job.keys is not None  # noqa: S101
            picture = open_sealed(job.result.read(), job.keys, job=job.id, direction="result")
            job.opened = job.scratch.hold(picture, What.RESULT_HELD)
        job.readers += 1
    try:
        for place in range(start, stop, _CHUNK):
            with job.lock:
                job.check()
                part = bytes(memoryview(job.opened)[place : min(place + _CHUNK, stop)])
            yield part
    finally:
        with job.lock:
            job.readers -= 1
            if not job.readers:
                job.scratch.erase(What.RESULT_HELD)
                job.opened = None
