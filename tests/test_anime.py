"""A picture becomes a drawing of the same person, by flat tones, ink and drawn features."""

import cv2
import numpy as np
import pytest

from facekit import compositing, guided, ink_rows
from facekit.compiled import can_compile
from facekit.data import load_sample
from facekit.effects import anime_lines, anime_scene, anime_tones
from facekit.effects.anime import animefy
from facekit.effects.anime_look import take_colours
from facekit.effects.anime_scene import look_at
from facekit.errors import ArrayError, FaceIndexError, NoFaceError
from facekit.ink import edge_flow, flow_smoothed, halftone, ink_lines, without_specks
from facekit.landmarks import detect_faces
from facekit.segment import eye_distance, face_mask
from facekit.strokes import cover, curve, fill, stroke, stroke_outline
from facekit.synthetic import synthetic_face

STYLES = ("cel", "ink")
STYLED = pytest.mark.parametrize("style", STYLES)


@pytest.fixture(scope="module")
def photo():
    return synthetic_face(256, seed=1)


def to_lab(image):
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


# -- laws ----------------------------------------------------------------------------------


@STYLED
def test_picture_is_drawn_at_its_own_size_and_stays_untouched(photo, style):
    before = photo.copy()
    result = animefy(photo, style=style)
    np.testing.assert_array_equal(photo, before)
    assert result.image.shape == photo.shape
    assert result.image.dtype == np.uint8
    assert result.mask.mean() > 0.5
    np.testing.assert_array_equal(result.mask, (result.image != photo).any(axis=2))
    assert len(result.faces) == 1


@STYLED
def test_nothing_asked_for_changes_nothing(photo, style):
    result = animefy(photo, style=style, amount=0)
    np.testing.assert_array_equal(result.image, photo)
    assert not np.shares_memory(result.image, photo)
    assert not result.mask.any()


@STYLED
def test_half_lies_half_way(photo, style):
    half, whole = (animefy(photo, style=style, amount=amount).image for amount in (0.5, 1.0))
    between = (photo.astype(float) + whole) / 2
    assert np.abs(half - between).max() <= 1.01


@STYLED
def test_same_picture_gives_the_same_bits(photo, style):
    np.testing.assert_array_equal(animefy(photo, style=style).image, animefy(photo, style=style).image)


def test_what_cannot_be_drawn_is_refused(photo):
    with pytest.raises(NoFaceError):
        animefy(np.full((96, 96, 3), 120, np.uint8))
    with pytest.raises(FaceIndexError):
        animefy(photo, face=3)
    for wrong in ({"style": "oil"}, {"amount": -0.1}, {"amount": 1.1}, {"amount": float("nan")}):
        with pytest.raises(ArrayError):
            animefy(photo, **wrong)
    with pytest.raises(ArrayError):
        animefy(photo[..., 0])


@STYLED
@pytest.mark.parametrize(
    ("size", "turn"), [(96, {}), (256, {"roll": 40}), (256, {"yaw": 25}), (192, {"pitch": 12})]
)
def test_small_tilted_and_turned_faces_are_drawn(style, size, turn):
    image = synthetic_face(size, seed=2, **turn)
    result = animefy(image, style=style)
    assert result.mask.mean() > 0.3
    (before,), found = detect_faces(image, max_faces=1), detect_faces(result.image, max_faces=1)
    if found:  # the drawing still has its face where the photo had it
        away = np.hypot(*(found[0].points - before.points).T).mean() / eye_distance(before)
        assert away < 0.35


def test_of_two_faces_the_picked_one_is_drawn():
    pair = np.concatenate([synthetic_face(256, seed=1), synthetic_face(256, seed=4)], axis=1)
    first, second = (animefy(pair, face=face) for face in (0, 1))
    for result in (first, second):
        box = face_mask(result.faces[0], pair.shape[:2])
        other = second if result is first else first
        assert np.abs(result.image[box].astype(int) - other.image[box]).mean() > 3


# -- it is a drawing -----------------------------------------------------------------------


def flat_share(image):
    """Share of the face's pixels that lie within 3 of one of its few tones, in CIELAB."""
    result = animefy(image)
    lab = to_lab(result.image)[face_mask(result.faces[0], image.shape[:2])]
    scene = look_at(image, result.faces[0])
    look = take_colours(scene)
    names = ("skin", "skin_shade", "hair", "hair_shade", "hair_shine", "beard", "lips", "brow", "ink")
    tones = to_lab(np.array([[getattr(look, name) for name in names]]).round().astype(np.uint8))[0]
    near = np.linalg.norm(lab[:, None] - tones[None], axis=2).min(axis=1)
    return float((near < 3).mean())


@pytest.mark.parametrize("seed", range(3))
def test_most_of_a_drawn_face_is_flat(seed):
    assert flat_share(synthetic_face(320, seed=seed)) > 0.6


def test_astronauts_face_is_flat_too(require_sample):
    require_sample("astronaut")
    assert flat_share(load_sample("astronaut")) > 0.6


def test_ink_is_black_on_white(photo):
    image = animefy(photo, style="ink").image
    assert (np.ptp(image, axis=2) == 0).mean() > 0.99
    assert ((image < 60) | (image > 195)).mean() > 0.75


def test_drawn_hair_and_skin_keep_their_colours_apart():
    dark, fair = (animefy(synthetic_face(256, seed=seed)) for seed in (1, 3))
    for result, seed in ((dark, 1), (fair, 3)):
        photo, drawn = to_lab(synthetic_face(256, seed=seed)), to_lab(result.image)
        x, y = result.faces[0].points[10].astype(int)
        u, v = result.faces[0].points[50].astype(int)
        crown = slice(y - 26, y - 14), slice(x - 10, x + 10)
        cheek = slice(v - 4, v + 5), slice(u - 4, u + 5)
        for where in (crown, cheek):
            assert abs(np.median(photo[where][..., 0]) - np.median(drawn[where][..., 0])) < 16


# -- ink -----------------------------------------------------------------------------------


def test_no_mark_of_ink_is_smaller_than_twelve_pixels():
    noisy = np.random.default_rng(5).integers(60, 200, (200, 200, 3)).astype(np.uint8)
    for image in (noisy, synthetic_face(200, seed=1)):
        lines = ink_lines(image, width=1.0)
        assert lines.any()
        _, _, stats, _ = cv2.connectedComponentsWithStats((lines > 0.1).astype(np.uint8))
        assert stats[1:, cv2.CC_STAT_AREA].min() >= 12


def test_specks_go_and_lines_stay():
    marks = np.zeros((40, 40), np.float32)
    marks[5:7, 5:8] = 1
    marks[20, 2:38] = 1
    kept = without_specks(marks)
    assert not kept[:10].any()
    assert kept[20].sum() == 36


@pytest.mark.parametrize("degrees", [0, 30, 90])
def test_flow_runs_along_stripes(degrees):
    x, y = np.meshgrid(np.arange(60), np.arange(60))
    angle = np.radians(degrees)
    stripes = np.sin((x * -np.sin(angle) + y * np.cos(angle)) * 0.7).astype(np.float32)
    flow = edge_flow(stripes, 3.0)[20:40, 20:40]
    along = np.abs(flow @ np.array([np.cos(angle), np.sin(angle)]))
    assert along.min() > 0.99


def test_smoothing_along_the_flow_keeps_stripes_and_takes_noise():
    stripes = np.tile(np.where(np.arange(60) % 12 < 6, 20.0, 80.0).astype(np.float32)[:, None], (1, 60))
    noise = np.random.default_rng(0).normal(0, 8, stripes.shape).astype(np.float32)
    smooth = flow_smoothed(stripes + noise, edge_flow(stripes, 2.0), 5.0)
    inner = np.s_[12:48, 12:48]
    assert np.abs(smooth - stripes)[inner].mean() < 0.5 * np.abs(noise)[inner].mean()


@pytest.mark.skipif(not can_compile(), reason="the kernels run in Python already")
def test_ink_without_a_compiler_is_the_same(monkeypatch):
    tones = np.random.default_rng(2).random((24, 20), np.float32)
    image = cv2.cvtColor((tones * 255).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    compiled = ink_lines(image, width=0.9, threshold=0.2), halftone(tones, period=5)
    monkeypatch.setattr(ink_rows, "can_compile", lambda: False)
    plain = ink_lines(image, width=0.9, threshold=0.2), halftone(tones, period=5)
    assert compiled[0].any()
    for one, other in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_lines_are_drawn_where_they_are_asked_for_and_nowhere_else():
    image, where = synthetic_face(200, seed=1), np.zeros((200, 200), np.bool_)
    where[60:140] = True
    everywhere, asked = (ink_lines(image, width=1.0, where=mask) for mask in (None, where))
    assert not asked[~where].any()
    inner = np.s_[75:125]  # marks that the border cuts may be too small to stay
    assert ((everywhere > 0) & (asked == 0))[inner].mean() < 0.002
    both = where & (everywhere > 0) & (asked > 0)
    assert both.any()
    np.testing.assert_array_equal(everywhere[both], asked[both])


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.9])
def test_dots_cover_the_share_that_they_stand_for(share):
    dots = halftone(np.full((96, 96), share, np.float32), period=8)
    assert dots.mean() == pytest.approx(share, abs=0.05)


def test_grid_of_dots_stands_at_45_degrees():
    period = 8.0
    dots = halftone(np.full((128, 128), 0.3, np.float32), period=period)
    power = np.abs(np.fft.fft2(dots - dots.mean()))
    row, col = np.unravel_index(power.argmax(), power.shape)
    down, across = (abs(np.fft.fftfreq(128)[at]) for at in (row, col))
    assert down == pytest.approx(across, abs=0.5 / 128)
    assert 1 / np.hypot(down, across) == pytest.approx(period, rel=0.05)


def test_white_gets_no_dot_and_black_no_hole():
    assert not halftone(np.zeros((20, 20), np.float32), period=6).any()
    assert halftone(np.ones((20, 20), np.float32), period=6).all()


@pytest.mark.skipif(not can_compile(), reason="the plain version runs already")
@STYLED
def test_drawing_without_a_compiler_is_nearly_the_same(monkeypatch, photo, style):
    compiled = animefy(photo, style=style).image
    for module in (anime_lines, anime_scene, anime_tones, compositing, guided, ink_rows):
        monkeypatch.setattr(module, "can_compile", lambda: False)
    plain = animefy(photo, style=style).image
    away = np.abs(plain.astype(int) - compiled).max(axis=2)
    assert (away > 8).mean() < 0.01


@STYLED
def test_any_number_of_threads_draws_the_same_bits(monkeypatch, photo, style):
    found = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("FACEKIT_THREADS", threads)
        found.append(animefy(photo, style=style).image.tobytes())
    assert found[0] == found[1] == found[2]


# -- strokes -------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", [False, True])
def test_curve_runs_through_its_points(closed):
    points = np.array([[0, 0], [10, 4], [12, 15], [3, 9]], float)
    path = curve(points, closed=closed, steps=8)
    for point in points:
        assert np.hypot(*(path - point).T).min() < 1e-9


def test_filled_square_covers_its_area_to_a_quarter_of_a_pixel():
    square = np.array([[2.25, 2.25], [8.75, 2.25], [8.75, 8.75], [2.25, 8.75]])
    share, _ = cover([square], (12, 12))
    assert share.sum() == pytest.approx(6.5**2, rel=0.1)


def test_shape_beyond_the_picture_draws_nothing():
    canvas = np.zeros((10, 10, 3), np.float32)
    fill(canvas, [np.array([[50.0, 50], [60, 50], [55, 60]])], (255, 255, 255))
    fill(canvas, [np.array([[-50.0, 2], [-40, 2], [-45, 6]])], (255, 255, 255))
    assert not canvas.any()


def test_stroke_swells_in_the_middle_and_is_clipped():
    path = np.column_stack([np.linspace(2, 28, 14), np.full(14, 15.0)])
    outline = stroke_outline(path, 6)
    thick = np.ptp(outline[:14, 1] - outline[::-1][:14, 1])
    assert thick == pytest.approx(6, rel=0.05)
    canvas, clip = np.zeros((30, 30, 3), np.float32), np.zeros((30, 30), np.float32)
    clip[:, :15] = 1
    stroke(canvas, path, (255, 255, 255), 6, clip=clip)
    assert canvas[15, 10, 0] > 250
    assert not canvas[:, 16:].any()
