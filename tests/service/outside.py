"""Other parties for the tests: a carrier, and a provider of OpenID Connect; each a server of its own."""

import hashlib
import hmac
import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CARRIER_SECRET = "a secret for the carrier"  # noqa: S105 (of these tests only)
CLIENT, CLIENT_SECRET = "facekit-tests", "a secret for the provider"


# ruff: noqa: ARG002 (what answers is told more than it needs)


class Outsider:
    """A server on this machine that remembers what it was asked; a context manager."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        outsider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outsider.asked.append(urlsplit(self.path).path)
                self._answer(outsider.get(self.path))

            def do_POST(self) -> None:
                outsider.asked.append(urlsplit(self.path).path)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(outsider.post(self.path, body, dict(self.headers)))

            def _answer(self, answer: tuple[int, Any]) -> None:
                status, document = answer
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def get(self, path: str) -> tuple[int, Any]:
        return 404, {}

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        return 404, {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Carrier(Outsider):
    """Exchanges a token, once, for the number of the device that it gave it to."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[str, Any] = {}

    def token_for(self, phone: Any) -> str:
        token = secrets.token_urlsafe(16)
        self._numbers[token] = phone
        return token

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        wanted = "sha256=" + hmac.digest(CARRIER_SECRET.encode(), body, hashlib.sha256).hex()
        if not hmac.compare_digest(headers.get("Facekit-Signature", ""), wanted):
            return 403, {}
        phone = self._numbers.pop(json.loads(body)["token"], None)
        return (400, {}) if phone is None else (200, {"phone": phone})


class Provider(Outsider):
    """Signs people in by the code flow; whoever comes to its door is whoever it was told to let in."""

    def __init__(self) -> None:
        super().__init__()
        self.key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})
        self.issuer = self.url
        self.more: dict[str, Any] = {}  # claims beside those that must be
        self.visits: list[dict[str, str]] = []
        self.sign: Callable[[dict[str, Any]], str] = self.sign_well
        self._codes: dict[str, tuple[dict[str, str], str]] = {}

    def settings(self) -> dict[str, str]:
        return {"issuer": self.url, "client_id": CLIENT, "client_secret": CLIENT_SECRET}

    def sign_well(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "first"}, claims, self.key)

    def let_in(self, url: str, subject: str) -> dict[str, str]:
        """Be the browser that comes, and return what it is sent back with."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert urlsplit(url).path == "/authorize"
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        self.visits.append(asked)
        code = secrets.token_urlsafe(16)
        self._codes[code] = (asked, subject)
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def get(self, path: str) -> tuple[int, Any]:
        if path == "/jwks":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if path != "/.well-known/openid-configuration":
            return 404, {}
        return 200, {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "authorization_response_iss_parameter_supported": True,
        }

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        given = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        asked, subject = self._codes.pop(given["code"], ({}, ""))
        challenge = urlsafe_b64encode(hashlib.sha256(given["code_verifier"].encode()).digest()).rstrip(b"=")
        if not (
            asked
            and given["grant_type"] == "authorization_code"
            and given["redirect_uri"] == asked["redirect_uri"]
            and (given["client_id"], given["client_secret"]) == (CLIENT, CLIENT_SECRET)
            and asked["code_challenge_method"] == "S256"
            and challenge.decode() == asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        }
        token = self.sign(claims | self.more)
        return 200, {"access_token": secrets.token_urlsafe(8), "token_type": "Bearer", "id_token": token}


def query(values: dict[str, str]) -> str:
    return urlencode(values)
