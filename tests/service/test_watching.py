"""What stands around every request: answers stream and are dressed, and what breaks shows no insides."""

import asyncio
import json

import pytest
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from service.app import build
from service.cookies import COOKIES, drop_cookie, set_cookie
from service.errors import RefusedError
from service.watching import HEADERS, HSTS
from tests.service.local import Http

CANARY = "canary-4733"
router = APIRouter()


@router.get("/t/crash/{name}")
def crash(name: str) -> None:
    secret = f"in a variable: {name}"
    raise LookupError(name, secret)


@router.get("/t/group")
def crash_in_a_group() -> None:
    raise ExceptionGroup(CANARY, [ValueError(CANARY)])


@router.get("/t/refuse")
def refuse() -> None:
    raise RefusedError("say it otherwise")


@router.get("/t/breaks")
def breaks_off() -> StreamingResponse:
    async def parts():
        yield b"first"
        raise LookupError(CANARY)

    return StreamingResponse(parts())


@router.get("/t/cookies")
def cookies() -> Response:
    response = Response(headers={"Cache-Control": "max-age=60"})
    response.set_cookie("tracker", CANARY)
    set_cookie(response, "facekit_oauth", "x", secure=True)
    response.set_cookie("facekit_oauth_2", CANARY)
    return response


@router.get("/t/forget")
def forget() -> Response:
    response = Response()
    drop_cookie(response, "facekit_oauth", secure=False)
    return response


@router.post("/t/read")
async def read(request: Request) -> None:
    await request.body()


@router.get("/t/endless")
def endless() -> StreamingResponse:
    async def ticks():
        while True:
            yield b"tick"
            await asyncio.sleep(0.01)

    return StreamingResponse(ticks())


@pytest.fixture
def app(local):
    with local.parts() as parts:
        made = build(parts)
        made.include_router(router)
        made.state.logs = parts.logs
        yield made


def lines(app):
    files = sorted(app.state.logs._folder.glob("*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


async def asked(app, path, *, method="GET", receive=None, until=None, headers=()):
    """Ask as a server does; return what was sent, until there is as much as `until`."""
    sent, enough = [], asyncio.Event()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
        "client": ("192.0.2.7", 1),
        "server": ("127.0.0.1", 1),
    }

    async def send(message):
        sent.append(message)
        if until is not None and len(sent) >= until:
            enough.set()

    async def hang_up():
        await enough.wait()
        return {"type": "http.disconnect"}

    await asyncio.wait_for(app(scope, receive or hang_up, send), 10)
    return sent


# -- dressing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/policy", "/v1/me", "/nowhere", "/t/refuse", "/t/crash/x"])
def test_every_answer_tells_browsers_to_keep_to_themselves(app, path):
    answer = Http(app).get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers
    assert "server" not in answer.headers


@pytest.mark.clause("1.2.2(1)", partly="over TLS browsers are told never to come without")
def test_over_tls_browsers_are_told_to_stay_with_it(app):
    assert Http(app, "https").get("/v1/policy").headers["strict-transport-security"] == HSTS
    assert Http(app, "https").get("/nowhere").headers["strict-transport-security"] == HSTS


def test_a_route_can_say_otherwise(app):
    assert Http(app).get("/t/cookies").headers.get_list("cache-control") == ["max-age=60"]


@pytest.mark.clause("2 (head)", partly="a cookie that the public list does not name does not leave")
def test_a_cookie_that_is_not_listed_does_not_leave(app):
    answer = Http(app).get("/t/cookies")
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie == ("facekit_oauth=x; HttpOnly; Max-Age=600; Path=/v1/auth/oauth; SameSite=lax; Secure")
    assert [line["kind"] for line in lines(app) if line["event"] == "defect"] == ["UnlistedCookie"]
    (gone,) = Http(app).get("/t/forget").headers.get_list("set-cookie")
    assert gone.startswith('facekit_oauth=""; expires=')
    assert "HttpOnly; Max-Age=0; Path=/v1/auth/oauth" in gone


@pytest.mark.clause("2 (head)", partly="the public list names each cookie, its purpose and its lifetime")
def test_the_public_list_is_the_one_that_is_enforced(app):
    items = Http(app).get("/v1/cookies").json()["items"]
    assert [one["name"] for one in items] == list(COOKIES)
    for one in items:
        cookie = COOKIES[one["name"]]
        assert (one["purpose"], one["seconds"], one["party"]) == (cookie.words, cookie.seconds, "first")
        assert 0 < one["seconds"] <= 30 * 24 * 3600  # clause 2(1)


# -- what breaks ------------------------------------------------------------------------------


@pytest.mark.clause("1.3.2(3)", partly="neither answer nor log says with what values the service crashed")
@pytest.mark.parametrize(
    ("path", "kind"), [(f"/t/crash/{CANARY}", "LookupError"), ("/t/group", "ExceptionGroup")]
)
def test_a_crash_shows_nothing_of_its_insides(app, path, kind):
    answer = Http(app).get(path, headers={"User-Agent": CANARY})
    assert (answer.status_code, answer.json()["type"]) == (500, "/v1/problems/defect")
    assert CANARY not in answer.text
    found = lines(app)
    assert CANARY not in json.dumps(found)
    assert [line["kind"] for line in found if line["event"] == "defect"] == [kind]
    assert [line["status"] for line in found if line["event"] == "request"] == [500]


def test_an_answer_that_breaks_off_is_cut_and_not_patched_up(app):
    with pytest.raises(LookupError):
        asyncio.run(asked(app, "/t/breaks"))
    found = lines(app)
    assert [line["kind"] for line in found if line["event"] == "defect"] == ["LookupError"]
    assert [(line["route"], line["status"]) for line in found if line["event"] == "request"] == [
        ("/t/breaks", 200)
    ]


# -- streams ----------------------------------------------------------------------------------


def test_an_answer_streams_and_ends_when_the_client_hangs_up(app):
    sent = asyncio.run(asked(app, "/t/endless", until=4))
    assert sent[0]["type"] == "http.response.start"
    assert [message["body"] for message in sent[1:4]] == [b"tick"] * 3
    (line,) = lines(app)
    assert (line["route"], line["status"]) == ("/t/endless", 200)


def test_who_hangs_up_in_the_middle_of_a_body_is_no_defect(app):
    messages = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.disconnect"}]

    async def receive():
        return messages.pop(0)

    sent = asyncio.run(asked(app, "/t/read", method="POST", receive=receive))
    assert sent == []
    (line,) = lines(app)
    assert (line["event"], line["status"]) == ("request", 499)


@pytest.mark.clause("1.3.2(1)", partly="method, size and program of a request are words of closed lists")
def test_what_a_line_says_of_a_request_is_of_closed_lists(app):
    headers = [(b"user-agent", b"canary-4733"), (b"content-length", b"\xb2\xb3")]
    asyncio.run(asked(app, "/v1/policy/canary-4733", method="CANARY", headers=headers))
    asyncio.run(asked(app, "/v1/policy", headers=[(b"content-length", b"9" * 5000)]))
    first, second = lines(app)
    assert (first["method"], first["route"], first["client"], first["size"]) == ("other", "", "other", "")
    assert (second["method"], second["route"], second["size"]) == ("GET", "/v1/policy", "")
    assert first["network"] == "192.0.2.0/24"


# -- counts ------------------------------------------------------------------------------------


@pytest.mark.clause("1.3.2(4)b", partly="a count of requests is told only where twenty callers are in it")
def test_counts_are_of_twenty_callers_or_are_not_told(app):
    tally = app.state.parts.tally
    for caller in range(19):
        for _ in range(5):
            tally.add("GET", "/v1/me", 200, 2, f"caller {caller}")
    assert tally.told() == []
    tally.add("GET", "/v1/me", 404, 2, "caller 19")
    assert tally.told() == []
    tally.add("GET", "/v1/me", 200, 2, "caller 19")
    assert tally.told() == [("GET", "/v1/me", "2xx", 96, 192)]
    assert "caller" not in repr(tally._lines["GET", "/v1/me", "2xx"])
    tally.add("GET", "/v1/jobs", 500, 1, "caller 0")
    assert ("GET", "/v1/jobs", "5xx", 1, 1) in tally.told()
