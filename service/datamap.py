"""The data map: for every column what class of data it is, what for, on what ground, and for how long.

A column says it by ``info=held(DataClass.ACCOUNT, "...")``; a table says by ``kept = Kept(...)`` from which
moment its rows grow old, and what becomes of them when their account is cancelled. `data_map` finds what
is missing, and the service does not start with it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Table
from sqlalchemy.orm import DeclarativeBase

from service.errors import SetupError

#: Clause 1.4: nothing is kept for longer than two years.
CEILING: Final = timedelta(days=730)

Basis: TypeAlias = Literal["consent", "contract", "legal duty", "security"]
OnCancel: TypeAlias = Literal["delete", "unlink", "nothing"]


class DataClass(Enum):
    """The classes of data, each with the longest time that it may stay.

    Face-class data has none here: it is in no column.
    """

    SECRET = ("X1", "codes, tokens, states of signing in", timedelta(days=30), "contract")
    JOB = ("X2", "that a job was, and how it ended", timedelta(days=30), "contract")
    SECURITY = ("X3", "what keeps the service safe", timedelta(days=180), "security")
    DEVICE = ("X4", "the little that is known of a device", timedelta(days=180), "consent")
    ACCOUNT = ("X5", "who an account is", CEILING, "contract")
    CHOICE = ("X6", "what was accepted, consented to and withdrawn", CEILING, "legal duty")
    CASE = ("X8", "what was asked, and answered", timedelta(days=180), "legal duty")
    PROOF = ("X10", "receipts, and what the service told whom", CEILING, "legal duty")
    OWN = ("-", "the service's own; of no person", CEILING, "security")

    def __init__(self, code: str, words: str, longest: timedelta, basis: Basis) -> None:
        self.code, self.words, self.longest, self.basis = code, words, longest, basis


# Clause 1.3.2 (head): two purposes of their own, safety and compatibility, each with a short time.
TECHNICAL: Final = (DataClass.SECURITY, DataClass.DEVICE)


@dataclass(frozen=True, slots=True)
class Held:
    """What a column holds."""

    data_class: DataClass
    purpose: str
    sealed: bool = False  # under the account's own key
    personal: bool = True
    exported: bool = True  # secrets and indices are not
    third_party: bool = False  # told by another party, whom the person let


@dataclass(frozen=True, slots=True)
class Brief:
    """That rows go sooner while a column of theirs has a value."""

    column: str
    days: float


@dataclass(frozen=True, slots=True)
class Kept:
    """How long a table's rows are kept."""

    age: str  # the column with the moment from which they grow old
    days: float
    on_cancel: OnCancel  # what becomes of the rows of an account that is cancelled
    account: str = "account_id"  # the column that says whose a row is
    at_latest: str = ""  # where `age` may be empty: the column from which the ceiling counts
    brief: Brief | None = None
    alone: str = ""  # by what name a person can have their rows erased, and keep the account


#: For tables that say nothing of any person: their rows stay, and no sweep looks at them.
STAYS: Final = Kept("", math.inf, "nothing")


def held(
    data_class: DataClass,
    purpose: str,
    *,
    sealed: bool = False,
    personal: bool = True,
    exported: bool | None = None,
    third_party: bool = False,
) -> dict[str, Any]:
    """Say what a column holds, as its ``info``.

    Parameters
    ----------
    data_class : DataClass
        Its class.
    purpose : str
        What for, in a few words that a user can read.
    sealed : bool
        Whether it is encrypted under the account's own key.
    personal : bool
        Whether it says anything about a person.
    exported : bool, optional
        Whether the person's export shows it; by default, if it is personal.
    third_party : bool
        Whether another party told it, whom the person let (clause 1.1.2).
    """
    shown = personal if exported is None else exported
    return {"held": Held(data_class, purpose, sealed, personal, shown, third_party)}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the data map: one column."""

    table: str
    column: str
    held: Held
    kept: Kept


def data_map(base: type[DeclarativeBase]) -> tuple[Row, ...]:
    """List every column with what it holds.

    Parameters
    ----------
    base : DeclarativeBase
        The base of the tables.

    Returns
    -------
    tuple of Row
        By table and column.

    Raises
    ------
    SetupError
        A column or a table does not say, or what it says breaks a rule; all faults are named.
    """
    # Clauses 1.1.4, 1.4, 4.1a, 4.2.2(1): no start without a class for each column and a time for each table.
    kept = _kept(base)
    if faults := tuple(_faults(base, kept)):
        raise SetupError("the data map: " + "; ".join(faults))
    return tuple(
        Row(table.name, column.name, column.info["held"], kept[table.name])
        for table in base.metadata.sorted_tables
        for column in table.columns
    )


def kept_tables(base: type[DeclarativeBase]) -> dict[str, Kept]:
    """Return for each table whose rows grow old how long they are kept."""
    return {name: kept for name, kept in _kept(base).items() if kept is not STAYS}


def _kept(base: type[DeclarativeBase]) -> dict[str, Kept]:
    models = [mapper.class_ for mapper in base.registry.mappers]
    return {one.__tablename__: one.kept for one in models if isinstance(getattr(one, "kept", None), Kept)}


def as_document(rows: tuple[Row, ...]) -> list[Mapping[str, Any]]:
    """Return the data map as JSON can hold it."""
    return [
        {
            "table": row.table,
            "column": row.column,
            "data_class": row.held.data_class.code,
            "purpose": row.held.purpose,
            "basis": row.held.data_class.basis,
            "personal": row.held.personal,
            "sealed": row.held.sealed,
            "third_party": row.held.third_party,
            "exported": row.held.exported,
            "days": None if row.kept is STAYS else row.kept.days,
            "counted_from": row.kept.age,
            "when_cancelled": row.kept.on_cancel,
            "erased_alone_as": row.kept.alone or None,
        }
        for row in rows
    ]


def _faults(base: type[DeclarativeBase], kept: Mapping[str, Kept]) -> Iterator[str]:
    for table in base.metadata.sorted_tables:
        if table.name in kept:
            yield from _table_faults(table, kept[table.name])
        else:
            yield f"{table.name} does not say how long it is kept"
        for column in table.columns:
            if not isinstance(column.info.get("held"), Held):
                yield f"{table.name}.{column.name} does not say what it holds"


def _table_faults(table: Table, kept: Kept) -> Iterator[str]:
    if kept is STAYS:
        for column in table.columns:
            if getattr(column.info.get("held"), "personal", True):
                yield f"{table.name}.{column.name} is personal, so that it cannot stay"
        return
    yield from _age_faults(table, kept)
    yield from _class_faults(table, kept)
    if kept.on_cancel != "nothing" and kept.account not in table.columns:
        yield f"{table.name} has no {kept.account}, so that nobody can find what is to go with an account"
    if kept.on_cancel == "nothing" and kept.account in table.columns:
        yield f"{table.name} has an {kept.account}, which cannot stay when the account goes"
    if kept.account not in table.columns and any(held.exported for held in _of(table)):
        yield f"{table.name} has what an export shows, and no {kept.account}, so that none would show it"


def _class_faults(table: Table, kept: Kept) -> Iterator[str]:
    """Find what a column's class does not allow."""
    for column in table.columns:
        held = column.info.get("held")
        if not isinstance(held, Held):
            continue
        if timedelta(days=kept.days) > held.data_class.longest:
            yield f"{table.name}.{column.name} is kept for longer than class {held.data_class.code} may be"
        # Clause 1.3.2(4)a: technical data is personal at all times, not only where it is combined.
        if held.data_class in TECHNICAL and not held.personal:
            yield f"{table.name}.{column.name} is technical data, which is always personal"


def _age_faults(table: Table, kept: Kept) -> Iterator[str]:
    """Find what would let a row stay too long, or for ever."""
    if not 0 < kept.days <= CEILING.days:
        yield f"{table.name} is kept for {kept.days} days; more than 0 and at most {CEILING.days} may be"
    age, latest = table.columns.get(kept.age), table.columns.get(kept.at_latest)
    if age is None:
        yield f"{table.name} grows old by {kept.age}, which it has not"
    elif age.nullable and any(held.personal for held in _of(table)) and (latest is None or latest.nullable):
        yield f"{table.name}.{kept.age} may be empty: at_latest has to name a moment that never is"
    if kept.brief and (kept.brief.column not in table.columns or not 0 < kept.brief.days < kept.days):
        yield f"{table.name}: what is kept briefly needs one of its columns, and fewer days"


def _of(table: Table) -> Iterator[Held]:
    return (column.info["held"] for column in table.columns if isinstance(column.info.get("held"), Held))
