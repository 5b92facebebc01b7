"""A face's features, drawn: eyes, brows, nose, mouth, blush, glasses."""

import numpy as np
import numpy.typing as npt

from facekit.effects.anime_look import Palette
from facekit.effects.anime_scene import Scene
from facekit.effects.anime_shape import SHUT
from facekit.strokes import cover, curve, fill, stroke
from facekit.topology import LEFT_EYE, LEFT_IRIS, LIPS_INNER, LIPS_OUTER, RIGHT_EYE, RIGHT_IRIS
from facekit.values import FloatImage, Matte

__all__ = ["draw_brows", "draw_eyes", "draw_features", "draw_glasses"]

LASH = 0.060  # outer-eye distances; the upper lash line where it is thickest
LINE = 0.020  # outer-eye distances; every other line
BROWS = (
    ((70, 63, 105, 66, 107), (46, 53, 52, 65, 55)),
    ((300, 293, 334, 296, 336), (276, 283, 282, 295, 285)),
)
EYES = ((RIGHT_EYE, RIGHT_IRIS), (LEFT_EYE, LEFT_IRIS))
WHITE, SHADE = (252, 250, 248), (196, 194, 212)
MOUTH, TONGUE = (112, 34, 40), (206, 104, 104)
FACING = 0.30  # of its usual width, under which an eye is turned away and not drawn

Path = npt.NDArray[np.float64]


def draw_features(canvas: FloatImage, scene: Scene, look: Palette, clip: Matte, *, plain: bool) -> None:
    """Draw what belongs under the hair: blush, nose, mouth and eyes.

    Parameters
    ----------
    canvas : FloatImage of shape (rows, cols, 3)
        Drawn on.
    scene : Scene
        The picture's parts.
    look : Palette
        What to draw with.
    clip : Matte of shape (rows, cols)
        Where the face is not hidden.
    plain : bool
        Whether to do without blush and lip colour, as in black and white.
    """
    if not plain:
        _blush(canvas, scene, look, clip)
    _nose(canvas, scene, look, clip)
    _mouth(canvas, scene, look, clip, plain=plain)
    draw_eyes(canvas, scene, look, clip)


def draw_eyes(canvas: FloatImage, scene: Scene, look: Palette, clip: Matte) -> None:
    """Draw both eyes.

    Parameters
    ----------
    canvas : FloatImage of shape (rows, cols, 3)
        Drawn on.
    scene : Scene
        The picture's parts.
    look : Palette
        What to draw with.
    clip : Matte of shape (rows, cols)
        Where the face is not hidden.
    """
    points = scene.mesh.points.astype(np.float64)
    widths = [float(np.hypot(*(points[ring[8]] - points[ring[0]]))) for ring, _ in EYES]
    for (ring, iris), width in zip(EYES, widths, strict=True):
        if width > FACING * max(widths):
            _eye(canvas, points[list(ring)], points[list(iris)], scene, look, clip)


def _eye(canvas: FloatImage, ring: Path, iris: Path, scene: Scene, look: Palette, clip: Matte) -> None:
    unit = scene.unit
    outer, inner = ring[0], ring[8]
    along, down = _axes(outer, inner, scene)
    upper, lower = np.concatenate([ring[8:], ring[:1]])[::-1], ring[:9]
    height, width = float(np.ptp(ring @ down)), float(np.hypot(*(inner - outer)))
    crease = curve(upper[1:-1] - down * 0.075 * unit)
    if height < SHUT * 1.7 * width:
        lid = curve(lower)
        _lashes(canvas, lid, -along, down, unit, look, clip, flick=0.05)
        stroke(canvas, crease - down * 0.01 * unit, look.skin_shade, LINE * unit, clip=clip)
        return
    opening = curve(np.concatenate([upper, lower[::-1][1:-1]]), closed=True)
    fill(canvas, [opening], WHITE, clip=clip)
    inside = _cover(canvas, opening) * clip
    lid_line = curve(upper)
    shadow = np.concatenate([lid_line, (lid_line + down * 0.20 * height)[::-1]])
    fill(canvas, [shadow], SHADE, clip=inside)
    _iris(canvas, iris, down, height, look, inside)
    stroke(canvas, curve(lower[1:6]), look.ink, 0.75 * LINE * unit, opacity=0.8, clip=clip)
    _lashes(canvas, lid_line, -along, down, unit, look, clip, flick=0.075)
    shade = 0.55 * np.asarray(look.skin_shade) + 0.45 * np.asarray(look.ink)
    stroke(canvas, crease, shade, 0.8 * LINE * unit, clip=clip)


def _axes(start: Path, end: Path, scene: Scene) -> tuple[Path, Path]:
    """Return the unit vectors from one point to another, and across it, towards the chin."""
    along = (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
    down = np.array([-along[1], along[0]])
    towards_chin = down @ (scene.mesh.points[152] - scene.mesh.points[10]) >= 0
    return along, down if towards_chin else -down


def _cover(canvas: FloatImage, path: Path) -> Matte:
    share = np.zeros(canvas.shape[:2], np.float32)
    found = cover([path], canvas.shape[:2])
    if found is not None:
        share[found[1]] = found[0]
    return share


def _lashes(
    canvas: FloatImage, lid: Path, outward: Path, down: Path, unit: float, look: Palette, clip: Matte,
    *, flick: float,
) -> None:  # fmt: skip
    """Draw the lash line, thick over the outer half, and its flick; `lid` starts at the outer corner."""
    t = np.linspace(0, 1, len(lid))
    thick = LASH * unit * np.sin(np.pi * np.clip(t * 0.86 + 0.14, 0, 1)) ** 0.6 * (1 - 0.45 * t)
    along = np.gradient(lid, axis=0)
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    normal *= np.where(normal @ down > 0, -1, 1)[:, None]
    body = np.concatenate([lid + normal * thick[:, None], (lid - normal * thick[:, None] * 0.18)[::-1]])
    shapes = [body]
    tip = lid[0] + (outward * 0.9 - down * 0.55) * flick * unit
    shapes.append(np.array([lid[0] + down * 0.006 * unit, tip, lid[3] + normal[3] * thick[3]]))
    for step, length in ((5, 0.8), (11, 0.6)):
        at = min(step, len(lid) - 1)
        base = lid[at] + normal[at] * thick[at] * 0.7
        point = base + (outward * 0.75 - down * 0.65) * flick * length * unit
        shapes.append(np.array([base - outward * 0.012 * unit, point, base + outward * 0.02 * unit]))
    fill(canvas, shapes, look.ink, clip=clip)


def _iris(canvas: FloatImage, iris: Path, down: Path, height: float, look: Palette, clip: Matte) -> None:
    centre = iris[0]
    radius = float(np.hypot(*(iris[1:] - centre).T).mean())
    tall = max(radius * 1.08, min(0.52 * height, 1.3 * radius))
    along = np.array([down[1], -down[0]])
    colour = np.asarray(look.iris, np.float32)

    def disc(share: float, dx: float = 0.0, dy: float = 0.0, squash: float = 1.0) -> Path:
        angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        x = radius * (share * np.cos(angle) + dx)
        y = tall * (share * squash * np.sin(angle) + dy)
        return np.asarray(centre + np.outer(x, along) + np.outer(y, down), np.float64)

    rim, deep = 0.35 * colour, 0.62 * colour
    bright = np.minimum(colour * 1.3 + 26, 250)
    fill(canvas, [disc(1.0)], rim, clip=clip)
    fill(canvas, [disc(0.90)], deep, clip=clip)
    for step in range(4):
        fill(canvas, [disc(0.80 - 0.10 * step, 0, 0.10 + 0.12 * step, 0.9)],
             deep + (bright - deep) * (step + 1) / 4, clip=clip)  # fmt: skip
    fill(canvas, [disc(0.42, 0, -0.06, 1.05)], np.minimum(0.25 * colour, 26), clip=clip)
    away = float(np.sign(along[0]) or 1.0)  # highlights lie to the picture's left in both eyes
    fill(canvas, [disc(0.30, -0.36 * away, -0.40, 1.1)], (255, 255, 255), clip=clip)
    fill(canvas, [disc(0.14, 0.38 * away, 0.42)], (255, 255, 255), opacity=0.9, clip=clip)


def draw_brows(canvas: FloatImage, scene: Scene, look: Palette, clip: Matte) -> None:
    """Draw both brows as tapered shapes, with the person's own bow and weight; they show through hair.

    Parameters
    ----------
    canvas : FloatImage of shape (rows, cols, 3)
        Drawn on.
    scene : Scene
        The picture's parts.
    look : Palette
        What to draw with.
    clip : Matte of shape (rows, cols)
        Where brows show.
    """
    points = scene.mesh.points.astype(np.float64)
    lift = (points[10] - points[152]) / max(float(np.hypot(*(points[10] - points[152]))), 1e-6)
    for top, bottom in BROWS:
        upper, lower = points[list(top)], points[list(bottom)]
        middle, half = (upper + lower) / 2 + lift * 0.02 * scene.unit, (upper - lower) / 2
        weight = look.brows * np.array([0.25, 0.62, 0.78, 0.80, 0.62])[:, None]
        shape = np.concatenate([curve(middle + half * weight), curve(middle - half * weight)[::-1]])
        fill(canvas, [shape], look.brow, clip=clip)


def _nose(canvas: FloatImage, scene: Scene, look: Palette, clip: Matte) -> None:
    """Draw the nose as its shade under the tip, a stroke of the bridge on its darker side, two nostrils."""
    points, unit = scene.mesh.points.astype(np.float64), scene.unit
    line = 0.5 * np.asarray(look.skin_shade) + 0.5 * np.asarray(look.ink)
    sides = [float(scene.lab[_at(scene, index)][0]) for index in (198, 420)]
    yaw = scene.seen.angles()[0]
    right = yaw < -8 or (abs(yaw) <= 8 and sides[0] < sides[1])
    wing = (198, 209, 49) if right else (420, 429, 279)
    under = curve(
        points[[wing[2], 2, 4, 5]] * [[0.6], [1], [0.4], [0.0]]
        + points[[4, 4, 4, 4]] * [[0.4], [0], [0.6], [1.0]]
    )
    fill(canvas, [under], look.skin_shade, opacity=0.9, clip=clip)
    side = points[[wing[0], wing[1]]] * 0.45 + points[[5, 4]] * 0.55
    stroke(canvas, curve([side[0], side[1], points[4] * 0.6 + points[2] * 0.4]), line, 0.8 * LINE * unit,
           taper=(0.0, 0.2), opacity=0.75, clip=clip)  # fmt: skip
    for path in ((98, 97), (327, 326)):
        ends = points[list(path)]
        stroke(canvas, curve([ends[0] * 0.75 + ends[1] * 0.25, ends[1]]), line, 1.1 * LINE * unit, clip=clip)


def _at(scene: Scene, index: int) -> tuple[int, int]:
    rows, cols = scene.face.shape
    x, y = scene.seen.points[index].round().astype(int).tolist()
    return min(max(y, 0), rows - 1), min(max(x, 0), cols - 1)


def _mouth(canvas: FloatImage, scene: Scene, look: Palette, clip: Matte, *, plain: bool) -> None:
    points, unit = scene.mesh.points.astype(np.float64), scene.unit
    inner, outer = points[list(LIPS_INNER)], points[list(LIPS_OUTER)]
    lower, upper = inner[:11], np.concatenate([inner[10:], inner[:1]])[::-1]
    line = 0.25 * np.asarray(look.lips) + 0.75 * np.asarray(look.ink)
    if not plain:
        fill(canvas, [curve(outer, closed=True)], look.lips, opacity=0.28 + 0.62 * look.makeup, clip=clip)
    elif look.makeup > 0.3:
        fill(canvas, [curve(outer, closed=True)], look.lips, opacity=0.8, clip=clip)
    gap = float(np.hypot(*(points[13] - points[14]))) / max(
        float(np.hypot(*(points[61] - points[291]))), 1e-6
    )
    seam = curve((lower + upper) / 2) if gap < 0.06 else curve(upper)
    if gap >= 0.06:
        opening = np.concatenate([curve(upper), curve(lower)[::-1]])
        fill(canvas, [opening], MOUTH if not plain else look.ink, clip=clip)
        inside = _cover(canvas, opening) * clip
        if look.teeth and gap > 0.1:
            reach = 0.80 if gap < 0.25 else 0.50
            edge = curve(upper + (lower - upper) * reach)
            fill(canvas, [np.concatenate([curve(upper), edge[::-1]])], WHITE, clip=inside)
        elif gap > 0.2 and not plain:
            edge = curve(upper + (lower - upper) * 0.6)
            fill(canvas, [np.concatenate([edge, curve(lower)[::-1]])], TONGUE, clip=inside)
        stroke(canvas, curve(lower), line, 0.7 * LINE * unit, clip=clip)
    stroke(canvas, seam, line, 1.25 * LINE * unit, taper=(0.35, 0.35), clip=clip)
    shade = 0.6 * np.asarray(look.skin_shade) + 0.4 * np.asarray(look.ink)
    stroke(canvas, curve(points[[84, 17, 314]] + (points[17] - points[14]) * 0.25), shade, 0.8 * LINE * unit,
           opacity=0.8, clip=clip)  # fmt: skip


def _blush(canvas: FloatImage, scene: Scene, look: Palette, clip: Matte) -> None:
    """Warm the cheeks with one soft flat shape on each."""
    points, unit = scene.mesh.points.astype(np.float64), scene.unit
    along, down = _axes(points[33], points[263], scene)
    warm = np.clip(np.asarray(look.skin) * [1.0, 0.86, 0.86], 0, 255)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    for index in (50, 280):
        for size in (1.0, 0.72):
            shape = np.outer(np.cos(angle) * 0.17, along) + np.outer(np.sin(angle) * 0.085, down)
            fill(canvas, [points[index] + shape * size * unit], warm, opacity=0.30, clip=clip)


def draw_glasses(canvas: FloatImage, scene: Scene, look: Palette) -> None:
    """Draw two rims, a bridge and the beginning of the temples.

    Parameters
    ----------
    canvas : FloatImage of shape (rows, cols, 3)
        Drawn on.
    scene : Scene
        The picture's parts.
    look : Palette
        What to draw with.
    """
    points, unit = scene.mesh.points.astype(np.float64), scene.unit
    width, rims = 1.5 * LINE * unit, []
    for (ring, _), ear in zip(EYES, (234, 454), strict=True):
        eye = points[list(ring)]
        _, down = _axes(eye[0], eye[8], scene)
        angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.75 * 0.70
        y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.75 * 0.255 * unit
        rim = (eye[0] + eye[8]) / 2 + np.outer(x, eye[8] - eye[0]) + np.outer(y + 0.045 * unit, down)
        stroke(canvas, np.concatenate([rim, rim[:2]]), look.ink, width, taper=(1.0, 1.0))
        hinge = rim[24]
        stroke(canvas, curve([hinge, points[ear]]), look.ink, width, taper=(1.0, 0.4), opacity=0.9)
        rims.append((rim[0], down))
    (left, down), (right, _) = rims
    arch = (left + right) / 2 - down * 0.05 * unit
    stroke(canvas, curve([left, arch, right]), look.ink, width, taper=(1.0, 1.0))
