"""Who is let in: joins what the domains know, for `caller.Access`."""

from contextlib import suppress
from datetime import datetime, timedelta

from service.accounts import service as accounts
from service.caller import Caller
from service.consent import service as consent
from service.errors import NotAcceptedError, TooManyError, UnknownCallerError
from service.parts import Parts
from service.policy import service as policy
from service.policy.service import NOT_ACCEPTED
from service.policy.versions import current_name


class Door:
    """The gate that `Access` asks; knows the parts once they are together."""

    def __init__(self) -> None:
        self.parts: Parts

    def caller_of(self, token: str, network: str) -> Caller:
        """Return who shows a token; one that does not hold is counted, so that guessing has an end."""
        limits, most = self.parts.limits, self.parts.settings.tries_per_address
        try:
            return accounts.caller_of(self.parts, token, network)
        except UnknownCallerError:
            limits.spend("tokens from", network, most, timedelta(minutes=10))
            raise

    def acceptance_of(self, token: str, network: str) -> Caller:
        """Return who shows an acceptance's token; raises NotAcceptedError."""
        if not token:
            raise NotAcceptedError(NOT_ACCEPTED)
        with self.parts.database.begin() as session:
            found = policy.find_acceptance(session, token, self.now())
            if found.version != current_name(session, self.now()):
                raise NotAcceptedError(NOT_ACCEPTED)
        return Caller(network, accepted=True, acceptance=found.id)

    def opt_out(self, account_id: str) -> None:
        """Take a browser's opt-out signal for what it is: a no to all that tracks."""
        consent.opt_out(self.parts, account_id)

    def admit(self, caller: Caller) -> None:
        """Refuse who has asked too often for ids that do not exist, also where the next one would."""
        who = caller.account_id or caller.network
        self.parts.limits.check("misses of", who, self.parts.settings.misses_per_caller)

    def missed(self, account_id: str, network: str) -> None:
        """Count that somebody asked for an id that does not exist."""
        with suppress(TooManyError):  # the answer has been given; the next one will be refused
            self.parts.limits.spend(
                "misses of",
                account_id or network,
                self.parts.settings.misses_per_caller,
                timedelta(minutes=10),
            )

    def now(self) -> datetime:
        """Return the time."""
        return self.parts.clock()
