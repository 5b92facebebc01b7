"""A fresh code for the account's own phone, before a right is exercised."""

import pytest

from tests.service.serving import Person, new_number


@pytest.mark.clause("5.1c", "5.5 (head) a", partly="a code to the number on record confirms a session")
def test_a_code_to_the_own_phone_confirms_the_session(person):
    assert person.http.post("/auth/step-up/code").json().keys() == {"challenge", "seconds"}
    person.server.texts.code_for(person.phone)
    person.step_up()


def test_a_code_for_another_phone_confirms_nothing(person):
    other = Person(person.server, new_number())
    accepted = {"Facekit-Acceptance": other.accept()}
    sent = other.http.post("/auth/otp", json={"phone": other.phone}, headers=accepted)
    given = {"challenge": sent.json()["challenge"], "code": person.server.texts.code_for(other.phone)}
    other.http.close()
    answer = person.http.post("/auth/step-up", json=given)
    assert answer.status_code == 422


def test_a_code_confirms_once(person):
    challenge = person.http.post("/auth/step-up/code").json()["challenge"]
    given = {"challenge": challenge, "code": person.server.texts.code_for(person.phone)}
    assert person.http.post("/auth/step-up", json=given).status_code == 204
    assert person.http.post("/auth/step-up", json=given).status_code == 422
