"""`facekit serve`: the service, in a process of its own."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer

from facekit.cli.base import CommandError

__all__ = ["check_service_installed", "serve"]

EXAMPLES = """
Examples:

  facekit serve

  facekit serve --host 0.0.0.0 --port 443 --tls-cert chain.pem --tls-key key.pem

Every other setting is in the environment, as FACEKIT_ and its name: docs/service.md lists them. Secrets are
there only, since other users of a machine can read command lines.
"""

_PASSED_ON: Final = {
    signal.SIGINT: signal.SIGINT,
    signal.SIGTERM: signal.SIGTERM,
    signal.SIGHUP: signal.SIGTERM,  # its terminal has gone
}
_SET_PDEATHSIG: Final = 1  # of prctl(2)


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; by default this machine's own, 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 8000 by default, and 0 takes a free one.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder for database, keys, sealed files and logs.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    behind_proxy: Annotated[
        str | None, typer.Option(help="Address of the proxy that ends TLS and forwards here.")
    ] = None,
) -> None:
    """Start the service, and serve until Ctrl-C.

    It says where it listens, once it does. Plain HTTP is for this machine only, and behind a declared proxy.

    Leaves with 0 where it was told to end, and with 3 where it cannot start as it is set up.
    """
    check_service_installed()
    given = {
        "HOST": host,
        "PORT": port,
        "DATA": data,
        "TLS_CERT": tls_cert,
        "TLS_KEY": tls_key,
        "BEHIND_PROXY": behind_proxy,
    }
    settings = {f"FACEKIT_{name}": str(value) for name, value in given.items() if value is not None}
    code = _run([sys.executable, "-m", "service"], os.environ | settings)
    raise typer.Exit(code if code >= 0 else 128 - code)


def check_service_installed() -> None:
    """Refuse, and say how to install it, where the service's packages are not here."""
    from facekit.checkup import DISTRIBUTION, missing_packages

    missing = missing_packages("service")
    if missing:
        raise CommandError(
            f"the service needs {', '.join(missing)}; install it: pip install '{DISTRIBUTION}[service]'"
        )


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run a command, and pass signals on to it; return how it ended."""
    # In a group of its own, or Ctrl-C would reach it twice: from the terminal, and from here.
    process = subprocess.Popen(  # noqa: S603 (ourselves)
        command, env=environment, process_group=0, preexec_fn=_end_with_parent
    )
    with _passing_signals_to(process):
        return process.wait()


@contextmanager
def _passing_signals_to(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    def pass_on(number: int, _: FrameType | None) -> None:
        process.send_signal(_PASSED_ON[signal.Signals(number)])

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_with_parent() -> None:
    """Have the kernel end this process when its parent has gone without a word."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGTERM)
