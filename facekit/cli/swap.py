"""`facekit swap`: a face from a photo into a template."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facekit.cli.base import (
    BatchOption,
    ForceOption,
    FormatOption,
    JsonOption,
    OutOption,
    WorkersOption,
    naming,
    working,
)
from facekit.cli.batch import run_folder
from facekit.cli.files import check_mode, check_source, check_target, save_image, tell_picture

if TYPE_CHECKING:
    from facekit.values import EffectResult, Template

__all__ = ["Gaze", "KeepMouth", "SwapJob", "swap"]

EXAMPLES = """
Examples:

  facekit swap me.jpg --template spacesuit -o out.png

  facekit swap group.jpg --template portrait.jpg --face 1 -o out.jpg

  facekit swap --batch photos --template stamp -o stamps --workers 2
"""


class KeepMouth(StrEnum):
    """Whether the template's mouth stays."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


class Gaze(StrEnum):
    """Whose gaze the eyes have."""

    TEMPLATE = "template"
    PHOTO = "photo"


@dataclass(frozen=True, slots=True)
class SwapJob:
    """A swap with everything chosen but the photo; small, so that it can go to another process.

    Parameters
    ----------
    template : str
        Name or path.
    face, slot : int
        As in `facekit.swap_face`.
    shape, features, colour : float
        As in `facekit.swap_face`.
    keep_mouth : KeepMouth
        As in `facekit.swap_face`.
    gaze : Gaze
        As in `facekit.swap_face`.
    """

    template: str
    face: int = 0
    slot: int = 0
    shape: float = 0.0
    features: float = 1.0
    colour: float = 1.0
    keep_mouth: KeepMouth = KeepMouth.AUTO
    gaze: Gaze = Gaze.TEMPLATE

    def __call__(self, source: Path, target: Path, force: bool) -> None:
        """Swap the face of `source` in and write `target`."""
        save_image(target, self.make(source).image, force=force)

    def make(self, source: Path) -> "EffectResult":
        """Swap the face of `source` in."""
        from facekit.codec import read_image
        from facekit.swap import swap_face

        template = _template(self.template)
        with naming(source):
            return swap_face(
                read_image(source),
                template,
                face=self.face,
                slot=self.slot,
                shape=self.shape,
                features=self.features,
                colour=self.colour,
                keep_mouth="auto" if self.keep_mouth is KeepMouth.AUTO else self.keep_mouth is KeepMouth.YES,
                gaze="photo" if self.gaze is Gaze.PHOTO else "template",
            )


@cache
def _template(name_or_path: str) -> "Template":
    from facekit.templates import load_template

    with naming(f"template {name_or_path}"):
        return load_template(name_or_path)


def swap(
    template: Annotated[
        str, typer.Option("--template", "-t", help="A name of `facekit templates`, a picture, or a folder.")
    ],
    out: OutOption,
    photo: Annotated[
        Path | None, typer.Argument(metavar="PHOTO", help="The photo with the face.", show_default=False)
    ] = None,
    face: Annotated[int, typer.Option(min=0, help="Which face of the photo, largest first.")] = 0,
    slot: Annotated[int, typer.Option(min=0, help="Which place in the template, largest first.")] = 0,
    shape: Annotated[
        float, typer.Option(min=0, max=1, help="0 keeps the template's face shape, 1 takes the person's.")
    ] = 0.0,
    features: Annotated[
        float, typer.Option(min=0, max=1, help="How much of the person's features comes along.")
    ] = 1.0,
    colour: Annotated[
        float, typer.Option(min=0, max=1, help="How far skin and light follow the template.")
    ] = 1.0,
    keep_mouth: Annotated[
        KeepMouth, typer.Option(help="Keep the template's mouth; auto: where open and closed do not fit.")
    ] = KeepMouth.AUTO,
    gaze: Annotated[Gaze, typer.Option(help="Whose gaze the eyes have.")] = Gaze.TEMPLATE,
    batch: BatchOption = None,
    workers: WorkersOption = None,
    form: FormatOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put the face of a photo into a template."""
    check_mode(photo, batch, workers=workers, format=form)
    from facekit.codec import WRITABLE

    job = SwapJob(template, face, slot, shape, features, colour, keep_mouth, gaze)
    if batch is not None:
        run_folder(
            job, batch, out, form=form or "png", known=WRITABLE, force=force, workers=workers, as_json=as_json
        )
    elif photo is not None:
        check_target(out, known=WRITABLE, force=force, source=photo)
        check_source(photo)
        with working("Swapping the face"):
            result = job.make(photo)
        save_image(out, result.image, force=force)
        tell_picture(result, out, as_json=as_json)
