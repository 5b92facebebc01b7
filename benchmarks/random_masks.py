"""Poisson blending on many random masks, against the direct solution: the worst of them counts."""

from collections.abc import Iterator
from statistics import median

import cv2
import numpy as np

from benchmarks.equations import exact
from benchmarks.peers import FACEKIT, SEAMLESS
from benchmarks.poisson import ERROR
from benchmarks.scenes import KINDS, noise, pictures, random_mask
from benchmarks.table import Requirement, Table, timed

COUNT = 500
SIDES = (96, 161)  # pixels, end exclusive


def tables() -> Iterator[Table]:
    """Measure."""
    found: dict[str, list[tuple[float, float, int, float]]] = {kind: [] for kind in KINDS}
    theirs: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for seed in range(COUNT):
        kind = KINDS[seed % len(KINDS)]
        *ours, other = _measure(kind, seed)
        found[kind].append((ours[0], ours[1], seed, ours[2]))
        if other is not None:
            theirs[kind].append(other)
    every = [one for some in found.values() for one in some]
    rows = [_row(kind, found[kind], theirs[kind]) for kind in KINDS]
    rows.append(_row("**all**", every, [one for some in theirs.values() for one in some]))
    note = (
        f"{COUNT} masks of {SIDES[0]} to {SIDES[1] - 1} pixels a side, seeds 0 to {COUNT - 1}, both modes, "
        "photos and pure noise by turns. Errors in grey levels, before rounding, against scipy's direct "
        "solution. The seed is that of the worst mask. Milliseconds of one run each. The last columns: "
        "seamlessClone's worst and median error, in 8 bits, on the masks that it does not refuse."
    )
    columns = ["masks", "count", "worst", "seed", "99 %", "median", "mean", "ms", "99 % of ms"]
    columns += ["seamlessClone did", "worst", "median"]
    worst = max(one[0] for one in every)
    met = [Requirement(f"Poisson: worst of {COUNT} random masks", worst, ERROR, at_most=True)]
    yield Table("Poisson, random masks", columns, rows, note, met, {"worst": list(max(every))})


def _measure(kind: str, seed: int) -> tuple[float, float, float, float | None]:
    """Return facekit's max and mean error and its seconds, and the max error of seamlessClone."""
    random = np.random.default_rng(seed)
    size = int(random.integers(*SIDES))
    mask = random_mask(kind, size, random)
    mode = "mixed" if seed // len(KINDS) % 2 else "import"
    source, target = noise(size, seed) if seed // len(KINDS) // 2 % 2 else pictures(size)
    wanted = exact(source, target, mask, mode)
    worst, mean = FACEKIT.error(source, target, mask, mode, wanted)
    seconds = timed(FACEKIT.job(source, target, mask, mode)())
    try:
        other = SEAMLESS.error(source, target, mask, mode, wanted)[0]
    except cv2.error:
        other = None
    return worst, mean, seconds, other


def _row(kind: str, ours: list[tuple[float, float, int, float]], theirs: list[float]) -> list[str]:
    worst, _, seed, _ = max(ours)
    errors, times = ([one[k] for one in ours] for k in (0, 3))
    return [
        kind,
        str(len(ours)),
        f"{worst:.3g}",
        str(seed),
        *(f"{np.quantile(errors, part):.3g}" for part in (0.99, 0.5)),
        f"{np.mean([one[1] for one in ours]):.3g}",
        f"{1e3 * median(times):.1f}",
        f"{1e3 * np.quantile(times, 0.99):.1f}",
        str(len(theirs)),
        *((f"{max(theirs):.3g}", f"{median(theirs):.3g}") if theirs else ("–", "–")),
    ]
