"""What tests share: a test that lacks something is skipped, or fails where that thing is demanded."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facekit.errors import InputError
from facekit.policy import clauses

Require = Callable[[str, bool, str], None]


def demanded(what: str) -> bool:
    """Say whether FACEKIT_REQUIRE, a comma-separated list or "all", names `what`."""
    listed = {item.strip() for item in os.environ.get("FACEKIT_REQUIRE", "").split(",")}
    return bool(listed & {what, "all"})


def pytest_configure() -> None:
    # A shell starts its background jobs with Ctrl-C ignored, and every child would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a mark that names no clause of the policy."""
    for item in items:
        for mark in item.iter_markers("clause"):
            wrong = fault(mark)
            if wrong:
                raise pytest.UsageError(f"{item.nodeid}: clause mark: {wrong}")


def fault(mark: pytest.Mark) -> str:
    """Return what is wrong with the mark of a clause; nothing where it is right."""
    if not mark.args or set(mark.kwargs) - {"partly"} or mark.kwargs.get("partly") == "":
        return "expected ids, and at most partly='what it proves'"
    try:
        for one in mark.args:
            clauses(one)
    except InputError as error:
        return str(error)
    return ""


@pytest.fixture(scope="session")
def require() -> Require:
    """Skip the test where something is not available; fail it where FACEKIT_REQUIRE demands that."""

    def check(what: str, available: bool, reason: str) -> None:
        if available:
            return
        if demanded(what):
            pytest.fail(f"FACEKIT_REQUIRE demands {what}: {reason}")
        pytest.skip(reason)

    return check


@pytest.fixture(scope="session", autouse=True)
def _helpers_can_be_imported() -> Iterator[None]:
    """Let fork servers find the works of captives.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        yield


@pytest.fixture(scope="session")
def chromium(require: Require) -> str:
    """Require Chromium; return its path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    require("chromium", found is not None, "Chromium is not here; Debian's package is chromium")
    return str(found)


@pytest.fixture(scope="session")
def require_sample(require: Require) -> Callable[[str], None]:
    """Require a sample picture or video by name."""

    def check(name: str) -> None:
        from facekit.data import has_sample

        require("samples", has_sample(name), f"sample {name!r} is not here; run `facekit samples --fetch`")

    return check
