"""Everything that is held about a person, made from the data map: a column that is there is in the export."""

from base64 import b64encode
from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, Boolean, Integer, Table, select

from service.database import Moment
from service.datamap import DataClass, Kept, Row, as_document, data_map
from service.parts import Parts
from service.policy.registry import RECIPIENTS, RIGHTS
from service.policy.service import current
from service.rights.cases import erasable
from service.tables import Base

FORMAT: Final = "facekit export 1"
_KINDS: Final[tuple[tuple[type[Any], dict[str, Any]], ...]] = (
    (Moment, {"type": "string", "format": "date-time"}),
    (Boolean, {"type": "boolean"}),
    (Integer, {"type": "integer"}),
    (JSON, {}),
)


def export(parts: Parts, account_id: str) -> dict[str, Any]:
    """Return all that is held about an account, by table, in clear.

    Raises
    ------
    GoneError
        It was erased meanwhile.
    """
    # Clause 5.1a: every exported column of every table that says whose a row is.
    now = parts.clock()
    with parts.database.begin() as session:
        version = current(session, now).version
        found = {
            name: session.execute(
                select(*(table.c[row.column] for row in rows)).where(table.c[kept.account] == account_id)
            ).all()
            for name, (table, kept, rows) in _tables().items()
        }
    tables = {
        name: [
            {row.column: _plain(parts, account_id, row, value) for row, value in zip(rows, one, strict=True)}
            for one in found[name]
        ]
        for name, (_, _, rows) in _tables().items()
    }
    return {
        "format": FORMAT,
        "made_at": now.isoformat(timespec="seconds"),
        "account": account_id,
        "policy": version,
        "tables": tables,
        "meaning": {name: _meaning(kept, rows) for name, (_, kept, rows) in _tables().items()},
    }


def schema() -> dict[str, Any]:
    """Return the JSON Schema of an export."""
    tables = {
        name: {"type": "array", "items": _object({row.column: _kind(table, row) for row in rows})}
        for name, (table, _, rows) in _tables().items()
    }
    text = {"type": "string"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Everything held about an account",
        **_object(
            {
                "format": {"const": FORMAT},
                "made_at": {**text, "format": "date-time"},
                "account": text,
                "policy": text,
                "tables": _object(tables),
                "meaning": {"type": "object", "propertyNames": {"enum": sorted(tables)}},
            }
        ),
    }


def annex(parts: Parts) -> dict[str, Any]:
    """Return the policy's annex: what is held, what for, for how long, and who gets it."""
    # Clause P-2: made from what the code goes by.
    return {
        "operator": parts.settings.operator_name,
        "contact": parts.settings.contact,
        **what_is_held(),
    }


def what_is_held() -> dict[str, Any]:
    """Return the part of the annex that is the same for every operator."""
    return {
        "classes": [
            {"data_class": one.code, "words": one.words, "days": one.longest.days, "basis": one.basis}
            for one in DataClass
        ],
        "fields": as_document(data_map(Base)),
        "recipients": recipients(),
        "rights": list(RIGHTS),
        "erasable_alone": list(erasable()),
    }


def recipients() -> list[dict[str, Any]]:
    """Return every party that may get anything, and what."""
    return [
        {
            "name": name,
            "words": one.words,
            "purposes": one.purposes,
            "fields": one.fields,
            "basis": one.basis,
        }
        for name, one in RECIPIENTS.items()
    ]


def _tables() -> dict[str, tuple[Table, Kept, tuple[Row, ...]]]:
    """Return the tables of which an export shows something, with the columns that it shows."""
    shown: dict[str, list[Row]] = {}
    for row in data_map(Base):
        if row.held.exported:
            shown.setdefault(row.table, []).append(row)
    return {name: (Base.metadata.tables[name], rows[0].kept, tuple(rows)) for name, rows in shown.items()}


def _plain(parts: Parts, account_id: str, row: Row, value: Any) -> Any:
    """Return a value as JSON can hold it: opened, and bytes that are no text as a data URL."""
    if value is not None and row.held.sealed:
        value = parts.vault.open(account_id, f"{row.table}.{row.column}", value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return f"data:application/octet-stream;base64,{b64encode(value).decode()}"
    return value


def _meaning(kept: Kept, rows: tuple[Row, ...]) -> dict[str, Any]:
    return {
        "days": kept.days,
        "counted_from": kept.age,
        "when_cancelled": kept.on_cancel,
        "columns": {
            row.column: {
                "purpose": row.held.purpose,
                "data_class": row.held.data_class.words,
                "basis": row.held.data_class.basis,
            }
            for row in rows
        },
    }


def _kind(table: Table, row: Row) -> dict[str, Any]:
    column = table.c[row.column]
    kind = next((kind for of, kind in _KINDS if isinstance(column.type, of)), {"type": "string"})
    described = {"description": row.held.purpose}
    if column.nullable and kind:
        return {"anyOf": [kind, {"type": "null"}], **described}
    return {**kind, **described}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
