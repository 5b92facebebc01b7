"""A fresh code, before a right is exercised: it goes to the account's own phone, which is not named."""

from service.accounts import codes
from service.accounts.service import read
from service.accounts.store import SignIn
from service.caller import FRESH, Caller
from service.errors import RefusedError, UnknownCallerError
from service.parts import Parts


def send(parts: Parts, caller: Caller) -> str:
    """Send a code to the caller's own phone, and return the challenge's id.

    Raises
    ------
    RefusedError
        The account has no phone.
    TooManyError
        As in `codes.send`.
    """
    return codes.send(parts, _own_phone(parts, caller), caller.network)


def confirm(parts: Parts, caller: Caller, challenge: str, code: str) -> None:
    """Let the caller's session count as confirmed for five minutes; errors as in `codes.check`."""
    # Clause 5.1c: a fresh code to the number that is on record, and no further papers.
    codes.check(parts, challenge, _own_phone(parts, caller), code, caller.network)
    with parts.database.begin() as session:
        signed_in = session.get(SignIn, caller.session_id)
        if signed_in is None:
            raise UnknownCallerError("this session has ended; sign in again")
        signed_in.fresh_until = parts.clock() + FRESH


def _own_phone(parts: Parts, caller: Caller) -> str:
    account = read(parts, caller.account_id)
    phone = parts.vault.open_text(account.id, "accounts.phone", account.phone)
    if phone is None:
        raise RefusedError("this account has no phone: sign in again, and a session counts for five minutes")
    return phone
