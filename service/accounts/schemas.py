"""What comes in and goes out about accounts."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import UUID4, AfterValidator, Field, StringConstraints

from service.accounts.store import Method, Role, Teller
from service.policy.registry import Language
from service.schemas import Code, Digest, PhoneNumber, Schema


def _is_printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("characters that cannot be seen")
    return text


Scope = Literal["account:read", "jobs:read", "jobs:write", "consent:read", "consent:write"]
Password = Annotated[
    str, StringConstraints(min_length=1, max_length=128), Field(examples=["four otters on a log"])
]
#: A line of text that a person writes.
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=40),
    AfterValidator(_is_printable),
]
_Release = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{1,4}(\.[0-9]{1,5}){0,3}$"), Field(examples=["17.2.1"])
]


class Consent(Schema):
    """That you consent, having been shown the words (`GET /v1/policy`, in `registries`)."""

    digest: Digest = Field(description="SHA-256 of what was shown.")
    language: Language = "en"


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


class GivePassword(Schema):
    """A number and its password."""

    phone: PhoneNumber
    password: Password


class SetPassword(Schema):
    """A new password: 8 characters or more, of any kind."""

    password: Password


class OneClick(Schema):
    """What the carrier gave the device."""

    token: str = Field(min_length=1, max_length=2048, description="Exchanged for the number, once.")
    consent: Consent | None = Field(
        None, description="To `login.one_click`; needed where it is not on for you already."
    )


class Visit(Schema):
    """Where to send the browser, which has got a cookie to come back with."""

    url: str = Field(
        description="The provider's page.", examples=["https://id.example/authorize?client_id=..."]
    )
    seconds: int = Field(description="How long it may take.", examples=[600])


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
    name: str | None = Field(description="The name that you want shown.", examples=["Lin"])
    phone: str | None = Field(description="Masked.", examples=["+86*******00"])
    phone_from: Teller | None = Field(description="Who told it: you, by a code, or your carrier.")
    has_password: bool
    providers: list[str] = Field(description="Accounts elsewhere that sign you in.")
    role: Role
    created_at: datetime


class EditMe(Schema):
    """What of your account is to be another."""

    name: Line | None = Field(description="The name that you want shown; null for none.", examples=["Lin"])


class SetHandle(Schema):
    """A handle of your choice."""

    handle: str = Field(
        min_length=3,
        max_length=30,
        description="Letters of one script, digits, and single - _ . between them; a letter first.",
        examples=["river-otter"],
    )


class SessionView(Schema):
    """A session of yours."""

    id: str
    method: Method
    client: str = Field(description="The family of the program.", examples=["Firefox"])
    network: str = Field(description="Where from, as a network.", examples=["203.0.113.0/24"])
    created_at: datetime
    expires_at: datetime
    current: bool = Field(description="Whether it is the one that asks.")


class Sessions(Schema):
    """All your sessions."""

    items: list[SessionView]


class MakeKey(Schema):
    """An API key to be made."""

    label: Line = Field(description="What you call it.", examples=["photo booth"])
    scopes: list[Scope] = Field(min_length=1, max_length=5, description="What it may do.")


class KeyView(Schema):
    """An API key of yours."""

    id: str
    label: str
    scopes: list[str]
    created_at: datetime


class Keys(Schema):
    """All your API keys."""

    items: list[KeyView]


class KeyMade(KeyView):
    """A new API key."""

    token: str = Field(description="Send it as Authorization: Bearer TOKEN. It is shown this once.")


class GiveFactor(Schema):
    """A code of your authenticator; none, to set one up."""

    code: Code | None = None


class Factor(Schema):
    """Your second factor."""

    confirmed: bool = Field(description="Whether it counts, and this session has it.")
    secret: str | None = Field(description="For your authenticator. It is shown this once.")
    uri: str | None = Field(description="The same as an otpauth address, for a QR code.")


class DeviceView(Schema):
    """The little that is known of your device. There is no field for an identifier of its hardware."""

    os: Literal["android", "ios", "ipados", "linux", "macos", "windows", "other"]
    os_version: _Release
    app_version: _Release
    locale: str = Field(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$", examples=["zh-CN"])
    install_id: UUID4 = Field(description="Random; a new one whenever you like.")
