"""The command `facekit`.

Exit codes: 0 done; 1 a defect; 2 wrong usage; 3 bad input, with one line on standard error that
says what to do; 130 interrupted. `facekit residue` and `facekit proof` also end with 4, something was
found, and 5, nothing was found but not everything could be read. Nothing half-written is left behind.
Libraries load when a command needs them, so help and completion are quick.
"""

from typing import Annotated

import typer

from facekit import __version__
from facekit.cli import (
    effects,
    landmarks,
    lists,
    opening,
    proof,
    receipt,
    reports,
    residue,
    seal,
    serve,
    swap,
)
from facekit.cli.base import Group
from facekit.effects import EFFECTS

__all__ = ["app"]

app = typer.Typer(
    name="facekit",
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"facekit {__version__}")
        raise typer.Exit


@app.callback(epilog="Start with `facekit doctor`, then `facekit demo`.")
def _facekit(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Faces into templates, by mathematics that can be read."""


app.command(epilog=swap.EXAMPLES)(swap.swap)
for _effect in EFFECTS.values():
    app.command(_effect.name, epilog=effects.examples_of(_effect))(effects.command_of(_effect))
app.command(epilog=landmarks.EXAMPLES)(landmarks.landmarks)
app.command(epilog=seal.EXAMPLES)(seal.seal)
app.command(epilog=opening.KEY_EXAMPLES)(opening.key)
app.command("open", epilog=opening.OPEN_EXAMPLES)(opening.open_result)
app.command(epilog=receipt.EXAMPLES)(receipt.receipt)
app.command(epilog=residue.EXAMPLES)(residue.residue)
app.command(epilog=proof.EXAMPLES)(proof.proof)
app.command(epilog=serve.EXAMPLES)(serve.serve)
app.command()(effects.effects)
app.command()(lists.templates)
app.command()(lists.samples)
app.command()(lists.models)
app.command()(reports.doctor)
app.command(epilog=reports.EXAMPLES)(reports.demo)
