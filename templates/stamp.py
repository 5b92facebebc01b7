"""A postage stamp: a bust in one ink, an engraved frame, a perforated edge."""

import numpy as np

from facekit.synthetic import Look, place_face
from templates import paint
from templates.picture import Drawn, Slot

SIZE = (1500, 1240)
INK = paint.hexa("4a2018")  # the darkest the one ink gets
PAPER = paint.hexa("f4eddc")
LOOK = Look(
    skin=(72.0, 11.0, 16.0),
    hair=(22.0, 6.0, 9.0),
    cloth=(30.0, 0.0, 0.0),
    light=(-0.6, -0.5, -0.8),
    contrast=17.0,
    bald=True,
    shirt=False,
)
SLOT = Slot(centre=(620.0, 640.0), eye_distance=212.0, yaw=-9.0, pitch=0.0, roll=0.0)
EDGE = (110, 90, 1130, 1410)  # the stamp's paper, to the middle of the perforations
OVAL = ((620.0, 668.0), (372.0, 462.0))


def draw() -> Drawn:
    """Draw the desk, the stamp's paper, its frame and the bust."""
    canvas = desk()
    paper = perforated()
    paint.darken(canvas, 0.6 * paint.soften(np.roll(paper, (12, 9), (0, 1)), 9))
    paint.over(canvas, PAPER, paper)
    tone = np.ones(SIZE, np.float32)  # 1 = bare paper, 0 = full ink
    frame(tone)
    inside = paint.fill(SIZE, paint.ellipse(*OVAL))
    tone += inside * (bust() - tone)
    for grow, width in ((6, 7), (20, 2.5), (30, 2.5)):
        ring = paint.ellipse(OVAL[0], (OVAL[1][0] + grow, OVAL[1][1] + grow))
        tone *= 1 - 0.95 * paint.stroke(SIZE, [ring], width, closed=True)
    words(tone)
    fibres = 1 + 0.006 * paint.noise(SIZE, 3, coarse=4, octaves=2)
    canvas = np.where(paper[..., None] > 0, canvas * fibres[..., None], canvas)
    paint.over(canvas, INK, paper * (1 - np.clip(tone, 0, 1)))
    canvas += 1.2 * paint.noise(SIZE, 5, coarse=2, octaves=1)[..., None]
    return Drawn(canvas, (SLOT,), occluders=inside < 0.5, mask=inside > 0.5)


def desk() -> paint.Array:
    """Paint a dark album page."""
    x, y = paint.grid(SIZE)
    canvas = np.zeros((*SIZE, 3), np.float32) + np.array((47, 44, 48), np.float32)
    canvas *= (1.25 - 0.5 * np.hypot(x - 450, y - 450) / 1100)[..., None]
    return canvas * (1 + 0.035 * paint.noise(SIZE, 9, coarse=4, octaves=3, stretch=(2, 1)))[..., None]


def perforated() -> paint.Array:
    """Return the paper with its row of half holes all round."""
    x0, y0, x1, y1 = EDGE
    holes = [(x, y) for x in np.linspace(x0, x1, 30) for y in (y0, y1)]
    holes += [(x, y) for y in np.linspace(y0, y1, 39)[1:-1] for x in (x0, x1)]
    sheet = paint.fill(SIZE, paint.box(*EDGE))
    return sheet * (1 - paint.fill(SIZE, *[paint.ellipse(hole, (11.5, 11.5)) for hole in holes]))


def guilloche(
    centre: tuple[float, float], radii: tuple[float, float], petals: int, depth: float, turns: int
) -> list[paint.Array]:
    """Return interlaced waves along an ellipse, as a rose engine cuts them."""
    t = np.linspace(0, 2 * np.pi, 2400)
    waves = []
    for k in range(turns):
        r = 1 + depth * np.sin(petals * t + 2 * np.pi * k / turns)
        waves.append(
            np.stack([centre[0] + radii[0] * r * np.cos(t), centre[1] + radii[1] * r * np.sin(t)], axis=1)
        )
    return waves


def frame(tone: paint.Array) -> None:
    """Engrave the border, the corner roses and the waves around the oval."""
    x, y = paint.grid(SIZE)
    x0, y0, x1, y1 = 178, 158, 1062, 1342
    field = paint.fill(SIZE, paint.box(x0, y0, x1, y1))
    lines = np.clip(np.sin((y + 3 * np.sin(x / 17)) * 2 * np.pi / 9) * 1.4 + 0.35, 0, 1)
    tone -= field * 0.62 * lines
    around = paint.fill(SIZE, paint.ellipse(OVAL[0], (OVAL[1][0] + 62, OVAL[1][1] + 62)))
    tone += field * around * (0.97 - tone)
    waves = guilloche(OVAL[0], (OVAL[1][0] + 46, OVAL[1][1] + 46), 46, 0.034, 6)
    tone *= 1 - 0.8 * field * paint.stroke(SIZE, waves, 1.6, closed=True)
    for cx in (x0 + 98, x1 - 98):
        for cy in (y0 + 98, y1 - 98):
            rose(tone, (cx, cy), 86)
    for inset, width in ((0, 8), (15, 2.5)):
        tone *= 1 - 0.95 * paint.stroke(
            SIZE, [paint.box(x0 + inset, y0 + inset, x1 - inset, y1 - inset)], width, closed=True
        )
    beads = [(bx, by) for bx in np.arange(x0 + 24, x1 - 16, 17.4) for by in (y0 + 24, y1 - 24)]
    beads += [(bx, by) for by in np.arange(y0 + 41, y1 - 30, 17.4) for bx in (x0 + 24, x1 - 24)]
    tone += 0.9 * paint.fill(SIZE, *[paint.ellipse(b, (5, 5)) for b in beads]) * (1 - tone)


def rose(tone: paint.Array, centre: tuple[float, float], radius: float) -> None:
    """Engrave one corner rosette on bare paper."""
    disc = paint.fill(SIZE, paint.ellipse(centre, (radius, radius)))
    tone += disc * (1 - tone)
    waves = []
    for share, petals, depth in ((0.88, 18, 0.1), (0.66, 14, 0.16), (0.44, 10, 0.24)):
        waves += guilloche(centre, (radius * share, radius * share), petals, depth, 3)
    tone *= 1 - 0.75 * paint.stroke(SIZE, waves, 1.5, closed=True)
    tone *= 1 - 0.95 * paint.stroke(SIZE, [paint.ellipse(centre, (radius, radius))], 4, closed=True)


def bust() -> paint.Array:
    """Paint the mannequin in one tone before a ground of engraved lines."""
    x, y = paint.grid(SIZE)
    light = np.clip(1 - np.hypot((x - 500) / 620, (y - 560) / 760), 0, 1)
    pitch = 2 * np.pi / 8
    engraved = np.clip(np.sin(y * pitch) * 1.5 + 0.1 + 1.6 * light, 0, 1)
    scene = np.zeros((*SIZE, 3), np.float32)
    scene += (255 * (0.34 + 0.2 * light + 0.3 * engraved * (0.35 + 0.65 * light)))[..., None]
    mesh = place_face(SLOT.centre, SLOT.eye_distance, yaw=SLOT.yaw, pitch=SLOT.pitch, roll=SLOT.roll)
    paint.put_head(scene, mesh, LOOK)
    hair(scene)
    coat(scene)
    grey = scene @ np.array((0.3, 0.59, 0.11), np.float32) / 255
    edge = np.hypot((x - OVAL[0][0]) / OVAL[1][0], (y - OVAL[0][1]) / OVAL[1][1])
    return (1.06 * grey - 0.3 * np.clip(edge - 0.78, 0, 1) / 0.22 * 0.5).astype(np.float32)


def hair(scene: paint.Array) -> None:
    """Paint brushed hair with a parting; lengths in eye distances from the slot's centre."""

    def at(points: list[tuple[float, float]]) -> np.ndarray:
        return (np.asarray(points, np.float32) - (0.06, 0)) * SLOT.eye_distance + SLOT.centre

    line = [
        (0.95, -0.1),
        (0.92, -0.36),
        (0.87, -0.64),
        (0.72, -0.93),
        (0.42, -1.07),
        (0.05, -1.09),
        (-0.3, -1.01),
        (-0.5, -0.86),
        (-0.59, -0.64),
        (-0.62, -0.34),
    ]
    back = [
        (-0.7, -0.36),
        (-0.77, -0.75),
        (-0.73, -1.15),
        (-0.52, -1.5),
        (-0.1, -1.76),
        (0.35, -1.82),
        (0.8, -1.66),
        (1.1, -1.32),
        (1.22, -0.88),
        (1.2, -0.46),
        (1.12, -0.32),
        (1.02, -0.36),
    ]
    matte = paint.fill(SIZE, paint.spline(at(line + back)), blur=2.5)
    lamp = paint.Lamp((-0.6, -0.55, 0.6), (255, 255, 255), (80, 80, 80))
    paint.darken(scene, 0.3 * paint.soften(np.roll(matte, 8, 0), 9) * (1 - matte))
    paint.lay(scene, matte, (74, 74, 74), lamp, radius=110, smooth=9)
    rng = np.random.default_rng(8)
    for tone, count in 4 * ((22, 26), (150, 12)):
        locks = []
        for k in range(count):
            f, g = np.clip(rng.uniform(0, 1) + rng.normal(0, 0.04, 2), 0, 1)
            knots = (
                ((-0.3, -1.03), (0.0, -1.78)),
                ((0.3, -1.13), (0.62, -1.74)),
                ((0.78, -0.95), (1.14, -1.2)),
                ((0.93, -0.2), (1.2, -0.5)),
            )
            if k % 5 == 0:
                knots = (
                    ((-0.3, -1.03), (0.0, -1.78)),
                    ((-0.48, -0.92), (-0.5, -1.5)),
                    ((-0.62, -0.38), (-0.75, -0.6)),
                )
            ends = np.asarray(knots, np.float32)
            share = np.linspace(f, g, len(ends), dtype=np.float32)[:, None]
            locks.append(paint.spline(at(list(ends[:, 0] + share * (ends[:, 1] - ends[:, 0]))), closed=False))
        paint.over(scene, (tone, tone, tone), 0.3 * matte * paint.soften(paint.stroke(SIZE, locks, 2.2), 0.9))


def coat(scene: paint.Array) -> None:
    """Paint a dark coat with a white stand-up collar and a cravat."""
    lamp = paint.Lamp((-0.6, -0.5, 0.62), (255, 255, 255), (90, 90, 90))
    base = SLOT.centre[0] + 33
    body = [
        (base - 170, 930),
        (base - 60, 985),
        (base + 60, 985),
        (base + 170, 930),
        (base + 330, 1010),
        (base + 470, 1200),
        (base + 480, 1500),
        (base - 520, 1500),
        (base - 500, 1180),
        (base - 350, 1010),
    ]
    paint.lay(
        scene,
        paint.fill(SIZE, paint.spline(body)),
        (64, 64, 64),
        lamp,
        radius=150,
        shadow=12,
        folds=(7, 160),
        weave=0.15,
        seed=20,
        smooth=8,
    )
    for side in (-1, 1):
        wing = [
            (base + side * 128, 858),
            (base + side * 176, 930),
            (base + side * 120, 1010),
            (base + side * 16, 1042),
            (base + side * 40, 985),
            (base + side * 104, 930),
        ]
        paint.lay(
            scene,
            paint.fill(SIZE, paint.spline(wing)),
            (238, 238, 238),
            lamp,
            radius=26,
            shadow=8,
            folds=(2, 60),
            seed=24 + side,
        )
        lapel = [
            (base + side * 190, 930),
            (base + side * 262, 960),
            (base + side * 250, 1080),
            (base + side * 150, 1200),
            (base + side * 14, 1290),
            (base + side * 90, 1080),
        ]
        paint.lay(
            scene,
            paint.fill(SIZE, np.array(lapel, np.float32)),
            (84, 84, 84),
            lamp,
            radius=18,
            shadow=9,
            folds=(3, 90),
            seed=28 + side,
            smooth=4,
        )
    knot = [
        (base - 52, 1010),
        (base, 996),
        (base + 52, 1010),
        (base + 40, 1066),
        (base + 66, 1240),
        (base, 1290),
        (base - 66, 1240),
        (base - 40, 1066),
    ]
    paint.lay(
        scene,
        paint.fill(SIZE, paint.spline(knot)),
        (226, 226, 226),
        lamp,
        radius=40,
        shadow=9,
        folds=(6, 60),
        seed=33,
        smooth=4,
    )


def words(tone: paint.Array) -> None:
    """Engrave the name of the post and the value."""
    for outline, text, size in (
        (paint.box(400, 186, 840, 246, 10), "FACEKIT POST", 30),
        (paint.box(480, 1240, 760, 1330, 12), "25", 60),
    ):
        plate = paint.fill(SIZE, outline)
        tone += plate * (0.04 - tone)
        tone += 0.95 * paint.stroke(SIZE, [outline], 3, closed=True) * (1 - tone)
        centre = tuple(outline.mean(axis=0))
        tone += paint.fill(SIZE, *paint.letters(text, centre, size)) * (1 - tone)
