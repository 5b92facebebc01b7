"""What a residue search looks for: short pieces of a photo and of what was made from it.

A piece ("canary") is 16 to 64 bytes that no ordinary file holds and chance does not make: headers, even
areas and ramps are refused. Some dozens of each kind, spread over the whole, also find what is left in
fragments. Each piece is looked for as it is and as bytes get into logs, notebooks and databases: as
base64, hexadecimal, numbers and Python's notation.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from facekit.errors import InputError
from facekit.needles import LONGEST, SHORTEST, Needles
from facekit.sweep import Label
from facekit.values import FaceMesh, Image, Points, as_image, as_points

__all__ = ["Canaries", "canaries_of"]

_WINDOWS: Final = 32  # of each kind
_FEWEST: Final = 12  # fewer, and what is left in fragments could be missed
_WIDTH: Final = 24  # bytes; as base64 at any alignment this is 28 characters or more
_ROW: Final = 24  # pixels of a row that a window takes
_POINTS: Final = 4  # points that a window takes
_VARIETY: Final = 10  # different bytes in a window, and different steps between bytes
_TRIES: Final = 64  # places in each stretch that are looked at
_HASHES: Final = ("md5", "sha1", "sha256", "sha512", "blake2b")
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~/")  # RFC 3986

Piece = tuple[Label, bytes]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Canaries:
    """Pieces to search for, held under a mask, so that who holds them is not found to hold a photo.

    Make them with `canaries_of`; `+` puts those of several photos together.

    Parameters
    ----------
    needles : Needles
        The pieces.
    labels : tuple of Label
        What each is made from.
    """

    needles: Needles
    labels: tuple[Label, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What there are pieces of, sorted."""
        return tuple(sorted({label.kind for label in self.labels}))

    def __len__(self) -> int:
        """Return the number of pieces."""
        return len(self.labels)

    def __add__(self, other: "Canaries") -> "Canaries":
        """Return the pieces of both."""
        return Canaries(self.needles + other.needles, self.labels + other.labels)


def canaries_of(
    *,
    upload: bytes | None = None,
    pixels: Image | None = None,
    landmarks: FaceMesh | Points | None = None,
    result: bytes | Image | None = None,
    name: str | None = None,
) -> Canaries:
    """Choose what to search for.

    Parameters
    ----------
    upload : bytes, optional
        The file as it was sent. Also gives its digests, which are enough to recognise a photo by.
    pixels : Image of shape (H, W, 3), optional
        The decoded picture, 24 pixels wide or more.
    landmarks : FaceMesh, or Points of shape (N, 2), optional
        48 points or more.
    result : bytes, or Image, optional
        What the job gave back, as a file or as pixels.
    name : str, optional
        The file name, of 15 bytes or more.

    Returns
    -------
    Canaries
        Hundreds of pieces.

    Raises
    ------
    InputError
        Nothing is given; or what is given is so small or so even that its pieces could be anybody's.
    ArrayError
        An array has the wrong shape or type.

    Notes
    -----
    Whoever calls this holds the photo itself, and a search of that process rightly finds it. To leave
    nothing there, call it in a short-lived process and send the canaries on, as ``facekit residue`` does.

    A canary finds copies, not likenesses: a picture that was scaled or compressed again has other bytes.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> canaries = canaries_of(upload=rng.bytes(5000), pixels=rng.integers(0, 256, (64, 64, 3), np.uint8))
    >>> canaries.kinds
    ('hash', 'pixels', 'upload')
    """
    pieces = list(_pieces(upload, pixels, landmarks, result, name))
    if not pieces:
        raise InputError(
            "expected an upload, pixels, landmarks, a result or a name to search for, got nothing"
        )
    unique = {pattern: label for label, pattern in reversed(pieces)}
    return Canaries(Needles.hide(unique), tuple(unique.values()))


def _pieces(
    upload: bytes | None,
    pixels: Image | None,
    landmarks: FaceMesh | Points | None,
    result: bytes | Image | None,
    name: str | None,
) -> Iterator[Piece]:
    if upload is not None:
        yield from _of_file("upload", upload)
        yield from _of_digests(upload)
    if pixels is not None:
        yield from _of_pixels("pixels", as_image(pixels, name="pixels"))
    if landmarks is not None:
        points = landmarks.points if isinstance(landmarks, FaceMesh) else landmarks
        yield from _of_points(as_points(points, name="landmarks"))
    if isinstance(result, np.ndarray):
        yield from _of_pixels("result", as_image(result, name="result"))
    elif result is not None:
        yield from _of_file("result", result)
        yield from _of_digests(result)
    if name is not None:
        yield from _of_name(name)


# -- files ------------------------------------------------------------------------------------


def _of_file(kind: str, data: bytes) -> Iterator[Piece]:
    array = np.frombuffer(data, np.uint8)
    starts = np.linspace(_body(data), max(0, len(data) - _WIDTH), _WINDOWS + 1).astype(np.int64)
    stretches = []
    for start, end in pairwise(starts.tolist()):
        if end <= start:
            continue
        places = np.unique(np.linspace(start, end, _TRIES, endpoint=False).astype(np.int64))
        windows = array[places[:, None] + np.arange(_WIDTH)] if len(data) >= _WIDTH else array[:0, None]
        stretches.append([window.tobytes() for window in windows[_rich(windows)]])
    for window in _chosen(kind, stretches):
        yield from _written(kind, "raw", window)


def _body(data: bytes) -> int:
    """Return where a picture's own bytes begin: tables and profiles are the same in many files."""
    if data.startswith(b"\xff\xd8"):
        at = 2
        while data[at : at + 1] == b"\xff" and data[at : at + 2] != b"\xff\xda":
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
        return min(at, len(data))
    if data.startswith(b"\x89PNG"):
        return max(0, data.find(b"IDAT"))
    return min(512, len(data) // 16)


def _of_digests(data: bytes) -> Iterator[Piece]:
    for algorithm in _HASHES:
        digest = hashlib.new(algorithm, data, usedforsecurity=False)
        yield Label("hash", f"{algorithm} raw"), digest.digest()
        # The first half of the shortest: shortened digests are found, too.
        yield Label("hash", f"{algorithm} hex"), digest.hexdigest()[:16].encode()
        yield Label("hash", f"{algorithm} hex"), digest.hexdigest()[:16].upper().encode()
        yield Label("hash", f"{algorithm} base64"), base64.b64encode(digest.digest())[:20]


def _of_name(name: str) -> Iterator[Piece]:
    plain = name.encode("utf-8", "surrogateescape")
    if len(plain) < SHORTEST or len(set(plain)) < 8:
        raise InputError(
            f"name: expected {SHORTEST} bytes or more, of 8 kinds, got {len(plain)} of {len(set(plain))}: "
            "so short a name is anybody's"
        )
    yield from _written("name", "raw", plain[:LONGEST])
    yield Label("name", "UTF-16"), name.encode("utf-16-le", "surrogatepass")[:LONGEST]
    yield Label("name", "UTF-32"), name.encode("utf-32-le", "surrogatepass")[:LONGEST]
    quoted = (chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in plain)
    yield Label("name", "URL"), "".join(quoted).encode()[:LONGEST]
    yield Label("name", "JSON"), json.dumps(name)[1:-1].encode()[:LONGEST]


# -- arrays -----------------------------------------------------------------------------------


def _of_pixels(kind: str, image: Image) -> Iterator[Piece]:
    for row in _chosen(kind, _rows(image)):
        window = np.frombuffer(row, np.uint8).reshape(_ROW, 3)
        yield from _written(kind, "RGB", window[:8].tobytes())
        yield from _written(kind, "BGR", window[:8, ::-1].tobytes())
        opaque = np.concatenate([window[:8], np.full((8, 1), 255, np.uint8)], axis=1)
        yield Label(kind, "RGBA"), opaque.tobytes()
        yield Label(kind, "BGRA"), opaque[:, [2, 1, 0, 3]].tobytes()
        yield Label(kind, "RGB float32"), window[:5].astype("<f4").tobytes()
        yield Label(kind, "BGR float32"), window[:5, ::-1].astype("<f4").tobytes()
        for channel, colour in enumerate("RGB"):
            yield Label(kind, f"{colour} plane"), window[:, channel].tobytes()
            yield Label(kind, f"{colour} plane float32"), window[:16, channel].astype("<f4").tobytes()


def _rows(image: Image) -> list[list[bytes]]:
    """Return rich pieces of rows, by bands of the picture."""
    height, width = image.shape[:2]
    if width < _ROW:
        return []
    rng, stretches = np.random.default_rng(0), []  # the same places each time
    edges = np.linspace(0, height, min(_WINDOWS, height) + 1).astype(np.int64)
    tries = _TRIES * max(1, _WINDOWS // len(edges))
    for top, bottom in pairwise(edges.tolist()):
        rows = rng.integers(top, bottom, tries)
        columns = rng.integers(0, width - _ROW + 1, tries)
        windows = image[rows[:, None], columns[:, None] + np.arange(_ROW)]
        rich = _rich(windows[:, :8].reshape(tries, -1))
        for channel in range(3):
            rich &= _rich(windows[:, :, channel])
        stretches.append([window.tobytes() for window in windows[rich]])
    return stretches


def _of_points(points: Points) -> Iterator[Piece]:
    stretches = []
    for start in range(0, len(points) - _POINTS + 1, _POINTS):
        window = points[start : start + _POINTS]
        if _rich(window.astype("<f4").view(np.uint8).reshape(1, -1), steps=False)[0]:
            stretches.append([window.astype("<f4").tobytes()])
    keep = np.unique(np.linspace(0, max(0, len(stretches) - 1), _WINDOWS).astype(np.int64))
    for row in _chosen("landmarks", [stretches[at] for at in keep] if stretches else []):
        window = np.frombuffer(row, "<f4").reshape(_POINTS, 2)
        yield from _written("landmarks", "float32", row, numbers=False)
        yield Label("landmarks", "float64"), window.astype("<f8").tobytes()
        yield from _as_text(window)


def _as_text(window: npt.NDArray[np.float32]) -> Iterator[Piece]:
    """Write points the way that JSON, CSV and `repr` do: as doubles, and as short as float32 allows."""
    for form, rows in (
        ("text", window.tolist()),
        ("short text", [[float(str(value)) for value in row] for row in window]),
    ):
        for separators in ((", ", ": "), (",", ":")):
            nested = json.dumps(rows, separators=separators)[2:-2]
            yield Label("landmarks", form), nested[:LONGEST].encode()
            flat = nested.replace("[", "").replace("]", "")
            yield Label("landmarks", form), flat[:LONGEST].encode()


# -- what all share ---------------------------------------------------------------------------


def _rich(windows: Bytes, *, steps: bool = True) -> npt.NDArray[np.bool_]:
    """Tell which rows are no constants, ramps, patterns or plain text."""
    rich = (_different(windows) >= _VARIETY) & ~((windows >= 32) & (windows < 127)).all(axis=1)
    for lag in (1, 2, 3, 4) if steps else ():
        rich &= _different(windows[:, lag:] - windows[:, :-lag]) >= _VARIETY - 2
    return rich


def _different(windows: Bytes) -> npt.NDArray[np.int64]:
    ordered = np.sort(windows, axis=1)
    different: npt.NDArray[np.int64] = (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1) + 1
    return different


def _chosen(kind: str, stretches: list[list[bytes]]) -> list[bytes]:
    """Take one piece of each stretch in turn, until there are enough."""
    chosen: dict[bytes, None] = {}
    for turn in range(_TRIES):
        for windows in stretches:
            if turn < len(windows) and len(chosen) < _WINDOWS:
                chosen[windows[turn]] = None
    if len(chosen) < _FEWEST:
        raise InputError(
            f"{kind}: expected {_FEWEST} pieces or more that could not be anybody's, got {len(chosen)}: "
            "it is too small or too even to be searched for"
        )
    return list(chosen)


def _written(kind: str, form: str, window: bytes, *, numbers: bool = True) -> Iterator[Piece]:
    """Yield a piece as it is, and as the notations of bytes write it."""
    yield Label(kind, form), window
    notation = "" if form == "raw" else f"{form} "
    for alignment in range(3):
        text = base64.b64encode(bytes(alignment) + window)
        # The characters that only bytes of the window decide.
        whole = text[-(-alignment * 4 // 3) : (alignment + len(window)) * 8 // 6]
        yield Label(kind, f"{notation}base64"), whole[:LONGEST]
    yield Label(kind, f"{notation}hex"), window.hex().encode()[:LONGEST]
    yield Label(kind, f"{notation}hex"), window.hex().upper().encode()[:LONGEST]
    if not {0x22, 0x27} & set(window):  # how quotes are escaped depends on the rest
        yield Label(kind, f"{notation}repr"), repr(window)[2:-1].encode()[:LONGEST]
    if numbers:
        for separator in (", ", ","):
            yield Label(kind, f"{notation}numbers"), separator.join(map(str, window)).encode()[:LONGEST]
