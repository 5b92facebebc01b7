"""Stores that are used, broken and killed: apart from the tests, so that processes start quickly.

As a program, ``python -m tests.erasing NAME FOLDER``, it runs one function below and prints what that
returns, as JSON.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial, wraps
from pathlib import Path

from facekit import shelf as shelf_module
from facekit import wiping
from facekit.envelope import KeyPair, seal
from facekit.errors import ErasureError, PrivacyError
from facekit.ledger import Ledger
from facekit.privacy import Store
from facekit.shelf import Shelf

PAIR = KeyPair.generate()
LONG = 3600.0  # seconds between sweeps, where the test sweeps by itself
STEPS = ("open", "write", "pwrite", "pread", "fsync", "unlink", "close", "stat", "fstat")


class Clock:
    """A clock that can be set."""

    def __init__(self):
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_by(self, **time):
        self.now += timedelta(**time)


def envelope(size=300, direction="upload"):
    return seal(os.urandom(size), PAIR.public_bytes, job="41c8", direction=direction)


def on_disk(folder):
    return {path.name for path in Path(folder, "sealed").iterdir()}


def in_ledger(folder):
    return {duty.file for duty in Ledger(Path(folder, "ledger.sqlite")).duties()}


def orphans(folder):
    """Return the files for which nobody has taken on the duty to erase."""
    if not Path(folder, "sealed").exists():
        return set()
    return on_disk(folder) - in_ledger(folder)


def work(folder):
    """Do one job, with all that a store does for one."""
    with Store(folder, sweep_every=LONG) as store, store.scratch() as scratch:
        whole = envelope()
        scratch.keep("upload-stored", iter((whole[:200], whole[200:])))
        scratch.erase("upload-stored")
        scratch.keep("result-stored", envelope(direction="result"))
    return scratch.receipt


def abandon(store):
    """Let go of a store as its process would by dying."""
    store._stop.set()
    store._sweeper.join()
    store._shelf._run.let_go()


def is_emptied(folder):
    """Start a store where others died, and say whether it leaves nothing."""
    with Store(folder, sweep_every=LONG) as store:
        return not on_disk(folder) and not store.open_duties() and len([*Path(folder, "runs").iterdir()]) == 1


# -- what breaks the erasing -----------------------------------------------------------------


def without_overwriting():
    wiping._overwrite = lambda _: None


def without_unlinking():
    os.unlink = lambda *_, **__: None


def with_the_duty_after_the_file():
    real_add, real_write, waiting = Ledger.add, Shelf._write, []
    Ledger.add = lambda self, duty: waiting.append((self, duty))
    Ledger.claim = lambda _self, _file, create: create()

    def write_then_add(self, duty, parts):
        size = real_write(self, duty, parts)
        real_add(*waiting.pop())
        return size

    Shelf._write = write_then_add


def with_the_row_struck_out_first():
    real = shelf_module.erase_entry

    def erase(self, duty, *, wait=True):
        self._ledger.retire(duty.file, lambda: True)
        real(self._sealed, duty.file, wait=wait)

    Shelf.erase = erase


# -- killed ----------------------------------------------------------------------------------


def die_at(number):
    """Kill this process before its call of that number to the disk or to the ledger."""
    left = [number]

    def step():
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def stepping(real):
        @wraps(real)
        def call(*args, **options):
            step()
            return real(*args, **options)

        return call

    class Stepping(sqlite3.Connection):
        execute = stepping(sqlite3.Connection.execute)

    for name in STEPS:
        setattr(os, name, stepping(getattr(os, name)))
    sqlite3.connect = partial(sqlite3.connect, factory=Stepping)


def in_a_child(action):
    """Do something in a forked process; return how that ended."""
    child = os.fork()
    if not child:
        try:
            action()
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def kill_at_each_step(folder):
    """Do a job again and again, killed one step later each time; return what was found."""
    found = {"steps": 0, "with_files": 0, "orphans": 0, "left": 0}

    def job(number):
        die_at(number)
        work(folder)
        os._exit(0)

    number = 1
    while in_a_child(partial(job, number)):
        found["steps"] = number
        found["orphans"] += bool(orphans(folder))
        found["with_files"] += Path(folder, "sealed").exists() and bool(on_disk(folder))
        found["left"] += not is_emptied(folder)
        number += 1
    return found


def kill_after_the_duty_was_late(folder):
    with_the_duty_after_the_file()
    return kill_at_each_step(folder)


def kill_after_the_row_went_first(folder):
    with_the_row_struck_out_first()
    return kill_at_each_step(folder)


def kill_at_random(folder, rounds=12):
    """Kill a process that does job after job, at random moments."""
    found = {"rounds": 0, "with_files": 0, "orphans": 0, "left": 0}

    def jobs(told):
        with Store(folder, sweep_every=0.01) as store:
            os.write(told, b"!")
            while True:
                with store.scratch() as scratch:
                    scratch.keep("upload-stored", envelope(200_000))
                    scratch.keep("result-stored", envelope(100_000, "result"))
                    scratch.erase("upload-stored")

    for _ in range(rounds):
        heard, told = os.pipe()
        child = os.fork()
        if not child:
            jobs(told)
        os.read(heard, 1)
        time.sleep(random.uniform(0, 0.06))  # noqa: S311 (any moment will do)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(heard)
        os.close(told)
        found["rounds"] += 1
        found["with_files"] += bool(on_disk(folder))
        found["orphans"] += bool(orphans(folder))
        found["left"] += not is_emptied(folder)
    return found


def kill_the_owner_of_a_child(folder):
    """Kill a process that has a store, while one that was forked from it lives on."""
    heard, told = os.pipe()
    owner = os.fork()
    if not owner:
        store = Store(folder, sweep_every=LONG)
        store.start()
        store.scratch().keep("upload-stored", envelope())
        child = os.fork()
        if child:
            os.write(told, str(child).encode())
        time.sleep(60)
        os._exit(0)
    child = int(os.read(heard, 20))
    os.kill(owner, signal.SIGKILL)
    os.waitpid(owner, 0)
    os.kill(child, 0)  # which lives
    found = {"before": len(on_disk(folder)), "emptied": is_emptied(folder)}
    os.kill(child, signal.SIGKILL)
    return found


def leave_in_a_child(folder):
    """Leave a Scratch in a forked process, which must not erase what is not its own."""
    with Store(folder, sweep_every=LONG) as store, store.scratch() as scratch:
        kept = scratch.keep("upload-stored", envelope())
        held = scratch.hold(bytearray(b"a face"), "upload-held")

        def leave():
            with suppress(PrivacyError):
                store.scratch().keep("upload-stored", envelope())
                os._exit(2)
            with suppress(SystemExit), scratch:
                raise SystemExit
            store.close()
            os._exit(3 if not held.startswith(b"a face") else 0)

        status = in_a_child(leave)
        return {"status": status, "there": len(kept.read()), "held": held.decode()}


# -- broken ----------------------------------------------------------------------------------


def fill_up(folder):
    """Fill the disk; return what empties it again."""
    path = Path(folder, "sealed").parent.parent / "filler"
    with path.open("wb", buffering=0) as filler:
        with suppress(OSError):
            while True:
                filler.write(bytes(4096))
        with suppress(OSError):
            while True:
                filler.write(b"\0")
    return path.unlink


def make_read_only(folder):
    mount = ["mount", "-o"]
    place = str(Path(folder).parent)
    subprocess.run([*mount, "remount,ro", place], check=True)
    return partial(subprocess.run, [*mount, "remount,rw", place], check=True)


def forbid_unlinking(folder):
    Path(folder, "sealed").chmod(0o500)
    return partial(Path(folder, "sealed").chmod, 0o700)


def forbid_opening(folder):
    (file,) = Path(folder, "sealed").iterdir()
    file.chmod(0)
    return partial(file.chmod, 0o600)


def break_and_mend(fault, folder):
    """Try to erase while something is wrong, and again when it is not; return what happened."""
    clock, found = Clock(), {}
    with Store(folder, sweep_every=LONG, clock=clock) as store:
        scratch = store.scratch()
        scratch.keep("result-stored", envelope(100, "result"))
        held = scratch.hold(bytearray(b"a face"), "result-held")
        mend = fault(folder)
        try:
            scratch.close()
        except ErasureError as error:
            found["said"] = str(error)
        found["held"] = held.decode()
        found["duties"] = len(store.open_duties())
        with suppress(PrivacyError):
            found["receipt"] = bool(scratch.receipt)
        clock.pass_by(minutes=10)
        found["swept"] = [swept.erased for swept in store.reconcile()]
        try:
            with store.scratch() as other:
                other.keep("upload-stored", envelope(20_000))
        except PrivacyError as error:
            found["keeping"] = str(error)
        mend()
        store.reconcile()
        found["left"] = len(on_disk(folder)) + len(store.open_duties())
        scratch.close()
        found["then"] = [row.what for row in scratch.receipt.erased]
    return found


def full_disk(folder):
    return break_and_mend(fill_up, folder)


def read_only_disk(folder):
    return break_and_mend(make_read_only, folder)


def as_nobody(folder):
    """Drop the rights of root, before which no permission is missing."""
    if not os.geteuid():
        Path(folder).mkdir(mode=0o700)
        os.chown(folder, 65534, 65534)
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def no_right_to_unlink(folder):
    as_nobody(folder)
    return break_and_mend(forbid_unlinking, folder)


def no_right_to_open(folder):
    as_nobody(folder)
    return break_and_mend(forbid_opening, folder)


def run(name, folder, *, within=(), timeout=120):
    """Run a function of this module in a process of its own; return what it returned."""
    command = [*within, sys.executable, "-m", "tests.erasing", name, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(globals()[sys.argv[1]](sys.argv[2])))
