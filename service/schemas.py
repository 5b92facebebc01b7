"""What all schemas share: unknown fields are refused, and a few types with names."""

from collections.abc import Iterator
from functools import cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Version = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$"), Field(examples=["b4c69161347a9bc2"])]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), Field(examples=["0" * 64])]
JobId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$"), Field(examples=["3q2-7wAAAAAAAAAAAAAAAA"])
]
PHONE_NUMBER_FORM = r"^\+[1-9][0-9]{6,14}$"
PhoneNumber = Annotated[
    str,
    StringConstraints(pattern=PHONE_NUMBER_FORM),
    Field(description="In international form (E.164).", examples=["+8613800138000"]),
]
Code = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{6}$"), Field(description="Six digits.", examples=["123456"])
]


class Schema(BaseModel):
    """The base of all schemas: what is not in it is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


@cache
def field_names() -> frozenset[str]:
    """Return the name of every field of every schema: no others are told to who sent something wrong."""

    def of(schema: type[BaseModel]) -> Iterator[str]:
        yield from (field.alias or name for name, field in schema.model_fields.items())
        for derived in schema.__subclasses__():
            yield from of(derived)

    return frozenset(of(Schema))
