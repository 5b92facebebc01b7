"""The ledger of jobs, in the database: what began, how far it is, how it ended; each in one transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from facekit.receipts import ErasureReceipt
from service.accounts.store import Account, mark_used
from service.consent.service import digest_of
from service.consent.store import Choice
from service.errors import ConflictError, TooManyError, UnknownCallerError
from service.jobs.live import Live, Order
from service.jobs.store import LIVE, Job, JobKey, Receipt
from service.parts import Parts

#: No job lives as long; what the ledger still has as living is of a process that is no more.
LONGEST: Final = timedelta(hours=1)
_KEY_HOURS: Final = timedelta(hours=24)
_BUSY: Final = 5.0  # seconds


def begin(parts: Parts, job_id: str, replica: str, order: Order, key: tuple[bytes, bytes] | None) -> None:
    """Write down that a job begins, and under which key its request came.

    Parameters
    ----------
    parts : Parts
        The parts.
    job_id, replica : str
        The job's number, and the process that will have it.
    order : Order
        What is to be done.
    key : (bytes, bytes), optional
        Digests of the request's key and of its body.

    Raises
    ------
    TooManyError
        The account has as many jobs as it may have.
    ConflictError
        A request with this key came in just now.
    UnknownCallerError
        The account has gone.
    """
    now = parts.clock()
    with parts.database.begin() as session:
        # The lock has two requests of one account come one after the other, in all replicas.
        if session.scalar(select(Account.id).where(Account.id == order.account_id).with_for_update()) is None:
            raise UnknownCallerError("this account has been erased")
        if key is not None:
            _claim(session, order.account_id, key, now)
        mine = select(func.count()).where(
            Job.account_id == order.account_id, Job.state.in_(LIVE), Job.created_at > now - LONGEST
        )
        if (session.scalar(mine) or 0) >= parts.settings.account_jobs:
            raise TooManyError("your account has as many jobs as it may have; end one, or wait", _BUSY)
        session.add(_row(job_id, replica, order, now))
        mark_used(session, order.account_id, now)


def _claim(session: Session, account_id: str, key: tuple[bytes, bytes], now: datetime) -> None:
    mark, body = key
    found = session.get(JobKey, mark)
    if found is not None and found.created_at > now - _KEY_HOURS:
        raise ConflictError("the first request with this Idempotency-Key is still being answered; try again")
    session.merge(JobKey(mark=mark, account_id=account_id, body=body, answer=None, created_at=now))


def _row(job_id: str, replica: str, order: Order, now: datetime) -> Job:
    return Job(
        id=job_id,
        account_id=order.account_id,
        replica=replica,
        effect=order.effect,
        template=order.template,
        source=order.source,
        attested=order.said,
        sealed_to="job" if order.result_key is None else "client",
        upload=None,
        size=None,
        state="leased",
        problem=None,
        webhook=None if order.hook is None else "waiting",
        created_at=now,
        ended_at=None,
    )


def unwrite(parts: Parts, job_id: str, key: tuple[bytes, bytes] | None) -> None:
    """Take back what `begin` wrote: the job got no cell, so there was none."""
    with parts.database.begin() as session:
        session.execute(delete(Job).where(Job.id == job_id))
        if key is not None:
            session.execute(delete(JobKey).where(JobKey.mark == key[0]))


def answer_of(parts: Parts, account_id: str, key: tuple[bytes, bytes]) -> bytes | None:
    """Return what was answered to a request with the same key, if there was one.

    Raises
    ------
    ConflictError
        It was another request, or it is still being answered.
    """
    mark, body = key
    with parts.database.begin() as session:
        found = session.get(JobKey, mark)
        if found is None or found.created_at <= parts.clock() - _KEY_HOURS:
            return None
    if found.body != body:
        raise ConflictError("another request came with this Idempotency-Key; take a new one")
    if found.answer is None:
        raise ConflictError("the first request with this Idempotency-Key is still being answered; try again")
    return parts.vault.open(account_id, "job_keys.answer", found.answer)


def keep_answer(parts: Parts, account_id: str, key: tuple[bytes, bytes], answer: str) -> None:
    """Keep what is answered, sealed, for when the request comes again."""
    sealed = parts.vault.seal(account_id, "job_keys.answer", answer)
    with parts.database.begin() as session:
        session.execute(update(JobKey).where(JobKey.mark == key[0]).values(answer=sealed))


def move(parts: Parts, job_id: str, **values: Any) -> None:
    """Write down how far a job is; one that has ended stays ended."""
    with parts.database.begin() as session:
        session.execute(update(Job).where(Job.id == job_id, Job.ended_at.is_(None)).values(**values))


def finish(parts: Parts, job_id: str, state: str, problem: str | None, receipt: ErasureReceipt) -> None:
    """Write down how a job ended, and its receipt."""
    with parts.database.begin() as session:
        session.execute(
            update(Job).where(Job.id == job_id).values(state=state, problem=problem, ended_at=parts.clock())
        )
        session.merge(Receipt(id=job_id, text=receipt.to_json(), issued_at=receipt.issued))


def note_webhook(parts: Parts, job_id: str, how: str) -> None:
    """Write down whether the webhook was told."""
    with parts.database.begin() as session:
        session.execute(update(Job).where(Job.id == job_id).values(webhook=how))


def find(parts: Parts, job_id: str) -> Job | None:
    """Return a job's line, whosever it is."""
    with parts.database.begin() as session:
        return session.get(Job, job_id)


def receipt(parts: Parts, job_id: str) -> str | None:
    """Return a job's receipt."""
    with parts.database.begin() as session:
        return session.scalar(select(Receipt.text).where(Receipt.id == job_id))


def recent(parts: Parts, account_id: str, most: int) -> list[Job]:
    """List an account's jobs, the latest first."""
    with parts.database.begin() as session:
        rows = select(Job).where(Job.account_id == account_id).order_by(Job.created_at.desc(), Job.id)
        return list(session.scalars(rows.limit(most)))


def lost(parts: Parts, replicas: Collection[str]) -> list[Job]:
    """List the jobs that lived in processes that are no more."""
    with parts.database.begin() as session:
        gone = Job.replica.in_(replicas) | (Job.created_at < parts.clock() - LONGEST)
        return list(session.scalars(select(Job).where(Job.state.in_(LIVE), gone)))


def unwanted(parts: Parts, jobs: Sequence[Live]) -> list[Live]:
    """Return those jobs whose account, consent or permission is no more, in two queries for all."""
    asked = {job.order.account_id for job in jobs}
    if not asked:
        return []
    with parts.database.begin() as session:
        alive = set(session.scalars(select(Account.id).where(Account.id.in_(asked))))
        last = (
            select(Choice.account_id, func.max(Choice.number).label("number"))
            .where(Choice.account_id.in_(asked))
            .group_by(Choice.account_id, Choice.kind, Choice.name)
            .subquery()
        )
        rows = session.execute(
            select(Choice.account_id, Choice.kind, Choice.name, Choice.digest)
            .join(last, (Choice.account_id == last.c.account_id) & (Choice.number == last.c.number))
            .where(Choice.granted)
        ).all()
    granted = {tuple(row) for row in rows}
    return [job for job in jobs if job.order.account_id not in alive or not _needs(job) <= granted]


def _needs(job: Live) -> set[tuple[str | None, str, str, str]]:
    """Return the choices that a job depends on, each for the words that hold now."""
    account, permission = job.order.account_id, job.order.permission
    return {
        (account, "purpose", "face.effect", digest_of("purpose", "face.effect")),
        (account, "permission", permission, digest_of("permission", permission)),
    }
