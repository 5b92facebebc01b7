"""Asking and answering."""

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final, Literal

from sqlalchemy import select

from service.accounts.store import Account
from service.caller import Caller
from service.contact.store import Question
from service.errors import AbsentError, ConflictError, GoneError, RefusedError
from service.ops.audit import Grounds, write
from service.parts import Parts
from service.policy.notices import tell

WORKING_DAYS: Final = 5
_MOST: Final = 200
_PICTURE: Final = re.compile(r"data:image|(?:[A-Za-z0-9+/_-]{60,}={0,2}\s*){3}", re.IGNORECASE)
State = Literal["open", "overdue", "answered"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A question that can be read."""

    row: Question
    question: str
    reply_to: str | None
    answer: str | None
    due_at: datetime
    state: State


def ask(parts: Parts, caller: Caller, question: str, reply_to: str | None) -> Opened:
    """Take a question.

    Raises
    ------
    GoneError
        The account has been erased.
    RefusedError
        It holds a picture.
    TooManyError
        Too many from this account or network.
    """
    # Clauses P-5, 1.3.5: pictures may show faces, so that none is taken here, however it is written.
    if _PICTURE.search(question):
        raise RefusedError("question: pictures may show faces and are not taken here; say it in words")
    most, who = parts.settings.questions_per_caller, caller.account_id or caller.network
    parts.limits.spend("questions from", who, most, timedelta(days=1))
    row = Question(
        id=secrets.token_urlsafe(16),
        account_id=caller.account_id or None,
        received_at=parts.clock(),
        answer=None,
        answered_at=None,
    )
    row.question = _seal(parts, row, "question", question)
    row.reply_to = _seal(parts, row, "reply_to", reply_to) if reply_to else None
    with parts.database.begin() as session:
        known = select(Account.id).where(Account.id == row.account_id).with_for_update(read=True)
        if row.account_id and session.scalar(known) is None:
            raise GoneError("this account has been erased")
        session.add(row)
    return _open(parts, row)


def own(parts: Parts, account_id: str) -> list[Opened]:
    """Return an account's questions, the last one first."""
    with parts.database.begin() as session:
        rows = session.scalars(
            select(Question)
            .where(Question.account_id == account_id)
            .order_by(Question.received_at.desc())
            .limit(_MOST)
        ).all()
    return [_open(parts, row) for row in rows]


def to_answer(parts: Parts, grounds: Grounds, *, answered: bool) -> list[Opened]:
    """Return questions for who answers them, those first that came first."""
    which = Question.answered_at.is_not(None) if answered else Question.answered_at.is_(None)
    with parts.database.begin() as session:
        write(parts, session, grounds, "read questions")
        rows = session.scalars(
            select(Question).where(which).order_by(Question.received_at).limit(_MOST)
        ).all()
    found = []
    for row in rows:
        with suppress(GoneError):  # of an account that is being erased right now
            found.append(_open(parts, row))
    return found


def answer(parts: Parts, grounds: Grounds, question_id: str, words: str) -> Opened:
    """Answer a question; who has signed in is told.

    Raises
    ------
    AbsentError
        There is no such question.
    ConflictError
        It has been answered.
    GoneError
        The account has been erased.
    """
    now = parts.clock()
    with parts.database.begin() as session:
        row = session.scalar(select(Question).where(Question.id == question_id).with_for_update())
        if row is None:
            raise AbsentError("there is no such question: GET /v1/ops/contact lists them")
        if row.answered_at is not None:
            raise ConflictError("it has been answered")
        write(parts, session, grounds, "answer question", question_id)
        row.answer, row.answered_at = _seal(parts, row, "answer", words), now
        if row.account_id:
            last_day = row.received_at + timedelta(days=Question.kept.days)
            tell(session, "answer", {"date": f"{last_day:%Y-%m-%d}"}, now, Account.id == row.account_id)
    return _open(parts, row)


def due(received_at: datetime) -> datetime:
    """Return when a question has to have been answered: at the end of the fifth working day after it came.

    Saturdays and Sundays count as free, in UTC. Public holidays, and the weekends on which some countries
    work instead, are not known here yet.

    >>> due(datetime(2026, 11, 27, 9, tzinfo=UTC)).isoformat()  # a Friday
    '2026-12-04T23:59:59+00:00'
    """
    # Clause 9b: five working days from receipt, not from when somebody gets to it.
    day, left = received_at.astimezone(UTC).date(), WORKING_DAYS
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return datetime.combine(day, time(23, 59, 59), UTC)


def _open(parts: Parts, row: Question) -> Opened:
    due_at = due(row.received_at)
    state: State = "answered" if row.answered_at else "overdue" if due_at < parts.clock() else "open"
    return Opened(
        row,
        _read(parts, row, "question", row.question) or "",
        _read(parts, row, "reply_to", row.reply_to),
        _read(parts, row, "answer", row.answer),
        due_at,
        state,
    )


def _seal(parts: Parts, row: Question, column: str, words: str) -> bytes:
    """Seal under the account's own key, with which it is lost in backups, too; else under the service's."""
    if row.account_id:
        return parts.vault.seal(row.account_id, f"questions.{column}", words)
    return parts.vault.seal_own(f"questions.{column}:{row.id}", words)


def _read(parts: Parts, row: Question, column: str, sealed: bytes | None) -> str | None:
    if sealed is None:
        return None
    if row.account_id:
        return parts.vault.open_text(row.account_id, f"questions.{column}", sealed)
    return parts.vault.open_own(f"questions.{column}:{row.id}", sealed)
