"""Stage times and peak memory of a swap, by size of the template."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from benchmarks.detection import bare_detection
from benchmarks.table import Requirement, Table, in_turn, ratio, ready, spread
from facekit import load_sample, load_template, swap_face, write_image
from facekit.place import PADDING
from facekit.segment import eye_distance
from facekit.values import Image, Slot, Template

SIZES = (512, 1024, 2048, 4096)
STAGE_SIZES = (512, 1024, 2048)
PADDED_SIZES = (1024, 2048, 4096)
REQUIRED_SIZE = 1024
RUNS = 15
SWAP_LIMIT, SWAP_AIM = 2.0, 1.5
PADDED_LIMIT = 1.5
MEMORY_LIMIT = 6.0

MEMORY = """
import ctypes, json, sys
from pathlib import Path
from benchmarks.swap import face_size, scene
from facekit import swap_face

def resident(name):
    line, = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(name))
    return int(line.split()[1]) / 1024

swap_face(*scene(256))  # libraries, models and kernels are loaded
photo, template = scene(int(sys.argv[1]))
ctypes.CDLL(None).malloc_trim(0)  # what was freed goes back, so that its reuse shows
Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
before = resident("VmRSS")
result = swap_face(photo, template)
peak = resident("VmHWM")
print(json.dumps([before, peak, face_size(template), (result.image.nbytes + result.mask.nbytes) / 2**20]))
"""


def scene(size: int) -> tuple[Image, Template]:
    """Return a photo and a template, both `size` pixels wide."""
    photo, picture = (_resized(load_sample(name), size) for name in ("obama", "astronaut"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{size}.png"
        write_image(path, picture)
        return photo, load_template(path)


def face_size(template: Template) -> float:
    """Return the size of the box that the swap works in, three channels of 32 bits, in MiB."""
    mesh = template.slots[0].mesh
    pad = PADDING * eye_distance(mesh)
    rows, cols = template.image.shape[:2]
    width = min(mesh.box[2] + pad, cols) - max(mesh.box[0] - pad, 0)
    height = min(mesh.box[3] + pad, rows) - max(mesh.box[1] - pad, 0)
    return float(width * height * 3 * 4 / 2**20)


def _resized(image: Image, width: int) -> Image:
    height = round(image.shape[0] * width / image.shape[1])
    shrinks = width < image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)


def tables() -> Iterator[Table]:
    """Measure."""
    yield _stages()
    yield _against_detection()
    yield _padded()
    yield _memory()


def _stages() -> Table:
    """Time the stages."""
    runs = []
    for size in STAGE_SIZES:
        photo, template = scene(size)
        swap_face(photo, template)
        runs.append([dict(swap_face(photo, template).timings) for _ in range(RUNS)])
    stages = list(runs[0][0])
    rows = [[stage, *(spread([run[stage] for run in some]) for some in runs)] for stage in stages]
    rows.append(["**all**", *(spread([sum(run.values()) for run in some]) for some in runs)])
    note = (
        f"Milliseconds: median of {RUNS} runs, and the half of the runs around it, after one run to warm up."
    )
    return Table("Stages of a swap", ["stage", *(f"{size} px" for size in STAGE_SIZES)], rows, note)


def _against_detection() -> Table:
    """Time whole swaps against bare detection on the same photo."""
    rows, met = [], []
    with bare_detection() as bare:
        for size in SIZES:
            photo, template = scene(size)
            runs = in_turn(
                {
                    "bare": ready(bare, photo),
                    "swap": ready(swap_face, photo, template),
                },
                rounds=RUNS,
                warm_up=5,
            )
            times = ratio(runs["swap"], runs["bare"])
            rows.append([f"{size} px", spread(runs["bare"]), spread(runs["swap"]), f"{times:.2f}"])
            if size == REQUIRED_SIZE:
                what = f"swap at {size} x {size}: times bare detection"
                met.append(Requirement(what, times, SWAP_LIMIT, SWAP_AIM, at_most=True))
    note = (
        "Milliseconds from the decoded photo to the decoded result, template ready, in turn with MediaPipe's "
        f"own landmarker on the same photo: median of {RUNS} runs. Photo and template have the same width."
    )
    columns = ["width", "bare detection", "swap_face", "ratio"]
    return Table("Swap against bare detection", columns, rows, note, met)


def _padded() -> Table:
    """Time what comes after detection, for the same face in ever larger pictures."""
    photo, template = scene(REQUIRED_SIZE)
    scenes = {size: padded(photo, template, size) for size in PADDED_SIZES}
    after: dict[int, list[float]] = {size: [] for size in PADDED_SIZES}
    for turn in range(RUNS + 2):
        for size in PADDED_SIZES[:: -1 if turn % 2 else 1]:
            start = perf_counter()
            result = swap_face(*scenes[size])
            after[size].append(perf_counter() - start - result.timings["detect"])
    after = {size: seconds[2:] for size, seconds in after.items()}
    copies = in_turn({str(size): ready(scenes[size][1].image.copy) for size in PADDED_SIZES})
    first = after[PADDED_SIZES[0]]
    rows = [
        [f"{size} px", spread(after[size]), f"{ratio(after[size], first):.2f}", spread(copies[str(size)])]
        for size in PADDED_SIZES
    ]
    last = PADDED_SIZES[-1]
    grown = (last / PADDED_SIZES[0]) ** 2
    note = (
        f"The photo and the template of {REQUIRED_SIZE} pixels, with ever wider margins: the face stays the "
        "same. Milliseconds of everything but detection; the ratio is to the smallest. Last: what a copy of "
        f"the template takes, which every result needs. The picture has {grown:.0f} times the pixels in the "
        "end."
    )
    what = f"swap after detection, {grown:.0f} times the picture around the same face: times as long"
    met = [Requirement(what, ratio(after[last], first), PADDED_LIMIT, at_most=True)]
    columns = ["pictures", "after detection", "ratio", "copying the template"]
    return Table("Swap, the same face in larger pictures", columns, rows, note, met)


def padded(photo: Image, template: Template, size: int) -> tuple[Image, Template]:
    """Give a photo and a template margins until they are `size` pixels a side."""
    slot = template.slots[0]
    margins, (left, top) = _margins(template.image, size)
    mesh = replace(
        slot.mesh,
        points=slot.mesh.points + np.array([left, top], np.float32),
        box=(
            slot.mesh.box[0] + left,
            slot.mesh.box[1] + top,
            slot.mesh.box[2] + left,
            slot.mesh.box[3] + top,
        ),
    )
    slot = Slot(mesh, np.pad(slot.mask, margins), np.pad(slot.occluders, margins))
    image = np.pad(template.image, (*margins, (0, 0)), mode="edge")
    return (
        np.pad(photo, (*_margins(photo, size)[0], (0, 0)), mode="edge"),
        replace(template, image=image, slots=(slot,)),
    )


def _margins(image: Image, size: int) -> tuple[tuple[tuple[int, int], tuple[int, int]], tuple[int, int]]:
    """Return the margins of the rows and the columns, and how far the picture moves (x, y)."""
    rows, cols = (max(size - side, 0) for side in image.shape[:2])
    return ((rows // 2, rows - rows // 2), (cols // 2, cols - cols // 2)), (cols // 2, rows // 2)


def _memory() -> Table:
    """Measure what one swap needs on top of what was there before."""
    rows, worst = [], 0.0
    for size in SIZES:
        command = [sys.executable, "-c", MEMORY, str(size)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        before, peak, face, picture = json.loads(run.stdout)
        times = (peak - before - picture) / face
        if size >= REQUIRED_SIZE:
            worst = max(worst, times)
        figures = [before, peak, peak - before, picture, face]
        rows.append([f"{size} px", *(f"{figure:.1f}" for figure in figures), f"{times:.1f}"])
    note = (
        "MiB of resident memory, each size in a process of its own: before the swap, with libraries, models, "
        "photo and template loaded; at the peak; and what the swap itself adds. Of that, the result (picture "
        "and mask) is given out. Face: the box around the template's face in which the swap works, three "
        "channels of 32 bits. The ratio is what is added beyond the result, over the face; in pictures "
        "smaller than required, what libraries keep for themselves outweighs it."
    )
    columns = ["width", "before", "peak", "added", "result", "face", "ratio"]
    what = f"memory of a swap, {REQUIRED_SIZE} px and wider: times the face's float size"
    met = [Requirement(what, worst, MEMORY_LIMIT, at_most=True)]
    return Table("Memory of a swap", columns, rows, note, met)
