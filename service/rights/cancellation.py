"""Cancelling an account: at once, whole, and so that a crash at any moment leaves nothing half done.

The order is what makes it so:

1. its jobs are stopped, and what they hold is erased;
2. its key is destroyed in the vault, which leaves a tombstone: from here there is no way back, and what is
   sealed anywhere, backups among it, is lost for good;
3. in one transaction its rows are erased or unlinked as the data map says, its cases are closed, and the
   receipt is written;
4. its jobs are stopped once more: none can have begun after the rows went.

A crash before 2 leaves the account as it was. A crash after it leaves rows of an account that has a tombstone
and no key, as a restored backup does, and `replay` does the rest: at start, and in every sweep.
"""

import math
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from service.accounts.store import Account, Challenge
from service.datamap import Held, kept_tables
from service.errors import AbsentError, GoneError
from service.ops.alarms import raise_alarm
from service.parts import Parts
from service.policy.service import current
from service.rights.receipts import CANCELLATION, LIMITS, issue
from service.rights.store import Cancellation, Case, CaseProof
from service.tables import Base

Cause = Literal["settings", "mail", "support", "inactive", "replayed"]
#: Clause 5.3 p2 b: an archive that a law demands would be named here; this service keeps none.
ARCHIVE: Final = "none"


def cancel(parts: Parts, account_id: str, cause: Cause) -> Cancellation:
    """Cancel an account; when this returns, it is gone.

    Raises
    ------
    GoneError
        It was gone already.
    """
    with parts.database.begin() as session:
        if session.get(Account, account_id) is None:
            raise GoneError("this account has been erased")
    # Clause 5.1b: all of it, in this order, which holds wherever a crash cuts it off.
    parts.jobs.stop(account_id)
    # Clause 5.3 p2 b: from here on a backup holds nothing readable of the account either.
    parts.vault.erase(account_id)
    receipt = _erase(parts, account_id, cause)
    parts.jobs.stop(account_id)
    if receipt is None:
        raise GoneError("this account has been erased")
    return receipt


def replay(parts: Parts) -> int:
    """Finish what a crash cut off, and erase again what a restored backup brought back; return how many.

    Raises
    ------
    SetupError
        The key store is not the one of this database: nothing is erased then.
    """
    with parts.database.begin() as session:
        found = tuple(session.scalars(select(Account.id)))
    erased = parts.vault.erased(found)
    for account_id in erased:
        parts.jobs.stop(account_id)
        _erase(parts, account_id, "replayed")
    return len(erased)


def receipt_of(parts: Parts, receipt_id: str) -> str:
    """Return a cancelled account's receipt by its number; raises AbsentError."""
    with parts.database.begin() as session:
        found = session.get(Cancellation, receipt_id)
    if found is None:
        raise AbsentError("there is no such receipt, or its two years are over")
    return found.document


def erase_rows(session: Session, account_id: str, tables: Sequence[str]) -> list[dict[str, Any]]:
    """Erase or unlink an account's rows, as the data map says; return how many of each table."""
    kept = kept_tables(Base)
    those = [table for table in reversed(Base.metadata.sorted_tables) if table.name in tables]
    counted: list[dict[str, Any]] = []
    # What is unlinked first, for it may point to what is deleted; children before their parents.
    for table in sorted(those, key=lambda table: kept[table.name].on_cancel == "delete"):
        rule = kept[table.name]
        mine = table.c[rule.account] == account_id
        found = session.execute(
            delete(table).where(mine)
            if rule.on_cancel == "delete"
            else update(table).where(mine).values({rule.account: None})
        )
        if rows := int(getattr(found, "rowcount", 0)):
            counted.append({"table": table.name, "rows": rows, "done": rule.on_cancel})
    return counted


def _erase(parts: Parts, account_id: str, cause: Cause) -> Cancellation | None:
    """Erase the rows of an account whose key has gone; only who finds them issues a receipt."""
    with parts.database.begin() as session:
        account = session.scalar(select(Account).where(Account.id == account_id).with_for_update())
        if account is None:
            return None
        if account.phone_index is not None:
            session.execute(delete(Challenge).where(Challenge.phone_index == account.phone_index))
        receipt_id = secrets.token_urlsafe(16)
        _close_cases(parts, session, account_id, receipt_id)
        session.expunge(account)
        tables = [name for name, kept in kept_tables(Base).items() if kept.on_cancel != "nothing"]
        counted = erase_rows(session, account_id, tables)
        receipt = _receipt(parts, session, receipt_id, cause, counted)
        session.add(receipt)
    return receipt


def _close_cases(parts: Parts, session: Session, account_id: str, receipt_id: str) -> None:
    """Leave the proof that open cases were answered, without whose they were."""
    now = parts.clock()
    for case in session.scalars(select(Case).where(Case.account_id == account_id, Case.closed_at.is_(None))):
        prove(parts, session, case, "done" if case.kind == "cancel" else "ended", now, receipt_id)
        session.expunge(case)


def prove(
    parts: Parts, session: Session, case: Case, outcome: str, at: datetime, receipt_id: str | None = None
) -> None:
    """Write down what proves when a case was answered; one that is late does not end without an alarm."""
    if at > case.due_at:
        raise_alarm(parts, session, "case late", case.id)
    session.add(
        CaseProof(
            id=case.id,
            channel=case.channel,
            kind=case.kind,
            outcome=outcome,
            receipt=receipt_id,
            received_at=case.received_at,
            due_at=case.due_at,
            closed_at=at,
        )
    )


def _receipt(
    parts: Parts, session: Session, receipt_id: str, cause: Cause, counted: list[dict[str, Any]]
) -> Cancellation:
    now = parts.clock()
    content = {
        "format": CANCELLATION,
        "id": receipt_id,
        "issued": now.isoformat(timespec="seconds"),
        "cause": cause,
        "policy": current(session, now).version,
        "key": "destroyed",
        "erased": [{"what": one["table"], "rows": one["rows"]} for one in counted if one["done"] == "delete"],
        "unlinked": [_stays(one) for one in counted if one["done"] == "unlink"],
        "archive": ARCHIVE,
        "limits": list(LIMITS),
    }
    return Cancellation(id=receipt_id, document=issue(parts.signer, content), issued_at=now)


def _stays(counted: dict[str, Any]) -> dict[str, Any]:
    """Say of rows that stay without their account what they are, why, and for how long at most."""
    table = Base.metadata.tables[counted["table"]]
    classes = {column.info["held"].data_class for column in table.columns if _is_held(column.info)}
    days = kept_tables(Base)[table.name].days
    return {
        "what": table.name,
        "rows": counted["rows"],
        "why": "; ".join(sorted(f"{one.words} ({one.basis})" for one in classes)),
        "days": math.ceil(days),
    }


def _is_held(info: Any) -> bool:
    return isinstance(info.get("held"), Held)
