"""`facekit receipt`: what it says of a receipt that holds, and of one that does not."""

import base64
import json

import pytest
from typer.testing import CliRunner

from facekit import Scratch
from facekit.cli import app
from facekit.receipts import Signer

SIGNER = Signer.generate()
KEY = base64.b64encode(SIGNER.public_bytes).decode()


@pytest.fixture
def file(tmp_path):
    with Scratch(signer=SIGNER) as scratch:
        scratch.hold(bytearray(b"a face"), "upload-held")
        scratch.walls = ("seccomp", "landlock")
    path = tmp_path / "receipt.json"
    path.write_text(scratch.receipt.to_json())
    return path


def facekit_receipt(*args):
    return CliRunner().invoke(app, ["receipt", *map(str, args)])


@pytest.mark.clause("1.2.3c", partly="anybody can read a receipt in plain words, and check who signed it")
def test_a_receipt_that_holds_is_told_in_plain_words(file):
    run = facekit_receipt(file, "--key", KEY)
    assert run.exit_code == 0
    assert run.stdout.startswith(f"The signature holds: key {SIGNER.id}.\n")
    for said in (
        "the upload in memory: overwritten",
        "Walls in force: seccomp, landlock.",
        " UTC",
        "Python cannot",
    ):
        assert said in run.stdout
    assert run.stderr == ""


def test_a_receipt_that_holds_speaks_json(file):
    document = json.loads(facekit_receipt(file, "--key", KEY, "--json").stdout)
    assert document == {"holds": True, "receipt": json.loads(file.read_text())}


@pytest.mark.parametrize("content", [SIGNER.public_bytes, KEY.encode(), f"{KEY}\n".encode()])
def test_the_key_may_come_in_a_file(file, tmp_path, content):
    (tmp_path / "operator.pub").write_bytes(content)
    assert facekit_receipt(file, "--key", tmp_path / "operator.pub").exit_code == 0


def test_a_line_break_at_the_end_of_the_file_does_not_matter(file):
    file.write_text(file.read_text() + "\n")
    assert facekit_receipt(file, "--key", KEY).exit_code == 0


def test_a_receipt_that_was_edited_is_refused_in_one_line(file):
    file.write_text(file.read_text().replace("delivered", "cancelled"))
    run = facekit_receipt(file, "--key", KEY)
    assert (run.exit_code, run.stdout) == (3, "")
    assert run.stderr == (
        f"facekit: {file}: the receipt does not hold: forged, edited, or signed with another key\n"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "got something else"), (b"\xff\xd8\xff", "got something else"), (b"x" * 99_999, "got more")],
)
def test_what_is_no_receipt_is_refused_in_one_line(file, content, said):
    file.write_bytes(content)
    run = facekit_receipt(file, "--key", KEY)
    assert run.exit_code == 3
    assert said in run.stderr
    assert run.stderr.count("\n") == 1


def test_another_key_is_refused(file):
    other = base64.b64encode(Signer.generate().public_bytes).decode()
    assert facekit_receipt(file, "--key", other).exit_code == 3


@pytest.mark.parametrize("key", ["", "*", "AAAA", "no such file", "\0"])
def test_what_is_no_key_is_wrong_usage(file, key):
    run = facekit_receipt(file, "--key", key)
    assert run.exit_code == 2
    assert "expected a file with a public key" in run.stderr


def test_a_file_that_is_missing_is_named(tmp_path):
    run = facekit_receipt(tmp_path / "none.json", "--key", KEY)
    assert run.exit_code == 3
    assert "none.json: no such file" in run.stderr
