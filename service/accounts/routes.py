"""Ways in to accounts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from service.accounts import codes, service, step_up
from service.accounts.schemas import AskCode, CodeSent, Confirm, GiveCode, Me, SignedIn
from service.caller import Access, Caller, Level
from service.errors import (
    GoneError,
    NoScopeError,
    NotAcceptedError,
    RefusedError,
    TooManyError,
    UnknownCallerError,
)
from service.logs import client_family
from service.parts import Parts, the_parts
from service.problems import problems

router = APIRouter(tags=["accounts"])

Accepted = Annotated[Caller, Depends(Access(Level.ACCEPTED))]
TheParts = Annotated[Parts, Depends(the_parts)]
Agent = Annotated[str, Header(alias="User-Agent", include_in_schema=False)]

_SIGNING_IN = problems(UnknownCallerError, NotAcceptedError, NoScopeError, RefusedError, TooManyError)


@router.post("/auth/otp", status_code=202, responses=_SIGNING_IN)
def ask_for_code(caller: Accepted, parts: TheParts, asked: AskCode) -> CodeSent:
    """Have a code sent to a phone, to sign in or to make an account; the answer is the same for all."""
    challenge = codes.send(parts, asked.phone, caller.network)
    return CodeSent(challenge=challenge, seconds=int(codes.LIFETIME.total_seconds()))


@router.post("/auth/otp/verify", responses=_SIGNING_IN)
def give_code(caller: Accepted, parts: TheParts, asked: GiveCode, agent: Agent = "") -> SignedIn:
    """Sign in with the code that came; an account is made for a number that has none."""
    codes.check(parts, asked.challenge, asked.phone, asked.code, caller.network)
    signed_in, token, created = service.sign_in_by_phone(
        parts, caller, asked.phone, "code", client_family(agent)
    )
    return SignedIn(
        token=token,
        expires_at=signed_in.created_at + service.SESSION,
        account=signed_in.account_id,
        created=created,
    )


_CONFIRMING = problems(UnknownCallerError, NoScopeError, RefusedError, TooManyError, GoneError)
Leaver = Annotated[Caller, Depends(Access(Level.ACCOUNT, leaving=True))]


@router.post("/auth/step-up/code", status_code=202, responses=_CONFIRMING)
def ask_to_confirm(caller: Leaver, parts: TheParts) -> CodeSent:
    """Have a code sent to your own phone, to confirm that it is you."""
    challenge = step_up.send(parts, caller)
    return CodeSent(challenge=challenge, seconds=int(codes.LIFETIME.total_seconds()))


@router.post("/auth/step-up", status_code=204, responses=_CONFIRMING)
def confirm_caller(caller: Leaver, parts: TheParts, asked: Confirm) -> Response:
    """Give the code that came; for five minutes this session may export, erase and cancel."""
    step_up.confirm(parts, caller, asked.challenge, asked.code)
    return Response(status_code=204)


@router.post("/auth/logout", status_code=204, responses=problems(UnknownCallerError, NoScopeError))
def sign_out(
    caller: Annotated[Caller, Depends(Access(Level.ACCOUNT, leaving=True))], parts: TheParts
) -> Response:
    """End this session."""
    service.sign_out(parts, caller)
    return Response(status_code=204)


@router.get("/me", responses=problems(UnknownCallerError, NotAcceptedError, NoScopeError, GoneError))
def read_me(
    caller: Annotated[Caller, Depends(Access(Level.ACCOUNT, scope="account:read"))], parts: TheParts
) -> Me:
    """Read your own account."""
    account = service.read(parts, caller.account_id)
    opened = parts.vault.open_text
    return Me(
        id=account.id,
        handle=opened(account.id, "accounts.handle", account.handle) or "",
        phone=service.masked(opened(account.id, "accounts.phone", account.phone)),
        role="operator" if account.role == "operator" else "user",
        created_at=account.created_at,
    )
