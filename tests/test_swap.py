"""A swap changes the face and nothing else, and its dials do what they say."""

import gc
import pickle
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from facekit import finding, place, swap
from facekit.compiled import can_compile
from facekit.data import load_sample
from facekit.errors import ArrayError, FaceIndexError, NoFaceError, TemplateError
from facekit.landmarks import detect_faces
from facekit.place import PADDING, place_of
from facekit.segment import cut_out, eye_distance, inner_mouth_mask
from facekit.swap import swap_face, swap_faces
from facekit.synthetic import synthetic_face
from facekit.templates import load_template, template_from_picture
from facekit.values import Slot, Template

STAGES = {"detect", "warp", "colour", "mask", "blend"}


@pytest.fixture(scope="module")
def photo():
    return synthetic_face(256, seed=1)


@pytest.fixture(scope="module")
def template():
    return template_from_picture(synthetic_face(256, seed=2))


def step(a, b):
    return np.abs(a.astype(int) - b)


def check_law(result, template):
    """What holds for every swap: the template's size, and bit-equal outside the mask."""
    assert result.image.shape == template.image.shape
    assert result.image.dtype == np.uint8
    assert result.mask.any()
    np.testing.assert_array_equal(result.image[~result.mask], template.image[~result.mask])


def check_range(result, photo, template):
    """Every changed pixel lies near what the two faces hold: no black hole, no glare."""
    seen = result.image[result.mask].mean(axis=1)
    known = np.concatenate([template.image[slot.mask] for slot in template.slots]).mean(axis=1)
    assert seen.min() > min(known.min(), 60) - 40
    assert seen.max() < max(known.max(), photo.max() - 20) + 40
    assert abs(np.median(seen) - np.median(known)) < 25


@pytest.mark.clause("1.2.2(2)", partly="the face is blended into the template, and nothing else changes")
def test_result_is_the_template_with_another_face(photo, template):
    result = swap_face(photo, template)
    check_law(result, template)
    check_range(result, photo, template)
    assert step(result.image, template.image)[result.mask].mean() > 1
    assert set(result.timings) >= STAGES
    assert all(seconds >= 0 for seconds in result.timings.values())
    assert result.faces[1] is template.slots[0].mesh


def test_result_keeps_the_templates_pose(photo):
    template = template_from_picture(synthetic_face(256, seed=2, yaw=12, roll=10))
    (found,) = detect_faces(swap_face(photo, template).image)
    assert found.angles() == pytest.approx(template.slots[0].mesh.angles(), abs=5)


def same(a, b):
    np.testing.assert_array_equal(a.image, b.image)
    np.testing.assert_array_equal(a.mask, b.mask)


def afresh(template):
    """The same template, of which nothing has been worked out yet."""
    return replace(template, slots=tuple(replace(slot) for slot in template.slots))


DIALS = pytest.mark.parametrize("dials", [{}, {"shape": 0.7, "features": 0.6, "keep_mouth": True}])


@DIALS
def test_template_that_was_used_before_gives_the_same_bits(photo, template, dials):
    used = afresh(template)
    swap_face(synthetic_face(200, seed=5), used, keep_mouth=True)
    for _ in range(2):
        same(swap_face(photo, used, **dials), swap_face(photo, afresh(template), **dials))


def test_what_a_slot_gives_is_worked_out_once_by_however_many_threads(photo, template, monkeypatch):
    calls, real, fresh = [], place.make_place, afresh(template)
    monkeypatch.setattr(place, "make_place", lambda *args: (calls.append(args), real(*args))[1])
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: swap_face(photo, fresh), range(6)))
    assert len(calls) == 1
    for result in results[1:]:
        same(result, results[0])


def test_what_a_slot_gives_dies_with_its_template(photo):
    template = template_from_picture(synthetic_face(256, seed=2))
    swap_face(photo, template, keep_mouth=True)
    given = place_of(template.slots[0])
    watched = [weakref.ref(array) for array in (given.skin, given.free, given.mouth()[0], template.image)]
    del given, template
    gc.collect()
    assert not any(array() is not None for array in watched)


@pytest.mark.clause("1.2.3b", partly="a template holds nothing of the photos swapped into it")
def test_template_keeps_nothing_of_a_photo(photo, template):
    kept = afresh(template)
    swap_face(photo, kept, keep_mouth=True)
    first = place_of(kept.slots[0])
    swap_face(synthetic_face(200, seed=5), kept, shape=1.0, keep_mouth=True)
    fresh = place_of(afresh(template).slots[0])
    assert place_of(kept.slots[0]) is first
    for name in ("mask", "occluders", "skin", "free"):
        np.testing.assert_array_equal(getattr(first, name), getattr(fresh, name))
    for one, other in zip(first.mouth(), fresh.mouth(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_pickled_template_leaves_what_was_worked_out_behind(photo, template):
    unused = afresh(template)
    size = len(pickle.dumps(unused))
    swap_face(photo, unused)
    assert len(pickle.dumps(unused)) == size
    assert len(pickle.dumps(place_of(unused.slots[0]).skin)) > size / 20  # it would show


def test_photo_without_a_face_is_refused_only_when_the_template_is_copied(template, monkeypatch):
    copies = []
    monkeypatch.setattr(swap, "start_aside", lambda work: lambda: copies.append(work()))
    with pytest.raises(NoFaceError):
        swap_face(np.full((64, 64, 3), 90, np.uint8), template)
    assert len(copies) == 1


def test_inputs_are_never_written(photo, template):
    slot = template.slots[0]
    arrays = [photo, template.image, slot.mask, slot.occluders, slot.mesh.points, slot.mesh.depth]
    before = [array.copy() for array in arrays]
    for shape, keep in ((0.0, "auto"), (1.0, True)):
        swap_face(photo, template, shape=shape, features=0.6, keep_mouth=keep)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("shape", [0.0, 0.7])
def test_same_inputs_give_the_same_bits(photo, template, shape):
    first, again = (swap_face(photo, template, shape=shape) for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.mask, again.mask)


@pytest.mark.parametrize("dials", [{}, {"shape": 0.7, "features": 0.6, "keep_mouth": True}])
def test_threads_do_not_change_a_bit(photo, template, dials, monkeypatch):
    large = np.repeat(np.repeat(photo, 3, axis=0), 3, axis=1)
    results = []
    for threads in ("1", "2"):
        monkeypatch.setenv("FACEKIT_THREADS", threads)
        results.append(swap_face(large, template, **dials))
    np.testing.assert_array_equal(results[0].image, results[1].image)
    np.testing.assert_array_equal(results[0].mask, results[1].mask)


def surrounded(template, pad):
    """The template in the middle of a larger picture."""
    (slot,) = template.slots
    points = slot.mesh.points + np.float32(pad)
    mesh = replace(slot.mesh, points=points, box=tuple(side + pad for side in slot.mesh.box))
    slot = Slot(mesh, np.pad(slot.mask, pad), np.pad(slot.occluders, pad))
    image = np.pad(template.image, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    return Template("larger", image, (slot,))


def allocated(photo, template, monkeypatch):
    """Most bytes that a swap holds at a time, beyond the result and its mask."""
    mesh = detect_faces(photo)
    monkeypatch.setattr(finding, "detect_faces", lambda *_, **__: mesh)
    swap_face(photo, template)
    tracemalloc.start()
    try:
        result = swap_face(photo, template)
        return tracemalloc.get_traced_memory()[1] - result.image.nbytes - result.mask.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not can_compile(), reason="the naive versions take more")
def test_same_face_in_a_larger_picture_takes_no_more_memory(monkeypatch):
    # At this size the region outweighs what does not grow with it: tables, meshes.
    photo, template = synthetic_face(800, seed=1), template_from_picture(synthetic_face(800, seed=2))
    template = surrounded(template, 100)  # so that no box is cut by the border
    wide = np.pad(photo, ((300, 300), (300, 300), (0, 0)), mode="edge")
    close, far = (
        allocated(*pair, monkeypatch) for pair in ((photo, template), (wide, surrounded(template, 900)))
    )
    (slot,) = template.slots
    box = cut_out(template.image, slot.mesh, PADDING * eye_distance(slot.mesh))[0]
    assert close < 6 * box.size * 4
    assert far < 1.1 * close


@pytest.mark.parametrize("face", [1, 5, -1])
def test_face_that_is_not_there_is_named(photo, template, face):
    with pytest.raises(FaceIndexError, match=str(face)):
        swap_face(photo, template, face=face)


@pytest.mark.parametrize("slot", [1, -1])
def test_slot_that_is_not_there_is_named(photo, template, slot):
    with pytest.raises(TemplateError, match=str(slot)):
        swap_face(photo, template, slot=slot)


def test_photo_without_a_face_is_refused(template):
    with pytest.raises(NoFaceError):
        swap_face(np.full((64, 64, 3), 90, np.uint8), template)


@pytest.mark.parametrize(
    "dial",
    [
        {"shape": -0.1},
        {"features": 1.1},
        {"colour": float("nan")},
        {"keep_mouth": "yes"},
        {"gaze": "away"},
    ],
)
def test_dial_out_of_range_is_named(photo, template, dial):
    with pytest.raises(ArrayError, match=next(iter(dial))):
        swap_face(photo, template, **dial)


@pytest.mark.parametrize("pairs", [[], [(0, 0), (0, 0)]])
def test_pairs_fill_each_slot_at_most_once(photo, template, pairs):
    with pytest.raises(ArrayError, match="pairs"):
        swap_faces(photo, template, pairs)


def test_without_features_the_template_comes_back(photo, template):
    result = swap_face(photo, template, features=0.0)
    check_law(result, template)
    assert step(result.image, template.image).max() <= 4


def test_features_melt_from_template_to_person(photo, template):
    steps = [
        step(swap_face(photo, template, features=share).image, template.image).mean()
        for share in (0.0, 0.5, 1.0)
    ]
    assert steps == sorted(steps)
    assert steps[2] > 1.3 * steps[1] > 2 * steps[0]


def test_colour_dial_brings_the_persons_skin_to_the_templates(template):
    dark = (synthetic_face(256, seed=1) * 0.6).astype(np.uint8)
    plain, toned = (swap_face(dark, template, colour=share) for share in (0.0, 1.0))
    check_law(plain, template)
    check_range(toned, dark, template)


def test_shape_moves_the_face_towards_the_persons(photo):
    # A face that is squeezed has another shape than any template that was drawn.
    template = template_from_picture(synthetic_face(256, seed=2))
    narrow = photo[:, np.linspace(0, 255, 215).round().astype(int)]
    result = swap_face(narrow, template, shape=1.0)
    check_law(result, template)
    (found,), before = detect_faces(result.image), template.slots[0].mesh
    (person,) = detect_faces(narrow)

    def slimness(mesh):
        return np.ptp(mesh.points[:468, 1]) / np.ptp(mesh.points[:468, 0])

    assert slimness(person) > 1.08 * slimness(before)
    assert slimness(found) - slimness(before) > 0.5 * (slimness(person) - slimness(before))
    assert not result.mask[:10].any()
    assert not result.mask[:, :10].any()


def test_kept_mouth_holds_the_templates_teeth(photo):
    image = synthetic_face(256, seed=2)
    (mesh,) = detect_faces(image)
    points = mesh.points.copy()
    lower = [14, 87, 178, 88, 95, 317, 402, 318, 324]
    points[lower, 1] += 14  # opens the mouth of the mesh, and the picture under it
    image[inner_mouth_mask(replace(mesh, points=points), image.shape[:2])] = (240, 240, 230)
    template = template_from_picture(image)
    slot = replace(template.slots[0], mesh=replace(mesh, points=points))
    template = replace(template, slots=(slot,))
    core = inner_mouth_mask(slot.mesh, image.shape[:2])
    kept, swapped = (swap_face(photo, template, keep_mouth=keep) for keep in (True, False))
    for result in (kept, swapped):
        check_law(result, template)
    assert step(kept.image, image)[core].mean() < 0.5 * step(swapped.image, image)[core].mean()
    np.testing.assert_array_equal(swap_face(photo, template).image, kept.image)  # "auto" keeps it, too


@pytest.mark.parametrize(
    ("mine", "theirs", "gaze"),
    [(25, -25, "template"), (-25, 25, "photo"), (0, 25, "template"), (-25, 0, "photo")],
)
def test_turned_faces_leave_no_hole(mine, theirs, gaze):
    photo = synthetic_face(224, seed=3, yaw=mine)
    template = template_from_picture(synthetic_face(224, seed=4, yaw=theirs))
    result = swap_face(photo, template, gaze=gaze)
    check_law(result, template)
    check_range(result, photo, template)


@pytest.mark.parametrize(("photo_size", "template_size"), [(70, 256), (256, 70), (70, 70)])
def test_tiny_faces_are_swapped(photo_size, template_size):
    photo = synthetic_face(photo_size, seed=1)
    template = template_from_picture(synthetic_face(template_size, seed=2))
    check_law(swap_face(photo, template), template)


def test_huge_photo_goes_into_a_small_template(template):
    photo = np.repeat(np.repeat(synthetic_face(600, seed=1), 5, axis=0), 5, axis=1)
    result = swap_face(photo, template)
    check_law(result, template)
    check_range(result, photo, template)


@pytest.mark.parametrize("cut", [np.s_[:, 80:], np.s_[60:], np.s_[:, :170], np.s_[:190]])
def test_faces_cut_by_the_border_are_swapped(photo, cut):
    template = template_from_picture(synthetic_face(256, seed=2)[cut])
    check_law(swap_face(photo, template), template)
    whole = template_from_picture(synthetic_face(256, seed=2))
    check_law(swap_face(photo[cut], whole), whole)


def test_two_people_go_into_the_cards_two_slots():
    card = load_template("card")
    photo = np.concatenate([synthetic_face(256, seed=seed) for seed in (1, 2)], axis=1)
    both = swap_faces(photo, card, [(0, 0), (1, 1)])
    check_law(both, card)
    assert len(both.faces) == 4
    for slot in card.slots:
        changed = both.mask & slot.mask
        assert changed.sum() > 0.5 * (slot.mask & ~slot.occluders).sum()
    upper, lower = (swap_face(photo, card, face=index, slot=index) for index in (0, 1))
    np.testing.assert_array_equal(both.mask, upper.mask | lower.mask)


def test_sample_person_goes_into_the_astronaut(require, require_sample):
    for name in ("obama", "astronaut"):
        require_sample(name)
    from facekit.errors import FacekitError
    from facekit.evaluate import identity_distance, pose_error

    photo, template = load_sample("obama"), load_template("astronaut")
    result = swap_face(photo, template)
    check_law(result, template)
    (found, *_) = detect_faces(result.image)
    assert max(pose_error(found, template.slots[0].mesh)) < 5
    try:
        towards, away = (identity_distance(result.image, image) for image in (photo, template.image))
    except FacekitError:
        require("dlib", False, "dlib is not here")
    assert towards < away
