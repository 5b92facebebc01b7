"""What a version of the policy states beside its text, and what changed from one to the next."""

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from service.datamap import data_map
from service.policy import registry
from service.settings import Settings
from service.tables import Base

Stated: TypeAlias = dict[str, Any]

# Clauses 8(1), 8(2), 8(3), 8(4), 8(5): what a change of each register is a change of.
REASONS: Final[Mapping[str, str]] = {
    "purposes": "purposes",
    "permissions": "permissions",
    "information": "information",
    "recipients": "recipients",
    "rights": "rights",
    "contact": "contact",
    "operator": "ownership",
}
# Clauses 8(2), 8(6): what no register shows, and the operator says.
FLAGS: Final = ("ownership", "impact")


@dataclass(frozen=True, slots=True)
class Difference:
    """How a register differs: names of its lines."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether it differs at all."""
        return bool(self.added or self.removed or self.changed)


def stated(settings: Settings) -> Stated:
    """Return what this release, with these settings, does: purposes, fields, periods, recipients, rights."""
    # Clause P-2: made from the lists that the code enforces, the data map among them.
    found = {
        "purposes": {
            name: {**asdict(one), "words": dict(one.words), "digest": one.digest}
            for name, one in registry.PURPOSES.items()
        },
        "permissions": {
            name: {"words": dict(one.words), "feature": one.feature, "digest": one.digest}
            for name, one in registry.PERMISSIONS.items()
        },
        "information": {
            f"{row.table}.{row.column}": {
                "class": row.held.data_class.words,
                "purpose": row.held.purpose,
                "basis": row.held.data_class.basis,
                "days": row.kept.days,
                "when_cancelled": row.kept.on_cancel,
            }
            for row in data_map(Base)
            if row.held.personal
        },
        "recipients": {name: asdict(one) for name, one in registry.RECIPIENTS.items()},
        "rights": list(registry.RIGHTS),
        "contact": settings.contact,
        "operator": settings.operator_name,
    }
    as_json: Stated = json.loads(json.dumps(found))  # as a database gives it back
    return as_json


def differences(older: Stated, newer: Stated) -> dict[str, Difference]:
    """Compare two versions' registers; those that are alike are left out.

    >>> differences({"rights": ["erase", "export"]}, {"rights": ["erase"]})
    {'rights': Difference(added=(), removed=('export',), changed=())}
    """
    found = {}
    for name in REASONS:
        one, other = _lines(name, older.get(name)), _lines(name, newer.get(name))
        difference = Difference(
            added=tuple(sorted(other.keys() - one.keys())),
            removed=tuple(sorted(one.keys() - other.keys())),
            changed=tuple(sorted(key for key in one.keys() & other.keys() if one[key] != other[key])),
        )
        if difference:
            found[name] = difference
    return found


@lru_cache(maxsize=32)
def text_difference(older: str, newer: str) -> tuple[str, ...]:
    r"""Return the lines of a unified diff of two texts.

    >>> text_difference("one\ntwo", "one\nthree")
    ('@@ -1,2 +1,2 @@', ' one', '-two', '+three')
    """
    lines = difflib.unified_diff(older.splitlines(), newer.splitlines(), lineterm="")
    return tuple(lines)[2:]  # without the two lines that name files


def digest_of(document: object) -> str:
    """Return the SHA-256 of a document, as JSON with sorted keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def text_digest(words: str) -> str:
    """Return the SHA-256 of a text, by which an acceptance names it."""
    return hashlib.sha256(words.encode()).hexdigest()


def _lines(name: str, register: Any) -> dict[str, Any]:
    if isinstance(register, list):
        return dict.fromkeys(register)
    if isinstance(register, str):
        return {name: register}
    return register or {}
