"""The yardsticks measure what they say, on faces whose answers are known."""

import sys
from dataclasses import replace
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facekit import evaluate
from facekit.data import load_sample
from facekit.errors import ArrayError, FacekitError, NoFaceError
from facekit.evaluate import (
    describe_face,
    expression_distance,
    identity_distance,
    inner_face_error,
    pose_error,
    seam_visibility,
    swap_report,
)
from facekit.landmarks import detect_faces
from facekit.synthetic import synthetic_face, synthetic_mesh
from facekit.values import Blendshapes, EffectResult, Slot, Template

turned = st.floats(-170, 170)
nodded = st.floats(-80, 80)


@pytest.fixture(scope="module")
def network(require):
    require("identity", find_spec("dlib") is not None, "dlib is not installed: facekit-reference[dev]")


@cache
def face(seed):
    return synthetic_face(256, seed=seed)


def as_template(name, picture):
    everywhere = np.ones(picture.shape[:2], np.bool_)
    return Template(name, picture, (Slot(detect_faces(picture)[0], everywhere, ~everywhere),))


def untouched(template):
    return EffectResult(template.image, template.slots[0].mask, (), {})


@given(turned, nodded, turned)
@settings(max_examples=50, deadline=None)
def test_pose_angles_are_those_that_a_face_was_drawn_with(yaw, pitch, roll):
    found = synthetic_mesh(yaw=yaw, pitch=pitch, roll=roll).angles()
    np.testing.assert_allclose(found, (yaw, pitch, roll), atol=0.01)


def test_pose_angles_ignore_the_scale_of_the_pose():
    mesh = synthetic_mesh(yaw=20, pitch=10, roll=-5)
    larger = replace(mesh, pose=mesh.pose * np.float32(3))
    np.testing.assert_allclose(larger.angles(), mesh.angles(), atol=1e-4)


def test_pose_error_is_absolute_by_axis_and_goes_the_short_way_round():
    found = pose_error(synthetic_mesh(yaw=-10, roll=175), synthetic_mesh(yaw=5, roll=-175))
    np.testing.assert_allclose(found, (15, 0, 10), atol=0.01)


def test_a_detected_pose_follows_a_turned_picture():
    upright, turned = (detect_faces(synthetic_face(256, roll=roll))[0] for roll in (0, 12))
    assert pose_error(turned, upright)[2] == pytest.approx(12, abs=1.5)


@given(st.floats(0.001, 0.5), st.floats(0, 2 * np.pi))
@settings(max_examples=30, deadline=None)
def test_a_shifted_face_errs_by_the_shift_over_the_eye_distance(share, direction):
    mesh = synthetic_mesh()
    eyes = mesh.ibug68()[[36, 45]]
    shift = share * np.linalg.norm(eyes[1] - eyes[0]) * np.array([np.cos(direction), np.sin(direction)])
    moved = replace(mesh, points=mesh.points + shift.astype(np.float32))
    assert inner_face_error(moved, mesh) == pytest.approx(share, rel=0.01)


def test_the_expression_distance_is_that_of_the_scores():
    mesh = synthetic_mesh()
    calm, smiling = (
        replace(mesh, blendshapes=Blendshapes(("a", "b"), np.array(scores, np.float32)))
        for scores in ((0, 0), (0.3, 0.4))
    )
    assert expression_distance(calm, smiling) == pytest.approx(0.5)


def test_black_on_white_is_a_seam_of_a_hundred():
    mask = np.zeros((40, 40), np.bool_)
    mask[10:30, 10:30] = True
    picture = np.where(mask[..., None], np.uint8(0), np.uint8(255)).repeat(3, axis=2)
    assert seam_visibility(picture, mask) == pytest.approx(100, abs=0.1)


def test_a_step_inside_the_mask_is_no_seam():
    mask = np.zeros((60, 60), np.bool_)
    mask[10:50, 10:50] = True
    picture = np.full((60, 60, 3), 200, np.uint8)
    picture[20:40, 20:40] = 0
    assert seam_visibility(picture, mask) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("fill", [False, True])
def test_a_mask_without_an_edge_has_no_seam(fill):
    noise = np.random.default_rng(0).integers(0, 255, (20, 20, 3), np.uint8)
    assert seam_visibility(noise, np.full((20, 20), fill)) == 0


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ArrayError, match=r"mask: expected shape \(20, 20\), got \(10, 20\)"):
        seam_visibility(np.zeros((20, 20, 3), np.uint8), np.zeros((10, 20), np.bool_))


@pytest.mark.usefixtures("network")
def test_one_person_at_another_size_and_mirrored_is_nearer_than_another_person(require_sample):
    for name in ("obama", "biden"):
        require_sample(name)
    obama, biden = load_sample("obama"), load_sample("biden")
    smaller = np.ascontiguousarray(obama[::2, ::-2])
    assert identity_distance(obama, smaller) < 0.4 < 0.7 < identity_distance(obama, biden)


@pytest.mark.usefixtures("network")
def test_a_face_is_described_the_same_way_every_time():
    first = describe_face(face(1))
    describe_face(face(2))
    np.testing.assert_array_equal(describe_face(face(1)), first)


@pytest.mark.usefixtures("network")
def test_a_picture_without_a_face_has_no_identity():
    with pytest.raises(NoFaceError, match="found none"):
        describe_face(np.zeros((64, 64, 3), np.uint8))


def test_a_missing_network_is_named_with_its_remedy(monkeypatch):
    evaluate._recogniser.cache_clear()
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(FacekitError, match=r"pip install 'facekit-reference\[dev\]'"):
        describe_face(synthetic_face(128))
    evaluate._recogniser.cache_clear()


@pytest.fixture(scope="module")
def rows(network):
    people = {"anna": face(1), "ben": face(2)}
    templates = [as_template(name, picture) for name, picture in people.items()]
    return swap_report(people, templates, swap=lambda _, template: untouched(template))


def test_a_report_pairs_people_with_the_templates_of_others(rows):
    assert [(row.person, row.template) for row in rows] == [("ben", "anna"), ("anna", "ben")]


def test_an_untouched_template_follows_itself_and_shows_the_wrong_person(rows):
    for row in rows:
        assert (row.pose, row.inner_face, row.expression, row.seam) == ((0, 0, 0), 0, 0, 0)
        assert row.to_template == 0 < row.to_person
        assert not row.nearer_to_person


@pytest.mark.usefixtures("network")
def test_a_result_without_a_face_fails_every_limit():
    def erase(_, template):
        return replace(untouched(template), image=np.zeros_like(template.image))

    (row,) = swap_report({"anna": face(1)}, [as_template("ben", face(2))], swap=erase)
    assert np.isinf([*row.pose, row.inner_face, row.expression]).all()
    assert not row.nearer_to_person
