"""What is asked of an OpenID Connect provider, and what its ID token must be; see `third_party`."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from service.errors import RefusedError, UpstreamError
from service.gateway import Message
from service.parts import Parts
from service.settings import Provider, is_safe

PURPOSE: Final = "login.third_party"
#: How an ID token may be signed: by a key of which we have the public half.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_LEEWAY: Final = 60  # seconds that clocks may differ
_NOT_OURS: Final = "the provider's answer is not for this sign-in; begin again"


class Exchange:
    """What is asked of a provider for one sign-in; each question is in the ledger first."""

    def __init__(self, parts: Parts, provider: Provider) -> None:
        self._gateway, self._provider = parts.gateway, provider
        self.messages: tuple[str, ...] = ()

    def doors(self) -> Mapping[str, Any]:
        """Discover the provider's endpoints: they are asked for each time, so that none is out of date."""
        issuer = self._provider.issuer
        doors = self._get(get_well_known_url(issuer, external=True))
        ends = [doors.get(end) for end in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        if doors.get("issuer") != issuer or not all(isinstance(end, str) and is_safe(end) for end in ends):
            raise UpstreamError("oidc describes itself otherwise than it was set up; try another way")
        return doors

    def keys(self, doors: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the keys that the provider signs with."""
        return self._get(doors["jwks_uri"])

    def tokens(self, doors: Mapping[str, Any], code: str, verifier: str, back: str) -> Mapping[str, Any]:
        """Exchange a code."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self._provider.client_id,
            "code_verifier": verifier,
        }
        if secret := self._provider.client_secret.get_secret_value():
            fields["client_secret"] = secret
        message = self._message(fields)
        return _object(self._gateway.post(doors["token_endpoint"], message, form=True))

    def _get(self, url: str) -> Mapping[str, Any]:
        return _object(self._gateway.get(url, self._message({})))

    def _message(self, fields: Mapping[str, str]) -> Message:
        message = Message("oidc", PURPOSE, fields)
        self.messages = (*self.messages, message.id)
        return message


def subject_of(
    tokens: Mapping[str, Any], keys: Mapping[str, Any], provider: Provider, nonce: str, now: int
) -> str:
    """Return whom an ID token speaks of.

    Parameters
    ----------
    tokens : mapping
        The token endpoint's answer.
    keys : mapping
        The provider's, as a JWK set.
    provider : Provider
        Who must have issued it, and to whom.
    nonce : str
        This visit's.
    now : int
        Seconds since 1970.

    Raises
    ------
    RefusedError
        It is not signed by the provider, not for this service or this visit, or has run out.
    """
    try:
        token = jwt.decode(
            str(tokens["id_token"]), KeySet.import_key_set({"keys": keys["keys"]}), algorithms=[*ALGORITHMS]
        )
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
            },
            params={
                "nonce": nonce,
                "client_id": provider.client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        claims.validate(now=now, leeway=_LEEWAY)
        subject = claims["sub"]
    except (JoseError, ValueError, TypeError, KeyError):
        raise RefusedError(_NOT_OURS) from None
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise RefusedError(_NOT_OURS)
    return subject


def _object(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UpstreamError("oidc did not answer with JSON; try again later")
    return found
