"""Who may begin a job, with what; and that everything that can be refused is before the body is read."""

import socket
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from facekit.effects import EFFECTS
from facekit.pool import WORKS
from facekit.works import _DIALS
from service.jobs import catalogue
from service.jobs.store import Job
from tests.service.photos import (
    SEALED,
    allow,
    ask,
    ask_ledger,
    begin,
    ledger,
    order,
    put,
    read,
    sealed,
    wait_for,
)
from tests.service.serving import Server

NEEDS = {"album": "album", "camera": "camera", "file": "storage"}
#: What an account can use without any consent: all that is no job.
OTHERS = ["/me", "/consents", "/permissions", "/policy", "/templates", "/effects", "/receipt-key", "/jobs"]


# -- consent and permissions --------------------------------------------------------------------


@pytest.mark.clause("1.3.3(2)", partly="at the server: without storage only what comes from it is refused")
@pytest.mark.clause(
    "1.3.3(1)", "1.3.8(1)", "1.3.8(2)", partly="at the server: a permission opens its own way only"
)
@pytest.mark.parametrize("closed", NEEDS.values())
def test_a_permission_that_is_off_blocks_its_own_feature_only(person, closed):
    allow(person, permissions=set(NEEDS.values()) - {closed})
    for source, needed in NEEDS.items():
        answer = ask(person, source=source)
        if needed == closed:
            assert answer.status_code == 403
            assert answer.json()["permission"] == closed
        else:
            assert answer.status_code == 201, answer.text
            assert person.http.delete(f"/jobs/{answer.json()['id']}").status_code == 200


@pytest.mark.clause("1.2.1d", partly="of the routes that there are")
def test_without_the_consent_to_effects_only_jobs_are_refused(person):
    allow(person, consent=False, permissions=NEEDS.values())
    for source in NEEDS:
        answer = ask(person, source=source)
        assert (answer.status_code, answer.json()["purpose"]) == (403, "face.effect")
    assert {path: person.http.get(path).status_code for path in OTHERS} == dict.fromkeys(OTHERS, 200)


@pytest.mark.clause("1.3.3 note", partly="the person shown is attested, 14 or over, before anything is taken")
@pytest.mark.parametrize("said", [None, {"person": "me", "over_14": False}])
def test_without_a_word_on_the_person_shown_there_is_no_job(person, server, said):
    allow(person)
    before = ledger(server)
    answer = ask(person, attestation=said)
    assert (answer.status_code, answer.json()["type"]) == (403, "/v1/problems/not-attested")
    assert ledger(server) == before


@pytest.mark.clause("1.3.3 note", partly="what was said stands with the job, in fixed words")
def test_what_was_said_of_the_person_shown_stands_in_the_ledger(person, server):
    allow(person)
    job = begin(person, attestation={"person": "consenting", "over_14": True})
    assert ask_ledger(server, select(Job.attested).where(Job.id == job["id"])) == "consenting"
    person.http.delete(f"/jobs/{job['id']}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"effect": "nothing"},
        {"template": "nothing"},
        {"template": None},
        {"options": {"shape": 2}},
        {"options": {"shape": "canary-88"}},
        {"options": {"canary-88": 1}},
        {"options": {"face": -1}},
        {"options": {"format": "gif"}},
        {"options": {"keep_mouth": 1}},
        {"result_key": "bm8ga2V5"},
        {"result_key": "canary-88"},
        {"webhook": "ftp://example.org/"},
        {"webhook": "http://example.org/"},
        {"webhook": "https://"},
        {"webhook": "https://canary-88:secret@example.org/"},
        {"webhook": "https://[canary-88/"},
        {"webhook": "https://127.0.0.1/"},
        {"webhook": "https://localhost/"},
        {"webhook": "https://[::ffff:169.254.169.254]/"},
        {"webhook": "https://[64:ff9b::7f00:1]/"},
        {"source": "disk"},
        {"template": "../canary-88"},
        {"effect": "age"},
        {"effect": "age", "template": None, "options": {"years": 41}},
        {"effect": "gender", "template": None, "options": {"toward": "canary-88"}},
        {"canary-88": 1},
    ],
)
def test_what_cannot_be_done_is_refused_before_a_cell_is_leased(person, server, wrong):
    allow(person)
    before = ledger(server)
    answer = ask(person, **wrong)
    assert answer.status_code == 422, answer.text
    assert "canary-88" not in answer.text
    assert ledger(server) == before


def test_the_catalogue_is_what_the_cells_can_do():
    assert catalogue.EFFECTS.keys() == WORKS.keys()
    assert set(catalogue.SwapOptions.model_fields) == _DIALS | {"format"}
    assert catalogue.checked("swap", "stamp", {}) == {
        "face": 0,
        "slot": 0,
        "shape": 0.0,
        "features": 1.0,
        "colour": 1.0,
        "keep_mouth": "auto",
        "gaze": "template",
        "format": "png",
        "template": "stamp",
    }


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=list(EFFECTS))
def test_the_service_offers_each_effect_as_facekits_catalogue_has_it(effect):
    offered = catalogue.EFFECTS[effect.name]
    assert (offered.words, offered.takes_template) == (effect.words, False)
    schema = offered.options.model_json_schema()["properties"]
    assert set(schema) == {one.name for one in effect.parameters} | {"format"}
    for one in effect.parameters:
        shown = schema[one.name]
        assert (shown["default"], shown["description"]) == (one.default, one.words)
        if one.choices:
            assert tuple(shown["enum"]) == one.choices
        else:
            assert (shown["minimum"], shown["maximum"]) == (one.least, one.most)
    asked = catalogue.checked(effect.name, None, {})
    assert asked == effect.checked({}) | {"format": "png"}


def test_what_there_is_can_be_read_by_anybody(server):
    with server.client() as nobody:
        effects = nobody.get("/effects").json()["items"]
        templates = nobody.get("/templates").json()["items"]
    assert [one["name"] for one in effects] == list(catalogue.EFFECTS)
    assert effects[0]["options"]["properties"]["shape"]["maximum"] == 1
    assert {"stamp", "card"} <= {one["name"] for one in templates}
    assert all(one["title"] and one["licence"] for one in templates)


# -- before the body ----------------------------------------------------------------------------


def head_alone(server, path, token, *headers, seconds=5):
    """Send the head of an upload, and no byte of its body; return the answer's status, or None."""
    place = urlsplit(server.url)
    lines = [f"PUT /v1{path} HTTP/1.1", f"Host: {place.netloc}", f"Authorization: Bearer {token}", *headers]
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        connection.settimeout(seconds)
        try:
            answer = connection.recv(65536)
        except TimeoutError:
            return None
    return int(answer.split(b" ", 2)[1])


@pytest.fixture
def lone(obedient):
    with obedient.person() as somebody:
        yield allow(somebody)


GOOD = (f"Content-Type: {SEALED}", "Content-Length: 1000")


def test_a_good_head_is_answered_after_its_body_only(lone, obedient):
    """The control: without it, the tests below could pass with a server that reads nothing at all."""
    job = begin(lone)
    assert head_alone(obedient, f"/jobs/{job['id']}/photo", lone.token, *GOOD, seconds=1) is None
    assert wait_for(lone, job, "failed")["problem"] == "broken-off"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((f"Content-Type: {SEALED}",), 411),
        ((f"Content-Type: {SEALED}", "Transfer-Encoding: chunked"), 411),
        ((f"Content-Type: {SEALED}", f"Content-Length: {32 * 2**20 + 1}"), 413),
        ((f"Content-Type: {SEALED}", f"Content-Length: {10**19}"), 413),
        (("Content-Type: application/octet-stream", "Content-Length: 1000"), 415),
        (("Content-Length: 1000",), 415),
    ],
)
def test_a_wrong_head_is_answered_before_the_body(lone, obedient, headers, status):
    job = begin(lone)
    assert head_alone(obedient, f"/jobs/{job['id']}/photo", lone.token, *headers) == status
    assert read(lone, job)["state"] == "leased"  # it was the head that was wrong; the job goes on
    assert put(lone, job, sealed(job, order("echo"))).status_code == 202
    wait_for(lone, job, "done")


@pytest.mark.clause("1.2.2(1)", partly="unsealed pictures are refused unread, unless the operator takes them")
def test_plain_pictures_are_refused_unread(person, server):
    job = begin(allow(person))
    headers = ("Content-Type: image/jpeg", "Content-Length: 1000")
    assert head_alone(server, f"/jobs/{job['id']}/photo", person.token, *headers) == 415


@pytest.mark.clause("5.4b", partly="the gate is read before a byte of the body is")
def test_who_may_not_is_told_before_the_body(lone, obedient):
    job = begin(lone)
    path = f"/jobs/{job['id']}/photo"
    with obedient.person() as other:
        allow(other)
        assert head_alone(obedient, path, other.token, *GOOD) == 404
    assert head_alone(obedient, f"/jobs/{'A' * 22}/photo", lone.token, *GOOD) == 404
    assert head_alone(obedient, path, "nobody", *GOOD) == 401
    put(lone, job, sealed(job, order("sleep", seconds=30)))
    assert head_alone(obedient, path, lone.token, *GOOD) == 409
    lone.http.delete("/permissions/album")
    assert head_alone(obedient, path, lone.token, *GOOD) == 410
    assert ask(lone).status_code == 403


@pytest.mark.parametrize(("kind", "name"), [("consents", "face.effect"), ("permissions", "album")])
def test_a_gate_that_closes_between_the_lease_and_the_photo_is_seen(lone, obedient, kind, name):
    job = begin(lone)
    withdrawn = lone.http.delete(f"/{kind}/{name}")
    assert withdrawn.status_code == 200
    view = wait_for(lone, job, "cancelled")
    assert view["problem"] == "no-consent"
    assert head_alone(obedient, f"/jobs/{job['id']}/photo", lone.token, *GOOD) == 410


# -- how much -----------------------------------------------------------------------------------


def test_an_account_has_so_many_jobs_and_no_more(tmp_path, texts, database):
    settings = {
        "FACEKIT_ACCOUNT_JOBS": "2",
        "FACEKIT_QUEUE": "3",
        "FACEKIT_CELLS": "1",
        "FACEKIT_MISSES_PER_CALLER": "3",
    }
    program = "tests.service.obedient_service"
    with (
        Server(tmp_path / "data", texts, database() | settings, program=program) as server,
        server.person() as one,
        server.person() as two,
        server.person() as three,
    ):
        for who in (one, two, three):
            allow(who)
        first, _ = begin(one), begin(one)
        over = ask(one)
        assert (over.status_code, over.json()["type"]) == (429, "/v1/problems/too-many")
        assert int(over.headers["Retry-After"]) >= 1
        begin(two)
        begin(two)
        full = ask(three)  # four wait, which is all that may: three in the queue, one at work
        assert (full.status_code, full.json()["type"]) == (429, "/v1/problems/queue-full")
        assert int(full.headers["Retry-After"]) >= 1
        one.http.delete(f"/jobs/{first['id']}")
        begin(three)
        assert [three.http.get(f"/jobs/{'A' * 22}").status_code for _ in range(5)] == [404] * 3 + [429] * 2


@pytest.mark.slow
def test_an_hour_has_so_many_jobs_and_no_more(tmp_path, texts):
    settings = {"FACEKIT_JOBS_PER_HOUR": "3"}
    program = "tests.service.obedient_service"
    with Server(tmp_path / "data", texts, settings, program=program) as server, server.person() as one:
        allow(one)
        for _ in range(3):
            one.http.delete(f"/jobs/{begin(one)['id']}")
        over = ask(one)
        assert over.status_code == 429
        assert 3000 < int(over.headers["Retry-After"]) <= 3600
