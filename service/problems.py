"""From errors to problem details (RFC 9457): one table, and nowhere else does an error know its status.

References
----------
.. [1] Nottingham, Wilde & Dalal, "Problem Details for HTTP APIs", RFC 9457, 2023.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import Field
from starlette.exceptions import HTTPException

from facekit import errors as facekit_errors
from service import errors
from service.schemas import Schema, field_names

MEDIA_TYPE: Final = "application/problem+json"


class Fault(Schema):
    """One thing that is wrong with a request."""

    where: str = Field(alias="in", description="Where, by names of the schema.", examples=["body.phone"])
    fault: str = Field(description="What is wrong, as a word.", examples=["string_too_long"])


class Problem(Schema):
    """What went wrong, and what to do (RFC 9457)."""

    type: str = Field(description="The kind of problem; constant.", examples=["/v1/problems/absent"])
    title: str = Field(
        description="The kind of problem, in words; constant.", examples=["There is no such thing"]
    )
    status: int = Field(description="The HTTP status.", ge=400, le=599, examples=[404])
    detail: str = Field(description="What to do about it.", examples=["look at what there is"])
    faults: tuple[Fault, ...] = Field((), description="Of a malformed request, everything that is wrong.")
    purpose: str = Field("", description="The consent that is missing.", examples=["face.effect"])
    permission: str = Field("", description="The permission that is missing.", examples=["camera"])


@dataclass(frozen=True, slots=True)
class Kind:
    """What an error is in HTTP."""

    status: int
    slug: str
    title: str


#: Every error that can come out of a route. An error that is not here counts as its nearest ancestor.
PROBLEMS: Final[dict[type[Exception], Kind]] = {
    errors.UnknownCallerError: Kind(401, "unknown-caller", "Nobody has signed in"),
    errors.NotAllowedError: Kind(403, "not-allowed", "Not allowed"),
    errors.NotAcceptedError: Kind(403, "policy-not-accepted", "The policy has not been accepted"),
    errors.NoConsentError: Kind(403, "no-consent", "A consent or permission is missing"),
    errors.NotAttestedError: Kind(403, "not-attested", "Nothing was said of the person shown"),
    errors.NoScopeError: Kind(403, "no-scope", "The API key has not the scope"),
    errors.StepUpError: Kind(401, "step-up", "A fresh code is needed"),
    errors.SecondFactorError: Kind(401, "second-factor", "The second factor is needed"),
    errors.AbsentError: Kind(404, "absent", "There is no such thing"),
    errors.GoneError: Kind(410, "gone", "It has been erased"),
    errors.ConflictError: Kind(409, "conflict", "It contradicts what is there"),
    errors.MalformedError: Kind(422, "invalid", "The request is not as it should be"),
    errors.RefusedError: Kind(422, "refused", "It cannot be used"),
    errors.TooManyError: Kind(429, "too-many", "Too often"),
    errors.LengthRequiredError: Kind(411, "length-required", "The length of the body is missing"),
    errors.TooLongError: Kind(413, "too-long", "The body is too long"),
    errors.MediaTypeError: Kind(415, "media-type", "The body is of another kind"),
    errors.BrokenOffError: Kind(408, "broken-off", "The body broke off, or came too slowly"),
    errors.RangeError: Kind(416, "range", "There is no such range"),
    errors.UpstreamError: Kind(502, "upstream", "Another party did not do its part"),
    errors.ClosedError: Kind(503, "closed", "The service is closed"),
    errors.EndedError: Kind(410, "ended", "The service has ended"),
    facekit_errors.FacekitError: Kind(422, "refused", "It cannot be used"),
    facekit_errors.DecodeError: Kind(422, "decode", "The picture cannot be read"),
    facekit_errors.NoFaceError: Kind(422, "no-face", "There is no face in it"),
    facekit_errors.FaceIndexError: Kind(422, "face-index", "There are fewer faces in it"),
    facekit_errors.SealError: Kind(422, "seal", "The envelope does not open"),
    facekit_errors.TooLargeError: Kind(413, "too-large", "The picture is too large"),
    facekit_errors.ErasedError: Kind(410, "gone", "It has been erased"),
    facekit_errors.ErasureError: Kind(503, "not-erased", "It could not be erased yet"),
    facekit_errors.QueueFullError: Kind(429, "queue-full", "Too many jobs wait"),
    facekit_errors.CellTimeoutError: Kind(
        410, "timeout", "The job took too long, or its photo came too late"
    ),
    facekit_errors.CellMemoryError: Kind(422, "memory", "The picture needs more memory than a job may have"),
    facekit_errors.CellError: Kind(503, "cell", "The job's process did not finish it"),
}
_DEFECT: Final = Kind(500, "defect", "A defect in the service")
_BUSY: Final = 2.0  # seconds, where a queue is full or cells are being started


def problems(*kinds: type[Exception]) -> dict[int | str, dict[str, Any]]:
    """Return a route's ``responses`` for the errors that it can end in.

    Parameters
    ----------
    *kinds : exception types
        Of `PROBLEMS`; several may share a status.
    """
    found: dict[int, list[Kind]] = {}
    for kind in kinds:
        found.setdefault(PROBLEMS[kind].status, []).append(PROBLEMS[kind])
    return {
        status: {
            "description": "; ".join(dict.fromkeys(kind.title for kind in those)),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {kind.slug: {"value": _example(kind)} for kind in those},
                }
            },
        }
        for status, those in found.items()
    }


def answer(error: Exception) -> Response:
    """Return the response for an error."""
    kind = kind_of(error)
    body, headers = _body(kind, str(error) if kind is not _DEFECT else "it has been written down"), {}
    if isinstance(error, errors.NoConsentError):
        body |= {error.kind: error.name}
    if isinstance(error, errors.TooManyError):
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    elif kind.status in (429, 503):
        headers["Retry-After"] = str(math.ceil(_BUSY))
    if isinstance(error, errors.RangeError):
        headers["Content-Range"] = f"bytes */{error.size}"
    if kind.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _response(body, kind.status, headers)


def kind_of(error: BaseException) -> Kind:
    """Return what an error is in HTTP: its own line of the table, or its nearest ancestor's."""
    return next((PROBLEMS[one] for one in type(error).__mro__ if one in PROBLEMS), _DEFECT)


def install(app: FastAPI) -> None:
    """Have an application answer by the table."""
    app.add_exception_handler(errors.ServiceError, _handle)
    app.add_exception_handler(facekit_errors.FacekitError, _handle)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _handle(_: Request, error: Exception) -> Response:
    if kind_of(error) is _DEFECT:
        raise error  # to where it is written down
    return answer(error)


async def _invalid(_: Request, error: Exception) -> Response:
    """Say which field is wrong and what was wanted; never what came in, which may be anything."""
    # Clause 1.1.1(1): what is not asked for is refused, and not repeated.
    assert isinstance(error, RequestValidationError)  # noqa: S101 (what it is installed for)
    kind = PROBLEMS[errors.MalformedError]
    faults = [{"in": _place(one), "fault": str(one["type"])} for one in error.errors()]
    return _response({**_body(kind, "see faults"), "faults": faults}, kind.status, {})


async def _http(_: Request, error: Exception) -> Response:
    """Give the framework's own errors the same form."""
    assert isinstance(error, HTTPException)  # noqa: S101 (what it is installed for)
    kind, detail = _FRAMEWORK.get(error.status_code, (Kind(error.status_code, "http", "No answer"), ""))
    return _response(_body(kind, detail or "see the status"), kind.status, dict(error.headers or {}))


#: What the framework itself refuses.
_FRAMEWORK: Final = {
    400: (PROBLEMS[errors.MalformedError], "the body is no JSON in UTF-8"),
    404: (Kind(404, "no-route", "There is no such route"), "GET /v1/openapi.json lists them"),
    405: (Kind(405, "no-method", "The route has no such method"), "Allow says which it has"),
    413: (PROBLEMS[errors.TooLongError], "send less"),
}


def _place(fault: Any) -> str:
    """Say where, by names of the schema: the name of an unknown field came in, and is not repeated."""
    first, *rest = fault["loc"]
    declared = first != "body" and fault["type"] != "extra_forbidden"
    told = (part for part in rest if declared or isinstance(part, int) or part in field_names())
    return ".".join(map(str, (first, *told)))


def _example(kind: Kind) -> dict[str, Any]:
    body = _body(kind, "what to do about it")
    if kind is PROBLEMS[errors.NoConsentError]:
        body["purpose"] = "face.effect"
    if kind is PROBLEMS[errors.MalformedError]:
        body["faults"] = [{"in": "body.phone", "fault": "string_pattern_mismatch"}]
    return body


def _body(kind: Kind, detail: str) -> dict[str, Any]:
    return {"type": f"/v1/problems/{kind.slug}", "title": kind.title, "status": kind.status, "detail": detail}


def _response(body: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    return JSONResponse(body, status, {"Cache-Control": "no-store", **headers}, MEDIA_TYPE)
