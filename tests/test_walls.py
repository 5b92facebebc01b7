"""Walls that cannot be had are said; those that are claimed were tried."""

import json
import os
import resource
import signal
import time
from pathlib import Path

import pytest

from facekit import walls
from facekit.walls import REQUIRED, WALLS, Limits, load_libraries, raise_walls, readable_folders


def in_a_child(act):
    """Do something in a process of its own; return what it returned, or the error's text."""
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            answer = {"value": act()}
        except BaseException as error:
            answer = {"error": type(error).__name__, "text": str(error)}
        os.write(write, json.dumps(answer).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answers:
        answer = json.loads(answers.read())
    os.waitpid(pid, 0)
    return answer


def shut_in(parent, **settings):
    load_libraries()
    return raise_walls(Limits(), parent=parent, readable=readable_folders(), **settings)


def test_all_walls_hold_on_this_machine():
    parent = os.getpid()
    held = in_a_child(lambda: shut_in(parent))["value"]
    assert [wall.partition(":")[0] for wall in held] == list(WALLS)
    assert set(REQUIRED) < set(WALLS)


def broken(*args):
    raise OSError("not on this machine")


MEANS = {
    "network": {"_stand_alone": lambda *_: None, "_close_calls": broken},
    "files": {"_close_files": broken, "_close_calls": broken},
    "processes": {"_close_calls": broken},
    "dump": {"_SET_DUMPABLE": 10**6},
    "parent": {"_SET_PDEATHSIG": 10**6},
}


@pytest.mark.parametrize("wall", MEANS)
def test_a_wall_without_means_is_named(wall, monkeypatch):
    parent = os.getpid()
    for name, value in MEANS[wall].items():
        monkeypatch.setattr(walls, name, value)
    answer = in_a_child(lambda: shut_in(parent))
    assert answer["error"] == "WallError"
    assert wall in answer["text"]
    assert "allow_weak_cell=True" in answer["text"]
    weak = in_a_child(lambda: shut_in(parent, allow_weak=True))["value"]
    assert wall not in {one.partition(":")[0] for one in weak}


@pytest.mark.parametrize(
    ("wall", "name"),
    [("files", "_close_files"), ("network", "_stand_alone")],
)
def test_one_of_two_means_is_enough(wall, name, monkeypatch):
    parent = os.getpid()
    monkeypatch.setattr(walls, name, lambda *_: broken() if name == "_close_files" else None)
    held = dict(one.split(": ") for one in in_a_child(lambda: shut_in(parent))["value"])
    assert held[wall] == "seccomp"


def test_means_that_do_nothing_are_found_out(monkeypatch):
    """A kernel that says yes and does not do it, as some sandboxes' do."""
    parent = os.getpid()
    for name in ("_close_files", "_close_calls"):
        monkeypatch.setattr(walls, name, lambda *_: None)
    answer = in_a_child(lambda: shut_in(parent))
    assert answer["error"] == "WallError"
    assert "files" in answer["text"]
    assert "processes" in answer["text"]


def test_a_process_whose_parent_has_gone_does_not_stay():
    pid = os.fork()
    if pid == 0:
        shut_in(os.getppid() + 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1


def test_a_shut_in_process_dies_with_its_parent():
    read, write = os.pipe()
    if (parent := os.fork()) == 0:
        me = os.getpid()
        if (child := os.fork()) == 0:
            shut_in(me)
            os.write(write, b"%d" % os.getpid())
            time.sleep(600)
        os.waitpid(child, 0)
        os._exit(0)
    child = int(os.read(read, 20))
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.close(read)
    os.close(write)


def test_nobody_of_the_same_user_looks_into_a_shut_in_process(require):
    """Root can; so two processes of somebody else try it, one shut in and one not."""
    require("root", os.geteuid() == 0, "only root can become somebody else for a moment")
    load_libraries()

    def look():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        return [look_into(walled) for walled in (True, False)]

    def look_into(walled):
        read, write = os.pipe()
        me = os.getpid()
        if (child := os.fork()) == 0:
            walls._prctl(walls._SET_DUMPABLE, 1)  # as a program that was started by this user is
            if walled:
                raise_walls(Limits(), parent=me, allow_weak=True)
            os.write(write, b".")
            time.sleep(600)
        os.read(read, 1)
        found = [can_read(f"/proc/{child}/{part}") for part in ("mem", "environ", "maps")]
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return found

    def can_read(place):
        try:
            os.close(os.open(place, os.O_RDONLY))
        except PermissionError:
            return False
        return True

    assert in_a_child(look)["value"] == [[False] * 3, [True] * 3]


def test_limits_are_those_given():
    parent, limits = os.getpid(), Limits(memory=3 * 2**29, cpu_seconds=7, open_files=33)

    def ask():
        load_libraries()
        raise_walls(limits, parent=parent)
        kinds = resource.RLIMIT_DATA, resource.RLIMIT_CPU, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE
        return [resource.getrlimit(kind)[0] for kind in kinds]

    assert in_a_child(ask)["value"] == [3 * 2**29, 7, 33, 0]


def test_what_is_allowed_can_be_read_and_nothing_else(tmp_path):
    (tmp_path / "open").mkdir()
    for place in ("open/book", "closed"):
        (tmp_path / place).write_text("words")
    parent = os.getpid()

    def read():
        load_libraries()
        raise_walls(Limits(), parent=parent, readable=[tmp_path / "open"])
        words = (tmp_path / "open" / "book").read_text()
        try:
            return words + (tmp_path / "closed").read_text()
        except PermissionError:
            return words

    assert in_a_child(read)["value"] == "words"


def test_no_call_is_both_allowed_and_denied():
    assert not set(walls._CALLS.split()) & set(walls._DENIED.split())
