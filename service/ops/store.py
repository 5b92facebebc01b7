"""What is held by those who run the service: what was sent to whom, who looked, and what to look at."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.datamap import DataClass, Kept, held


class ShareEvent(Base):
    """That something was sent to another party; written before it was."""

    __tablename__ = "share_events"
    kept = Kept("at", 730, "unlink")
    id: Mapped[str] = mapped_column(String(32), primary_key=True, info=held(DataClass.PROOF, "its number"))
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("accounts.id"), index=True, info=held(DataClass.PROOF, "whom it is about", exported=False)
    )
    recipient: Mapped[str] = mapped_column(String(40), info=held(DataClass.PROOF, "to whom"))
    purpose: Mapped[str] = mapped_column(String(40), info=held(DataClass.PROOF, "what for"))
    fields: Mapped[str] = mapped_column(
        String(200), info=held(DataClass.PROOF, "which fields, without values")
    )
    basis: Mapped[str] = mapped_column(String(20), info=held(DataClass.PROOF, "on what ground"))
    at: Mapped[datetime] = mapped_column(info=held(DataClass.PROOF, "when"))


class Count(Base):
    """How often something was done in a window of time."""

    __tablename__ = "counts"
    kept = Kept("until", 1, "nothing")
    mark: Mapped[bytes] = mapped_column(
        LargeBinary(32),
        primary_key=True,
        info=held(DataClass.SECRET, "who did what, as a keyed index", exported=False),
    )
    count: Mapped[int] = mapped_column(info=held(DataClass.SECRET, "how often", exported=False))
    until: Mapped[datetime] = mapped_column(
        info=held(DataClass.SECRET, "until when it counts", exported=False)
    )


class Audit(Base):
    """That an operator read or changed something; each row holds the digest of the one before."""

    __tablename__ = "audit"
    kept = Kept("at", 730, "nothing")
    number: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, info=held(DataClass.PROOF, "in which order", exported=False)
    )
    operator: Mapped[str] = mapped_column(
        String(32), info=held(DataClass.PROOF, "which operator", exported=False)
    )
    deed: Mapped[str] = mapped_column(String(20), info=held(DataClass.PROOF, "what was done", exported=False))
    about: Mapped[str] = mapped_column(
        String(32), info=held(DataClass.PROOF, "which case, question, alarm or version", exported=False)
    )
    reason: Mapped[str] = mapped_column(String(20), info=held(DataClass.PROOF, "what for", exported=False))
    ticket: Mapped[bytes] = mapped_column(
        info=held(DataClass.PROOF, "the ticket, under the service's own key", exported=False)
    )
    at: Mapped[datetime] = mapped_column(info=held(DataClass.PROOF, "when", exported=False))
    previous: Mapped[bytes] = mapped_column(
        LargeBinary(32), info=held(DataClass.PROOF, "the digest of the row before", exported=False)
    )
    digest: Mapped[bytes] = mapped_column(
        LargeBinary(32), info=held(DataClass.PROOF, "keyed digest of all the above", exported=False)
    )


_OWN = held(DataClass.OWN, "tells those who run the service what to do", personal=False)


class Alarm(Base):
    """Something that somebody has to look at; one of each kind about each thing."""

    __tablename__ = "alarms"
    kept = Kept("raised_at", 180, "nothing")
    kind: Mapped[str] = mapped_column(String(20), primary_key=True, info=_OWN)
    about: Mapped[str] = mapped_column(String(40), primary_key=True, info=_OWN)
    raised_at: Mapped[datetime] = mapped_column(info=_OWN)
    seen_at: Mapped[datetime | None] = mapped_column(info=_OWN)


class Ending(Base):
    """That the service ends, and when; at most one row."""

    __tablename__ = "endings"
    kept = Kept("ends_at", 730, "nothing")
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=_OWN)
    announced_at: Mapped[datetime] = mapped_column(info=_OWN)
    ends_at: Mapped[datetime] = mapped_column(info=_OWN)
