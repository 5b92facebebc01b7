"""What comes in and goes out about the policy."""

from datetime import datetime
from typing import Any

from pydantic import Field

from service.policy.registry import Language
from service.schemas import Digest, Schema, Version


class PolicyView(Schema):
    """A version of the policy, whole."""

    version: Version
    digest: Digest
    effective_at: datetime
    published_at: datetime
    material: bool = Field(description="Whether something that matters changed from the version before.")
    reasons: list[str] = Field(description="What did.")
    text: str = Field(description="The words, as Markdown.")
    registries: dict[str, Any] = Field(
        description="Purposes, permissions, recipients, rights and contact, as data."
    )


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
