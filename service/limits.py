"""Limits on how often: counters in the database, so that all replicas share them."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from service.clock import Clock
from service.database import Database
from service.errors import TooManyError
from service.ops.store import Count
from service.vault import Vault

_COUNTED: Final = select(Count.count.label("times"), Count.until).where(Count.mark == bindparam("mark"))


class Limits:
    """Counts, and refuses.

    Parameters
    ----------
    database : Database
        Where counters are.
    vault : Vault
        Makes their marks, which tell nothing.
    clock : function
        Tells the time.
    """

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database, self._vault, self._clock = database, vault, clock

    def spend(self, what: str, who: str, most: int, window: timedelta) -> None:
        """Count once more, and refuse where that is over the limit.

        Parameters
        ----------
        what, who : str
            A word of the code; an account, a number, a network. Only a keyed index of both is kept.
        most : int
            How often within the window.
        window : timedelta
            From the first time on.

        Raises
        ------
        TooManyError
            It is over the limit. It was counted all the same.
        """
        with self._database.begin() as session:
            row = self._row(session, what, who, window)
            row.count += 1
            count, until = row.count, row.until
        if count > most:
            raise self._refusal(until)

    def check(self, what: str, who: str, most: int) -> None:
        """Refuse where the limit has been reached, without counting; errors as in `spend`."""
        found = self._database.row(_COUNTED, {"mark": self._vault.index(f"count:{what}", who)})
        if found is not None and found.until > self._clock() and found.times >= most:
            raise self._refusal(found.until)

    def forget(self, what: str, who: str) -> None:
        """Begin again from nothing."""
        with self._database.begin() as session:
            session.execute(delete(Count).where(Count.mark == self._vault.index(f"count:{what}", who)))

    def _row(self, session: Session, what: str, who: str, window: timedelta) -> Count:
        mark, now = self._vault.index(f"count:{what}", who), self._clock()
        insert = insert_sqlite if self._database.is_sqlite else insert_postgresql
        session.execute(insert(Count).values(mark=mark, count=0, until=now + window).on_conflict_do_nothing())
        row = session.scalars(select(Count).where(Count.mark == mark).with_for_update()).one()
        if row.until <= now:
            row.count, row.until = 0, now + window
        return row

    def _refusal(self, until: datetime) -> TooManyError:
        wait = max((until - self._clock()).total_seconds(), 1.0)
        return TooManyError("too often; wait as long as Retry-After says", wait)
