"""What is held by those who run the service: what was sent to whom, and how often."""

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
