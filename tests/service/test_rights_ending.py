"""The end of the service: told, then closed, then nothing left."""

import json
import secrets
import subprocess
import sys
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from sqlalchemy import delete, select

from service.accounts.store import Account
from service.errors import ConflictError
from service.ops.store import Ending
from service.policy.store import Notice
from service.retention import Keeper
from service.rights.ending import NOTICE, RECEIPT, announce, erase_all
from service.rights.receipts import is_genuine
from tests.service.moved import MovedClock, add_account, moved_parts
from tests.service.serving import WITHOUT_JOBS, Server
from tests.service.test_rights_retention import fill

PHONE = "+8613900000001"


def found(folder, canary):
    """Say which files of a folder hold a canary."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in paths if canary in path.read_bytes()]


@pytest.mark.clause("4.1b", partly="all accounts are told, a month before at least")
def test_the_end_is_announced_a_month_before_to_everybody_once(tmp_path):
    clock = MovedClock()
    with moved_parts(tmp_path, clock) as parts:
        accounts = {add_account(parts), add_account(parts)}
        with pytest.raises(ConflictError, match="30 days"):
            announce(parts, clock.now + NOTICE - timedelta(hours=1))
        assert announce(parts, clock.now + NOTICE) == 2
        with pytest.raises(ConflictError, match="already"):
            announce(parts, clock.now + 2 * NOTICE)
        with parts.database.begin() as session:
            told = [(one.account_id, one.kind, one.facts) for one in session.scalars(select(Notice))]
    facts = {"date": f"{clock.now + NOTICE:%Y-%m-%d}"}
    assert sorted(told) == sorted((one, "termination", facts) for one in accounts)


@pytest.mark.clause("4.1b", partly="from the last day on nothing new is taken in; who leaves still can")
def test_from_the_last_day_on_only_leaving_works(database, texts, tmp_path):
    with Server(tmp_path / "data", texts, database() | WITHOUT_JOBS) as server, server.person() as person:
        person.consent()
        beside = server.database()
        with beside.begin() as session:
            now = datetime.now(UTC)
            session.add(Ending(id=1, announced_at=now - NOTICE, ends_at=now))
        beside.close()
        for route in ("/me", "/consents"):
            answer = person.http.get(route)
            assert (answer.status_code, answer.json()["type"]) == (410, "/v1/problems/ended")
        assert person.http.delete("/consents/face.effect").status_code == 200
        stranger = server.person()
        stranger.http.headers["Facekit-Acceptance"] = stranger.accept()
        sent = stranger.http.post("/auth/otp", json={"phone": stranger.phone}).json()
        given = {
            "challenge": sent["challenge"],
            "phone": stranger.phone,
            "code": texts.code_for(stranger.phone),
        }
        assert stranger.http.post("/auth/otp/verify", json=given).status_code == 410
        stranger.http.close()
        with server.person(person.phone) as again:
            assert again.account == person.account
            again.step_up()
            assert again.http.get("/privacy/export").status_code == 200
            assert again.http.get("/policy").status_code == 200
            assert again.http.post("/account/cancel").status_code == 200


@pytest.mark.clause("4.1c", partly="keys, database, logs and files are gone; what is left is the receipt")
def test_after_the_end_nothing_is_left_but_the_receipt(tmp_path, database):
    clock, data = MovedClock(), tmp_path / "data"
    with moved_parts(data, clock, database()) as parts:
        account_id = add_account(parts, PHONE)
        fill(parts, account_id)
        parts.logs.pseudonym(account_id)
        (data / "logs" / "2027-01-04.jsonl").write_text(account_id)
        canaries = [account_id.encode(), parts.vault.index("phone", PHONE)]
        assert found(data, canaries[0])
        with parts.database.begin() as session:
            session.execute(delete(Ending))
        announce(parts, clock.now + NOTICE)
        public = parts.signer.public_bytes
        with pytest.raises(ConflictError, match="has not ended"):
            erase_all(parts)
        clock.now += NOTICE + timedelta(hours=1)
        keeper = Keeper(parts)
        keeper.start()
        with pytest.raises(ConflictError, match="still runs"):
            erase_all(parts)
        keeper.stop()
        path = erase_all(parts)
        assert [one.name for one in data.iterdir()] == [RECEIPT]
        receipt = path.read_text()
        assert is_genuine(receipt, public)
        document = json.loads(receipt)
        assert b64decode(document["public_key"]) == public
        assert {"what": "accounts", "rows": 1} in document["erased"]
        assert not any(found(data, canary) for canary in canaries)
        if not parts.database.is_sqlite:
            with parts.database.engine.connect() as connection:
                left = "select count(*) from information_schema.tables where table_schema = 'public'"
                assert connection.exec_driver_sql(left).scalar() == 0


def test_an_erasure_that_breaks_off_can_be_begun_again(tmp_path):
    clock, data = MovedClock(), tmp_path / "data"

    class CrashError(BaseException):
        pass

    with moved_parts(data, clock) as parts:
        account_id = add_account(parts, PHONE)
        announce(parts, clock.now + NOTICE)
        clock.now += NOTICE
        for step in ("service.vault.Vault.destroy", "service.rights.ending._wipe"):
            with patch(step, side_effect=CrashError), pytest.raises(CrashError):
                erase_all(parts)
            with moved_parts(data, clock) as again:  # a start in between goes well
                assert not _ids(again)
    with moved_parts(data, clock) as parts:
        erase_all(parts)
    assert [one.name for one in data.iterdir()] == [RECEIPT]
    assert not found(data, account_id.encode())


def test_the_command_announces_and_says_what_it_refuses(tmp_path):
    def run(*arguments):
        environment = {
            "FACEKIT_DATA": str(tmp_path / secrets.token_hex(4)),
            "PATH": "",
            "FACEKIT_SMS": "none",
        }
        command = [sys.executable, "-m", "service", "terminate", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    told = run("--date", "2099-01-31")
    assert (told.returncode, told.stdout) == (0, "the service ends on 2099-01-31; 0 accounts have a notice\n")
    assert run("--date", "soon").returncode == 2
    refused = run("--erase")
    assert refused.returncode == 3
    assert "has not ended" in refused.stderr


def _ids(parts):
    with parts.database.begin() as session:
        return session.scalars(select(Account.id)).all()
