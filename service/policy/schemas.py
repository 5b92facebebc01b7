"""What comes in and goes out about the policy."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from service.policy.registry import Language
from service.policy.words import Kind
from service.schemas import Digest, Schema, Version


class VersionView(Schema):
    """A version of the policy, without its words."""

    version: Version
    previous: Version | None = Field(description="The version before; none before the first.")
    digest: Digest = Field(description="SHA-256 of its text.")
    effective_at: datetime
    published_at: datetime
    material: bool = Field(description="Whether something that matters changed from the version before.")
    reasons: list[str] = Field(description="What did.", examples=[["recipients"]])


class PolicyView(VersionView):
    """A version of the policy, whole."""

    operator: str = Field(description="Who runs the service.")
    contact: str = Field(description="Whom to ask about personal data.")
    text: str = Field(description="The words, as Markdown.")
    registries: dict[str, Any] = Field(
        description="Purposes, permissions, every piece of information with its period, recipients, rights: "
        "the lists that the software enforces."
    )


class PolicyNow(PolicyView):
    """The version in force, whole, and what is published to follow it."""

    later: list[VersionView] = Field(description="Versions that are not yet in force, the next one first.")


class Versions(Schema):
    """All versions of the policy, the first one first."""

    items: list[VersionView]


class RegisterDifference(Schema):
    """How a register differs: names of its lines."""

    added: list[str]
    removed: list[str]
    changed: list[str]


class VersionDifference(Schema):
    """How two versions differ."""

    older: Version
    newer: Version
    text: list[str] = Field(description="Lines of a unified diff.")
    registers: dict[str, RegisterDifference] = Field(description="Of the registers those that differ.")


class Publish(Schema):
    """Publish a version: what this release does and is set to do, with a text."""

    effective_at: AwareDatetime | None = Field(
        None, description="When it comes into force; at once where nothing that matters changes."
    )
    text: Annotated[str, StringConstraints(max_length=200_000, pattern=r"^[^\x00]*$")] = Field(
        "", description="Its words, as Markdown; by default those of the package."
    )
    ownership: bool = Field(False, description="Who owns or runs the service changes.")
    impact: bool = Field(False, description="Something else changes that affects people much.")


class Published(Schema):
    """What was published."""

    version: VersionView
    told: int = Field(description="How many accounts have a notice of it.")


class NoticeView(Schema):
    """Something that you are told."""

    id: str
    kind: Kind
    title: str
    text: str
    language: Language
    facts: dict[str, str] = Field(description="What the words are made of.")
    at: datetime
    read_at: datetime | None = Field(description="When you had seen it.")
    operator: str = Field(description="Who tells you.")
    contact: str = Field(description="Whom to ask.")


class Notices(Schema):
    """What you are told: what you have not seen first."""

    unread: int
    items: list[NoticeView]


class CookieView(Schema):
    """A cookie that the service sets."""

    name: str
    purpose: str
    seconds: int = Field(description="How long a browser keeps it.")
    party: Literal["first", "third"]


class Cookies(Schema):
    """Every cookie that the service sets; no other is."""

    items: list[CookieView]


class Accept(Schema):
    """That you accept the version you were shown. It is no consent to anything."""

    version: Version
    digest: Digest = Field(description="SHA-256 of the text that you were shown.")
    language: Language = "en"


class Accepted(Schema):
    """What was accepted."""

    id: str
    version: Version
    digest: Digest
    language: Language
    at: datetime
    token: str | None = Field(description="Send it as Facekit-Acceptance when you sign in, within an hour.")
