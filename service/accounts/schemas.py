"""What comes in and goes out about accounts."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from service.schemas import Code, PhoneNumber, Schema


class AskCode(Schema):
    """Ask for a code by text message."""

    phone: PhoneNumber


class CodeSent(Schema):
    """The same answer for every number, known or not."""

    challenge: str = Field(description="Goes back with the code.", examples=["Zm9vYmFyYmF6cXV4MTIzNA"])
    seconds: int = Field(description="How long the code holds.", examples=[300])


class GiveCode(Schema):
    """The code that came."""

    challenge: str = Field(max_length=32, examples=["Zm9vYmFyYmF6cXV4MTIzNA"])
    phone: PhoneNumber
    code: Code


class Confirm(Schema):
    """The code that came to your own phone."""

    challenge: str = Field(max_length=32, examples=["Zm9vYmFyYmF6cXV4MTIzNA"])
    code: Code


class SignedIn(Schema):
    """A session."""

    token: str = Field(description="Send it as Authorization: Bearer TOKEN. It is shown this once.")
    expires_at: datetime
    account: str = Field(description="The account's number.")
    created: bool = Field(description="Whether the account is new.")


class Me(Schema):
    """An account, as its owner sees it."""

    id: str
    handle: str = Field(
        description="The public name; random until you choose one.", examples=["quiet-otter-4821"]
    )
    phone: str | None = Field(description="Masked.", examples=["+86*******00"])
    role: Literal["user", "operator"]
    created_at: datetime
