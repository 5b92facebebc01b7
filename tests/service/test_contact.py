"""Questions: anybody who accepted can ask; words only, sealed, answered, and gone after their time."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from service.contact.service import due
from service.contact.store import Question
from service.ops.audit import list_audit
from tests.service.local import GROUNDS, WHY, become_operator, rows
from tests.service.serving import Server

CANARY = "canary question 4741"
REPLY = "canary-4742@example.org"


@pytest.mark.clause("P-5", partly="a question can be asked without an account, once the policy is accepted")
def test_who_has_accepted_can_ask_without_an_account(server):
    from tests.service.serving import Person

    somebody = Person(server, "+8613900000001")
    with somebody.http as http:
        refused = http.post("/contact", json={"question": CANARY})
        assert (refused.status_code, refused.json()["type"]) == (403, "/v1/problems/policy-not-accepted")
        headers = {"Facekit-Acceptance": somebody.accept()}
        answer = http.post("/contact", json={"question": CANARY, "reply_to": REPLY}, headers=headers)
    assert answer.status_code == 201
    asked = answer.json()
    assert (asked["question"], asked["answer"]) == (CANARY, None)
    assert asked["due_at"] > asked["received_at"]


@pytest.mark.clause("P-5", "9a", partly="who answers reads the question, and who asked is told of the answer")
def test_a_question_is_answered_and_who_asked_is_told(local):
    with local.running() as running:
        somebody, other = running.person(), running.person()
        operator = running.person(role="operator")
        asked = somebody.ask("POST", "/contact", json={"question": CANARY}).json()
        (seen,) = operator.ask("GET", "/ops/contact").json()["items"]
        assert (seen["question"], seen["from_account"], seen["state"]) == (CANARY, True, "open")
        assert somebody.account not in str(seen)
        path = f"/ops/contact/{asked['id']}/answer"
        answered = operator.ask("POST", path, json={"answer": "Two years."}).json()
        assert (answered["state"], answered["answer"]) == ("answered", "Two years.")
        assert operator.ask("POST", path, json={"answer": "Again."}).status_code == 409
        assert operator.ask("POST", "/ops/contact/none/answer", json={"answer": "x"}).status_code == 404
        with running.parts.database.begin() as session:
            assert [(one.deed, one.about) for one in list_audit(session)] == [
                ("read questions", ""),
                ("answer question", asked["id"]),
            ]
        assert operator.ask("GET", "/ops/contact").json()["items"] == []
        assert len(operator.ask("GET", "/ops/contact?state=answered").json()["items"]) == 1
        (mine,) = somebody.ask("GET", "/contact").json()["items"]
        assert (mine["id"], mine["answer"]) == (asked["id"], "Two years.")
        (notice,) = somebody.ask("GET", "/notices").json()["items"]
        assert (notice["kind"], notice["contact"]) == ("answer", "privacy@example.org")
        assert other.ask("GET", "/contact").json()["items"] == []
        assert other.ask("GET", "/notices").json()["items"] == []


def test_a_question_shows_that_it_is_overdue(local):
    with local.running() as running:
        somebody = running.person()
        somebody.ask("POST", "/contact", json={"question": CANARY})
        local.clock.move(days=8)
        operator = running.person(role="operator")
        assert [one["state"] for one in operator.ask("GET", "/ops/contact").json()["items"]] == ["overdue"]


def test_only_operators_read_and_answer(local):
    with local.running() as running:
        somebody = running.person()
        asked = somebody.ask("POST", "/contact", json={"question": CANARY}).json()
        before = rows(running.parts.database)
        for one in (somebody, running.person()):
            assert one.ask("GET", "/ops/contact").status_code == 403
            path = f"/ops/contact/{asked['id']}/answer"
            assert one.ask("POST", path, json={"answer": "x"}).status_code == 403
        after = rows(running.parts.database)
        assert after["questions"] == before["questions"]
        assert running.http.get("/v1/ops/contact").status_code == 401


# -- words only ---------------------------------------------------------------------------------

PICTURES = [
    "data:image/png;base64,iVBORw0KGgo",
    "Look: DATA:IMAGE/jpeg;base64,/9j/4AAQ",
    "A" * 200,
    "\n".join(["QUJD" * 19] * 3),
    "face " + "a-_9" * 60,
]
WORDS = [
    "For how long is my number kept?",
    "我" * 500,
    "https://example.org/" + "a" * 100,
    "x" * 59 + " " + "y" * 59 + " " + "z" * 59,
    "word " * 700,
]


@pytest.mark.clause("1.3.5", partly="a picture that is written into a question is refused")
def test_pictures_are_not_taken_however_they_are_written_and_words_are(local):
    with local.running() as running:
        somebody = running.person()
        for picture in PICTURES:
            answer = somebody.ask("POST", "/contact", json={"question": picture})
            assert (answer.status_code, answer.json()["type"]) == (422, "/v1/problems/refused"), picture
            assert picture[:30] not in answer.text
        for words in WORDS:
            assert somebody.ask("POST", "/contact", json={"question": words}).status_code == 201, words
        body = {"files": {"question": ("face.png", b"\x89PNG", "image/png")}}
        assert somebody.ask("POST", "/contact", **body).status_code in (415, 422)
        assert rows(running.parts.database)["questions"] == len(WORDS)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": ""},
        {"question": "   "},
        {"question": "x" * 4001},
        {"question": "a\0b"},
        {"question": "x", "reply_to": "nobody"},
        {"question": "x", "reply_to": f"{'a' * 65}@example.org"},
        {"question": "x", "picture": "x"},
    ],
    ids=str,
)
def test_what_is_not_a_question_is_refused(person, body):
    answer = person.http.post("/contact", json=body)
    assert answer.status_code == 422


def test_questions_have_a_limit(local):
    with local.running(questions_per_caller=2) as running:
        somebody, other = running.person(), running.person()
        found = [somebody.ask("POST", "/contact", json={"question": "x"}) for _ in range(3)]
        assert [one.status_code for one in found] == [201, 201, 429]
        assert int(found[2].headers["retry-after"]) > 3600
        assert other.ask("POST", "/contact", json={"question": "x"}).status_code == 201
        local.clock.move(days=1)
        assert somebody.ask("POST", "/contact", json={"question": "x"}).status_code == 201


# -- at rest ------------------------------------------------------------------------------------


def test_no_word_of_a_question_is_in_clear_in_the_database(local):
    with local.running() as running:
        somebody = running.person()
        operator = running.person(role="operator")
        body = {"question": CANARY, "reply_to": REPLY}
        asked = somebody.ask("POST", "/contact", json=body).json()
        words = "canary answer 4743"
        operator.ask("POST", f"/ops/contact/{asked['id']}/answer", json={"answer": words})
        from service.caller import Caller
        from service.contact.service import ask

        anonymous = ask(running.parts, Caller("192.0.2.0/24"), CANARY, REPLY)
        assert (anonymous.question, anonymous.reply_to) == (CANARY, REPLY)
    files = b"".join(path.read_bytes() for path in local.data.rglob("*") if path.is_file())
    assert asked["id"].encode() in files  # the row is there
    for canary in (CANARY, REPLY, words):
        assert canary.encode() not in files


def test_an_accounts_question_cannot_be_read_when_its_key_has_gone(local):
    """In a backup, for instance; and who answers reads the others all the same."""
    with local.running() as running:
        somebody, other = running.person(), running.person()
        operator = running.person(role="operator")
        for one in (somebody, other):
            one.ask("POST", "/contact", json={"question": CANARY})
        assert len(operator.ask("GET", "/ops/contact").json()["items"]) == 2
        running.parts.vault.erase(somebody.account)
        assert len(operator.ask("GET", "/ops/contact").json()["items"]) == 1
        assert somebody.ask("GET", "/contact").status_code == 410
        assert somebody.ask("POST", "/contact", json={"question": CANARY}).status_code == 410


def test_a_question_is_for_one_row_only(local):
    """A sealed question that is put into another's row does not open there."""
    from cryptography.exceptions import InvalidTag

    from service.caller import Caller
    from service.contact.service import ask, to_answer

    with local.parts() as parts:
        one, other = (ask(parts, Caller("192.0.2.0/24"), words, None) for words in ("one", "other"))
        with parts.database.begin() as session:
            row = session.scalars(select(Question).where(Question.id == other.row.id)).one()
            row.question = one.row.question
        with pytest.raises(InvalidTag):
            to_answer(parts, GROUNDS, answered=False)


# -- the time to answer ---------------------------------------------------------------------------


@pytest.mark.clause("9b", partly="five working days are counted over weekends, not over holidays")
@pytest.mark.parametrize(
    ("received", "wanted"),
    [
        ("2026-11-23", "2026-11-30"),  # Monday
        ("2026-11-26", "2026-12-03"),  # Thursday
        ("2026-11-27", "2026-12-04"),  # Friday
        ("2026-11-28", "2026-12-04"),  # Saturday
        ("2026-11-29", "2026-12-04"),  # Sunday
    ],
)
def test_a_question_is_due_at_the_end_of_the_fifth_working_day(received, wanted):
    for hour in (0, 23):
        moment = datetime.fromisoformat(received).replace(hour=hour, tzinfo=UTC)
        assert due(moment).date().isoformat() == wanted
    assert due(moment) - moment <= timedelta(days=8)


def test_questions_of_a_running_service_on_each_database(person, server, texts):
    from service.database import Database

    assert isinstance(server, Server)
    asked = person.http.post("/contact", json={"question": CANARY, "reply_to": REPLY}).json()
    database = Database(
        server.environment.get("FACEKIT_DATABASE_URL", f"sqlite:///{server.data}/facekit.sqlite")
    )
    with server.person() as operator:
        become_operator(database, operator.account, datetime.now(UTC))
        found = {one["id"]: one for one in operator.http.get("/ops/contact", headers=WHY).json()["items"]}
        assert found[asked["id"]]["reply_to"] == REPLY
        done = operator.http.post(f"/ops/contact/{asked['id']}/answer", json={"answer": "Yes."}, headers=WHY)
        assert done.status_code == 200
    database.close()
    assert person.http.get("/notices").headers["facekit-notice"] == "unread"
    assert [one["kind"] for one in person.http.get("/notices").json()["items"]] == ["answer"]
