"""Write docs/policy-coverage.md: which code makes each clause of the policy true, and which tests prove it.

    python tools/policy_coverage.py

Read from the sources alone: comments such as `# Clause 1.2.3b: why`, and marks such as
`@pytest.mark.clause("1.2.3b", partly="what it proves")`.
"""

import ast
import io
import re
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from facekit.policy import POLICY_DATE, POLICY_VERSION, Clause, Kind, clause, clauses

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "policy-coverage.md"
STATES = {
    "proved": "tests prove all of it",
    "partly": "tests prove a part of it, which the table names",
    "OPEN": "software could hold it, and no test proves any of it",
    "operator": "a duty of the operator; no test can prove it",
    "text only": "nothing needs to be proved",
}
PACKAGES = ("facekit", "service")
SETTINGS = ("pyproject.toml", "mkdocs.yml")
COMMENT = re.compile(r"#\s*Clauses? (.+?): ")
HEAD = """# What holds the policy

Made by `make policy-coverage` from version `{version}` of the [privacy policy](policy.md), of {date}.
Code says in a comment which clause it makes true, and a test says by a mark which it proves. This table shows
what the tests claim; that they pass is what `make test` shows.

Kinds: `F` a function, `D` a guarantee about data, `O` a duty of the operator, `L` a statement about the law.
A clause of kind `F` or `D` calls for a test. Of those {tested}, {open} are **open**, {partly} are proved in
part and {proved} as a whole. A clause of two kinds counts under both.

{states}
"""


@dataclass(frozen=True, slots=True)
class Proof:
    """A test that proves a clause, and what of it where that is not all."""

    test: str
    partly: str


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.relative_to(ROOT)}: {summary()}\n")
    return 0


def summary() -> str:
    """Say how many clauses are in which state."""
    proven = proofs()
    counts = Counter(state(one, proven) for one in clauses())
    return ", ".join(f"{counts[name]} {name}" for name in STATES)


def page() -> str:
    """Return the page as Markdown."""
    code, proven = enforcers(), proofs()
    states = {one: state(one, proven) for one in clauses()}
    called = Counter(found for one, found in states.items() if one.calls_for_a_test)
    head = HEAD.format(
        version=POLICY_VERSION,
        date=POLICY_DATE,
        tested=called.total(),
        open=called["OPEN"],
        partly=called["partly"],
        proved=called["proved"],
        states=counts(states),
    )
    return head + "".join(section(number, code, proven) for number in "P123456789")


def counts(states: Mapping[Clause, str]) -> str:
    """Count the clauses of each kind by state; one of two kinds counts in both."""
    lines = ["| state | means | clauses | " + " | ".join(f"`{kind}`" for kind in Kind) + " |"]
    lines.append("|---|---|---|" + "---|" * len(Kind))
    for name, means in STATES.items():
        those = [one for one, found in states.items() if found == name]
        numbers = [len(those), *(sum(kind in one.kinds for one in those) for kind in Kind)]
        lines.append(f"| {name} | {means} | " + " | ".join(map(str, numbers)) + " |")
    whole = [len(states), *(sum(kind in one.kinds for one in states) for kind in Kind)]
    lines.append("| all | | " + " | ".join(map(str, whole)) + " |")
    return "\n".join(lines)


def section(number: str, code: Mapping[str, Sequence[str]], proven: Mapping[str, Sequence[Proof]]) -> str:
    """Return one section's table."""
    lines = ["", "## Before you start" if number == "P" else f"## Section {number}", ""]
    lines += ["| clause | promises | kind | state | made true by | proved by |", "|---|---|---|---|---|---|"]
    for one in clauses(number):
        kinds = " ".join(f"`{kind}`" for kind in one.kinds)
        found = state(one, proven)
        shown = f"**{found}**" if found == "OPEN" else found
        where = "<br>".join(f"`{name}`" for name in code.get(one.id, ()))
        tests = "<br>".join(map(_cell, proven.get(one.id, ())))
        link = f"[{one.id}](policy.md#{one.anchor})"
        lines.append(f"| {link} | {one.title} | {kinds} | {shown} | {where} | {tests} |")
    return "\n".join(lines) + "\n"


def _cell(proof: Proof) -> str:
    return f"`{proof.test}`" + (f": {proof.partly}" if proof.partly else "")


def state(one: Clause, proven: Mapping[str, Sequence[Proof]]) -> str:
    """Return where a clause stands, one of STATES."""
    found = proven.get(one.id, ())
    if found:
        return "partly" if all(proof.partly for proof in found) else "proved"
    if one.calls_for_a_test:
        return "OPEN"
    return "operator" if Kind.OPERATOR in one.kinds else "text only"


# -- tests -----------------------------------------------------------------------------------


def proofs(root: Path = ROOT) -> dict[str, list[Proof]]:
    """Return the marked tests of each clause."""
    found: dict[str, list[Proof]] = defaultdict(list)
    for path in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text())
        marks = [node for node in ast.walk(tree) if _is_mark(node)]
        for test, mark in _marked(tree.body, path.relative_to(root / "tests").as_posix()):
            marks.remove(mark)
            partly = "".join(ast.literal_eval(word.value) for word in mark.keywords)
            for given in map(ast.literal_eval, mark.args):
                for one in clauses(given):
                    found[one.id].append(Proof(test, partly))
        if marks:
            raise ValueError(
                f"{path.name}:{marks[0].lineno}: a clause mark must stand above a test or a class"
            )
    return found


def _is_mark(node: ast.AST) -> TypeGuard[ast.Call]:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    return node.func.attr == "clause" and ast.unparse(node.func) == "pytest.mark.clause"


def _marked(body: Sequence[ast.stmt], place: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield the marks on tests and on classes of tests."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for mark in node.decorator_list:
                if _is_mark(mark):
                    yield f"{place}::{node.name}", mark
        if isinstance(node, ast.ClassDef):
            yield from _marked(node.body, f"{place}::{node.name}")


# -- code ------------------------------------------------------------------------------------


def enforcers(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the functions and settings files that say they make a clause true."""
    found: dict[str, list[str]] = defaultdict(list)
    for place, ids in _named(root):
        for given in ids.split(", "):
            held = found[clause(given).id]
            if place not in held:
                held.append(place)
    return found


def _named(root: Path) -> Iterator[tuple[str, str]]:
    """Yield places and what their comments name."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            text = path.read_text()
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type == tokenize.COMMENT and (found := COMMENT.match(token.string)):
                    module = path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
                    names = _around(ast.parse(text).body, token.start[0])
                    yield ".".join([module.removesuffix(".__init__"), *names]), found[1]
    for name in SETTINGS:
        for found in COMMENT.finditer((root / name).read_text()):
            yield name, found[1]


def _around(body: Sequence[ast.stmt], line: int) -> Iterator[str]:
    """Yield the names of the classes and functions that hold a line, from without to within."""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            yield node.name
            yield from _around(node.body, line)


if __name__ == "__main__":
    sys.exit(main())
