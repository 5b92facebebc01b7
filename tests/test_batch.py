"""Folders of pictures: all are tried, the bad ones reported, nothing overwritten or mixed up."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import hostile
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobs import Copy
from typer.testing import CliRunner

import facekit
from facekit.cli import app
from facekit.cli.batch import plan_batch, run_batch
from facekit.codec import READABLE, read_image, write_image

GIBIBYTE = 2**30

# A process of its own between the test and the command, so that only the command's memory counts.
MEASURE = """
import json, resource, subprocess, sys
run = subprocess.run(sys.argv[1:], capture_output=True, text=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(json.dumps([run.returncode, run.stdout, run.stderr, peak]))
"""


def measured(*args):
    """Run the command; return exit code, standard output, standard error and peak memory in bytes."""
    command = [sys.executable, "-c", MEASURE, sys.executable, "-m", "facekit", *map(str, args)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def batch(*args):
    command = [sys.executable, "-m", "facekit", "landmarks", "--batch", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def invoke(*args):
    """Run the command in this process, for what is refused before any work."""
    return CliRunner().invoke(app, ["landmarks", "--batch", *map(str, args)])


# -- planning ------------------------------------------------------------------------------


def names_of(folder, files, extension=".png"):
    for name in files:
        (folder / name).touch()
    pairs = plan_batch(folder, Path("out"), extension=extension, readable=READABLE)
    return {source.name: target.name for source, target in pairs}


def test_outputs_are_named_after_their_inputs(tmp_path):
    assert names_of(tmp_path, ["b.JPG", "a.webp"]) == {"a.webp": "a.png", "b.JPG": "b.png"}


def test_only_pictures_of_the_folder_itself_are_taken(tmp_path):
    (tmp_path / "folder.png").mkdir()
    assert names_of(tmp_path, ["a.txt", ".hidden.png", "b.png", "c"]) == {"b.png": "b.png"}


def test_inputs_of_one_name_get_different_outputs(tmp_path):
    planned = names_of(tmp_path, ["a.jpg", "a.png", "A.webp", "a-jpg.gif"])
    assert planned["a-jpg.gif"] == "a-jpg.png"
    assert planned["a.png"] == "a-png.png"
    assert len({name.casefold() for name in planned.values()}) == 4


@given(st.lists(st.from_regex(r"[aA]{1,2}(-png|-jpg|-2)?\.(png|jpg|PNG|webp)", fullmatch=True), unique=True))
def test_no_two_outputs_ever_share_a_name(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("plan")
    planned = names_of(folder, files)
    assert planned.keys() == set(files)
    assert len({name.casefold() for name in planned.values()}) == len(files)
    assert names_of(folder, []) == planned


# -- running -------------------------------------------------------------------------------


def run_orders(folder, orders, **options):
    out = folder / "out"
    out.mkdir()
    pairs = []
    for number, order in enumerate(orders):
        (folder / f"{number}.png").write_text(order)
        pairs.append((folder / f"{number}.png", out / f"{number}.png"))
    return run_batch(Copy(), pairs, force=False, **{"workers": 2, **options})


def test_one_bad_file_does_not_stop_the_others(tmp_path):
    outcomes = run_orders(tmp_path, ["fine", "no face", "defect", "fine"])
    assert [outcome.ok for outcome in outcomes] == [True, False, False, True]
    assert [outcome.code for outcome in outcomes] == [0, 3, 1, 0]
    assert outcomes[1].error == "no face was found"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "3.png"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_process_that_dies_takes_only_its_own_file_with_it(tmp_path, workers):
    outcomes = run_orders(tmp_path, ["slow", "die", "fine", "die", "fine"], workers=workers)
    assert [outcome.ok for outcome in outcomes] == [True, False, True, False, True]
    assert "died" in outcomes[1].error
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "2.png", "4.png"]


def test_progress_counts_every_file_once(tmp_path):
    seen = []
    run_orders(tmp_path, ["fine", "die", "no face"], progress=seen.append)
    assert seen == [1, 2, 3]


def test_existing_outputs_are_kept_one_by_one(tmp_path):
    (tmp_path / "a.png").write_text("new")
    (tmp_path / "b.png").write_text("new")
    kept, made = tmp_path / "kept.png", tmp_path / "made.png"
    kept.write_text("old")
    pairs = [(tmp_path / "a.png", kept), (tmp_path / "b.png", made)]
    outcomes = run_batch(Copy(), pairs, force=False, workers=1)
    assert [outcome.ok for outcome in outcomes] == [False, True]
    assert "--force" in outcomes[0].error
    assert (kept.read_text(), made.read_text()) == ("old", "new")
    assert all(outcome.ok for outcome in run_batch(Copy(), pairs, force=True, workers=1))
    assert kept.read_text() == "new"


# -- the command ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    folder = tmp_path_factory.mktemp("album")
    write_image(folder / "one.png", facekit.synthetic_face(256, seed=1))
    write_image(folder / "two.jpg", facekit.synthetic_face(200, seed=2))
    write_image(folder / "blank.png", np.full((64, 64, 3), 90, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "notes.txt").write_text("not a picture, and not meant as one")
    return folder


@pytest.fixture(scope="module")
def done(album, tmp_path_factory):
    """The album, done by one process with a table, and by two with a JSON reply."""
    out = tmp_path_factory.mktemp("done")
    options = ("--format", "json", "--workers")
    one = batch(album, "-o", out / "1", *options, 1)
    two = batch(album, "-o", out / "2", *options, 2, "--json")
    return out, one, two


def test_batch_reports_what_failed_and_why(done):
    out, _, run = done
    report = json.loads(run.stdout)
    assert run.returncode == 3
    assert run.stderr == ""
    assert (report["done"], report["failed"]) == (2, 2)
    assert [row["file"] for row in report["files"]] == ["blank.png", "broken.jpg", "one.png", "two.jpg"]
    assert [row["ok"] for row in report["files"]] == [False, False, True, True]
    assert "no face" in report["files"][0]["error"]
    assert sorted(path.name for path in (out / "2").iterdir()) == ["one.json", "two.json"]


def test_swap_takes_a_folder_too(album, tmp_path):
    template = album / "two.jpg"
    out = tmp_path / "out"
    command = [sys.executable, "-m", "facekit", "swap", "--batch", album, "-o", out, "-t", template]
    run = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert run.returncode == 3
    assert json.loads(run.stdout)["done"] == 2
    assert sorted(path.name for path in out.iterdir()) == ["one.png", "two.png"]
    assert read_image(out / "one.png").shape == (200, 200, 3)


def test_number_of_workers_changes_nothing(done):
    one, two = ({p.name: p.read_bytes() for p in (done[0] / n).iterdir()} for n in ("1", "2"))
    assert one == two
    assert set(one) == {"one.json", "two.json"}


def test_table_names_the_bad_files_only(done):
    _, run, _ = done
    assert run.returncode == 3
    assert "broken.jpg" in run.stdout
    assert "one.png" not in run.stdout
    assert "2 of 4 pictures done" in run.stdout


def test_folder_of_good_pictures_ends_with_0(album, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.png").write_bytes((album / "one.png").read_bytes())
    assert batch(tmp_path / "in", "-o", tmp_path / "out").returncode == 0
    again = batch(tmp_path / "in", "-o", tmp_path / "out")
    assert again.returncode == 3
    assert "--force" in again.stdout


@pytest.mark.parametrize(
    ("folder", "out", "status", "words"),
    [
        ("none", "out", 3, "no such folder"),
        ("album", "album", 2, "same folder"),
        ("album", "album/one.png", 2, "must be a folder"),
        ("album", "none/out", 3, "no such folder"),
        ("empty", "out", 3, "no pictures here"),
    ],
)
def test_wrong_folders_are_refused_with_one_line(album, tmp_path, folder, out, status, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "album").symlink_to(album)
    run = invoke(tmp_path / folder, "-o", tmp_path / out)
    assert run.exit_code == status
    assert words in run.stderr
    assert run.stderr.count("\n") == 1


def test_unknown_format_is_refused_before_the_work(album, tmp_path):
    assert invoke(album, "-o", tmp_path / "out", "--format", "docx").exit_code == 2
    assert not (tmp_path / "out").exists()


def test_interrupted_batch_leaves_whole_files_only(album, tmp_path):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(60):
        (many / f"{number:02}.png").write_bytes((album / "one.png").read_bytes())
    out = tmp_path / "out"
    command = [sys.executable, "-m", "facekit", "landmarks", "--batch", many, "-o", out, "--workers", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while not (out.is_dir() and any(out.iterdir())):
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to the workers too
        complaint = process.stderr.read()
    assert process.returncode == 130
    assert complaint == ""
    made = list(out.iterdir())
    assert 0 < len(made) < 60
    assert all(path.suffix == ".npz" and np.load(path)["points"].shape == (1, 478, 2) for path in made)


# -- hostile files -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for name, data in hostile.corpus(step=4):
        (folder / name).write_bytes(data)
    return folder


def test_hostile_files_end_in_a_picture_or_one_line_under_a_gibibyte(corpus, tmp_path):
    some = tmp_path / "some"  # tests/test_codec.py decodes them all; here faces are looked for as well
    some.mkdir()
    for path in sorted(corpus.iterdir())[::3]:
        (some / path.name).hardlink_to(path)
    status, stdout, stderr, peak = measured(
        "landmarks", "--batch", some, "-o", tmp_path / "out", "--format", "png", "--workers", 2, "--json"
    )
    report = json.loads(stdout)
    assert status == 3  # bad input; 1 would be a defect
    assert stderr == ""
    assert peak < GIBIBYTE
    assert len(report["files"]) > 120
    for row in report["files"]:
        assert row["ok"] or (row["error"] and "\n" not in row["error"])
        assert row["ok"] == (row["output"] is not None and Path(row["output"]).is_file())
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == {Path(row["output"]).name for row in report["files"] if row["ok"]}


def test_a_crowd_is_no_trouble(tmp_path):
    face = facekit.synthetic_face(160)
    write_image(tmp_path / "crowd.png", np.tile(face, (5, 8, 1)))
    out = tmp_path / "overlay.png"
    status, stdout, stderr, peak = measured("landmarks", tmp_path / "crowd.png", "-o", out, "--json")
    assert (status, stderr) == (0, "")
    assert json.loads(stdout)["count"] > 1
    assert peak < GIBIBYTE
    assert out.is_file()


@pytest.mark.parametrize("name", ["196-megapixels.png", "cut-at-48.jpeg", "30000x1.png"])
def test_a_hostile_file_alone_ends_with_3_and_one_line(corpus, tmp_path, name):
    out = tmp_path / "overlay.png"
    status, stdout, stderr, peak = measured("landmarks", corpus / name, "-o", out)
    assert status == 3
    assert stdout == ""
    assert stderr.startswith("facekit: ")
    assert stderr.count("\n") == 1
    assert peak < GIBIBYTE
    assert list(tmp_path.iterdir()) == []
