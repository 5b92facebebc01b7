"""Before the policy has been accepted nothing opens and nothing is written; and declining leaves nothing."""

import json

import pytest

from service.cookies import COOKIES
from service.database import Database
from tests.service.local import rows
from tests.service.serving import WITHOUT_JOBS, Server, eventually
from tests.service.test_logs import LINE

#: What answers before the policy has been accepted: reading it, accepting it, and what is about no person.
OPEN = {
    ("GET", "/v1/policy"),
    ("POST", "/v1/policy/acceptances"),
    ("GET", "/v1/policy/versions"),
    ("GET", "/v1/policy/versions/{version}"),
    ("GET", "/v1/policy/diff"),
    ("GET", "/v1/cookies"),
    ("GET", "/v1/templates"),
    ("GET", "/v1/effects"),
    ("GET", "/v1/receipt-key"),
    ("GET", "/v1/privacy/export/schema"),
    ("GET", "/v1/recipients"),
    ("GET", "/v1/policy/annex"),
    ("GET", "/v1/healthz"),
    ("GET", "/v1/readyz"),
    ("GET", "/.well-known/security.txt"),
}
#: Where what comes in is a guess, which a limit counts: a keyed index of the network, for minutes.
GUESSES = {
    ("GET", "/v1/auth/oauth/{provider}/callback"),
    ("GET", "/v1/jobs/{job_id}/receipt"),
    ("GET", "/v1/account/receipts/{id}"),
}
#: What stands in a path or a query, so that a route is really reached.
VALUES = {
    "purpose": "face.effect",
    "name": "album",
    "provider": "example",
}


@pytest.fixture(scope="module")
def quiet(texts, database, tmp_path_factory):
    """A server that nobody else uses meanwhile, and its database."""
    with Server(tmp_path_factory.mktemp("data"), texts, database() | WITHOUT_JOBS) as running:
        found = Database(
            running.environment.get("FACEKIT_DATABASE_URL", f"sqlite:///{running.data}/facekit.sqlite")
        )
        with running.client() as http:
            eventually(lambda: http.get("/readyz").status_code == 200)  # its cells have started
        yield running, found
        found.close()


def operations(http):
    """Yield every operation of the OpenAPI document, with a way to ask for it."""
    document = http.get("/openapi.json").json()
    version = http.get("/policy").json()["version"]  # one that is there: guesses are counted
    values = {**VALUES, "version": version, "from": version, "to": version}
    for template, item in document["paths"].items():
        for method, operation in item.items():
            given = {one["name"]: one for one in operation.get("parameters", ())}
            path = template
            for name, one in given.items():
                if one["in"] == "path":
                    path = path.replace(f"{{{name}}}", values.get(name, "a" * 22))
            query = {
                name: values.get(name, "1")
                for name, one in given.items()
                if one["in"] == "query" and one["required"]
            }
            body = operation.get("requestBody", {}).get("content", {})
            yield (method.upper(), template), path, query, bodies(document, body)


def bodies(document, content):
    """Return ways to send a body: none, and one that fits as far as its examples tell."""
    yield {}
    if "application/json" in content:
        yield {"json": example(document, content["application/json"]["schema"])}
    for kind in content:
        yield {"content": b"x" * 64, "headers": {"Content-Type": kind}}


def example(document, schema):
    """Return something of a schema."""
    if "$ref" in schema:
        return example(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return example(document, schema["anyOf"][0])
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        return {name: example(document, properties[name]) for name in schema.get("required", ())}
    return {"string": "x", "integer": 1, "number": 1, "boolean": True, "array": [], "null": None}[
        schema["type"]
    ]


@pytest.mark.clause("P-3", partly="nothing opens and nothing is written, but for a count of guesses")
def test_before_acceptance_nothing_opens_and_nothing_is_written(quiet):
    server, database = quiet
    with server.client() as http:
        seen, guesses, counted = set(), 0, rows(database)["counts"]
        for operation, path, query, sent in operations(http):
            seen.add(operation)
            for body in sent:
                if operation == ("POST", "/v1/policy/acceptances"):
                    continue
                before = rows(database)
                answer = http.request(
                    operation[0], server.url + path, params=query, **{"timeout": 60, **body}
                )
                after = rows(database)
                # A guess is counted once its answer has gone out, so perhaps while the next one is asked.
                guesses += operation in GUESSES
                del before["counts"]
                assert after.pop("counts") <= counted + guesses, operation
                assert after == before, operation
                assert "set-cookie" not in answer.headers, operation
                if operation in OPEN:
                    assert answer.status_code == 200, operation
                elif operation in GUESSES:
                    assert answer.status_code == 404, operation
                elif body.get(
                    "headers"
                ):  # a body of another kind may be refused before it is asked who comes
                    assert answer.status_code in (401, 403, 411, 413, 415, 422), operation
                else:
                    assert answer.status_code in (401, 403), (operation, answer.status_code, answer.text)
                    kind = answer.json()["type"].rpartition("/")[2]
                    assert kind in {"unknown-caller", "policy-not-accepted"}, operation
        assert seen >= OPEN
        assert len(seen) > len(OPEN) + 15


@pytest.mark.clause(
    "P-3", partly="an acceptance writes the version, the language and the digest of what was shown"
)
def test_accepting_writes_down_what_was_shown(quiet):
    server, database = quiet
    with server.client() as http:
        policy = http.get("/policy").json()
        shown = {"version": policy["version"], "digest": policy["digest"], "language": "zh"}
        before = rows(database)
        answer = http.post("/policy/acceptances", json=shown)
        after = rows(database)
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in shown} == shown
    assert after.pop("acceptances") == before.pop("acceptances") + 1
    assert after.pop("counts") <= before.pop("counts") + 1  # how many acceptances came from one network
    assert after == before


@pytest.mark.clause("P-4")
def test_who_reads_and_leaves_leaves_nothing(quiet):
    server, database = quiet
    canary = "canary-4761"
    before, lines = rows(database), len(server.log_lines())
    with server.client(**{"User-Agent": canary, "X-Device-Id": canary, "Cookie": f"id={canary}"}) as http:
        version = http.get("/policy").json()["version"]
        answers = [
            http.get(path, params={"q": canary})
            for path in ("/policy", "/policy/versions", f"/policy/versions/{version}", "/cookies", "/me")
        ]
    assert rows(database) == before
    # A tag by which a browser could be known again would be its own; the policy's is its version's name.
    assert {answer.headers["etag"] for answer in answers if "etag" in answer.headers} == {f'"{version}"'}
    for answer in answers:
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
    found = server.log_lines()[lines:]
    assert len(found) == 6
    assert all(set(line) == LINE for line in found)
    assert {(line["account"], line["client"]) for line in found} == {("", "other")}
    assert canary not in json.dumps(found)


@pytest.mark.clause("2 (head)", partly="no route sets a cookie that the public list does not name")
def test_no_route_sets_a_cookie_that_is_not_listed(person):
    http = person.http
    for (method, template), path, query, sent in operations(http):
        if (method, template) in {("POST", "/v1/auth/logout"), ("POST", "/v1/account/cancel")}:
            continue
        for body in sent:
            answer = http.request(
                method, person.server.url + path, params=query, follow_redirects=False, **body
            )
            names = {one.partition("=")[0] for one in answer.headers.get_list("set-cookie")}
            assert names <= set(COOKIES), template
            assert answer.status_code != 500, template
    defects = [line["kind"] for line in person.server.log_lines() if line["event"] == "defect"]
    assert "UnlistedCookie" not in defects
