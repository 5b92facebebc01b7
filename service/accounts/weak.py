"""Passwords that a guesser tries first: those found in leaks, what is made of them, and patterns.

No rule says what a password must be made of (NIST SP 800-63B, 3.1.1.2; OWASP ASVS 5.0, 6.2): it is compared
with the 30,000 that were found most often in leaks, as zxcvbn [1]_ carries them, offline.

References
----------
.. [1] Wheeler, "zxcvbn: Low-Budget Password Strength Estimation", USENIX Security, 2016.
"""

import string
from functools import cache
from itertools import pairwise
from typing import Final

_FRINGE: Final = string.digits + string.punctuation + string.whitespace
_LOOKALIKES: Final = str.maketrans("013457@$!", "oleastasi")


def is_weak(password: str) -> bool:
    """Say whether a guesser soon gets to a password.

    >>> [is_weak(one) for one in ("password", "Dragon2024!", "P@55w0rd", "abcabcabc", "87654321")]
    [True, True, True, True, True]
    >>> is_weak("four otters on a log")
    False
    """
    folded = password.casefold()
    plain = folded.strip(_FRINGE)
    forms = {folded, plain, folded.translate(_LOOKALIKES), plain.translate(_LOOKALIKES)}
    return not forms.isdisjoint(_leaked()) or not plain or _is_repeated(folded) or _is_a_row(folded)


def _is_repeated(text: str) -> bool:
    """Say whether a text is a shorter one, again and again."""
    return text in (text + text)[1:-1]


def _is_a_row(text: str) -> bool:
    """Say whether each character is the one after, or before, the last."""
    steps = {ord(second) - ord(first) for first, second in pairwise(text)}
    return steps in ({1}, {-1})


@cache
def _leaked() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # it takes a moment, and only a new password needs it

    return frozenset(FREQUENCY_LISTS["passwords"])
