"""A part of a result, as a client asks for it to go on where it was cut off (RFC 9110, section 14).

References
----------
.. [1] Fielding, Nottingham & Reschke, "HTTP Semantics", RFC 9110, 2022.
"""

import re
from typing import Final

from service.errors import RangeError

_SINGLE: Final = re.compile(
    r"bytes=[ \t]*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))[ \t]*", re.ASCII | re.IGNORECASE
)


def part_of(size: int, asked: str | None) -> tuple[int, int] | None:
    """Return where a part begins and ends, or None where the whole is to be given.

    Parameters
    ----------
    size : int
        Bytes that there are.
    asked : str, optional
        The header ``Range``. What is no single range of bytes is passed over, as the standard allows.

    Returns
    -------
    (int, int) or None
        The first byte, and the one after the last.

    Raises
    ------
    RangeError
        There are no such bytes.

    Examples
    --------
    >>> part_of(100, "bytes=10-19"), part_of(100, "bytes=-30"), part_of(100, "bytes=90-"), part_of(100, None)
    ((10, 20), (70, 100), (90, 100), None)
    """
    found = _SINGLE.fullmatch(asked or "")
    if found is None:
        return None
    first, last, length = found.groups()
    if length is not None:
        start, stop = max(size - int(length), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start == stop:
        raise RangeError(size)
    return start, stop
