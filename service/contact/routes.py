"""Ways in to who answers."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path

from service.caller import Access, Caller, Level
from service.contact import service
from service.contact.schemas import Answer, Ask, ManyToAnswer, Questions, QuestionView, ToAnswer
from service.contact.service import Opened
from service.errors import (
    AbsentError,
    ConflictError,
    GoneError,
    NoScopeError,
    NotAcceptedError,
    NotAllowedError,
    RefusedError,
    SecondFactorError,
    TooManyError,
    UnknownCallerError,
)
from service.ops.grounds import TheGrounds
from service.parts import Parts, the_parts
from service.problems import problems

router = APIRouter(tags=["contact"])

# Clause P-5: at any time, so also before what is new has been accepted.
Asker = Annotated[Caller, Depends(Access(Level.ACCEPTED, leaving=True))]
Owner = Annotated[Caller, Depends(Access(Level.ACCOUNT, leaving=True))]
TheParts = Annotated[Parts, Depends(the_parts)]

_OPERATOR = (UnknownCallerError, NotAllowedError, NotAcceptedError, NoScopeError, SecondFactorError)


@router.post(
    "/contact",
    status_code=201,
    responses=problems(
        UnknownCallerError, NotAcceptedError, NoScopeError, GoneError, RefusedError, TooManyError
    ),
)
def ask_question(caller: Asker, parts: TheParts, asked: Ask) -> QuestionView:
    """Ask who answers for personal data. It takes no account, only that the policy has been accepted."""
    return QuestionView(**_told(service.ask(parts, caller, asked.question, asked.reply_to)))


@router.get("/contact", responses=problems(UnknownCallerError, NoScopeError, GoneError))
def list_questions(caller: Owner, parts: TheParts) -> Questions:
    """List your questions, with their answers."""
    return Questions(items=[QuestionView(**_told(one)) for one in service.own(parts, caller.account_id)])


@router.get("/ops/contact", responses=problems(*_OPERATOR))
def list_questions_to_answer(
    grounds: TheGrounds, parts: TheParts, state: Literal["open", "answered"] = "open"
) -> ManyToAnswer:
    """List questions, those first that are due first. Whose they are, is not shown."""
    found = service.to_answer(parts, grounds, answered=state == "answered")
    return ManyToAnswer(items=[_to_answer(one) for one in found])


@router.post(
    "/ops/contact/{id}/answer", responses=problems(*_OPERATOR, AbsentError, ConflictError, GoneError)
)
def answer_question(
    grounds: TheGrounds, parts: TheParts, question_id: Annotated[str, Path(alias="id")], asked: Answer
) -> ToAnswer:
    """Answer a question. Who has signed in is told; else it is to you to send it where it is to go."""
    return _to_answer(service.answer(parts, grounds, question_id, asked.answer))


def _told(one: Opened) -> dict[str, Any]:
    return {
        "id": one.row.id,
        "question": one.question,
        "received_at": one.row.received_at,
        "due_at": one.due_at,
        "answer": one.answer,
        "answered_at": one.row.answered_at,
    }


def _to_answer(one: Opened) -> ToAnswer:
    return ToAnswer.model_validate(
        {
            **_told(one),
            "reply_to": one.reply_to,
            "from_account": one.row.account_id is not None,
            "state": one.state,
        }
    )
