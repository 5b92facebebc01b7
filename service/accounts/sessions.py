"""An account's sessions: seen, and ended; and all of them at once, where a secret has leaked."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from service.accounts.service import SESSION, end_sessions, held
from service.accounts.store import ApiKey, SignIn
from service.caller import Caller
from service.errors import AbsentError
from service.logs import Deed
from service.parts import Parts


def all_of(parts: Parts, caller: Caller) -> Sequence[SignIn]:
    """List an account's sessions, the newest first."""
    query = (
        select(SignIn)
        .where(SignIn.account_id == caller.account_id, SignIn.created_at > parts.clock() - SESSION)
        .order_by(SignIn.created_at.desc())
    )
    with parts.database.begin() as session:
        return session.scalars(query).all()


def end(parts: Parts, caller: Caller, session_id: str) -> None:
    """End a session; raises AbsentError."""
    with parts.database.begin() as session:
        found = session.get(SignIn, session_id)
        if found is None or found.account_id != caller.account_id:
            raise AbsentError("you have no such session: GET /v1/me/sessions lists them")
        session.delete(found)


def end_others(parts: Parts, caller: Caller) -> None:
    """End all of an account's sessions but the caller's."""
    with parts.database.begin() as session:
        end_sessions(session, caller.account_id, but=caller.session_id)


def shut(parts: Parts, caller: Caller) -> None:
    """Revoke all that opens an account, because something of it has leaked; its phone opens it again.

    An account without a phone is not locked, for nothing could open it: its provider goes on signing in.
    """
    # Clause 4.2.2(6)e: whoever has a token or the password has nothing from now on.
    with parts.database.begin() as session:
        account = held(session, caller.account_id)
        account.password = None
        account.locked_at = parts.clock() if account.phone_index is not None else None
        end_sessions(session, account.id)
        session.execute(delete(ApiKey).where(ApiKey.account_id == account.id))
    parts.logs.write(Deed(deed="account.compromised", account=parts.logs.pseudonym(caller.account_id)))
