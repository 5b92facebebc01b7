"""What picture files claim, read before any decoder makes room for it.

Decoders believe these claims: some make room for a canvas when they open a file, others make a
Python object of every value of a tag. Each check raises, or returns the bytes of memory that
the decoder needs beside the picture.
"""

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from facekit.errors import DecodeError, TooLargeError

__all__ = [
    "MAX_BYTES",
    "MAX_EXIF",
    "MAX_PIXELS",
    "Claims",
    "check_bytes",
    "check_claims",
    "check_memory",
    "check_pixels",
    "sniff",
]

MAX_PIXELS: Final = 64_000_000
MAX_BYTES: Final = 32 * 2**20
MAX_EXIF: Final = 2**20  # bytes; the standard allows 64 KiB

_MAX_MEMORY: Final = 900_000_000  # what is left of 1 GiB for decoder, file and picture
_MAX_EXIF_PARTS: Final = 16
_MAX_SCANS: Final = 200  # every scan of a progressive JPEG passes over the whole picture
_MAX_TAG_VALUES: Final = 2**18  # enough for 64 Mpx in tiles of 16 by 16
_MAX_PARTS: Final = 4096
_TIFF_COMPRESSIONS: Final = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})
_AV1_BYTES: Final = (3, 6, 6)  # a pixel, at most, by profile
_UNUSUAL: Final = "has more parts than a picture has, or unusual ones: save it again as PNG"

_SIGNATURES: Final = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (rb"\xff\xd8\xff", "JPEG"),
        (rb"\x89PNG\r\n\x1a\n", "PNG"),
        (rb"GIF8[79]a", "GIF"),
        (rb"BM", "BMP"),
        (rb"II[*+]\0|MM\0[*+]", "TIFF"),
        (rb"RIFF.{4}WEBP", "WEBP"),
        (rb".{4}ftyp(?:avi[fs]|(?:mif1|msf1).{4}(?:.{4}){0,15}?avi[fs])", "AVIF"),
        (rb".{4}ftyp(?:he[iv][cxms]|mif1|msf1)", "HEIC"),
    )
)


def sniff(data: bytes) -> str:
    """Tell the format by the content.

    Parameters
    ----------
    data : bytes
        A file.

    Returns
    -------
    str
        One of AVIF, BMP, GIF, HEIC, JPEG, PNG, TIFF, WEBP.

    Raises
    ------
    DecodeError
        None of these.

    Examples
    --------
    >>> sniff(b"GIF89a")
    'GIF'
    """
    for pattern, kind in _SIGNATURES:
        if pattern.match(data):
            return kind
    raise DecodeError(
        "not a picture in a known format: expected JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF or HEIC"
    )


def check_bytes(size: int) -> None:
    """Refuse an empty file and one over `MAX_BYTES`.

    Parameters
    ----------
    size : int
        Bytes.

    Raises
    ------
    DecodeError, TooLargeError
        Nothing at all, or too much.

    Examples
    --------
    >>> check_bytes(1)
    """
    if size == 0:
        raise DecodeError("expected a picture, got no bytes at all")
    if size > MAX_BYTES:
        raise TooLargeError(f"expected at most {MAX_BYTES >> 20} MiB, got {size / 2**20:.1f} MiB")


def check_pixels(columns: int, rows: int, limit: int) -> None:
    """Refuse a picture without pixels, and one over `limit`.

    Parameters
    ----------
    columns, rows : int
        The size that a file claims.
    limit : int
        Pixels.

    Raises
    ------
    DecodeError, TooLargeError
        No pixel, or too many.

    Examples
    --------
    >>> check_pixels(8000, 8000, MAX_PIXELS)
    """
    if columns < 1 or rows < 1:
        raise DecodeError(f"the picture claims to be {columns} x {rows} pixels")
    if columns * rows > limit:
        raise TooLargeError(
            f"expected at most {limit / 1e6:g} million pixels, got {columns} x {rows}: use a smaller picture"
        )


@dataclass(frozen=True, slots=True)
class Claims:
    """What the streams inside a file need.

    Parameters
    ----------
    memory : int
        Bytes of decoded planes.
    sizes : frozenset of (columns, rows)
        Sizes of which the picture must have one; empty if any will do.
    """

    memory: int = 0
    sizes: frozenset[tuple[int, int]] = frozenset()


def check_claims(kind: str, data: bytes, limit: int) -> Claims:
    """Check what the header of a file claims before its decoder opens it.

    Parameters
    ----------
    kind : str
        As from `sniff`.
    data : bytes
        The file.
    limit : int
        Pixels.

    Returns
    -------
    Claims
        For `check_memory`, once the decoder has told the size of the picture.

    Raises
    ------
    DecodeError, TooLargeError
        Claims that no picture makes, or over the limit.
    struct.error, IndexError
        The header breaks off.

    Examples
    --------
    >>> check_claims("PNG", b"", MAX_PIXELS).memory
    0
    """
    return _CHECKS[kind](data, limit) if kind in _CHECKS else Claims()


def check_memory(claims: Claims, columns: int, rows: int) -> None:
    """Refuse a picture whose streams are of another size, or need too much memory.

    Parameters
    ----------
    claims : Claims
        As from `check_claims`.
    columns, rows : int
        Size of the picture, as its decoder tells it.

    Raises
    ------
    DecodeError, TooLargeError
        Another size, or too much memory.

    Examples
    --------
    >>> check_memory(Claims(), 8000, 8000)
    """
    if claims.sizes and (columns, rows) not in claims.sizes:
        raise DecodeError(f"the file claims {columns} x {rows} pixels, its stream has another size")
    if claims.memory and claims.memory + 8 * columns * rows > _MAX_MEMORY:
        raise TooLargeError(f"{columns} x {rows} pixels in this depth need over 1 GiB: use a smaller picture")


def _check_jpeg(data: bytes, _limit: int) -> Claims:
    # Inside coded data 0xff is always followed by zero, so that each hit is a scan.
    if data.count(b"\xff\xda") > _MAX_SCANS or data.count(b"Exif\0\0") > _MAX_EXIF_PARTS:
        raise DecodeError(f"the JPEG {_UNUSUAL}")
    return Claims()


def _check_webp(data: bytes, limit: int) -> Claims:
    # The decoder makes room for two canvases on opening.
    head = data[12:30].ljust(18, b"\0")
    if head.startswith(b"VP8X"):
        columns, rows = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (12, 15))
    elif head.startswith(b"VP8L"):
        bits = int.from_bytes(head[9:13], "little")
        columns, rows = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        columns, rows = (side & 0x3FFF for side in struct.unpack("<HH", head[14:18]))
    check_pixels(columns, rows, limit)
    return Claims()


def _check_tiff(data: bytes, limit: int) -> Claims:
    # Pillow makes objects of every value of a tag, libtiff makes room for a whole tile.
    value = dict(_tiff_tags(data))
    if value.get(259, 1) not in _TIFF_COMPRESSIONS:
        raise DecodeError("the TIFF is packed in an unusual way: save it again as PNG")
    if value.get(277, 1) > 6:
        raise DecodeError(f"expected at most 6 samples a pixel, got {value[277]}: save it again as PNG")
    columns, rows = value.get(322, value.get(256, 1)), value.get(323, value.get(278, value.get(257, 1)))
    rows = rows if 323 in value else min(rows, value.get(257, 1))
    check_pixels(columns, rows, limit)
    plain = value.get(259, 1) == 1  # then Pillow reads the lines itself
    return Claims(0 if plain else columns * rows * value.get(277, 1) * value.get(258, 1) // 8)


def _tiff_tags(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (tag, first value) of the first directory, for short and long integers."""
    order = "<" if data[:1] == b"I" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    word = order + ("Q" if big else "L")
    start = struct.unpack_from(word, data, 8 if big else 4)[0]
    entries = struct.unpack_from(order + ("Q" if big else "H"), data, start)[0]
    size, layout, room = (20, "HHQ", 8) if big else (12, "HHL", 4)
    for index in range(min(entries, 2**16)):
        entry = start + (8 if big else 2) + index * size
        tag, kind, count = struct.unpack_from(order + layout, data, entry)
        if count > _MAX_TAG_VALUES and kind not in (1, 2, 6, 7):
            raise DecodeError(f"the TIFF {_UNUSUAL}")
        if kind in (3, 4):
            at = entry + size - room
            if count * (2 if kind == 3 else 4) > room:
                at = struct.unpack_from(word, data, at)[0]
            if at + 4 <= len(data):
                yield tag, struct.unpack_from(order + ("H" if kind == 3 else "L"), data, at)[0]


# AVIF and HEIC: boxes in boxes (ISO 14496-12 and 23008-12), AV1 streams inside.


def _check_avif(data: bytes, limit: int) -> Claims:
    sizes, memory, grid = set(), 0, False
    for kind, stream in _items(data):
        grid |= kind == b"grid"
        if kind == b"av01":
            for profile, columns, rows in _av1_headers(stream):
                check_pixels(columns, rows, limit)
                sizes.add((columns, rows))
                memory += _AV1_BYTES[profile] * columns * rows
    if not sizes:
        raise DecodeError(f"the AVIF {_UNUSUAL}")
    return Claims(2 * memory, frozenset()) if grid else Claims(memory, frozenset(sizes))


def _check_heic(data: bytes, _limit: int) -> Claims:
    for _ in _items(data):  # which sees to the metadata; libheif itself compares the sizes
        pass
    return Claims()


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while start + 8 <= end:
        size, name = struct.unpack_from(">L4s", data, start)
        body = start + 8
        if size == 1:
            size, body = struct.unpack_from(">Q", data, body)[0], body + 8
        stop = end if size == 0 else start + size
        if not body <= stop <= end:
            raise DecodeError("the picture is cut off")
        yield name, body, stop
        start = stop


def _items(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield (type, bytes) of every part of an item of the file."""
    view = memoryview(data)
    outer = {name: (body, stop) for name, body, stop in _boxes(data, 0, len(data))}
    body, stop = outer[b"meta"]
    inner = {name: (at, to) for name, at, to in _boxes(data, body + 4, stop)}
    kinds = dict(_item_types(data, *inner[b"iinf"]))
    for item, method, places in _item_places(data, inner[b"iloc"][0]):
        kind = kinds.get(item, b"")
        base, end = inner[b"idat"] if method == 1 else (0, len(data))
        if kind == b"Exif" and sum(length for _, length in places) > MAX_EXIF:
            raise DecodeError(f"the picture's metadata {_UNUSUAL}")
        if kind == b"av01" and len(places) != 1:
            raise DecodeError(f"the AVIF {_UNUSUAL}")
        for at, length in places:
            yield kind, view[base + at : base + at + length if length else end]


def _item_types(data: bytes, body: int, stop: int) -> Iterator[tuple[int, bytes]]:
    first = body + (6 if data[body] == 0 else 8)
    for name, at, _ in _boxes(data, first, stop):
        if name == b"infe" and data[at] >= 2:
            layout = ">HH4s" if data[at] == 2 else ">LH4s"
            item, _, kind = struct.unpack_from(layout, data, at + 4)
            yield item, kind


def _item_places(data: bytes, at: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Yield (item, construction method, [(offset, length)]) from an ``iloc`` box."""
    version, widths = data[at], struct.unpack_from(">H", data, at + 4)[0]
    offset_size, length_size, base_size, index_size = (widths >> shift & 15 for shift in (12, 8, 4, 0))
    at += 6

    def number(size: int) -> int:
        nonlocal at
        value = int.from_bytes(data[at : at + size], "big")
        at += size
        if at > len(data):
            raise DecodeError("the picture is cut off")
        return value

    total = 0
    for _ in range(_few(number(4 if version == 2 else 2))):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version else 0
        number(2)
        base, places = number(base_size), []
        extents = number(2)
        total = _few(total + extents)
        for _ in range(extents):
            number(index_size if version else 0)
            offset = base + number(offset_size)
            places.append((offset, number(length_size)))
        yield item, method, places


def _few(count: int) -> int:
    if count > _MAX_PARTS:
        raise DecodeError(f"the picture {_UNUSUAL}")
    return count


def _av1_headers(stream: memoryview) -> Iterator[tuple[int, int, int]]:
    """Yield (profile, columns, rows) of every sequence header (AV1 specification, 5.3 to 5.5)."""
    at, parts = 0, 0
    while at < len(stream):
        parts = _few(parts + 1)
        head = stream[at]
        at += 2 if head & 4 else 1
        size, shift = 0, 0
        while head & 2:
            byte = stream[at]
            size, shift, at = size | (byte & 127) << shift, shift + 7, at + 1
            if byte < 128:
                break
        size = size if head & 2 else len(stream) - at
        if head >> 3 & 15 == 1:
            yield _av1_size(stream[at : at + size])
        at += size


def _av1_size(header: memoryview) -> tuple[int, int, int]:
    value, left = int.from_bytes(header[:512], "big"), 8 * len(header[:512])

    def bits(count: int) -> int:
        nonlocal left
        left -= count
        if left < 0:
            raise DecodeError("the picture is cut off")
        return value >> left & (1 << count) - 1

    profile, _, reduced = bits(3), bits(1), bits(1)
    if reduced:
        bits(5)
    else:
        if bits(1):  # timing, which a still picture has no use for
            raise DecodeError(f"the AVIF {_UNUSUAL}")
        delay = bits(1)
        for _ in range(bits(5) + 1):
            bits(12)
            if bits(5) > 7:
                bits(1)
            if delay and bits(1):
                bits(4)
    wide, high = bits(4) + 1, bits(4) + 1
    return min(profile, 2), bits(wide) + 1, bits(high) + 1


_CHECKS: Final[Mapping[str, Callable[[bytes, int], Claims]]] = MappingProxyType(
    {"AVIF": _check_avif, "HEIC": _check_heic, "JPEG": _check_jpeg, "TIFF": _check_tiff, "WEBP": _check_webp}
)
