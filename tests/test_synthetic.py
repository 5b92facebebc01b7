"""The mannequin is where its mesh says, and nobody's face is in it."""

import numpy as np
import pytest

from facekit.errors import ArrayError
from facekit.landmarks import detect_faces
from facekit.synthetic import Look, draw_head, place_face, rotation, synthetic_face, synthetic_mesh

POSES = [(0, 0, 0), (25, 0, 0), (-25, 0, 0), (0, 15, 0), (0, -15, 0), (12, -8, 15)]


def misses(size, yaw=0.0, pitch=0.0, roll=0.0, seed=0):
    """Distances from the detected to the declared points, in eye distances."""
    image = synthetic_face(size, seed=seed, yaw=yaw, pitch=pitch, roll=roll)
    (found,) = detect_faces(image)
    mesh = synthetic_mesh(size, yaw=yaw, pitch=pitch, roll=roll)
    return found, mesh, np.linalg.norm(found.points - mesh.points, axis=1) / (0.27 * size)


@pytest.mark.parametrize(("yaw", "pitch", "roll"), POSES)
@pytest.mark.clause("1.2.1a", partly="the points of a drawn face are found where they were drawn")
def test_detector_finds_the_points_where_they_were_drawn(yaw, pitch, roll):
    _, _, miss = misses(256, yaw, pitch, roll, seed=4)
    assert miss.mean() < 0.03
    assert np.quantile(miss, 0.95) < 0.08


@pytest.mark.parametrize("size", [128, 512, 1024])
def test_face_is_found_at_every_size(size):
    _, _, miss = misses(size, seed=size)
    assert miss.mean() < 0.03


@pytest.mark.parametrize("seed", range(5))
def test_every_seed_shows_a_face(seed):
    _, _, miss = misses(192, seed=seed)
    assert miss.mean() < 0.03


@pytest.mark.parametrize(("yaw", "pitch", "roll"), POSES)
def test_pose_of_the_mesh_agrees_with_the_detectors(yaw, pitch, roll):
    found, mesh, _ = misses(256, yaw, pitch, roll)
    turn = found.pose[:3, :3] @ mesh.pose[:3, :3].T
    assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) < 8


def test_same_seed_draws_the_same_picture_and_another_seed_another():
    first, again, other = (synthetic_face(96, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 5


def test_eye_distance_is_what_was_asked():
    mesh = place_face((300, 200), 80, roll=30)
    right, left = mesh.points[[33, 263]]
    assert np.linalg.norm(left - right) == pytest.approx(80, rel=1e-5)
    assert left[1] > right[1]  # clockwise


def test_irises_lie_between_the_corners_of_their_eyes():
    points = place_face((0, 0), 100).points
    for iris, outer, inner in ((468, 33, 133), (473, 263, 362)):
        assert min(points[[outer, inner], 0]) < points[iris, 0] < max(points[[outer, inner], 0])
        np.testing.assert_allclose(points[iris + 1 : iris + 5].mean(axis=0), points[iris], atol=1e-4)


def test_mesh_moves_and_scales_with_its_place():
    small, large = place_face((0, 0), 50, yaw=10), place_face((7, -3), 100, yaw=10)
    np.testing.assert_allclose(large.points, 2 * small.points + (7, -3), atol=1e-4)
    np.testing.assert_allclose(large.depth, 2 * small.depth, atol=1e-4)


def test_rotation_keeps_lengths_and_hands():
    turn = rotation(20, -12, 40)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)


def test_nose_follows_yaw_and_pitch():
    straight, right, down = (
        place_face((0, 0), 100, **pose).points[1] for pose in ({}, {"yaw": 20}, {"pitch": 20})
    )
    assert right[0] > straight[0] + 5
    assert down[1] > straight[1] + 5


def test_blendshapes_have_the_detectors_names():
    found, mesh, _ = misses(256)
    assert set(found.blendshapes) == set(mesh.blendshapes)
    assert list(mesh.blendshapes) == list(found.blendshapes)
    assert not any(mesh.blendshapes.values())


def test_head_without_hair_or_shirt_covers_less():
    mesh = synthetic_mesh(128)
    _, dressed = draw_head((128, 128), mesh, Look())
    _, bare = draw_head((128, 128), mesh, Look(bald=True, shirt=False))
    assert bare.sum() < dressed.sum()
    assert dressed.max() <= 1
    assert bare.min() >= 0


def test_lamp_lights_its_own_side():
    mesh = synthetic_mesh(128)
    left, _ = draw_head((128, 128), mesh, Look(light=(-1, 0, -0.7)))
    right, _ = draw_head((128, 128), mesh, Look(light=(1, 0, -0.7)))
    cheek = mesh.points[205].round().astype(int)
    assert left[cheek[1], cheek[0]].mean() > right[cheek[1], cheek[0]].mean() + 5


def test_tiny_picture_is_refused():
    with pytest.raises(ArrayError, match="at least 64, got 63"):
        synthetic_face(63)
