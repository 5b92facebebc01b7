"""One of each thing that belongs to somebody: what stands in the path of a route."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.service.photos import allow, begin
from tests.service.serving import Person


def _made(person: Person, path: str, asked: object) -> str:
    """Make what wants a fresh code, confirming where the last one has run out; return its number."""
    made = person.http.post(path, json=asked)
    if made.status_code == 401:
        made = person.step_up().http.post(path, json=asked)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def session(person: Person) -> str:
    """Return the number of a session of somebody's."""
    items = person.http.get("/me/sessions").json()["items"]
    return next(one["id"] for one in items if one["current"])


def key(person: Person) -> str:
    """Make an API key; return its number."""
    for one in person.http.get("/me/api-keys").json()["items"]:
        if one["label"] == "of a thing":
            person.http.delete(f"/me/api-keys/{one['id']}")
    asked = {"label": "of a thing", "scopes": ["jobs:read"]}
    return _made(person, "/me/api-keys", asked)


def choice(person: Person) -> str:
    """Make a choice; return the number of its receipt."""
    person.consent("storage", kind="permissions")
    items = person.http.get("/consents/history").json()["items"]
    return items[0]["id"]


def notice(person: Person) -> str:
    """Return the number of a notice that somebody got."""
    return person.http.get("/notices").json()["items"][0]["id"]


def job(person: Person) -> str:
    """Begin a job; return its number."""
    return begin(allow(person))["id"]


def question(person: Person) -> str:
    """Ask a question; return its number."""
    asked = person.http.post("/contact", json={"question": "Where is my photo?"})
    assert asked.status_code == 201, asked.text
    return asked.json()["id"]


def request(person: Person) -> str:
    """Ask for something that a human has to look at; return the request's number."""
    asked = {"kind": "correct", "text": "My name is spelt wrong."}
    return _made(person, "/privacy/requests", asked)


def version(person: Person) -> str:
    """Return the policy's version in force."""
    return person.http.get("/policy").json()["version"]


#: By the route's path up to the parameter, and the parameter: how to get one.
THINGS: Mapping[str, Callable[[Person], str]] = MappingProxyType(
    {
        "/v1/me/sessions/{session}": session,
        "/v1/me/api-keys/{key}": key,
        "/v1/consents/receipts/{id}": choice,
        "/v1/consents/{purpose}": lambda _: "face.effect",
        "/v1/permissions/{name}": lambda _: "camera",
        "/v1/notices/{id}": notice,
        "/v1/jobs/{job_id}": job,
        "/v1/ops/contact/{id}": question,
        "/v1/privacy/requests/{id}": request,
        "/v1/ops/cases/{id}": request,
        "/v1/account/receipts/{id}": lambda _: "nobody-has-cancelled--",
        "/v1/policy/versions/{version}": version,
        "/v1/auth/oauth/{provider}": lambda _: "nobody",
    }
)


def path_for(template: str, person: Person) -> str:
    """Fill in a route's path with a thing that is somebody's."""
    if "{" not in template:
        return template
    prefix = template[: template.index("}") + 1]
    return template.replace(prefix, f"{prefix[: prefix.index('{')]}{THINGS[prefix](person)}")
