"""What tests of the walls do in small processes of their own: ``python walled.py ACT ARGUMENTS``.

A fork of the test process would not do: it has threads, and more memory than a cell may have.
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

from facekit import walls
from facekit.walls import Limits, load_libraries, raise_walls, readable_folders


def broken(*_):
    raise OSError("not on this machine")


def nothing(*_):
    pass


def shut_in(*, breaking=(), emptying=(), setting=(), parent=None, **settings):
    """Raise the walls, where some of their means raise an error, do nothing, or are others."""
    for name in breaking:
        setattr(walls, name, broken)
    for name in emptying:
        setattr(walls, name, nothing)
    for name, value in setting:
        setattr(walls, name, value)
    load_libraries(readable_folders())
    parent = os.getppid() if parent is None else parent
    return raise_walls(Limits(), parent=parent, readable=readable_folders(), **settings)


def limits(**values):
    """Raise the walls with other limits; return what the kernel says they are."""
    load_libraries()
    raise_walls(Limits(**values), parent=os.getppid())
    kinds = resource.RLIMIT_DATA, resource.RLIMIT_CPU, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE
    return [resource.getrlimit(kind)[0] for kind in kinds]


def read(*, allowed, wanted):
    """Raise the walls; return which of the files can still be read."""
    load_libraries()
    raise_walls(Limits(), parent=os.getppid(), readable=[Path(place) for place in allowed])
    return [can_read(place) for place in wanted]


def can_read(place):
    try:
        os.close(os.open(place, os.O_RDONLY))
    except PermissionError:
        return False
    return True


def orphan():
    """Have a child raise the walls, and return its number; then wait to be killed."""
    me = os.getpid()
    pipe, write = os.pipe()
    if os.fork() == 0:
        shut_in(parent=me)
        os.write(write, b"%d" % os.getpid())
        time.sleep(600)
    print(os.read(pipe, 20).decode(), flush=True)  # noqa: T201
    time.sleep(600)


def look():
    """Become somebody else, and look into two processes of theirs, one shut in and one not."""
    load_libraries()
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    return [look_into(walled) for walled in (True, False)]


def look_into(walled):
    pipe, write = os.pipe()
    me = os.getpid()
    if (child := os.fork()) == 0:
        walls._prctl(walls._SET_DUMPABLE, 1)  # as a program that was started by this user is
        if walled:
            raise_walls(Limits(), parent=me, allow_weak=True)
        os.write(write, b".")
        time.sleep(600)
    os.read(pipe, 1)
    found = [can_read(f"/proc/{child}/{part}") for part in ("mem", "environ", "maps")]
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return found


ACTS = {act.__name__: act for act in (shut_in, limits, read, orphan, look)}

if __name__ == "__main__":
    try:
        answer = {"value": ACTS[sys.argv[1]](**json.loads(sys.argv[2]))}
    except Exception as error:
        answer = {"error": type(error).__name__, "text": str(error)}
    os.write(1, json.dumps(answer).encode())
