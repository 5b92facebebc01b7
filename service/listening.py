"""Where the service listens, and how it ends: the port, TLS, signals."""

import signal
import socket
import ssl
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from fastapi import FastAPI

from service.errors import SetupError
from service.settings import Settings

End = Callable[[Exception], None]


def serve(settings: Settings, make_app: Callable[[End], FastAPI]) -> bool:
    """Make the application, and serve until told to stop; what tells, by a signal, ends the process well.

    Parameters
    ----------
    settings : Settings
        Where to listen.
    make_app : function
        Makes the application, once the port is known to be free; gets a function that is told, at any time
        and on any thread, of an error that ends the service.

    Returns
    -------
    bool
        Whether it could start.

    Raises
    ------
    SetupError
        It cannot listen there, or the certificate is none.
    Exception
        What the application was ended by.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    errors: list[Exception] = []
    server: _Server | None = None

    def end(error: Exception) -> None:
        errors.append(error)
        if server is not None:
            server.should_exit = True

    with _bound(settings) as listener:
        server = _Server(_configure(settings, make_app(end)))
        server.should_exit = bool(errors)
        try:
            server.run([listener])
        except SystemExit as left:  # uvicorn's way to say that it could not start; ours has no code
            if not left.code:
                raise
    if errors:
        raise errors[0]
    return server.started


class _Server(uvicorn.Server):
    """Says where it listens, once it does."""

    async def startup(self, *args: Any, **kwargs: Any) -> None:
        """Start, and say so on standard output."""
        await super().startup(*args, **kwargs)
        for server in self.servers:
            for one in server.sockets:
                host, port = one.getsockname()[:2]
                scheme = "https" if self.config.is_ssl else "http"
                shown = f"[{host}]" if ":" in host else host
                print(f"facekit: listening on {scheme}://{shown}:{port}", flush=True)  # noqa: T201


def _leave(_: int, __: FrameType | None) -> NoReturn:
    """End well: while starting, and when uvicorn, having ended, raises the signal again."""
    raise SystemExit(0)


def _bound(settings: Settings) -> socket.socket:
    """Take the port before anything else is done; nobody is listened to yet."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Named: asyncio sends at once (TCP_NODELAY) where a socket says that it is TCP's; an answer in two
        # writes would else wait 40 ms for the client's word that it has the first.
        one = socket.socket(family, kind, protocol)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(address)
    except OSError as error:
        why = (error.strerror or "no such address").lower()
        raise SetupError(f"FACEKIT_HOST, FACEKIT_PORT: cannot listen there ({why})") from None
    return one


def _configure(settings: Settings, app: FastAPI) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        forwarded_allow_ips=settings.behind_proxy or None,
        proxy_headers=bool(settings.behind_proxy),
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    try:
        config.load()
    except OSError:  # of which SSLError is one
        raise SetupError(
            "FACEKIT_TLS_CERT, FACEKIT_TLS_KEY: expected a certificate and its key, in PEM files"
        ) from None
    if config.ssl is not None:
        # Clause 1.2.2(1): whatever else this machine's OpenSSL would take.
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return config
