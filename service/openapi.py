"""The OpenAPI document: what each route says of itself, completed by what holds for all of them.

A route gives its docstring, its schemas, and the errors of its own work. What its `Access` asks for, and can
refuse, is written here; so are the answer to a malformed request, examples, and headers.
"""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from service import errors
from service.caller import FRESH, Access, Level
from service.examples import example_of
from service.links import LINKS
from service.problems import MEDIA_TYPE, Problem, problems

Document = dict[str, Any]

_SCHEMES: Final[Document] = {
    "session": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a session, from signing in. A role beside it says what else is needed: "
        "`operator`, or `step-up`, a fresh code given to `POST /v1/auth/step-up`.",
    },
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key; the scope that it needs stands beside it.",
    },
    "acceptance": {
        "type": "apiKey",
        "in": "header",
        "name": "Facekit-Acceptance",
        "description": "The token of `POST /v1/policy/acceptances`.",
    },
}
_TAGS: Final = {
    "policy": "Its versions, what changed, and accepting it.",
    "accounts": "Signing in, and what an account is.",
    "consent": "What you agree to, one purpose at a time.",
    "jobs": "From a sealed photo to a result that is gone once you have it.",
    "contact": "Questions, and their answers.",
    "rights": "What is held of you: see it, take it along, correct it, erase it.",
    "ops": "For those who run the service.",
    "health": "Whether it works.",
}
_HEADERS: Final[dict[str, Document]] = {
    "401": {"WWW-Authenticate": {"description": "Bearer.", "schema": {"type": "string"}}},
    "416": {"Content-Range": {"description": "How long it is.", "schema": {"type": "string"}}},
    "429": {
        "Retry-After": {
            "description": "Seconds to wait.",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
        }
    },
}
_PARAMETERS: Final = {
    "code": "What the provider gives.",
    "error": "What the provider says where it did not sign anybody in.",
    "facekit_oauth": "Binds the visit to this browser.",
    "from": "The version to compare from.",
    "id": "Its number.",
    "iss": "Who the provider says it is.",
    "key": "The key's number.",
    "language": "Of the words that are shown.",
    "most": "How many, at most.",
    "name": "One of `GET /v1/permissions`.",
    "provider": "One that this service knows.",
    "purpose": "One of `GET /v1/consents`.",
    "session": "The session's number.",
    "state": "Which of them.",
    "to": "The version to compare with.",
    "version": "The version's name.",
}
_ABOUT: Final = (
    "Every error is a problem (RFC 9457): its `type` says which, its `detail` what to do; neither ever "
    "repeats what came in. Fields that a schema does not have are refused."
)


def install(app: FastAPI) -> None:
    """Have an application give the completed document."""

    def document() -> Document:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # as FastAPI's documentation has it


def access_of(route: RouteContext) -> tuple[Access, ...]:
    """Return every `Access` among a route's dependencies; there should be one, which many may share."""
    return tuple(dict.fromkeys(_accesses(route.dependant)))


def api_routes(app: FastAPI) -> Iterator[RouteContext]:
    """Go through an application's own routes."""
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute):
            yield route


def _accesses(dependant: Any) -> Iterator[Access]:
    for one in dependant.dependencies:
        if isinstance(one.call, Access):
            yield one.call
        yield from _accesses(one)


def _document(app: FastAPI) -> Document:
    made = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=_ABOUT,
        routes=app.routes,
        servers=[{"url": "/", "description": "This service."}],
    )
    schemas = made["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    made["components"]["securitySchemes"] = _SCHEMES
    for route in api_routes(app):
        for method in route.methods or ():
            if (operation := made["paths"].get(route.path_format, {}).get(method.lower())) is not None:
                _complete(operation, route, schemas)
    _link(made)
    used = {tag for path in made["paths"].values() for one in path.values() for tag in one.get("tags", ())}
    made["tags"] = [{"name": name, "description": words} for name, words in _TAGS.items() if name in used]
    return made


def _link(made: Document) -> None:
    """Say in each answer what it gives to ask for next."""
    operations = {one["operationId"]: one for path in made["paths"].values() for one in path.values()}
    for source, targets in LINKS.items():
        found = {
            name: {"operationId": name, **given} for name, given in targets.items() if name in operations
        }
        if source in operations and found:
            success = min(status for status in operations[source]["responses"] if status < "300")
            operations[source]["responses"][success]["links"] = found


def _complete(operation: Document, route: RouteContext, schemas: Document) -> None:
    words = operation.get("description", "").strip()
    operation["summary"] = words.partition(". ")[0].partition("\n")[0].rstrip(".")
    access = access_of(route)[0]
    operation["description"] = f"{words}\n\n{_who(access)}"
    operation["security"] = _security(access)
    for parameter in operation.get("parameters", ()):
        parameter.setdefault("description", _PARAMETERS.get(parameter["name"], ""))
    _add_problems(operation, access)
    for body in (operation.get("requestBody"), *operation["responses"].values()):
        for media_type, content in (body or {}).get("content", {}).items():
            if media_type == "application/json" and not {"example", "examples"} & set(content):
                content["examples"] = {"example": {"value": example_of(content["schema"], schemas)}}
    for status, response in operation["responses"].items():
        response["description"] = _described(response, schemas)
        if headers := _HEADERS.get(status):
            response["headers"] = headers | response.get("headers", {})


def _who(access: Access) -> str:
    """Say in words who may come."""
    who = {
        Level.ANYBODY: "For anybody.",
        Level.ACCEPTED: "For who has accepted the policy, signed in or not.",
        Level.ACCOUNT: "For who has signed in.",
        Level.OPERATOR: "For those who run the service, with their second factor.",
    }[access.level]
    if access.scope:
        who += f" An API key needs the scope `{access.scope}`."
    if access.step_up:
        who += f" A fresh code is needed, at most {FRESH.total_seconds() / 60:.0f} minutes old."
    if access.leaving:
        who += " The policy's current version need not have been accepted."
    return who


def _security(access: Access) -> list[Document]:
    roles = [
        name
        for name, needed in (("operator", access.level is Level.OPERATOR), ("step-up", access.step_up))
        if needed
    ]
    found: list[Document] = [{"session": roles}]
    if access.scope:
        found.append({"key": [access.scope]})
    if access.level is Level.ACCEPTED:
        found.append({"acceptance": []})
    if access.level is Level.ANYBODY:
        found.append({})
    return found


def _add_problems(operation: Document, access: Access) -> None:
    """Add what the route's access refuses, and what every route does that takes anything."""
    kinds = list(access.refusals)
    if operation.get("requestBody") or operation.get("parameters"):
        kinds.append(errors.MalformedError)
    if operation.get("requestBody"):
        kinds.append(errors.TooLongError)
    told = {str(status): answer for status, answer in problems(*kinds).items()}
    mine = {
        status: answer
        for status, answer in operation["responses"].items()
        if "HTTPValidationError" not in str(answer)
    }
    operation["responses"] = dict(sorted(_merged(mine, told).items()))


def _merged(mine: Document, more: Document) -> Document:
    """Put the examples and descriptions of more problems to those that are there."""
    merged = dict(mine)
    for status, response in more.items():
        before = merged.get(status, {}).get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        examples = before | response["content"][MEDIA_TYPE]["examples"]
        titles = dict.fromkeys(str(one["value"]["title"]) for one in examples.values())
        content = {MEDIA_TYPE: response["content"][MEDIA_TYPE] | {"examples": examples}}
        merged[status] = response | {"description": "; ".join(titles), "content": content}
    return merged


def _described(response: Document, schemas: Document) -> str:
    """Describe an answer by its schema, where nobody else has."""
    described = str(response["description"])
    if described != "Successful Response":
        return described
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return str(schemas.get(name, {}).get("description", "")).partition("\n")[0] or "Done."
