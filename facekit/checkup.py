"""What works on this machine, and what to do about the rest.

Every check looks at one thing and survives its absence: a library that does not load, a folder
that cannot be written and a missing graphics driver end as one row with advice, never as an
exception. Nothing is downloaded, and MediaPipe itself is not imported.
"""

import ctypes
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module, metadata
from io import StringIO
from pathlib import Path
from typing import Any, TypeAlias

__all__ = ["Check", "Report", "doctor", "missing_packages"]

DISTRIBUTION = "facekit-reference"
PYTHONS = ((3, 11), (3, 13))
MEDIAPIPE = "0.10.33"
MEMORY = 2**30  # bytes; no picture within the limits takes more
REINSTALL = f"pip install --force-reinstall {DISTRIBUTION}"
LIBRARIES = ("numpy", "scipy", "numba", "cv2", "PIL", "cryptography")
GRAPHICS = {"libGLESv2.so.2": "libgles2", "libEGL.so.1": "libegl1"}
USES = {"client": ": facekit.Client", "service": ": facekit serve"}  # what an extra is for, where it is asked
CODECS = ("jpg", "zlib", "webp", "avif", "libtiff", "littlecms2")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What it is.
    ok : bool
        Whether it works.
    found : str
        What is there, in one line.
    advice : str
        What to install or do; empty where nothing is wrong.
    required : bool
        Whether facekit cannot do its main job without it.
    """

    name: str
    ok: bool
    found: str
    advice: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """All checks, in the order in which to mend things.

    Parameters
    ----------
    checks : tuple of Check
        One row each.
    """

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether everything that is required works."""
        return all(check.ok for check in self.checks if check.required)


Opener: TypeAlias = Callable[[str], object]


def doctor(*, open_library: Opener = ctypes.CDLL) -> Report:
    """Look at libraries, graphics drivers, models, caches, samples, templates, walls and the machine.

    Parameters
    ----------
    open_library : callable
        Opens a shared library by name, or raises OSError.

    Returns
    -------
    Report
        `Report.ok` says whether the main job works here.

    Notes
    -----
    Raises nothing. Writes only empty files, into the caches, and removes them.

    Examples
    --------
    >>> report = doctor()
    >>> report.checks[0].name, report.checks[0].ok
    ('Python', True)
    """
    with redirect_stdout(StringIO()):  # some libraries print when they cannot load
        return Report((*_required(open_library), *_optional()))


def _required(open_library: Opener) -> list[Check]:
    checks = [_python()]
    checks += [_guarded(name, _library, name, advice=REINSTALL) for name in LIBRARIES]
    checks += [
        _guarded("picture codecs", _codecs, advice=f"{REINSTALL} pillow"),
        _guarded("OpenCV builds", _opencv, advice="pip install --force-reinstall opencv-contrib-python"),
        _guarded("mediapipe", _mediapipe, advice=f"pip install mediapipe=={MEDIAPIPE}"),
        _graphics(open_library),
    ]
    return [*checks, *_models(), _guarded("templates", _templates, advice=REINSTALL)]


def _optional() -> list[Check]:
    return [
        _guarded("user cache", _user_cache, advice="make it writable, or set XDG_CACHE_HOME", required=False),
        _guarded(
            "numba cache", _numba_cache, advice="set NUMBA_CACHE_DIR to a writable folder", required=False
        ),
        _guarded("samples", _samples, advice="run `facekit samples --fetch`", required=False),
        _machine(),
        *_walls(),
        *_extras(),
    ]


def _guarded(name: str, look: Callable[..., Check], *args: Any, advice: str, required: bool = True) -> Check:
    """Turn whatever goes wrong while looking into a row."""
    try:
        return look(*args)
    except Exception as error:
        line = " ".join(f"{type(error).__name__}: {error}".split())
        return Check(name, False, line, advice, required)


# -- libraries -----------------------------------------------------------------------------


def _python() -> Check:
    low, high = (".".join(map(str, version)) for version in PYTHONS)
    ok = PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]
    return Check("Python", ok, platform.python_version(), "" if ok else f"use Python {low} to {high}")


def _library(name: str) -> Check:
    return Check(name, True, str(import_module(name).__version__))


def _codecs() -> Check:
    features = import_module("PIL.features")
    missing = [name for name in CODECS if not features.check(name)]
    heif = "with" if _version("pillow-heif") else "without"
    found = f"{', '.join(name for name in CODECS if name not in missing)}; {heif} heif"
    return Check(
        "picture codecs", not missing, found, f"pip install --upgrade pillow: it lacks {', '.join(missing)}"
    )


def _opencv() -> Check:
    """Every wheel of OpenCV writes the same package cv2: two versions overwrite each other."""
    names = [
        f"opencv-{kind}"
        for kind in ("python", "contrib-python", "python-headless", "contrib-python-headless")
    ]
    versions = {name: version for name in names if (version := _version(name))}
    loaded = import_module("cv2").__version__
    wanted = next(iter(versions.values()), loaded)
    ok = set(versions.values()) <= {wanted} and wanted.startswith(loaded)
    found = ", ".join(f"{name} {version}" for name, version in versions.items()) or "none by name"
    advice = f"pip install --force-reinstall {' '.join(f'{name}=={wanted}' for name in versions)}"
    return Check("OpenCV builds", ok, f"{found}; cv2 {loaded}", "" if ok else advice)


def _mediapipe() -> Check:
    found = _version("mediapipe")
    advice = f"pip install mediapipe=={MEDIAPIPE}, the release that facekit is checked with"
    ok = found == MEDIAPIPE
    return Check("mediapipe", ok, found or "not installed", "" if ok else advice)


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _graphics(open_library: Opener) -> Check:
    """MediaPipe's native library is linked against these, and a bare machine lacks them."""
    missing = []
    for library in GRAPHICS:
        try:
            open_library(library)
        except OSError:
            missing.append(library)
    found = f"missing {', '.join(missing)}" if missing else ", ".join(GRAPHICS)
    advice = (
        f"apt-get install {' '.join(GRAPHICS[name] for name in missing)} (or your system's packages for them)"
    )
    return Check("graphics libraries", not missing, found, advice if missing else "")


# -- files ---------------------------------------------------------------------------------


def _models() -> list[Check]:
    try:
        models = import_module("facekit.models")
        names = [model.name for model in models.list_models()]
    except Exception as error:
        return [Check("models", False, f"{type(error).__name__}: {error}", REINSTALL)]
    return [_guarded(f"model {name}", _model, models, name, advice="run `facekit models`") for name in names]


def _model(models: Any, name: str) -> Check:
    from facekit.errors import ModelError

    try:
        models.load_model(name)
    except ModelError as error:
        what, _, remedy = str(error).partition(";")
        return Check(f"model {name}", False, what, remedy.strip())
    return Check(f"model {name}", True, f"right, in the {models.find_model(name)}")


def _user_cache() -> Check:
    folder = import_module("facekit.files").user_cache()
    folder.mkdir(parents=True, exist_ok=True)
    _try_writing(folder)
    return Check("user cache", True, str(folder), required=False)


def _numba_cache() -> Check:
    """Ask numba where it keeps what it compiles; it raises where no place is writable."""
    compiled = import_module("numba").njit(cache=True)(_nothing)
    folder = Path(compiled.stats.cache_path)
    folder.mkdir(parents=True, exist_ok=True)
    _try_writing(folder)
    return Check("numba cache", True, str(folder), required=False)


def _nothing() -> None:
    """Do nothing; numba looks at the file that this is in."""


def _try_writing(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder):
        pass


def _samples() -> Check:
    data = import_module("facekit.data")
    here = [sample.name for sample in data.list_samples() if data.has_sample(sample.name)]
    missing = [sample.name for sample in data.list_samples() if sample.name not in here]
    found = f"here: {', '.join(here) or 'none'}" + (f"; missing: {', '.join(missing)}" if missing else "")
    return Check(
        "samples", not missing, found, "run `facekit samples --fetch`" if missing else "", required=False
    )


def _templates() -> Check:
    names = list(import_module("facekit.templates").template_names())
    return Check("templates", bool(names), f"{len(names)}: {', '.join(names)}", "" if names else REINSTALL)


# -- the machine and extras ----------------------------------------------------------------


def _machine() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    free = _free_memory()
    shown = "memory unknown" if free is None else f"{free / 2**30:.1f} GiB of memory free"
    ok = free is None or free >= MEMORY
    advice = "" if ok else "close something: a large picture takes up to 1 GiB"
    return Check("machine", ok, f"{cores} cores, {shown}", advice, required=False)


def _free_memory() -> int | None:
    """Bytes that can still be had, by the kernel's estimate and the container's limit."""
    known = []
    try:
        text = Path("/proc/meminfo").read_text()
        known += [int(kib) * 1024 for kib in re.findall(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)]
        group = Path("/sys/fs/cgroup")
        limit = (group / "memory.max").read_text().strip()
        if limit.isdigit():
            known.append(int(limit) - int((group / "memory.current").read_text()))
    except OSError:
        pass
    return min(known, default=None)


def _walls() -> list[Check]:
    """Raise a cell's walls where it does no harm; without them all else works."""
    wallcheck = import_module("facekit.wallcheck")
    try:
        rows = wallcheck.rows(wallcheck.try_walls())
    except Exception as error:
        line = " ".join(f"{type(error).__name__}: {error}".split())
        return [Check("cell walls", False, line, "run `python -m facekit.wallcheck`", required=False)]
    return [Check(name, not advice, found, advice, required=False) for name, found, advice in rows]


def _extras() -> Iterator[Check]:
    """Yield one row for each optional extra that the installed package declares."""
    try:
        declared = metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return
    for extra in declared:
        missing = missing_packages(extra)
        found = f"lacks {', '.join(missing)}" if missing else f"installed{USES.get(extra, '')}"
        advice = f"pip install '{DISTRIBUTION}[{extra}]'" if missing else ""
        yield Check(f"extra {extra}", not missing, found, advice, required=False)


def missing_packages(extra: str) -> list[str]:
    """List what an optional extra asks for and is not installed.

    Parameters
    ----------
    extra : str
        Its name.

    Returns
    -------
    list of str
        Names of packages; empty, too, where nobody can say because facekit itself is not installed.
    """
    try:
        needed = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    of_extra = [line for line in needed if re.search(rf"extra == ['\"]{re.escape(extra)}['\"]", line)]
    names = [match[0] for line in of_extra if (match := re.match(r"[\w.-]+", line))]
    return [name for name in names if _version(name) is None]
