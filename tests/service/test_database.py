"""The database: what deletion depends on is asked for, and looked at."""

from contextlib import suppress

import pytest
from sqlalchemy import text

from service import database
from service.database import PRAGMAS, Database
from service.errors import SetupError


@pytest.fixture
def opened(tmp_path):
    made = Database(f"sqlite:///{tmp_path}/a.sqlite")
    yield made
    made.close()


def test_sqlite_holds_what_it_is_asked_for(opened):
    with opened.begin() as session:
        found = {name: session.scalar(text(f"PRAGMA {name}")) for name in PRAGMAS}
    assert found == PRAGMAS


def test_sqlite_that_does_not_hold_it_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "PRAGMAS", PRAGMAS | {"secure_delete": 7})
    with pytest.raises(SetupError, match="secure_delete is 1, and has to be 7"):
        Database(f"sqlite:///{tmp_path}/a.sqlite")


@pytest.mark.clause("5.1b", partly="a row deleted from the embedded database is overwritten in its file")
def test_a_deleted_row_leaves_no_byte_in_the_files(opened, tmp_path):
    canary = "canary-" * 50
    with opened.begin() as session:
        session.execute(text("CREATE TABLE t (words TEXT)"))
        session.execute(text("INSERT INTO t VALUES (:words)"), {"words": canary})
    assert canary.encode() in files(tmp_path)
    with opened.begin() as session:
        session.execute(text("DELETE FROM t"))
    assert b"canary-" not in files(tmp_path)


def files(folder):
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_an_error_undoes_the_transaction(opened):
    with opened.begin() as session:
        session.execute(text("CREATE TABLE t (n INTEGER)"))
    with suppress(ZeroDivisionError), opened.begin() as session:
        session.execute(text("INSERT INTO t VALUES (1)"))
        raise ZeroDivisionError
    with opened.begin() as session:
        assert session.scalar(text("SELECT count(*) FROM t")) == 0


def test_a_transaction_within_a_transaction_is_refused_before_it_waits_for_itself(opened):
    with opened.begin(), pytest.raises(RuntimeError, match="within"), opened.begin():
        pass
    with opened.begin() as session:
        assert session.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("not an address", "expected sqlite"),
        ("mysql://host/name", "got mysql"),
        ("postgresql://nobody@127.0.0.1:9/none", "does not answer"),
        ("sqlite:////no/such/folder/a.sqlite", "does not answer"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_words(url, said):
    with pytest.raises(SetupError, match=said):
        Database(url)
