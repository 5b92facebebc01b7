"""The client: against a service that is played here, so that it can break off, lie and come late.

tests/service/test_client_and_service.py has the same client at the real one.
"""

import json
import ssl
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import httpx
import pytest

from facekit import Client
from facekit.envelope import open_sealed, seal
from facekit.erasures import Erased, How, What
from facekit.errors import (
    InputError,
    ReceiptError,
    SealError,
    ServiceLostError,
    ServiceRefusedError,
    TooLargeError,
)
from facekit.keys import KeyPair
from facekit.receipts import Signer, issue_receipt

JOB = "3q2-7wAAAAAAAAAAAAAAAA"
PHOTO = b"\xff\xd8\xff\xe0 a photo of nobody" * 9000
PICTURE = b"a picture of nobody" * 20_000
SIGNER = Signer.generate()
NOW = datetime.now(UTC).isoformat()


class Cut(httpx.SyncByteStream):
    """A body that breaks off."""

    def __init__(self, part):
        self.part = part

    def __iter__(self):
        yield self.part
        raise httpx.ReadError("broken")


class Played:
    """A service that does one job, and as many faults as it is told to."""

    def __init__(self):
        self.key, self.state = KeyPair.generate(), "leased"
        self.asked, self.faults = [], {}
        self.largest = 10**7
        self.outcome = "delivered"
        self.stored = b""

    def fault(self, method, path, *answers):
        """Answer the next requests by something else: a response, an exception, or a function."""
        self.faults[method, path] = list(answers)

    def __call__(self, request):
        path = request.url.path.removeprefix("/v1")
        request.read()
        self.asked.append(request)
        waiting = self.faults.get((request.method, path))
        if waiting:
            given = waiting.pop(0)
            if isinstance(given, Exception):
                raise given
            return given(request) if callable(given) else given
        name = path.replace(f"/jobs/{JOB}", "/job").strip("/").replace("/", "_").replace("-", "_")
        return getattr(self, f"{request.method.lower()}_{name}")(request)

    def calls(self, method, path):
        return [one for one in self.asked if (one.method, one.url.path) == (method, f"/v1{path}")]

    def view(self):
        return {
            "id": JOB,
            "effect": "swap",
            "template": "stamp",
            "state": self.state,
            "stage": None,
            "created_at": NOW,
            "deadline": None,
            "size": len(self.stored) or None,
            "media_type": None,
            "problem": None,
        }

    def post_jobs(self, request):
        self.ordered = json.loads(request.content)
        key = b64encode(self.key.public_bytes).decode()
        made = {"id": JOB, "state": "leased", "deadline": NOW, "public_key": key, "kem": "x25519"}
        return httpx.Response(201, json={**made, "largest": self.largest, "something": "new"})

    def put_job_photo(self, request):
        self.photo = open_sealed(request.content, self.key, job=JOB)
        self.state, to = "done", self.ordered["result_key"]
        self.stored = seal(PICTURE, b64decode(to), job=JOB, direction="result")
        return httpx.Response(202, json={**self.view(), "state": "queued"})

    def get_job(self, _):
        return httpx.Response(200, json=self.view())

    def get_job_events(self, request):
        told = [("state", {"state": "queued"}), ("stage", {"stage": "detect"}), ("stage", {"stage": "blend"})]
        told.append(("state", {"state": self.state}))
        after = int(request.headers["Last-Event-ID"])
        rows = [row(n, *one) for n, one in enumerate(told, 1) if n > after]
        return httpx.Response(200, content=": alive\n\n" + "".join(rows))

    def get_job_result(self, request):
        start, status = 0, 200
        if "Range" in request.headers:
            assert request.headers["If-Range"] == '"one"'
            start, status = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-")), 206
        return httpx.Response(status, content=self.stored[start:], headers={"ETag": '"one"'})

    def delete_job(self, _):
        return httpx.Response(200, json=json.loads(self.receipt()))

    get_job_receipt = delete_job

    def get_receipt_key(self, _):
        return httpx.Response(
            200, json={"id": SIGNER.id, "public_key": b64encode(SIGNER.public_bytes).decode()}
        )

    def receipt(self, job=JOB, signer=SIGNER):
        gone = [Erased(What.RESULT_STORED, How.OVERWRITTEN_UNLINKED, datetime.now(UTC))]
        return issue_receipt(
            signer,
            job,
            issued=datetime.now(UTC),
            outcome=self.outcome,
            erased=gone,
            result_key="client",
        ).to_json()


def row(number, kind, data):
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"


def problem(status, slug="refused", **headers):
    body = {"type": f"/v1/problems/{slug}", "title": "No", "status": status, "detail": "what to do"}
    return httpx.Response(
        status,
        content=json.dumps(body),
        headers={"Content-Type": "application/problem+json", **headers},
    )


@pytest.fixture
def played():
    return Played()


@pytest.fixture
def client(played, waits):
    with Client("https://faces.example", "fks_1", transport=httpx.MockTransport(played)) as one:
        yield one


@pytest.fixture
def waits(monkeypatch):
    """The seconds that the client has waited, which nobody waits here."""
    found = []
    monkeypatch.setattr("facekit.wire.time.sleep", found.append)
    return found


def swap(client, photo=PHOTO, **options):
    return client.swap(photo, "stamp", person="me", over_14=True, **options)


# -- one call ---------------------------------------------------------------------------------


def test_a_photo_goes_sealed_and_the_picture_comes_back_with_a_verified_receipt(client, played):
    stages = []
    done = swap(client, progress=stages.append)
    assert (done.picture, done.receipt.job, done.receipt.outcome) == (PICTURE, JOB, "delivered")
    assert played.photo == PHOTO
    assert stages == ["detect", "blend"]
    (upload,) = played.calls("PUT", f"/jobs/{JOB}/photo")
    assert upload.headers["Content-Type"] == "application/vnd.facekit.sealed"
    assert int(upload.headers["Content-Length"]) == len(upload.content)
    assert "Transfer-Encoding" not in upload.headers
    assert PHOTO[:64] not in upload.content
    assert len(played.calls("DELETE", f"/jobs/{JOB}")) == 1
    assert {one.headers["Authorization"] for one in played.asked} == {"Bearer fks_1"}


def test_a_photo_can_lie_in_a_file(client, played, tmp_path):
    (tmp_path / "me.jpg").write_bytes(PHOTO)
    assert swap(client, tmp_path / "me.jpg").picture == PICTURE
    assert swap(client, str(tmp_path / "me.jpg")).picture == PICTURE
    assert played.photo == PHOTO


def test_each_job_has_a_key_of_its_own(client, played):
    swap(client)
    first = played.ordered["result_key"]
    swap(client)
    assert played.ordered["result_key"] != first
    keys = {one.headers["Idempotency-Key"] for one in played.calls("POST", "/jobs")}
    assert len(keys) == 2


def test_what_is_attested_is_what_the_caller_said(client, played):
    swap(client, source="album")
    assert played.ordered["attestation"] == {"person": "me", "over_14": True, "others": False}
    assert played.ordered["source"] == "album"
    with pytest.raises(TypeError):
        client.swap(PHOTO, "stamp")


@pytest.mark.parametrize("photo", ["no such file", b"x" * 2000])
def test_a_photo_that_cannot_go_is_refused_before_anything_is_sent_and_the_job_ends(client, played, photo):
    played.largest = 1000
    with pytest.raises((InputError, TooLargeError)):
        swap(client, photo)
    assert not played.calls("PUT", f"/jobs/{JOB}/photo")
    assert played.calls("DELETE", f"/jobs/{JOB}")


def test_a_job_that_failed_is_told_with_the_problem_and_ends(client, played):
    def failing(_):
        played.state = "failed"
        return httpx.Response(202, json=played.view())

    played.fault("PUT", f"/jobs/{JOB}/photo", failing)
    view = {"problem": "no-face"}
    played.fault("GET", f"/jobs/{JOB}", lambda _: httpx.Response(200, json={**played.view(), **view}))
    with pytest.raises(ServiceRefusedError, match="The job is failed: no-face") as caught:
        swap(client)
    assert caught.value.type == "/v1/problems/no-face"
    assert played.calls("DELETE", f"/jobs/{JOB}")


def test_a_result_that_does_not_open_is_none(client, played):
    def swapped(_):
        broken = played.stored[:-1] + bytes([played.stored[-1] ^ 1])
        return httpx.Response(200, content=broken, headers={"ETag": '"one"'})

    played.fault("GET", f"/jobs/{JOB}/result", swapped)
    with pytest.raises(SealError):
        swap(client)
    assert played.calls("DELETE", f"/jobs/{JOB}")


# -- receipts ---------------------------------------------------------------------------------


def test_a_receipt_by_another_key_than_the_pinned_one_is_refused(played, waits):
    other = Signer.generate().public_bytes
    with (
        Client("https://a.example", transport=httpx.MockTransport(played), receipt_key=other) as client,
        pytest.raises(ReceiptError),
    ):
        swap(client)
    assert not played.calls("GET", "/receipt-key")


def test_the_key_that_was_named_first_counts_from_then_on(client, played):
    swap(client)
    forger = Signer.generate()
    forged = httpx.Response(200, json=json.loads(played.receipt(signer=forger)))
    played.fault("DELETE", f"/jobs/{JOB}", forged)
    with pytest.raises(ReceiptError):
        swap(client)
    assert len(played.calls("GET", "/receipt-key")) == 1


def test_a_receipt_about_another_job_or_another_end_is_refused(client, played):
    other = httpx.Response(200, json=json.loads(played.receipt(job="AAAAAAAAAAAAAAAAAAAAAA")))
    played.fault("DELETE", f"/jobs/{JOB}", other)
    with pytest.raises(ReceiptError, match="another job"):
        swap(client)
    played.outcome = "expired"
    with pytest.raises(ReceiptError, match="another course"):
        swap(client)


def test_a_job_that_was_ended_already_has_its_receipt_all_the_same(client, played):
    """The service had ended it, and the answer that said so was lost."""
    played.fault("DELETE", f"/jobs/{JOB}", httpx.ReadError("broken"), problem(410, "gone"))
    assert swap(client).receipt.job == JOB
    assert len(played.calls("GET", f"/jobs/{JOB}/receipt")) == 1


def test_the_receipt_of_a_cancelled_account_must_hold(client, played):
    played.fault("POST", "/account/cancel", httpx.Response(200, json={"rows": "3", "signer": SIGNER.id}))
    with pytest.raises(ReceiptError):
        client.rights.cancel_account()


# -- broken connections -----------------------------------------------------------------------


def test_a_result_that_breaks_off_is_fetched_from_there(client, played):
    def half(request):
        return httpx.Response(200, stream=Cut(played.stored[:100_000]), headers={"ETag": '"one"'})

    played.fault("GET", f"/jobs/{JOB}/result", half)
    assert swap(client).picture == PICTURE
    ranges = [one.headers.get("Range") for one in played.calls("GET", f"/jobs/{JOB}/result")]
    assert ranges == [None, "bytes=100000-"]


def test_a_result_that_has_changed_meanwhile_is_fetched_from_the_beginning(client, played):
    def half(_):
        return httpx.Response(200, stream=Cut(b"of another"), headers={"ETag": '"other"'})

    def whole(request):
        assert request.headers["If-Range"] == '"other"'
        return httpx.Response(200, content=played.stored)

    played.fault("GET", f"/jobs/{JOB}/result", half, whole)
    assert swap(client).picture == PICTURE


def test_events_go_on_after_the_last_that_came(client, played):
    def some(_):
        return httpx.Response(200, stream=Cut(row(1, "state", {"state": "queued"}).encode() + b"id: 2\n"))

    played.fault("GET", f"/jobs/{JOB}/events", some)
    stages = []
    swap(client, progress=stages.append)
    assert stages == ["detect", "blend"]
    followed = [one.headers["Last-Event-ID"] for one in played.calls("GET", f"/jobs/{JOB}/events")]
    assert followed == ["0", "1"]


def test_events_that_never_end_are_given_up(client, played):
    played.fault("GET", f"/jobs/{JOB}/events", *[httpx.Response(200, content="") for _ in range(9)])
    with pytest.raises(ServiceLostError, match="what becomes of the job"):
        list(client.jobs.events(JOB))


def test_an_upload_whose_answer_is_lost_is_not_sent_twice(client, played):
    def lost(request):
        played.put_job_photo(request)
        raise httpx.ReadError("broken")

    played.fault("PUT", f"/jobs/{JOB}/photo", lost)
    assert swap(client).picture == PICTURE
    assert len(played.calls("PUT", f"/jobs/{JOB}/photo")) == 1


def test_an_upload_that_did_not_arrive_ends_the_job(client, played):
    played.fault("PUT", f"/jobs/{JOB}/photo", httpx.WriteError("broken"))
    with pytest.raises(ServiceLostError):
        swap(client)
    assert played.calls("DELETE", f"/jobs/{JOB}")


def test_a_job_whose_answer_is_lost_is_asked_for_by_the_same_key(client, played, waits):
    played.fault("POST", "/jobs", httpx.ReadTimeout("late"), httpx.ReadError("broken"))
    swap(client)
    keys = [one.headers["Idempotency-Key"] for one in played.calls("POST", "/jobs")]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert waits[0] < waits[1]


def test_what_may_have_been_done_is_not_done_again(client, played, waits):
    played.fault("POST", "/auth/otp", httpx.ReadError("broken"))
    with pytest.raises(ServiceLostError, match="broken"):
        client.sign_in("+8613800138000", code=str)
    assert len(played.calls("POST", "/auth/otp")) == 1
    assert not waits


def test_a_service_that_cannot_be_reached_is_tried_four_times(client, played):
    played.fault("POST", "/auth/otp", *[httpx.ConnectError("refused") for _ in range(9)])
    with pytest.raises(ServiceLostError, match="cannot be reached: refused"):
        client.sign_in("+8613800138000", code=str)
    assert len(played.calls("POST", "/auth/otp")) == 4


# -- later ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
def test_what_is_to_come_later_comes_as_late_as_the_service_says(client, played, waits, status):
    played.fault("PUT", f"/jobs/{JOB}/photo", problem(status, **{"Retry-After": "7"}))
    assert swap(client).picture == PICTURE
    assert len(waits) == 1
    assert 7 <= waits[0] <= 8.4


def test_patience_ends(client, played, waits):
    played.fault("GET", f"/jobs/{JOB}", problem(429, "too-many", **{"Retry-After": "3600"}))
    with pytest.raises(ServiceRefusedError) as caught:
        client.jobs.view(JOB)
    assert caught.value.retry_after == 3600
    assert not waits
    played.fault("GET", f"/jobs/{JOB}", *[problem(503, **{"Retry-After": "8"}) for _ in range(9)])
    with pytest.raises(ServiceRefusedError):
        client.jobs.view(JOB)
    assert len(waits) == 3


def test_a_refusal_tells_all_that_the_service_said(client, played):
    body = {"type": "/v1/problems/no-consent", "title": "T", "status": 403, "detail": "D", "purpose": "p"}
    answer = httpx.Response(
        403, content=json.dumps(body), headers={"Content-Type": "application/problem+json"}
    )
    played.fault("POST", "/jobs", answer)
    with pytest.raises(ServiceRefusedError, match="T: D") as caught:
        swap(client)
    assert (caught.value.type, caught.value.status) == ("/v1/problems/no-consent", 403)
    assert caught.value.more == {"purpose": "p"}
    assert len(played.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, text="<html>a proxy</html>"),
        httpx.Response(302, headers={"Location": "https://elsewhere.example"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={"id": 7}),
        httpx.Response(500, content="[1]", headers={"Content-Type": "application/problem+json"}),
        httpx.Response(500, content="[", headers={"Content-Type": "application/problem+json"}),
    ],
)
def test_an_answer_that_nobody_understands_is_an_error_of_its_own(client, played, answer):
    played.fault("GET", f"/jobs/{JOB}", answer)
    with pytest.raises(ServiceLostError):
        client.jobs.view(JOB)


# -- where to ---------------------------------------------------------------------------------


@pytest.mark.clause("1.2.2(1)", partly="the client sends nothing in clear to another machine")
@pytest.mark.parametrize(
    "url",
    ["http://faces.example", "http://203.0.113.7:80", "ftp://127.0.0.1", "faces.example", "", "https://"],
)
def test_nothing_goes_in_clear_to_another_machine(url):
    with pytest.raises(InputError, match="https://HOST"):
        Client(url)


@pytest.mark.parametrize("url", ["https://a:b@faces.example", "https://faces.example?token=1"])
def test_a_url_holds_no_secret(url):
    with pytest.raises(InputError):
        Client(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:1", "https://a.b/c"]
)
def test_where_a_client_may_send(url):
    with Client(url, verify=ssl.create_default_context()) as client:
        assert repr(client) == f"<Client {url}>"


def test_surroundings_are_not_used(monkeypatch, played):
    """A proxy would see who talks to whom, and a .netrc would send a password."""
    monkeypatch.setenv("HTTPS_PROXY", "http://192.0.2.1:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    with Client("http://127.0.0.1:1", patience=0) as client, pytest.raises(ServiceLostError, match="refused"):
        client.policy()


def test_nothing_that_is_printed_tells_a_token_or_a_picture(client, played):
    done = swap(client)
    assert "picture of nobody" not in repr(done)
    assert "fks_1" not in repr(client)
