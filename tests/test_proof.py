"""The proof that anyone can run finds nothing, and would."""

import json
import subprocess
import sys

import mutations
import pytest

from facekit import encode_image, load_template, proof
from facekit.cli.base import INCOMPLETE
from facekit.errors import ControlError, NoFaceError
from facekit.proof import prove


@pytest.fixture
def ran():
    return subprocess.run(
        [sys.executable, "-m", "facekit", "proof", "--json"], capture_output=True, text=True, check=False
    )


@pytest.mark.clause("1.2.1c", "1.2.3b", partly="a whole job, seen from outside")
def test_a_job_is_done_and_nothing_is_left(ran, require):
    require("ptrace", ran.returncode != INCOMPLETE, "only root, or `unshare -r`, can look into waiting cells")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["state"] == "clean"
    control, *others = told["searches"].values()
    assert control["hits"]
    assert len(others) == 4
    for report in others:
        assert not report["hits"]
        assert not report["unread"]
        assert report["control"]
    assert sum(report["searched"]["files"] for report in others)
    assert sum(report["searched"]["bytes_of_memory"] for report in others) > 100_000_000
    assert {row["what"] for row in told["receipt"]["erased"]} == {"upload-stored", "cell", "result-stored"}
    assert "the desk is process" in ran.stderr


def test_a_desk_that_keeps_what_it_should_erase_is_found_out(monkeypatch):
    class Careless(proof.Desk):
        def __init__(self, *args, **settings):
            python = (sys.executable, mutations.__file__, "keep_the_result")
            super().__init__(*args, python=python, **settings)

    monkeypatch.setattr(proof, "Desk", Careless)
    made = prove()
    assert made.state == "found"
    found = [moment for moment, report in made.searches.items() if report.hits]
    assert found == ["control", "stored, while the result waits", "stored, after delivery"]


def test_a_photo_without_a_face_is_refused_before_anything_is_started():
    corner = encode_image(load_template("stamp").image[:120, :120])
    with pytest.raises(NoFaceError):
        prove(corner)


def test_without_its_control_there_is_no_proof(monkeypatch):
    monkeypatch.setattr(proof, "find_residue", lambda *_, **__: type("Nothing", (), {"hits": ()}))
    with pytest.raises(ControlError, match="own memory"):
        prove()
