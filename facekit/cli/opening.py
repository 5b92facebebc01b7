"""`facekit key` and `facekit open`: a result that nobody but who asked for it can read."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from facekit.cli.base import CommandError, ForceOption, JsonOption, naming, put_json, shown
from facekit.cli.files import check_source, check_target, save_bytes
from facekit.cli.seal import SealJob

__all__ = ["key", "open_result"]

KEY_EXAMPLES = """
Examples:

  facekit key result.key      # prints what goes into POST /jobs as "result_key"

  facekit open result.sealed --job job.json --key result.key -o out.png
"""
OPEN_EXAMPLES = """
Examples:

  curl https://HOST/v1/jobs/ID/result -o result.sealed

  facekit open result.sealed --job job.json --key result.key -o out.png
"""


def key(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write the private half.", show_default=False)
    ],
    as_json: JsonOption = False,
) -> None:
    """Make a key pair for the result of one job, and print its public half.

    FILE is for you alone to read. `facekit open` overwrites and removes it, so make one for each job.
    """
    from facekit.keyfiles import make_key_file

    try:
        public = b64encode(make_key_file(file)).decode()
    except FileExistsError:
        raise CommandError(f"{file}: already there; a key is for one job, so make another") from None
    except OSError as error:
        raise CommandError(f"{file}: cannot be written ({error.strerror})") from error
    if as_json:
        put_json({"public_key": public, "file": str(file)})
    else:
        typer.echo(public)


def open_result(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The result, as it came.", show_default=False)],
    job: Annotated[
        Path, typer.Option("--job", help="The service's answer to POST /jobs, as JSON.", show_default=False)
    ],
    key: Annotated[Path, typer.Option("--key", help="From `facekit key`.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="The picture.", show_default=False)],
    keep_key: Annotated[bool, typer.Option("--keep-key", help="Do not remove the key.")] = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Open a result that came sealed, then overwrite and remove its key."""
    for source in (file, job, key):
        check_source(source)
    from facekit.codec import WRITABLE

    check_target(out, known=WRITABLE, force=force, source=file)
    from facekit.envelope import open_sealed
    from facekit.keyfiles import erase_key_file, read_key_file

    given = SealJob.read(job)
    with _reading(key):
        keys = read_key_file(key)
    with keys, naming(file), _reading(file):
        picture = open_sealed(file.read_bytes(), keys, job=given.id, direction="result")
    save_bytes(out, bytes(picture), force=force)
    if not keep_key:
        with _reading(key):
            erase_key_file(key)
    if as_json:
        put_json({"job": given.id, "output": str(out), "key_removed": not keep_key})
    else:
        gone = "" if keep_key else f"; {shown(key)} has been overwritten and removed"
        typer.echo(f"{shown(out)}: the result of job {shown(given.id)}{gone}")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Name the file that an error is about."""
    try:
        with naming(path):
            yield
    except OSError as error:
        raise CommandError(f"{path}: cannot be read ({error.strerror})") from error
