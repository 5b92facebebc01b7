"""Requests, from the app and by mail: asked, verified, carried out, answered, refused; none is forgotten."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from service.accounts.store import ApiKey
from service.errors import AbsentError, ConflictError, GoneError
from service.ops.alarms import list_alarms
from service.ops.audit import Grounds, first_fault, list_audit, write
from service.ops.service import answer_case, open_case, refuse_case
from service.ops.store import Alarm, Audit
from service.rights import cases
from service.rights.cases import Asking, catch_up
from service.rights.service import find, list_requests, withdraw
from service.rights.store import Case, CaseProof
from tests.service.local import GROUNDS, WHY
from tests.service.moved import MovedClock, add_account, is_there, moved_parts

PHONE = "+8613900000001"
OTHER = Grounds("b" * 32, "answer", "MAIL-2")


@pytest.fixture
def operator(server):
    with server.person() as somebody:
        yield somebody.run_the_service()


def by_mail(operator, person, kind="cancel", **more):
    """Open a case for what somebody wrote three days ago."""
    asked = {
        "phone": person.phone,
        "channel": "mail",
        "kind": kind,
        "received_at": (datetime.now(UTC) - timedelta(days=3)).isoformat(),
        **more,
    }
    answer = operator.http.post("/ops/cases", json=asked, headers=WHY)
    assert answer.status_code == 201, answer.text
    return answer.json()


# -- from the app ---------------------------------------------------------------------------


@pytest.mark.clause("5.1a", partly="a request to correct is open with every step until a person answers")
def test_a_question_is_open_until_a_person_answers(person, operator):
    person.step_up()
    asked = {"kind": "correct", "text": "My name is spelt with two s."}
    view = person.http.post("/privacy/requests", json=asked).json()
    assert view["state"] == "verified"
    assert "/v1/me/handle" in view["answer"]
    due = datetime.fromisoformat(view["due_at"]) - datetime.fromisoformat(view["received_at"])
    assert due == timedelta(days=15)
    read = operator.http.get(f"/ops/cases/{view['id']}", headers=WHY).json()
    assert read["text"] == asked["text"]
    assert person.phone not in json.dumps(read)
    assert person.account not in json.dumps(read)
    words = {"words": "It is spelt so now."}
    assert operator.http.post(f"/ops/cases/{view['id']}/answer", json=words, headers=WHY).status_code == 204
    view = person.http.get(f"/privacy/requests/{view['id']}").json()
    assert (view["state"], view["answer"]) == ("answered", "It is spelt so now.")
    assert [step["step"] for step in view["steps"]] == ["received", "verified", "answered"]


@pytest.mark.clause("5.1b", partly="API keys, as one kind of data, while the account and all else stay")
def test_one_kind_of_data_is_erased_alone(tmp_path):
    with moved_parts(tmp_path, MovedClock()) as parts:
        mine, other = add_account(parts, PHONE), add_account(parts)
        with parts.database.begin() as session:
            for account_id in (mine, other):
                label = parts.vault.seal(account_id, "api_keys.label", "laptop")
                key = {"id": account_id, "token": account_id.encode(), "scopes": "", "label": label}
                session.add(ApiKey(account_id=account_id, created_at=parts.clock(), **key))
            case = cases.open_case(parts, session, mine, Asking("erase", what="api keys"), parts.clock())
        cases.carry_out(parts, case.id)
        with parts.database.begin() as session:
            assert [key.account_id for key in session.scalars(select(ApiKey))] == [other]
        assert is_there(parts, mine)
        assert find(parts, mine, case.id).case.state == "done"


def test_what_cannot_be_erased_alone_is_refused_with_what_can(person):
    person.step_up()
    answer = person.http.post("/privacy/requests", json={"kind": "erase", "what": "phone"})
    assert answer.status_code == 422
    assert "api keys" in answer.json()["detail"]
    done = person.http.post("/privacy/requests", json={"kind": "erase", "what": "api keys"}).json()
    assert done["state"] == "done"
    assert person.http.get("/privacy/requests").json()["erasable"] == list(cases.erasable())


def test_cancelling_by_request_is_cancelling(person):
    person.step_up()
    view = person.http.post("/privacy/requests", json={"kind": "cancel"}).json()
    assert (view["state"], view["receipt"]["cause"]) == ("done", "settings")
    assert person.http.get("/me").status_code == 401


@pytest.mark.clause("5.1c", partly="no request without a fresh code")
def test_a_request_needs_a_fresh_code(person):
    assert person.http.post("/privacy/requests", json={"kind": "access"}).status_code == 401


def test_the_text_of_a_request_is_sealed(tmp_path):
    text = "a canary that nobody else may read"
    with moved_parts(tmp_path, MovedClock()) as parts:
        account_id = add_account(parts, PHONE)
        with parts.database.begin() as session:
            case = cases.open_case(parts, session, account_id, Asking("question", text=text), parts.clock())
        assert find(parts, account_id, case.id).text == text
        files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(case.id.encode() in held for held in files)
    assert not any(text.encode() in held for held in files)


def test_a_request_is_nobody_elses(person):
    person.step_up()
    view = person.http.post("/privacy/requests", json={"kind": "question", "text": "Why?"}).json()
    with person.server.person() as other:
        other.step_up()
        for method, route in (("GET", ""), ("DELETE", ""), ("POST", "/confirm")):
            body = {"code": "AAAA-AAAA"} if method == "POST" else None
            answer = other.http.request(method, f"/privacy/requests/{view['id']}{route}", json=body)
            assert answer.status_code == 404
    assert person.http.delete(f"/privacy/requests/{view['id']}").json()["state"] == "withdrawn"
    assert person.http.delete(f"/privacy/requests/{view['id']}").status_code == 409


# -- by mail --------------------------------------------------------------------------------


@pytest.mark.clause(
    "5.3(2)", "5.5 (head) a", partly="a mail becomes a case, which its sender confirms in the app"
)
def test_who_wrote_confirms_with_the_code_that_came_back(person, operator):
    opened = by_mail(operator, person)
    view = person.http.get(f"/privacy/requests/{opened['id']}").json()
    assert (view["state"], view["channel"]) == ("received", "mail")
    given = {"code": opened["code"]}
    assert person.http.post(f"/privacy/requests/{opened['id']}/confirm", json=given).status_code == 401
    person.step_up()
    wrong = {"code": "AAAA-AAAA"}
    assert person.http.post(f"/privacy/requests/{opened['id']}/confirm", json=wrong).status_code == 422
    view = person.http.post(f"/privacy/requests/{opened['id']}/confirm", json=given).json()
    assert (view["state"], view["receipt"]["cause"]) == ("done", "mail")
    assert person.http.get("/me").status_code == 401


def test_codes_of_a_case_cannot_be_tried_without_end(person, operator):
    opened = by_mail(operator, person)
    person.step_up()
    route, wrong = f"/privacy/requests/{opened['id']}/confirm", {"code": "AAAA-AAAA"}
    answers = [person.http.post(route, json=wrong).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    assert person.http.post(route, json={"code": opened["code"]}).status_code == 429


@pytest.mark.clause(
    "5.3 p2 a", partly="an operator verifies by evidence, and the account is cancelled at once"
)
def test_an_operator_verifies_by_evidence(person, operator):
    opened = by_mail(operator, person)
    evidence = {"evidence": "letter 2026-114"}
    answer = operator.http.post(f"/ops/cases/{opened['id']}/verify", json=evidence, headers=WHY)
    assert answer.json()["receipt"]["cause"] == "mail"
    assert person.http.get("/me").status_code == 401
    assert operator.http.get(f"/ops/cases/{opened['id']}", headers=WHY).status_code == 404


def test_a_handle_finds_the_account_too_and_an_unknown_one_none(person, operator):
    handle = person.http.get("/me").json()["handle"]
    by_mail(operator, person, phone=None, handle=handle.upper())
    asked = {
        "handle": "nobody-has-this-1",
        "channel": "mail",
        "kind": "cancel",
        "received_at": datetime.now(UTC).isoformat(),
    }
    assert operator.http.post("/ops/cases", json=asked, headers=WHY).status_code == 404


def test_a_case_of_the_future_is_refused(person, operator):
    asked = {
        "phone": person.phone,
        "channel": "mail",
        "kind": "cancel",
        "received_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
    }
    assert operator.http.post("/ops/cases", json=asked, headers=WHY).status_code == 422


# -- refusing -------------------------------------------------------------------------------

REFUSAL = {
    "ground": "R5",
    "evidence": "log 4711",
    "words": "Your account was used to cheat others.",
    "appeal": "Write to privacy@example.org; another person decides.",
}


@pytest.mark.clause(
    "5.5.1",
    "5.5.2",
    "5.5.3",
    "5.5.4",
    "5.5.5",
    "5.5.6",
    "5.5.7",
    "5.5.8",
    "5.5 (head) b",
    partly="a refusal needs ground, evidence and how to appeal, is a person's, and is in the export",
)
@pytest.mark.parametrize("ground", [f"R{number}" for number in range(1, 9)])
def test_a_refusal_has_a_ground_evidence_a_person_and_an_appeal(person, operator, ground):
    opened = by_mail(operator, person)
    route = f"/ops/cases/{opened['id']}/refuse"
    whole = {**REFUSAL, "ground": ground}
    for missing in whole:
        part = {name: value for name, value in whole.items() if name != missing}
        assert operator.http.post(route, json=part, headers=WHY).status_code == 422
        assert operator.http.post(route, json={**part, missing: ""}, headers=WHY).status_code == 422
    assert operator.http.post(route, json={**whole, "ground": "R9"}, headers=WHY).status_code == 422
    assert operator.http.post(route, json=whole, headers=WHY).status_code == 204
    view = person.http.get(f"/privacy/requests/{opened['id']}").json()
    assert view["state"] == "refused"
    told = {"ground": ground, "evidence": REFUSAL["evidence"], "appeal": REFUSAL["appeal"]}
    assert view["refusal"] == {**told, "decider": operator.account}
    (case,) = person.step_up().http.get("/privacy/export").json()["tables"]["cases"]
    assert (case["reason"], case["evidence"], case["appeal"]) == tuple(told.values())


def test_an_appeal_is_decided_by_another_person(tmp_path):
    with moved_parts(tmp_path, MovedClock()) as parts:
        account_id = add_account(parts, PHONE)
        case, _ = open_case(parts, GROUNDS, ("phone", PHONE), Asking("cancel", "mail"), parts.clock())
        refuse_case(parts, GROUNDS, case.id, "R5", "log 4711", "No.", "Write to us.")
        with parts.database.begin() as session:
            asking = Asking("appeal", about=case.id, text="It was not me.")
            appeal = cases.open_case(parts, session, account_id, asking, parts.clock())
        with pytest.raises(ConflictError, match="another person"):
            answer_case(parts, GROUNDS, appeal.id, "No again.")
        answer_case(parts, OTHER, appeal.id, "You are right.")
        assert find(parts, account_id, appeal.id).answer == "You are right."


def test_an_appeal_is_about_a_refusal_of_ones_own(person):
    person.step_up()
    for about, status in (("", 422), ("A" * 22, 404)):
        asked = {"kind": "appeal", "about": about, "text": "It was not me."}
        assert person.http.post("/privacy/requests", json=asked).status_code == status


# -- in time --------------------------------------------------------------------------------


@pytest.mark.clause("5.3 p2 a", partly="an alarm on day 10, while there is time")
def test_an_alarm_is_raised_on_day_ten_and_once(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        add_account(parts, PHONE)
        case, _ = open_case(parts, GROUNDS, ("phone", PHONE), Asking("cancel", "mail"), clock.now)
        clock.move(days=9, hours=23)
        assert catch_up(parts)["alarms"] == 0
        clock.move(hours=1)
        assert catch_up(parts)["alarms"] == 1
        assert catch_up(parts)["alarms"] == 0
        with parts.database.begin() as session:
            assert [(one.kind, one.about) for one in list_alarms(session)] == [("case near", case.id)]
        lines = "".join(path.read_text() for path in (tmp_path / "logs").iterdir())
        assert "alarm case near" in lines


@pytest.mark.clause("5.3 p2 a", partly="where the worker was down when it was due, the alarm comes first")
def test_what_was_verified_before_an_outage_is_done_after_it_with_an_alarm_before(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        account_id = add_account(parts, PHONE)
        case, _ = open_case(parts, GROUNDS, ("phone", PHONE), Asking("cancel", "mail"), clock.now)
        with parts.database.begin() as session:
            cases.verify(cases.open_one(session, case.id), "person", clock.now)
        clock.move(days=18)
        assert catch_up(parts) == {"alarms": 2, "cases carried out": 1, "cases lapsed": 0}
        assert not is_there(parts, account_id)
        with parts.database.begin() as session:
            proof = session.get(CaseProof, case.id)
            alarm = session.get(Alarm, ("case late", case.id))
        assert (proof.outcome, proof.closed_at > proof.due_at) == ("done", True)
        assert alarm.raised_at <= proof.closed_at


def test_what_nobody_confirms_lapses_and_the_account_stays(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        account_id = add_account(parts, PHONE)
        open_case(parts, GROUNDS, ("phone", PHONE), Asking("cancel", "mail"), clock.now)
        clock.move(days=15)
        assert catch_up(parts)["cases lapsed"] == 1
        assert is_there(parts, account_id)
        (shown,) = list_requests(parts, account_id)
        assert [step["step"] for step in shown.case.steps] == ["received", "lapsed"]


def test_a_fault_in_one_case_keeps_no_other_waiting_and_raises_an_alarm(tmp_path, monkeypatch):
    clock, real = MovedClock(), cases.cancel
    with moved_parts(tmp_path, clock) as parts:
        accounts = [add_account(parts, f"+861390000000{number}") for number in range(2)]
        with parts.database.begin() as session:
            for account_id in accounts:
                cases.open_case(parts, session, account_id, Asking("cancel"), clock.now)

        def faulty(parts, account_id, cause):
            if account_id == accounts[0]:
                raise RuntimeError
            return real(parts, account_id, cause)

        monkeypatch.setattr(cases, "cancel", faulty)
        assert catch_up(parts)["cases carried out"] == 1
        assert [is_there(parts, one) for one in accounts] == [True, False]
        with parts.database.begin() as session:
            assert [one.kind for one in list_alarms(session)] == ["case failed"]
        monkeypatch.undo()
        assert catch_up(parts)["cases carried out"] == 1


def test_what_was_withdrawn_is_not_carried_out(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        account_id = add_account(parts, PHONE)
        case, _ = open_case(parts, GROUNDS, ("phone", PHONE), Asking("cancel", "mail"), clock.now)
        withdraw(parts, account_id, case.id)
        with pytest.raises(ConflictError):
            cases.carry_out(parts, case.id)
        assert is_there(parts, account_id)


def test_open_cases_end_with_their_account_and_leave_their_proof(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        account_id = add_account(parts, PHONE)
        with parts.database.begin() as session:
            asked = cases.open_case(parts, session, account_id, Asking("question", text="Why?"), clock.now)
            wanted = cases.open_case(parts, session, account_id, Asking("cancel", "mail"), clock.now)
            cases.verify(wanted, "person", clock.now)
        cases.carry_out(parts, wanted.id)
        with parts.database.begin() as session:
            proofs = {one.id: one.outcome for one in session.scalars(select(CaseProof))}
            assert session.scalar(select(Case.id)) is None
        assert proofs == {asked.id: "ended", wanted.id: "done"}
        with pytest.raises(AbsentError):
            find(parts, account_id, asked.id)
        with pytest.raises((GoneError, AbsentError)):
            cases.carry_out(parts, wanted.id)


# -- those who run it -----------------------------------------------------------------------


@pytest.mark.clause(
    "4.2.2(3)", partly="no operator route answers without a reason and a ticket, or leaves no row"
)
def test_every_operator_route_asks_for_a_reason_and_leaves_a_row(person, operator):
    opened = by_mail(operator, person, kind="question", text="Why?")
    before = operator.http.get("/ops/audit", headers=WHY).json()
    assert before["holds"]
    routes = ("/ops/cases", f"/ops/cases/{opened['id']}", "/ops/contact", "/ops/alarms", "/ops/audit")
    for route in routes:
        assert operator.http.get(route).status_code == 422
        assert person.http.get(route, headers=WHY).status_code == 403
        assert operator.http.get(route, headers=WHY).status_code == 200
    items = operator.http.get("/ops/audit", headers=WHY).json()["items"]
    new = [one for one in items[len(before["items"]) :] if one["operator"] == operator.account]
    assert [one["deed"] for one in new] == [
        "list cases",
        "read case",
        "read questions",
        "list alarms",
        "read audit",
        "read audit",
    ]
    assert {(one["reason"], one["ticket"]) for one in new} == {("request", "MAIL-1")}


def test_no_operator_route_but_the_counts_is_without_a_reason(server):
    document = httpx.get(f"{server.url}/v1/openapi.json").json()
    asking = {
        path: {one["name"] for one in ways[method].get("parameters", ()) if one.get("required")} >= set(WHY)
        for path, ways in document["paths"].items()
        for method in ways
        if "/ops/" in path
    }
    assert len(asking) > 10
    assert [path for path, asks in asking.items() if not asks] == ["/v1/ops/metrics"]


@pytest.mark.clause(
    "4.2.2(2)", partly="a row of the audit log that is changed, taken out or put between shows"
)
def test_the_audit_log_shows_what_was_done_to_it(tmp_path):
    with moved_parts(tmp_path, MovedClock()) as parts:

        def fault():
            with parts.database.begin() as session:
                return first_fault(parts, list_audit(session))

        with parts.database.begin() as session:
            for number in range(5):
                write(parts, session, GROUNDS, "read case", str(number))
        assert fault() is None
        with parts.database.begin() as session:
            session.get(Audit, 3).about = "9"
        assert fault() == 3
        with parts.database.begin() as session:
            session.get(Audit, 3).about = "2"
        assert fault() is None
        with parts.database.begin() as session:
            session.delete(session.get(Audit, 3))
        assert fault() == 4
        with parts.database.begin() as session:
            session.delete(session.get(Audit, 1))
            session.delete(session.get(Audit, 2))
        assert fault() is None  # the oldest go with their time


def test_an_operator_decides_nothing_about_themselves(operator):
    opened = by_mail(operator, operator)
    evidence = {"evidence": "I know myself"}
    answer = operator.http.post(f"/ops/cases/{opened['id']}/verify", json=evidence, headers=WHY)
    assert answer.status_code == 409


def test_an_alarm_that_was_seen_says_so(person, operator):
    opened = by_mail(
        operator,
        person,
        received_at=(datetime.now(UTC) - timedelta(days=11)).isoformat(),
        kind="question",
        text="?",
    )
    named = {"kind": "case near", "about": opened["id"]}
    assert operator.http.post("/ops/alarms/seen", json=named, headers=WHY).json()["seen_at"]
    assert (
        operator.http.post("/ops/alarms/seen", json={**named, "about": "x"}, headers=WHY).status_code == 404
    )
