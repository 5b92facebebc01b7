"""Consent: one choice for each purpose, off until given, off again when what it is about changes."""

import base64
import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from facekit.signing import holds
from service.consent import service as consent
from service.consent.receipts import signed_bytes
from service.consent.store import Choice
from service.errors import AbsentError, NoConsentError
from service.policy import registry
from service.policy.registry import PERMISSIONS, PURPOSES, Purpose
from service.policy.stated import text_digest
from tests.service.local import Jobs, change, in_force, publish_in
from tests.service.moved import add_account

ADS = Purpose(
    {"en": "Show you what you like.", "zh": "个性化展示。"}, ("what you like",), (), 30, tracking=True
)
KINDS = [("consents", name) for name in PURPOSES] + [("permissions", name) for name in PERMISSIONS]


def later(patch, name="face.effect", **what):
    """Change a purpose as a later release would."""
    change(patch, "PURPOSES", **{name: dataclasses.replace(registry.PURPOSES[name], **what)})


def history_of(parts, account_id):
    with parts.database.begin() as session:
        asked = select(Choice).where(Choice.account_id == account_id).order_by(Choice.number)
        return [(one.name, one.granted, one.method) for one in session.scalars(asked)]


# -- off until chosen -------------------------------------------------------------------------


@pytest.mark.clause("P-3", partly="accepting turns on no purpose and no permission")
def test_accepting_and_signing_in_is_consent_to_nothing(person):
    for kind, registered in (("consents", PURPOSES), ("permissions", PERMISSIONS)):
        items = person.http.get(f"/{kind}").json()["items"]
        assert {one["name"] for one in items} == set(registered)
        assert [one["name"] for one in items if one["granted"]] == []
        assert [one["receipt"] for one in items] == [None] * len(items)
    assert person.http.get("/consents/history").json() == {"items": []}


@pytest.mark.clause("P-3", partly="an acceptance that carries a consent is refused, whatever it is called")
@pytest.mark.parametrize("extra", ["consents", "purposes", "face.effect", "ads", "marketing"])
def test_an_acceptance_that_bundles_consent_is_refused(person, extra):
    policy = person.http.get("/policy").json()
    asked = {"version": policy["version"], "digest": policy["digest"], extra: True}
    answer = person.http.post("/policy/acceptances", json=asked)
    assert answer.status_code == 422
    assert person.granted() == set()


@pytest.mark.clause("5.4a", partly="for each purpose and permission, one call gives and one takes back")
def test_taking_back_is_one_call_that_asks_for_less_than_giving(server):
    with server.client() as http:
        paths = http.get("/openapi.json").json()["paths"]
    for path in ("/v1/consents/{purpose}", "/v1/permissions/{name}"):
        give, take = paths[path]["put"], paths[path]["delete"]
        needed = [one["name"] for one in take["parameters"] if one["required"]]
        assert needed == [one["name"] for one in give["parameters"] if one["required"]]
        assert give["requestBody"]["required"]
        assert "requestBody" not in take
        assert take["security"] == give["security"]


@pytest.mark.clause("5.4a", partly="each switch turns only its own purpose or permission")
@pytest.mark.clause("1.3.8(1)", "1.3.8(2)", partly="each permission is a switch of its own, with its words")
@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_each_switch_turns_itself_alone(person, kind, name):
    def on():
        return {
            (each, one["name"])
            for each in ("consents", "permissions")
            for one in person.http.get(f"/{each}").json()["items"]
            if one["granted"]
        }

    person.consent(name, kind=kind)
    assert on() == {(kind, name)}
    answer = person.http.delete(f"/{kind}/{name}")
    assert (answer.status_code, answer.json()["granted"]) == (200, False)
    assert on() == set()


@pytest.mark.clause("1.2.1d", partly="without consent to faces every list and view of one's own answers")
def test_who_does_not_consent_to_faces_uses_all_that_needs_no_face(person):
    paths = person.http.get("/openapi.json").json()["paths"]
    reading = [
        path.removeprefix("/v1")
        for path, item in paths.items()
        if "get" in item and "{" not in path and not path.startswith(("/v1/ops", "/v1/auth", "/."))
    ]
    assert len(reading) > 8
    for path in reading:
        answer = person.http.get(path, params={"from": "0" * 16, "to": "0" * 16})
        assert "/no-consent" not in answer.text, path
        assert answer.status_code != 403, path


def test_words_that_were_not_shown_are_not_agreed_to(person):
    answer = person.http.put("/consents/face.effect", json={"digest": "0" * 64})
    assert (answer.status_code, answer.json()["type"]) == (409, "/v1/problems/conflict")
    assert person.http.put("/consents/nothing", json={"digest": "0" * 64}).status_code == 404
    assert person.http.delete("/permissions/nothing").status_code == 404


# -- what it is about changes -------------------------------------------------------------------


@pytest.mark.clause(
    "1.3 (head) b", "8 (head) b", partly="a purpose that changed is off for all until chosen anew"
)
@pytest.mark.parametrize(
    "what",
    [
        {"words": {"en": "Other words.", "zh": "其他说明。"}},
        {"data": ("the photo", "the voice")},
        {"recipients": ("oidc",)},
        {"days": 1},
        {"tracking": True},
    ],
    ids=lambda what: next(iter(what)),
)
def test_a_purpose_that_changed_is_off_for_all_who_had_agreed(local, monkeypatch, what):
    with local.running() as running:
        people = [running.person() for _ in range(3)]
        for one in people:
            assert one.choose("face.effect").status_code == 200
            assert one.choose("device.info").status_code == 200
    later(monkeypatch, **what)
    with local.parts() as parts:
        new = publish_in(parts)
    with local.running() as running:
        local.clock.move(days=7)
        for one in people:
            one.running = running
            body = {"version": new.version, "digest": new.digest}
            assert one.ask("POST", "/policy/acceptances", json=body).status_code == 201
            # Clause 8 (head) b: what did not change goes on.
            assert one.granted() == {"device.info"}
            with running.parts.database.begin() as session, pytest.raises(NoConsentError):
                consent.require(session, one.account, "face.effect")
        again = people[0]
        assert again.choose("face.effect").status_code == 200
        assert again.granted() == {"device.info", "face.effect"}
        with running.parts.database.begin() as session:
            consent.require(session, again.account, "face.effect")


@pytest.mark.clause("1.3 (head) b", partly="a new purpose is on for nobody")
def test_a_new_purpose_is_on_for_nobody_and_cannot_be_turned_on_before_its_day(local, monkeypatch):
    with local.running() as running:
        somebody = running.person()
        assert somebody.choose("face.effect").status_code == 200
    change(monkeypatch, "PURPOSES", ads=dataclasses.replace(ADS, tracking=False))
    with local.parts() as parts:
        new = publish_in(parts)
    with local.running() as running:
        somebody.running = running
        early = somebody.choose("ads")
        assert (early.status_code, early.json()["type"]) == (409, "/v1/problems/conflict")
        local.clock.move(days=7)
        somebody.ask("POST", "/policy/acceptances", json={"version": new.version, "digest": new.digest})
        assert somebody.granted() == {"face.effect"}
        with running.parts.database.begin() as session:
            granted = select(func.count()).where(Choice.name == "ads", Choice.granted)
            assert session.scalar(granted) == 0
        assert somebody.choose("ads").status_code == 200
        assert somebody.granted() == {"face.effect", "ads"}


@pytest.mark.clause("1.3 (head) b", partly="code that asks for a purpose that is not registered gets nothing")
def test_a_purpose_that_is_not_registered_cannot_be_asked_for(local):
    with local.parts() as parts:
        account = add_account(parts)
        with parts.database.begin() as session, pytest.raises((AbsentError, NoConsentError)):
            consent.require(session, account, "anything else")


# -- taking back stops at once ------------------------------------------------------------------


@pytest.mark.clause("5.4b", "1.3.8(3)", partly="withdrawal stops the account's jobs in the same call")
def test_taking_back_stops_jobs_before_it_answers(local):
    with local.parts() as parts:
        account, jobs = add_account(parts), Jobs()
        parts = dataclasses.replace(parts, jobs=jobs)
        for kind, name in (("purpose", "face.effect"), ("permission", "album"), ("purpose", "device.info")):
            consent.choose(parts, account, kind, name, granted=True)
        assert jobs.stopped == []
        consent.choose(parts, account, "purpose", "device.info", granted=False)
        assert jobs.stopped == []
        consent.choose(parts, account, "permission", "album", granted=False)
        consent.choose(parts, account, "purpose", "face.effect", granted=False)
        assert jobs.stopped == [(account, "album"), (account, "")]


@pytest.mark.clause("5.4c", partly="choices are added and never changed")
def test_the_history_has_every_choice_as_it_was_made(person):
    person.consent("face.effect")
    first = person.http.get("/consents/history").json()["items"]
    person.http.delete("/consents/face.effect")
    person.consent("album", kind="permissions")
    found = person.http.get("/consents/history").json()["items"]
    assert [(one["number"], one["name"], one["granted"]) for one in found] == [
        (3, "album", True),
        (2, "face.effect", False),
        (1, "face.effect", True),
    ]
    assert found[2:] == first
    page = person.http.get("/consents/history", params={"most": 1, "before": 3}).json()["items"]
    assert page == found[1:2]
    for wrong in ({"most": 101}, {"most": 0}, {"before": 0}, {"before": 2**31}):
        assert person.http.get("/consents/history", params=wrong).status_code == 422


def test_of_choices_made_at_once_it_is_certain_which_was_the_last(each_local):
    with each_local.parts() as parts:
        account = add_account(parts)

        def choose(number):
            return consent.choose(parts, account, "purpose", "face.effect", granted=number % 2 == 0)

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(choose, range(24)))
        assert sorted(one.number for one in made) == list(range(1, 25))
        last = max(made, key=lambda one: one.number)
        with parts.database.begin() as session:
            assert consent.standing(session, account, "purpose", "face.effect").granted == last.granted


# -- receipts -----------------------------------------------------------------------------------

#: What ISO/IEC TS 27560 wants in a record, section by section.
FIELDS = {
    "": {"schema_version", "record_id", "pii_principal_id", "pii_processing", "parties", "events"},
    "pii_processing": {"privacy_notice", "language", "purposes", "privacy_rights"},
    "pii_processing.purposes": {
        "purpose",
        "purpose_type",
        "words",
        "words_digest",
        "lawful_basis",
        "pii_information",
        "pii_controllers",
        "collection_method",
        "processing_method",
        "storage_locations",
        "retention_period",
        "recipient_third_parties",
        "withdrawal_method",
    },
    "parties": {"party_id", "party_name", "party_role", "party_contact"},
    "events": {"event_time", "event_type", "event_state", "validity_duration", "entity_id", "method"},
}


def receipt_of(person, kind, name):
    standing = {one["name"]: one for one in person.http.get(f"/{kind}").json()["items"]}[name]
    answer = person.http.get(f"/consents/receipts/{standing['receipt']}")
    assert answer.status_code == 200
    return answer


def test_a_receipt_says_all_that_a_record_of_consent_has_to(person, server):
    person.http.put(
        "/consents/face.effect",
        json={"digest": PURPOSES["face.effect"].digest, "language": "zh"},
    )
    answer = receipt_of(person, "consents", "face.effect")
    record = answer.json()["record"]
    assert set(record) == FIELDS[""]
    assert set(record["pii_processing"]) == FIELDS["pii_processing"]
    (purpose,), (event,) = record["pii_processing"]["purposes"], record["events"]
    assert set(purpose) == FIELDS["pii_processing.purposes"]
    assert set(record["parties"][0]) == FIELDS["parties"]
    assert set(event) == FIELDS["events"]
    assert purpose["words"] == PURPOSES["face.effect"].words["zh"]
    assert purpose["words_digest"] == PURPOSES["face.effect"].digest
    assert [one["pii_type"] for one in purpose["pii_information"]] == list(PURPOSES["face.effect"].data)
    assert purpose["withdrawal_method"] == "DELETE /v1/consents/face.effect"
    notice = record["pii_processing"]["privacy_notice"]
    policy = person.http.get(notice["reference"].removeprefix("/v1")).json()
    assert notice["digest"] == policy["digest"] == text_digest(policy["text"])
    assert record["pii_processing"]["language"] == "zh"
    assert record["parties"][0]["party_contact"] == server.environment["FACEKIT_CONTACT"]
    assert (event["event_state"], event["method"]) == ("given", "request")
    assert answer.headers["content-disposition"].startswith('attachment; filename="consent-')
    # A pseudonym: neither the account's number nor its phone.
    assert person.account not in answer.text
    assert person.phone not in answer.text


def test_a_receipts_signature_holds_and_that_of_another_record_does_not(person):
    person.consent("login.third_party")
    found = receipt_of(person, "consents", "login.third_party").json()
    key, value = (base64.b64decode(found["signature"][name]) for name in ("public_key", "value"))
    assert holds(value, signed_bytes(found["record"]), key)
    other = json.loads(json.dumps(found["record"]).replace('"given"', '"withdrawn"'))
    assert other != found["record"]
    assert not holds(value, signed_bytes(other), key)
    assert [one["party_id"] for one in found["record"]["parties"]] == ["controller", "oidc"]


def test_a_withdrawal_and_a_permission_have_receipts_too(person):
    person.consent("album", kind="permissions")
    given = receipt_of(person, "permissions", "album").json()["record"]
    assert given["pii_processing"]["purposes"][0]["words"] == PERMISSIONS["album"].words["en"]
    person.http.delete("/permissions/album")
    withdrawn = receipt_of(person, "permissions", "album").json()["record"]
    assert withdrawn["events"][0]["event_state"] == "withdrawn"
    assert withdrawn["record_id"] != given["record_id"]
    assert withdrawn["pii_principal_id"] == given["pii_principal_id"]


def test_nobody_gets_anothers_receipt(person, server):
    person.consent("face.effect")
    receipt = receipt_of(person, "consents", "face.effect").json()["record"]["record_id"]
    with server.person() as other:
        assert other.http.get(f"/consents/receipts/{receipt}").status_code == 404
        other.consent("face.effect")
        mine = receipt_of(other, "consents", "face.effect").json()["record"]
    with server.client() as http:
        assert http.get(f"/consents/receipts/{receipt}").status_code == 401
    theirs = receipt_of(person, "consents", "face.effect").json()["record"]
    assert theirs["pii_principal_id"] != mine["pii_principal_id"]


def test_a_receipt_quotes_the_words_that_were_shown_also_after_they_changed(local, monkeypatch):
    with local.running() as running:
        somebody = running.person()
        somebody.choose("face.effect")
        shown = PURPOSES["face.effect"].words["en"]
    later(monkeypatch, words={"en": "Other words.", "zh": "其他说明。"})
    with local.parts() as parts:
        publish_in(parts)
    local.clock.move(days=7)
    with local.running() as running:
        with running.parts.database.begin() as session:
            choice = session.scalars(select(Choice)).one()
            from service.consent.receipts import receipt

            record = receipt(running.parts, session, choice)["record"]
        assert in_force(running.parts).registries["purposes"]["face.effect"]["words"]["en"] == "Other words."
        assert record["pii_processing"]["purposes"][0]["words"] == shown


# -- a browser that says no ---------------------------------------------------------------------


@pytest.fixture
def tracked(local, monkeypatch):
    """A release with a purpose that tracks, in force from its first version on; there is none yet."""
    assert not any(one.tracking for one in PURPOSES.values())
    change(monkeypatch, "PURPOSES", ads=ADS)
    with local.running() as running:
        yield running


@pytest.mark.clause(
    "1.3.7", partly="with the browser's opt-out signal a purpose that tracks cannot be turned on"
)
def test_a_browsers_no_keeps_off_what_tracks_and_nothing_else(tracked):
    somebody = tracked.person()
    refused = somebody.choose("ads", headers={"Sec-GPC": "1"})
    assert (refused.status_code, refused.json()["type"]) == (403, "/v1/problems/not-allowed")
    assert somebody.choose("face.effect", headers={"Sec-GPC": "1"}).status_code == 200
    assert somebody.granted() == {"face.effect"}
    assert somebody.choose("ads", headers={"Sec-GPC": "0"}).status_code == 200
    assert somebody.granted() == {"face.effect", "ads"}


@pytest.mark.clause("1.3.7", partly="the browser's opt-out signal turns off what tracks, with any request")
@pytest.mark.parametrize(("method", "path"), [("GET", "/me"), ("GET", "/policy"), ("DELETE", "/consents/no")])
def test_a_browsers_no_turns_off_what_tracks_whatever_is_asked(tracked, method, path):
    somebody, other = tracked.person(), tracked.person()
    for one in (somebody, other):
        one.choose("ads")
        one.choose("face.effect")
    somebody.ask(method, path, headers={"Sec-GPC": "1"})
    assert somebody.granted() == {"face.effect"}
    assert other.granted() == {"face.effect", "ads"}
    assert history_of(tracked.parts, somebody.account)[-1] == ("ads", False, "signal")
    before = history_of(tracked.parts, somebody.account)
    somebody.ask(method, path, headers={"Sec-GPC": "1"})
    assert history_of(tracked.parts, somebody.account) == before
