"""Guessing has an end: codes, passwords, second factors, handles, tokens and ids, by the tight limits."""

import pyotp
import pytest

from tests.service.serving import WITHOUT_JOBS, Server, new_number
from tests.service.test_accounts_opening import GOOD, by_password, with_password

TIGHT = {
    "FACEKIT_CODES_PER_NUMBER": "6",
    "FACEKIT_CODES_PER_ADDRESS": "1000",
    "FACEKIT_TRIES_PER_ADDRESS": "1000",
    "FACEKIT_PASSWORDS_PER_NUMBER": "4",
    "FACEKIT_FACTOR_TRIES": "3",
    "FACEKIT_HANDLES_PER_DAY": "3",
    "FACEKIT_MISSES_PER_CALLER": "5",
}


@pytest.fixture(scope="module")
def strict(database, texts, tmp_path_factory):
    with Server(
        tmp_path_factory.mktemp("strict"), texts, database() | WITHOUT_JOBS | TIGHT, generous=False
    ) as running:
        yield running


@pytest.fixture
def strict_person(strict):
    with strict.person() as somebody:
        yield somebody


@pytest.fixture
def narrow(database, texts, tmp_path_factory):
    """A server that lets little come from one network; of one test, for all tests come from one."""
    few = {"FACEKIT_TRIES_PER_ADDRESS": "4", "FACEKIT_CODES_PER_ADDRESS": "6"}
    with Server(
        tmp_path_factory.mktemp("narrow"), texts, database() | WITHOUT_JOBS | few, generous=False
    ) as running:
        yield running


def refused(answers):
    """Return how many were answered before the first refusal, after which all are refused."""
    statuses = [answer.status_code for answer in answers]
    first = statuses.index(429)
    assert set(statuses[first:]) == {429}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers[first:])
    return first


@pytest.mark.clause(
    "1.3.1 p1 a", partly="a code takes five tries, then is worth nothing, also where the sixth is right"
)
def test_a_code_cannot_be_guessed(strict):
    person = strict.person()
    person.http.headers["Facekit-Acceptance"] = person.accept()
    challenge = person.http.post("/auth/otp", json={"phone": person.phone}).json()["challenge"]
    code = strict.texts.code_for(person.phone)
    given = {"challenge": challenge, "phone": person.phone}
    wrong = f"{(int(code) + 1) % 10**6:06}"
    answers = [person.http.post("/auth/otp/verify", json=given | {"code": wrong}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [422] * 5
    assert person.http.post("/auth/otp/verify", json=given | {"code": code}).status_code == 422
    person.http.close()


def test_a_number_gets_few_codes(strict):
    person = strict.person()
    person.http.headers["Facekit-Acceptance"] = person.accept()
    assert refused([person.http.post("/auth/otp", json={"phone": person.phone}) for _ in range(9)]) == 6
    assert person.http.post("/auth/otp", json={"phone": new_number()}).status_code == 202
    person.http.close()


def test_a_password_cannot_be_guessed_and_a_code_lifts_the_lock(strict_person):
    with_password(strict_person)
    guesses = [by_password(strict_person, f"guess number {number}") for number in range(6)]
    assert refused(guesses) == 4
    assert by_password(strict_person).status_code == 429, "the right one is locked, too"
    with strict_person.server.person(strict_person.phone):
        assert by_password(strict_person).status_code == 200


def test_a_number_that_nobody_has_is_locked_as_well(strict_person):
    phone = new_number()
    assert refused([by_password(strict_person, phone=phone) for _ in range(6)]) == 4


def test_right_passwords_are_not_counted(strict_person):
    with_password(strict_person)
    assert [by_password(strict_person).status_code for _ in range(6)] == [200] * 6


def test_a_second_factor_cannot_be_guessed(strict_person):
    strict_person.step_up()
    totp = pyotp.TOTP(strict_person.http.post("/auth/totp", json={}).json()["secret"])
    wrong = f"{(int(totp.now()) + 1) % 10**6:06}"
    answers = [strict_person.http.post("/auth/totp", json={"code": wrong}) for _ in range(5)]
    assert refused(answers) == 3
    assert strict_person.http.post("/auth/totp", json={"code": totp.now()}).status_code == 429


def test_handles_cannot_be_probed(strict_person, strict):
    with strict.person() as other:
        taken = other.http.get("/me").json()["handle"]
    answers = [strict_person.http.put("/me/handle", json={"handle": taken}) for _ in range(5)]
    assert [answer.status_code for answer in answers[:3]] == [409] * 3
    assert refused(answers) == 3


def test_ids_cannot_be_guessed_and_then_even_a_right_one_is_refused(strict_person):
    made = (
        strict_person.step_up()
        .http.post("/me/api-keys", json={"label": "mine", "scopes": ["account:read"]})
        .json()
    )
    answers = [strict_person.http.delete(f"/me/sessions/{number}") for number in range(7)]
    assert [answer.status_code for answer in answers[:5]] == [404] * 5
    assert refused(answers) == 5
    assert strict_person.http.delete(f"/me/api-keys/{made['id']}").status_code == 429
    assert strict_person.http.get("/me").status_code == 200, "what takes no id goes on"


def test_ids_are_counted_for_an_account_not_for_its_neighbours(strict, strict_person):
    for number in range(6):
        strict_person.http.delete(f"/me/sessions/{number}")
    assert strict_person.http.delete("/me/sessions/x").status_code == 429
    with strict.person() as neighbour:
        assert neighbour.http.delete("/me/sessions/x").status_code == 404


def test_tokens_cannot_be_guessed_from_one_network(narrow):
    with narrow.client() as http:
        answers = [http.get("/me", headers={"Authorization": f"Bearer fks_{n}"}) for n in range(7)]
    assert [answer.status_code for answer in answers[:4]] == [401] * 4
    assert refused(answers) == 4


def test_codes_and_passwords_cannot_be_tried_for_many_numbers_from_one_network(narrow):
    person = narrow.person()
    person.http.headers["Facekit-Acceptance"] = person.accept()
    answers = [
        person.http.post("/auth/password", json={"phone": new_number(), "password": GOOD}) for _ in range(6)
    ]
    assert refused(answers) == 4
    given = {"challenge": "x", "phone": new_number(), "code": "000000"}
    assert person.http.post("/auth/otp/verify", json=given).status_code == 429, "one count for both"
    asked = [person.http.post("/auth/otp", json={"phone": new_number()}) for _ in range(8)]
    assert refused(asked) == 6
    person.http.close()
