"""Whether this machine can hold a cell's walls, found out by raising them in a process made for it."""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facekit.walls import WALLS, Limits, load_libraries, raise_walls, readable_folders

__all__ = ["Found", "main", "rows", "try_walls"]

_PATIENCE: Final = 30.0  # seconds
_LINUX: Final = (
    "use Linux for other people's pictures; elsewhere cells need allow_weak_cell=True (docs/threat-model.md)"
)
_SECCOMP: Final = "install libseccomp (Debian: apt-get install libseccomp2) and pyseccomp"
_LANDLOCK: Final = (
    "use a kernel from 5.13 on, with landlock in its list of security modules (boot with lsm=landlock,...)"
)
#: What to do about each wall that does not hold.
_ADVICE: Final[Mapping[str, str]] = {
    "network": _SECCOMP,
    "files": f"{_SECCOMP}, or {_LANDLOCK}",
    "reading": _LANDLOCK,
    "processes": _SECCOMP,
    "memory": "let processes set RLIMIT_DATA",
    "time": "let processes set RLIMIT_CPU: a harder limit than 61 s stands already",
    "dump": "let processes call prctl(PR_SET_DUMPABLE)",
    "parent": "let processes call prctl(PR_SET_PDEATHSIG)",
    "priority": "let processes lower their own priority",
}
#: Settings of kernels and distributions that forbid user namespaces, and what they must be.
_SETTINGS: Final = (
    ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "user.max_user_namespaces=1000"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
)
_KERNEL: Final = Path("/proc/sys")


@dataclass(frozen=True, slots=True)
class Found:
    """What was found when the walls were raised.

    Parameters
    ----------
    walls : mapping of str to str
        The walls that held, each with its means.
    landlock : int
        The version of the kernel's interface; 0 where there is none.
    seccomp : str
        Empty where the library loads, else why not.
    """

    walls: Mapping[str, str]
    landlock: int
    seccomp: str


def try_walls() -> Found:
    """Raise the walls in a process of its own, which ends with them.

    Returns
    -------
    Found
        What held.

    Raises
    ------
    OSError, subprocess.SubprocessError, ValueError
        The process did not start, end or answer.
    """
    command = [sys.executable, "-m", "facekit.wallcheck"]
    run = subprocess.run(command, capture_output=True, check=True, timeout=_PATIENCE)  # noqa: S603 (ourselves)
    return Found(**json.loads(run.stdout))


def rows(found: Found) -> list[tuple[str, str, str]]:
    """Say what was found, and what to do.

    Parameters
    ----------
    found : Found
        From `try_walls`.

    Returns
    -------
    list of (str, str, str)
        A name, what is there, and advice, which is empty where nothing is wrong.
    """
    missing = [wall for wall in WALLS if wall not in found.walls]
    held = ", ".join(wall for wall in WALLS if wall in found.walls) or "none"
    apart = "namespace" in found.walls.get("network", "")
    table = [
        ("cell walls", held + (f"; missing: {', '.join(missing)}" if missing else ""), _advice(missing)),
        ("seccomp", found.seccomp or "libseccomp", _SECCOMP if found.seccomp else ""),
        (
            "Landlock",
            f"version {found.landlock}" if found.landlock else "none",
            "" if found.landlock else _LANDLOCK,
        ),
        ("user namespaces", "here" if apart else "forbidden", "" if apart else _permit()),
    ]
    elsewhere = sys.platform != "linux"
    return [(name, what, _LINUX if advice and elsewhere else advice) for name, what, advice in table]


def _advice(missing: list[str]) -> str:
    return "; ".join(dict.fromkeys(_ADVICE[wall] for wall in missing))


def _permit() -> str:
    """Say which setting stands in the way of user namespaces, as far as it can be seen."""
    for name, forbids, wanted in _SETTINGS:
        try:
            value = (_KERNEL / name).read_text().strip()
        except OSError:  # another kernel's
            continue
        if value == forbids:
            return f"sysctl -w {wanted} (without, seccomp alone keeps cells from the network)"
    return "let this program make user namespaces, as containers often do not (seccomp alone holds till then)"


def main() -> None:
    """Raise the walls around this process, say what held, and end."""
    load_libraries()
    found = {"landlock": _landlock(), "seccomp": _seccomp()}
    held = raise_walls(Limits(), parent=os.getppid(), readable=readable_folders(), allow_weak=True)
    found["walls"] = dict(wall.split(": ") for wall in held)
    os.write(sys.stdout.fileno(), json.dumps(found).encode())
    os._exit(0)  # inside the walls nothing can be tidied up


def _landlock() -> int:
    try:
        from landlock import landlock_abi_version

        ctypes.set_errno(0)  # it takes an old error for one of its own
        return int(landlock_abi_version())
    except (ImportError, OSError, AttributeError, RuntimeError):
        return 0


def _seccomp() -> str:
    try:
        import pyseccomp  # noqa: F401 (whether it loads)
    except (ImportError, OSError, RuntimeError) as error:
        return " ".join(f"{type(error).__name__}: {error}".split())
    return ""


if __name__ == "__main__":
    main()
