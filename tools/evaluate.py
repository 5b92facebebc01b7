"""Swap the sample people into each other's pictures, print the yardsticks, and say what is missed.

    python tools/evaluate.py [--people FOLDER] [--out FOLDER] [--features 0.8 ...]

Exit 1 where a requirement is missed.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from facekit import read_image, swap_face, write_image
from facekit.data import sample_path
from facekit.evaluate import SwapRow, swap_report
from facekit.templates import template_from_picture
from facekit.values import EffectResult, Image, Template

PEOPLE = ("astronaut", "obama", "biden", "joconde")
POSE = 1.5  # degrees, mean absolute, per axis
INNER_FACE = 0.015  # of the eye distance, mean
NEARER = 0.9  # share of pairs nearer to the photo's person

HEAD = "person|template|yaw °|pitch °|roll °|inner face|expression|seam ΔE|to person|to template|nearer"


def as_markdown(rows: Sequence[SwapRow]) -> str:
    """Set `rows` as a Markdown table."""
    lines = [f"| {HEAD.replace('|', ' | ')} |", "|---" * 11 + "|"]
    for row in rows:
        yaw, pitch, roll = row.pose
        lines.append(
            f"| {row.person} | {row.template} | {yaw:.2f} | {pitch:.2f} | {roll:.2f} "
            f"| {row.inner_face:.2%} | {row.expression:.2f} | {row.seam:+.1f} "
            f"| {row.to_person:.3f} | {row.to_template:.3f} | {'yes' if row.nearer_to_person else 'no'} |"
        )
    return "\n".join(lines)


def requirements(rows: Sequence[SwapRow]) -> list[tuple[str, bool]]:
    """Hold the averages over `rows` against what facekit asks of itself."""
    poses = np.mean([row.pose for row in rows], axis=0)
    inner = float(np.mean([row.inner_face for row in rows]))
    nearer = float(np.mean([row.nearer_to_person for row in rows]))
    return [
        *(
            (f"{axis}: {angle:.2f} degrees from the template's on average, at most {POSE}", angle <= POSE)
            for axis, angle in zip(("yaw", "pitch", "roll"), poses.tolist(), strict=True)
        ),
        (f"inner face: {inner:.2%} of the eye distance, at most {INNER_FACE:.1%}", inner <= INNER_FACE),
        (f"nearer to the photo's person: {nearer:.0%} of the pairs, at least {NEARER:.0%}", nearer >= NEARER),
    ]


def load_people(folder: Path | None) -> tuple[dict[str, Image], list[Template]]:
    """Return the sample people, or those in `folder`, as photos and as templates."""
    if folder is None:
        files = {name: sample_path(name) for name in PEOPLE}
    else:
        files = {path.stem: path for path in sorted(folder.iterdir()) if path.stem in PEOPLE}
    photos = {name: read_image(path) for name, path in files.items()}
    return photos, [template_from_picture(photo, name=name) for name, photo in photos.items()]


def main() -> int:
    """Run the report; return the exit status."""
    parser = argparse.ArgumentParser(description="Measure swaps between the sample people.")
    parser.add_argument("--people", type=Path, help="folder of pictures to use instead of the samples")
    parser.add_argument("--out", type=Path, help="folder for the swapped pictures")
    for dial, usual in (("shape", 0.0), ("features", 1.0), ("colour", 1.0)):
        parser.add_argument(f"--{dial}", type=float, default=usual, help=f"of swap_face; usually {usual:g}")
    options = parser.parse_args()
    people, templates = load_people(options.people)
    names = {id(photo): name for name, photo in people.items()}

    def swap(photo: Image, template: Template) -> EffectResult:
        result = swap_face(
            photo, template, shape=options.shape, features=options.features, colour=options.colour
        )
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            write_image(options.out / f"{names[id(photo)]}-in-{template.name}.png", result.image)
        return result

    rows = swap_report(people, templates, swap=swap)
    checks = requirements(rows)
    lines = [f"- {'met' if met else 'MISSED'}: {sentence}" for sentence, met in checks]
    sys.stdout.write("\n".join([as_markdown(rows), "", *lines, ""]))
    return 0 if all(met for _, met in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
