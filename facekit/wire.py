"""The way to a service: requests that are made again where that is safe, and refusals as errors.

What a service will not do now (429, 503) it has not done, so it is asked again when it says. What may have
been done, because its answer was lost, is asked again only where doing it twice is doing it once.
"""

import random
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, Final

import httpx

from facekit.errors import InputError, ServiceLostError, ServiceRefusedError

__all__ = ["Wire"]

Content = Callable[[], Iterable[bytes]]

_TRIES: Final = 4  # where nothing comes back
_PAUSE: Final = 0.2  # seconds before the second, doubled before each later one
_LATER: Final = frozenset({429, 503})
_REPEATABLE: Final = frozenset({"GET", "PUT", "DELETE"})
_TIMES: Final = httpx.Timeout(60, connect=10)
_PROBLEM: Final = frozenset({"type", "title", "detail", "status"})


class Wire:
    """A connection to a service.

    Parameters
    ----------
    url : str
        Where it is: https, or http on this machine.
    token : str, optional
        Of a session, or an API key.
    patience : float, seconds
        How long in all one request may wait because the service says later.
    transport : httpx.BaseTransport, optional
        Another way there than a plain connection, such as a proxy.
    verify : ssl.SSLContext, optional
        Which certificates to believe; by default those that Python does.

    Raises
    ------
    InputError
        `url` is none, or would send in clear to another machine.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        patience: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        _check_url(url)
        self.token, self._patience = token, patience
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/v1",
            headers={"User-Agent": "facekit", "Accept-Encoding": "identity"},
            timeout=_TIMES,
            transport=transport,
            trust_env=False,  # no proxy and no password that lies around on this machine
            verify=verify or ssl.create_default_context(),
        )

    def ask(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: Content | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Any:
        """Ask for something, and wait for the whole answer.

        Parameters
        ----------
        method, path : str
            The request, below ``/v1``.
        json : object, optional
            Its body.
        content : function, optional
            Makes its body, in parts, each time that it is sent.
        headers : mapping, optional
            Beside the usual ones.
        repeatable : bool, optional
            Whether doing it twice is doing it once; by default, where the method says so.

        Returns
        -------
        object
            What the answer's JSON holds; None where it is empty.

        Raises
        ------
        ServiceRefusedError
            The service said no.
        ServiceLostError
            It cannot be reached, or answered what nobody understands.
        """

        def send() -> httpx.Response:
            request = self._request(method, path, headers, json=json, content=content and content())
            return self._http.send(request)

        response = self._try(send, repeatable=method in _REPEATABLE if repeatable is None else repeatable)
        return _document(response) if response.content else None

    @contextmanager
    def stream(self, path: str, *, headers: Mapping[str, str] | None = None) -> Iterator[httpx.Response]:
        """Get something, and read it as it comes.

        Parameters
        ----------
        path : str
            Below ``/v1``.
        headers : mapping, optional
            Beside the usual ones.

        Returns
        -------
        context manager of httpx.Response
            Where it breaks off, an httpx.TransportError comes out, and the caller goes on from there.

        Raises
        ------
        ServiceRefusedError, ServiceLostError
            As in `ask`.
        """
        response = self._try(
            lambda: self._http.send(self._request("GET", path, headers), stream=True), repeatable=True
        )
        try:
            yield response
        finally:
            response.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _request(
        self, method: str, path: str, headers: Mapping[str, str] | None, **body: Any
    ) -> httpx.Request:
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self._http.build_request(method, path, headers={**own, **(headers or {})}, **body)

    def _try(self, send: Callable[[], httpx.Response], *, repeatable: bool) -> httpx.Response:
        tries, lost, waited = 0, 0, 0.0
        while True:
            wait = _PAUSE * 2**tries
            try:
                return _of_success(send())
            except httpx.TransportError as error:
                lost += 1
                if lost == _TRIES or not (repeatable or _was_not_sent(error)):
                    what = str(error) or type(error).__name__
                    raise ServiceLostError(f"the service cannot be reached: {what}") from None
            except ServiceRefusedError as refusal:
                wait = refusal.retry_after or wait
                if refusal.status not in _LATER or waited + wait > self._patience:
                    raise
            tries, waited = tries + 1, waited + wait
            # Not all who were sent away shall come back at the same moment.
            time.sleep(wait * random.uniform(1.0, 1.2))  # noqa: S311 (nothing is guessed by it)


def _of_success(response: httpx.Response) -> httpx.Response:
    """Return a response, or raise what the service refuses by it, as problem details (RFC 9457) say."""
    if response.is_success:
        return response
    try:
        response.read()
    finally:
        response.close()
    if response.headers.get("Content-Type", "").partition(";")[0] != "application/problem+json":
        raise ServiceLostError(f"something answered {response.status_code} that is no facekit service")
    problem = _document(response)
    if not isinstance(problem, dict):
        raise ServiceLostError("the service refused, and what it said is no problem")
    kind, title, detail = (str(problem.get(name, "")) for name in ("type", "title", "detail"))
    later = response.headers.get("Retry-After", "")
    raise ServiceRefusedError(
        kind,
        title,
        detail,
        response.status_code,
        retry_after=float(later) if later.isdecimal() else None,
        more={name: value for name, value in problem.items() if name not in _PROBLEM},
    )


def _document(response: httpx.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        raise ServiceLostError("the service answered something that is no JSON") from None


def _was_not_sent(error: httpx.TransportError) -> bool:
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)


def _check_url(url: str) -> None:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise InputError("url: expected https://HOST") from None
    # Clause 1.2.2(1): nothing travels in clear.
    if parsed.scheme != "https" and not (parsed.scheme == "http" and _is_loopback(parsed.host)):
        raise InputError("url: expected https://HOST, or http:// on this machine")
    if not parsed.host or parsed.userinfo or parsed.query or parsed.fragment:
        raise InputError("url: expected https://HOST, and at most a port and a path")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
