"""The sweep: nothing stays longer than the data map says. At start, every hour, and the brief every minute.

One replica sweeps at a time; all that it does can be done twice. Each table has a transaction of its own, and
a fault in one raises an alarm and keeps none of the others.
"""

import fcntl
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import ColumnElement, Table, delete, or_, select, update

from service.accounts.store import Account
from service.datamap import CEILING, Kept, kept_tables
from service.errors import GoneError
from service.ops.alarms import raise_alarm
from service.parts import Parts
from service.policy import notices
from service.rights.cancellation import cancel, replay
from service.rights.cases import catch_up
from service.rights.ending import running_file
from service.tables import Base

#: Clause 4.1a: an account that nobody has used for so long is erased; its owner is told a month before.
UNUSED: Final = timedelta(days=Account.kept.days)
NOTICE: Final = timedelta(days=30)
EVERY: Final = timedelta(hours=1)
#: What is kept for less than this is swept every minute.
BRIEF: Final = timedelta(hours=1)
_LOCK: Final = 0x_FACE_0002


def sweep(parts: Parts, *, wait: bool = False) -> dict[str, int]:
    """Do all that is due; return how much of each, or nothing where another replica is at it.

    Parameters
    ----------
    parts : Parts
        The parts.
    wait : bool
        Whether to wait for another replica, as at start.
    """
    with parts.database.alone(_LOCK, wait=wait) as is_mine:
        if not is_mine:
            return {}
        # What is owed to people first, and alarms before all: the rest may take long.
        done = catch_up(parts)
        done["accounts replayed"] = replay(parts)
        done["accounts told"], done["accounts unused"] = _unused(parts)
        done |= sweep_tables(parts)
        done["log files"] = parts.logs.sweep()
        done["tombstones"] = parts.vault.bury()
    return done


def sweep_tables(parts: Parts, *, brief: bool = False) -> dict[str, int]:
    """Delete what is older than its time: of all tables, or of those only that keep something briefly."""
    rules = kept_tables(Base)
    gone = {}
    for table in reversed(Base.metadata.sorted_tables):
        if (kept := rules.get(table.name)) is None:
            continue  # tells of nobody, and stays
        shortest = min(kept.days, kept.brief.days if kept.brief else kept.days)
        if table.name == Account.__tablename__ or (brief and timedelta(days=shortest) > BRIEF):
            continue  # accounts go by cancellation, with all they have
        gone[table.name] = _sweep_table(parts, table, kept)
    return {name: count for name, count in gone.items() if count}


def outdated(table: Table, kept: Kept, now: datetime) -> ColumnElement[bool]:
    """Return the condition that a row is older than its time."""
    age = table.c[kept.age]
    conditions = [age <= now - timedelta(days=kept.days)]
    if kept.at_latest:
        # Clause 1.4: also where what its time counts from never came.
        conditions.append(table.c[kept.at_latest] <= now - CEILING)
    if kept.brief:
        has_value = table.c[kept.brief.column].is_not(None)
        conditions.append(has_value & (age <= now - timedelta(days=kept.brief.days)))
    return or_(*conditions)


class Keeper:
    """Sweeps in the background, from `start` to `stop`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def start(self) -> None:
        """Sweep once, before anybody is let in; then go on in the background."""
        self._running = os.open(running_file(self._parts), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._running, fcntl.LOCK_SH)
        sweep(self._parts, wait=True)
        self._every(EVERY, lambda: sweep(self._parts))
        self._every(timedelta(minutes=1), self._brief)
        self._scheduler.start()

    def stop(self) -> None:
        """Let a sweep that is under way end, and stop."""
        self._scheduler.shutdown()
        os.close(self._running)

    def _brief(self) -> None:
        with self._parts.database.alone(_LOCK, wait=False) as is_mine:
            if is_mine:
                catch_up(self._parts)
                sweep_tables(self._parts, brief=True)

    def _every(self, interval: timedelta, do: Callable[[], object]) -> None:
        def guarded() -> None:
            try:
                do()
            except Exception as error:  # the next one has to come, whatever it is
                self._parts.logs.defect(error)

        self._scheduler.add_job(guarded, "interval", seconds=interval.total_seconds())


def _sweep_table(parts: Parts, table: Table, kept: Kept) -> int:
    try:
        with parts.database.begin() as session:
            found = session.execute(delete(table).where(outdated(table, kept, parts.clock())))
            return int(getattr(found, "rowcount", 0))
    except Exception as error:  # the other tables have their time, too
        parts.logs.defect(error)
        with parts.database.begin() as session:
            raise_alarm(parts, session, "sweep failed", table.name)
        return 0


def _unused(parts: Parts) -> tuple[int, int]:
    """Tell those who have not used their account for long; a month later, erase it."""
    now = parts.clock()
    with parts.database.begin() as session:
        day = Account.active_at
        untold = Account.warned_at.is_(None) | (Account.warned_at < day)
        due = (day <= now - UNUSED + NOTICE) & (day > now - UNUSED) & untold
        told = notices.tell(session, "inactive", {"date": f"{now + NOTICE:%Y-%m-%d}"}, now, due)
        session.execute(update(Account).where(due).values(warned_at=now))
        unused = session.scalars(select(Account.id).where(day <= now - UNUSED)).all()
    for account_id in unused:
        try:
            cancel(parts, account_id, "inactive")
        except GoneError:
            continue
    return told, len(unused)
