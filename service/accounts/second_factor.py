"""The second factor: codes of an authenticator, which follow from a shared secret and the time.

A code counts once: the step of time that it stands for is kept, and only a later one is taken.

References
----------
.. [1] M'Raihi et al., "TOTP: Time-Based One-Time Password Algorithm", RFC 6238, 2011.
"""

import hmac
from datetime import timedelta
from typing import Final

import pyotp

from service.accounts.service import held
from service.accounts.store import SecondFactor, SignIn
from service.caller import Caller, require_fresh
from service.errors import ConflictError, RefusedError
from service.parts import Parts

_COLUMN: Final = "second_factors.secret"
_STEP: Final = 30  # seconds
_DRIFT: Final = 1  # steps that a clock may be wrong


def enrol(parts: Parts, caller: Caller) -> tuple[str, str]:
    """Give out a new secret, which counts once a code of it has come; return it, and as an otpauth address.

    Raises
    ------
    StepUpError
        No fresh code was given: who found an open session must not get a second factor of their own.
    ConflictError
        The account has a second factor already.
    """
    require_fresh(caller, parts.clock())
    secret, now = pyotp.random_base32(), parts.clock()
    with parts.database.begin() as session:
        account = held(session, caller.account_id)
        found = session.get(SecondFactor, account.id)
        if found is not None and found.confirmed_at is not None:
            raise ConflictError("you have a second factor: send its code")
        session.merge(
            SecondFactor(
                account_id=account.id,
                secret=parts.vault.seal(account.id, _COLUMN, secret),
                confirmed_at=None,
                step=0,
                used_at=now,
            )
        )
        name = parts.vault.open_text(account.id, "accounts.handle", account.handle) or ""
    return secret, pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="facekit")


def give(parts: Parts, caller: Caller, code: str) -> None:
    """Give a code; a first one confirms the secret. From then on the session has its second factor.

    Raises
    ------
    RefusedError
        It is not the code of now, it was given before, or there is no second factor.
    TooManyError
        Too many were wrong.
    """
    parts.limits.spend("factors of", caller.account_id, parts.settings.factor_tries, timedelta(hours=1))
    now = parts.clock()
    with parts.database.begin() as session:
        held(session, caller.account_id)
        found = session.get(SecondFactor, caller.account_id)
        step = _step(parts, found, code, int(now.timestamp()) // _STEP) if found else None
        if found is None or step is None:
            raise RefusedError("this is not the code, or it has been used; wait for the next one")
        found.step, found.used_at, found.confirmed_at = step, now, found.confirmed_at or now
        signed_in = session.get(SignIn, caller.session_id)
        if signed_in is not None:
            signed_in.second_factor_at = now
    parts.limits.forget("factors of", caller.account_id)


def _step(parts: Parts, found: SecondFactor, code: str, now: int) -> int | None:
    """Return the step that a code is of, if that is later than the last one and close to now."""
    totp = pyotp.TOTP(parts.vault.open(found.account_id, _COLUMN, found.secret).decode())
    steps = range(max(now - _DRIFT, found.step + 1), now + _DRIFT + 1)
    return next((step for step in steps if hmac.compare_digest(totp.at(step * _STEP), code)), None)
