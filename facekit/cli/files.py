"""Where output goes: checked before the work, written whole or not at all."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from facekit.cli.base import WRONG_USAGE, CommandError, naming, put_json, shown

if TYPE_CHECKING:
    from facekit.values import EffectResult, Image

__all__ = [
    "check_extension",
    "check_mode",
    "check_source",
    "check_target",
    "save_bytes",
    "save_image",
    "tell_picture",
]


def check_mode(photo: Path | None, batch: Path | None, **only_batch: object) -> None:
    """Refuse anything but one photo or one folder, and options of a folder without one.

    Raises
    ------
    CommandError
        As said.
    """
    if (photo is None) == (batch is None):
        raise CommandError("give either one PHOTO or --batch FOLDER; see --help", code=WRONG_USAGE)
    for name, value in only_batch.items():
        if batch is None and value is not None:
            raise CommandError(f"--{name} goes with --batch only", code=WRONG_USAGE)


def check_source(source: Path) -> None:
    """Refuse a source that is not there.

    Raises
    ------
    CommandError
        It is missing, or a folder.
    """
    if source.is_dir():
        raise CommandError(f"{source}: this is a folder; use --batch for all pictures in it")
    if not source.exists():
        raise CommandError(f"{source}: no such file")


def check_extension(target: Path, *, known: Collection[str]) -> None:
    """Refuse an extension that cannot be written.

    Raises
    ------
    CommandError
        With the list of those that can.
    """
    if target.suffix.lower() not in known:
        got = f"cannot write {target.suffix}" if target.suffix else "the name needs an extension"
        raise CommandError(f"{target}: {got}; known are {', '.join(sorted(known))}", code=WRONG_USAGE)


def check_target(target: Path, *, known: Collection[str], force: bool, source: Path | None = None) -> None:
    """Refuse a target that cannot or must not be written.

    Parameters
    ----------
    target : Path
        Where the result shall go.
    known : collection of str
        Extensions that can be written, with their dot.
    force : bool
        Whether an existing file may be replaced.
    source : Path, optional
        What is read; it is never written to.

    Raises
    ------
    CommandError
        Unknown extension, no such folder, already there, or the source itself.
    """
    check_extension(target, known=known)
    if not target.parent.is_dir():
        raise CommandError(f"{target.parent}: no such folder; make it first")
    if source is not None and target.exists() and source.exists() and target.samefile(source):
        raise CommandError(f"{target}: this is the input; choose another name", code=WRONG_USAGE)
    _check_free(target, force=force)


def _check_free(target: Path, *, force: bool) -> None:
    # Devices and folders stay, forced or not: replacing /dev/null would break the machine.
    if target.exists() and not target.is_file():
        raise CommandError(f"{target}: not an ordinary file; choose another name")
    if target.exists() and not force:
        raise CommandError(f"{target}: already there; use --force to overwrite it")


def save_bytes(target: Path, data: bytes | Iterable[bytes], *, force: bool) -> None:
    """Write `data` to `target` whole or not at all.

    Parameters
    ----------
    target : Path
        Where to write; its folder exists.
    data : bytes or iterable of bytes
        The whole content, at once or in parts.
    force : bool
        Whether a file that appeared meanwhile may be replaced.

    Raises
    ------
    CommandError
        `target` is there and `force` is off, or the disk refuses.
    """
    from facekit.files import save_whole

    target = target.resolve()
    _check_free(target, force=force)
    try:
        save_whole(target, data, force=force)
    except FileExistsError:
        raise CommandError(f"{target}: already there; use --force to overwrite it") from None
    except OSError as error:
        raise CommandError(f"{target}: cannot be written ({error.strerror})") from error


def save_image(target: Path, image: "Image", *, force: bool) -> None:
    """Write a picture as `save_bytes` does, in the format that the extension names.

    Raises
    ------
    CommandError
        As `save_bytes`.
    """
    from facekit.codec import encode_image, format_for

    with naming(target):
        save_bytes(target, encode_image(image, format_for(target)), force=force)


def tell_picture(result: "EffectResult", out: Path, *, as_json: bool) -> None:
    """Say where a result was written, how large it is, and how long it took.

    Parameters
    ----------
    result : EffectResult
        What was written.
    out : Path
        Where.
    as_json : bool
        Whether as one JSON document.
    """
    height, width = result.image.shape[:2]
    if as_json:
        put_json({"output": str(out), "width": width, "height": height, "timings": dict(result.timings)})
    else:
        typer.echo(f"{shown(out)}: {width} x {height} pixels, {sum(result.timings.values()):.2f} s")
