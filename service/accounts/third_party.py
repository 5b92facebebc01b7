"""Signing in by an account elsewhere: OpenID Connect's code flow [1]_, with PKCE [2]_.

::

    begin    ask the provider where its doors are; send the browser there, with a state, a nonce and a
             challenge, and a cookie that only this browser has
    finish   the state comes back once, in the browser that has the cookie; the code is exchanged for a
             token, which must be signed by this provider, for this service, for this very visit

The nonce and the verifier follow from the cookie under a key of the service's, so that neither is kept.
One scope is asked for, ``openid``, and one claim is used: the subject. Nothing else is read.

References
----------
.. [1] Sakimura et al., "OpenID Connect Core 1.0", 2014.
.. [2] Sakimura, Bradley & Agarwal, "Proof Key for Code Exchange by OAuth Public Clients", RFC 7636, 2015.
.. [3] Meyer zu Selhausen & Fett, "OAuth 2.0 Authorization Server Issuer Identification", RFC 9207, 2022.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from sqlalchemy import select

from service.accounts.providers import PURPOSE, Exchange, subject_of
from service.accounts.signing_in import Entered, Entry, Shown, permit, sign_in_by_identity
from service.accounts.store import Visit
from service.caller import Caller
from service.errors import AbsentError, RefusedError
from service.parts import Parts
from service.settings import Provider

LIFETIME: Final = timedelta(minutes=10)
SCOPE: Final = "openid"
_AGAIN: Final = "this sign-in does not hold, or no longer; begin again"


@dataclass(frozen=True, slots=True)
class Visiting:
    """A browser that is sent to a provider: where to, and with which cookie."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Return:
    """What a browser comes back with."""

    state: str
    code: str
    issuer: str
    error: str
    cookie: str


def begin(parts: Parts, caller: Caller, name: str, shown: Shown | None) -> Visiting:
    """Send a browser to a provider.

    Raises
    ------
    AbsentError
        There is no such provider here.
    NoConsentError, ConflictError
        As from `permit`; nothing was sent.
    TooManyError
        Too many from this network.
    UpstreamError
        The provider did not answer as one does.
    """
    # Clause 6.3 auth: by an adapter that asks for one claim, and nothing that others wrote runs here.
    provider = _provider(parts, name)
    # Clause 1.3.1 p3 a: only what the person authorised.
    permit(parts, caller, PURPOSE, shown)
    settings = parts.settings
    parts.limits.spend("visits from", caller.network, settings.codes_per_address, timedelta(hours=1))
    doors = Exchange(parts, provider).doors()
    state, cookie = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    with parts.database.begin() as session:
        session.add(
            Visit(
                state=_digest(state),
                browser=_digest(cookie),
                provider=name,
                acceptance=caller.acceptance,
                language=shown.language if shown else "",
                digest=shown.digest if shown else "",
                created_at=parts.clock(),
            )
        )
    url = prepare_grant_uri(
        doors["authorization_endpoint"],
        provider.client_id,
        "code",
        redirect_uri=redirect_uri(parts, name),
        scope=SCOPE,
        state=state,
        nonce=_derived(parts, "nonce", cookie),
        code_challenge=create_s256_code_challenge(_derived(parts, "verifier", cookie)),
        code_challenge_method="S256",
    )
    return Visiting(url, cookie)


def finish(parts: Parts, name: str, back: Return, network: str, client: str) -> Entered:
    """Sign in who comes back from a provider.

    Raises
    ------
    AbsentError, UpstreamError
        As from `begin`.
    RefusedError
        The state is not this browser's, or was used; or the provider's answer is not for this visit.
    NotAllowedError
        The account is locked.
    """
    provider = _provider(parts, name)
    visit = _take(parts, name, back)
    exchange = Exchange(parts, provider)
    doors = exchange.doors()
    # Against mixed-up issuers: who answered is who was asked.
    wanted = bool(doors.get("authorization_response_iss_parameter_supported"))
    if (back.issuer or wanted) and back.issuer != provider.issuer:
        raise RefusedError(_AGAIN)
    if back.error or not back.code:
        raise RefusedError("the provider did not sign you in; begin again, or sign in another way")
    verifier, nonce = (_derived(parts, what, back.cookie) for what in ("verifier", "nonce"))
    tokens = exchange.tokens(doors, back.code, verifier, redirect_uri(parts, name))
    subject = subject_of(tokens, exchange.keys(doors), provider, nonce, int(parts.clock().timestamp()))
    shown = Shown(visit.digest, "zh" if visit.language == "zh" else "en") if visit.digest else None
    if shown is not None:
        permit(parts, Caller(network), PURPOSE, shown)  # the words may have changed meanwhile
    entry = Entry(
        Caller(network, acceptance=visit.acceptance), "third-party", client, PURPOSE, shown, exchange.messages
    )
    return sign_in_by_identity(parts, entry, name, provider.issuer, subject)


def redirect_uri(parts: Parts, name: str) -> str:
    """Return where a provider sends people back to."""
    return f"{parts.settings.public_url.rstrip('/')}/v1/auth/oauth/{name}/callback"


def _take(parts: Parts, name: str, back: Return) -> Visit:
    """Use a visit up, whatever comes of it; refuse what is no return from one of this browser's."""
    with parts.database.begin() as session:
        visit = session.scalar(select(Visit).where(Visit.state == _digest(back.state)).with_for_update())
        if visit is not None:
            session.delete(visit)
    # Against login CSRF: whoever sends a browser here with a state of their own has not its cookie.
    if (
        visit is None
        or visit.provider != name
        or visit.created_at <= parts.clock() - LIFETIME
        or not hmac.compare_digest(visit.browser, _digest(back.cookie))
    ):
        raise RefusedError(_AGAIN)
    return visit


def _provider(parts: Parts, name: str) -> Provider:
    provider = parts.settings.oidc.get(name)
    if provider is None:
        raise AbsentError("no such provider is set up here: sign in with a code, POST /v1/auth/otp")
    return provider


def _derived(parts: Parts, what: str, cookie: str) -> str:
    """Return a secret of a visit: 256 bits that nobody has without both the cookie and the service's key."""
    return base64.urlsafe_b64encode(parts.vault.index(f"oidc {what}", cookie)).rstrip(b"=").decode()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
