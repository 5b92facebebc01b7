"""A trimmed process is smaller, in larger pages, and goes on as if nothing had happened."""

import json
import subprocess
import sys

import pytest

from facekit import trimming

SCRIPT = """
import ctypes, hashlib, json, mmap, sys
import numpy as np
from facekit.trimming import trim

def sizes():
    lines = open("/proc/self/smaps_rollup").read().splitlines()[1:]
    found = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return {name: found[name] for name in ("Rss", "Anonymous", "AnonHugePages")}

large = np.random.default_rng(1).integers(0, 256, 16 * 2**20, np.uint8)
changed = mmap.mmap(-1, 2**20)
changed[:] = b"a face" * (2**20 // 6) + b"face"
before, digests = sizes(), [hashlib.sha256(part).hexdigest() for part in (large, changed)]
again = bytes(range(256)) * 4096
trim()
after = sizes()
assert digests == [hashlib.sha256(part).hexdigest() for part in (large, changed)]
assert bytes(range(256)) * 4096 == again
assert np.linalg.norm(np.linalg.inv(np.eye(50) * 2) - np.eye(50) / 2) < 1e-9  # code of libraries comes back
print(json.dumps([before, after]))
"""


def test_what_is_a_files_goes_and_what_is_ones_own_stays():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    before, after = json.loads(run.stdout)
    assert after["Rss"] - after["Anonymous"] < (before["Rss"] - before["Anonymous"]) / 2
    assert after["Anonymous"] >= 16 * 1024


def test_ranges_are_read_as_the_kernel_tells_of_them():
    told = (
        "55d0-55e0 r-xp 00000000 fe:00 131 /usr/lib/a library.so\n"
        "Size:   4 kB\nAnonymous:             0 kB\nVmFlags: rd ex mr\n"
        "55f0-5600 r--p 00000000 fe:00 131 /usr/lib/a library.so\nAnonymous:             8 kB\nVmFlags: rd\n"
        "7f00-7fff rw-p 00000000 00:00 0 \nAnonymous:          4096 kB\nAnonHugePages:   2048 kB\n"
    )
    code, relocated, heap = trimming._ranges(told)
    assert (code.start, code.end, code.mode, code.of_file, code.own) == (0x55D0, 0x55E0, "r-xp", True, 0)
    assert (relocated.of_file, relocated.own) == (True, 8)
    assert (heap.of_file, heap.own, heap.mode) == (False, 4096, "rw-p")


@pytest.mark.parametrize(
    ("mode", "of_file", "own", "advised"),
    [
        ("r-xp", True, 0, "MADV_DONTNEED"),
        ("r-xp", True, 4, None),  # changed when it was loaded: its file does not have it
        ("rw-p", True, 0, None),
        ("rw-s", True, 0, None),
        ("rw-p", False, 4096, "MADV_COLLAPSE"),
        ("rw-p", False, 1000, None),
        ("---p", False, 0, None),
    ],
)
def test_only_what_loses_nothing_is_touched(monkeypatch, mode, of_file, own, advised):
    calls = []
    part = trimming._Range(4 * 2**20, 8 * 2**20, mode, of_file, own)
    monkeypatch.setattr(trimming, "_ranges", lambda _: [part])
    monkeypatch.setattr(trimming, "_advise", lambda *call: calls.append(call))
    trimming.trim()
    advice = {trimming.mmap.MADV_DONTNEED: "MADV_DONTNEED", trimming._COLLAPSE: "MADV_COLLAPSE"}
    assert [advice[call[2]] for call in calls] == ([advised] if advised else [])


def test_where_the_kernel_tells_nothing_nothing_happens(monkeypatch):
    calls = []
    monkeypatch.setattr(trimming, "_SMAPS", trimming.Path("/nowhere"))
    monkeypatch.setattr(trimming, "_advise", lambda *call: calls.append(call))
    trimming.trim()
    assert not calls
