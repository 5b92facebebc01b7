"""`facekit seal`: an upload that only the process which works on the job can read."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from facekit.cli.base import CommandError, ForceOption, JsonOption, naming, put_json, shown, working
from facekit.cli.files import check_source, check_target, save_bytes

__all__ = ["SealJob", "seal"]

EXAMPLES = """
Examples:

  facekit seal me.jpg --job job.json -o me.sealed

  curl -T me.sealed -H "Content-Type: application/vnd.facekit.sealed" https://HOST/v1/jobs/ID/photo
"""

EXTENSIONS = frozenset({".sealed"})
READ_SIZE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SealJob:
    """What a service says of a job it has taken.

    Parameters
    ----------
    id : str
        The job's id.
    public_key : bytes
        What to seal to.
    """

    id: str
    public_key: bytes

    @classmethod
    def read(cls, path: Path) -> "SealJob":
        """Read the answer to ``POST /jobs``.

        Parameters
        ----------
        path : Path
            A JSON object with ``id`` and ``public_key``, the latter in base64; the rest is ignored.

        Returns
        -------
        SealJob
            The two.

        Raises
        ------
        CommandError
            The file holds something else.
        """
        try:
            document = json.loads(path.read_bytes())
            job, key = document["id"], base64.b64decode(document["public_key"], validate=True)
        except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
            job, key = None, b""
        if not isinstance(job, str) or not job:
            raise CommandError(f'{path}: expected the answer to POST /jobs, JSON with "id" and "public_key"')
        return cls(job, key)


def seal(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to send.", show_default=False)],
    job: Annotated[
        Path, typer.Option("--job", help="The service's answer to POST /jobs, as JSON.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to: a .sealed file.", show_default=False)],
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Seal an upload: only the process that works on this one job can open it.

    FILE may be as long as you like; it is read once and stays as it is. Its length shows in the
    envelope's.
    """
    check_source(file)
    check_source(job)
    check_target(out, known=EXTENSIONS, force=force, source=file)
    from facekit.envelope import seal_chunks

    given = SealJob.read(job)
    with naming(job):
        parts = seal_chunks(_read(file), given.public_key, job=given.id)
    with working("Sealing"):
        save_bytes(out, parts, force=force)
    if as_json:
        put_json({"job": given.id, "output": str(out)})
    else:
        typer.echo(f"{shown(out)}: sealed for job {shown(given.id)}")


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while part := file.read(READ_SIZE):
                yield part
    except OSError as error:
        raise CommandError(f"{path}: cannot be read ({error.strerror})") from error
