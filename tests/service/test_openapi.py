"""The OpenAPI document is whole: what it does not say, a client cannot rely on."""

import keyword
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from service.links import LINKS

PROBLEM = "application/problem+json"
JSON = ("application/json", PROBLEM)
METHODS = ("get", "put", "post", "patch", "delete")


class Operation(NamedTuple):
    """An operation of the document."""

    method: str
    path: str
    said: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


@pytest.fixture(scope="module")
def document(server):
    with server.client() as http:
        answer = http.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


@pytest.fixture(scope="module")
def operations(document):
    found = [
        Operation(method, path, said)
        for path, item in document["paths"].items()
        for method, said in item.items()
    ]
    assert len(found) > 10
    assert {one.method for one in found} <= set(METHODS)
    return found


@pytest.fixture(scope="module")
def validator(document):
    registry = Registry().with_resource("urn:api", Resource.from_contents(document, DRAFT202012))

    def check(schema: dict[str, Any], value: Any) -> list[str]:
        absolute = {"$ref": f"urn:api{schema['$ref']}"} if "$ref" in schema else _absolute(schema)
        checker = Draft202012Validator.FORMAT_CHECKER
        return [
            one.message
            for one in Draft202012Validator(absolute, registry=registry, format_checker=checker).iter_errors(
                value
            )
        ]

    return check


def _absolute(schema: Any) -> Any:
    """Let references of a schema point into the document."""
    if isinstance(schema, dict):
        return {
            key: f"urn:api{value}" if key == "$ref" else _absolute(value) for key, value in schema.items()
        }
    return [_absolute(one) for one in schema] if isinstance(schema, list) else schema


def contents(operations: list[Operation]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Go through all bodies: whose, of which media type, and what is said of it."""
    for one in operations:
        bodies = {"request": one.said.get("requestBody", {}), **one.said["responses"]}
        for name, body in bodies.items():
            for media_type, content in body.get("content", {}).items():
                yield f"{one}, {name}", media_type, content


def texts(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Go through all texts in a value."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from texts(one, f"{where}.{name}")
    elif isinstance(value, list):
        for one in value:
            yield from texts(one, where)
    elif isinstance(value, str):
        yield where, value


def walk(schema: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Go through a schema and all schemas in it."""
    if isinstance(schema, dict):
        yield where, schema
        for key, value in schema.items():
            if key not in ("examples", "example", "default", "const", "enum"):
                yield from walk(value, f"{where}.{key}")
    elif isinstance(schema, list):
        for number, one in enumerate(schema):
            yield from walk(one, f"{where}.{number}")


def test_every_operation_says_what_it_does(operations, document):
    tags = {one["name"] for one in document["tags"]}
    assert all(one["description"] for one in document["tags"])
    for one in operations:
        assert 3 < len(one.said["summary"]) < 120, one
        assert "  " not in one.said["summary"], one
        assert len(one.said["description"]) > len(one.said["summary"]), one
        assert len(one.said["tags"]) == 1, one
        assert set(one.said["tags"]) <= tags, one


def test_names_of_operations_make_good_names_of_functions(operations):
    names = [one.said["operationId"] for one in operations]
    assert len(names) == len(set(names))
    for name in names:
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", name), name
        assert not keyword.iskeyword(name)


def test_names_of_schemas_make_good_names_of_classes(document):
    for name in document["components"]["schemas"]:
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", name), f"{name}: one schema for in and out, and no Body_"


def test_every_operation_says_who_may_come(operations, document):
    schemes = document["components"]["securitySchemes"]
    assert all(one["description"] for one in schemes.values())
    for one in operations:
        assert one.said["security"], one
        assert {name for need in one.said["security"] for name in need} <= set(schemes), one
        # Whoever sends a token that does not hold is refused everywhere, and counted.
        assert {"401", "429"} <= set(one.said["responses"]), one


def test_every_answer_is_described_and_errors_are_problems(operations):
    for one in operations:
        statuses = {int(status) for status in one.said["responses"]}
        assert any(status < 400 for status in statuses), one
        for status, answer in one.said["responses"].items():
            assert answer["description"] not in ("", "Successful Response", "Validation Error"), (
                str(one),
                status,
            )
            if status.startswith(("4", "5")):
                assert set(answer["content"]) == {PROBLEM}, (str(one), status)
                assert answer["content"][PROBLEM]["schema"] == {"$ref": "#/components/schemas/Problem"}
                for example in answer["content"][PROBLEM]["examples"].values():
                    assert example["value"]["status"] == int(status), (str(one), status)
            if status == "429":
                assert answer["headers"]["Retry-After"]["required"], one
            if status == "401":
                assert "WWW-Authenticate" in answer["headers"], one


def test_what_takes_something_says_how_it_refuses_what_is_malformed(operations):
    for one in operations:
        if one.said.get("parameters") or "application/json" in one.said.get("requestBody", {}).get(
            "content", {}
        ):
            assert "invalid" in one.said["responses"]["422"]["content"][PROBLEM]["examples"], one


def test_every_body_has_examples_that_keep_to_its_schema(operations, validator):
    seen, bare = 0, []
    for where, media_type, content in contents(operations):
        assert content.get("schema") or content.get("itemSchema"), where
        if media_type not in JSON:
            continue
        values = [one["value"] for one in content.get("examples", {}).values()]
        assert values, where
        for value in values:
            assert validator(content["schema"], value) == [], where
            bare += [f"{where}: {field}" for field, text in texts(value) if text == "..."]
            seen += 1
    assert seen > 50
    assert not bare, "texts without examples; see service.examples.TEXTS"


def test_a_wrong_example_would_be_seen(operations, validator):
    """The check above checks: references are followed, unknown fields and formats are refused."""
    schema = {"$ref": "#/components/schemas/Problem"}
    right = {"type": "a", "title": "b", "status": 404, "detail": "c"}
    assert validator(schema, right) == []
    assert validator(schema, right | {"other": 1})
    assert validator(schema, right | {"status": 200})
    assert validator({"type": "array", "items": schema}, [right | {"detail": 1}])
    assert validator({"type": "string", "format": "date-time"}, "yesterday")


def test_links_lead_to_operations_that_take_what_they_give(operations):
    by_name = {one.said["operationId"]: one.said for one in operations}
    seen = 0
    for one in operations:
        for answer in one.said["responses"].values():
            for name, link in answer.get("links", {}).items():
                target = by_name[link["operationId"]]
                taken = {parameter["name"] for parameter in target.get("parameters", ())}
                assert set(link.get("parameters", ())) <= taken, (str(one), name)
                assert "requestBody" not in link or "requestBody" in target, (str(one), name)
                seen += 1
    assert seen == sum(map(len, LINKS.values()))


def test_every_parameter_is_described(operations):
    for one in operations:
        for parameter in one.said.get("parameters", ()):
            assert parameter.get("description"), f"{one}: {parameter['name']}"
            assert parameter["schema"], (str(one), parameter["name"])
        named = {
            parameter["name"] for parameter in one.said.get("parameters", ()) if parameter["in"] == "path"
        }
        assert named == set(re.findall(r"{(\w+)}", one.path)), one


#: Objects that are open, and what closes them.
OPEN = {
    "ConsentReceipt.properties.record": "answered only; ISO/IEC TS 27560 says what is in it",
    "EffectView.properties.options": "answered only; a JSON Schema",
    "Export.properties.tables.additionalProperties.items": "answered only; its schema has a route of its own",
    "PolicyNow.properties.registries": "answered only; what a version of the policy states",
    "PolicyView.properties.registries": "answered only; what a version of the policy states",
    "StartJob.properties.options": "held to the schema of the effect, which is closed",
}


@pytest.mark.clause("1.1.1(1)", partly="no schema has room for fields that nobody asked for")
def test_objects_are_closed(document):
    found = set()
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("description"), name
        for where, one in walk(schema, name):
            if one.get("type") == "object" and isinstance(one.get("properties"), dict):
                assert one.get("additionalProperties") is False, f"{where} takes fields that nobody asked for"
            elif one.get("type") == "object" and not isinstance(one.get("additionalProperties"), dict):
                found.add(where)
    assert found == set(OPEN)


def test_every_route_has_words_of_its_own_and_exactly_one_access():
    from fastapi import FastAPI

    from service.app import PREFIX, ROUTERS
    from service.openapi import access_of, api_routes

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    routes = list(api_routes(app))
    assert len(routes) > 10
    for route in routes:
        assert route.endpoint.__doc__, route.path
        assert len(access_of(route)) == 1, f"{route.path}: who may come?"
