"""The notebooks as pages with their committed outputs, and the gallery that leads to them."""

import base64
import html
import io
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

FOLDER = Path(__file__).parent.parent / "notebooks"
ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/svg+xml": "svg"}
WIDGET = "application/vnd.jupyter.widget-view+json"
ROW = re.compile(r"^\| \[(?P<title>[^\]]+)\]\((?P<name>\w+)\.ipynb\) \| (?P<line>.+?) \|$", re.MULTILINE)
THUMBNAIL = 720, 360  # pixels at most
RIM = 3  # pixels of a picture in a figure that its frame may cover
PANEL = 64  # pixels; what is narrower in a figure is no picture
CONTROL = "A control stands here that needs a running kernel: <code>make lab</code> opens the notebook."


def notebook_names() -> list[str]:
    """List the notebooks in the order in which to read them."""
    return sorted(path.stem for path in FOLDER.glob("[0-9][0-9]_*.ipynb"))


@cache
def read(name: str) -> list[dict[str, Any]]:
    """Return the cells of a committed notebook, with their lists of lines joined to texts."""
    notebook = json.loads((FOLDER / f"{name}.ipynb").read_text(), object_hook=with_texts)
    cells: list[dict[str, Any]] = notebook["cells"]
    return cells


def with_texts(found: dict[str, Any]) -> dict[str, Any]:
    """Join the lines of a cell's source and outputs."""
    lines = ("source", "text", *(kind for kind in found if "/" in kind))
    texts = {key: "".join(found[key]) for key in lines if isinstance(found.get(key), list)}
    return found | texts


def notebook_files() -> Iterator[tuple[str, str | bytes]]:
    """Yield each notebook's page, its pictures, its thumbnail, and the notebook itself to take away."""
    for name in notebook_names():
        found = dict(outputs_of(name))
        yield f"notebooks/{name}.md", page(name)
        yield f"notebooks/{name}/thumbnail.webp", thumbnail(name)
        yield f"notebooks/{name}.ipynb", (FOLDER / f"{name}.ipynb").read_bytes()
        yield from found.items()


def outputs_of(name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the pictures among a notebook's outputs, by the path that its page names."""
    for number, cell in enumerate(read(name)):
        for position, output in enumerate(cell.get("outputs", [])):
            kind = picture_kind(output)
            if kind:
                yield f"notebooks/{picture_path(name, number, position, kind)}", picture(output, kind)


def picture_kind(output: Any) -> str | None:
    """Return the MIME type under which an output holds a picture."""
    return next((kind for kind in ENDINGS if kind in output.get("data", {})), None)


def picture_path(name: str, number: int, position: int, kind: str) -> str:
    """Return where a cell's picture lies, seen from the page."""
    return f"{name}/{number:03d}-{position}.{ENDINGS[kind]}"


def picture(output: Any, kind: str) -> bytes:
    """Return a picture's file."""
    data: str = output["data"][kind]
    return data.encode() if kind == "image/svg+xml" else base64.b64decode(data)


def page(name: str) -> str:
    """Write a notebook as Markdown."""
    parts = []
    for number, cell in enumerate(read(name)):
        if cell["cell_type"] == "markdown":
            parts.append(cell["source"].replace("<details>", '<details markdown="1">'))
        elif cell["cell_type"] == "code" and cell["source"].strip():
            parts.append(f"````python\n{cell['source']}\n````")
        for position, output in enumerate(cell.get("outputs", [])):
            parts.append(shown(name, number, position, output))
    title, _, rest = "\n\n".join(parts).partition("\n")
    note = (
        f'<p class="source">A notebook with the outputs it was committed with. '
        f'<a href="{name}.ipynb" download>Take it away</a>, or change it: <code>make lab</code>.</p>'
    )
    return f"{title}\n\n{note}\n{rest}\n"


def shown(name: str, number: int, position: int, output: Any) -> str:
    """Write an output: a picture where it has one, else what words it has; no empty box for a widget."""
    kind, data = picture_kind(output), output.get("data", {})
    if kind:
        alt = html.escape(output["metadata"].get(kind, {}).get("alt") or data.get("text/plain", ""))
        size = "" if kind == "image/svg+xml" else sizes(picture(output, kind))
        source = picture_path(name, number, position, kind)
        return f'<figure class="output"><img src="{source}" alt="{alt}"{size} loading="lazy"></figure>'
    if WIDGET in data:
        return f'<p class="output">{CONTROL}</p>'
    if "text/html" in data:
        return f'<div class="output">{data["text/html"]}</div>'
    if "text/markdown" in data:
        return str(data["text/markdown"])
    text = output.get("text") or data.get("text/plain") or "\n".join(output.get("traceback", []))
    return f'<pre class="output">{html.escape(text.rstrip())}</pre>'


def sizes(data: bytes) -> str:
    """Return a picture's size as attributes, so that the page does not jump when it arrives."""
    width, height = Image.open(io.BytesIO(data)).size
    return f' width="{width}" height="{height}"'


def thumbnail(name: str) -> bytes:
    """Draw a notebook small: the picture of the cell tagged "thumbnail", else its first photo."""
    image = Image.open(io.BytesIO(picture(*telling(name)))).convert("RGB")
    strip = beside(panels(np.asarray(image))) or image
    strip.thumbnail(THUMBNAIL)
    buffer = io.BytesIO()
    strip.save(buffer, "webp", quality=85)
    return buffer.getvalue()


def panels(image: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.uint8]]:
    """Cut the pictures out of a figure, without titles and axes.

    They are where columns, and in these rows, are not mostly white.
    """
    drawn: npt.NDArray[np.bool_] = np.any(image < 250, axis=2)
    columns = [run for run in runs(drawn.mean(axis=0) > 0.4) if run.stop - run.start > PANEL]
    found = [image[longest(runs(drawn[:, run].mean(axis=1) > 0.4)), run] for run in columns]
    return [one[RIM:-RIM, RIM:-RIM] for one in found]


def runs(there: npt.NDArray[np.bool_]) -> list[slice]:
    """Return where a row of truth values is true."""
    ends = np.flatnonzero(np.diff(there, prepend=False, append=False)).reshape(-1, 2)
    return [slice(start, stop) for start, stop in ends]


def longest(found: Sequence[slice]) -> slice:
    """Return the longest run."""
    return max(found, key=lambda run: run.stop - run.start, default=slice(0))


def beside(pictures: Sequence[npt.NDArray[np.uint8]]) -> Image.Image | None:
    """Put pictures beside each other."""
    height = min(map(len, pictures), default=0)
    if height < PANEL:
        return None
    return Image.fromarray(np.hstack([one[:height] for one in pictures]))


def telling(name: str) -> tuple[Any, str]:
    """Return the output that stands for a notebook, and its MIME type."""
    tagged = [cell for cell in read(name) if "thumbnail" in cell["metadata"].get("tags", [])]
    for cells in (tagged, read(name)):
        for wanted in ("image/jpeg", "image/png"):
            for output in (output for cell in cells for output in cell.get("outputs", [])):
                if wanted in output.get("data", {}):
                    return output, wanted
    raise ValueError(f"{name}: expected a picture among the outputs")


def gallery() -> str:
    """Write notebooks/README.md with its table as cards, which come first."""
    text = (FOLDER / "README.md").read_text()
    rows = {row["name"]: row for row in ROW.finditer(text)}
    if list(rows) != notebook_names():
        raise ValueError(
            f"notebooks/README.md: expected a row for each of {notebook_names()}, got {list(rows)}"
        )
    table = re.search(r"^\| notebook \|.*?(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    if table is None:
        raise ValueError("notebooks/README.md: expected a table of the notebooks")
    title, rest = text.replace(table[0].rstrip(), "").split("\n", 1)
    cards = "\n".join(card(**row.groupdict()) for row in rows.values())
    return f'{title}\n\n<ul class="gallery">\n{cards}\n</ul>\n\n## How they are made\n{rest}'


def card(name: str, title: str, line: str) -> str:
    """Write one card."""
    chosen, kind = telling(name)
    alt = html.escape(chosen["metadata"].get(kind, {}).get("alt", ""))
    return (
        f'<li><a href="{name}.html"><img src="{name}/thumbnail.webp" alt="{alt}">'
        f"<strong>{html.escape(title)}</strong></a><p>{html.escape(line)}</p></li>"
    )
