"""Ways in to consents and permissions: one call turns something on, one turns it off."""

from typing import Annotated

from fastapi import APIRouter, Depends

from service.caller import Access, Caller, Level
from service.consent import service
from service.consent.schemas import Choices, ChoiceView, Choose
from service.errors import AbsentError, ConflictError, NoScopeError, NotAcceptedError, UnknownCallerError
from service.parts import Parts, the_parts
from service.policy.registry import PERMISSIONS, PURPOSES, Language
from service.policy.service import current
from service.problems import problems

router = APIRouter(tags=["consent"])

Reader = Annotated[Caller, Depends(Access(Level.ACCOUNT, scope="consent:read"))]
Chooser = Annotated[Caller, Depends(Access(Level.ACCOUNT, scope="consent:write"))]
TheParts = Annotated[Parts, Depends(the_parts)]

_READING = problems(UnknownCallerError, NotAcceptedError, NoScopeError)
_CHOOSING = problems(UnknownCallerError, NotAcceptedError, NoScopeError, AbsentError, ConflictError)


@router.get("/consents", responses=_READING)
def list_consents(caller: Reader, parts: TheParts, language: Language = "en") -> Choices:
    """List what needs your consent, and how each stands."""
    return _all(parts, caller.account_id, "purpose", language)


@router.put("/consents/{purpose}", responses=_CHOOSING)
def give_consent(caller: Chooser, parts: TheParts, purpose: str, asked: Choose) -> ChoiceView:
    """Consent to one purpose, having been shown its words."""
    return _turn_on(parts, caller.account_id, "purpose", purpose, asked)


@router.delete("/consents/{purpose}", responses=_CHOOSING)
def withdraw_consent(caller: Chooser, parts: TheParts, purpose: str) -> ChoiceView:
    """Withdraw a consent. What depends on it stops at once, and what it had is erased."""
    return _turn_off(parts, caller.account_id, "purpose", purpose)


@router.get("/permissions", responses=_READING)
def list_permissions(caller: Reader, parts: TheParts, language: Language = "en") -> Choices:
    """List the permissions on your device that features need, and how each stands."""
    return _all(parts, caller.account_id, "permission", language)


@router.put("/permissions/{name}", responses=_CHOOSING)
def give_permission(caller: Chooser, parts: TheParts, name: str, asked: Choose) -> ChoiceView:
    """Say that a permission is open on your device."""
    return _turn_on(parts, caller.account_id, "permission", name, asked)


@router.delete("/permissions/{name}", responses=_CHOOSING)
def close_permission(caller: Chooser, parts: TheParts, name: str) -> ChoiceView:
    """Close a permission. Jobs that came by it stop at once."""
    return _turn_off(parts, caller.account_id, "permission", name)


def _all(parts: Parts, account_id: str, kind: service.Kind, language: Language) -> Choices:
    with parts.database.begin() as session:
        items = [
            _view(service.standing(session, account_id, kind, name), kind, language)
            for name in (PURPOSES if kind == "purpose" else PERMISSIONS)
        ]
        return Choices(kind=kind, version=current(session, parts.clock()).version, items=items)


def _turn_on(parts: Parts, account_id: str, kind: service.Kind, name: str, asked: Choose) -> ChoiceView:
    if asked.digest != service.digest_of(kind, name):
        raise ConflictError("the words have changed since they were shown; show them again")
    choice = service.choose(parts, account_id, kind, name, granted=True, language=asked.language)
    return _view(service.Standing(name, True, choice), kind, asked.language)


def _turn_off(parts: Parts, account_id: str, kind: service.Kind, name: str) -> ChoiceView:
    choice = service.choose(parts, account_id, kind, name, granted=False)
    return _view(service.Standing(name, False, choice), kind, "en")


def _view(standing: service.Standing, kind: service.Kind, language: Language) -> ChoiceView:
    shown = PURPOSES[standing.name] if kind == "purpose" else PERMISSIONS[standing.name]
    return ChoiceView(
        name=standing.name,
        granted=standing.granted,
        words=shown.words[language],
        language=language,
        digest=shown.digest,
        receipt=standing.choice.id if standing.choice else None,
        at=standing.choice.at if standing.choice else None,
    )
