"""What each pixel of a hierarchy's grids is: from a mask, finest grid first."""

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled

__all__ = [
    "ALIKE",
    "BAND",
    "COARSE_BAND",
    "COMMON",
    "FEW",
    "GHOST",
    "HIDDEN",
    "ODD",
    "OUTSIDE",
    "RIM",
    "UNKNOWN",
    "classified",
    "count",
    "deep",
    "layers",
]

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]

UNKNOWN, ALIKE = 1, 2  # bits of a pixel's kind: in the mask; of the common stencil
# Classes: bit 1 says that a pixel is worked on, bit 0, of the others, that it is stored all the same.
OUTSIDE, RIM, ODD, COMMON, HIDDEN, GHOST = 0, 1, 2, 3, 4, 5

BAND = 8  # pixels of the finest grid between the rim and what is hidden
COARSE_BAND = 7  # pixels of a coarser grid between its odd pixels and what is hidden
FEW = 48  # unknowns; a grid with no more is solved by its inverse


@compiled
def layers(unknown: npt.NDArray[np.bool_], border: npt.NDArray[np.bool_]) -> tuple[list[Bytes], Longs]:
    """Say of each pixel of each grid whether it is unknown, and whether its stencil is the common one."""
    height, width = unknown.shape
    kind = np.zeros((height + 2, width + 2), np.uint8)
    for y in range(height):
        for x in range(width):
            kind[y + 1, x + 1] = np.uint8(UNKNOWN | ALIKE) if unknown[y, x] else np.uint8(0)
    # At the picture's border there are fewer neighbours.
    if border[0]:
        kind[1] &= np.uint8(UNKNOWN)
    if border[1]:
        kind[height] &= np.uint8(UNKNOWN)
    if border[2]:
        kind[:, 1] &= np.uint8(UNKNOWN)
    if border[3]:
        kind[:, width] &= np.uint8(UNKNOWN)
    kinds, shapes = [kind], np.zeros((32, 4), np.int64)
    shapes[0, 0], shapes[0, 1] = kind.shape
    depth = 1
    while _unknowns(kinds[depth - 1]) > FEW:
        shape = _coarse_shape(shapes[depth - 1], border)
        if shape[0] < 3 or shape[1] < 3:
            break
        coarse = np.zeros((shape[0], shape[1]), np.uint8)
        _classify(kinds[depth - 1], coarse, shape[2], shape[3])
        if _unknowns(coarse) == 0:
            break
        kinds.append(coarse)
        shapes[depth] = shape
        depth += 1
    return kinds, shapes[:depth].copy()


@compiled
def _unknowns(kind: Bytes) -> int:
    total = 0
    for y in range(kind.shape[0]):
        row, some = kind[y], np.uint32(0)
        for x in range(len(row)):
            some += np.uint32(row[x] & np.uint8(UNKNOWN))
        total += int(some)
    return total


@compiled
def _coarse_shape(fine: Longs, border: npt.NDArray[np.bool_]) -> Longs:
    """Return the shape of the grid of every second pixel; top and left: which of the first two it keeps.

    Where the picture ends, a pixel of the coarser grid sits on the border, if only one side asks.
    """
    height, width = fine[0] - 2, fine[1] - 2
    top = (height - 1) % 2 if border[1] and not border[0] else 0
    left = (width - 1) % 2 if border[3] and not border[2] else 0
    return np.array([(height - 1 - top) // 2 + 3, (width - 1 - left) // 2 + 3, top, left])


@compiled
def _classify(fine: Bytes, coarse: Bytes, top: int, left: int) -> None:
    """Say of each coarse pixel what kind it is.

    Coarse pixel (i, j) sits on the fine one (2 i + top - 1, 2 j + left - 1). Its stencil is the
    common one where the 5 x 5 fine pixels around are unknown and the inner 3 x 3 have the common
    stencil.
    """
    rows, cols = fine.shape
    wide, near = np.zeros(cols + 4, np.uint8), np.zeros(cols + 4, np.uint8)
    both = np.zeros(cols + 4, np.uint8)
    for i in range(1, coarse.shape[0] - 1):
        y = 2 * (i - 1) + top + 1
        if y < 2 or y > rows - 3:
            both[:] = 0
        else:
            one, two, three, four, five = fine[y - 2], fine[y - 1], fine[y], fine[y + 1], fine[y + 2]
            for x in range(cols):
                inner = two[x] & three[x] & four[x]
                near[x + 2] = inner
                wide[x + 2] = inner & one[x] & five[x]
            for x in range(cols):
                every = wide[x] & wide[x + 1] & wide[x + 2] & wide[x + 3] & wide[x + 4]
                alike = near[x + 1] & near[x + 2] & near[x + 3]
                both[x] = (every & np.uint8(UNKNOWN)) << np.uint8(1) & alike
        row, here = coarse[i], fine[y]
        for j in range(1, len(row) - 1):
            x = 2 * (j - 1) + left + 1
            row[j] = here[x] & np.uint8(UNKNOWN) | both[x]


@compiled
def deep(kind: Bytes, coarse: Bytes, band: int, top: int, left: int) -> Bytes:
    """Say of each coarse pixel whether the finer ones within `band` around it all have the common stencil."""
    rows, cols = kind.shape
    deep = np.zeros(coarse.shape, np.uint8)
    run = np.zeros(cols, np.uint8)  # of alike pixels upwards, up to twice the band and one
    wide, other = np.zeros(cols + 64, np.uint8), np.zeros(cols + 64, np.uint8)
    full, doublings = np.uint8(2 * band + 1), 0
    while 2 << doublings <= 2 * band + 1:
        doublings += 1
    for y in range(rows):
        here = kind[y]
        for x in range(cols):
            run[x] = min(run[x] + np.uint8(1), full) if here[x] == np.uint8(UNKNOWN | ALIKE) else np.uint8(0)
        middle = y - band
        if middle < 1 or (middle - top - 1) % 2 or (middle - top - 1) // 2 + 1 > coarse.shape[0] - 2:
            continue
        for x in range(cols):
            wide[x] = np.uint8(1) if run[x] == full else np.uint8(0)
        for k in range(doublings):
            shift = 1 << k
            ahead = wide[shift:]
            for x in range(cols):
                other[x] = wide[x] & ahead[x]
            wide, other = other, wide
        row = deep[(middle - top - 1) // 2 + 1]
        reach = band + 1 - (1 << doublings)
        for j in range(1, len(row) - 1):
            x = 2 * (j - 1) + left + 1
            if x >= band:
                row[j] = wide[x - band] & wide[x + reach]
    return deep


@compiled
def classified(kind: Bytes, deep: Bytes, shape: Longs) -> Bytes:
    """Return the class of each pixel."""
    rows, cols = kind.shape
    top, left = shape[2], shape[3]
    classes = np.zeros((rows, cols), np.uint8)
    for y in range(1, rows - 1):
        here, row = kind[y], classes[y]
        for x in range(cols):
            row[x] = here[x] + (here[x] & np.uint8(1) & ~(here[x] >> np.uint8(1)))  # 3 stays, 1 becomes 2
        if len(deep) > 1:
            i = (y + 1 - top) // 2
            _hide(row, deep[i], deep[i + (y + 1 - top) % 2], left)
    some = np.zeros(cols + 2, np.uint8)
    for y in range(rows):
        above, here, below = classes[max(y - 1, 0)], classes[y], classes[min(y + 1, rows - 1)]
        for x in range(cols):
            some[x + 1] = (above[x] | here[x] | below[x]) & np.uint8(2)
        # What is worked on has this bit whether its row is marked already or not.
        for x in range(cols):
            near = (some[x] | some[x + 1] | some[x + 2]) >> np.uint8(1)
            here[x] |= near & ~(here[x] >> np.uint8(1))
    return classes


@compiled
def _hide(row: Bytes, above: Bytes, below: Bytes, left: int) -> None:
    """Hide the pixels of a row all of whose coarse neighbours stand for themselves."""
    first = np.uint8(0)
    for j in range(len(above)):
        second = above[j] & below[j]
        x = 2 * j + left - 1
        if first & second:
            row[x - 1] = np.uint8(HIDDEN)
        if second:
            row[x] = np.uint8(HIDDEN)
        first = second


@compiled
def count(classes: Bytes, place: Ints, number: Ints, pixels: int, odds: int) -> tuple[int, int]:
    """Give numbers to what is stored, and to the odd pixels among that."""
    for y in range(classes.shape[0]):
        row, where, which = classes[y], place[y], number[y]
        for x in range(len(row)):
            kind = row[x]
            if kind & np.uint8(3):
                where[x] = pixels
                pixels += 1
                if kind == np.uint8(ODD):
                    which[x] = odds
                    odds += 1
    return pixels, odds
