"""A carnival cut-out: a strongman painted on planks, with a hole to put one's face through."""

import numpy as np

from facekit.synthetic import Look, place_face
from templates import paint
from templates.picture import Drawn, Slot

SIZE = (1500, 1200)
LAMP = paint.Lamp((-0.45, -0.7, 0.56), (255, 246, 228), (104, 90, 92))
LOOK = Look(
    skin=(65.0, 15.0, 21.0),
    hair=(23.0, 8.0, 12.0),
    cloth=(28.0, 4.0, 8.0),
    light=(-0.4, -0.75, -0.8),
    contrast=16.0,
)
SLOT = Slot(centre=(600.0, 566.0), eye_distance=140.0, yaw=0.0, pitch=2.0, roll=0.0)
HOLE = ((600.0, 560.0), (142.0, 178.0))
RED, CREAM, TEAL = paint.hexa("b8322a"), paint.hexa("f3e3bd"), paint.hexa("1f6f78")
GOLD, INK, FLESH = paint.hexa("e0a63a"), paint.hexa("2a1a16"), paint.hexa("d99b74")


def draw() -> Drawn:
    """Draw the board, then what is seen through its hole."""
    canvas = np.zeros((*SIZE, 3), np.float32)
    sunburst(canvas)
    strongman(canvas)
    signs(canvas)
    canvas = weathered(canvas)
    bulbs(canvas)
    hole = paint.fill(SIZE, paint.ellipse(*HOLE))
    through = behind(canvas)
    rim(canvas, hole)
    paint.over(canvas, through, hole)
    canvas += 1.3 * paint.noise(SIZE, 5, coarse=2, octaves=1)[..., None]
    return Drawn(canvas, (SLOT,), occluders=hole < 0.5, mask=hole > 0.5)


def sunburst(canvas: paint.Array) -> None:
    """Paint red and cream rays, a floor and a frame."""
    x, y = paint.grid(SIZE)
    turn = np.arctan2(y - 620, x - 600)
    beams = np.clip(np.sin(turn * 14) * np.hypot(x - 600, y - 620) / 14 + 0.5, 0, 1)
    canvas += np.asarray(CREAM, np.float32)
    paint.over(canvas, (205, 78, 58), beams)
    paint.over(canvas, (250, 224, 150), 0.75 * np.exp(-((np.hypot(x - 600, y - 620) / 330) ** 2)))
    floor = paint.fill(
        SIZE,
        paint.spline(
            [(-60, 1330), (300, 1290), (600, 1278), (900, 1290), (1260, 1330), (1260, 1700), (-60, 1700)]
        ),
    )
    paint.over(canvas, TEAL, floor)
    paint.over(canvas, paint.hexa("164f57"), floor * np.clip((y - 1400) / 160, 0, 0.7))


def part(
    canvas: paint.Array,
    points: list[tuple[float, float]],
    colour: paint.Colour,
    *,
    radius: float = 45.0,
    line: float = 5.0,
    curved: bool = True,
    gloss: float = 0.0,
) -> paint.Array:
    """Paint one part of the picture with brushed modelling and a contour."""
    outline = paint.spline(points) if curved else np.array(points, np.float32)
    matte = paint.fill(SIZE, outline)
    paint.lay(
        canvas, matte, colour, LAMP, radius=radius, smooth=7, folds=(2.5, 60), seed=len(points), gloss=gloss
    )
    paint.over(canvas, INK, 0.92 * paint.stroke(SIZE, [outline], line, closed=True))
    return matte


def both(points: list[tuple[float, float]], side: int) -> list[tuple[float, float]]:
    """Return points given for the picture's right half, on either side."""
    return [(600 + side * x, y) for x, y in points]


def strongman(canvas: paint.Array) -> None:
    """Paint the man, his striped suit and the weight over his head."""
    barbell(canvas)
    for side in (-1, 1):
        part(
            canvas,
            both(
                [(30, 1090), (150, 1080), (168, 1200), (150, 1320), (158, 1420), (60, 1424), (50, 1300)], side
            ),
            FLESH,
        )
        part(
            canvas,
            both([(46, 1352), (158, 1350), (166, 1420), (220, 1436), (216, 1464), (54, 1464)], side),
            INK,
            radius=26,
            gloss=0.25,
        )
        part(
            canvas,
            both(
                [
                    (150, 790),
                    (226, 742),
                    (290, 690),
                    (316, 600),
                    (298, 490),
                    (296, 400),
                    (348, 396),
                    (374, 480),
                    (402, 590),
                    (400, 710),
                    (352, 812),
                    (250, 880),
                    (180, 900),
                ],
                side,
            ),
            FLESH,
            radius=60,
        )
        part(
            canvas,
            both([(276, 372), (298, 332), (352, 332), (370, 372), (356, 416), (290, 416)], side),
            FLESH,
            radius=30,
        )
        for k in range(3):
            knuckle = paint.spline(both([(302 + 20 * k, 344), (303 + 20 * k, 376)], side), closed=False)
            paint.over(canvas, INK, 0.7 * paint.stroke(SIZE, [knuckle], 4))
        cuff = part(
            canvas,
            both([(288, 426), (354, 422), (363, 468), (293, 472)], side),
            (150, 92, 48),
            radius=14,
            curved=False,
        )
        paint.over(
            canvas,
            GOLD,
            cuff * paint.stroke(SIZE, [np.array(both([(288, 449), (362, 445)], side), np.float32)], 7),
        )
        for fold in (
            [(252, 800), (296, 776), (330, 736)],
            [(352, 690), (376, 640), (378, 584)],
            [(322, 566), (336, 530), (336, 490)],
        ):
            line = paint.stroke(SIZE, [paint.spline(both(fold, side), closed=False)], 5)
            paint.over(canvas, paint.hexa("8f4f38"), 0.8 * line)
    torso = [
        (-232, 782),
        (-120, 742),
        (0, 735),
        (120, 742),
        (232, 782),
        (236, 870),
        (190, 990),
        (164, 1090),
        (168, 1180),
        (60, 1212),
        (0, 1190),
        (-60, 1212),
        (-168, 1180),
        (-164, 1090),
        (-190, 990),
        (-236, 870),
    ]
    part(canvas, [(600 + x, y) for x, y in torso], FLESH, radius=110)
    part(
        canvas,
        [(600 + x, y) for x, y in ((-92, 690), (92, 690), (112, 770), (0, 806), (-112, 770))],
        FLESH,
        radius=50,
        line=0,
    )
    suit(canvas)
    skull = [
        (0, 352),
        (120, 384),
        (176, 480),
        (186, 580),
        (160, 690),
        (90, 758),
        (0, 774),
        (-90, 758),
        (-160, 690),
        (-186, 580),
        (-176, 480),
        (-120, 384),
    ]
    part(canvas, [(600 + x, y) for x, y in skull], FLESH, radius=60)
    for side in (-1, 1):
        part(
            canvas,
            both([(180, 540), (206, 530), (214, 572), (200, 618), (178, 622)], side),
            FLESH,
            radius=16,
            line=4.5,
        )
    hair = [
        (-186, 520),
        (-190, 430),
        (-130, 350),
        (-20, 326),
        (90, 338),
        (170, 400),
        (190, 510),
        (172, 520),
        (150, 440),
        (80, 398),
        (-30, 392),
        (-120, 420),
        (-166, 470),
    ]
    part(canvas, [(600 + x, y) for x, y in hair], (48, 30, 26), radius=34, gloss=0.25)
    sheen = [
        paint.spline([(600 + x, y) for x, y in line], closed=False)
        for line in (
            ((-150, 400), (-80, 360), (0, 352)),
            ((-120, 398), (-60, 374), (10, 368)),
            ((40, 356), (100, 374), (146, 412)),
        )
    ]
    paint.over(canvas, (120, 82, 62), 0.7 * paint.stroke(SIZE, sheen, 4))


def suit(canvas: paint.Array) -> None:
    """Paint the striped leotard, the leopard's sash and the belt."""
    outline = paint.spline(
        [
            (600 + x, y)
            for x, y in (
                (-170, 752),
                (-118, 742),
                (-104, 850),
                (0, 890),
                (104, 850),
                (118, 742),
                (170, 752),
                (196, 850),
                (188, 985),
                (164, 1090),
                (172, 1180),
                (150, 1206),
                (66, 1216),
                (0, 1186),
                (-66, 1216),
                (-150, 1206),
                (-172, 1180),
                (-164, 1090),
                (-188, 985),
                (-196, 850),
            )
        ]
    )
    matte = paint.fill(SIZE, outline)
    x, y = paint.grid(SIZE)
    stripes = np.clip(np.sin((y + 0.00035 * (x - 600) ** 2) * 2 * np.pi / 66) * 9 + 0.5, 0, 1)
    cloth = np.zeros_like(canvas) + np.asarray(CREAM, np.float32)
    paint.over(cloth, RED, stripes)
    normal = paint.puff(matte, 110, smooth=8, bumps=3 * paint.noise(SIZE, 8, coarse=90, octaves=2))
    paint.over(canvas, paint.shade(normal, cloth, LAMP), matte)
    paint.over(canvas, INK, 0.92 * paint.stroke(SIZE, [outline], 5, closed=True))
    belt = part(
        canvas,
        [
            (600 + x, y)
            for x, y in ((-180, 1036), (0, 1052), (180, 1036), (172, 1104), (0, 1122), (-172, 1104))
        ],
        (74, 44, 30),
        radius=22,
        gloss=0.2,
    )
    paint.over(
        canvas,
        GOLD,
        belt
        * paint.stroke(
            SIZE,
            [
                paint.spline([(600 + x, y) for x, y in line], closed=False)
                for line in (((-180, 1050), (0, 1066), (180, 1050)), ((-176, 1092), (0, 1108), (176, 1092)))
            ],
            4,
        ),
    )
    buckle = paint.ellipse((600, 1086), (62, 50))
    plate = paint.fill(SIZE, buckle)
    paint.lay(canvas, plate, GOLD, LAMP, radius=16, gloss=0.6, shadow=6)
    paint.over(
        canvas, INK, 0.9 * paint.stroke(SIZE, [buckle, paint.ellipse((600, 1086), (46, 35))], 4, closed=True)
    )
    star = [
        (600 + r * np.sin(k * np.pi / 5), 1086 - r * np.cos(k * np.pi / 5))
        for k, r in enumerate([28, 12] * 5)
    ]
    paint.over(canvas, RED, paint.fill(SIZE, star))


def barbell(canvas: paint.Array) -> None:
    """Paint the bar and its two globes."""
    part(
        canvas,
        [(150, 360), (1050, 360), (1050, 388), (150, 388)],
        (88, 92, 104),
        radius=14,
        gloss=0.5,
        curved=False,
    )
    for side in (-1, 1):
        centre = (600 + side * 452, 374)
        globe = [tuple(p) for p in paint.ellipse(centre, (94, 94))[::6]]
        part(canvas, globe, (54, 58, 72), radius=88, gloss=0.75, line=6)
        weight = paint.letters("500", (centre[0], centre[1] - 2), 40, serif=True)
        paint.over(canvas, CREAM, paint.fill(SIZE, *weight))


def ribbon(
    canvas: paint.Array, y: float, half: float, height: float, colour: paint.Colour, text: str, size: float
) -> None:
    """Paint a curved banner with letters that follow its bend."""

    def bent(points: paint.Array) -> paint.Array:
        return points + np.stack([0 * points[:, 0], 34 * ((points[:, 0] - 600) / half) ** 2], axis=1).astype(
            np.float32
        )

    across = np.linspace(600 - half, 600 + half, 60)
    edge = np.concatenate(
        [
            np.stack([across, 0 * across + y - height / 2], 1),
            np.stack([across[::-1], 0 * across + y + height / 2], 1),
        ]
    )
    for side in (-1, 1):
        tail = bent(
            np.array(
                [
                    (600 + side * (half - 60), y - height / 2 + 26),
                    (600 + side * (half + 56), y - height / 2 + 26),
                    (600 + side * (half + 26), y + 26),
                    (600 + side * (half + 56), y + height / 2 + 26),
                    (600 + side * (half - 60), y + height / 2 + 26),
                ],
                np.float32,
            )
        )
        part(canvas, [tuple(p) for p in tail], tuple(0.62 * c for c in colour), radius=10, curved=False)
    part(canvas, [tuple(p) for p in bent(edge.astype(np.float32))], colour, radius=12, curved=False)
    glyphs = [bent(g) for g in paint.letters(text, (600, y), size)]
    paint.over(canvas, INK, 0.55 * np.roll(paint.fill(SIZE, *glyphs), (4, 4), (0, 1)))
    paint.over(canvas, CREAM, paint.fill(SIZE, *glyphs))


def signs(canvas: paint.Array) -> None:
    """Paint the two banners."""
    ribbon(canvas, 136, 430, 112, TEAL, "THE MIGHTY", 64)
    ribbon(canvas, 1386, 400, 92, RED, "STRONGEST ON EARTH", 36)


def weathered(canvas: paint.Array) -> paint.Array:
    """Let the planks, their grain, nails and worn paint show."""
    x, _ = paint.grid(SIZE)
    grain = paint.noise(SIZE, 14, coarse=26, octaves=4, fade=0.7, stretch=(1, 26))
    canvas = canvas * (1 + 0.028 * grain)[..., None]
    wood = np.zeros_like(canvas) + np.array((158, 116, 74), np.float32)
    wood *= (1 + 0.12 * grain)[..., None]
    worn = np.clip(
        paint.noise(SIZE, 17, coarse=120, octaves=6, fade=0.75, stretch=(1, 3)) * 2.2 - 4.2, 0, 0.75
    )
    paint.over(canvas, wood, worn)
    for edge in range(150, 1200, 150):
        far = np.abs(x - edge)
        paint.darken(canvas, 0.62 * np.exp(-((far / 2.2) ** 2)) + 0.12 * np.exp(-far / 12))
    for edge in range(75, 1200, 150):
        for height in (250, 1325):
            nail = paint.fill(SIZE, paint.ellipse((edge, height), (6, 6)))
            paint.lay(canvas, nail, (120, 112, 104), LAMP, radius=5, shadow=3, smooth=1, gloss=0.5)
    return canvas


def bulbs(canvas: paint.Array) -> None:
    """Paint the golden frame with its lamps."""
    outer, inner = paint.box(0, 0, 1199, 1499), paint.box(46, 46, 1153, 1453, 16)
    frame = paint.fill(SIZE, outer, inner)
    paint.lay(canvas, frame, (150, 36, 32), LAMP, radius=20, shadow=12, folds=(1.5, 40), gloss=0.25)
    spots = [(x, y) for x in np.linspace(26, 1173, 16) for y in (24, 1475)] + [
        (x, y) for y in np.linspace(24, 1475, 20)[1:-1] for x in (24, 1175)
    ]
    lamps = paint.fill(SIZE, *[paint.ellipse(s, (11, 11)) for s in spots])
    paint.lay(canvas, lamps, (255, 226, 150), paint.Lamp(fill=(200, 150, 80)), radius=11, smooth=1, gloss=0.9)
    paint.glow(canvas, (255, 214, 120), np.clip(0.9 * paint.soften(lamps, 10), 0, 1))


def behind(canvas: paint.Array) -> paint.Array:
    """Paint what is seen through the hole: shade, and the mannequin's face lit through it."""
    scene = np.zeros_like(canvas) + np.array((38, 28, 26), np.float32)
    mesh = place_face(SLOT.centre, SLOT.eye_distance, yaw=SLOT.yaw, pitch=SLOT.pitch, roll=SLOT.roll)
    paint.put_head(scene, mesh, LOOK)
    (cx, cy), (rx, ry) = HOLE
    lit = paint.fill(SIZE, paint.ellipse((cx + 9, cy + 15), (rx, ry)))
    paint.darken(scene, 0.62 * (1 - paint.soften(lit, 9)))
    return scene


def rim(canvas: paint.Array, hole: paint.Array) -> None:
    """Paint the board's sawn edge and the ring around the hole."""
    (cx, cy), (rx, ry) = HOLE
    ring = paint.fill(SIZE, paint.ellipse((cx, cy), (rx + 16, ry + 16)))
    paint.lay(
        canvas, ring * (1 - hole), (206, 160, 104), LAMP, radius=9, shadow=4, folds=(0.8, 12), gloss=0.15
    )
    paint.over(
        canvas, INK, 0.9 * paint.stroke(SIZE, [paint.ellipse((cx, cy), (rx + 16, ry + 16))], 4, closed=True)
    )
