"""Walls that cannot be had are said; those that are claimed were tried."""

import json
import os
import signal
import subprocess
import sys

import pytest
import walled
from living import eventually, is_alive

from facekit import walls
from facekit.walls import REQUIRED, WALLS


def start(act, **arguments):
    command = [sys.executable, walled.__file__, act, json.dumps(arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def alone(act, **arguments):
    """Do something in a small process of its own; return what it returned, or the error's text."""
    with start(act, **arguments) as process:
        return json.loads(process.stdout.read())


def names(held):
    return [wall.partition(":")[0] for wall in held]


@pytest.mark.clause("4.2.1 p2", partly="a picture is worked on behind walls, each of which is tried")
def test_all_walls_hold_on_this_machine():
    assert names(alone("shut_in")["value"]) == list(WALLS)
    assert set(REQUIRED) < set(WALLS)


MEANS = {
    "network": {"emptying": ["_stand_alone"], "breaking": ["_close_calls"]},
    "files": {"breaking": ["_close_files", "_close_calls"]},
    "processes": {"breaking": ["_close_calls"]},
    "dump": {"setting": [["_SET_DUMPABLE", 10**6]]},
    "parent": {"setting": [["_SET_PDEATHSIG", 10**6]]},
}


@pytest.mark.parametrize("wall", MEANS)
def test_a_wall_without_means_is_named(wall):
    answer = alone("shut_in", **MEANS[wall])
    assert answer["error"] == "WallError"
    assert wall in answer["text"]
    assert "allow_weak_cell=True" in answer["text"]
    assert wall not in names(alone("shut_in", allow_weak=True, **MEANS[wall])["value"])


@pytest.mark.parametrize(
    ("wall", "without"),
    [("files", {"breaking": ["_close_files"]}), ("network", {"emptying": ["_stand_alone"]})],
)
def test_one_of_two_means_is_enough(wall, without):
    held = dict(one.split(": ") for one in alone("shut_in", **without)["value"])
    assert held[wall] == "seccomp"


def test_means_that_do_nothing_are_found_out():
    """A kernel that says yes and does not do it, as some sandboxes' do."""
    answer = alone("shut_in", emptying=["_close_files", "_close_calls"])
    assert answer["error"] == "WallError"
    assert "files" in answer["text"]
    assert "processes" in answer["text"]


def test_a_process_whose_parent_has_gone_does_not_stay():
    with start("shut_in", parent=os.getpid() + 1) as process:
        assert process.stdout.read() == ""
    assert process.returncode == 1


def test_a_shut_in_process_dies_with_its_parent():
    with start("orphan") as parent:
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.send_signal(signal.SIGKILL)
    assert eventually(lambda: not is_alive(child))


def test_nobody_of_the_same_user_looks_into_a_shut_in_process(require):
    """Root can; so two processes of somebody else try it, one shut in and one not."""
    require("root", os.geteuid() == 0, "only root can become somebody else for a moment")
    assert alone("look")["value"] == [[False] * 3, [True] * 3]


def test_limits_are_those_given():
    wanted = {"memory": 3 * 2**29, "cpu_seconds": 7, "open_files": 33}
    assert alone("limits", **wanted)["value"] == [*wanted.values(), 0]


def test_what_is_allowed_can_be_read_and_nothing_else(tmp_path):
    (tmp_path / "open").mkdir()
    places = [tmp_path / "open" / "book", tmp_path / "closed"]
    for place in places:
        place.write_text("words")
    answer = alone("read", allowed=[str(tmp_path / "open")], wanted=[str(place) for place in places])
    assert answer["value"] == [True, False]


def test_no_call_is_both_allowed_and_denied():
    assert not set(walls._CALLS.split()) & set(walls._DENIED.split())
