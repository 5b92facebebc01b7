"""What two pictures ask of a blend: the right-hand side of its equations.

References
----------
.. [1] Perez, Gangnet & Blake, "Poisson Image Editing", ACM Trans. Graphics 22(3), 2003;
   equations 11 to 13.
"""

import numpy as np
import numpy.typing as npt

from facekit.compiled import compiled
from facekit.grids import Grids

__all__ = ["add_gradients", "add_rim", "collect", "scatter"]

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


@compiled
def add_rim(source: Bytes, target: Bytes, grids: Grids, x0: int, y0: int, rhs: Floats) -> None:
    """Add the known neighbours' `target - source` to the pixels along the mask's rim.

    Pictures have shape (H, 3 W); the mask's box begins at (x0, y0).
    """
    rim = grids.rim
    for r in range(len(rim)):
        y, x, known = rim[r, 1] + y0, 3 * (rim[r, 2] + x0), rim[r, 3]
        for side in range(4):
            if not known >> side & 1:
                continue
            v = y + (side == 1) - (side == 0)
            u = x + 3 * (side == 3) - 3 * (side == 2)
            for c in range(3):
                rhs[3 * rim[r, 0] + c] += np.float32(target[v, u + c]) - np.float32(source[v, u + c])


@compiled
def add_gradients(
    source: Bytes, target: Bytes, grids: Grids, x0: int, y0: int, rhs: Floats, start: int, stop: int
) -> None:
    """Add what the stronger of the two gradients has over the source's, towards all neighbours.

    For the box's rows from `start` to `stop`, of a hierarchy that hides nothing.
    """
    height, width = len(source), source.shape[1] // 3
    left, right = max(x0 - 1, 0), min(x0 + grids.shapes[0, 1] - 1, width)
    size, first = 3 * (right - left), 3 * (x0 - left)
    above, below = np.zeros(size, np.float32), np.zeros(size, np.float32)
    across = np.zeros(size + 3, np.float32)
    columns = slice(3 * left, 3 * right)
    for y in range(start, stop):
        v = y + y0
        ours, theirs = source[v, columns], target[v, columns]
        above[:] = 0
        below[:] = 0
        if v > 0:
            _stronger(source[v - 1, columns], ours, target[v - 1, columns], theirs, above)
        if v + 1 < height:
            _stronger(ours, source[v + 1, columns], theirs, target[v + 1, columns], below)
        _stronger(ours[:-3], ours[3:], theirs[:-3], theirs[3:], across[3:])
        for k in range(size):
            above[k] += (across[k] - across[k + 3]) - below[k]
        for r in range(grids.span_rows[y + 1], grids.span_rows[y + 2]):
            begin, end, place = grids.spans[r]
            part, new = above[first + 3 * (begin - 1) :], rhs[3 * place :]
            for k in range(3 * (end - begin)):
                new[k] += part[k]


@compiled
def _stronger(ours: Bytes, our_next: Bytes, theirs: Bytes, their_next: Bytes, out: Floats) -> None:
    """Write what the target's gradient has over the source's where it is the stronger, else 0."""
    for k in range(len(ours)):
        mine = np.float32(our_next[k]) - np.float32(ours[k])
        other = np.float32(their_next[k]) - np.float32(theirs[k])
        out[k] = other - mine if abs(other) > abs(mine) else np.float32(0)


@compiled
def scatter(grids: Grids, values: Floats, out: Floats) -> None:
    """Write the finest grid's values into the box, of shape (h, 3 w); hidden pixels are left out."""
    for y in range(len(out)):
        for r in range(grids.span_rows[y + 1], grids.span_rows[y + 2]):
            begin, end, place = grids.spans[r]
            for k in range(3 * (end - begin)):
                out[y, 3 * (begin - 1) + k] = values[3 * place + k]


@compiled
def collect(grids: Grids, box: Floats, out: Floats) -> None:
    """Read the finest grid's values from the box: the opposite of `scatter`."""
    for y in range(len(box)):
        for r in range(grids.span_rows[y + 1], grids.span_rows[y + 2]):
            begin, end, place = grids.spans[r]
            for k in range(3 * (end - begin)):
                out[3 * place + k] = box[y, 3 * (begin - 1) + k]
