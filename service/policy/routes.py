"""Ways in to the policy."""

from typing import Annotated

from fastapi import APIRouter, Depends

from service.caller import Access, Caller, Level
from service.errors import ConflictError, UnknownCallerError
from service.parts import Parts, the_parts
from service.policy import service
from service.policy.schemas import Accept, Accepted, PolicyView
from service.problems import problems

router = APIRouter(tags=["policy"])


@router.get("/policy", responses=problems(UnknownCallerError))
def read_policy(
    _: Annotated[Caller, Depends(Access(Level.ANYBODY))], parts: Annotated[Parts, Depends(the_parts)]
) -> PolicyView:
    """Read the version in force. Reading stores nothing."""
    with parts.database.begin() as session:
        found = service.current(session, parts.clock())
    return PolicyView.model_validate(found, from_attributes=True)


@router.post("/policy/acceptances", status_code=201, responses=problems(UnknownCallerError, ConflictError))
def accept_policy(
    caller: Annotated[Caller, Depends(Access(Level.ANYBODY))],
    parts: Annotated[Parts, Depends(the_parts)],
    asked: Accept,
) -> Accepted:
    """Accept the version in force. This is what everything else needs first, and no consent to anything."""
    accepted, token = service.accept(parts, caller, asked.version, asked.digest, asked.language)
    return Accepted(
        id=accepted.id,
        version=accepted.version,
        digest=accepted.digest,
        language=asked.language,
        at=accepted.at,
        token=token,
    )
