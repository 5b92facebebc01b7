"""Laws that all effects of the catalogue keep, and what single ones promise besides."""

import math
from functools import cache

import cv2
import numpy as np
import pytest

from facekit import EFFECTS, average, caricature, change_age, change_gender, detect_faces, morph
from facekit.data import load_sample
from facekit.effects.folds import folds
from facekit.effects.grey import grey_hair
from facekit.effects.recolour import recolour
from facekit.effects.reshape import reshape
from facekit.effects.shave import shave
from facekit.effects.stubble import stubble
from facekit.effects.zones import open_parts, rim, zones
from facekit.errors import ArrayError, FaceIndexError, InputError, NoFaceError
from facekit.face_model import along, fit_face, mean_shape, project_shape, texture_along
from facekit.growing import grown
from facekit.lab import to_lab
from facekit.segment import cut_out, eye_distance, face_mask, feature_mask, fill_rings
from facekit.synthetic import synthetic_face, synthetic_mesh
from facekit.topology import FACE_OVAL, LEFT_EYE, LIPS_INNER, RIGHT_EYE

KEEPING = [one for one in EFFECTS.values() if one.name != "avatar"]  # the picture's size and surroundings
#: What gives the picture back.
NOTHING = {
    "gender": {"amount": 0.0},
    "age": {"years": 0.0},
    "anime": {"amount": 0.0},
    "caricature": {"amount": 0.0},
}
SAMPLES = pytest.mark.parametrize("name", ["astronaut", "biden", "joconde", "obama"])


def named(effects):
    return pytest.mark.parametrize("effect", effects, ids=[one.name for one in effects])


@pytest.fixture(scope="module")
def photo():
    return synthetic_face(256, seed=1)


@cache
def portrait(name):
    """A sample's face with some room around it, at most 400 pixels high."""
    image = load_sample(name)
    mesh = detect_faces(image)[0]
    part, _, _ = cut_out(image, mesh, 0.8 * eye_distance(mesh))
    step = max(part.shape[0] // 400, 1)
    return np.ascontiguousarray(part[::step, ::step])


# -- laws of all ---------------------------------------------------------------------------


@named(list(EFFECTS.values()))
def test_effect_leaves_its_input_alone_and_gives_the_same_bits_again(effect, photo):
    before = photo.copy()
    first, second = effect.apply(photo, {}), effect.apply(photo, {})
    np.testing.assert_array_equal(photo, before)
    assert first.image.dtype == np.uint8
    assert not np.shares_memory(first.image, photo)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.mask, second.mask)


@named(KEEPING)
def test_nothing_asked_for_changes_nothing(effect, photo):
    result = effect.apply(photo, NOTHING[effect.name])
    np.testing.assert_array_equal(result.image, photo)
    assert not np.shares_memory(result.image, photo)
    assert not result.mask.any()


@named(KEEPING)
def test_mask_says_what_was_changed_and_all_else_is_bit_equal(effect, photo):
    result = effect.apply(photo, {})
    assert result.mask.any()
    np.testing.assert_array_equal(result.mask, (result.image != photo).any(axis=2))


@named([EFFECTS[name] for name in ("gender", "caricature")])
def test_what_lies_far_from_the_face_is_bit_equal(effect, photo):
    mesh = detect_faces(photo)[0]
    near = face_mask(mesh, photo.shape[:2], margin=-0.6)
    assert not (effect.apply(photo, {}).mask & ~near).any()


@named(list(EFFECTS.values()))
def test_effect_refuses_what_it_cannot_do_by_a_named_error(effect, photo):
    with pytest.raises(NoFaceError):
        effect.apply(np.full((96, 96, 3), 120, np.uint8), {})
    with pytest.raises(FaceIndexError):
        effect.apply(photo, {"face": 7})
    with pytest.raises(ArrayError):
        effect.apply(photo[..., 0], {})
    for wrong in ({"face": -1}, {"face": 1.0}, {"face": True}, {"canary": 1}):
        with pytest.raises(InputError):
            effect.apply(photo, wrong)


@pytest.mark.parametrize(
    ("effect", "parameter"),
    [(effect, one) for effect in EFFECTS.values() for one in effect.parameters],
    ids=[f"{effect.name}-{one.name}" for effect in EFFECTS.values() for one in effect.parameters],
)
def test_parameter_takes_its_range_and_no_more(effect, parameter):
    right = parameter.choices or (parameter.least, parameter.most, parameter.default)
    if parameter.kind == "whole":
        right = tuple(int(one) for one in right)
    for value in right:
        assert effect.checked({parameter.name: value})[parameter.name] == value
    wrong = (
        ("oil", None)
        if parameter.choices
        else (parameter.least - 1, parameter.most + 1, math.nan, math.inf, "1")
    )
    for value in wrong:
        with pytest.raises(InputError, match=parameter.name):
            effect.checked({parameter.name: value})


@named(list(EFFECTS.values()))
def test_catalogue_and_function_agree(effect, photo):
    with pytest.raises(TypeError):
        effect.load()(photo, canary=1)
    told = []
    result = effect.apply(photo, {}, progress=told.append)
    assert told == list(result.timings)
    assert told[0] == "detect"
    for (
        one
    ) in effect.parameters:  # the function refuses what the catalogue refuses, for who calls it directly
        if not one.choices and one.name != "face":
            with pytest.raises(ArrayError):
                effect.load()(photo, **{one.name: one.most + 1})


@named(KEEPING)
def test_turned_head_and_face_at_the_border_are_worked_on(effect):
    for image in (synthetic_face(192, yaw=35, roll=30), np.ascontiguousarray(synthetic_face(256)[40:, 90:])):
        assert effect.apply(image, {}).image.shape == image.shape


def test_second_face_is_the_one_that_is_worked_on():
    both = np.concatenate([synthetic_face(224)] * 2, axis=1)
    faces = detect_faces(both)
    result = EFFECTS["gender"].apply(both, {"face": 1, "toward": "male"})
    middle = faces[1].points[:, 0].mean()
    changed = np.flatnonzero(result.mask.any(axis=0))
    assert abs(changed.mean() - middle) < 40


# -- gender --------------------------------------------------------------------------------


def shown(image):
    """Where the shape of the largest face lies on the axis of gender."""
    return project_shape(fit_face(detect_faces(image)[0]).shape)[0]


@SAMPLES
def test_face_moves_along_the_axis_the_way_that_was_asked(name):
    image = portrait(name)
    female, male = (shown(change_gender(image, toward=way).image) for way in ("female", "male"))
    assert female < shown(image) < male


@SAMPLES
def test_auto_goes_to_the_other_side(name):
    image = portrait(name)
    other = "male" if name in ("astronaut", "joconde") else "female"
    auto, asked = (change_gender(image, toward=way, amount=0.3).image for way in ("auto", other))
    np.testing.assert_array_equal(auto, asked)


@pytest.mark.clause("1.2.1a", partly="a guess that an effect makes is in no result")
def test_what_auto_takes_the_face_for_is_in_no_result():
    result = change_gender(portrait("obama"))
    assert [name for name in dir(result) if not name.startswith("_")] == ["faces", "image", "mask", "timings"]
    assert not {"male", "female"} & set(result.timings)


@SAMPLES
def test_further_is_further(name):
    image = portrait(name)
    away = [
        np.abs(change_gender(image, amount=amount).image.astype(float) - image).mean()
        for amount in (0.25, 0.5, 1.0, 1.5)
    ]
    assert away == sorted(away)
    assert away[0] > 0.1


@SAMPLES
def test_eyeballs_and_teeth_keep_their_colour(name):
    image = portrait(name)
    for way in ("female", "male"):
        result = change_gender(image, toward=way)
        mesh = result.faces[0]
        for ring in (RIGHT_EYE, LEFT_EYE, LIPS_INNER):
            inner = grown(fill_rings([mesh.points[list(ring)]], image.shape[:2]), -2)
            if inner.sum() > 40:
                kept = to_lab(reshape(image, detect_faces(image)[0], mesh.points))[inner]
                off = np.median(to_lab(result.image)[inner], axis=0) - np.median(kept, axis=0)
                assert np.abs(off).max() < 4


def _edge(mask):
    grown = ~mask
    return mask & (
        np.roll(grown, 2, 0) | np.roll(grown, -2, 0) | np.roll(grown, 2, 1) | np.roll(grown, -2, 1)
    )


@SAMPLES
def test_skin_turns_neither_grey_nor_green(name):
    image = portrait(name)
    for way in ("female", "male"):
        result = change_gender(image, toward=way)
        mesh = result.faces[0]
        cheeks = mesh.points[[50, 280, 205, 425, 118, 347]].astype(int)
        before = to_lab(reshape(image, detect_faces(image)[0], mesh.points))[cheeks[:, 1], cheeks[:, 0]]
        after = to_lab(result.image)[cheeks[:, 1], cheeks[:, 0]]
        had, has = (np.arctan2(lab[:, 2].mean(), lab[:, 1].mean()) for lab in (before, after))
        assert abs(np.degrees(has - had)) < 25
        assert np.hypot(*after[:, 1:].mean(axis=0)) > 0.5 * np.hypot(*before[:, 1:].mean(axis=0))


def test_behind_glasses_less_is_painted_around_the_eyes(monkeypatch, photo):
    mesh, painted = detect_faces(photo)[0], []
    for worn in (0.0, 1.0):
        monkeypatch.setattr("facekit.effects.gender.glasses_score", lambda *_, worn=worn: worn)
        painted.append(change_gender(photo, toward="female"))
    shaped = reshape(photo, mesh, painted[0].faces[0].points)
    eyes = fill_rings([mesh.points[list(ring)] for ring in (RIGHT_EYE, LEFT_EYE)], photo.shape[:2])
    lids = grown(eyes, 3) & ~grown(eyes, 1)
    changes = [np.abs(one.image.astype(float) - shaped)[lids].mean() for one in painted]
    assert changes[1] < 0.8 * changes[0]
    far = ~grown(eyes, 0.3 * eye_distance(mesh))
    np.testing.assert_array_equal(painted[0].image[far], painted[1].image[far])


def test_beard_gets_thinner_on_the_way_to_a_woman():
    bearded = synthetic_face(256, seed=1)
    mesh = synthetic_mesh(256)
    _, none = shave(bearded, mesh)
    assert none.max() < 0.5
    lab = to_lab(bearded)
    # A beard of many strands, laid over the chin.
    zone = fill_rings([mesh.points[[172, 150, 152, 379, 397, 432, 410, 164, 186, 212]]], bearded.shape[:2])
    zone &= ~fill_rings([mesh.points[[61, 40, 0, 270, 291, 321, 17, 91]]], bearded.shape[:2])
    painted = bearded.copy()
    painted[zone] = painted[zone] // 4
    under, beard = shave(painted, mesh)
    assert beard.max() > 0.8
    shaved = recolour(painted, mesh, np.zeros((192, 192, 3), np.float32), cover=(under, beard))
    light = [to_lab(image)[zone][:, 0].mean() for image in (painted, shaved)]
    assert light[0] < light[1] - 15
    assert abs(light[1] - lab[zone][:, 0].mean()) < 20  # near the lips it stays


# -- age -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["astronaut", "biden", "obama"])  # a painting's cracks do not outlast a warp
def test_older_face_has_more_folds_and_a_younger_one_fewer(name):
    image = portrait(name)
    mesh = detect_faces(image)[0]
    size = image.shape[:2]
    skin = face_mask(mesh, size, margin=0.12) & ~feature_mask(mesh, size, reach=0.12)

    def rough(picture):
        light = cv2.GaussianBlur(to_lab(picture)[..., 0], (0, 0), 1.2)  # what a warp's sampling leaves
        return float(np.abs(np.diff(light, axis=0))[skin[1:]].mean())

    found = [rough(change_age(image, years=years).image) for years in (-15, 0.01, 15, 30)]
    assert found[0] < 1.01 * found[1]
    assert max(found[:3]) < found[3]


def test_hair_turns_grey_with_the_years_and_nothing_else_does():
    image = portrait("astronaut")
    mesh = detect_faces(image)[0]
    pictures = [grey_hair(image, mesh, years) for years in (5, 20, 40)]
    np.testing.assert_array_equal(pictures[0], image)
    chroma = [np.hypot(*np.moveaxis(to_lab(picture)[..., 1:], 2, 0)).mean() for picture in pictures]
    assert chroma[0] > chroma[1] > chroma[2]
    face = face_mask(mesh, image.shape[:2], margin=0.15)
    assert (pictures[2][face] == image[face]).mean() > 0.9


# -- shapes, colours, lines ----------------------------------------------------------------


def test_parts_cover_the_face_once_and_are_alike_on_both_sides():
    parts = zones()
    np.testing.assert_allclose(sum(parts.values()), 1, atol=1e-5)
    for name, part in parts.items():
        assert part.min() >= 0
        assert np.abs(part - part[:, ::-1]).mean() < 0.02, name
    assert open_parts().max() <= 1
    assert rim()[0].max() == 0
    assert rim()[96, 96] == 1


def test_reshaping_moves_a_point_where_it_should_go():
    image, mesh = synthetic_face(256, seed=1), synthetic_mesh(256)
    moved = mesh.points.copy()
    oval = list(FACE_OVAL)
    moved[oval] += 0.05 * (mesh.points[oval] - mesh.points[oval].mean(axis=0))
    found = detect_faces(reshape(image, mesh, moved))[0]
    assert np.ptp(found.points[oval, 0]) > 1.01 * np.ptp(detect_faces(image)[0].points[oval, 0])


def test_change_of_colour_is_weaker_in_the_shade_and_ends_at_white():
    mesh = synthetic_mesh(256)
    change = np.zeros((192, 192, 3), np.float32)
    change[..., 0] = 10
    dark, light, white = (np.full((256, 256, 3), level, np.uint8) for level in (60, 140, 252))
    x, y = mesh.points[50].astype(int)
    rise = [
        to_lab(recolour(one, mesh, change))[y, x, 0] - to_lab(one)[y, x, 0] for one in (dark, light, white)
    ]
    assert 1 < rise[0] < rise[1] < 10
    assert rise[2] <= 1.5


def test_what_hangs_into_the_face_stays():
    image, mesh = synthetic_face(256), synthetic_mesh(256)
    kept = np.zeros((256, 256), np.bool_)
    kept[:128] = True
    result = recolour(image, mesh, texture_along(gender=3), kept=kept)
    assert (result[:120] == image[:120]).all()
    assert (result[140:] != image[140:]).any()


def test_folds_are_alike_on_both_sides_and_away_from_the_eyes():
    drawn = folds()
    assert np.corrcoef(np.abs(drawn).ravel(), np.abs(drawn[:, ::-1]).ravel())[0, 1] > 0.5
    inside = np.kron(open_parts(), np.ones((4, 4), np.float32)) > 0.9
    assert np.abs(drawn[inside]).max() < 0.1


def test_stubble_is_where_beards_grow_and_the_same_each_time():
    grain = stubble(synthetic_mesh(256), (256, 256))
    np.testing.assert_array_equal(grain, stubble(synthetic_mesh(256), (256, 256)))
    rows = np.flatnonzero((grain < -1).any(axis=1))
    assert rows.min() > grain.shape[0] * 0.5


# -- what researchers try first --------------------------------------------------------------


@SAMPLES
def test_caricature_leads_away_from_the_mean_and_back_to_it(name):
    image = portrait(name)

    def distance(amount):
        shape = fit_face(caricature(image, amount=amount).faces[0]).shape
        return float(np.linalg.norm(shape - mean_shape(), axis=1).mean())

    found = [distance(amount) for amount in (-1, -0.5, 0, 0.5, 1)]
    assert found == sorted(found)
    assert found[0] < 0.2 * found[2]


def test_morph_begins_at_one_face_and_ends_at_the_other():
    one, other = portrait("obama"), portrait("biden")
    np.testing.assert_array_equal(morph(one, other, share=0), one)
    shapes = [fit_face(detect_faces(image)[0]).shape for image in (one, other)]
    between = fit_face(detect_faces(morph(one, other, share=0.5))[0]).shape
    apart = np.linalg.norm(shapes[0] - shapes[1], axis=1).mean()
    for shape in shapes:
        assert np.linalg.norm(between - shape, axis=1).mean() < apart
    for wrong in (-0.1, 1.1, math.nan):
        with pytest.raises(ArrayError, match="share"):
            morph(one, other, share=wrong)


def test_average_is_nearer_to_the_mean_face_than_those_who_make_it():
    pictures = [portrait(name) for name in ("astronaut", "biden", "joconde", "obama")]

    def distance(image):
        return float(np.linalg.norm(fit_face(detect_faces(image)[0]).shape - mean_shape(), axis=1).mean())

    result = average(pictures, size=256)
    assert result.shape == (256, 256, 3)
    assert distance(result) < np.mean([distance(image) for image in pictures])
    np.testing.assert_array_equal(result, average(pictures, size=256))
    for wrong in ({"images": []}, {"images": pictures, "size": 8}, {"images": pictures, "size": 9999}):
        with pytest.raises(ArrayError):
            average(**wrong)
    with pytest.raises(NoFaceError):
        average([np.zeros((64, 64, 3), np.uint8)])


def test_average_of_a_face_and_its_mirror_image_is_even():
    image = portrait("obama")
    result = average([image, np.ascontiguousarray(image[:, ::-1])], size=256)
    face = face_mask(detect_faces(result)[0], result.shape[:2], margin=0.2)
    face &= face[:, ::-1]
    assert np.abs(result.astype(int) - result[:, ::-1])[face].mean() < 6


def test_axis_is_the_same_for_a_picture_and_its_mirror_image():
    image = portrait("obama")
    one = change_gender(image, toward="female").faces[0].points - detect_faces(image)[0].points
    assert np.abs(one).max() > 1
    assert np.linalg.norm(along(gender=1)) > 0
