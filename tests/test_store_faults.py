"""Stores whose process is killed, and whose disk refuses: nothing is left, or somebody still has the duty."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests import erasing

MEMORY = Path("/dev/shm")  # noqa: S108 (where syncing costs nothing; the order of things is the same)


@pytest.fixture
def quick():
    """A folder in memory where there is one, for what is done hundreds of times."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield Path(folder, "store")


# -- killed ----------------------------------------------------------------------------------


@pytest.mark.clause(
    "1.2.3c", partly="killed at any step, a job leaves no sealed file without the duty to erase it"
)
def test_a_process_killed_before_any_step_leaves_no_file_without_a_duty_and_the_next_start_erases_all(quick):
    found = erasing.run("kill_at_each_step", quick)
    assert found["steps"] > 100
    assert found["with_files"] > 10  # else nothing has been shown
    assert (found["orphans"], found["left"]) == (0, 0)


@pytest.mark.parametrize("mutation", ["kill_after_the_duty_was_late", "kill_after_the_row_went_first"])
def test_the_same_test_sees_a_duty_that_comes_too_late_or_goes_too_early(quick, mutation):
    assert erasing.run(mutation, quick)["orphans"] > 5


@pytest.mark.clause("1.2.3c", partly="after kill -9 at random moments, the next start leaves no sealed file")
def test_twelve_processes_killed_at_random_moments_leave_nothing_after_the_next_start(tmp_path):
    found = erasing.run("kill_at_random", tmp_path / "store")
    assert found["rounds"] == 12
    assert found["with_files"] > 0
    assert (found["orphans"], found["left"]) == (0, 0)


def test_a_dead_process_counts_as_dead_while_one_that_it_forked_lives_on(tmp_path):
    assert erasing.run("kill_the_owner_of_a_child", tmp_path / "store") == {"before": 1, "emptied": True}


def test_a_forked_process_erases_nothing_that_is_not_its_own(tmp_path):
    found = erasing.run("leave_in_a_child", tmp_path / "store")
    assert found["status"] == 0
    assert found["there"] > 0
    assert found["held"] == "a face"


# -- a disk that refuses -----------------------------------------------------------------------


def no_receipt_but_a_duty(found, why):
    assert f"({why})" in found["said"]
    assert found["said"].startswith("the sealed result on disk could not be erased")
    assert found["said"].endswith("the duty to erase it stays open")
    assert found["held"] == "\0" * 6  # the rest is erased all the same
    assert found["duties"] == 1
    assert "receipt" not in found
    assert found["swept"] == [False]
    assert found["left"] == 0
    assert found["then"] == ["result-held", "result-stored"]


@pytest.fixture
def small_disk(tmp_path, require):
    """The command that runs another on a small disk of its own, and the folder where that is."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = f"mount -t tmpfs -o size=300k,mode=700 tmpfs {place} && exec "
    within = ("unshare", "-rm", "sh", "-c", mounting + '"$@"', "sh")
    there = shutil.which("unshare") is not None
    works = there and not subprocess.run([*within, "true"], capture_output=True, check=False).returncode
    require("namespaces", works, "nobody here may mount a disk in a namespace of one's own")
    return within, place / "store"


def test_a_full_disk_ends_in_an_open_duty_and_never_in_a_receipt(small_disk):
    within, folder = small_disk
    found = erasing.run("full_disk", folder, within=within)
    no_receipt_but_a_duty(found, "the ledger of duties cannot be used (database or disk is full)")
    assert "full" in found["keeping"]


def test_a_read_only_disk_ends_in_an_open_duty_and_never_in_a_receipt(small_disk):
    within, folder = small_disk
    found = erasing.run("read_only_disk", folder, within=within)
    no_receipt_but_a_duty(found, "Read-only file system")
    assert "readonly" in found["keeping"]


@pytest.fixture
def open_place():
    """A folder that a process without rights can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder, "store")


@pytest.mark.parametrize("fault", ["no_right_to_unlink", "no_right_to_open"])
def test_a_missing_permission_ends_in_an_open_duty_and_never_in_a_receipt(open_place, fault):
    found = erasing.run(fault, open_place)
    no_receipt_but_a_duty(found, "Permission denied")
    if fault == "no_right_to_unlink":
        assert found["keeping"] == "the sealed upload could not be stored (Permission denied)"
