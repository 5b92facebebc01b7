"""Health, metrics and whom to tell of a hole: little for everybody, counts for operators."""

import dataclasses
import re
from datetime import UTC, datetime

import pytest

from service.app import build
from tests.service.local import Http, Jobs, become_operator, publish_in
from tests.service.serving import eventually


def test_a_service_that_works_says_so_to_anybody(server):
    with server.client() as http:
        assert http.get("/healthz").json() == {"status": "ok"}
        eventually(lambda: http.get("/readyz").json() == {"status": "ok"})  # once its cells have started


class NotReady(Jobs):
    def is_ready(self):
        return False


def broken(parts, what):
    """Break a part, as it might break while the service runs."""
    if what == "jobs":
        return dataclasses.replace(parts, jobs=NotReady())
    if what == "database":
        parts.database.begin = lambda: 1 / 0
    elif what == "vault":
        parts.vault.named_key = lambda _: 1 / 0
    return parts


@pytest.mark.parametrize("what", ["jobs", "vault", "policy", "database"])
def test_what_is_not_ready_is_told_to_operators_alone(local, what):
    with local.running() as running:
        operator = running.person(role="operator")
        if what == "policy":
            with local.parts(contact="other@example.org") as parts:
                publish_in(parts)
            local.clock.move(days=7)
        parts = broken(running.parts, what)
        http = Http(build(parts)) if what == "jobs" else running.http
        answer = http.get("/v1/readyz")
        assert (answer.status_code, answer.json()["type"]) == (503, "/v1/problems/closed")
        assert what not in answer.text
        assert http.get("/v1/healthz").status_code == 200
        if what in {"jobs", "vault"}:
            operator.running = dataclasses.replace(running, http=http)
            told = operator.ask("GET", "/ops/metrics").text
            assert f'facekit_ready{{part="{what}"}} 0' in told
            assert told.count("} 0\n") == 3  # and no question is open or overdue


LABELS = re.compile(r'^[a-z_]+(\{([a-z]+="[A-Za-z0-9 ._/{}:-]*",?)+\})? [0-9]+$')


@pytest.mark.clause("1.3.2(4)b", partly="metrics count at least twenty people, and name none")
def test_metrics_hold_counts_and_no_canary(local):
    canary = "canary-4751"
    with local.running() as running:
        people = [running.person() for _ in range(21)]
        operator = people[0]
        for one in people:
            one.ask("GET", "/me", headers={"User-Agent": canary}, params={canary: canary})
        people[1].ask("GET", f"/consents/receipts/{canary}")
        people[1].ask("POST", "/contact", json={"question": canary, "reply_to": f"{canary}@example.org"})
        running.http.request(canary.upper(), "/v1/me")
        become_operator(running.parts.database, operator.account, running.parts.clock())
        told = operator.ask("GET", "/ops/metrics")
        assert told.headers["content-type"].startswith("text/plain")
        lines = [line for line in told.text.splitlines() if not line.startswith("# TYPE ")]
        assert all(LABELS.match(line) for line in lines), lines
        assert 'facekit_requests_total{method="GET",route="/v1/me",status="2xx"} 21' in lines
        assert 'facekit_questions{state="open"} 1' in lines
        assert "receipts" not in told.text  # one caller
        assert canary not in told.text.lower()
        assert "facekit_notices" not in "".join(lines)
        publish_in(running.parts, flags=("impact",))
        (notice,) = operator.ask("GET", "/notices").json()["items"]
        operator.ask("POST", f"/notices/{notice['id']}/read")
        lines = operator.ask("GET", "/ops/metrics").text.splitlines()
        assert 'facekit_notices{kind="policy",state="told"} 21' in lines
        assert 'facekit_notices{kind="policy",state="seen"} 1' in lines


def test_metrics_are_for_operators(person, server):
    assert person.http.get("/ops/metrics").status_code == 403
    with server.client() as http:
        assert http.get("/ops/metrics").status_code == 401


def test_whom_to_tell_of_a_hole_stands_in_a_public_file(local):
    with local.running(public_url="https://faces.example/") as running:
        answer = running.http.get("/.well-known/security.txt")
        assert answer.headers["content-type"].startswith("text/plain")
        found = dict(line.split(": ", 1) for line in answer.text.splitlines())
        assert found["Contact"] == "mailto:privacy@example.org"
        assert found["Canonical"] == "https://faces.example/.well-known/security.txt"
        expires = datetime.fromisoformat(found["Expires"])
        assert 0 < (expires.astimezone(UTC) - local.clock.now).days < 365  # RFC 9116, 2.5.5
    local.settings = {"contact": ""}
    local.data = local.data / "other"
    with local.running() as running:
        assert running.http.get("/.well-known/security.txt").status_code == 404
