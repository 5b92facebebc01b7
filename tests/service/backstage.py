"""What tests change behind the server's back, in its database: how sessions stand, who runs the service."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, update

from service.accounts.store import Account, SignIn
from service.database import Database
from service.policy.notices import tell
from service.policy.store import Acceptance
from tests.service.serving import Server

DAY = timedelta(days=1)


class Backstage:
    """The server's database, opened by the test as well; a context manager."""

    def __init__(self, server: Server) -> None:
        self.database = Database(database_url(server))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.database.close()

    def session(self, account, *, age=timedelta(), fresh=False, second_factor=None):
        """Open a session for an account; return its number and token.

        `second_factor` says how long ago it was given.
        """
        token, now = f"fks_{secrets.token_urlsafe(32)}", datetime.now(UTC)
        row = SignIn(
            id=secrets.token_urlsafe(16),
            account_id=account,
            token=hashlib.sha256(token.encode()).digest(),
            method="code",
            client="other",
            network="127.0.0.0/24",
            created_at=now - age,
            fresh_until=now + DAY if fresh else None,
            second_factor_at=None if second_factor is None else now - second_factor,
        )
        with self.database.begin() as session:
            session.add(row)
        return row.id, token

    def end_session(self, number):
        """End a session, as its owner can."""
        with self.database.begin() as session:
            session.execute(delete(SignIn).where(SignIn.id == number))

    def confirm(self, account):
        """Let an account's sessions count as confirmed by a fresh code."""
        with self.database.begin() as session:
            until = datetime.now(UTC) + DAY
            session.execute(update(SignIn).where(SignIn.account_id == account).values(fresh_until=until))

    def make_operator(self, account):
        """Have an account be one of those who run the service."""
        with self.database.begin() as session:
            session.execute(update(Account).where(Account.id == account).values(role="operator"))

    def tell(self, account):
        """Tell an account something, as if a question of its had been answered."""
        with self.database.begin() as session:
            tell(session, "answer", {"date": "2030-01-01"}, datetime.now(UTC), Account.id == account)

    def forget_acceptance(self, account):
        """Take from an account that it has accepted the version in force."""
        with self.database.begin() as session:
            session.execute(
                update(Acceptance).where(Acceptance.account_id == account).values(account_id=None)
            )


def database_url(server: Server) -> str:
    """Return where a server's database is."""
    return server.environment.get("FACEKIT_DATABASE_URL", f"sqlite:///{server.data}/facekit.sqlite")
