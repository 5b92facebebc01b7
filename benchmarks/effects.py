"""Effects of the catalogue against bare detection, and what they take most of their time for."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from benchmarks.detection import bare_detection
from benchmarks.table import Requirement, Table, in_turn, ratio, ready, spread
from facekit import EFFECTS, load_sample
from facekit.values import Image

SIZE = 1024
RUNS = 15
LIMITS = {"gender": 6.0, "age": 15.0, "anime": 15.0, "avatar": 6.0, "caricature": 6.0}
ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gender", {"toward": "auto"}),
    ("gender", {"toward": "female"}),
    ("gender", {"toward": "male"}),
    ("age", {"years": 20}),
    ("age", {"years": -15}),
    ("anime", {"style": "cel"}),
    ("anime", {"style": "ink"}),
    ("avatar", {"size": 512}),
    ("caricature", {"amount": 0.5}),
)


def tables() -> Iterator[Table]:
    """Measure."""
    rows, worst = [], dict.fromkeys(LIMITS, 0.0)
    photo = _resized(load_sample("obama"), SIZE)
    with bare_detection() as bare:
        for name, options in ASKED:
            effect = EFFECTS[name]
            runs = in_turn(
                {"bare": ready(bare, photo), "effect": ready(effect.apply, photo, options)},
                rounds=RUNS,
                warm_up=3,
            )
            times = ratio(runs["effect"], runs["bare"])
            worst[name] = max(worst[name], times)
            stages = effect.apply(photo, options).timings
            most = max(stages, key=lambda stage: stages[stage])
            chosen = ", ".join(f"{key} {value}" for key, value in options.items())
            rows.append([name, chosen, spread(runs["bare"]), spread(runs["effect"]), f"{times:.2f}", most])
    note = (
        f"Milliseconds from the decoded photo ({SIZE} pixels wide) to the decoded result, in turn with "
        f"MediaPipe's own landmarker on the same photo: median of {RUNS} runs, and the half of the runs "
        "around it. Last: the stage that takes longest."
    )
    met = [
        Requirement(f"{name} at {SIZE} px: times bare detection", times, LIMITS[name], at_most=True)
        for name, times in worst.items()
    ]
    columns = ["effect", "options", "bare detection", "effect", "ratio", "longest stage"]
    yield Table("Effects against bare detection", columns, rows, note, met)


def _resized(image: Image, width: int) -> Image:
    height = round(image.shape[0] * width / image.shape[1])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
