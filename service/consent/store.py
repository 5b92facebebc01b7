"""What is held of consents and permissions: every choice, as it was made; nothing is changed afterwards."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.datamap import DataClass, Kept, held


class Choice(Base):
    """That somebody turned something on or off."""

    __tablename__ = "choices"
    __table_args__ = (UniqueConstraint("account_id", "number"),)
    kept = Kept("at", 730, "unlink")
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, info=held(DataClass.CHOICE, "the receipt's number")
    )
    number: Mapped[int] = mapped_column(
        index=True, info=held(DataClass.CHOICE, "in which order", personal=False)
    )
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("accounts.id"), index=True, info=held(DataClass.CHOICE, "whose it is", exported=False)
    )
    kind: Mapped[str] = mapped_column(String(10), info=held(DataClass.CHOICE, "purpose or permission"))
    name: Mapped[str] = mapped_column(String(40), info=held(DataClass.CHOICE, "what was chosen about"))
    granted: Mapped[bool] = mapped_column(info=held(DataClass.CHOICE, "on or off"))
    digest: Mapped[str] = mapped_column(
        String(64), info=held(DataClass.CHOICE, "the digest of the text shown")
    )
    version: Mapped[str] = mapped_column(String(16), info=held(DataClass.CHOICE, "the policy's version"))
    language: Mapped[str] = mapped_column(
        String(8), info=held(DataClass.CHOICE, "the language of the text shown")
    )
    method: Mapped[str] = mapped_column(String(10), info=held(DataClass.CHOICE, "by request or by a signal"))
    at: Mapped[datetime] = mapped_column(info=held(DataClass.CHOICE, "when"))
