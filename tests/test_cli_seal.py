"""`facekit seal`: what it writes, and what it refuses without writing."""

import base64
import errno
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from facekit.cli import app
from facekit.envelope import KeyPair, open_sealed

PAIR = KeyPair.generate()
PHOTO = b"\xff\xd8\xff\xe0 nobody else's business " * 5000


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "me.jpg").write_bytes(PHOTO)
    write_job(tmp_path)
    return tmp_path


def write_job(folder, **changed):
    key = base64.b64encode(PAIR.public_bytes).decode()
    document = {"id": "41c8", "public_key": key, "deadline": "soon", **changed}
    (folder / "job.json").write_text(json.dumps(document))


def facekit_seal(*more, file="me.jpg", job="job.json", out="me.sealed"):
    return CliRunner().invoke(app, ["seal", file, "--job", job, "-o", out, *more])


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_what_the_command_seals_opens_for_the_job_and_the_file_stays(folder):
    run = facekit_seal()
    assert (run.exit_code, run.stdout) == (0, "me.sealed: sealed for job 41c8\n")
    assert open_sealed((folder / "me.sealed").read_bytes(), PAIR, job="41c8") == PHOTO
    assert (folder / "me.jpg").read_bytes() == PHOTO
    assert names(folder) == {"me.jpg", "job.json", "me.sealed"}


def test_the_command_seals_to_a_hybrid_key_and_speaks_json(folder):
    pair = KeyPair.generate("mlkem768x25519")
    write_job(folder, public_key=base64.b64encode(pair.public_bytes).decode())
    run = facekit_seal("--json")
    assert json.loads(run.stdout) == {"job": "41c8", "output": "me.sealed"}
    assert open_sealed((folder / "me.sealed").read_bytes(), pair, job="41c8") == PHOTO


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[" * 100_000,
        "[]",
        "{}",
        '{"id": "41c8"}',
        '{"id": 7, "public_key": ""}',
        '{"id": "", "public_key": ""}',
        '{"id": "41c8", "public_key": 7}',
        '{"id": "41c8", "public_key": "*"}',
        "\ud800",
    ],
)
def test_a_job_file_that_is_none_is_refused(folder, text):
    (folder / "job.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    run = facekit_seal()
    assert run.exit_code == 3
    assert run.stderr.startswith("facekit: job.json: expected the answer to POST /jobs")
    assert "me.sealed" not in names(folder)


@pytest.mark.parametrize("changed", [{"public_key": "AAAA"}, {"id": "\ud800"}])
def test_a_job_that_cannot_be_sealed_to_is_refused_by_name(folder, changed):
    write_job(folder, **changed)
    run = facekit_seal()
    assert run.exit_code == 3
    assert run.stderr.startswith("facekit: job.json: ")
    assert run.stderr.count("\n") == 1
    assert names(folder) == {"me.jpg", "job.json"}


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"file": "you.jpg"}, 3, "you.jpg: no such file"),
        ({"job": "none.json"}, 3, "none.json: no such file"),
        ({"out": "me.jpg"}, 2, "known are .sealed"),
        ({"out": "there.sealed"}, 3, "already there; use --force"),
    ],
)
def test_what_is_wrong_with_the_files_is_said_before_anything_is_written(folder, options, code, said):
    (folder / "there.sealed").write_bytes(b"mine")
    run = facekit_seal(**options)
    assert run.exit_code == code
    assert said in run.stderr
    assert (folder / "there.sealed").read_bytes() == b"mine"
    assert names(folder) == {"me.jpg", "job.json", "there.sealed"}


def test_force_replaces_what_is_there(folder):
    (folder / "me.sealed").write_bytes(b"old")
    assert facekit_seal("--force").exit_code == 0
    assert open_sealed((folder / "me.sealed").read_bytes(), PAIR, job="41c8") == PHOTO


class Failing:
    """A disk that gives the first part of a file and then an error."""

    def __init__(self):
        self.parts = [PHOTO]

    def read(self, _):
        if not self.parts:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self.parts.pop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_a_source_that_breaks_off_leaves_nothing_half_written(folder, monkeypatch):
    real = Path.open

    def opening(path, *args, **options):
        return Failing() if path.name == "me.jpg" else real(path, *args, **options)

    monkeypatch.setattr(Path, "open", opening)
    run = facekit_seal()
    assert run.exit_code == 3
    assert "me.jpg: cannot be read (Input/output error)" in run.stderr
    assert names(folder) == {"me.jpg", "job.json"}
