"""Examples for the OpenAPI document, put together from those of fields."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

Schema: TypeAlias = dict[str, Any]

_MADE_UP: Final[dict[str, Any]] = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "uri": "https://example.org/",
    "number": 1.0,
    "boolean": True,
    "string": "...",
}


def example_of(schema: Schema, schemas: Schema) -> Any:
    """Make an example of a schema from those of its fields.

    Parameters
    ----------
    schema : dict
        JSON Schema.
    schemas : dict
        The document's schemas by name, for references.
    """
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    for key, take in _TAKE.items():
        if schema.get(key):
            return take(schema, schemas)
    if "default" in schema:
        return schema["default"]
    kind = str(schema.get("format", schema.get("type")))
    return max(1, schema.get("minimum", 1)) if kind == "integer" else _MADE_UP.get(kind)


def _of_first(schema: Schema, schemas: Schema) -> Any:
    return example_of((schema.get("anyOf") or schema.get("oneOf") or schema["allOf"])[0], schemas)


def _of_fields(schema: Schema, schemas: Schema) -> Schema:
    return {name: example_of(one, schemas) for name, one in schema["properties"].items()}


def _of_map(schema: Schema, schemas: Schema) -> Schema:
    if schema["additionalProperties"] is True:
        return {}
    name = example_of(schema.get("propertyNames", {"examples": ["name"]}), schemas)
    return {name: example_of(schema["additionalProperties"], schemas)}


_TAKE: Final[dict[str, Callable[[Schema, Schema], Any]]] = {
    "const": lambda schema, _: schema["const"],
    "enum": lambda schema, _: schema["enum"][0],
    "anyOf": _of_first,
    "oneOf": _of_first,
    "allOf": _of_first,
    "properties": _of_fields,
    "additionalProperties": _of_map,
    "items": lambda schema, schemas: [example_of(schema["items"], schemas)],
}
