"""What a service answers, as values: the client's side of the schemas in the service's OpenAPI."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

__all__ = [
    "Acceptance",
    "ApiKey",
    "Choice",
    "CodeSent",
    "Effect",
    "Job",
    "JobEvent",
    "Me",
    "NewJob",
    "Policy",
    "Recipient",
    "Request",
    "Session",
    "Shared",
    "SignedIn",
    "TemplateCard",
]

Document: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of the policy.

    Parameters
    ----------
    version, digest : str
        Its name; the SHA-256 of its words.
    effective_at : datetime
        Since when it is in force.
    text : str
        Its words, as Markdown.
    material : bool
        Whether something that matters has changed from the version before.
    reasons : tuple of str
        What has.
    registries : mapping
        Purposes, permissions, recipients, rights and contact, as data.
    """

    version: str
    digest: str
    effective_at: datetime
    text: str
    material: bool
    reasons: tuple[str, ...]
    registries: Document


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That a version of the policy was accepted.

    Parameters
    ----------
    id : str
        Its number.
    version, digest, language : str
        What was accepted.
    at : datetime
        When.
    token : str, optional
        Signs in, within an hour, who had not when they accepted.
    """

    id: str
    version: str
    digest: str
    language: str
    at: datetime
    token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class CodeSent:
    """That a code was sent.

    Parameters
    ----------
    challenge : str
        Goes back with the code.
    seconds : int
        How long the code holds.
    """

    challenge: str
    seconds: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session.

    Parameters
    ----------
    token : str
        Whoever has it is signed in.
    expires_at : datetime
        Until when.
    account : str
        The account's number.
    created : bool
        Whether the account is new.
    """

    token: str = field(repr=False)
    expires_at: datetime
    account: str
    created: bool


@dataclass(frozen=True, slots=True)
class Me:
    """An account, as its owner sees it.

    Parameters
    ----------
    id, handle : str
        Its number and its public handle.
    name : str, optional
        The name that its owner wants shown.
    phone : str, optional
        Masked.
    has_password : bool
        Whether one was set.
    role : str
        "user" or "operator".
    created_at : datetime
        Since when there is one.
    """

    id: str
    handle: str
    name: str | None
    phone: str | None
    has_password: bool
    role: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A session of an account.

    Parameters
    ----------
    id : str
        Its number.
    method : str
        How its owner signed in.
    client, network : str
        The family of the program, and the network where it is.
    created_at, expires_at : datetime
        From when, and until when.
    current : bool
        Whether it is the one that asks.
    """

    id: str
    method: str
    client: str
    network: str
    created_at: datetime
    expires_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key of an account.

    Parameters
    ----------
    id, label : str
        Its number, and what its owner calls it.
    scopes : tuple of str
        What it may do.
    created_at : datetime
        Since when there is one.
    token : str, optional
        What a program sends; known once only, when it was made.
    """

    id: str
    label: str
    scopes: tuple[str, ...]
    created_at: datetime
    token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """A purpose or permission, and how it stands.

    Parameters
    ----------
    name : str
        Its name.
    granted : bool
        Whether it is on.
    words, language : str
        What turning it on agrees to.
    digest : str
        Of what was shown; turning it on names it.
    receipt : str, optional
        The number of the last choice about it.
    at : datetime, optional
        When that was made.
    """

    name: str
    granted: bool
    words: str
    language: str
    digest: str
    receipt: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class TemplateCard:
    """A template that the service has.

    Parameters
    ----------
    name, title : str
        To be named by, and in words.
    credit, licence : str
        Whose it is.
    """

    name: str
    title: str
    credit: str
    licence: str


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect that the service offers.

    Parameters
    ----------
    name, words : str
        To be named by, and what it does.
    takes_template : bool
        Whether it needs a template.
    options : mapping
        JSON Schema of what can be chosen about it.
    """

    name: str
    words: str
    takes_template: bool
    options: Document


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that waits for its photo.

    Parameters
    ----------
    id : str
        Its number.
    state : str
        "leased".
    deadline : datetime
        Until when the photo must have come.
    public_key : bytes
        What to seal it to: the key of the process that will open it.
    kem : str
        The kind of that key.
    largest : int
        Bytes of an upload, at most.
    webhook_secret : str, optional
        Signs what the job's webhook is told.
    """

    id: str
    state: str
    deadline: datetime
    public_key: bytes
    kem: str
    largest: int
    webhook_secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Job:
    """A job, as it stands.

    Parameters
    ----------
    id, effect : str
        Its number, and what it does.
    template : str, optional
        With which template.
    state : str
        "leased", "queued", "running", "done"; then "delivered", "cancelled", "failed", "expired" or "lost".
    stage : str, optional
        Of its work.
    created_at : datetime
        When it began.
    deadline : datetime, optional
        Until when it stays in this state.
    size : int, optional
        Bytes of the result, as it is fetched.
    media_type : str, optional
        Of the result.
    problem : str, optional
        Why it failed: the last part of a problem's type, such as "no-face".
    webhook : str, optional
        "waiting", "delivered" or "failed": whether its webhook was told of the last state.
    """

    id: str
    effect: str
    template: str | None
    state: str
    stage: str | None
    created_at: datetime
    deadline: datetime | None
    size: int | None
    media_type: str | None
    problem: str | None
    webhook: str | None


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to a job.

    Parameters
    ----------
    number : int
        From 1; resumes after it.
    kind : {"state", "stage"}
        Whether `data` tells a state of the job, or a stage of its work.
    data : mapping
        What the service says of it.
    """

    number: int
    kind: Literal["state", "stage"]
    data: Document


@dataclass(frozen=True, slots=True)
class Request:
    """A request for what is somebody's right.

    Parameters
    ----------
    id, kind, channel, state : str
        Its number; what is asked; how it came; how it stands.
    what, about : str
        What is to be erased; which refusal is appealed against.
    text, answer : str, optional
        The person's own words, and the answer's.
    refusal : mapping, optional
        The ground, what it rests on, who decided, and how to appeal.
    received_at, due_at : datetime
        When it came, and by when it must have been carried out.
    closed_at : datetime, optional
        When it was.
    receipt : mapping, optional
        Of a cancelled account.
    """

    id: str
    kind: str
    channel: str
    state: str
    what: str
    about: str
    text: str | None
    answer: str | None
    refusal: Document | None
    received_at: datetime
    due_at: datetime
    closed_at: datetime | None
    receipt: Document | None


@dataclass(frozen=True, slots=True)
class Shared:
    """Something that was sent to somebody else.

    Parameters
    ----------
    recipient, purpose : str
        To whom, and what for.
    fields : tuple of str
        Which fields.
    basis : str
        On what ground.
    at : datetime
        When.
    """

    recipient: str
    purpose: str
    fields: tuple[str, ...]
    basis: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody else who may get something.

    Parameters
    ----------
    name, words : str
        Who it is.
    purposes, fields : tuple of str
        What for, and which fields; no others.
    basis : str
        On what ground.
    """

    name: str
    words: str
    purposes: tuple[str, ...]
    fields: tuple[str, ...]
    basis: str
