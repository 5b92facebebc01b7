"""Ways in for those who run the service; each asks for a reason and a ticket, and is in the audit log."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from service.errors import (
    AbsentError,
    ConflictError,
    NoScopeError,
    NotAcceptedError,
    NotAllowedError,
    RefusedError,
    SecondFactorError,
    UnknownCallerError,
)
from service.ops import service
from service.ops.grounds import TheGrounds
from service.ops.schemas import (
    Alarms,
    AlarmView,
    AnswerCase,
    AuditLine,
    AuditLog,
    CaseLine,
    CaseLines,
    CaseView,
    OpenCase,
    OpenedCase,
    RefuseCase,
    SeeAlarm,
    VerifiedCase,
    VerifyCase,
)
from service.parts import Parts, the_parts
from service.problems import problems
from service.rights.cases import Asking, State
from service.rights.schemas import CancellationReceipt, CaseId, Step

router = APIRouter(prefix="/ops", tags=["ops"])

TheParts = Annotated[Parts, Depends(the_parts)]

_OPERATOR = (UnknownCallerError, NotAllowedError, NotAcceptedError, NoScopeError, SecondFactorError)
_READING = problems(*_OPERATOR)
_ACTING = problems(*_OPERATOR, AbsentError, ConflictError)


@router.post("/cases", status_code=201, responses=problems(*_OPERATOR, AbsentError, RefusedError))
def open_case(grounds: TheGrounds, parts: TheParts, asked: OpenCase) -> OpenedCase:
    """Open a case for a request that came by mail or through support."""
    # Clause 5.3(2): the clock starts when it came in, not when somebody got to it.
    who = ("phone", asked.phone) if asked.phone is not None else ("handle", asked.handle or "")
    asking = Asking(asked.kind, asked.channel, asked.what, text=asked.text)
    case, code = service.open_case(parts, grounds, who, asking, asked.received_at)
    return OpenedCase(id=case.id, due_at=case.due_at, code=code)


@router.get("/cases", responses=_READING)
def list_cases(grounds: TheGrounds, parts: TheParts, state: State | None = None) -> CaseLines:
    """List cases, those that are due first; without anything that was written."""
    found = service.list_cases(parts, grounds, state)
    return CaseLines(items=[CaseLine.model_validate(one, from_attributes=True) for one in found])


@router.get("/cases/{id}", responses=problems(*_OPERATOR, AbsentError))
def read_case(grounds: TheGrounds, parts: TheParts, id: CaseId) -> CaseView:  # noqa: A002
    """Read a case with what was written. Whose it is, is not shown."""
    case, text, answer = service.read_case(parts, grounds, id)
    line = CaseLine.model_validate(case, from_attributes=True)
    return CaseView(
        **line.model_dump(),
        what=case.what,
        about=case.about,
        text=text,
        answer=answer,
        verified_by=case.verified_by,
        steps=[Step.model_validate(step) for step in case.steps],
    )


@router.post("/cases/{id}/verify", responses=_ACTING)
def verify_case(grounds: TheGrounds, parts: TheParts, id: CaseId, asked: VerifyCase) -> VerifiedCase:  # noqa: A002
    """Confirm who asks, by evidence. What needs nobody else is then carried out."""
    receipt = service.verify_case(parts, grounds, id, asked.evidence)
    return VerifiedCase(receipt=CancellationReceipt.model_validate_json(receipt) if receipt else None)


@router.post("/cases/{id}/answer", status_code=204, responses=_ACTING)
def answer_case(grounds: TheGrounds, parts: TheParts, id: CaseId, asked: AnswerCase) -> Response:  # noqa: A002
    """Answer a case, which closes it."""
    service.answer_case(parts, grounds, id, asked.words)
    return Response(status_code=204)


@router.post("/cases/{id}/refuse", status_code=204, responses=_ACTING)
def refuse_case(grounds: TheGrounds, parts: TheParts, id: CaseId, asked: RefuseCase) -> Response:  # noqa: A002
    """Refuse a case, on one of the grounds of clause 5.5, with evidence and how to appeal."""
    service.refuse_case(parts, grounds, id, asked.ground, asked.evidence, asked.words, asked.appeal)
    return Response(status_code=204)


@router.get("/alarms", responses=_READING)
def list_alarms(grounds: TheGrounds, parts: TheParts) -> Alarms:
    """List alarms, those first that nobody has seen."""
    found = service.alarms(parts, grounds)
    return Alarms(items=[AlarmView.model_validate(one, from_attributes=True) for one in found])


@router.post("/alarms/seen", responses=problems(*_OPERATOR, AbsentError))
def see_alarm(grounds: TheGrounds, parts: TheParts, asked: SeeAlarm) -> AlarmView:
    """Say that you have seen an alarm."""
    found = service.see_alarm(parts, grounds, asked.kind, asked.about)
    return AlarmView.model_validate(found, from_attributes=True)


@router.get("/audit", responses=_READING)
def read_audit(grounds: TheGrounds, parts: TheParts) -> AuditLog:
    """Read the audit log, and whether it is as it was written."""
    rows, fault = service.audit(parts, grounds)
    items = [
        AuditLine(
            number=row.number,
            operator=row.operator,
            deed=row.deed,
            about=row.about,
            reason=row.reason,
            ticket=parts.vault.open_own("audit.ticket", row.ticket),
            at=row.at,
        )
        for row in rows
    ]
    return AuditLog(holds=fault is None, first_fault=fault, items=items)
