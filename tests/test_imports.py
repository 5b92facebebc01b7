"""What importing facekit costs, and what it offers."""

import ast
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from statistics import median

import facekit

HEAVY = {"cryptography", "cv2", "scipy", "numba", "mediapipe", "matplotlib", "PIL"}
ROUNDS, RUNS = 5, 7

TIMED = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def in_a_fresh_process(code):
    # Without the suite's own guard, which would import facekit before it is watched.
    env = {**os.environ, "FACEKIT_EGRESS": ""}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    return json.loads(run.stdout)


def test_importing_facekit_loads_no_heavy_library():
    loaded = in_a_fresh_process("import facekit, json, sys; print(json.dumps(sorted(sys.modules)))")
    assert "facekit" in loaded
    assert not HEAVY & set(loaded)


def test_using_a_name_loads_what_it_needs():
    loaded = in_a_fresh_process(
        "import facekit, json, sys; facekit.decode_image; print(json.dumps(sorted(sys.modules)))"
    )
    assert {"facekit.codec", "PIL"} <= set(loaded)
    assert "mediapipe" not in loaded


def test_importing_facekit_takes_at_most_one_and_a_half_times_importing_numpy():
    # A busy machine slows single runs: the medians run over ever more pairs until they settle.
    times = {"numpy": [], "facekit": []}
    for _ in range(ROUNDS):
        for _ in range(RUNS):
            for name, seconds in times.items():
                seconds.append(in_a_fresh_process(TIMED.format(name)))
        ratio = median(times["facekit"]) / median(times["numpy"])
        if ratio <= 1.5:
            break
    assert ratio <= 1.5


def _is_class(name):
    return name[0].isupper() and not name.isupper()


def test_the_public_names_are_sorted_and_all_there():
    constants, classes = (sorted(filter(kind, facekit.__all__)) for kind in (str.isupper, _is_class))
    functions = sorted(set(facekit.__all__) - {*constants, *classes})
    assert facekit.__all__ == [*constants, *classes, *functions]
    offered = {name for names in facekit._HOME.values() for name in names}
    assert set(facekit.__all__) == offered
    assert all(callable(getattr(facekit, name)) for name in facekit.__all__ if not name.isupper())
    assert set(facekit.__all__) <= set(dir(facekit))


def test_no_public_name_is_hidden_by_a_module_of_that_name():
    modules = {found.name for found in pkgutil.iter_modules(facekit.__path__)}
    assert not modules & set(facekit.__all__)


def test_type_checkers_see_the_same_names_as_the_interpreter():
    tree = ast.parse(Path(facekit.__file__).read_text())
    imported = {
        (node.module.removeprefix("facekit."), name.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("facekit.")
        for name in node.names
    }
    assert imported == {(module, name) for module, names in facekit._HOME.items() for name in names}
