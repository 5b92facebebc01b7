"""What comes in and goes out for those who run the service."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from service.rights.cases import Ground, Kind, State
from service.rights.schemas import CancellationReceipt, CaseCode, Step, Words
from service.schemas import PhoneNumber, Schema

Short = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Handle = Annotated[str, StringConstraints(min_length=1, max_length=64)]
MailKind = Literal["access", "correct", "erase", "cancel", "question", "complaint"]


class OpenCase(Schema):
    """A request that came by mail or through support. Name the account by its phone or its handle."""

    phone: PhoneNumber | None = None
    handle: Handle | None = Field(None, examples=[None])
    channel: Literal["mail", "support"]
    kind: MailKind
    what: str = Field("", max_length=40, description="For erase: what of it.", examples=[""])
    text: Words | None = None
    received_at: AwareDatetime = Field(description="When it came in: the clock starts there.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.phone is None) == (self.handle is None):
            raise ValueError("give phone or handle")
        return self


class OpenedCase(Schema):
    """A case that was opened. Send its number and code back to who wrote."""

    id: str
    due_at: datetime
    code: CaseCode = Field(
        description="Who wrote gives it to POST /v1/privacy/requests/{id}/confirm. It is shown this once."
    )


class CaseLine(Schema):
    """A case, without anything that was written."""

    id: str
    kind: Kind
    channel: Literal["app", "mail", "support"]
    state: State
    received_at: datetime
    due_at: datetime
    closed_at: datetime | None


class CaseLines(Schema):
    """Cases."""

    items: list[CaseLine]


class CaseView(CaseLine):
    """A case, whole."""

    what: str
    about: str
    text: str | None
    answer: str | None
    verified_by: str
    steps: list[Step]


class VerifyCase(Schema):
    """How you know that who asks is who they say."""

    evidence: Short = Field(examples=["letter 2026-114"])


class VerifiedCase(Schema):
    """That a case was verified."""

    receipt: CancellationReceipt | None = Field(description="Where it cancelled the account; send it back.")


class AnswerCase(Schema):
    """Your answer."""

    words: Words


class RefuseCase(Schema):
    """A refusal: its ground, what it rests on, your words, and how to appeal. None can be left out."""

    ground: Ground
    evidence: Short = Field(examples=["order 3-17 of the district court"])
    words: Words
    appeal: Words = Field(examples=["Write to privacy@example.org within 30 days; another person decides."])


class AlarmView(Schema):
    """Something to look at."""

    kind: str
    about: str = Field(description="The number of the case, or the name of the table.")
    raised_at: datetime
    seen_at: datetime | None


class Alarms(Schema):
    """All alarms, those first that nobody has seen."""

    items: list[AlarmView]


class SeeAlarm(Schema):
    """Which alarm you have seen."""

    kind: str = Field(max_length=20, pattern="^[ -~]*$", examples=["case near"])
    about: str = Field(max_length=40, pattern="^[ -~]*$", examples=["3q2-7wAAAAAAAAAAAAAAAA"])


class AuditLine(Schema):
    """What an operator did."""

    number: int
    operator: str
    deed: str
    about: str
    reason: str
    ticket: str
    at: datetime


class AuditLog(Schema):
    """The audit log, oldest first."""

    holds: bool = Field(description="Whether every row is as it was written, and follows the one before.")
    first_fault: int | None = Field(description="The number of the first row that is not, or does not.")
    items: list[AuditLine]
