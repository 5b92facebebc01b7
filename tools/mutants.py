"""Change one number at a time in the numerics, and see which notebook notices.

A notebook that claims something about the code must fail when the code is changed. So each number in
warp, blend, colour and swap is changed in a copy of the package, and the notebooks are run against
that copy by nbval: a claim that fails, a picture that is not as its reference, or a line of text
that differs kills the mutant. What no notebook notices survives, and is listed.

Claims about speed do not count: the sections "How fast is it?" are left out.
"""

import argparse
import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from xml.etree import ElementTree as ET

import nbformat

ROOT = Path(__file__).parent.parent
OUT = ROOT / "out" / "mutants.md"
WORKERS = 2
CELL_LIMIT = 240  # seconds; a mutant may run for ever, and a kernel that is gone does not say so
LIMIT = 900  # seconds, for a notebook

# What makes up each part, and the notebooks that may notice, the likeliest first.
SUBJECTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "warp": (
        ("warp", "mesh", "scanline", "planes", "rasterise", "texture", "sampling", "bilinear"),
        ("20", "60", "00", "40"),
    ),
    "blend": (
        (
            *("blend", "multigrid", "grids", "grid_pixels", "grid_lists", "grid_stencils"),
            *("readout", "guidance"),
        ),
        ("30", "60", "00"),
    ),
    "colour": (("colour", "tone", "typical", "pixels", "pixel_rows"), ("40", "60", "00")),
    "swap": (("swap", "place", "segment", "growing"), ("60", "40", "00", "20")),
}

# Numbers that are names: another one would be another thing, not more or less of it.
NAMES: Mapping[str, str] = {
    "grid_pixels.UNKNOWN, ALIKE": "bits",
    "grid_pixels.OUTSIDE, RIM, ODD, COMMON, HIDDEN, GHOST": "classes",
    "grids.PIXELS, RUNS, ODDS, TRANSFERS, PIECES, GHOSTS, PROBES, SPANS, HIDDENS": "columns",
    "bilinear.BYTE, SHORT, INT": "types",
    "multigrid.TWO, THREE, SIX": "what they say",
    "readout.THREE, SIX": "what they say",
    "segment.CHEEKS": "numbers of landmarks",
    "tone.TO_XYZ": "an axis",
    "tone.FROM_XYZ": "an axis",
}

# Numbers that may be others without another result; the run shows that no notebook notices.
SAME: Mapping[str, str] = {
    "warp.ROUNDING": "for rounding; any number as small does",
    "sampling.LEAST": "rows for a thread",
    "scanline.FARTHEST": "a limit, far outside any picture",
    "sampling.sample(shrink)": "up to 1.25, nothing is smoothed",
    "texture.PART": "bits behind the point; these many are enough",
    "texture.FARTHEST": "a limit, far outside any picture",
    "blend.MAX_CYCLES": "a limit; the iteration ends before",
    "blend.MAX_ITERATIONS": "a limit; the iteration ends before",
    "blend.STRIP": "pixels for a thread",
    "multigrid.SLOW": "when to change the method; either one's solution is checked",
    "multigrid.TINY": "guards a division by zero",
    "multigrid.PART": "values added up at a time",
    "grid_stencils.STIFF": "large enough, as its comment says",
    "grid_pixels.FEW": "unknowns that are solved by an inverse, or on one more grid",
    "readout.RING": "rows kept, of which six are used",
    "readout.PAD": "room beside a row",
    "tone.LINEAR": "entries of a table, of which 256 are used",
    "tone.DIMMING [2]": "what is left to white at white: nothing, or almost",
    "typical.CLASSES": "classes, to find a median sooner",
    "typical.FEW": "values that are sorted at once",
    "pixels.FINE": "steps of a table; between them it is interpolated",
    "pixels.LEAST_ROWS": "rows for a thread",
    "pixel_rows.EXP2 [3]": "where a polynomial is fitted; twice as far, it still is good enough for bytes",
    "place.PADDING": "the box that is worked in; larger than needed",
    "growing.FARTHEST": "a limit, far outside any picture",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One number, and what it is changed to."""

    module: str
    name: str  # of the constant or the parameter, and which of its numbers where it has several
    line: int  # from 0
    start: int  # bytes
    stop: int
    was: str
    became: str

    @property
    def key(self) -> str:
        """What tables call it."""
        return f"{self.module}.{self.name}"

    @property
    def reason(self) -> str:
        """Why nothing is to be noticed; empty where something is."""
        return SAME.get(self.key, SAME.get(self.key.partition(" [")[0], ""))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: which notebook failed first, and at what; empty where none did."""

    mutant: Mutant
    notebook: str = ""
    claim: str = ""


# -- what to change ------------------------------------------------------------------------


def find(source: str, module: str, *, everything: bool = False) -> list[Mutant]:
    """Find the numbers of a module."""
    found = []
    for name, numbers in _places(ast.parse(source), everything):
        if f"{module}.{name}" in NAMES:
            continue
        for k, number in enumerate(numbers):
            many = f" [{k + 1}]" if len(numbers) > 1 else ""
            was = str(ast.get_source_segment(source, number))
            start, stop = number.col_offset, number.end_col_offset or 0
            found.append(
                Mutant(module, name + many, number.lineno - 1, start, stop, was, changed(number.value))
            )
    return found


def changed(value: Any) -> str:
    """Change a number so that it can be seen.

    Parameters
    ----------
    value : int or float
        Of a literal, so not negative.

    Returns
    -------
    str
        Another number of the same type; what may be a share stays one.

    Examples
    --------
    >>> [changed(value) for value in (0.0, 1.0, 2.5, 3, 256)]
    ['0.3', '0.7', '3.25', '4', '333']
    """
    if isinstance(value, int):
        return repr(value + 1 if value < 16 else round(1.3 * value))
    if value == 0:
        return "0.3"
    return repr(float(f"{(0.7 if 0.77 < value <= 1 else 1.3) * value:.6g}"))


def applied(mutant: Mutant, source: str) -> str:
    """Change the number, and nothing else."""
    lines = source.encode().splitlines(keepends=True)
    line = lines[mutant.line]
    if line[mutant.start : mutant.stop] != mutant.was.encode():
        raise ValueError(f"{mutant.key}: expected {mutant.was} in line {mutant.line + 1}")
    lines[mutant.line] = line[: mutant.start] + mutant.became.encode() + line[mutant.stop :]
    return b"".join(lines).decode()


def _places(tree: ast.Module, everything: bool) -> Iterator[tuple[str, list[ast.Constant]]]:
    """Yield constants, then defaults, with their numbers."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names = [part.id for part in ast.walk(node.targets[0]) if isinstance(part, ast.Name)]
            if all(re.fullmatch(r"[A-Z][A-Z0-9_]*", name) for name in names):
                yield ", ".join(names), _numbers(node.value)
    for part in ast.walk(tree):
        if isinstance(part, ast.FunctionDef):
            yield from _of_function(part, everything)


def _of_function(node: ast.FunctionDef, everything: bool) -> Iterator[tuple[str, list[ast.Constant]]]:
    given, named = [*node.args.posonlyargs, *node.args.args], node.args.kwonlyargs
    with_default = given[len(given) - len(node.args.defaults) :] + named
    for argument, default in zip(with_default, [*node.args.defaults, *node.args.kw_defaults], strict=True):
        if isinstance(default, ast.Constant):
            yield f"{node.name}({argument.arg})", _numbers(default)
    if everything:
        yield f"{node.name}", [n for part in node.body for n in _telling(part)]


def _numbers(node: ast.AST) -> list[ast.Constant]:
    found = [part for part in ast.walk(node) if isinstance(part, ast.Constant) and _is_number(part.value)]
    return sorted(found, key=lambda part: (part.lineno, part.col_offset))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _telling(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield numbers that are no index, no axis and no part of a message, and neither 0, 1 nor 2 if whole."""
    if isinstance(node, ast.JoinedStr | ast.FunctionDef):
        return
    if isinstance(node, ast.Constant):
        value: Any = node.value
        if _is_number(value) and (isinstance(value, float) or value > 2):
            yield node
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.Subscript) and child is node.slice:
            continue
        if isinstance(child, ast.keyword) and child.arg in ("axis", "connectivity", "shift"):
            continue
        yield from _telling(child)


# -- what to run ---------------------------------------------------------------------------


class Place:
    """A copy of the package and the notebooks, in which one mutant at a time is tried."""

    def __init__(self, root: Path, folder: Path) -> None:
        folder.mkdir(parents=True)
        leave = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "*.nbi", "*.nbc")
        for name in ("facekit", "notebooks", "templates"):
            if (root / name).exists():
                shutil.copytree(root / name, folder / name, ignore=leave)
        (folder / "pytest.ini").write_text("[pytest]\n")
        self.folder, self.kept = folder, folder / "kept"
        self.kept.mkdir()
        self.books = {path.name[:2]: path for path in sorted((folder / "notebooks").glob("*.ipynb"))}
        self.importers = _importers(folder / "facekit")

    def baseline(self, numbers: Sequence[str]) -> None:
        """Run notebooks against the package as it is, and keep what was compiled."""
        for number in numbers:
            claim = self.run(number, self.kept)
            if claim:
                raise RuntimeError(f"notebook {number} fails without any mutant: {claim}")

    def try_out(self, mutant: Mutant, numbers: Sequence[str]) -> Verdict:
        """Run notebooks against a mutant until one fails, then undo it."""
        path = self.folder / "facekit" / f"{mutant.module}.py"
        source, cache = path.read_text(), self.folder / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        path.write_text(applied(mutant, source))
        try:
            # Compiled code holds the constants of the modules that it was compiled from.
            stale = tuple(f"{name}." for name in self.importers[mutant.module])
            shutil.copytree(
                self.kept,
                cache,
                ignore=lambda _, names: [name for name in names if name.startswith(stale)],
            )
            for number in numbers:
                claim = self.run(number, cache)
                if claim:
                    return Verdict(mutant, self.books[number].stem, claim)
            return Verdict(mutant)
        finally:
            path.write_text(source)
            shutil.rmtree(cache, ignore_errors=True)

    def run(self, number: str, cache: Path) -> str:
        """Run a notebook; return the claim that failed, or nothing."""
        book, report = self.books[number], self.folder / "report.xml"
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-p", "nbval.plugin", "-p", "no:cacheprovider", "-x"]
        command += ["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={CELL_LIMIT}", "--color=no"]
        command += [f"--deselect={cell}" for cell in speed_cells(book, self.folder)]
        settings = {
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # loads sooner
            "PYTHONPATH": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",  # a mutant may have its original's size and second
            "NUMBA_CACHE_DIR": str(cache),
        }
        with subprocess.Popen(  # noqa: S603
            [*command, f"--junitxml={report}", str(book)],
            cwd=self.folder,
            env=os.environ | settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return "does not end"
        if process.returncode == 0:
            return ""
        return failed_claim(report) if report.exists() else f"pytest ended with {process.returncode}"


def _importers(package: Path) -> dict[str, set[str]]:
    """Return for each module all that import it, at whatever remove, and itself."""
    direct: dict[str, set[str]] = {}
    for path in package.glob("*.py"):
        names = set(re.findall(r"^\s*from facekit\.(\w+) import", path.read_text(), re.MULTILINE))
        for line in re.findall(r"^\s*from facekit import (.*)$", path.read_text(), re.MULTILINE):
            names |= set(re.findall(r"\w+", line))
        for name in names:
            direct.setdefault(name, set()).add(path.stem)
    found = {}
    for path in package.glob("*.py"):
        reached, new = {path.stem}, [path.stem]
        while new:
            more = direct.get(new.pop(), set()) - reached
            reached |= more
            new += more
        found[path.stem] = reached
    return found


def speed_cells(book: Path, root: Path) -> list[str]:
    """Name the code cells of a notebook that claim something about speed."""
    fast, count, found = False, 0, []
    for cell in nbformat.read(book, as_version=4).cells:  # type: ignore[no-untyped-call]
        if cell.cell_type == "markdown":
            for title in re.findall(r"^#{1,2} (.*)$", cell.source, re.MULTILINE):
                fast = "fast" in title.lower()
        if cell.cell_type == "code":
            if fast:
                found.append(f"{book.relative_to(root)}::Cell {count}")
            count += 1
    return found


def failed_claim(report: Path) -> str:
    """Read from a report of pytest what failed."""
    text = ""
    for failure in ET.parse(report).iter():  # noqa: S314 (it is our own)
        if failure.tag in ("failure", "error"):
            text = re.sub(r"(#x1B|\x1b)\[[0-9;]*m", "", failure.text or failure.get("message") or "")
            break
    line = re.search(r"^-+> *\d+ (.*)$", text, re.MULTILINE)  # of the cell; then come those of functions
    if line is not None:
        error = (re.findall(r"^(\w*(?:Error|Exception|Interrupt))\b", text, re.MULTILINE) or ["?"])[-1]
        return line[1].strip() + ("" if error == "AssertionError" else f" ({error})")
    printed = re.search(r"^ +- (.*)$", text, re.MULTILINE)  # as pytest shows two texts
    return printed[1] if printed is not None else " ".join((text.partition("Traceback:")[2] or text).split())


# -- all of them ---------------------------------------------------------------------------


def run_all(
    mutants: Sequence[Mutant], places: Sequence[Place], notebooks: Mapping[str, Sequence[str]]
) -> list[Verdict]:
    """Try mutants out, as many at a time as there are places."""
    free: SimpleQueue[Place] = SimpleQueue()
    for place in places:
        free.put(place)

    def work(mutant: Mutant) -> Verdict:
        place, start = free.get(), time.perf_counter()
        try:
            numbers = notebooks[mutant.module]
            # What is the same needs no more than the notebook of its subject to be seen to be.
            verdict = place.try_out(mutant, numbers[:1] if mutant.reason else numbers)
        finally:
            free.put(place)
        sys.stdout.write(
            f"{mutant.key:44} {time.perf_counter() - start:5.0f} s  {verdict.notebook or '-':24} "
            f"{verdict.claim}\n"
        )
        sys.stdout.flush()
        return verdict

    with ThreadPoolExecutor(len(places)) as pool:
        return list(pool.map(work, mutants))


def table(verdicts: Sequence[Verdict], command: str) -> str:
    """Write the verdicts down."""
    lines = ["# Which notebook notices a changed number", "", *INTRODUCTION.format(command).splitlines(), ""]
    lines += ["| subject | changed | noticed | survived | no change of results |", "|---|---|---|---|---|"]
    for subject, (modules, _) in SUBJECTS.items():
        some = [one for one in verdicts if one.mutant.module in modules]
        counts = [sum(_kind(one) == kind for one in some) for kind in ("noticed", "SURVIVED", "same")]
        if some:
            lines.append(f"| {subject} | {len(some)} | " + " | ".join(map(str, counts)) + " |")
    head = ["", "| number | was | became | notebook | what failed first |", "|---|---|---|---|---|"]
    for kind, title in TITLES.items():
        rows = [_row(one) for one in verdicts if _kind(one) == kind]
        if rows:
            lines += ["", f"## {title}", *head, *rows]
    return "\n".join(lines) + "\n"


INTRODUCTION = """\
Each number in the modules of a subject is changed, alone, in a copy of the package, and the notebooks
are run against that copy by nbval until one fails. Claims about speed do not count. Made by
`{}`, which takes about half an hour. `tools/mutants.py` says what is left out, and why."""
TITLES = {
    "SURVIVED": "Survived: no notebook notices",
    "WRONG": "Noticed, but thought to change no result",
    "noticed": "Noticed",
    "same": "No change of results",
}


def _kind(verdict: Verdict) -> str:
    if verdict.mutant.reason:
        return "WRONG" if verdict.claim else "same"
    return "noticed" if verdict.claim else "SURVIVED"


def _row(verdict: Verdict) -> str:
    mutant = verdict.mutant
    claim = verdict.claim.replace("|", "\\|").replace("`", "'")
    claim = f"`{claim[:117] + '...' if len(claim) > 120 else claim}`" if claim else mutant.reason
    cells = f"`{mutant.key}`", mutant.was, mutant.became, verdict.notebook[:2], claim
    return "| " + " | ".join(cells) + " |"


def chosen(names: Sequence[str], *, everything: bool) -> list[Mutant]:
    """Return the mutants that were asked for."""
    found = []
    for subject, (modules, _) in SUBJECTS.items():
        for module in modules:
            source = (ROOT / "facekit" / f"{module}.py").read_text()
            for mutant in find(source, module, everything=everything):
                known_as = {subject, module, mutant.key, mutant.key.partition(" [")[0]}
                if not names or known_as & set(names):
                    found.append(mutant)
    return found


def main() -> int:
    """Try out what was asked for; write the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="subjects, modules or constants, as typical.FENCE")
    parser.add_argument("--all", action="store_true", help="numbers within functions, too: hours")
    arguments = parser.parse_args()
    mutants = chosen(arguments.names, everything=arguments.all)
    if not mutants:
        parser.error(f"no number is called {' or '.join(arguments.names)}")
    notebooks = {module: numbers for modules, numbers in SUBJECTS.values() for module in modules}
    needed = sorted({number for mutant in mutants for number in notebooks[mutant.module]})
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="facekit-mutants-") as folder:
        places = [Place(ROOT, Path(folder) / f"place{k}") for k in range(min(WORKERS, len(mutants)))]
        try:
            with ThreadPoolExecutor(len(places)) as pool:
                list(pool.map(lambda place: place.baseline(needed), places))
        except RuntimeError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        sys.stdout.write(f"the notebooks pass without a mutant; {len(mutants)} mutants\n")
        sys.stdout.flush()
        verdicts = run_all(mutants, places, notebooks)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(table(verdicts, "make mutants"))
    survived = sum(_kind(one) == "SURVIVED" for one in verdicts)
    sys.stdout.write(f"{survived} of {len(verdicts)} survived; {time.perf_counter() - start:.0f} s; {OUT}\n")
    return 1 if any(_kind(one) == "WRONG" for one in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
