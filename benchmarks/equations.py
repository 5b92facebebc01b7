"""The Poisson equations written down a second time, as a sparse matrix, and solved directly.

Nothing of facekit's blend is used here: for a pixel p of the mask, the sum over its neighbours q
inside the picture of `f(p) - f(q)` equals the sum of the wanted differences; where q is outside
the mask, `f(q)` is the target's.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from scipy.sparse.linalg import splu

from facekit.values import Image, Mask

LARGEST_DIRECT = 300_000  # unknowns; above, the factors take minutes and gigabytes
CONVERGED = 2e-5  # grey levels; the last step of the reference where it is not direct

Float = npt.NDArray[np.float64]
Box = tuple[slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """The matrix of a mask, and where its unknowns lie."""

    matrix: Any  # scipy's csc_array
    mask: Mask  # over the box
    box: Box


def assemble(mask: Mask) -> System:
    """Write down the matrix for `mask`."""
    box = box_around(mask)
    mask = mask[box]
    number = np.full(mask.shape, -1, np.int32)
    count = int(np.count_nonzero(mask))
    number[mask] = np.arange(count, dtype=np.int32)
    degree = np.zeros(count)
    rows, cols = [], []
    for axis in (0, 1):
        p, q = _pairs(number, axis)
        for one in (p, q):
            degree += np.bincount(one[one >= 0], minlength=count)
        both = (p >= 0) & (q >= 0)
        rows += [p[both], q[both]]
        cols += [q[both], p[both]]
    row, col = np.concatenate(rows), np.concatenate(cols)
    links = sparse.coo_array((np.full(len(row), -1.0), (row, col)), shape=(count, count))
    return System(sparse.csc_array(links + sparse.diags_array(degree)), mask, box)


def right_side(source: Image, target: Image, system: System, mode: str) -> Float:
    """Write down the right-hand side, one column a channel."""
    inside, outside = (image[system.box].astype(np.float64) for image in (source, target))
    total = np.zeros_like(inside)
    for axis in (0, 1):
        wanted, other = np.diff(inside, axis=axis), np.diff(outside, axis=axis)
        if mode == "mixed":
            wanted = np.where(np.abs(other) > np.abs(wanted), other, wanted)
        (first, last), (p, q) = _pairs(total, axis), _pairs(outside, axis)
        known_p, known_q = (~end[..., None] for end in _pairs(system.mask, axis))
        first -= wanted - known_q * q
        last += wanted + known_p * p
    return np.asarray(total[system.mask])


def exact(source: Image, target: Image, mask: Mask, mode: str = "import") -> Float:
    """Return the solution at the pixels of `mask`, unrounded: direct where that is possible.

    Where the mask is too large, algebraic multigrid runs until its step is below `CONVERGED`.
    """
    system = assemble(mask)
    known = right_side(source, target, system, mode)
    if len(known) <= LARGEST_DIRECT:
        return np.asarray(factorised(system).solve(known))
    hierarchy = import_module("pyamg").ruge_stuben_solver(sparse.csr_matrix(system.matrix))
    start = source[mask].astype(np.float64)
    return np.stack([_converged(hierarchy, known[:, k], start[:, k]) for k in range(3)], axis=1)


def factorised(system: System) -> Any:
    """Return the exact factors of the matrix, in an order that suits a symmetric one."""
    return splu(
        system.matrix,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )


def box_around(mask: Mask) -> Box:
    """Return the box of `mask`, one pixel wider where the picture allows."""
    rows, cols = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(cols[0] - 1, 0), cols[-1] + 2)


def _pairs(values: npt.NDArray[Any], axis: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return views of the first and of the second pixel of every link along `axis`."""
    return (values[:-1], values[1:]) if axis == 0 else (values[:, :-1], values[:, 1:])


def _converged(hierarchy: Any, known: Float, x: Float) -> Float:
    while True:
        step = hierarchy.solve(known - hierarchy.levels[0].A @ x, tol=1e-30, maxiter=1)
        x = x + step
        if float(np.abs(step).max()) < CONVERGED:
            return x
