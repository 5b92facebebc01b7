"""Choosing, and what has been chosen.

A choice holds for the words that were shown: where the purpose's words, data or recipients change, its
digest does, and it is off for everybody until they choose again (clauses 1.3 (head) b, 8).
"""

import secrets
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.consent.store import Choice
from service.errors import AbsentError, NoConsentError
from service.parts import Parts
from service.policy.registry import PERMISSIONS, PURPOSES, Language
from service.policy.service import current

Kind = Literal["purpose", "permission"]
Method = Literal["request", "signal"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a purpose or a permission stands for an account."""

    name: str
    granted: bool
    choice: Choice | None


def digest_of(kind: Kind, name: str) -> str:
    """Return the digest of what is shown; raises AbsentError."""
    found = PURPOSES.get(name) if kind == "purpose" else PERMISSIONS.get(name)
    if found is None:
        raise AbsentError(f"there is no such {kind}: GET /v1/{_PLURAL[kind]} lists them")
    return found.digest


_PLURAL: Final = {"purpose": "consents", "permission": "permissions"}


def standing(session: Session, account_id: str, kind: Kind, name: str) -> Standing:
    """Say whether something is on for an account."""
    digest = digest_of(kind, name)
    last = session.scalar(
        select(Choice)
        .where(Choice.account_id == account_id, Choice.kind == kind, Choice.name == name)
        .order_by(Choice.number.desc())
        .limit(1)
    )
    return Standing(name, last is not None and last.granted and last.digest == digest, last)


def require(session: Session, account_id: str, name: str, kind: Kind = "purpose") -> None:
    """Refuse unless something is on; raises NoConsentError."""
    # Clauses 5.4b, 1.3.8(3): read at each step, so that what was withdrawn stops.
    if not standing(session, account_id, kind, name).granted:
        raise NoConsentError(name, kind)


def choose(
    parts: Parts,
    account_id: str,
    kind: Kind,
    name: str,
    *,
    granted: bool,
    language: Language = "en",
    method: Method = "request",
) -> Choice:
    """Write down a choice; what depends on something that is turned off stops, and what it had is erased."""
    with parts.database.begin() as session:
        choice = record(
            parts, session, account_id, kind, name, granted=granted, language=language, method=method
        )
        if not granted and kind == "purpose" and name in parts.forget:
            parts.forget[name](session, account_id)
    if not granted and name == "face.effect":
        parts.jobs.stop(account_id)
    if not granted and kind == "permission":
        parts.jobs.stop(account_id, permission=name)
    return choice


def record(
    parts: Parts,
    session: Session,
    account_id: str,
    kind: Kind,
    name: str,
    *,
    granted: bool,
    language: Language = "en",
    method: Method = "request",
) -> Choice:
    """Write down a choice within a transaction of the caller's."""
    now = parts.clock()
    last = session.scalar(select(func.max(Choice.number)).where(Choice.account_id == account_id))
    choice = Choice(
        id=secrets.token_urlsafe(16),
        number=(last or 0) + 1,
        account_id=account_id,
        kind=kind,
        name=name,
        granted=granted,
        digest=digest_of(kind, name),
        version=current(session, now).version,
        language=language,
        method=method,
        at=now,
    )
    session.add(choice)
    return choice
