"""The whole service in this process: with a clock that tests move, and registers that they change."""

import asyncio
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from service.accounts.service import new_account, open_session
from service.accounts.store import Account, SignIn
from service.app import build, make_parts
from service.ops.audit import Grounds
from service.parts import Parts
from service.policy import registry
from service.policy.store import Acceptance
from service.policy.versions import Draft, current, current_name, publish
from service.settings import Settings
from service.tables import Base
from tests.service.moved import MovedClock

#: What an operator says with every request.
WHY = {"Facekit-Reason": "request", "Facekit-Ticket": "MAIL-1"}
GROUNDS = Grounds("a" * 32, "request", "MAIL-1")


@dataclass
class Local:
    """A service, in its state as its release and settings are."""

    data: Path
    environment: dict[str, str]
    clock: MovedClock = field(default_factory=MovedClock)
    settings: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def parts(self, **settings: Any) -> Iterator[Parts]:
        """Make the parts, as a process that starts would; and let go of them, as one that ends."""
        chosen = {"contact": "privacy@example.org", **self.settings, **settings}
        url = self.environment.get("FACEKIT_DATABASE_URL")
        made = make_parts(
            Settings.load(data=self.data, sms="none", database_url=url, **chosen), clock=self.clock
        )
        try:
            yield made
        finally:
            made.gateway.close()
            made.database.close()
            made.vault.close()

    @contextmanager
    def running(self, **settings: Any) -> Iterator["Running"]:
        """Start, and answer requests; a mistake of the service's is answered with 500, as by its process."""
        with self.parts(**settings) as parts:
            parts = dataclasses.replace(parts, jobs=Jobs())  # no cells are started here
            yield Running(parts, Http(build(parts)))


class Jobs:
    """Always ready, and notes what it is told to stop."""

    def __init__(self):
        self.stopped = []

    def stop(self, account_id, *, permission=""):
        self.stopped.append((account_id, permission))
        return 0

    def is_ready(self):
        return True

    def start(self):
        pass

    def close(self):
        pass

    def when_refused(self, tell):
        pass


@dataclass
class Http:
    """Asks an application in this process; a mistake of the application's is answered, not raised."""

    app: Any
    scheme: str = "http"

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=("192.0.2.7", 1))
            async with httpx.AsyncClient(transport=transport, base_url=f"{self.scheme}://test") as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)


@dataclass
class Running:
    """A service that answers."""

    parts: Parts
    http: Http

    def person(self, *, role: str = "user") -> "Somebody":
        """Return somebody who has accepted what is in force, and signed in; an operator with both factors."""
        parts, now = self.parts, self.parts.clock()
        with parts.database.begin() as session:
            account = new_account(parts, session)
            account.role = role
            signed_in, token = open_session(parts, session, account, "code", "192.0.2.0/24", "other")
            if role == "operator":
                signed_in.second_factor_at = now
            accept(session, account.id, current_name(session, now), now)
        reasons = WHY if role == "operator" else {}
        return Somebody(self, account.id, {"Authorization": f"Bearer {token}", **reasons})


@dataclass
class Somebody:
    """Somebody who has signed in."""

    running: Running
    account: str
    headers: dict[str, str]

    def ask(self, method: str, path: str, **more: Any) -> Any:
        more["headers"] = {**self.headers, **more.get("headers", {})}
        return self.running.http.request(method, f"/v1{path}", **more)

    def choose(self, name: str, *, kind: str = "consents", **more: Any) -> Any:
        shown = {one["name"]: one for one in self.ask("GET", f"/{kind}").json()["items"]}
        return self.ask("PUT", f"/{kind}/{name}", json={"digest": shown[name]["digest"]}, **more)

    def granted(self, kind: str = "consents") -> set[str]:
        return {one["name"] for one in self.ask("GET", f"/{kind}").json()["items"] if one["granted"]}


def accept(session: Any, account_id: str, version: str, now: Any) -> None:
    """Have an account accept a version."""
    session.add(
        Acceptance(
            id=f"{account_id[:20]}{version[:10]}",
            token=None,
            account_id=account_id,
            version=version,
            digest="0" * 64,
            language="en",
            at=now,
        )
    )


def change(patch: pytest.MonkeyPatch, register: str, **lines: Any) -> None:
    """Change lines of a register, as a later release would; None takes one out."""
    wanted = {**getattr(registry, register), **lines}
    patch.setattr(registry, register, {name: one for name, one in wanted.items() if one is not None})


def publish_in(parts: Parts, *, days: float = 7, flags: tuple[str, ...] = (), text: str = "") -> Any:
    """Publish a version that comes into force in some days."""
    new, _ = publish(parts, Draft(parts.clock() + timedelta(days=days), text, flags))
    return new


def in_force(parts: Parts) -> Any:
    """Return the version in force."""
    with parts.database.begin() as session:
        return current(session, parts.clock())


def rows(database: Any) -> dict[str, int]:
    """Count the rows of every table."""
    with database.begin() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
        }


def become_operator(database: Any, account_id: str, now: Any) -> None:
    """Make somebody an operator who has just given the second factor."""
    with database.begin() as session:
        session.execute(update(Account).where(Account.id == account_id).values(role="operator"))
        session.execute(update(SignIn).where(SignIn.account_id == account_id).values(second_factor_at=now))
