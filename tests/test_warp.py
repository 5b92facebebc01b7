"""Warps: exact where exactness can be had, every pixel once, and nothing hidden shows."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull, Delaunay, QhullError

from facekit.errors import ArrayError, DegenerateMeshError
from facekit.scanline import SUBPIXELS
from facekit.synthetic import place_face, synthetic_face, synthetic_mesh
from facekit.topology import FACE_OVAL, face_triangles
from facekit.warp import (
    SamplingMap,
    facing,
    fit_similarity,
    rasterise,
    sample,
    signed_areas,
    transform_points,
    warp_in_place,
    warp_piecewise_affine,
    warp_similarity,
)

quick = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32 - 1)
SIDE = 40


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def smooth_picture(size):
    y, x = np.mgrid[:size, :size] / size
    waves = [np.sin(5 * x + 3 * y), np.cos(4 * x - 2 * y), np.sin(6 * x * y + 1)]
    return np.rint(128 + 100 * np.stack(waves, axis=2)).astype(np.uint8)


@st.composite
def delaunay_meshes(draw, side=SIDE):
    """Points on the subpixel grid, some of them at pixel centres, and their triangulation."""
    rng = np.random.default_rng(draw(seeds))
    fine = rng.integers(0, (side - 1) * SUBPIXELS + 1, (draw(st.integers(3, 40)), 2))
    at_centres = rng.random(len(fine)) < draw(st.sampled_from([0.0, 0.5, 1.0]))
    fine[at_centres] = np.round(fine[at_centres] / SUBPIXELS).astype(int) * SUBPIXELS
    fine = np.unique(fine, axis=0)
    try:
        rows = Delaunay(fine).simplices.astype(np.int32)
        hull = fine[ConvexHull(fine).vertices]
    except QhullError:
        assume(False)
    a, b, c = (fine[rows[:, k]] for k in range(3))
    doubled = np.abs(cross(b - a, c - a))
    rows = rows[doubled > 0]
    # Qhull works in floating point: where it left a sliver out, the hull is not what is covered.
    assume(doubled.sum() == abs(cross(hull, np.roll(hull, -1, axis=0)).sum()))
    assume(doubled[doubled > 0].min() / 2 / SUBPIXELS**2 > 2e-3)
    return fine, rows, hull


def cross(u, v):
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def in_hull(hull, shape):
    """Which pixel centres lie in the closed hull, and which on its rim: exact integers."""
    y, x = np.indices(shape) * SUBPIXELS
    ends = np.roll(hull, -1, axis=0)
    edges = [(b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) for a, b in zip(hull, ends, strict=True)]
    edges = np.array(edges) * np.sign(cross(hull, ends).sum())
    inside = (edges >= 0).all(axis=0)
    return inside, inside & (edges == 0).any(axis=0)


def owners(fine, rows):
    """For each pixel the triangle that has it: the map of a mesh whose source is its row number."""
    apart = (fine[rows].reshape(-1, 2) / SUBPIXELS).astype(np.float32)
    numbers = np.repeat(np.arange(len(rows), dtype=np.float32), 3)
    split = np.arange(3 * len(rows), dtype=np.int32).reshape(-1, 3)
    found = rasterise(np.column_stack([numbers, numbers]), apart, split, shape=(SIDE, SIDE))
    whole = np.full((SIDE, SIDE), -1)
    whole[found.box] = np.where(found.inside, np.rint(found.x), -1)
    return whole


# -- every pixel once ----------------------------------------------------------------------


@quick
@given(delaunay_meshes())
def test_every_pixel_centre_in_the_hull_is_covered_and_no_other(mesh):
    fine, rows, hull = mesh
    points = (fine / SUBPIXELS).astype(np.float32)
    _, inside = warp_piecewise_affine(noise((SIDE, SIDE)), points, points, rows)
    np.testing.assert_array_equal(inside, in_hull(hull, inside.shape)[0])


@quick
@given(delaunay_meshes())
def test_no_pixel_centre_within_the_hull_is_covered_twice(mesh):
    # The last row wins, so a centre with two owners would change hands with the order.
    fine, rows, hull = mesh
    forth, back = owners(fine, rows), owners(fine, rows[::-1])
    inside, rim = in_hull(hull, forth.shape)
    within = inside & ~rim
    np.testing.assert_array_equal(forth[within], len(rows) - 1 - back[within])
    assert (forth[within] >= 0).all()


def test_pixel_centres_on_a_shared_diagonal_have_one_owner():
    corners = np.array([[0, 0], [20, 0], [20, 20], [0, 20]]) * SUBPIXELS
    rows = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    forth, back = owners(corners, rows), owners(corners, rows[::-1])
    inner = np.arange(1, 20)
    assert len(set(forth[inner, inner])) == 1
    np.testing.assert_array_equal(forth[inner, inner], 1 - back[inner, inner])


def test_winding_of_the_rows_does_not_matter():
    corners = np.array([[2, 3], [17, 5], [9, 18]]) * SUBPIXELS
    one, other = (owners(corners, np.array([row], np.int32)) for row in ([0, 1, 2], [0, 2, 1]))
    np.testing.assert_array_equal(one, other)
    assert (one == 0).sum() > 80


def test_pixel_centres_on_an_edge_where_the_mesh_folds_are_inside():
    # Both triangles lie to the left of the edge that they share: to neither it is a left one.
    points = np.array([[5, 0], [5, 10], [0, 5], [2, 5]], np.float32)
    image = noise((12, 12))
    warped, inside = warp_piecewise_affine(image, points, points, np.array([[0, 1, 2], [0, 3, 1]]))
    assert inside[:11, 5].all()
    np.testing.assert_array_equal(warped[inside], image[inside])


def test_face_mesh_has_no_cracks():
    mesh = synthetic_mesh(256)
    _, inside = warp_piecewise_affine(noise((256, 256)), mesh.points, mesh.points, face_triangles())
    oval = np.round(mesh.points[list(FACE_OVAL)] * 256).astype(np.int32)
    polygon = cv2.fillPoly(np.zeros((256, 256), np.uint8), [oval], 1, shift=8).astype(bool)
    core = cv2.erode(polygon.astype(np.uint8), np.ones((5, 5))).astype(bool)
    assert core.sum() > 10_000
    assert inside[core].all()


# -- exactness -----------------------------------------------------------------------------


@quick
@given(mesh=delaunay_meshes(), seed=seeds)
def test_warp_onto_itself_reproduces_the_picture_bit_for_bit(mesh, seed):
    fine, rows, _ = mesh
    image = noise((SIDE, SIDE), seed)
    points = (fine / SUBPIXELS).astype(np.float32)
    warped, inside = warp_piecewise_affine(image, points, points, rows)
    np.testing.assert_array_equal(warped[inside], image[inside])
    assert not warped[~inside].any()


@settings(max_examples=15, deadline=None)
@given(
    x=st.floats(50, 78),
    y=st.floats(50, 78),
    eyes=st.floats(15, 40),
    yaw=st.floats(-20, 20),
    roll=st.floats(-180, 180),
    seed=seeds,
)
def test_face_warped_onto_itself_is_the_picture_bit_for_bit(x, y, eyes, yaw, roll, seed):
    image = noise((128, 128), seed)
    mesh = place_face((x, y), eyes, yaw=yaw, roll=roll)
    warped, inside = warp_piecewise_affine(
        image, mesh.points, mesh.points, face_triangles(irises=True), depth=mesh.depth
    )
    assert inside.any()
    np.testing.assert_array_equal(warped[inside], image[inside])


@settings(max_examples=25, deadline=None)
@given(angle=st.floats(-180, 180), scale=st.floats(0.95, 2.5), shear=st.floats(-0.15, 0.15), seed=seeds)
def test_global_affine_map_agrees_with_opencv(angle, scale, shear, seed):
    size, image = 96, smooth_picture(96)
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), angle, scale)
    matrix = turn @ np.array([[1, shear, 0], [0, 1, 0], [0, 0, 1]])
    points = np.random.default_rng(seed).uniform(0, size - 1, (25, 2))
    points = np.concatenate([points, [[0, 0], [size - 1, 0], [0, size - 1], [size - 1, size - 1]]])
    rows = Delaunay(points).simplices.astype(np.int32)
    moved = transform_points(points, matrix)
    rows = rows[np.abs(signed_areas(moved, rows)) > 0.5]
    warped, inside = warp_piecewise_affine(image, points, moved, rows)
    wanted = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR)
    core = cv2.erode(inside.astype(np.uint8), np.ones((5, 5)), borderValue=0).astype(bool)
    assert core.sum() > 1000
    assert np.abs(warped.astype(int) - wanted)[core].max() <= 1


def test_each_triangle_follows_its_own_map():
    src = np.array([[0, 0], [20, 0], [20, 20], [0, 20]], np.float32)
    dst = src + np.array([[0, 0], [0, 0], [10, 0], [0, 0]], np.float32)
    found = rasterise(src, dst, np.array([[0, 1, 3], [1, 2, 3]], np.int32), shape=(40, 40))
    assert (found.x[5, 5], found.y[5, 5]) == (5, 5)
    # (22, 14) = 0.6 (30, 20) + 0.1 (20, 0) + 0.3 ... solved for the second triangle's corners
    weights = np.linalg.solve(np.array([[20, 30, 0], [0, 20, 20], [1, 1, 1]], float), [18, 15, 1])
    wanted = weights @ src[[1, 2, 3]]
    np.testing.assert_allclose([found.x[15, 18], found.y[15, 18]], wanted, atol=1e-4)


def test_output_takes_the_shape_that_is_asked():
    src = np.array([[0, 0], [9, 0], [0, 9]], np.float32)
    warped, inside = warp_piecewise_affine(
        noise((10, 10)), src, src + np.array([30, 5]), np.array([[0, 1, 2]]), shape=(20, 60)
    )
    assert warped.shape == (20, 60, 3)
    assert inside[5:15, 30:40].sum() == inside.sum() == 55


@pytest.mark.parametrize("far", [100, 2**20])
def test_mesh_beyond_the_output_is_clipped(far):
    image = noise((16, 16))
    big = np.array([[-far, -far], [3 * far // 2, -far], [-far, 3 * far // 2]], np.float32)
    warped, inside = warp_piecewise_affine(image, big, big, np.array([[0, 1, 2]]))
    assert inside.all()
    np.testing.assert_array_equal(warped, image)
    _, outside = warp_piecewise_affine(image, TRIANGLE, TRIANGLE + far, np.array([[0, 1, 2]]))
    assert not outside.any()


def test_source_beyond_the_picture_repeats_the_edge():
    image = noise((20, 20))
    dst = np.array([[0, 0], [19, 0], [19, 19], [0, 19]], np.float32)
    rows = np.array([[0, 1, 2], [0, 2, 3]])
    warped, inside = warp_piecewise_affine(image, dst - [10, 0], dst, rows)
    assert inside.all()
    np.testing.assert_array_equal(warped[:, :10], np.repeat(image[:, :1], 10, axis=1))
    np.testing.assert_array_equal(warped[:, 10:], image[:, :10])


# -- shrinking -----------------------------------------------------------------------------


def shrunk(image, factor, size):
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32) * 10_000
    rows = np.array([[0, 1, 2], [0, 2, 3]])
    src = ((corners + 0.5) * factor - 0.5).astype(np.float32)
    return warp_piecewise_affine(image, src, corners, rows, shape=(size, size))[0]


@pytest.mark.parametrize("factor", [2.0, 2.5, 4.0, 5.7])
def test_fine_chessboard_becomes_grey_where_it_shrinks(factor):
    board = np.repeat((np.indices((240, 240)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)
    size = int(240 / factor)
    small = shrunk(board, factor, size)[3:-3, 3:-3].astype(int)
    assert np.abs(small - 128).max() < 12
    assert np.ptp(board[::4, 1::3]) == 255  # without smoothing, bare samples are black and white


def test_shrinking_agrees_with_the_mean_over_areas():
    image = cv2.resize(noise((60, 60)), (240, 240), interpolation=cv2.INTER_CUBIC)
    wanted = cv2.resize(image, (60, 60), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(shrunk(image, 4.0, 60) - wanted)[2:-2, 2:-2].max() <= 2


def test_picture_is_not_smoothed_where_it_grows():
    image = noise((40, 40))
    grown = shrunk(image, 0.5, 80).astype(int)
    wanted = cv2.resize(image, (80, 80), interpolation=cv2.INTER_LINEAR)
    assert np.abs(grown - wanted)[2:-2, 2:-2].max() <= 1


# -- depth and flat triangles --------------------------------------------------------------

TWO = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
OVER = np.array([[0, 0], [20, 0], [0, 20], [0, 0], [20, 0], [0, 20]], np.float32)


@pytest.mark.parametrize("rows", [TWO, TWO[::-1]], ids=["nearest first", "nearest last"])
def test_nearest_triangle_wins_whatever_the_order(rows):
    src = OVER + np.repeat([[0], [100]], 3, axis=0).astype(np.float32)
    depth = np.array([1, 1, 1, 2, 2, 2], np.float32)
    found = rasterise(src, OVER, rows, shape=(30, 30), depth=depth)
    assert found.x[found.inside].max() <= 20


def test_last_row_wins_without_depth():
    src = OVER + np.repeat([[0], [100]], 3, axis=0).astype(np.float32)
    found = rasterise(src, OVER, TWO, shape=(30, 30))
    assert found.x[found.inside].min() >= 100


@pytest.mark.parametrize("yaw", [-70, 45])
def test_hidden_parts_of_a_turned_face_never_show(yaw):
    mesh = place_face((32, 32), 24, yaw=yaw)
    rows = face_triangles()
    numbers = np.repeat(np.arange(len(rows), dtype=np.float32), 3)
    split = np.arange(3 * len(rows)).reshape(-1, 3)
    points, depth = mesh.points[rows], mesh.depth[rows]
    found = rasterise(
        np.column_stack([numbers, numbers]), points.reshape(-1, 2), split, shape=(64, 64), depth=depth.ravel()
    )
    rows_of, cols_of = np.nonzero(found.inside)
    centres = np.column_stack([cols_of, rows_of, np.ones(len(cols_of))]) + np.array([*found.corner, 0])
    solid = np.abs(signed_areas(mesh.points, rows)) > 0.05
    corners = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=2)[solid].astype(float)
    weights = np.einsum("pk,tkj->tpj", centres, np.linalg.inv(corners))
    distance = np.einsum("tpj,tj->tp", weights, depth[solid])
    nearest = np.where((weights > 0.02).all(axis=2), distance, np.inf).min(axis=0)
    shown = np.rint(found.x[found.inside]).astype(int)
    place = np.full(len(rows), -1)
    place[solid] = np.arange(solid.sum())
    known = (place[shown] >= 0) & np.isfinite(nearest)
    mine = distance[place[shown[known]], np.flatnonzero(known)]
    assert known.sum() > 300
    assert (mine <= nearest[known] + 0.1).all()
    back = ~facing(mesh.points, rows)
    assert back[rows.shape[0] // 2 :].any()  # something was there to be hidden


def test_flat_triangles_are_named():
    points = np.array([[0, 0], [10, 0], [0, 10], [20, 0], [5, 0]], np.float32)
    rows = np.array([[0, 1, 2], [0, 1, 3], [1, 3, 2], [0, 4, 1]])
    with pytest.raises(DegenerateMeshError, match=r"2 triangle.*rows 1, 3") as raised:
        warp_piecewise_affine(noise((20, 20)), points, points, rows)
    assert raised.value.triangles == (1, 3)


def test_flat_triangles_are_left_out_where_depth_is_known():
    points = np.array([[0, 0], [10, 0], [0, 10], [20, 0]], np.float32)
    image = noise((20, 20))
    warped, inside = warp_piecewise_affine(
        image, points, points, np.array([[0, 1, 2], [0, 1, 3]]), depth=np.zeros(4, np.float32)
    )
    assert inside.sum() == 66
    np.testing.assert_array_equal(warped[inside], image[inside])


def test_flat_source_is_allowed():
    dst = np.array([[0, 0], [9, 0], [0, 9]], np.float32)
    warped, inside = warp_piecewise_affine(noise((10, 10)), np.full((3, 2), 4.0), dst, np.array([[0, 1, 2]]))
    assert inside.sum() == 55
    assert (warped[inside] == noise((10, 10))[4, 4]).all()


def test_edge_on_triangles_do_not_face_the_viewer():
    points = np.array([[0, 0], [10, 0], [0, 10], [20, 0]], np.float32)
    assert facing(points, np.array([[0, 1, 2], [0, 2, 1], [0, 1, 3]])).tolist() == [True, False, False]
    front = facing(synthetic_mesh(256).points, face_triangles())
    assert front.mean() > 0.97


# -- what is refused, and what is left alone -----------------------------------------------

TRIANGLE = np.array([[0, 0], [9, 0], [0, 9]], np.float32)
ROW = np.array([[0, 1, 2]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": np.zeros((4, 4), np.uint8)}, r"image: .*got \(4, 4\)"),
        ({"image": np.zeros((4, 4, 3))}, "image: .*got float64"),
        ({"src": np.zeros((3, 3))}, r"src: .*got \(3, 3\)"),
        ({"src": np.zeros((4, 2))}, r"src and dst: .*\(4, 2\) and \(3, 2\)"),
        ({"dst": np.array([[0, 0], [np.nan, 1], [2, 2]])}, "dst: expected finite"),
        ({"src": TRIANGLE * 1e30}, "src: expected coordinates within 2097152 pixels, got 9e"),
        ({"dst": TRIANGLE * 1e30}, "dst: expected coordinates within 2097152 pixels, got 9e"),
        ({"triangles": np.array([[0, 1, 3]])}, "triangles: expected indices from 0 to 2"),
        ({"triangles": np.array([[0.0, 1, 2]])}, "triangles: .*float64"),
        ({"depth": np.zeros(2)}, r"depth: expected shape \(3,\), got \(2,\)"),
    ],
)
def test_wrong_arrays_are_named(change, message):
    given_ = {"image": noise((10, 10)), "src": TRIANGLE, "dst": TRIANGLE, "triangles": ROW} | change
    with pytest.raises(ArrayError, match=message):
        warp_piecewise_affine(**given_)


def test_arguments_are_never_written():
    mesh = synthetic_mesh(96)
    image = synthetic_face(96)
    arguments = [image, mesh.points.copy(), mesh.points + np.float32(0.7), face_triangles().copy()]
    depth, copies = mesh.depth.copy(), [part.copy() for part in arguments]
    for part in (*arguments, depth):
        part.setflags(write=False)
    warp_piecewise_affine(*arguments, depth=depth)
    warp_in_place(*arguments)
    for part, copy in zip(arguments, copies, strict=True):
        np.testing.assert_array_equal(part, copy)


def test_no_triangles_cover_nothing():
    warped, inside = warp_piecewise_affine(noise((9, 9)), TRIANGLE, TRIANGLE, np.zeros((0, 3), np.int32))
    assert not warped.any()
    assert not inside.any()


def test_sampling_places_far_apart_works():
    wide = np.zeros((1, 33_000, 3), np.uint8)
    wide[0, -1] = 7
    x = np.array([[0, 32_999]], np.float32)
    found = SamplingMap(x, np.zeros_like(x), np.ones((1, 2), bool), (0, 0))
    assert sample(wide, found)[0, :, 0].tolist() == [0, 7]


# -- similarities --------------------------------------------------------------------------


def a_rotation(rng, size):
    q, r = np.linalg.qr(rng.normal(size=(size, size)))
    q = q * np.sign(np.diag(r))
    q[:, 0] *= np.sign(np.linalg.det(q))
    return q


@quick
@given(seed=seeds, size=st.sampled_from([2, 3]), scale=st.floats(0.05, 20))
def test_similarity_is_recovered(seed, size, scale):
    rng = np.random.default_rng(seed)
    wanted = np.column_stack([scale * a_rotation(rng, size), rng.uniform(-50, 50, size)])
    points = rng.normal(size=(12, size))
    moved = points @ wanted[:, :-1].T + wanted[:, -1]
    np.testing.assert_allclose(fit_similarity(points, moved), wanted, atol=1e-8 * max(scale, 1))
    np.testing.assert_allclose(transform_points(points, wanted), moved, rtol=1e-4, atol=1e-3)


@quick
@given(seed=seeds, size=st.sampled_from([2, 3]))
def test_similarity_is_never_a_reflection(seed, size):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(12, size))
    mirrored = points * np.array([-1, *[1] * (size - 1)]) + rng.normal(scale=0.1, size=points.shape)
    linear = fit_similarity(points, mirrored)[:, :-1]
    assert np.linalg.det(linear) >= 0
    scale = np.linalg.det(linear) ** (1 / size)
    np.testing.assert_allclose(linear @ linear.T, scale**2 * np.eye(size), atol=1e-9)


def test_similarity_is_the_best_of_its_kind():
    rng = np.random.default_rng(3)
    points, moved = rng.normal(size=(2, 9, 2))
    best = fit_similarity(points, moved)

    def error(a, b, x, y):
        return (((points @ np.array([[a, -b], [b, a]]).T + [x, y]) - moved) ** 2).sum()

    a, b, (x, y) = best[0, 0], best[1, 0], best[:, 2]
    least = error(a, b, x, y)
    for step in np.concatenate([np.eye(4), -np.eye(4)]) * 1e-3:
        assert error(a + step[0], b + step[1], x + step[2], y + step[3]) > least


@pytest.mark.parametrize(
    ("src", "dst", "message"),
    [
        (np.zeros((3, 2)), np.zeros((4, 2)), r"\(3, 2\) and \(4, 2\)"),
        (np.ones((3, 2)), np.zeros((3, 2)), "two distinct points"),
    ],
)
def test_similarity_without_an_answer_is_refused(src, dst, message):
    with pytest.raises(ArrayError, match=message):
        fit_similarity(src, dst)


def test_similarity_warp_agrees_with_opencv():
    image = smooth_picture(80)
    matrix = cv2.getRotationMatrix2D((40, 40), 25, 1.2)
    wanted = cv2.warpAffine(image, matrix, (90, 70), borderMode=cv2.BORDER_REPLICATE).astype(int)
    assert np.abs(warp_similarity(image, matrix, shape=(70, 90)) - wanted).max() <= 1


def test_similarity_warp_by_nothing_is_the_picture():
    image = noise((30, 40))
    np.testing.assert_array_equal(warp_similarity(image, np.eye(2, 3), shape=(30, 40)), image)


# -- in place ------------------------------------------------------------------------------


def test_face_that_stays_changes_nothing():
    image, mesh = noise((200, 200)), synthetic_mesh(200)
    warped, changed = warp_in_place(image, mesh.points, mesh.points, face_triangles())
    np.testing.assert_array_equal(warped, image)
    assert changed.mean() > 0.2


def test_surroundings_of_a_changed_face_stay_bit_equal():
    image, mesh = noise((200, 200)), synthetic_mesh(200)
    middle = mesh.points.mean(axis=0)
    moved = (mesh.points - middle) * np.array([1.08, 1.0], np.float32) + middle
    warped, changed = warp_in_place(image, mesh.points, moved, face_triangles(), reach=0.3)
    np.testing.assert_array_equal(warped[~changed], image[~changed])
    assert 0.05 < (~changed).mean() < 0.9
    oval = mesh.points[list(FACE_OVAL)]
    radius = np.linalg.norm(oval - oval.mean(axis=0), axis=1).max()
    y, x = np.indices(changed.shape)
    far = np.hypot(x - oval[:, 0].mean(), y - oval[:, 1].mean()) > 1.3 * radius + 1
    assert not changed[far].any()


def test_change_fades_out_between_the_oval_and_the_last_ring():
    size = 256
    x = np.mgrid[:size, :size][1]
    ramp = np.repeat(x[..., None].astype(np.uint8), 3, axis=2)  # a pixel's colour says where it came from
    mesh = synthetic_mesh(size)
    moved = mesh.points + np.array([4, 0], np.float32)
    warped, _ = warp_in_place(ramp, mesh.points, moved, face_triangles(), reach=0.5)
    row = round(float(mesh.points[1, 1]))
    shift = x[row] - warped[row, :, 0].astype(int)
    right = round(float(mesh.points[list(FACE_OVAL), 0].max()))
    assert (shift[size // 2 : right - 2] >= 3).all()
    assert (np.diff(shift[right:]) <= 0).all()
    assert shift[right + 30] < 4
    assert shift[-1] == 0
