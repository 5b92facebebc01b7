"""A service of one's own on this machine, for as long as it is needed: for demonstrations and notebooks.

It is started by `facekit serve`, as anybody would, with a folder that holds all that it writes. Text
messages appear on its terminal, so `LocalService.code` reads them there.
"""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Final, Self, cast

from facekit.errors import ServiceLostError
from facekit.signing import Signer

__all__ = ["LocalService"]

#: What of the surroundings it gets: how facekit works, not how another service is set up.
_KEPT: Final = frozenset(
    f"FACEKIT_{name}" for name in ("DEBUG", "EGRESS", "EGRESS_LOG", "MODELS", "SAMPLES", "THREADS")
)
_SECONDS: Final = 60.0  # to start, and to send a code
_LISTENS: Final = re.compile(r"facekit: listening on (\S+)")
_CODE: Final = re.compile(r"facekit: the code for the number that ends in \d\d is (\d{6})")


class LocalService:
    """A service that runs in a process of its own; a context manager.

    Parameters
    ----------
    folder : str or Path
        Where all lies that it writes; made if missing.
    settings : mapping of str to str, optional
        More of its settings, without ``FACEKIT_``.

    Raises
    ------
    ServiceLostError
        It does not start; the message is what it says.
    """

    def __init__(self, folder: str | Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = Path(folder)
        temporary = self.folder / "temporary"
        temporary.mkdir(parents=True, exist_ok=True)
        own = {f"FACEKIT_{name}": value for name, value in (settings or {}).items()}
        around = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("FACEKIT_") or name in _KEPT
        }
        self._process = subprocess.Popen(  # noqa: S603 (ourselves)
            [sys.executable, "-m", "facekit", "serve", "--port", "0", "--data", str(self.folder / "data")],
            env=around | {"TMPDIR": str(temporary)} | own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._said: SimpleQueue[str] = SimpleQueue()
        self._codes: SimpleQueue[str] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        #: Where it listens.
        self.url = self._address()

    @property
    def receipt_key(self) -> bytes:
        """The key that its receipts are signed with, from its own folder: not by its own word."""
        return Signer.load(self.folder / "data" / "keys" / "receipts.pem").public_bytes

    def code(self) -> str:
        """Wait for the next code that it sends.

        Returns
        -------
        str
            Six digits, from its terminal.

        Raises
        ------
        ServiceLostError
            None has come.
        """
        try:
            return self._codes.get(timeout=_SECONDS)
        except Empty:
            raise ServiceLostError("the service has sent no code") from None

    def processes(self) -> tuple[int, ...]:
        """List its processes.

        Returns
        -------
        tuple of int
            The command, the service, the server of its cells, and cells.
        """
        return tuple(_family(self._process.pid))

    def close(self) -> None:
        """End it, as Ctrl-C does."""
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()
        self._reader.join()

    def __enter__(self) -> Self:
        """Return the service."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _read(self) -> None:
        """Sort what it says; lines that are neither wait to be told as the reason of its end."""
        last = ""
        with cast("IO[str]", self._process.stdout) as lines:
            for line in lines:
                if found := _CODE.match(line):
                    self._codes.put(found[1])
                elif found := _LISTENS.match(line):
                    self._said.put(found[1])
                else:
                    last = line.strip().removeprefix("facekit: ")
        self._said.put(f"! {last or 'it ended without a word'}")

    def _address(self) -> str:
        try:
            said = self._said.get(timeout=_SECONDS)
        except Empty:
            said = "! it takes too long"
        if said.startswith("! "):
            self.close()
            raise ServiceLostError(f"the service does not start: {said[2:]}")
        return said


def _family(pid: int) -> list[int]:
    """List a process and all that it, or its threads, have started."""
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = path.read_text().split()
        except OSError:
            continue  # the thread has ended
        found += [one for child in children for one in _family(int(child))]
    return found
