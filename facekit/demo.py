"""The demonstration: two people, three templates, and a sheet to look at.

`contact_sheet` lays out a table of pictures, `captioned_rows` any rows; the documentation uses both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from facekit.codec import write_image
from facekit.data import list_samples, load_sample
from facekit.swap import swap_face
from facekit.templates import list_templates

if TYPE_CHECKING:
    from facekit.data import Sample
    from facekit.values import Image, Template

__all__ = ["Captioned", "Demo", "DemoSwap", "captioned_rows", "contact_sheet", "make_demo"]

PEOPLE = ("obama", "astronaut")
TEMPLATES = ("joconde", "spacesuit", "stamp")
STAND_IN = {"joconde": "card"}  # the painting comes by npm, which not every machine has

PAPER, INK, FAINT = (250, 249, 246), (28, 28, 32), (128, 126, 122)
TALLEST = 1.5  # height of a row, in widths of a column; what is taller is shown narrower


@dataclass(frozen=True, slots=True, eq=False)
class Captioned:
    """A picture with what to say about it.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    title, credit : str
        A line in dark type, and one in light type; either may be empty.
    """

    image: "Image"
    title: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True)
class DemoSwap:
    """One picture of the demonstration.

    Parameters
    ----------
    person, template : str
        Their names.
    path : Path
        Where the picture is.
    timings : Mapping of str to float
        Seconds by stage.
    """

    person: str
    template: str
    path: Path
    timings: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demonstration made.

    Parameters
    ----------
    sheet : Path
        The contact sheet.
    swaps : tuple of DemoSwap
        By template, then by person.
    """

    sheet: Path
    swaps: tuple[DemoSwap, ...]


def make_demo(folder: Path) -> Demo:
    """Swap two people into three templates and write pictures and a contact sheet.

    Parameters
    ----------
    folder : Path
        Made if missing; the demonstration's earlier pictures in it are replaced.

    Returns
    -------
    Demo
        Where everything is and how long it took.

    Raises
    ------
    SampleError
        A sample is missing; the message says how to get it.
    InputError
        The folder cannot be written to.
    """
    samples = {sample.name: sample for sample in list_samples()}
    people = {
        name: Captioned(load_sample(name), samples[name].title, _thanks(samples[name])) for name in PEOPLE
    }
    ready = {template.name: template for template in list_templates()}
    templates = [ready.get(name) or ready[STAND_IN[name]] for name in TEMPLATES]
    folder.mkdir(parents=True, exist_ok=True)
    swaps, rows = [], []
    for template in templates:
        results = []
        for name, person in people.items():
            result = swap_face(person.image, template)
            path = folder / f"{name}-{template.name}.png"
            write_image(path, result.image, force=True)
            swaps.append(DemoSwap(name, template.name, path, result.timings))
            results.append(result.image)
        rows.append((Captioned(template.image, template.title, _thanks(template)), results))
    sheet = folder / "contact-sheet.png"
    write_image(
        sheet,
        contact_sheet(rows, heads=list(people.values()), title="Two people, three templates"),
        force=True,
    )
    return Demo(sheet, tuple(swaps))


def _thanks(work: "Sample | Template") -> str:
    return f"{work.credit} ({work.licence})"


def contact_sheet(
    rows: "Sequence[tuple[Captioned, Sequence[Image]]]",
    *,
    heads: Sequence[Captioned],
    title: str = "",
    cell: int = 420,
) -> "Image":
    """Lay out results as a table: people across, templates down.

    Parameters
    ----------
    rows : sequence of (Captioned, sequence of Image)
        A template and its results, one for each head.
    heads : sequence of Captioned
        The people, from left to right.
    title : str
        A headline.
    cell : int, pixels
        Width of a column.

    Returns
    -------
    Image of shape (H, W, 3), uint8
        Nothing of a result is cut off; heads are cut to squares.

    Examples
    --------
    >>> grey = np.full((40, 40, 3), 99, np.uint8)
    >>> contact_sheet([(Captioned(grey, "A template"), [grey])], heads=[Captioned(grey)], cell=100).shape[1]
    233
    """
    page = _Page(cell, columns=1 + len(heads))
    page.headline(title)
    page.row([None, *(_square(head.image) for head in heads)], [None, *heads])
    for template, results in rows:
        page.row([template.image, *results], [template, *([None] * len(results))])
    return page.finish()


def captioned_rows(
    rows: "Sequence[Sequence[Captioned | None]]", *, title: str = "", cell: int = 300
) -> "Image":
    """Lay out pictures row by row, each with its own caption.

    Parameters
    ----------
    rows : sequence of sequence of Captioned or None
        From left to right; None leaves a place empty.
    title : str
        A headline.
    cell : int, pixels
        Width of a column.

    Returns
    -------
    Image of shape (H, W, 3), uint8
        Nothing of a picture is cut off.

    Examples
    --------
    >>> grey = Captioned(np.full((40, 40, 3), 99, np.uint8), "Grey")
    >>> captioned_rows([[grey, None], [None, grey]], cell=100).shape[1]
    233
    """
    page = _Page(cell, columns=max(map(len, rows)))
    page.headline(title)
    for row in rows:
        page.row([None if one is None else one.image for one in row], row)
    return page.finish()


def _square(image: "Image") -> "Image":
    """Cut a picture to a square; of an upright one the upper part, where faces are."""
    height, width = image.shape[:2]
    side = min(height, width)
    left = (width - side) // 2
    return image[:side, left : left + side]


class _Page:
    """A sheet of paper that grows downwards, row by row."""

    def __init__(self, cell: int, *, columns: int) -> None:
        self.cell, self.gap, self.margin = cell, cell // 18, cell // 7
        self.width = 2 * self.margin + columns * cell + (columns - 1) * self.gap
        self.bands: list[Pillow.Image] = []
        self.fonts = {size: ImageFont.load_default(size) for size in (cell // 7, cell // 18, cell // 24)}

    def _band(self, height: int) -> ImageDraw.ImageDraw:
        self.bands.append(Pillow.new("RGB", (self.width, height), PAPER))
        return ImageDraw.Draw(self.bands[-1])

    def _left(self, column: int) -> int:
        return self.margin + column * (self.cell + self.gap)

    def headline(self, text: str) -> None:
        """Put a headline at the top; without one, only the margin."""
        size = self.cell // 7
        draw = self._band(self.margin + (2 * size if text else 0))
        draw.text((self.margin, self.margin), text, font=self.fonts[size], fill=INK, anchor="lt")

    def row(self, images: "Sequence[Image | None]", captions: Sequence[Captioned | None]) -> None:
        """Put pictures side by side, each with its caption below."""
        shapes = [image.shape for image in images if image is not None]
        height = max((round(self.cell * min(rows / cols, TALLEST)) for rows, cols, _ in shapes), default=0)
        self._band(height)
        for column, image in enumerate(images):
            if image is not None:
                self._place(image, self._left(column), height)
        lines = [[] if caption is None else self._lines(caption) for caption in captions]
        size = self.cell // 18
        draw = self._band(round(max(map(len, lines)) * 1.35 * size + 1.6 * size))
        for column, texts in enumerate(lines):
            for number, (text, font, colour) in enumerate(texts):
                at = (self._left(column), (0.6 + 1.35 * number) * size)
                draw.text(at, text, font=font, fill=colour, anchor="lt")

    def _place(self, image: "Image", left: int, height: int) -> None:
        """Fit a picture into its cell, above its caption."""
        scale = min(self.cell / image.shape[1], height / image.shape[0])
        size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
        small = Pillow.fromarray(image).resize(size, Pillow.Resampling.LANCZOS)
        self.bands[-1].paste(small, (left, height - size[1]))

    def _lines(self, caption: Captioned) -> list[tuple[str, Any, tuple[int, int, int]]]:
        dark, light = self.fonts[self.cell // 18], self.fonts[self.cell // 24]
        titles = [(line, dark, INK) for line in _wrapped(caption.title, dark, self.cell)]
        return titles + [(line, light, FAINT) for line in _wrapped(caption.credit, light, self.cell)]

    def finish(self) -> "Image":
        """Return the whole sheet."""
        self._band(self.margin)
        return np.concatenate([np.asarray(band, np.uint8) for band in self.bands])


def _wrapped(text: str, font: Any, width: int, most: int = 3) -> list[str]:
    """Break text between words into at most `most` lines of `width` pixels."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1].rstrip(',.;')} …"]
    return lines
