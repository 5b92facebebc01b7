"""Masks of a face scale with it, and find what lies in front of it."""

import dataclasses
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from facekit import growing
from facekit.growing import grown
from facekit.segment import (
    cut_out,
    eye_distance,
    face_mask,
    feature_mask,
    inner_mouth_mask,
    occluder_mask,
    skin_mask,
)
from facekit.synthetic import place_face, synthetic_mesh
from facekit.synthetic import synthetic_face as draw
from facekit.topology import FACE_OVAL, LIPS_INNER, NOSE

quick = settings(max_examples=30, deadline=None)
SIZE = 192
SHAPE = (SIZE, SIZE)
MESH = synthetic_mesh(SIZE)
UNIT = 0.27 * SIZE
drawn = cache(draw)


def synthetic_face(size, seed=0):
    """Draw each face once."""
    return drawn(size, seed=seed).copy()


def depth_in_oval(mesh, shape):
    """Distance of each pixel from the oval's outline, negative outside."""
    outline = mesh.points[list(FACE_OVAL)].reshape(-1, 1, 2)
    found = [cv2.pointPolygonTest(outline, (float(x), float(y)), True) for y, x in np.ndindex(shape)]
    return np.array(found).reshape(shape)


# -- scale ---------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [face_mask, feature_mask])
def test_masks_scale_with_the_face(make):
    small, large = (make(synthetic_mesh(size), (size, size)).sum() for size in (200, 800))
    assert large / small == pytest.approx(16, rel=0.06)


def test_skin_scales_with_the_face():
    small, large = (skin_mask(synthetic_face(size), synthetic_mesh(size)).sum() for size in (120, 360))
    assert large / small == pytest.approx(9, rel=0.06)


def test_mouth_scales_with_the_face():
    small, large = (inner_mouth_mask(opened(size), (size, size)).sum() for size in (120, 360))
    assert large / small == pytest.approx(9, rel=0.25)


@quick
@given(factor=st.floats(0.1, 10), angle=st.floats(-180, 180), x=st.floats(-300, 300), yaw=st.floats(-60, 60))
def test_unit_of_length_follows_scale_and_ignores_turns_and_shifts(factor, angle, x, yaw):
    mesh = place_face((0, 0), 50, yaw=yaw)
    turn = cv2.getRotationMatrix2D((0, 0), angle, factor)
    moved = dataclasses.replace(mesh, points=(mesh.points @ turn[:, :2].T + x).astype(np.float32))
    assert eye_distance(moved) == pytest.approx(factor * eye_distance(mesh), rel=1e-3, abs=1e-3)


def test_unit_of_length_survives_a_profile():
    assert eye_distance(place_face((0, 0), 50)) == pytest.approx(50, rel=0.01)
    assert eye_distance(place_face((0, 0), 50, yaw=90)) > 25


# -- the oval and the features -------------------------------------------------------------


@pytest.mark.parametrize("margin", [0.0, 0.03, 0.1])
def test_face_mask_keeps_its_margin_from_the_oval(margin):
    mesh = synthetic_mesh(128)
    depth, mask = depth_in_oval(mesh, (128, 128)), face_mask(mesh, (128, 128), margin=margin)
    wanted = margin * 0.27 * 128
    assert depth[mask].min() > wanted - 1.5
    assert mask[depth > wanted + 1.5].all()


def test_features_lie_on_the_face_and_hold_their_own_points():
    mask = feature_mask(MESH, SHAPE)
    x, y = np.round(MESH.points[[*NOSE, *LIPS_INNER, 159, 386, 105, 334]]).astype(int).T
    assert mask[y, x].all()
    assert (mask & face_mask(MESH, SHAPE)).sum() > 0.97 * mask.sum()
    cheeks = np.round(MESH.points[[50, 280, 151, 199]]).astype(int).T
    assert not mask[cheeks[1], cheeks[0]].any()


def opened(size):
    """The mannequin with its lower lip pulled down."""
    mesh = synthetic_mesh(size)
    points = mesh.points.copy()
    lower = list(LIPS_INNER[1:10])
    points[lower, 1] += np.float32(0.2 * 0.27 * size) * np.sin(np.linspace(0, np.pi, 11)[1:-1])
    return dataclasses.replace(mesh, points=points.astype(np.float32))


def test_inner_mouth_shows_only_where_the_mouth_is_open():
    shut, wide = inner_mouth_mask(MESH, SHAPE), inner_mouth_mask(opened(SIZE), SHAPE)
    assert wide.sum() > 3 * shut.sum()
    assert wide.sum() > 0.03 * UNIT**2


def test_face_beyond_the_picture_is_cut_off():
    image = synthetic_face(128)
    for centre in ((0, 60), (128, 128), (64, -10), (400, 400)):
        mesh = place_face(centre, 34)
        parts = face_mask(mesh, (128, 128)), skin_mask(image, mesh), occluder_mask(image, mesh)
        assert all(part.shape == (128, 128) and part.dtype == bool for part in parts)
        assert parts[0].any() == (centre[0] < 400)


@pytest.mark.parametrize("centre", [(64, 64), (0, 60), (128, 128), (400, 400)])
def test_face_cut_out_lies_where_it_did(centre):
    image, mesh = synthetic_face(128), place_face(centre, 34)
    part, near, box = cut_out(image, mesh, 5)
    np.testing.assert_array_equal(part, image[box])
    assert np.shares_memory(part, image)
    shift = np.array([box[1].start, box[0].start], np.float32)
    np.testing.assert_allclose(near.points + shift, mesh.points, atol=1e-3)
    np.testing.assert_allclose(near.box, (*near.points.min(axis=0), *near.points.max(axis=0)), atol=1e-3)


# -- skin ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_skin_is_most_of_the_face_and_none_of_its_features(seed):
    skin = skin_mask(synthetic_face(SIZE, seed=seed), MESH)
    plain = face_mask(MESH, SHAPE) & ~feature_mask(MESH, SHAPE, reach=0.06)
    assert skin[plain].mean() > 0.8
    assert not (skin & feature_mask(MESH, SHAPE, reach=0.0)).any()
    assert (depth_in_oval(MESH, SHAPE)[skin] > -1).all()


@pytest.mark.parametrize("colour", [(30, 60, 200), (250, 250, 250), (20, 15, 12), (40, 160, 60)])
def test_paint_on_a_cheek_is_not_skin(colour):
    image = synthetic_face(SIZE, seed=2)
    clean = skin_mask(image, MESH)
    painted = np.zeros(SHAPE, np.uint8)
    cv2.circle(painted, tuple(np.round(MESH.points[207]).astype(int).tolist()), 11, 1, -1)
    core = cv2.erode(painted, np.ones((9, 9))).astype(bool)
    image[painted.astype(bool)] = colour
    assert clean[core].mean() > 0.9
    assert not skin_mask(image, MESH)[core].any()


# -- what lies in front --------------------------------------------------------------------


def fringe(mesh, shape, hang):
    """The part of the oval within `hang` eye distances of its top."""
    top = mesh.points[list(FACE_OVAL), 1].min()
    rows = np.indices(shape)[0]
    return face_mask(mesh, shape, margin=0.0) & (rows < top + hang * eye_distance(mesh))


@pytest.mark.parametrize("seed", range(6))
def test_clean_forehead_has_no_occluder(seed):
    assert not occluder_mask(synthetic_face(SIZE, seed=seed), MESH).any()


@pytest.mark.parametrize(("size", "seed"), [(120, 1), (192, 3), (192, 4), (360, 0)])
def test_dark_fringe_over_the_forehead_is_found(size, seed):
    image, mesh = synthetic_face(size, seed=seed), synthetic_mesh(size)
    hair = fringe(mesh, (size, size), 0.35)
    image[hair] = (28, 20, 16)
    found = occluder_mask(image, mesh)
    bare = hair & ~feature_mask(mesh, hair.shape, reach=0.12)  # brows have their own hair
    assert bare.sum() > 0.3 * hair.sum()
    assert found[bare].mean() > 0.85
    assert (found & ~grown(hair, 0.06 * 0.27 * size)).sum() < 0.02 * hair.sum()


def test_dark_spot_in_the_middle_of_the_forehead_is_no_occluder():
    image = synthetic_face(SIZE, seed=1)
    x, y = np.round(MESH.points[151]).astype(int).tolist()
    cv2.circle(image, (x, y), 5, (28, 20, 16), -1)
    assert not occluder_mask(image, MESH).any()


# -- growing -------------------------------------------------------------------------------


def exactly_grown(mask, pixels):
    """How far each pixel is from being decided otherwise, and what the exact distance says."""
    padded = np.pad(mask, 1)
    if pixels > 0:
        distance = distance_transform_edt(~padded)[1:-1, 1:-1] if mask.any() else np.full(mask.shape, np.inf)
        return np.abs(distance - pixels), distance <= pixels
    distance = distance_transform_edt(padded)[1:-1, 1:-1]
    return np.abs(distance + pixels), distance > -pixels


@quick
@given(
    seed=st.integers(0, 2**32 - 1), share=st.sampled_from([0.01, 0.5, 0.97, 1.0]), pixels=st.floats(-12, 12)
)
def test_growing_is_by_euclidean_distance(seed, share, pixels):
    mask = np.random.default_rng(seed).random((40, 50)) < share
    if pixels == 0:
        np.testing.assert_array_equal(grown(mask, 0), mask)
        return
    doubt, wanted = exactly_grown(mask, pixels)
    clear = doubt > 0.02
    np.testing.assert_array_equal(grown(mask, pixels)[clear], wanted[clear])


@quick
@given(seed=st.integers(0, 2**32 - 1), pixels=st.floats(-12, 60))
def test_growing_without_a_compiler_gives_the_same_bits(seed, pixels):
    mask = np.random.default_rng(seed).random((40, 31)) < 0.97
    compiled = grown(mask, pixels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(growing, "can_compile", lambda: False)
        np.testing.assert_array_equal(grown(mask, pixels), compiled)


@quick
@given(seed=st.integers(0, 2**32 - 1), pixels=st.floats(-9, 9))
def test_growing_is_the_same_in_a_larger_picture(seed, pixels):
    mask = np.random.default_rng(seed).random((12, 15)) < 0.3
    around = np.pad(mask, 30)
    np.testing.assert_array_equal(grown(around, pixels)[20:-20, 20:-20], grown(np.pad(mask, 10), pixels))


def test_growing_leaves_the_mask_alone():
    mask = face_mask(MESH, SHAPE)
    copy = mask.copy()
    mask.setflags(write=False)
    for pixels in (-3, 0, 3):
        assert not np.shares_memory(grown(mask, pixels), mask)
    np.testing.assert_array_equal(mask, copy)


def test_masks_leave_the_picture_alone():
    image = synthetic_face(128)
    copy = image.copy()
    image.setflags(write=False)
    for make in (skin_mask, occluder_mask):
        make(image, synthetic_mesh(128))
    np.testing.assert_array_equal(image, copy)
