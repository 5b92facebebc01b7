"""The picture of who has given none: a pattern, drawn from the digest of the account's number."""

import hashlib
from typing import Final

_CELLS: Final = 5
_HALF: Final = (_CELLS + 1) // 2


def pattern(account_id: str) -> str:
    """Draw squares, the same on the left as on the right, in one colour.

    >>> pattern("a") == pattern("a") != pattern("b")
    True
    """
    digest = hashlib.sha256(f"pattern:{account_id}".encode()).digest()
    hue = int.from_bytes(digest[:2]) % 360
    filled = [
        (column, row)
        for row in range(_CELLS)
        for column in range(_CELLS)
        if digest[2 + row * _HALF + min(column, _CELLS - 1 - column)] % 2
    ]
    squares = "".join(f"M{column} {row}h1v1h-1z" for column, row in filled)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {_CELLS + 2} {_CELLS + 2}">'
        f'<path fill="hsl({hue} 30% 92%)" d="M-1 -1h{_CELLS + 2}v{_CELLS + 2}h-{_CELLS + 2}z"/>'
        f'<path fill="hsl({hue} 45% 45%)" d="{squares}"/></svg>'
    )
