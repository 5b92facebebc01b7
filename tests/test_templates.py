"""Any picture with a face is a template; a folder that is not one says why."""

import shutil

import numpy as np
import pytest
from PIL import Image

from facekit import templates
from facekit.errors import TemplateError
from facekit.synthetic import synthetic_face
from facekit.templates import list_templates, load_template, template_from_picture, template_names

SLOT = "\n[[slots]]\ncentre = [64, 64]\neye_distance = 40\n"
TEXTS = {"astronaut": "NASA", "joconde": "Leonardo"}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path):
    """A template folder with a picture, and a writer for its template.toml."""
    path = tmp_path / "mine"
    path.mkdir()
    Image.fromarray(synthetic_face(128)).save(path / "face.png")
    (path / "template.toml").write_text('picture = "face.png"\n')
    return path


def count_detections(monkeypatch):
    calls = []
    real = templates.detect_faces

    def detect(*args, **options):
        calls.append(args)
        return real(*args, **options)

    monkeypatch.setattr(templates, "detect_faces", detect)
    return calls


def kept_in(cache):
    return [path for path in (cache / "facekit").rglob("*") if path.is_file()]


def check_slots(template):
    shape = template.image.shape[:2]
    assert template.slots
    for slot in template.slots:
        assert slot.mask.shape == slot.occluders.shape == shape
        assert (slot.mask & ~slot.occluders).any()
        x0, y0, x1, y1 = slot.mesh.box
        assert min(x1, y1, shape[1] - x0, shape[0] - y0) > 0


def test_there_are_six_ready_templates():
    assert len(template_names()) >= 6
    assert list(template_names()) == sorted(template_names())


@pytest.mark.parametrize("name", template_names())
def test_ready_template_shows_a_face_and_whom_to_thank(name, require_sample):
    if name in TEXTS:
        require_sample(name)
    template = load_template(name)
    check_slots(template)
    assert template.name == name
    assert template.title
    assert template.credit
    assert template.licence


def test_drawn_templates_are_listed_without_any_sample(monkeypatch):
    monkeypatch.setattr(templates, "has_sample", lambda _: False)
    names = [template.name for template in list_templates()]
    assert set(names) == set(template_names()) - set(TEXTS)


def test_card_has_two_slots_the_second_upside_down():
    upper, lower = load_template("card").slots
    assert abs(upper.mesh.angles()[2]) < 30
    assert abs(lower.mesh.angles()[2]) > 150
    assert not (upper.mask & lower.mask).any()


@pytest.mark.clause("1.2.3b", partly="a picture file used as a template is not cached")
def test_any_picture_with_a_face_is_a_template(tmp_path, cache):
    path = tmp_path / "anyone.jpg"
    Image.fromarray(synthetic_face(200, seed=2)).save(path, quality=95)
    check_slots(load_template(path))
    assert not kept_in(cache)


@pytest.mark.clause("1.2.3b", partly="a picture used as a template is not cached")
def test_users_picture_is_never_cached(cache):
    check_slots(template_from_picture(synthetic_face(128)))
    assert not kept_in(cache)


def test_slots_of_a_picture_are_ordered_by_size():
    image = np.full((300, 600, 3), 128, np.uint8)
    image[50:178, 20:148] = synthetic_face(128, seed=3)
    image[20:276, 300:556] = synthetic_face(256, seed=4)
    first, second = template_from_picture(image).slots
    assert np.ptp(first.mesh.points[:, 0]) > np.ptp(second.mesh.points[:, 0])


def test_picture_without_a_face_is_refused():
    with pytest.raises(TemplateError, match="no face"):
        template_from_picture(np.full((64, 64, 3), 90, np.uint8))


def test_unknown_name_lists_the_ready_ones_and_hides_what_was_asked():
    with pytest.raises(TemplateError, match="stamp") as caught:
        load_template("my-holiday-2019.jpg")
    assert "holiday" not in str(caught.value)


def test_slots_of_a_folder_are_looked_for_once(folder, cache, monkeypatch):
    calls = count_detections(monkeypatch)
    first, second = load_template(folder), load_template(folder)
    assert len(calls) == 1
    (kept,) = kept_in(cache)
    assert kept.suffix == ".npz"
    (a,), (b,) = first.slots, second.slots
    for name in ("points", "depth", "pose"):
        np.testing.assert_array_equal(getattr(a.mesh, name), getattr(b.mesh, name))
    assert (a.mesh.box, a.mesh.score) == (b.mesh.box, b.mesh.score)
    assert dict(a.mesh.blendshapes) == dict(b.mesh.blendshapes)
    np.testing.assert_array_equal(a.mask, b.mask)
    np.testing.assert_array_equal(a.occluders, b.occluders)


def test_another_picture_has_another_place_in_the_cache(folder, cache, monkeypatch):
    calls = count_detections(monkeypatch)
    load_template(folder)
    Image.fromarray(synthetic_face(128, seed=9)).save(folder / "face.png")
    load_template(folder)
    assert len(calls) == len(kept_in(cache)) == 2


@pytest.mark.parametrize("damage", ["empty", "rubbish", "cut", "flipped"])
def test_damaged_cache_is_made_again(folder, cache, monkeypatch, damage):
    whole = load_template(folder)
    (kept,) = kept_in(cache)
    data = bytearray(kept.read_bytes())
    data[200:260] = bytes(byte ^ 0x55 for byte in data[200:260])
    kept.write_bytes(
        {"empty": b"", "rubbish": b"PK rubbish", "cut": bytes(data[:300]), "flipped": bytes(data)}[damage]
    )
    calls = count_detections(monkeypatch)
    np.testing.assert_array_equal(load_template(folder).slots[0].mask, whole.slots[0].mask)
    load_template(folder)
    assert len(calls) == 1


def test_cache_that_cannot_be_written_only_costs_time(folder, cache, monkeypatch):
    cache.write_text("a file where the folder should be")
    calls = count_detections(monkeypatch)
    for _ in range(2):
        check_slots(load_template(folder))
    assert len(calls) == 2


def test_declared_slot_is_where_the_table_says(folder, monkeypatch, cache):
    calls = count_detections(monkeypatch)
    (folder / "template.toml").write_text('picture = "face.png"\n' + SLOT + "roll = 90\n")
    (slot,) = load_template(folder).slots
    right, left = slot.mesh.points[33], slot.mesh.points[263]
    assert np.linalg.norm(left - right) == pytest.approx(40, rel=1e-4)
    assert left[1] - right[1] == pytest.approx(40, abs=1)
    assert not calls
    assert not kept_in(cache)


def test_declared_mask_and_occluders_are_read(folder):
    half = np.zeros((128, 128), np.uint8)
    half[:, 64:] = 255
    top = np.zeros((128, 128), np.uint8)
    top[:50] = 255
    Image.fromarray(half).save(folder / "half.png")
    Image.fromarray(top).save(folder / "top.png")
    (folder / "template.toml").write_text(
        'picture = "face.png"\n' + SLOT + 'mask = "half.png"\noccluders = "top.png"\n'
    )
    (slot,) = load_template(folder).slots
    assert slot.mask[:, 64:].any()
    assert not slot.mask[:, :64].any()
    np.testing.assert_array_equal(slot.occluders, top > 0)


FAULTS = {
    "bad TOML": ("picture = ", "not valid TOML"),
    "unknown key": ('picture = "face.png"\nauthor = "me"', "author"),
    "neither": ('title = "nothing"', '"picture" or "sample"'),
    "both": ('picture = "face.png"\nsample = "astronaut"', '"picture" or "sample"'),
    "number for a name": ("picture = 5", "text"),
    "outside": ('picture = "../face.png"', "not in the template's folder"),
    "absolute": ('picture = "/etc/hostname"', "not in the template's folder"),
    "missing": ('picture = "none.png"', "not in the template's folder"),
    "nul": ('picture = "none\\u0000.png"', "not in the template's folder"),
    "slots are no tables": ('picture = "face.png"\nslots = 5', "tables"),
    "unknown key in a slot": ('picture = "face.png"' + SLOT + "jaw = 1", "jaw"),
    "no centre": ('picture = "face.png"\n[[slots]]\neye_distance = 40', "centre"),
    "short centre": ('picture = "face.png"\n[[slots]]\ncentre = [5]\neye_distance = 40', "centre"),
    "no eye distance": ('picture = "face.png"\n[[slots]]\ncentre = [64, 64]', "eye_distance"),
    "no distance": ('picture = "face.png"\n[[slots]]\ncentre = [6, 6]\neye_distance = 0', "above 0"),
    "not finite": ('picture = "face.png"' + SLOT + "yaw = inf", "finite"),
    "off the picture": ('picture = "face.png"\n[[slots]]\ncentre = [999, 0]\neye_distance = 9', "nothing"),
    "mask of another size": ('picture = "face.png"' + SLOT + 'mask = "wide.png"', r"\(9, 20\)"),
    "occluders of another size": ('picture = "face.png"' + SLOT + 'occluders = "wide.png"', r"\(9, 20\)"),
    "no face": ('picture = "wide.png"', "no face"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_folder_says_what_is_wrong(folder, cache, fault):
    text, message = FAULTS[fault]
    Image.fromarray(synthetic_face(128)).save(folder.parent / "face.png")
    Image.fromarray(np.full((9, 20), 255, np.uint8)).save(folder / "wide.png")
    (folder / "template.toml").write_text(text)
    with pytest.raises(TemplateError, match=message) as caught:
        load_template(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) not in str(caught.value)


def test_link_out_of_the_folder_is_refused(folder):
    shutil.move(folder / "face.png", folder.parent / "elsewhere.png")
    (folder / "face.png").symlink_to(folder.parent / "elsewhere.png")
    with pytest.raises(TemplateError, match="not in the template's folder"):
        load_template(folder)


def test_folder_without_a_table_is_refused(tmp_path):
    with pytest.raises(TemplateError, match=r"template\.toml"):
        load_template(tmp_path)
