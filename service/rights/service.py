"""What a person asks for: requests, and how they stand."""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from service.caller import Caller
from service.errors import AbsentError, ConflictError, RefusedError
from service.ops.store import ShareEvent
from service.parts import Parts
from service.rights import cases
from service.rights.cases import AUTOMATIC, Asking, Kind
from service.rights.store import Case

#: Requests of one account in a day; nobody who means them has more.
MOST: Final = 200
#: Codes for requests by mail that one account may try in an hour.
TRIES: Final = 10
#: Where what was asked for is at hand.
POINTERS: Final[dict[Kind, str]] = {
    "access": "GET /v1/privacy/export shows all that is held",
    "correct": "PATCH /v1/me and PUT /v1/me/handle change what you show, POST /v1/me/phone your number; "
    "for all else a person answers",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A request, as its owner sees it."""

    case: Case
    text: str | None
    answer: str | None
    evidence: str | None
    appeal: str | None
    receipt: str | None = None


def ask(parts: Parts, caller: Caller, asking: Asking) -> Shown:
    """Open a request; what needs nobody is done at once.

    Raises
    ------
    RefusedError
        There is no such thing to erase, or nothing was written.
    AbsentError
        An appeal is about nothing of the caller's that was refused.
    TooManyError
        Too many requests in a day.
    """
    parts.limits.spend("requests of", caller.account_id, MOST, timedelta(days=1))
    _check(asking)
    with parts.database.begin() as session:
        if asking.kind == "appeal":
            about = session.get(Case, asking.about)
            if about is None or about.account_id != caller.account_id or about.state != "refused":
                raise AbsentError("about: there is no such request of yours that was refused")
        case = cases.open_case(parts, session, caller.account_id, asking, parts.clock())
    receipt = cases.carry_out(parts, case.id) if case.kind in AUTOMATIC else None
    if receipt is not None:
        # The account is gone, and its case with it; this is what it said last.
        case.state, case.closed_at = "done", parts.clock()
        return Shown(case, None, None, None, None, receipt)
    return find(parts, caller.account_id, case.id)


def list_requests(parts: Parts, account_id: str) -> list[Shown]:
    """Return an account's requests, newest first."""
    with parts.database.begin() as session:
        found = session.scalars(
            select(Case).where(Case.account_id == account_id).order_by(Case.received_at.desc(), Case.id)
        ).all()
    return [_shown(parts, case) for case in found]


def find(parts: Parts, account_id: str, case_id: str) -> Shown:
    """Return one request; raises AbsentError."""
    with parts.database.begin() as session:
        case = session.get(Case, case_id)
    if case is None or case.account_id != account_id:
        raise AbsentError("there is no such request")
    return _shown(parts, case)


def withdraw(parts: Parts, account_id: str, case_id: str) -> Shown:
    """Take a request back; raises AbsentError, ConflictError."""
    with parts.database.begin() as session:
        case = cases.open_one(session, case_id, account_id)
        cases.close(parts, session, case, "withdrawn", "person", parts.clock())
    return find(parts, account_id, case_id)


def confirm(parts: Parts, account_id: str, case_id: str, code: str) -> Shown:
    """Confirm a request that came by mail, with the code that went back by mail; then it is carried out.

    Raises
    ------
    AbsentError
        It is not the caller's.
    ConflictError
        It is closed, or confirmed already.
    RefusedError
        This is not its code.
    TooManyError
        Too many codes in an hour.
    """
    parts.limits.spend("case codes of", account_id, TRIES, timedelta(hours=1))
    # Clause 5.5 (head) a: who wrote the mail has its code; whose account it is has given a fresh one.
    with parts.database.begin() as session:
        case = cases.open_one(session, case_id, account_id)
        if case.code is None:
            raise ConflictError("this request is confirmed already")
        right = hmac.compare_digest(case.code, code_digest(parts, case_id, code))
        if right:
            cases.verify(case, "person", parts.clock())
    if not right:
        raise RefusedError("code: this is not the code that was sent back to you")
    receipt = cases.carry_out(parts, case_id) if case.kind in AUTOMATIC else None
    if receipt is not None:
        case.state, case.closed_at = "done", parts.clock()
        return Shown(case, None, None, None, None, receipt)
    return find(parts, account_id, case_id)


def code_digest(parts: Parts, case_id: str, code: str) -> bytes:
    """Return what is kept of a case's code."""
    return parts.vault.index("case code", f"{case_id}:{code}")


def shared(parts: Parts, account_id: str) -> list[ShareEvent]:
    """Return what was sent to others about an account, newest first."""
    with parts.database.begin() as session:
        return list(
            session.scalars(
                select(ShareEvent).where(ShareEvent.account_id == account_id).order_by(ShareEvent.at.desc())
            )
        )


def _check(asking: Asking) -> None:
    known = cases.erasable()
    if asking.kind == "erase" and asking.what not in known:
        raise RefusedError(f"what: one of {', '.join(known)}; the kind cancel erases the whole account")
    if asking.kind != "erase" and asking.what:
        raise RefusedError("what: only for the kind erase")
    if (asking.kind == "appeal") != bool(asking.about):
        raise RefusedError("about: for the kind appeal, the number of the request that was refused")
    if asking.kind not in AUTOMATIC and not asking.text:
        raise RefusedError("text: say in your own words what this is about")


def _shown(parts: Parts, case: Case) -> Shown:
    def opened(column: str, sealed: bytes | None) -> str | None:
        return parts.vault.open_text(case.account_id, f"cases.{column}", sealed)

    return Shown(
        case,
        text=opened("text", case.text),
        answer=opened("answer", case.answer) or POINTERS.get(case.kind),  # type: ignore[call-overload]
        evidence=opened("evidence", case.evidence),
        appeal=opened("appeal", case.appeal),
    )
