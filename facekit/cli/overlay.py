"""Draw meshes over a picture: the triangulation thin, the named regions in colours, a key below."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from facekit.topology import REGIONS, SURFACE_POINTS, face_triangles

if TYPE_CHECKING:
    from facekit.values import FaceMesh, Image

__all__ = ["draw_overlay"]

FINEST = 4  # drawing happens at up to this many times the size, then shrinks: thin lines stay smooth
SMALL_FACE = 320  # pixels; smaller faces are enlarged until their mesh can be read
LARGEST = 4096  # pixels; nothing is enlarged beyond this side
BAND = 256  # rows blended at a time, so that a huge face needs little memory
DARK = (22, 23, 28)
MESH_COLOUR, MESH_OPACITY = (255, 255, 255), 0.38
GROUPS = MappingProxyType(
    {
        "oval": (("face_oval",), (255, 255, 255)),
        "brows": (("right_brow", "left_brow"), (255, 196, 61)),
        "eyes": (("right_eye", "left_eye"), (64, 217, 255)),
        "irises": (("right_iris", "left_iris"), (120, 255, 140)),
        "nose": (("nose",), (255, 140, 66)),
        "lips": (("lips_outer", "lips_inner"), (255, 92, 138)),
    }
)


def draw_overlay(image: "Image", faces: "Sequence[FaceMesh]") -> "Image":
    """Draw the meshes of `faces` over `image`.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    faces : sequence of FaceMesh
        Several faces are numbered as `swap_face` counts them.

    Returns
    -------
    Image of shape (k H + strip, k W, 3), uint8
        The picture with the meshes, over a strip with the key. The whole factor k is 1 unless
        the largest face is smaller than 320 pixels.
    """
    factor = _enlargement(image, faces)
    rows, cols = image.shape[0] * factor, image.shape[1] * factor
    font = ImageFont.load_default(int(np.clip(min(rows, cols) / 36, 11, 64)))
    enlarged = image if factor == 1 else cv2.resize(image, (cols, rows), interpolation=cv2.INTER_CUBIC)
    sheet: Image = np.vstack([enlarged, _key(cols, font)]).astype(np.uint8, copy=False)
    canvas = sheet[:rows]
    # Pixel centres lie at integers, so enlarging moves them by half a pixel.
    meshes = [(face.points + 0.5) * factor - 0.5 for face in faces]
    for points in meshes:
        _draw_face(canvas, points)
    for number, points in enumerate(meshes if len(meshes) > 1 else []):
        _draw_tag(canvas, str(number), points.min(axis=0), font)
    return sheet


def _enlargement(image: "Image", faces: "Sequence[FaceMesh]") -> int:
    largest = max((max(f.box[2] - f.box[0], f.box[3] - f.box[1]) for f in faces), default=SMALL_FACE)
    wanted = int(np.ceil(SMALL_FACE / max(largest, 1.0)))
    return int(max(min(wanted, LARGEST // max(image.shape[:2])), 1))


def _draw_face(canvas: "Image", points: npt.NDArray[np.float32]) -> None:
    """Blend one mesh into `canvas`, in place."""
    size = float(np.hypot(*np.ptp(points[:SURFACE_POINTS], axis=0)))
    width = max(size / 420, 0.6)
    pad = int(np.ceil(3 * width)) + 1
    x0, y0 = np.maximum(np.floor(points.min(axis=0)).astype(int) - pad, 0)
    x1, y1 = np.minimum(np.ceil(points.max(axis=0)).astype(int) + pad + 1, canvas.shape[1::-1])
    if x0 >= x1 or y0 >= y1:
        return
    region = canvas[y0:y1, x0:x1]
    local = points - np.array([x0, y0], np.float32)
    _ink(region, local[_visible_edges(points)], MESH_COLOUR, MESH_OPACITY, 0.55 * width)
    for names, colour in GROUPS.values():
        lines = np.concatenate([_outline(local, name) for name in names])
        _ink(region, lines, (16, 16, 20), 0.45, 2.6 * width)  # a dark rim: legible on white too
        _ink(region, lines, colour, 1.0, 1.5 * width)


def _outline(points: npt.NDArray[np.float32], name: str) -> npt.NDArray[np.float32]:
    """Return the closed outline of a region as segments, (S, 2, 2), less what is turned away."""
    ring = points[list(REGIONS[name])]
    seen = np.isin(REGIONS[name], _facing(points))
    if name.endswith("iris"):  # the centre, then the ends of two diameters
        turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)[:, None]
        ring = ring[0] + np.cos(turn) * (ring[1] - ring[3]) / 2 + np.sin(turn) * (ring[2] - ring[4]) / 2
        seen = np.ones(len(ring), np.bool_)
    segments = np.stack([ring, np.roll(ring, -1, axis=0)], axis=1).astype(np.float32)
    return np.asarray(segments[seen & np.roll(seen, -1)], np.float32)


def _facing(points: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """Return the triangles that face the viewer: in profile the far cheek is not drawn."""
    triangles = face_triangles()
    a, b, c = (points[triangles[:, i]] for i in range(3))
    ahead = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) > (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    return np.asarray(triangles[ahead], np.int32)


def _visible_edges(points: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """Return each edge of the triangles that face the viewer once, (E, 2)."""
    edges = _facing(points)[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    return np.unique(np.sort(edges, axis=1), axis=0).astype(np.int32)


def _ink(
    region: npt.NDArray[np.uint8],
    lines: npt.NDArray[np.float32],
    colour: tuple[int, int, int],
    opacity: float,
    width: float,
) -> None:
    """Draw segments (S, 2, 2) of any width, below a pixel too, over `region` in place."""
    rows, cols = region.shape[:2]
    fine = max(min(FINEST, LARGEST // max(rows, cols)), 1)
    cover = np.zeros((rows * fine, cols * fine), np.uint8)
    thick = max(round(width * fine), 1)
    ends = np.round(((lines + 0.5) * fine - 0.5) * 16).astype(np.int32)  # 4 fractional bits
    cv2.polylines(cover, list(ends), False, 255, thick, cv2.LINE_AA, 4)
    alpha = cv2.resize(cover, (cols, rows), interpolation=cv2.INTER_AREA)
    strength = opacity * min(width * fine, thick) / thick / 255
    ink = np.array(colour, np.float32)
    for top in range(0, rows, BAND):
        part = region[top : top + BAND]
        share = alpha[top : top + BAND, :, None] * np.float32(strength)
        part[...] = np.round(part + share * (ink - part)).astype(np.uint8)


def _key(cols: int, font: Any) -> "Image":
    """Draw the strip that names the colours."""
    text = font.size
    entries = [(name, colour) for name, (_, colour) in GROUPS.items()]
    places = _layout([font.getlength(name) + 2.2 * text for name, _ in entries], cols - text)
    strip = Pillow.new("RGB", (cols, round(text * (0.9 + 1.5 * (places[-1][1] + 1)))), DARK)
    draw = ImageDraw.Draw(strip)
    for (name, colour), (x, line) in zip(entries, places, strict=True):
        middle = text * (1.2 + 1.5 * line)
        left = text * 0.8 + x
        draw.ellipse((left, middle - text * 0.3, left + text * 0.6, middle + text * 0.3), fill=colour)
        draw.text((left + text * 0.9, middle), name, font=font, fill=(225, 226, 232), anchor="lm")
    return np.asarray(strip, np.uint8)


def _layout(widths: Sequence[float], room: float) -> list[tuple[float, int]]:
    """Place entries side by side, (x, line), starting a new line when one does not fit."""
    places, x, line = [], 0.0, 0
    for width in widths:
        if x > 0 and x + width > room:
            x, line = 0.0, line + 1
        places.append((x, line))
        x += width
    return places


def _draw_tag(canvas: "Image", text: str, corner: npt.NDArray[np.float32], font: Any) -> None:
    """Put a number above and left of a face, as far as there is room."""
    side = min(round(font.size * 1.5), *canvas.shape[:2])
    x, y = np.clip(np.round(corner).astype(int) - side, 0, np.subtract(canvas.shape[1::-1], side))
    patch = Pillow.fromarray(canvas[y : y + side, x : x + side])
    draw = ImageDraw.Draw(patch)
    draw.rounded_rectangle((0, 0, side - 1, side - 1), side * 0.28, fill=DARK)
    draw.text((side / 2, side / 2), text, font=font, fill=(255, 255, 255), anchor="mm")
    canvas[y : y + side, x : x + side] = np.asarray(patch)
