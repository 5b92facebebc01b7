"""What is held of questions: sealed, under the account's own key where somebody has signed in."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.datamap import DataClass, Kept, held


class Question(Base):
    """A question, and its answer; without an account it is sealed under a key of the service's own."""

    __tablename__ = "questions"
    kept = Kept("received_at", 180, "delete", alone="questions")
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, info=held(DataClass.CASE, "the question's number")
    )
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("accounts.id"), index=True, info=held(DataClass.CASE, "who asks", exported=False)
    )
    question: Mapped[bytes] = mapped_column(info=held(DataClass.CASE, "what was asked", sealed=True))
    reply_to: Mapped[bytes | None] = mapped_column(
        info=held(DataClass.CASE, "where the answer is to go", sealed=True)
    )
    received_at: Mapped[datetime] = mapped_column(info=held(DataClass.CASE, "when it came in"))
    answer: Mapped[bytes | None] = mapped_column(info=held(DataClass.CASE, "what was answered", sealed=True))
    answered_at: Mapped[datetime | None] = mapped_column(info=held(DataClass.CASE, "when it was answered"))
