"""What is searched for finds every way in which a photo is written down, and nothing of anybody else's."""

import base64
import hashlib
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from facekit import canaries_of, encode_image, synthetic_face
from facekit.errors import ArrayError, InputError
from facekit.sweep import Sweep

RNG = np.random.default_rng(7)
UPLOAD = RNG.bytes(20_000)
PIXELS = RNG.integers(0, 256, (64, 80, 3), np.uint8)
POINTS = (RNG.random((478, 2)) * 1000).astype(np.float32)


def found(canaries, data):
    """Return what is found in some bytes, as (kind, form)."""
    sweep = Sweep(canaries.needles, canaries.labels)
    sweep.scan_bytes(data, "here")
    return {(hit.kind, hit.form) for hit in sweep.hits()}


def tiff(image):
    stream = io.BytesIO()
    Pillow.fromarray(image).save(stream, "tiff")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (UPLOAD, "raw"),
        (b"x" + UPLOAD, "raw"),
        *[(base64.b64encode(b"x" * shift + UPLOAD), "base64") for shift in range(3)],
        (base64.encodebytes(UPLOAD), "base64"),
        (UPLOAD.hex().encode(), "hex"),
        (UPLOAD.hex().upper().encode(), "hex"),
        (repr(UPLOAD).encode(), "repr"),
        (json.dumps(list(UPLOAD)).encode(), "numbers"),
        (json.dumps(list(UPLOAD), separators=(",", ":")).encode(), "numbers"),
    ],
)
def test_an_upload_is_found_in_every_notation(written, form):
    assert found(canaries_of(upload=UPLOAD), written) == {("upload", form)}


@given(start=st.integers(0, len(UPLOAD)), length=st.integers(2000, 4000))
def test_any_tenth_of_an_upload_is_enough(start, length):
    start = min(start, len(UPLOAD) - length)
    assert found(UPLOAD_CANARIES, UPLOAD[start : start + length]) == {("upload", "raw")}


UPLOAD_CANARIES = canaries_of(upload=UPLOAD)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512", "blake2b"])
def test_a_digest_of_the_upload_is_found(algorithm):
    digest = hashlib.new(algorithm, UPLOAD)
    assert found(UPLOAD_CANARIES, digest.digest()) == {("hash", f"{algorithm} raw")}
    assert found(UPLOAD_CANARIES, digest.hexdigest()[:16].encode()) == {("hash", f"{algorithm} hex")}
    assert found(UPLOAD_CANARIES, base64.b64encode(digest.digest())) == {("hash", f"{algorithm} base64")}


@pytest.mark.parametrize(
    ("array", "form"),
    [
        (PIXELS, "RGB"),
        (PIXELS[..., ::-1], "BGR"),
        (np.dstack([PIXELS, np.full((64, 80), 255, np.uint8)]), "RGBA"),
        (np.dstack([PIXELS[..., ::-1], np.full((64, 80), 255, np.uint8)]), "BGRA"),
        (PIXELS.astype(np.float32), "RGB float32"),
        (PIXELS[..., ::-1].astype(np.float32), "BGR float32"),
        (PIXELS[..., 1], "G plane"),
        (PIXELS[..., 2].astype(np.float32), "B plane float32"),
    ],
)
def test_pixels_are_found_as_the_code_holds_them(array, form):
    canaries = canaries_of(pixels=PIXELS)
    assert found(canaries, np.ascontiguousarray(array).tobytes()) == {("pixels", form)}


def test_pixels_are_found_in_an_uncompressed_file_and_as_text():
    canaries = canaries_of(pixels=PIXELS)
    assert ("pixels", "RGB") in found(canaries, tiff(PIXELS))
    assert found(canaries, base64.b64encode(PIXELS)) == {("pixels", "RGB base64")}


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (POINTS.tobytes(), "float32"),
        (POINTS.astype(np.float64).tobytes(), "float64"),
        (json.dumps(POINTS.tolist()).encode(), "text"),
        (json.dumps(POINTS.tolist(), separators=(",", ":")).encode(), "text"),
        (json.dumps(POINTS.ravel().tolist()).encode(), "text"),
        (json.dumps([[float(str(v)) for v in row] for row in POINTS]).encode(), "short text"),
        (base64.b64encode(POINTS.tobytes()), "float32 base64"),
    ],
)
def test_landmarks_are_found_as_numbers_and_as_text(written, form):
    assert ("landmarks", form) in found(canaries_of(landmarks=POINTS), written)


def test_a_result_is_searched_for_as_a_file_or_as_pixels():
    assert ("result", "raw") in found(canaries_of(result=UPLOAD), UPLOAD)
    assert ("result", "RGB") in found(canaries_of(result=PIXELS), PIXELS.tobytes())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-32-le"])
def test_a_file_name_is_found_in_every_encoding(encoding):
    canaries = canaries_of(name="Urlaub mit Jörg 2026.jpg")
    assert found(canaries, "…/Urlaub mit Jörg 2026.jpg".encode(encoding))
    assert found(canaries, b"/Urlaub%20mit%20J%C3%B6rg%202026.jpg")
    assert found(canaries, json.dumps("Urlaub mit Jörg 2026.jpg").encode())


def test_pieces_of_several_photos_go_together():
    other = RNG.bytes(20_000)
    both = UPLOAD_CANARIES + canaries_of(upload=other)
    assert found(both, UPLOAD) == found(both, other) == {("upload", "raw")}


# -- nobody else's -------------------------------------------------------------------------


def ordinary_jpeg(seed):
    stream = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (256, 256, 3), np.uint8)
    Pillow.fromarray(noise).save(stream, "jpeg", icc_profile=bytes(range(256)) * 2)
    return stream.getvalue()


def test_what_all_jpegs_share_is_no_piece_of_one():
    canaries = canaries_of(upload=ordinary_jpeg(1))
    assert not found(canaries, ordinary_jpeg(2))
    assert found(canaries, ordinary_jpeg(1)) == {("upload", "raw")}


def test_two_synthetic_faces_have_no_piece_in_common_with_each_others_files():
    mine, other = synthetic_face(192, seed=1), synthetic_face(192, seed=2)
    canaries = canaries_of(upload=encode_image(mine), pixels=mine)
    assert not found(canaries, encode_image(other) + other.tobytes())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"short",
        bytes(10_000),
        bytes(range(256)) * 100,
        b"all work and no play " * 1000,
        bytes(UPLOAD[:100]) + bytes(50_000),
    ],
)
def test_what_could_be_anybodys_is_refused_as_an_upload(data):
    with pytest.raises(InputError, match="upload: expected 12 pieces or more"):
        canaries_of(upload=data)


@pytest.mark.parametrize(
    "image",
    [
        np.full((300, 300, 3), 127, np.uint8),
        np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (256, 256, 3)),
        RNG.integers(0, 256, (200, 23, 3), np.uint8),
        RNG.integers(0, 256, (1, 1, 3), np.uint8),
    ],
)
def test_even_ramped_and_tiny_pictures_are_refused(image):
    with pytest.raises(InputError, match="pixels: expected 12 pieces or more"):
        canaries_of(pixels=image)


def test_a_grid_or_a_handful_of_points_is_refused():
    grid = np.stack(np.meshgrid(np.arange(20), np.arange(20)), -1).reshape(-1, 2)
    for points in (grid, POINTS[:40], np.zeros((478, 2))):
        with pytest.raises(InputError, match="landmarks: expected 12 pieces or more"):
            canaries_of(landmarks=points)


@pytest.mark.parametrize("name", ["", "me.jpg", "aaaaaaaaaaaaaaaaaaaa"])
def test_a_name_that_is_anybodys_is_refused(name):
    with pytest.raises(InputError, match="name: expected 15 bytes or more"):
        canaries_of(name=name)


def test_nothing_and_the_wrong_shape_are_refused():
    with pytest.raises(InputError, match="got nothing"):
        canaries_of()
    with pytest.raises(ArrayError, match="pixels: expected shape"):
        canaries_of(pixels=PIXELS[..., 0])
