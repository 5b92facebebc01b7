"""Looks at a picture: turned, cut into tiles or shrunken, and the way back.

Everything here is a similarity between the picture and the look, so points, depth and pose
can be carried back exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from facekit.values import FaceMesh, Image

__all__ = ["View", "box_of", "carry_back", "close_view", "look", "overlap", "tiles", "turned"]

TILES = ((2, 0.66), (3, 0.5))  # parts along a side, and the share of the side that each covers
SMALL_TILES = ((6, 0.25),)  # the same, for faces in a crowd
SEARCH_SIDE = 2048  # pixels; a larger picture is searched in a copy shrunken to this
LOOK_SIDE = 1024  # pixels; larger looks are shrunken to this, as the detector sees 128 anyway
CLOSE_SIDE = 512  # pixels; side of the close look, which is twice as wide as the face


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A look at a picture.

    Parameters
    ----------
    matrix : ndarray of shape (2, 3), float64
        Similarity from the picture to the look, pixel centres at integers.
    size : (width, height), pixels
        Of the look.
    """

    matrix: npt.NDArray[np.float64]
    size: tuple[int, int]

    @property
    def scale(self) -> float:
        """Pixels of the look per pixel of the picture."""
        return float(np.hypot(*self.matrix[:, 0]))


def turned(width: int, height: int, degrees: float) -> View:
    """Turn the whole picture clockwise about its middle, on a canvas that holds all of it."""
    cos, sin = np.round((np.cos(np.radians(degrees)), np.sin(np.radians(degrees))), 12)
    cols = int(np.ceil(abs(cos) * width + abs(sin) * height - 1e-6))
    rows = int(np.ceil(abs(sin) * width + abs(cos) * height - 1e-6))
    turn = np.array([[cos, -sin], [sin, cos]])
    middle = turn @ [(width - 1) / 2, (height - 1) / 2]
    return View(np.column_stack([turn, np.array([(cols - 1) / 2, (rows - 1) / 2]) - middle]), (cols, rows))


def tiles(view: View, levels: Sequence[tuple[int, float]] = TILES) -> list[View]:
    """Cut `view` into overlapping parts along both sides."""
    cut = []
    for parts, share in levels:
        width, height = (max(round(side * share), 1) for side in view.size)
        for row in range(parts):
            for col in range(parts):
                x = round(col * (view.size[0] - width) / (parts - 1))
                y = round(row * (view.size[1] - height) / (parts - 1))
                cut.append(View(view.matrix - [[0, 0, x], [0, 0, y]], (width, height)))
    return cut


def close_view(face: FaceMesh) -> View:
    """Frame `face` upright in the middle of a square."""
    across = face.points[263] - face.points[33]
    x0, y0, x1, y1 = face.box
    side = 2 * max(x1 - x0, y1 - y0)
    scale = min(1.0, CLOSE_SIDE / side)
    pixels = max(round(side * scale), 1)
    cos, sin = scale * across / max(float(np.hypot(*across)), 1e-6)
    turn = np.array([[cos, sin], [-sin, cos]])
    shift = (pixels - 1) / 2 - turn @ [(x0 + x1) / 2, (y0 + y1) / 2]
    return View(np.column_stack([turn, shift]), (pixels, pixels))


def look(image: Image, view: View, *, side: int = LOOK_SIDE) -> tuple[Image, View]:
    """Sample `image` through `view`, at most `side` wide; the view really used comes back, too."""
    shrink = min(1.0, side / max(view.size))
    if shrink < 1:
        size = (max(round(view.size[0] * shrink), 1), max(round(view.size[1] * shrink), 1))
        view = View(view.matrix * shrink, size)
    part, matrix = _part_seen(image, view)
    while np.hypot(*matrix[:, 0]) <= 0.5 and min(part.shape[:2]) > 1:  # halve: no detail turns into noise
        rows, cols = part.shape[0] // 2, part.shape[1] // 2
        even = part[: rows * 2, : cols * 2]
        part = np.asarray(cv2.resize(even, (cols, rows), interpolation=cv2.INTER_AREA), np.uint8)
        matrix = np.column_stack([matrix[:, :2] * 2, matrix @ [0.5, 0.5, 1.0]])
    seen = cv2.warpAffine(part, matrix, view.size, flags=cv2.INTER_LINEAR)
    return np.asarray(seen, np.uint8), view


def _part_seen(image: Image, view: View) -> tuple[Image, npt.NDArray[np.float64]]:
    """Cut out what `view` shows of `image`, with a margin; a look costs no more than that."""
    width, height = view.size
    corners = np.array([[-1, -1, 1], [width, -1, 1], [-1, height, 1], [width, height, 1]])
    places = corners @ cv2.invertAffineTransform(view.matrix).T
    last = np.array(image.shape[1::-1]) - 1
    margin = 2 / view.scale
    x0, y0 = np.clip(np.floor(places.min(axis=0) - margin), 0, last).astype(int)
    x1, y1 = np.clip(np.ceil(places.max(axis=0) + margin), 0, last).astype(int) + 1
    return image[y0:y1, x0:x1], np.column_stack([view.matrix[:, :2], view.matrix @ [x0, y0, 1]])


def carry_back(face: FaceMesh, view: View) -> FaceMesh:
    """Undo the similarity of `view` on points, depth and pose."""
    inverse = cv2.invertAffineTransform(view.matrix)
    points = (face.points @ inverse[:, :2].T + inverse[:, 2]).astype(np.float32)
    cos, sin = view.matrix[:, 0] / view.scale
    unroll = np.eye(4, dtype=np.float32)  # y points up in the pose's space, so this undoes the turn
    unroll[:2, :2] = [[cos, -sin], [sin, cos]]
    depth = (face.depth / view.scale).astype(np.float32)
    return replace(face, points=points, depth=depth, pose=unroll @ face.pose, box=box_of(points))


def box_of(points: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Return the tight box (x0, y0, x1, y1) around `points`."""
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return x0, y0, x1, y1


def square_of(points: npt.NDArray[np.float32]) -> tuple[int, int, int, int]:
    """Return the square (x0, y0, x1, y1) around the box of `points`, in whole pixels."""
    x0, y0, x1, y1 = box_of(points)
    half, x, y = max(x1 - x0, y1 - y0) / 2, (x0 + x1) / 2, (y0 + y1) / 2
    return round(x - half), round(y - half), round(x + half), round(y + half)


def overlap(a: FaceMesh, b: FaceMesh) -> float:
    """Return the intersection over union of two faces' boxes."""
    width = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    height = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    both = max(width, 0.0) * max(height, 0.0)
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (a.box, b.box)]
    return both / max(sum(areas) - both, 1e-9)
