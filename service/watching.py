"""What happens around every request: it is logged by the closed schema, and its answer is dressed.

Plain ASGI: answers stream, and who hangs up is noticed.
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect

from service import problems
from service.bodies import bounded
from service.cookies import COOKIES
from service.logs import METHODS, Request, client_family, size_range
from service.networks import network_of
from service.parts import Parts

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

#: What an answer has, unless its route says otherwise.
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
HSTS: Final = "max-age=63072000"
_ABSENT: Final = 404
_HUNG_UP: Final = 499


class Watching:
    """Stands around an application; a middleware.

    Parameters
    ----------
    app : ASGI application
        What answers.
    parts : Parts
        For the log and the tally.
    prefix : str
        Of routes, which they themselves do not know.
    """

    def __init__(self, app: App, parts: Parts, prefix: str) -> None:
        self._app, self._parts, self._prefix = app, parts, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, whatever happens; an answer that had begun is broken off where something goes wrong."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._dress(scope, MutableHeaders(raw=message.setdefault("headers", [])))
            await send(message)

        try:
            await self._app(scope, bounded(scope, receive), answer)
            if status == _ABSENT and scope.get("path_params"):  # guessing ids has an end
                who = scope.get("state", {}).get("account_id", ""), _network(scope)
                await run_in_threadpool(self._parts.gate.missed, *who)
        except ClientDisconnect:
            status = _HUNG_UP
        except Exception as error:
            self._parts.logs.defect(error)
            if status:
                raise
            await problems.answer(error)(scope, receive, answer)
        finally:
            self._note(scope, status or _HUNG_UP, round((time.perf_counter() - start) * 1000))

    def _dress(self, scope: Scope, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        # Clause 1.2.2(1): a browser that came by TLS once never comes without.
        if scope["scheme"] == "https":
            headers.setdefault("Strict-Transport-Security", HSTS)
        # Clause 8 (head) b: it is said with every answer, until the notice has been seen.
        if scope.get("state", {}).get("unread"):
            headers["Facekit-Notice"] = "unread"
        # Clause 2 (head): no cookie leaves that the public list does not name.
        wanted = [value for value in headers.getlist("set-cookie") if value.partition("=")[0] in COOKIES]
        if wanted != headers.getlist("set-cookie"):
            del headers["set-cookie"]
            for value in wanted:
                headers.append("set-cookie", value)
            self._parts.logs.write_defect("UnlistedCookie", "unknown")

    def _note(self, scope: Scope, status: int, milliseconds: int) -> None:
        # Clauses 1.3.2(1), 1.1.3: all that is written down of a request.
        headers, logs = Headers(scope=scope), self._parts.logs
        network = _network(scope)
        line = Request(
            method=scope["method"] if scope["method"] in METHODS else "other",
            route=self._template(scope),
            status=status,
            milliseconds=milliseconds,
            network=network,
            client=client_family(headers.get("user-agent", "")),
            account=logs.pseudonym(scope.get("state", {}).get("account_id", "")),
            size=size_range(headers.get("content-length", "0")),
        )
        logs.write(line)
        self._parts.tally.add(line.method, line.route, status, milliseconds, line.account or network)

    def _template(self, scope: Scope) -> str:
        """Return the template of the route that a request came to; empty where it came to none."""
        route = scope.get("route")
        if not isinstance(route, APIRoute):
            return ""
        is_inside = scope["path"].startswith(f"{self._prefix}/") and not route.path.startswith(self._prefix)
        return self._prefix + route.path if is_inside else route.path


def _network(scope: Scope) -> str:
    return network_of(scope["client"][0] if scope.get("client") else "")
