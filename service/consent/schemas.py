"""What comes in and goes out about consents and permissions."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from service.policy.registry import Language
from service.schemas import Digest, Schema, Version


class Choose(Schema):
    """Turn something on, having been shown its words."""

    digest: Digest = Field(description="SHA-256 of what was shown, as the list gives it.")
    language: Language = "en"


class ChoiceView(Schema):
    """A purpose or permission, and how it stands for you."""

    name: str
    granted: bool
    words: str = Field(description="What you agree to.")
    language: Language
    digest: Digest
    receipt: str | None = Field(description="The number of your last choice about it.")
    at: datetime | None = Field(description="When you made it.")


class Choices(Schema):
    """All that can be chosen."""

    kind: Literal["purpose", "permission"]
    version: Version
    items: list[ChoiceView]
