"""What is held of jobs: that they were and how they ended, receipts, and keys of repeated requests.

Nothing of a photo: no name, no digest, no measure but the range that its size lies in.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.datamap import DataClass, Kept, held

#: States of a job that has not ended; what comes after them are `facekit.receipts.Outcome`.
LIVE: Final = ("leased", "queued", "running", "done")


class Job(Base):
    """A line of the ledger of jobs."""

    __tablename__ = "jobs"
    kept = Kept("created_at", 30, "unlink", alone="jobs")
    id: Mapped[str] = mapped_column(String(22), primary_key=True, info=held(DataClass.JOB, "its number"))
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("accounts.id"), index=True, info=held(DataClass.JOB, "whose it is", exported=False)
    )
    replica: Mapped[str] = mapped_column(
        String(32), info=held(DataClass.JOB, "which process had it", personal=False)
    )
    effect: Mapped[str] = mapped_column(String(20), info=held(DataClass.JOB, "what was to be done"))
    template: Mapped[str | None] = mapped_column(String(40), info=held(DataClass.JOB, "into which template"))
    source: Mapped[str] = mapped_column(String(8), info=held(DataClass.JOB, "album, camera or file"))
    # Clause 1.3.3 note: what was said of the person shown, in fixed words.
    attested: Mapped[str] = mapped_column(
        String(20), info=held(DataClass.JOB, "whose face, as you said: me or consenting, and others or not")
    )
    sealed_to: Mapped[str] = mapped_column(
        String(8), info=held(DataClass.JOB, "the result was for your key, or for one of the job's")
    )
    upload: Mapped[str | None] = mapped_column(
        String(8), info=held(DataClass.JOB, "how the photo came in: sealed or plain")
    )
    size: Mapped[str | None] = mapped_column(
        String(16), info=held(DataClass.JOB, "the range that the upload's size lies in")
    )
    state: Mapped[str] = mapped_column(String(10), info=held(DataClass.JOB, "how far it is, or how it ended"))
    problem: Mapped[str | None] = mapped_column(String(20), info=held(DataClass.JOB, "why it failed"))
    webhook: Mapped[str | None] = mapped_column(
        String(10), info=held(DataClass.JOB, "whether your webhook was told of its end")
    )
    created_at: Mapped[datetime] = mapped_column(info=held(DataClass.JOB, "when it began"))
    ended_at: Mapped[datetime | None] = mapped_column(info=held(DataClass.JOB, "when it ended"))


class Receipt(Base):
    """What was erased of a job, signed; of nobody: without the ledger's line, its number alone finds it."""

    __tablename__ = "receipts"
    kept = Kept("issued_at", 730, "nothing")
    id: Mapped[str] = mapped_column(
        String(22), primary_key=True, info=held(DataClass.PROOF, "the job's number", personal=False)
    )
    text: Mapped[str] = mapped_column(
        Text, info=held(DataClass.PROOF, "what was erased, when and how", personal=False)
    )
    issued_at: Mapped[datetime] = mapped_column(info=held(DataClass.PROOF, "when", personal=False))


class JobKey(Base):
    """A request that was sent with a key of its own, so that sending it again begins no second job."""

    __tablename__ = "job_keys"
    kept = Kept("created_at", 1, "delete", alone="jobs")
    mark: Mapped[bytes] = mapped_column(
        LargeBinary(32), primary_key=True, info=held(DataClass.SECRET, "digest of the key", exported=False)
    )
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id"), index=True, info=held(DataClass.SECRET, "whose it is", exported=False)
    )
    body: Mapped[bytes] = mapped_column(
        LargeBinary(32), info=held(DataClass.SECRET, "digest of the request", exported=False)
    )
    answer: Mapped[bytes | None] = mapped_column(
        info=held(DataClass.SECRET, "what was answered", sealed=True, exported=False)
    )
    created_at: Mapped[datetime] = mapped_column(info=held(DataClass.SECRET, "when", exported=False))
