"""Cancelling an account: at once, whole, provable, and whatever breaks."""

import json
from base64 import b64decode
from unittest.mock import patch

import pytest
from sqlalchemy import func, select

from service.accounts import codes
from service.accounts.store import Account, ApiKey, Challenge
from service.consent.service import choose
from service.consent.store import Choice
from service.datamap import kept_tables
from service.errors import GoneError, SetupError
from service.rights import cancellation
from service.rights.cancellation import cancel, receipt_of, replay
from service.rights.receipts import is_genuine
from service.rights.store import Cancellation
from service.tables import Base
from tests.service.moved import MovedClock, add_account, is_there, moved_parts
from tests.service.test_rights_export import fill

PHONE = "+8613900000001"


class CrashError(BaseException):
    """What a process does when it is killed."""


def rows_of(parts, account_id):
    """Count what says that it is an account's, by table."""
    found = {}
    with parts.database.begin() as session:
        for name, kept in kept_tables(Base).items():
            table = Base.metadata.tables[name]
            if kept.account in table.columns:
                mine = select(func.count()).select_from(table).where(table.c[kept.account] == account_id)
                found[name] = session.scalar(mine)
    return found


@pytest.mark.clause(
    "5.3(1)", "5.3 p2 b", "5.1b", partly="no row of any table says any more that it is the account's"
)
def test_nothing_of_a_cancelled_account_is_left_and_other_accounts_are_untouched(tmp_path):
    with moved_parts(tmp_path, MovedClock()) as parts:
        gone, other = add_account(parts, PHONE), add_account(parts, "+8613900000002")
        fill(parts, gone)
        before = rows_of(parts, other)
        assert all(rows_of(parts, gone).values())
        sealed = parts.vault.seal(gone, "accounts.phone", PHONE)
        codes.send(parts, PHONE, "192.0.2.0/24")
        receipt = json.loads(cancel(parts, gone, "settings").document)
        assert not any(rows_of(parts, gone).values())
        assert rows_of(parts, other) == before
        with pytest.raises(GoneError):
            parts.vault.open(gone, "accounts.phone", sealed)
        with parts.database.begin() as session:
            assert session.scalar(select(func.count()).select_from(Challenge)) == 0
        tables = kept_tables(Base)
        for part, rule in (("erased", "delete"), ("unlinked", "unlink")):
            listed = {one["what"] for one in receipt[part]}
            assert listed == {name for name, kept in tables.items() if kept.on_cancel == rule}
        assert all(one["why"] and 0 < one["days"] <= 730 for one in receipt["unlinked"])


def test_the_receipt_names_nobody_and_is_signed(tmp_path):
    with moved_parts(tmp_path, MovedClock()) as parts:
        account_id = add_account(parts, PHONE)
        choose(parts, account_id, "purpose", "face.effect", granted=True)
        written = cancel(parts, account_id, "settings")
        assert is_genuine(written.document, parts.signer.public_bytes)
        assert account_id not in written.document
        assert PHONE[1:] not in written.document
        assert receipt_of(parts, written.id) == written.document
        changed = written.document.replace('"rows":1', '"rows":2')
        assert changed != written.document
        assert not is_genuine(changed, parts.signer.public_bytes)


def test_a_consent_stays_as_proof_without_whose_it_was(tmp_path):
    with moved_parts(tmp_path, MovedClock()) as parts:
        account_id = add_account(parts)
        choice = choose(parts, account_id, "purpose", "face.effect", granted=True)
        cancel(parts, account_id, "settings")
        with parts.database.begin() as session:
            left = session.get(Choice, choice.id)
            assert left.account_id is None
            assert left.granted


def test_cancelling_twice_says_that_it_is_gone_and_writes_one_receipt(tmp_path):
    with moved_parts(tmp_path, MovedClock()) as parts:
        account_id = add_account(parts)
        cancel(parts, account_id, "settings")
        with pytest.raises(GoneError):
            cancel(parts, account_id, "settings")
        assert replay(parts) == 0
        with parts.database.begin() as session:
            assert session.scalar(select(func.count()).select_from(Cancellation)) == 1


STEPS = [
    "service.vault.Vault.erase",
    "service.rights.cancellation._erase",
    "service.rights.cancellation._receipt",
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.clause(
    "5.3 p2 b", partly="a crash at any step of a cancellation leaves all of it or, after a start, none"
)
def test_a_crash_before_any_step_leaves_the_account_whole_or_goes_on_at_the_next_start(tmp_path, step):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        account_id = add_account(parts, PHONE)
        fill(parts, account_id)
        with patch(step, side_effect=CrashError), pytest.raises(CrashError):
            cancel(parts, account_id, "settings")
        assert is_there(parts, account_id)
        has_key = not parts.vault.erased([account_id])
    with moved_parts(tmp_path, clock) as parts:
        assert is_there(parts, account_id) == has_key == (step == STEPS[0])
        assert any(rows_of(parts, account_id).values()) == has_key
        with parts.database.begin() as session:
            receipts = session.scalars(select(Cancellation)).all()
        assert [json.loads(one.document)["cause"] for one in receipts] == ([] if has_key else ["replayed"])


def test_a_database_with_another_key_store_is_not_taken_for_a_wish_to_erase(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        account_id = add_account(parts)
    for path in (tmp_path / "keys").iterdir():
        path.rename(tmp_path / path.name)
    with pytest.raises(SetupError, match="lacks keys"), moved_parts(tmp_path, clock):
        pass
    for name in ("keys.sqlite", "master.key"):
        (tmp_path / name).replace(tmp_path / "keys" / name)
    with moved_parts(tmp_path, clock) as parts:
        assert is_there(parts, account_id)


def test_jobs_are_stopped_before_and_after(tmp_path):
    """Before, for what runs; after, for what began while the rows went."""
    with moved_parts(tmp_path, MovedClock()) as parts:
        account_id, seen = add_account(parts), []
        with patch.object(type(parts.jobs), "stop", lambda _, one: seen.append(is_there(parts, one))):
            cancel(parts, account_id, "settings")
    assert seen == [True, False]


@pytest.mark.clause(
    "5.3(1)", partly="in the settings, at once: sessions and keys are dead, the receipt is there"
)
def test_a_person_cancels_in_the_settings(person):
    other = person.server.client(Authorization=f"Bearer {person.token}")
    assert person.http.post("/account/cancel").status_code == 401
    person.step_up()
    answer = person.http.post("/account/cancel")
    assert answer.status_code == 200
    receipt = answer.json()
    assert receipt["cause"] == "settings"
    with person.server.client() as anybody:
        public = b64decode(anybody.get("/receipt-key").json()["public_key"])
    assert is_genuine(answer.text, public)
    assert not is_genuine(answer.text.replace("settings", "mail"), public)
    for route in ("/me", "/consents", "/privacy/requests"):
        assert other.get(route).status_code == 401
    assert other.post("/account/cancel").status_code == 401
    with person.server.client() as anybody:
        assert anybody.get(f"/account/receipts/{receipt['id']}").json() == receipt
        assert anybody.get(f"/account/receipts/{'A' * 22}").status_code == 404
    other.close()
    with person.server.person(person.phone) as again:
        assert again.account != person.account
        assert again.http.get("/consents").json()["items"][0]["granted"] is False


def test_a_new_row_of_an_account_that_goes_meanwhile_is_refused_as_gone(tmp_path):
    with moved_parts(tmp_path, MovedClock()) as parts:
        account_id = add_account(parts)
        cancel(parts, account_id, "settings")
        key = {"id": "k", "token": b"1", "label": b"", "scopes": "", "created_at": parts.clock()}
        with pytest.raises(GoneError), parts.database.begin() as session:
            session.add(ApiKey(account_id=account_id, **key))


def test_the_service_shows_the_account_nowhere_while_its_rows_wait_to_be_replayed(tmp_path):
    with moved_parts(tmp_path, MovedClock()) as parts:
        account_id = add_account(parts, PHONE)
        with patch.object(cancellation, "_erase", side_effect=CrashError), pytest.raises(CrashError):
            cancel(parts, account_id, "settings")
        with parts.database.begin() as session:
            row = session.get(Account, account_id)
        with pytest.raises(GoneError):
            parts.vault.open(account_id, "accounts.phone", row.phone)
