"""What is held of accounts; what a person wrote, or could be found by, is sealed under the account's key."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.datamap import DataClass, Kept, held


class Account(Base):
    """An account: a random number, and little else in clear."""

    __tablename__ = "accounts"
    kept = Kept("active_at", 730, "delete", account="id")
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, info=held(DataClass.ACCOUNT, "the account's number")
    )
    phone: Mapped[bytes | None] = mapped_column(
        info=held(DataClass.ACCOUNT, "phone number, to sign in", sealed=True)
    )
    phone_index: Mapped[bytes | None] = mapped_column(
        LargeBinary(32),
        unique=True,
        info=held(DataClass.ACCOUNT, "finds the account by its number", exported=False),
    )
    handle: Mapped[bytes] = mapped_column(info=held(DataClass.ACCOUNT, "public name", sealed=True))
    handle_index: Mapped[bytes] = mapped_column(
        LargeBinary(32),
        unique=True,
        info=held(DataClass.ACCOUNT, "finds the account by its handle", exported=False),
    )
    role: Mapped[str] = mapped_column(
        String(8), default="user", info=held(DataClass.ACCOUNT, "user or operator")
    )
    created_at: Mapped[datetime] = mapped_column(info=held(DataClass.ACCOUNT, "when the account was made"))
    active_at: Mapped[datetime] = mapped_column(info=held(DataClass.ACCOUNT, "the day of its last use"))
    warned_at: Mapped[datetime | None] = mapped_column(
        info=held(DataClass.ACCOUNT, "when its owner was told that it goes if it stays unused")
    )
    locked_at: Mapped[datetime | None] = mapped_column(
        info=held(DataClass.ACCOUNT, "since when only a fresh code opens it")
    )


class SignIn(Base):
    """A session: a token that was given out, of which only a digest is kept."""

    __tablename__ = "sessions"
    kept = Kept("created_at", 30, "delete")
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, info=held(DataClass.SECRET, "the session's number")
    )
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id"), index=True, info=held(DataClass.SECRET, "whose it is", exported=False)
    )
    token: Mapped[bytes] = mapped_column(
        LargeBinary(32), unique=True, info=held(DataClass.SECRET, "digest of its token", exported=False)
    )
    method: Mapped[str] = mapped_column(String(16), info=held(DataClass.SECRET, "how one signed in"))
    client: Mapped[str] = mapped_column(String(16), info=held(DataClass.SECRET, "the family of the program"))
    network: Mapped[str] = mapped_column(String(50), info=held(DataClass.SECRET, "from which network"))
    created_at: Mapped[datetime] = mapped_column(info=held(DataClass.SECRET, "since when"))
    fresh_until: Mapped[datetime | None] = mapped_column(
        info=held(DataClass.SECRET, "until when a fresh code counts")
    )
    second_factor_at: Mapped[datetime | None] = mapped_column(
        info=held(DataClass.SECRET, "when the second factor was given")
    )


class ApiKey(Base):
    """An API key of an account's, for programs; with scopes, and revocable."""

    __tablename__ = "api_keys"
    kept = Kept("created_at", 730, "delete", alone="api keys")
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, info=held(DataClass.ACCOUNT, "the key's number")
    )
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id"), index=True, info=held(DataClass.ACCOUNT, "whose it is", exported=False)
    )
    token: Mapped[bytes] = mapped_column(
        LargeBinary(32), unique=True, info=held(DataClass.ACCOUNT, "digest of the key", exported=False)
    )
    label: Mapped[bytes] = mapped_column(info=held(DataClass.ACCOUNT, "what its owner calls it", sealed=True))
    scopes: Mapped[str] = mapped_column(String(200), info=held(DataClass.ACCOUNT, "what it may do"))
    created_at: Mapped[datetime] = mapped_column(info=held(DataClass.ACCOUNT, "since when"))


class Challenge(Base):
    """A code that was sent: its keyed digest, for five minutes and five tries."""

    __tablename__ = "challenges"
    kept = Kept("created_at", 5 / 1440, "nothing")
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, info=held(DataClass.SECRET, "its number", exported=False)
    )
    phone_index: Mapped[bytes] = mapped_column(
        LargeBinary(32), info=held(DataClass.SECRET, "to which number, as a keyed index", exported=False)
    )
    code: Mapped[bytes] = mapped_column(
        LargeBinary(32), info=held(DataClass.SECRET, "keyed digest of the code", exported=False)
    )
    tries: Mapped[int] = mapped_column(info=held(DataClass.SECRET, "how often it was tried", exported=False))
    used: Mapped[bool] = mapped_column(info=held(DataClass.SECRET, "whether it was used", exported=False))
    created_at: Mapped[datetime] = mapped_column(info=held(DataClass.SECRET, "when", exported=False))
