"""What comes in and goes out about jobs."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Base64Bytes, Field, StringConstraints

from service.schemas import JobId, Schema

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,40}$")]
States = Literal["leased", "queued", "running", "done", "delivered", "cancelled", "failed", "expired", "lost"]


class Attestation(Schema):
    """What you say of the person shown."""

    person: Literal["me", "consenting"] = Field(description="It is you, or somebody who agrees.")
    over_14: bool = Field(description="Whether the person is 14 or over.")
    others: bool = Field(
        False,
        description="Whether everybody else in the photo agrees and is 14 or over, if there is anybody.",
    )


class StartJob(Schema):
    """What is to be done with a photo, which comes afterwards."""

    effect: Name = Field(examples=["swap"])
    template: Name | None = Field(None, examples=["stamp"])
    options: dict[str, Any] = Field({}, description="The effect's; `GET /v1/effects` says which.")
    attestation: Attestation | None = Field(
        None,
        description="Needed; without it, or where the person is younger, the answer is 403.",
        examples=[{"person": "me", "over_14": True}],
    )
    source: Literal["album", "camera", "file"] = Field(
        description="Where the photo is from; its permission (album, camera, storage) must be on."
    )
    result_key: Annotated[Base64Bytes, Field(max_length=2000)] | None = Field(
        None, description="Your public key in base64, as `facekit.envelope.KeyPair` has it."
    )
    webhook: Annotated[str, StringConstraints(max_length=2000)] | None = Field(
        None, description="Is told of the job's state, signed with the secret that is answered."
    )


class JobStarted(Schema):
    """A cell waits for the photo."""

    id: JobId
    state: States
    deadline: datetime = Field(description="Until when it waits.")
    public_key: str = Field(description="Seal the photo to it, for this job; base64.")
    kem: Literal["x25519", "mlkem768x25519"]
    largest: int = Field(description="Bytes that the sealed photo may have.")
    webhook_secret: str | None = Field(
        None, description="Signs what your webhook gets: Facekit-Signature: sha256=HMAC of the body."
    )


class JobView(Schema):
    """A job."""

    id: JobId
    effect: str
    template: str | None
    state: States
    stage: str | None = Field(description="What the cell does just now.")
    created_at: datetime
    deadline: datetime | None = Field(description="When it expires by itself.")
    size: int | None = Field(description="Bytes of the result, once it is done.")
    media_type: str | None = Field(description="What kind of file the result is.")
    problem: str | None = Field(
        description="Why it failed: the last part of a problem's type.", examples=["no-face"]
    )
    webhook: Literal["waiting", "delivered", "failed"] | None = Field(
        None, description="Whether your webhook was told of the last state."
    )


class JobList(Schema):
    """Your jobs, the latest first: those that live, and those of the last 30 days."""

    items: list[JobView]


class Erasure(Schema):
    """One kind of thing that was erased."""

    what: str
    how: str
    at: str


class ReceiptView(Schema):
    """An erasure receipt, signed. Keep it to the letter: `facekit receipt FILE` checks it."""

    format: str
    job: JobId
    policy: str
    issued: str
    outcome: Literal["delivered", "failed", "cancelled", "expired", "lost"]
    upload: Literal["sealed", "plain"]
    result_key: Literal["client", "job", "none"]
    erased: list[Erasure]
    walls: list[str]
    limits: list[str] = Field(description="What nobody can promise.")
    signer: str
    signature: str


class ReceiptKey(Schema):
    """The key that receipts are signed with (Ed25519)."""

    id: str
    public_key: str = Field(description="Base64 of its 32 bytes.")


class TemplateView(Schema):
    """A ready template."""

    name: str
    title: str
    credit: str
    licence: str


class TemplateList(Schema):
    """All ready templates."""

    items: list[TemplateView]


class EffectView(Schema):
    """Something that can be done with a face."""

    name: str
    words: str
    takes_template: bool
    options: dict[str, Any] = Field(description="JSON Schema of its options.")


class EffectList(Schema):
    """All effects."""

    items: list[EffectView]
