"""Make docs/contact-sheet.webp again.

    python tools/contact_sheet.py

The people shown are two whose pictures may be changed freely, and one who is nobody: the
astronaut (NASA), Mona Lisa, and the mannequin that facekit draws. The White House photographs
among the samples ask not to be manipulated, so nothing made from them is published.
"""

from pathlib import Path

from facekit import encode_image, list_samples, list_templates, load_sample, swap_faces, synthetic_face
from facekit.demo import Captioned, contact_sheet
from facekit.values import Image, Template

DOCS = Path(__file__).parents[1] / "docs"
PEOPLE = ("astronaut", "joconde")
TEMPLATES = ("astronaut", "joconde", "spacesuit", "card", "carnival", "stamp")


def _everywhere(photo: Image, template: Template) -> Image:
    """Put the photo's face into every slot."""
    return swap_faces(photo, template, [(0, slot) for slot in range(len(template.slots))]).image


def main() -> None:
    """Swap each person into each template but their own, and write the sheet."""
    samples = {sample.name: sample for sample in list_samples()}
    people = {
        name: Captioned(load_sample(name), samples[name].title, samples[name].credit) for name in PEOPLE
    }
    people["mannequin"] = Captioned(synthetic_face(768, seed=3), "Nobody", "drawn from averages by facekit")
    templates = {template.name: template for template in list_templates()}
    rows = []
    for name in TEMPLATES:
        template = templates[name]
        results = [
            template.image if person == name else _everywhere(shown.image, template)
            for person, shown in people.items()
        ]
        rows.append((Captioned(template.image, template.title, template.credit), results))
    sheet = contact_sheet(rows, heads=list(people.values()), title="Faces into templates", cell=360)
    (DOCS / "contact-sheet.webp").write_bytes(encode_image(sheet, "webp", quality=88))


if __name__ == "__main__":
    main()
