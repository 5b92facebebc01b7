"""`facekit receipt`: what was erased of a job, and whether that was said by whom it seems."""

import base64
import binascii
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facekit.cli.base import WRONG_USAGE, CommandError, JsonOption, naming, put_json, shown
from facekit.cli.files import check_source

if TYPE_CHECKING:
    from facekit.receipts import ErasureReceipt

__all__ = ["receipt"]

EXAMPLES = """
Examples:

  curl https://HOST/v1/jobs/ID/receipt -o receipt.json

  facekit receipt receipt.json --key operator.pub
"""

KEY_SIZE = 32
LARGEST = 64 * 1024  # of what is read of a file; a receipt and a key are far smaller


def receipt(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The receipt, as it came.", show_default=False)
    ],
    key: Annotated[
        str,
        typer.Option(
            "--key",
            metavar="FILE|BASE64",
            help="The operator's public key, got on another way than the receipt.",
            show_default=False,
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Check an erasure receipt, and say what was erased, how, and what nobody can promise.

    Leaves with 0 where the signature holds, and with 3 where it does not.
    """
    check_source(file)
    from facekit.receipts import verify_receipt

    public_key = _read_key(key)
    with naming(file):
        found = verify_receipt(_read(file).rstrip(b"\r\n"), public_key)
    if as_json:
        put_json({"holds": True, "receipt": json.loads(found.to_json())})
    else:
        typer.echo("\n".join(_lines(found)))


def _lines(found: "ErasureReceipt") -> list[str]:
    """Tell a receipt in plain words."""
    keys = {"client": "to the client's key", "job": "to a key of this job in memory", "none": "to none"}
    return [
        f"The signature holds: key {found.signer}.",
        f"Job {found.job}, {found.outcome}; receipt of {_at(found.issued)}, policy {found.policy}.",
        f"The upload came {found.upload}; the result was sealed {keys[found.result_key]}.",
        "",
        "Erased, and looked for:",
        *(f"  {_at(row.at)}  {row.what.words}: {row.how.words}" for row in found.erased),
        *(["  nothing: there was nothing to erase"] if not found.erased else []),
        "",
        f"Walls in force: {', '.join(found.walls) or 'none'}.",
        "",
        "What nobody can promise:",
        *(f"  {limit}" for limit in found.limits),
    ]


def _at(moment: object) -> str:
    return str(moment).removesuffix("+00:00")[:23] + " UTC"


def _read_key(given: str) -> bytes:
    """Take a key from a file, 32 bytes or base64, or from the option itself."""
    path = Path(given)
    text = _read(path) if _is_file(path) else given.encode("utf-8", "replace")
    if len(text) == KEY_SIZE and _is_file(path):
        return text
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_SIZE:
        raise CommandError(
            f"--key {shown(given)}: expected a file with a public key, or {KEY_SIZE} bytes in base64",
            code=WRONG_USAGE,
        )
    return key


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST)
    except OSError as error:
        raise CommandError(f"{path}: cannot be read ({error.strerror})") from error
