"""Files that lie, break off or explode, and good files in every mode: all drawn by code.

`corpus` yields names (whose extension is sometimes wrong on purpose) and bytes. Whatever reads
one must end in a picture or in one line that says what to do.
"""

import io
import random
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

Named = tuple[str, bytes]


def sample(rows: int = 24, columns: int = 32) -> npt.NDArray[np.uint8]:
    """Draw a smooth picture, different at every corner."""
    y, x = np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j]
    return np.rint(np.stack([40 + 180 * x, 220 - 180 * y, 60 + 120 * x * y], axis=-1)).astype(np.uint8)


def save(picture: Image.Image | npt.NDArray[np.uint8], kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(out, kind, **options)
    return out.getvalue()


# Builders of files that no honest program writes.


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))


def png(
    columns: int, rows: int, packed: bytes, *, depth: int = 8, colour: int = 2, extra: bytes = b""
) -> bytes:
    """Assemble a PNG with whatever size it claims."""
    header = struct.pack(">LLBBBBB", columns, rows, depth, colour, 0, 0, 0)
    parts = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def png_of(array: npt.NDArray[np.generic], colour: int, *, extra: bytes = b"") -> bytes:
    """Pack an array of 8 or 16 bits a sample as it is."""
    rows, columns = array.shape[:2]
    lines = array.astype(array.dtype.newbyteorder(">")).reshape(rows, -1)
    raw = b"".join(b"\0" + line.tobytes() for line in lines)
    return png(columns, rows, zlib.compress(raw, 1), depth=array.itemsize * 8, colour=colour, extra=extra)


def zeros(count: int, *, level: int = 9) -> bytes:
    """Deflate `count` zero bytes without holding them."""
    packer = zlib.compressobj(level)
    whole, rest = divmod(count, 2**20)
    parts = [packer.compress(bytes(2**20)) for _ in range(whole)]
    return b"".join([*parts, packer.compress(bytes(rest)), packer.flush()])


def tiff(tags: list[tuple[int, int, int, int | bytes]], body: bytes = b"") -> bytes:
    """Assemble a little-endian TIFF; `body` lies at offset 8, values of bytes after the tags."""
    start = 8 + len(body)
    tail_at = start + 2 + 12 * len(tags) + 4
    entries, tail = b"", b""
    for tag, kind, count, value in sorted(tags):
        if isinstance(value, bytes):
            value, tail = tail_at + len(tail), tail + value
        entries += struct.pack("<HHLL", tag, kind, count, value)
    return (
        b"II*\0" + struct.pack("<L", start) + body + struct.pack("<H", len(tags)) + entries + bytes(4) + tail
    )


def plain_tiff(array: npt.NDArray[np.generic], photometric: int, *, sample_format: int = 1) -> bytes:
    """Store an array of shape (H, W) or (H, W, C), of any depth, without packing."""
    rows, columns = array.shape[:2]
    samples = array.size // (rows * columns)
    bits = struct.pack("<H", array.itemsize * 8) * samples
    tags: list[tuple[int, int, int, int | bytes]] = [
        (256, 4, 1, columns),
        (257, 4, 1, rows),
        (258, 3, samples, bits if samples > 2 else int.from_bytes(bits, "little")),
        (259, 3, 1, 1),
        (262, 3, 1, photometric),
        (273, 4, 1, 8),
        (277, 3, 1, samples),
        (278, 4, 1, rows),
        (279, 4, 1, array.nbytes),
        (339, 3, 1, sample_format),
    ]
    return tiff(tags, array.astype(array.dtype.newbyteorder("<")).tobytes())


def exif(orientation: object, *, kind: int = 3, count: int = 1, next_at: int = 0) -> bytes:
    """Write an EXIF block with one tag: the orientation."""
    value = orientation if isinstance(orientation, bytes) else struct.pack("<HH", orientation, 0)
    entry = struct.pack("<HHL", 0x0112, kind, count) + value
    return b"Exif\0\0II*\0" + struct.pack("<LH", 8, 1) + entry + struct.pack("<L", next_at)


def with_size(jpeg: bytes, columns: int, rows: int) -> bytes:
    """Let a JPEG claim another size."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", rows, columns) + jpeg[at + 4 :]


def with_ispe(avif: bytes, columns: int, rows: int) -> bytes:
    """Let the container of an AVIF or HEIC claim another size than its stream."""
    at = avif.index(b"ispe") + 8
    return avif[:at] + struct.pack(">LL", columns, rows) + avif[at + 8 :]


def gif_frame(canvas: tuple[int, int], frame: tuple[int, int]) -> bytes:
    """Put a frame of one size on a canvas of another."""
    head = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80, 0, 0) + bytes(6)
    return head + b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\0;"


def bmp(columns: int, rows: int, *, bits: int = 24, packing: int = 0, body: bytes = b"") -> bytes:
    head = struct.pack("<LllHHLLllLL", 40, columns, rows, 1, bits, packing, len(body), 0, 0, 0, 0)
    return b"BM" + struct.pack("<LLL", 54 + len(body), 0, 54) + head + body


def profile(name: str = "sRGB") -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}l", *(round(number * 65_536) for number in numbers))


def icc(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Assemble an ICC profile of version 2.4."""
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for name, value in tags.items():
        value += bytes(-len(value) % 4)
        table += name + struct.pack(">LL", at + len(body), len(value))
        body += value
    head = struct.pack(">L4sL4s4s4s", at + len(body), bytes(4), 0x0240_0000, kind, space, connection)
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp").ljust(32, b"\0") + fixed(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">L", len(tags)) + table + body


def xyz(*numbers: float) -> bytes:
    return b"XYZ " + bytes(4) + fixed(*numbers)


def gamma(exponent: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">LH", 1, round(exponent * 256))


#: Columns: red, green and blue of Adobe RGB (1998) as XYZ under D50.
ADOBE_RGB = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
ADOBE_GAMMA = 563 / 256


def adobe_rgb() -> bytes:
    tags = {b"wtpt": xyz(0.9642, 1, 0.8249)}
    for letter, column in zip((b"r", b"g", b"b"), ADOBE_RGB.T, strict=True):
        tags |= {letter + b"XYZ": xyz(*column), letter + b"TRC": gamma(ADOBE_GAMMA)}
    return icc(b"mntr", b"RGB ", b"XYZ ", tags)


def linear_grey() -> bytes:
    return icc(b"mntr", b"GRAY", b"XYZ ", {b"wtpt": xyz(0.9642, 1, 0.8249), b"kTRC": gamma(1)})


def odd_press() -> bytes:
    """Describe a press whose cyan ink is red."""
    ramp = bytes(range(256))
    corners = b""
    for inks in range(16):  # cyan is the highest bit, black the lowest
        corners += bytes((0, 128, 128) if inks & 1 else (138, 209, 198) if inks & 8 else (255, 128, 128))
    table = b"mft1" + struct.pack(">LBBBB", 0, 4, 3, 2, 0) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += ramp * 4 + corners + ramp * 3
    return icc(b"prtr", b"CMYK", b"Lab ", {b"wtpt": xyz(0.9642, 1, 0.8249), b"A2B0": table})


# The corpus.


def corpus(*, step: int = 1) -> Iterator[Named]:
    """Yield every bad and odd file; truncations at every `step` per cent."""
    yield from truncations(step)
    yield from bombs()
    yield from lies()
    yield from strangers()
    yield from odd_metadata()
    yield from odd_pictures()
    yield from damaged()


def truncations(step: int = 1) -> Iterator[Named]:
    picture = sample(96, 128)
    for kind in ("jpeg", "png", "webp"):
        whole = save(picture, kind)
        for percent in range(0, 100, step):
            yield f"cut-at-{percent}.{kind}", whole[: len(whole) * percent // 100]
    for kind, suffix in (("gif", "gif"), ("tiff", "tif"), ("bmp", "bmp"), ("avif", "avif")):
        whole = save(picture, kind)
        for percent in range(0, 100, 10 * step):
            yield f"cut-at-{percent}.{suffix}", whole[: len(whole) * percent // 100]
    progressive = save(picture, "jpeg", progressive=True)
    yield from ((f"cut-progressive-{n}.jpg", progressive[: len(progressive) * n // 10]) for n in range(1, 10))


def bombs() -> Iterator[Named]:
    yield "196-megapixels.png", png(14_000, 14_000, zeros(14_000 * 1751), depth=1, colour=0)
    yield "900-megapixels.png", png(30_000, 30_000, zeros(2**20), depth=1, colour=0)
    yield "largest-claim.png", png(2**31 - 1, 2**31 - 1, b"")
    yield "one-row-of-2-thousand-million.png", png(2**31 - 1, 1, zeros(2**20), colour=0)
    small = {"columns": 4, "rows": 4, "packed": zlib.compress(bytes(52))}
    huge = zeros(200 * 2**20, level=1)
    yield "text.png", png(**small, extra=png_chunk(b"iTXt", b"a\0\1\0\0\0" + huge))
    yield "text-many.png", png(**small, extra=png_chunk(b"zTXt", b"a\0\0" + zeros(2**20 - 1)) * 200)
    yield "profile.png", png(**small, extra=png_chunk(b"iCCP", b"a\0\0" + huge))
    yield "too-many-bytes.png", png(**small, extra=png_chunk(b"teXt", bytes(33 * 2**20)))
    yield (
        "20-thousand-animation-frames.png",
        png(**small, extra=png_chunk(b"acTL", struct.pack(">LL", 2**31 - 1, 0))),
    )
    strips = struct.pack("<L", 8) * 2_000_000
    size = [(256, 3, 1, 4), (257, 3, 1, 4), (258, 3, 1, 8), (262, 3, 1, 1), (278, 3, 1, 1)]
    yield "million-strips.tif", tiff([*size, (273, 4, 2_000_000, strips)], bytes(16))
    yield "million-depths.tif", tiff([*size[:2], (258, 3, 4_000_000, strips), (273, 4, 1, 8)], bytes(16))
    tile = [(322, 4, 1, 2**20), (323, 4, 1, 2**14), (324, 4, 1, 8), (325, 4, 1, 2**15), (259, 3, 1, 8)]
    yield "tile-of-16-gigapixels.tif", tiff([*size[:4], *tile], zeros(2**24))
    yield "one-strip-of-512-megabytes.tif", one_strip(8000, 4, 16)
    scan = b"\xff\xda\0\x08\x01\x01\0\0\x3f\0"
    jpeg = save(sample(), "jpeg", progressive=True)
    yield "ten-thousand-scans.jpg", jpeg[:-2] + scan * 10_000 + jpeg[-2:]
    yield (
        "animated-1000.gif",
        save(
            Image.new("P", (8, 8)),
            "gif",
            save_all=True,
            append_images=[Image.new("P", (8, 8), n % 9) for n in range(1000)],
        ),
    )


def lies() -> Iterator[Named]:
    jpeg = save(sample(), "jpeg")
    yield "claims-4-gigapixels.jpg", with_size(jpeg, 65_500, 65_500)
    yield "claims-60-megapixels.jpg", with_size(jpeg, 7800, 7800)
    yield "claims-nothing.jpg", with_size(jpeg, 0, 0)
    yield "claims-60-megapixels.png", png(7800, 7800, zlib.compress(bytes(100)))
    yield "claims-nothing.png", png(0, 0, zlib.compress(b""))
    yield "claims-4-gigapixels.gif", gif_frame((65_535, 65_535), (1, 1))
    yield "frame-over-canvas.gif", gif_frame((1, 1), (60_000, 60_000))
    gif = save(sample(), "gif")
    yield "frame-a-little-over-canvas.gif", gif[:6] + struct.pack("<HH", 2, 2) + gif[10:]
    yield "nothing.gif", gif_frame((0, 0), (0, 0))
    for columns, rows in ((65_535, 65_535), (7800, 7800), (-5, 5), (0, 0), (3, -(2**31)), (2**31 - 1, 1)):
        yield f"claims-{columns}-{rows}.bmp", bmp(columns, rows, body=bytes(100))
    yield "run-length.bmp", bmp(7000, 7000, bits=8, packing=1, body=bytes(1024) + b"\xff\x07" * 900)
    yield "bits-31.bmp", bmp(3, 3, bits=31, body=bytes(100))
    yield from _lying_tiffs()
    webp = save(sample(), "webp")
    wide = struct.pack("<L", 16_383)[:3] * 2
    extended = b"VP8X" + struct.pack("<LL", 10, 0) + wide + webp[12:]
    yield "claims-268-megapixels.webp", b"RIFF" + struct.pack("<L", len(extended) + 4) + b"WEBP" + extended
    lossless = save(sample(), "webp", lossless=True)
    at = lossless.index(b"VP8L") + 9
    yield "claims-268-megapixels-lossless.webp", lossless[:at] + b"\xff\xff\xff\x0f" + lossless[at + 4 :]
    yield "riff-length.webp", webp[:4] + b"\xff\xff\xff\xff" + webp[8:]
    avif = save(sample(), "avif")
    yield "claims-4-gigapixels.avif", with_ispe(avif, 65_535, 65_535)
    yield "claims-one-pixel.avif", with_ispe(avif, 1, 1)
    yield "claims-nothing.avif", with_ispe(avif, 0, 0)


def _lying_tiffs() -> Iterator[Named]:
    size = [(256, 4, 1, 4), (257, 4, 1, 4)]
    rest = [(258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 16)]
    yield "claims-too-much.tif", tiff([(256, 4, 1, 2**31), (257, 4, 1, 2**31), *rest], bytes(16))
    yield "claims-60-megapixels.tif", tiff([(256, 4, 1, 7800), (257, 4, 1, 7800), *rest], bytes(16))
    yield "claims-nothing.tif", tiff([(256, 4, 1, 0), (257, 4, 1, 0), *rest], bytes(16))
    yield "samples-60000.tif", tiff([*size, *rest, (277, 3, 1, 60_000)], bytes(16))
    yield "offset-outside.tif", tiff([*size, rest[0], rest[1], (273, 4, 1, 2**32 - 1), rest[3]], bytes(16))
    yield "packed-as-99.tif", tiff([*size, *rest, (259, 3, 1, 99)], bytes(16))
    yield "packed-as-lzma.tif", save(sample(), "tiff", compression="lzma")
    yield "values-outside.tif", tiff([*size, *rest, (700, 1, 2**32 - 1, 9)], bytes(16))
    yield "directory-outside.tif", b"II*\0" + struct.pack("<L", 2**32 - 1)
    yield "big-directory-outside.tif", b"II+\0" + struct.pack("<HHQ", 8, 0, 2**63)
    yield "no-tags.tif", tiff([])


def strangers() -> Iterator[Named]:
    """Yield files that are no picture, or another one than their name says."""
    for kind in ("jpeg", "png", "webp", "gif", "avif"):
        wrong = "png" if kind == "jpeg" else "jpg"
        yield f"really-{kind}.{wrong}", save(sample(), kind)
    yield "empty.png", b""
    yield "empty.jpg", b""
    yield "one-byte.png", b"\x89"
    yield "text.png", b"This is no picture.\n"
    yield "drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>"
    yield "script.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"
    yield "document.jpg", b"%PDF-1.7\n"
    yield "archive.jpg", b"PK\3\4" + bytes(40)
    yield "other-format.jpg", save(sample(), "ppm")
    yield "other-format.png", save(sample(), "tga")
    yield "photoshop.jpg", b"8BPS\0\1" + bytes(60)
    noise = random.Random(2)  # noqa: S311 - the same files every time
    magics = {
        "jpg": b"\xff\xd8\xff\xe0",
        "png": b"\x89PNG\r\n\x1a\n",
        "webp": b"RIFF\x20\x08\0\0WEBPVP8 ",
        "gif": b"GIF89a",
        "bmp": b"BM",
        "tif": b"II*\0\x08\0\0\0",
        "avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    }
    for suffix, magic in magics.items():
        yield from ((f"noise-{n}.{suffix}", magic + noise.randbytes(4 ** (n + 3))) for n in range(5))


def odd_metadata() -> Iterator[Named]:
    picture = sample()
    for orientation in range(1, 9):
        yield f"turned-{orientation}.jpg", save(picture, "jpeg", exif=exif(orientation))
    lying = {
        "0": exif(0),
        "9": exif(9),
        "65535": exif(65_535),
        "text": exif(b"six\0", kind=2, count=4),
        "many": exif(bytes(4), count=2**31),
        "outside": exif(b"\xff" * 4, kind=5),
        "circle": exif(6, next_at=8),
        "cut": exif(6)[:20],
        "noise": b"Exif\0\0" + random.Random(3).randbytes(300),  # noqa: S311
    }
    for name, block in lying.items():
        yield f"orientation-{name}.jpg", save(picture, "jpeg", exif=block)
        yield f"orientation-{name}.png", save(picture, "png", exif=block)
        yield f"orientation-{name}.webp", save(picture, "webp", exif=block)
    numbers = b"\x01\0\0\0" * 2_000_000
    bomb = exif(struct.pack("<L", 26), kind=5, count=1_000_000) + numbers
    yield "orientation-million.png", save(picture, "png", exif=bomb)
    yield "orientation-million.webp", save(picture, "webp", exif=bomb)
    room = b"II*\0\x08\0\0\0" + bytes(6) + b"\xa5" * (len(bomb) - 6 - 14)
    yield "orientation-million.avif", save(picture, "avif", exif=room).replace(room, bomb[6:])
    good = profile()
    noise = random.Random(4)  # noqa: S311
    profiles = {
        "noise": noise.randbytes(3000),
        "cut": good[:200],
        "lab": profile("LAB"),
        "large": good + bytes(5 * 2**20),
    }
    for number in range(20):
        broken = bytearray(good)
        for _ in range(12):
            broken[noise.randrange(len(broken))] = noise.randrange(256)
        profiles[f"flipped-{number}"] = bytes(broken)
    for name, data in profiles.items():
        yield f"profile-{name}.png", save(picture, "png", icc_profile=data)


def odd_pictures() -> Iterator[Named]:
    """Yield honest files that are rarely met."""
    frames = [Image.fromarray(np.roll(sample(), 3 * n, axis=1)) for n in range(4)]
    for kind, suffix in (
        ("gif", "gif"),
        ("webp", "webp"),
        ("png", "apng"),
        ("avif", "avif"),
        ("tiff", "tif"),
    ):
        yield f"animated.{suffix}", save(frames[0], kind, save_all=True, append_images=frames[1:])
    for rows, columns in ((1, 1), (1, 30_000), (30_000, 1)):
        for kind in ("jpeg", "png", "tiff", "bmp", "gif"):
            yield f"{columns}x{rows}.{kind}", save(sample(rows, columns), kind)
    yield "1x1.webp", save(sample(1, 1), "webp")
    yield "1x1.avif", save(sample(1, 1), "avif")
    deep = np.full((6, 8, 4), 20_000, np.uint16)
    yield "cmyk-16-bit.tif", plain_tiff(deep, 5)
    yield "float.tif", plain_tiff(np.full((6, 8), np.nan, np.float32), 1, sample_format=3)
    yield "double.tif", plain_tiff(np.full((6, 8), 0.5, np.float64), 1, sample_format=3)


def damaged() -> Iterator[Named]:
    """Yield files with a few bytes changed."""
    noise = random.Random(5)  # noqa: S311
    for kind in ("jpeg", "png", "webp", "gif", "tiff", "bmp", "avif"):
        whole = save(sample(), kind)
        for number in range(15):
            broken = bytearray(whole)
            for _ in range(4):
                broken[noise.randrange(8, len(broken))] = noise.randrange(256)
            yield f"damaged-{number}.{kind}", bytes(broken)


def worst_cases(side: int = 8000) -> Iterator[Named]:
    """Yield honest files at the limit of 64 million pixels, in the modes that take most memory."""
    picture = Image.new("CMYK", (side, side), (9, 99, 0, 40))
    yield "cmyk-progressive.jpg", save(picture, "jpeg", progressive=True)
    del picture
    picture = Image.new("RGBA", (side, side), (9, 99, 0, 40))
    yield "alpha.webp", save(picture, "webp", lossless=True, method=0)
    del picture
    yield "float-in-one-strip.tif", one_strip(side, 1, 32, sample_format=3)


def one_strip(side: int, samples: int, bits: int, *, sample_format: int = 1) -> bytes:
    """Write a packed black TIFF that has to be unpacked in one piece, and turned."""
    body = zeros(side * side * samples * bits // 8, level=1)
    depth = struct.pack("<H", bits) * samples
    tags: list[tuple[int, int, int, int | bytes]] = [
        (256, 4, 1, side),
        (257, 4, 1, side),
        (258, 3, samples, depth if samples > 2 else bits),
        (259, 3, 1, 8),
        (262, 3, 1, 5 if samples == 4 else 1),
        (273, 4, 1, 8),
        (274, 3, 1, 6),
        (277, 3, 1, samples),
        (278, 4, 1, side),
        (279, 4, 1, len(body)),
        (339, 3, 1, sample_format),
    ]
    return tiff(tags, body)


# Good files, with the pixels they must give.


def valid() -> Iterator[tuple[str, bytes, npt.NDArray[np.uint8], int]]:
    """Yield name, bytes, expected picture and the error allowed, in levels."""
    picture = sample()
    grey = picture[..., 0]
    as_rgb = np.repeat(grey[..., None], 3, axis=2)
    for kind in ("png", "bmp", "tiff"):
        yield f"rgb.{kind}", save(picture, kind), picture, 0
        yield f"grey.{kind}", save(grey, kind), as_rgb, 0
        one_bit = Image.fromarray(grey > 128)
        yield f"one-bit.{kind}", save(one_bit, kind), np.where(as_rgb > 128, 255, 0).astype(np.uint8), 0
    for packing in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        yield f"{packing}.tif", save(picture, "tiff", compression=packing), picture, 0
    yield "lossless.webp", save(picture, "webp", lossless=True), picture, 0
    for kind in ("jpeg", "webp", "avif"):
        yield f"rgb.{kind}", save(picture, kind, quality=95), picture, 12
    yield from _valid_alpha(picture, grey)
    yield from _valid_deep(picture, grey)
    yield from _valid_press()


def _valid_alpha(
    picture: npt.NDArray[np.uint8], grey: npt.NDArray[np.uint8]
) -> Iterator[tuple[str, bytes, npt.NDArray[np.uint8], int]]:
    alpha = np.linspace(0, 255, grey.size).reshape(grey.shape).round().astype(np.uint8)

    def over_white(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        weight = alpha[..., None] / 255
        return np.rint(colours * weight + 255 * (1 - weight)).astype(np.uint8)

    rgba = np.dstack([picture, alpha])
    yield "alpha.png", save(rgba, "png"), over_white(picture), 1
    yield "alpha.tif", save(rgba, "tiff"), over_white(picture), 1
    yield "alpha.webp", save(rgba, "webp", lossless=True, exact=True), over_white(picture), 1
    as_rgb = np.repeat(grey[..., None], 3, axis=2)
    yield "grey-alpha.png", png_of(np.dstack([grey, alpha]), 4), over_white(as_rgb), 1
    deep = np.dstack([picture, alpha]).astype(np.uint16) * 257
    yield "alpha-16-bit.png", png_of(deep, 6), over_white(picture), 1
    key = png_chunk(b"tRNS", struct.pack(">HHH", *map(int, picture[0, 0])))
    hole = picture.copy()
    hole[(picture == picture[0, 0]).all(axis=-1)] = 255
    yield "key.png", png_of(picture, 2, extra=key), hole, 0
    deep_grey = grey.astype(np.uint16) * 257
    key = png_chunk(b"tRNS", struct.pack(">H", int(deep_grey[0, 0])))
    yield "key-16-bit.png", png_of(deep_grey, 0, extra=key), np.where(as_rgb == grey[0, 0], 255, as_rgb), 0
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putpixel((1, 0), 1)
    plain = np.array([[[10, 20, 30], [200, 100, 50]]], np.uint8)
    yield "palette.png", save(palette, "png"), plain, 0
    yield "palette.gif", save(palette, "gif"), plain, 0
    seen = np.array([[[255, 255, 255], [200, 100, 50]]], np.uint8)
    yield "palette-hole.gif", save(palette, "gif", transparency=0), seen, 0
    half = np.array([[[132, 137, 142], [200, 100, 50]]], np.uint8)
    yield "palette-half.png", save(palette, "png", transparency=b"\x80\xff"), half, 1


def _valid_deep(
    picture: npt.NDArray[np.uint8], grey: npt.NDArray[np.uint8]
) -> Iterator[tuple[str, bytes, npt.NDArray[np.uint8], int]]:
    ramp = np.linspace(0, 65_535, 32 * 24).round().astype(np.uint16).reshape(24, 32)
    as_rgb = np.rint(np.repeat(ramp[..., None], 3, axis=2) / 257).astype(np.uint8)
    yield "grey-16-bit.png", png_of(ramp, 0), as_rgb, 0
    yield "grey-16-bit.tif", plain_tiff(ramp, 1), as_rgb, 0
    yield "grey-16-bit-white-is-zero.tif", plain_tiff(ramp, 0), 255 - as_rgb, 0
    swapped = Image.frombytes("I;16B", (32, 24), ramp.astype(">u2").tobytes())
    yield "grey-16-bit-swapped.tif", save(swapped, "tiff"), as_rgb, 0
    rgb = np.dstack([ramp, ramp[::-1], ramp[:, ::-1]])
    as_rgb = np.rint(rgb / 257).astype(np.uint8)
    yield "rgb-16-bit.png", png_of(rgb, 2), as_rgb, 1
    yield "rgb-16-bit.tif", plain_tiff(rgb, 2), as_rgb, 1
    alike = np.repeat(grey[..., None], 3, axis=2)
    for name, white in (("one", 1.0), ("255", 255.0), ("65535", 65_535.0)):
        floats = (grey / np.float32(255) * np.float32(white)).astype(np.float32)
        floats[0, 0] = white  # the top of the range is there
        expected = alike.copy()
        expected[0, 0] = 255
        yield f"float-{name}.tif", plain_tiff(floats, 1, sample_format=3), expected, 0
    yield (
        "long.tif",
        plain_tiff(ramp.astype(np.int32), 1, sample_format=2),
        np.rint(np.repeat(ramp[..., None], 3, axis=2) / 257).astype(np.uint8),
        0,
    )


def _valid_press() -> Iterator[tuple[str, bytes, npt.NDArray[np.uint8], int]]:
    inks = np.zeros((8, 5, 4), np.uint8)
    inks[:, 1:, :] = np.array([[255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0], [0, 0, 0, 255]])[None]
    colours = [[255, 255, 255], [0, 255, 255], [255, 0, 255], [255, 255, 0], [0, 0, 0]]
    expected = np.repeat(np.array([colours], np.uint8), 8, axis=0)
    separated = Image.frombytes("CMYK", (5, 8), inks.tobytes())
    yield "cmyk.tif", save(separated, "tiff"), expected, 0
    yield "cmyk-16-bit.tif", plain_tiff(inks.astype(np.uint16) * 257, 5), expected, 1
    wide = Image.fromarray(np.repeat(np.repeat(expected, 16, 0), 16, 1))
    yield "cmyk.jpg", save(separated.resize((80, 128), 0), "jpeg", quality=100), np.asarray(wide), 3
    lab = np.array([[[255, 128, 128], [0, 128, 128], [138, 209, 198]]], np.uint8)  # white, black, red
    stored = lab.copy()
    stored[..., 1:] ^= 128
    yield "lab.tif", plain_tiff(stored, 8), np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0]]], np.uint8), 6
