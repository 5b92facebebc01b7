"""The meshes and the sampler: the plain versions agree, and threads change nothing."""

import importlib
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facekit.compiled import can_compile
from facekit.errors import ArrayError
from facekit.sampling import SamplingMap, sample, sample_mask
from facekit.synthetic import place_face
from facekit.topology import face_triangles
from facekit.warp import rasterise, warp_piecewise_affine, warp_points

bilinear, meshes, planes, sampler, texture = (
    importlib.import_module(f"facekit.{name}")
    for name in ("bilinear", "mesh", "planes", "sampling", "texture")
)
KERNELS = (
    (meshes, "_survey"),
    (meshes, "_settle"),
    (planes, "_write_map"),
    (meshes, "find_runs"),
    (sampler, "_gather"),
    (sampler, "_gather_mask"),
    (texture, "_draw"),
)
seeds = st.integers(0, 2**32 - 1)

PLAIN = """
import numpy as np
from facekit.compiled import can_compile
from facekit.warp import warp_piecewise_affine
assert not can_compile()
image = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
corners = np.array([[0, 0], [19, 0], [19, 19], [0, 19]], np.float32)
warped, inside = warp_piecewise_affine(image, corners, corners, np.array([[0, 1, 2], [0, 2, 3]]))
assert inside.all() and (warped == image).all()
"""


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def plainly(monkeypatch, work):
    with monkeypatch.context() as patch:
        for module, kernel in KERNELS:
            patch.setattr(module, "can_compile", lambda: False)
            patch.setattr(module, kernel, None)  # as good as not compiled: a call would fail
        return work()


@st.composite
def soups(draw):
    """Triangles that overlap and share edges, partly beyond a box of 40 x 36: src, dst, rows, depth."""
    rng = np.random.default_rng(draw(seeds))
    src, dst = rng.uniform(-5, 45, (2, 12, 2)).astype(np.float32)
    dst = np.round(dst) if draw(st.booleans()) else dst
    triangles = rng.integers(0, 12, (8, 3)).astype(np.int32)
    triangles = triangles[np.abs(meshes.signed_areas(dst, triangles)) > 0.01]
    return src, dst, triangles, rng.uniform(0, 9, 12).astype(np.float32) if draw(st.booleans()) else None


def both_ways(work):
    return work(), plainly(pytest.MonkeyPatch(), work)


@settings(max_examples=30, deadline=None)
@given(soup=soups())
def test_plain_meshes_covers_the_same_pixels_from_the_same_places(soup):
    src, dst, triangles, depth = soup
    fast, plain = both_ways(lambda: rasterise(src, dst, triangles, shape=(40, 36), depth=depth))
    np.testing.assert_array_equal(fast.inside, plain.inside)
    # Where two surfaces are equally near, rounding decides between them.
    apart = np.maximum(np.abs(fast.x - plain.x), np.abs(fast.y - plain.y))[fast.inside] > 1e-3
    assert apart.sum() <= (0 if depth is None else 2)


@settings(max_examples=30, deadline=None)
@given(soup=soups(), top=st.integers(0, 20), rows=st.integers(0, 20))
def test_plain_and_compiled_runs_are_the_same_in_any_rows(soup, top, rows):
    src, dst, triangles, depth = soup
    fast, plain = both_ways(lambda: meshes.place_mesh(src, dst, triangles, shape=(40, 36), depth=depth))
    assert (fast.corner, fast.size, fast.reach) == (plain.corner, plain.size, plain.reach)
    np.testing.assert_allclose(fast.shrink, plain.shrink)
    np.testing.assert_array_equal(fast.rows, plain.rows)
    np.testing.assert_allclose(fast.planes, plain.planes, rtol=1e-9, atol=1e-9)
    stop = min(top + rows, fast.size[0])
    runs, same = both_ways(lambda: fast.runs(top, stop))
    np.testing.assert_array_equal(runs, same)
    whole = fast.runs(0, fast.size[0])
    np.testing.assert_array_equal(runs, whole[(whole[:, 0] >= top) & (whole[:, 0] < stop)])


@settings(max_examples=30, deadline=None)
@given(soup=soups(), seed=seeds, side=st.sampled_from([1, 2, 30, 90]))
def test_picture_drawn_at_once_is_that_read_through_the_map(soup, seed, side):
    src, dst, triangles, depth = soup
    image = noise((side, side), seed)
    fast, plain = both_ways(
        lambda: warp_piecewise_affine(image, src, dst, triangles, shape=(40, 36), depth=depth)
    )
    np.testing.assert_array_equal(fast[1], plain[1])
    # Where rounding decides between two steps of 1/64 pixel, and nothing between two surfaces.
    off = np.abs(fast[0].astype(int) - plain[0]).max(axis=2)
    assert (off > 8).sum() <= (0 if depth is None else 2)
    assert (off > 0).mean() < 0.01


@settings(max_examples=30, deadline=None)
@given(seed=seeds, reach=st.sampled_from([1e2, 1e4, 2.0**21]))
def test_slivers_and_sources_far_away_read_nothing_beyond_the_picture(seed, reach):
    rng = np.random.default_rng(seed)
    src = rng.uniform(-reach, reach, (30, 2)).astype(np.float32)
    dst = rng.uniform(-5, 45, (30, 2)).astype(np.float32)
    dst[15:] = dst[:15] + rng.uniform(-0.05, 0.05, (15, 2))  # a triangle of these is a sliver
    triangles = rng.integers(0, 30, (60, 3)).astype(np.int32)
    triangles = triangles[np.abs(meshes.signed_areas(dst, triangles)) > 2e-3]
    grey = np.full((20, 20, 3), 77, np.uint8)
    warped, inside = warp_piecewise_affine(grey, src, dst, triangles, shape=(40, 36))
    assert (warped[inside] == 77).all()
    assert not warped[~inside].any()


@pytest.mark.parametrize("shrink", [1.0, 3.4])
def test_plain_sampler_reads_the_same(monkeypatch, shrink):
    rng = np.random.default_rng(4)
    x, y = rng.uniform(-9, 60, (2, 30, 40)).astype(np.float32)
    found = SamplingMap(x, y, rng.random((30, 40)) < 0.8, (0, 0))
    image, mask = noise((50, 45)), noise((50, 45), 2)[..., 0] < 100
    fast, plain = (
        sample(image, found, shrink=shrink),
        plainly(monkeypatch, lambda: sample(image, found, shrink=shrink)),
    )
    assert np.abs(fast.astype(int) - plain).max() <= 4
    assert (fast == plain).mean() > 0.999
    assert not fast[~found.inside].any()
    np.testing.assert_array_equal(
        sample_mask(mask, found), plainly(monkeypatch, lambda: sample_mask(mask, found))
    )


def test_mask_is_read_as_a_picture_of_it_would_be():
    x, y = np.random.default_rng(5).uniform(0, 40, (2, 30, 30)).astype(np.float32)
    found = SamplingMap(x, y, np.ones((30, 30), bool), (0, 0))
    mask = noise((41, 41))[..., 0] < 128
    picture = np.repeat(mask[..., None] * np.uint8(255), 3, axis=2)
    assert (sample_mask(mask, found) == (sample(picture, found)[..., 0] >= 128)).mean() > 0.999


def test_warp_works_where_numba_cannot_compile():
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", PLAIN], check=True, env=environment, timeout=120)


@pytest.mark.parametrize("deep", [False, True])
def test_threads_and_runs_change_nothing(monkeypatch, deep):
    mesh, other = place_face((110, 120), 100, yaw=20), place_face((100, 90), 70)
    depth = mesh.depth[:468] if deep else None
    triangles = face_triangles()[np.abs(meshes.signed_areas(mesh.points, face_triangles())) > 0.01]
    results = []
    for threads in ("1", "2", "3", "2"):
        monkeypatch.setenv("FACEKIT_THREADS", threads)
        results.append(
            warp_piecewise_affine(
                noise((260, 240)), other.points[:468], mesh.points[:468], triangles, depth=depth
            )
        )
    assert results[0][1].sum() > 5000
    for warped, inside in results[1:]:
        np.testing.assert_array_equal(warped, results[0][0])
        np.testing.assert_array_equal(inside, results[0][1])


def test_whole_map_and_warp_at_once_agree():
    mesh, other = place_face((110, 120), 100), place_face((100, 90), 90)
    points, image = (other.points[:468], mesh.points[:468]), noise((260, 240))
    found = rasterise(*points, face_triangles(), shape=(260, 240))
    warped, inside = warp_piecewise_affine(image, *points, face_triangles())
    np.testing.assert_array_equal(inside[found.box], found.inside)
    off = np.abs(warped[found.box].astype(int) - sample(image, found)).max(axis=2)
    assert off.max() <= 4  # one step of 1/64 pixel, where the map's rounding decides
    assert (off > 0).mean() < 1e-3


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_points_go_there_and_back(seed):
    mesh, other = place_face((110, 120), 100), place_face((100, 90), 90)
    src, dst, rows = mesh.points[:468], other.points[:468], face_triangles()
    rng = np.random.default_rng(seed)
    points = np.einsum("pk,pkd->pd", rng.dirichlet([1, 1, 1], 60), src[rows[rng.integers(0, len(rows), 60)]])
    there = warp_points(points, src, dst, rows)
    assert np.isfinite(there).all()
    back = warp_points(there, dst, src, rows)
    # Float32 may put a point just beyond the rim.
    known = np.isfinite(back).all(axis=1)
    assert known.mean() > 0.9
    assert np.median(np.linalg.norm(back - points, axis=1)[known]) < 1e-3


def test_points_agree_with_the_map():
    mesh, other = place_face((60, 60), 50), place_face((70, 60), 45)
    found = rasterise(mesh.points[:468], other.points[:468], face_triangles(), shape=(140, 130))
    rows, cols = np.nonzero(found.inside)
    pick = np.random.default_rng(0).choice(len(rows), 200)
    places = np.column_stack([cols, rows])[pick] + np.array(found.corner)
    moved = warp_points(places, other.points[:468], mesh.points[:468], face_triangles())
    wanted = np.column_stack([found.x[found.inside], found.y[found.inside]])[pick]
    known = np.isfinite(moved).all(axis=1)
    assert known.mean() > 0.95
    assert np.quantile(np.abs(moved - wanted)[known].max(axis=1), 0.95) < 0.1


def test_vertices_land_on_vertices_and_what_is_outside_nowhere():
    corners = np.array([[0, 0], [9, 0], [0, 9]], np.float32)
    row = np.array([[0, 1, 2]], np.int32)
    np.testing.assert_allclose(warp_points(corners, corners, corners * 3 + 1, row), corners * 3 + 1)
    assert np.isnan(warp_points(np.array([[8, 8], [-1, 0]]), corners, corners, row)).all()
    with pytest.raises(ArrayError, match="src and dst"):
        warp_points(corners, corners, corners[:2], row)


def test_distances_that_are_no_numbers_are_refused():
    corners = np.array([[0, 0], [9, 0], [0, 9]], np.float32)
    with pytest.raises(ArrayError, match="depth: expected finite"):
        rasterise(corners, corners, np.array([[0, 1, 2]]), shape=(9, 9), depth=np.array([0, np.nan, 1]))


@pytest.mark.skipif(not can_compile(), reason="numba cannot compile here; no vectors without it")
@given(st.integers(2, 9), st.integers(2, 9), st.floats(0, 1), st.floats(0, 1), seeds)
def test_sample_of_a_word_is_the_rounded_sum_of_its_four_pixels(rows, cols, right, down, seed):
    image = noise((rows, cols), seed)
    u, v = int(right * (64 * (cols - 1) - 1)), int(down * (64 * (rows - 1) - 1))
    (x, to_right), (y, to_below) = divmod(u, 64), divmod(v, 64)
    weights = np.outer([64 - to_below, to_below], [64 - to_right, to_right])
    expected = (np.einsum("ij,ijk", weights, image[y : y + 2, x : x + 2].astype(int)) + 2048) // 4096
    word = bilinear.weighed(bilinear.as_words(image).ravel(), np.uint64(cols), np.uint64(u), np.uint64(v))
    assert [word >> 8 * k & 255 for k in range(3)] == expected.tolist()


def test_runs_spoil_no_pixel_behind_them():
    """Pixels are stored four bytes at a time; the byte too many must not outlive its run."""
    white, black = np.full((9, 9, 3), 255, np.uint8), np.zeros((9, 9, 3), np.uint8)
    corners = np.array([[0, 0], [8, 0], [0, 8], [8, 8]], np.float32)
    upper, lower = np.array([[0, 1, 2]], np.int32), np.array([[1, 3, 2]], np.int32)
    drawn, inside = warp_piecewise_affine(white, corners, corners, upper)
    assert (drawn == 255 * inside[..., None]).all()
    for rows in ([lower, upper], [upper, lower]):
        drawn, inside = warp_piecewise_affine(black, corners, corners, np.concatenate(rows))
        assert inside.all()
        assert not drawn.any()
