"""What every command shares: exit codes, one-line errors, JSON, and signs of life on a terminal."""

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from facekit.errors import FacekitError
from facekit.telling import shown

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "BAD_INPUT",
    "CODES",
    "DEFECT",
    "INCOMPLETE",
    "RESIDUE",
    "WRONG_USAGE",
    "BatchOption",
    "CommandError",
    "ForceOption",
    "FormatOption",
    "Group",
    "JsonOption",
    "OutOption",
    "WorkersOption",
    "console",
    "explain",
    "leave",
    "naming",
    "put_json",
    "show_trace",
    "shown",
    "working",
]

DEFECT, WRONG_USAGE, BAD_INPUT, INTERRUPTED, PIPE_CLOSED = 1, 2, 3, 130, 141
RESIDUE, INCOMPLETE = 4, 5  # what a search found: something; nothing, but it could not read all
CODES = {"clean": 0, "found": RESIDUE, "incomplete": INCOMPLETE}


class CommandError(Exception):
    """The command stops with one line for the user.

    Parameters
    ----------
    line : str
        What is wrong and what to do.
    code : int
        The exit code.
    kind : str
        The error's name for machines.
    """

    def __init__(self, line: str, *, code: int = BAD_INPUT, kind: str = "") -> None:
        super().__init__(line)
        self.code = code
        self.kind = kind or ("usage" if code == WRONG_USAGE else "input")


def explain(error: BaseException) -> CommandError:
    """Turn any exception into the line and the exit code that the user sees."""
    kind = type(error).__name__
    if isinstance(error, CommandError):
        return error
    if isinstance(error, FacekitError):
        return CommandError(str(error), kind=kind)
    if isinstance(error, MemoryError):
        return CommandError("not enough memory; try a smaller picture", kind=kind)
    if isinstance(error, OSError) or (isinstance(error, ImportError) and not _is_ours(error)):
        return CommandError(f"{error}; `facekit doctor` says what this machine lacks", kind=kind)
    line = f"{kind}: this is a defect in facekit; set FACEKIT_DEBUG=1 to see where it happened"
    return CommandError(line, code=DEFECT, kind=kind)


def show_trace(error: BaseException) -> None:
    """Print where an error came from, if FACEKIT_DEBUG asks: lines of code, never the values of variables."""
    if os.environ.get("FACEKIT_DEBUG"):
        # Clause 1.3.2(3): a traceback that captures locals would print pixels.
        traceback.print_exception(error)


def _is_ours(error: ImportError) -> bool:
    return (error.name or "").startswith("facekit")


@contextmanager
def naming(named: object) -> Iterator[None]:
    """Put the user's own file name, which no exception of facekit holds, in front of the line."""
    try:
        yield
    except (FacekitError, MemoryError) as error:
        plain = explain(error)
        raise CommandError(f"{named}: {plain}", code=plain.code, kind=plain.kind) from error


class Group(TyperGroup):
    """The commands, with every way to end mapped to its exit code."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the chosen command."""
        before = _on_terminate(leave)
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _drop_stdout()
            raise typer.Exit(PIPE_CLOSED) from None
        except Exception as error:
            if isinstance(error, typer.Exit | typer.Abort) or hasattr(error, "format_message"):
                raise  # typer's own: it knows how to show them
            _fail(error, as_json=bool(ctx.meta.get("facekit.json")))
        else:
            return result
        finally:
            _on_terminate(before)


def _on_terminate(handler: Any) -> Any:
    try:
        return signal.signal(signal.SIGTERM, handler or signal.SIG_DFL)
    except ValueError:  # not the main thread
        return None


def leave(number: int, _frame: FrameType | None) -> NoReturn:
    """Handle a signal by an exception, so every `finally` on the way removes what is half-written."""
    raise SystemExit(128 + number)


def _drop_stdout() -> None:
    # Python flushes stdout once more at exit, and would complain there.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(error: Exception, *, as_json: bool) -> NoReturn:
    show_trace(error)
    plain = explain(error)
    if as_json:
        put_json({"error": {"kind": plain.kind, "message": str(plain)}})
    typer.echo(f"facekit: {shown(plain)}", err=True)
    raise typer.Exit(plain.code) from None


def put_json(document: Mapping[str, object]) -> None:
    """Write the one JSON document of this run to standard output."""
    typer.echo(json.dumps(document, indent=2))


def console(*, stderr: bool = False) -> "Console":
    """Return a console that wraps nothing away when its output is not a terminal."""
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False)
    return found if found.is_terminal else Console(stderr=stderr, highlight=False, width=120)


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show on a terminal that something is going on."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield
        return
    with screen.status(text):
        yield


def _remember_json(ctx: typer.Context, value: bool) -> bool:
    ctx.meta["facekit.json"] = value
    return value


JsonOption = Annotated[
    bool,
    typer.Option("--json", callback=_remember_json, help="Print one JSON document instead of text."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite what is already there.")]
OutOption = Annotated[
    Path, typer.Option("--out", "-o", help="Where the result goes; with --batch, a folder.")
]
BatchOption = Annotated[Path | None, typer.Option(help="Take every picture of this folder instead.")]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Processes for --batch.")]
FormatOption = Annotated[str | None, typer.Option("--format", help="Extension for --batch: png, jpg ...")]
