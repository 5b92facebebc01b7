"""Webhooks of jobs: signed, no more than a number, a state and a time; and to no private network."""

import hashlib
import hmac
import json
import socket
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from service.app import make_parts
from service.clock import utc_now
from service.errors import RefusedError
from service.jobs import webhooks
from service.jobs.webhooks import Hook, Webhooks, check_address
from service.settings import Settings
from tests.service.photos import allow, begin, order, put, read, sealed, wait_for
from tests.service.serving import eventually


class Receiver:
    """A client's server: takes what comes, and answers with each status in turn, at last with 204."""

    def __init__(self):
        self.got, self.statuses = [], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((body, self.headers["Facekit-Signature"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", f"{receiver.url}elsewhere")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def states(self):
        return [json.loads(body)["state"] for body, _ in self.got]


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def lone(obedient):
    with obedient.person() as somebody:
        yield allow(somebody)


@pytest.mark.clause("3.1 (head)", partly="a webhook gets a number, a state and a time, and the ledger has it")
def test_a_webhook_is_told_of_states_signed_and_of_nothing_else(lone, receiver):
    job = begin(lone, webhook=receiver.url)
    assert read(lone, job)["webhook"] == "waiting"
    put(lone, job, sealed(job, order("echo")))
    wait_for(lone, job, "done")
    lone.http.delete(f"/jobs/{job['id']}")
    eventually(lambda: len(receiver.got) == 2)
    assert receiver.states() == ["done", "delivered"]
    for body, signature in receiver.got:
        told = json.loads(body)
        assert set(told) == {"job", "state", "at"}
        assert told["job"] == job["id"]
        assert datetime.fromisoformat(told["at"]).tzinfo is not None
        wanted = hmac.digest(job["webhook_secret"].encode(), body, hashlib.sha256).hex()
        assert signature == f"sha256={wanted}"
    eventually(lambda: read(lone, job)["webhook"] == "delivered")


def test_each_job_has_a_secret_of_its_own(lone, receiver):
    jobs = [begin(lone, webhook=receiver.url) for _ in range(2)]
    assert jobs[0]["webhook_secret"] != jobs[1]["webhook_secret"]
    for job in jobs:
        lone.http.delete(f"/jobs/{job['id']}")
    eventually(lambda: receiver.states() == ["cancelled", "cancelled"])


def test_a_webhook_that_fails_is_told_again(lone, receiver):
    receiver.statuses = [500]
    job = begin(lone, webhook=receiver.url)
    lone.http.delete(f"/jobs/{job['id']}")
    eventually(lambda: read(lone, job)["webhook"] == "delivered")
    assert receiver.states() == ["cancelled", "cancelled"]
    assert receiver.got[0] == receiver.got[1]


# -- where it may not go ------------------------------------------------------------------------


@pytest.fixture
def sending(tmp_path, monkeypatch):
    """Webhooks without waiting, that may not go to private networks; and what was noted."""
    monkeypatch.setattr(webhooks, "WAITS", (0.0, 0.0, 0.0))
    parts = make_parts(Settings.load(data=tmp_path / "data", jobs=False))
    noted = []

    def make(*, private):
        made = Webhooks(parts.gateway, private=private, note=lambda *what: noted.append(what))

        def send(url):
            noted.clear()
            made.send(Hook(url, "secret"), "A" * 22, None, "done", utc_now())
            eventually(lambda: made.go_on() or noted)
            return noted[0][1]

        return send

    yield make
    parts.gateway.close()
    parts.database.close()
    parts.vault.close()


def found(*addresses):
    """Resolve every name to these addresses."""
    return lambda _, port, **__: [
        (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
        for one in addresses
    ]


def test_a_webhook_that_always_fails_is_given_up(sending, receiver):
    receiver.statuses = [500] * 9
    assert sending(private=True)(receiver.url) == "failed"
    assert len(receiver.got) == 1 + len(webhooks.WAITS)


def test_a_redirect_is_not_followed(sending, receiver):
    receiver.statuses = [302] * 9
    assert sending(private=True)(receiver.url) == "failed"
    assert len(receiver.got) == 1 + len(webhooks.WAITS)  # and none of them elsewhere


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["93.184.215.14", "127.0.0.1"],  # one that is public does not make up for one that is not
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["fd00::1"],
        ["224.0.0.1"],
    ],
)
def test_a_name_that_leads_into_a_private_network_gets_nothing(sending, receiver, monkeypatch, addresses):
    monkeypatch.setattr(socket, "getaddrinfo", found(*addresses))
    assert sending(private=False)(f"https://webhook.example:{receiver.port}/") == "failed"
    assert receiver.got == []


def test_a_name_that_leads_elsewhere_the_second_time_is_not_looked_up_twice(sending, receiver, monkeypatch):
    """DNS rebinding: what is connected to is the address that was looked at."""
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    looked = []

    def look_up(host, port, **more):
        looked.append(host)
        return found(*answers[min(len(looked) - 1, 1)])(host, port)

    def connect(address, *_, **__):
        looked.append(address[0])
        raise OSError("no network here")

    monkeypatch.setattr(webhooks, "WAITS", ())
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert sending(private=False)(f"https://webhook.example:{receiver.port}/") == "failed"
    assert looked == ["webhook.example", "93.184.215.14"]
    assert receiver.got == []


@pytest.mark.parametrize(
    "url",
    ["http://example.org/", "https://user@example.org/", "https://exa mple.org/", "https://example.org:x/"],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(RefusedError):
        check_address(url, private=False)
