"""What can be seen from inside only: erasing that resists, a database that fails, other replicas."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from living import eventually

from facekit.envelope import open_sealed, seal
from facekit.errors import ErasureError, InputError
from facekit.keys import KeyPair
from facekit.receipts import verify_receipt
from facekit.shelf import Shelf
from service.accounts.service import new_account
from service.app import make_parts
from service.caller import Caller
from service.clock import utc_now
from service.consent.service import choose
from service.consent.store import Choice
from service.errors import AbsentError, ClosedError, ConflictError, GoneError
from service.jobs import ledger, service, way
from service.jobs.live import Order
from service.jobs.store import Job, Receipt
from service.settings import Settings
from tests.service.photos import order as told

PATIENCE = 180  # seconds for what must come; how long it takes proves nothing


@contextmanager
def opened(folder, database=None, *, clock=utc_now, **more):
    """Open a room in this process, with cells that do as the photo says."""
    settings = {"data": folder / "data", "cells": 1, "standby": 1, **more}
    if database:
        settings["database_url"] = database["FACEKIT_DATABASE_URL"]
    parts = make_parts(Settings.load(**settings), clock=clock, works={"swap": "obedient:obey"})
    parts.jobs.start()
    try:
        assert eventually(lambda: parts.jobs.stock.is_up, PATIENCE)
        yield parts
    finally:
        parts.jobs.close()
        parts.gateway.close()
        parts.database.close()
        parts.vault.close()


@pytest.fixture
def parts(tmp_path, database):
    with opened(tmp_path, database()) as made:
        yield made


def somebody(parts):
    """Make an account that may begin jobs."""
    with parts.database.begin() as session:
        account = new_account(parts, session).id
    choose(parts, account, "purpose", "face.effect", granted=True)
    choose(parts, account, "permission", "album", granted=True)
    return account


def begin(parts, account, result_key=None):
    job_id = secrets.token_urlsafe(16)
    order = Order(account, "swap", "stamp", {}, "album", "me", result_key, None)
    ledger.begin(parts, job_id, parts.jobs.replica, order, None)
    return parts.jobs.lease(job_id, order)


class Fed:
    """A photo that is all there."""

    def __init__(self, *parts):
        self._parts = parts

    def parts(self):
        return iter(self._parts)

    def stop(self):
        pass


def hand_in(parts, job, photo, *, plain=False):
    feed = Fed(photo if plain else seal(photo, job.lease.public_key, job=job.id))
    job.take(feed)
    way.receive(parts.jobs, job, feed, len(photo), plain=plain)
    return job


def state(parts, job):
    return ledger.find(parts, job.id).state


def done(parts, account, **more):
    job = hand_in(parts, begin(parts, account, **more), told("echo", b"a result"))
    assert eventually(lambda: job.state == "done", PATIENCE)
    return job


# -- erasing that resists -----------------------------------------------------------------------


@pytest.mark.clause(
    "1.2.2(4)b", partly="where erasing fails there is no receipt, and it is tried until it succeeds"
)
def test_what_cannot_be_erased_is_tried_again_and_has_no_receipt_before(parts, monkeypatch):
    job = done(parts, somebody(parts))
    erase = Shelf.erase

    def refuse(self, duty, **_):
        raise ErasureError("the disk refuses")

    monkeypatch.setattr(Shelf, "erase", refuse)
    with pytest.raises(ErasureError):
        parts.jobs.end(job, "delivered")
    assert ledger.receipt(parts, job.id) is None
    assert job.result.read()
    with pytest.raises(GoneError):
        job.check()  # it is given out to nobody any more
    monkeypatch.setattr(Shelf, "erase", erase)
    assert eventually(lambda: state(parts, job) == "delivered", 30)
    receipt = verify_receipt(ledger.receipt(parts, job.id), parts.signer.public_bytes)
    assert "result-stored" in {row.what.value for row in receipt.erased}
    assert parts.jobs.jobs() == []


def test_a_database_that_fails_keeps_nothing_from_being_erased(parts, monkeypatch):
    job = done(parts, somebody(parts))
    finish = ledger.finish

    def fail(*_):
        raise OSError("no database")

    monkeypatch.setattr(ledger, "finish", fail)
    with pytest.raises(OSError, match="no database"):
        parts.jobs.end(job, "delivered")
    assert not list((parts.settings.data / "jobs" / "sealed").iterdir())
    monkeypatch.setattr(ledger, "finish", finish)
    assert eventually(lambda: state(parts, job) == "delivered", 30)


def test_the_first_to_end_a_job_says_how_it_ended(parts):
    job = done(parts, somebody(parts))
    assert parts.jobs.end(job, "delivered").outcome == "delivered"
    assert parts.jobs.end(job, "cancelled").outcome == "delivered"
    assert state(parts, job) == "delivered"


# -- other replicas -----------------------------------------------------------------------------


def withdraw_elsewhere(parts, account, kind, name):
    """Write a withdrawal as another replica does, which knows nothing of this one's jobs."""
    with parts.database.begin() as session:
        session.add(
            Choice(
                id="c" * 22,
                number=99,
                account_id=account,
                kind=kind,
                name=name,
                granted=False,
                digest="0" * 64,
                version="0" * 16,
                language="en",
                method="request",
                at=parts.clock(),
            )
        )


@pytest.mark.clause("5.4b", "1.3.8(3)", partly="at whichever replica it is withdrawn")
@pytest.mark.parametrize(("kind", "name"), [("purpose", "face.effect"), ("permission", "album")])
def test_what_is_withdrawn_at_another_replica_stops_here(parts, kind, name):
    account = somebody(parts)
    with ThreadPoolExecutor(1):
        leased, working = begin(parts, account), begin(parts, account)
    hand_in(parts, working, told("sleep", seconds=600))
    assert eventually(lambda: working.state == "running", PATIENCE)
    withdraw_elsewhere(parts, account, kind, name)
    for job in (leased, working):
        assert eventually(lambda job=job: state(parts, job) == "cancelled", 30)
    assert parts.jobs.jobs() == []


def test_what_another_replica_withdraws_is_seen_between_two_steps(parts):
    """With the watcher asleep, so that only the way itself looks."""
    parts.jobs._watcher.stop()
    account = somebody(parts)
    job = begin(parts, account)
    withdraw_elsewhere(parts, account, "purpose", "face.effect")
    hand_in(parts, job, told("echo"))
    assert eventually(lambda: state(parts, job) == "cancelled", 30)
    assert ledger.find(parts, job.id).problem == "no-consent"


def test_a_job_of_another_replica_is_sent_there(parts):
    account = somebody(parts)
    job = begin(parts, account)
    with parts.database.begin() as session:
        session.get(Job, job.id).replica = "f" * 32
    parts.jobs._jobs.clear()
    with pytest.raises(ClosedError, match="another process"):
        service.live(parts, parts.jobs, Caller("", account), job.id)
    assert service.view(ledger.find(parts, job.id), None).state == "leased"
    parts.jobs._jobs[job.id] = job


def test_two_processes_on_one_folder_leave_each_other_alone(tmp_path):
    with opened(tmp_path) as one, opened(tmp_path) as two:
        job = done(one, somebody(one))
        two.jobs.bury()
        assert state(two, job) == "done"
        assert one.jobs.replica != two.jobs.replica
        assert one.jobs.find(job.id) is job


def test_an_old_line_of_a_process_that_never_came_back_is_lost(parts):
    account = somebody(parts)
    job = begin(parts, account)
    with parts.database.begin() as session:
        line = session.get(Job, job.id)
        line.replica, line.created_at = "f" * 32, parts.clock() - timedelta(hours=2)
    parts.jobs.bury()
    assert state(parts, job) == "lost"


# -- lines and receipts -------------------------------------------------------------------------


@pytest.mark.clause("1.2.3b", partly="a receipt outlives the account's line, and names nobody")
def test_a_receipt_is_its_owners_while_the_ledger_knows_one_and_then_by_number_alone(parts):
    account, nobody = somebody(parts), Caller("203.0.113.0/24")
    job = done(parts, account)
    text = parts.jobs.end(job, "delivered").to_json()
    assert service.receipt(parts, Caller("", account), job.id) == text
    for other in (nobody, Caller("", somebody(parts))):
        with pytest.raises(AbsentError):
            service.receipt(parts, other, job.id)
    with parts.database.begin() as session:
        session.get(Job, job.id).account_id = None
    assert service.receipt(parts, nobody, job.id) == text
    with parts.database.begin() as session:
        session.delete(session.get(Job, job.id))
    assert service.receipt(parts, nobody, job.id) == text
    assert account not in text
    assert "account" not in " ".join(column.name for column in Receipt.__table__.columns)


def test_a_line_that_has_ended_stays_ended(parts):
    job = done(parts, somebody(parts))
    parts.jobs.end(job, "delivered")
    ledger.move(parts, job.id, state="running")
    assert state(parts, job) == "delivered"


# -- besides ------------------------------------------------------------------------------------


@pytest.mark.clause(
    "1.2.2(4)a", partly="a plain upload, where the operator allows it, is on the disk sealed only"
)
def test_a_plain_photo_is_sealed_as_it_comes_and_the_receipt_says_so(parts):
    account = somebody(parts)
    job = begin(parts, account)
    seen = []

    class Coming(Fed):
        def parts(self):
            yield told("echo", b"\xffcanary-37\xff" * 30_000)
            seen.extend(path.read_bytes() for path in (parts.settings.data / "jobs" / "sealed").iterdir())

    job.take(Coming())
    way.receive(parts.jobs, job, Coming(), 100, plain=True)
    assert eventually(lambda: job.state == "done", PATIENCE)
    assert seen
    assert seen[0].startswith(b"FKSE")
    assert b"canary-37" not in seen[0]
    assert ledger.find(parts, job.id).upload == "plain"
    receipt = parts.jobs.end(job, "delivered")
    assert receipt.upload == "plain"
    assert any("unsealed" in limit for limit in receipt.limits)


def test_a_picture_can_be_worked_on_without_a_job(parts):
    """As avatars are made: no account, no consent, no line in the ledger."""
    picture = bytearray(told("echo", b"a picture"))
    assert parts.jobs.work("swap", picture, {}) == b"a picture"
    assert not any(picture)
    with pytest.raises(InputError):
        parts.jobs.work("nothing", bytearray(b"x"), {})
    assert parts.jobs.jobs() == []


def test_a_result_for_the_client_is_not_opened(parts):
    with KeyPair.generate() as keys:
        job = done(parts, somebody(parts), result_key=keys.public_bytes)
        assert job.keys is None
        assert open_sealed(job.result.read(), keys, job=job.id, direction="result") == b"a result"
    parts.jobs.end(job, "delivered")


def test_two_who_read_share_what_is_opened_and_the_last_has_it_overwritten(parts):
    from service.jobs import reading

    job = done(parts, somebody(parts))
    assert reading.size_of(job) == len(b"a result")
    one, two = reading.chunks(job, 0, 8), reading.chunks(job, 2, 8)
    assert (next(one), next(two)) == (b"a result", b"result")
    held = job.opened
    assert held == b"a result"
    one.close()
    assert held == b"a result"
    two.close()
    assert job.opened is None
    assert not any(held)
    parts.jobs.end(job, "delivered")


def test_who_reads_while_a_job_ends_gets_too_little_and_not_zeros(parts):
    from service.jobs import reading

    job = done(parts, somebody(parts))
    reader = reading.chunks(job, 0, 8)
    original, reading._CHUNK = reading._CHUNK, 2
    try:
        assert next(reader) == b"a "
        parts.jobs.end(job, "cancelled")
        with pytest.raises(GoneError):
            next(reader)
    finally:
        reading._CHUNK = original


def test_a_photo_is_taken_once(parts):
    job = begin(parts, somebody(parts))
    job.take(Fed())
    with pytest.raises(ConflictError):
        job.take(Fed())
    parts.jobs.end(job, "cancelled")
    with pytest.raises(GoneError):
        job.take(Fed())


def test_nothing_of_a_job_stays_in_the_room(parts):
    import gc
    import weakref

    account = somebody(parts)
    jobs = []
    for _ in range(3):
        job = done(parts, account)
        parts.jobs.end(job, "delivered")
        jobs.append(weakref.ref(job.log))
        del job
    time.sleep(0.2)
    gc.collect()
    assert [one() for one in jobs] == [None, None, None]
    assert parts.jobs.jobs() == []
