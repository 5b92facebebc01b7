"""An astronaut in a white suit over the Earth's limb; the face looks out of the open visor."""

import numpy as np

from facekit.synthetic import Look, place_face
from facekit.topology import FACE_OVAL
from templates import paint
from templates.picture import Drawn, Slot

SIZE = (1500, 1200)  # rows, cols
LAMP = paint.Lamp((-0.62, -0.55, 0.56), (255, 250, 238), (52, 64, 92))
LOOK = Look(
    skin=(66.0, 13.0, 18.0),
    hair=(20.0, 6.0, 9.0),
    light=(-0.6, -0.55, -0.75),
    contrast=17.0,
    bald=True,
    shirt=False,
)
SLOT = Slot(centre=(600.0, 592.0), eye_distance=188.0, yaw=7.0, pitch=-3.0, roll=-2.0)
WHITE = (232.0, 231.0, 226.0)
METAL = (126.0, 140.0, 164.0)


def draw() -> Drawn:
    """Draw the picture, its occluders and its hole."""
    canvas = space()
    suit(canvas)
    opening = paint.fill(SIZE, paint.ellipse((600, 590), (296, 338)))
    helmet(canvas, opening)
    hole = head(canvas, opening)
    glints = glass(canvas, opening)
    collar(canvas)
    grain = paint.noise(SIZE, 5, coarse=2, octaves=1)
    canvas += 1.1 * grain[..., None]
    return Drawn(canvas, (SLOT,), occluders=(hole < 0.5) | (glints > 0.3), mask=hole > 0.5)


def space() -> paint.Array:
    """Paint stars, the Earth and its thin air."""
    x, y = paint.grid(SIZE)
    canvas = np.zeros((*SIZE, 3), np.float32)
    canvas += np.array((5, 7, 14), np.float32)
    rng = np.random.default_rng(3)
    for strength, count, size in ((90, 900, 0.7), (170, 220, 0.9), (250, 40, 1.5)):
        stars = np.zeros(SIZE, np.float32)
        stars[rng.integers(0, SIZE[0], count), rng.integers(0, SIZE[1], count)] = 1
        paint.glow(canvas, (235, 240, 255), np.clip(paint.soften(stars, size) * strength / 25, 0, 1))
    away = np.hypot(x - 470, y - 2235) - 1420  # pixels above the ground
    round_ = np.clip(-away / 1420, 0, 1)
    clouds = paint.noise(SIZE, 8, coarse=330, octaves=7, fade=0.62, stretch=(2.2, 1))
    land = np.clip(paint.noise(SIZE, 21, coarse=420, octaves=6) * 1.5 - 1.0, 0, 1)
    earth = np.zeros_like(canvas) + np.array((16, 58, 122), np.float32)
    paint.over(earth, (96, 92, 66), 0.8 * land)
    paint.over(earth, (240, 244, 250), np.clip(clouds * 0.55 - 0.05, 0, 0.95))
    paint.over(earth, (120, 175, 240), np.exp(-round_ * 26) * 0.75)
    earth *= (0.45 + 0.75 * np.exp(-(((x - 240) / 620) ** 2)))[..., None]
    paint.over(canvas, earth, np.clip(0.5 - away / 2, 0, 1))
    shell = np.where(away > 0, np.exp(-away / 26), np.exp(away / 14))
    paint.glow(canvas, (120, 185, 255), 0.95 * shell * (0.45 + 0.55 * np.exp(-(((x - 240) / 700) ** 2))))
    return canvas


def cloth(
    canvas: paint.Array, outline: paint.Array, radius: float, seed: int, *, colour: paint.Colour = WHITE
) -> None:
    """Paint one stuffed part of the suit, with its folds and its shadow on what is behind."""
    paint.lay(
        canvas,
        paint.fill(SIZE, outline),
        colour,
        LAMP,
        radius=radius,
        shadow=16,
        folds=(11, 230),
        weave=0.09,
        seed=seed,
        smooth=9,
        gloss=0.06,
        sharpness=12,
    )


def suit(canvas: paint.Array) -> None:
    """Paint the life-support pack, arms, torso, hoses and the chest panel."""
    cloth(canvas, paint.box(215, 560, 985, 1560, 60), 70, 30, colour=(205, 206, 208))
    for side in (-1, 1):

        def at(x: float, y: float, side: int = side) -> tuple[float, float]:
            return 600 + side * x, y

        arm = [
            at(300, 1010),
            at(420, 1015),
            at(530, 1075),
            at(610, 1200),
            at(650, 1400),
            at(660, 1600),
            at(400, 1600),
            at(360, 1300),
        ]
        cloth(canvas, paint.spline(arm), 150, 40 + side)
        for y in (1225,):
            band = paint.spline(
                [
                    at(280, y + 40),
                    at(480, y + 4),
                    at(600, y - 22),
                    at(680, y - 30),
                    at(690, y),
                    at(600, y + 8),
                    at(480, y + 34),
                    at(280, y + 76),
                ]
            )
            red = paint.fill(SIZE, band)
            canvas *= 1 - red[..., None] * np.array((0.12, 0.78, 0.80), np.float32)
    torso = [
        (290, 1010),
        (450, 960),
        (600, 950),
        (750, 960),
        (910, 1010),
        (960, 1180),
        (950, 1400),
        (960, 1620),
        (240, 1620),
        (250, 1400),
        (240, 1180),
    ]
    cloth(canvas, paint.spline(torso), 190, 50)
    for points, width in (
        ([(330, 1130), (300, 1260), (360, 1400), (470, 1450)], 46),
        ([(870, 1130), (905, 1260), (850, 1400), (730, 1450)], 46),
    ):
        hose(canvas, paint.spline(points, closed=False), width)
    panel(canvas)
    patch(canvas)
    paint.lay(canvas, neck_ring(), METAL, LAMP, radius=26, shadow=14, smooth=3, gloss=0.6)


def patch(canvas: paint.Array) -> None:
    """Paint an embroidered badge and a name plate."""
    disc = paint.fill(SIZE, paint.ellipse((138, 1345), (66, 66)))
    paint.lay(canvas, disc, (30, 52, 104), LAMP, radius=8, shadow=5, weave=0.3, seed=60)
    rim = paint.stroke(SIZE, [paint.ellipse((138, 1345), (60, 60))], 5, closed=True)
    planet = paint.fill(SIZE, paint.ellipse((138, 1350), (24, 24)))
    orbit = paint.stroke(SIZE, [paint.ellipse((138, 1350), (44, 14), -24)], 4.5, closed=True)
    for matte, colour in ((rim, (222, 178, 86)), (planet, (196, 76, 56)), (orbit, (236, 232, 220))):
        paint.over(canvas, colour, matte * 0.94)
    plate = paint.fill(SIZE, paint.box(478, 1150, 722, 1206, 8))
    paint.lay(canvas, plate, (34, 38, 48), LAMP, radius=5, shadow=5, smooth=1)
    paint.over(
        canvas, (228, 224, 210), paint.fill(SIZE, *paint.letters("FACEKIT", (600, 1178), 24, serif=False))
    )


def hose(canvas: paint.Array, line: paint.Array, width: float) -> None:
    """Paint a ribbed hose."""
    matte = paint.stroke(SIZE, [line], width)
    paint.darken(canvas, 0.5 * paint.soften(matte, 10) * (1 - matte))
    ribs = np.zeros(SIZE, np.float32)
    steps = np.linspace(0, len(line) - 2, 42).astype(int)
    for i in steps:
        across = (line[i + 1] - line[i])[::-1] * (-1, 1)
        across = across / np.linalg.norm(across) * width / 2
        ribs = np.maximum(ribs, paint.stroke(SIZE, [np.stack([line[i] - across, line[i] + across])], 4))
    normal = paint.puff(matte, width / 2, bumps=-2.2 * paint.soften(ribs, 1.5), smooth=2)
    paint.over(canvas, paint.shade(normal, (150, 156, 166), LAMP, gloss=0.35, sharpness=20), matte)


def panel(canvas: paint.Array) -> None:
    """Paint the chest panel with knobs, switches and lamps."""
    case = paint.fill(SIZE, paint.box(425, 1235, 775, 1560, 26))
    paint.lay(canvas, case, (188, 192, 198), LAMP, radius=16, shadow=18, height=0.8, gloss=0.2)
    plate = paint.fill(SIZE, paint.box(450, 1262, 750, 1372, 10))
    paint.over(canvas, (38, 42, 52), plate)
    screen = paint.fill(SIZE, paint.box(466, 1280, 612, 1354, 6))
    paint.over(canvas, (16, 60, 66), screen)
    curve = [
        (x, 1322 - 22 * np.exp(-(((x - 530) / 9) ** 2)) + 9 * np.exp(-(((x - 552) / 8) ** 2)))
        for x in range(474, 606, 2)
    ]
    line = paint.stroke(SIZE, [np.array(curve, np.float32)], 2.2)
    paint.glow(canvas, (120, 255, 225), np.clip(line + 0.8 * paint.soften(line, 5), 0, 1))
    for x, lamp in zip((644, 682, 720), ((255, 96, 70), (255, 205, 90), (110, 255, 140)), strict=True):
        bulb = paint.fill(SIZE, paint.ellipse((x, 1300), (9, 9)))
        paint.over(canvas, lamp, bulb)
        paint.glow(canvas, lamp, 0.9 * paint.soften(bulb, 8))
        key = paint.fill(SIZE, paint.box(x - 12, 1326, x + 12, 1354, 4))
        paint.lay(canvas, key, (150, 154, 162), LAMP, radius=5, smooth=1, gloss=0.3)
    for x in (490, 600, 710):
        knob = paint.fill(SIZE, paint.ellipse((x, 1440), (36, 36)))
        paint.lay(canvas, knob, (70, 76, 88), LAMP, radius=14, shadow=9, gloss=0.5)
        mark = paint.stroke(SIZE, [np.array([(x, 1440), (x + 16, 1416)], np.float32)], 5)
        paint.over(canvas, (238, 238, 232), mark)


def helmet(canvas: paint.Array, opening: paint.Array) -> None:
    """Paint the shell, the raised gold visor, the lamps and the dark inside."""
    x, y = paint.grid(SIZE)
    shell = paint.fill(
        SIZE,
        paint.spline(
            [
                (600, 118),
                (790, 150),
                (945, 285),
                (1008, 500),
                (990, 720),
                (905, 905),
                (770, 1000),
                (600, 1020),
                (430, 1000),
                (295, 905),
                (210, 720),
                (192, 500),
                (255, 285),
                (410, 150),
            ]
        ),
    )
    paint.darken(canvas, 0.6 * paint.soften(shell, 22) * (1 - shell))
    normal = paint.puff(shell, 330, smooth=14, height=0.95)
    paint.over(canvas, paint.shade(normal, (236, 237, 238), LAMP, gloss=0.55, sharpness=60), shell)
    visor = (
        shell
        * paint.fill(SIZE, paint.box(0, 0, 1200, 560))
        * (1 - paint.fill(SIZE, paint.ellipse((600, 690), (455, 452))))
    )
    edge = paint.soften(visor, 9)
    paint.darken(canvas, 0.5 * edge * (1 - visor) * shell)
    climb = np.clip((y - 118) / 330 + 0.18 * ((x - 600) / 400) ** 2, 0, 1)
    stops = np.array(
        [(70, 40, 12), (214, 150, 58), (255, 232, 168), (176, 110, 34), (70, 42, 16), (226, 170, 84)],
        np.float32,
    )
    gold = np.stack([np.interp(climb, (0, 0.16, 0.3, 0.42, 0.6, 1), stops[:, k]) for k in range(3)], axis=2)
    gold = gold * (0.35 + 0.65 * np.clip(normal @ np.array((-0.5, -0.5, 0.7), np.float32), 0, 1))[..., None]
    spark = np.exp(-(((x - 415) / 95) ** 2) - (((y - 225) / 26) ** 2))
    gold += (255 - gold) * 0.85 * spark[..., None]
    paint.over(canvas, gold, visor)
    for radius, colour in ((26, (150, 156, 166)), (12, (40, 44, 52))):
        ring = paint.fill(SIZE, paint.ellipse((600, 590), (296 + radius, 338 + radius))) * (1 - opening)
        paint.lay(canvas, ring, colour, LAMP, radius=radius / 2, gloss=0.5, sharpness=18)
    for side in (-1, 1):
        hinge = paint.fill(SIZE, paint.ellipse((600 + side * 372, 520), (30, 52)))
        paint.lay(canvas, hinge, (120, 126, 138), LAMP, radius=16, shadow=9, gloss=0.5)
    depth = np.clip(1 - np.hypot((x - 600) / 296, (y - 590) / 338), 0, 1)
    lining = np.zeros_like(canvas) + np.array((74, 80, 92), np.float32)
    lining *= (0.25 + 0.9 * depth + 0.25 * np.clip((x - 600) / 300, 0, 1))[..., None]
    paint.over(canvas, lining, opening)


def head(canvas: paint.Array, opening: paint.Array) -> paint.Array:
    """Paint the mannequin and the cap that frames its face; return where the face shows."""
    mesh = place_face(SLOT.centre, SLOT.eye_distance, yaw=SLOT.yaw, pitch=SLOT.pitch, roll=SLOT.roll)
    oval = mesh.points[list(FACE_OVAL)]
    middle = oval.mean(axis=0)
    frame = paint.fill(SIZE, paint.spline(middle + (oval[::2] - middle) * (1.07, 1.06)))
    u = SLOT.eye_distance
    cx, cy = middle
    cap_line = [
        (0.02, -1.72),
        (0.55, -1.6),
        (0.98, -1.15),
        (1.13, -0.5),
        (1.12, 0.1),
        (1.02, 0.55),
        (0.8, 1.0),
        (0.35, 1.32),
        (-0.35, 1.32),
        (-0.8, 1.0),
        (-1.02, 0.55),
        (-1.12, 0.1),
        (-1.13, -0.5),
        (-0.98, -1.15),
        (-0.5, -1.6),
    ]
    cap = paint.fill(SIZE, paint.spline([(cx + u * a, cy + u * b) for a, b in cap_line])) * opening
    neck = (
        paint.fill(
            SIZE,
            paint.spline(
                [
                    (cx + u * a, cy + u * b)
                    for a, b in ((-0.9, 1.0), (0, 0.8), (0.9, 1.0), (1.3, 1.8), (0, 2.2), (-1.3, 1.8))
                ]
            ),
        )
        * opening
    )
    paint.over(canvas, (52, 56, 66), paint.soften(neck, 5) * opening * (1 - frame))
    paint.over(canvas, (30, 28, 30), frame * opening)
    paint.put_head(canvas, mesh, LOOK, matte=frame * opening)
    cloth_cap = cap * (1 - frame)
    paint.darken(canvas, 0.4 * paint.soften(cap, 12) * (1 - cap) * opening)
    paint.darken(canvas, 0.42 * paint.soften(cloth_cap, 9) * frame)
    sides = paint.fill(
        SIZE,
        paint.spline(
            [
                (cx - u * 0.62, cy - u * 1.8),
                (cx + u * 0.62, cy - u * 1.8),
                (cx + u * 0.42, cy - u * 0.8),
                (cx - u * 0.42, cy - u * 0.8),
            ]
        ),
    )
    folds = 3.0 * paint.noise(SIZE, 71, coarse=110, octaves=2) + 0.09 * paint.noise(
        SIZE, 72, coarse=3, octaves=1
    )
    normal = paint.puff(cap, 125, bumps=folds, smooth=6) + 0.8 * (
        paint.puff(cloth_cap, 18, smooth=4) - (0, 0, 1)
    )
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    tint = np.zeros_like(canvas) + np.array((66, 62, 62), np.float32)
    paint.over(tint, (226, 224, 218), paint.soften(sides, 1))
    paint.over(canvas, paint.shade(normal.astype(np.float32), tint, LAMP), cloth_cap)
    return frame * opening


def glass(canvas: paint.Array, opening: paint.Array) -> paint.Array:
    """Lay the clear visor's reflections over the opening; return their strength."""
    x, y = paint.grid(SIZE)
    radius = np.hypot((x - 600) / 296, (y - 590) / 338)
    paint.glow(canvas, (150, 190, 240), 0.42 * np.clip((radius - 0.7) / 0.3, 0, 1) ** 2.5 * opening)
    ring = paint.fill(SIZE, paint.ellipse((600, 590), (276, 318))) * (
        1 - paint.fill(SIZE, paint.ellipse((622, 612), (262, 304)))
    )
    window = ring * np.clip((540 - x - 0.4 * (y - 590)) / 160, 0, 1)
    blue = paint.fill(SIZE, paint.ellipse((600, 590), (280, 322))) * (
        1 - paint.fill(SIZE, paint.ellipse((585, 560), (276, 318)))
    )
    blue *= np.clip((x + y - 1300) / 140, 0, 1)
    glints = np.clip(0.85 * paint.soften(window, 2.5), 0, 1) * opening
    paint.glow(canvas, (255, 252, 246), glints)
    paint.glow(canvas, (110, 170, 255), 0.5 * paint.soften(blue, 5) * opening)
    return glints


def collar(canvas: paint.Array) -> None:
    """Paint the front half of the metal neck ring, over the helmet's foot."""
    _, y = paint.grid(SIZE)
    front = canvas.copy()
    paint.lay(front, neck_ring(), METAL, LAMP, radius=26, shadow=12, smooth=3, gloss=0.75, sharpness=14)
    for turn in (-55, 0, 55):
        across, down = np.sin(np.radians(turn)), np.cos(np.radians(turn))
        x, y0, half = 600 + 341 * across, 947 + 106 * down, 14 + 18 * down
        latch = paint.fill(SIZE, paint.box(x - half, y0 - 27, x + half, y0 + 27, 9))
        paint.lay(front, latch, (196, 60, 48), LAMP, radius=10, shadow=6, gloss=0.4)
    paint.over(canvas, front, np.clip((y - 940) / 24, 0, 1))


def neck_ring() -> paint.Array:
    """Return the ring into which the helmet is set."""
    return paint.fill(SIZE, paint.ellipse((600, 950), (372, 140)), paint.ellipse((600, 944), (310, 72)))
