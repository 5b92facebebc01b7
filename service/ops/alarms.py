"""Alarms: what somebody has to look at, kept until it was seen, and told to the logs."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.errors import AbsentError
from service.logs import Deed
from service.ops.store import Alarm
from service.parts import Parts


def raise_alarm(parts: Parts, session: Session, kind: str, about: str) -> bool:
    """Raise an alarm, unless the same has been raised; say whether it was new."""
    if session.get(Alarm, (kind, about)) is not None:
        return False
    session.add(Alarm(kind=kind, about=about, raised_at=parts.clock(), seen_at=None))
    parts.logs.write(Deed(deed=f"alarm {kind}", count=1))
    return True


def list_alarms(session: Session) -> list[Alarm]:
    """Return all alarms, those first that nobody has seen."""
    return list(session.scalars(select(Alarm).order_by(Alarm.seen_at.is_not(None), Alarm.raised_at)))


def see(session: Session, kind: str, about: str, now: datetime) -> Alarm:
    """Write down that somebody has seen an alarm; raises AbsentError."""
    found = session.get(Alarm, (kind, about))
    if found is None:
        raise AbsentError("there is no such alarm")
    found.seen_at = found.seen_at or now
    return found
