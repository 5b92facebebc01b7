"""One-click sign-in: the carrier says which number a device has, and only with consent.

The client gets a token from the carrier; the service exchanges it for the number, so that no number comes
from the client. Who does not want this signs in with a code, as ever.
"""

import json
import re
from datetime import timedelta
from typing import Final

from service.accounts.codes import check_number
from service.accounts.signing_in import Entered, Entry, Shown, permit, sign_in_by_phone
from service.caller import Caller
from service.errors import AbsentError, RefusedError, UpstreamError
from service.gateway import Message
from service.parts import Parts
from service.schemas import PHONE_NUMBER_FORM

PURPOSE: Final = "login.one_click"


def sign_in(parts: Parts, caller: Caller, token: str, shown: Shown | None, client: str) -> Entered:
    """Sign in with a carrier's token.

    Raises
    ------
    AbsentError
        This installation works with no carrier.
    NoConsentError, ConflictError
        As from `permit`; nothing was sent.
    TooManyError
        Too many from this network.
    UpstreamError
        The carrier did not say a number.
    NotAllowedError
        The account is locked.
    """
    settings = parts.settings
    if not settings.carrier_url:
        raise AbsentError("no carrier is set up here: sign in with a code, POST /v1/auth/otp")
    # Clause 1.3.1 p2: first the consent, then the carrier.
    permit(parts, caller, PURPOSE, shown)
    parts.limits.spend("one-click from", caller.network, settings.codes_per_address, timedelta(hours=1))
    message = Message("carrier", PURPOSE, {"token": token})
    secret = settings.carrier_secret.get_secret_value()
    phone = _number(parts.gateway.post(settings.carrier_url, message, secret=secret).content)
    entry = Entry(caller, "one-click", client, PURPOSE, shown, (message.id,))
    return sign_in_by_phone(parts, entry, phone)


def _number(answer: bytes) -> str:
    try:
        found = json.loads(answer)["phone"]
        phone = re.fullmatch(PHONE_NUMBER_FORM, found)
        check_number(found if phone else "")
    except (ValueError, KeyError, TypeError, RefusedError):
        raise UpstreamError("the carrier did not say a number; sign in with a code") from None
    return str(found)
