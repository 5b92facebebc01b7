"""`facekit key` and `facekit open`: whose file it is, what opens, and that the key is gone afterwards."""

import base64
import json
import stat

import pytest
from typer.testing import CliRunner

from facekit.cli import app
from facekit.envelope import seal
from facekit.keyfiles import read_key_file
from facekit.keys import KeyPair
from facekit.signing import Signer

PICTURE = b"\x89PNG a picture of nobody" * 9000
JOB = "3q2-7wAAAAAAAAAAAAAAAA"


def run(*args):
    return CliRunner().invoke(app, [*map(str, args)])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A key, and the result of a job that was sealed to it."""
    monkeypatch.chdir(tmp_path)
    made = run("key", "result.key")
    assert made.exit_code == 0
    public = base64.b64decode(made.stdout.strip(), validate=True)
    (tmp_path / "result.sealed").write_bytes(seal(PICTURE, public, job=JOB, direction="result"))
    text = base64.b64encode(KeyPair.generate().public_bytes).decode()
    (tmp_path / "job.json").write_text(json.dumps({"id": JOB, "public_key": text, "state": "leased"}))
    return tmp_path


def open_it(*more, file="result.sealed", job="job.json", key="result.key", out="out.png"):
    return run("open", file, "--job", job, "--key", key, "-o", out, *more)


def test_a_result_opens_and_its_key_is_removed(folder):
    (folder / "elsewhere").hardlink_to(folder / "result.key")
    done = open_it()
    assert (done.exit_code, done.stdout) == (
        0,
        f"out.png: the result of job {JOB}; result.key has been overwritten and removed\n",
    )
    assert (folder / "out.png").read_bytes() == PICTURE
    assert not (folder / "result.key").exists()
    assert not (folder / "elsewhere").read_bytes().strip(b"\0"), "unlinked, but not overwritten"


def test_a_key_can_be_kept_and_the_command_speaks_json(folder):
    done = open_it("--keep-key", "--json")
    assert json.loads(done.stdout) == {"job": JOB, "output": "out.png", "key_removed": False}
    assert (folder / "result.key").exists()


def test_a_key_is_its_owners_alone_and_is_not_overwritten(folder):
    assert stat.S_IMODE((folder / "result.key").stat().st_mode) == 0o600
    before = (folder / "result.key").read_bytes()
    again = run("key", "result.key")
    assert again.exit_code == 3
    assert "already there; a key is for one job" in again.stderr
    assert (folder / "result.key").read_bytes() == before
    assert run("key", "no/such/folder").exit_code == 3
    made = json.loads(run("key", "two.key", "--json").stdout)
    assert base64.b64decode(made["public_key"]) == read_key_file(folder / "two.key").public_bytes


def test_a_key_that_others_can_read_is_refused(folder):
    (folder / "result.key").chmod(0o640)
    done = open_it()
    assert done.exit_code == 3
    assert "result.key: a key must be a file that its owner alone can read" in done.stderr
    assert not (folder / "out.png").exists()


@pytest.mark.parametrize("other", ["", "no key", "signer"])
def test_what_is_no_key_is_refused(folder, other):
    if other == "signer":
        (folder / "result.key").unlink()
        Signer.load(folder / "result.key")  # a key, of another kind
    else:
        (folder / "result.key").write_text(other)
    done = open_it()
    assert done.exit_code == 3
    assert "result.key: expected a key that `facekit key` made" in done.stderr


def test_a_result_that_does_not_open_leaves_the_key_and_writes_nothing(folder):
    whole = (folder / "result.sealed").read_bytes()
    (folder / "result.sealed").write_bytes(whole[:-1])
    done = open_it()
    assert done.exit_code == 3
    assert "result.sealed: the envelope does not open" in done.stderr
    assert (folder / "result.key").exists()
    assert not (folder / "out.png").exists()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"file": "none"}, 3, "none: no such file"),
        ({"key": "none"}, 3, "none: no such file"),
        ({"job": "result.sealed"}, 3, "expected the answer to POST /jobs"),
        ({"out": "out.doc"}, 2, "known are"),
        ({"out": "there.png"}, 3, "already there; use --force"),
    ],
)
def test_what_is_wrong_is_said_before_the_key_is_touched(folder, options, code, said):
    (folder / "there.png").write_bytes(b"mine")
    done = open_it(**options)
    assert done.exit_code == code
    assert said in done.stderr
    assert (folder / "there.png").read_bytes() == b"mine"
    assert (folder / "result.key").exists()
