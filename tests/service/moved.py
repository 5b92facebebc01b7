"""The service's parts in this process, with a clock that tests move."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.accounts.service import new_account
from service.accounts.store import Account
from service.app import make_parts
from service.parts import Parts
from service.settings import Settings


class MovedClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2027, 1, 4, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@contextmanager
def moved_parts(data: Path, clock: MovedClock, environment: dict[str, str] | None = None):
    """Make the parts, as a process that starts would; and let go of them, as one that ends."""
    url = (environment or {}).get("FACEKIT_DATABASE_URL")
    parts = make_parts(Settings.load(data=data, sms="none", database_url=url), clock=clock)
    try:
        yield parts
    finally:
        parts.gateway.close()
        parts.database.close()
        parts.vault.close()


def add_account(parts: Parts, phone: str = "") -> str:
    """Make an account, with a phone where one is given."""
    with parts.database.begin() as session:
        account = new_account(parts, session)
        if phone:
            account.phone = parts.vault.seal(account.id, "accounts.phone", phone)
            account.phone_index = parts.vault.index("phone", phone)
        return account.id


def is_there(parts: Parts, account_id: str) -> bool:
    """Say whether there is such an account."""
    with parts.database.begin() as session:
        return session.get(Account, account_id) is not None
