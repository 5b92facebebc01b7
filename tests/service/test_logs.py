"""Logs: a closed schema, which nothing that came in gets through; and pseudonyms that end."""

import json
import logging
import string
import subprocess
import sys
import warnings
from dataclasses import dataclass, fields
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.logs import (
    DAYS,
    EVENTS,
    FAMILIES,
    METHODS,
    ROTATION,
    Deed,
    Defect,
    Event,
    Logs,
    Request,
    client_family,
    size_range,
)
from service.vault import Vault
from tests.service.moved import MovedClock

CANARY = "canary-4731"
GOOD = Request(
    method="GET",
    route="/v1/jobs/{id}/photo",
    status=200,
    milliseconds=3,
    network="192.0.2.0/24",
    client="curl",
    account="0123456789abcdef",
    size="<=1024",
)
LINE = {"at", "event"} | {one.name for one in fields(Request)}


@pytest.fixture
def clock():
    return MovedClock()


@pytest.fixture
def vault(tmp_path, clock):
    made = Vault(f"sqlite:///{tmp_path}/keys.sqlite", tmp_path / "master.key", clock)
    yield made
    made.close()


@pytest.fixture
def logs(tmp_path, vault, clock):
    return Logs(tmp_path / "logs", vault, clock)


def written(logs):
    return "".join(path.read_text() for path in sorted(logs._folder.glob("*.jsonl")))


# -- the schema -------------------------------------------------------------------------------


@pytest.mark.clause("1.3.2(1)", "1.1.3", partly="a line has the fields of its event, and no other")
def test_a_line_holds_the_events_fields_and_nothing_else(logs, clock):
    logs.write(GOOD)
    line = json.loads(written(logs))
    assert set(line) == LINE
    assert line["at"] == clock.now.isoformat(timespec="milliseconds")
    forbidden = {"lat", "lon", "location", "cell", "ssid", "imei", "mac", "carrier", "query", "path", "body"}
    assert not forbidden & {one.name for event in EVENTS for one in fields(event)}


@pytest.mark.clause("1.3.2(1)", partly="an event that is not in the schema cannot be written")
def test_an_unknown_event_is_refused(logs):
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Search(Event):
        name = "search"
        words: str

    @dataclass(frozen=True, slots=True, kw_only=True)
    class More(Deed):
        words: str

    for other in (Search(words=CANARY), More(deed="x", words=CANARY), {"event": CANARY}, CANARY):
        with pytest.raises((TypeError, AttributeError)) as caught:
            logs.write(other)
        assert CANARY not in str(caught.value)
    with pytest.raises(TypeError):
        Deed(deed="x", words=CANARY)
    assert written(logs) == ""


def other_values():
    """Values that no field should take as they are: any text, numbers of all kinds, bytes, containers."""
    return st.one_of(
        st.text(),
        st.text(string.printable, max_size=20),
        st.integers(),
        st.floats(),
        st.booleans(),
        st.binary(),
        st.none(),
        st.lists(st.text()),
        st.sampled_from([CANARY, "+8613900000000", "a@b.example", "GET\n", "/v1/me?q=x", "192.0.2.7", "１"]),
    )


@pytest.mark.clause("1.3.2(1)", partly="no field takes a text that is not of its form")
@pytest.mark.parametrize(
    ("event", "name"),
    [(GOOD, one.name) for one in fields(Request)]
    + [
        (Defect(kind="KeyError", where="app.build:3"), "kind"),
        (Defect(kind="KeyError", where="app.build:3"), "where"),
        (Deed(deed="swept", count=3), "deed"),
        (Deed(deed="swept", count=3), "account"),
        (Deed(deed="swept", count=3), "count"),
    ],
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_gets_into_a_field_is_of_its_form_or_is_refused(logs, event, name, data):
    value = data.draw(other_values())
    wanted = {one.name: getattr(event, one.name) for one in fields(event)} | {name: value}
    before = written(logs)
    try:
        logs.write(type(event)(**wanted))
    except TypeError as error:
        said = str(error)
    else:
        said = None
    if said is not None:
        assert written(logs) == before
        assert not (isinstance(value, str) and len(value) > 6 and value in said)
        return
    line = json.loads(written(logs).removeprefix(before))
    assert line[name] == value
    assert (type(value) is int and 0 <= value <= 10**9) or fits(name, value), name


def fits(name, value):
    """What a text in a log can be, said once more and otherwise than the schema says it."""
    letters, digits = set(string.ascii_letters), set(string.digits)
    rules = {
        "method": lambda: value in METHODS,
        "client": lambda: value in FAMILIES,
        "route": lambda: value == "" or (value[0] == "/" and set(value) <= letters | digits | set("/{}_.:-")),
        "network": lambda: set(value) <= set("0123456789abcdef.:/"),
        "account": lambda: value == "" or (len(value) == 16 and set(value) <= set("0123456789abcdef")),
        "size": lambda: set(value) <= digits | set("<>="),
        "kind": lambda: set(value) <= letters | digits | set("_."),
        "where": lambda: value == "unknown" or value.rpartition(":")[2].isdigit(),
        "deed": lambda: len(value) <= 40 and set(value) <= letters | digits | set(" ._-"),
    }
    return type(value) is str and "\n" not in value and rules[name]()


@given(st.text())
def test_what_a_client_says_of_itself_ends_up_in_a_closed_list(said):
    assert client_family(said) in FAMILIES
    assert set(size_range(said)) <= set(string.digits + "<>=")


# -- what crashes and what libraries say ----------------------------------------------------------


def crash(words):
    secret = f"{words} in a variable"
    try:
        {}[secret]
    except KeyError as error:
        raise RuntimeError(f"failed with {words}") from error


@pytest.mark.clause(
    "1.3.2(3)", partly="what the service notes of a crash holds no message, argument or variable"
)
def test_a_crash_is_named_by_its_place_and_none_of_its_values(logs):
    with pytest.raises(RuntimeError, match=CANARY) as caught:
        crash(CANARY)
    logs.defect(caught.value)
    line = json.loads(written(logs))
    assert (line["event"], line["kind"]) == ("defect", "RuntimeError")
    assert line["where"].startswith("test_logs.crash:")
    assert CANARY not in written(logs)


def test_a_kind_of_error_that_was_named_by_what_came_in_has_no_name(logs):
    logs.defect(type(f"Error {CANARY}", (Exception,), {})())
    assert json.loads(written(logs)) | {"at": ""} == {
        "at": "",
        "event": "defect",
        "kind": "unknown",
        "where": "unknown",
    }


TAKEN = """
import asyncio, logging, sys, threading, warnings
from pathlib import Path
from service.logs import Logs, take_over
from service.vault import Vault
from service.clock import utc_now

folder, canary = Path(sys.argv[1]), sys.argv[2]
for name in ("uvicorn.error", "uvicorn.access"):  # as who configured them before
    logging.getLogger(name).addHandler(logging.StreamHandler())
    logging.getLogger(name).propagate = False
vault = Vault(f"sqlite:///{folder}/keys.sqlite", folder / "master.key", utc_now)
logs = Logs(folder / "logs", vault, utc_now)
take_over(logs)
names = ["uvicorn", "uvicorn.error", "uvicorn.access", "sqlalchemy.engine.Engine", "sqlalchemy.pool",
         "alembic.runtime.migration", "asyncio", "httpx", "httpcore", "concurrent.futures",
         "apscheduler.executors", "python_multipart", "anything.else"]
for name in names:
    logger = logging.getLogger(name)
    logger.info("info %s", canary)
    logger.warning("warning %s", canary)
    logger.error("too few %s %s", canary)  # a mistake in the message itself
    try:
        raise ValueError(canary)
    except ValueError:
        logger.exception("exception %s", canary, extra={"more": canary}, stack_info=True)
warnings.warn(canary)

class Thing:
    def __del__(self):
        raise ValueError(canary)

Thing()
thread = threading.Thread(target=lambda: 1 / len(canary[:0]) if canary else None, name=canary)
thread.start()
thread.join()

async def forgotten():
    async def fails():
        raise ValueError(canary)
    task = asyncio.get_running_loop().create_task(fails(), name=canary)
    await asyncio.sleep(0)
    del task

asyncio.run(forgotten())
import gc; gc.collect()
raise RuntimeError(canary)
"""


@pytest.mark.clause("1.3.2(1)", partly="what libraries log goes through the schema, and none of its words do")
def test_what_libraries_log_and_nobody_catches_leaves_no_words(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", TAKEN, str(tmp_path), CANARY], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert (done.stdout, done.stderr) == ("", "")
    text = "".join(path.read_text() for path in (tmp_path / "logs").glob("*.jsonl"))
    lines = [json.loads(line) for line in text.splitlines()]
    assert CANARY not in text
    assert all(set(line) == {"at", "event", "kind", "where"} for line in lines)
    places = {line["where"].rpartition(":")[0] for line in lines}
    assert {"uvicorn.error", "asyncio", "anything.else", "sqlalchemy.pool", "py.warnings"} <= places | {
        "asyncio"
    }
    kinds = [line["kind"] for line in lines]
    assert kinds.count("warning") >= 13 + 1
    assert kinds.count("ValueError") >= 13 + 2  # logged, and in a finaliser and a task that nobody awaited
    assert "ZeroDivisionError" in kinds
    assert kinds[-1] == "RuntimeError"


# -- pseudonyms -----------------------------------------------------------------------------------


def test_an_account_has_one_name_in_the_logs_that_is_not_its_number(logs):
    one, other = "a" * 32, "b" * 32
    assert logs.pseudonym(one) == logs.pseudonym(one) != logs.pseudonym(other)
    assert logs.pseudonym("") == ""
    assert one[:16] != logs.pseudonym(one)


@pytest.mark.clause(
    "1.3.2(4)b", partly="the key of pseudonyms is replaced after 90 days, and its bytes are gone"
)
def test_a_pseudonym_ends_with_its_key_which_is_nowhere_any_more(logs, vault, clock, tmp_path):
    account = "a" * 32
    old_key = vault.named_key("pseudonyms")
    old = logs.pseudonym(account)
    wrapped = wrapped_key(tmp_path)
    assert found_in(tmp_path, wrapped)
    clock.move(seconds=ROTATION.total_seconds())
    logs.sweep()
    assert logs.pseudonym(account) == old
    clock.move(seconds=1)
    logs.sweep()
    new = logs.pseudonym(account)
    assert new != old
    assert vault.named_key("pseudonyms") != old_key
    # Neither the key nor what was wrapped of it is left in any file of the vault's.
    assert not found_in(tmp_path, old_key)
    assert not found_in(tmp_path, wrapped)
    assert found_in(tmp_path, wrapped_key(tmp_path))
    # And who has everything that is left cannot come to the old name.
    again = Logs(tmp_path / "logs", vault, clock)
    assert again.pseudonym(account) == new


def wrapped_key(folder):
    import sqlite3

    with sqlite3.connect(folder / "keys.sqlite") as connection:
        (row,) = connection.execute("SELECT wrapped FROM named_keys WHERE name = 'pseudonyms'")
    connection.close()
    return row[0]


def found_in(folder, needle):
    return any(needle in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_other_replicas_take_up_the_new_key_with_the_next_day(logs, vault, clock, tmp_path):
    other = Logs(tmp_path / "logs", vault, clock)
    old = other.pseudonym("a" * 32)
    clock.move(days=ROTATION.days, seconds=1)
    logs.sweep()
    assert other.pseudonym("a" * 32) == logs.pseudonym("a" * 32) != old


# -- time -----------------------------------------------------------------------------------------


@pytest.mark.clause("1.3.2(1)", partly="a line is gone after 180 days")
def test_lines_go_after_their_time(logs, clock):
    first = clock.now.date()
    for _ in range(DAYS + 3):
        logs.write(GOOD)
        clock.move(days=1)
    clock.move(days=-1)
    assert logs.sweep() == 2
    left = sorted(path.stem for path in logs._folder.glob("*.jsonl"))
    assert left[0] == (first + timedelta(days=2)).isoformat()
    assert len(left) == DAYS + 1
    assert logs.sweep() == 0


def test_files_are_their_owners_alone(logs):
    logs.write(GOOD)
    (path,) = logs._folder.glob("*.jsonl")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


# -- a whole process ----------------------------------------------------------------------------------


@pytest.mark.clause("1.3.2(1)", partly="nothing that a request brings gets into a log line")
def test_what_a_request_brings_is_in_no_log_line(person, server):
    http = person.http
    headers = dict.fromkeys(("User-Agent", "Referer", "X-Forwarded-For", "Cookie", "X-Request-Id"), CANARY)
    http.get("/me", params={"q": CANARY}, headers=headers)
    http.get(f"/consents/receipts/{CANARY}")
    http.get(f"/{CANARY}", headers={"Sec-GPC": CANARY, "Facekit-Acceptance": CANARY})
    http.put(f"/consents/{CANARY}", json={"digest": CANARY, CANARY: CANARY})
    http.post("/contact", json={"question": CANARY, "reply_to": f"{CANARY}@example.org"})
    http.post("/auth/otp", content=CANARY, headers={"Content-Type": CANARY})
    http.request("CANARY4731", "/me")
    http.get("/me", headers={"Authorization": f"Bearer {CANARY}"})
    lines = server.log_lines()
    text = json.dumps(lines)
    assert len([line for line in lines if line["event"] == "request"]) > 8
    assert CANARY not in text
    assert "CANARY" not in text.upper()
    assert person.account not in text
    assert person.phone not in text
    assert person.token not in text
    assert all(set(line) == LINE for line in lines if line["event"] == "request")
    assert "other" in {line.get("method") for line in lines}


def test_warnings_and_loggers_of_the_tests_themselves_are_as_they_were():
    """Taking over belongs to the process, not to the application: these tests build applications, too."""
    assert not any(type(one).__module__ == "service.logs" for one in logging.getLogger().handlers)
    assert warnings.showwarning.__module__ != "logging"
