"""What is held of requests to exercise a right, and what proves that they were carried out."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.datamap import DataClass, Kept, held

_PROOF = held(DataClass.PROOF, "proves that a request was answered in time, without whose", personal=False)


class Case(Base):
    """A request, from the app, by mail or through support; closed by one of four outcomes."""

    __tablename__ = "cases"
    kept = Kept("closed_at", 180, "delete", at_latest="received_at")
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, info=held(DataClass.CASE, "the request's number")
    )
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id"), index=True, info=held(DataClass.CASE, "whose it is", exported=False)
    )
    channel: Mapped[str] = mapped_column(String(8), info=held(DataClass.CASE, "by which way it came"))
    kind: Mapped[str] = mapped_column(String(10), info=held(DataClass.CASE, "what was asked for"))
    what: Mapped[str] = mapped_column(String(40), info=held(DataClass.CASE, "what was to be erased"))
    about: Mapped[str] = mapped_column(String(32), info=held(DataClass.CASE, "against which refusal"))
    text: Mapped[bytes | None] = mapped_column(info=held(DataClass.CASE, "what was written", sealed=True))
    state: Mapped[str] = mapped_column(String(10), info=held(DataClass.CASE, "how it stands"))
    code: Mapped[bytes | None] = mapped_column(
        LargeBinary(32),
        info=held(DataClass.CASE, "keyed digest of the code that confirms it", exported=False),
    )
    verified_by: Mapped[str] = mapped_column(String(8), info=held(DataClass.CASE, "who confirmed who asks"))
    evidence: Mapped[bytes | None] = mapped_column(
        info=held(DataClass.CASE, "what a decision rests on", sealed=True)
    )
    answer: Mapped[bytes | None] = mapped_column(info=held(DataClass.CASE, "what was answered", sealed=True))
    reason: Mapped[str] = mapped_column(String(2), info=held(DataClass.CASE, "the ground of a refusal"))
    appeal: Mapped[bytes | None] = mapped_column(
        info=held(DataClass.CASE, "how to appeal against it", sealed=True)
    )
    decider: Mapped[str] = mapped_column(String(32), info=held(DataClass.CASE, "which operator decided"))
    steps: Mapped[list[dict[str, Any]]] = mapped_column(
        JSON, info=held(DataClass.CASE, "every step, with its time")
    )
    received_at: Mapped[datetime] = mapped_column(info=held(DataClass.CASE, "when it came in"))
    due_at: Mapped[datetime] = mapped_column(info=held(DataClass.CASE, "by when it has to be done"))
    closed_at: Mapped[datetime | None] = mapped_column(
        index=True, info=held(DataClass.CASE, "when it was done")
    )


class CaseProof(Base):
    """That a request was answered, and when: what remains once its text has gone."""

    __tablename__ = "case_proofs"
    kept = Kept("closed_at", 730, "nothing")
    id: Mapped[str] = mapped_column(String(32), primary_key=True, info=_PROOF)
    channel: Mapped[str] = mapped_column(String(8), info=_PROOF)
    kind: Mapped[str] = mapped_column(String(10), info=_PROOF)
    outcome: Mapped[str] = mapped_column(String(10), info=_PROOF)
    receipt: Mapped[str | None] = mapped_column(String(32), info=_PROOF)
    received_at: Mapped[datetime] = mapped_column(info=_PROOF)
    due_at: Mapped[datetime] = mapped_column(info=_PROOF)
    closed_at: Mapped[datetime] = mapped_column(info=_PROOF)


class Cancellation(Base):
    """The receipt of a cancelled account; nothing in it says whose."""

    __tablename__ = "cancellations"
    kept = Kept("issued_at", 730, "nothing")
    id: Mapped[str] = mapped_column(String(32), primary_key=True, info=_PROOF)
    document: Mapped[str] = mapped_column(Text, info=_PROOF)
    issued_at: Mapped[datetime] = mapped_column(info=_PROOF)
