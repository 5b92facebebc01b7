"""The one way out: every connection to another party goes through here, and is in the ledger first.

Who may be sent what is the registry's to say (`service.policy.registry.RECIPIENTS`): a recipient that is
not listed, a purpose that is not its own or a field that it may not have is refused. A row of the ledger
is committed before the first byte leaves. Nothing that belongs to a face has a way to be written here:
a message is flat JSON of texts, numbers and truth values.
"""

import hashlib
import hmac
import ipaddress
import json
import secrets
import socket
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import httpx

from service.clock import Clock
from service.database import Database
from service.errors import NotAllowedError, RefusedError, UpstreamError
from service.ops.store import ShareEvent
from service.policy.registry import RECIPIENTS

Flat: TypeAlias = Mapping[str, str | int | float | bool | None]

SECONDS: Final = 10.0
_LARGEST: Final = 2**20  # bytes of an answer
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to whom, and what for.

    Parameters
    ----------
    recipient : str
        One of the registry.
    purpose : str
        One of the recipient's.
    fields : mapping
        Flat; names are those that the recipient may have.
    account_id : str, optional
        Whom it is about, where that is known before it is sent.
    id : str
        Of its row in the ledger.
    """

    recipient: str
    purpose: str
    fields: Flat
    account_id: str | None = None
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))


class Gateway:
    """Sends, after it has written down that it will.

    Parameters
    ----------
    database : Database
        Where the ledger is.
    clock : function
        Tells the time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._client = httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False)
        self._hands = ThreadPoolExecutor(4, thread_name_prefix="facekit-gateway")

    def post(
        self, url: str, message: Message, *, secret: str = "", form: bool = False, private: bool = True
    ) -> httpx.Response:
        """Send a message, and wait for the answer.

        Parameters
        ----------
        url : str
            Where to.
        message : Message
            What.
        secret : str
            Signs the body; header ``Facekit-Signature: sha256=HEX``, as in `signature`.
        form : bool
            Send a form, as OAuth's token endpoints want, not JSON.
        private : bool
            Whether it may go to this machine and private networks: yes where the operator chose the address.

        Raises
        ------
        NotAllowedError
            The registry does not allow this.
        UpstreamError
            Nobody answered in time, or with an error; the message does not say with what.
        """
        _permit(message)
        body = (
            httpx.QueryParams(dict(message.fields)).__str__().encode()
            if form
            else json.dumps(dict(message.fields), separators=(",", ":")).encode()
        )
        headers = {
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
            "Accept": "application/json",
        }
        if secret:
            headers["Facekit-Signature"] = signature(secret, body)
        return self._send("POST", url, message, headers, body, private=private)

    def get(self, url: str, message: Message, *, bearer: str = "") -> httpx.Response:
        """Ask for something, as for a provider's keys; errors as in `post`."""
        _permit(message)
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        return self._send("GET", url, message, headers, None, private=True)

    def post_later(
        self, url: str, message: Message, *, secret: str = "", private: bool = True
    ) -> Future[bool]:
        """Send a message aside, so that how long it takes tells nobody anything; says whether it arrived."""
        return self._hands.submit(self._try, url, message, secret, private)

    def close(self) -> None:
        """Let what is being sent arrive, and close."""
        self._hands.shutdown()
        self._client.close()

    def _try(self, url: str, message: Message, secret: str, private: bool) -> bool:
        try:
            self.post(url, message, secret=secret, private=private)
        except (UpstreamError, NotAllowedError, RefusedError):
            return False
        return True

    def _send(
        self,
        method: str,
        url: str,
        message: Message,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        private: bool,
    ) -> httpx.Response:
        target, extensions, host = _target(url, private=private)
        self._note(message)
        try:
            answer = self._client.request(
                method, target, content=body, headers={**headers, "Host": host}, extensions=extensions
            )
        except httpx.HTTPError:
            raise UpstreamError(f"{message.recipient} did not answer; try again later") from None
        if not answer.is_success or len(answer.content) > _LARGEST:
            raise UpstreamError(f"{message.recipient} answered with {answer.status_code}; try again later")
        return answer

    def _note(self, message: Message) -> None:
        """Write down what is about to be sent: names of fields, never their values."""
        # Clause 3.1 (head): the row is committed before the first byte leaves.
        recipient = RECIPIENTS[message.recipient]
        with self._database.begin() as session:
            session.add(
                ShareEvent(
                    id=message.id,
                    account_id=message.account_id,
                    recipient=message.recipient,
                    purpose=message.purpose,
                    fields=",".join(sorted(message.fields)),
                    basis=recipient.basis,
                    at=self._clock(),
                )
            )


def signature(secret: str, body: bytes) -> str:
    """Return what proves to a recipient who sent a body.

    >>> signature("s", b"{}")
    'sha256=143ca8d517ba1b181025d732b1cf275d90104fca57bb02a565542978aa18c4b6'
    """
    return "sha256=" + hmac.digest(secret.encode(), body, hashlib.sha256).hex()


def _permit(message: Message) -> None:
    # Clause 3.1.2(5): "necessary sharing with some partners" is void; who is not listed gets nothing.
    recipient = RECIPIENTS.get(message.recipient)
    if recipient is None:
        raise NotAllowedError("the registry has no such recipient: nothing was sent")
    if message.purpose not in recipient.purposes:
        raise NotAllowedError(f"{message.recipient} gets nothing for this purpose: nothing was sent")
    if not set(message.fields) <= set(recipient.fields):
        raise NotAllowedError(f"{message.recipient} may not have these fields: nothing was sent")
    if not all(
        value is None or isinstance(value, (str, int, float, bool)) for value in message.fields.values()
    ):
        raise NotAllowedError("a message is flat: nothing was sent")


def _target(url: str, *, private: bool) -> tuple[str, dict[str, str], str]:
    """Return where to connect to: for an address that a user chose, the one that was looked at.

    A name is looked up once, and what was found is what is connected to: a second look-up could find
    another machine (DNS rebinding).
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RefusedError("expected an address that begins with https://")
    if private:
        return url, {}, host
    if parts.scheme != "https":
        raise RefusedError("expected an address that begins with https://")
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError:
        raise UpstreamError("the address does not resolve") from None
    addresses = {str(row[4][0]) for row in found}
    if not all(map(is_public, addresses)):
        raise RefusedError("the address lies in a private network")
    address = min(addresses)
    shown = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=shown + port).geturl(), {"sni_hostname": parts.hostname}, host


def is_public(address: str) -> bool:
    """Say whether an address is one machine's on the open internet, also where it wraps another address.

    >>> [is_public(one) for one in ("93.184.215.14", "127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::")]
    [True, False, False, False]
    """
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        # Networks that translate to IPv4 (NAT64, 6to4, Teredo) lead wherever the address inside does.
        inside = found.sixtofour or (found.teredo or (None, None))[1]
        if found in _NAT64:
            inside = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        if inside is not None:
            return is_public(str(inside))
    return found.is_global and not found.is_multicast
