"""Accepting the policy."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from service.accounts.store import Account
from service.caller import Caller
from service.errors import ConflictError, NotAcceptedError
from service.parts import Parts
from service.policy.registry import Language
from service.policy.store import Acceptance
from service.policy.versions import IN_FORCE, current, later

__all__ = [
    "ACCEPTED",
    "NOT_ACCEPTED",
    "UNBOUND",
    "accept",
    "bind_acceptance",
    "current",
    "find_acceptance",
]

#: How long an acceptance waits for who gave it to sign in.
UNBOUND: Final = timedelta(hours=1)
NOT_ACCEPTED: Final = (
    "accept the policy first: POST /v1/policy/acceptances, and send its token as Facekit-Acceptance"
)

#: Whether an account that a statement is about has accepted the version that is in force at `now`.
ACCEPTED: Final = exists().where(
    Acceptance.account_id == Account.id, Acceptance.version == IN_FORCE.scalar_subquery()
)


def accept(
    parts: Parts, caller: Caller, version: str, digest: str, language: Language
) -> tuple[Acceptance, str | None]:
    """Write down that somebody accepts; returns it, and for who has not signed in a token.

    Who has an account can accept a version before it comes into force, so that nothing stops on that day.
    """
    # Clause P-3: this is no consent; `consent.service.choose` alone writes those.
    now = parts.clock()
    token = None if caller.account_id else secrets.token_urlsafe(32)
    with parts.database.begin() as session:
        open_to = [current(session, now), *(later(session, now) if caller.account_id else ())]
        if (version, digest) not in {(one.version, one.digest) for one in open_to}:
            raise ConflictError("this is not the version in force: GET /v1/policy shows it")
        accepted = Acceptance(
            id=secrets.token_urlsafe(16),
            token=_mark(token) if token else None,
            account_id=caller.account_id or None,
            version=version,
            digest=digest,
            language=language,
            at=now,
        )
        session.add(accepted)
    return accepted, token


def find_acceptance(session: Session, token: str, now: datetime) -> Acceptance:
    """Return an acceptance that has no account yet; raises NotAcceptedError."""
    found = session.scalar(
        select(Acceptance).where(
            Acceptance.token == _mark(token), Acceptance.account_id.is_(None), Acceptance.at > now - UNBOUND
        )
    )
    if found is None:
        raise NotAcceptedError(NOT_ACCEPTED)
    return found


def bind_acceptance(session: Session, acceptance_id: str, account_id: str) -> None:
    """Give an acceptance to the account that signs in with it first, and to no other."""
    session.execute(
        update(Acceptance)
        .where(Acceptance.id == acceptance_id, Acceptance.account_id.is_(None))
        .values(account_id=account_id, token=None)
    )


def _mark(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
