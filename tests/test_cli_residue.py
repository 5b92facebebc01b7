"""`facekit residue`: what it prints, and how it ends."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from facekit import residue, synthetic_face, write_image
from facekit.cli import app
from facekit.needles import Seeker
from tests.test_residue import READ, READY, UPLOAD, child


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("pattern") / "me.png"
    write_image(path, synthetic_face(192))
    return path


def facekit_residue(*args):
    return CliRunner().invoke(app, ["residue", "--no-usual", *map(str, args)])


def test_a_folder_without_the_picture_is_clean(photo, tmp_path):
    run = facekit_residue("--pattern", photo, "--folder", tmp_path)
    assert run.exit_code == 0
    assert run.stdout.startswith("clean after ")
    assert "planted and found in the searcher's own buffer, a file" in run.stdout


def test_the_file_itself_is_left_out_and_a_copy_is_found_by_bytes_and_by_pixels(photo, tmp_path):
    assert facekit_residue("--pattern", photo, "--folder", photo.parent).exit_code == 0
    (tmp_path / "copy").write_bytes(photo.read_bytes())
    run = facekit_residue("--pattern", photo, "--folder", tmp_path, "--json")
    assert run.exit_code == 4
    report = json.loads(run.stdout)
    assert report["state"] == "found"
    assert {(hit["kind"], hit["form"]) for hit in report["hits"]} == {("upload", "raw"), ("pixels", "RGB")}
    assert report["searched"]["files"] == 1
    run = facekit_residue("--pattern", photo, "--folder", photo.parent, "--json")
    assert json.loads(run.stdout)["excluded"] == 1


def test_several_pictures_and_a_file_that_is_none_are_looked_for_at_once(photo, tmp_path):
    (tmp_path / "other.bin").write_bytes(UPLOAD)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "copy").write_bytes(UPLOAD)
    run = facekit_residue("--pattern", photo, "--pattern", tmp_path / "other.bin", "--folder", tmp_path)
    assert run.exit_code == 4
    assert f"{tmp_path}/in/copy: upload as raw" in run.stdout


def test_a_process_that_holds_the_picture_is_found(tmp_path):
    (tmp_path / "pattern").write_bytes(UPLOAD)
    with child(READ + READY) as holder:
        run = facekit_residue("--pattern", tmp_path / "pattern", "--pid", holder.pid)
    assert run.exit_code == 4
    assert f"process {holder.pid}: upload as raw" in run.stdout


def test_what_cannot_be_read_gives_a_code_of_its_own(photo, tmp_path):
    (tmp_path / "new.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(50))
    run = facekit_residue("--pattern", photo, "--folder", tmp_path)
    assert run.exit_code == 5
    assert f"{tmp_path}/new.zst: is packed by zstd" in run.stdout


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder / "missing.jpg", "expected a file to look for"),
        (lambda folder: folder, "expected a file to look for"),
        (lambda folder: small(folder), "it is too small or too even to be searched for"),
    ],
)
def test_what_cannot_be_looked_for_is_bad_input(make, says, tmp_path):
    pattern = make(tmp_path)
    run = facekit_residue("--pattern", pattern, "--folder", tmp_path)
    assert run.exit_code == 3
    assert run.stderr.startswith(f"facekit: {pattern}: ")
    assert says in run.stderr


def small(folder):
    (folder / "small.bin").write_bytes(bytes(100))
    return folder / "small.bin"


def test_a_missing_folder_and_nothing_to_search_are_refused(photo, tmp_path):
    assert "no such folder" in facekit_residue("--pattern", photo, "--folder", tmp_path / "no").stderr
    run = facekit_residue("--pattern", photo)
    assert (run.exit_code, "something to search" in run.stderr) == (3, True)
    assert facekit_residue("--folder", tmp_path).exit_code == 2


def test_a_control_that_fails_is_a_defect_and_never_clean(photo, tmp_path, monkeypatch):
    whole = Seeker.find
    monkeypatch.setattr(Seeker, "find", lambda self, length: tuple(part[:0] for part in whole(self, length)))
    run = facekit_residue("--pattern", photo, "--folder", tmp_path, "--json")
    assert run.exit_code == 1
    assert json.loads(run.stdout)["error"]["kind"] == "ControlError"


def test_the_usual_places_are_searched_unless_that_is_switched_off(photo, tmp_path, monkeypatch):
    (tmp_path / "upload.tmp").write_bytes(photo.read_bytes())
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(residue, "usual_places", lambda: (tmp_path,))
    monkeypatch.setattr(residue, "_swaps", list)
    monkeypatch.chdir(tmp_path / "empty")
    run = CliRunner().invoke(app, ["residue", "--pattern", str(photo)])
    assert run.exit_code == 4
    assert f"{tmp_path}/upload.tmp: upload as raw, 32 times" in run.stdout
    assert facekit_residue("--pattern", photo, "--folder", tmp_path / "empty").exit_code == 0


def test_the_real_command_leaves_by_the_code_of_what_it_found(photo, tmp_path):
    (tmp_path / "upload.tmp").write_bytes(photo.read_bytes())
    command = [sys.executable, "-m", "facekit", "residue", "--no-usual", "--pattern", photo, "--folder"]
    assert subprocess.run([*command, tmp_path], capture_output=True).returncode == 4
    assert subprocess.run([*command, photo.parent], capture_output=True).returncode == 0
