"""Who blends: facekit, and everybody else, each a small function from pictures and a mask to an answer.

An answer is either the pixels of the mask, unrounded, or a whole picture in 8 bits.
"""

import contextlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.sparse as sparse
from scipy.sparse.linalg import cg

from benchmarks.equations import System, assemble, box_around, factorised, right_side
from benchmarks.table import Maker
from facekit import blend
from facekit.values import Image, Mask

ITERATIONS = 5000  # fpie's own default
BACKENDS = ("numpy", "numba", "taichi-cpu", "gcc", "openmp")
TOLERANCE = 1e-4  # of the multigrid solver's residual, against the right-hand side

Answer = npt.NDArray[Any]
Blend = Callable[[Image, Image, Any, str], Answer]


@dataclass(frozen=True, slots=True)
class Method:
    """One way to blend.

    `given` makes, outside the timing, what `blend` gets for the mask; `exactly`, where it is
    there, gives the answer before rounding. `largest` is the side of the largest picture that
    `blend` is timed on.
    """

    name: str
    blend: Blend
    largest: int = 4096
    given: Callable[[Mask], Any] = np.copy
    exactly: Blend | None = None
    modes: tuple[str, ...] = ("import", "mixed")

    def job(self, source: Image, target: Image, mask: Mask, mode: str = "import") -> Maker:
        """Return what makes a run ready; each gets its own copy of the mask, in case it writes to it."""
        given = self.given(mask)

        def make() -> partial[Answer]:
            own = given.copy() if isinstance(given, np.ndarray) else given
            return partial(self.blend, source, target, own, mode)

        return make

    def error(
        self, source: Image, target: Image, mask: Mask, mode: str, wanted: npt.NDArray[np.float64]
    ) -> tuple[float, float]:
        """Return how far the answer lies from `wanted`: the maximum and the mean, in grey levels.

        Pictures in 8 bits are clipped, and so is then what they are compared with.
        """
        answer = (self.exactly or self.blend)(source, target, self.given(mask), mode)
        if answer.dtype == np.uint8:
            answer, wanted = answer[mask], np.clip(wanted, 0, 255)
        off = np.abs(answer - wanted)
        return float(off.max()), float(off.mean())


# -- facekit -------------------------------------------------------------------------------


def facekit_picture(source: Image, target: Image, mask: Mask | blend.Region, mode: str) -> Answer:
    return blend.blend_poisson(source, target, mask, mode="mixed" if mode == "mixed" else "import")


def facekit_unrounded(source: Image, target: Image, mask: Mask | blend.Region, mode: str) -> Answer:
    equations = blend.assemble(source, target, mask, mode="mixed" if mode == "mixed" else "import")
    (x0, y0), unknown = equations.region.corner, equations.region.unknown
    part = source[y0 : y0 + unknown.shape[0], x0 : x0 + unknown.shape[1]]
    return np.asarray(part[unknown] + blend.solve(equations)[unknown].astype(np.float64))


# -- peers ---------------------------------------------------------------------------------


def seamless_clone(source: Image, target: Image, white: npt.NDArray[np.uint8], mode: str) -> Answer:
    x, y, width, height = cv2.boundingRect(white)
    flag = cv2.MIXED_CLONE if mode == "mixed" else cv2.NORMAL_CLONE
    return cv2.seamlessClone(source, target, white, (x + width // 2, y + height // 2), flag)


def white(mask: Mask) -> npt.NDArray[np.uint8]:
    return mask.astype(np.uint8) * np.uint8(255)


def direct(source: Image, target: Image, mask: Mask, mode: str) -> Answer:
    return direct_known(source, target, factorise(mask), mode)


def direct_known(source: Image, target: Image, known: tuple[System, Any], mode: str) -> Answer:
    system, factors = known
    return np.asarray(factors.solve(right_side(source, target, system, mode)))


def factorise(mask: Mask) -> tuple[System, Any]:
    system = assemble(mask)
    return system, factorised(system)


def multigrid(source: Image, target: Image, mask: Mask, mode: str) -> Answer:
    return multigrid_known(source, target, hierarchy(mask), mode)


def multigrid_known(source: Image, target: Image, known: tuple[System, Any, Any], mode: str) -> Answer:
    system, matrix, preconditioner = known
    sides = right_side(source, target, system, mode)
    start = source[system.box][system.mask].astype(np.float64)
    each = [cg(matrix, sides[:, k], start[:, k], rtol=TOLERANCE, M=preconditioner)[0] for k in range(3)]
    return np.stack(each, axis=1)


def hierarchy(mask: Mask) -> tuple[System, Any, Any]:
    system = assemble(mask)
    matrix = sparse.csr_matrix(system.matrix)
    return system, matrix, import_module("pyamg").ruge_stuben_solver(matrix).aspreconditioner()


def sine_transform(source: Image, target: Image, mask: Mask, mode: str) -> Answer:
    """Solve over the mask's box: outside the mask the gradients are the target's."""
    del mode  # import only
    box = box_around(mask)
    mask, inside, outside = mask[box], source[box].astype(np.float64), target[box].astype(np.float64)
    total = np.zeros_like(inside)
    for axis in (0, 1):
        first, last = (slice(None, -1), slice(1, None)) if axis == 0 else (np.s_[:, :-1], np.s_[:, 1:])
        of_source = (mask[first] | mask[last])[..., None]
        wanted = np.where(of_source, np.diff(inside, axis=axis), np.diff(outside, axis=axis))
        total[first] -= wanted
        total[last] += wanted
    edge = outside.copy()
    edge[1:-1, 1:-1] = 0
    total[1:-1] += edge[:-2] + edge[2:]
    total[:, 1:-1] += edge[:, :-2] + edge[:, 2:]
    rows, cols = (side - 2 for side in mask.shape)
    waves = [2 - 2 * np.cos(np.pi * np.arange(1, side + 1) / (side + 1)) for side in (rows, cols)]
    bands = scipy.fft.dstn(total[1:-1, 1:-1], type=1, axes=(0, 1), workers=_cores())
    bands /= (waves[0][:, None] + waves[1])[..., None]
    solved = scipy.fft.idstn(bands, type=1, axes=(0, 1), workers=_cores())
    return np.asarray(solved[mask[1:-1, 1:-1]])


def iterate(backend: str, source: Image, target: Image, white: npt.NDArray[np.uint8], mode: str) -> Answer:
    """Run fpie's Jacobi iterations over the mask's grid, as many as its command line does."""
    processor = _processor(backend, mode)
    processor.reset(source, white, target, (0, 0), (0, 0))
    processor.sync()
    return np.asarray(processor.step(ITERATIONS)[0])


@cache
def _processor(backend: str, mode: str) -> Any:
    os.environ.setdefault("TI_LOG_LEVEL", "error")
    with contextlib.redirect_stdout(io.StringIO()):
        module = import_module("fpie.process")
        kind = module.EquProcessor if backend in ("numpy", "numba", "taichi-cpu") else module.GridProcessor
        return kind("max" if mode == "mixed" else "src", backend, n_cpu=_cores())


def _cores() -> int:
    return len(os.sched_getaffinity(0))


# -- all of them ---------------------------------------------------------------------------

FACEKIT = Method("facekit", facekit_picture, exactly=facekit_unrounded)
KNOWN = Method("facekit, known mask", facekit_picture, given=blend.prepare, exactly=facekit_unrounded)
SEAMLESS = Method("cv2.seamlessClone", seamless_clone, given=white)
DIRECT = Method("scipy splu", direct, largest=512)


def methods() -> tuple[list[Method], list[str]]:
    """Return who can blend here, and who cannot, with the reason."""
    can = [
        FACEKIT,
        KNOWN,
        SEAMLESS,
        Method("sine transform over the box", sine_transform, modes=("import",)),
        DIRECT,
        Method("scipy splu, known mask", direct_known, largest=1024, given=factorise),
    ]
    cannot = []
    try:
        import_module("pyamg")
        can.append(Method("pyamg with CG", multigrid, largest=1024))
        can.append(Method("pyamg with CG, known mask", multigrid_known, largest=1024, given=hierarchy))
    except ImportError as error:
        cannot.append(f"pyamg: {error}")
    for backend in BACKENDS:
        try:
            _processor(backend, "import")
        except (AssertionError, AttributeError, ImportError) as error:
            cannot.append(f"fpie, {backend}: {error or 'its backend is not there'}")
        else:
            largest = 512 if backend == "gcc" else 256
            can.append(Method(f"fpie, {backend}", partial(iterate, backend), largest, given=white))
    return can, cannot
