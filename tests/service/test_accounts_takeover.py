"""Nobody gets into another's account: whatever people try, in any order.

Three people, each with a phone and with an account elsewhere, sign in, bind numbers, set passwords, say that
something leaked, and try all of it with the others' numbers, too. A code reaches only who has the phone.
"""

import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from unittest import mock

import pytest
from argon2 import PasswordHasher
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from sqlalchemy import select

from service.accounts import codes, passwords, profile, sessions, step_up
from service.accounts.service import caller_of
from service.accounts.signing_in import Entry, Shown, sign_in_by_identity, sign_in_by_phone
from service.app import make_parts
from service.caller import Caller, require_fresh
from service.consent.service import digest_of
from service.errors import ConflictError, RefusedError, ServiceError, StepUpError, UnknownCallerError
from service.settings import Settings
from service.tables import accounts

PEOPLE = st.integers(0, 2)
NUMBERS = [f"+861390000000{person}" for person in range(3)]
PASSWORDS = [f"password of person {person}, and long" for person in range(3)]
NETWORK = "203.0.113.0/24"
ENDLESS = dict.fromkeys(
    ("codes_per_number", "codes_per_address", "tries_per_address", "passwords_per_number"), 10**6
)


class Takeover(RuleBasedStateMachine):
    tokens = Bundle("tokens")  # (who holds it, the token)

    @initialize()
    def begin(self):
        self.open = ExitStack()
        folder = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        self.parts = make_parts(Settings.load(data=folder, sms="none", **ENDLESS))
        for part in (self.parts.gateway, self.parts.vault, self.parts.database):
            self.open.callback(part.close)
        self.sent = {}  # by number: the last code, which only its owner reads
        self.owner = {}  # by account: who made it
        self.bound = {}  # by account: the number that it was given

        def deliver(_, phone, code):
            self.sent[phone] = code

        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        self.open.enter_context(mock.patch.object(codes, "_deliver", deliver))
        self.open.enter_context(mock.patch.object(passwords, "_HASHER", cheap))

    def teardown(self):
        if hasattr(self, "open"):
            self.open.close()

    # -- what people can do ------------------------------------------------------------------

    def code(self, person, number):
        """Have a code sent; return the challenge and the code, if it reached the person, or a guess."""
        challenge = codes.send(self.parts, NUMBERS[number], NETWORK)
        read = self.sent[NUMBERS[number]]
        return challenge, read if person == number else f"{(int(read) + 1) % 10**6:06}"

    def entered(self, person, entered, phone=None):
        """Note who made an account; and see that nobody else comes in."""
        account = entered.session.account_id
        self.bound.setdefault(account, phone)
        assert entered.created == (account not in self.owner)
        assert self.owner.setdefault(account, person) == person, "somebody came into another's account"
        return person, entered.token

    def caller(self, token):
        with suppress(UnknownCallerError):
            return caller_of(self.parts, token, NETWORK)
        return None

    @rule(target=tokens, person=PEOPLE, number=PEOPLE)
    def sign_in_by_code(self, person, number):
        challenge, code = self.code(person, number)
        entry = Entry(Caller(NETWORK), "code", "other")
        if person != number:
            with pytest.raises(RefusedError):
                codes.check(self.parts, challenge, NUMBERS[number], code, NETWORK)
            return person, "nothing"
        codes.check(self.parts, challenge, NUMBERS[number], code, NETWORK)
        found = sign_in_by_phone(self.parts, entry, NUMBERS[number])
        return self.entered(person, found, NUMBERS[number])

    @rule(target=tokens, person=PEOPLE)
    def sign_in_elsewhere(self, person):
        purpose = "login.third_party"
        entry = Entry(
            Caller(NETWORK), "third-party", "other", purpose, Shown(digest_of("purpose", purpose), "en")
        )
        with suppress(ServiceError):  # where the account is locked
            return self.entered(
                person, sign_in_by_identity(self.parts, entry, "id", "https://id.example", str(person))
            )
        return person, "nothing"

    @rule(target=tokens, person=PEOPLE, number=PEOPLE)
    def sign_in_by_password(self, person, number):
        entry = Entry(Caller(NETWORK), "password", "other")
        with suppress(RefusedError):
            found = passwords.sign_in(self.parts, entry, NUMBERS[number], PASSWORDS[person])
            return self.entered(person, found)
        return person, "nothing"

    @rule(held=tokens, number=PEOPLE)
    def confirm(self, held, number):
        """Give a code that came to a number: it is fresh for who has the account's own."""
        person, token = held
        if (caller := self.caller(token)) is None:
            return
        challenge, code = self.code(person, number)
        with suppress(RefusedError):
            step_up.confirm(self.parts, caller, challenge, code)
            assert person == number

    @rule(held=tokens, number=PEOPLE)
    def bind(self, held, number):
        person, token = held
        if (caller := self.caller(token)) is None:
            return
        challenge, code = self.code(person, number)
        with suppress(RefusedError, ConflictError, StepUpError):
            require_fresh(caller, self.parts.clock())  # as the route does
            profile.bind_phone(self.parts, caller, challenge, NUMBERS[number], code)
            assert person == number, "a number was bound by who does not have it"
            self.bound[caller.account_id] = NUMBERS[number]

    @rule(held=tokens)
    def set_password(self, held):
        person, token = held
        if (caller := self.caller(token)) is not None:
            with suppress(ConflictError, StepUpError):
                require_fresh(caller, self.parts.clock())
                passwords.change(self.parts, caller, PASSWORDS[person])

    @rule(held=tokens, thief=PEOPLE)
    def use_a_stolen_session(self, held, thief):
        """Try, with another's session that is not fresh, to bind one's own number and confirm by it."""
        caller = self.caller(held[1])
        if caller is None or caller.fresh_until is not None or held[0] == thief:
            return
        with pytest.raises(StepUpError):
            require_fresh(caller, self.parts.clock())
        challenge, code = self.code(thief, thief)
        with pytest.raises(RefusedError):
            step_up.confirm(self.parts, caller, challenge, code)
        assert self.caller(held[1]).fresh_until is None

    @rule(held=consumes(tokens))
    def say_that_it_leaked(self, held):
        if (caller := self.caller(held[1])) is not None:
            sessions.shut(self.parts, caller)
            assert self.caller(held[1]) is None

    # -- what must hold, whatever they did ---------------------------------------------------

    @invariant()
    def each_account_has_the_number_that_was_bound_to_it(self):
        with self.parts.database.begin() as session:
            found = session.scalars(select(accounts.Account)).all()
        opened = self.parts.vault.open_text
        assert {one.id: opened(one.id, "accounts.phone", one.phone) for one in found} == self.bound
        numbers = {account: phone for account, phone in self.bound.items() if phone}
        assert len(set(numbers.values())) == len(numbers), "two accounts have one number"
        assert all(phone == NUMBERS[self.owner[account]] for account, phone in numbers.items())


@pytest.mark.clause("1.3.1 p3 b", partly="no order of signing in and binding opens another's account")
class TestTakeover(Takeover.TestCase):
    settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
