"""Ways in to rights: see, correct, take along, erase, cancel; and who got what."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from service.caller import Access, Caller, Level
from service.errors import (
    AbsentError,
    ConflictError,
    GoneError,
    NoScopeError,
    RefusedError,
    StepUpError,
    TooManyError,
    UnknownCallerError,
)
from service.parts import Parts, the_parts
from service.problems import problems
from service.rights import cancellation, export, service
from service.rights.cases import Asking, erasable
from service.rights.schemas import (
    Annex,
    AskRight,
    CancellationReceipt,
    CaseId,
    ConfirmCase,
    Export,
    Recipients,
    Refusal,
    Requests,
    RequestView,
    SharedList,
    SharedView,
    Step,
)

router = APIRouter(tags=["rights"])

Anybody = Annotated[Caller, Depends(Access(Level.ANYBODY))]
Reader = Annotated[Caller, Depends(Access(Level.ACCOUNT, leaving=True))]
# Clause 5.1c: who exercises a right has confirmed a fresh code; who leaves need not accept anything new.
Owner = Annotated[Caller, Depends(Access(Level.ACCOUNT, step_up=True, leaving=True))]
TheParts = Annotated[Parts, Depends(the_parts)]

_READING = problems(UnknownCallerError, NoScopeError)
_ACTING = problems(
    UnknownCallerError,
    StepUpError,
    NoScopeError,
    AbsentError,
    ConflictError,
    GoneError,
    RefusedError,
    TooManyError,
)


@router.get("/privacy/export", responses=problems(UnknownCallerError, StepUpError, NoScopeError, GoneError))
def export_all(caller: Owner, parts: TheParts, response: Response) -> Export:
    """Get everything that is held about you, in clear, with what each field is for."""
    # Clause 3.1.7: at the person's own request, to the person.
    response.headers["Content-Disposition"] = 'attachment; filename="facekit-export.json"'
    return Export.model_validate(export.export(parts, caller.account_id))


@router.get("/privacy/export/schema", responses=problems(UnknownCallerError))
def read_export_schema(_: Anybody) -> dict[str, Any]:
    """Read the JSON Schema of an export."""
    return export.schema()


@router.post("/privacy/requests", status_code=201, responses=_ACTING)
def ask(caller: Owner, parts: TheParts, asked: AskRight) -> RequestView:
    """Ask for what is your right. What needs nobody is done when this answers; for all else a person does."""
    asking = Asking(asked.kind, what=asked.what, about=asked.about, text=asked.text)
    return _view(service.ask(parts, caller, asking))


@router.get("/privacy/requests", responses=_READING)
def list_requests(caller: Reader, parts: TheParts) -> Requests:
    """List your requests with every step; those by mail too."""
    found = service.list_requests(parts, caller.account_id)
    return Requests(items=[_view(one) for one in found], erasable=list(erasable()))


@router.get("/privacy/requests/{id}", responses=problems(UnknownCallerError, NoScopeError, AbsentError))
def read_request(caller: Reader, parts: TheParts, id: CaseId) -> RequestView:  # noqa: A002
    """Read one of your requests."""
    return _view(service.find(parts, caller.account_id, id))


@router.post("/privacy/requests/{id}/confirm", responses=_ACTING)
def confirm_request(caller: Owner, parts: TheParts, id: CaseId, asked: ConfirmCase) -> RequestView:  # noqa: A002
    """Confirm a request that you sent by mail, with the code that came back. It is then carried out."""
    return _view(service.confirm(parts, caller.account_id, id, asked.code))


@router.delete(
    "/privacy/requests/{id}", responses=problems(UnknownCallerError, NoScopeError, AbsentError, ConflictError)
)
def withdraw_request(caller: Reader, parts: TheParts, id: CaseId) -> RequestView:  # noqa: A002
    """Take a request back."""
    return _view(service.withdraw(parts, caller.account_id, id))


@router.post("/account/cancel", responses=problems(UnknownCallerError, StepUpError, NoScopeError, GoneError))
def cancel_account(caller: Owner, parts: TheParts) -> CancellationReceipt:
    """Cancel your account. When this answers, it is gone, with all it had; the answer is the receipt."""
    # Clause 5.3(1): at once, with no second request and no waiting.
    return _read(cancellation.cancel(parts, caller.account_id, "settings").document)


@router.get("/account/receipts/{id}", responses=problems(UnknownCallerError, AbsentError, TooManyError))
def read_cancellation(caller: Anybody, parts: TheParts, id: CaseId) -> CancellationReceipt:  # noqa: A002
    """Read the receipt of a cancelled account again, for two years; its number is all that leads to it."""
    try:
        return _read(cancellation.receipt_of(parts, id))
    except AbsentError:
        parts.limits.spend(
            "receipts from", caller.network, parts.settings.misses_per_caller, timedelta(minutes=10)
        )
        raise


@router.get("/sharing", responses=_READING)
def list_shared(caller: Reader, parts: TheParts) -> SharedList:
    """List what was sent to others about you: to whom, what for and which fields."""
    items = [
        SharedView(
            recipient=one.recipient,
            purpose=one.purpose,
            fields=one.fields.split(","),
            basis=one.basis,
            at=one.at,
        )
        for one in service.shared(parts, caller.account_id)
    ]
    return SharedList(items=items)


@router.get("/recipients", responses=problems(UnknownCallerError))
def list_recipients(_: Anybody) -> Recipients:
    """List every party that may get anything, what for, and which fields."""
    return Recipients.model_validate({"items": export.recipients()})


@router.get("/policy/annex", responses=problems(UnknownCallerError))
def read_annex(_: Anybody, parts: TheParts) -> Annex:
    """Read the policy's annex: every field that is held, what for, for how long, and who gets what."""
    return Annex.model_validate(export.annex(parts))


def _view(shown: service.Shown) -> RequestView:
    case = shown.case
    refusal = None
    if case.state == "refused":
        refusal = Refusal.model_validate(
            {
                "ground": case.reason,
                "evidence": shown.evidence or "",
                "appeal": shown.appeal or "",
                "decider": case.decider,
            }
        )
    return RequestView.model_validate(
        {
            **{name: getattr(case, name) for name in ("id", "kind", "channel", "state", "what", "about")},
            **{name: getattr(case, name) for name in ("received_at", "due_at", "closed_at")},
            "text": shown.text,
            "answer": shown.answer,
            "refusal": refusal,
            "steps": [Step.model_validate(step) for step in case.steps],
            "receipt": _read(shown.receipt) if shown.receipt else None,
        }
    )


def _read(receipt: str) -> CancellationReceipt:
    return CancellationReceipt.model_validate_json(receipt)
