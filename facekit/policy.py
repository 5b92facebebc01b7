"""The privacy policy as code: its clauses, and a version that changes with its words.

The text is `assets/policy.md`, which the repository shows as docs/policy.md. A comment such as
``# Clause 1.2.3b: why`` in code says that the line makes a clause true; a mark such as
``@pytest.mark.clause("1.2.3b")`` on a test says that it proves one. docs/policy-coverage.md
is made from both.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from facekit.errors import InputError

__all__ = [
    "POLICY_DATE",
    "POLICY_DIGEST",
    "POLICY_VERSION",
    "Clause",
    "Kind",
    "clause",
    "clauses",
    "digest_of",
    "policy_text",
]

_SHORT: Final = 16  # hexadecimal digits of a version
_CLAUSE: Final = re.compile(
    r'^#{3,4} <a id="(?P<anchor>[^"]+)"></a>(?P<id>.+?) · (?P<title>.+)\n\n'
    r"(?P<kinds>(?:`[FDOL]`[ \n])+)(?P<text>(?:(?!#).*\n)+)",
    re.MULTILINE,
)


class Kind(StrEnum):
    """What a clause asks for.

    >>> Kind("D").name
    'DATA'
    """

    FUNCTION = "F"  # a function that the software has
    DATA = "D"  # a guarantee about data, which the software holds
    OPERATOR = "O"  # a duty of the operator, which software can only support and record
    LEGAL = "L"  # a statement that needs nothing but to be read


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the policy.

    Parameters
    ----------
    id : str
        Its number, which never changes, such as ``"1.2.3b"``.
    title : str
        A few words.
    kinds : tuple of Kind
        At least one; ``F`` and ``D`` call for a test.
    text : str
        What the reader is promised: sentences on one line, tables as Markdown.
    anchor : str
        Its place in the text, as in ``docs/policy.md#clause-1-2-3-b``.
    """

    id: str
    title: str
    kinds: tuple[Kind, ...]
    text: str
    anchor: str

    @property
    def section(self) -> str:
        """The section that holds it: ``"P"`` for what stands before the first, or ``"1"`` to ``"9"``."""
        return self.id[0]

    @property
    def calls_for_a_test(self) -> bool:
        """Whether software can make it true, so that a test should prove it."""
        return not {Kind.FUNCTION, Kind.DATA}.isdisjoint(self.kinds)


def clause(clause_id: str) -> Clause:
    """Return a clause by its number.

    Parameters
    ----------
    clause_id : str
        Such as ``"1.2.3b"`` or ``"3.1 (head)"``.

    Returns
    -------
    Clause
        The one with that number.

    Raises
    ------
    InputError
        There is none; the message names those nearby.

    Examples
    --------
    >>> clause("1.2.3b").title
    'Nothing of a face is kept'
    >>> clause("1.2.3")
    Traceback (most recent call last):
        ...
    facekit.errors.InputError: no clause '1.2.3'; there are 1.2.3a, 1.2.3b, 1.2.3c
    """
    try:
        return _registry()[clause_id]
    except KeyError:
        raise InputError(f"no clause {clause_id!r}; there are {_nearby(clause_id)}") from None


def clauses(within: str = "") -> tuple[Clause, ...]:
    """List clauses in the order of the text.

    Parameters
    ----------
    within : str, optional
        A section or paragraph, such as ``"1.2"``, or one clause. By default, all.

    Returns
    -------
    tuple of Clause
        At least one.

    Raises
    ------
    InputError
        No clause stands there; the message names those nearby.

    Examples
    --------
    >>> [one.id for one in clauses("1.2.3")]
    ['1.2.3a', '1.2.3b', '1.2.3c']
    """
    found = tuple(one for one in _registry().values() if _is_within(one.id, within))
    if not found:
        raise InputError(f"no clause in {within!r}; there are {_nearby(within)}")
    return found


@cache
def policy_text() -> str:
    """Return the whole policy.

    Returns
    -------
    str
        Markdown, with an anchor in each clause's heading.

    Examples
    --------
    >>> policy_text().startswith("# Privacy policy")
    True
    """
    return (files("facekit.assets") / "policy.md").read_text(encoding="utf-8")


def digest_of(text: str) -> str:
    r"""Return the SHA-256 of a policy's words.

    Parameters
    ----------
    text : str
        Markdown. Neither line breaks nor anchors count; every word, number and table does.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> digest_of("No  gallery\nof results.") == digest_of('<a id="x"></a>No gallery of results.')
    True
    >>> digest_of("No gallery.") == digest_of("A gallery.")
    False
    """
    words = re.sub(r'<a id="[^"]*"></a>', "", unicodedata.normalize("NFC", text)).split()
    return sha256(" ".join(words).encode()).hexdigest()


def _is_within(clause_id: str, place: str) -> bool:
    """Tell whether a clause is `place` or in it; 1.1 holds 1.1.2 and 1.1a, but not 1.12."""
    rest = clause_id.removeprefix(place)
    return not place or (rest != clause_id and not rest[:1].isdigit())


def _nearby(clause_id: str) -> str:
    """List the clauses of the narrowest place that a wrong number might mean."""
    for end in range(len(clause_id), 0, -1):
        near = [one for one in _registry() if _is_within(one, clause_id[:end])]
        if near:
            return ", ".join(near)
    return "sections " + ", ".join(dict.fromkeys(one.section for one in _registry().values()))


@cache
def _registry() -> dict[str, Clause]:
    return {
        found["id"]: Clause(
            id=found["id"],
            title=found["title"],
            kinds=tuple(map(Kind, re.findall(r"\w", found["kinds"]))),
            text="\n\n".join(_one_line(block) for block in found["text"].strip().split("\n\n")),
            anchor=found["anchor"],
        )
        for found in _CLAUSE.finditer(policy_text())
    }


def _one_line(block: str) -> str:
    return block if block.startswith("|") else " ".join(block.split())


# Clause 8 (head) a: whoever accepted a version can tell by its digest what the words were.
POLICY_DIGEST: Final = digest_of(policy_text())
"""SHA-256 of the policy's words; see `digest_of`."""

POLICY_VERSION: Final = POLICY_DIGEST[:_SHORT]
"""Short form of the digest, which receipts and acceptances name."""

POLICY_DATE: Final = re.findall(r"In effect from (\d{4}-\d{2}-\d{2})\.", policy_text())[0]
"""The day from which this version is in effect, as year-month-day."""
