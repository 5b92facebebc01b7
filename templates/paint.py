"""A small painter's box: shapes as mattes, puffed-up surfaces, light, noise and letters.

Pictures are float32 (H, W, 3) sRGB, 0..255; mattes are float32 (H, W), 0..1; points are (x, y).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from facekit.synthetic import Look, draw_head
from facekit.values import FaceMesh, FloatImage, Matte

Array = npt.NDArray[np.float32]
Colour = tuple[float, float, float]

_SHIFT = 4  # binary digits after the point in cv2's coordinates


def hexa(code: str) -> Colour:
    """Return the colour of `rrggbb`."""
    return tuple(float(int(code[i : i + 2], 16)) for i in (0, 2, 4))


def grid(shape: tuple[int, int]) -> tuple[Array, Array]:
    """Return the x and y of every pixel."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return x, y


def spline(points: npt.ArrayLike, *, closed: bool = True, steps: int = 24) -> Array:
    """Return a smooth curve (Catmull-Rom) through `points`."""
    p = np.asarray(points, np.float32)
    ends = [p[-1:], p, p[:2]] if closed else [p[:1], p, p[-1:]]
    q = np.concatenate(ends)
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[:, None]
    pieces = []
    for a, b, c, d in zip(q[:-3], q[1:-2], q[2:-1], q[3:], strict=True):
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return np.concatenate(pieces if closed else [*pieces, p[-1:]])


def ellipse(centre: tuple[float, float], radii: tuple[float, float], turn: float = 0.0) -> Array:
    """Return the outline of an ellipse, turned clockwise by `turn` degrees."""
    angle = np.linspace(0, 2 * np.pi, 181)[:-1]
    x, y = radii[0] * np.cos(angle), radii[1] * np.sin(angle)
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    return np.stack([centre[0] + c * x - s * y, centre[1] + s * x + c * y], axis=1).astype(np.float32)


def box(x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> Array:
    """Return the outline of a rectangle with round corners."""
    if radius <= 0:
        return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    arc = np.linspace(0, np.pi / 2, 12)
    corners = []
    for k, (x, y) in enumerate(
        (
            (x1 - radius, y1 - radius),
            (x0 + radius, y1 - radius),
            (x0 + radius, y0 + radius),
            (x1 - radius, y0 + radius),
        )
    ):
        a = arc + k * np.pi / 2
        corners.append(np.stack([x + radius * np.cos(a), y + radius * np.sin(a)], axis=1))
    return np.concatenate(corners).astype(np.float32)


def fill(shape: tuple[int, int], *outlines: npt.ArrayLike, blur: float = 0.0) -> Matte:
    """Return the inside of outlines (even-odd), with smooth edges."""
    return soften(
        _raster(
            shape, outlines, 2, lambda big, corners: cv2.fillPoly(big, corners, 255, cv2.LINE_AA, _SHIFT)
        ),
        blur,
    )


def stroke(
    shape: tuple[int, int], lines: Sequence[npt.ArrayLike], width: float, *, closed: bool = False
) -> Matte:
    """Return lines of one width, with smooth edges."""
    thick = max(1, round(2 * width))
    return _raster(
        shape,
        lines,
        width,
        lambda big, corners: cv2.polylines(big, corners, closed, 255, thick, cv2.LINE_AA, _SHIFT),
    )


def _raster(
    shape: tuple[int, int], outlines: Sequence[npt.ArrayLike], margin: float, draw: Callable[..., object]
) -> Matte:
    every = np.concatenate([np.asarray(o, np.float32) for o in outlines])
    x0, y0 = np.clip(np.floor(every.min(axis=0) - margin), 0, shape[::-1]).astype(int)
    x1, y1 = np.clip(np.ceil(every.max(axis=0) + margin + 1), 0, shape[::-1]).astype(int)
    whole = np.zeros(shape, np.float32)
    if x1 <= x0 or y1 <= y0:
        return whole
    big = np.zeros((2 * (y1 - y0), 2 * (x1 - x0)), np.uint8)
    draw(
        big, [np.round(((np.asarray(o) - (x0, y0)) * 2 + 0.5) * 2**_SHIFT).astype(np.int32) for o in outlines]
    )
    whole[y0:y1, x0:x1] = cv2.resize(big, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA) / np.float32(255)
    return whole


def letters(
    text: str, centre: tuple[float, float], height: float, *, bold: bool = True, serif: bool = True
) -> list[Array]:
    """Return the outlines of `text`; capitals are `height` pixels high."""
    font = FontProperties(
        family="DejaVu Serif" if serif else "DejaVu Sans", weight="bold" if bold else "normal"
    )
    path = TextPath((0, 0), text, size=100, prop=font)
    cap = TextPath((0, 0), "H", size=100, prop=font).vertices[:, 1].max()
    outlines = [p * (1, -1) * height / cap for p in path.to_polygons() if len(p) > 2]
    every = np.concatenate(outlines)
    middle = np.array([(every[:, 0].min() + every[:, 0].max()) / 2, -height / 2])
    return [(p - middle + centre).astype(np.float32) for p in outlines]


def soften(picture: Array, sigma: float) -> Array:
    """Blur by a Gaussian (by repeated boxes where wide)."""
    if sigma <= 0:
        return picture
    if sigma < 6:
        return cv2.GaussianBlur(picture, (0, 0), sigma)
    side = 2 * round(sigma) + 1
    for _ in range(3):
        picture = cv2.blur(picture, (side, side), borderType=cv2.BORDER_REPLICATE)
    return picture


def noise(
    shape: tuple[int, int],
    seed: int,
    *,
    coarse: float,
    octaves: int = 4,
    fade: float = 0.5,
    stretch: tuple[float, float] = (1, 1),
) -> Array:
    """Return smooth noise of mean 0 and deviation 1; `coarse` is the size of its largest lumps in pixels."""
    rng = np.random.default_rng(seed)
    total = np.zeros(shape, np.float32)
    for k in range(octaves):
        cells = [
            max(2, round(n * 2**k / (coarse * s)) + 3) for n, s in zip(shape, stretch[::-1], strict=True)
        ]
        lumps = rng.normal(0, 1, cells).astype(np.float32)
        total += fade**k * cv2.resize(lumps, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return (total - total.mean()) / total.std()


def window(matte: Array, margin: int = 0) -> tuple[slice, slice]:
    """Return the smallest box around what a matte covers."""
    box = []
    for axis in (1, 0):
        used = np.flatnonzero(matte.any(axis=axis))
        first, last = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 0)
        box.append(slice(max(0, first - margin), last + margin))
    return box[0], box[1]


def over(canvas: FloatImage, colour: Colour | Array, matte: Matte) -> None:
    """Lay a colour, or a picture, on the canvas."""
    part = window(matte)
    paint = np.asarray(colour, np.float32)
    paint = paint[part] if paint.ndim == 3 else paint
    canvas[part] += matte[part][..., None] * (paint - canvas[part])


def glow(canvas: FloatImage, colour: Colour, matte: Matte) -> None:
    """Add light, as a screen does: never beyond white."""
    part = window(matte)
    canvas[part] += (255 - canvas[part]) * matte[part][..., None] * (np.asarray(colour, np.float32) / 255)


def darken(canvas: FloatImage, matte: Matte) -> None:
    """Take light away."""
    part = window(matte)
    canvas[part] *= 1 - matte[part][..., None]


@dataclass(frozen=True)
class Lamp:
    """A light, and what fills the shadows."""

    towards: tuple[float, float, float] = (-0.5, -0.6, 0.62)
    colour: Colour = (255, 250, 240)
    fill: Colour = (70, 80, 100)


def puff(
    matte: Matte, radius: float, *, bumps: Array | float = 0.0, smooth: float = 3.0, height: float = 1.0
) -> Array:
    """Return the normals (x right, y down, z to the viewer) of a shape blown up like a cushion."""
    solid = np.pad((matte > 0.5).astype(np.uint8), 1)
    inward = cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1]
    t = np.clip(inward / radius, 0, 1)
    relief = (
        soften(height * radius * np.sqrt(np.maximum(1 - (1 - t) ** 2, 0)).astype(np.float32), smooth) + bumps
    )
    return normals(relief)


def normals(relief: Array) -> Array:
    """Return the unit normals of a height map."""
    down, right = np.gradient(relief)
    flat = np.stack([-right, -down, np.ones_like(relief)], axis=2)
    return (flat / np.linalg.norm(flat, axis=2, keepdims=True)).astype(np.float32)


def shade(
    normal: Array,
    colour: Colour | Array,
    lamp: Lamp,
    *,
    gloss: float = 0.0,
    sharpness: float = 30.0,
    wrap: float = 0.25,
) -> FloatImage:
    """Light a surface: wrapped diffuse, filled shadows, and a highlight."""
    direction = np.asarray(lamp.towards, np.float32) / np.float32(np.linalg.norm(lamp.towards))
    facing = np.clip((normal @ direction + wrap) / (1 + wrap), 0, 1)
    light = facing[..., None] * np.asarray(lamp.colour, np.float32) / 255
    light = light + (1 - facing[..., None]) * np.asarray(lamp.fill, np.float32) / 255
    half = direction + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    shine = gloss * np.clip(normal @ half, 0, 1) ** sharpness
    picture = np.asarray(colour, np.float32) * light
    return (picture + (255 - picture) * shine[..., None]).astype(np.float32)


def lay(
    canvas: FloatImage,
    matte: Matte,
    colour: Colour,
    lamp: Lamp,
    *,
    radius: float,
    shadow: float = 0.0,
    dark: float = 0.55,
    folds: tuple[float, float] = (0.0, 100.0),
    weave: float = 0.0,
    seed: int = 0,
    smooth: float = 2.0,
    height: float = 1.0,
    gloss: float = 0.0,
    sharpness: float = 20.0,
) -> None:
    """Paint a cushion of one colour, and its soft shadow on what is behind.

    `folds` is the depth and the size of its folds, `weave` the depth of its grain, in pixels.
    """
    part = window(matte, round(3 * shadow) + 2)
    canvas, matte = canvas[part], matte[part]
    if shadow:
        darken(canvas, dark * soften(matte, shadow) * (1 - matte))
    bumps = np.zeros(matte.shape, np.float32)
    if folds[0]:
        bumps += folds[0] * noise(matte.shape, seed, coarse=folds[1], octaves=3, fade=0.4, stretch=(2.0, 1))
    if weave:
        bumps += weave * noise(matte.shape, seed + 1, coarse=3, octaves=1)
    normal = puff(matte, radius, bumps=bumps, smooth=smooth, height=height)
    over(canvas, shade(normal, colour, lamp, gloss=gloss, sharpness=sharpness), matte)


def put_head(canvas: FloatImage, mesh: FaceMesh, look: Look, *, matte: Matte | float = 1.0) -> Matte:
    """Draw a mannequin's head where `matte` allows it."""
    centre = (mesh.points[33] + mesh.points[263]) / 2
    reach = 2.3 * float(np.linalg.norm(mesh.points[10] - mesh.points[152])) / 1.87
    x0, y0 = np.maximum(np.round(centre - reach), 0).astype(int)
    x1, y1 = np.minimum(np.round(centre + reach), canvas.shape[1::-1]).astype(int)
    moved = FaceMesh(
        mesh.points - np.array([x0, y0], np.float32),
        mesh.depth,
        mesh.blendshapes,
        mesh.pose,
        mesh.score,
        mesh.box,
    )
    head, cover = draw_head((y1 - y0, x1 - x0), moved, look)
    whole = np.zeros(canvas.shape[:2], np.float32)
    whole[y0:y1, x0:x1] = cover
    whole *= matte
    over(canvas[y0:y1, x0:x1], head, whole[y0:y1, x0:x1])
    return whole
