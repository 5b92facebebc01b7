"""The king of hearts: a double-headed court card with a photographic face at either end."""

import numpy as np

from facekit.synthetic import Look, place_face
from facekit.topology import FACE_OVAL
from templates import paint
from templates.picture import Drawn, Slot

SIZE = (1540, 1100)
CENTRE = (549.5, 769.5)  # the figure is turned about this point
LAMP = paint.Lamp((-0.45, -0.6, 0.68), (255, 252, 244), (120, 108, 112))
LOOK = Look(
    skin=(72.0, 13.0, 21.0),
    hair=(36.0, 12.0, 26.0),
    light=(-0.4, -0.55, -0.95),
    contrast=12.0,
    bald=True,
    shirt=False,
)
SLOT = Slot(centre=(549.5, 432.0), eye_distance=158.0, yaw=-6.0, pitch=0.0, roll=0.0)
TURNED = Slot((549.5, 1107.0), 158.0, yaw=-6.0, pitch=0.0, roll=180.0)
INK, RED, BLUE = paint.hexa("1b1c3a"), paint.hexa("c1272d"), paint.hexa("27408b")
GOLD, CREAM = paint.hexa("e3b04b"), paint.hexa("faf6ea")


def draw() -> Drawn:
    """Draw the upper half, and the lower half as the upper one turned round."""
    canvas = table()
    card = paint.fill(SIZE, paint.box(40, 40, 1059, 1499, 58))
    paint.darken(canvas, 0.55 * paint.soften(np.roll(card, (14, 10), (0, 1)), 16))
    paint.over(canvas, CREAM, card)
    upper = canvas.copy()
    hidden = figure(upper)
    x, y = paint.grid(SIZE)
    above = np.clip(0.5 - (y - CENTRE[1]) - 0.3 * (x - CENTRE[0]), 0, 1)
    frame = paint.fill(SIZE, paint.box(164, 124, 935, 1415, 10))
    both = upper[::-1, ::-1] + above[..., None] * (upper - upper[::-1, ::-1])
    paint.over(canvas, both, frame)
    divide(canvas, frame, x, y)
    line = paint.stroke(SIZE, [paint.box(164, 124, 935, 1415, 10)], 4, closed=True)
    paint.over(canvas, BLUE, line)
    for turned in (False, True):
        view = canvas[::-1, ::-1] if turned else canvas
        index(view)
    canvas += 1.2 * paint.noise(SIZE, 4, coarse=2, octaves=1)[..., None]
    occluders = np.where(above > 0.5, hidden, hidden[::-1, ::-1]) | (frame < 0.5)
    return Drawn(canvas, (SLOT, TURNED), occluders=occluders, mask=(frame > 0.5) & ~occluders)


def table() -> paint.Array:
    """Paint green baize."""
    x, y = paint.grid(SIZE)
    canvas = np.zeros((*SIZE, 3), np.float32) + np.array((24, 74, 52), np.float32)
    canvas *= 1.15 - 0.35 * np.hypot(x - 400, y - 500)[..., None] / 1000
    return canvas * (1 + 0.05 * paint.noise(SIZE, 2, coarse=3, octaves=2))[..., None]


def heart(centre: tuple[float, float], size: float) -> paint.Array:
    """Return the outline of a heart, `size` pixels wide."""
    t = np.linspace(0, 2 * np.pi, 121)[:-1]
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return (np.stack([x, y], axis=1) * size / 32 + centre).astype(np.float32)


def index(view: paint.Array) -> None:
    """Paint the letter and the suit in the corner, and the large pip beside the head."""
    paint.over(view, RED, paint.fill(SIZE, *paint.letters("K", (101, 122), 72)))
    paint.over(view, RED, paint.fill(SIZE, heart((101, 208), 62)))
    pip(view, (236, 214), 104)


def pip(view: paint.Array, centre: tuple[float, float], size: float) -> None:
    """Paint a heart with a little relief."""
    paint.lay(
        view,
        paint.fill(SIZE, heart(centre, size)),
        (214, 44, 48),
        LAMP,
        radius=size * 0.3,
        smooth=size / 14,
        gloss=0.25,
    )


def piece(
    canvas: paint.Array,
    outline: paint.Array,
    colour: paint.Colour,
    *,
    radius: float = 40.0,
    gloss: float = 0.0,
    line: float = 3.5,
    folds: float = 0.0,
    seed: int = 0,
    shadow: float = 7.0,
) -> paint.Array:
    """Paint one part of the figure: softly modelled, with a drawn contour; return where it is."""
    matte = paint.fill(SIZE, outline)
    paint.lay(
        canvas,
        matte,
        colour,
        LAMP,
        radius=radius,
        gloss=gloss,
        shadow=shadow,
        dark=0.35,
        folds=(folds, 90),
        seed=seed,
        smooth=4,
    )
    if line:
        paint.over(canvas, INK, 0.9 * paint.stroke(SIZE, [outline], line, closed=True))
    return matte


def mirrored(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points to the right of the figure's middle and their mirror images, as one outline."""
    return [(549.5 + x, y) for x, y in points] + [(549.5 - x, y) for x, y in reversed(points)]


def figure(canvas: paint.Array) -> paint.Array:
    """Paint the upper half; return what lies in front of the face."""
    rays(canvas)
    sceptre(canvas)
    robe(canvas)
    nape = paint.spline(mirrored([(0, 240), (120, 300), (132, 450), (118, 640), (0, 650)]))
    piece(canvas, nape, (66, 40, 20), radius=60)
    for side in (-1, 1):
        curls(canvas, side)
    mesh = place_face(SLOT.centre, SLOT.eye_distance, yaw=SLOT.yaw)
    paint.put_head(canvas, mesh, LOOK)
    fringe = np.zeros(SIZE, np.float32)
    for side in (-1, 1):
        fringe = np.maximum(fringe, temple(canvas, side))
    collar(canvas)
    front = crown(canvas)
    oval = mesh.points[list(FACE_OVAL)]
    paint.darken(
        canvas, 0.28 * paint.soften(np.roll(front, 10, 0), 8) * (1 - front) * paint.fill(SIZE, oval, blur=3)
    )
    return np.maximum(front, fringe) > 0.5


def rays(canvas: paint.Array) -> None:
    """Paint a pale sun behind the head."""
    x, y = paint.grid(SIZE)
    turn = np.arctan2(y - 400, x - 549.5)
    far = np.hypot(x - 549.5, y - 400)
    beams = np.clip(np.sin(turn * 36) * 3 + 0.5, 0, 1)
    paint.over(
        canvas,
        (246, 226, 170),
        0.75 * beams * np.clip((far - 190) / 30, 0, 1) * np.clip((470 - far) / 220, 0, 1),
    )
    paint.over(canvas, (250, 238, 204), np.exp(-((far / 250) ** 2)))


def sceptre(canvas: paint.Array) -> None:
    """Paint a golden rod with a heart on it."""
    rod = np.array([(800, 250), (818, 246), (868, 800), (846, 802)], np.float32)
    piece(canvas, rod, GOLD, radius=9, gloss=0.7, line=3)
    for y, r in ((300, 20), (420, 16), (540, 16)):
        x = 809 + (y - 250) * 0.09
        piece(canvas, paint.ellipse((x, y), (r, r * 0.6)), GOLD, radius=r * 0.6, gloss=0.7, line=3)
    piece(canvas, heart((806, 214), 84), (206, 40, 46), radius=26, gloss=0.45, line=3)
    piece(canvas, paint.ellipse((806, 262), (22, 11)), GOLD, radius=9, gloss=0.7, line=3)


def robe(canvas: paint.Array) -> None:
    """Paint the robe: red and blue halves, golden lozenges, a middle band with hearts."""
    for side, colour in ((-1, RED), (1, BLUE)):
        half = [
            (549.5, 600),
            (549.5 + side * 150, 618),
            (549.5 + side * 290, 668),
            (549.5 + side * 372, 760),
            (549.5 + side * 400, 1000),
            (549.5, 1000),
        ]
        matte = piece(canvas, np.array(half, np.float32), colour, radius=70, folds=7, seed=3 + side, line=0)
        lattice = []
        for k in range(-30, 30):
            lattice.append(np.array([(549.5 + k * 46, 560), (549.5 + k * 46 + 460, 1020)], np.float32))
            lattice.append(np.array([(549.5 + k * 46, 560), (549.5 + k * 46 - 460, 1020)], np.float32))
        paint.over(canvas, (238, 190, 88), 0.85 * matte * paint.stroke(SIZE, lattice, 3))
        for row in range(14):
            for k in range(-9, 10):
                spot = (549.5 + k * 46, 583 + row * 46)
                if 0 <= spot[0] < 1100 and matte[min(1539, int(spot[1])), int(spot[0])] > 0.9:
                    paint.over(canvas, (248, 214, 124), paint.fill(SIZE, paint.ellipse(spot, (6, 6))))
        edge = paint.stroke(SIZE, [np.array(half[1:5], np.float32)], 20)
        paint.lay(canvas, edge, GOLD, LAMP, radius=9, gloss=0.5)
        rim, offset = np.array(half[1:5], np.float32), np.array((side * 8, -8), np.float32)
        paint.over(canvas, INK, 0.9 * paint.stroke(SIZE, [rim + offset, rim - offset], 3))
    band = paint.box(497, 600, 602, 1000)
    piece(canvas, band, (250, 246, 232), radius=20, shadow=6)
    for y in range(738, 960, 74):
        pip(canvas, (549.5, y), 54)
    paint.over(
        canvas, GOLD, paint.stroke(SIZE, [np.array([(x, 600), (x, 1000)], np.float32) for x in (508, 591)], 5)
    )


def curls(canvas: paint.Array, side: int) -> None:
    """Paint the long hair beside one cheek, rolled up at its end."""
    lock = [
        (100, 270),
        (150, 330),
        (168, 430),
        (176, 520),
        (222, 572),
        (262, 560),
        (262, 520),
        (240, 512),
        (228, 530),
        (246, 545),
        (236, 612),
        (176, 640),
        (110, 610),
        (84, 540),
        (96, 420),
    ]
    outline = paint.spline([(549.5 + side * x, y) for x, y in lock])
    matte = piece(canvas, outline, paint.hexa("8a5a2b"), radius=46, gloss=0.22, line=3.5)
    for k in range(7):
        f = k / 6
        line = [
            (108 + 44 * f, 285 + 30 * f),
            (104 + 58 * f, 430),
            (96 + 74 * f, 520),
            (120 + 78 * f, 592 - 30 * f),
            (190 + 42 * f, 606 - 50 * f),
        ]
        strand = paint.stroke(
            SIZE, [paint.spline([(549.5 + side * x, y) for x, y in line], closed=False)], 2.2
        )
        paint.over(canvas, paint.hexa("4a2a12") if k % 2 else paint.hexa("cf9a55"), 0.7 * strand * matte)


def temple(canvas: paint.Array, side: int) -> paint.Array:
    """Paint the hair that falls from under the crown over the ear; return where it is."""
    lean = 8  # the head is turned a little, so its sides are not equally far from the middle
    lock = [
        (96, 262),
        (150, 262),
        (172, 350),
        (180, 440),
        (186, 560),
        (160, 600),
        (140, 560),
        (128, 480),
        (127, 400),
        (124, 320),
    ]
    outline = paint.spline([(549.5 + lean + side * x, y) for x, y in lock])
    matte = piece(canvas, outline, paint.hexa("8a5a2b"), radius=26, gloss=0.2, line=0, shadow=5)
    for k, colour in enumerate(("4a2a12", "cf9a55", "4a2a12", "cf9a55")):
        f = (k + 0.6) / 4.4
        line = [
            (100 + 44 * f, 262),
            (126 + 40 * f, 330),
            (130 + 46 * f, 420),
            (134 + 46 * f, 500),
            (148 + 30 * f, 585),
        ]
        strand = paint.stroke(
            SIZE, [paint.spline([(549.5 + lean + side * x, y) for x, y in line], closed=False)], 2.2
        )
        paint.over(canvas, paint.hexa(colour), 0.7 * strand * matte)
    return matte


def collar(canvas: paint.Array) -> None:
    """Paint the ermine and the chain of office over the neck."""
    fur = paint.spline(
        mirrored(
            [
                (0, 652),
                (70, 622),
                (112, 590),
                (190, 622),
                (286, 672),
                (240, 720),
                (150, 742),
                (60, 752),
                (0, 756),
            ]
        )
    )
    matte = piece(canvas, fur, (250, 249, 244), radius=34, folds=4, seed=12, line=3.5, shadow=9)
    rng = np.random.default_rng(6)
    for x, y in (
        (-210, 668),
        (-160, 690),
        (-130, 642),
        (-92, 700),
        (-60, 668),
        (0, 704),
        (60, 668),
        (92, 700),
        (130, 642),
        (160, 690),
        (210, 668),
    ):
        tail = paint.spline(
            [
                (549.5 + x, y - 9),
                (549.5 + x + 5, y + 4),
                (549.5 + x + rng.uniform(-2, 2), y + 20),
                (549.5 + x - 5, y + 4),
            ]
        )
        paint.over(canvas, (30, 28, 36), matte * paint.fill(SIZE, tail))
    chain = paint.spline(
        [(549.5 - 176, 628), (549.5 - 110, 690), (549.5, 722), (549.5 + 110, 690), (549.5 + 176, 628)],
        closed=False,
    )
    for spot in chain[::5]:
        link = paint.fill(SIZE, paint.ellipse(tuple(spot), (9, 9)))
        paint.lay(canvas, link, GOLD, LAMP, radius=8, gloss=0.8, shadow=4)
        paint.over(
            canvas, INK, 0.8 * paint.stroke(SIZE, [paint.ellipse(tuple(spot), (9, 9))], 2, closed=True)
        )


def crown(canvas: paint.Array) -> paint.Array:
    """Paint the crown; return where it is."""
    velvet = paint.spline(mirrored([(0, 138), (60, 146), (120, 190), (132, 262), (60, 284), (0, 288)]))
    cover = piece(canvas, velvet, (160, 28, 44), radius=60, folds=5, seed=31)
    for x in (-128, -64, 0, 64, 128):
        tip = 190 if x == 0 else 188 + abs(x) * 0.12
        leaf = paint.spline(
            [
                (549.5 + x * 1.16, tip - 46),
                (549.5 + x * 1.1 + 20, tip - 8),
                (549.5 + x + 13, tip + 30),
                (549.5 + x + 25, tip + 84),
                (549.5 + x - 25, tip + 84),
                (549.5 + x - 13, tip + 30),
                (549.5 + x * 1.1 - 20, tip - 8),
            ]
        )
        cover = np.maximum(cover, piece(canvas, leaf, GOLD, radius=14, gloss=0.7, line=3))
        pearl = paint.ellipse((549.5 + x * 1.16, tip - 52), (12, 12))
        cover = np.maximum(cover, piece(canvas, pearl, (250, 246, 238), radius=12, gloss=0.6, line=2.5))
    band = [
        (-152, 226),
        (-80, 258),
        (0, 268),
        (80, 258),
        (152, 226),
        (144, 264),
        (78, 296),
        (0, 306),
        (-78, 296),
        (-144, 264),
    ]
    ring = np.concatenate(
        [paint.spline([(549.5 + x, y) for x, y in edge], closed=False) for edge in (band[:5], band[5:])]
    )
    cover = np.maximum(cover, piece(canvas, ring, GOLD, radius=18, gloss=0.75))
    for x, y, colour in (
        (-112, 261, BLUE),
        (-58, 279, RED),
        (0, 287, BLUE),
        (58, 279, RED),
        (112, 261, BLUE),
    ):
        piece(canvas, paint.ellipse((549.5 + x, y), (15, 11)), colour, radius=10, gloss=0.9, line=2.5)
    return cover


def divide(canvas: paint.Array, frame: paint.Array, x: paint.Array, y: paint.Array) -> None:
    """Paint the ornamental band where the two halves meet."""
    across = (y - CENTRE[1] + 0.3 * (x - CENTRE[0])) / np.hypot(1, 0.3)
    along = (x - CENTRE[0] - 0.3 * (y - CENTRE[1])) / np.hypot(1, 0.3)
    for half, colour in ((24, INK), (20.5, GOLD), (14, INK), (11.5, CREAM)):
        paint.over(canvas, colour, frame * np.clip(half - np.abs(across) + 0.5, 0, 1))
    beads = 9 - np.hypot((along + 20) % 40 - 20, across)
    paint.over(canvas, RED, frame * np.clip(beads + 0.5, 0, 1))
