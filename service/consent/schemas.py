"""What comes in and goes out about consents and permissions."""

from datetime import datetime
from typing import Any, Literal

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


class Made(Schema):
    """A choice that was made."""

    number: int = Field(description="In which order; pass it as `before` for those before it.")
    id: str = Field(description="The receipt's number.")
    kind: Literal["purpose", "permission"]
    name: str
    granted: bool
    digest: Digest
    version: Version
    language: Language
    method: Literal["request", "signal"] = Field(description="A signal is one of the browser's: Sec-GPC.")
    at: datetime


class History(Schema):
    """Choices, the last one first; nothing in it is ever changed."""

    items: list[Made]


class ConsentSignature(Schema):
    """Who signed a record: the key of `GET /v1/receipt-key`."""

    algorithm: Literal["Ed25519"]
    key: str = Field(description="The key's number.")
    public_key: str = Field(description="Base64.")
    value: str = Field(
        description="Base64; of `facekit consent receipt v1`, a zero byte, and the record as JSON in ASCII "
        "with sorted keys and no space."
    )


class ConsentReceipt(Schema):
    """A choice's receipt, to keep."""

    record: dict[str, Any] = Field(description="Structured as ISO/IEC TS 27560:2023.")
    signature: ConsentSignature
