"""A real server process for the tests, on SQLite and on PostgreSQL; and people who use it."""

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Require
from tests.service.local import Local
from tests.service.serving import Person, Postgres, Server, Texts

ROOT = os.geteuid() == 0
#: What is asked of both databases each time: where they differ. `make test-service` asks all of both.
BOTH = (
    "test_consent",
    "test_first_steps",
    "test_jobs_repeats",
    "test_limits",
    "test_policy_versions",
    "test_rights_backup",
    "test_rights_cancel",
    "test_rights_retention",
)
SLOW = (
    "test_accounts_takeover",
    "test_accounts_timing",
    "test_many_cancelled",
    "test_rights_mail",
    "test_schemathesis",
    "test_service_canaries",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow."""
    for item in items:
        if item.path.parent != Path(__file__).parent:
            continue
        on_postgresql = getattr(item, "callspec", None) and "postgresql" in item.callspec.params.values()
        if item.path.stem in SLOW or (on_postgresql and item.path.stem not in BOTH):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def texts() -> Iterator[Texts]:
    """Whoever sends text messages for the service: gets them, and checks the signature."""
    with Texts() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def postgres(require: Require) -> Iterator[Postgres]:
    """A PostgreSQL of its own, on a socket in a folder."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    require("postgresql", bool(found), "PostgreSQL's server is not here; Debian's package is postgresql")
    base = Path(f"/tmp/facekit-svc-{os.getpid()}")  # short, for its socket  # noqa: S108
    base.mkdir(mode=0o755)
    if ROOT:
        subprocess.run(["chown", "postgres", base], check=True)
    try:
        with Postgres(found[-1].parent, base, as_postgres=ROOT) as running:
            yield running
    finally:
        subprocess.run(["rm", "-rf", base], check=True)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Callable[[], dict[str, str]]:
    """Make the settings of a new, empty database; every test that uses it runs on both kinds."""
    if request.param == "sqlite":
        return dict
    running = request.getfixturevalue("postgres")
    return lambda: {"FACEKIT_DATABASE_URL": running.create(f"t{secrets.token_hex(6)}")}


@pytest.fixture
def local(tmp_path: Path) -> Local:
    """The service in this process on SQLite, with a clock that stands still until it is moved."""
    return Local(tmp_path / "data", {})


@pytest.fixture
def each_local(database: Callable[[], dict[str, str]], tmp_path: Path) -> Local:
    """The same on both kinds of database, for what depends on them."""
    return Local(tmp_path / "data", database())


@pytest.fixture(scope="session")
def server(
    database: Callable[[], dict[str, str]], texts: Texts, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server for the whole session, with limits that tests do not run into."""
    with Server(tmp_path_factory.mktemp("data"), texts, database()) as running:
        yield running


@pytest.fixture(scope="session")
def obedient(
    database: Callable[[], dict[str, str]], texts: Texts, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server whose cells do as the photo says (tests/obedient.py)."""
    settings = {"FACEKIT_CELLS": "2", "FACEKIT_WEBHOOK_PRIVATE": "true", "FACEKIT_PLAIN_UPLOADS": "true"}
    folder = tmp_path_factory.mktemp("obedient")
    program = "tests.service.obedient_service"
    with Server(folder, texts, database() | settings, program=program) as running:
        yield running


@pytest.fixture
def person(server: Server) -> Iterator[Person]:
    """Somebody who has accepted the policy and signed in with a new number."""
    with server.person() as somebody:
        yield somebody
