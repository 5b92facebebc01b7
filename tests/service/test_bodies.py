"""Bodies of JSON are read before it is known whose they are: so they are short."""

import contextlib
import socket
from pathlib import Path

import pytest

from service.bodies import LONGEST_JSON

LONG = LONGEST_JSON + 1


def test_a_body_that_is_as_long_as_may_be_is_looked_at(server):
    body = b'{"phone": "' + b"1" * (LONGEST_JSON - 13) + b'"}'
    assert len(body) == LONGEST_JSON
    with server.client() as http:
        assert http.post("/policy/acceptances", content=body).status_code == 422
        answer = http.post("/policy/acceptances", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_a_longer_one_is_refused_whatever_it_says_it_is(server, kind):
    with server.client(**({"Content-Type": kind} if kind else {})) as http:
        said = http.post("/policy/acceptances", content=bytes(LONG))
        unsaid = http.post("/policy/acceptances", content=iter([bytes(LONG // 2)] * 3))
    for answer in (said, unsaid):
        assert answer.status_code == 413
        assert answer.json()["type"] == "/v1/problems/too-long"
        assert answer.headers["content-type"] == "application/problem+json"


def test_one_that_says_that_it_is_long_is_refused_before_it_comes(server):
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 20) as wire:
        head = f"POST /v1/auth/otp HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        wire.sendall(f"{head}Content-Length: {10**12}\r\n\r\n".encode())
        assert b" 413 " in wire.recv(65536).split(b"\r\n")[0]


def test_a_body_that_never_ends_is_not_kept(server):
    host, port = server.url.removeprefix("http://").split(":")
    before = resident(server.process.pid)
    with socket.create_connection((host, int(port)), 60) as wire:
        head = f"POST /v1/auth/otp HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
        wire.sendall(head.encode())
        # Where the server hangs up early, so much the better.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(1024):
                wire.sendall(b"10000\r\n" + bytes(2**16) + b"\r\n")
            assert b" 413 " in wire.recv(65536).split(b"\r\n")[0]
    assert resident(server.process.pid) - before < 32 * 2**20, "of 64 MiB"


def resident(pid):
    """Return the bytes that a process holds in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024
