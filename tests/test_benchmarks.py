"""The benchmarks' own parts: tables, ratios, fits, masks, and peers that agree on a small case."""

import json
import os
import resource
import subprocess
import sys
import zlib
from importlib import import_module

import numpy as np
import pytest

from benchmarks import __main__ as program
from benchmarks import peers, plots, processes, scenes, workers
from benchmarks.equations import assemble, exact
from benchmarks.table import Requirement, Table, closing, in_turn, ratio, ready, slope, spread

TOO_MUCH = Requirement("size", 7.0, floor=6, aim=3, at_most=True)
ENOUGH = Requirement("speed", 7.0, floor=6, aim=9)
PLENTY = Requirement("speed", 9.5, floor=6, aim=9)


def test_a_requirement_says_whether_floor_and_aim_are_reached():
    assert [one.met for one in (TOO_MUCH, ENOUGH, PLENTY)] == [False, True, True]
    assert [one.cells()[-1] for one in (TOO_MUCH, ENOUGH, PLENTY)] == [
        "**missed**",
        "met, not the aim",
        "met, and the aim",
    ]
    assert ENOUGH.line() == "speed: 7 (required ≥ 6, aim ≥ 9): met, not the aim"


@pytest.mark.parametrize("at_most", [True, False])
def test_what_is_not_a_number_meets_nothing(at_most):
    assert not Requirement("speed", float("nan"), floor=6, at_most=at_most).met


def test_a_table_is_set_as_markdown_with_its_requirements():
    table = Table("Speed", ["what", "ms"], [["a", "1"]], "In turn.", [ENOUGH])
    lines = table.markdown().splitlines()
    assert lines[:5] == ["## Speed", "", "| what | ms |", "| --- | ---: |", "| a | 1 |"]
    assert lines[-1] == f"- {ENOUGH.line()}"


def test_the_closing_table_gathers_every_requirement():
    last = closing([Table("A", ["x"], [], "", [TOO_MUCH]), Table("B", ["x"], [], "", [ENOUGH, PLENTY])])
    assert [row[0] for row in last.rows] == ["size", "speed", "speed"]
    assert last.note == "2 of 3 met."


def test_a_spread_is_the_half_of_many_runs_and_all_of_few():
    assert spread([0.002]) == "2.0"
    assert spread([0.003, 0.001, 0.002]) == "2.0 (1.0 to 3.0)"
    assert spread([0.001, 0.002, 0.003, 0.004, 0.1]) == "3.0 (1.5 to 52.0)"


def test_a_ratio_is_the_median_of_the_neighbours():
    assert ratio([2, 40, 6], [1, 20, 1]) == 2
    assert ratio([2, 4], [1, 2, 1000]) == 2


@pytest.mark.parametrize("power", [0.5, 1, 1.2])
def test_a_slope_is_the_power_of_the_growth(power):
    sizes = np.array([256, 512, 1024]) ** 2
    assert slope(sizes, 3 * sizes**power) == pytest.approx(power)


def test_jobs_run_in_turn_forwards_and_backwards():
    ran = []
    seconds = in_turn({name: ready(ran.append, name) for name in "ab"}, rounds=3, warm_up=1)
    assert "".join(ran) == "ab" + "ab" + "ba" + "ab"
    assert [len(some) for some in seconds.values()] == [3, 3]


def test_jobs_may_be_measured_by_what_they_say_themselves():
    costs = {"a": ready(iter([9.0, 1.0, 2.0]).__next__), "b": ready(float, 3)}
    assert in_turn(costs, rounds=2, measure=lambda run: run()) == {"a": [1, 2], "b": [3, 3]}


def test_slow_jobs_run_in_few_rounds(monkeypatch):
    table = import_module("benchmarks.table")
    monkeypatch.setattr(table, "timed", lambda run: run())
    jobs = {"fast": ready(float, 0.1), "slow": ready(float, 2), "slower": ready(float, 9)}
    count = {name: len(some) for name, some in in_turn(jobs, warm_up=0).items()}
    assert count == {"fast": 15, "slow": 3, "slower": 1}
    assert len(in_turn(jobs, rounds=4, patient=True)["slower"]) == 4


def test_the_ellipse_covers_a_quarter_of_the_picture():
    for size in (64, 256, 1024):
        assert scenes.shape_mask("ellipse", size).mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("shape", [shape for shape in scenes.SHAPES if shape != "face"])
def test_shapes_leave_the_border_free(shape):
    mask = scenes.shape_mask(shape, 128)
    assert mask.dtype == np.bool_
    assert 0.05 < mask.mean() < 0.6
    assert not mask[[0, -1]].any()
    assert not mask[:, [0, -1]].any()


@pytest.mark.parametrize("kind", scenes.KINDS)
def test_random_masks_come_again_and_are_neither_empty_nor_full(kind):
    one, again = (scenes.random_mask(kind, 40, np.random.default_rng(seed)) for seed in (5, 5))
    assert (one == again).all()
    assert one.any()
    assert not one.all()


def test_the_matrix_is_the_laplacian_of_the_mask():
    mask = np.zeros((4, 4), np.bool_)
    mask[0, 1:3] = True
    assert assemble(mask).matrix.toarray().tolist() == [[3, -1], [-1, 3]]  # the border has no neighbour


def test_the_direct_solution_of_a_flat_case_is_known():
    source, target = np.full((6, 6, 3), 10, np.uint8), np.full((6, 6, 3), 200, np.uint8)
    mask = np.zeros((6, 6), np.bool_)
    mask[1:4, 2:5] = True
    for mode in ("import", "mixed"):
        assert np.allclose(exact(source, target, mask, mode), 200)


def test_multigrid_and_the_direct_solution_agree(monkeypatch):
    pytest.importorskip("pyamg", reason="pyamg, a peer, is installed by make bench alone")
    source, target = scenes.noise(48, seed=1)
    mask = scenes.shape_mask("star", 48)
    direct = exact(source, target, mask)
    monkeypatch.setattr("benchmarks.equations.LARGEST_DIRECT", 0)
    assert np.abs(exact(source, target, mask) - direct).max() < 1e-3


@pytest.mark.parametrize("mode", ["import", "mixed"])
@pytest.mark.parametrize("shape", ["ellipse", "star", "holes"])
def test_facekit_and_the_direct_way_agree(shape, mode):
    source, target = scenes.noise(64, seed=2)
    mask = scenes.shape_mask(shape, 64)
    wanted = exact(source, target, mask, mode)
    for method in (peers.FACEKIT, peers.KNOWN, peers.DIRECT):
        assert method.error(source, target, mask, mode, wanted)[0] < 0.5


def test_peers_that_solve_over_the_box_agree_where_the_mask_is_the_box():
    random = np.random.default_rng(3)
    source, target = (random.integers(90, 160, (40, 40, 3), np.uint8) for _ in range(2))
    mask = np.zeros((40, 40), np.bool_)
    mask[5:30, 8:33] = True
    wanted = exact(source, target, mask)
    found = peers.sine_transform(source, target, mask, "import")
    assert np.abs(found - wanted).max() < 1e-9


def test_a_method_gets_its_own_copy_of_the_mask():
    mask = np.ones((3, 3), np.bool_)

    def spoil(source, target, mask, mode):
        mask[:] = False
        return mask

    job = peers.Method("spoiler", spoil).job(mask, mask, mask)
    job()()
    job()()
    assert mask.all()


def test_the_plots_are_drawn_from_the_tables(tmp_path):
    pytest.importorskip("matplotlib")
    tables = [
        {
            "title": plots.TITLE.format(size),
            "data": {name: [size, size**2 / 1e7, 0.1, 0.01] for name in NAMES},
        }
        for size in (256, 512, 1024)
    ]
    tables.append({"title": "Another", "data": {"worst": [1, 2.0, 3, 4]}})
    assert set(plots.collect(tables)) == set(NAMES)
    for path in plots.draw(json.loads(json.dumps(tables)), tmp_path):
        assert path.read_text().rstrip().endswith("</svg>")
        assert path.stat().st_size < 200_000


NAMES = ("facekit", "facekit, known mask", "cv2.seamlessClone", "scipy splu")


def test_every_named_table_has_a_module_that_measures():
    for name in (*program.NAMES, *program.LONG):
        assert callable(import_module(f"benchmarks.{name}").tables)


def test_an_unknown_table_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmarks", "nonsense"])
    with pytest.raises(SystemExit) as caught:
        program.main()
    assert caught.value.code == 2
    assert "no such table: nonsense" in capsys.readouterr().err


@pytest.mark.parametrize(("met", "status"), [(ENOUGH, 0), (TOO_MUCH, 1)])
def test_a_missed_floor_is_the_exit_status(monkeypatch, met, status):
    monkeypatch.setattr("sys.argv", ["benchmarks", "imports"])
    table = Table("A", ["x"], [["1"]], "", [met])
    monkeypatch.setattr("benchmarks.imports.tables", lambda: iter([table]))
    monkeypatch.setattr(program, "_write", lambda *_: pytest.fail("wrote"))
    assert program.main() == status


# -- results that are written for some tables only ------------------------------------------------


def written(path):
    return json.loads((path / "results.json").read_text())


@pytest.fixture
def committed(monkeypatch, tmp_path):
    """Write two tables as a full run does, into another folder."""
    monkeypatch.setattr(program, "FOLDER", tmp_path)
    monkeypatch.setattr(plots, "draw", lambda *_: [])
    before = [Table("A", ["x"], [["1"]], "", [ENOUGH]), Table("B", ["x"], [["2"]], "", [TOO_MUCH])]
    program._write(program.machine() | {"date": "2020-01-01"}, [*before, closing(before)])
    return tmp_path


@pytest.mark.parametrize(("title", "titles"), [("A", ["A", "B"]), ("C", ["A", "B", "C"])])
def test_a_named_table_can_be_written_among_the_others(monkeypatch, committed, title, titles):
    before = written(committed)
    new = Table(title, ["x"], [["3"]], "", [PLENTY])
    monkeypatch.setattr("benchmarks.imports.tables", lambda: iter([new]))
    monkeypatch.setattr("sys.argv", ["benchmarks", "imports", "--write"])
    assert program.main() == 0
    after = written(committed)
    *tables, last = after["tables"]
    assert [table["title"] for table in tables] == titles
    assert next(table for table in tables if table["title"] == title)["rows"] == [["3"]]
    assert [t for t in tables if t["title"] != title] == [
        t for t in before["tables"][:-1] if t["title"] != title
    ]
    assert len(last["rows"]) == len(titles)
    assert after["machine"]["date"] == "2020-01-01"
    assert after["machine"]["imports"] == program.machine()["date"]
    assert new.markdown() in (committed / "results.md").read_text()


def test_the_committed_results_are_read_and_written_again_as_they_are(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    here = program.FOLDER
    record = written(here)
    last = record["tables"][-2]
    last = Table(**last | {"requirements": [Requirement(**one) for one in last["requirements"]]})
    facts, tables = program._merged(record["machine"], ["cell"], [last, closing([last])])
    monkeypatch.setattr(program, "FOLDER", tmp_path)
    program._write(record["machine"], tables)
    for name in ("results.json", "results.md", "poisson_time.svg", "poisson_error.svg"):
        assert (tmp_path / name).read_text() == (here / name).read_text(), name
    assert record["machine"]["date"] in facts["cell"]


# -- processes --------------------------------------------------------------------------------


def test_a_processs_time_memory_and_children_are_read_off_the_kernel():
    # It has worked for two of the kernel's ticks before it is looked at.
    work = "import time\nwhile time.process_time() < 0.05: pass\nprint(flush=True)\ninput()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", work], **pipes) as child:
        child.stdout.readline()
        assert child.pid in processes.children(os.getpid())
        resident, own = (
            processes.megabytes(child.pid, "smaps_rollup", *fields)
            for fields in (["Rss"], ["Private_Clean", "Private_Dirty"])
        )
        assert 0 < own <= resident < 1000
        assert processes.on_cpu(child.pid) > 0
        child.communicate(b"\n")
    assert child.pid not in processes.children(os.getpid())


def test_processor_time_is_that_of_children_too():
    before = processes.cpu(resource.RUSAGE_CHILDREN)
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    assert processes.cpu(resource.RUSAGE_CHILDREN) - before > 0.25


FORKED = """
from benchmarks.workers import _forked
print(_forked(lambda: bytes(3_000_000), 5))
_forked(lambda: 1 / 0, 1)
"""


def test_forked_children_give_their_results_or_their_failure():
    run = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == str([zlib.crc32(bytes(3_000_000))] * 5)
    assert "a child failed" in run.stderr


def test_a_fresh_interpreter_gives_the_picture_that_the_job_gives_here():
    answer = workers.once()
    assert answer.sums == (zlib.crc32(workers.job()),)
    assert answer.cpu > 0
    assert answer.seconds > 0
