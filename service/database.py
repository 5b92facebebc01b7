"""The database: SQLite in the data folder, or PostgreSQL; and the base of all tables.

With SQLite a deleted row is overwritten in the file (``secure_delete``), and the journal is cut to
nothing after each transaction; both are asked for and then looked at, for neither is certain.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import DateTime, Dialect, Engine, Executable, LargeBinary, Row, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from service.errors import GoneError, SetupError

#: What SQLite is asked for, and must answer.
PRAGMAS: Final = {"secure_delete": 1, "journal_mode": "truncate", "foreign_keys": 1, "synchronous": 2}
_LOCK: Final = 0x_FACE_0001  # PostgreSQL's advisory lock for migrations


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, also where the database keeps none with a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Hand the database a moment in UTC."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without its zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Give the moment its zone back."""
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


class Base(DeclarativeBase):
    """The base of all tables."""

    type_annotation_map = {datetime: Moment, bytes: LargeBinary}  # noqa: RUF012 (SQLAlchemy's)


class Database:
    """Sessions, each one transaction.

    Parameters
    ----------
    url : str
        ``sqlite:///path`` or ``postgresql+psycopg://...``.

    Raises
    ------
    SetupError
        The address is none, nobody answers there, or SQLite does not hold what it is asked for.
    """

    def __init__(self, url: str) -> None:
        self.engine = engine_for(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # One transaction at a time: readers and writers of one SQLite file would wait for each other in
        # steps of many milliseconds, where a lock takes none.
        self._turn = threading.RLock() if self.is_sqlite else nullcontext()
        self._mine = threading.local()

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Open a transaction; it is committed on leaving, and undone by an error.

        Raises
        ------
        RuntimeError
            This thread is in one already: the two would wait for each other.
        GoneError
            What a new row belongs to, which is an account, was erased meanwhile.
        """
        with self._one(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def row(self, statement: Executable, given: Mapping[str, Any]) -> Row[Any] | None:
        """Read a row in a transaction of its own, in a third of the time that a session takes.

        Parameters
        ----------
        statement : Executable
            Made once, with parameters by name.
        given : mapping
            Their values.

        Raises
        ------
        RuntimeError
            As in `begin`.
        """
        with self._one(), self.engine.begin() as connection:
            return connection.execute(statement, given).first()

    @contextmanager
    def _one(self) -> Iterator[None]:
        if getattr(self._mine, "open", False):
            raise RuntimeError("a transaction within a transaction")
        with self._turn:
            self._mine.open = True
            try:
                yield
            except IntegrityError as error:
                if "foreign key" in str(error.orig).lower():
                    raise GoneError("what this belongs to has been erased") from None
                raise
            finally:
                self._mine.open = False

    def take_turn(self, session: Session, lock: int) -> None:
        """Have the transactions that take this lock come one after the other, in all replicas."""
        if not self.is_sqlite:  # which has one writer at a time
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})

    @contextmanager
    def alone(self, lock: int, *, wait: bool) -> Iterator[bool]:
        """Do something in one replica at a time; says whether it is this one's turn.

        Parameters
        ----------
        lock : int
            Which thing.
        wait : bool
            Whether to wait for the turn; it then comes.
        """
        if self.is_sqlite:  # one machine, and one transaction at a time
            yield True
            return
        ask = "SELECT pg_advisory_lock(:lock)" if wait else "SELECT pg_try_advisory_lock(:lock)"
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            mine = connection.scalar(text(ask), {"lock": lock}) is not False
            try:
                yield mine
            finally:
                if mine:
                    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": lock})

    def migrate(self) -> None:
        """Bring the tables to this release's form; several replicas may start at once."""
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._turn, self.engine.connect() as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def engine_for(url: str) -> Engine:
    """Make an engine, and see that it holds what is asked of it.

    Parameters
    ----------
    url : str
        As in `Database`.

    Returns
    -------
    Engine
        Connected once.

    Raises
    ------
    SetupError
        As in `Database`.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SetupError("FACEKIT_DATABASE_URL: expected sqlite:///PATH or postgresql://...") from None
    name = parsed.get_backend_name()
    if name == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, pool_size=16, pool_pre_ping=True, hide_parameters=True)
    elif name == "sqlite":
        engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": 10})
        event.listen(engine, "connect", _ask)
        event.listen(engine, "begin", _begin_at_once)
    else:
        raise SetupError(f"FACEKIT_DATABASE_URL: expected SQLite or PostgreSQL, got {name}")
    try:
        with engine.connect():
            return engine
    except OperationalError:
        raise SetupError(f"the database does not answer; is the {name} of FACEKIT_DATABASE_URL up?") from None


def _ask(connection: Any, _: object) -> None:
    """Ask SQLite for what deletion depends on, and look whether it does it."""
    connection.isolation_level = None  # this module begins transactions, not the driver
    for name, wanted in PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {wanted}")
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        # Clause 1.2.2(4)b holds for what is deleted from a database, too.
        if found != wanted:
            raise SetupError(f"SQLite: PRAGMA {name} is {found}, and has to be {wanted}")


def _begin_at_once(connection: Any) -> None:
    """Take the write lock first: a reader that turned writer would fail where another was quicker."""
    connection.connection.driver_connection.execute("BEGIN IMMEDIATE")
