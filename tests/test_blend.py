"""Poisson blending: the true solution, whatever the mask, and nothing else touched."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from facekit import blend
from facekit.blend import Region, assemble, blend_poisson, compose, prepare, solve, solve_directly
from facekit.compiled import can_compile
from facekit.errors import ArrayError, SolverError

quick = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)
SIDE = 36
Y, X = np.indices((SIDE, SIDE))


def pictures(seed, shape=(SIDE, SIDE)):
    """A rough source and a smoother target, with highlights and shadows."""
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, 256, (2, *shape, 3), dtype=np.uint8)
    return source, cv2.GaussianBlur(target, (0, 0), 1.5)


def naive(source, target, mask, mode="import", reach=None):
    """Perez 2003, eq. 7 and 11 to 13, pixel by pixel, solved directly; screened as in Bhat 2008."""
    number = np.full(mask.shape, -1)
    number[mask] = np.arange(mask.sum())
    matrix, rhs = lil_matrix((mask.sum(), mask.sum())), np.zeros((mask.sum(), 3))
    source, target = source.astype(float), target.astype(float)
    for y, x in zip(*np.nonzero(mask), strict=True):
        p = number[y, x]
        if reach is not None:
            matrix[p, p] += 1 / reach**2
            rhs[p] += source[y, x] / reach**2
        for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if not (0 <= v < mask.shape[0] and 0 <= u < mask.shape[1]):
                continue
            gradient = source[y, x] - source[v, u]
            if mode == "mixed":
                other = target[y, x] - target[v, u]
                gradient = np.where(abs(other) > abs(gradient), other, gradient)
            matrix[p, p] += 1
            rhs[p] += gradient
            if mask[v, u]:
                matrix[p, number[v, u]] -= 1
            else:
                rhs[p] += target[v, u]
    answer = target.copy()
    answer[mask] = spsolve(matrix.tocsc(), rhs).reshape(-1, 3)
    return answer


def solved(source, target, mask, **options):
    """The answer before it is rounded."""
    equations = assemble(source, target, mask, **options)
    unknown, (x0, y0) = equations.region.unknown, equations.region.corner
    box = slice(y0, y0 + unknown.shape[0]), slice(x0, x0 + unknown.shape[1])
    answer = target.astype(np.float64)
    answer[box][unknown] = (source[box] + solve(equations).astype(np.float64))[unknown]
    return answer


def star():
    angle, radius = np.arctan2(Y - 17.5, X - 17.5), np.hypot(Y - 17.5, X - 17.5)
    return radius < 2 + 15 * np.abs(np.cos(2.5 * angle)) ** 14


def lines():
    mask = np.zeros((SIDE, SIDE), bool)
    mask[5, 3:33] = mask[2:34, 20] = True
    mask[np.arange(8, 30), np.arange(8, 30)] = True
    return mask


ELLIPSE = np.square((X - 17) / 13) + np.square((Y - 18) / 9) < 1
ALL_BUT_ONE = np.ones((SIDE, SIDE), bool)
ALL_BUT_ONE[7, 11] = False
CORNER_OUT = np.ones((SIDE, SIDE), bool)
CORNER_OUT[0, 0] = False
AT_BORDER = (X > 0) & (X < 10) & (Y > 5) & (Y < 20)
AT_BORDER[12, 0] = True
MASKS = {
    "ellipse": ELLIPSE,
    "star with thin arms": star(),
    "two islands": (np.hypot(X - 8, Y - 9) < 6) | (np.hypot(X - 27, Y - 25) < 7),
    "holes": ELLIPSE & (np.hypot(X - 14, Y - 18) > 3) & ~((X == 22) & (Y == 18)),
    "border at one pixel": AT_BORDER,
    "half of the picture": X < SIDE // 2,
    "all but one pixel": ALL_BUT_ONE,
    "all but a corner": CORNER_OUT,
    "lines one pixel wide": lines(),
    "one pixel": (X == 9) & (Y == 9),
    "corner pixel": (X == 0) & (Y == 0),
    "chessboard": (X + Y) % 2 == 0,
    "frame": (X == 0) | (Y == 0) | (X == SIDE - 1) | (Y == SIDE - 1),
}


# -- the true solution ---------------------------------------------------------------------


@pytest.mark.parametrize("reach", [None, 4.0])
@pytest.mark.parametrize("mode", ["import", "mixed"])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_solution_is_that_of_a_direct_solver(mask, mode, reach):
    source, target = pictures(1)
    mine = solved(source, target, mask, mode=mode, reach=reach)
    assert np.abs(mine - naive(source, target, mask, mode, reach)).max() < 0.5


@quick
@given(
    seed=seeds,
    share=st.sampled_from([0.05, 0.3, 0.6, 0.9, 0.99]),
    rows=st.integers(1, 30),
    cols=st.integers(2, 30),
    mode=st.sampled_from(["import", "mixed"]),
    reach=st.sampled_from([None, 0.5, 3.0, 50.0]),
)
def test_solution_holds_on_random_masks(seed, share, rows, cols, mode, reach):
    source, target = pictures(seed, (rows, cols))
    mask = np.random.default_rng(seed).random((rows, cols)) < share
    mask.flat[seed % mask.size] = False
    mask.flat[(seed + 1) % mask.size] = True
    mine = solved(source, target, mask, mode=mode, reach=reach)
    assert np.abs(mine - naive(source, target, mask, mode, reach)).max() < 0.5


@pytest.mark.parametrize("reach", [None, 0.5, 50.0])
def test_few_pixels_from_border_to_border_are_solved(reach):
    mask = np.zeros((18, 2), bool)
    mask[[3, 5, 17], [0, 1, 1]] = True
    source, target = pictures(20, mask.shape)
    mine = solved(source, target, mask, reach=reach)
    assert np.abs(mine - naive(source, target, mask, reach=reach)).max() < 0.5


def test_large_smooth_correction_converges():
    # A difference that varies slowly all along the edge is the hardest for local smoothing.
    size = 400
    y, x = np.indices((size, size))
    mask = np.hypot(x - 200, y - 200) < 190
    harmonic = 128 + 120 * (x - 200) / 200  # harmonic, so it is its own answer
    target = np.repeat(np.rint(harmonic)[..., None], 3, axis=2).astype(np.uint8)
    answer = blend_poisson(np.full_like(target, 128), target, mask)
    assert np.abs(answer.astype(float) - harmonic[..., None])[mask].max() < 1.6


def test_correction_dies_away_over_its_reach():
    source, target = np.full((61, 61, 3), 50, np.uint8), np.full((61, 61, 3), 150, np.uint8)
    mask = np.zeros((61, 61), bool)
    mask[:, 1:] = True  # known on the left only: the correction is 100 exp(-x / reach)
    row = solved(source, target, mask, reach=10.0)[30, :, 0] - 50
    distance = np.arange(61)
    wanted = 100 * np.cosh((60.5 - distance) / 10) / np.cosh(60.5 / 10)
    np.testing.assert_allclose(row, wanted, atol=0.6)


def test_mixed_gradients_keep_the_targets_edges_under_a_flat_source():
    target = np.full((SIDE, SIDE, 3), 60, np.uint8)
    target[:, 18:] = 180
    answer = blend_poisson(np.full_like(target, 99), target, ELLIPSE, mode="mixed")
    np.testing.assert_array_equal(answer, target)
    smeared = blend_poisson(np.full_like(target, 99), target, ELLIPSE)
    assert np.abs(smeared.astype(int) - target)[ELLIPSE].max() > 20


@pytest.mark.parametrize("mode", ["import", "mixed"])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_naive_ways_agree_with_the_fast_ones(monkeypatch, mask, mode):
    source, target = pictures(10)
    fast = solved(source, target, mask, mode=mode)
    region = prepare(mask)
    fast_rhs = assemble(source, target, region, mode=mode).right_hand_side()
    slow = Region(region.unknown, region.corner, region.shape, region.screen, compiles=False)
    equations = assemble(source, target, slow, mode=mode)
    np.testing.assert_allclose(equations.right_hand_side(), fast_rhs, atol=1e-3)
    box = (
        solve_directly(equations)[region.unknown]
        - solve(assemble(source, target, region, mode=mode))[region.unknown]
    )
    assert np.abs(box).max() < 0.5
    monkeypatch.setattr(blend, "can_compile", lambda: False)
    naive_picture = blend_poisson(source, target, mask, mode=mode)
    assert np.abs(naive_picture - np.clip(fast, 0, 255)).max() <= 1


@quick
@given(seed=seeds, mode=st.sampled_from(["import", "mixed"]))
def test_region_made_ready_once_gives_the_same_blend_every_time(seed, mode):
    mask = np.random.default_rng(seed).random((SIDE, SIDE)) < 0.8
    mask[3, 4] = False
    region = prepare(mask, reach=9.0)
    for n in range(2):
        source, target = pictures(seed + n)
        wanted = blend_poisson(source, target, mask, mode=mode, reach=9.0)
        np.testing.assert_array_equal(blend_poisson(source, target, region, mode=mode), wanted)


def test_number_of_threads_makes_no_difference(monkeypatch):
    monkeypatch.setattr(blend, "STRIP", 64)
    rng = np.random.default_rng(11)
    source, target = rng.integers(0, 256, (2, 190, 210, 3), dtype=np.uint8)
    y, x = np.indices((190, 210))
    mask = (np.hypot(x - 105, y - 90) < 88) & (np.hypot(x - 80, y - 90) > 7)
    answers = []
    for threads in ("1", "2", "3", "2"):
        monkeypatch.setenv("FACEKIT_THREADS", threads)
        answers += [blend_poisson(source, target, mask, mode=mode) for mode in ("import", "mixed")]
    for k in (2, 4, 6):
        np.testing.assert_array_equal(answers[k], answers[0])
        np.testing.assert_array_equal(answers[k + 1], answers[1])


@pytest.mark.parametrize("kind", ["natural", "rough"])
def test_single_pixel_that_stays_holds_its_place_in_a_large_mask(kind):
    # The coarse grids cannot see it: its neighbourhood converges last.
    rng = np.random.default_rng(12)
    source, target = rng.integers(0, 256, (2, 90, 110, 3), dtype=np.uint8)
    if kind == "natural":
        source, target = (cv2.GaussianBlur(picture, (0, 0), 4) for picture in (source, target))
    y, x = np.indices((90, 110))
    mask = (np.hypot((x - 55) / 1.2, y - 45) < 42) & ~((x == 70) & (y == 40)) & ~((x == 41) & (y == 45))
    equations = assemble(source, target, mask)
    error = np.abs(solve(equations) - solve_directly(equations))
    assert error.max() < 0.5


# -- laws ----------------------------------------------------------------------------------


@quick
@given(seed=seeds, mode=st.sampled_from(["import", "mixed"]), reach=st.sampled_from([None, 5.0]))
def test_picture_blended_with_itself_stays_bit_for_bit(seed, mode, reach):
    source, _ = pictures(seed)
    mask = np.random.default_rng(seed).random((SIDE, SIDE)) < 0.7
    np.testing.assert_array_equal(blend_poisson(source, source, mask, mode=mode, reach=reach), source)


@quick
@given(seed=seeds, shift=st.integers(-60, 60))
def test_constant_added_to_the_source_makes_no_difference(seed, shift):
    source, target = (np.clip(picture, 60, 195) for picture in pictures(seed))
    moved = (source.astype(int) + shift).astype(np.uint8)
    one, other = (solved(picture, target, ELLIPSE) for picture in (source, moved))
    np.testing.assert_allclose(one, other, atol=0.25)


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_target_is_bit_equal_outside_the_mask(mask):
    source, target = pictures(2)
    answer = blend_poisson(source, target, mask)
    np.testing.assert_array_equal(answer[~mask], target[~mask])
    assert answer.dtype == np.uint8


def test_mask_turned_or_mirrored_turns_or_mirrors_the_answer():
    source, target = pictures(3)
    answer = solved(source, target, star())
    for change in (np.rot90, np.fliplr, lambda a: a.swapaxes(0, 1)):
        moved = solved(*(np.ascontiguousarray(change(a)) for a in (source, target, star())))
        np.testing.assert_allclose(moved, change(answer), atol=0.25)


def test_empty_mask_gives_a_copy_of_the_target():
    source, target = pictures(4)
    answer = blend_poisson(source, target, np.zeros((SIDE, SIDE), bool))
    np.testing.assert_array_equal(answer, target)
    assert not np.shares_memory(answer, target)


@pytest.mark.parametrize("mode", ["import", "mixed"])
def test_arguments_are_never_written(mode):
    source, target = pictures(5)
    mask = ELLIPSE.copy()
    copies = [part.copy() for part in (source, target, mask)]
    for part in (source, target, mask):
        part.setflags(write=False)
    blend_poisson(source, target, mask, mode=mode)
    equations = assemble(source, target, mask, mode=mode)
    kept = equations.rhs.copy()
    correction = solve(equations)
    compose(source, target, equations, correction)
    for part, copy in zip((source, target, mask), copies, strict=True):
        np.testing.assert_array_equal(part, copy)
    np.testing.assert_array_equal(equations.rhs, kept)


def test_arrays_that_are_not_contiguous_are_welcome():
    source, target = pictures(6)
    wanted = blend_poisson(source, target, ELLIPSE)
    views = (np.asfortranarray(source), target[:, ::-1].copy()[:, ::-1], ELLIPSE.T.copy().T)
    np.testing.assert_array_equal(blend_poisson(*views), wanted)


def test_only_the_masks_box_is_worked_on():
    mask = np.zeros((SIDE, SIDE), bool)
    mask[10:14, 20:23] = True
    region = prepare(mask)
    assert region.corner == (20, 10)
    assert region.unknown.shape == (4, 3)


# -- what is refused -----------------------------------------------------------------------

SMALL = np.zeros((4, 5, 3), np.uint8)
SPOT = np.eye(4, 5, dtype=bool)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": SMALL[..., 0]}, r"source: .*got \(4, 5\)"),
        ({"source": SMALL.astype(np.float32)}, "source: .*got float32"),
        ({"target": SMALL[:3]}, r"source and target: .*\(4, 5, 3\) and \(3, 5, 3\)"),
        ({"target": SMALL[:0]}, r"target: .*\(0, 5, 3\)"),
        ({"mask": SPOT.astype(np.uint8)}, "mask: expected bool, got uint8"),
        ({"mask": SPOT[:3]}, r"mask: expected shape \(4, 5\), got \(3, 5\)"),
        ({"mask": ~SPOT | True}, "mask: expected at least one pixel of the picture outside"),
        ({"mode": "max"}, "mode: .*got 'max'"),
        ({"reach": 0.0}, "reach: expected more than 0 pixels, got 0"),
        ({"reach": float("nan")}, "reach: .*got nan"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    arguments = {"source": SMALL, "target": SMALL, "mask": SPOT} | change
    with pytest.raises(ArrayError, match=message):
        blend_poisson(**arguments)


@pytest.mark.skipif(not can_compile(), reason="numba cannot compile here; the naive way has no iteration")
def test_solution_that_was_cut_short_is_never_returned(monkeypatch):
    monkeypatch.setattr(blend, "MAX_CYCLES", 1)
    monkeypatch.setattr(blend, "MAX_ITERATIONS", 0)
    source, target = pictures(8)
    with pytest.raises(SolverError) as raised:
        blend_poisson(source, target, ELLIPSE)
    assert raised.value.residual > raised.value.tolerance == blend.TOLERANCE
    assert "misses its equations by" in str(raised.value)


def test_conjugate_gradients_alone_reach_the_solution(monkeypatch):
    monkeypatch.setattr(blend, "MAX_CYCLES", 1)
    source, target = pictures(8)
    for mask in MASKS.values():
        answer = solved(source, target, mask)
        assert np.abs(answer - naive(source, target, mask)).max() < 0.5


def test_equations_that_are_not_numbers_are_refused():
    source, target = pictures(9)
    equations = assemble(source, target, ELLIPSE)
    equations.rhs[...] = np.nan
    with pytest.raises(SolverError, match="nan"):
        solve(equations)
