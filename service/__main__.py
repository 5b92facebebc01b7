"""``python -m service``: start the service, or do what those who run it do by command.

Settings are in the environment; `facekit serve` sets them.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from facekit.errors import FacekitError
from service.app import build, make_parts
from service.commands import Command
from service.errors import ServiceError
from service.rights.commands import Terminate
from service.settings import Settings

#: What can be done beside serving; each domain has its own.
COMMANDS: Final[Mapping[str, Command]] = MappingProxyType({"terminate": Terminate()})
_REFUSED: Final = 3


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
    """Do what was asked; by default, serve until told to stop."""
    os.umask(0o077)  # what it writes is its own
    asked = _parser().parse_args()
    try:
        settings = Settings.load()
        parts = make_parts(settings)
        if asked.command is not None:
            return COMMANDS[asked.command].run(parts, asked)
        return serve(settings, build(parts))
    except (ServiceError, FacekitError) as error:
        sys.stderr.write(f"facekit: {error}\n")
        return _REFUSED


def serve(settings: Settings, app: FastAPI) -> int:
    """Serve until told to stop."""
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
    server.run()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m service", description="Start the service; settings are in the environment."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        words = (command.__doc__ or "").splitlines()[0]
        command.add_arguments(commands.add_parser(name, help=words, description=words))
    return parser


if __name__ == "__main__":
    sys.exit(main())
