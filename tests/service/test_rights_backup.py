"""A backup from before: what was cancelled stays cancelled, and the backup alone tells nobody anything."""

from datetime import UTC, datetime

import pytest

from service.accounts.store import Account, ApiKey
from service.vault import Vault
from tests.service.backups import backed_up
from tests.service.serving import WITHOUT_JOBS, Server

LABEL = "canary label of a key"
TEXT = "canary text that a person wrote"


def plant(person):
    """Leave something in every column that a person writes to; return what must not be found."""
    person.step_up()
    handle = person.http.get("/me").json()["handle"]
    person.consent()
    asked = {"kind": "question", "text": TEXT}
    assert person.http.post("/privacy/requests", json=asked).status_code == 201
    settings = person.server
    database = settings.database()
    vault = Vault(
        f"sqlite:///{settings.data}/keys/keys.sqlite",
        settings.data / "keys" / "master.key",
        lambda: datetime.now(UTC),
    )
    with database.begin() as session:
        session.add(
            ApiKey(
                id=person.account,
                account_id=person.account,
                token=person.account.encode(),
                label=vault.seal(person.account, "api_keys.label", LABEL),
                scopes="jobs:read",
                created_at=datetime.now(UTC),
            )
        )
    vault.close()
    database.close()
    shown = person.http.get("/privacy/export").text
    canaries = [person.phone, person.phone[3:], handle, LABEL, TEXT]
    assert all(canary in shown for canary in canaries)  # each is there, and can be read with the key
    return canaries


@pytest.mark.clause("5.3 p2 b", partly="a restored backup is purged at start of who was cancelled after it")
@pytest.mark.clause(
    "4.2.1 p2", partly="neither a backup nor the data folder holds what a person wrote in clear"
)
def test_a_restored_backup_brings_nobody_back(database, texts, tmp_path, request):
    with Server(tmp_path / "data", texts, database() | WITHOUT_JOBS) as server:
        gone, stays = server.person().sign_in(), server.person().sign_in()
        canaries = plant(gone)
        backup, restore = backed_up(server, tmp_path, request)
        assert gone.account.encode() in backup  # its row is in the backup
        files = b"".join(path.read_bytes() for path in server.data.rglob("*") if path.is_file())
        for canary in canaries:
            for held in (backup, files):
                assert canary.encode() not in held
                assert canary.encode().hex().encode() not in held  # as PostgreSQL writes bytes
        assert gone.http.post("/account/cancel").status_code == 200
        server.stop()
        restore()
        beside = server.database()
        with beside.begin() as session:
            assert session.get(Account, gone.account) is not None
        server.start()
        with beside.begin() as session:
            assert session.get(Account, gone.account) is None
            assert session.get(Account, stays.account) is not None
        beside.close()
        for person in (gone, stays):
            person.http.base_url = f"{server.url}/v1"
        assert gone.http.get("/me").status_code == 401
        assert stays.http.get("/me").json()["id"] == stays.account
        with server.person(gone.phone) as again:
            assert again.account != gone.account
        for person in (gone, stays):
            person.http.close()
