"""The demonstration, and the sheet that it lays its pictures out on."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from facekit.codec import read_image
from facekit.data import has_sample
from facekit.demo import PEOPLE, TEMPLATES, Captioned, captioned_rows, contact_sheet

RED, GREEN, BLUE, GREY = ((200, 0, 0), (0, 200, 0), (0, 0, 200), (90, 90, 90))


def plain(colour, height=60, width=60):
    return np.full((height, width, 3), colour, np.uint8)


def where(sheet, colour):
    """Return the box (top, left, bottom, right) of a colour."""
    rows, cols = np.nonzero((sheet == colour).all(axis=2))
    return int(rows.min()), int(cols.min()), int(rows.max()) + 1, int(cols.max()) + 1


# One swap shows what a second run does as well as all of them.
SHORT = "from facekit import demo\ndemo.PEOPLE, demo.TEMPLATES = demo.PEOPLE[:1], demo.TEMPLATES[:1]\n"


def demo(*args, env=None, first=""):
    code = f"{first}from facekit.cli import app\napp()"
    command = [sys.executable, "-c", code, "demo", *map(str, args)]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **(env or {})}, check=False
    )


def test_people_are_across_and_templates_down():
    row = (Captioned(plain(GREEN)), [plain(BLUE)])
    sheet = contact_sheet([row], heads=[Captioned(plain(RED))], cell=100)
    person, template, result = (where(sheet, colour) for colour in (RED, GREEN, BLUE))
    assert person[1] == result[1]
    assert template[0] == result[0]
    assert template[3] <= result[1]
    assert person[2] <= result[0]


@pytest.mark.parametrize("shape", [(60, 60), (30, 90), (400, 60), (1, 50), (50, 1)])
def test_results_keep_their_shape_and_stay_in_their_cell(shape):
    row = (Captioned(plain(GREY, *shape)), [plain(BLUE, *shape)])
    sheet = contact_sheet([row], heads=[Captioned(plain(RED))], cell=100)
    top, left, bottom, right = where(sheet, BLUE)
    assert right - left <= 100
    assert bottom - top <= 150
    if min(shape) > 1:
        assert (right - left) / (bottom - top) == pytest.approx(shape[1] / shape[0], rel=0.1)


def test_captions_and_headline_are_written_and_stay_on_the_paper():
    words = "A title of so many words that it cannot possibly stand on a single line of this width " * 3
    bare = [(Captioned(plain(GREY)), [plain(BLUE)])]
    said = [(Captioned(plain(GREY), words, words), [plain(BLUE)])]
    heads = [Captioned(plain(RED))]
    without = contact_sheet(bare, heads=heads, cell=100)
    written = contact_sheet(said, heads=heads, title="Headline", cell=100)
    assert written.shape[0] > without.shape[0]
    assert written.shape[1] == without.shape[1]
    margin = written[:, -10:]
    assert (margin == margin[0, 0]).all()


def test_demo_without_samples_says_how_to_get_them(tmp_path):
    run = demo("-o", tmp_path / "out", env={"FACEKIT_SAMPLES": str(tmp_path)})
    assert run.returncode == 3
    assert "facekit samples --fetch" in run.stderr
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make the demonstration once: its folder, and the command's answer."""
    missing = [name for name in (*PEOPLE, "joconde") if not has_sample(name)]
    if missing:
        return None
    out = tmp_path_factory.mktemp("made") / "some" / "demo"
    run = demo("-o", out, "--json")
    assert (run.returncode, run.stderr) == (0, "")
    return out, json.loads(run.stdout)


@pytest.fixture(autouse=True)
def _samples(request, require_sample):
    if "made" in request.fixturenames:
        for name in (*PEOPLE, "joconde"):
            require_sample(name)


def test_demo_makes_every_picture_and_a_sheet(made):
    out, reply = made
    assert {(swap["person"], swap["template"]) for swap in reply["swaps"]} == {
        (person, template) for person in PEOPLE for template in TEMPLATES
    }
    assert all(read_image(swap["output"]).ndim == 3 for swap in reply["swaps"])
    assert all(swap["timings"]["blend"] > 0 for swap in reply["swaps"])
    assert len(list(out.iterdir())) == len(PEOPLE) * len(TEMPLATES) + 1
    assert read_image(reply["sheet"]).shape[0] > 1000


def test_demo_prints_timings_and_where_to_look_and_replaces_its_pictures(made):
    out, _ = made
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.name != "contact-sheet.png"}
    (out / "contact-sheet.png").write_bytes(b"old")
    swap = out / f"{PEOPLE[0]}-{TEMPLATES[0]}.png"
    swap.write_bytes(b"old")
    run = demo("-o", out, first=SHORT)
    assert run.returncode == 0
    assert all(word in run.stdout for word in ("Detect", "Warp", "Blend", "Total", PEOPLE[0], TEMPLATES[0]))
    assert str(out / "contact-sheet.png") in run.stdout
    assert "facekit swap" in run.stdout
    assert read_image(out / "contact-sheet.png").shape[0] > 500
    assert {name: (out / name).read_bytes() for name in before} == before


def test_rows_leave_a_place_empty_and_put_each_caption_under_its_picture():
    one, other = Captioned(plain(RED)), Captioned(plain(BLUE), "said")
    sheet = captioned_rows([[one, None], [None, other]], cell=300)
    red, blue = (np.argwhere((sheet == colour).all(axis=2)) for colour in (RED, BLUE))
    assert red[:, 1].max() < blue[:, 1].min()
    assert red[:, 0].max() < blue[:, 0].min()
    below = sheet[blue[:, 0].max() + 1 :, blue[:, 1].min() :]
    assert (below < 150).any()
    assert not (sheet[red[:, 0].max() + 1 : blue[:, 0].min()] < 150).any()
