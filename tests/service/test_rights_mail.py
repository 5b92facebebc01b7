"""Ten thousand cancellations by mail, over a year of moved clock, with outages and crashes."""

import random
import secrets
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from sqlalchemy import delete, func, select

from service.accounts.store import Account
from service.errors import AbsentError, ConflictError
from service.ops.store import Alarm
from service.rights import cancellation, cases
from service.rights.store import Cancellation, Case, CaseProof
from service.vault import _DataKey
from tests.service.moved import MovedClock, moved_parts

MAILS = 10_000
STEP = timedelta(days=1)
NEVER = datetime.max.replace(tzinfo=UTC)
SEED = 20270104


class CrashError(BaseException):
    """What a process does when it is killed: nothing in it goes on."""


@dataclass
class Mail:
    """One mail: whose, when it was sent, and its case once it is opened."""

    account: str
    sent: datetime
    case: str = ""


def add_accounts(parts, count):
    """Make light accounts with keys, all in two transactions."""
    vault, now = parts.vault, parts.clock()
    names = [secrets.token_hex(16) for _ in range(count)]
    with vault._database.begin() as session:
        session.add_all(
            _DataKey(account_id=name, wrapped=vault._wrap(bytes(32), f"account:{name}")) for name in names
        )
    with parts.database.begin() as session:
        session.add_all(
            Account(
                id=name,
                handle=b"",
                handle_index=vault.index("handle", name),
                role="user",
                created_at=now,
                active_at=now,
            )
            for name in names
        )
    return names


def mails(accounts, start, chance):
    """Say what happens when: each mail is opened; then nine in ten confirm in the app, sooner or later, most
    others write a letter, and some say no more."""
    for account in accounts:
        sent = start + timedelta(days=chance.uniform(0, 340))
        opened = sent + timedelta(days=chance.expovariate(2))
        mail, which = Mail(account, sent), chance.random()
        yield opened, "opened", mail
        if which < 0.9:
            yield opened + timedelta(days=chance.expovariate(0.3)), "person", mail
        elif which < 0.97:
            yield max(sent + timedelta(days=12), opened), "operator", mail


class Year:
    """A year of the service, in steps; it is down now and then, and crashes while it cancels."""

    def __init__(self, parts, clock, chance, events):
        self.parts, self.clock, self.chance = parts, clock, chance
        self.events = deque(sorted(events, key=lambda event: event[0]))
        self.down: list[tuple[datetime, datetime]] = []
        self.crashes, self.began = 0, clock.now
        self.leaving: list[str] = []
        self.real_cancel = cancellation.cancel

    def live(self):
        end, up_at = self.clock.now + timedelta(days=375), self.clock.now
        while self.clock.move(seconds=STEP.total_seconds()) < end:
            if self.clock.now < up_at:
                continue
            if up_at > self.began:
                self.began = up_at
                cancellation.replay(self.parts)  # as each start does
            if self.chance.random() < 1 / 30 or not self.work():  # outages are short, or go on for weeks
                up_at = self.clock.now + timedelta(days=self.chance.choice([0.3, 0.5, 1, 3, 7, 17]))
                self.down.append((self.clock.now, up_at))

    def work(self):
        """Do what is due, and take in mails; say whether it ended without a crash."""
        with patch.object(cases, "cancel", self.cancel), suppress(CrashError):
            self.catch_up()
            with self.parts.database.begin() as session:
                while self.events and self.events[0][0] <= self.clock.now:
                    self.act(session, *self.events.popleft()[1:])
            self.catch_up()
            return True
        return False

    def catch_up(self):
        try:
            cases.catch_up(self.parts)
        finally:
            with self.parts.database.begin() as session:
                for account_id in self.leaving:
                    cancellation._close_cases(self.parts, session, account_id, "receipt")
                session.execute(delete(Case).where(Case.account_id.in_(self.leaving)))
                session.execute(delete(Account).where(Account.id.in_(self.leaving)))
            self.leaving = []

    def act(self, session, what, mail):
        if what == "opened":
            asking = cases.Asking("cancel", "mail")
            mail.case = cases.open_case(self.parts, session, mail.account, asking, mail.sent).id
            return
        with suppress(AbsentError, ConflictError):  # who wrote was too late: it has lapsed
            cases.verify(cases.open_one(session, mail.case), what, self.clock.now)

    def cancel(self, parts, account_id, cause):
        """Cancel one in twenty in truth, where some break off; of the others the rows only, together."""
        which = self.chance.random()
        if which < 0.003:
            self.crashes += 1
            with patch.object(cancellation, "_erase", side_effect=CrashError):
                return self.real_cancel(parts, account_id, cause)
        if which < 0.05:
            return self.real_cancel(parts, account_id, cause)
        self.leaving.append(account_id)
        return Cancellation(id="receipt", document="{}", issued_at=parts.clock())


@pytest.mark.clause(
    "5.3 p2 a",
    "5.3(2)",
    partly="10,000 mails over a year with outages and crashes: none late without an alarm",
)
def test_of_ten_thousand_mails_none_is_late_without_an_alarm_before(tmp_path):
    chance, clock = random.Random(SEED), MovedClock()  # noqa: S311
    with moved_parts(tmp_path, clock) as parts:
        accounts = add_accounts(parts, MAILS)
        year = Year(parts, clock, chance, mails(accounts, clock.now, chance))
        year.live()
        with parts.database.begin() as session:
            proofs = session.scalars(select(CaseProof)).all()
            alarms = {(one.kind, one.about): one.raised_at for one in session.scalars(select(Alarm))}
            left = session.scalar(select(func.count()).select_from(Account))
    outcomes = Counter(proof.outcome for proof in proofs)
    late = [proof for proof in proofs if proof.outcome == "done" and proof.closed_at > proof.due_at]
    assert len(proofs) == MAILS
    assert left == outcomes["lapsed"] == MAILS - outcomes["done"]
    for proof in proofs:
        if proof.closed_at > proof.due_at or proof.outcome == "lapsed":
            raised = [alarms.get((kind, proof.id), NEVER) for kind in ("case near", "case late")]
            assert min(raised) <= proof.closed_at
    # What was late was so for an outage; and there were some, or this would prove nothing.
    assert late
    assert all(any(begin <= proof.due_at <= until + STEP for begin, until in year.down) for proof in late)
    assert year.crashes
