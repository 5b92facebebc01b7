"""Write docs/data-map.md: every field that the service holds, from the tables themselves.

python tools/data_map.py
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from service.datamap import STAYS, DataClass, Row, data_map
from service.policy.registry import RECIPIENTS
from service.tables import Base

TARGET = Path(__file__).parents[1] / "docs" / "data-map.md"
HEAD = """# The data map

Made by `python tools/data_map.py` from the service's tables; a test compares the two. It is the annex of
the [privacy policy](policy.md) that a running service gives at `GET /v1/policy/annex`. Face data stands in
none of these tables.

*Sealed* columns are encrypted under a key of the account's own, which is destroyed when it is cancelled.
*Exported* columns are in what `GET /v1/privacy/export` gives the person.
"""
WHEN_CANCELLED = {
    "delete": "deleted",
    "unlink": "unlinked: it stays as proof, and nothing says whose it was",
    "nothing": "it names no account",
}


def document() -> str:
    """Return the page."""
    return "\n".join([HEAD, *_classes(), *_tables(), *_recipients(), ""])


def _classes() -> Iterator[str]:
    yield "## Classes of data\n"
    yield "| class | what | days at most | ground |"
    yield "|---|---|---|---|"
    for one in DataClass:
        yield f"| {one.code} | {one.words} | {one.longest.days} | {one.basis} |"


def _tables() -> Iterator[str]:
    rows: dict[str, list[Row]] = {}
    for row in data_map(Base):
        rows.setdefault(row.table, []).append(row)
    yield "\n## Fields"
    for table, columns in sorted(rows.items()):
        kept = columns[0].kept
        alone = f" Can be erased alone, as `{kept.alone}`." if kept.alone else ""
        yield f"\n### {table}\n"
        brief = f"; while it has a `{kept.brief.column}`, {_time(kept.brief.days)}" if kept.brief else ""
        if kept is STAYS:
            yield "Stays: it tells of no person.\n"
        else:
            yield f"Kept for {_time(kept.days)} from `{kept.age}`{brief}."
            yield f"When the account is cancelled: {WHEN_CANCELLED[kept.on_cancel]}.{alone}\n"
        yield "| field | what for | class | personal | sealed | exported |"
        yield "|---|---|---|---|---|---|"
        for row in columns:
            held = row.held
            marks = " | ".join("yes" if one else "" for one in (held.personal, held.sealed, held.exported))
            yield f"| `{row.column}` | {held.purpose} | {held.data_class.code} | {marks} |"


def _recipients() -> Iterator[str]:
    yield "\n## Recipients\n"
    yield "| who | what for | fields | ground |"
    yield "|---|---|---|---|"
    for one in RECIPIENTS.values():
        yield f"| {one.words} | {', '.join(one.purposes)} | {', '.join(one.fields)} | {one.basis} |"


def _time(days: float) -> str:
    if days >= 1:
        return "one day" if days == 1 else f"{days:.0f} days"
    minutes = round(days * 24 * 60)
    return f"{minutes} minutes"


def main() -> int:
    """Write the page."""
    TARGET.write_text(document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
