"""Detection against bare MediaPipe, with the same options on the same picture."""

from statistics import median

import mediapipe

from benchmarks.table import Table, spread, timed
from facekit import detect_faces, load_sample
from facekit.models import load_model

RUNS = 30
WARM_UP = 15  # runs; the network's threads and the caches need about this many to settle
LIMIT = 1.05
PICTURES = ("astronaut", "obama")
MAX_FACES = 6


def measure_detection() -> Table:
    """Detect with both in turn."""
    tasks = mediapipe.tasks
    options = tasks.vision.FaceLandmarkerOptions(
        base_options=tasks.BaseOptions(model_asset_buffer=load_model("face_landmarker")),
        num_faces=MAX_FACES,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    rows, missed = [], []
    with tasks.vision.FaceLandmarker.create_from_options(options) as landmarker:
        for name in PICTURES:
            ours, bare = _in_turn(name, landmarker)
            ratio = median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
            rows.append([name, spread(bare), spread(ours), f"{ratio:.3f}"])
            if ratio > LIMIT:
                missed.append(f"detection on {name} takes {ratio:.3f} times bare MediaPipe")
    note = (
        f"Milliseconds, in turn, median of {RUNS} after {WARM_UP} to warm up; the ratio is the median of the "
        f"neighbours' ratios, which a drifting machine does not move. Required: {LIMIT} or less."
    )
    return Table("Detection", ["picture", "bare MediaPipe", "detect_faces", "ratio"], rows, note, missed)


def _in_turn(
    name: str, landmarker: "mediapipe.tasks.vision.FaceLandmarker"
) -> tuple[list[float], list[float]]:
    image = load_sample(name)
    ours: list[float] = []
    bare: list[float] = []

    def run_bare() -> None:
        landmarker.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image))

    def run_ours() -> None:
        detect_faces(image, max_faces=MAX_FACES)

    for turn in range(WARM_UP + RUNS):
        pair = [(bare, run_bare), (ours, run_ours)]
        for seconds, run in pair if turn % 2 else pair[::-1]:
            seconds.append(timed(run))
    return ours[WARM_UP:], bare[WARM_UP:]
