"""What everything in the suite runs under: tests, doctests and notebooks reach no other machine.

Each item is guarded while it is set up, called and torn down. Hooks do that, not a fixture: cells of
notebooks have no fixtures, and fixtures of a whole session are set up before those of a test. Python
processes that a test starts, the kernels of notebooks among them, guard themselves
(tests/guarded/sitecustomize.py says which do not), and what they try fails the item that runs then.
Where FACEKIT_REQUIRE is set, as in CI, hypothesis draws the same examples in each run, and lets each
take its time: how long it takes depends on what else runs.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from facekit.egress import no_egress
from facekit.errors import EgressError

# Alembic runs migrations, in a setting of its own; of files of one name only one can be looked through.
collect_ignore = ["service/migrations", "tests/e2e/conftest.py", "tests/service/conftest.py"]

GUARDED = Path(__file__).parent / "tests" / "guarded"

_log = pytest.StashKey[Path]()

settings.register_profile("repeated", derandomize=True, deadline=None)
if os.environ.get("FACEKIT_REQUIRE"):
    settings.load_profile("repeated")


def pytest_configure(config: pytest.Config) -> None:
    """Have Python processes that tests start guard themselves."""
    number, path = tempfile.mkstemp(prefix="facekit-egress-")
    os.close(number)
    config.stash[_log] = Path(path)
    os.environ["FACEKIT_EGRESS"] = "refuse"
    os.environ["FACEKIT_EGRESS_LOG"] = path
    behind = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(GUARDED), behind)))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the file in which they tell what they tried."""
    config.stash[_log].unlink(missing_ok=True)


@contextmanager
def guarded(item: pytest.Item) -> Iterator[None]:
    """Fail if anything, here or in a process that was started, tries to reach another machine."""
    if item.get_closest_marker("reaches_out"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FACEKIT_EGRESS", "")
            yield
        return
    log = item.config.stash[_log]
    before = log.stat().st_size
    try:
        with no_egress():
            yield
    finally:
        told = log.read_text()[before:].splitlines()
        if told:  # even where the test was skipped for it
            raise EgressError(f"a process of this test tried to leave this machine: {'; '.join(told)}")


# Clause 1.2.3a: no part of facekit that a test reaches talks to anybody else.
@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Guard the set-up."""
    with guarded(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Guard the call."""
    with guarded(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Guard the tearing down."""
    with guarded(item):
        return (yield)


@pytest.fixture
def egress_log(request: pytest.FixtureRequest) -> Path:
    """Return the file in which guarded processes tell what they tried; who empties it answers for it."""
    return request.config.stash[_log]
