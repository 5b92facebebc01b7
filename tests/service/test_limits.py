"""Limits: counted in the database, for all replicas, and by marks that tell nothing."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from service.clock import utc_now
from service.database import Database
from service.errors import TooManyError
from service.limits import Limits
from service.ops.store import Count
from service.vault import Vault

MINUTE = timedelta(minutes=1)


@pytest.fixture
def now():
    return [utc_now()]


@pytest.fixture
def limits(database, tmp_path, now):
    url = database().get("FACEKIT_DATABASE_URL", f"sqlite:///{tmp_path}/a.sqlite")
    made = Database(url)
    made.migrate()
    vault = Vault(f"sqlite:///{tmp_path}/keys.sqlite", tmp_path / "master.key", lambda: now[0])
    yield Limits(made, vault, lambda: now[0])
    made.close()
    vault.close()


def test_as_often_as_may_be_and_no_oftener_until_the_window_has_passed(limits, now):
    for _ in range(3):
        limits.spend("tries", "somebody", 3, MINUTE)
    now[0] += MINUTE / 2
    with pytest.raises(TooManyError) as caught:
        limits.spend("tries", "somebody", 3, MINUTE)
    assert caught.value.retry_after == 30
    now[0] += MINUTE / 2
    limits.spend("tries", "somebody", 3, MINUTE)


def test_one_does_not_use_up_what_another_may(limits):
    limits.spend("tries", "somebody", 1, MINUTE)
    limits.spend("tries", "somebody else", 1, MINUTE)
    limits.spend("codes", "somebody", 1, MINUTE)
    with pytest.raises(TooManyError):
        limits.spend("tries", "somebody", 1, MINUTE)


def test_checking_does_not_count_and_forgetting_begins_again(limits):
    limits.spend("tries", "somebody", 5, MINUTE)
    for _ in range(3):
        limits.check("tries", "somebody", 2)
    with pytest.raises(TooManyError):
        limits.check("tries", "somebody", 1)
    limits.forget("tries", "somebody")
    limits.check("tries", "somebody", 1)


def test_nothing_is_counted_twice_or_lost_where_many_come_at_once(limits):
    together, refused = Barrier(16), []

    def one():
        together.wait()
        try:
            limits.spend("tries", "somebody", 10, MINUTE)
        except TooManyError:
            refused.append(1)

    threads = [Thread(target=one) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 6


def test_what_is_counted_names_nobody(limits):
    limits.spend("codes to", "+8613900000000", 5, MINUTE)
    with limits._database.begin() as session:
        row = session.scalars(select(Count)).one()
    assert len(row.mark) == 32
    assert b"139" not in row.mark
