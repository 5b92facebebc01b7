"""Ask an independent judge how far `change_gender` and `change_age` carry labelled portraits.

A folder holds pictures named NAME_f.png or NAME_m.png, with one face each. No such folder is in this
repository; the figures in docs/effects.md say what they were measured on.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from facekit import change_age, change_gender, detect_faces, read_image
from facekit.evaluate import describe_face
from facekit.judges import judge_face

AMOUNTS = 0.5, 0.75, 1.0, 1.5
YEARS = -30, -15, 10, 20, 30, 40
LABELS = {"f": "female", "m": "male"}


def main() -> int:
    """Print two tables; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    paths = sorted(path for path in parser.parse_args().folder.iterdir() if path.stem[-2:] in ("_f", "_m"))
    people = []
    for path in paths:
        image = read_image(path)
        mesh = next(iter(detect_faces(image)), None)
        if mesh is not None:
            people.append(
                (LABELS[path.stem[-1]], image, mesh, describe_face(image, mesh), judge_face(image, mesh))
            )
    right = [person for person in people if person[4].gender == person[0]]
    say(f"{len(people)} portraits; the judge is right on {len(right)}, which count below\n")
    for amount in AMOUNTS:
        turned, apart = [], []
        for label, image, mesh, was, _ in right:
            result = change_gender(image, amount=amount).image
            turned.append(judge_face(result, mesh).gender != label)
            apart.append(float(np.linalg.norm(describe_face(result, mesh) - was)))
        turns = f"{sum(turned)} of {len(turned)} turn"
        say(f"amount {amount:4.2f}: {turns}, median distance {np.median(apart):.3f}")
    say("")
    for years in YEARS:
        moved, apart = [], []
        for _, image, mesh, was, opinion in people:
            result = change_age(image, years=years).image
            moved.append(judge_face(result, mesh).years - opinion.years)
            apart.append(float(np.linalg.norm(describe_face(result, mesh) - was)))
        say(f"years {years:+d}: the estimate moves by {np.mean(moved):+.1f}, distance {np.median(apart):.3f}")
    return 0


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
