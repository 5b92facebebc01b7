"""``python -m service``: start the service, or do what those who run it do by command.

Settings are in the environment; `facekit serve` sets them.
"""

import argparse
import gc
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


def main() -> int:
    """Do what was asked; by default, serve until told to stop."""
    os.umask(0o077)  # what it writes is its own
    wipe_what_is_freed()
    asked = _parser().parse_args()
    try:
        settings = Settings.load()
        if asked.command is not None:
            return COMMANDS[asked.command].run(make_parts(settings), asked)
        if serve(settings, partial(_start, settings)):
            return 0
    except (ServiceError, FacekitError) as error:
        sys.stderr.write(f"facekit: {error}\n")
        return _REFUSED
    sys.stderr.write("facekit: the service could not start; the last line of the log says where it failed\n")
    return _DEFECT


def _start(settings: Settings, end: Callable[[Exception], None]) -> FastAPI:
    """Make all that serves; `end` is told what must end it."""

    def refuse(error: FacekitError) -> None:
        """End where a wall cannot be had; what else keeps cells from starting may pass."""
        if isinstance(error, WallError):
            end(error)

    parts = make_parts(settings)
    app = build(parts)
    take_over(parts.logs)
    parts.jobs.start()
    parts.jobs.when_refused(refuse)
    # What is there now stays: a look through all of it for garbage would hold up whoever asks meanwhile.
    gc.collect()
    gc.freeze()
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
