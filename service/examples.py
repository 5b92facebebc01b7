"""Examples for the OpenAPI document, put together from those of fields."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

Schema: TypeAlias = dict[str, Any]

_MADE_UP: Final[dict[str, Any]] = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "uri": "https://example.org/",
    "uuid4": "0b0e6f5c-3d2f-4c54-9a4e-6f0c7a3f9d11",
    "number": 1.0,
    "boolean": True,
    "string": "...",
}

_ID: Final = "Xn3vVd0cS1uQ9yqk2mJ4tA"
_KEY: Final = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
#: Texts of fields that mean the same wherever they are; a field's own example goes before them.
TEXTS: Final[dict[str, str]] = {
    "about": _ID,
    "account": "9f86d081884c7d659a2feaa0c55ad015",
    "added": "notify.mail",
    "appeal": "Answer this, and somebody else will look at it again.",
    "answer": "It is erased as soon as you have it.",
    "at": "2026-01-31T12:00:00Z",
    "basis": "contract",
    "changed": "face.effect",
    "column": "handle",
    "contact": "privacy@example.org",
    "counted_from": "used_at",
    "by": "you",
    "credit": "drawn by facekit",
    "data_class": "account",
    "decider": _ID,
    "deed": "case.answered",
    "effect": "swap",
    "erasable": "picture",
    "erasable_alone": "picture",
    "erased_alone_as": "picture",
    "evidence": "file 2026-17",
    "facts": "2026-03-01",
    "fields": "phone",
    "format": "facekit-receipt-1",
    "handle": "quiet-otter-4821",
    "how": "overwritten and unlinked",
    "id": _ID,
    "issued": "2026-01-31T12:00:00Z",
    "key": _ID,
    "kind": "case near",
    "label": "our photo booth",
    "licence": "CC0-1.0",
    "limits": "solid-state disks may keep copies that nobody can read by name",
    "media_type": "image/png",
    "name": "face.effect",
    "operator": "Example Ltd.",
    "phone": "+86*********00",
    "policy": "b4c69161347a9bc2",
    "problem": "no-face",
    "providers": "example",
    "public_key": _KEY,
    "purposes": "account.code",
    "purpose": "keeps who signs in by another account apart",
    "question": "What becomes of my photo?",
    "reason": "request",
    "reasons": "purposes",
    "receipt": _ID,
    "recipient": "sms",
    "removed": "device.info",
    "reply_to": "somebody@example.org",
    "rights": "erase",
    "scopes": "jobs:write",
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "signature": "a3Vyei1rdXJ6LWt1cnota3Vyei1rdXJ6LWt1cnota3Vyeg==",
    "signer": _ID,
    "stage": "blend",
    "step": "received",
    "table": "accounts",
    "template": "stamp",
    "text": "The words, as Markdown.",
    "ticket": "T-17",
    "title": "The policy has changed",
    "token": "fks_Yk0m2Qd8r5sT1vXzB7nC4hJ6pL9aE3gW0uKfRiOyDsM",
    "uri": "otpauth://totp/facekit?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "verified_by": "code",
    "value": "a3Vyei1rdXJ6LWt1cnota3Vyei1rdXJ6LWt1cnota3Vyeg==",
    "walls": "seccomp",
    "webhook": "https://example.org/facekit",
    "webhook_secret": "Yk0m2Qd8r5sT1vXzB7nC4hJ6pL9aE3gW0uKfRiOyDsM",
    "what": "photo",
    "why": "the law asks for it; nobody can say any more whose it was",
    "words": "What you agree to, in your language.",
}


def example_of(schema: Schema, schemas: Schema, name: str = "") -> Any:
    """Make an example of a schema from those of its fields.

    Parameters
    ----------
    schema : dict
        JSON Schema.
    schemas : dict
        The document's schemas by name, for references.
    name : str
        Of the field that it is for.
    """
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    if schema.get("examples"):
        return schema["examples"][0]
    for key, take in _TAKE.items():
        if schema.get(key):
            return take(schema, schemas, name)
    if "default" in schema:
        return schema["default"]
    kind = str(schema.get("format", schema.get("type")))
    if kind == "integer":
        return max(1, schema.get("minimum", 1))
    return TEXTS.get(name, _MADE_UP["string"]) if kind == "string" else _MADE_UP.get(kind)


def _of_first(schema: Schema, schemas: Schema, name: str) -> Any:
    return example_of((schema.get("anyOf") or schema.get("oneOf") or schema["allOf"])[0], schemas, name)


def _of_fields(schema: Schema, schemas: Schema, _: str) -> Schema:
    return {name: example_of(one, schemas, name) for name, one in schema["properties"].items()}


def _of_map(schema: Schema, schemas: Schema, name: str) -> Schema:
    if schema["additionalProperties"] is True:
        return {}
    key = example_of(schema.get("propertyNames", {"examples": ["name"]}), schemas)
    return {key: example_of(schema["additionalProperties"], schemas, name)}


_TAKE: Final[dict[str, Callable[[Schema, Schema, str], Any]]] = {
    "const": lambda schema, *_: schema["const"],
    "enum": lambda schema, *_: schema["enum"][0],
    "anyOf": _of_first,
    "oneOf": _of_first,
    "allOf": _of_first,
    "properties": _of_fields,
    "additionalProperties": _of_map,
    "items": lambda schema, schemas, name: [example_of(schema["items"], schemas, name)],
}
