"""Why those who run the service do what they do: they say so on every route that is theirs."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header
from pydantic import StringConstraints

from service.caller import Access, Caller, Level
from service.ops.audit import Grounds, Reason

Ticket = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9#/_-]{1,40}$")]


def grounds(*, leaving: bool = False) -> Callable[..., Grounds]:
    """Return a dependency that lets operators in, and asks them for a reason and a ticket.

    Parameters
    ----------
    leaving : bool
        Whether it is also for who has not accepted the current version.
    """

    def the_grounds(
        caller: Annotated[Caller, Depends(Access(Level.OPERATOR, leaving=leaving))],
        reason: Annotated[Reason, Header(alias="Facekit-Reason", description="What for.")],
        ticket: Annotated[Ticket, Header(alias="Facekit-Ticket", description="By which ticket.")],
    ) -> Grounds:
        return Grounds(caller.account_id, reason, ticket)

    return the_grounds


TheGrounds = Annotated[Grounds, Depends(grounds())]
