"""What a command of ``python -m service`` is; each domain has its own in its ``commands``."""

from argparse import ArgumentParser, Namespace
from typing import Protocol

from service.parts import Parts


class Command(Protocol):
    """A command; the first line of its docstring is its help."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what it can be given."""

    def run(self, parts: Parts, given: Namespace) -> int:
        """Do it; return the exit status."""
