"""Who is calling, and whether they may: every route has exactly one `Access` among its dependencies."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Annotated, Final, Protocol

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.errors import (
    EndedError,
    NoScopeError,
    NotAcceptedError,
    NotAllowedError,
    SecondFactorError,
    ServiceError,
    StepUpError,
    TooManyError,
    UnknownCallerError,
)
from service.networks import network_of

#: What an API key can be allowed.
SCOPES: Final = ("account:read", "jobs:read", "jobs:write", "consent:read", "consent:write")
FRESH: Final = timedelta(minutes=5)
#: For how long an operator's second factor counts.
SECOND_FACTOR: Final = timedelta(hours=12)

_bearer = HTTPBearer(auto_error=False)


class Level(Enum):
    """Who may come."""

    ANYBODY = auto()  # also who has accepted nothing
    ACCEPTED = auto()  # who has accepted the policy, and has no account yet or has not signed in
    ACCOUNT = auto()  # who has signed in
    OPERATOR = auto()  # who runs the service, with a second factor


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls.

    Parameters
    ----------
    network : str
        Theirs: /24 or /48.
    account_id, session_id, key_id : str
        Their account, and what they showed; empty where there is none.
    scopes : frozenset of str
        Of their API key.
    role : str
        "user" or "operator".
    accepted, unread : bool
        Whether they have accepted the policy's version in force; and have a notice that they have not seen.
    ended : bool
        Whether the service has ended.
    fresh_until, second_factor_at : datetime, optional
        Until when their last fresh code counts; when they gave their second factor.
    acceptance : str
        The id of an acceptance that has no account yet.
    """

    network: str
    account_id: str = ""
    session_id: str = ""
    key_id: str = ""
    scopes: frozenset[str] = frozenset()
    role: str = "user"
    accepted: bool = False
    ended: bool = False
    unread: bool = False
    fresh_until: datetime | None = None
    second_factor_at: datetime | None = None
    acceptance: str = field(default="", repr=False)


class Gate(Protocol):
    """What `Access` needs to know; the application's parts have it."""

    def caller_of(self, token: str, network: str) -> Caller:
        """Return who shows a token; raises UnknownCallerError."""

    def acceptance_of(self, token: str, network: str) -> Caller:
        """Return who shows an acceptance's token; raises NotAcceptedError."""

    def opt_out(self, account_id: str) -> None:
        """Take a browser's opt-out signal for what it is: a no to all that tracks."""

    def admit(self, caller: Caller) -> None:
        """Refuse who has asked too often for ids that do not exist; raises TooManyError."""

    def missed(self, account_id: str, network: str) -> None:
        """Count that somebody asked for an id that does not exist."""

    def now(self) -> datetime:
        """Return the time."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a route; a dependency.

    Parameters
    ----------
    level : Level
        Who may come.
    scope : str
        What an API key must be allowed; where it is empty, API keys are refused.
    step_up : bool
        Whether a fresh code is needed (``POST /v1/auth/step-up``), at most five minutes old.
    leaving : bool
        Whether it is also for who has not accepted the current version: who leaves must be able to.
    """

    level: Level
    scope: str = ""
    step_up: bool = False
    leaving: bool = False

    def __call__(
        self,
        request: Request,
        token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
        acceptance: Annotated[str, Header(alias="Facekit-Acceptance", include_in_schema=False)] = "",
    ) -> Caller:
        """Return who calls, or refuse."""
        gate: Gate = request.app.state.parts.gate
        caller = self._find(request, gate, token, acceptance)
        if request.path_params:
            gate.admit(caller)
        return caller

    def _find(
        self, request: Request, gate: Gate, token: HTTPAuthorizationCredentials | None, acceptance: str
    ) -> Caller:
        network = network_of_request(request)
        if self.level is Level.ANYBODY and token is None:
            return Caller(network)
        if self.level is Level.ACCEPTED and token is None:
            return gate.acceptance_of(acceptance, network)
        if token is None:
            raise UnknownCallerError("sign in first, and send Authorization: Bearer TOKEN")
        caller = gate.caller_of(token.credentials, network)
        request.state.account_id = caller.account_id
        request.state.unread = caller.unread
        # Clause 1.3.7: the signal is a no, whatever else comes of the request.
        if is_opted_out(request) and not caller.key_id:
            gate.opt_out(caller.account_id)
        self._check(caller, gate)
        return caller

    @property
    def refusals(self) -> tuple[type[ServiceError], ...]:
        """What it can end in; `openapi` adds them to what the route says."""
        anybody, operator = self.level is Level.ANYBODY, self.level is Level.OPERATOR
        refusals: dict[type[ServiceError], bool] = {
            UnknownCallerError: True,
            TooManyError: True,  # tokens that do not hold are counted
            NoScopeError: not anybody,
            NotAllowedError: operator,
            SecondFactorError: operator,
            NotAcceptedError: not anybody and not self.leaving,
            StepUpError: self.step_up,
        }
        return tuple(kind for kind, may in refusals.items() if may)

    def _check(self, caller: Caller, gate: Gate) -> None:
        if caller.key_id and self.level is not Level.ANYBODY and self.scope not in caller.scopes:
            raise NoScopeError(
                f"this needs an API key with the scope {self.scope!r}"
                if self.scope
                else "API keys cannot do this"
            )
        if self.level is Level.OPERATOR:
            require_operator(caller, gate.now())
        # Clause P-3: nothing but what leads to acceptance, and out, works before it.
        if self.level is not Level.ANYBODY and not self.leaving and not caller.accepted:
            raise NotAcceptedError("accept the policy's current version first: POST /v1/policy/acceptances")
        # Clause 4.1b: from the last day on nothing new is taken in; who leaves still can.
        if self.level is not Level.ANYBODY and not self.leaving and caller.ended:
            raise EndedError
        # Clause 5.1c: a right is exercised by the person, not by who found an open session.
        if self.step_up:
            require_fresh(caller, gate.now())


def require_operator(caller: Caller, now: datetime) -> None:
    """Refuse who does not run the service, or has not lately given their second factor."""
    if caller.role != "operator":
        raise NotAllowedError("this is for those who run the service")
    # Clause 4.2.1 p4: and not only once in the life of a session.
    if caller.second_factor_at is None or caller.second_factor_at <= now - SECOND_FACTOR:
        raise SecondFactorError("give your second factor first: POST /v1/auth/totp")


def require_fresh(caller: Caller, now: datetime) -> None:
    """Refuse who has given no fresh code; raises StepUpError."""
    if caller.fresh_until is None or caller.fresh_until <= now:
        raise StepUpError(
            "confirm with a fresh code first: POST /v1/auth/step-up/code, then POST /v1/auth/step-up"
        )


def network_of_request(request: Request) -> str:
    """Return the network that a request came from."""
    return network_of(request.client.host if request.client else "")


def is_opted_out(request: Request) -> bool:
    """Say whether a browser sends the opt-out signal (Global Privacy Control)."""
    return request.headers.get("sec-gpc", "") == "1"
