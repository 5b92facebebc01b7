"""The doctor on machines that lack one thing after another."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from facekit import wallcheck
from facekit.checkup import GRAPHICS, MEDIAPIPE, Report, doctor
from facekit.walls import WALLS

REPOSITORY = Path(__file__).resolve().parent.parent


def examined(code="", env=None):
    """Run the doctor's command in a process of its own, after `code`; return exit code and checks by name."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nfrom facekit.cli import app\napp(['doctor', '--json'])"],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        check=False,
    )
    assert run.stderr == ""
    document = json.loads(run.stdout)
    assert document["ok"] == (run.returncode == 0)
    return run.returncode, {check["name"]: check for check in document["checks"]}


@pytest.fixture(scope="module")
def report():
    return doctor()


def by_name(report: Report):
    return {check.name: check for check in report.checks}


def test_everything_required_works_here(report):
    assert [check for check in report.checks if check.required and not check.ok] == []
    assert report.ok


def test_whatever_is_not_right_comes_with_advice(report):
    assert [check.name for check in report.checks if not check.ok and not check.advice] == []
    assert all(check.found and "\n" not in check.found for check in report.checks)


@pytest.mark.parametrize("library", list(GRAPHICS))
def test_missing_graphics_library_names_the_package(library):
    def open_library(name):
        if name == library:
            raise OSError(f"{name}: cannot open shared object file")

    report = doctor(open_library=open_library)
    check = by_name(report)["graphics libraries"]
    assert not report.ok
    assert check.found == f"missing {library}"
    assert f"apt-get install {GRAPHICS[library]} " in check.advice


@pytest.mark.parametrize(
    "missing", [["numba"], ["numpy", "scipy", "numba", "cv2", "PIL", "platformdirs"]], ids=["one", "all"]
)
def test_libraries_that_do_not_load_are_rows_with_advice(missing):
    status, checks = examined(f"import sys; sys.modules.update(dict.fromkeys({missing}))")
    assert status == 3
    rows = {"platformdirs": "models"}
    for library in missing:
        assert not checks[rows.get(library, library)]["ok"]
        assert "pip install" in checks[rows.get(library, library)]["advice"]
    assert checks["graphics libraries"]["ok"]


def test_library_that_prints_when_it_fails_does_not_spoil_the_json():
    code = "import sys; sys.modules['numpy'] = None"  # cv2 then prints what to install
    assert not examined(code)[1]["cv2"]["ok"]


def test_altered_model_is_named_with_the_remedy(tmp_path):
    (tmp_path / "face_landmarker.task").write_bytes(b"another")
    status, checks = examined(env={"FACEKIT_MODELS": str(tmp_path)})
    assert status == 3
    assert not checks["model face_landmarker"]["ok"]
    assert "FACEKIT_MODELS" in checks["model face_landmarker"]["advice"]
    assert checks["model selfie_segmenter"]["ok"]


def test_missing_model_is_named_with_the_remedy(tmp_path):
    hide = (
        "import facekit.models as m\n"
        "m.metadata.distribution = lambda name: (_ for _ in ()).throw(m.metadata.PackageNotFoundError(name))"
    )
    status, checks = examined(hide, env={"XDG_CACHE_HOME": str(tmp_path)})
    assert status == 3
    assert "not here" in checks["model face_landmarker"]["found"]
    assert "facekit models --fetch" in checks["model face_landmarker"]["advice"]


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """What is found where no cache can be written and no sample is there."""
    folder = tmp_path_factory.mktemp("bare")
    file = folder / "file"
    file.write_text("a file, so no folder can be made below it, not even by root")
    below = str(file / "cache")
    elsewhere = (
        "import numba.core.caching as c; c.CacheImpl._locator_classes = c.CacheImpl._locator_classes[:1]"
    )
    caches = dict.fromkeys(("XDG_CACHE_HOME", "HOME", "NUMBA_CACHE_DIR"), below)
    return examined(elsewhere, env={**caches, "FACEKIT_SAMPLES": str(folder)})


def test_cache_that_cannot_be_written_is_named(bare):
    status, checks = bare
    assert not checks["user cache"]["ok"]
    assert "XDG_CACHE_HOME" in checks["user cache"]["advice"]
    assert not checks["numba cache"]["ok"]
    assert "NUMBA_CACHE_DIR" in checks["numba cache"]["advice"]
    assert status == 0  # slower, but it works


def test_missing_samples_say_how_to_get_them(bare):
    status, checks = bare
    assert not checks["samples"]["ok"]
    assert "obama" in checks["samples"]["found"]
    assert "facekit samples --fetch" in checks["samples"]["advice"]
    assert status == 0


def test_two_versions_of_opencv_are_noticed(monkeypatch):
    versions = {"opencv-python": "5.0.0.93", "opencv-contrib-python": "4.9.0.80"}
    monkeypatch.setattr("facekit.checkup._version", lambda name: versions.get(name, "1"))
    check = by_name(doctor())["OpenCV builds"]
    assert not check.ok
    assert "opencv-contrib-python==5.0.0.93" in check.advice


def test_another_mediapipe_is_noticed(monkeypatch):
    monkeypatch.setattr("facekit.checkup._version", lambda _: "1.0.0")
    check = by_name(doctor())["mediapipe"]
    assert not check.ok
    assert check.found == "1.0.0"
    assert f"mediapipe=={MEDIAPIPE}" in check.advice


def test_missing_extra_says_how_to_get_it(monkeypatch):
    from facekit.checkup import _version

    monkeypatch.setattr("facekit.checkup._version", lambda name: None if name == "av" else _version(name))
    check = by_name(doctor())["extra video"]
    assert not check.ok
    assert not check.required
    assert "facekit-reference[video]" in check.advice


def test_little_memory_is_noticed(monkeypatch):
    monkeypatch.setattr("facekit.checkup._free_memory", lambda: 2**28)
    assert not by_name(doctor())["machine"].ok


def test_walls_are_tried_and_what_holds_is_said(report):
    checks = by_name(report)
    assert checks["cell walls"].ok
    assert checks["cell walls"].found == ", ".join(WALLS)
    assert checks["Landlock"].found.startswith("version ")
    assert checks["seccomp"].ok
    assert not any(checks[name].required for name in ("cell walls", "seccomp", "Landlock", "user namespaces"))


def test_libraries_for_walls_that_are_missing_are_named_with_what_to_install(tmp_path):
    for name in ("landlock", "pyseccomp"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('Unable to find it')")
    status, checks = examined(
        env={"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    )
    assert status == 0  # a swap needs none of it
    assert "missing: files, reading, processes" in checks["cell walls"]["found"]
    assert "libseccomp2" in checks["cell walls"]["advice"]
    assert "5.13" in checks["cell walls"]["advice"]
    assert not checks["seccomp"]["ok"]
    assert "Unable to find it" in checks["seccomp"]["found"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kernel/unprivileged_userns_clone", "0"),
        ("user/max_user_namespaces", "0"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1"),
    ],
)
def test_what_forbids_namespaces_is_named(tmp_path, monkeypatch, name, value):
    monkeypatch.setattr(wallcheck, "_KERNEL", tmp_path)
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(f"{value}\n")
    walls = dict.fromkeys(WALLS, "seccomp")
    rows = {row[0]: row for row in wallcheck.rows(wallcheck.Found(walls, landlock=5, seccomp=""))}
    assert rows["user namespaces"][1] == "forbidden"
    assert f"sysctl -w {name.replace('/', '.')}=" in rows["user namespaces"][2]
    (tmp_path / name).write_text("2\n")
    rows = wallcheck.rows(wallcheck.Found(walls, landlock=5, seccomp=""))
    assert "sysctl" not in rows[-1][2]


def test_every_wall_has_advice_and_another_system_gets_its_own(monkeypatch):
    nothing = wallcheck.Found({}, landlock=0, seccomp="ImportError: not here")
    assert set(wallcheck._ADVICE) == set(WALLS)
    assert all(advice for _, _, advice in wallcheck.rows(nothing))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert all("use Linux" in advice for _, _, advice in wallcheck.rows(nothing))


def test_a_trial_that_does_not_end_well_is_a_row(monkeypatch):
    monkeypatch.setattr(wallcheck, "try_walls", lambda: (_ for _ in ()).throw(OSError("no processes left")))
    check = by_name(doctor())["cell walls"]
    assert not check.ok
    assert "no processes left" in check.found
    assert check.advice


def test_pins_are_those_of_the_project():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert f"mediapipe=={MEDIAPIPE}" in project["dependencies"]
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups()
    from facekit.checkup import PYTHONS

    assert ((3, int(low)), (3, int(high) - 1)) == PYTHONS


def test_table_shows_every_check_and_a_verdict_without_importing_mediapipe(report):
    code = (
        "import atexit, sys; atexit.register(lambda: print('loaded:', 'mediapipe' in sys.modules))\n"
        "from facekit.cli import app; app(['doctor'])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(check.name in run.stdout for check in report.checks)
    assert "Everything required works here." in run.stdout
    assert run.stdout.endswith("loaded: False\n")
