"""Who may use which route: a table, held to the routes that there are, and to what a server answers.

What is expected follows from the table alone. A route without a row fails, and so does a row without a route.
"""

import json
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from service.app import build, make_parts
from service.examples import example_of
from service.openapi import access_of
from service.settings import Settings
from tests.service.backstage import DAY, Backstage
from tests.service.serving import Person
from tests.service.things import path_for

IN: Final = "let in"
#: Words for how somebody is turned away, and their status.
REFUSALS: Final = {
    "unknown-caller": 401,
    "step-up": 401,
    "second-factor": 401,
    "policy-not-accepted": 403,
    "no-scope": 403,
    "not-allowed": 403,
    "absent": 404,
}
SCOPES: Final = frozenset({"account:read", "consent:read", "consent:write", "jobs:read", "jobs:write"})

NOBODY, ACCEPTED = "nobody", "nobody, who has accepted the policy"
#: What is shown is, or has become, nobody's.
UNKNOWN: Final = ("a made-up session", "a revoked session", "a session that has run out", "a made-up key")
BEHIND: Final = "who has not accepted this version"
SOMEBODY, CONFIRMED = "somebody", "somebody with a fresh code"
KEY, OTHER_KEY = "a key with the scope", "a key with every other scope"
NO_FACTOR, OLD_FACTOR = "an operator without second factor", "an operator whose second factor is old"
OPERATOR, CONFIRMED_OPERATOR = "an operator", "an operator with a fresh code"
VISITORS: Final = (
    *(NOBODY, ACCEPTED, *UNKNOWN, BEHIND, SOMEBODY, CONFIRMED, KEY, OTHER_KEY),
    *(NO_FACTOR, OLD_FACTOR, OPERATOR, CONFIRMED_OPERATOR),
)
#: Come to what is somebody else's, as their sort may.
STRANGERS: Final = {
    "somebody else": SOMEBODY,
    "somebody else with a fresh code": CONFIRMED,
    "somebody else's key": KEY,
}


@dataclass(frozen=True)
class Row:
    """What each visitor of a route is told."""

    told: Mapping[str, str]
    scope: str = ""
    owned: bool = False  # what it is about is somebody's, and to all others it is not there
    spends: bool = False  # what a visit does to an account would change what the next one finds

    def but(self, **more: Any) -> "Row":
        """Change something about the row."""
        return replace(self, **more)

    def telling(self, what: str, *visitors: str) -> "Row":
        """Change what some visitors are told."""
        return replace(self, told={**self.told, **dict.fromkeys(visitors, what)})


def anybody() -> Row:
    """The route is for anybody; but who shows something that does not hold is told so."""
    return Row(dict.fromkeys(VISITORS, IN)).telling("unknown-caller", *UNKNOWN)


def signed_in(scope: str = "", *, leaving: bool = False, fresh: bool = False) -> Row:
    """The route is for who has signed in; for a program if it has the scope."""
    row = (
        anybody().telling("unknown-caller", NOBODY, ACCEPTED).telling("no-scope", OTHER_KEY).but(scope=scope)
    )
    if not scope:
        row = row.telling("no-scope", KEY)
    if not leaving:
        row = row.telling("policy-not-accepted", BEHIND)
    if fresh:
        confirmed = (CONFIRMED, CONFIRMED_OPERATOR)
        row = row.telling(
            "step-up", *(one for one in VISITORS if row.told[one] is IN and one not in confirmed)
        )
    return row


def accepted(*, leaving: bool = False) -> Row:
    """The route is for who has accepted the policy, with an account or without; never for a program."""
    return signed_in(leaving=leaving).telling("policy-not-accepted", NOBODY).telling(IN, ACCEPTED)


def operators(*, leaving: bool = False) -> Row:
    """The route is for who runs the service, and has shown it twice."""
    row = signed_in(leaving=leaving).telling("not-allowed", BEHIND, SOMEBODY, CONFIRMED)
    return row.telling("second-factor", NO_FACTOR, OLD_FACTOR)


TABLE: Final[Mapping[tuple[str, str], Row]] = {
    # -- policy
    ("GET", "/v1/policy"): anybody(),
    ("POST", "/v1/policy/acceptances"): anybody().telling("no-scope", KEY, OTHER_KEY).but(spends=True),
    ("GET", "/v1/policy/versions"): anybody(),
    ("GET", "/v1/policy/versions/{version}"): anybody(),
    ("GET", "/v1/policy/diff"): anybody(),
    ("GET", "/v1/cookies"): anybody(),
    ("GET", "/v1/notices"): signed_in(leaving=True),
    ("POST", "/v1/notices/{id}/read"): signed_in(leaving=True).but(owned=True),
    ("POST", "/v1/ops/policy/versions"): operators(leaving=True),
    # -- signing in
    ("POST", "/v1/auth/otp"): accepted(),
    ("POST", "/v1/auth/otp/verify"): accepted(),
    ("POST", "/v1/auth/password"): accepted(),
    ("POST", "/v1/auth/one-click"): accepted(),
    ("GET", "/v1/auth/oauth/{provider}/start"): accepted(),
    ("GET", "/v1/auth/oauth/{provider}/callback"): anybody(),
    ("POST", "/v1/auth/totp"): signed_in(),
    ("POST", "/v1/auth/step-up/code"): signed_in(leaving=True),
    ("POST", "/v1/auth/step-up"): signed_in(leaving=True),
    ("POST", "/v1/auth/logout"): signed_in(leaving=True).but(spends=True),
    ("POST", "/v1/account/compromised"): signed_in(leaving=True).but(spends=True),
    # -- the account
    ("GET", "/v1/me"): signed_in("account:read"),
    ("PATCH", "/v1/me"): signed_in(),
    ("PUT", "/v1/me/handle"): signed_in(),
    ("GET", "/v1/me/avatar"): signed_in("account:read"),
    ("PUT", "/v1/me/avatar"): signed_in(),
    ("DELETE", "/v1/me/avatar"): signed_in(),
    ("POST", "/v1/me/phone"): signed_in(fresh=True),  # for there is a number
    ("PUT", "/v1/me/password"): signed_in(fresh=True).but(spends=True),
    ("DELETE", "/v1/me/password"): signed_in(fresh=True).but(spends=True),
    ("GET", "/v1/me/sessions"): signed_in(),
    ("DELETE", "/v1/me/sessions"): signed_in().but(spends=True),
    ("DELETE", "/v1/me/sessions/{session}"): signed_in().but(spends=True, owned=True),
    ("GET", "/v1/me/api-keys"): signed_in(),
    ("POST", "/v1/me/api-keys"): signed_in(fresh=True).but(spends=True),
    ("DELETE", "/v1/me/api-keys/{key}"): signed_in().but(owned=True),
    ("GET", "/v1/me/device"): signed_in(),
    ("PUT", "/v1/me/device"): signed_in(),
    ("DELETE", "/v1/me/device"): signed_in(),
    # -- consent
    ("GET", "/v1/consents"): signed_in("consent:read"),
    ("GET", "/v1/consents/history"): signed_in("consent:read"),
    ("GET", "/v1/consents/receipts/{id}"): signed_in("consent:read").but(owned=True),
    ("PUT", "/v1/consents/{purpose}"): signed_in("consent:write"),
    ("DELETE", "/v1/consents/{purpose}"): signed_in("consent:write", leaving=True),
    ("GET", "/v1/permissions"): signed_in("consent:read"),
    ("PUT", "/v1/permissions/{name}"): signed_in("consent:write"),
    ("DELETE", "/v1/permissions/{name}"): signed_in("consent:write", leaving=True),
    # -- jobs
    ("GET", "/v1/templates"): anybody(),
    ("GET", "/v1/effects"): anybody(),
    ("GET", "/v1/receipt-key"): anybody(),
    ("POST", "/v1/jobs"): signed_in("jobs:write"),
    ("GET", "/v1/jobs"): signed_in("jobs:read"),
    ("GET", "/v1/jobs/{job_id}"): signed_in("jobs:read").but(owned=True),
    ("PUT", "/v1/jobs/{job_id}/photo"): signed_in("jobs:write").but(owned=True),
    ("GET", "/v1/jobs/{job_id}/events"): signed_in("jobs:read").but(owned=True),
    ("GET", "/v1/jobs/{job_id}/result"): signed_in("jobs:read").but(owned=True),
    ("DELETE", "/v1/jobs/{job_id}"): signed_in("jobs:write", leaving=True).but(owned=True),
    # Whoever has the number can read it once the account has gone; before that it is its owner's.
    ("GET", "/v1/jobs/{job_id}/receipt"): (
        anybody()
        .but(owned=True, scope="jobs:read")
        .telling("absent", NOBODY, ACCEPTED)
        .telling("no-scope", OTHER_KEY)
    ),
    # -- rights
    ("GET", "/v1/privacy/export"): signed_in(leaving=True, fresh=True),
    ("GET", "/v1/privacy/export/schema"): anybody(),
    ("GET", "/v1/privacy/requests"): signed_in(leaving=True),
    ("POST", "/v1/privacy/requests"): signed_in(leaving=True, fresh=True).but(spends=True),
    ("GET", "/v1/privacy/requests/{id}"): signed_in(leaving=True).but(owned=True),
    ("DELETE", "/v1/privacy/requests/{id}"): signed_in(leaving=True).but(owned=True),
    ("POST", "/v1/privacy/requests/{id}/confirm"): signed_in(leaving=True, fresh=True).but(owned=True),
    ("POST", "/v1/account/cancel"): signed_in(leaving=True, fresh=True).but(spends=True),
    ("GET", "/v1/account/receipts/{id}"): anybody(),
    ("GET", "/v1/sharing"): signed_in(leaving=True),
    ("GET", "/v1/recipients"): anybody(),
    ("GET", "/v1/policy/annex"): anybody(),
    # -- those who run the service
    ("POST", "/v1/ops/cases"): operators(),
    ("GET", "/v1/ops/cases"): operators(),
    ("GET", "/v1/ops/cases/{id}"): operators(),
    ("POST", "/v1/ops/cases/{id}/verify"): operators(),
    ("POST", "/v1/ops/cases/{id}/answer"): operators(),
    ("POST", "/v1/ops/cases/{id}/refuse"): operators(),
    ("GET", "/v1/ops/alarms"): operators(),
    ("POST", "/v1/ops/alarms/seen"): operators(),
    ("GET", "/v1/ops/audit"): operators(),
    # -- questions
    ("GET", "/v1/contact"): signed_in(leaving=True),
    ("POST", "/v1/contact"): accepted(leaving=True),
    ("GET", "/v1/ops/contact"): operators(),
    ("POST", "/v1/ops/contact/{id}/answer"): operators(),
    # -- whether it works
    ("GET", "/v1/healthz"): anybody(),
    ("GET", "/v1/readyz"): anybody(),
    ("GET", "/v1/ops/metrics"): operators(),
    ("GET", "/.well-known/security.txt"): anybody(),
}
#: What the framework itself answers, to anybody: it says nothing of anybody.
FRAMEWORK: Final = {("GET", "/v1/openapi.json"), ("HEAD", "/v1/openapi.json")}


class Cast:
    """Everybody who comes: made when they are needed, and kept."""

    def __init__(self, server, backstage, stack):
        self._server, self._backstage, self._stack = server, backstage, stack
        self._people: dict[str, Person] = {}
        self._keys: dict[tuple[str, frozenset[str]], str] = {}
        self._sessions: dict[tuple[str, str], str] = {}
        self._http = stack.enter_context(server.client())
        self.document = self._http.get("/openapi.json").json()
        nobody = server.person()
        self._acceptance = nobody.accept()
        nobody.http.close()

    def person(self, name):
        """Return the account behind a name; a name that has not been used is somebody new."""
        if name not in self._people:
            person = self._people[name] = self._stack.enter_context(self._server.person())
            self._backstage.tell(person.account)
            self._backstage.confirm(person.account)  # this session; visitors come by others
            if name.startswith("operator"):
                self._backstage.make_operator(person.account)
            if name.startswith("behind"):
                self._backstage.forget_acceptance(person.account)
        return self._people[name]

    def headers(self, visitor, row):
        """Return what a visitor shows, and whose account it is."""
        new = secrets.token_hex(4) if row.spends else ""
        sort = STRANGERS.get(visitor, visitor)
        home = f"else{new}" if visitor in STRANGERS else f"home{new}"
        if sort == NOBODY:
            return {}, ""
        if sort == ACCEPTED:
            return {"Facekit-Acceptance": self._acceptance}, ""
        token, name = self._token(sort, home, row, new)
        return {"Authorization": f"Bearer {token}"}, name

    def _token(self, sort, home, row, new):
        operator = f"operator{new}"
        if sort == "a made-up session":
            return f"fks_{secrets.token_urlsafe(32)}", ""
        if sort == "a made-up key":
            return f"fkk_{secrets.token_urlsafe(32)}", ""
        if sort in (KEY, OTHER_KEY):
            scopes = {row.scope} if sort == KEY and row.scope else SCOPES - {row.scope}
            return self._key(home, frozenset(scopes)), home
        if sort == "a revoked session":
            number, token = self._backstage.session(self.person(home).account)
            self._backstage.end_session(number)
            return token, home
        name, standing = {
            "a session that has run out": (home, {"age": 30 * DAY}),
            BEHIND: (f"behind{new}", {}),
            SOMEBODY: (home, {}),
            CONFIRMED: (home, {"fresh": True}),
            NO_FACTOR: (operator, {}),
            OLD_FACTOR: (operator, {"second_factor": timedelta(hours=13)}),
            OPERATOR: (operator, {"second_factor": timedelta()}),
            CONFIRMED_OPERATOR: (operator, {"second_factor": timedelta(), "fresh": True}),
        }[sort]
        if (name, sort) not in self._sessions:
            self._sessions[name, sort] = self._backstage.session(self.person(name).account, **standing)[1]
        return self._sessions[name, sort], name

    def _key(self, name, scopes):
        if (name, scopes) not in self._keys:
            asked = {"label": "of a visitor", "scopes": sorted(scopes)}
            _, token = self._backstage.session(self.person(name).account, fresh=True)
            with self._server.client(Authorization=f"Bearer {token}") as http:
                made = http.post("/me/api-keys", json=asked)
            assert made.status_code == 201, made.text
            self._keys[name, scopes] = made.json()["token"]
        return self._keys[name, scopes]

    def visit(self, route, row, visitor):
        """Come to a route; return the answer, and whether what it is about is the visitor's own."""
        method, template = route
        headers, name = self.headers(visitor, row)
        owner = self.person(name if name and row.spends and not row.owned else "home")
        path = path_for(template, owner)
        body, given = self._request(route)
        self._http.cookies.clear()
        asked = self._http.stream(method, self._server.url + path, content=body, headers=headers | given)
        with asked as answer:
            if answer.status_code >= 400:
                answer.read()
        if template.startswith("/v1/jobs/"):
            owner.http.delete(path.removeprefix("/v1").rsplit("/", template.count("/") - 3)[0])
        return answer, name == "home"

    def _request(self, route):
        """Return a body and headers that the document allows, by its own examples."""
        method, template = route
        said = self.document["paths"][template][method.lower()]
        headers = {
            one["name"]: str(example_of(one["schema"], {}))
            for one in said.get("parameters", ())
            if one["in"] == "header" and one["required"]
        }
        for media_type, content in said.get("requestBody", {}).get("content", {}).items():
            headers["Content-Type"] = media_type
            if media_type == "application/json":
                return json.dumps(next(iter(content["examples"].values()))["value"]).encode(), headers
            return b"no picture", headers
        return b"", headers


@pytest.fixture(scope="module")
def cast(server):
    with Backstage(server) as backstage, ExitStack() as stack:
        yield Cast(server, backstage, stack)


@pytest.mark.clause("5.1c", partly="routes that ask for a fresh code, by the table")
@pytest.mark.clause("4.2.1 p4", partly="operators' routes ask for the role and a recent second factor")
@pytest.mark.clause("P-3", partly="every route, by the table")
@pytest.mark.parametrize("route", TABLE, ids=" ".join)
def test_each_visitor_is_told_what_the_table_says(cast, route):
    row = TABLE[route]
    for visitor in (*VISITORS, *(STRANGERS if row.owned else ())):
        answer, own = cast.visit(route, row, visitor)
        wanted = row.told[STRANGERS.get(visitor, visitor)]
        if row.owned and wanted is IN and not own:
            wanted = "absent"
        assert answer.status_code < 500 or answer.status_code == 503, visitor
        slug = answer.json()["type"].rpartition("/")[2] if answer.status_code >= 400 else ""
        if wanted is not IN:
            assert (slug, answer.status_code) == (wanted, REFUSALS[wanted]), f"{visitor}: {answer.text}"
            assert answer.headers["content-type"] == "application/problem+json"
            assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
        else:
            # That a thing is not there is no refusal, where it need not be the visitor's.
            turned_away = set(REFUSALS) - (set() if row.owned else {"absent"})
            assert slug not in turned_away, f"{visitor}: {answer.text}"


def test_every_route_has_a_row_and_every_row_a_route(tmp_path):
    parts = make_parts(Settings.load(data=tmp_path))
    found = set()
    for route in iter_route_contexts(build(parts).routes):
        mine = {(method, route.path) for method in route.methods}
        if isinstance(route.original_route, APIRoute):
            found |= mine
            assert len(access_of(route)) == 1, f"{route.path}: who may come?"
        else:
            assert mine <= FRAMEWORK, f"{mine} asks nobody who they are"
    parts.database.close()
    parts.vault.close()
    assert found == set(TABLE)


def test_the_table_says_something_different_of_each_sort_of_visitor():
    """Were two columns always alike, one of them would show nothing."""
    columns = {visitor: tuple(row.told[visitor] for row in TABLE.values()) for visitor in VISITORS}
    known = [columns[one] for one in VISITORS if one not in (*UNKNOWN, OLD_FACTOR)]
    assert len(set(known)) == len(known)
