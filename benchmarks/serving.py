"""Servers to measure: the service, and a bare application that answers a constant, both as processes."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import uvicorn
from fastapi import FastAPI

CODE = "facekit: the code for the number that ends in "
LISTENS = "listening on "


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens."""

    url: str
    pid: int
    out: IO[str]


@contextmanager
def service(settings: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start the service as it comes, with a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="facekit-bench-") as folder:
        given = {
            "FACEKIT_DATA": folder,
            "FACEKIT_PORT": "0",
            "FACEKIT_SMS": "console",
            "FACEKIT_CONTACT": "privacy@example.org",
            "FACEKIT_CODES_PER_ADDRESS": "100000",
            **(settings or {}),
        }
        with _started([sys.executable, "-m", "service"], given) as running:
            yield running


@contextmanager
def bare() -> Iterator[Running]:
    """Start an application that knows nothing and asks nothing, with the same server."""
    with _started([sys.executable, "-m", "benchmarks.serving"], {}) as running:
        yield running


@contextmanager
def _started(command: list[str], environment: Mapping[str, str]) -> Iterator[Running]:
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = next((line for line in process.stdout if LISTENS in line), None)
        assert line is not None, "the server did not start"
        yield Running(line.split(LISTENS)[1].strip(), process.pid, process.stdout)
    finally:
        process.terminate()
        process.wait(30)


def sign_in(server: Running, number: int) -> str:
    """Make an account that has accepted the policy; return its token."""
    phone = f"+86138{number:08}"
    with httpx.Client(base_url=f"{server.url}/v1", timeout=60, trust_env=False) as http:
        shown = http.get("/policy").json()
        accepted = _ok(
            http.post("/policy/acceptances", json={"version": shown["version"], "digest": shown["digest"]})
        )
        http.headers["Facekit-Acceptance"] = accepted["token"]
        sent = _ok(http.post("/auth/otp", json={"phone": phone}))
        code = next(line for line in server.out if line.startswith(CODE)).split()[-1]
        given = {"challenge": sent["challenge"], "phone": phone, "code": code}
        return str(_ok(http.post("/auth/otp/verify", json=given))["token"])


def _ok(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.request.url.path}: {answer.status_code}"
    return answer.json()


class _Server(uvicorn.Server):
    """Says where it listens."""

    async def startup(self, *arguments: Any, **options: Any) -> None:
        await super().startup(*arguments, **options)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        print(f"{LISTENS}http://{host}:{port}", flush=True)


def main() -> None:
    """Serve the bare application, with the service's own options of uvicorn."""
    app = FastAPI(openapi_url=None)

    @app.api_route("/v1/{path:path}", methods=["GET", "PUT", "DELETE"])
    def constant(path: str) -> dict[str, str]:  # noqa: ARG001 (whatever is asked for)
        return {"answer": "constant"}

    config = uvicorn.Config(app, port=0, access_log=False, log_config=None, server_header=False)
    _Server(config).run()


if __name__ == "__main__":
    main()
