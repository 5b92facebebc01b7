"""What comes in and goes out about rights."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from service.rights.cases import Channel, Ground, Kind, State
from service.schemas import Schema

CaseId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$"), Field(examples=["3q2-7wAAAAAAAAAAAAAAAA"])
]
Words = Annotated[
    str, StringConstraints(min_length=1, max_length=4000), Field(examples=["My name is spelt with two s."])
]
CaseCode = Annotated[
    str, StringConstraints(pattern=r"^[A-Z2-7]{4}-[A-Z2-7]{4}$"), Field(examples=["K7QX-2MRA"])
]


class Ask(Schema):
    """Ask for something that is your right."""

    kind: Kind
    what: str = Field(
        "",
        max_length=40,
        description="For erase: what of it, while the account stays.",
        examples=["api keys"],
    )
    about: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_-]{22})?$")] = Field(
        "", description="For appeal: the request that was refused.", examples=[""]
    )
    text: Words | None = None


class ConfirmCase(Schema):
    """The code that came back to who asked by mail."""

    code: CaseCode


class Step(Schema):
    """One step of a request."""

    step: str
    by: str = Field(description="The way it came, the person, an operator, or the service by itself.")
    at: datetime


class Refusal(Schema):
    """Why a request was refused; by a person."""

    ground: Ground = Field(description="One of clauses 5.5.1 to 5.5.8.")
    evidence: str = Field(description="What it rests on.")
    appeal: str = Field(description="How to appeal.")
    decider: str = Field(description="The number of the operator who decided.")


class RequestView(Schema):
    """A request, and how it stands."""

    id: str
    kind: Kind
    channel: Channel
    state: State
    what: str
    about: str
    text: str | None
    answer: str | None
    refusal: Refusal | None
    steps: list[Step]
    received_at: datetime
    due_at: datetime = Field(description="15 calendar days after receipt, at the latest.")
    closed_at: datetime | None
    receipt: dict[str, Any] | None = Field(
        None, description="For cancel: the signed receipt. Keep it: nothing else here names you any more."
    )


class Requests(Schema):
    """All your requests."""

    items: list[RequestView]
    erasable: list[str] = Field(description="What can be erased while the account stays.")


class Export(Schema):
    """Everything held about you; `GET /v1/privacy/export/schema` describes it."""

    format: Literal["facekit export 1"]
    made_at: datetime
    account: str
    policy: str = Field(description="The policy's version in force.")
    tables: dict[str, list[dict[str, Any]]] = Field(description="What is held, by table.")
    meaning: dict[str, Any] = Field(
        description="What for, on what ground and for how long, by table and column."
    )


class SharedView(Schema):
    """That something about you was sent to another party."""

    recipient: str
    purpose: str
    fields: list[str] = Field(description="Their names.")
    basis: str
    at: datetime


class SharedList(Schema):
    """All that was sent to others about you."""

    items: list[SharedView]


class RecipientView(Schema):
    """Another party that may get something, and what."""

    name: str
    words: str
    purposes: list[str]
    fields: list[str]
    basis: str


class Recipients(Schema):
    """All parties that may get anything."""

    items: list[RecipientView]


class Annex(Schema):
    """The policy's annex, made from the code: what is held, what for, for how long, and who gets it."""

    operator: str
    contact: str
    classes: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    recipients: dict[str, Any]
    rights: list[str]
    erasable_alone: list[str]
