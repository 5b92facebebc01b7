"""The threat model names tests and numbers that are there."""

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import captives

from facekit import walls
from facekit.pool import Cells

TESTS = Path(__file__).parent
TEXT = (TESTS.parent / "docs" / "threat-model.md").read_text()


def names_in(file):
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_it_names_is_there():
    named = set(re.findall(r"`(test_\w+\.py)::(\w+)`", TEXT))
    assert len(named) > 40
    assert len(named) == len(set(re.findall(r"test_\w+\.py::\w+", TEXT)))
    for file, name in named:
        assert name in names_in(next(TESTS.rglob(file))), f"{file}::{name}"


def test_every_row_of_an_attack_names_a_test_or_says_that_nothing_holds_it():
    attacks = TEXT[TEXT.index("## Attackers") : TEXT.index("## The walls, exactly")]
    rows = [line.split("|")[1:-1] for line in attacks.splitlines() if line.startswith("|")]
    heads = [what.strip() for what, *_ in rows if re.fullmatch(r" -+ | what .*", what) or what == "---"]
    bare = [held.strip() for what, held, *_ in rows if what.strip() not in heads and "test_" not in held]
    assert len(rows) > 40
    assert {words for words in bare if not words.startswith("**nothing")} == {
        "cells write no core file; **nothing** locks memory",
        "as on the wire",
    }


def allowed():
    """List the system calls that the filter lets through, with how many rules on their arguments."""
    found = defaultdict(list)

    class Filter:
        def __init__(self, default):
            assert default == "refused"

        def add_rule(self, action, name, *arguments):
            if action == "allowed":
                found[name].append(arguments)

        def load(self):
            pass

    return found, SimpleNamespace(
        SyscallFilter=Filter,
        ALLOW="allowed",
        ERRNO=lambda _: "refused",
        EQ="=",
        MASKED_EQ="&=",
        Arg=lambda *what: what,
        Arch=SimpleNamespace(NATIVE=0),
        resolve_syscall=lambda *_: 0,
    )


def test_the_filter_is_as_large_as_it_says(monkeypatch):
    found, library = allowed()
    monkeypatch.setitem(sys.modules, "pyseccomp", library)
    walls._close_calls()
    free = [name for name, rules in found.items() if () in rules]
    words = re.search(r"(\d+) system calls with any arguments, (\d+) with some only", TEXT)
    assert [len(free), len(found) - len(free)] == [int(number) for number in words.groups()]
    assert len(captives.ATTEMPTS) > 30


def test_the_defaults_are_as_it_says():
    cells = Cells()
    assert (cells._leases, cells._queue, cells._lease_seconds, cells._seconds) == (16, 64, 60.0, 60.0)
    assert cells._kem == "x25519"
    assert walls.Limits() == walls.Limits(memory=2**30, cpu_seconds=60)
