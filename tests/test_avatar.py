"""An avatar is drawn from measurements alone, is valid SVG, and a browser paints it as we do."""

import dataclasses
import io
import re
import xml.etree.ElementTree as ET
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from facekit import detect_faces, load_sample
from facekit.effects.avatar import Action, Look, Portrait, draw_avatar, measure_face, measure_mesh
from facekit.effects.avatar import coverage as coverage_module
from facekit.effects.avatar.coverage import cover_fill, cover_stroke
from facekit.effects.avatar.curves import circle, flatten, smooth
from facekit.effects.avatar.design import PLACE, UNIT, design
from facekit.effects.avatar.palette import BACKGROUNDS, EYES, HAIR, SKIN, lab_of, nearest
from facekit.effects.avatar.raster import rasterise_drawing
from facekit.effects.avatar.silhouette import Silhouette
from facekit.effects.avatar.upright import mean_points, upright_points
from facekit.errors import ArrayError, FaceIndexError, NoFaceError
from facekit.synthetic import place_face, synthetic_face, synthetic_mesh
from facekit.values import Blendshapes

quick = settings(max_examples=25, deadline=None)
SAMPLES = ("astronaut", "biden", "obama", "joconde")
LAYERS = [
    "background", "hair-back", "neck", "shoulders", "ears", "face", "shade", "beard", "mouth", "nose",
    "eye-right", "eye-left", "brow-right", "brow-left", "hair-front",
]  # fmt: skip
CLASSES = ("bald", "buzz", "short", "side-parted", "fringe", "bob", "long", "tied-up", "curly")
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
DRAWN = {"svg", "title", "desc", "defs", "clipPath", "g", "path", "rect"}
MESH = synthetic_mesh(256)


@cache
def sample(name):
    """A sample and its largest face."""
    image = load_sample(name)
    image.setflags(write=False)
    return image, detect_faces(image)[0]


@cache
def avatar_of(name):
    return draw_avatar(sample(name)[0])


def doing(mesh=MESH, **scores):
    """The mesh with other blendshapes: names in full, the rest 0."""
    names = mesh.blendshapes.names
    values = np.array([scores.get(name, 0.0) for name in names], np.float32)
    return dataclasses.replace(mesh, blendshapes=Blendshapes(names, values))


def ids(svg):
    return re.findall(r'\bid="([^"]+)"', svg)


def check_valid(svg):
    root = ET.fromstring(svg)  # noqa: S314 (our own)
    assert {one.tag.rpartition("}")[2] for one in root.iter()} <= DRAWN
    found = ids(svg)
    assert len(found) == len(set(found))
    assert len(svg.encode()) < 60_000
    for reference in re.findall(r"url\(#([^)]+)\)", svg):
        assert reference in found
    assert not re.search(r"href|script|base64|<image|nan|inf", svg)
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]
    return root


# -- the document --------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_svg_of_a_photo_is_valid_small_and_has_every_layer_in_order(name):
    svg = avatar_of(name).svg
    check_valid(svg)
    found = [one for one in ids(svg) if one in LAYERS]
    assert found == LAYERS


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("beard", BEARDS)
def test_every_class_of_hair_and_beard_gives_a_valid_drawing(kind, beard):
    look = Look(hair_class=kind, beard=beard, glasses=beard == "full")
    avatar = draw_avatar(Portrait(mean_points()[:, :2], Action(gap=0.1, teeth=0.7), look), size=64)
    check_valid(avatar.svg)
    assert ('id="glasses"' in avatar.svg) == look.glasses
    assert ('id="beard-moustache"' in avatar.svg) == (beard in ("moustache", "goatee", "full"))


def test_every_class_of_hair_and_beard_looks_different():
    def drawn(**look):
        return draw_avatar(Portrait(mean_points()[:, :2], look=Look(**look)), size=96).image.tobytes()

    assert len({drawn(hair_class=kind) for kind in CLASSES}) == len(CLASSES)
    assert len({drawn(beard=beard) for beard in BEARDS}) == len(BEARDS)


@quick
@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.sampled_from([0.0, 1e-3, 1.0, 80.0, 1e6]),
    x=st.floats(-1e4, 1e4),
)
def test_any_finite_mesh_gives_a_valid_drawing(seed, spread, x):
    rng = np.random.default_rng(seed)
    points = (MESH.points + x + rng.normal(0, spread, (478, 2))).astype(np.float32)
    depth = (MESH.depth + rng.normal(0, spread, 478)).astype(np.float32)
    scores = Blendshapes(MESH.blendshapes.names, rng.uniform(-0.5, 1.5, 52).astype(np.float32))
    mesh = dataclasses.replace(MESH, points=points, depth=depth, blendshapes=scores)
    check_valid(draw_avatar(mesh, size=16).svg)


def test_points_that_all_coincide_give_a_valid_drawing():
    still = dataclasses.replace(MESH, points=np.zeros((478, 2), np.float32), depth=np.zeros(478, np.float32))
    check_valid(draw_avatar(still, size=32).svg)


# -- laws ----------------------------------------------------------------------------------


def test_input_is_untouched_and_the_result_is_the_same_every_time():
    image = synthetic_face(256, seed=3)
    before = image.copy()
    first, second = draw_avatar(image, size=96), draw_avatar(image, size=96)
    np.testing.assert_array_equal(image, before)
    assert first.svg == second.svg
    np.testing.assert_array_equal(first.image, second.image)


def test_equal_measurements_give_equal_drawings_whatever_the_photos():
    image, mesh = synthetic_face(256, seed=1), synthetic_mesh(256)
    noise = np.random.default_rng(0).integers(-2, 3, image.shape)
    noisy = np.clip(image.astype(int) + noise, 0, 255).astype(np.uint8)
    assert (noisy != image).mean() > 0.5
    one, other = measure_face(image, mesh), measure_face(noisy, mesh)
    other = dataclasses.replace(other, look=one.look)
    assert draw_avatar(one, size=64).svg == draw_avatar(other, size=64).svg


def test_colours_of_the_drawing_do_not_follow_the_photo_finely():
    image, mesh = synthetic_face(256, seed=1), synthetic_mesh(256)
    warmer = np.clip(image.astype(int) + np.array([1, 0, -1]), 0, 255).astype(np.uint8)
    skins = [measure_face(one, mesh).look.skin for one in (image, warmer)]
    assert skins[0] == skins[1]


def test_portrait_that_was_measured_is_drawn_without_its_photo():
    avatar = avatar_of("astronaut")
    again = draw_avatar(avatar.portrait)
    assert again.svg == avatar.svg
    np.testing.assert_array_equal(again.image, avatar.image)


def test_pose_and_place_of_a_face_do_not_change_its_drawing():
    frontal = draw_avatar(place_face((100, 100), 60), size=64)
    for turned in (place_face((310, 80), 95, roll=35), place_face((100, 100), 60, yaw=12, pitch=8)):
        assert draw_avatar(turned, size=64).svg == frontal.svg


def test_size_scales_the_picture_and_leaves_the_paths_alone():
    small, large = draw_avatar(MESH, size=64), draw_avatar(MESH, size=256)
    assert small.image.shape == (64, 64, 3)
    assert re.findall(r' d="[^"]+"', small.svg) == re.findall(r' d="[^"]+"', large.svg)
    shrunk = large.image.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - small.image).mean() < 2


@pytest.mark.parametrize("size", [0, 15, 5000, 64.0, True, "64", None])
def test_size_that_is_none_is_refused(size):
    with pytest.raises(ArrayError, match="size"):
        draw_avatar(MESH, size=size)


@pytest.mark.parametrize("face", [-1, 1.5, True, "0"])
def test_face_that_is_none_is_refused(face):
    with pytest.raises(ArrayError, match="face"):
        draw_avatar(synthetic_face(128), face=face)


def test_photo_without_a_face_or_without_that_many_is_refused():
    with pytest.raises(NoFaceError):
        draw_avatar(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(FaceIndexError):
        draw_avatar(synthetic_face(256), face=1)


@pytest.mark.parametrize("photo", [np.zeros((4, 4)), np.zeros((4, 4, 3)), "a photo"])
def test_what_is_no_picture_is_refused(photo):
    with pytest.raises(ArrayError, match="image"):
        draw_avatar(photo)


def test_mesh_with_a_hole_is_refused():
    points = MESH.points.copy()
    points[7, 0] = np.nan
    with pytest.raises(ArrayError, match="finite"):
        draw_avatar(dataclasses.replace(MESH, points=points))
    with pytest.raises(ArrayError, match="478"):
        draw_avatar(dataclasses.replace(MESH, points=points[:468]))


# -- likeness ------------------------------------------------------------------------------


def drawn_shape(portrait):
    """What the drawing shows of a shape: the points of its lids, brows, nose, lips and outline."""
    from facekit.effects.avatar.figure import make_figure
    from facekit.effects.avatar.mouth import lip_lines
    from facekit.topology import LIPS_OUTER

    figure = make_figure(portrait)
    points = figure.points.copy()
    top, _, _, bottom = lip_lines(figure)
    points[[LIPS_OUTER[k] for k in (0, *range(19, 9, -1))]] = top
    points[list(LIPS_OUTER[:11])] = bottom
    return points


def test_drawing_is_nearest_to_its_own_person():
    kept = [1, 2, 4, 10, 33, 61, 64, 70, 105, 107, 133, 145, 152, 159, 168, 172, 234, 263, 291, 294, 300]
    kept += [334, 336, 362, 374, 386, 397, 454, 0, 17]
    meshes = [sample(name)[1] for name in SAMPLES]
    shapes = np.array([upright_points(mesh)[kept, :2] for mesh in meshes])
    for k, mesh in enumerate(meshes):
        drawn = drawn_shape(measure_mesh(mesh))[kept]
        assert int(np.square(shapes - drawn).sum(axis=(1, 2)).argmin()) == k


def test_differences_from_the_mean_are_exaggerated():
    wide = mean_points()[:, :2] * (1.06, 1)
    one, other = (drawn_shape(Portrait(points)) for points in (mean_points()[:, :2], wide))
    grown = (other[454, 0] - other[234, 0]) - (one[454, 0] - one[234, 0])
    assert grown > 1.1 * (wide[454, 0] - wide[234, 0] - 2 * mean_points()[454, 0])


def test_astronaut_has_fair_skin_and_hair_that_is_neither_black_nor_gone():
    look = avatar_of("astronaut").portrait.look
    assert look.skin.startswith(("porcelain", "fair", "honey"))
    assert look.hair_class != "bald"
    assert look.hair in ("light-brown", "dark-blond", "chestnut", "blond")
    assert look.beard == "none"


def test_joconde_has_long_dark_hair_and_biden_short_white_hair():
    lady, gentleman = avatar_of("joconde").portrait.look, avatar_of("biden").portrait.look
    assert lady.hair_class == "long"
    assert lady.hair in ("black", "espresso", "brown")
    assert gentleman.hair_class in ("short", "side-parted", "buzz")
    assert gentleman.hair in ("silver", "grey", "platinum")


def silhouette(**zones):
    plain = {
        "crown": 0.8, "sides": 0.6, "cheeks": 0.0, "jaw": 0.0, "shoulders": 0.0, "fringe": 0.1,
        "lean": 0.0, "height": 0.65, "width": 0.1, "hairline": 0.05,
    }  # fmt: skip
    return Silhouette(**(plain | zones)).hair_class()


def test_silhouettes_are_told_by_where_hair_is():
    assert silhouette() == "short"
    assert silhouette(crown=0.02, sides=0.3) == "bald"
    assert silhouette(height=0.3, fringe=0.0) == "buzz"
    assert silhouette(lean=0.4, fringe=0.4) == "side-parted"
    assert silhouette(fringe=0.8) == "fringe"
    assert silhouette(cheeks=0.8, jaw=0.5) == "bob"
    assert silhouette(cheeks=0.9, jaw=0.8, shoulders=0.7) == "long"
    assert silhouette(height=1.2, sides=0.4) == "tied-up"
    assert silhouette(height=1.1, width=0.6) == "curly"
    unseen = float("nan")
    assert silhouette(crown=unseen, height=unseen, jaw=unseen, shoulders=unseen) == "short"


@pytest.mark.parametrize("palette", [SKIN, HAIR, EYES])
def test_colours_of_a_palette_find_themselves(palette):
    for name, colour in palette.items():
        assert nearest(lab_of(colour), palette, weights=(1, 1, 1)) == name


def test_background_stands_out_from_the_hair():
    for hair in HAIR:
        drawing = design(Portrait(mean_points()[:, :2], look=Look(hair=hair, hair_class="long")))
        background = drawing.layers[0].parts[0].colour
        assert background in BACKGROUNDS.values()
        assert np.hypot(*(lab_of(background) - lab_of(HAIR[hair]))[:2]) > 8


# -- expression ----------------------------------------------------------------------------


def test_face_without_expression_is_neutral_whoever_it_is():
    for name in ("astronaut", "obama"):  # both smile, with their teeth
        own = avatar_of(name)
        assert 'id="teeth"' in own.svg
        still = draw_avatar(own.portrait, expression=doing())
        assert 'id="teeth"' not in still.svg
        assert 'id="lip-line"' in still.svg
        assert still.portrait.action == Action()
        np.testing.assert_array_equal(still.portrait.points, own.portrait.points)


def changed(before, after, layer):
    """Whether a layer differs between two drawings."""

    def of(avatar):
        behind = [*LAYERS, "end"][LAYERS.index(layer) + 1]
        return avatar.svg.split(f'<g id="{layer}"')[1].split(f'<g id="{behind}"')[0]

    return of(before) != of(after)


@pytest.mark.parametrize(
    ("scores", "moved", "still"),
    [
        ({"jawOpen": 0.7}, ["mouth"], ["eye-left", "brow-left", "nose"]),
        ({"eyeBlinkLeft": 1.0}, ["eye-left"], ["eye-right", "mouth", "brow-left"]),
        ({"eyeBlinkRight": 1.0}, ["eye-right"], ["eye-left", "mouth"]),
        ({"browInnerUp": 1.0}, ["brow-left", "brow-right"], ["mouth", "eye-left"]),
        ({"browDownLeft": 1.0}, ["brow-left"], ["brow-right"]),
        ({"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0}, ["mouth"], ["eye-left", "nose"]),
        ({"mouthPucker": 1.0}, ["mouth"], ["nose"]),
        ({"eyeLookInRight": 1.0, "eyeLookOutLeft": 1.0}, ["eye-left", "eye-right"], ["mouth"]),
    ],
)
def test_each_blendshape_moves_its_own_layers(scores, moved, still):
    rest, active = (draw_avatar(MESH, size=32, expression=doing(**one)) for one in ({}, scores))
    assert [layer for layer in moved if not changed(rest, active, layer)] == []
    assert [layer for layer in still if changed(rest, active, layer)] == []


def test_shut_eye_shows_no_iris_and_open_mouth_its_inside():
    shut = draw_avatar(MESH, size=32, expression=doing(eyeBlinkLeft=1.0))
    assert "eye-left-iris" not in shut.svg
    assert "eye-right-iris" in shut.svg
    assert 'id="mouth-hole"' in draw_avatar(MESH, size=32, expression=doing(jawOpen=0.7)).svg


def test_smile_widens_the_mouth_and_a_kiss_narrows_it():
    from facekit.effects.avatar.figure import make_figure
    from facekit.effects.avatar.mouth import lip_lines

    def width(**scores):
        portrait = draw_avatar(MESH, size=16, expression=doing(**scores)).portrait
        top, *_ = lip_lines(make_figure(portrait))
        return top[10, 0] - top[0, 0]

    assert width(mouthPucker=0.8) < width() < width(mouthSmileLeft=0.8, mouthSmileRight=0.8)


# -- pixels --------------------------------------------------------------------------------


def lines_of(ring):
    return np.concatenate([ring, np.roll(ring, -1, axis=0)], axis=1).astype(np.float32)


@quick
@given(x=st.floats(8, 12), y=st.floats(8, 12), radius=st.floats(0.3, 7))
def test_filled_area_is_exact(x, y, radius):
    ring = flatten(circle(x, y, radius))
    following = np.roll(ring, -1, axis=0)
    area = abs((ring[:, 0] * following[:, 1] - ring[:, 1] * following[:, 0]).sum()) / 2
    assert cover_fill(lines_of(ring), (20, 20)).sum() == pytest.approx(area, rel=1e-3, abs=1e-3)
    assert area == pytest.approx(np.pi * radius**2, rel=0.2 / max(radius, 0.3))


def test_shape_that_leaves_the_picture_covers_what_is_left_of_it():
    ring = np.array([[-5, -5], [4, -5], [4, 30], [-5, 30]], float)
    cover = cover_fill(lines_of(ring), (6, 9))
    np.testing.assert_allclose(cover, np.broadcast_to(np.arange(9) < 4, (6, 9)).astype(float), atol=1e-5)


@quick
@given(seed=st.integers(0, 2**32 - 1))
def test_plain_version_covers_the_same(seed):
    rng = np.random.default_rng(seed)
    ring = flatten(smooth(rng.uniform(3, 27, (5, 2)), closed=True))
    hull = cv2.convexHull(ring.astype(np.float32))[:, 0]  # no edges that cross, no needles
    fast = cover_fill(lines_of(hull), (30, 30)), cover_stroke(lines_of(hull), 1.7, (30, 30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coverage_module, "can_compile", lambda: False)
        plain = cover_fill(lines_of(hull), (30, 30)), cover_stroke(lines_of(hull), 1.7, (30, 30))
    # The plain version counts on a finer grid: at most 0.114 and 0.0036 over 3,000 hulls.
    assert np.abs(fast[0] - plain[0]).max() < 0.2
    assert np.abs(fast[0] - plain[0]).mean() < 0.006
    np.testing.assert_allclose(fast[1], plain[1], atol=1e-3)


def test_picture_without_a_compiler_is_the_same_but_for_rounding(monkeypatch):
    drawing = design(measure_mesh(MESH))
    fast = rasterise_drawing(drawing, 96).astype(int)
    monkeypatch.setattr(coverage_module, "can_compile", lambda: False)
    assert (np.abs(rasterise_drawing(drawing, 96) - fast).max(axis=2) > 24).mean() < 0.01


@pytest.fixture(scope="module")
def browser(chromium):
    """A real browser, as users of the SVG have."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        launched = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched.new_page(viewport={"width": 512, "height": 512})
        launched.close()


@pytest.mark.parametrize("what", [*SAMPLES, *CLASSES])
def test_chromium_paints_the_same(browser, what):
    if what in SAMPLES:
        avatar = avatar_of(what)
    else:
        look = Look(hair_class=what, glasses=True, beard="goatee")
        avatar = draw_avatar(Portrait(mean_points()[:, :2], Action(gap=0.1, teeth=0.7), look))
    browser.set_content(f'<body style="margin:0">{avatar.svg}</body>')
    seen = np.asarray(Pillow.open(io.BytesIO(browser.screenshot())).convert("RGB")).astype(int)
    differs = (np.abs(seen - avatar.image).max(axis=2) > 24).mean()
    assert differs < 0.02


def test_drawing_lies_within_its_disc_where_it_should():
    image = draw_avatar(MESH).image
    paper = image[2, 2]
    corners = [image[row, col] for row in (3, 508) for col in (3, 508)]
    assert all((corner == paper).all() for corner in corners)
    x, y = (np.array(PLACE) + np.array([0.0, -0.7]) * UNIT).astype(int)
    assert (image[y, x] != paper).any()
