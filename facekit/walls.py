"""The walls of a cell: what a process that works on a stranger's picture can no longer do.

A decoder that a hostile picture has taken over must not be able to send, write or stay. Each wall
is held by one or more of the kernel's own means, raised from inside and never to be lowered:

==========  ============================================================================
network     a network namespace without devices [1]_; no system call that makes a socket
files       nothing opens for writing (Landlock [2]_, seccomp); no file may have a byte
reading     only the code's own folders open at all (Landlock)
processes   threads, but no new process and no other program (seccomp [3]_)
memory      a limit on what the process may write to (RLIMIT_DATA)
time        a limit on processor seconds (RLIMIT_CPU); wall time is the fork server's
dump        no core file, and no debugger of the same user
parent      ends with the fork server
priority    last to run, first to go when memory is short
==========  ============================================================================

Then each is tried: what is reported is what held. The filter of system calls lists what is
allowed; all else does not exist.

References
----------
.. [1] Biederman, "Multiple Instances of the Global Linux Namespaces", Ottawa Linux Symposium, 2006.
.. [2] Salaün, "Landlock: unprivileged access control", https://docs.kernel.org/userspace-api/landlock.html
.. [3] Drewry, "Seccomp BPF (SECure COMPuting with filters)",
   https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import errno
import fcntl
import mmap
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from facekit.errors import WallError

__all__ = ["REQUIRED", "WALLS", "Limits", "load_libraries", "raise_walls", "readable_folders"]

WALLS: Final = (
    "network",
    "files",
    "reading",
    "processes",
    "memory",
    "time",
    "dump",
    "parent",
    "priority",
)
#: What a cell must have, unless it was told otherwise. Before Landlock no kernel could hold "reading".
REQUIRED: Final = ("network", "files", "processes", "memory", "time", "dump", "parent")

# Clause 1.2.3a: what a job may ask of the kernel. Nothing here makes a socket, a process or a file.
_CALLS: Final = """
    access arch_prctl brk clock_getres clock_gettime clock_nanosleep close close_range dup dup2 dup3
    eventfd2 exit exit_group faccessat faccessat2 fadvise64 fstat fstatfs futex getcpu getcwd
    getdents64 getegid geteuid getgid getpgrp getpid getppid getpriority getrandom getresgid getresuid
    getrlimit getrusage gettid gettimeofday getuid lseek lstat madvise membarrier memfd_create
    mincore mprotect mremap munmap nanosleep newfstatat pipe2 poll ppoll pread64 preadv pwrite64
    read readlink readlinkat readv restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn
    rt_sigtimedwait sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getparam
    sched_getscheduler sched_yield set_robust_list set_tid_address sigaltstack stat statx sysinfo
    times uname write writev
"""
_DENIED: Final = """
    socket socketpair connect bind sendto sendmsg fork vfork execve execveat ptrace process_vm_readv kill
"""
_WRITING: Final = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
_OOM_SCORE: Final = Path("/proc/self/oom_score_adj")
_CLONE_THREAD, _CLONE_NEWUSER, _CLONE_NEWNET = 0x10000, 0x10000000, 0x40000000
_GET_PDEATHSIG, _SET_PDEATHSIG, _GET_DUMPABLE, _SET_DUMPABLE, _SET_NAME = 2, 1, 3, 4, 15
_SET_VMA = 0x53564D41  # names a piece of memory; the C library's allocator does
#: For threads only: with these, clone would put one into a namespace of its own.
_CLONE_NEW: Final = 0x7E020000
#: What may be asked of a descriptor. Not F_SETOWN, FIOSETOWN and the like: they have the kernel send a
#: signal of one's choice to a process of one's choice.
_FCNTL: Final = (fcntl.F_DUPFD, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL, fcntl.F_SETFL)
_IOCTL: Final = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # is it a terminal; how much waits; flags
#: Memory that several share, or that grows downwards, is not counted by RLIMIT_DATA.
_SHARED_MEMORY: Final = mmap.MAP_SHARED | mmap.MAP_ANON
_GROWING: Final = 0x100


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a cell may use.

    Parameters
    ----------
    memory : int
        Bytes that it may write to, its code's own included (about 450 MiB before any picture).
    cpu_seconds : int
        Processor seconds, of all its threads together.
    open_files : int
        File descriptors.
    """

    memory: int = 2**30
    cpu_seconds: int = 60
    open_files: int = 64


class _Standing:
    """What has been raised so far: by wall, the means that hold it."""

    def __init__(self) -> None:
        self.held_by: dict[str, list[str]] = {}

    def raise_by(self, means: str, walls: Sequence[str], act: Callable[[], object]) -> None:
        """Count `means` for `walls` where `act` goes through; here it may not exist at all."""
        ctypes.set_errno(0)  # the library for Landlock takes an old error for one of its own
        with suppress(OSError, ImportError, AttributeError, RuntimeError, ValueError):
            act()
            for wall in walls:
                self.held_by.setdefault(wall, []).append(means)


def raise_walls(
    limits: Limits, *, parent: int, readable: Sequence[Path] = (), allow_weak: bool = False
) -> tuple[str, ...]:
    """Shut the calling process in, for good.

    Parameters
    ----------
    limits : Limits
        What it may use.
    parent : int
        The id of the process that this one must not outlive.
    readable : sequence of Path
        What may still be read; see `readable_folders`.
    allow_weak : bool
        Go on without a wall that cannot be had.

    Returns
    -------
    tuple of str
        The walls that hold, each with its means: ``"network: namespace, seccomp"``.

    Raises
    ------
    WallError
        A wall of `REQUIRED` does not hold, and `allow_weak` is off. Those raised stay.

    Notes
    -----
    To be called by a process with one thread, before it has seen anything of a user's.
    """
    # Clause 4.2.1 p2: a picture is worked on behind these.
    standing = _Standing()
    _lower(standing)
    _limit(standing, limits)
    _stand_alone(standing)
    _bind_to(standing, parent)
    standing.raise_by("Landlock", ("files", "reading"), lambda: _close_files(readable))
    standing.raise_by("seccomp", ("network", "files", "processes"), _close_calls)
    holding = {wall: means for wall, means in standing.held_by.items() if _holds(wall, limits, parent)}
    missing = [wall for wall in REQUIRED if wall not in holding]
    if missing and not allow_weak:
        raise WallError(
            f"this machine cannot hold a cell's {', '.join(missing)}: `facekit doctor` says what it lacks; "
            "allow_weak_cell=True goes on without"
        )
    return tuple(f"{wall}: {', '.join(holding[wall])}" for wall in WALLS if wall in holding)


def load_libraries(readable: Sequence[Path] = ()) -> None:
    """Load what raises the walls, and write down their rules: a fork finds both in memory.

    Parameters
    ----------
    readable : sequence of Path
        As for `raise_walls`.

    Notes
    -----
    Inside the walls nothing loads any more. The rules for files are a descriptor, which stays open.
    """
    standing = _Standing()  # what cannot be had will be found missing
    standing.raise_by("Landlock", (), lambda: _file_rules(tuple(readable)))
    standing.raise_by("seccomp", (), _call_rules)


def readable_folders() -> tuple[Path, ...]:
    """Say where the code itself lies, which a cell may go on reading.

    Returns
    -------
    tuple of Path
        Folders of the interpreter, its packages, facekit, and the system's libraries.
    """
    own = Path(__file__).parent
    places = {Path(sys.prefix), Path(sys.base_prefix), own, *map(Path, ("/usr/lib", "/lib", "/lib64"))}
    return tuple(sorted(place for place in places if place.is_dir()))


# -- raising -------------------------------------------------------------------------------


def _limit(standing: _Standing, limits: Limits) -> None:
    def at_most(what: int, value: int, *, grace: int = 0) -> Callable[[], None]:
        return lambda: resource.setrlimit(what, (value, value + grace))

    standing.raise_by("RLIMIT_DATA", ["memory"], at_most(resource.RLIMIT_DATA, limits.memory))
    # A second more, so that the signal says why: at the harder limit it is the one that always kills.
    standing.raise_by("RLIMIT_CPU", ["time"], at_most(resource.RLIMIT_CPU, limits.cpu_seconds, grace=1))
    standing.raise_by("RLIMIT_CORE", ["dump"], at_most(resource.RLIMIT_CORE, 0))
    standing.raise_by("RLIMIT_FSIZE", [], at_most(resource.RLIMIT_FSIZE, 0))
    standing.raise_by("RLIMIT_NOFILE", [], at_most(resource.RLIMIT_NOFILE, limits.open_files))


def _stand_alone(standing: _Standing) -> None:
    """Leave the network; the user namespace also takes root's power over the machine away."""
    standing.raise_by("namespace", ["network"], lambda: _call("unshare", _CLONE_NEWNET | _CLONE_NEWUSER))
    if "network" not in standing.held_by:
        standing.raise_by("namespace", ["network"], lambda: _call("unshare", _CLONE_NEWNET))


def _bind_to(standing: _Standing, parent: int) -> None:
    def bind() -> None:
        _prctl(_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before it could be named
            os._exit(1)

    standing.raise_by("PDEATHSIG", ["parent"], bind)
    standing.raise_by("PR_SET_DUMPABLE", ["dump"], lambda: _prctl(_SET_DUMPABLE, 0))


def _lower(standing: _Standing) -> None:
    standing.raise_by("nice", ["priority"], lambda: os.setpriority(os.PRIO_PROCESS, 0, 19))
    standing.raise_by("oom_score_adj", ["priority"], lambda: _OOM_SCORE.write_text("1000"))


def _close_files(readable: Sequence[Path]) -> None:
    _file_rules(tuple(readable)).apply()


@cache
def _file_rules(readable: tuple[Path, ...]) -> Any:
    import landlock

    may = landlock.FSAccess
    rules = landlock.Ruleset()
    rules.allow(*readable, rules=may.READ_FILE | may.READ_DIR | may.EXECUTE)  # a library is mapped to run
    return rules


def _close_calls() -> None:
    import pyseccomp as sc

    rules = _call_rules()
    _rule(sc, rules, sc.ALLOW, "tgkill", sc.Arg(0, sc.EQ, os.getpid()))  # how abort() ends a process
    rules.load()


@cache
def _call_rules() -> Any:
    import pyseccomp as sc

    rules = sc.SyscallFilter(sc.ERRNO(errno.ENOSYS))  # the C library knows what to do without a call
    for name in _CALLS.split():
        _rule(sc, rules, sc.ALLOW, name)
    for name in _DENIED.split():
        _rule(sc, rules, sc.ERRNO(errno.EPERM), name)
    for name, place in (("open", 1), ("openat", 2)):
        _rule(sc, rules, sc.ALLOW, name, sc.Arg(place, sc.MASKED_EQ, _WRITING, os.O_RDONLY))
        for bit in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC):
            _rule(sc, rules, sc.ERRNO(errno.EPERM), name, sc.Arg(place, sc.MASKED_EQ, bit, bit))
    thread = sc.Arg(0, sc.MASKED_EQ, _CLONE_THREAD | _CLONE_NEW, _CLONE_THREAD)
    _rule(sc, rules, sc.ALLOW, "clone", thread)
    _rule(sc, rules, sc.ERRNO(errno.EPERM), "clone", sc.Arg(0, sc.MASKED_EQ, _CLONE_THREAD, 0))
    for flags in (0, mmap.MAP_SHARED, mmap.MAP_ANON):
        _rule(sc, rules, sc.ALLOW, "mmap", sc.Arg(3, sc.MASKED_EQ, _SHARED_MEMORY | _GROWING, flags))
    for command in (*_FCNTL, getattr(fcntl, "F_DUPFD_CLOEXEC", fcntl.F_DUPFD)):
        _rule(sc, rules, sc.ALLOW, "fcntl", sc.Arg(1, sc.EQ, command))
    for request in _IOCTL:
        _rule(sc, rules, sc.ALLOW, "ioctl", sc.Arg(1, sc.MASKED_EQ, 0xFFFFFFFF, request))
    for option in (_GET_PDEATHSIG, _GET_DUMPABLE, _SET_NAME, _SET_VMA):
        _rule(sc, rules, sc.ALLOW, "prctl", sc.Arg(0, sc.EQ, option))
    _rule(sc, rules, sc.ALLOW, "prlimit64", sc.Arg(2, sc.EQ, 0))  # to ask, not to set
    return rules


def _rule(sc: Any, rules: Any, action: int, name: str, *args: Any) -> None:
    """Add a rule; some processors never had the older calls."""
    if sc.resolve_syscall(sc.Arch.NATIVE, name) >= 0:
        rules.add_rule(action, name, *args)


# -- looking -------------------------------------------------------------------------------


def _holds(wall: str, limits: Limits, parent: int) -> bool:
    """Try what the wall should stop."""
    if wall == "network":
        return _is_refused(_reach_out)
    if wall == "files":
        return _is_refused(lambda: os.close(os.open(os.devnull, os.O_WRONLY)))
    if wall == "reading":
        return _is_refused(lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)))
    if wall == "processes":
        return _is_refused(_fork)
    if wall == "memory":
        # Elsewhere the limit can be set, and does not count what a program maps.
        held = resource.getrlimit(resource.RLIMIT_DATA) == (limits.memory, limits.memory)
        return held and sys.platform == "linux"
    if wall == "time":
        return resource.getrlimit(resource.RLIMIT_CPU) == (limits.cpu_seconds, limits.cpu_seconds + 1)
    if wall == "dump":
        return resource.getrlimit(resource.RLIMIT_CORE) == (0, 0) and not _is_dumpable()
    if wall == "parent":
        return os.getppid() == parent and _death_signal() == signal.SIGKILL
    return os.getpriority(os.PRIO_PROCESS, 0) == 19


def _is_refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError:
        return True
    return False


def _reach_out() -> None:
    """Name this machine itself as a peer, which sends nothing, and which a network without devices lacks."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.connect(("127.0.0.1", 9))


def _fork() -> None:
    pid = _call("fork")
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _is_dumpable() -> bool:
    with suppress(OSError, AttributeError):
        return bool(_prctl(_GET_DUMPABLE))
    return True


def _death_signal() -> int:
    found = ctypes.c_int()
    with suppress(OSError, AttributeError):
        _prctl(_GET_PDEATHSIG, ctypes.addressof(found))
    return found.value


def _prctl(option: int, value: int = 0) -> int:
    return _call("prctl", option, ctypes.c_ulong(value), 0, 0, 0)


def _call(name: str, *args: Any) -> int:
    done: int = getattr(ctypes.CDLL(None, use_errno=True), name)(*args)
    if done < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return done
