"""`facekit doctor` and `facekit demo`: what works here, and what it looks like."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facekit.cli.base import BAD_INPUT, JsonOption, console, put_json, shown, working

if TYPE_CHECKING:
    from facekit.checkup import Report
    from facekit.demo import Demo

__all__ = ["demo", "doctor"]

EXAMPLES = """
Examples:

  facekit samples --fetch && facekit demo

  facekit demo -o pictures
"""


def doctor(as_json: JsonOption = False) -> None:
    """Check libraries, models and caches, and say what to do about the rest."""
    from facekit.checkup import doctor as examine

    with working("Looking around"):
        report = examine()
    if as_json:
        put_json({"ok": report.ok, "checks": [asdict(check) for check in report.checks]})
    else:
        _print_report(report)
    if not report.ok:
        raise typer.Exit(BAD_INPUT)


def _print_report(report: "Report") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for check in report.checks:
        mark, style = ("✓", "green") if check.ok else ("✗", "red") if check.required else ("!", "yellow")
        found = Text(check.found)
        if not check.ok and check.advice:
            found.append(f"\n→ {check.advice}", style)
        table.add_row(Text(mark, style), Text(check.name, "bold"), found)
    screen = console()
    screen.print(table)
    screen.print(_verdict(report))


def _verdict(report: "Report") -> str:
    needed = sum(not check.ok and check.required for check in report.checks)
    wished = sum(not check.ok and not check.required for check in report.checks)
    if needed:
        return f"\n{needed} required thing{'s are' if needed != 1 else ' is'} missing: see ✗ above."
    return "\nEverything required works here." + (f" {wished} more can be had: see !." if wished else "")


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the pictures; made if missing.")
    ] = Path("out/demo"),
    as_json: JsonOption = False,
) -> None:
    """Swap two people into three templates, and lay the results out on a sheet.

    Earlier pictures of the demo in the folder are replaced.
    """
    from facekit.demo import make_demo

    with working("Swapping two people into three templates"):
        made = make_demo(out)
    if as_json:
        swaps = [
            {"person": s.person, "template": s.template, "output": str(s.path), "timings": dict(s.timings)}
            for s in made.swaps
        ]
        put_json({"sheet": str(made.sheet), "swaps": swaps})
    else:
        _print_demo(made)


def _print_demo(made: "Demo") -> None:
    from rich.table import Table

    stages = list(dict.fromkeys(stage for swap in made.swaps for stage in swap.timings))
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("Person")
    table.add_column("Template")
    for stage in (*stages, "total"):
        table.add_column(stage.capitalize(), justify="right")
    for swap in made.swaps:
        times = [swap.timings.get(stage, 0.0) for stage in stages]
        table.add_row(swap.person, swap.template, *(f"{1000 * t:.0f}" for t in (*times, sum(times))))
    screen = console()
    screen.print(table)
    screen.print("Milliseconds; the first picture waits for the network to load and the kernels to compile.")
    typer.echo(f"\nLook at {shown(made.sheet)} first; the single pictures lie beside it.")
    typer.echo("Next: facekit templates, then facekit swap YOUR_PHOTO --template NAME -o out.png")
