"""The positive control: a search that finds nothing must first find what it has planted itself.

The planted secrets are random. They have the lengths of the pieces that are searched for, and come in
the places where pieces could lie: files, names, a database, archives, a picture, and the memory of a
process. The same functions search them. Then they are overwritten and removed.
"""

import gzip
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Final, cast

import numpy as np

from facekit.canaries import Canaries
from facekit.codec import encode_image
from facekit.errors import ControlError
from facekit.needles import LONGEST, Needles
from facekit.running import can_read_processes, search_process
from facekit.stored import VEILED, search_folder
from facekit.sweep import BUFFER_SIZE, CONTROL, Label, Sweep
from facekit.values import Image

__all__ = ["Surrogates", "check_control"]

_HOLD: Final = (
    "import sys; held = sys.stdin.buffer.read(int(sys.argv[1])); print(flush=True); sys.stdin.read()"
)


class Surrogates:
    """Random secrets of the same lengths as canaries, one for each way a piece is written.

    Parameters
    ----------
    canaries : Canaries
        What is searched for.
    """

    def __init__(self, canaries: Canaries) -> None:
        lengths = {
            label: int(length)
            for label, length in zip(canaries.labels, canaries.needles.lengths, strict=True)
        }
        self.name = f".facekit-control-{secrets.token_hex(16)}"
        self._secrets = [secrets.token_bytes(length) for length in lengths.values()]

    def canaries(self) -> Canaries:
        """Return them as something to search for; the name is the first.

        Returns
        -------
        Canaries
            Of the kind ``"control"``, numbered.
        """
        patterns = [self.name.encode(), *self._secrets]
        labels = (Label(CONTROL, str(number)) for number in range(len(patterns)))
        return Canaries(Needles.hide(patterns), tuple(labels))

    def forms(self) -> set[str]:
        """Return the numbers of all but the name.

        Returns
        -------
        set of str
            As the labels have them.
        """
        return {str(number) for number in range(1, len(self._secrets) + 1)}

    def each(self) -> list[bytes]:
        """Return all but the name.

        Returns
        -------
        list of bytes
            The secrets.
        """
        return list(self._secrets)

    def planted(self) -> bytes:
        """Return all of them but the name, among random bytes.

        Returns
        -------
        bytes
            To be planted.
        """
        return b"".join(secrets.token_bytes(7 + n % 8) + one for n, one in enumerate(self._secrets))

    def straddling(self, border: int) -> bytes:
        """Return the same, the first across a border and nowhere else.

        Parameters
        ----------
        border : int, bytes
            Where one reading ends.

        Returns
        -------
        bytes
            To be planted.
        """
        first, *others = self._secrets
        return secrets.token_bytes(border - len(first) // 2) + first + b"".join(others)


def check_control(
    sweep: Sweep, canaries: Canaries, surrogates: Surrogates, folders: Iterable[Path]
) -> tuple[str, ...]:
    """Plant, search, and make sure that everything is found.

    Parameters
    ----------
    sweep : Sweep
        Of the canaries and the surrogates; its book stays as it is.
    canaries : Canaries
        What is searched for.
    surrogates : Surrogates
        What is planted.
    folders : iterable of Path
        What will be searched; in each that can be written, a file is planted.

    Returns
    -------
    tuple of str
        Where something was planted, and found.

    Raises
    ------
    ControlError
        Something was not found.
    """
    _check_own(canaries)
    with tempfile.TemporaryDirectory(prefix="facekit-") as base:
        planted = _check_kinds(sweep.fresh(), surrogates, Path(base))
    for folder in folders:
        if _check_folder(sweep.fresh(), surrogates, folder):
            planted.append(str(folder))
    if can_read_processes():
        _check_process(sweep.fresh(), surrogates)
        planted.append("the memory of a child process")
    return ("the searcher's own buffer", *planted)


def _expect(found: set[str], wanted: set[str], where: str) -> None:
    if wanted - found:
        raise ControlError(
            f"the search missed {len(wanted - found)} of the {len(wanted)} secrets that it had planted in "
            f"{where}: what it does not find proves nothing"
        )


def _check_own(canaries: Canaries) -> None:
    """Find every canary itself, in memory that is overwritten at once."""
    needles = canaries.needles
    trial = Sweep(needles, tuple(Label(CONTROL, str(number)) for number in range(len(needles))))
    buffer = bytearray(LONGEST * len(needles))
    try:
        for number in range(len(needles)):
            needles.reveal(number, memoryview(buffer)[LONGEST * number :])
        trial.scan_bytes(buffer, "own")
        _expect(trial.controls("own"), {str(number) for number in range(len(needles))}, "its own memory")
    finally:
        buffer[:] = bytes(len(buffer))


def _check_kinds(sweep: Sweep, surrogates: Surrogates, base: Path) -> list[str]:
    """Plant in every kind of file that is looked into."""
    blob = surrogates.planted()
    root = Path(os.path.realpath(base))
    with _planting(root / surrogates.name) as folder:
        (folder / "file").write_bytes(surrogates.straddling(BUFFER_SIZE))
        (folder / "gz").write_bytes(gzip.compress(blob, 1))
        (folder / "png").write_bytes(encode_image(_picture(blob), "png"))
        _write_zip(folder / "zip", blob)
        _write_database(folder / "database", surrogates.each())
        search_folder(sweep, root)
    _expect(sweep.controls(f"{root} (names in it)"), {"0"}, "a file name")
    for name in ("file", "gz » gzip", "png » pixels", "zip » member 0", "database"):
        _expect(sweep.controls(f"{root}/{VEILED}/{name}"), surrogates.forms(), f"a file: {name}")
    return ["a file", "a file name", "a gzip file", "a zip file", "a picture", "an SQLite database"]


def _check_folder(sweep: Sweep, surrogates: Surrogates, folder: Path) -> bool:
    """Plant in a folder that will be searched; return whether it can be written."""
    path = Path(os.path.realpath(folder), f".facekit-control-{secrets.token_hex(8)}")
    try:
        path.mkdir(mode=0o700)
    except OSError:
        return False
    with _planting(path):
        try:
            (path / "file").write_bytes(surrogates.planted())
        except OSError:  # a full disk
            return False
        search_folder(sweep, path)
    _expect(sweep.controls(f"{path}/file"), surrogates.forms(), "a folder")
    return True


def _check_process(sweep: Sweep, surrogates: Surrogates) -> None:
    blob = surrogates.planted()
    command = [sys.executable, "-I", "-S", "-c", _HOLD, str(len(blob))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: S603
        stdin, stdout = cast("IO[bytes]", child.stdin), cast("IO[bytes]", child.stdout)
        try:
            stdin.write(blob)
            stdin.flush()
            stdout.readline()  # it holds them now
            search_process(sweep, child.pid)
        finally:
            child.kill()
    _expect(sweep.controls(f"process {child.pid}"), surrogates.forms(), "the memory of a child process")


# -- planting ---------------------------------------------------------------------------------


@contextmanager
def _planting(folder: Path) -> Iterator[Path]:
    """Give a folder whose files are overwritten and removed at the end, with it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        yield folder
    finally:
        for path in folder.iterdir():
            with suppress(OSError), path.open("r+b") as file:
                file.write(bytes(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        folder.rmdir()


def _write_zip(path: Path, data: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("planted", data)


def _write_database(path: Path, rows: list[bytes]) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("create table planted (secret blob)")
        database.executemany("insert into planted values (?)", [(row,) for row in rows])


def _picture(data: bytes) -> Image:
    padded = data + secrets.token_bytes(-len(data) % 96)
    return np.frombuffer(padded, np.uint8).reshape(-1, 32, 3)
