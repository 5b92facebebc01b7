"""Colour goes from skin to skin; beards, highlights and the surroundings do not count."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from facekit import colour, pixels, tone
from facekit import typical as typical_module
from facekit.colour import match_colour, match_light
from facekit.errors import ArrayError
from facekit.tone import from_tone, to_tone
from facekit.typical import median, typical, typical_pixels

quick = settings(max_examples=50, deadline=None)
SIDE = 64
ALL = np.ones((SIDE, SIDE), bool)
DARK_SKIN, PALE_SKIN = (105, 68, 52), (224, 178, 155)


def skin(colour, seed=0):
    """A patch of skin: shade varies by a tenth, and each channel by a little more on its own."""
    rng = np.random.default_rng(seed)
    rough = cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE, 4)).astype(np.float32), (0, 0), 1.0)
    rough /= rough.std()
    patch = np.array(colour) * (1 + 0.06 * rough[..., 3:] + 0.03 * rough[..., :3])
    return np.clip(np.rint(patch), 0, 255).astype(np.uint8)


def spoilt(image, colour, share, seed=1):
    """Paint a share of the pixels over, in one block: a beard, a highlight."""
    image = image.copy()
    where = np.zeros((SIDE, SIDE), bool)
    where[: round(share * SIDE)] = True
    image[where] = skin(colour, seed)[where]
    return image, where


def linear(values):
    encoded = np.asarray(values, float) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def encoded(light):
    light = np.clip(light, 0, 1)
    values = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * values).astype(np.uint8)


# -- tone ----------------------------------------------------------------------------------


@quick
@given(arrays.arrays(np.uint8, (7, 3)))
def test_tone_and_back_is_the_colour_within_a_level(colours):
    assert np.abs(from_tone(to_tone(colours)).astype(int) - colours).max() <= 1


def test_tone_and_back_holds_all_over_the_gamut():
    steps = np.arange(0, 256, 5, dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    assert np.abs(from_tone(to_tone(colours)).astype(int) - colours).max() <= 1


@quick
@given(
    colour=st.tuples(st.integers(120, 255), st.integers(90, 220), st.integers(80, 200)),
    shade=st.floats(0.3, 1),
)
def test_relative_chroma_is_the_same_in_the_shade(colour, shade):
    lit = np.array([colour], np.uint8)
    shaded = encoded(shade * linear(lit))
    before, after = to_tone(lit)[0], to_tone(shaded)[0]
    np.testing.assert_allclose(after[1:], before[1:], atol=1.5)
    wanted = shade ** (1 / 3) * (before[0] + 16) - 16
    assert after[0] == pytest.approx(wanted, abs=0.6)


def test_greys_have_no_chroma():
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    tone = to_tone(greys)
    assert np.abs(tone[:, 1:]).max() < 0.01
    assert (np.diff(tone[:, 0]) > 0).all()
    assert tone[[0, 255], 0] == pytest.approx([0, 100], abs=0.01)


# -- what is typical -----------------------------------------------------------------------


@quick
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0, 0.25), far=st.sampled_from([-35.0, 35.0]))
def test_a_quarter_of_outliers_does_not_move_the_centre(seed, share, far):
    rng = np.random.default_rng(seed)
    pixels = (rng.normal(size=(800, 3)) * [5, 3, 3] + [60, 20, 25]).astype(np.float32)
    odd = pixels[: int(share * 800)].copy()
    odd[:, 0] += far
    centre, spread = typical(np.concatenate([pixels, odd]))
    assert np.abs(centre - [60, 20, 25]).max() < 1.6
    assert np.abs(spread - [5, 3, 3]).max() < 1.2


def test_outliers_are_told_from_skin():
    pixels = np.tile(np.float32([60, 20, 25]), (100, 1))
    pixels[:10] = [95, 5, 5]
    np.testing.assert_array_equal(typical_pixels(pixels), np.arange(100) >= 10)


def test_one_pixel_is_typical_of_itself():
    centre, spread = typical(np.float32([[50, 10, -10]]))
    assert centre.tolist() == [50, 10, -10]
    assert (spread > 0).all()


@quick
@given(
    rows=arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 200)),
        elements=st.one_of(st.floats(-1e4, 1e4, width=32), st.sampled_from([0.0, 1.0, 2.5])),
    )
)
def test_median_is_the_one_of_numpy(rows):
    np.testing.assert_allclose(median(rows), np.median(rows, axis=1), rtol=1e-6)


@pytest.mark.parametrize("count", [8191, 8192])
def test_median_of_many_values_is_exact_even_where_most_crowd(count):
    values = np.random.default_rng(3).normal(size=(2, count)).astype(np.float32) ** 9
    values[1, : count // 3] = values[1, 0]
    np.testing.assert_array_equal(median(values), np.median(values, axis=1))


def test_picked_pixels_are_spread_evenly_over_the_mask():
    rows, cols = np.indices((30, 40), np.uint8)
    image, mask = np.dstack([rows, cols, rows]), rows + cols > 20
    inside = image[mask]
    np.testing.assert_array_equal(pixels.pick(image, mask, most=mask.sum()), inside)
    np.testing.assert_array_equal(pixels.pick(image, mask, most=100), inside[:: -(-mask.sum() // 100)])
    assert pixels.pick(image, np.zeros_like(mask), most=100).shape == (0, 3)


# -- colour --------------------------------------------------------------------------------

OUTLIERS = {"none": None, "beard": (25, 20, 18), "highlight": (255, 252, 248), "red lips": (170, 40, 60)}


@pytest.mark.parametrize("there", OUTLIERS.values(), ids=OUTLIERS.keys())
@pytest.mark.parametrize("here", OUTLIERS.values(), ids=OUTLIERS.keys())
@pytest.mark.parametrize(("mine", "wanted"), [(PALE_SKIN, DARK_SKIN), (DARK_SKIN, PALE_SKIN)])
def test_skin_takes_the_targets_centre_even_with_a_quarter_of_outliers(mine, wanted, here, there):
    source, target = skin(mine, 2), skin(wanted, 3)
    clean = to_tone(target.reshape(-1, 3)).mean(axis=0)
    odd = ~ALL
    if here:
        source, odd = spoilt(source, here, 0.25)
    if there:
        target, _ = spoilt(target, there, 0.25, seed=4)
    changed = match_colour(source, target, ALL)
    found = to_tone(changed[~odd]).mean(axis=0)
    before = np.abs(to_tone(source[~odd]).mean(axis=0) - clean)
    assert before[0] > 20
    assert np.abs(found - clean).max() < 2.5


def test_beard_stays_darker_and_a_highlight_brighter_than_the_skin():
    target = skin(DARK_SKIN, 3)
    source = skin(PALE_SKIN, 2)
    source[:8], source[8:14] = (25, 20, 18), 255
    changed = match_colour(source, target, ALL).mean(axis=2)
    beard, highlight, plain = (np.median(changed[rows]) for rows in (slice(8), slice(8, 14), slice(14, None)))
    assert beard < 0.5 * plain
    assert highlight > 2 * plain


def both_ways(match, source, target, mask, **options):
    """What the kernels answer, and what the naive version does."""
    fast = match(source, target, mask, **options)
    with pytest.MonkeyPatch.context() as patch:
        for module in (pixels, tone, typical_module):
            patch.setattr(module, "can_compile", lambda: False)
        return fast.astype(int), match(source, target, mask, **options).astype(int)


@quick
@given(seed=st.integers(0, 2**32 - 1), amount=st.floats(0.05, 1))
def test_kernels_answer_as_the_naive_versions_do(seed, amount):
    rng = np.random.default_rng(seed)
    plain = rng.uniform(70, 200, (2, 1, 1, 1)) + rng.uniform(-40, 40, (2, 1, 1, 3))  # no glaring colour
    grain = rng.normal(size=(2, 20, 23, 3)) * rng.uniform(3, 12, (2, 1, 1, 1))
    pictures = np.clip(plain + grain, 0, 255).astype(np.uint8)
    mask = np.hypot(*(np.indices((20, 23)) - 10)) < 9
    options = {"amount": amount, "where": mask | (np.indices((20, 23))[0] > 15)}
    fast, naive = both_ways(match_colour, *pictures, mask, **options)
    assert np.abs(fast - naive).max() <= 1
    fast, naive = both_ways(match_light, *pictures, mask, sigma=5.0, **options)
    assert np.abs(fast - naive).max() <= 1


@pytest.mark.parametrize(("mine", "wanted"), [(PALE_SKIN, DARK_SKIN), (DARK_SKIN, PALE_SKIN)])
def test_kernels_and_naive_versions_agree_on_skin_within_a_level(mine, wanted):
    fast, naive = both_ways(match_colour, skin(mine, 2), skin(wanted, 3), ALL)
    assert np.abs(fast - naive).max() <= 1


@pytest.mark.parametrize("one_ink", [False, True])
def test_statistics_of_many_pixels_come_from_evenly_spread_ones(one_ink, monkeypatch):
    grain = np.random.default_rng(8).normal(size=(200, 200, 1)) * 12
    source = np.clip(np.array(PALE_SKIN) + grain, 0, 255).astype(np.uint8)
    target = np.clip(np.array((120, 120, 120) if one_ink else DARK_SKIN) + grain[::-1], 0, 255).astype(
        np.uint8
    )
    everywhere = np.ones((200, 200), bool)
    some = match_colour(source, target, everywhere)
    monkeypatch.setattr(colour, "ENOUGH", source.size)
    step = np.abs(some.astype(int) - match_colour(source, target, everywhere))
    assert np.median(step) == 0
    assert step.max() <= 2


def test_colour_matched_to_itself_hardly_changes():
    image = skin(PALE_SKIN, 5)
    assert np.abs(match_colour(image, image, ALL).astype(int) - image).max() <= 2


def test_amount_goes_from_nothing_to_everything():
    source, target = skin(PALE_SKIN, 2), skin(DARK_SKIN, 3)
    levels = [match_colour(source, target, ALL, amount=a).mean() for a in (0, 0.25, 0.5, 0.75, 1)]
    assert (np.diff(levels) < -5).all()
    np.testing.assert_array_equal(match_colour(source, target, ALL, amount=0), source)


def matchers():
    return pytest.mark.parametrize(
        "match",
        [match_colour, lambda *args, **options: match_light(*args, sigma=6.0, **options)],
        ids=["colour", "light"],
    )


@matchers()
def test_nothing_asked_changes_nothing(match):
    source, target = skin(PALE_SKIN, 2), skin(DARK_SKIN, 3)
    for answer in (match(source, target, ~ALL), match(source, target, ALL, amount=0.0)):
        np.testing.assert_array_equal(answer, source)
        assert not np.shares_memory(answer, source)


@matchers()
def test_outside_stays_bit_equal(match):
    source, target = skin(PALE_SKIN, 2), skin(DARK_SKIN, 3)
    mask = np.hypot(*(np.indices(ALL.shape) - 30)) < 20
    where = np.hypot(*(np.indices(ALL.shape) - 40)) < 15
    for answer, region in (
        (match(source, target, mask), mask),
        (match(source, target, mask, where=where), where),
    ):
        np.testing.assert_array_equal(answer[~region], source[~region])
        assert (answer[region] != source[region]).any(axis=1).mean() > 0.9


@matchers()
def test_arguments_are_never_written(match):
    arguments = skin(PALE_SKIN, 2), skin(DARK_SKIN, 3), ALL.copy()
    copies = [part.copy() for part in arguments]
    for part in arguments:
        part.setflags(write=False)
    match(*arguments)
    for part, copy in zip(arguments, copies, strict=True):
        np.testing.assert_array_equal(part, copy)


@matchers()
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.zeros((3, 3, 3), np.uint8)}, r"source and target: .*\(64, 64, 3\) and \(3, 3, 3\)"),
        ({"source": np.zeros((64, 64, 3))}, "source: expected uint8, got float64"),
        ({"mask": np.ones((64, 64))}, "mask: expected bool, got float64"),
        ({"mask": np.ones((3, 3), bool)}, r"mask: .*got \(3, 3\)"),
        ({"amount": 1.5}, "amount: expected 0 to 1, got 1.5"),
        ({"amount": float("nan")}, "amount: .*got nan"),
        ({"where": np.ones((3, 3), bool)}, r"where: .*got \(3, 3\)"),
    ],
)
def test_wrong_arguments_are_named(match, change, message):
    arguments = {"source": skin(PALE_SKIN), "target": skin(DARK_SKIN), "mask": ALL} | change
    parts = [arguments.pop(name) for name in ("source", "target", "mask")]
    with pytest.raises(ArrayError, match=message):
        match(*parts, **arguments)


# -- light ---------------------------------------------------------------------------------


def broad(image, sigma):
    """Smoothed linear light, away from the picture's rim."""
    return cv2.GaussianBlur(linear(image), (0, 0), sigma)[12:-12, 12:-12]


def test_broad_light_becomes_the_targets():
    ramp = np.linspace(0.15, 0.5, SIDE)[None, :, None] * np.ones((SIDE, 1, 3))
    source, target = skin((150, 120, 105), 6), encoded(ramp * [1.0, 0.9, 0.7])
    before, after = (
        np.abs(np.log(broad(image, 6) / broad(target, 6)))
        for image in (source, match_light(source, target, ALL, sigma=6.0))
    )
    assert after.mean() < 0.25 * before.mean()
    assert after.max() < 0.2


def test_fine_detail_keeps_its_contrast_under_new_light():
    source = skin((150, 120, 105), 6)
    target = encoded(np.full((SIDE, SIDE, 3), 0.12))
    lit = match_light(source, target, ALL, sigma=6.0)

    def detail(image):
        light = linear(image)
        return (light / cv2.GaussianBlur(light, (0, 0), 6) - 1)[12:-12, 12:-12]

    one, other = detail(source).ravel(), detail(lit).ravel()
    assert np.corrcoef(one, other)[0, 1] > 0.97
    assert other.std() == pytest.approx(one.std(), rel=0.15)


def test_what_lies_outside_the_mask_casts_no_light():
    source, target = skin((150, 120, 105), 6), skin((120, 100, 90), 7)
    mask = np.hypot(*(np.indices(ALL.shape) - 32)) < 22
    glaring = target.copy()
    glaring[~mask] = 255
    one, other = (match_light(source, picture, mask, sigma=6.0).astype(int) for picture in (target, glaring))
    step = 2  # the coarse grid joins a pixel or two at the mask's rim
    inner = cv2.erode(mask.astype(np.uint8), np.ones((2 * step + 1,) * 2)).astype(bool)
    assert np.abs(one - other)[inner].max() <= 1


def test_black_pictures_stay_finite():
    black = np.zeros((SIDE, SIDE, 3), np.uint8)
    assert match_light(black, skin(PALE_SKIN), ALL, sigma=6.0).max() == 0
    assert match_light(skin(PALE_SKIN), black, ALL, sigma=6.0).mean() < skin(PALE_SKIN).mean() / 1.5
