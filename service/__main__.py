"""``python -m service``: start the service, or do what those who run it do by command.

Settings are in the environment; `facekit serve` sets them.
"""

import argparse
import gc
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import uvicorn

from facekit.errors import FacekitError, WallError
from service.accounts.commands import Operator
from service.app import build, make_parts
from service.commands import Command
from service.errors import ServiceError
from service.logs import take_over
from service.memory import wipe_what_is_freed
from service.policy.commands import Publish
from service.rights.commands import Terminate
from service.settings import Settings

#: What can be done beside serving; each domain has its own.
COMMANDS: Final[Mapping[str, Command]] = MappingProxyType(
    {"operator": Operator(), "publish": Publish(), "terminate": Terminate()}
)
_REFUSED: Final = 3
_DEFECT: Final = 1


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
    wipe_what_is_freed()
    asked = _parser().parse_args()
    try:
        settings = Settings.load()
        if asked.command is None:
            return serve(settings)
        return COMMANDS[asked.command].run(make_parts(settings), asked)
    except (ServiceError, FacekitError) as error:
        sys.stderr.write(f"facekit: {error}\n")
        return _REFUSED


def serve(settings: Settings) -> int:
    """Start, and serve until told to stop."""
    parts = make_parts(settings)
    app = build(parts)
    take_over(parts.logs)
    parts.jobs.start()
    # What is there now stays: a look through all of it for garbage would hold up whoever asks meanwhile.
    gc.collect()
    gc.freeze()
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
    if not server.started:
        sys.stderr.write(
            "facekit: the service could not start; the last line of the log says where it failed\n"
        )
        return _DEFECT
    if refused:
        sys.stderr.write(f"facekit: {refused[0]}\n")
    return _REFUSED if refused else 0


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
