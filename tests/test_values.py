"""Values are checked at the border, and what they compute follows the geometry."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facekit.assets import load_numbers
from facekit.errors import ArrayError
from facekit.synthetic import place_face, synthetic_mesh
from facekit.topology import mirror_permutation
from facekit.values import Blendshapes, as_image, as_mask, as_points, as_triangles

quick = settings(max_examples=50, deadline=None)
IBUG_MIRROR = [
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
]


# -- checks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 5), np.uint8), r"photo: expected shape \(H, W, 3\), got \(4, 5\)"),
        (np.zeros((4, 5, 4), np.uint8), r"got \(4, 5, 4\)"),
        (np.zeros((0, 5, 3), np.uint8), r"got \(0, 5, 3\)"),
        (np.zeros((4, 5, 3), np.float32), "photo: expected uint8, got float32"),
        (np.zeros((4, 5, 3), np.int8), "got int8"),
    ],
)
def test_what_is_no_picture_is_named(array, message):
    with pytest.raises(ArrayError, match=message):
        as_image(array, name="photo")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 5), np.uint8), "skin: expected bool, got uint8"),
        (np.zeros((4, 5, 1), bool), r"skin: expected shape \(4, 5\), got \(4, 5, 1\)"),
        (np.zeros((5, 4), bool), r"expected shape \(4, 5\), got \(5, 4\)"),
    ],
)
def test_what_is_no_mask_is_named(array, message):
    with pytest.raises(ArrayError, match=message):
        as_mask(array, shape=(4, 5), name="skin")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 3)), r"dots: expected shape \(N, 2\), got \(4, 3\)"),
        (np.zeros(2), r"got \(2,\)"),
        ([["a", "b"]], "dots: expected numbers, got <U1"),
        (np.zeros((2, 2), complex), "got complex128"),
        ([[1.0, np.inf]], "dots: expected finite coordinates"),
    ],
)
def test_what_are_no_points_is_named(array, message):
    with pytest.raises(ArrayError, match=message):
        as_points(array, name="dots")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        ([[0, 1]], r"rows: expected shape \(T, 3\), got \(1, 2\)"),
        ([[0.0, 1.0, 2.0]], "rows: expected integers, got float64"),
        ([[0, 1, 5]], "rows: expected indices from 0 to 4"),
        ([[0, 1, -1]], "rows: expected indices from 0 to 4"),
    ],
)
def test_what_are_no_triangles_is_named(array, message):
    with pytest.raises(ArrayError, match=message):
        as_triangles(array, points=5, name="rows")


def test_right_arrays_pass_without_a_copy():
    image, mask = np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), bool)
    points, rows = np.zeros((4, 2), np.float32), np.zeros((2, 3), np.int32)
    assert as_image(image) is image
    assert as_mask(mask) is mask
    assert np.shares_memory(as_points(points), points)
    assert np.shares_memory(as_triangles(rows, points=4), rows)


def test_lists_become_the_types_of_the_package():
    assert as_points([[1, 2]]).dtype == np.float32
    assert as_triangles(np.array([[0, 1, 2]], np.uint64), points=3).dtype == np.int32
    assert as_triangles(np.zeros((0, 3), int), points=0).shape == (0, 3)


# -- expressions ---------------------------------------------------------------------------


def test_blendshapes_are_a_mapping():
    scores = Blendshapes(("jawOpen", "mouthPucker"), np.array([0.25, 0.5], np.float32))
    assert dict(scores) == {"jawOpen": 0.25, "mouthPucker": 0.5}
    assert list(scores) == list(scores.keys()) == ["jawOpen", "mouthPucker"]
    assert len(scores) == 2
    assert "jawOpen" in scores
    assert "tongueOut" not in scores
    assert scores.get("tongueOut", 0.0) == 0.0
    assert all(type(value) is float for value in scores.values())


def test_unknown_blendshape_is_named():
    with pytest.raises(KeyError, match="tongueOut"):
        Blendshapes(("jawOpen",), np.zeros(1, np.float32))["tongueOut"]


def test_blendshapes_compare_by_name_and_score():
    one = Blendshapes(("a", "b"), np.array([0.25, 0.5], np.float32))
    assert one == Blendshapes(("b", "a"), np.array([0.5, 0.25], np.float32))
    assert one == {"a": 0.25, "b": 0.5}
    assert one != Blendshapes(("a", "b"), np.array([0.25, 0.75], np.float32))


# -- meshes --------------------------------------------------------------------------------


@quick
@given(yaw=st.floats(-85, 85), pitch=st.floats(-80, 80), roll=st.floats(-175, 175))
def test_angles_are_those_that_the_head_was_turned_by(yaw, pitch, roll):
    found = place_face((50, 50), 20, yaw=yaw, pitch=pitch, roll=roll).angles()
    np.testing.assert_allclose(found, (yaw, pitch, roll), atol=0.02)


def test_angles_do_not_depend_on_the_scale_of_the_pose():
    mesh = place_face((50, 50), 20, yaw=20, pitch=-10, roll=5)
    scaled = dataclasses.replace(mesh, pose=mesh.pose * np.float32(3))
    np.testing.assert_allclose(scaled.angles(), mesh.angles(), atol=1e-4)


def test_nose_points_where_yaw_and_pitch_say():
    straight = place_face((0, 0), 100).points
    right, down = (place_face((0, 0), 100, **turn).points for turn in ({"yaw": 30}, {"pitch": 20}))

    def nose(points):  # from the middle of the eyes to the tip
        return points[1] - (points[33] + points[263]) / 2

    assert nose(right)[0] > nose(straight)[0] + 10
    assert nose(down)[1] > nose(straight)[1] + 5


@quick
@given(
    entries=st.lists(st.floats(-2, 2), min_size=4, max_size=4),
    shift=st.tuples(st.floats(-200, 200), st.floats(-200, 200)),
    yaw=st.floats(-40, 40),
)
def test_68_points_commute_with_affine_maps(entries, shift, yaw):
    mesh = place_face((100, 100), 40, yaw=yaw)
    linear = np.array(entries).reshape(2, 2)
    moved = dataclasses.replace(mesh, points=(mesh.points @ linear.T + shift).astype(np.float32))
    np.testing.assert_allclose(moved.ibug68(), mesh.ibug68() @ linear.T + shift, atol=2e-3)


def test_weights_of_the_68_points_sum_to_one():
    weights = load_numbers("ibug68")["weights"]
    assert weights.shape == (68, 478)
    np.testing.assert_allclose(weights.sum(axis=1, dtype=np.float64), 1, atol=1e-5)


def test_68_points_of_a_mirrored_face_are_mirrored():
    mesh = place_face((100, 100), 60, yaw=15, roll=4)
    flipped = (mesh.points * [-1, 1] + [200, 0])[mirror_permutation()].astype(np.float32)
    found = dataclasses.replace(mesh, points=flipped).ibug68()
    wanted = (mesh.ibug68() * [-1, 1] + [200, 0])[IBUG_MIRROR]
    assert np.linalg.norm(found - wanted, axis=1).max() < 0.03 * 60


def test_68_points_lie_on_the_features_that_they_name():
    mesh = synthetic_mesh(512)
    points, unit = mesh.ibug68(), 0.27 * 512
    for mine, theirs in ((36, 33), (45, 263), (39, 133), (42, 362), (48, 61), (54, 291), (30, 1)):
        assert np.linalg.norm(points[mine] - mesh.points[theirs]) < 0.12 * unit, mine
    jaw = points[:17]
    assert (np.diff(jaw[:, 0]) > 0).all()
    assert jaw[8, 1] == points[:, 1].max()


def test_records_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        synthetic_mesh(64).score = 1.0
