"""Accounts and sessions: made, found, read and ended. How people sign in is `signing_in`'s."""

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from service.accounts.handles import random_handle
from service.accounts.store import Account, ApiKey, Method, SignIn, Teller
from service.caller import FRESH, Caller
from service.errors import GoneError, UnknownCallerError
from service.ops.ending import HAS_ENDED, require_running
from service.parts import Parts
from service.policy.notices import UNREAD
from service.policy.service import ACCEPTED
from service.policy.versions import tell_newcomer

SESSION: Final = timedelta(days=30)
_KEY_PREFIX: Final = "fkk_"
# One question each, for they are asked at every request.
_BY_KEY: Final = (
    select(ApiKey.id, ApiKey.account_id, ApiKey.scopes, ACCEPTED.label("accepted"), HAS_ENDED.label("ended"))
    .join(Account, Account.id == ApiKey.account_id)
    .where(ApiKey.token == bindparam("mark"), Account.locked_at.is_(None))
)
_BY_SESSION: Final = (
    select(
        SignIn.id,
        SignIn.account_id,
        SignIn.fresh_until,
        SignIn.second_factor_at,
        Account.role,
        ACCEPTED.label("accepted"),
        HAS_ENDED.label("ended"),
        UNREAD.label("unread"),
    )
    .join(Account, Account.id == SignIn.account_id)
    .where(
        SignIn.token == bindparam("mark"),
        SignIn.created_at > bindparam("since"),
        Account.locked_at.is_(None),
    )
)


def new_account(parts: Parts, session: Session) -> Account:
    """Make an account with a key of its own and a random handle; raises EndedError."""
    require_running(session, parts.clock())
    account_id, now, handle = secrets.token_hex(16), parts.clock(), random_handle()
    # The key first: an account without one would be taken for one that was erased.
    parts.vault.add(account_id)
    account = Account(
        id=account_id,
        phone=None,
        phone_index=None,
        phone_from=None,
        name=None,
        password=None,
        handle=parts.vault.seal(account_id, "accounts.handle", handle),
        handle_index=parts.vault.index("handle", handle.casefold()),
        role="user",
        created_at=now,
        active_at=now,
        locked_at=None,
    )
    session.add(account)
    session.flush()
    tell_newcomer(session, account.id, now)
    return account


def set_phone(parts: Parts, account: Account, phone: str, source: Teller) -> None:
    """Give an account a number that has been shown to be its owner's."""
    account.phone = parts.vault.seal(account.id, "accounts.phone", phone)
    account.phone_index = parts.vault.index("phone", phone)
    account.phone_from = source


def open_session(
    parts: Parts, session: Session, account: Account, method: Method, network: str, client: str
) -> tuple[SignIn, str]:
    """Open a session; the token is given out once, and kept nowhere."""
    token, now = f"fks_{secrets.token_urlsafe(32)}", parts.clock()
    signed_in = SignIn(
        id=secrets.token_urlsafe(16),
        account_id=account.id,
        token=digest_of(token),
        method=method,
        client=client,
        network=network,
        created_at=now,
        # Clause 5.1c: who has no phone to get a code on has just shown who they are.
        fresh_until=now + FRESH if account.phone_index is None else None,
        second_factor_at=None,
    )
    session.add(signed_in)
    return signed_in, token


def caller_of(parts: Parts, token: str, network: str) -> Caller:
    """Return who shows a token, of a session or an API key.

    Raises
    ------
    UnknownCallerError
        It is none, it has run out, or it was revoked: which of these is not said.
    """
    now, key = parts.clock(), token.startswith(_KEY_PREFIX)
    found = parts.database.row(
        _BY_KEY if key else _BY_SESSION, {"mark": digest_of(token), "since": now - SESSION, "now": now}
    )
    if found is None:
        raise UnknownCallerError("this token does not hold, or no longer; sign in again")
    if key:
        return Caller(
            network,
            found.account_id,
            key_id=found.id,
            scopes=frozenset(found.scopes.split()),
            accepted=found.accepted,
            ended=found.ended,
        )
    return Caller(
        network,
        found.account_id,
        found.id,
        role=found.role,
        accepted=found.accepted,
        ended=found.ended,
        unread=found.unread,
        fresh_until=found.fresh_until,
        second_factor_at=found.second_factor_at,
    )


def sign_out(parts: Parts, caller: Caller) -> None:
    """End the caller's session."""
    with parts.database.begin() as session:
        found = session.get(SignIn, caller.session_id)
        if found is not None:
            session.delete(found)


def read(parts: Parts, account_id: str) -> Account:
    """Return an account; raises GoneError."""
    with parts.database.begin() as session:
        account = session.get(Account, account_id)
    if account is None:
        raise GoneError("this account has been erased")
    return account


def held(session: Session, account_id: str) -> Account:
    """Return an account within a transaction, to be changed by nobody else meanwhile; raises GoneError."""
    account = session.scalar(select(Account).where(Account.id == account_id).with_for_update())
    if account is None:
        raise GoneError("this account has been erased")
    return account


def end_sessions(session: Session, account_id: str, *, but: str = "") -> None:
    """End an account's sessions, all or all but one."""
    session.execute(delete(SignIn).where(SignIn.account_id == account_id, SignIn.id != but))


def masked(phone: str | None) -> str | None:
    """Return a phone number of which only the country and the last two digits can be read.

    >>> masked("+8613800138000")
    '+86*********00'
    """
    # Clause 4.2.1 p3: what is shown is masked.
    return None if phone is None else phone[:3] + "*" * (len(phone) - 5) + phone[-2:]


def digest_of(token: str) -> bytes:
    """Return what is kept of a token, which is random and long: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()
