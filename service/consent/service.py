"""Choosing, and what has been chosen.

A choice holds for the words that were shown: where the purpose's words, data or recipients change, its
digest does, and it is off for everybody until they choose again (clauses 1.3 (head) b, 8).
"""

import secrets
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.accounts.store import Account, mark_used
from service.consent.store import Choice
from service.errors import AbsentError, ConflictError, NoConsentError, NotAllowedError, UnknownCallerError
from service.parts import Parts
from service.policy import registry
from service.policy.registry import Language, Permission, Purpose
from service.policy.versions import current_registers

Kind = Literal["purpose", "permission"]
Method = Literal["request", "signal"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a purpose or a permission stands for an account."""

    name: str
    granted: bool
    choice: Choice | None


def shown(kind: Kind, name: str) -> Purpose | Permission:
    """Return a purpose or a permission, with its words; raises AbsentError."""
    found = registry.PURPOSES.get(name) if kind == "purpose" else registry.PERMISSIONS.get(name)
    if found is None:
        raise AbsentError(f"there is no such {kind}: GET /v1/{_PLURAL[kind]} lists them")
    return found


def digest_of(kind: Kind, name: str) -> str:
    """Return the digest of what is shown; raises AbsentError."""
    return shown(kind, name).digest


_PLURAL: Final = {"purpose": "consents", "permission": "permissions"}


def standing(session: Session, account_id: str, kind: Kind, name: str) -> Standing:
    """Say whether something is on for an account."""
    last = session.scalar(
        select(Choice)
        .where(Choice.account_id == account_id, Choice.kind == kind, Choice.name == name)
        .order_by(Choice.number.desc())
        .limit(1)
    )
    return _standing(kind, name, last)


def standings(session: Session, account_id: str, kind: Kind) -> list[Standing]:
    """Say of all purposes, or of all permissions, whether they are on for an account."""
    last = (
        select(func.max(Choice.number))
        .where(Choice.account_id == account_id, Choice.kind == kind)
        .group_by(Choice.name)
    )
    found = select(Choice).where(Choice.account_id == account_id, Choice.number.in_(last))
    choices = {one.name: one for one in session.scalars(found)}
    every = registry.PURPOSES if kind == "purpose" else registry.PERMISSIONS
    return [_standing(kind, name, choices.get(name)) for name in every]


def _standing(kind: Kind, name: str, last: Choice | None) -> Standing:
    digest = digest_of(kind, name)
    return Standing(name, last is not None and last.granted and last.digest == digest, last)


def require(session: Session, account_id: str, name: str, kind: Kind = "purpose") -> None:
    """Refuse unless something is on; raises NoConsentError."""
    # Clause 1.2.1d: what is off is asked for by its name, and blocks nothing else.
    # Clauses 5.4b, 1.3.8(3): read at each step, so that what was withdrawn stops.
    if not standing(session, account_id, kind, name).granted:
        raise NoConsentError(name, kind)


def turn_on(
    parts: Parts, account_id: str, kind: Kind, name: str, digest: str, language: Language, *, opted_out: bool
) -> Choice:
    """Turn something on for who was shown its words.

    Raises
    ------
    AbsentError
        There is no such purpose or permission.
    ConflictError
        Other words were shown than it has now, or the version in force does not state it like this.
    NotAllowedError
        It tracks, and the browser says no to that.
    """
    wanted = shown(kind, name)
    # Clause 1.3.7: a browser's opt-out signal counts as a no.
    if opted_out and isinstance(wanted, Purpose) and wanted.tracking:
        raise NotAllowedError("your browser sends Sec-GPC: 1, which says no to this; turn that off first")
    if digest != wanted.digest:
        raise ConflictError("the words have changed since they were shown; show them again")
    return choose(parts, account_id, kind, name, granted=True, language=language)


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
    now, digest = parts.clock(), digest_of(kind, name)
    # One after the other: of two choices at once, it has to be certain which was the later.
    if session.scalar(select(Account.id).where(Account.id == account_id).with_for_update()) is None:
        raise UnknownCallerError("this account has been erased")
    mark_used(session, account_id, now)
    version, registers = current_registers(session, now)
    if granted and registers[f"{kind}s"].get(name, {}).get("digest") != digest:
        raise ConflictError("the version in force does not say this yet: GET /v1/policy tells from when on")
    last = session.scalar(select(func.max(Choice.number)).where(Choice.account_id == account_id))
    # Clause 5.4c: a row is added, and none is changed.
    choice = Choice(
        id=secrets.token_urlsafe(16),
        number=(last or 0) + 1,
        account_id=account_id,
        kind=kind,
        name=name,
        granted=granted,
        digest=digest,
        version=version,
        language=language,
        method=method,
        at=now,
    )
    session.add(choice)
    return choice


def opt_out(parts: Parts, account_id: str) -> None:
    """Turn off what tracks and is on, because a browser's signal says so."""
    tracking = [name for name, one in registry.PURPOSES.items() if one.tracking]
    if not tracking:
        return
    with parts.database.begin() as session:
        on = [name for name in tracking if standing(session, account_id, "purpose", name).granted]
    for name in on:
        choose(parts, account_id, "purpose", name, granted=False, method="signal")


def history(session: Session, account_id: str, before: int | None, most: int) -> list[Choice]:
    """Return an account's choices, the last one first."""
    asked = select(Choice).where(Choice.account_id == account_id)
    if before is not None:
        asked = asked.where(Choice.number < before)
    return list(session.scalars(asked.order_by(Choice.number.desc()).limit(most)))


def find(session: Session, account_id: str, choice_id: str) -> Choice:
    """Return one of an account's choices; raises AbsentError."""
    found = session.scalar(select(Choice).where(Choice.id == choice_id, Choice.account_id == account_id))
    if found is None:
        raise AbsentError("there is no such choice: GET /v1/consents/history lists yours")
    return found
