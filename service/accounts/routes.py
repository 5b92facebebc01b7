"""Ways in to accounts: signing in, by any of the ways that there are, and out."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Header, Query, Response

from service.accounts import (
    codes,
    one_click,
    passwords,
    second_factor,
    service,
    sessions,
    step_up,
    third_party,
)
from service.accounts.routes_me import router as own
from service.accounts.schemas import (
    AskCode,
    CodeSent,
    Confirm,
    Consent,
    Factor,
    GiveCode,
    GiveFactor,
    GivePassword,
    OneClick,
    SignedIn,
    Visit,
)
from service.accounts.signing_in import Entered, Entry, Shown, sign_in_by_phone
from service.caller import Access, Caller, Level
from service.cookies import OAUTH, drop_cookie, set_cookie
from service.errors import (
    AbsentError,
    ConflictError,
    GoneError,
    NoConsentError,
    NoScopeError,
    NotAcceptedError,
    NotAllowedError,
    RefusedError,
    StepUpError,
    TooManyError,
    UnknownCallerError,
    UpstreamError,
)
from service.logs import client_family
from service.parts import Parts, the_parts
from service.policy.registry import Language
from service.problems import problems
from service.schemas import Digest

router = APIRouter(tags=["accounts"])

Accepted = Annotated[Caller, Depends(Access(Level.ACCEPTED))]
Own = Annotated[Caller, Depends(Access(Level.ACCOUNT))]
Leaving = Annotated[Caller, Depends(Access(Level.ACCOUNT, leaving=True))]
TheParts = Annotated[Parts, Depends(the_parts)]
Agent = Annotated[str, Header(alias="User-Agent", include_in_schema=False)]

_SIGNING_IN = problems(UnknownCallerError, NotAcceptedError, NoScopeError, RefusedError, TooManyError)
_ELSEWHERE = (
    UnknownCallerError,
    NotAcceptedError,
    NoScopeError,
    NoConsentError,
    NotAllowedError,
    AbsentError,
    ConflictError,
    TooManyError,
    UpstreamError,
)


@router.post("/auth/otp", status_code=202, responses=_SIGNING_IN)
def ask_for_code(caller: Accepted, parts: TheParts, asked: AskCode) -> CodeSent:
    """Have a code sent to a phone, to sign in or to make an account; the answer is the same for all."""
    challenge = codes.send(parts, asked.phone, caller.network)
    return CodeSent(challenge=challenge, seconds=int(codes.LIFETIME.total_seconds()))


@router.post("/auth/otp/verify", responses=_SIGNING_IN)
def give_code(caller: Accepted, parts: TheParts, asked: GiveCode, agent: Agent = "") -> SignedIn:
    """Sign in with the code that came; an account is made for a number that has none, a locked one opens."""
    codes.check(parts, asked.challenge, asked.phone, asked.code, caller.network)
    entry = Entry(caller, "code", client_family(agent))
    return _signed_in(sign_in_by_phone(parts, entry, asked.phone))


@router.post(
    "/auth/password",
    responses=problems(
        UnknownCallerError,
        NotAcceptedError,
        NoScopeError,
        NotAllowedError,
        GoneError,
        RefusedError,
        TooManyError,
    ),
)
def give_password(caller: Accepted, parts: TheParts, asked: GivePassword, agent: Agent = "") -> SignedIn:
    """Sign in with a number and its password; the answer is the same for all that do not fit."""
    entry = Entry(caller, "password", client_family(agent))
    return _signed_in(passwords.sign_in(parts, entry, asked.phone, asked.password))


@router.post("/auth/one-click", responses=problems(*_ELSEWHERE))
def sign_in_with_one_click(caller: Accepted, parts: TheParts, asked: OneClick, agent: Agent = "") -> SignedIn:
    """Sign in with the number that your carrier says this device has. The other ways stay open."""
    return _signed_in(
        one_click.sign_in(parts, caller, asked.token, _shown(asked.consent), client_family(agent))
    )


@router.get("/auth/oauth/{provider}/start", responses=problems(*_ELSEWHERE))
def visit_provider(
    response: Response,
    caller: Accepted,
    parts: TheParts,
    provider: str,
    consent: Annotated[
        Digest | None,
        Query(description="To `login.third_party`: SHA-256 of the words shown; needed where it is not on."),
    ] = None,
    language: Language = "en",
) -> Visit:
    """Begin to sign in by another account: send the browser to the address that comes back."""
    shown = None if consent is None else Shown(consent, language)
    visiting = third_party.begin(parts, caller, provider, shown)
    seconds = int(third_party.LIFETIME.total_seconds())
    secure = parts.settings.public_url.startswith("https://")
    set_cookie(response, OAUTH, visiting.cookie, secure=secure)
    return Visit(url=visiting.url, seconds=seconds)


@router.get("/auth/oauth/{provider}/callback", responses=problems(*_ELSEWHERE, RefusedError))
def return_from_provider(
    response: Response,
    caller: Annotated[Caller, Depends(Access(Level.ANYBODY))],
    parts: TheParts,
    provider: str,
    state: Annotated[str, Query(max_length=100)],
    code: Annotated[str, Query(max_length=2048)] = "",
    iss: Annotated[str, Query(max_length=500)] = "",
    error: Annotated[str, Query(max_length=100)] = "",
    cookie: Annotated[str, Cookie(alias=OAUTH, max_length=100)] = "",
    agent: Agent = "",
) -> SignedIn:
    """Come back from a provider, and be signed in: once, and in the browser that went there."""
    back = third_party.Return(state, code, iss, error, cookie)
    entered = third_party.finish(parts, provider, back, caller.network, client_family(agent))
    drop_cookie(response, OAUTH, secure=parts.settings.public_url.startswith("https://"))
    return _signed_in(entered)


@router.post(
    "/auth/totp",
    responses=problems(
        UnknownCallerError,
        NotAcceptedError,
        NoScopeError,
        StepUpError,
        GoneError,
        ConflictError,
        RefusedError,
        TooManyError,
    ),
)
def give_second_factor(caller: Own, parts: TheParts, asked: GiveFactor) -> Factor:
    """Set up an authenticator, without a code; confirm it, or give this session its second factor, with one.

    To set one up needs a fresh code by text message (`POST /v1/auth/step-up/code`).
    """
    if asked.code is None:
        secret, uri = second_factor.enrol(parts, caller)
        return Factor(confirmed=False, secret=secret, uri=uri)
    second_factor.give(parts, caller, asked.code)
    return Factor(confirmed=True, secret=None, uri=None)


_CONFIRMING = problems(UnknownCallerError, NoScopeError, RefusedError, TooManyError, GoneError)


@router.post("/auth/step-up/code", status_code=202, responses=_CONFIRMING)
def ask_to_confirm(caller: Leaving, parts: TheParts) -> CodeSent:
    """Have a code sent to your own phone, to confirm that it is you."""
    challenge = step_up.send(parts, caller)
    return CodeSent(challenge=challenge, seconds=int(codes.LIFETIME.total_seconds()))


@router.post("/auth/step-up", status_code=204, responses=_CONFIRMING)
def confirm_caller(caller: Leaving, parts: TheParts, asked: Confirm) -> Response:
    """Give the code that came; for five minutes this session may export, erase and cancel."""
    step_up.confirm(parts, caller, asked.challenge, asked.code)
    return Response(status_code=204)


@router.post("/auth/logout", status_code=204, responses=problems(UnknownCallerError, NoScopeError))
def sign_out(caller: Leaving, parts: TheParts) -> Response:
    """End this session."""
    service.sign_out(parts, caller)
    return Response(status_code=204)


@router.post(
    "/account/compromised",
    status_code=204,
    responses=problems(UnknownCallerError, NoScopeError, GoneError),
)
def say_that_it_leaked(caller: Leaving, parts: TheParts) -> Response:
    """Say that something that opens your account has leaked: all of it stops, and only your phone opens it.

    Every session and API key ends, this one too, and the password is gone.
    """
    sessions.shut(parts, caller)
    return Response(status_code=204)


def _signed_in(entered: Entered) -> SignedIn:
    return SignedIn(
        token=entered.token,
        expires_at=entered.session.created_at + service.SESSION,
        account=entered.session.account_id,
        created=entered.created,
    )


def _shown(consent: Consent | None) -> Shown | None:
    return None if consent is None else Shown(consent.digest, consent.language)


router.include_router(own)
