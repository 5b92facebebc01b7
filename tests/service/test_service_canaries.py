"""What comes in is nowhere afterwards: in no log, no error, no metric, in clear in no database.

Marks are planted in every place of every operation that the OpenAPI document has, so that a new route or
field is searched for as well.
"""

import re
import socket
from contextlib import ExitStack, suppress
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from tests.service.backstage import Backstage
from tests.service.planting import Marks, requests
from tests.service.serving import Server
from tests.service.things import path_for

#: After these the account, or the session, is gone.
ENDINGS = {"cancel_account", "say_that_it_leaked", "sign_out", "end_session", "end_other_sessions"}


class Searched:
    """A server, and all that it writes."""

    def __init__(self, server, postgres):
        self.server, self._postgres = server, postgres
        self.told = b""

    def hits(self, marks):
        """Search everything; return where marks were found."""
        found = marks.files(self.server.data)
        if self._postgres:
            url = self.server.environment["FACEKIT_DATABASE_URL"]
            name = re.search(r"/(\w+)\?", url)[1]
            self._postgres.run(
                "psql", "-h", self._postgres.base, "-U", "facekit", "-d", name, "-c", "checkpoint"
            )
            found |= {f"PostgreSQL: {path}": hits for path, hits in marks.files(self._postgres.base).items()}
        if hits := marks.found_in(self.told):
            found["standard output and error"] = hits
        return found

    def stop(self):
        """Stop the server, and take what it had written to its standard output and error."""
        self.server.process.terminate()
        self.told = "".join(self.server.process.communicate(timeout=60)).encode()


@pytest.fixture
def searched(database, texts, request, tmp_path):
    settings = database()
    postgres = request.getfixturevalue("postgres") if settings else None
    with Server(tmp_path, texts, settings | {"FACEKIT_LEASE_SECONDS": "5"}) as running:
        yield Searched(running, postgres)


def plant(searched, marks, backstage):
    """Send marks in every place of every operation; return errors, and which operations took a mark in."""
    server, errors, sent, taken = searched.server, [], 0, set()
    with ExitStack() as stack:
        http = stack.enter_context(server.client())
        document = http.get("/openapi.json").json()
        somebody = new(stack, server, backstage)
        for template, item in document["paths"].items():
            for method, said in item.items():
                token, path = opened(backstage, somebody), path_for(template, somebody)
                for one in requests(document, marks, method.upper(), template, path):
                    headers = {"Authorization": f"Bearer {token}", **one.headers}
                    answer = send(http, server, one, headers)
                    sent += 1
                    if answer is None:
                        continue
                    if answer.status_code >= 400:
                        whole = repr(answer.headers.multi_items()).encode() + answer.content
                        errors.append((f"{method.upper()} {template}, {one.where}", whole))
                    elif one.where.startswith("body"):
                        taken.add(said["operationId"])
                    if said["operationId"] in ENDINGS:
                        somebody = new(stack, server, backstage)
                        token = opened(backstage, somebody)
    assert sent > 1500
    assert len(errors) > sent / 2
    return errors, taken


def new(stack, server, backstage):
    """Return somebody new, who has been told something."""
    somebody = stack.enter_context(server.person())
    backstage.tell(somebody.account)
    return somebody


def opened(backstage, person):
    """Return the token of a session that may do everything."""
    backstage.confirm(person.account)
    backstage.make_operator(person.account)
    return backstage.session(person.account, fresh=True, second_factor=timedelta())[1]


def send(http, server, one, headers):
    """Send a request as it is; nothing where it cannot be sent, or its answer never ends."""
    http.cookies.clear()
    with suppress(httpx.TransportError):  # it is none, or the server hung up on a body that it did not want
        asked = http.stream(one.method, server.url + one.path, headers=headers, content=one.body)
        with asked as answer:
            if answer.status_code >= 400:
                answer.read()
            return answer
    return None


def raw(server, head):
    """Send what no client sends; return what comes back."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 20) as wire:
        wire.sendall(head)
        wire.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            return b"".join(iter(lambda: wire.recv(65536), b""))
    return b""


@pytest.mark.clause(
    "1.1.1(1)",
    "1.1.3",
    "1.3.2(1)",
    partly="of all that can come in, by marks in every place of every operation",
)
def test_what_comes_in_is_in_no_log_no_error_no_metric_and_in_clear_in_no_database(searched):
    marks = Marks()
    with Backstage(searched.server) as backstage:
        errors, taken = plant(searched, marks, backstage)
        with searched.server.person() as operator:
            token = opened(backstage, operator)
            metrics = operator.http.get("/ops/metrics", headers={"Authorization": f"Bearer {token}"})
    assert {"edit_me", "make_key", "ask_question"} <= taken  # for what is taken in, too, is looked for
    assert metrics.status_code == 200
    for where, head in {
        "method": f"{marks.new().upper()} /v1/me HTTP/1.1\r\nHost: a\r\n\r\n",
        "version": f"GET /v1/me {marks.new()}\r\n\r\n",
        "host": f"GET /v1/me HTTP/1.1\r\nHost: {marks.new()}\r\n\r\n",
        "header": f"GET /v1/me HTTP/1.1\r\nHost: a\r\n{marks.new()}\r\n\r\n",
        "length": f"POST /v1/auth/otp HTTP/1.1\r\nHost: a\r\nContent-Length: {marks.new()}\r\n\r\n",
        "path": f"GET /v1/{marks.new()}/{'y' * 9000} HTTP/1.1\r\nHost: a\r\n\r\n",
        "no HTTP": f"{marks.new()}\r\n\r\n",
    }.items():
        errors.append((f"raw {where}", raw(searched.server, head.encode())))
    assert marks.found_in(metrics.content) == []
    searched.stop()
    assert [(where, hits) for where, data in errors if (hits := marks.found_in(data))] == []
    assert searched.hits(marks) == {}


def test_the_search_finds_what_is_planted_on_purpose(searched):
    """In each form, in a log, in a database in clear, deleted from it, and in an answer."""
    marks = Marks()
    for name, form in marks.forms().items():
        assert marks.found_in(b"before" + form + b"after"), name
    with (searched.server.data / "logs" / "planted.jsonl").open("w") as file:
        file.write(f'{{"at": "{marks.new()}"}}\n')
    assert set(searched.hits(marks)) == {"logs/planted.jsonl"}
    (searched.server.data / "logs" / "planted.jsonl").unlink()
    with Backstage(searched.server) as backstage, backstage.database.begin() as session:
        session.execute(text("create table planted (word text)"))
        session.execute(text("insert into planted values (:word)"), {"word": marks.new()})
    hits = searched.hits(marks)
    assert hits
    assert all("sqlite" in path or "PostgreSQL" in path for path in hits)


def test_without_its_seal_a_handle_would_be_found(searched, monkeypatch):
    """What is kept, and may be, is there: the search does not look past it, it is sealed."""
    marks = Marks()
    word = f"A{marks.word}"
    with searched.server.person() as somebody:
        chosen = somebody.http.put("/me/handle", json={"handle": word[:20]})
        assert chosen.status_code == 200, chosen.text
        assert somebody.http.get("/me").json()["handle"] == word[:20]
    short = Marks(word[1:20])
    assert short.found_in(chosen.content)
    assert searched.hits(short) == {}
