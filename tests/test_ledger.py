"""The ledger of duties: what is written when, what is left of it, and whom it serves."""

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from facekit import ledger as ledger_module
from facekit.errors import ErasedError, PrivacyError
from facekit.ledger import Duty, Ledger

NOW = datetime(2026, 11, 24, 12, 0, 0, 123000, tzinfo=UTC)


def duty(file="a" * 32, job="J" * 22, kind="upload", late=0):
    return Duty(file, job, kind, "r" * 32, NOW, NOW + timedelta(seconds=late))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


def test_a_duty_comes_back_as_it_was_taken_on_the_earliest_first(path):
    late, soon = duty("b", late=9), duty("a", kind="result", late=1)
    for each in (late, soon):
        Ledger(path).add(each)
    assert Ledger(path).duties() == (soon, late)
    assert Ledger(path).duties("J" * 22) == (soon, late)
    assert Ledger(path).duties("K" * 22) == ()


def test_a_duty_that_has_been_done_goes_and_one_that_has_not_stays(path):
    ledger = Ledger(path)
    ledger.add(duty())
    assert not ledger.retire(duty().file, lambda: False)
    assert ledger.duties()
    assert ledger.retire(duty().file, lambda: True)
    assert ledger.duties() == ()
    assert ledger.retire(duty().file, lambda: True)  # again is no error


def test_a_file_is_created_only_while_its_duty_is_open(path):
    ledger = Ledger(path)
    ledger.add(duty())
    assert ledger.claim(duty().file, lambda: 7) == 7
    ledger.retire(duty().file, lambda: True)
    with pytest.raises(ErasedError, match="overdue already"):
        ledger.claim(duty().file, lambda: pytest.fail("created"))


def test_nobody_can_strike_out_a_duty_while_its_file_is_created(path, monkeypatch):
    monkeypatch.setattr(ledger_module, "_PATIENCE", 0.01)
    ledger = Ledger(path)
    ledger.add(duty())

    def create():
        with pytest.raises(PrivacyError, match="locked"):
            Ledger(path).retire(duty().file, lambda: True)

    ledger.claim(duty().file, create)
    assert ledger.duties()


def test_an_error_while_it_is_open_changes_nothing(path):
    ledger = Ledger(path)
    ledger.add(duty())
    with pytest.raises(OSError, match="gone wrong"):
        ledger.retire(duty().file, lambda: (_ for _ in ()).throw(OSError("gone wrong")))
    assert ledger.duties()


def test_a_duty_is_in_the_file_when_adding_returns(path):
    Ledger(path).add(duty())
    assert b"J" * 22 in path.read_bytes()


def everything(folder):
    return b"".join(entry.read_bytes() for entry in folder.iterdir())


def left_after_deleting(path):
    """Say whether a job's id is still in the ledger's files after its duty has gone."""
    ledger = Ledger(path)
    for number in range(40):
        ledger.add(duty(f"{number:032}", job=f"canary{number:016}"))
    assert b"canary" in everything(path.parent)
    for number in range(40):
        ledger.retire(f"{number:032}", lambda: True)
    return b"canary" in everything(path.parent)


@pytest.mark.clause("1.2.3c", partly="nothing of a job stays in the ledger of duties once they are done")
def test_nothing_of_a_job_is_left_in_the_ledger_or_its_journal(path):
    assert not left_after_deleting(path)


def test_the_same_look_finds_what_sqlite_leaves_when_it_is_not_told_to_overwrite(path, monkeypatch):
    careless = (("secure_delete", "OFF", 0), *ledger_module._PRAGMAS[1:])
    monkeypatch.setattr(ledger_module, "_PRAGMAS", careless)
    assert left_after_deleting(path)


@pytest.mark.parametrize(
    ("name", "answer"), [("secure_delete", 0), ("journal_mode", "wal"), ("synchronous", 1)]
)
def test_a_sqlite_that_does_not_hold_to_what_it_is_told_is_refused(path, monkeypatch, name, answer):
    real = ledger_module._value
    monkeypatch.setattr(
        ledger_module, "_value", lambda ledger, asked: answer if asked == name else real(ledger, asked)
    )
    with pytest.raises(PrivacyError, match=f"SQLite does not hold to {name} here"):
        Ledger(path)


def test_it_tells_sqlite_to_overwrite_truncate_and_sync(path):
    Ledger(path)
    opened = ledger_module._connect(f"{path.as_uri()}?mode=rw")
    held = [
        opened.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("secure_delete", "journal_mode", "synchronous")
    ]
    opened.close()
    assert held == [1, "truncate", 3]


def test_only_its_owner_can_read_it(path):
    before = os.umask(0)
    try:
        Ledger(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_database_and_what_is_none_are_refused(path):
    other = sqlite3.connect(path)
    other.execute("PRAGMA application_id = 7")
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(PrivacyError, match="got another database"):
        Ledger(path)
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(PrivacyError, match="cannot be used"):
        Ledger(path)


def test_a_ledger_that_has_vanished_does_not_come_back_empty(path):
    ledger = Ledger(path)
    path.unlink()
    with pytest.raises(PrivacyError, match="cannot be used"):
        ledger.add(duty())
    assert not path.exists()


def test_a_folder_that_is_missing_is_said_without_its_name(path):
    with pytest.raises(
        PrivacyError, match=r"^the ledger of duties cannot be opened \(No such file or directory\)$"
    ):
        Ledger(path / "x")


def test_many_can_begin_and_use_it_at_once(path):
    def use(number):
        ledger = Ledger(path)
        ledger.add(duty(str(number)))
        return ledger.retire(str(number), lambda: number % 2 == 0)

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(use, range(24)))
    assert done == [number % 2 == 0 for number in range(24)]
    assert {each.file for each in Ledger(path).duties()} == {str(number) for number in range(1, 24, 2)}
