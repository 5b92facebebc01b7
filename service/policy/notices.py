"""Notices: what every account is told, and whether it has been seen.

All are told by one statement of the database, however many they are. A notice holds which kind it is and
a few facts; its words are made when it is read, in the reader's language, with who answers for it.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import JSON, ColumnElement, String, exists, insert, literal, null, select, true
from sqlalchemy.orm import Session

from service.accounts.store import Account
from service.database import Moment
from service.errors import AbsentError
from service.parts import Parts
from service.policy.registry import Language
from service.policy.store import Notice
from service.policy.words import REASONS, WORDS, Kind

Facts: TypeAlias = Mapping[str, str]

_LIMIT: Final = 200
#: Whether an account that a statement is about has a notice that it has not seen.
UNREAD: Final = exists().where(Notice.account_id == Account.id, Notice.read_at.is_(None))


def notify_all(parts: Parts, kind: Kind, facts: Facts) -> int:
    """Tell every account; return how many were told."""
    with parts.database.begin() as session:
        return tell(session, kind, facts, parts.clock())


def tell(
    session: Session, kind: Kind, facts: Facts, now: datetime, whom: ColumnElement[bool] | None = None
) -> int:
    """Tell accounts something, in the caller's transaction.

    Parameters
    ----------
    session : Session
        The transaction, so that nobody is told of what did not come to be.
    kind : str
        Of `WORDS`.
    facts : mapping
        What stands in its braces. Nothing that anybody typed.
    now : datetime
        The time.
    whom : condition on `Account`, optional
        By default, all.

    Returns
    -------
    int
        How many were told.

    Raises
    ------
    KeyError
        The words need a fact that is not given.
    """
    _worded(kind, facts, "en")
    rows = select(
        Account.id,
        literal(secrets.token_urlsafe(16), String(32)),
        literal(kind, String(16)),
        literal(dict(facts), JSON),
        literal(now, Moment),
        null(),
    ).where(true() if whom is None else whom)
    columns = ["account_id", "id", "kind", "facts", "at", "read_at"]
    counted = insert(Notice).from_select(columns, rows).execution_options(preserve_rowcount=True)
    told = session.execute(counted)
    return int(getattr(told, "rowcount", 0))


def own(session: Session, account_id: str) -> list[Notice]:
    """Return an account's notices: those not seen first, then the newest."""
    return list(
        session.scalars(
            select(Notice)
            .where(Notice.account_id == account_id)
            .order_by(Notice.read_at.is_not(None), Notice.at.desc(), Notice.id)
            .limit(_LIMIT)
        )
    )


def read(session: Session, account_id: str, notice_id: str, now: datetime) -> Notice:
    """Write down that a notice was seen; the first time counts. Raises AbsentError."""
    found = session.get(Notice, (account_id, notice_id))
    if found is None:
        raise AbsentError("there is no such notice: GET /v1/notices lists them")
    found.read_at = found.read_at or now
    return found


def worded(notice: Notice, language: Language) -> tuple[str, str]:
    """Return a notice's title and text."""
    kind = next(one for one in WORDS if one == notice.kind)
    return _worded(kind, notice.facts, language)


def _worded(kind: Kind, facts: Facts, language: Language) -> tuple[str, str]:
    title, text = WORDS[kind][language]
    reasons = [REASONS[one][language] for one in facts.get("reasons", "").split()]
    between = "; " if language == "en" else "；"
    return title, text.format(**{**facts, "reasons": between.join(reasons)})
