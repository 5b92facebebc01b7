"""What a person shows of themselves: a handle, and a name if they like; and their phone, for nobody."""

from datetime import timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.accounts import codes
from service.accounts.handles import RESERVED, shares_digits, tidy
from service.accounts.service import end_sessions, held, read, set_phone
from service.accounts.signing_in import once_more
from service.accounts.store import Account, Identity, SignIn
from service.caller import Caller
from service.errors import ConflictError, GoneError, RefusedError
from service.parts import Parts

_TAKEN: Final = "somebody has this handle; choose another"


def rename(parts: Parts, caller: Caller, name: str | None) -> None:
    """Give an account the name that its owner wants shown, or none."""
    # Clause 1.3.1 p4: nobody needs one.
    with parts.database.begin() as session:
        account = held(session, caller.account_id)
        account.name = None if name is None else parts.vault.seal(account.id, "accounts.name", name)


def choose_handle(parts: Parts, caller: Caller, handle: str) -> None:
    """Give an account the handle that its owner chose.

    Raises
    ------
    RefusedError
        It is no handle, or shows a part of the owner's phone number.
    ConflictError
        Somebody has it.
    TooManyError
        Too many were asked for in a day, by this account or from this network: nobody tries all names.
    """
    most, day = parts.settings.handles_per_day, timedelta(days=1)
    parts.limits.spend("handles of", caller.account_id, most, day)
    parts.limits.spend("handles from", caller.network, 10 * most, day)
    account = read(parts, caller.account_id)
    phone = parts.vault.open_text(account.id, "accounts.phone", account.phone)
    shown = tidy(handle)
    # Clause 1.3.1 p4: a public name leads nobody to a number.
    if phone and shares_digits(shown, phone):
        raise RefusedError("handle: it must not show a part of your phone number")
    if shown.casefold() in RESERVED:
        raise ConflictError(_TAKEN)
    index = parts.vault.index("handle", shown.casefold())

    def act(session: Session) -> None:
        found = session.scalar(select(Account.id).where(Account.handle_index == index))
        if found not in (None, caller.account_id):
            raise ConflictError(_TAKEN)
        mine = held(session, caller.account_id)
        mine.handle, mine.handle_index = parts.vault.seal(mine.id, "accounts.handle", shown), index

    once_more(parts, act)


def seen(parts: Parts, caller: Caller) -> tuple[Account, list[str]]:
    """Return the caller's account, and the providers that sign them in; raises GoneError."""
    providers = select(Identity.provider).where(Identity.account_id == caller.account_id)
    with parts.database.begin() as session:
        account = session.get(Account, caller.account_id)
        if account is None:
            raise GoneError("this account has been erased")
        return account, sorted(session.scalars(providers))


def bind_phone(parts: Parts, caller: Caller, challenge: str, phone: str, code: str) -> None:
    """Bind a number that its owner has shown to be theirs; it takes the place of the one before.

    Raises
    ------
    RefusedError, TooManyError
        As from `codes.check`.
    ConflictError
        Another account has this number.
    """
    # Clause 1.3.1 p3 b: whoever holds the old number (the gate asks for a fresh code), and the new one.
    codes.check(parts, challenge, phone, code, caller.network)
    index = parts.vault.index("phone", phone)

    def act(session: Session) -> None:
        other = session.scalar(select(Account.id).where(Account.phone_index == index))
        if other not in (None, caller.account_id):
            raise ConflictError("this number cannot be bound to this account")
        account = held(session, caller.account_id)
        if account.phone is not None:
            end_sessions(session, account.id, but=caller.session_id)
        set_phone(parts, account, phone, "code")
        # What was fresh was shown to the account as it was before.
        session.execute(update(SignIn).where(SignIn.id == caller.session_id).values(fresh_until=None))

    once_more(parts, act)
