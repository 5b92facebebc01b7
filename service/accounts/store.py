"""What is held of accounts; what a person wrote, or could be found by, is sealed under the account's key."""

from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database import Base
from service.datamap import DataClass, Kept, held

Role: TypeAlias = Literal["user", "operator"]
Teller: TypeAlias = Literal["code", "carrier"]
Method: TypeAlias = Literal["code", "password", "one-click", "third-party"]


class Account(Base):
    """An account: a random number, and little else in clear."""

    __tablename__ = "accounts"
    kept = Kept("active_at", 730, "delete", account="id")
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, info=held(DataClass.ACCOUNT, "the account's number")
    )
    # Clause 1.3.1 p1 c: encrypted, and found by a keyed index.
    phone: Mapped[bytes | None] = mapped_column(
        info=held(DataClass.ACCOUNT, "phone number, to sign in", sealed=True)
    )
    phone_index: Mapped[bytes | None] = mapped_column(
        LargeBinary(32),
        unique=True,
        info=held(DataClass.ACCOUNT, "finds the account by its number", exported=False),
    )
    phone_from: Mapped[Teller | None] = mapped_column(
        String(10), info=held(DataClass.ACCOUNT, "who told the number: its owner by a code, or the carrier")
    )
    name: Mapped[bytes | None] = mapped_column(
        info=held(DataClass.ACCOUNT, "the name that its owner wants shown", sealed=True)
    )
    password: Mapped[bytes | None] = mapped_column(
        info=held(DataClass.ACCOUNT, "Argon2id hash of the password", sealed=True, exported=False)
    )
    handle: Mapped[bytes] = mapped_column(info=held(DataClass.ACCOUNT, "public name", sealed=True))
    handle_index: Mapped[bytes] = mapped_column(
        LargeBinary(32),
        unique=True,
        info=held(DataClass.ACCOUNT, "finds the account by its handle", exported=False),
    )
    role: Mapped[Role] = mapped_column(
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
    method: Mapped[Method] = mapped_column(String(16), info=held(DataClass.SECRET, "how one signed in"))
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


class Identity(Base):
    """Another account of the person's, with a provider that they chose, which signs them in."""

    __tablename__ = "identities"
    kept = Kept("used_at", 730, "delete")
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, info=held(DataClass.ACCOUNT, "its number", exported=False)
    )
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id"), index=True, info=held(DataClass.ACCOUNT, "whose it is", exported=False)
    )
    provider: Mapped[str] = mapped_column(String(20), info=held(DataClass.ACCOUNT, "with which provider"))
    # Clause 1.1.2: the one thing that comes from another party, and only where its owner let it.
    subject: Mapped[bytes] = mapped_column(
        info=held(DataClass.ACCOUNT, "the identifier there", sealed=True, third_party=True)
    )
    subject_index: Mapped[bytes] = mapped_column(
        LargeBinary(32),
        unique=True,
        info=held(DataClass.ACCOUNT, "finds the account by that identifier", exported=False),
    )
    created_at: Mapped[datetime] = mapped_column(info=held(DataClass.ACCOUNT, "since when"))
    used_at: Mapped[datetime] = mapped_column(info=held(DataClass.ACCOUNT, "when it last signed in"))


class Visit(Base):
    """That a browser was sent to a provider, and may come back once, within ten minutes."""

    __tablename__ = "visits"
    kept = Kept("created_at", 1, "nothing")
    state: Mapped[bytes] = mapped_column(
        LargeBinary(32),
        primary_key=True,
        info=held(DataClass.SECRET, "digest of what comes back", exported=False),
    )
    browser: Mapped[bytes] = mapped_column(
        LargeBinary(32), info=held(DataClass.SECRET, "digest of the browser's cookie", exported=False)
    )
    provider: Mapped[str] = mapped_column(
        String(20), info=held(DataClass.SECRET, "to which provider", exported=False)
    )
    acceptance: Mapped[str] = mapped_column(
        String(32), info=held(DataClass.SECRET, "with which acceptance of the policy", exported=False)
    )
    language: Mapped[str] = mapped_column(
        String(8), info=held(DataClass.SECRET, "the language of the consent shown", exported=False)
    )
    digest: Mapped[str] = mapped_column(
        String(64), info=held(DataClass.SECRET, "the digest of the consent shown", exported=False)
    )
    created_at: Mapped[datetime] = mapped_column(info=held(DataClass.SECRET, "when", exported=False))


class SecondFactor(Base):
    """A secret in an authenticator, whose codes operators give beside their first factor."""

    __tablename__ = "second_factors"
    kept = Kept("used_at", 730, "delete")
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id"),
        primary_key=True,
        info=held(DataClass.ACCOUNT, "whose it is", exported=False),
    )
    secret: Mapped[bytes] = mapped_column(
        info=held(DataClass.ACCOUNT, "the secret", sealed=True, exported=False)
    )
    confirmed_at: Mapped[datetime | None] = mapped_column(
        info=held(DataClass.ACCOUNT, "since when it counts")
    )
    step: Mapped[int] = mapped_column(
        BigInteger, info=held(DataClass.ACCOUNT, "the last code's place in time", exported=False)
    )
    used_at: Mapped[datetime] = mapped_column(info=held(DataClass.ACCOUNT, "when it was last used"))


class Picture(Base):
    """The picture that a person shows of themselves: made anew from pixels, and never looked at."""

    __tablename__ = "avatars"
    kept = Kept("used_at", 730, "delete", alone="avatar")
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id"),
        primary_key=True,
        info=held(DataClass.ACCOUNT, "whose it is", exported=False),
    )
    picture: Mapped[bytes] = mapped_column(info=held(DataClass.ACCOUNT, "the picture", sealed=True))
    used_at: Mapped[datetime] = mapped_column(info=held(DataClass.ACCOUNT, "the day it was last shown"))


class Device(Base):
    """The little that is known of a device. There is no column for an identifier of its hardware."""

    __tablename__ = "devices"
    kept = Kept("used_at", 180, "delete", alone="device")
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id"),
        primary_key=True,
        info=held(DataClass.DEVICE, "whose it is", exported=False),
    )
    os: Mapped[bytes] = mapped_column(info=held(DataClass.DEVICE, "its system", sealed=True))
    os_version: Mapped[bytes] = mapped_column(info=held(DataClass.DEVICE, "its version", sealed=True))
    app_version: Mapped[bytes] = mapped_column(info=held(DataClass.DEVICE, "the app's version", sealed=True))
    locale: Mapped[bytes] = mapped_column(info=held(DataClass.DEVICE, "its language", sealed=True))
    install_id: Mapped[bytes] = mapped_column(
        info=held(DataClass.DEVICE, "a random number that its owner can reset", sealed=True)
    )
    used_at: Mapped[datetime] = mapped_column(info=held(DataClass.DEVICE, "when it last said so"))


def mark_used(session: Session, account_id: str, now: datetime) -> None:
    """Note the day on which an account was used for what it is there for.

    Parameters
    ----------
    session : Session
        The caller's transaction.
    account_id : str
        Whose.
    now : datetime
        The time; written at most once a day.
    """
    # Clause 1.4: the time counts from the last necessary use, and signing in alone is none.
    session.execute(
        update(Account)
        .where(Account.id == account_id, Account.active_at < now - timedelta(days=1))
        .values(active_at=now)
    )
