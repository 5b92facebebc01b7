"""`facekit gender`, `age`, `anime`, `avatar`, `caricature`; and `facekit effects`, which lists them.

Each command's options are made from the catalogue, so that the two cannot differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from inspect import Parameter as Argument
from inspect import Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facekit.cli.base import (
    BatchOption,
    ForceOption,
    FormatOption,
    JsonOption,
    OutOption,
    WorkersOption,
    naming,
    put_json,
    shown,
    working,
)
from facekit.cli.batch import run_folder
from facekit.cli.files import check_mode, check_source, check_target, save_bytes, save_image, tell_picture
from facekit.cli.lists import show_rows
from facekit.effects import EFFECTS, Effect, Parameter

if TYPE_CHECKING:
    from facekit.values import EffectResult, Image

__all__ = ["EffectJob", "command_of", "effects", "examples_of"]

DRAWING = ".svg"  # what only an avatar can be written as
CHOSEN = {"gender": "--toward female", "age": "--years 30", "anime": "--style ink", "avatar": "--size 1024"}
PhotoArgument = Annotated[Path | None, typer.Argument(metavar="PHOTO", help="The photo.", show_default=False)]
USUAL: tuple[tuple[str, Any, Any], ...] = (("out", OutOption, Argument.empty), ("photo", PhotoArgument, None))
MANY: tuple[tuple[str, Any, Any], ...] = (
    ("batch", BatchOption, None),
    ("workers", WorkersOption, None),
    ("form", FormatOption, None),
    ("force", ForceOption, False),
    ("as_json", JsonOption, False),
)


@dataclass(frozen=True, slots=True)
class EffectJob:
    """An effect with everything chosen but the photo; small, so that it can go to another process.

    Parameters
    ----------
    name : str
        Of the catalogue.
    options : tuple of (str, object)
        Its parameters.
    """

    name: str
    options: tuple[tuple[str, Any], ...] = ()

    def __call__(self, source: Path, target: Path, force: bool) -> None:
        """Do the effect on `source` and write `target`."""
        if target.suffix.lower() == DRAWING:
            save_bytes(target, self.draw(source), force=force)
        else:
            save_image(target, self.make(source).image, force=force)

    def make(self, source: Path) -> "EffectResult":
        """Do the effect on `source`."""
        with naming(source):
            return EFFECTS[self.name].apply(_read(source), dict(self.options))

    def draw(self, source: Path) -> bytes:
        """Draw the avatar of `source` as SVG."""
        from facekit.effects.avatar import draw_avatar

        with naming(source):
            return draw_avatar(_read(source), **dict(self.options)).svg.encode()


def command_of(effect: Effect) -> Callable[..., None]:
    """Make an effect's command.

    Parameters
    ----------
    effect : Effect
        Of the catalogue.

    Returns
    -------
    function
        For typer, which reads its signature.
    """

    def command(
        out: Path,
        photo: Path | None,
        batch: Path | None,
        workers: int | None,
        form: str | None,
        force: bool,
        as_json: bool,
        **options: Any,
    ) -> None:
        check_mode(photo, batch, workers=workers, format=form)
        known = _writable(effect)
        job = EffectJob(effect.name, tuple((name, _plain(value)) for name, value in options.items()))
        if batch is not None:
            run_folder(
                job,
                batch,
                out,
                form=form or "png",
                known=known,
                force=force,
                workers=workers,
                as_json=as_json,
            )
        elif photo is not None:
            check_target(out, known=known, force=force, source=photo)
            check_source(photo)
            with working(f"Doing {effect.name}"):
                _do(job, photo, out, force=force, as_json=as_json)

    given = [(one.name, _option(one), one.default) for one in effect.parameters]
    command.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Argument(name, Argument.KEYWORD_ONLY, annotation=kind, default=default)
            for name, kind, default in (*USUAL, *given, *MANY)
        ]
    )
    command.__annotations__ = {name: kind for name, kind, _ in (*USUAL, *given, *MANY)}
    command.__doc__ = effect.words
    return command


def examples_of(effect: Effect) -> str:
    """Return the examples that end an effect's help.

    Parameters
    ----------
    effect : Effect
        Of the catalogue.

    Returns
    -------
    str
        In Markdown.
    """
    chosen = f" {CHOSEN[effect.name]}" if effect.name in CHOSEN else ""
    drawn = f"\n  facekit {effect.name} me.jpg -o out.svg\n" if effect.name == "avatar" else ""
    return (
        f"\nExamples:\n\n  facekit {effect.name} me.jpg -o out.png\n{drawn}"
        f"\n  facekit {effect.name} me.jpg{chosen} -o out.jpg\n"
        f"\n  facekit {effect.name} --batch photos -o results --workers 2\n"
    )


def effects(as_json: JsonOption = False) -> None:
    """List the effects on one picture, and what can be chosen of each."""
    rows = [
        {"effect": one.name, "option": option.name, "takes": _takes(option), "default": option.default,
         "what": option.words}
        for one in EFFECTS.values()
        for option in one.parameters
    ]  # fmt: skip
    if as_json:
        put_json({"effects": [{"name": one.name, "words": one.words, "options": [
            {name: value for name, value in row.items() if name != "effect"}
            for row in rows if row["effect"] == one.name
        ]} for one in EFFECTS.values()]})  # fmt: skip
        return
    for one in EFFECTS.values():
        typer.echo(f"{one.name}: {one.words}")
    typer.echo()
    show_rows(rows)


def _do(job: EffectJob, photo: Path, out: Path, *, force: bool, as_json: bool) -> None:
    if out.suffix.lower() == DRAWING:
        drawn = job.draw(photo)
        save_bytes(out, drawn, force=force)
        said = f"{shown(out)}: {len(drawn)} bytes"
        put_json({"output": str(out), "bytes": len(drawn)}) if as_json else typer.echo(said)
        return
    result = job.make(photo)
    save_image(out, result.image, force=force)
    tell_picture(result, out, as_json=as_json)


def _read(source: Path) -> "Image":
    from facekit.codec import read_image

    return read_image(source)


def _writable(effect: Effect) -> set[str]:
    from facekit.codec import WRITABLE

    return {*WRITABLE, DRAWING} if effect.name == "avatar" else {*WRITABLE}


def _option(parameter: Parameter) -> Any:
    """Return the type and the option that typer makes of a parameter."""
    if parameter.kind == "choice":
        choices = StrEnum(parameter.name, {one.upper(): one for one in parameter.choices})  # type: ignore[misc]
        return Annotated[choices, typer.Option(help=parameter.words)]
    kind = int if parameter.kind == "whole" else float
    least, most = kind(parameter.least), kind(parameter.most)
    return Annotated[kind, typer.Option(min=least, max=most, help=parameter.words)]


def _plain(value: Any) -> Any:
    """Return a choice as the word that it is."""
    return value.value if isinstance(value, StrEnum) else value


def _takes(parameter: Parameter) -> str:
    if parameter.kind == "choice":
        return ", ".join(parameter.choices)
    return f"{parameter.least:g} to {parameter.most:g}"
