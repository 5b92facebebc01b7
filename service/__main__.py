"""``python -m service``: start the service, or do what those who run it do by command.

Settings are in the environment; `facekit serve` sets them.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from fastapi import FastAPI

from facekit.errors import FacekitError, WallError
from service.accounts.commands import Operator
from service.app import build, make_parts
from service.commands import Command
from service.errors import ServiceError
from service.listening import serve
from service.rights.commands import Terminate
from service.settings import Settings

#: What can be done beside serving; each domain has its own.
COMMANDS: Final[Mapping[str, Command]] = MappingProxyType({"operator": Operator(), "terminate": Terminate()})
_REFUSED: Final = 3


def main() -> int:
    """Do what was asked; by default, serve until told to stop."""
    os.umask(0o077)  # what it writes is its own
    asked = _parser().parse_args()
    try:
        settings = Settings.load()
        if asked.command is not None:
            return COMMANDS[asked.command].run(make_parts(settings), asked)
        serve(settings, partial(_start, settings))
    except (ServiceError, FacekitError) as error:
        sys.stderr.write(f"facekit: {error}\n")
        return _REFUSED
    return 0


def _start(settings: Settings, end: Callable[[Exception], None]) -> FastAPI:
    """Make all that serves; `end` is told what must end it."""

    def refuse(error: FacekitError) -> None:
        """End where a wall cannot be had; what else keeps cells from starting may pass."""
        if isinstance(error, WallError):
            end(error)

    parts = make_parts(settings)
    app = build(parts)
    parts.jobs.start()
    parts.jobs.when_refused(refuse)
    return app


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
