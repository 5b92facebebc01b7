"""Make docs/contact-sheet.webp and docs/effects-sheet.webp again.

    python tools/contact_sheet.py

The people shown are two whose pictures may be changed freely, and one who is nobody: the
astronaut (NASA), Mona Lisa, and the mannequin that facekit draws. The White House photographs
among the samples ask not to be manipulated, so nothing made from them is published.
"""

from pathlib import Path
from typing import Any

from facekit import (
    EFFECTS,
    detect_faces,
    encode_image,
    list_samples,
    list_templates,
    load_sample,
    swap_faces,
    synthetic_face,
)
from facekit.demo import Captioned, captioned_rows, contact_sheet
from facekit.segment import cut_out, eye_distance
from facekit.values import Image, Template

DOCS = Path(__file__).parents[1] / "docs"
PEOPLE = ("astronaut", "joconde")
ASKED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("The other gender, half way", "gender", {"amount": 0.5}),
    ("The other gender", "gender", {"amount": 1.0}),
    ("15 years younger", "age", {"years": -15}),
    ("25 years older", "age", {"years": 25}),
    ("Anime, flat colours", "anime", {"style": "cel"}),
    ("Anime, ink", "anime", {"style": "ink"}),
    ("Avatar", "avatar", {"size": 720}),
    ("Caricature", "caricature", {"amount": 1.0}),
)
TEMPLATES = ("astronaut", "joconde", "spacesuit", "card", "carnival", "stamp")


def _everywhere(photo: Image, template: Template) -> Image:
    """Put the photo's face into every slot."""
    return swap_faces(photo, template, [(0, slot) for slot in range(len(template.slots))]).image


def _head(photo: Image) -> Image:
    """Cut a head out of a photo, with some room for hair and shoulders."""
    mesh = detect_faces(photo)[0]
    part, _, _ = cut_out(photo, mesh, 0.95 * eye_distance(mesh))
    return part.copy()


def main() -> None:
    """Write both sheets."""
    samples = {sample.name: sample for sample in list_samples()}
    people = {
        name: Captioned(load_sample(name), samples[name].title, samples[name].credit) for name in PEOPLE
    }
    people["mannequin"] = Captioned(synthetic_face(768, seed=3), "Nobody", "drawn from averages by facekit")
    _write("contact-sheet", _swaps(people))
    _write("effects-sheet", _effects(people))


def _swaps(people: dict[str, Captioned]) -> Image:
    """Swap each person into each template but their own."""
    templates = {template.name: template for template in list_templates()}
    rows = []
    for name in TEMPLATES:
        template = templates[name]
        results = [
            template.image if person == name else _everywhere(shown.image, template)
            for person, shown in people.items()
        ]
        rows.append((Captioned(template.image, template.title, template.credit), results))
    return contact_sheet(rows, heads=list(people.values()), title="Faces into templates", cell=360)


def _effects(people: dict[str, Captioned]) -> Image:
    """Do every effect to each person."""
    heads = {name: _head(shown.image) for name, shown in people.items()}
    rows: list[list[Captioned | None]] = []
    for name, shown in people.items():
        done = [
            Captioned(EFFECTS[effect].apply(heads[name], options).image, title)
            for title, effect, options in ASKED
        ]
        rows += [[Captioned(heads[name], shown.title, shown.credit), *done[:4]], [None, *done[4:]]]
    return captioned_rows(rows, title="Effects", cell=320)


def _write(name: str, sheet: Image) -> None:
    (DOCS / f"{name}.webp").write_bytes(encode_image(sheet, "webp", quality=88))


if __name__ == "__main__":
    main()
