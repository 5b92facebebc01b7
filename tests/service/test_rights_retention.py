"""Nothing stays longer than its time: every table of the data map, under a clock that is moved."""

import json
import secrets
from datetime import timedelta

import pytest
from sqlalchemy import JSON, Boolean, Integer, LargeBinary, func, select

from service.accounts.store import Account
from service.caller import Caller
from service.database import Base, Moment
from service.datamap import CEILING, STAYS, kept_tables
from service.ops.store import Alarm
from service.parts import Parts
from service.policy.service import accept
from service.policy.store import Acceptance, Notice, PolicyVersion
from service.policy.versions import current
from service.retention import BRIEF, NOTICE, UNUSED, Keeper, sweep, sweep_tables
from service.rights.cases import Asking, open_case
from service.rights.store import Case
from service.tables import Base as All
from tests.service.moved import MovedClock, add_account, is_there, moved_parts

HOUR = timedelta(hours=1)
PHONE = "+8613900000001"


def a_value(column, now):
    """Make up a value for a column."""
    for kind, value in (
        (Moment, now),
        (Boolean, False),
        (Integer, secrets.randbelow(10**6)),
        (LargeBinary, secrets.token_bytes(32)),
        (JSON, []),
    ):
        if isinstance(column.type, kind):
            return value
    return secrets.token_hex(8)[: column.type.length or 16]


def fill(parts: Parts, account_id: str) -> None:
    """Put a row into every table, as old as now; one that points nowhere but to the account."""
    with parts.database.begin() as session:
        for table in All.metadata.sorted_tables:
            if table.name == "accounts":
                continue
            values = {
                column.name: account_id if column.foreign_keys else a_value(column, parts.clock())
                for column in table.columns
            }
            session.execute(table.insert().values(values))


def counts(parts: Parts) -> dict[str, int]:
    with parts.database.begin() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in All.metadata.sorted_tables
        }


@pytest.mark.clause(
    "1.4", "1.1.4", partly="730 days and an hour later no row of any table is older than its time"
)
def test_after_two_years_and_an_hour_nothing_is_older_than_its_time(tmp_path, database):
    clock = MovedClock()
    with moved_parts(tmp_path, clock, database()) as parts:
        fill(parts, add_account(parts, PHONE))
        assert all(counts(parts).values())
        clock.now += CEILING + HOUR
        sweep(parts)
        # All that is left is the receipt of the account, which had gone unused.
        left = {name: count for name, count in counts(parts).items() if name in kept_tables(All) and count}
        assert left == {"cancellations": 1}


@pytest.mark.clause("4.1a", "1.1.4", partly="each table's rows go at its own time, and not an hour before")
@pytest.mark.parametrize("table", sorted(set(kept_tables(All)) - {"accounts", "policy_versions"}))
def test_each_table_is_swept_at_its_own_time(tmp_path, table):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        account_id = add_account(parts, PHONE)
        fill(parts, account_id)
        kept = kept_tables(All)[table]
        days = kept.brief.days if kept.brief else kept.days
        start, margin = clock.now, min(HOUR, timedelta(days=days) / 2)
        clock.now = start + timedelta(days=days) - margin
        sweep_tables(parts)
        assert counts(parts)[table] == 1
        clock.now = start + timedelta(days=days) + margin
        sweep_tables(parts)
        assert counts(parts)[table] == 0
        assert is_there(parts, account_id)


def test_a_case_that_never_closed_goes_after_two_years_all_the_same(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        account_id = add_account(parts, PHONE)
        with parts.database.begin() as session:
            open_case(parts, session, account_id, Asking("question", text="Why?"), clock.now)
        clock.now += CEILING - HOUR
        sweep_tables(parts)
        assert counts(parts)["cases"] == 1
        clock.move(hours=2)
        sweep_tables(parts)
        assert counts(parts)["cases"] == 0


@pytest.mark.clause("P-4", partly="an acceptance that nobody signs in with is gone after an hour")
def test_what_nobody_signed_in_with_goes_within_minutes_of_its_hour(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        with parts.database.begin() as session:
            version = current(session, clock.now)
        accept(parts, Caller("192.0.2.0/24"), version.version, version.digest, "en")
        account_id = add_account(parts, PHONE)
        accept(parts, Caller("", account_id), version.version, version.digest, "en")
        clock.move(hours=1, minutes=1)
        assert sweep_tables(parts, brief=True)["acceptances"] == 1
        with parts.database.begin() as session:
            assert [one.account_id for one in session.scalars(select(Acceptance))] == [account_id]


def test_only_what_is_kept_briefly_is_swept_every_minute(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        fill(parts, add_account(parts, PHONE))
        clock.now += CEILING + HOUR
        swept = set(sweep_tables(parts, brief=True))
    brief = {
        name
        for name, kept in kept_tables(All).items()
        if timedelta(days=min(kept.days, kept.brief.days if kept.brief else kept.days)) <= BRIEF
    }
    assert {"challenges", "acceptances"} <= swept == brief


@pytest.mark.clause("1.4", partly="an account unused for two years is told a month before, and erased")
def test_an_unused_account_is_told_and_then_erased_and_a_used_one_is_not(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:

        def told():
            with parts.database.begin() as session:
                return [(one.account_id, one.kind, one.facts) for one in session.scalars(select(Notice))]

        unused, used = add_account(parts, PHONE), add_account(parts)
        start = clock.now
        clock.now = start + UNUSED - NOTICE - HOUR
        sweep(parts)
        assert told() == []
        clock.move(hours=2)
        with parts.database.begin() as session:
            session.get(Account, used).active_at = clock.now
        sweep(parts)
        sweep(parts)
        assert told() == [(unused, "inactive", {"date": f"{start + UNUSED:%Y-%m-%d}"})]
        clock.now = start + UNUSED + HOUR
        assert sweep(parts)["accounts unused"] == 1
        assert not is_there(parts, unused)
        assert is_there(parts, used)
        with parts.database.begin() as session:
            (document,) = session.scalars(select(All.metadata.tables["cancellations"].c.document))
        assert json.loads(document)["cause"] == "inactive"


def test_a_fault_in_one_table_keeps_no_other_from_its_time(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        fill(parts, add_account(parts, PHONE))
        with parts.database.begin() as session:
            session.connection().exec_driver_sql(
                "CREATE TRIGGER stuck BEFORE DELETE ON choices BEGIN SELECT RAISE(ABORT, 'stuck'); END"
            )
        clock.now += CEILING + HOUR
        assert "sessions" in sweep_tables(parts)
        with parts.database.begin() as session:
            assert session.get(Alarm, ("sweep failed", "choices")) is not None
        assert counts(parts)["choices"] == 1


def test_logs_and_tombstones_are_swept_too(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        account_id = add_account(parts, PHONE)
        parts.vault.erase(account_id)
        sweep(parts)  # which replays it, and logs
        (tmp_path / "logs" / f"{clock.now:%Y-%m-%d}.jsonl").write_text("{}\n")
        clock.now += CEILING + HOUR
        done = sweep(parts)
    assert (done["log files"], done["tombstones"]) == (1, 1)


def test_one_replica_sweeps_at_a_time(tmp_path, postgres):
    url = {"FACEKIT_DATABASE_URL": postgres.create(f"t{secrets.token_hex(6)}")}
    clock = MovedClock()
    with moved_parts(tmp_path, clock, url) as parts, moved_parts(tmp_path, clock, url) as other:
        with parts.database.alone(0x_FACE_0002, wait=True) as mine:
            assert mine
            assert sweep(other) == {}
        assert sweep(other) != {}


def test_the_keeper_sweeps_before_it_lets_go_on(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        account_id = add_account(parts, PHONE)
        clock.now += UNUSED + HOUR
        keeper = Keeper(parts)
        keeper.start()
        assert not is_there(parts, account_id)
        keeper.stop()


def test_the_sweep_knows_every_table():
    tables = {table.name for table in Base.metadata.sorted_tables}
    assert set(kept_tables(All)) == tables - {"policy_versions"}
    assert PolicyVersion.kept is STAYS  # who accepted a version must be able to read it
    assert Case.kept.at_latest == "received_at"
