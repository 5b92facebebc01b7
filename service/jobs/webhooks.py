"""Telling a client's webhook of a job: its number, its state and when; signed, and tried a few times."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from service.errors import RefusedError
from service.gateway import Flat, Gateway, Message, is_public

#: Seconds before each further try.
WAITS: Final = (1.0, 5.0, 25.0)
_MOST: Final = 1000  # that wait for another try


@dataclass(frozen=True, slots=True)
class Hook:
    """Where to tell, and what signs it.

    Parameters
    ----------
    url : str
        The client's.
    secret : str
        This job's, which the client was given with it.
    """

    url: str
    secret: str = field(repr=False)


@dataclass(slots=True)
class _Delivery:
    hook: Hook
    fields: Flat
    account_id: str
    job: str
    tries: int = 0
    due: float = 0.0


class Webhooks:
    """Sends, and tries again.

    Parameters
    ----------
    gateway : Gateway
        The one way out, which keeps the ledger.
    private : bool
        Whether addresses of this machine and of private networks are allowed.
    note : function
        Is told a job's id and "delivered" or "failed", in the end.
    """

    def __init__(self, gateway: Gateway, *, private: bool, note: Callable[[str, str], None]) -> None:
        self._gateway, self._private, self._note = gateway, private, note
        self._waiting: list[_Delivery] = []
        self._lock = threading.Lock()

    def send(self, hook: Hook, job: str, account_id: str, state: str, at: datetime) -> None:
        """Tell of a state."""
        # Clause 3.1 (head): no more than this, and never anything of the photo.
        fields = {"job": job, "state": state, "at": at.isoformat(timespec="milliseconds")}
        self._try(_Delivery(hook, fields, account_id, job))

    def go_on(self) -> None:
        """Try again what is due; called now and then."""
        now = time.monotonic()
        with self._lock:
            due = [one for one in self._waiting if one.due <= now]
            self._waiting = [one for one in self._waiting if one.due > now]
        for one in due:
            self._try(one)

    def _try(self, one: _Delivery) -> None:
        one.tries += 1
        # A message each time: each has a line of its own in the ledger.
        message = Message("webhook", "job.state", one.fields, one.account_id)
        sent = self._gateway.post_later(one.hook.url, message, secret=one.hook.secret, private=self._private)
        sent.add_done_callback(partial(self._answered, one))

    def _answered(self, one: _Delivery, sent: Future[bool]) -> None:
        if not sent.cancelled() and sent.exception() is None and sent.result():
            self._note(one.job, "delivered")
            return
        with self._lock:
            again = one.tries <= len(WAITS) and len(self._waiting) < _MOST
            if again:
                one.due = time.monotonic() + WAITS[one.tries - 1]
                self._waiting.append(one)
        if not again:
            self._note(one.job, "failed")


def check_address(url: str, *, private: bool) -> None:
    """Refuse what cannot be a webhook; where it leads is looked at when something is sent.

    Parameters
    ----------
    url : str
        The client's.
    private : bool
        Whether plain HTTP is allowed.

    Raises
    ------
    RefusedError
        It is no address, or not of this kind.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in (("https", "http") if private else ("https",)) or not parts.hostname:
        raise RefusedError("webhook: expected an address that begins with https://")
    if parts.username or parts.password or not url.isascii() or not url.isprintable() or " " in url:
        raise RefusedError("webhook: expected an address without a name, a password or other characters")
    if not private and not _may_be_public(parts.hostname):
        raise RefusedError("webhook: the address lies in a private network")


def _may_be_public(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:  # a name, which is looked up when something is sent, and each time anew
        return host != "localhost"
