"""``python -m service``: start the service; with a command, do that instead.

Settings are in the environment; `facekit serve` sets them.
"""

import argparse
import os
import sys
from typing import Any, Final

import uvicorn

from service.accounts.commands import COMMANDS as ACCOUNTS
from service.app import build, make_parts
from service.commands import Command
from service.errors import ServiceError
from service.settings import Settings

COMMANDS: Final[tuple[Command, ...]] = (*ACCOUNTS,)


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
    """Do what the arguments say: start, and serve until told to stop; or one command."""
    os.umask(0o077)  # what it writes is its own
    asked = _parser().parse_args()
    try:
        settings = Settings.load()
        parts = make_parts(settings)
        if asked.command is not None:
            print(f"facekit: {asked.command.run(parts, asked)}")  # noqa: T201
            return 0
        app = build(parts)
    except ServiceError as error:
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
    server.run()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service", description="Start the service.")
    parser.set_defaults(command=None)
    each = parser.add_subparsers(title="commands, which do something else instead")
    for command in COMMANDS:
        one = each.add_parser(command.name, help=command.words)
        one.set_defaults(command=command)
        command.arguments(one)
    return parser


if __name__ == "__main__":
    sys.exit(main())
