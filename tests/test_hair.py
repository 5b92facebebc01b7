"""Hair is found on heads that have some, wherever it hangs, and brows and clothes are none."""

import cv2
import numpy as np
import pytest

from facekit.beard import beard_matte
from facekit.data import load_sample
from facekit.framing import frame_head
from facekit.glasses import glasses_score
from facekit.hair import hair_matte
from facekit.landmarks import detect_faces
from facekit.segment import eye_distance, face_mask, feature_mask
from facekit.synthetic import Look, draw_head, place_face, synthetic_face, synthetic_mesh

SIZE = 256
MESH = synthetic_mesh(SIZE)
UNIT = 0.27 * SIZE


def drawn(look, mesh=MESH, size=SIZE):
    head, matte = draw_head((size, size), mesh, look)
    wall = np.full((size, size, 3), (205, 210, 200), np.float32)
    return (wall + matte[..., None] * (head - wall) + 0.5).astype(np.uint8)


def at(matte, x, y):
    """Mean of the matte around a place given in eye distances from the middle of the eyes."""
    mx, my = (MESH.points[33] + MESH.points[263]) / 2 + np.array([x, y]) * UNIT
    part = matte[round(my - 2) : round(my + 3), round(mx - 2) : round(mx + 3)]
    return float(part.mean())


HAIR = {"dark": (15, 3, 4), "brown": (32, 10, 16), "blond": (72, 4, 30), "grey": (62, 0, 2)}


@pytest.mark.parametrize("colour", HAIR)
def test_hair_of_every_colour_is_found_on_the_crown_alone(colour):
    hair = hair_matte(drawn(Look(hair=HAIR[colour])), MESH)
    assert at(hair, 0, -1.25) > 0.8
    assert at(hair, 0, -0.35) < 0.1  # the forehead
    assert at(hair, 0.35, 0.5) < 0.05  # a cheek
    assert at(hair, 0, 1.5) < 0.1  # the neck
    assert at(hair, 1.4, 1.9) < 0.1  # the shirt


def test_bald_head_has_next_to_no_hair():
    hair = hair_matte(drawn(Look(bald=True)), MESH)
    assert hair.sum() < 0.05 * UNIT**2


def test_brows_are_no_hair():
    hair = hair_matte(drawn(Look(hair=(15, 3, 4))), MESH)
    assert hair[feature_mask(MESH, hair.shape, reach=0.0)].mean() < 0.02


def test_dark_shirt_is_no_hair_though_it_has_the_same_colour():
    hair = hair_matte(drawn(Look(hair=(15, 1, 1), cloth=(15, 1, 1))), MESH)
    assert at(hair, 0, -1.25) > 0.8
    assert at(hair, 1.2, 2.0) < 0.15


@pytest.mark.parametrize("sides", [(-1,), (1,), (-1, 1)])
def test_hair_that_hangs_beside_a_cheek_is_followed_to_the_shoulder(sides):
    image = drawn(Look(hair=(18, 5, 6)))
    middle = (MESH.points[33] + MESH.points[263]) / 2
    colour = tuple(int(v) for v in image[round(middle[1] - 1.2 * UNIT), round(middle[0])])
    for side in sides:
        lock = np.array([[0.5, -1.2], [0.85, -0.7], [0.95, 0.3], [1.05, 1.9], [0.5, 2.0], [0.62, 0.6]])
        places = middle + lock * [side * UNIT, UNIT]
        cv2.fillPoly(image, [np.round(places).astype(np.int32)], colour, cv2.LINE_AA)
    hair = hair_matte(image, MESH)
    for side in (-1, 1):
        for y in (0.5, 1.5):
            found = at(hair, side * 0.8, y)
            assert found > 0.6 if side in sides else found < 0.15


def test_monas_hair_reaches_her_shoulders(require_sample):
    require_sample("joconde")
    image = load_sample("joconde")
    face = detect_faces(image, max_faces=1)[0]
    hair = hair_matte(image, face)
    unit = eye_distance(face)
    (x, y), (u, _) = face.points[152], face.points[454]
    assert hair[round(y - 0.1 * unit), round(u + 0.35 * unit)] > 0.7
    assert hair[round(y + 0.5 * unit), round(x)] < 0.1


def test_fringe_over_the_forehead_is_hair():
    image = drawn(Look(hair=(18, 5, 6)))
    middle = (MESH.points[33] + MESH.points[263]) / 2
    colour = tuple(int(v) for v in image[round(middle[1] - 1.2 * UNIT), round(middle[0])])
    fringe = middle + UNIT * np.array([[-0.6, -0.95], [0.6, -0.95], [0.55, -0.45], [0, -0.5], [-0.55, -0.45]])
    cv2.fillPoly(image, [np.round(fringe).astype(np.int32)], colour, cv2.LINE_AA)
    hair = hair_matte(image, MESH)
    assert at(hair, 0, -0.65) > 0.7
    assert at(hair, 0, -0.25) < 0.2


@pytest.mark.parametrize("roll", [-40, 25, 90])
def test_hair_turns_with_the_head(roll):
    mesh = synthetic_mesh(SIZE, roll=roll)
    hair = hair_matte(synthetic_face(SIZE, seed=1, roll=roll), mesh)
    up = (mesh.points[10] - mesh.points[152]) / np.hypot(*(mesh.points[10] - mesh.points[152]))
    crown, chin = mesh.points[10] + 0.35 * UNIT * up, mesh.points[152] + 0.1 * UNIT * up
    (x, y), (u, v) = np.round(crown).astype(int), np.round(chin).astype(int)
    assert hair[y, x] > 0.7
    assert hair[v, u] < 0.1


def test_hair_scales_with_the_face():
    small, large = (hair_matte(synthetic_face(size, seed=2), synthetic_mesh(size)) for size in (128, 512))
    assert large.sum() / small.sum() == pytest.approx(16, rel=0.1)


def test_astronauts_hair_is_found_and_her_suit_is_none(require_sample):
    require_sample("astronaut")
    image = load_sample("astronaut")
    (face,) = detect_faces(image, max_faces=1)
    hair = hair_matte(image, face)
    x, y = face.points[10].round().astype(int)
    assert hair[y - 25 : y - 10, x - 20 : x + 20].mean() > 0.9
    assert hair[int(face.box[3]) + 60 :].mean() < 0.02


@pytest.mark.parametrize("find", [hair_matte, beard_matte, glasses_score])
def test_face_beyond_the_picture_and_tiny_faces_are_no_error(find):
    image = synthetic_face(128)
    image.setflags(write=False)
    for mesh in (place_face((0, 60), 34), place_face((400, 400), 34), place_face((64, 64), 6)):
        assert np.isfinite(find(image, mesh)).all()


@pytest.mark.parametrize("find", [hair_matte, beard_matte, glasses_score])
def test_same_picture_gives_the_same_bits(find):
    image = synthetic_face(160, seed=3)
    np.testing.assert_array_equal(find(image, synthetic_mesh(160)), find(image, synthetic_mesh(160)))


# -- the frame -----------------------------------------------------------------------------


def test_what_is_found_in_the_frame_comes_back_to_its_place():
    mesh = synthetic_mesh(SIZE, roll=35, yaw=10)
    framed = frame_head(synthetic_face(SIZE, roll=35, yaw=10), mesh)
    assert eye_distance(framed.mesh) == pytest.approx(framed.unit, rel=0.01)
    spot = face_mask(framed.mesh, framed.image.shape[:2]).astype(np.float32)
    back = framed.carry_back(spot, (SIZE, SIZE))
    assert abs(back - face_mask(mesh, (SIZE, SIZE))).mean() < 0.01
    assert not framed.inside[0, 0]


# -- beard and glasses ---------------------------------------------------------------------


def bearded(image, colour, share=1.0):
    """Grow a beard around the mouth and along the jaw."""
    grown = image.copy()
    below = (MESH.points[33, 1] + MESH.points[263, 1]) / 2 + 0.62 * UNIT
    zone = face_mask(MESH, (SIZE, SIZE), margin=0.02) & (np.arange(SIZE)[:, None] > below)
    zone &= ~feature_mask(MESH, (SIZE, SIZE), reach=0.02)
    grown[zone] = ((1 - share) * grown[zone] + share * np.array(colour)).astype(np.uint8)
    return grown, zone


@pytest.mark.parametrize("seed", range(4))
def test_shaven_face_has_no_beard(seed):
    assert not beard_matte(synthetic_face(SIZE, seed=seed), MESH).any()


@pytest.mark.parametrize("colour", [(30, 22, 18), (70, 45, 28), (150, 150, 150)])
def test_beard_is_found_where_it_grows_and_lips_are_free(colour):
    image, zone = bearded(drawn(Look()), colour)
    beard = beard_matte(image, MESH)
    assert beard[zone].mean() > 0.6
    assert beard[~zone].sum() < 0.25 * beard.sum()
    assert at(beard, 0, 0.35) < 0.1  # the nose


def test_stubble_is_less_than_a_beard():
    image = drawn(Look())
    full, half = (beard_matte(bearded(image, (30, 22, 18), share)[0], MESH).mean() for share in (1.0, 0.4))
    assert 0.1 * full < half < 0.9 * full


def test_shadow_on_one_side_is_no_beard():
    image = drawn(Look()).astype(np.float32)
    image *= np.where(np.arange(SIZE) > MESH.points[4, 0], 0.6, 1.0)[None, :, None].astype(np.float32)
    assert not beard_matte(image.astype(np.uint8), MESH).any()


def spectacled(image, mesh, colour, width):
    """Draw two rims and a bridge."""
    worn, unit = image.copy(), eye_distance(mesh)
    for inner, outer in ((133, 33), (362, 263)):
        x, y = ((mesh.points[inner] + mesh.points[outer]) / 2 + [0, 0.06 * unit]).round().astype(int).tolist()
        cv2.ellipse(worn, (x, y), (round(0.3 * unit), round(0.24 * unit)), 0, 0, 360, colour, width)
    left, right = (
        (mesh.points[i] + [s * 0.08 * unit, 0]).round().astype(int).tolist() for i, s in ((133, 1), (362, -1))
    )
    cv2.line(worn, left, right, colour, width)
    return worn


@pytest.mark.parametrize("seed", range(4))
def test_rims_are_glasses_and_bare_eyes_are_none(seed):
    image = synthetic_face(SIZE, seed=seed)
    assert glasses_score(image, MESH) < 0.3
    assert glasses_score(spectacled(image, MESH, (20, 18, 18), 3), MESH) > 0.7


def test_smile_lines_are_no_glasses(require_sample):
    require_sample("astronaut")
    image = load_sample("astronaut")
    (face,) = detect_faces(image, max_faces=1)
    assert glasses_score(image, face) < 0.4
