"""The audit log: who of those who run the service looked at or changed what, and for which reason.

Each row holds a keyed digest of itself and of the row before (HMAC-SHA-256; the key is in the vault), so that
a row that was changed, taken out or put between shows. The oldest rows go with their time, from the front.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.logs import Deed
from service.ops.store import Audit
from service.parts import Parts

Reason = Literal["request", "verification", "answer", "security", "legal duty", "upkeep"]
FIRST: Final = bytes(32)
_LOCK: Final = 0x_FACE_0003


@dataclass(frozen=True, slots=True)
class Grounds:
    """Who does something, what for, and by which ticket."""

    operator: str
    reason: Reason
    ticket: str


def write(parts: Parts, session: Session, grounds: Grounds, deed: str, about: str = "") -> None:
    """Write a row, in the transaction in which the thing itself is done."""
    # Clauses 4.2.2(2), 4.2.2(3): nothing is read or done without a reason, a ticket and a row.
    parts.database.take_turn(session, _LOCK)
    last = session.scalar(select(Audit).order_by(Audit.number.desc()).limit(1))
    row = Audit(
        number=(last.number if last else 0) + 1,
        operator=grounds.operator,
        deed=deed,
        about=about,
        reason=grounds.reason,
        ticket=parts.vault.seal_own("audit.ticket", grounds.ticket),
        at=parts.clock(),
        previous=last.digest if last else FIRST,
    )
    row.digest = _digest(parts, row)
    session.add(row)
    session.flush()
    # The number stands in the logs as well: rows taken from the end would show there.
    parts.logs.write(
        Deed(deed=f"audit {deed}", account=parts.logs.pseudonym(grounds.operator), count=row.number)
    )


def first_fault(parts: Parts, rows: list[Audit]) -> int | None:
    """Return the number of the first row that is not as it was written, or does not follow; or nothing."""
    for before, row in zip([None, *rows], rows, strict=False):
        follows = before is None or (row.number, row.previous) == (before.number + 1, before.digest)
        if not follows or row.digest != _digest(parts, row):
            return row.number
    return None


def list_audit(session: Session) -> list[Audit]:
    """Return the whole log, oldest first."""
    return list(session.scalars(select(Audit).order_by(Audit.number)))


def _digest(parts: Parts, row: Audit) -> bytes:
    at: datetime = row.at
    told = [row.number, row.operator, row.deed, row.about, row.reason, row.ticket.hex(), at.isoformat()]
    return parts.vault.index("audit", json.dumps([*told, row.previous.hex()]))
