"""What tests share: a test that lacks something is skipped, or fails where that thing is demanded."""

import os
import signal
from collections.abc import Callable

import pytest

Require = Callable[[str, bool, str], None]


def demanded(what: str) -> bool:
    """Say whether FACEKIT_REQUIRE, a comma-separated list or "all", names `what`."""
    listed = {item.strip() for item in os.environ.get("FACEKIT_REQUIRE", "").split(",")}
    return bool(listed & {what, "all"})


def pytest_configure() -> None:
    # A shell starts its background jobs with Ctrl-C ignored, and every child would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def require_sample(require: Require) -> Callable[[str], None]:
    """Require a sample picture or video by name."""

    def check(name: str) -> None:
        from facekit.data import has_sample

        require("samples", has_sample(name), f"sample {name!r} is not here; run `facekit samples --fetch`")

    return check
