"""Bytes to pictures and back: right values, within limits, nothing left behind."""

import io
import os
import subprocess
import sys
import textwrap
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hostile
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image as Pillow
from PIL import JpegImagePlugin

from facekit import codec, headers
from facekit.errors import ArrayError, DecodeError, InputError, TooLargeError

LOSSLESS = ("png", "tiff", "bmp")
FORMATS = (*LOSSLESS, "jpeg", "webp", "avif")
VALID = list(hostile.valid())
PICTURE = hostile.sample()
pictures = hnp.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24), st.just(3)))

# What EXIF asks for, as array operations on what is stored.
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def off_by(got, wanted):
    assert got.shape == wanted.shape
    return int(np.abs(got.astype(int) - wanted).max())


# Reading: values.


@pytest.mark.parametrize(("name", "data", "wanted", "tolerance"), VALID, ids=[case[0] for case in VALID])
def test_every_mode_gives_its_colours(name, data, wanted, tolerance):
    got = codec.decode_image(data)
    assert got.dtype == np.uint8
    assert got.flags.writeable
    assert off_by(got, wanted) <= tolerance


@pytest.mark.parametrize("orientation", TURNS)
def test_exif_orientation_is_applied(orientation):
    wanted = TURNS[orientation](PICTURE)
    block = hostile.exif(orientation)
    files = {
        "png": hostile.save(PICTURE, "png", exif=block),
        "webp": hostile.save(PICTURE, "webp", exif=block, lossless=True),
        "tiff": hostile.save(PICTURE, "tiff", tiffinfo={274: orientation}),
        "packed tiff": hostile.save(PICTURE, "tiff", tiffinfo={274: orientation}, compression="tiff_lzw"),
    }
    for data in files.values():
        np.testing.assert_array_equal(codec.decode_image(data), wanted)
    for kind in ("jpeg", "avif"):
        assert off_by(codec.decode_image(hostile.save(PICTURE, kind, exif=block, quality=95)), wanted) <= 14


@pytest.mark.parametrize("orientation", TURNS)
def test_a_picture_of_several_blocks_is_turned_as_one(orientation, monkeypatch):
    monkeypatch.setattr("facekit.srgb._BLOCK", (7, 5))
    data = hostile.save(PICTURE, "png", exif=hostile.exif(orientation))
    np.testing.assert_array_equal(codec.decode_image(data), TURNS[orientation](PICTURE))


def test_a_senseless_orientation_is_ignored():
    stranger = dict(hostile.odd_metadata())
    for name in ("0", "9", "65535", "text", "many", "outside", "cut", "noise"):
        np.testing.assert_array_equal(codec.decode_image(stranger[f"orientation-{name}.png"]), PICTURE)


def to_srgb(xyz):
    """Encode XYZ under D50 (IEC 61966-2-1, matrix adapted by Bradford)."""
    matrix = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
    linear = np.clip(xyz @ np.linalg.inv(matrix).T, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def test_adobe_rgb_becomes_srgb():
    stored = (60 + 0.5 * PICTURE).astype(np.uint8)  # well inside both gamuts
    wanted = to_srgb((stored / 255) ** hostile.ADOBE_GAMMA @ hostile.ADOBE_RGB.T)
    assert np.abs(wanted - stored).max() > 8
    for kind in ("png", "tiff"):
        got = codec.decode_image(hostile.save(stored, kind, icc_profile=hostile.adobe_rgb()))
        assert off_by(got, np.rint(wanted)) <= 1


def test_a_profile_is_applied_before_transparency():
    stored = np.full((2, 2, 4), (200, 60, 60, 128), np.uint8)
    opaque = to_srgb((stored[..., :3] / 255) ** hostile.ADOBE_GAMMA @ hostile.ADOBE_RGB.T)
    wanted = np.rint(opaque * 128 / 255 + 127)
    got = codec.decode_image(hostile.save(stored, "png", icc_profile=hostile.adobe_rgb()))
    assert off_by(got, wanted) <= 1


def test_a_grey_profile_becomes_srgb():
    grey = np.full((2, 2), 55, np.uint8)
    linear = 55 / 255
    wanted = round(255 * (1.055 * linear ** (1 / 2.4) - 0.055))
    for stored in (grey, Pillow.fromarray(grey.astype(np.uint16) * 257)):
        got = codec.decode_image(hostile.save(stored, "png", icc_profile=hostile.linear_grey()))
        assert off_by(got, np.full((2, 2, 3), wanted)) <= 1


def test_a_press_profile_decides_what_the_inks_look_like():
    inks = np.array([[[0, 0, 0, 0], [255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 0, 255]]], np.uint8)
    separated = Pillow.frombytes("CMYK", (4, 1), inks.tobytes())
    wanted = np.array([[[255, 255, 255], [255, 0, 0], [255, 255, 255], [0, 0, 0]]])
    got = codec.decode_image(hostile.save(separated, "tiff", icc_profile=hostile.odd_press()))
    assert off_by(got, wanted) <= 6


def test_an_srgb_profile_changes_no_pixel():
    got = codec.decode_image(hostile.save(PICTURE, "png", icc_profile=hostile.profile()))
    np.testing.assert_array_equal(got, PICTURE)


@pytest.mark.parametrize("name", ["noise", "cut", "lab"])
def test_a_profile_that_makes_no_sense_is_ignored(name):
    data = dict(hostile.odd_metadata())[f"profile-{name}.png"]
    np.testing.assert_array_equal(codec.decode_image(data), PICTURE)


@pytest.mark.parametrize(
    ("kind", "suffix"), [("gif", "gif"), ("webp", "webp"), ("png", "apng"), ("tiff", "tif")]
)
def test_of_many_frames_the_first_is_read(kind, suffix):
    data = dict(hostile.odd_pictures())[f"animated.{suffix}"]
    assert off_by(codec.decode_image(data), PICTURE) <= (24 if kind in ("gif", "webp") else 0)


def test_the_still_of_an_avif_sequence_is_read():
    data = dict(hostile.odd_pictures())["animated.avif"]
    assert data[8:12] == b"avis"
    assert off_by(codec.decode_image(data), PICTURE) <= 14


def test_heic_is_read_with_its_extra_only(monkeypatch):
    pillow_heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    pillow_heif.from_pillow(Pillow.fromarray(PICTURE)).save(out, quality=95)
    assert off_by(codec.decode_image(out.getvalue()), PICTURE) <= 14
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(DecodeError, match=r"facekit-reference\[heif\]"):
        codec.decode_image(out.getvalue())


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes_is_read(wrap):
    data = codec.encode_image(PICTURE)
    np.testing.assert_array_equal(codec.decode_image(wrap(data)), PICTURE)


# Reading: limits and refusals.


def test_the_whole_corpus_ends_in_a_picture_or_one_line(capfd):
    pictures = 0
    for name, data in hostile.corpus():
        try:
            got = codec.decode_image(data)
        except (DecodeError, TooLargeError) as error:
            message = str(error)
            assert 10 < len(message) < 160, name
            assert "\n" not in message, name
        else:
            pictures += 1
            assert got.ndim == 3, name
            assert got.dtype == np.uint8, name
    assert pictures > 50
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_cut_file_is_refused(kind):
    whole = hostile.save(hostile.sample(96, 128), kind)
    for percent in range(99):
        with pytest.raises(DecodeError):
            codec.decode_image(whole[: len(whole) * percent // 100])


def test_bombs_are_refused_for_their_size():
    bombs = dict(hostile.bombs())
    assert len(bombs["196-megapixels.png"]) < 25_000
    for name in (
        "196-megapixels.png",
        "900-megapixels.png",
        "largest-claim.png",
        "tile-of-16-gigapixels.tif",
    ):
        with pytest.raises(TooLargeError, match="at most 64 million pixels"):
            codec.decode_image(bombs[name])
    with pytest.raises(TooLargeError, match="need over 1 GiB"):
        codec.decode_image(bombs["one-strip-of-512-megabytes.tif"])
    with pytest.raises(TooLargeError, match="at most 32 MiB, got 33"):
        codec.decode_image(bombs["too-many-bytes.png"])


def test_the_limit_on_pixels_is_exact():
    data = codec.encode_image(np.zeros((6, 7, 3), np.uint8))
    assert codec.decode_image(data, max_pixels=42).shape == (6, 7, 3)
    with pytest.raises(TooLargeError, match="7 x 6"):
        codec.decode_image(data, max_pixels=41)


def test_a_stream_of_another_size_than_its_box_is_refused():
    avif = hostile.save(PICTURE, "avif")
    with pytest.raises(DecodeError, match="another size"):
        codec.decode_image(hostile.with_ispe(avif, 1, 1))
    with pytest.raises(TooLargeError):
        codec.decode_image(avif, max_pixels=PICTURE.size // 3 - 1)


def test_streams_that_need_too_much_memory_are_refused():
    plain = headers.check_claims("AVIF", hostile.save(PICTURE, "avif"), 10**6)
    alpha = hostile.save(np.dstack([PICTURE, PICTURE[..., :1]]), "avif")
    both = headers.check_claims("AVIF", alpha, 10**6)
    assert plain.sizes == both.sizes == {(32, 24)}
    assert both.memory == 2 * plain.memory == 6 * 32 * 24
    headers.check_memory(headers.Claims(6 * 64_000_000), 8000, 8000)
    with pytest.raises(TooLargeError):
        headers.check_memory(headers.Claims(9 * 64_000_000), 8000, 8000)


@pytest.mark.parametrize("given", [None, "a name", 7, np.zeros(3)])
def test_what_is_not_bytes_is_named(given):
    with pytest.raises(DecodeError, match=f"got {type(given).__name__}"):
        codec.decode_image(given)


def test_only_the_decoders_of_known_formats_are_loaded(tmp_path):
    for number, (_, data) in enumerate(hostile.strangers()):
        (tmp_path / str(number)).write_bytes(data)
    code = """
        import sys
        from pathlib import Path
        from facekit import codec, errors
        for path in Path(sys.argv[1]).iterdir():
            try:
                codec.decode_image(path.read_bytes())
            except errors.InputError:
                pass
        print(*(name for name in sys.modules if name.startswith("PIL.") and name.endswith("ImagePlugin")))
    """
    plugins = {f"PIL.{kind}ImagePlugin" for kind in ("Avif", "Bmp", "Gif", "Jpeg", "Png", "Tiff", "WebP")}
    assert set(in_fresh_process(code, tmp_path).split()) == plugins


def test_pillows_own_state_is_left_alone():
    from PIL import ImageFile

    before = (Pillow.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, set(Pillow.OPEN))
    for data in dict(hostile.lies()).values():
        try:
            codec.decode_image(data)
        except InputError:
            continue
    assert (Pillow.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, set(Pillow.OPEN)) == before


def test_warnings_are_muted_here_and_nowhere_else():
    data = dict(hostile.lies())["values-outside.tif"]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        codec.decode_image(data)
        assert not seen
        Pillow.open(io.BytesIO(data)).load()
        assert seen


def test_the_mute_is_set_up_once_and_stays_first():
    with warnings.catch_warnings():
        for _ in range(3):
            warnings.simplefilter("error")
            codec.decode_image(dict(hostile.lies())["values-outside.tif"])
        assert warnings.filters.count(codec._MUTE) == 1
        with pytest.raises(UserWarning, match="ours"):
            warnings.warn("ours", stacklevel=1)


def test_many_threads_read_at_once():
    cases = [case for case in VALID if case[0] != "long.tif"] * 3
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(codec.decode_image, [data for _, data, _, _ in cases]))
    for got, (name, _, wanted, tolerance) in zip(results, cases, strict=True):
        assert off_by(got, wanted) <= tolerance, name


def in_fresh_process(code, *arguments):
    program = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.run(program, check=True, capture_output=True, text=True, env=environment).stdout


def test_memory_stays_under_one_gibibyte(tmp_path):
    for number, (name, data) in enumerate([*hostile.corpus(step=25), *hostile.worst_cases()]):
        Path(tmp_path, f"{number:04}-{name}").write_bytes(data)
    code = """
        import sys
        from pathlib import Path
        from facekit import codec, errors
        sizes = []
        for path in sorted(Path(sys.argv[1]).iterdir()):
            try:
                sizes.append(codec.decode_image(path.read_bytes()).size)
            except errors.InputError:
                pass
        # Unlike ru_maxrss, this does not begin with what the parent had.
        peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
        print(sizes.count(3 * 8000 * 8000), peak.split()[1])
    """
    largest, peak = map(int, in_fresh_process(code, tmp_path).split())
    assert largest == 3  # the worst cases were decoded, not refused
    assert peak < 2**20  # KiB


# Reading files.


def test_a_file_is_read_by_content_whatever_its_name(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(codec.encode_image(PICTURE, "png"))
    np.testing.assert_array_equal(codec.read_image(path), PICTURE)
    np.testing.assert_array_equal(codec.read_image(str(path)), PICTURE)


@pytest.mark.clause("1.3.2(1)", partly="errors on reading name no file")
def test_what_is_no_readable_file_is_named_without_its_path(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"")
    cases = {
        "missing.png": "does not exist",
        "": "a folder",
        "pipe": "something else",
        "file": "no bytes",
        "file/inside": "cannot be read",
        "nul\0byte": "not a valid path",
    }
    for name, said in cases.items():
        with pytest.raises(InputError, match=said) as caught:
            codec.read_image(tmp_path / name)
        assert tmp_path.name not in str(caught.value)


def test_the_size_is_judged_before_the_file_is_read(tmp_path):
    path = tmp_path / "endless.png"
    with path.open("wb") as file:
        file.truncate(2**40)  # takes no room on the disk, but could not be read
    with pytest.raises(TooLargeError, match="at most 32 MiB"):
        codec.read_image(path)


# Encoding.


@given(image=pictures, kind=st.sampled_from(LOSSLESS))
def test_lossless_formats_keep_every_pixel(image, kind):
    np.testing.assert_array_equal(codec.decode_image(codec.encode_image(image, kind)), image)


@settings(max_examples=25)
@given(image=pictures, kind=st.sampled_from(FORMATS), quality=st.integers(1, 100))
def test_every_format_and_quality_keeps_the_shape_and_repeats_itself(image, kind, quality):
    data = codec.encode_image(image, kind, quality=quality)
    assert data == codec.encode_image(image, kind, quality=quality)
    assert codec.decode_image(data).shape == image.shape


@pytest.mark.parametrize("kind", ["jpeg", "webp", "avif"])
def test_quality_buys_likeness(kind):
    def error(quality):
        got = codec.decode_image(codec.encode_image(PICTURE, kind, quality=quality))
        return float(np.abs(got.astype(int) - PICTURE).mean())

    assert error(98) < 2.5
    assert error(98) < error(10)


def test_jpeg_keeps_full_colour_resolution_from_90_on():
    for quality, sampling in ((89, 2), (90, 0), (100, 0)):
        data = codec.encode_image(PICTURE, "jpeg", quality=quality)
        assert JpegImagePlugin.get_sampling(JpegImagePlugin.JpegImageFile(io.BytesIO(data))) == sampling


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.clause("1.1.3", partly="a photo's metadata does not come out with the result")
def test_no_metadata_comes_out(kind):
    canary = b"CANARY-51.4779"
    exif = Pillow.Exif()
    exif[0x010E] = canary.decode()
    source = hostile.save(
        PICTURE, "jpeg", exif=exif, comment=canary, icc_profile=hostile.adobe_rgb() + canary, xmp=canary
    )
    assert source.count(canary) == 4
    data = codec.encode_image(codec.decode_image(source), kind)
    picture = Pillow.open(io.BytesIO(data))
    picture.load()
    assert canary not in data
    assert not {"exif", "icc_profile", "xmp", "comment", "XML:com.adobe.xmp"} & set(picture.info)
    if kind != "tiff":
        assert not dict(picture.getexif())
    for mark in (b"Exif", b"ICC_PROFILE", b"iCCP", b"tEXt", b"iTXt", b"eXIf", b"tIME", b"http:"):
        assert mark not in data


def test_a_tiff_has_only_the_tags_that_describe_pixels():
    picture = Pillow.open(io.BytesIO(codec.encode_image(PICTURE, "tiff")))
    described = {256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 339}
    assert set(picture.tag_v2) <= described


def test_encoding_leaves_its_argument_alone_and_takes_any_layout():
    image = PICTURE[::-1, ::2]
    before = image.copy()
    np.testing.assert_array_equal(codec.decode_image(codec.encode_image(image)), before)
    np.testing.assert_array_equal(image, before)


def test_wrong_arguments_are_named():
    with pytest.raises(ArrayError, match=r"\(H, W, 3\)"):
        codec.encode_image(PICTURE[..., 0])
    with pytest.raises(ArrayError, match="uint8"):
        codec.encode_image(PICTURE.astype(float))
    with pytest.raises(InputError, match="expected one of avif, bmp, jpeg, png, tiff, webp"):
        codec.encode_image(PICTURE, "gif")
    for quality in (0, 101, 95.5, True, "high"):
        with pytest.raises(InputError, match="from 1 to 100"):
            codec.encode_image(PICTURE, "jpeg", quality=quality)
    with pytest.raises(TooLargeError, match="at most 16383 pixels a side, got 16384 x 1"):
        codec.encode_image(np.zeros((1, 16_384, 3), np.uint8), "webp")


@pytest.mark.parametrize("kind", ["jpeg", "webp", "avif"])
def test_the_longest_side_that_a_format_claims_to_hold_is_held(kind):
    side = codec._MAX_SIDE[kind]
    assert codec.decode_image(codec.encode_image(np.zeros((1, side, 3), np.uint8), kind)).shape == (
        1,
        side,
        3,
    )


# Writing files.


@pytest.mark.parametrize("suffix", sorted(codec.WRITABLE))
def test_the_extension_names_the_format(tmp_path, suffix):
    path = tmp_path / f"out{suffix.upper()}"
    codec.write_image(path, PICTURE)
    assert path.read_bytes() == codec.encode_image(PICTURE, codec.WRITABLE[suffix])
    assert off_by(codec.read_image(path), PICTURE) <= 14
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["out.gif", "out", "out.png.exe", ".png"])
def test_an_unknown_extension_is_refused_before_any_work(tmp_path, name):
    with pytest.raises(InputError, match=r"expected one of \.avif, \.bmp"):
        codec.write_image(tmp_path / name, PICTURE)
    assert not list(tmp_path.iterdir())


def test_nothing_is_replaced_unless_forced(tmp_path):
    path = tmp_path / "out.png"
    path.write_bytes(b"mine")
    with pytest.raises(InputError, match="exists already"):
        codec.write_image(path, PICTURE)
    assert path.read_bytes() == b"mine"
    codec.write_image(path, PICTURE, force=True)
    np.testing.assert_array_equal(codec.read_image(path), PICTURE)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.clause("1.3.2(1)", partly="errors on writing name no file")
def test_a_place_that_cannot_be_written_is_named_without_its_path(tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    for name, force in (
        ("none/out.png", False),
        ("folder.png", True),
        ("file/out.png", False),
        ("a\0.png", True),
    ):
        with pytest.raises(InputError, match=r"cannot be written: |not a valid path") as caught:
            codec.write_image(tmp_path / name, PICTURE, force=force)
        assert tmp_path.name not in str(caught.value)
    assert len(list(tmp_path.iterdir())) == 2
