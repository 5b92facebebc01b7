"""Every notebook is as its source says, runs in another size, and is written to be read.

That its outputs are still the same is nbval's part: pytest collects the notebooks themselves.
"""

import importlib.util
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from statistics import median

import nbformat
import pytest

import facekit

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
SMALL = {"size": 128, "interactive": False}
PARAMETERS = {"photo", "size", "seed", "fast", "interactive"}
MOST_LINES, MEDIAN_LINES = 25, 6
MOST_BYTES = 900_000

spec = importlib.util.spec_from_file_location("notebooks_tool", ROOT / "tools" / "notebooks.py")
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
SOURCES = tool.sources()


PROSE = "\n".join(source.read_text() for source in SOURCES)
EXAMPLES = "\n".join(path.read_text() for path in (ROOT / "facekit").rglob("*.py"))

made = cache(tool.notebook)


@cache
def committed(source):
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def cells(source, kind):
    return [cell.source for cell in made(source).cells if cell.cell_type == kind]


def outputs(source):
    return [output for cell in committed(source).cells for output in cell.get("outputs", [])]


def each(test):
    return pytest.mark.parametrize("source", SOURCES, ids=[source.stem for source in SOURCES])(test)


def test_there_are_notebooks():
    assert SOURCES


@each
def test_notebook_is_made_from_its_source(source):
    have, want = (
        [(cell.cell_type, cell.source, cell.metadata) for cell in one(source).cells]
        for one in (committed, made)
    )
    assert have == want, f"run tools/notebooks.py make {source.stem}"
    assert committed(source).metadata == made(source).metadata


@each
def test_every_code_cell_was_run_in_order(source):
    code = [cell for cell in committed(source).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


@each
def test_notebook_runs_small_and_without_dials(source, tmp_path):
    run = tool.run(source, tmp_path, SMALL)
    views = [output.get("data", {}) for cell in run.cells for output in cell.get("outputs", [])]
    assert views
    assert not any("application/vnd.jupyter.widget-view+json" in data for data in views)


@each
def test_parameters_are_those_of_all_notebooks(source):
    tagged = [cell for cell in made(source).cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert set(re.findall(r"^(\w+) = ", tagged[0].source, re.MULTILINE)) == PARAMETERS


@each
def test_cells_are_short(source):
    lengths = [len(code.splitlines()) for code in cells(source, "code")]
    assert max(lengths) <= MOST_LINES
    assert median(lengths) <= MEDIAN_LINES


@each
def test_prose_is_at_least_as_long_as_code(source):
    prose, code = (sum(len(cell.split()) for cell in cells(source, kind)) for kind in ("markdown", "code"))
    assert prose >= code


@each
def test_notebook_claims_something_and_proves_it(source):
    code = "\n".join(cells(source, "code"))
    assert len(re.findall(r"^\s*assert ", code, re.MULTILINE)) >= 5
    assert "show.check(" in code
    text = "\n".join(cells(source, "markdown"))
    assert "<details>" in text, "an exercise with a hidden answer"
    assert re.search(r"^#+ .*(go wrong|fail)", text, re.MULTILINE | re.IGNORECASE)


@each
def test_notebook_is_small_and_tells_nothing_of_the_machine(source):
    text = source.with_suffix(".ipynb").read_text()
    assert len(text) <= MOST_BYTES
    words = json.dumps(
        [
            {kind: value for kind, value in output.get("data", output).items() if "image/" not in kind}
            for output in outputs(source)
        ]
    )
    assert "widgets" not in committed(source).metadata
    assert not re.search(r"/home/|/root/|/tmp/|/work/|/Users/|0x[0-9a-f]{6,}|\b\d+(\.\d+)? ?(ms|µs)\b", words)
    assert '"stderr"' not in words
    assert '"error"' not in words


@each
def test_pictures_have_a_text_in_their_place(source):
    shown = [output for output in outputs(source) if any("image/" in kind for kind in output.get("data", {}))]
    assert shown
    for output in shown:
        assert len(output.data["text/plain"].split()) >= 4
        assert any("alt" in meta for meta in output.metadata.values())


def test_spelling_is_right():
    command = [
        sys.executable,
        "-m",
        "codespell_lib",
        "--ignore-words-list",
        "te,ue,ot",
        *map(str, SOURCES),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@each
def test_links_to_files_lead_somewhere(source):
    for target in re.findall(r"\]\(([^)#\s]+)\)", "\n".join(cells(source, "markdown"))):
        if not target.startswith("http"):
            assert (FOLDER / target).exists(), target


@pytest.mark.parametrize("name", sorted(facekit.__all__))
def test_every_public_name_is_used_in_a_notebook_or_an_example(name):
    in_example = re.search(rf"(>>>|\.\.\.) .*\b{name}\b", EXAMPLES)
    assert in_example or re.search(rf"\b{name}\b", PROSE)


def test_no_reference_is_left_over():
    used = {name for source in SOURCES for name in re.findall(r'show\.check\("(\w+)"', source.read_text())}
    assert {path.stem for path in (FOLDER / "references").glob("*.png")} == used
