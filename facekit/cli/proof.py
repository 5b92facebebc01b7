"""`facekit proof`: one job from end to end, and a search that finds nothing of it."""

import json
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facekit.cli.base import CODES, JsonOption, console, naming, put_json
from facekit.cli.files import check_source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

    from facekit.proof import Proof
    from facekit.residue import ResidueReport

__all__ = ["print_places", "proof", "searches_table"]

EXAMPLES = """
Exit codes: 0 nothing was left; 4 something was found; 5 something could not be read.

Examples:

  facekit proof                 # with a face that nobody has

  facekit proof me.jpg --usual  # with your own, and a search of all places where programs leave things
"""

_CONTROL = "control: the client, who has the photo"
_SHOWN = 10  # places that could not be read
_WORDS = {
    "clean": "Nothing of the photo or of the result is left.",
    "found": "SOMETHING IS LEFT: the proof does not hold.",
    "incomplete": "Nothing was found, but not all could be read. Only root can look into a waiting cell: "
    "root, or `unshare -r facekit proof`.",
}


def proof(
    photo: Annotated[
        Path | None, typer.Argument(metavar="[PHOTO]", help="A photo of a face.", show_default=False)
    ] = None,
    usual: Annotated[
        bool, typer.Option("--usual", help="Search all usual places, too; may take minutes.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Do a job from end to end, then search disks and memory for what is left of it.

    A service of its own, in other processes, does the swap. Nothing it says is believed.
    """
    if photo is not None:
        check_source(photo)
    from facekit.proof import prove

    screen = console(stderr=as_json)
    with naming(photo) if photo else nullcontext():
        made = prove(
            photo.read_bytes() if photo else None,
            usual=usual,
            exclude=[photo] if photo else [],
            say=lambda line: screen.print(f"  {line}", markup=False),
        )
    if as_json:
        put_json(_document(made))
    else:
        _print(made, screen)
    raise typer.Exit(CODES[made.state])


def _document(made: "Proof") -> dict[str, object]:
    searches = {moment: {"state": report.state, **asdict(report)} for moment, report in made.searches.items()}
    receipt = json.loads(made.receipt.to_json())
    return {"state": made.state, "seconds": made.seconds, "searches": searches, "receipt": receipt}


def _print(made: "Proof", screen: "Console") -> None:
    rows = {_CONTROL if moment == "control" else moment: one for moment, one in made.searches.items()}
    screen.print()
    screen.print(searches_table(rows))
    first, *others = made.searches.values()
    screen.print(
        f"\nBefore each search, random secrets were planted and found in {', '.join(first.control)}."
    )
    print_places(screen, others)
    walls = ", ".join(made.receipt.walls)
    screen.print(f"The job's cell had these walls: {walls}. Its receipt says:")
    for row in made.receipt.erased:
        screen.print(f"  {row.at:%H:%M:%S.%f}"[:-3] + f"  {row.what.words}: {row.how.words}")
    screen.print(f"\n{_WORDS[made.state]} It took {made.seconds:.0f} s.")


def searches_table(searches: "Mapping[str, ResidueReport]") -> "Table":
    """Lay out searches as a table, by what stands before each."""
    from rich.table import Table

    from facekit.residue import size

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("Searched")
    for title in ("Files", "Bytes", "Processes", "Memory", "Found"):
        table.add_column(title, justify="right")
    for name, report in searches.items():
        seen = report.searched
        sizes = (size(seen.bytes + seen.bytes_unpacked), size(seen.bytes_of_memory))
        found = sum(hit.count for hit in report.hits)
        table.add_row(name, f"{seen.files:,}", sizes[0], f"{seen.processes:,}", sizes[1], f"{found:,}")
    return table


def print_places(screen: "Console", reports: "Sequence[ResidueReport]") -> None:
    """Print where something was found that should not be there, and what could not be read."""
    for hit in dict.fromkeys(hit for report in reports for hit in report.hits):
        screen.print(f"FOUND {hit.place}: {hit.kind} as {hit.form}", markup=False)
    unread = list(dict.fromkeys(one for report in reports for one in report.unread))
    for one in unread[:_SHOWN]:
        screen.print(f"not read: {one.place} ({one.why})", markup=False)
    if len(unread) > _SHOWN:
        screen.print(f"and {len(unread) - _SHOWN:,} more; --json lists them all")
