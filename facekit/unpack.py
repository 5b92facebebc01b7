"""What lies packed in a file: members of archives, pixels of pictures, pictures in notebooks.

Everything is read in parts, and nothing is unpacked to a disk. What unpacks to more than the limits
is put down as unread, so a bomb costs a second and a few megabytes, and never passes as clean.
"""

import base64
import binascii
import bz2
import gzip
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, Protocol, cast

from facekit.codec import MAX_BYTES, decode_image
from facekit.errors import InputError
from facekit.sweep import Sweep

__all__ = ["unpack"]

_MOST: Final = 1024**3  # bytes that one file may unpack to, all in all
_MOST_HELD: Final = 64 * 1024**2  # of a packed member within a packed file, which is held in memory
_MOST_LISTED: Final = 32 * 1024**2  # of a zip's list of members
_DEEPEST: Final = 3

_PICTURES: Final = (b"\x89PNG", b"RIFF", b"II*\0", b"MM\0*", b"GIF8")  # those that may be lossless
_STREAMS: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")
_ZLIB: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_CLOSED: Final = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
}


class _Filling(Protocol):
    """What reads into a buffer: a file, or a member of an archive."""

    def readinto(self, into: memoryview, /) -> int | None:
        """Fill the buffer as far as it goes."""


class _UnseenError(Exception):
    """Something is not looked into; the message says why."""


class _Budget:
    """Lets so many bytes through, over all members of a file."""

    def __init__(self) -> None:
        self.left = _MOST


class _Metered:
    """Reads a member, and keeps a copy where it is packed itself."""

    def __init__(self, source: _Filling, budget: _Budget, copy: bytearray | None) -> None:
        self._source, self._budget, self.copy = source, budget, copy
        self.too_large = False

    def __call__(self, into: memoryview) -> int:
        got = self._source.readinto(into) or 0
        self._budget.left -= got
        if self._budget.left < 0:
            raise _UnseenError("unpacks to more than is looked at")
        if self.copy is not None:
            if not self.copy and not _is_packed(bytes(into[: min(got, 16)])):
                self.copy = None
            elif len(self.copy) + got > _MOST_HELD:
                self.copy, self.too_large = None, True
            else:
                self.copy += into[:got]
        return got


class _Inflating(io.RawIOBase):
    """A bare zlib stream as a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._stream = file, zlib.decompressobj()

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]
        while not self._stream.eof:
            given = self._stream.unconsumed_tail or self._file.read(65536)
            part = self._stream.decompress(given, len(into))
            if part or not given:
                into[: len(part)] = part
                return len(part)
        return 0


def unpack(sweep: Sweep, file: BinaryIO, place: str) -> None:
    """Search what lies packed in a file, if anything does.

    Parameters
    ----------
    sweep : Sweep
        Keeps the book.
    file : binary file
        At its start; it can seek.
    place : str
        What it is called in the report.
    """
    _unpack(sweep, file, place, _Budget(), 0)


def _is_packed(head: bytes) -> bool:
    return head.startswith((b"PK\x03\x04", *_STREAMS, *_ZLIB, *_PICTURES, *_CLOSED))


def _unpack(sweep: Sweep, file: BinaryIO, place: str, budget: _Budget, depth: int) -> None:
    head = file.read(16)
    file.seek(0)
    if not _is_packed(head) and not place.endswith(".ipynb"):
        return
    before = budget.left
    if depth == _DEEPEST:
        sweep.miss(place, "is packed more times over than is looked into")
        return
    try:
        _look_into(sweep, file, head, place, budget, depth)
    except _UnseenError as limit:
        sweep.miss(place, str(limit))
    except Exception:  # whatever a decoder throws at damaged data, or at a password
        if not head.startswith(_ZLIB) or budget.left != before:  # two bytes alone prove nothing
            sweep.miss(place, "cannot be unpacked")
    finally:
        sweep.bytes_unpacked += before - max(budget.left, 0) if depth == 0 else 0


def _look_into(sweep: Sweep, file: BinaryIO, head: bytes, place: str, budget: _Budget, depth: int) -> None:
    for magic, kind in _CLOSED.items():
        if head.startswith(magic):
            raise _UnseenError(f"is packed by {kind}, which is not unpacked here")
    if head.startswith(_PICTURES):
        _look_at_picture(sweep, file, place)
    elif place.endswith(".ipynb"):
        _look_at_notebook(sweep, file, place, budget, depth)
    else:
        for name, member in _members(file, head):
            part, copy = f"{place} » {name}", bytearray()
            reader = _Metered(member, budget, copy)
            sweep.scan(reader, part)
            if reader.too_large:
                sweep.miss(part, "is packed, and larger than is looked into")
            elif reader.copy:
                _unpack(sweep, io.BytesIO(reader.copy), part, budget, depth + 1)
            copy[:] = bytes(len(copy))


def _members(file: BinaryIO, head: bytes) -> Iterator[tuple[str, _Filling]]:
    if head.startswith(b"\x1f\x8b"):
        yield "gzip", gzip.GzipFile(fileobj=file)
    elif head.startswith(b"BZh"):
        yield "bzip2", bz2.BZ2File(file)
    elif head.startswith(b"\xfd7zXZ"):
        yield "xz", lzma.LZMAFile(file)  # noqa: SIM115 (it opens nothing)
    elif head.startswith(_ZLIB):
        yield "zlib", cast("_Filling", _Inflating(file))
    else:
        _check_list(file)
        with zipfile.ZipFile(file) as archive:
            for number, info in enumerate(archive.infolist()):
                if not info.is_dir():
                    with archive.open(info) as member:
                        yield f"member {number}", cast("_Filling", member)


def _check_list(file: BinaryIO) -> None:
    """Refuse a zip whose list of members would fill the memory."""
    file.seek(max(0, file.seek(0, io.SEEK_END) - 65_557))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    size = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    if size > _MOST_LISTED:
        raise _UnseenError("has more members than are looked into")
    file.seek(0)


def _look_at_picture(sweep: Sweep, file: BinaryIO, place: str) -> None:
    """Search the pixels: those of a lossless file lie filtered and packed in it."""
    data = file.read(MAX_BYTES + 1)
    if data.startswith(b"RIFF") and data[8:12] != b"WEBP":
        return
    try:
        pixels = decode_image(data)
    except InputError:
        raise _UnseenError("is a picture that cannot be decoded, or too large a one") from None
    sweep.bytes_unpacked += pixels.nbytes
    sweep.scan_bytes(pixels.data, f"{place} » pixels")
    if pixels.flags.writeable:
        pixels[:] = 0


def _look_at_notebook(sweep: Sweep, file: BinaryIO, place: str, budget: _Budget, depth: int) -> None:
    """Search the pictures of a notebook's outputs and attachments."""
    text = file.read(_MOST_HELD + 1)
    if len(text) > _MOST_HELD:
        raise _UnseenError("is a larger notebook than is looked into")
    try:
        cells = json.loads(text)["cells"]
        pictures = [picture for cell in cells for picture in _pictures(cell)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _UnseenError("is no notebook that can be read") from None
    for number, picture in enumerate(pictures):
        name = f"{place} » picture {number}"
        try:
            data = base64.b64decode(picture)
        except (binascii.Error, ValueError):
            sweep.miss(name, "is no base64")
            continue
        sweep.scan_bytes(data, name)
        budget.left -= len(data)
        _unpack(sweep, io.BytesIO(data), name, budget, depth + 1)


def _pictures(cell: dict[str, dict[str, object]]) -> Iterator[str]:
    bundles = [output.get("data", {}) for output in cell.get("outputs", [])]  # type: ignore[attr-defined]
    bundles += cell.get("attachments", {}).values()
    for bundle in bundles:
        for kind, data in bundle.items():
            if kind.startswith("image/") and not kind.endswith("xml"):
                yield "".join(data) if isinstance(data, list) else data
