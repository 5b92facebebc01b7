"""Cases: how a request goes from receipt to its end, in time, also where nobody was at work.

::

    received ──> verified ──> done         carried out
        │            ├──────> answered     by a person
        │            ├──────> refused      by a person, with ground, evidence and how to appeal
        │            └──────> withdrawn    by who asked
        ├──────────────────> answered, refused, withdrawn
        └──────────────────> lapsed        nobody confirmed who asks; the account stays as it is

What can be carried out without a person is, as soon as it is verified: its last day is only what it may not
miss. Where an account is cancelled, its open cases end with it.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from service.datamap import kept_tables
from service.errors import AbsentError, ConflictError
from service.ops.alarms import raise_alarm
from service.ops.store import Alarm
from service.parts import Parts
from service.rights.cancellation import Cause, cancel, erase_rows, prove
from service.rights.store import Case
from service.tables import Base

#: Clause 5.3 p2 a: calendar days from receipt.
# Clause 5.3 p2 a: 15 calendar days from receipt.
DUE: Final = timedelta(days=15)
#: An alarm is raised this long after receipt, while there is still time.
NEAR: Final = timedelta(days=10)

Kind = Literal["access", "correct", "erase", "cancel", "question", "complaint", "appeal"]
Channel = Literal["app", "mail", "support"]
State = Literal["received", "verified", "done", "answered", "refused", "withdrawn", "lapsed"]
Outcome = Literal["done", "answered", "refused", "withdrawn", "lapsed"]
#: What needs nobody to think about it.
AUTOMATIC: Final = ("access", "erase", "cancel")
#: On these grounds of section 5.5 a request may be refused, and on no other.
Ground = Literal["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8"]


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked for."""

    kind: Kind
    channel: Channel = "app"
    what: str = ""
    about: str = ""
    text: str | None = None


def open_case(parts: Parts, session: Session, account_id: str, asking: Asking, received_at: datetime) -> Case:
    """Open a case; its clock starts at receipt. What comes from the app was confirmed by a fresh code."""
    is_app = asking.channel == "app"
    case = Case(
        id=secrets.token_urlsafe(16),
        account_id=account_id,
        channel=asking.channel,
        kind=asking.kind,
        what=asking.what,
        about=asking.about,
        text=parts.vault.seal(account_id, "cases.text", asking.text) if asking.text else None,
        state="received",
        code=None,
        verified_by="",
        evidence=None,
        answer=None,
        reason="",
        appeal=None,
        decider="",
        steps=[],
        received_at=received_at,
        due_at=received_at + DUE,
        closed_at=None,
    )
    _step(case, "received", asking.channel, received_at)
    if is_app:
        verify(case, "person", parts.clock())
    session.add(case)
    return case


def open_one(session: Session, case_id: str, account_id: str = "") -> Case:
    """Return a case that is open, and hold on to it; raises AbsentError, ConflictError."""
    case = session.scalar(select(Case).where(Case.id == case_id).with_for_update())
    if case is None or (account_id and case.account_id != account_id):
        raise AbsentError("there is no such request")
    if case.closed_at is not None:
        raise ConflictError("this request is closed")
    return case


def verify(case: Case, by: Literal["person", "operator"], now: datetime) -> None:
    """Write down that who asks is who they say; once."""
    if case.state != "received":
        raise ConflictError("who asks has been confirmed already")
    case.state, case.verified_by, case.code = "verified", by, None
    _step(case, "verified", by, now)


def close(parts: Parts, session: Session, case: Case, outcome: Outcome, by: str, now: datetime) -> None:
    """Close a case, and leave the proof of when."""
    case.state, case.closed_at, case.code = outcome, now, None
    _step(case, outcome, by, now)
    prove(parts, session, case, outcome, now)


def carry_out(parts: Parts, case_id: str) -> str | None:
    """Do what a verified case asks for, where that needs nobody; return the receipt of a cancellation."""
    with parts.database.begin() as session:
        case = open_one(session, case_id)
        if case.state != "verified" or case.kind not in AUTOMATIC:
            raise ConflictError("this cannot be carried out yet, or needs a person")
    if case.kind == "cancel":
        cause: dict[str, Cause] = {"app": "settings", "mail": "mail", "support": "support"}
        return cancel(parts, case.account_id, cause[case.channel]).document
    if case.kind == "erase":
        stop_what_writes(parts, case.account_id, case.what)
    with parts.database.begin() as session:
        case = open_one(session, case_id)
        if case.kind == "erase":
            erase_rows(session, case.account_id, tables_of(case.what))
        close(parts, session, case, "done", "the service", parts.clock())
    return None


def erasable() -> dict[str, tuple[str, ...]]:
    """Return what can be erased while the account stays, with the tables where it is.

    Not among it is what the account cannot be without (phone and handle can be changed), and the record of
    what was accepted and consented to, by which the service answers for what it did: withdrawing ends that.
    """
    named: dict[str, tuple[str, ...]] = {}
    for table, kept in kept_tables(Base).items():
        if kept.alone:
            named[kept.alone] = (*named.get(kept.alone, ()), table)
    return dict(sorted(named.items()))


def tables_of(what: str) -> tuple[str, ...]:
    """Return the tables of something that can be erased alone; none where there is no such thing."""
    return erasable().get(what, ())


def stop_what_writes(parts: Parts, account_id: str, what: str) -> None:
    """End what would go on writing to what is to be erased."""
    if what == "jobs":
        parts.jobs.stop(account_id)


def catch_up(parts: Parts) -> dict[str, int]:
    """Raise alarms that are due; then carry out what is verified, and let lapse what nobody confirmed.

    In this order also after an outage: nothing is late without an alarm before.
    """
    now = parts.clock()
    with parts.database.begin() as session:
        alarms = raise_alarms(parts, session)
    with parts.database.begin() as session:
        is_open = Case.closed_at.is_(None)
        ready = session.scalars(
            select(Case.id).where(is_open, Case.state == "verified", Case.kind.in_(AUTOMATIC))
        ).all()
        silent = session.scalars(
            select(Case.id).where(is_open, Case.state == "received", Case.due_at <= now)
        ).all()
    done = sum(_try(parts, case_id) for case_id in ready)
    for case_id in silent:
        with parts.database.begin() as session:
            close(parts, session, open_one(session, case_id), "lapsed", "the service", now)
    return {"alarms": alarms, "cases carried out": done, "cases lapsed": len(silent)}


def raise_alarms(parts: Parts, session: Session) -> int:
    """Raise an alarm about each open case whose last day is near or past; return how many were new."""
    raised, now = 0, parts.clock()
    for kind, since in (("case near", Case.received_at <= now - NEAR), ("case late", Case.due_at <= now)):
        known = exists().where(Alarm.kind == kind, Alarm.about == Case.id)
        for case_id in session.scalars(select(Case.id).where(Case.closed_at.is_(None), since, ~known)):
            raised += raise_alarm(parts, session, kind, case_id)
    return raised


def _try(parts: Parts, case_id: str) -> bool:
    """Carry out one case; a fault in it keeps none of the others waiting."""
    try:
        carry_out(parts, case_id)
    except Exception as error:  # whatever it is, somebody has to know
        parts.logs.defect(error)
        with parts.database.begin() as session:
            raise_alarm(parts, session, "case failed", case_id)
        return False
    return True


def _step(case: Case, step: str, by: str, at: datetime) -> None:
    steps: list[dict[str, Any]] = case.steps
    case.steps = [*steps, {"step": step, "by": by, "at": at.isoformat(timespec="seconds")}]
