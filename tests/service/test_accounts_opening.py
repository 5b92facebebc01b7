"""What opens an account: passwords, sessions, API keys, a second factor; and what shuts it all at once."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from service.caller import SCOPES, SECOND_FACTOR, Caller, require_operator
from service.errors import NotAllowedError, SecondFactorError
from tests.service.serving import new_number

GOOD = "four otters on a log"


def with_password(person, password=GOOD):
    person.step_up()
    answer = person.http.put("/me/password", json={"password": password})
    assert answer.status_code == 204, answer.text
    return person


def by_password(person, password=GOOD, *, phone=""):
    """Try to sign in by password, as somebody who has just come."""
    with person.server.client() as http:
        accepted = person.server.person()
        http.headers["Facekit-Acceptance"] = accepted.accept()
        accepted.http.close()
        return http.post("/auth/password", json={"phone": phone or person.phone, "password": password})


def holds(server, token):
    """Say whether a token opens anything."""
    with server.client(Authorization=f"Bearer {token}") as http:
        return http.get("/me").status_code != 401


# -- passwords -------------------------------------------------------------------------------


@pytest.mark.clause("1.3.1 p1 b", partly="a password is optional, and signs in beside codes")
def test_a_password_signs_in_once_it_is_set(person):
    assert person.http.get("/me").json()["has_password"] is False
    assert by_password(person).status_code == 422
    with_password(person)
    assert person.http.get("/me").json()["has_password"] is True
    answer = by_password(person)
    assert (answer.status_code, answer.json()["account"]) == (200, person.account)
    assert by_password(person, "four otters on a lot").status_code == 422


def test_wrong_passwords_unknown_numbers_and_accounts_without_one_are_answered_alike(person):
    none = by_password(person)
    with_password(person)
    wrong, unknown = by_password(person, "not the password"), by_password(person, phone=new_number())
    assert none.json() == wrong.json() == unknown.json()
    assert none.status_code == wrong.status_code == unknown.status_code == 422


def test_a_password_needs_a_fresh_code(person):
    assert person.http.put("/me/password", json={"password": GOOD}).status_code == 401
    assert person.http.delete("/me/password").status_code == 401


@pytest.mark.clause("4.2.2(4)")
@pytest.mark.parametrize(
    "password",
    ["short", "passw0rd", "password1234", "Dragon2024!", "aaaaaaaaaaaa", "12345678", "abcabcabc", "        "],
)
def test_a_password_that_is_soon_guessed_is_refused(person, password):
    person.step_up()
    assert person.http.put("/me/password", json={"password": password}).status_code == 422
    assert person.http.get("/me").json()["has_password"] is False


def test_a_password_that_holds_one_s_number_or_handle_is_refused(person):
    person.step_up()
    handle = person.http.get("/me").json()["handle"]
    for password in (f"my {person.phone[3:]} !", f"my {handle.upper()} !"):
        assert person.http.put("/me/password", json={"password": password}).status_code == 422


@pytest.mark.parametrize(
    "password", ["我的密码是四只水獭", "x" * 60 + "y z" + "w" * 65, "ｆｏｕｒ otters sit", "a7#kq2!m"]
)
def test_a_password_may_be_of_any_characters_and_long(person, password):
    with_password(person, password)
    assert by_password(person, password).status_code == 200


def test_a_password_counts_by_its_characters_however_they_were_typed(person):
    with_password(person, "café au lait")
    assert by_password(person, "cafe\u0301 au lait").status_code == 200


def test_a_new_password_ends_the_other_sessions_and_no_password_needs_none(person):
    with_password(person)
    other = by_password(person).json()["token"]
    with_password(person, "five otters on a log")
    assert not holds(person.server, other)
    assert holds(person.server, person.token)
    assert by_password(person).status_code == 422
    assert person.http.delete("/me/password").status_code == 204
    assert by_password(person, "five otters on a log").status_code == 422


# -- sessions and keys -----------------------------------------------------------------------


def test_sessions_are_listed_and_ended_one_by_one_or_all_others(person):
    tokens = [person.token]
    for _ in range(3):
        with person.server.person(person.phone) as again:
            tokens.append(again.token)
    listed = person.http.get("/me/sessions").json()["items"]
    assert len(listed) == 4
    assert [one["current"] for one in listed].count(True) == 1
    assert {one["method"] for one in listed} == {"code"}
    oldest_other = next(one for one in reversed(listed) if not one["current"])
    assert person.http.delete(f"/me/sessions/{oldest_other['id']}").status_code == 204
    assert [holds(person.server, token) for token in tokens] == [True, False, True, True]
    assert person.http.delete("/me/sessions").status_code == 204
    assert [holds(person.server, token) for token in tokens] == [True, False, False, False]


def test_nobody_sees_or_ends_what_is_another_s(person, server):
    with server.person() as other:
        key = (
            other.step_up()
            .http.post("/me/api-keys", json={"label": "theirs", "scopes": ["account:read"]})
            .json()
        )
        session = other.http.get("/me/sessions").json()["items"][0]["id"]
        for path in (f"/me/sessions/{session}", f"/me/api-keys/{key['id']}"):
            assert person.http.delete(path).status_code == 404
        assert person.http.get("/me/api-keys").json()["items"] == []
        assert holds(server, other.token)
        assert holds(server, key["token"])


def test_a_key_is_shown_once_does_what_its_scopes_say_and_can_be_revoked(person):
    made = person.step_up().http.post(
        "/me/api-keys", json={"label": "photo booth", "scopes": ["account:read"]}
    )
    assert made.status_code == 201
    token = made.json().pop("token")
    listed = person.http.get("/me/api-keys")
    assert token not in listed.text
    assert [one["label"] for one in listed.json()["items"]] == ["photo booth"]
    with person.server.client(Authorization=f"Bearer {token}") as program:
        assert program.get("/me").json()["id"] == person.account
        assert program.get("/consents").status_code == 403
        assert program.patch("/me", json={"name": "changed"}).status_code == 403
        assert program.get("/me/api-keys").status_code == 403
        assert person.http.delete(f"/me/api-keys/{made.json()['id']}").status_code == 204
        assert program.get("/me").status_code == 401


def test_a_key_needs_a_fresh_code_for_it_outlives_who_made_it(person):
    asked = {"label": "left behind", "scopes": ["account:read"]}
    answer = person.http.post("/me/api-keys", json=asked)
    assert (answer.status_code, answer.json()["type"]) == (401, "/v1/problems/step-up")
    assert person.step_up().http.post("/me/api-keys", json=asked).status_code == 201


def test_keys_can_have_the_scopes_that_there_are_and_no_others(person):
    every = person.step_up().http.post("/me/api-keys", json={"label": "all", "scopes": list(SCOPES)})
    assert sorted(every.json()["scopes"]) == sorted(SCOPES)
    for scopes in ([], ["everything"]):
        answer = person.http.post("/me/api-keys", json={"label": "none", "scopes": scopes})
        assert answer.status_code == 422


def test_an_account_has_twenty_keys_at_most(person):
    person.step_up()
    answers = [
        person.http.post("/me/api-keys", json={"label": f"{i}", "scopes": ["account:read"]})
        for i in range(21)
    ]
    assert [answer.status_code for answer in answers] == [201] * 20 + [409]


# -- a leak ----------------------------------------------------------------------------------


@pytest.mark.clause("4.2.2(6)e")
def test_who_says_that_something_leaked_shuts_all_and_only_a_code_opens(person):
    with_password(person)
    tokens = [person.token, by_password(person).json()["token"]]
    made = (
        person.step_up()
        .http.post("/me/api-keys", json={"label": "program", "scopes": ["account:read"]})
        .json()
    )
    tokens.append(made["token"])
    assert all(holds(person.server, token) for token in tokens)

    assert person.http.post("/account/compromised").status_code == 204
    assert not any(holds(person.server, token) for token in tokens)
    assert by_password(person).status_code == 422, "the password that leaked"

    with person.server.person(person.phone) as again:
        assert again.account == person.account
        assert again.http.get("/me").json()["has_password"] is False
        assert again.http.get("/me/api-keys").json()["items"] == []
        assert by_password(person).status_code == 422, "the password that leaked, after a code opened"
        assert not any(holds(person.server, token) for token in tokens)
        with_password(again, "six otters on a log")
        assert by_password(again, "six otters on a log").status_code == 200


# -- the second factor, and operators -----------------------------------------------------------


def command(server, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env=os.environ | server.environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def enrolled(person):
    """Set an authenticator up, and confirm it."""
    person.step_up()
    made = person.http.post("/auth/totp", json={}).json()
    totp = pyotp.TOTP(made["secret"])
    code = totp.now()
    answer = person.http.post("/auth/totp", json={"code": code})
    assert answer.json() == {"confirmed": True, "secret": None, "uri": None}
    return totp, made | {"code": code}


def test_a_second_factor_is_set_up_with_a_fresh_code_and_shown_once(person):
    assert person.http.post("/auth/totp", json={}).status_code == 401
    _, made = enrolled(person)
    assert pyotp.parse_uri(made["uri"]).secret == made["secret"]
    assert person.http.post("/auth/totp", json={}).status_code == 409, "nobody sets up another beside it"


def test_a_second_factor_s_code_is_given_once(person):
    totp, made = enrolled(person)
    assert person.http.post("/auth/totp", json={"code": made["code"]}).status_code == 422, (
        "the one just given"
    )
    following = totp.at(time.time() + 30)
    assert person.http.post("/auth/totp", json={"code": following}).status_code == 200
    assert person.http.post("/auth/totp", json={"code": following}).status_code == 422
    assert person.http.post("/auth/totp", json={"code": totp.at(time.time() - 3600)}).status_code == 422


def test_a_code_without_a_second_factor_is_refused(person):
    assert person.http.post("/auth/totp", json={"code": "000000"}).status_code == 422


@pytest.mark.clause(
    "4.2.1 p4", partly="the role is given from the machine's shell, and needs a second factor"
)
def test_an_operator_is_made_from_the_machine_s_own_shell(person):
    assert command(person.server, "operator", new_number()).returncode == 3
    assert person.http.get("/me").json()["role"] == "user"
    run = command(person.server, "operator", person.phone)
    assert run.returncode == 0, run.stderr
    assert person.http.get("/me").json()["role"] == "operator"
    assert person.phone not in run.stdout + run.stderr

    enrolled(person)
    assert command(person.server, "operator", person.phone, "--reset-second-factor").returncode == 0
    enrolled(person)  # it could be set up anew
    assert command(person.server, "operator", person.phone, "--revoke").returncode == 0
    assert person.http.get("/me").json()["role"] == "user"


def test_no_request_makes_an_operator(person):
    assert person.http.patch("/me", json={"name": "x", "role": "operator"}).status_code == 422
    assert person.http.get("/me").json()["role"] == "user"


@pytest.mark.clause("4.2.1 p4", partly="operators' routes need a second factor, of the last twelve hours")
def test_what_operators_may_needs_a_second_factor_that_is_not_old():
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def enter(role, given_at):
        caller = Caller("net", "account", "session", role=role, second_factor_at=given_at)
        require_operator(caller, now)

    enter("operator", now - SECOND_FACTOR + timedelta(seconds=1))
    for given_at in (None, now - SECOND_FACTOR):
        with pytest.raises(SecondFactorError):
            enter("operator", given_at)
    with pytest.raises(NotAllowedError):
        enter("user", now)
