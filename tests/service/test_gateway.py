"""The gateway: nothing leaves that the registry does not list, and nothing before the ledger says so."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select

from service import gateway as module
from service.app import make_parts
from service.errors import NotAllowedError, RefusedError, UpstreamError
from service.gateway import Message
from service.ops.store import ShareEvent
from service.settings import Settings

GOOD = Message("sms", "account.code", {"phone": "+8613900000000", "code": "123456"})


@pytest.fixture
def parts(tmp_path):
    made = make_parts(Settings.load(data=tmp_path / "data"))
    yield made
    made.gateway.close()


def ledger(parts):
    with parts.database.begin() as session:
        return [(row.recipient, row.purpose, row.fields) for row in session.scalars(select(ShareEvent))]


@pytest.fixture
def receiver(parts):
    """Notes for each request what stood in the ledger when it arrived; answers with what it is told."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        status = 204

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(ledger(parts))
            self.send_response(Handler.status)
            if Handler.status == 302:
                self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Handler.url, Handler.seen = f"http://127.0.0.1:{server.server_port}/", seen
    yield Handler
    server.shutdown()
    server.server_close()


@pytest.mark.clause("3.1 (head)", partly="the ledger has the row before the first byte leaves")
def test_the_ledger_has_the_row_before_the_message_arrives(parts, receiver):
    parts.gateway.post(receiver.url, GOOD)
    assert receiver.seen == [[("sms", "account.code", "code,phone")]]


def test_the_ledger_holds_no_value_that_was_sent(parts, receiver, tmp_path):
    parts.gateway.post(receiver.url, GOOD)
    held = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert b"account.code" in held
    assert b"13900000000" not in held


@pytest.mark.clause(
    "3.1.2(5)", "1.2.3a", partly="the gateway sends nobody anything that the registry does not list"
)
@pytest.mark.parametrize(
    "message",
    [
        Message("somebody", "account.code", {}),
        Message("sms", "marketing", {"phone": "1"}),
        Message("sms", "account.code", {"phone": "1", "name": "x"}),
        Message("sms", "account.code", {"phone": ["a", "list"]}),
        Message("sms", "account.code", {"phone": b"bytes"}),
        Message("webhook", "job.state", {"photo": "x"}),
    ],
)
def test_what_is_not_listed_is_refused_and_not_sent(parts, receiver, message):
    with pytest.raises(NotAllowedError, match="nothing was sent"):
        parts.gateway.post(receiver.url, message)
    assert receiver.seen == ledger(parts) == []


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_is_no_success_is_an_error_and_no_redirect_is_followed(parts, receiver, status):
    receiver.status = status
    with pytest.raises(UpstreamError, match=f"sms answered with {status}"):
        parts.gateway.post(receiver.url, GOOD)
    assert len(receiver.seen) == 1


def test_nobody_there_is_an_error_and_the_row_stays(parts):
    with pytest.raises(UpstreamError, match="did not answer"):
        parts.gateway.post("http://127.0.0.1:9/", GOOD)
    assert len(ledger(parts)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
        "https://[::ffff:127.0.0.1]/",
        "ftp://example.org/",
        "https://",
    ],
)
def test_an_address_that_a_user_chose_cannot_lead_into_a_private_network(parts, url):
    with pytest.raises(RefusedError):
        parts.gateway.post(url, GOOD, private=False)
    assert ledger(parts) == []


def test_what_was_looked_up_is_what_is_connected_to(monkeypatch):
    """A second look-up could find another machine."""
    answers = iter([[(0, 0, 0, "", ("93.184.216.34", 443))], [(0, 0, 0, "", ("127.0.0.1", 443))]])
    monkeypatch.setattr(module.socket, "getaddrinfo", lambda *_, **__: next(answers))
    target, extensions, host = module._target("https://hooks.example/path?q=1", private=False)
    assert target == "https://93.184.216.34/path?q=1"
    assert extensions == {"sni_hostname": "hooks.example"}
    assert host == "hooks.example"
    with pytest.raises(RefusedError, match="private"):
        module._target("https://hooks.example/", private=False)
