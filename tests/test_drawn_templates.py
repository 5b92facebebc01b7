"""The drawn templates are what the code draws, and their faces are where their slots say."""

import tomllib

import numpy as np
import pytest
from PIL import Image

from facekit.landmarks import detect_faces
from facekit.templates import load_template
from templates import draw as drawing
from templates.picture import describe

NAMES = tuple(drawing.TITLES)


def turned(image, points, roll):
    """The picture and the points with a half turn, if the slot is upside down."""
    if abs(roll) < 90:
        return image, points
    rows, cols = image.shape[:2]
    return np.ascontiguousarray(image[::-1, ::-1]), np.subtract((cols - 1, rows - 1), points)


@pytest.mark.parametrize("name", NAMES)
def test_committed_picture_is_what_the_code_draws(name):
    drawn = drawing.draw(name)
    folder = drawing.FOLDER / name
    with Image.open(folder / "picture.webp") as file:
        kept = np.asarray(file.convert("RGB")).astype(float)
    fresh = drawn.pixels()
    assert kept.shape == fresh.shape
    assert np.abs(kept - fresh).mean() < 3  # what the file's compression costs
    for part, mask in (("mask", drawn.mask), ("occluders", drawn.occluders)):
        with Image.open(folder / f"{part}.png") as file:
            assert (np.asarray(file.convert("L")) > 127).mean() == pytest.approx(mask.mean(), abs=1e-3)
            assert ((np.asarray(file.convert("L")) > 127) != mask).mean() < 1e-3
    assert (folder / "template.toml").read_text(encoding="utf-8") == describe(drawn, drawing.TITLES[name])


@pytest.mark.parametrize("name", NAMES)
def test_detector_finds_each_drawn_face_in_its_slot(name):
    template = load_template(name)
    config = tomllib.loads((drawing.FOLDER / name / "template.toml").read_text(encoding="utf-8"))
    for slot, entry in zip(template.slots, config["slots"], strict=True):
        image, points = turned(template.image, slot.mesh.points, entry["roll"])
        found = min(detect_faces(image), key=lambda face: np.linalg.norm((face.points - points).mean(axis=0)))
        miss = np.linalg.norm(found.points - points, axis=1) / entry["eye_distance"]
        assert miss.mean() < 0.03


@pytest.mark.parametrize("name", NAMES)
def test_most_of_the_face_shows_through_the_hole(name):
    for slot in load_template(name).slots:
        columns, rows = slot.mesh.points.round().astype(int).T
        shows = (slot.mask & ~slot.occluders)[rows, columns]
        assert shows.mean() > 0.85
        assert not slot.mask.all()


@pytest.mark.parametrize("name", NAMES)
def test_files_are_small_and_say_whom_to_thank(name):
    folder = drawing.FOLDER / name
    assert sum(file.stat().st_size for file in folder.iterdir()) < 700_000
    template = load_template(name)
    assert template.title
    assert template.credit == "drawn by code in this repository"
    assert template.licence == "Apache-2.0"
