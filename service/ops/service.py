"""What operators do with requests that come by mail or wait for a person; every step is in the audit log."""

import secrets
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.accounts.store import Account
from service.datamap import CEILING
from service.errors import AbsentError, ConflictError, RefusedError
from service.ops.alarms import list_alarms, see
from service.ops.audit import Grounds, first_fault, list_audit, write
from service.ops.store import Alarm, Audit
from service.parts import Parts
from service.rights import cases
from service.rights.cases import AUTOMATIC, Asking, Ground, State
from service.rights.service import code_digest
from service.rights.store import Case

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def open_case(
    parts: Parts, grounds: Grounds, who: tuple[str, str], asking: Asking, received_at: datetime
) -> tuple[Case, str]:
    """Open a case for who wrote; returns it, and the code that goes back to them.

    Parameters
    ----------
    parts : Parts
        The parts.
    grounds : Grounds
        Which operator, what for.
    who : tuple of str
        "phone" or "handle", and its value, which is looked up by its index and kept nowhere.
    asking : Asking
        What was asked for.
    received_at : datetime
        When it came in.

    Raises
    ------
    AbsentError
        No account has it.
    RefusedError
        It cannot have come in then, or there is no such thing to erase.
    """
    kind, value = who
    now = parts.clock()
    if not now - CEILING < received_at <= now:
        raise RefusedError("received_at: a moment in the past, and within two years")
    if (asking.kind == "erase") != bool(cases.tables_of(asking.what)):
        raise RefusedError(f"what: for the kind erase, one of {', '.join(cases.erasable())}")
    column = Account.phone_index if kind == "phone" else Account.handle_index
    index = parts.vault.index(kind, value if kind == "phone" else value.casefold())
    code = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(2))
    with parts.database.begin() as session:
        account_id = session.scalar(select(Account.id).where(column == index))
        if account_id is not None:
            case = cases.open_case(parts, session, account_id, asking, received_at)
            case.code = code_digest(parts, case.id, code)
            session.flush()
            cases.raise_alarms(parts, session)  # a mail may have lain for long
        write(parts, session, grounds, "open case", case.id if account_id is not None else "")
    if account_id is None:
        raise AbsentError("no account has this phone or handle")
    return case, code


def list_cases(parts: Parts, grounds: Grounds, state: State | None) -> list[Case]:
    """Return cases, those that are due first."""
    with parts.database.begin() as session:
        write(parts, session, grounds, "list cases")
        wanted = select(Case).order_by(Case.due_at)
        return list(session.scalars(wanted if state is None else wanted.where(Case.state == state)))


def read_case(parts: Parts, grounds: Grounds, case_id: str) -> tuple[Case, str | None, str | None]:
    """Return a case with what was written and answered, in clear; the reading is written down first."""
    with parts.database.begin() as session:
        write(parts, session, grounds, "read case", case_id)
        case = session.get(Case, case_id)
    if case is None:
        raise AbsentError("there is no such case")
    opened = parts.vault.open_text
    return (
        case,
        opened(case.account_id, "cases.text", case.text),
        opened(case.account_id, "cases.answer", case.answer),
    )


def verify_case(parts: Parts, grounds: Grounds, case_id: str, evidence: str) -> str | None:
    """Confirm who asks, by evidence, and do what needs nobody else; return a cancellation's receipt."""
    with parts.database.begin() as session:
        case = _open_one(parts, session, grounds, "verify case", case_id)
        cases.verify(case, "operator", parts.clock())
        case.evidence = parts.vault.seal(case.account_id, "cases.evidence", evidence)
    return cases.carry_out(parts, case_id) if case.kind in AUTOMATIC else None


def answer_case(parts: Parts, grounds: Grounds, case_id: str, words: str) -> None:
    """Answer a case in words, which closes it."""
    with parts.database.begin() as session:
        case = _open_one(parts, session, grounds, "answer case", case_id)
        if case.kind in AUTOMATIC:
            raise ConflictError("this is carried out or refused, not answered")
        _decide(session, case, grounds)
        case.answer = parts.vault.seal(case.account_id, "cases.answer", words)
        cases.close(parts, session, case, "answered", "operator", parts.clock())


def refuse_case(
    parts: Parts, grounds: Grounds, case_id: str, ground: Ground, evidence: str, words: str, appeal: str
) -> None:
    """Refuse a case: on one of eight grounds, by a person, with evidence, and saying how to appeal."""
    # Clauses 5.5 (head) b, 5.5.1, 5.5.2, 5.5.3, 5.5.4, 5.5.5, 5.5.6, 5.5.7, 5.5.8: nothing can be left out.
    with parts.database.begin() as session:
        case = _open_one(parts, session, grounds, "refuse case", case_id)
        _decide(session, case, grounds)
        seal = parts.vault.seal
        case.reason = ground
        case.evidence = seal(case.account_id, "cases.evidence", evidence)
        case.answer = seal(case.account_id, "cases.answer", words)
        case.appeal = seal(case.account_id, "cases.appeal", appeal)
        cases.close(parts, session, case, "refused", "operator", parts.clock())


def alarms(parts: Parts, grounds: Grounds) -> list[Alarm]:
    """Return all alarms."""
    with parts.database.begin() as session:
        write(parts, session, grounds, "list alarms")
        return list_alarms(session)


def see_alarm(parts: Parts, grounds: Grounds, kind: str, about: str) -> Alarm:
    """Write down that an alarm was seen; raises AbsentError."""
    with parts.database.begin() as session:
        found = see(session, kind, about, parts.clock())
        write(parts, session, grounds, "see alarm", found.about[:32])
        return found


def audit(parts: Parts, grounds: Grounds) -> tuple[list[Audit], int | None]:
    """Return the audit log, and the number of its first fault."""
    with parts.database.begin() as session:
        write(parts, session, grounds, "read audit")
        rows = list_audit(session)
        return rows, first_fault(parts, rows)


def _open_one(parts: Parts, session: Session, grounds: Grounds, deed: str, case_id: str) -> Case:
    case = cases.open_one(session, case_id)
    if case.account_id == grounds.operator:
        raise ConflictError("this is about your own account: another person has to do it")
    write(parts, session, grounds, deed, case_id)
    return case


def _decide(session: Session, case: Case, grounds: Grounds) -> None:
    """Name who decides; an appeal is decided by another person than the refusal was."""
    refused = session.get(Case, case.about) if case.about else None
    if refused is not None and refused.decider == grounds.operator:
        raise ConflictError("you decided what this appeals against: another person has to")
    case.decider = grounds.operator
