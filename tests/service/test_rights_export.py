"""Seeing what is held: the export is what the data map says, whole and in clear."""

import base64
from datetime import UTC, datetime

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import JSON, Boolean, Integer, LargeBinary

from service.accounts.store import ApiKey
from service.database import Moment
from service.datamap import data_map, kept_tables
from service.ops.store import ShareEvent
from service.rights.export import export, schema
from service.tables import Base
from tests.service.moved import MovedClock, add_account, moved_parts
from tools.data_map import TARGET, document

#: Personal columns that no export shows, by table, and why.
NOT_EXPORTED = {
    "accounts": {
        "phone_index": "a keyed index of the phone, which is exported",
        "handle_index": "a keyed index of the handle, which is exported",
        "password": "a hash of a secret of the person's own",
    },
    "acceptances": {"token": "a digest of a secret of the person's own"},
    "sessions": {"token": "a digest of a secret of the person's own"},
    "api_keys": {"token": "a digest of a secret of the person's own"},
    "identities": {
        "id": "a random number that stands for the row",
        "subject_index": "a keyed index of the identifier, which is exported",
    },
    "second_factors": {
        "secret": "a secret, which the person's authenticator has",
        "step": "keeps a code from being used twice",
    },
    "job_keys": {
        "mark": "a digest of a key of the client's own",
        "body": "a digest of a request that is in the ledger of jobs",
        "answer": "what was answered is in the ledger of jobs",
        "created_at": "goes within a day, with the row",
    },
    "cases": {"code": "a keyed digest of a code that was sent"},
}


def owned():
    """Return the tables that say whose a row is, with how long they are kept."""
    tables = Base.metadata.tables
    return {name: kept for name, kept in kept_tables(Base).items() if kept.account in tables[name].columns}


def a_value(column, account_id, parts, table):
    """Make up a value for a column, as whatever it holds could be."""
    if column.foreign_keys:
        return account_id
    if column.info["held"].sealed:
        return parts.vault.seal(account_id, f"{table.name}.{column.name}", f"sealed {column.name}")
    for kind, value in (
        (Moment, parts.clock()),
        (Boolean, True),
        (Integer, 7),
        (LargeBinary, b"0" * 32),
        (JSON, [{"a": 1}]),
    ):
        if isinstance(column.type, kind):
            return value
    return "text"[: column.type.length or 4]


def fill(parts, account_id):
    """Give an account a row in every table that can have one."""
    with parts.database.begin() as session:
        for table in Base.metadata.sorted_tables:
            if table.name != "accounts" and table.name in owned():
                values = {one.name: a_value(one, account_id, parts, table) for one in table.columns}
                session.execute(table.insert().values(values))


@pytest.mark.clause(
    "5.1a", partly="the export has every personal column of every table, and its schema fits it"
)
def test_every_personal_column_with_rows_is_in_the_export(tmp_path):
    with moved_parts(tmp_path, MovedClock()) as parts:
        account_id = add_account(parts, "+8613900000001")
        fill(parts, account_id)
        told = export(parts, account_id)
    wanted = {
        (row.table, row.column): row.held.purpose
        for row in data_map(Base)
        if row.table in owned() and row.held.personal
        if row.column != owned()[row.table].account or row.table == "accounts"
        if row.column not in NOT_EXPORTED.get(row.table, {})
    }
    shown = {
        (table, column)
        for table, rows in told["tables"].items()
        if rows  # each table has a row, or its columns count as missing
        for column in rows[0]
    }
    assert shown == set(wanted)
    meaning = {
        (table, column): one["purpose"]
        for table, about in told["meaning"].items()
        for column, one in about["columns"].items()
    }
    assert meaning == wanted
    Draft202012Validator(schema(), format_checker=Draft202012Validator.FORMAT_CHECKER).validate(told)


def test_what_is_sealed_comes_out_in_clear_also_where_it_is_no_text(tmp_path):
    picture = b"\x89PNG\xff"
    with moved_parts(tmp_path, MovedClock()) as parts:
        account_id = add_account(parts, "+8613900000001")
        label = parts.vault.seal(account_id, "api_keys.label", picture)
        with parts.database.begin() as session:
            session.add(
                ApiKey(
                    id="k",
                    account_id=account_id,
                    token=b"1" * 32,
                    label=label,
                    scopes="jobs:read",
                    created_at=parts.clock(),
                )
            )
        tables = export(parts, account_id)["tables"]
    assert tables["accounts"][0]["phone"] == "+8613900000001"
    assert base64.b64decode(tables["api_keys"][0]["label"].partition("base64,")[2]) == picture


def test_nothing_of_another_account_is_in_an_export(tmp_path):
    with moved_parts(tmp_path, MovedClock()) as parts:
        mine, other = add_account(parts, "+8613900000001"), add_account(parts, "+8613900000002")
        fill(parts, other)
        assert "+8613900000002" in str(export(parts, other))
        told = export(parts, mine)
    assert other not in str(told)
    assert sum(len(rows) for rows in told["tables"].values()) == 1


@pytest.mark.clause("5.1c", partly="the export asks for a fresh code")
@pytest.mark.clause("3.1.7", partly="the person gets what they ask for, and nobody else does")
def test_an_export_needs_a_fresh_code_and_shows_the_own_phone(person):
    refused = person.http.get("/privacy/export")
    assert (refused.status_code, refused.json()["type"]) == (401, "/v1/problems/step-up")
    person.consent()
    person.step_up()
    answer = person.http.get("/privacy/export")
    told = answer.json()
    assert answer.headers["content-disposition"].startswith("attachment")
    assert told["tables"]["accounts"][0]["phone"] == person.phone
    assert [one["name"] for one in told["tables"]["choices"]] == ["face.effect"]
    assert datetime.fromisoformat(told["made_at"]) <= datetime.now(UTC)
    Draft202012Validator(person.http.get("/privacy/export/schema").json()).validate(told)


@pytest.mark.clause("4.2.1 p3", partly="no answer but the export shows a phone number")
def test_no_other_answer_shows_the_phone(person):
    person.step_up()
    routes = person.http.get("/openapi.json").json()["paths"]
    answers = {
        path: person.http.get(path.removeprefix("/v1")).text
        for path, methods in routes.items()
        if "get" in methods and "{" not in path
    }
    assert [path for path, text in answers.items() if person.phone in text] == ["/v1/privacy/export"]
    assert person.phone[-2:] in answers["/v1/me"]


@pytest.mark.clause(
    "P-2", "4.2.2(1)", partly="the annex is made from what the code goes by, and is committed"
)
def test_the_committed_data_map_is_what_the_tables_say():
    assert TARGET.read_text(encoding="utf-8") == document(), "run python tools/data_map.py"


@pytest.mark.clause("P-2", partly="the service gives the annex: fields, times, recipients")
def test_the_annex_has_every_field_that_is_held(server):
    with server.client() as http:
        annex = http.get("/policy/annex").json()
        recipients = http.get("/recipients").json()["items"]
    fields = {(one["table"], one["column"]) for one in annex["fields"]}
    columns = {(table.name, column.name) for table in Base.metadata.sorted_tables for column in table.columns}
    assert fields == columns
    for one in annex["fields"]:
        assert 0 < one["days"] <= 730 if one["days"] is not None else not one["personal"]
    assert annex["contact"] == "privacy@example.org"
    assert recipients == annex["recipients"] != []


@pytest.mark.clause("3.1 (head)", partly="a person sees what was sent to others about them")
def test_a_person_sees_only_what_was_sent_about_them(person):
    assert person.http.get("/sharing").json() == {"items": []}
    database = person.server.database()
    with database.begin() as session:
        session.add(
            ShareEvent(
                id=person.account[:20],
                account_id=person.account,
                recipient="webhook",
                purpose="job.state",
                fields="at,job,state",
                basis="contract",
                at=datetime.now(UTC),
            )
        )
    database.close()
    (item,) = person.http.get("/sharing").json()["items"]
    assert (item["recipient"], item["fields"]) == ("webhook", ["at", "job", "state"])
    with person.server.person() as other:
        assert other.http.get("/sharing").json() == {"items": []}
