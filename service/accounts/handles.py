"""Handles: public names, random until chosen, and never derived from a phone number."""

import re
import secrets
import unicodedata
from typing import Final

from service.errors import RefusedError

_FIRST: Final = (
    "quiet brave amber early gentle lucky merry noble rapid silver sunny tidy vivid warm wise young"
)
_SECOND: Final = (
    "otter heron maple comet ember finch grove lark meadow orchid pebble raven tide willow wren fox"
)

_FORM: Final = re.compile(r"(?=.{3,30}$)[^\W\d_][^\W_]*(?:[-_.][^\W_]+)*")
_ASCII_LETTER: Final = re.compile("[A-Za-z]")
_RUN: Final = 4
#: Nobody speaks for those who run the service.
RESERVED: Final = frozenset(
    ("admin", "administrator", "facekit", "moderator", "operator", "root", "support", "system")
)


def random_handle() -> str:
    """Return a handle of two words and eight digits, 34 bits of chance.

    >>> first, second, digits = random_handle().split("-")
    >>> len(digits)
    8
    """
    return f"{secrets.choice(_FIRST.split())}-{secrets.choice(_SECOND.split())}-{secrets.randbelow(10**8):08}"


def tidy(handle: str) -> str:
    """Return a handle as it is shown and compared; raises RefusedError.

    >>> tidy("Ｑuiet-Otter")
    'Quiet-Otter'
    """
    shown = unicodedata.normalize("NFKC", handle)
    if not _FORM.fullmatch(shown):
        raise RefusedError("handle: 3 to 30 letters, digits and single - _ . between them, a letter first")
    # Letters of several scripts look alike.
    if not shown.isascii() and _ASCII_LETTER.search(shown):
        raise RefusedError("handle: letters of one script only")
    return shown


def shares_digits(handle: str, phone: str) -> bool:
    """Say whether four digits that follow each other in a handle do so in a number, too.

    >>> shares_digits("fox-8-0-0-0", "+8613800138000"), shares_digits("fox-2024", "+8613800138000")
    (True, False)
    """
    digits = "".join(str(unicodedata.decimal(one)) for one in handle if one.isdecimal())
    return any(digits[i : i + _RUN] in phone for i in range(len(digits) - _RUN + 1))
