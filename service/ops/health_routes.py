"""Ways in for machines that watch over the service, and for who finds a hole in it."""

from datetime import timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse

from service.caller import Access, Caller, Level
from service.errors import (
    AbsentError,
    ClosedError,
    NoScopeError,
    NotAcceptedError,
    NotAllowedError,
    SecondFactorError,
    UnknownCallerError,
)
from service.ops import health
from service.parts import Parts, the_parts
from service.problems import problems
from service.schemas import Schema

router = APIRouter(tags=["ops"])
well_known = APIRouter(tags=["ops"])

Anybody = Annotated[Caller, Depends(Access(Level.ANYBODY))]
# Machines read it every minute, and it shows nobody: the one operator route without a reason and a ticket.
Operator = Annotated[Caller, Depends(Access(Level.OPERATOR))]
TheParts = Annotated[Parts, Depends(the_parts)]

_VALID: Final = timedelta(days=180)


class Health(Schema):
    """All is well; else there is a problem in its place."""

    status: Literal["ok"]


@router.get("/healthz", responses=problems(UnknownCallerError))
def is_alive(_: Anybody) -> Health:
    """Say that the process answers."""
    return Health(status="ok")


@router.get("/readyz", responses=problems(UnknownCallerError, ClosedError))
def is_ready(_: Anybody, parts: TheParts) -> Health:
    """Say whether the service can do its work. What is wrong, if something is, only operators see."""
    if health.faults(parts):
        raise ClosedError("the service is not ready; try again later")
    return Health(status="ok")


@router.get(
    "/ops/metrics",
    response_class=PlainTextResponse,
    responses=problems(
        UnknownCallerError, NotAllowedError, NotAcceptedError, NoScopeError, SecondFactorError
    ),
)
def read_metrics(_: Operator, parts: TheParts) -> str:
    """Read counts, in Prometheus' text format; what counts people counts at least twenty."""
    return health.metrics(parts)


@well_known.get(
    "/.well-known/security.txt",
    response_class=PlainTextResponse,
    responses=problems(UnknownCallerError, AbsentError),
)
def read_security_contact(_: Anybody, parts: TheParts) -> str:
    """Say whom to tell of a hole (RFC 9116)."""
    # Clause 4.2: researchers find the address in a public file.
    if not parts.settings.contact:
        raise AbsentError("this installation has named nobody: FACEKIT_CONTACT")
    expires = (parts.clock() + _VALID).replace(microsecond=0)
    lines = [
        f"Contact: mailto:{parts.settings.contact}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en, zh",
    ]
    if parts.settings.public_url:
        lines.append(f"Canonical: {parts.settings.public_url.rstrip('/')}/.well-known/security.txt")
    return "\n".join(lines) + "\n"
