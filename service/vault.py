"""The vault: a data key for each account, apart from the database; to erase the key is to erase the account.

Personal columns are sealed with AES-256-GCM under the account's own key, bound to the column and the
account. Keys lie in a store of their own, wrapped by the master key, and belong in no backup: so a backup
of the database holds nothing readable of an account whose key has gone. What is looked up by value has a
keyed index beside it (HMAC-SHA-256), never the value.

A key that has gone leaves a tombstone, an HMAC of the account's id, so that a restored backup can be
purged of the account (`erased`), and so that a lost key store is not taken for a wish to erase all.

References
----------
.. [1] Dworkin, "Recommendation for Block Cipher Modes of Operation: GCM and GMAC", NIST SP 800-38D, 2007.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary, String, bindparam, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from service.clock import Clock
from service.database import Database, Moment
from service.errors import GoneError, SetupError

KEY_SIZE: Final = 32
_NONCE: Final = 12
_VERSION: Final = b"\x01"
#: Tombstones outlive every backup that could hold the account.
_TOMBSTONE: Final = timedelta(days=730)


class _Base(DeclarativeBase):
    type_annotation_map = {datetime: Moment, bytes: LargeBinary}  # noqa: RUF012 (SQLAlchemy's)


class _DataKey(_Base):
    __tablename__ = "data_keys"
    account_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    wrapped: Mapped[bytes]


_WRAPPED: Final = select(_DataKey.wrapped).where(_DataKey.account_id == bindparam("account"))


class _NamedKey(_Base):
    __tablename__ = "named_keys"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    wrapped: Mapped[bytes]
    made_at: Mapped[datetime]


class _Tombstone(_Base):
    __tablename__ = "tombstones"
    mark: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    erased_at: Mapped[datetime]


class Vault:
    """Keys, and what is done with them; they never leave it.

    Parameters
    ----------
    url : str
        Of the key store, as in `Database`.
    master : Path
        The master key's file; made, for its owner alone, where there is none and no key store either.
    clock : function
        Tells the time.

    Raises
    ------
    SetupError
        The master key is missing, open to others, of another size, or not the one of this key store.
    """

    def __init__(self, url: str, master: Path, clock: Clock) -> None:
        self._database, self._clock = Database(url), clock
        _Base.metadata.create_all(self._database.engine)
        with self._database.begin() as session:
            is_new = session.scalar(select(_NamedKey.name).limit(1)) is None
        self._master = AESGCM(_master_key(master, may_make=is_new))
        self._index = self.named_key("index")
        self._marks = self.named_key("tombstones")

    # -- accounts ----------------------------------------------------------------------------

    def add(self, account_id: str) -> None:
        """Make the key of a new account."""
        wrapped = self._wrap(secrets.token_bytes(KEY_SIZE), f"account:{account_id}")
        with self._database.begin() as session:
            session.add(_DataKey(account_id=account_id, wrapped=wrapped))

    def seal(self, account_id: str, column: str, value: str | bytes) -> bytes:
        """Encrypt a value for one column of one account.

        Parameters
        ----------
        account_id : str
            Whose key.
        column : str
            "table.column", to which the value is bound.
        value : str or bytes
            What to encrypt.

        Raises
        ------
        GoneError
            The account has been erased.
        """
        data = value.encode() if isinstance(value, str) else value
        return _seal(AESGCM(self._key(account_id)), data, f"{column}:{account_id}")

    def open(self, account_id: str, column: str, sealed: bytes) -> bytes:
        """Decrypt what `seal` has made; the same arguments, and the same errors."""
        return _open(AESGCM(self._key(account_id)), sealed, f"{column}:{account_id}")

    def opener(self, account_id: str) -> Callable[[str, bytes | None], str | None]:
        """Return what opens texts of one account, by column and sealed value; its key is looked up once."""
        cipher = AESGCM(self._key(account_id))

        def opened(column: str, sealed: bytes | None) -> str | None:
            return None if sealed is None else _open(cipher, sealed, f"{column}:{account_id}").decode()

        return opened

    def open_text(self, account_id: str, column: str, sealed: bytes | None) -> str | None:
        """Decrypt a text; nothing for nothing."""
        return None if sealed is None else self.open(account_id, column, sealed).decode()

    def erase(self, account_id: str) -> None:
        """Destroy an account's key: what it sealed, wherever a copy lies, cannot be read any more."""
        with self._database.begin() as session:
            session.execute(delete(_DataKey).where(_DataKey.account_id == account_id))
            session.merge(_Tombstone(mark=self._mark(account_id), erased_at=self._clock()))

    def erased(self, account_ids: Iterable[str]) -> tuple[str, ...]:
        """Return those accounts that were erased, as a restored backup may still hold them.

        Raises
        ------
        SetupError
            One has neither a key nor a tombstone: the key store is not the one of this database.
        """
        wanted = tuple(account_ids)
        with self._database.begin() as session:
            alive = set(session.scalars(select(_DataKey.account_id)))
            gone = set(session.scalars(select(_Tombstone.mark)))
        without = tuple(one for one in wanted if one not in alive)
        if any(self._mark(one) not in gone for one in without):
            raise SetupError(
                "the key store lacks keys of accounts in the database, which nobody erased: "
                "FACEKIT_KEYS_URL or FACEKIT_DATA is not the one that belongs to this database"
            )
        return without

    def bury(self) -> int:
        """Drop tombstones that no backup can need any more; return how many."""
        with self._database.begin() as session:
            found = session.execute(
                delete(_Tombstone).where(_Tombstone.erased_at < self._clock() - _TOMBSTONE)
            )
            return int(getattr(found, "rowcount", 0))

    # -- the service's own --------------------------------------------------------------------

    def index(self, kind: str, value: str) -> bytes:
        """Return the keyed index of a value: equal for equal values, and telling nothing without the key."""
        return hmac.digest(self._index, f"{kind}:{value}".encode(), hashlib.sha256)

    def named_key(self, name: str) -> bytes:
        """Return one of the service's own keys; made when first asked for."""
        with self._database.begin() as session:
            found = session.get(_NamedKey, name)
            if found is not None:
                return _unwrap(self._master, found.wrapped, f"named:{name}")
            key = secrets.token_bytes(KEY_SIZE)
            session.add(_NamedKey(name=name, wrapped=self._wrap(key, f"named:{name}"), made_at=self._clock()))
            return key

    def named_key_age(self, name: str) -> timedelta:
        """Say how old one of the service's own keys is; nothing where there is none."""
        with self._database.begin() as session:
            found = session.get(_NamedKey, name)
            return timedelta() if found is None else self._clock() - found.made_at

    def seal_own(self, column: str, value: str) -> bytes:
        """Encrypt a value of the service's own, of no account's, for one column."""
        return _seal(AESGCM(self.named_key("own")), value.encode(), f"{column}:own")

    def open_own(self, column: str, sealed: bytes) -> str:
        """Decrypt what `seal_own` has made."""
        return _open(AESGCM(self.named_key("own")), sealed, f"{column}:own").decode()

    def drop_named_key(self, name: str) -> None:
        """Destroy one of the service's own keys."""
        with self._database.begin() as session:
            session.execute(delete(_NamedKey).where(_NamedKey.name == name))

    def erase_all(self) -> None:
        """Destroy the keys of all accounts, each leaving its tombstone."""
        now = self._clock()
        with self._database.begin() as session:
            for account_id in session.scalars(select(_DataKey.account_id)).all():
                session.merge(_Tombstone(mark=self._mark(account_id), erased_at=now))
            session.execute(delete(_DataKey))

    def destroy(self) -> None:
        """Destroy every key and tombstone: nothing that was sealed or indexed can be read again."""
        with self._database.begin() as session:
            for table in (_DataKey, _NamedKey, _Tombstone):
                session.execute(delete(table))

    def close(self) -> None:
        """Let go of the key store."""
        self._database.close()

    def _wrap(self, key: bytes, what: str) -> bytes:
        return _seal(self._master, key, what)

    def _mark(self, account_id: str) -> bytes:
        return hmac.digest(self._marks, account_id.encode(), hashlib.sha256)

    def _key(self, account_id: str) -> bytes:
        found = self._database.row(_WRAPPED, {"account": account_id})
        if found is None:
            raise GoneError("this account has been erased")
        return _unwrap(self._master, found.wrapped, f"account:{account_id}")


def _seal(cipher: AESGCM, data: bytes, what: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return _VERSION + nonce + cipher.encrypt(nonce, data, _VERSION + what.encode())


def _open(cipher: AESGCM, sealed: bytes, what: str) -> bytes:
    version, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    return cipher.decrypt(nonce, rest, version + what.encode())


def _unwrap(master: AESGCM, wrapped: bytes, what: str) -> bytes:
    try:
        return _open(master, wrapped, what)
    except InvalidTag:
        raise SetupError(
            "FACEKIT_MASTER_KEY_FILE: this is not the key that the key store was made with"
        ) from None


def _master_key(path: Path, *, may_make: bool) -> bytes:
    if not path.exists():
        if not may_make:
            raise SetupError(
                "FACEKIT_MASTER_KEY_FILE: the key store needs its master key, which is not there"
            )
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(file, secrets.token_bytes(KEY_SIZE))
            os.fsync(file)
        finally:
            os.close(file)
    if path.stat().st_mode & 0o077:
        raise SetupError("FACEKIT_MASTER_KEY_FILE: others may read it; chmod 600 it")
    key = path.read_bytes()
    if len(key) != KEY_SIZE:
        raise SetupError(f"FACEKIT_MASTER_KEY_FILE: expected {KEY_SIZE} bytes, got {len(key)}")
    return key
