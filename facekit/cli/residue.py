"""`facekit residue`: looks for a picture's bytes in folders, databases and the memory of processes."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facekit.cli.base import (
    CODES,
    DEFECT,
    WRONG_USAGE,
    CommandError,
    JsonOption,
    explain,
    put_json,
    working,
)
from facekit.errors import ControlError, FacekitError

if TYPE_CHECKING:
    from facekit.canaries import Canaries
    from facekit.residue import ResidueReport

__all__ = ["residue"]

EXAMPLES = """
Exit codes: 0 nothing is left; 4 something was found; 5 nothing was found, but something could not
be read.

Examples:

  facekit residue --pattern me.jpg

  facekit residue --pattern me.jpg --pattern result.png --folder /srv/facekit --pid 4711 --no-usual
"""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What a `CommandError` says, for the way between processes."""

    line: str
    code: int
    kind: str


def residue(
    pattern: Annotated[
        list[Path],
        typer.Option("--pattern", metavar="FILE", help="A picture to look for; as often as you like."),
    ],
    folder: Annotated[
        list[Path] | None, typer.Option("--folder", metavar="DIR", help="A folder or file to search.")
    ] = None,
    pid: Annotated[list[int] | None, typer.Option("--pid", min=1, help="A process to search.")] = None,
    usual: Annotated[
        bool, typer.Option(help="Also temporary folders, caches, the swap and crash dumps.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Look for pictures where nothing of them should be left.

    Each FILE is looked for as it is and, if it is a picture, by its pixels. It is itself left out, by
    device and inode, but copies of it are not. Before the search, random secrets are planted in each
    folder that can be written and in other places; they must be found, and are removed.
    """
    for source in pattern:
        if not source.is_file():
            raise CommandError(f"{source}: expected a file to look for")
    for place in folder or ():
        if not place.exists():
            raise CommandError(f"{place}: no such folder")
    from facekit.residue import find_residue

    with working("Searching"):
        canaries = _canaries(pattern)
        try:
            report = find_residue(
                canaries, folders=folder or (), processes=pid or (), usual=usual, exclude=pattern
            )
        except ControlError as error:
            raise CommandError(str(error), code=DEFECT, kind="ControlError") from error
    if as_json:
        put_json(_document(report))
    else:
        typer.echo(str(report))
    raise typer.Exit(CODES[report.state])


def _canaries(patterns: list[Path]) -> "Canaries":
    """Choose what to look for in a process of its own, so that this one never holds a picture."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        made = list(pool.map(_hidden, patterns))
    found = None
    for one in made:
        if isinstance(one, _Refusal):
            raise CommandError(one.line, code=one.code, kind=one.kind)
        found = one if found is None else found + one
    if found is None:
        raise CommandError("give a picture to look for by --pattern", code=WRONG_USAGE)
    return found


def _hidden(path: Path) -> "Canaries | _Refusal":
    from facekit.canaries import canaries_of
    from facekit.codec import decode_image
    from facekit.errors import DecodeError

    try:
        data = path.read_bytes()
        try:
            pixels = decode_image(data)
        except DecodeError:  # some other file
            pixels = None
        return canaries_of(upload=data, pixels=pixels)
    except (FacekitError, OSError) as error:
        plain = explain(error)
        return _Refusal(f"{path}: {plain}", plain.code, plain.kind)


def _document(report: "ResidueReport") -> dict[str, object]:
    return {"state": report.state, **asdict(report)}
