"""What comes in and goes out about rights."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from service.datamap import Basis, OnCancel
from service.rights.cancellation import Cause
from service.rights.cases import Channel, Ground, Kind, State
from service.schemas import Schema, Version

CaseId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$"), Field(examples=["3q2-7wAAAAAAAAAAAAAAAA"])
]
Words = Annotated[
    str, StringConstraints(min_length=1, max_length=4000), Field(examples=["My name is spelt with two s."])
]
CaseCode = Annotated[
    str, StringConstraints(pattern=r"^[A-Z2-7]{4}-[A-Z2-7]{4}$"), Field(examples=["K7QX-2MRA"])
]


class AskRight(Schema):
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


class ErasedRows(Schema):
    """Rows of a table that were erased."""

    what: str = Field(examples=["accounts"])
    rows: int


class UnlinkedRows(Schema):
    """Rows of a table that stay as proof, without whose they were."""

    what: str = Field(examples=["choices"])
    rows: int
    why: str
    days: int = Field(description="For how long at most.")


class CancellationReceipt(Schema):
    """What was erased of a cancelled account, what stays and why; signed, and of nobody."""

    format: Literal["facekit cancellation receipt 1"]
    id: str = Field(description="GET /v1/account/receipts/{id} shows it again for two years.")
    issued: str = Field(examples=["2027-01-04T09:00:00+00:00"])  # as it was signed
    cause: Cause = Field(description="How it came to be cancelled.")
    policy: Version
    key: Literal["destroyed"] = Field(description="Of the account's own key.")
    erased: list[ErasedRows]
    unlinked: list[UnlinkedRows]
    archive: str = Field(description="What a law demands to be kept.", examples=["none"])
    limits: list[str] = Field(description="What nobody can promise, or goes a little later.")
    signer: str = Field(description="Names the key of GET /v1/receipt-key.")
    signature: str = Field(description="Ed25519, in base64, over all the rest.")


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
    receipt: CancellationReceipt | None = Field(
        None, description="For cancel: keep it, for nothing here leads from you to it any more."
    )


class Requests(Schema):
    """All your requests."""

    items: list[RequestView]
    erasable: list[str] = Field(description="What can be erased while the account stays.")


class ColumnMeaning(Schema):
    """What a column is for."""

    purpose: str
    data_class: str
    basis: str


class TableMeaning(Schema):
    """How long a table's rows are kept, and what its columns are for."""

    days: float
    counted_from: str = Field(description="The column from which the days count.")
    when_cancelled: OnCancel
    columns: dict[str, ColumnMeaning]


class Export(Schema):
    """Everything held about you; `GET /v1/privacy/export/schema` describes it."""

    format: Literal["facekit export 1"]
    made_at: datetime
    account: str
    policy: str = Field(description="The policy's version in force.")
    tables: dict[str, list[dict[str, Any]]] = Field(description="What is held, by table.")
    meaning: dict[str, TableMeaning] = Field(description="What for and for how long, by table.")


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
    basis: Basis


class Recipients(Schema):
    """All parties that may get anything."""

    items: list[RecipientView]


class ClassView(Schema):
    """A class of data."""

    data_class: str = Field(examples=["X5"])
    words: str
    days: int = Field(description="For how long at most.")
    basis: Basis


class FieldView(Schema):
    """A field that is held."""

    table: str
    column: str
    data_class: str = Field(examples=["X5"])
    purpose: str
    basis: Basis
    personal: bool
    sealed: bool = Field(description="Whether it is encrypted under the account's own key.")
    third_party: bool = Field(description="Whether another party told it, whom the person let.")
    exported: bool
    days: float | None = Field(description="Nothing where it stays, for it tells of no person.")
    counted_from: str = Field(description="The column from which the days count.")
    when_cancelled: OnCancel
    erased_alone_as: str | None = Field(description="By what name it can be erased while the account stays.")


class Annex(Schema):
    """The policy's annex, made from the code: what is held, what for, for how long, and who gets it."""

    operator: str
    contact: str
    classes: list[ClassView]
    fields: list[FieldView]
    recipients: list[RecipientView]
    rights: list[str]
    erasable_alone: list[str]
