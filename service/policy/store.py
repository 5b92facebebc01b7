"""What is held of the policy: its versions, who accepted which, and who was told of a change."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.datamap import STAYS, Brief, DataClass, Kept, held

_OWN = held(DataClass.OWN, "what the policy says", personal=False)


class PolicyVersion(Base):
    """One version; never changed, and never swept: who accepted it must be able to read it."""

    __tablename__ = "policy_versions"
    kept = STAYS
    version: Mapped[str] = mapped_column(String(16), primary_key=True, info=_OWN)
    number: Mapped[int] = mapped_column(unique=True, info=_OWN)  # its place in the chain, from 1 on
    record: Mapped[str] = mapped_column(String(64), info=_OWN)  # digest of all of it and of the record before
    previous: Mapped[str | None] = mapped_column(String(16), unique=True, info=_OWN)
    package: Mapped[str] = mapped_column(String(64), info=_OWN)  # digest of the text that the package had
    digest: Mapped[str] = mapped_column(String(64), info=_OWN)
    text: Mapped[str] = mapped_column(Text, info=_OWN)
    registries: Mapped[dict[str, Any]] = mapped_column(JSON, info=_OWN)
    published_at: Mapped[datetime] = mapped_column(info=_OWN)
    effective_at: Mapped[datetime] = mapped_column(info=_OWN)
    material: Mapped[bool] = mapped_column(info=_OWN)
    reasons: Mapped[list[str]] = mapped_column(JSON, info=_OWN)


class Acceptance(Base):
    """That somebody accepted a version; without an account until they sign in."""

    __tablename__ = "acceptances"
    # Clause P-4: what nobody signed in with tells of nobody, and goes soon.
    kept = Kept("at", 730, "unlink", brief=Brief("token", 1 / 24))
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, info=held(DataClass.CHOICE, "the receipt's number")
    )
    token: Mapped[bytes | None] = mapped_column(
        unique=True, info=held(DataClass.CHOICE, "what binds it to who signs in next", exported=False)
    )
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("accounts.id"), index=True, info=held(DataClass.CHOICE, "whose it is", exported=False)
    )
    version: Mapped[str] = mapped_column(String(16), info=held(DataClass.CHOICE, "what was accepted"))
    digest: Mapped[str] = mapped_column(
        String(64), info=held(DataClass.CHOICE, "the digest of the text shown")
    )
    language: Mapped[str] = mapped_column(
        String(8), info=held(DataClass.CHOICE, "the language of the text shown")
    )
    at: Mapped[datetime] = mapped_column(info=held(DataClass.CHOICE, "when"))


class Notice(Base):
    """That an account was told something, and when it was seen; one number for all who were told at once."""

    __tablename__ = "notices"
    kept = Kept("at", 730, "delete")
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id"),
        primary_key=True,
        info=held(DataClass.PROOF, "who was told", exported=False),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True, info=held(DataClass.PROOF, "its number"))
    kind: Mapped[str] = mapped_column(String(16), info=held(DataClass.PROOF, "what it is about"))
    facts: Mapped[dict[str, str]] = mapped_column(JSON, info=held(DataClass.PROOF, "which change, which day"))
    at: Mapped[datetime] = mapped_column(info=held(DataClass.PROOF, "when"))
    read_at: Mapped[datetime | None] = mapped_column(info=held(DataClass.PROOF, "when it was seen"))
