"""A job's way, end to end: asked for, handed in sealed, followed, fetched, acknowledged."""

import pytest

from facekit import decode_image
from facekit.envelope import open_sealed
from facekit.keys import KeyPair
from facekit.receipts import verify_receipt
from tests.service.photos import (
    SEALED,
    Photo,
    allow,
    ask,
    begin,
    follow,
    hand_in,
    put,
    read,
    receipt_key,
    wait_for,
)


@pytest.fixture(scope="module")
def photo():
    return Photo(seed=3)


@pytest.fixture
def user(person):
    return allow(person)


STAGES = ["opened", "decode", "detect", "warp", "colour", "mask", "blend", "encode"]


@pytest.mark.clause(
    "1.2.2(2)", "1.2.2(3)", partly="by the service's routes, from a sealed photo to a sealed result"
)
def test_a_sealed_photo_becomes_a_sealed_result(user, photo):
    with KeyPair.generate() as keys:
        job = begin(user, keys=keys)
        assert (job["state"], job["kem"], job["webhook_secret"]) == ("leased", "x25519", None)
        view = hand_in(user, job, photo.file)
        assert view["state"] in ("queued", "running", "done")
        events = follow(user, job)
        assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
        assert [data["stage"] for _, kind, data in events if kind == "stage"] == STAGES
        states = [data["state"] for _, kind, data in events if kind == "state"]
        assert states == ["leased", "queued", "running", "done"]
        view = read(user, job)
        assert (view["state"], view["media_type"]) == ("done", SEALED)
        answer = user.http.get(f"/jobs/{job['id']}/result")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == SEALED
        assert answer.headers["cache-control"] == "no-store"
        assert len(answer.content) == view["size"]
        picture = open_sealed(answer.content, keys, job=job["id"], direction="result")
    assert decode_image(bytes(picture)).shape == (1500, 1240, 3)
    ended = user.http.delete(f"/jobs/{job['id']}")
    assert ended.status_code == 200
    receipt = verify_receipt(ended.text, receipt_key(user))
    assert (receipt.job, receipt.outcome, receipt.upload, receipt.result_key) == (
        job["id"],
        "delivered",
        "sealed",
        "client",
    )
    assert {row.what.value for row in receipt.erased} == {"upload-stored", "result-stored", "cell"}
    assert "network" in receipt.walls


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_without_a_key_of_the_clients_the_result_comes_as_a_picture(user, photo, kind):
    job = begin(user, options={"format": kind, "features": 0.5})
    hand_in(user, job, photo.file)
    view = wait_for(user, job, "done")
    first, second = (user.http.get(f"/jobs/{job['id']}/result") for _ in range(2))
    assert first.headers["content-type"] == view["media_type"] == f"image/{kind}"
    assert len(first.content) == view["size"]
    assert first.content == second.content
    assert decode_image(first.content).shape == (1500, 1240, 3)
    receipt = verify_receipt(user.http.delete(f"/jobs/{job['id']}").text, receipt_key(user))
    assert receipt.result_key == "job"
    assert {row.what.value for row in receipt.erased} == {
        "upload-stored",
        "result-stored",
        "result-held",
        "keys",
        "cell",
    }


@pytest.mark.clause("1.2.2(4)b", partly="after the acknowledgement every way to the job says 410")
def test_what_has_been_acknowledged_is_gone(user, photo):
    job = begin(user)
    hand_in(user, job, photo.file)
    wait_for(user, job, "done")
    receipt = user.http.delete(f"/jobs/{job['id']}").text
    for method, path in (
        ("GET", "/result"),
        ("GET", "/events"),
        ("PUT", "/photo"),
        ("DELETE", ""),
    ):
        assert user.http.request(method, f"/jobs/{job['id']}{path}").status_code == 410, path
    view = read(user, job)
    assert (view["state"], view["size"], view["stage"]) == ("delivered", None, None)
    assert user.http.get(f"/jobs/{job['id']}/receipt").text == receipt
    listed = user.http.get("/jobs").json()["items"]
    assert [(one["id"], one["state"]) for one in listed] == [(job["id"], "delivered")]


def test_an_effect_of_the_catalogue_is_a_job_like_the_swap(user, photo):
    options = {"toward": "male", "amount": 0.5, "format": "webp"}
    with KeyPair.generate() as keys:
        job = begin(user, keys=keys, effect="gender", template=None, options=options)
        hand_in(user, job, photo.file)
        told = [data["stage"] for _, kind, data in follow(user, job) if kind == "stage"]
        assert told == ["opened", "decode", "detect", "shape", "colour", "encode"]
        answer = user.http.get(f"/jobs/{job['id']}/result")
        picture = open_sealed(answer.content, keys, job=job["id"], direction="result")
    assert decode_image(bytes(picture)).shape == (512, 512, 3)
    assert user.http.delete(f"/jobs/{job['id']}").status_code == 200


def test_a_photo_without_a_face_fails_and_says_why(user):
    from facekit import encode_image, synthetic_face

    job = begin(user)
    hand_in(user, job, encode_image(synthetic_face(64)[:16, :16].copy(), "png"))
    view = wait_for(user, job, "failed")
    assert view["problem"] == "no-face"
    assert user.http.get(f"/jobs/{job['id']}/result").status_code == 410
    receipt = verify_receipt(user.http.get(f"/jobs/{job['id']}/receipt").text, receipt_key(user))
    assert receipt.outcome == "failed"


@pytest.mark.parametrize(("data", "problem"), [(b"no picture", "decode"), (b"", "decode")])
def test_what_is_no_picture_fails_and_says_why(user, data, problem):
    job = begin(user)
    hand_in(user, job, data)
    assert wait_for(user, job, "failed")["problem"] == problem


def test_an_envelope_for_another_job_fails(user, photo):
    from tests.service.photos import sealed

    job, other = begin(user), begin(user)
    assert put(user, other, sealed(job, photo.file)).status_code == 202
    assert wait_for(user, other, "failed")["problem"] == "seal"
    assert user.http.delete(f"/jobs/{job['id']}").json()["outcome"] == "cancelled"


@pytest.mark.clause("1.2.2(1)", partly="what is not sealed is refused, and is nowhere")
def test_what_is_no_envelope_is_refused_at_once(user, photo):
    job = begin(user)
    answer = put(user, job, photo.file)
    assert (answer.status_code, answer.json()["type"]) == (422, "/v1/problems/seal")
    assert read(user, job)["state"] == "failed"


def test_events_go_on_where_they_were_cut_off(user, photo):
    job = begin(user)
    hand_in(user, job, photo.file)
    wait_for(user, job, "done")
    whole = follow(user, job)
    assert follow(user, job, last=4) == whole[4:]
    assert follow(user, job, last="nonsense") == whole
    assert follow(user, job, last=99) == []
    user.http.delete(f"/jobs/{job['id']}")


def test_a_job_takes_one_photo(user, photo):
    job = begin(user)
    hand_in(user, job, photo.file)
    answer = put(user, job, b"another")
    assert answer.status_code in (409, 410)  # it may be over by now
    user.http.delete(f"/jobs/{job['id']}")


def test_a_result_that_is_not_there_yet_is_a_conflict_and_so_is_a_receipt(user):
    job = begin(user)
    assert user.http.get(f"/jobs/{job['id']}/result").status_code == 409
    assert user.http.get(f"/jobs/{job['id']}/receipt").status_code == 409
    assert user.http.delete(f"/jobs/{job['id']}").json()["outcome"] == "cancelled"


def test_a_jobs_own_key_holds_against_nobody_else(user, server, photo):
    job = begin(user)
    with server.person() as other:
        allow(other)
        for method, path in (
            ("GET", ""),
            ("GET", "/result"),
            ("GET", "/events"),
            ("GET", "/receipt"),
            ("PUT", "/photo"),
            ("DELETE", ""),
        ):
            answers = [
                who.http.request(method, f"/jobs/{name}{path}")
                for who, name in ((other, job["id"]), (other, "A" * 22))
            ]
            assert [one.status_code for one in answers] == [404, 404], path
            assert answers[0].json() == answers[1].json()
        assert other.http.get("/jobs").json()["items"] == []
    assert read(user, job)["state"] == "leased"
    assert user.http.delete(f"/jobs/{job['id']}").status_code == 200
    with server.client() as nobody:
        assert nobody.get(f"/jobs/{job['id']}/receipt").status_code == 404
    assert ask(user, effect="nothing").status_code == 422
