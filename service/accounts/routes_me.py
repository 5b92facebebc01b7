"""Ways in to one's own account: what it shows, what opens it, and what it knows of a device."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from facekit import errors as facekit_errors
from service.accounts import avatars, devices, keys, passwords, profile, service, sessions
from service.accounts.schemas import (
    DeviceView,
    EditMe,
    GiveCode,
    KeyMade,
    Keys,
    KeyView,
    MakeKey,
    Me,
    Sessions,
    SessionView,
    SetHandle,
    SetPassword,
)
from service.accounts.store import ApiKey, SignIn
from service.bodies import whole_body
from service.caller import Access, Caller, Level
from service.errors import (
    AbsentError,
    ConflictError,
    GoneError,
    LengthRequiredError,
    MediaTypeError,
    NoConsentError,
    NoScopeError,
    NotAcceptedError,
    RefusedError,
    ServiceError,
    StepUpError,
    TooLongError,
    TooManyError,
    UnknownCallerError,
)
from service.parts import Parts, the_parts
from service.problems import problems

router = APIRouter()

Reader = Annotated[Caller, Depends(Access(Level.ACCOUNT, scope="account:read"))]
Own = Annotated[Caller, Depends(Access(Level.ACCOUNT))]
Fresh = Annotated[Caller, Depends(Access(Level.ACCOUNT, step_up=True))]
TheParts = Annotated[Parts, Depends(the_parts)]

_OWN: tuple[type[ServiceError], ...] = (UnknownCallerError, NotAcceptedError, NoScopeError, GoneError)
_SVG = {"schema": {"type": "string"}}
_BYTES = {"schema": {"type": "string", "format": "binary"}}


# -- what it shows ---------------------------------------------------------------------------


@router.get("/me", responses=problems(*_OWN))
def read_me(caller: Reader, parts: TheParts) -> Me:
    """Read your own account."""
    return _me(parts, caller)


@router.patch("/me", responses=problems(*_OWN))
def edit_me(caller: Own, parts: TheParts, asked: EditMe) -> Me:
    """Set the name that you want shown, or take it away. Nobody needs one."""
    profile.rename(parts, caller, asked.name)
    return _me(parts, caller)


@router.put("/me/handle", responses=problems(*_OWN, ConflictError, RefusedError, TooManyError))
def choose_handle(caller: Own, parts: TheParts, asked: SetHandle) -> Me:
    """Choose your public handle."""
    profile.choose_handle(parts, caller, asked.handle)
    return _me(parts, caller)


@router.get(
    "/me/avatar",
    response_class=Response,
    responses={
        200: {
            "description": "Your picture, or a pattern where you have given none.",
            "content": {"image/webp": _BYTES, "image/svg+xml": _SVG},
        },
        **problems(*_OWN),
    },
)
def read_avatar(caller: Reader, parts: TheParts) -> Response:
    """Get your picture."""
    media_type, picture = avatars.read(parts, caller)
    guard = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
    return Response(picture, media_type=media_type, headers=guard)


@router.put(
    "/me/avatar",
    status_code=204,
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(avatars.MEDIA_TYPES, _BYTES)}},
    responses=problems(
        *_OWN,
        LengthRequiredError,
        TooLongError,
        MediaTypeError,
        facekit_errors.FacekitError,
        facekit_errors.TooLargeError,
        facekit_errors.CellError,
        facekit_errors.CellTimeoutError,
    ),
)
async def set_avatar(request: Request, caller: Own, parts: TheParts) -> Response:
    """Set your picture, of at most 2 MiB. A small copy without metadata is kept; nobody looks for a face."""
    data = await whole_body(request, largest=avatars.LARGEST, media_types=avatars.MEDIA_TYPES)
    await run_in_threadpool(avatars.put, parts, caller, data)
    return Response(status_code=204)


@router.delete("/me/avatar", status_code=204, responses=problems(*_OWN))
def remove_avatar(caller: Own, parts: TheParts) -> Response:
    """Erase your picture."""
    avatars.remove(parts, caller)
    return Response(status_code=204)


# -- what opens it ---------------------------------------------------------------------------


@router.post("/me/phone", responses=problems(*_OWN, StepUpError, ConflictError, RefusedError, TooManyError))
def bind_phone(caller: Fresh, parts: TheParts, asked: GiveCode) -> Me:
    """Bind a number, with the code that came to it, and a fresh one to the number before.

    Where a number takes another's place, your other sessions end. Who has none yet has just signed in.
    """
    profile.bind_phone(parts, caller, asked.challenge, asked.phone, asked.code)
    return _me(parts, caller)


@router.put(
    "/me/password",
    status_code=204,
    responses=problems(*_OWN, StepUpError, ConflictError, RefusedError, TooManyError),
)
def set_password(caller: Fresh, parts: TheParts, asked: SetPassword) -> Response:
    """Set a password. Where it takes another's place, your other sessions end."""
    passwords.change(parts, caller, asked.password)
    return Response(status_code=204)


@router.delete("/me/password", status_code=204, responses=problems(*_OWN, StepUpError))
def remove_password(caller: Fresh, parts: TheParts) -> Response:
    """Do without a password; codes sign you in."""
    passwords.remove(parts, caller)
    return Response(status_code=204)


@router.get("/me/sessions", responses=problems(*_OWN))
def list_sessions(caller: Own, parts: TheParts) -> Sessions:
    """List your sessions."""
    return Sessions(items=[_session(one, caller) for one in sessions.all_of(parts, caller)])


@router.delete("/me/sessions", status_code=204, responses=problems(*_OWN))
def end_other_sessions(caller: Own, parts: TheParts) -> Response:
    """End all your sessions but this one."""
    sessions.end_others(parts, caller)
    return Response(status_code=204)


@router.delete("/me/sessions/{session}", status_code=204, responses=problems(*_OWN, AbsentError))
def end_session(caller: Own, parts: TheParts, session: str) -> Response:
    """End one of your sessions."""
    sessions.end(parts, caller, session)
    return Response(status_code=204)


@router.get("/me/api-keys", responses=problems(*_OWN))
def list_keys(caller: Own, parts: TheParts) -> Keys:
    """List your API keys."""
    return Keys(items=[_key(key, label) for key, label in keys.all_of(parts, caller)])


@router.post("/me/api-keys", status_code=201, responses=problems(*_OWN, ConflictError))
def make_key(caller: Fresh, parts: TheParts, asked: MakeKey) -> KeyMade:
    """Make an API key for a program; its token is shown this once."""
    key, token = keys.make(parts, caller, asked.label, asked.scopes)
    return KeyMade(**_key(key, asked.label).model_dump(), token=token)


@router.delete("/me/api-keys/{key}", status_code=204, responses=problems(*_OWN, AbsentError))
def revoke_key(caller: Own, parts: TheParts, key: str) -> Response:
    """Revoke an API key."""
    keys.revoke(parts, caller, key)
    return Response(status_code=204)


# -- what it knows of a device ---------------------------------------------------------------


@router.get("/me/device", responses=problems(*_OWN, AbsentError))
def read_device(caller: Own, parts: TheParts) -> DeviceView:
    """Read what is known of your device."""
    return DeviceView.model_validate(devices.read(parts, caller))


@router.put("/me/device", responses=problems(*_OWN, NoConsentError))
def tell_device(caller: Own, parts: TheParts, asked: DeviceView) -> DeviceView:
    """Say what your device is, with consent to `device.info`. What is no field here is refused, not kept."""
    devices.tell(parts, caller, asked.model_dump(mode="json"))
    return asked


@router.delete("/me/device", status_code=204, responses=problems(*_OWN))
def forget_device(caller: Own, parts: TheParts) -> Response:
    """Erase what is known of your device."""
    devices.forget(parts, caller)
    return Response(status_code=204)


def _me(parts: Parts, caller: Caller) -> Me:
    account, providers = profile.seen(parts, caller)
    opened = parts.vault.opener(account.id)
    return Me(
        id=account.id,
        handle=opened("accounts.handle", account.handle) or "",
        name=opened("accounts.name", account.name),
        phone=service.masked(opened("accounts.phone", account.phone)),
        phone_from=account.phone_from,
        has_password=account.password is not None,
        providers=providers,
        role=account.role,
        created_at=account.created_at,
    )


def _session(one: SignIn, caller: Caller) -> SessionView:
    return SessionView(
        id=one.id,
        method=one.method,
        client=one.client,
        network=one.network,
        created_at=one.created_at,
        expires_at=one.created_at + service.SESSION,
        current=one.id == caller.session_id,
    )


def _key(key: ApiKey, label: str) -> KeyView:
    return KeyView(id=key.id, label=label, scopes=key.scopes.split(), created_at=key.created_at)
