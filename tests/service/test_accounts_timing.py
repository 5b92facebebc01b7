"""How long an answer takes does not tell whether a number has an account.

Known and unknown numbers are asked about in pairs, one after the other in random order, so that what else
the machine does falls on both alike; the differences go through Wilcoxon's signed-rank test [1]_. What is
noticed must be noticed twice. That the test notices something is shown on a service with a planted
difference. What a busy machine's noise would hide, a look at the steps shows: they are the same, one by one.

References
----------
.. [1] Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1(6), 1945.
"""

import random
import time
from contextlib import suppress

import pytest
from argon2 import PasswordHasher
from scipy.stats import wilcoxon
from sqlalchemy import event

from service.accounts import codes, passwords
from service.accounts.signing_in import Entry, sign_in_by_phone
from service.app import make_parts
from service.caller import Caller
from service.errors import RefusedError
from service.settings import Settings
from tests.service.serving import Server, new_number
from tests.service.test_accounts_opening import with_password

LEVEL = 1e-4  # of one look; of two, by chance once in 10^8

#: Takes 20 milliseconds more where an account has the number, and hashes nothing where none has.
PLANTED = """
import sys, time
from sqlalchemy import select
from service.accounts import codes, passwords
from service.accounts.store import Account

def slower(act, place):
    def planted(parts, *given):
        index = parts.vault.index("phone", given[place])
        with parts.database.begin() as session:
            known = session.scalar(select(Account.id).where(Account.phone_index == index)) is not None
        time.sleep(0.02 * known)
        return act(parts, *given)
    return planted

codes.send, codes.check = slower(codes.send, 0), slower(codes.check, 1)
is_right = passwords._is_right
passwords._is_right = lambda stored, given: stored != passwords._dummy() and is_right(stored, given)

from service.__main__ import main
sys.exit(main())
"""


class Leaky(Server):
    """A service that takes longer for some."""

    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        self.command = ("-c", PLANTED)


class Crowd:
    """Numbers that have an account, with a password, and as many that have none."""

    def __init__(self, server, count=4):
        self.server, self.known = server, []
        for _ in range(count):
            with server.person() as person:
                with_password(person)
                self.known.append(person.phone)
        self.unknown = [new_number() for _ in range(count)]
        self.http = server.client()
        newcomer = server.person()
        self.http.headers["Facekit-Acceptance"] = newcomer.accept()
        newcomer.http.close()
        self.dice = random.Random(20)  # noqa: S311 (nothing depends on it)

    def code(self, phone):
        return self._timed("/auth/otp", {"phone": phone}, 202)[0]

    def verify(self, phone):
        challenge = self._timed("/auth/otp", {"phone": phone}, 202)[1]["challenge"]
        sent = self.server.texts.code_for(phone)
        wrong = f"{(int(sent) + 1) % 10**6:06}"
        given = {"challenge": challenge, "phone": phone, "code": wrong}
        return self._timed("/auth/otp/verify", given, 422)[0]

    def password(self, phone):
        return self._timed("/auth/password", {"phone": phone, "password": "not this one"}, 422)[0]

    def chance(self, ask, pairs):
        """Return how likely it is that known and unknown numbers differ as much, if they do not."""
        differences = []
        for number in range(pairs):
            asked = [(True, self.known[number % len(self.known)])]
            asked.append((False, self.unknown[number % len(self.unknown)]))
            self.dice.shuffle(asked)
            took = {is_known: ask(phone) for is_known, phone in asked}
            differences.append(took[True] - took[False])
        return float(wilcoxon(differences).pvalue)

    def are_told_apart(self, ask, pairs):
        return self.chance(ask, pairs) < LEVEL and self.chance(ask, pairs) < LEVEL

    def _timed(self, path, given, status):
        start = time.perf_counter()
        answer = self.http.post(path, json=given)
        took = time.perf_counter() - start
        assert answer.status_code == status, answer.text
        return took, answer.json()


@pytest.fixture(scope="module")
def crowd(server):
    found = Crowd(server)
    yield found
    found.http.close()


@pytest.fixture(scope="module")
def leaky(texts, tmp_path_factory):
    with Leaky(tmp_path_factory.mktemp("leaky"), texts) as running:
        found = Crowd(running)
        yield found
        found.http.close()


WAYS = pytest.mark.parametrize(("way", "pairs"), [("code", 100), ("verify", 70), ("password", 16)])


@pytest.mark.clause("1.3.1 p1 a", partly="the time of an answer does not tell known from unknown numbers")
@WAYS
def test_known_and_unknown_numbers_cannot_be_told_apart(crowd, way, pairs):
    assert not crowd.are_told_apart(getattr(crowd, way), pairs)


@WAYS
def test_a_planted_difference_is_noticed(leaky, way, pairs):
    assert any(leaky.are_told_apart(getattr(leaky, way), pairs) for _ in range(2))


@pytest.mark.clause(
    "1.3.1 p1 a", partly="what is done for known and unknown numbers is the same, step by step"
)
@pytest.mark.parametrize("way", ["code", "verify", "password", "no password"])
def test_the_same_steps_are_taken_for_known_and_unknown_numbers(tmp_path, monkeypatch, way):
    parts = make_parts(Settings.load(data=tmp_path, sms="none"))
    entry = Entry(Caller("203.0.113.0/24"), "code", "other")
    known, unknown = new_number(), new_number()
    account = sign_in_by_phone(parts, entry, known).session.account_id
    if way == "password":
        passwords.change(parts, Caller("", account), "four otters on a log")

    def ask(phone):
        if way == "code":
            codes.send(parts, phone, "203.0.113.0/24")
        else:
            with suppress(RefusedError):
                if way == "verify":
                    codes.check(parts, challenges[phone], phone, "wrong", "203.0.113.0/24")
                else:
                    passwords.sign_in(parts, entry, phone, "not this one")

    challenges = {phone: codes.send(parts, phone, "203.0.113.0/24") for phone in (known, unknown)}
    for phone in (known, unknown):  # what counts how often has its rows from now on
        ask(phone)
    steps = []
    for engine in (parts.database.engine, parts.vault._database.engine):
        event.listen(engine, "before_cursor_execute", lambda *given: steps.append(given[2]))
    for name in ("hash", "verify"):
        act = getattr(PasswordHasher, name)
        monkeypatch.setattr(
            PasswordHasher, name, lambda *given, act=act, name=name: (steps.append(name), act(*given))[1]
        )
    taken = []
    for phone in (known, unknown):
        ask(phone)
        taken.append(tuple(steps))
        steps.clear()
    assert len(taken[0]) >= 4
    assert ("verify" in taken[0]) == (way in ("password", "no password"))
    assert taken[0] == taken[1]
    for part in (parts.gateway, parts.database, parts.vault):
        part.close()
