"""Passwords: set, taken away, and signed in with.

Only an Argon2id hash [1]_ is kept, under the account's own key. To hash takes its time, and so is never done
within a transaction; and it takes 64 MiB, so that few are made at a time. A number that nobody has, one
without a password, and a wrong password cost the same and are answered the same.

References
----------
.. [1] Biryukov et al., "Argon2 Memory-Hard Function", RFC 9106, 2021; its second recommended option.
"""

import secrets
import unicodedata
from datetime import timedelta
from functools import cache
from threading import BoundedSemaphore
from typing import Final

import phonenumbers
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select

from service.accounts.service import end_sessions, held, read
from service.accounts.signing_in import Entered, Entry, sign_in_to
from service.accounts.store import Account
from service.accounts.weak import is_weak
from service.caller import Caller
from service.errors import ConflictError, GoneError, RefusedError
from service.parts import Parts

LEAST: Final = 8
_COLUMN: Final = "accounts.password"
_NOBODY: Final = "nobody"  # no account's number
_HASHER: Final = PasswordHasher()
_TURNS: Final = BoundedSemaphore(2)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def sign_in(parts: Parts, entry: Entry, phone: str, password: str) -> Entered:
    """Sign in by a number and its password.

    Raises
    ------
    RefusedError
        The number has no such password: whether it has an account is not said.
    TooManyError
        Too many tries from this network; or for this number, until a code signs in to it.
    """
    network, settings = entry.caller.network, parts.settings
    parts.limits.check("tries from", network, settings.tries_per_address)
    parts.limits.spend("passwords for", phone, settings.passwords_per_number, _DAY)
    account_id, stored = _stored(parts, phone)
    if not _is_right(stored, password):
        parts.limits.spend("tries from", network, settings.tries_per_address, timedelta(minutes=10))
        raise RefusedError("this number has no such password; sign in with a code, or try again")
    parts.limits.forget("passwords for", phone)
    if _HASHER.check_needs_rehash(stored):
        _store(parts, account_id, _hash(password))
    return sign_in_to(parts, entry, account_id)


def change(parts: Parts, caller: Caller, password: str) -> None:
    """Set a password; who else was signed in with the one before is so no longer.

    Raises
    ------
    ConflictError
        The account has no phone, and so nothing to sign in with beside a password.
    RefusedError
        A guesser would soon get to it.
    TooManyError
        Too often.
    """
    parts.limits.spend("passwords of", caller.account_id, parts.settings.passwords_per_number, _HOUR)
    account = read(parts, caller.account_id)
    opened = parts.vault.open_text
    phone = opened(account.id, "accounts.phone", account.phone)
    if phone is None:
        raise ConflictError("bind a phone first: POST /v1/me/phone")
    _check(password, phone, opened(account.id, "accounts.handle", account.handle) or "")
    _store(parts, account.id, _hash(password), keep=caller.session_id)


def remove(parts: Parts, caller: Caller) -> None:
    """Take the password away; the other ways to sign in stay."""
    with parts.database.begin() as session:
        held(session, caller.account_id).password = None


def _check(password: str, phone: str, handle: str) -> None:
    # Clause 4.2.2(4): long enough, on no list of leaked ones, and not what everybody knows of the person.
    text = _normal(password)
    if len(text) < LEAST:
        raise RefusedError(f"password: it needs {LEAST} characters or more")
    number = str(phonenumbers.parse(phone).national_number)
    if number in text or handle.casefold() in text.casefold():
        raise RefusedError("password: it must not hold your number or your handle")
    if is_weak(text):
        raise RefusedError("password: it is among the first that are tried; choose a longer, unusual one")


def _stored(parts: Parts, phone: str) -> tuple[str, str]:
    """Return an account and its hash; or, with the same steps, nobody and a hash that nothing has."""
    index, dummy = parts.vault.index("phone", phone), _dummy()
    with parts.database.begin() as session:
        account = session.scalar(select(Account).where(Account.phone_index == index))
    known = account is not None and account.password is not None and account.locked_at is None
    account_id, sealed = (account.id, account.password) if account and known else (_NOBODY, None)
    try:
        return account_id, parts.vault.open(account_id, _COLUMN, sealed or b"").decode()
    except GoneError:
        return _NOBODY, dummy


def _store(parts: Parts, account_id: str, hashed: str, *, keep: str = "") -> None:
    sealed = parts.vault.seal(account_id, _COLUMN, hashed)
    with parts.database.begin() as session:
        account = held(session, account_id)
        if keep and account.password is not None:
            end_sessions(session, account_id, but=keep)
        account.password = sealed


def _hash(password: str) -> str:
    with _TURNS:
        return _HASHER.hash(_normal(password))


def _is_right(hashed: str, password: str) -> bool:
    with _TURNS:
        try:
            return _HASHER.verify(hashed, _normal(password))
        except VerifyMismatchError:
            return False


@cache
def _dummy() -> str:
    return _hash(secrets.token_urlsafe(32))


def _normal(password: str) -> str:
    """Give equal passwords equal characters, however a keyboard wrote them."""
    return unicodedata.normalize("NFKC", password)
