"""One-time codes by text message: asked for, and given back.

A code has six digits, holds for five minutes and five tries, and is used once (NIST SP 800-63B, 5.1.3.2 and
5.2.2). Of it and of the number only keyed digests are kept. What is answered, and how long that takes, is
the same whether an account has the number or not: the message is sent aside.
"""

import hmac
import secrets
from datetime import timedelta
from typing import Final

import phonenumbers
from sqlalchemy import select

from service.accounts.store import Challenge
from service.errors import RefusedError
from service.gateway import Message
from service.parts import Parts

LIFETIME: Final = timedelta(minutes=5)
TRIES: Final = 5
_DIGITS: Final = 6


def send(parts: Parts, phone: str, network: str) -> str:
    """Send a code, and return the challenge's id.

    Raises
    ------
    RefusedError
        No phone can have this number.
    TooManyError
        Too many codes for this number, or from this network.
    """
    check_number(phone)
    settings, hour = parts.settings, timedelta(hours=1)
    parts.limits.spend("codes from", network, settings.codes_per_address, hour)
    parts.limits.spend("codes to", phone, settings.codes_per_number, hour)
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    challenge = Challenge(
        id=secrets.token_urlsafe(16),
        phone_index=parts.vault.index("phone", phone),
        code=b"",
        tries=0,
        used=False,
        created_at=parts.clock(),
    )
    challenge.code = parts.vault.index("code", f"{challenge.id}:{code}")
    with parts.database.begin() as session:
        session.add(challenge)
    _deliver(parts, phone, code)
    return challenge.id


def check(parts: Parts, challenge_id: str, phone: str, code: str, network: str) -> None:
    """See that a code is the one that was sent to a number; it is used up.

    Raises
    ------
    RefusedError
        It is not, or not any more: which of the two is not said.
    TooManyError
        Too many tries from this network.
    """
    parts.limits.check("tries from", network, parts.settings.tries_per_address)
    # Clause 1.3.1 p1 a: five minutes, five tries, and once.
    with parts.database.begin() as session:
        found = session.scalar(select(Challenge).where(Challenge.id == challenge_id).with_for_update())
        right = (
            found is not None
            and not found.used
            and found.tries < TRIES
            and found.created_at > parts.clock() - LIFETIME
            and hmac.compare_digest(found.phone_index, parts.vault.index("phone", phone))
            and hmac.compare_digest(found.code, parts.vault.index("code", f"{challenge_id}:{code}"))
        )
        if found is not None:
            found.tries += 1
            found.used = found.used or right
    if not right:
        parts.limits.spend("tries from", network, parts.settings.tries_per_address, timedelta(minutes=10))
        raise RefusedError("this is not the code, or it has run out; ask for a new one")


def check_number(phone: str) -> None:
    """Refuse what no phone can have as its number."""
    try:
        possible = phonenumbers.is_possible_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        possible = False
    if not possible:
        raise RefusedError("phone: no phone has such a number; write it with + and the country's code")


def _deliver(parts: Parts, phone: str, code: str) -> None:
    settings = parts.settings
    if settings.sms == "console":
        # For development, on loopback only (`Settings`); standard output is no log.
        print(f"facekit: the code for the number that ends in {phone[-2:]} is {code}", flush=True)  # noqa: T201
    elif settings.sms == "webhook":
        message = Message("sms", "account.code", {"phone": phone, "code": code})
        parts.gateway.post_later(settings.sms_url, message, secret=settings.sms_secret.get_secret_value())
