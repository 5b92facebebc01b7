"""The hierarchy behind a membrane: what it hides costs next to nothing, and what it costs is known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facekit import blend
from facekit.blend import assemble, blend_poisson, prepare, solve, solve_directly
from facekit.compiled import can_compile
from facekit.grid_stencils import coarser_stencil
from facekit.grids import make_grids
from facekit.multigrid import cycles
from facekit.readout import write_floats

pytestmark = pytest.mark.skipif(
    not can_compile(), reason="numba cannot compile here; the naive way has no grids"
)

NOWHERE = (False, False, False, False)


def disc(size, radius):
    y, x = np.indices((size, size))
    return np.hypot(y - size // 2, x - size // 2) < radius


def pictures(seed, shape, *, smooth=0.0):
    rng = np.random.default_rng(seed)
    some = rng.integers(0, 256, (2, *shape, 3), dtype=np.uint8)
    return tuple(cv2.GaussianBlur(one, (0, 0), smooth) for one in some) if smooth else tuple(some)


def blobs(seed, size):
    rng = np.random.default_rng(seed)
    waves = cv2.GaussianBlur(rng.standard_normal((size, size)), (0, 0), size / 9)
    mask = waves > np.quantile(waves, rng.uniform(0.2, 0.7))
    mask[[0, -1]] = mask[:, [0, -1]] = False
    return mask


@pytest.mark.parametrize("wave", [(0.05, 0.05), (0.2, 0.1), (0.4, 0.4)])
@pytest.mark.parametrize("screen", [0.0, 0.002, 0.05])
def test_coarser_stencil_has_the_solutions_of_the_finer_one(wave, screen):
    # exp(p y) cos(k x) solves the five-point equations where the second differences add up to the screen.
    k = wave[0]
    p = np.arccosh(1 + (screen + 2 - 2 * np.cos(k)) / 2)
    stencil, spacing, sizes = np.array([0, -1, 4 + screen], np.float32), 1, []
    for _ in range(3):
        corner, edge, centre = stencil.astype(float)
        y, x = np.mgrid[-1:2, -1:2] * spacing
        values = np.exp(p * y) * np.cos(k * x)
        weights = np.array([[corner, edge, corner], [edge, centre, edge], [corner, edge, corner]])
        sizes.append(abs((weights * values).sum()))
        stencil, spacing = coarser_stencil(stencil), 2 * spacing
    steepest = max(k, p)
    assert sizes[0] < 1e-6
    assert sizes[1] < 2e-6 + 0.2 * steepest**8
    assert sizes[2] < 5e-6 + 40 * steepest**8


def test_work_grows_with_the_rim_not_with_the_area():
    kept = [make_grids(disc(size, 0.45 * size), 0.0, NOWHERE, hide=True).size for size in (200, 400, 800)]
    assert kept[2] / kept[1] < 2.4
    assert kept[1] / kept[0] < 2.4
    assert kept[2] < 0.2 * disc(800, 360).sum()


def test_masks_without_an_inside_hide_nothing():
    mask = np.zeros((60, 60), bool)
    mask[4:56, 10:20] = True
    assert not make_grids(mask, 0.0, NOWHERE, hide=True).graded


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**31), size=st.integers(60, 220), smooth=st.sampled_from([0.0, 3.0, 20.0]),
    reach=st.sampled_from([None, 12.0, 60.0]),
)  # fmt: skip
def test_solution_with_a_hidden_inside_is_that_of_a_direct_solver(seed, size, smooth, reach):
    mask = blobs(seed, size)
    source, target = pictures(seed, mask.shape, smooth=smooth)
    equations = assemble(source, target, mask, reach=reach)
    assert np.abs(solve(equations) - solve_directly(equations)).max() < 0.5


def test_estimate_of_what_hiding_costs_is_not_below_the_cost():
    mask = disc(240, 110)
    source, target = pictures(2, mask.shape)
    equations = assemble(source, target, mask)
    grids = equations.grids
    assert grids.graded
    found, out = np.zeros_like(equations.rhs), np.zeros((219, 3 * 219), np.float32)
    error, hiding = cycles(grids, found, equations.rhs.copy(), 0.02, 12)
    write_floats(grids, found, out, 0, len(out))
    off = np.abs(out.reshape(219, 219, 3) - solve_directly(equations)).max()
    assert 0 < hiding < 0.4
    assert off < error + hiding


def test_solution_that_hiding_spoils_is_found_again_without_hiding(monkeypatch):
    mask = disc(240, 110)
    source, target = pictures(2, mask.shape)
    region = prepare(mask)
    asked = []
    plain = blend.Region.grids
    monkeypatch.setattr(
        blend.Region, "grids", lambda self, *, hide: (asked.append(hide), plain(self, hide=hide))[1]
    )
    monkeypatch.setattr(blend, "TOLERANCE", 0.05)
    monkeypatch.setattr(blend, "GOAL", 0.04)
    equations = assemble(source, target, region)
    off = np.abs(solve(equations) - solve_directly(equations)).max()
    assert asked == [True, False]
    assert off < 0.1


def test_islands_one_above_the_other_do_not_disturb_each_other():
    # Rows between them have nothing hidden: the rows behind them must still be made in order.
    mask = np.zeros((420, 130), bool)
    mask[5:125, 5:125] = mask[290:410, 5:125] = disc(120, 58)
    source, target = pictures(3, mask.shape, smooth=5.0)
    equations = assemble(source, target, mask)
    assert equations.grids.graded
    assert np.abs(solve(equations) - solve_directly(equations)).max() < 0.5


def test_rows_read_off_in_any_strips_are_the_same():
    mask = disc(300, 140)
    source, target = pictures(4, mask.shape)
    equations = assemble(source, target, mask)
    grids, found = equations.grids, np.zeros_like(equations.rhs)
    cycles(grids, found, equations.rhs.copy(), 0.2, 8)
    rows, cols = equations.region.unknown.shape
    whole, parts = np.zeros((2, rows, 3 * cols), np.float32)
    write_floats(grids, found, whole, 0, rows)
    for start in range(0, rows, 37):
        write_floats(grids, found, parts, start, min(start + 37, rows))
    np.testing.assert_array_equal(parts, whole)


@pytest.mark.parametrize("shift", [0, 1])
@pytest.mark.parametrize("mode", ["import", "mixed"])
def test_large_mask_along_the_pictures_border_is_solved(mode, shift):
    mask = np.zeros((181 + shift, 160), bool)
    mask[:, : 120 + shift] = True
    source, target = pictures(5, mask.shape, smooth=2.0)
    equations = assemble(source, target, mask, mode=mode)
    assert np.abs(solve(equations) - solve_directly(equations)).max() < 0.5


def test_mask_tied_to_few_known_pixels_is_solved():
    mask = np.ones((150, 170), bool)
    mask[:, 0] = False
    mask[40:110, 0] = True
    source, target = pictures(7, mask.shape, smooth=4.0)
    for mode in ("import", "mixed"):
        equations = assemble(source, target, mask, mode=mode)
        assert np.abs(solve(equations) - solve_directly(equations)).max() < 0.5


def test_first_blend_leaves_the_full_hierarchy_unbuilt():
    mask = disc(200, 90)
    source, target = pictures(6, mask.shape)
    region = prepare(mask)
    blend_poisson(source, target, region)
    assert list(region._made) == [True]
