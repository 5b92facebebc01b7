"""`facekit doctor` and `facekit demo`: what works here, and what it looks like."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from facekit.cli.base import BAD_INPUT, CODES, JsonOption, console, put_json, shown, working
from facekit.cli.proof import print_places, searches_table
from facekit.cli.serve import check_service_installed

if TYPE_CHECKING:
    from rich.console import Console

    from facekit.checkup import Report
    from facekit.demo import Demo
    from facekit.demo_service import ServiceDemo

__all__ = ["demo", "doctor"]

EXAMPLES = """
Examples:

  facekit samples --fetch && facekit demo

  facekit demo -o pictures

  facekit demo --service
"""

_LEFT = {
    "clean": "Nothing of the photo, of the result or of the account is left.",
    "found": "SOMETHING IS LEFT: the demonstration has failed.",
    "incomplete": "Nothing was found, but not all could be read. Only root can look into a waiting cell: "
    "root, or `unshare -r facekit demo --service`.",
}


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
    service: Annotated[
        bool, typer.Option("--service", help="Use a service from the first step to the last instead.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Swap two people into three templates, and lay the results out on a sheet.

    Earlier pictures of the demo in the folder are replaced. With --service, a service of its own is started,
    used and left again, and searched for what is left; the exit codes are those of `facekit proof`.
    """
    if service:
        _demo_service(out, as_json=as_json)
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


def _demo_service(out: Path, *, as_json: bool) -> NoReturn:
    check_service_installed()
    from facekit.demo_service import show_service

    screen = console(stderr=as_json)
    made = show_service(out, say=lambda line: screen.print(f"  {line}", markup=False))
    if as_json:
        reports = {**made.controls, **made.searches}
        searches = {name: {"state": report.state, **asdict(report)} for name, report in reports.items()}
        receipts = {"receipt": json.loads(made.receipt.to_json()), "cancelled": dict(made.cancelled)}
        put_json({"state": made.state, "picture": str(made.picture), "searches": searches, **receipts})
    else:
        _print_service(made, screen)
    raise typer.Exit(CODES[made.state])


def _print_service(made: "ServiceDemo", screen: "Console") -> None:
    rows = {f"control: {name}": report for name, report in made.controls.items()} | dict(made.searches)
    screen.print()
    screen.print(searches_table(rows))
    print_places(screen, list(made.searches.values()))
    screen.print(f"\nThe job's cell had these walls: {', '.join(made.receipt.walls)}. Its receipt says:")
    for row in made.receipt.erased:
        screen.print(f"  {row.at:%H:%M:%S.%f}"[:-3] + f"  {row.what.words}: {row.how.words}")
    screen.print(f"\n{_LEFT[made.state]} It took {made.seconds:.0f} s.")
    typer.echo(f"Look at {shown(made.picture)}. Next: facekit serve, and docs/service.md.")
