"""What comes in and goes out about questions."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from service.schemas import Schema

Words = Annotated[
    str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True, pattern=r"^[^\x00]*$")
]
Address = Annotated[
    str,
    StringConstraints(pattern=r"^[^@\s\x00]{1,64}@[^@\s\x00]{1,189}$"),
    Field(examples=["somebody@example.org"]),
]


class Ask(Schema):
    """A question, in words: pictures are refused, since they may show faces."""

    question: Words = Field(examples=["For how long is my number kept?"])
    reply_to: Address | None = Field(
        None, description="Where the answer is to go; who has signed in finds it at GET /v1/contact."
    )


class Answer(Schema):
    """An answer."""

    answer: Words


class QuestionView(Schema):
    """A question, and how it stands."""

    id: str
    question: str
    received_at: datetime
    due_at: datetime = Field(description="By when it is to be answered.")
    answer: str | None
    answered_at: datetime | None


class Questions(Schema):
    """Questions."""

    items: list[QuestionView]


class ToAnswer(QuestionView):
    """A question, for who answers it. Whose it is, is not shown."""

    reply_to: str | None
    from_account: bool = Field(description="Whether who asks has signed in, and finds the answer there.")
    state: Literal["open", "overdue", "answered"]


class ManyToAnswer(Schema):
    """Questions, those first that are due first."""

    items: list[ToAnswer]
