"""A job for batches that does as the file says: apart from the tests, so that workers start quickly."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from facekit.errors import NoFaceError


@dataclass(frozen=True)
class Copy:
    """Copies a text, or fails in the way that it asks for."""

    def __call__(self, source: Path, target: Path, _force: bool) -> None:
        order = source.read_text()
        if order == "no face":
            raise NoFaceError("no face was found")
        if order == "defect":
            raise ZeroDivisionError
        if order == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if order == "slow":
            target.write_text(order)
            time.sleep(0.5)  # the output is there, the answer is not: the pool may break now
        target.write_text(order)
