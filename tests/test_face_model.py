"""A statistical face: fitted, projected, moved, mirrored, averaged, and laid on a picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facekit.errors import ArrayError
from facekit.face_model import (
    along,
    average_shape,
    fit_face,
    lay_texture,
    mean_shape,
    mean_texture,
    mirror_shape,
    move_mesh,
    project_shape,
    project_texture,
    read_colours,
    read_texture,
    texture_along,
    texture_layout,
)
from facekit.lab import from_lab, to_lab
from facekit.synthetic import synthetic_face, synthetic_mesh
from facekit.topology import LEFT_EYE, LEFT_IRIS, face_triangles
from facekit.warp import fit_similarity, transform_points

quick = settings(max_examples=20, deadline=None)


@quick
@given(yaw=st.floats(-40, 40), pitch=st.floats(-25, 25), roll=st.floats(-180, 180))
def test_fit_takes_pose_and_size_away_and_can_be_undone(yaw, pitch, roll):
    mesh = synthetic_mesh(256, yaw=yaw, pitch=pitch, roll=roll)
    fitted, frontal = fit_face(mesh), fit_face(synthetic_mesh(96))
    np.testing.assert_allclose(fitted.shape, frontal.shape, atol=2e-3)
    back = transform_points(fitted.shape, fitted.matrix)
    np.testing.assert_allclose(back[:, :2], mesh.points[:468], atol=1e-2)


@quick
@given(gender=st.floats(-3, 3), years=st.floats(-40, 40))
def test_projection_finds_the_step_that_was_taken(gender, years):
    found = project_shape(mean_shape() + along(gender=gender, age=years))
    assert found == pytest.approx((gender, years), abs=1e-3)
    texture = mean_texture() + texture_along(gender=gender)
    everywhere = np.ones(texture.shape[:2], np.float32)
    assert project_texture(texture, everywhere) == pytest.approx([gender] * 3, abs=1e-3)


def test_projection_does_not_see_what_is_lopsided():
    crooked = mean_shape().copy()
    crooked[:, 0] += np.where(crooked[:, 0] > 0, 0.05, 0.0)
    shifted = (crooked + mirror_shape(crooked)) / 2
    assert project_shape(crooked) == pytest.approx(project_shape(shifted), abs=1e-4)


@quick
@given(gender=st.floats(-2, 2), share=st.floats(0, 1))
def test_steps_along_an_axis_add_up(gender, share):
    mesh = synthetic_mesh(256, yaw=20)
    once = move_mesh(mesh, along(gender=gender)).points
    twice = move_mesh(
        move_mesh(mesh, along(gender=share * gender)), along(gender=(1 - share) * gender)
    ).points
    np.testing.assert_allclose(once, twice, atol=0.05)


def test_step_in_the_picture_is_as_long_as_in_the_model_and_turns_with_the_head():
    step, mesh = along(gender=2), synthetic_mesh(256, roll=90)
    moved = move_mesh(mesh, step)
    unit = np.linalg.norm(fit_face(mesh).matrix[:, 0])
    down = moved.points[152] - mesh.points[152]
    assert np.linalg.norm([*down, (moved.depth - mesh.depth)[152]]) == pytest.approx(
        unit * np.linalg.norm(step[152]), rel=0.02
    )
    assert abs(down[0]) > 5 * abs(down[1])  # a chin that gets longer moves sideways when the head lies


def test_irises_go_with_their_eyes():
    mesh = synthetic_mesh(256)
    moved = move_mesh(mesh, along(gender=3))
    shift = moved.points - mesh.points
    np.testing.assert_allclose(
        shift[list(LEFT_IRIS)], np.tile(shift[list(LEFT_EYE)].mean(axis=0), (5, 1)), atol=1e-4
    )
    assert moved.points.shape == (478, 2)
    np.testing.assert_array_equal(move_mesh(mesh, along()).points, mesh.points)


def test_mirror_is_its_own_inverse_and_leaves_mean_and_axes_alone():
    shape = fit_face(synthetic_mesh(256, yaw=30)).shape + along(gender=1)
    np.testing.assert_array_equal(mirror_shape(mirror_shape(shape)), shape)
    for symmetric in (mean_shape(), along(gender=1), along(age=10)):
        np.testing.assert_allclose(mirror_shape(symmetric), symmetric, atol=1e-4)


@quick
@given(angle=st.floats(-3, 3), scale=st.floats(0.2, 5), x=st.floats(-99, 99))
def test_average_of_one_shape_in_many_poses_is_that_shape(angle, scale, x):
    shape = (mean_shape() + along(gender=1)).astype(np.float64)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    turned = (scale * shape @ turn.T + [x, 0, 5]).astype(np.float32)
    middle = average_shape([shape.astype(np.float32), turned])
    back = transform_points(shape, fit_similarity(shape, middle))
    np.testing.assert_allclose(middle, back, atol=1e-3)


def test_average_does_not_depend_on_the_order():
    shapes = [mean_shape() + along(gender=g, age=a) for g, a in ((1, 0), (-2, 20), (0, -30))]
    np.testing.assert_allclose(average_shape(shapes), average_shape(shapes[::-1]), atol=1e-5)
    with pytest.raises(ArrayError, match="at least one"):
        average_shape([])


def test_texture_is_read_relative_to_the_faces_own_mean():
    mesh = synthetic_mesh(256)
    dark, light = (np.clip(synthetic_face(256) * share, 0, 255).astype(np.uint8) for share in (0.7, 0.9))
    for image in (dark, light):
        texture, inside = read_texture(image, mesh)
        assert texture.shape == (192, 192, 3)
        assert np.abs(texture[inside].mean(axis=0)).max() < 1e-2
        assert not texture[~inside].any()


def test_what_is_laid_on_a_face_is_read_back_from_it():
    mesh = synthetic_mesh(512)
    step = texture_along(gender=4)
    laid, box = lay_texture(step, mesh, (512, 512))
    lab = np.full((512, 512, 3), [60, 0, 0], np.float32)
    lab[box] += laid
    colours, matte = read_colours(from_lab(lab), mesh, np.ones((512, 512), np.float32))
    inner = (matte == 1) & (np.hypot(*(np.indices(matte.shape) - 96)) < 60)
    assert np.corrcoef((colours - [60, 0, 0])[inner].ravel(), step[inner].ravel())[0, 1] > 0.98


def test_finer_texture_lies_where_the_plain_one_does():
    mesh = synthetic_mesh(256, roll=15)
    spot = np.zeros((192, 192, 1), np.float32)
    spot[90:100, 60:70] = 1
    plain, box = lay_texture(spot, mesh, (256, 256))
    finer, other = lay_texture(
        np.kron(spot[..., 0], np.ones((4, 4), np.float32))[..., None], mesh, (256, 256)
    )
    assert box == other
    middles = [np.argwhere(part[..., 0] > 0.5).mean(axis=0) for part in (plain, finer)]
    np.testing.assert_allclose(*middles, atol=0.25)


def test_channels_are_laid_alike_however_many():
    mesh = synthetic_mesh(256)
    one = texture_along(gender=1)[..., :1]
    many, _ = lay_texture(np.repeat(one, 6, axis=2), mesh, (256, 256))
    alone, _ = lay_texture(one, mesh, (256, 256))
    for channel in range(6):  # OpenCV weighs one channel to fewer bits than four
        np.testing.assert_allclose(many[..., channel : channel + 1], alone, atol=0.02 * np.abs(one).max())


def test_layout_is_a_face_seen_from_the_front():
    layout = texture_layout()
    assert layout.min() > 0
    assert layout.max() < 192
    edges = [layout[face_triangles()[:, k]] - layout[face_triangles()[:, k - 1]] for k in range(3)]
    assert min(np.hypot(*edge.T).min() for edge in edges) > 0


@quick
@given(seed=st.integers(0, 2**32 - 1))
def test_lab_and_back_gives_the_same_bytes_but_for_the_last_bit_of_few(seed):
    image = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    off = np.abs(from_lab(to_lab(image)).astype(int) - image)
    assert off.max() <= 1
    assert off.mean() < 0.06


def test_lab_outside_of_what_screens_show_is_clipped():
    assert from_lab(np.array([[[120, 0, 0], [-9, 0, 0]]], np.float32)).tolist() == [[[255] * 3, [0] * 3]]
