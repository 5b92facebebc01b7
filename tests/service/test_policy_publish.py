"""`python -m service publish`, as those who run the service type it."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.service.serving import WITHOUT_JOBS, Server, eventually


@pytest.fixture
def run(server):
    def publish(*arguments, **settings):
        environment = os.environ | server.environment | settings
        command = [sys.executable, "-m", "service", "publish", *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return publish


@pytest.fixture(scope="module")
def server(database, texts, tmp_path_factory):
    """One of its own: others would have to accept what is published here."""
    with Server(tmp_path_factory.mktemp("data"), texts, database() | WITHOUT_JOBS) as running:
        yield running


def listed(server):
    with server.client() as http:
        return http.get("/policy/versions").json()["items"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--effective", "tomorrow"), 2, "expected a day"),
        (("--text", "/nowhere/at/all"), 3, "--text: expected a file"),
        (("--reason", "impact", "--text", __file__), 3, "it can come into force from"),
    ],
)
def test_what_is_asked_wrongly_is_refused_and_publishes_nothing(server, run, arguments, status, said):
    before = listed(server)
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert listed(server) == before


@pytest.mark.clause("8(6)", partly="the operator says it, and every account is told by a running service")
def test_a_version_published_by_command_is_told_by_the_service_that_runs(server, run, tmp_path):
    words = tmp_path / "words.md"
    words.write_text("# 隐私政策\n\nOur own words.\n", encoding="utf-8")
    day = datetime.now(UTC).date() + timedelta(days=8)
    with server.person() as somebody:
        done = run("--effective", day, "--text", words, "--reason", "impact")
        assert (done.returncode, done.stderr) == (0, "")
        newest = listed(server)[-1]
        assert f"published {newest['version']}, in force from {day} 00:00 UTC" in done.stdout
        assert "what matters: impact; 1 accounts have a notice" in done.stdout
        assert (newest["material"], newest["reasons"]) == (True, ["impact"])
        answer = somebody.http.get("/me")
        assert (answer.status_code, answer.headers["facekit-notice"]) == (200, "unread")
        (notice,) = somebody.http.get("/notices").json()["items"]
        assert str(day) in notice["text"]
        whole = somebody.http.get(f"/policy/versions/{newest['version']}").json()
        assert whole["text"] == words.read_text(encoding="utf-8")


@pytest.mark.clause("8(5)", partly="a service whose contact differs from every version does not start")
def test_a_service_set_otherwise_says_what_to_publish_and_starts_when_that_is_done(server, run):
    """While the one that runs goes on until the day has come."""
    changed = {"FACEKIT_CONTACT": "other@example.org"}
    environment = os.environ | server.environment | changed
    command = [sys.executable, "-m", "service"]
    refused = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert refused.returncode == 3
    assert "about: contact. Publish a version: python -m service publish --effective DATE" in refused.stderr
    assert "other@example.org" not in refused.stderr
    day = datetime.now(UTC).date() + timedelta(days=20)
    done = run("--effective", day, "--text", __file__, **changed)
    assert "what matters: contact" in done.stdout, done.stderr
    with (
        Server(server.data, server.texts, {**server.environment, **changed}) as other,
        other.client() as http,
    ):
        assert http.get("/readyz").status_code == 503  # until the day has come
    with server.client() as http:
        eventually(lambda: http.get("/readyz").status_code == 200)
