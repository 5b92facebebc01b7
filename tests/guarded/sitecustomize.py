"""Puts Python processes that tests start under the egress guard; conftest.py puts this folder on their path.

What a process tries, even if it swallows the error, is written down for the test that runs meanwhile.
Not guarded: processes that are told to ignore the environment (``-E``, ``-I``) or this module (``-S``),
those without facekit, and all that is not Python.
"""

import os
import sys
from contextlib import suppress
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path


class Told(list):
    """Refusals that are also appended to a file."""

    def append(self, event):
        super().append(event)
        file = os.open(os.environ["FACEKIT_EGRESS_LOG"], os.O_WRONLY | os.O_APPEND)
        try:
            os.write(file, f"{event} in process {os.getpid()}\n".encode())
        finally:
            os.close(file)


def put_under_guard():
    from facekit.egress import no_egress

    standing = no_egress()
    guard = standing.__enter__()
    guard.refused = Told()
    return standing


def run_the_one_behind():
    """Run the sitecustomize that this one hides, if there is one."""
    here = Path(__file__).resolve().parent
    others = [path for path in sys.path if Path(path).resolve() != here]
    found = PathFinder.find_spec("sitecustomize", others)
    if found is not None and found.loader is not None:
        found.loader.exec_module(module_from_spec(found))


if os.environ.get("FACEKIT_EGRESS") == "refuse":
    with suppress(ImportError):
        standing = put_under_guard()  # for as long as the process lives
run_the_one_behind()
