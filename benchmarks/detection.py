"""Detection against bare MediaPipe, with the same options on the same picture."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import mediapipe

from benchmarks.table import Requirement, Table, in_turn, ratio, ready, spread
from facekit import detect_faces, load_sample
from facekit.models import load_model
from facekit.values import Image

RUNS = 30
WARM_UP = 15  # runs; the network's threads and the caches need about this many to settle
LIMIT = 1.05
PICTURES = ("astronaut", "obama")
MAX_FACES = 6


@contextmanager
def bare_detection() -> Iterator[Callable[[Image], object]]:
    """Offer MediaPipe's own landmarker, with the options that facekit gives it."""
    tasks = mediapipe.tasks
    options = tasks.vision.FaceLandmarkerOptions(
        base_options=tasks.BaseOptions(model_asset_buffer=load_model("face_landmarker")),
        num_faces=MAX_FACES,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    with tasks.vision.FaceLandmarker.create_from_options(options) as landmarker:
        yield lambda image: landmarker.detect(
            mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image)
        )


def tables() -> Iterator[Table]:
    """Detect with both in turn."""
    rows, met = [], []
    with bare_detection() as bare:
        for name in PICTURES:
            image = load_sample(name)
            runs = in_turn(
                {
                    "bare": ready(bare, image),
                    "ours": ready(partial(detect_faces, max_faces=MAX_FACES), image),
                },
                rounds=RUNS,
                warm_up=WARM_UP,
            )
            times = ratio(runs["ours"], runs["bare"])
            rows.append([name, spread(runs["bare"]), spread(runs["ours"]), f"{times:.3f}"])
            met.append(Requirement(f"detection on {name}: times bare MediaPipe", times, LIMIT, at_most=True))
    note = (
        f"Milliseconds, in turn, median of {RUNS} after {WARM_UP} to warm up; the ratio is the median of the "
        "neighbours' ratios, which a drifting machine does not move."
    )
    yield Table("Detection", ["picture", "bare MediaPipe", "detect_faces", "ratio"], rows, note, met)
