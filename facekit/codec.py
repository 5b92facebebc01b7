"""Bytes to pictures and back: limits before pixels, turned upright, in sRGB, without metadata.

Only the decoders named in `READABLE` are reachable. What a file claims is checked against the
limits before a decoder makes room for it, and colours are converted block by block, so that a
picture at the limit takes less than 1 GiB in all. No global state of Pillow is changed.
"""

import os
import stat
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from PIL import Image as Pillow

from facekit.errors import DecodeError, InputError, TooLargeError
from facekit.files import save_whole
from facekit.headers import (
    MAX_BYTES,
    MAX_PIXELS,
    check_bytes,
    check_claims,
    check_memory,
    check_pixels,
    sniff,
)
from facekit.srgb import upright_srgb
from facekit.values import Image, as_image

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "READABLE",
    "WRITABLE",
    "decode_image",
    "encode_image",
    "format_for",
    "read_image",
    "write_image",
]


#: Extensions of what can be written, with their formats.
WRITABLE: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".avif": "avif",
        ".bmp": "bmp",
        ".jpeg": "jpeg",
        ".jpg": "jpeg",
        ".png": "png",
        ".tif": "tiff",
        ".tiff": "tiff",
        ".webp": "webp",
    }
)
#: Extensions of what can be read; the content decides, not the name.
READABLE: Final = frozenset(WRITABLE) | {".gif", ".heic", ".heif"}

_BROKEN: Final = "the picture is damaged, cut off or of a rare kind: save it again as PNG or JPEG"
_JPEG_PIXELS_A_BYTE: Final = 512  # a block of 64 pixels takes a bit or more
_MAX_SIDE: Final = MappingProxyType({"jpeg": 65_500, "webp": 16_383, "avif": 32_768})


def decode_image(data: bytes | bytearray | memoryview, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Turn the bytes of a picture file into pixels.

    Parameters
    ----------
    data : bytes-like, at most 32 MiB
        A whole JPEG, PNG, WebP, AVIF, TIFF, BMP or GIF file, or HEIC with the extra ``heif``.
    max_pixels : int
        Largest width times height that is accepted; judged from the header.

    Returns
    -------
    Image of shape (H, W, 3), uint8
        Upright, in sRGB, transparency laid over white. An animated or many-paged file gives
        its first picture.

    Raises
    ------
    DecodeError
        The bytes are not a whole picture in one of these formats.
    TooLargeError
        More bytes or pixels than allowed.

    Notes
    -----
    EXIF orientations 1 to 8 are applied; an embedded ICC profile is converted by relative
    colorimetry with black-point compensation [1]_. A profile or an orientation that makes no
    sense is ignored. 16-bit samples are scaled to 8 bits. Float and 32-bit grey have no agreed
    white: the smallest of 1, 255, 65535 and their maximum that holds every value is taken.
    At the default limits the memory of the process stays under 1 GiB.

    References
    ----------
    .. [1] ICC.1:2022, "Image technology colour management".

    Examples
    --------
    >>> picture = np.full((2, 3, 3), 200, np.uint8)
    >>> bool((decode_image(encode_image(picture)) == picture).all())
    True
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise DecodeError(f"expected the bytes of a picture, got {type(data).__name__}")
    check_bytes(memoryview(data).nbytes)
    try:
        with _muted():
            return _decode(bytes(data), max_pixels)
    except InputError:
        raise
    except MemoryError:
        raise TooLargeError("the picture needs more memory than there is: use a smaller one") from None
    except Exception:
        raise DecodeError(_BROKEN) from None


def read_image(path: str | os.PathLike[str]) -> Image:
    """Read a picture file, whatever its extension says.

    Parameters
    ----------
    path : path-like
        An ordinary file of at most 32 MiB.

    Returns
    -------
    Image of shape (H, W, 3), uint8
        As from `decode_image`.

    Raises
    ------
    InputError
        The file is missing, is not an ordinary file or must not be read.
    DecodeError, TooLargeError
        As from `decode_image`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_image(Path(folder, "grey.png"), np.full((2, 3, 3), 99, np.uint8))
    ...     read_image(Path(folder, "grey.png")).shape
    (2, 3, 3)
    """
    # Clause 1.3.2(1): messages end up in logs, so they never name a file.
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would block, a device would never end
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "something else"
            raise InputError(f"expected a picture file, got {kind}")
        check_bytes(status.st_size)
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError("the picture file does not exist") from None
    except OSError as error:
        raise InputError(f"the picture file cannot be read: {error.strerror}") from None
    except ValueError:
        raise InputError("the picture file's name is not a valid path") from None
    return decode_image(data)


def encode_image(image: Image, format: str = "png", *, quality: int = 95) -> bytes:  # noqa: A002
    """Turn pixels into the bytes of a picture file without any metadata.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture, in sRGB.
    format : {"png", "jpeg", "webp", "avif", "tiff", "bmp"}
        PNG, TIFF and BMP keep every pixel as it is.
    quality : int in 1..100
        For JPEG, WebP and AVIF. JPEG and AVIF keep full colour resolution from 90 on.

    Returns
    -------
    bytes
        The same for the same picture, format, quality and library versions.

    Raises
    ------
    ArrayError
        `image` is not a picture.
    InputError
        Unknown format, or a quality out of range.
    TooLargeError
        The format cannot hold a picture of this width or height.

    Examples
    --------
    >>> encode_image(np.zeros((1, 1, 3), np.uint8))[1:4]
    b'PNG'
    """
    pixels = as_image(image)
    if format not in WRITABLE.values():
        raise InputError(f"unknown picture format: expected one of {_listed(WRITABLE.values())}")
    if isinstance(quality, bool) or not isinstance(quality, int | np.integer) or not 1 <= quality <= 100:
        raise InputError("quality: expected a whole number from 1 to 100")
    rows, columns = pixels.shape[:2]
    side = _MAX_SIDE.get(format)
    if side is not None and max(rows, columns) > side:
        raise TooLargeError(f"a {format} file holds at most {side} pixels a side, got {columns} x {rows}")
    out = BytesIO()
    picture = Pillow.fromarray(np.ascontiguousarray(pixels))
    picture.save(out, format.upper(), **_options(format, int(quality)))
    return out.getvalue()


def write_image(
    path: str | os.PathLike[str], image: Image, *, quality: int = 95, force: bool = False
) -> None:
    """Write a picture file whole or not at all, in the format that its extension names.

    Parameters
    ----------
    path : path-like
        Where to write; the folder must exist.
    image : Image of shape (H, W, 3), uint8
        The picture, in sRGB.
    quality : int in 1..100
        As for `encode_image`.
    force : bool
        Replace what is there already.

    Raises
    ------
    ArrayError
        `image` is not a picture.
    InputError
        Unknown extension, something is there already, or the folder cannot be written to.
    TooLargeError
        The format cannot hold a picture of this width or height.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_image(Path(folder, "black.webp"), np.zeros((2, 3, 3), np.uint8))
    ...     len(list(Path(folder).iterdir()))
    1
    """
    target = Path(path)
    kind = format_for(target)
    try:
        save_whole(target, encode_image(image, kind, quality=quality), force=force)
    except FileExistsError:
        raise InputError(
            "the output exists already: choose another name, or force it to be replaced"
        ) from None
    except OSError as error:
        raise InputError(f"the output cannot be written: {error.strerror}") from None
    except ValueError:
        raise InputError("the output's name is not a valid path") from None


def format_for(path: str | os.PathLike[str]) -> str:
    """Name the format that the extension of an output file stands for.

    Parameters
    ----------
    path : path-like
        Only the extension counts; upper and lower case are alike.

    Returns
    -------
    str
        One of the values of `WRITABLE`.

    Raises
    ------
    InputError
        The extension is none of the keys of `WRITABLE`.

    Examples
    --------
    >>> format_for("me.JPG")
    'jpeg'
    """
    try:
        return WRITABLE[Path(path).suffix.lower()]
    except KeyError:
        raise InputError(f"unknown output extension: expected one of {_listed(WRITABLE)}") from None


def _listed(names: object) -> str:
    return ", ".join(sorted(set(cast("Iterator[str]", names))))


# Decoding: tell the format, check the claims, let Pillow fill its buffer, convert in blocks.


def _decode(data: bytes, max_pixels: int) -> Image:
    kind = sniff(data)
    claims = check_claims(kind, data, max_pixels)
    if kind == "AVIF":
        data = data[:8] + b"avif" + data[12:]  # of a sequence, the picture that stands for it
    with _opener(kind)(BytesIO(data)) as picture:
        columns, rows = picture.size
        check_pixels(columns, rows, max_pixels)
        check_memory(claims, columns, rows)
        if kind == "JPEG" and columns * rows > _JPEG_PIXELS_A_BYTE * len(data):
            raise DecodeError(f"{len(data)} bytes cannot hold the {columns} x {rows} pixels of this JPEG")
        picture.load()
        check_pixels(*picture.size, max_pixels)
        # Clause 1.1.3: from here on there are pixels only; what the file says of place and time stays behind.
        return upright_srgb(picture)


class _LeanWebP(WebPImagePlugin.WebPImageFile):
    """Gives the two canvases of the decoder back before Pillow makes its own."""

    def load_prepare(self) -> None:
        self.__dict__.pop("_decoder", None)
        super().load_prepare()


class _LeanAvif(AvifImagePlugin.AvifImageFile):
    """Gives the planes of the decoder back before Pillow makes its own."""

    def load_prepare(self) -> None:
        self.__dict__.pop("_decoder", None)
        super().load_prepare()


def _opener(kind: str) -> Callable[[BytesIO], ImageFile.ImageFile]:
    if kind != "HEIC":
        return _OPENERS[kind]
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise DecodeError("HEIC pictures need an extra: pip install 'facekit-reference[heif]'") from None
    return cast("Callable[[BytesIO], ImageFile.ImageFile]", HeifImageFile)


# Classes, not Image.open: it tries every format that Pillow knows, and warns on its own limit.
_OPENERS: Final[Mapping[str, Callable[[BytesIO], ImageFile.ImageFile]]] = MappingProxyType(
    {
        "AVIF": _LeanAvif,
        "BMP": BmpImagePlugin.BmpImageFile,
        "GIF": GifImagePlugin.GifImageFile,
        "JPEG": JpegImagePlugin.JpegImageFile,
        "PNG": PngImagePlugin.PngImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
        "WEBP": _LeanWebP,
    }
)


# Warnings of Pillow are about files that strangers made, and are not for our caller to see.

_HERE = threading.local()


class _HereOnly:
    """A text pattern that matches everything, but only in a thread that is decoding now.

    `warnings.catch_warnings` puts the filters of the whole process back on leaving, and so
    loses those that another thread has set meanwhile.
    """

    def match(self, _: str) -> bool:
        """Tell whether this thread is decoding."""
        return getattr(_HERE, "depth", 0) > 0


_MUTE: Final = ("ignore", _HereOnly(), Warning, None, 0)


@contextmanager
def _muted() -> Iterator[None]:
    filters = cast("list[Any]", warnings.filters)
    if not filters or filters[0] is not _MUTE:
        with suppress(ValueError):
            filters.remove(_MUTE)
        filters.insert(0, _MUTE)
    _HERE.depth = getattr(_HERE, "depth", 0) + 1
    try:
        yield
    finally:
        _HERE.depth -= 1


# Writing.


def _options(kind: str, quality: int) -> dict[str, Any]:
    full_colour = quality >= 90
    options: dict[str, dict[str, Any]] = {
        "avif": {
            "quality": quality,
            "subsampling": "4:4:4" if full_colour else "4:2:0",
            "autotiling": False,  # tiles would depend on the number of cores
            "max_threads": 1,
        },
        "jpeg": {"quality": quality, "subsampling": 0 if full_colour else 2},
        "webp": {"quality": quality},
        "tiff": {"compression": "tiff_adobe_deflate"},
    }
    return options.get(kind, {})
