"""What one process tells another, or a terminal: errors as JSON and back, text on one harmless line."""

import json
from collections.abc import Mapping
from typing import Any, Final

from facekit import errors
from facekit.errors import CellCrashedError, FacekitError

__all__ = ["rebuilt", "shown", "told"]

_LONGEST: Final = 300  # characters of an error's message that may cross a wall


def shown(text: object) -> str:
    r"""Return `text` as one printable line, so a file name cannot steer the terminal.

    Parameters
    ----------
    text : object
        What `str` makes text of.

    Returns
    -------
    str
        With what cannot be printed as Python writes it.

    Examples
    --------
    >>> shown("two\nlines \x1b[31m")
    'two\\nlines \\x1b[31m'
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in str(text)
    )


def told(error: FacekitError) -> dict[str, str]:
    """Put an error into what JSON can hold.

    Parameters
    ----------
    error : FacekitError
        Any.

    Returns
    -------
    dict
        For `rebuilt`.

    Examples
    --------
    >>> told(errors.NoFaceError("no face was found"))
    {'kind': 'NoFaceError', 'message': 'no face was found'}
    """
    return {"kind": type(error).__name__, "message": str(error)}


def rebuilt(message: Mapping[str, Any] | bytes | bytearray) -> FacekitError:
    """Make an error again that another process has told.

    Parameters
    ----------
    message : mapping, or bytes of JSON
        From `told`. Whatever a cell that was taken over sends, what comes out is an error of facekit's
        with one short line.

    Returns
    -------
    FacekitError
        To be raised.

    Examples
    --------
    >>> rebuilt(b'{"kind": "NoFaceError", "message": "no face was found"}')
    NoFaceError('no face was found')
    >>> rebuilt(b"[" * 10_000)
    CellCrashedError("the job's process did not say why it ended")
    """
    if isinstance(message, bytes | bytearray):
        try:
            message = json.loads(message)
        except (ValueError, RecursionError):
            message = {}
    if not isinstance(message, dict):
        message = {}
    kind: Any = getattr(errors, str(message.get("kind")), None)
    if not isinstance(kind, type) or not issubclass(kind, FacekitError):
        kind = CellCrashedError
    kind = next(one for one in kind.__mro__ if "__init__" not in vars(one))  # not those that count triangles
    line = "".join(c for c in str(message.get("message", "")) if c.isprintable())[:_LONGEST]
    found: FacekitError = kind(line or "the job's process did not say why it ended")
    return found
