"""Poisson blending against everybody who does it: time and error, by size, mode and shape of the mask."""

from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np

from benchmarks.equations import CONVERGED, LARGEST_DIRECT, exact
from benchmarks.peers import DIRECT, FACEKIT, ITERATIONS, KNOWN, SEAMLESS, TOLERANCE, Method, methods
from benchmarks.scenes import SHAPES, pictures, shape_mask
from benchmarks.table import FEW, ROUNDS, SLOW, VERY_SLOW, Requirement, Table, in_turn, ratio, slope, spread

SIZES = (256, 512, 1024, 2048, 4096)
SHAPE_SIZES = (512, 1024)
ERROR = 0.5  # grey levels
FASTER = {512: (4, 10), 1024: (6, 12), 2048: (8, 15)}  # than seamlessClone: floor, aim
KNOWN_FASTER = (8, 20)  # at KNOWN_SIZE
MIXED_FASTER = (3, 6)
KNOWN_SIZE = 512
STEEPEST = 1.05

HOW = (
    f"Milliseconds from decoded pictures to the answer: median of {ROUNDS} runs in turn, and the half of the "
    f"runs around it; of what takes over {SLOW:g} s, {FEW} runs, and over {VERY_SLOW:g} s, one. Ratio: how "
    "many times as long as facekit. "
)
ERRORS = (
    "Errors in grey levels against the direct solution of the same equations in double precision, before "
    "rounding; cv2 and fpie return 8 bits, so theirs hold that rounding and are taken against the solution "
    "clipped to 0..255. scipy's splu is that direct solution, hence its zeros. "
)
WHY = (
    "seamlessClone and the sine transform solve over the mask's box instead of the mask: their error is what "
    "the other boundary does to the picture. "
)


def tables() -> Iterator[Table]:
    """Measure."""
    can, cannot = methods()
    seconds: dict[str, dict[int, float]] = {}
    for size in SIZES:
        table = _by_method(size, "import", can, cannot)
        for name, (_, middle, *_) in table.data.items():
            seconds.setdefault(name, {})[size] = middle
        yield table
    yield _slopes(seconds)
    yield _by_method(512, "mixed", can, cannot)
    for size in SHAPE_SIZES:
        yield _by_shape(size)


def _by_method(size: int, mode: str, can: Sequence[Method], cannot: Sequence[str]) -> Table:
    """Blend the ellipse with everybody."""
    source, target = pictures(size)
    mask = shape_mask("ellipse", size)
    wanted = exact(source, target, mask, mode)
    able = [method for method in can if size <= method.largest and mode in method.modes]
    errors = {method.name: method.error(source, target, mask, mode, wanted) for method in able}
    runs = in_turn({method.name: method.job(source, target, mask, mode) for method in able}, warm_up=0)
    ours = runs[FACEKIT.name]
    rows, data = [], {}
    for name, some in runs.items():
        worst, mean = errors[name]
        times = f"{ratio(some, ours):.2f}"
        rows.append([name, str(len(some)), spread(some), times, f"{worst:.3g}", f"{mean:.3g}"])
        data[name] = [size, median(some), worst, mean]
    note = HOW + ERRORS + WHY + _about(size, able, can, cannot)
    columns = ["method", "runs", "ms", "ratio", "max error", "mean error"]
    title = f"Poisson, {mode} mode, ellipse over a quarter of {size} x {size}"
    return Table(title, columns, rows, note, _required(size, mode, runs, errors), data)


def _about(size: int, able: Sequence[Method], can: Sequence[Method], cannot: Sequence[str]) -> str:
    """Say how the peers were set, and who is missing and why."""
    said = [
        f"pyamg's CG (Ruge-Stuben) stops at {TOLERANCE:g} of the right-hand side.",
        f"fpie does its command line's {ITERATIONS} iterations, converged or not.",
    ]
    if np.count_nonzero(shape_mask("ellipse", size)) > LARGEST_DIRECT:
        said.append(
            "Too large for a direct solution: errors are against multigrid run until its step is under "
            f"{CONVERGED:g}."
        )
    slow = [method.name for method in can if size > method.largest]
    if slow:
        said.append(f"Not run at this size, since a run takes seconds: {', '.join(slow)}.")
    other = [method.name for method in can if method not in able and method.name not in slow]
    if other:
        said.append(f"Without this mode: {', '.join(other)}.")
    if cannot:
        said.append(f"Not available here: {'; '.join(cannot)}.")
    return " ".join(said)


def _required(
    size: int,
    mode: str,
    runs: dict[str, list[float]],
    errors: dict[str, tuple[float, float]],
) -> list[Requirement]:
    theirs = runs[SEAMLESS.name]
    what = f"Poisson, {mode} mode, {size} x {size}: "
    faster = what + "times faster than seamlessClone"
    met = [Requirement(what + "max error", errors[FACEKIT.name][0], ERROR, at_most=True)]
    if mode == "mixed":
        met.append(Requirement(faster, ratio(theirs, runs[FACEKIT.name]), *MIXED_FASTER))
    elif size in FASTER:
        met.append(Requirement(faster, ratio(theirs, runs[FACEKIT.name]), *FASTER[size]))
        if size == KNOWN_SIZE:
            met.append(Requirement(f"{faster}, known mask", ratio(theirs, runs[KNOWN.name]), *KNOWN_FASTER))
    return met


def _slopes(seconds: dict[str, dict[int, float]]) -> Table:
    """Fit how the time grows with the number of pixels."""
    rows, data = [], {}
    for name, some in seconds.items():
        if len(some) < 3:
            continue
        data[name] = slope([size**2 for size in some], list(some.values()))
        rows.append([name, f"{min(some)} to {max(some)}", f"{data[name]:.3f}"])
    note = (
        "Slope of the straight line through the logarithms of the median times and of the pixel counts; 1 is "
        "proportional. Methods that ran at three sizes or more."
    )
    met = [Requirement("Poisson: slope of time against pixels", data[FACEKIT.name], STEEPEST, at_most=True)]
    return Table("Poisson, time against pixels", ["method", "sizes", "slope"], rows, note, met, data)


def _by_shape(size: int) -> Table:
    """Blend other masks than the ellipse."""
    source, target = pictures(size)
    rows, worst = [], 0.0
    for shape in SHAPES:
        mask = shape_mask(shape, size)
        wanted = exact(source, target, mask)
        able = [method for method in (FACEKIT, KNOWN, SEAMLESS, DIRECT) if size <= method.largest]
        errors = {method.name: method.error(source, target, mask, "import", wanted) for method in able}
        runs = in_turn({method.name: method.job(source, target, mask) for method in able}, warm_up=0)
        times = [ratio(runs[SEAMLESS.name], runs[name]) for name in (FACEKIT.name, KNOWN.name)]
        worst = max(worst, errors[FACEKIT.name][0])
        rows.append(
            [
                f"{shape}, {100 * mask.mean():.0f} %",
                *(
                    spread(runs[method.name]) if method in able else "–"
                    for method in (FACEKIT, KNOWN, SEAMLESS, DIRECT)
                ),
                *(f"{one:.1f}" for one in times),
                *(f"{one:.3g}" for one in errors[FACEKIT.name]),
                *(f"{one:.3g}" for one in errors[SEAMLESS.name]),
            ]
        )
    columns = ["mask", "facekit", "known mask", "seamlessClone", "splu"]
    columns += [
        "times faster",
        "known: times faster",
        "max error",
        "mean",
        "seamlessClone: max error",
        "mean",
    ]
    note = HOW + ERRORS + WHY + "Per cent: of the picture. Times faster: facekit than seamlessClone."
    met = [Requirement(f"Poisson, all shapes at {size}: max error", worst, ERROR, at_most=True)]
    return Table(f"Poisson, other masks, {size} x {size}", columns, rows, note, met)
