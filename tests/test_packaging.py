"""The environment files, the lock and the wheel agree with each other."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DECLARED = [Requirement(line) for lines in (PROJECT["dependencies"], *EXTRAS.values()) for line in lines]
LOCK = [
    Requirement(line)
    for line in (ROOT / "requirements.lock").read_text().splitlines()
    if line and not line.startswith("#")
]
PYTHONS = ("3.11", "3.12", "3.13")
DESIGN_CARD = {
    *("jupyterlab", "ipywidgets", "numpy", "scipy", "opencv-python"),
    *("mediapipe", "matplotlib", "nbval", "papermill", "fastapi"),
}


def environment():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (from_pip,) = (entry["pip"] for entry in entries if isinstance(entry, dict))
    named = [entry for entry in entries if isinstance(entry, str) and entry != "pip"]
    projects = [line for line in from_pip if line.startswith("-e ")]
    named += [line for line in from_pip if line not in projects]
    return {req.name: req for req in map(Requirement, named)}, projects


def pins(name, python):
    where = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    return [
        req.specifier
        for req in LOCK
        if canonicalize_name(req.name) == canonicalize_name(name)
        and (req.marker is None or req.marker.evaluate(where))
    ]


def test_the_conda_environment_names_the_packages_of_the_design_and_installs_the_project():
    packages, projects = environment()
    assert set(packages) >= DESIGN_CARD
    assert projects == ["-e .[lab,service]"]


def test_the_conda_environment_asks_for_the_same_versions_as_the_project():
    packages, _ = environment()
    assert packages.pop("python").specifier == Requirement(f"python{PROJECT['requires-python']}").specifier
    declared = {req.name: req.specifier for req in DECLARED}
    assert {name: req.specifier for name, req in packages.items()} == {
        name: declared.get(name) for name in packages
    }


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_the_lock_pins_every_dependency_exactly_once(declared, python):
    (found,) = pins(declared.name, python)
    (pin,) = found
    assert pin.operator == "=="
    assert declared.specifier.contains(Version(pin.version))


def test_every_line_of_the_lock_is_an_exact_pin_without_an_address():
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"://|^\s*-|@", text, re.MULTILINE)
    assert all([spec.operator for spec in req.specifier] == ["=="] for req in LOCK)


def test_both_wheels_that_write_cv2_are_pinned_to_one_version():
    versions = {str(req.specifier) for req in DECLARED if req.name.startswith("opencv")}
    assert len(versions) == 1
    assert versions.pop().startswith("==")


@pytest.mark.parametrize(
    "target", ["demo", "test", "lab", "docs", "bench", "check", "samples", "evaluate", "lock"]
)
def test_make_knows_the_target(target):
    run = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_make_refuses_an_interpreter_that_does_not_fit():
    run = subprocess.run(
        ["tools/find_python.sh", "no-such-python"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in run.stderr
    assert "no-such-python" in run.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_every_module_and_every_asset(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    sources = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "facekit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"facekit/assets/ibug68.npz", "facekit/assets/face_axes.npz", "facekit/py.typed"} <= sources
    assert {name for name in held if name.startswith("facekit/")} == sources


def test_the_wheel_is_small_and_holds_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    assert {name.split("/")[0].split("-")[0] for name in sizes} == {"facekit", "facekit_reference", "service"}
    assert sum(sizes.values()) < 8_000_000
    assert not [name for name in sizes if name.endswith((".dat", ".task", ".tflite", ".pyc"))]


def test_the_command_works_from_the_wheel(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    run = subprocess.run(
        [sys.executable, "-m", "facekit", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split()[-1] == re.search(r"-(\d[^-]*)-", wheel.name)[1]


def test_the_licence_is_the_whole_text():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_citation_names_the_version_that_is_installed():
    from facekit import __version__

    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == __version__


@pytest.mark.parametrize(
    ("here", "code", "said"),
    [
        ("libGLESv2.so.2 libEGL.so.1 libseccomp.so.2", 0, ""),
        ("libGLESv2.so.2 libEGL.so.1", 0, "cells lack walls without libseccomp2"),
        ("libseccomp.so.2", 1, "apt-get install libgles2 libegl1"),
        ("", 1, "apt-get install libseccomp2"),
    ],
)
def test_make_asks_for_system_libraries_and_goes_on_without_those_for_walls(tmp_path, here, code, said):
    """As somebody who is not root, on a machine that has only what `here` lists."""
    for name, answer in (("ldconfig", here), ("id", "1000"), ("uname", "Linux")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {answer}\n")
        (tmp_path / name).chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    command = [ROOT / "tools" / "system_libraries.sh"]
    run = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert run.returncode == code
    assert said in run.stderr
    assert bool(run.stderr) == bool(said)
