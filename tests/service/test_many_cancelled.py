"""Fifty people cancel at random moments, with jobs in flight: nothing of them is left, others go on."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import reduce
from itertools import cycle
from operator import add
from pathlib import Path

import pytest
from sqlalchemy import func, select

from facekit.envelope import KeyPair, open_sealed
from facekit.residue import find_residue
from service.database import Base
from service.datamap import kept_tables
from tests.service.backups import backed_up
from tests.service.photos import Photo, allow, begin, put, sealed, wait_for
from tests.service.serving import Server

MANY, OTHERS, PHOTOS, MINUTE = 50, 3, 4, 60.0
SETTINGS = {"FACEKIT_LEASES": "64", "FACEKIT_STANDBY": "4", "FACEKIT_LEASE_SECONDS": "600"}


@pytest.fixture
def crowded(database, texts, tmp_path):
    with Server(tmp_path / "data", texts, database() | SETTINGS) as server:
        yield server


class Guest:
    """Somebody with a photo and, at the moment of cancelling, a job that is somewhere on its way."""

    def __init__(self, server, photo, chance):
        self.person, self.photo, self._chance = server.person().sign_in(), photo, chance
        allow(self.person)
        self.person.step_up()
        self.handle = self.person.http.get("/me").json()["handle"]

    def begin(self, how_far):
        """Go as far as: a lease, half way up, waiting or working, done."""
        self.job = begin(self.person)
        if how_far != "leased":
            body = sealed(self.job, self.photo.file)
            assert put(self.person, self.job, body).status_code in (202, 429)
        if how_far == "done":
            wait_for(self.person, self.job, "done", "failed")

    def cancel(self):
        """Cancel at some moment; return how long that took."""
        time.sleep(self._chance.uniform(0, 2))
        start = time.monotonic()
        answer = self.person.http.post("/account/cancel")
        assert answer.status_code == 200, answer.text
        return time.monotonic() - start

    @property
    def words(self):
        return (self.person.phone, self.person.phone[1:], self.handle)


def rows_about(server, account_ids):
    """Count what the database has of accounts, over all tables that could."""
    database, found = server.database(), {}
    kept = kept_tables(Base)
    with database.begin() as session:
        for table in Base.metadata.sorted_tables:
            column = table.c.get(kept[table.name].account) if table.name in kept else None
            if column is not None:
                count = session.scalar(select(func.count()).select_from(table).where(column.in_(account_ids)))
                found |= {table.name: count} if count else {}
    database.close()
    return found


def written(server):
    return b"".join(path.read_bytes() for path in server.data.rglob("*") if path.is_file())


@pytest.fixture
def guests(crowded):
    """Fifty who will cancel, and a few who will not."""
    chance = random.Random(4711)  # noqa: S311 (nothing depends on it)
    photos, shared = [Photo(seed) for seed in range(PHOTOS)], Photo(PHOTOS)
    all_photos = [photos[number % PHOTOS] for number in range(MANY)] + [shared] * OTHERS
    with ThreadPoolExecutor(8) as hands, ExitStack() as doors:
        made = list(hands.map(lambda photo: Guest(crowded, photo, chance), all_photos))
        for guest in made:
            doors.callback(guest.person.http.close)
        yield made[:MANY], made[MANY:]


@pytest.mark.clause(
    "5.3(1)", "5.3 p2 b", "5.4b", partly="of fifty at once, with jobs in flight, also after a restore"
)
def test_of_fifty_who_cancel_with_jobs_in_flight_nothing_is_left(crowded, guests, tmp_path, request):
    leaving, others = guests
    keys = [KeyPair.generate() for _ in others]
    for other, pair in zip(others, keys, strict=True):
        other.job = begin(other.person, keys=pair)
        put(other.person, other.job, sealed(other.job, other.photo.file))
    with ThreadPoolExecutor(8) as hands:
        list(hands.map(Guest.begin, leaving, cycle(("leased", "working", "working", "done"))))
        gone = [guest.person.account for guest in leaving]
        assert set(rows_about(crowded, gone)) >= {"accounts", "sessions", "jobs", "choices"}  # all was there
        backup, restore = backed_up(crowded, tmp_path, request)
        assert all(account.encode() in backup for account in gone)
        assert max(hands.map(Guest.cancel, leaving)) < MINUTE
    nothing_left(crowded, leaving)
    for other, pair in zip(others, keys, strict=True):
        untouched(other, pair)
    crowded.stop()
    restore()
    assert set(rows_about(crowded, gone)) >= {"accounts", "sessions"}
    crowded.start()
    assert rows_about(crowded, gone) == {}
    assert rows_about(crowded, [other.person.account for other in others])["accounts"] == OTHERS


def nothing_left(server, guests):
    """Look at every place there is: rows, files, and the memory of all processes."""
    assert rows_about(server, [guest.person.account for guest in guests]) == {}
    files = written(server)
    for guest in guests:
        assert guest.person.http.get("/me").status_code == 401
        assert not any(word.encode() in files for word in guest.words)
    canaries = reduce(add, [guest.photo.canaries for guest in guests[:PHOTOS]])
    report = find_residue(canaries, folders=[server.data], processes=family(server.process.pid), usual=False)
    assert not report.hits, str(report)


def untouched(other, pair):
    """Somebody else's job goes on to its end, and opens."""
    assert wait_for(other.person, other.job, "done")["state"] == "done"
    body = other.person.http.get(f"/jobs/{other.job['id']}/result").content
    assert open_sealed(body, pair, job=other.job["id"], direction="result")[:4] == b"RIFF"
    assert other.person.http.delete(f"/jobs/{other.job['id']}").status_code == 200


def family(pid):
    """Return a process and all that come from it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)
