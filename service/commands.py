"""What can be done from the machine's own shell: ``python -m service COMMAND``; each domain lists its own."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

from service.parts import Parts


@dataclass(frozen=True, slots=True)
class Command:
    """Something that whoever has the machine's shell can do.

    Parameters
    ----------
    name, words : str
        What it is called, and what it does.
    arguments : function
        Adds its arguments to a parser.
    run : function
        Does it, and returns what to print; raises ServiceError.
    """

    name: str
    words: str
    arguments: Callable[[ArgumentParser], object]
    run: Callable[[Parts, Namespace], str]
