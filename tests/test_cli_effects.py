"""The commands of the catalogue's effects."""

import json
import subprocess

import numpy as np
import pytest
from typer.testing import CliRunner

import facekit
from facekit import EFFECTS, read_image, write_image
from facekit.cli import app

EVERY = pytest.mark.parametrize("effect", EFFECTS.values(), ids=list(EFFECTS))


def invoke(*args):
    result = CliRunner().invoke(app, [*map(str, args)])
    return subprocess.CompletedProcess(args, result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "photo.png"
    write_image(path, facekit.synthetic_face(192, seed=2))
    return path


@EVERY
def test_command_writes_what_the_effect_makes(effect, photo, tmp_path):
    out = tmp_path / "out.png"
    run = invoke(effect.name, photo, "-o", out, "--json")
    assert (run.returncode, run.stderr) == (0, "")
    expected = effect.apply(read_image(photo), {})
    np.testing.assert_array_equal(read_image(out), expected.image)
    reply = json.loads(run.stdout)
    assert (reply["height"], reply["width"]) == expected.image.shape[:2]
    assert reply["timings"].keys() == expected.timings.keys()


@EVERY
def test_every_parameter_reaches_the_effect(effect, photo, tmp_path, monkeypatch):
    seen = {}

    def record(self, image, options, progress=None):
        seen.update(options)
        return facekit.change_age(image, years=0)

    monkeypatch.setattr("facekit.effects.Effect.apply", record)
    wanted = {
        one.name: one.choices[-1] if one.choices else (int if one.kind == "whole" else float)(one.most)
        for one in effect.parameters
    }
    options = [word for name, value in wanted.items() for word in (f"--{name}", value)]
    assert invoke(effect.name, photo, "-o", tmp_path / "out.png", *options).returncode == 0
    assert seen == wanted
    assert all(type(value) in (int, float, str) for value in seen.values())


@EVERY
def test_what_is_out_of_range_is_wrong_usage_and_writes_nothing(effect, photo, tmp_path):
    for one in effect.parameters:
        wrong = "oil" if one.choices else one.most + 1
        run = invoke(effect.name, photo, "-o", tmp_path / "out.png", f"--{one.name}", wrong)
        assert run.returncode == 2
        assert one.name in run.stderr
    assert not list(tmp_path.iterdir())


def test_avatar_can_be_written_as_a_drawing(photo, tmp_path):
    out = tmp_path / "out.svg"
    run = invoke("avatar", photo, "-o", out, "--size", 256)
    assert run.returncode == 0
    assert 'width="256" height="256"' in out.read_text()
    assert run.stdout.endswith(f"{out.stat().st_size} bytes\n")
    run = invoke("anime", photo, "-o", tmp_path / "other.svg")
    assert run.returncode == 2
    assert "cannot write .svg" in run.stderr


def test_folder_is_done_file_by_file(photo, tmp_path):
    folder, out = tmp_path / "photos", tmp_path / "results"
    folder.mkdir()
    (folder / "a.png").write_bytes(photo.read_bytes())
    write_image(folder / "b.png", np.full((64, 64, 3), 90, np.uint8))
    run = invoke("caricature", "--batch", folder, "-o", out, "--format", "jpg", "--json")
    assert run.returncode == 3
    assert [path.name for path in out.iterdir()] == ["a.jpg"]


def test_no_face_is_bad_input_in_one_line(tmp_path):
    blank = tmp_path / "blank.png"
    write_image(blank, np.full((64, 64, 3), 90, np.uint8))
    run = invoke("gender", blank, "-o", tmp_path / "out.png")
    assert run.returncode == 3
    assert run.stderr.startswith("facekit: ")
    assert run.stderr.count("\n") == 1
    assert "no face" in run.stderr


def test_list_names_every_effect_and_option():
    run = invoke("effects", "--json")
    listed = json.loads(run.stdout)["effects"]
    assert [one["name"] for one in listed] == list(EFFECTS)
    for one in listed:
        assert [option["option"] for option in one["options"]] == [
            parameter.name for parameter in EFFECTS[one["name"]].parameters
        ]
    plain = invoke("effects").stdout
    assert all(effect.words in plain for effect in EFFECTS.values())
