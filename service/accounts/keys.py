"""API keys: for programs, with scopes, shown once, revocable."""

import secrets
from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select

from service.accounts.service import digest_of, held
from service.accounts.store import ApiKey
from service.caller import Caller
from service.errors import AbsentError, ConflictError
from service.parts import Parts

MOST: Final = 20


def make(parts: Parts, caller: Caller, label: str, scopes: Sequence[str]) -> tuple[ApiKey, str]:
    """Make a key; return it with its token, which is kept nowhere.

    Raises
    ------
    ConflictError
        The account has as many as it may have.
    """
    token = f"fkk_{secrets.token_urlsafe(32)}"
    with parts.database.begin() as session:
        account = held(session, caller.account_id)
        count = session.scalar(select(func.count()).where(ApiKey.account_id == account.id)) or 0
        if count >= MOST:
            raise ConflictError(f"an account has {MOST} keys at most; revoke one first")
        key = ApiKey(
            id=secrets.token_urlsafe(16),
            account_id=account.id,
            token=digest_of(token),
            label=parts.vault.seal(account.id, "api_keys.label", label),
            scopes=" ".join(sorted(set(scopes))),
            created_at=parts.clock(),
        )
        session.add(key)
    return key, token


def all_of(parts: Parts, caller: Caller) -> list[tuple[ApiKey, str]]:
    """List an account's keys with their labels, the oldest first."""
    query = select(ApiKey).where(ApiKey.account_id == caller.account_id).order_by(ApiKey.created_at)
    with parts.database.begin() as session:
        found = session.scalars(query).all()
    return [(one, parts.vault.open(one.account_id, "api_keys.label", one.label).decode()) for one in found]


def revoke(parts: Parts, caller: Caller, key_id: str) -> None:
    """End a key; raises AbsentError."""
    with parts.database.begin() as session:
        found = session.get(ApiKey, key_id)
        if found is None or found.account_id != caller.account_id:
            raise AbsentError("you have no such key: GET /v1/me/api-keys lists them")
        session.delete(found)
