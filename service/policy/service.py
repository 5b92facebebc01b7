"""Publishing the policy, and accepting it."""

import hashlib
import json
import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from facekit.policy import policy_text
from service.caller import Caller
from service.errors import AbsentError, ConflictError, NotAcceptedError
from service.parts import Parts
from service.policy.registry import Language, registries
from service.policy.store import Acceptance, PolicyVersion

#: How long an acceptance waits for who gave it to sign in.
UNBOUND: Final = timedelta(hours=1)
NOT_ACCEPTED: Final = (
    "accept the policy first: POST /v1/policy/acceptances, and send its token as Facekit-Acceptance"
)


def current(session: Session, now: datetime) -> PolicyVersion:
    """Return the version in force."""
    found = session.scalar(
        select(PolicyVersion)
        .where(PolicyVersion.effective_at <= now)
        .order_by(PolicyVersion.effective_at.desc(), PolicyVersion.published_at.desc())
        .limit(1)
    )
    if found is None:
        raise AbsentError("no version of the policy is in force")
    return found


def version_of(text: str, stated: dict[str, object]) -> tuple[str, str]:
    """Return a version's name, of its text and registries, and the digest of its text."""
    whole = json.dumps({"text": text, "registries": stated}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()[:16], hashlib.sha256(text.encode()).hexdigest()


def publish_first(parts: Parts) -> None:
    """Publish the packaged policy where there is none yet."""
    now, text = parts.clock(), policy_text()
    stated = registries(parts.settings.contact)
    version, digest = version_of(text, stated)
    with parts.database.begin() as session:
        if session.scalar(select(PolicyVersion.version).limit(1)) is None:
            session.add(
                PolicyVersion(
                    version=version,
                    digest=digest,
                    text=text,
                    registries=stated,
                    published_at=now,
                    effective_at=now,
                    superseded_at=None,
                    material=False,
                    reasons=[],
                )
            )


def accept(
    parts: Parts, caller: Caller, version: str, digest: str, language: Language
) -> tuple[Acceptance, str | None]:
    """Write down that somebody accepts; returns it, and for who has not signed in a token."""
    now = parts.clock()
    token = None if caller.account_id else secrets.token_urlsafe(32)
    with parts.database.begin() as session:
        wanted = current(session, now)
        if (version, digest) != (wanted.version, wanted.digest):
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


def accepted_version(session: Session, account_id: str) -> str:
    """Return the version that an account accepted last; empty where there is none."""
    return (
        session.scalar(
            select(Acceptance.version)
            .where(Acceptance.account_id == account_id)
            .order_by(Acceptance.at.desc())
            .limit(1)
        )
        or ""
    )


def _mark(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
