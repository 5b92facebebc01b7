"""A mutant is what it says, stays in its copy, and is noticed by a notebook that claims something."""

import ast
import importlib.util
import sys
from functools import cache
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]

spec = importlib.util.spec_from_file_location("mutants_tool", ROOT / "tools" / "mutants.py")
tool = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = tool  # dataclasses look their module up
spec.loader.exec_module(tool)

MODULE = '''"""Half a face — in é."""
FENCE, ALSO = 2.5, (3, -0.25)  # é
ready = 7


def scaled(value, *, times=1.0, loud=True, name="x"):
    return value[3] * times * 12.5 + 2
'''


@cache
def every():
    return tool.chosen([], everything=True)


def tiny(folder, claim="assert FENCE == 2.5"):
    """Make a package of one number, and a notebook that claims something about it."""
    (folder / "facekit").mkdir()
    (folder / "facekit" / "__init__.py").write_text("")
    (folder / "facekit" / "colour.py").write_text("FENCE = 2.5\nUNSEEN = 3\n")
    (folder / "notebooks").mkdir()
    code = ["from facekit.colour import FENCE", claim, "assert False, 'slow machine'"]
    cells = [nbformat.v4.new_code_cell(source, execution_count=k + 1) for k, source in enumerate(code)]
    titles = [nbformat.v4.new_markdown_cell(title) for title in ("# Tiny", "## How fast is it?")]
    book = nbformat.v4.new_notebook(cells=[titles[0], *cells[:2], titles[1], cells[2]])
    nbformat.write(book, folder / "notebooks" / "40_tiny.ipynb")
    return folder


def find_in(folder):
    source = (folder / "facekit" / "colour.py").read_text()
    return {mutant.key: mutant for mutant in tool.find(source, "colour")}


def test_constants_and_defaults_are_found_and_literals_if_asked_for():
    few, all_of_them = (tool.find(MODULE, "some", everything=everything) for everything in (False, True))
    names = ["FENCE, ALSO [1]", "FENCE, ALSO [2]", "FENCE, ALSO [3]", "scaled(times)"]
    assert [mutant.name for mutant in few] == names
    assert [mutant.name for mutant in all_of_them] == [*names, "scaled"]
    assert all_of_them[-1].was == "12.5"


def test_a_mutant_differs_from_its_source_in_one_number_only():
    whole = ast.parse(MODULE)
    for mutant in tool.find(MODULE, "some", everything=True):
        source = tool.applied(mutant, MODULE)
        compile(source, "some.py", "exec")
        pairs = [*zip(ast.walk(whole), ast.walk(ast.parse(source)), strict=True)]
        numbers = [(a.value, b.value) for a, b in pairs if isinstance(a, ast.Constant) and a.value != b.value]
        assert numbers == [(ast.literal_eval(mutant.was), ast.literal_eval(mutant.became))]
        before, after = (text.encode().splitlines() for text in (MODULE, source))
        k = mutant.line
        assert before[:k] + before[k + 1 :] == after[:k] + after[k + 1 :]
        assert before[k][: mutant.start] == after[k][: mutant.start]
        assert before[k][mutant.stop :] == after[k][mutant.start + len(mutant.became) :]


def test_mutants_of_the_package_compile():
    first = {mutant.module: mutant for mutant in every()}
    assert set(first) <= {module for modules, _ in tool.SUBJECTS.values() for module in modules}
    for mutant in first.values():
        source = (ROOT / "facekit" / f"{mutant.module}.py").read_text()
        ast.parse(tool.applied(mutant, source))


def test_a_mutant_of_another_source_is_refused():
    mutant = tool.find(MODULE, "some")[0]
    with pytest.raises(ValueError, match=r"expected 2\.5 in line 2"):
        tool.applied(mutant, MODULE.replace("2.5", "9.5"))


def test_what_is_named_as_no_number_or_as_the_same_is_there():
    mutants = every()
    keys = {mutant.key for mutant in mutants} | {mutant.key.partition(" [")[0] for mutant in mutants}
    assert set(tool.SAME) <= keys
    for name in tool.NAMES:
        module, _, constants = name.partition(".")
        assert f"{constants} = " in (ROOT / "facekit" / f"{module}.py").read_text()


def test_whoever_imports_a_module_is_compiled_anew():
    importers = tool._importers(ROOT / "facekit")
    assert {"tone", "pixel_rows", "pixels", "colour", "swap"} <= importers["tone"]
    assert {"readout", "multigrid", "blend"} <= importers["grids"]
    assert "tone" not in importers["pixel_rows"]


def test_a_notebook_passes_as_it_is_and_notices_its_number(tmp_path):
    root = tiny(tmp_path)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    place = tool.Place(root, tmp_path / "copy")
    place.baseline(["40"])
    mutants = find_in(root)
    noticed = place.try_out(mutants["colour.FENCE"], ["40"])
    assert (noticed.notebook, noticed.claim) == ("40_tiny", "assert FENCE == 2.5")
    unnoticed = tool.Verdict(mutants["colour.UNSEEN"])
    assert {path: path.read_bytes() for path in before} == before
    assert (place.folder / "facekit" / "colour.py").read_bytes() == before[root / "facekit" / "colour.py"]
    text = tool.table([noticed, unnoticed], "make mutants")
    assert "| colour | 2 | 1 | 1 | 0 |" in text
    assert "| `colour.FENCE` | 2.5 | 3.25 | 40 | `assert FENCE == 2.5` |" in text
    assert text.index("Survived") < text.index("`colour.UNSEEN`") < text.index("## Noticed")


def test_notebooks_that_fail_as_they_are_tell_nothing(tmp_path):
    place = tool.Place(tiny(tmp_path, "assert FENCE == 9"), tmp_path / "copy")
    with pytest.raises(RuntimeError, match="40 fails without any mutant: assert FENCE == 9"):
        place.baseline(["40"])
