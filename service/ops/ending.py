"""The end of the service: when it is, and what then closes."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from service.errors import EndedError
from service.ops.store import Ending

#: Whether, at the moment `now`, it has ended: for statements that ask for more than that.
HAS_ENDED: Final = exists().where(Ending.ends_at <= bindparam("now"))


def ends_at(session: Session) -> datetime | None:
    """Return when the service ends, if that has been announced."""
    return session.scalar(select(Ending.ends_at))


def require_running(session: Session, now: datetime) -> None:
    """Refuse once the service has ended; raises EndedError."""
    # Clause 4.1b: from the last day on nothing new is taken in. Who leaves still can.
    end = ends_at(session)
    if end is not None and end <= now:
        raise EndedError
