"""The same request again: with a key of its own it begins no second job."""

import threading

import pytest
from sqlalchemy import func, select

from service.jobs.store import JobKey
from tests.service.photos import allow, ask, ask_ledger, begin, ledger, order, put, sealed, wait_for


@pytest.fixture
def lone(obedient):
    with obedient.person() as somebody:
        yield allow(somebody)


def again(person, key, **more):
    return ask(person, headers={"Idempotency-Key": key}, **more)


def test_a_request_that_comes_again_gets_the_same_answer(lone, obedient):
    first = again(lone, "key-1", webhook="http://127.0.0.1:9/")
    before = ledger(obedient)
    second = again(lone, "key-1", webhook="http://127.0.0.1:9/")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first.json()["webhook_secret"]
    assert ledger(obedient) == before
    put(lone, first.json(), sealed(first.json(), order("echo")))
    wait_for(lone, first.json(), "done")
    lone.http.delete(f"/jobs/{first.json()['id']}")
    assert again(lone, "key-1", webhook="http://127.0.0.1:9/").json() == first.json()  # also when it is over


def test_the_order_of_what_is_asked_does_not_matter(lone):
    first = again(lone, "key-2", options={"shape": 0.5, "features": 1})
    assert again(lone, "key-2", options={"features": 1, "shape": 0.5}).json() == first.json()
    lone.http.delete(f"/jobs/{first.json()['id']}")


def test_another_request_with_the_same_key_is_a_conflict(lone):
    first = again(lone, "key-3")
    answer = again(lone, "key-3", options={"shape": 0.5})
    assert (answer.status_code, answer.json()["type"]) == (409, "/v1/problems/conflict")
    lone.http.delete(f"/jobs/{first.json()['id']}")


def test_a_key_is_its_accounts_own(lone, obedient):
    first = again(lone, "key-4")
    with obedient.person() as other:
        second = again(allow(other), "key-4", options={"shape": 0.5})
        assert second.status_code == 201
        assert second.json()["id"] != first.json()["id"]
        other.http.delete(f"/jobs/{second.json()['id']}")
    lone.http.delete(f"/jobs/{first.json()['id']}")


def test_without_a_key_each_request_is_a_new_one(lone):
    jobs = [begin(lone), begin(lone)]
    assert jobs[0]["id"] != jobs[1]["id"]
    for job in jobs:
        lone.http.delete(f"/jobs/{job['id']}")


def test_a_repeated_request_still_needs_the_consent(lone):
    assert again(lone, "key-5").status_code == 201
    lone.http.delete("/consents/face.effect")
    assert again(lone, "key-5").status_code == 403


def test_many_at_once_with_one_key_begin_one_job(lone, obedient):
    before, answers = ledger(obedient), []

    def send():
        with obedient.client(Authorization=f"Bearer {lone.token}") as http:
            answers.append(again(type("Who", (), {"http": http}), "key-6"))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.status_code for one in answers} <= {201, 409}
    assert len({one.json()["id"] for one in answers if one.status_code == 201}) == 1
    assert ledger(obedient) == before + 1
    lone.http.delete(f"/jobs/{next(one for one in answers if one.status_code == 201).json()['id']}")


@pytest.mark.parametrize("key", ["", "x" * 201, "two words", "é"])
def test_what_is_no_key_is_refused(lone, key):
    assert again(lone, key.encode("latin-1")).status_code == 422


def test_a_request_that_was_refused_can_be_sent_again_with_its_key(lone, obedient):
    """What failed was no job, so its key is free: here for want of a place."""
    jobs = [begin(lone) for _ in range(8)]
    keys = ask_ledger(obedient, select(func.count()).select_from(JobKey))
    assert again(lone, "key-7").status_code == 429
    assert ask_ledger(obedient, select(func.count()).select_from(JobKey)) == keys
    for job in jobs:
        lone.http.delete(f"/jobs/{job['id']}")
    answer = again(lone, "key-7")
    assert answer.status_code == 201
    lone.http.delete(f"/jobs/{answer.json()['id']}")


def test_of_a_key_and_its_answer_nothing_can_be_read_in_the_database(lone, obedient):
    job = again(lone, "a-key-that-can-be-found").json()
    kept = ask_ledger(obedient, select(JobKey.answer).where(JobKey.account_id == lone.account))
    assert kept
    assert job["public_key"].encode() not in kept
    if not obedient.environment.get("FACEKIT_DATABASE_URL"):
        data = (obedient.data / "facekit.sqlite").read_bytes()
        assert job["id"].encode() in data  # the ledger's line: what is there can be found
        assert b"a-key-that-can-be-found" not in data
        assert job["public_key"].encode() not in data
    lone.http.delete(f"/jobs/{job['id']}")
