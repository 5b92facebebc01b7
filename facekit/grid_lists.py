"""Lists of a hierarchy's pixels: which of them lie next to each other, within a grid and between two."""

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled
from facekit.grid_pixels import COMMON, GHOST, ODD, OUTSIDE

__all__ = [
    "list_ghosts",
    "list_odd",
    "list_pieces",
    "list_pixels",
    "list_probes",
    "list_rim",
    "list_transfers",
]

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]


@compiled
def list_pixels(
    classes: Bytes,
    place: Ints,
    runs: Ints,
    run: int,
    spans: Ints,
    span: int,
    span_rows: Ints,
    hidden: Ints,
    gap: int,
    hidden_rows: Ints,
) -> tuple[int, int, int]:
    """List the runs of common pixels, what is worked on, and what is hidden, row by row."""
    rows, cols = classes.shape
    for y in range(rows):
        span_rows[y], hidden_rows[y] = span, gap
        row = classes[y]
        before = np.uint8(OUTSIDE)
        for x in range(cols):
            here = row[x]
            if here == before:
                continue
            if here & np.uint8(2) and not before & np.uint8(2):
                spans[span, 0], spans[span, 2] = x, place[y, x]
            elif before & np.uint8(2) and not here & np.uint8(2):
                spans[span, 1] = x
                span += 1
            if here & np.uint8(4) and not before & np.uint8(4):
                hidden[gap, 0] = x
            elif before & np.uint8(4) and not here & np.uint8(4):
                hidden[gap, 1] = x
                gap += 1
            if here == np.uint8(COMMON):
                runs[run, 0] = x
                runs[run, 1], runs[run, 2], runs[run, 3] = place[y, x], place[y - 1, x], place[y + 1, x]
            elif before == np.uint8(COMMON):
                runs[run, 0] = x - runs[run, 0]
                run += 1
            before = here
    span_rows[rows], hidden_rows[rows] = span, gap
    return run, span, gap


@compiled
def list_odd(classes: Bytes, place: Ints, spans: Ints, span_rows: Ints, odd: Ints, count: int) -> None:
    """List the odd pixels with those above and below."""
    for y in range(1, len(classes) - 1):
        row = classes[y]
        for span in range(span_rows[y], span_rows[y + 1]):
            for x in range(spans[span, 0], spans[span, 1]):
                if row[x] == np.uint8(ODD):
                    odd[count, 0], odd[count, 1], odd[count, 2] = (
                        place[y, x],
                        place[y - 1, x],
                        place[y + 1, x],
                    )
                    count += 1


@compiled
def list_transfers(
    classes: Bytes,
    place: Ints,
    deep: Bytes,
    finer_place: Ints,
    transfers: Ints,
    count: int,
    odd: Ints,
    single: int,
    top: int,
    left: int,
) -> int:
    """List the pixels that the finer grid decides, with the finer ones around them."""
    rows, cols = classes.shape
    hides = len(deep) > 1
    for i in range(1, rows - 1):
        y, length = 2 * (i - 1) + top + 1, 0
        for j in range(1, cols):
            here = classes[i, j]
            if here == np.uint8(COMMON) and not (hides and deep[i, j]):
                if not length:
                    x = 2 * (j - 1) + left
                    transfers[count, 1] = place[i, j]
                    transfers[count, 2], transfers[count, 3] = place[i - 1, j], place[i + 1, j]
                    for k in range(3):
                        transfers[count, 4 + k] = finer_place[y + k - 1, x]
                length += 1
                transfers[count, 0] = length
                continue
            if length:
                count += 1
                length = 0
            if here == np.uint8(ODD):
                x = 2 * (j - 1) + left
                for k in range(3):
                    odd[single, 3 + k] = finer_place[y + k - 1, x]
                single += 1
    return count


@compiled
def list_pieces(
    spans: Ints, span_rows: Ints, classes: Bytes, place: Ints, pieces: Ints, count: int, top: int, left: int
) -> int:
    """List the finer pixels that are worked on and whose coarse neighbours are stored."""
    for y in range(1, len(span_rows) - 2):
        i = (y + 1 - top) // 2
        other = i + (y + 1 - top) % 2
        one, two = classes[i], classes[other]
        for span in range(span_rows[y], span_rows[y + 1]):
            length = 0
            for x in range(spans[span, 0], spans[span, 1]):
                j, odd = (x + 1 - left) // 2, (x + 1 - left) % 2
                near, far = one[j] & 3 and two[j] & 3, one[j + odd] & 3 and two[j + odd] & 3
                if near and far:
                    if not length:
                        pieces[count, 1], pieces[count, 2] = spans[span, 2] + x - spans[span, 0], odd
                        pieces[count, 3], pieces[count, 4] = place[i, j], place[other, j]
                    length += 1
                    pieces[count, 0] = length
                elif length:
                    count += 1
                    length = 0
            if length:
                count += 1
    return count


@compiled
def list_ghosts(
    finer: Bytes,
    finer_place: Ints,
    classes: Bytes,
    place: Ints,
    ghosts: Ints,
    count: int,
    top: int,
    left: int,
) -> tuple[bool, int]:
    """List the finer ghosts with the coarse rows around them; False if a coarse pixel is not stored."""
    fine = True
    for y in range(1, finer.shape[0] - 1):
        i, between = (y + 1 - top) // 2, (y + 1 - top) % 2
        row, x = finer[y], 1
        while x < len(row) - 1:
            if row[x] != np.uint8(GHOST):
                x += 1
                continue
            start = x
            while row[x] == np.uint8(GHOST):
                x += 1
            parity, length = (start + 1 - left) % 2, x - start
            low = (start + 1 - left) // 2 - np.int64(parity or length > 1)
            high = (x - left) // 2 + (2 if (x - left) % 2 else np.int64(length > 1))
            ghosts[count, 0], ghosts[count, 1] = length, finer_place[y, start]
            ghosts[count, 2], ghosts[count, 3] = parity, between
            for k in range(4):
                line = i - 1 + k if between else i
                if line < 0 or line >= classes.shape[0] or low < 0 or high >= classes.shape[1]:
                    fine = False
                    continue
                ghosts[count, 4 + k] = place[line, (start + 1 - left) // 2]
                for j in range(low, high + 1):
                    fine = fine and classes[line, j] & np.uint8(3) != 0
            count += 1
    return fine, count


@compiled
def list_probes(
    finer: Bytes,
    spans: Ints,
    span_rows: Ints,
    classes: Bytes,
    place: Ints,
    probes: Ints,
    count: int,
    top: int,
    left: int,
) -> int:
    """List finer pixels next to a ghost, halfway between coarse ones, with four of those in a line."""
    rows, cols = classes.shape
    for y in range(2, len(finer) - 2):
        above, row, below = finer[y - 1], finer[y], finer[y + 1]
        i, between = (y + 1 - top) // 2, (y + 1 - top) % 2
        for span in range(span_rows[y], span_rows[y + 1]):
            for x in range(spans[span, 0], spans[span, 1]):
                odd, j = (x + 1 - left) % 2, (x + 1 - left) // 2
                if odd == between:
                    continue
                one, two = (row[x - 1], row[x + 1]) if odd else (above[x], below[x])
                if one != np.uint8(GHOST) and two != np.uint8(GHOST):
                    continue
                down, right = between, odd
                if min(i - down, j - right) < 0 or i + 2 * down >= rows or j + 2 * right >= cols:
                    continue
                stored = True
                for k in range(4):
                    v, u = i + (k - 1) * down, j + (k - 1) * right
                    stored = stored and classes[v, u] & np.uint8(3) != 0
                    probes[count, 1 + k] = place[v, u]
                if stored:
                    probes[count, 0] = spans[span, 2] + x - spans[span, 0]
                    count += 1
    return count


@compiled
def list_rim(kind: Bytes, spans: Ints, span_rows: Ints, border: npt.NDArray[np.bool_], most: int) -> Ints:
    """List the finest grid's pixels with known neighbours inside the picture, and which those are.

    Bits say: above, below, left, right.
    """
    rows, cols = kind.shape
    rim, count = np.empty((most, 4), np.int32), 0
    for y in range(1, rows - 1):
        above, here, below = kind[y - 1], kind[y], kind[y + 1]
        up, down = not (border[0] and y == 1), not (border[1] and y == rows - 2)
        for span in range(span_rows[y], span_rows[y + 1]):
            for x in range(spans[span, 0], spans[span, 1]):
                if above[x] and below[x] and here[x - 1] and here[x + 1]:
                    continue
                bits = np.int32(up and not above[x]) | np.int32(down and not below[x]) << 1
                bits |= np.int32(not here[x - 1] and not (border[2] and x == 1)) << 2
                bits |= np.int32(not here[x + 1] and not (border[3] and x == cols - 2)) << 3
                if bits:
                    rim[count, 0] = spans[span, 2] + x - spans[span, 0]
                    rim[count, 1], rim[count, 2], rim[count, 3] = y - 1, x - 1, bits
                    count += 1
    return rim[:count].copy()
