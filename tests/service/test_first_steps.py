"""Accepting, signing in, choosing: the way that everybody goes first."""

import pytest

from service.accounts.store import Account


@pytest.mark.clause("P-3", partly="signing in and everything behind it asks for the current version first")
def test_nobody_signs_in_before_accepting_the_policy(server):
    with server.client() as http:
        answer = http.post("/auth/otp", json={"phone": "+8613900000000"})
    assert answer.status_code == 403
    assert answer.json()["type"] == "/v1/problems/policy-not-accepted"


def test_a_person_who_has_accepted_and_given_the_code_has_an_account(person):
    me = person.http.get("/me").json()
    assert me["id"] == person.account
    assert me["phone"] == f"+86{'*' * 9}{person.phone[-2:]}"


@pytest.mark.clause("1.3.1 p1 c", partly="the number is in no file of the service in clear")
def test_the_phone_number_is_in_no_file_in_clear(person, server):
    held = b"".join(path.read_bytes() for path in server.data.rglob("*") if path.is_file())
    assert b"facekit" in held or b"SQLite" in held
    for form in (person.phone, person.phone[1:], person.phone[3:]):
        assert form.encode() not in held
    database = server.database()
    with database.begin() as session:
        kept = session.get(Account, person.account)
    database.close()
    assert person.phone[3:].encode() not in kept.phone + kept.phone_index


def test_a_consent_is_off_until_it_is_given_and_off_again_when_it_is_withdrawn(person):
    assert person.granted() == set()
    person.consent("face.effect")
    assert person.granted() == {"face.effect"}
    assert person.http.delete("/consents/face.effect").json()["granted"] is False
    assert person.granted() == set()


def test_the_tables_are_what_the_models_say(server):
    """A model that changed without a migration would work in tests only."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from service.database import Database
    from service.tables import Base

    url = server.environment.get("FACEKIT_DATABASE_URL", f"sqlite:///{server.data}/facekit.sqlite")
    database = Database(url)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    database.close()
