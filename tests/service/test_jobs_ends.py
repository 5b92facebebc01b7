"""The ends of a job: asked for, withdrawn, broken off, overdue, crashed, killed; after each, all is gone."""

import os
import socket
import sqlite3
import threading
import time
from contextlib import suppress
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from living import children, eventually, is_alive
from test_weak_cell import LESS

from facekit.receipts import verify_receipt
from tests.service.photos import (
    ASKED,
    ENDS,
    SEALED,
    allow,
    begin,
    follow,
    order,
    put,
    read,
    receipt_key,
    sealed,
    wait_for,
)
from tests.service.serving import Server

OBEDIENT = "tests.service.obedient_service"


@pytest.fixture
def lone(obedient):
    with obedient.person() as somebody:
        yield allow(somebody)


def cells(server):
    """List the processes of the server's cells: its fork server's children."""
    return [cell for child in children(server.process.pid) for cell in children(child)]


def at_work(person):
    """Begin a job that works until it is ended."""
    job = begin(person)
    assert put(person, job, sealed(job, order("sleep", seconds=600))).status_code == 202
    wait_for(person, job, "running")
    return job


def folder(server):
    return sorted((server.data / "jobs" / "sealed").iterdir())


def duties(server, job):
    with sqlite3.connect(f"file:{server.data}/jobs/ledger.sqlite?mode=ro", uri=True) as ledger:
        found = ledger.execute("SELECT * FROM duty WHERE job = ?", (job["id"],)).fetchall()
    ledger.close()
    return found


def is_gone(person, server, job, outcome):
    """Say whether a job has ended so, with a receipt that holds, and nothing of it is on the disk."""
    answer = person.http.get(f"/jobs/{job['id']}/receipt")
    if answer.status_code != 200:
        return False
    receipt = verify_receipt(answer.text, receipt_key(person))
    assert receipt.outcome == read(person, job)["state"] == outcome
    return not duties(server, job)


# -- asked for and withdrawn --------------------------------------------------------------------


def by_request(person, job):
    answer = person.http.delete(f"/jobs/{job['id']}")
    assert answer.json()["outcome"] == "cancelled"


def by_consent(person, job):
    assert person.http.delete("/consents/face.effect").status_code == 200


def by_permission(person, job):
    assert person.http.delete("/permissions/album").status_code == 200


@pytest.mark.clause("1.3.8(3)", partly="what ran by it is stopped and erased, and the next call refused")
@pytest.mark.clause("5.4b", partly="a job that works when consent is withdrawn is ended and erased")
@pytest.mark.parametrize("end", [by_request, by_consent, by_permission])
def test_a_working_cell_is_killed_and_all_is_erased(lone, obedient, end):
    job = at_work(lone)
    before = set(cells(obedient))
    end(lone, job)
    # By the time that this has been answered: the job would have worked for ten minutes.
    assert is_gone(lone, obedient, job, "cancelled")
    receipt = lone.http.get(f"/jobs/{job['id']}/receipt").json()
    assert ("cell", "process-ended") in {(row["what"], row["how"]) for row in receipt["erased"]}
    assert eventually(lambda: not before <= set(cells(obedient)), 30)
    assert lone.http.get(f"/jobs/{job['id']}/result").status_code == 410


@pytest.mark.clause("1.3.8(3)", partly="what came by another permission goes on")
def test_what_came_by_another_permission_goes_on(lone, obedient):
    allow(lone, consent=False, permissions=["camera"])
    mine, other = begin(lone), begin(lone, source="camera")
    by_permission(lone, mine)
    assert read(lone, mine)["state"] == "cancelled"
    assert read(lone, other)["state"] == "leased"
    lone.http.delete(f"/jobs/{other['id']}")


def test_the_end_is_told_to_who_follows(lone, obedient):
    job = at_work(lone)
    found = []
    following = threading.Thread(target=lambda: found.extend(follow(lone, job)))
    following.start()
    time.sleep(0.3)
    with obedient.client(Authorization=f"Bearer {lone.token}") as http:
        http.delete(f"/jobs/{job['id']}")
    following.join(30)
    assert found[-1][1:] == ("state", {"state": "cancelled", "problem": None})


def test_many_ends_at_once_are_one(lone, obedient):
    """The answers are one receipt, or say that the job has ended."""
    job = at_work(lone)
    answers = []

    def end():
        with obedient.client(Authorization=f"Bearer {lone.token}") as http:
            answers.append(http.delete(f"/jobs/{job['id']}"))

    threads = [threading.Thread(target=end) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.status_code for one in answers} <= {200, 410}
    assert len({one.text for one in answers if one.status_code == 200}) == 1


# -- broken off ---------------------------------------------------------------------------------


def connect(server, job, token, length):
    place = urlsplit(server.url)
    lines = [
        f"PUT /v1/jobs/{job['id']}/photo HTTP/1.1",
        f"Host: {place.netloc}",
        f"Authorization: Bearer {token}",
        f"Content-Type: {SEALED}",
        f"Content-Length: {length}",
    ]
    connection = socket.create_connection((place.hostname, place.port), timeout=60)
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def test_a_client_that_hangs_up_in_the_middle_ends_its_job(lone, obedient):
    job = begin(lone)
    body = sealed(job, order("echo", rest=os.urandom(300_000)))
    with connect(obedient, job, lone.token, len(body)) as connection:
        connection.sendall(body[:200_000])
        assert eventually(lambda: folder(obedient), 30)  # some of it is on the disk
    assert eventually(lambda: is_gone(lone, obedient, job, "failed"), 30)
    assert read(lone, job)["problem"] == "broken-off"
    receipt = lone.http.get(f"/jobs/{job['id']}/receipt").json()
    assert receipt["outcome"] == "failed"


def test_a_client_that_rests_for_too_long_is_told_so(lone, obedient):
    job = begin(lone)
    body = sealed(job, order("echo", rest=os.urandom(300_000)))
    with connect(obedient, job, lone.token, len(body)) as connection:
        connection.sendall(body[:100_000])
        answer = connection.recv(65536)
    assert answer.split(b" ", 2)[1] == b"408"
    assert eventually(lambda: is_gone(lone, obedient, job, "failed"), 30)


def test_an_upload_can_be_ended_while_it_comes_in(lone, obedient):
    job = begin(lone)
    body = sealed(job, order("echo", rest=os.urandom(300_000)))
    with connect(obedient, job, lone.token, len(body)) as connection:
        connection.sendall(body[:100_000])
        assert eventually(lambda: folder(obedient), 30)
        lone.http.delete(f"/jobs/{job['id']}")
        assert is_gone(lone, obedient, job, "cancelled")
        assert connection.recv(65536).split(b" ", 2)[1] == b"410"


# -- failed -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (order("crash"), "cell"),
        (order("leave", code=0), "cell"),
        (order("defect"), "cell"),
        (order("allocate", bytes=4 * 2**30), "memory"),
        (order("lie", words='{"kind": "NoFaceError", "message": "canary-99"}'), "no-face"),
        (order("lie", words='{"kind": "QuotaExceeded", "message": "canary-99"}'), "cell"),
        (b"[" * 100_000, "cell"),
    ],
)
@pytest.mark.clause("1.2.3b", partly="why a job failed is a word of a closed list, whatever its cell says")
def test_a_job_that_fails_leaves_nothing_and_says_why_in_a_word(lone, obedient, told, problem):
    job = begin(lone)
    put(lone, job, sealed(job, told))
    wait_for(lone, job, "failed")
    assert eventually(lambda: is_gone(lone, obedient, job, "failed"), 30)
    answer = lone.http.get(f"/jobs/{job['id']}")
    assert answer.json()["problem"] == problem
    assert "canary-99" not in answer.text


def test_a_cell_that_talks_without_end_is_ended(lone, obedient):
    job = begin(lone)
    put(lone, job, sealed(job, order("gabble")))
    assert wait_for(lone, job, "failed")["problem"] == "cell"


# -- overdue ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hasty(texts, tmp_path_factory):
    """A server where everything runs out soon."""
    settings = {
        "FACEKIT_LEASE_SECONDS": "3",
        "FACEKIT_RESULT_SECONDS": "3",
        "FACEKIT_JOB_SECONDS": "3",
        "FACEKIT_CELLS": "1",
    }
    with Server(tmp_path_factory.mktemp("hasty"), texts, settings, program=OBEDIENT) as server:
        yield server


@pytest.mark.clause("1.2.2(4)b", partly="a result that nobody fetches goes by itself")
def test_what_is_overdue_goes_by_itself(hasty):
    with hasty.person() as somebody:
        allow(somebody)
        leased, worked, done = (begin(somebody) for _ in range(3))
        put(somebody, done, sealed(done, order("echo", rest=b"a result")))
        wait_for(somebody, done, "done")
        assert somebody.http.get(f"/jobs/{done['id']}/result").content == b"a result"
        put(somebody, worked, sealed(worked, order("sleep", seconds=600)))
        assert eventually(lambda: is_gone(somebody, hasty, leased, "expired"), 30)
        assert eventually(lambda: is_gone(somebody, hasty, worked, "failed"), 30)
        assert read(somebody, worked)["problem"] == "timeout"
        assert eventually(lambda: is_gone(somebody, hasty, done, "expired"), 30)
        for job in (leased, worked, done):
            assert somebody.http.get(f"/jobs/{job['id']}/result").status_code == 410


# -- the process --------------------------------------------------------------------------------


@pytest.mark.clause(
    "1.2.2(4)b", "1.2.3c", partly="killed at any of four moments, nothing is left at the next start"
)
def test_killed_in_the_middle_a_new_start_leaves_nothing_and_says_lost(tmp_path, texts, database):
    settings = database()
    with Server(tmp_path / "data", texts, settings, program=OBEDIENT) as server, server.person() as somebody:
        allow(somebody)
        leased, coming, working, done = (begin(somebody) for _ in range(4))
        put(somebody, done, sealed(done, order("echo", rest=b"a result")))
        put(somebody, working, sealed(working, order("sleep", seconds=600)))
        wait_for(somebody, done, "done")
        wait_for(somebody, working, "running")
        body = sealed(coming, order("echo", rest=os.urandom(300_000)))
        with connect(server, coming, somebody.token, len(body)) as connection:
            connection.sendall(body[:200_000])
            assert eventually(lambda: len(folder(server)) == 2, 30)  # a part of an upload, and a result
            family = [*children(server.process.pid), *cells(server)]
            server.kill()
        assert folder(server)
        assert eventually(lambda: not any(map(is_alive, family)), 30)
        server.start()
        assert folder(server) == []
        with server.client(Authorization=f"Bearer {somebody.token}") as http:
            key = receipt_key_of(http)
            stored = {coming["id"]: {"upload-stored"}, done["id"]: {"result-stored"}}
            for job in (leased, coming, working, done):
                assert http.get(f"/jobs/{job['id']}").json()["state"] == "lost"
                assert http.get(f"/jobs/{job['id']}/result").status_code == 410
                receipt = verify_receipt(http.get(f"/jobs/{job['id']}/receipt").text, key)
                assert receipt.outcome == "lost"
                assert {row.what.value for row in receipt.erased} == stored.get(job["id"], set())
                assert not duties(server, job)


def receipt_key_of(http):
    return receipt_key(SimpleNamespace(http=http))


def test_a_server_that_is_told_to_stop_erases_first(tmp_path, texts):
    with Server(tmp_path / "data", texts, program=OBEDIENT) as server, server.person() as somebody:
        allow(somebody)
        working, done = begin(somebody), begin(somebody)
        put(somebody, done, sealed(done, order("echo", rest=b"a result")))
        put(somebody, working, sealed(working, order("sleep", seconds=600)))
        wait_for(somebody, done, "done")
        wait_for(somebody, working, "running")
        family = [*children(server.process.pid), *cells(server)]
        assert folder(server)
        server.stop()
        assert folder(server) == []
        assert not any(map(is_alive, family))
        server.start()
        with server.client(Authorization=f"Bearer {somebody.token}") as http:
            for job in (working, done):
                receipt = verify_receipt(http.get(f"/jobs/{job['id']}/receipt").text, receipt_key_of(http))
                assert receipt.outcome == "lost"
                assert "cell" in {row.what.value for row in receipt.erased}


def test_where_the_fork_server_dies_jobs_fail_and_new_cells_come(lone, obedient):
    job = at_work(lone)
    (fork_server,) = children(obedient.process.pid)
    with suppress(ProcessLookupError):
        os.kill(fork_server, 9)
    assert wait_for(lone, job, *ENDS)["problem"] == "cell"
    again = begin(lone)  # asks until there are cells
    put(lone, again, sealed(again, order("echo", rest=b"a result")))
    wait_for(lone, again, "done")
    assert children(obedient.process.pid) != [fork_server]
    lone.http.delete(f"/jobs/{again['id']}")


def test_without_jobs_a_server_does_all_else(tmp_path, texts):
    with Server(tmp_path / "data", texts, {"FACEKIT_JOBS": "false"}) as server, server.person() as somebody:
        allow(somebody)
        answer = somebody.http.post("/jobs", json=ASKED)
        assert (answer.status_code, answer.json()["type"]) == (503, "/v1/problems/closed")
        assert children(server.process.pid) == []
        assert somebody.http.get("/jobs").json() == {"items": []}


def test_without_its_walls_the_service_does_not_stay(tmp_path, texts):
    """A wall that cannot be had ends the service, with a word on which."""
    (tmp_path / "sitecustomize.py").write_text(LESS)
    paths = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
    with Server(tmp_path / "data", texts, {"PYTHONPATH": paths}, program=OBEDIENT) as server:
        _, errors = server.process.communicate(timeout=60)
        assert server.process.returncode == 3
    assert errors.startswith("facekit: ")
    assert "processes" in errors
