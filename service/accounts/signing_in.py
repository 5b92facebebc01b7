"""Signing in: by whatever way, it ends here, in one transaction.

That somebody controls a number or an identifier is shown elsewhere (`codes`, `passwords`, `one_click`,
`third_party`); here it opens the one account that has it, or a new one, and never another.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.accounts.service import held, new_account, open_session, set_phone
from service.accounts.store import Account, Identity, Method, SignIn
from service.caller import Caller
from service.consent import service as consent
from service.errors import ConflictError, NoConsentError, NotAllowedError
from service.ops.store import ShareEvent
from service.parts import Parts
from service.policy.registry import Language
from service.policy.service import bind_acceptance

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Shown:
    """That somebody consents, having been shown the words of a purpose."""

    digest: str
    language: Language


@dataclass(frozen=True, slots=True)
class Entry:
    """How somebody signs in.

    Parameters
    ----------
    caller : Caller
        Who they are so far.
    method : str
        What they have shown.
    client : str
        The family of their program.
    purpose : str
        What this way of signing in needs their consent for, if it does.
    shown : Shown, optional
        That consent, where it came with the request; see `permit`.
    messages : tuple of str
        Rows of the ledger that turn out to be about them.
    """

    caller: Caller
    method: Method
    client: str
    purpose: str = ""
    shown: Shown | None = None
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entered:
    """A session that has begun; its token is kept nowhere."""

    session: SignIn
    token: str
    created: bool


def permit(parts: Parts, caller: Caller, purpose: str, shown: Shown | None) -> None:
    """Refuse a way of signing in without consent to it, given just now or standing.

    Raises
    ------
    NoConsentError
        There is none.
    ConflictError
        It is to other words than those in force.
    """
    if shown is None and not caller.account_id:
        raise NoConsentError(purpose)
    with parts.database.begin() as session:
        if shown is None:
            consent.require(session, caller.account_id, purpose)
        elif shown.digest != consent.digest_of("purpose", purpose):
            raise ConflictError("the words have changed since they were shown; show them again")


def sign_in_by_phone(parts: Parts, entry: Entry, phone: str) -> Entered:
    """Sign in who has shown that a number is theirs; make the account where there is none.

    Raises
    ------
    NotAllowedError
        The account is locked, and this is no code.
    """
    index = parts.vault.index("phone", phone)

    def act(session: Session) -> Entered:
        account = session.scalar(select(Account).where(Account.phone_index == index).with_for_update())
        created = account is None
        if account is None:
            account = new_account(parts, session)
            set_phone(parts, account, phone, "carrier" if entry.method == "one-click" else "code")
        return _enter(parts, session, account, entry, created=created)

    entered = once_more(parts, act)
    if entry.method == "code":
        parts.limits.forget("passwords for", phone)
    return entered


def sign_in_by_identity(parts: Parts, entry: Entry, provider: str, issuer: str, subject: str) -> Entered:
    """Sign in who has an account with a provider; make ours, without a phone, where there is none.

    Raises
    ------
    NotAllowedError
        The account is locked.
    """
    index = parts.vault.index("identity", f"{issuer}\n{subject}")

    def act(session: Session) -> Entered:
        found = session.scalar(select(Identity).where(Identity.subject_index == index))
        created = found is None
        if found is None:
            account = new_account(parts, session)
            found = Identity(
                id=secrets.token_urlsafe(16),
                account_id=account.id,
                provider=provider,
                subject=parts.vault.seal(account.id, "identities.subject", subject),
                subject_index=index,
                created_at=parts.clock(),
                used_at=parts.clock(),
            )
            session.add(found)
        else:
            account = held(session, found.account_id)
            found.used_at = parts.clock()
        return _enter(parts, session, account, entry, created=created)

    return once_more(parts, act)


def sign_in_to(parts: Parts, entry: Entry, account_id: str) -> Entered:
    """Sign in to an account whose owner has shown who they are; errors as in `sign_in_by_identity`."""
    with parts.database.begin() as session:
        return _enter(parts, session, held(session, account_id), entry, created=False)


def once_more(parts: Parts, act: Callable[[Session], _T]) -> _T:
    """Do something in one transaction; and where somebody was quicker with what must be unique, again."""
    try:
        with parts.database.begin() as session:
            return act(session)
    except IntegrityError:
        with parts.database.begin() as session:
            return act(session)


def _enter(parts: Parts, session: Session, account: Account, entry: Entry, *, created: bool) -> Entered:
    if account.locked_at is not None:
        # Clause 4.2.2(6)e: after a leak nothing opens the account but its owner's phone.
        if entry.method != "code":
            raise NotAllowedError("the account is locked: sign in with a code, POST /v1/auth/otp")
        account.locked_at = None
    if entry.purpose and not consent.standing(session, account.id, "purpose", entry.purpose).granted:
        if entry.shown is None:
            raise NoConsentError(entry.purpose)
        consent.record(
            parts, session, account.id, "purpose", entry.purpose, granted=True, language=entry.shown.language
        )
    if entry.messages:
        session.execute(
            update(ShareEvent).where(ShareEvent.id.in_(entry.messages)).values(account_id=account.id)
        )
    signed_in, token = open_session(parts, session, account, entry.method, entry.caller.network, entry.client)
    if entry.caller.acceptance:
        bind_acceptance(session, entry.caller.acceptance, account.id)
    return Entered(signed_in, token, created)
