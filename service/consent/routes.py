"""Ways in to consents and permissions: one call turns something on, one turns it off."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from service.caller import Access, Caller, Level
from service.consent import receipts, service
from service.consent.schemas import Choices, ChoiceView, Choose, ConsentReceipt, History, Made
from service.errors import (
    AbsentError,
    ConflictError,
    NoScopeError,
    NotAcceptedError,
    NotAllowedError,
    UnknownCallerError,
)
from service.parts import Parts, the_parts
from service.policy.registry import Language
from service.policy.versions import current_name
from service.problems import problems

router = APIRouter(tags=["consent"])

Reader = Annotated[Caller, Depends(Access(Level.ACCOUNT, scope="consent:read"))]
Chooser = Annotated[Caller, Depends(Access(Level.ACCOUNT, scope="consent:write"))]
# Clause 5.4a: to take back needs nothing that giving did not, so not a new version's acceptance either.
Withdrawer = Annotated[Caller, Depends(Access(Level.ACCOUNT, scope="consent:write", leaving=True))]
TheParts = Annotated[Parts, Depends(the_parts)]
Signal = Annotated[
    str, Header(alias="Sec-GPC", description="1, as browsers send it, keeps off and turns off what tracks.")
]

_READING = problems(UnknownCallerError, NotAcceptedError, NoScopeError)
_FINDING = problems(UnknownCallerError, NotAcceptedError, NoScopeError, AbsentError)
_CHOOSING = problems(
    UnknownCallerError, NotAcceptedError, NoScopeError, NotAllowedError, AbsentError, ConflictError
)


@router.get("/consents", responses=_READING)
def list_consents(caller: Reader, parts: TheParts, language: Language = "en") -> Choices:
    """List what needs your consent, and how each stands."""
    return _all(parts, caller.account_id, "purpose", language)


@router.put("/consents/{purpose}", responses=_CHOOSING)
def give_consent(
    caller: Chooser, parts: TheParts, purpose: str, asked: Choose, gpc: Signal = ""
) -> ChoiceView:
    """Consent to one purpose, having been shown its words."""
    return _turn_on(parts, caller.account_id, "purpose", purpose, asked, gpc)


@router.delete("/consents/{purpose}", responses=_CHOOSING)
def withdraw_consent(caller: Withdrawer, parts: TheParts, purpose: str) -> ChoiceView:
    """Withdraw a consent. What depends on it stops at once, and what it had is erased."""
    # Clause 5.4a: one call, as giving it is, and with less to send.
    return _turn_off(parts, caller.account_id, "purpose", purpose)


@router.get("/permissions", responses=_READING)
def list_permissions(caller: Reader, parts: TheParts, language: Language = "en") -> Choices:
    """List the permissions on your device that features need, and how each stands."""
    return _all(parts, caller.account_id, "permission", language)


@router.put("/permissions/{name}", responses=_CHOOSING)
def give_permission(caller: Chooser, parts: TheParts, name: str, asked: Choose) -> ChoiceView:
    """Say that a permission is open on your device."""
    return _turn_on(parts, caller.account_id, "permission", name, asked, "")


@router.delete("/permissions/{name}", responses=_CHOOSING)
def close_permission(caller: Withdrawer, parts: TheParts, name: str) -> ChoiceView:
    """Close a permission. Jobs that came by it stop at once."""
    return _turn_off(parts, caller.account_id, "permission", name)


@router.get("/consents/history", responses=_READING)
def list_choices(
    caller: Reader,
    parts: TheParts,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Those before this number.")] = None,
    most: Annotated[int, Query(ge=1, le=100)] = 100,
) -> History:
    """List every choice that you made about purposes and permissions, the last one first."""
    with parts.database.begin() as session:
        made = service.history(session, caller.account_id, before, most)
    return History(items=[Made.model_validate(one, from_attributes=True) for one in made])


@router.get("/consents/receipts/{id}", responses=_FINDING)
def download_consent_receipt(
    caller: Reader, parts: TheParts, choice_id: Annotated[str, Path(alias="id")], response: Response
) -> ConsentReceipt:
    """Download the signed receipt of a choice."""
    with parts.database.begin() as session:
        choice = service.find(session, caller.account_id, choice_id)
        found = receipts.receipt(parts, session, choice)
    response.headers["Content-Disposition"] = f'attachment; filename="consent-{choice.id}.json"'
    return ConsentReceipt.model_validate(found)


def _all(parts: Parts, account_id: str, kind: service.Kind, language: Language) -> Choices:
    with parts.database.begin() as session:
        items = [_view(one, kind, language) for one in service.standings(session, account_id, kind)]
        return Choices(kind=kind, version=current_name(session, parts.clock()), items=items)


def _turn_on(
    parts: Parts, account_id: str, kind: service.Kind, name: str, asked: Choose, gpc: str
) -> ChoiceView:
    choice = service.turn_on(
        parts, account_id, kind, name, asked.digest, asked.language, opted_out=gpc == "1"
    )
    return _view(service.Standing(name, True, choice), kind, asked.language)


def _turn_off(parts: Parts, account_id: str, kind: service.Kind, name: str) -> ChoiceView:
    choice = service.choose(parts, account_id, kind, name, granted=False)
    return _view(service.Standing(name, False, choice), kind, "en")


def _view(standing: service.Standing, kind: service.Kind, language: Language) -> ChoiceView:
    shown = service.shown(kind, standing.name)
    return ChoiceView(
        name=standing.name,
        granted=standing.granted,
        words=shown.words[language],
        language=language,
        digest=shown.digest,
        receipt=standing.choice.id if standing.choice else None,
        at=standing.choice.at if standing.choice else None,
    )
