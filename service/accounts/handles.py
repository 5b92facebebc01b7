"""Handles: public names, random until chosen, and never derived from a phone number."""

import secrets
from typing import Final

_FIRST: Final = (
    "quiet brave amber early gentle lucky merry noble rapid silver sunny tidy vivid warm wise young"
)
_SECOND: Final = (
    "otter heron maple comet ember finch grove lark meadow orchid pebble raven tide willow wren fox"
)


def random_handle() -> str:
    """Return a handle of two words and eight digits, 34 bits of chance.

    >>> first, second, digits = random_handle().split("-")
    >>> len(digits)
    8
    """
    return f"{secrets.choice(_FIRST.split())}-{secrets.choice(_SECOND.split())}-{secrets.randbelow(10**8):08}"
