"""``python -m service``: start the service. Settings are in the environment; `facekit serve` sets them."""

import os
import sys
from typing import Any

import uvicorn

from facekit.errors import FacekitError, WallError
from service.app import build, make_parts
from service.errors import SetupError
from service.memory import wipe_what_is_freed
from service.settings import Settings


class _Server(uvicorn.Server):
    """Says where it listens, once it does."""

    async def startup(self, *args: Any, **kwargs: Any) -> None:
        """Start, and say so on standard output."""
        await super().startup(*args, **kwargs)
        for server in self.servers:
            for socket in server.sockets:
                host, port = socket.getsockname()[:2]
                scheme = "https" if self.config.is_ssl else "http"
                print(f"facekit: listening on {scheme}://{host}:{port}", flush=True)  # noqa: T201


def main() -> int:
    """Start, and serve until told to stop."""
    os.umask(0o077)  # what it writes is its own
    wipe_what_is_freed()
    try:
        settings = Settings.load()
        parts = make_parts(settings)
        app = build(parts)
        parts.jobs.start()
    except SetupError as error:
        sys.stderr.write(f"facekit: {error}\n")
        return 3
    server = _Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
            forwarded_allow_ips=settings.behind_proxy or None,
            proxy_headers=bool(settings.behind_proxy),
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=5,
        )
    )
    refused: list[WallError] = []

    def refuse(error: FacekitError) -> None:
        """End where a wall cannot be had; what else keeps cells from starting may pass."""
        if isinstance(error, WallError):
            refused.append(error)
            server.should_exit = True

    parts.jobs.when_refused(refuse)
    server.run()
    if refused:
        sys.stderr.write(f"facekit: {refused[0]}\n")
    return 3 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
