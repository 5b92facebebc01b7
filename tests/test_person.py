"""People are told from what is behind them, the same way every time."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from facekit import guided
from facekit.data import load_sample
from facekit.errors import ArrayError
from facekit.guided import guided_filter
from facekit.landmarks import detect_faces
from facekit.person import person_matte
from facekit.segment import face_mask
from facekit.synthetic import synthetic_face, synthetic_mesh
from facekit.tasks import close_tasks


@pytest.mark.parametrize("seed", range(4))
def test_drawn_person_is_told_from_the_wall(seed):
    matte = person_matte(synthetic_face(256, seed=seed))
    assert matte.dtype == np.float32
    assert matte.shape == (256, 256)
    assert matte.min() >= 0
    assert matte.max() <= 1
    assert matte[face_mask(synthetic_mesh(256), (256, 256))].mean() > 0.95
    assert matte[:40, :40].mean() < 0.05


def test_astronaut_is_a_person_and_the_flag_is_none(require_sample):
    require_sample("astronaut")
    image = load_sample("astronaut")
    matte = person_matte(image)
    (face,) = detect_faces(image, max_faces=1)
    assert matte[face_mask(face, matte.shape)].mean() > 0.97
    assert matte[100:200, :60].mean() < 0.1


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (400, 30)])
def test_every_picture_has_a_matte_of_its_size(shape):
    matte = person_matte(np.full((*shape, 3), 90, np.uint8))
    assert matte.shape == shape
    assert np.isfinite(matte).all()


def test_matte_is_as_sharp_as_the_picture_at_full_size():
    small, large = (person_matte(synthetic_face(size, seed=2)) for size in (256, 1024))
    assert abs(cv2.resize(large, (256, 256), interpolation=cv2.INTER_AREA) - small).mean() < 0.02
    stretched = cv2.resize(small, (1024, 1024))
    crossing = [((matte > 0.2) & (matte < 0.8)).sum() for matte in (stretched, large)]
    assert crossing[1] < 0.7 * crossing[0]


def test_same_picture_gives_the_same_bits_and_stays_untouched():
    image = synthetic_face(200, seed=1)
    copy = image.copy()
    image.setflags(write=False)
    first = person_matte(image)
    close_tasks()  # closes the segmenter, too
    np.testing.assert_array_equal(person_matte(image), first)
    np.testing.assert_array_equal(image, copy)


def test_what_is_no_picture_is_refused():
    with pytest.raises(ArrayError):
        person_matte(np.zeros((8, 8), np.uint8))


FORK = """
import os, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of a fork beside threads
from facekit.person import person_matte
from facekit.synthetic import synthetic_face
image = synthetic_face(128)
before = person_matte(image)
child = os.fork()
if not child:
    os._exit(7 if (person_matte(image) == before).all() else 8)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert (person_matte(image) == before).all()
print("both")
"""


def test_child_of_a_process_that_has_segmented_segments_too():
    done = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "both\n", "")


# -- the filter ----------------------------------------------------------------------------


def test_filter_moves_a_blurred_edge_to_the_pictures():
    image = np.full((60, 60, 3), 40, np.uint8)
    image[:, 33:] = (200, 150, 40)
    blurred = np.tile(np.clip((np.arange(60, dtype=np.float32) - 20) / 20, 0, 1), (60, 1))
    sharp = guided_filter(image, blurred, radius=12)
    assert sharp[30, 34] - sharp[30, 31] > 0.45
    assert np.ptp(sharp[30, 20:31]) < 0.6 * np.ptp(blurred[30, 20:31])


def test_filter_keeps_a_constant_and_its_range():
    image = synthetic_face(96, seed=3)
    flat = guided_filter(image, np.full((96, 96), 0.4, np.float32), radius=9)
    np.testing.assert_allclose(flat, 0.4, atol=2e-3)
    noisy = guided_filter(image, np.random.default_rng(1).random((96, 96), np.float32), radius=3)
    assert noisy.min() >= 0
    assert noisy.max() <= 1


def test_filter_without_a_compiler_gives_nearly_the_same(monkeypatch):
    image = synthetic_face(96, seed=4)
    matte = (image[..., 0] > 120).astype(np.float32)
    compiled = guided_filter(image, matte, radius=5)
    monkeypatch.setattr(guided, "can_compile", lambda: False)
    np.testing.assert_allclose(guided_filter(image, matte, radius=5), compiled, atol=2e-3)
