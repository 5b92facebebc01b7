"""What tests of the service share: a server process, PostgreSQL, who sends text messages, and people."""

import hashlib
import hmac
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
from sqlalchemy import select

from service.accounts.store import Account, SignIn
from service.database import Database

SECRET = "a secret for signing text messages"  # noqa: S105 (of these tests only)
GENEROUS = {
    "FACEKIT_CODES_PER_NUMBER": "1000",
    "FACEKIT_CODES_PER_ADDRESS": "100000",
    "FACEKIT_TRIES_PER_ADDRESS": "100000",
    "FACEKIT_MISSES_PER_CALLER": "100000",
    "FACEKIT_PASSWORDS_PER_NUMBER": "100000",
    "FACEKIT_FACTOR_TRIES": "100000",
    "FACEKIT_HANDLES_PER_DAY": "100000",
    "FACEKIT_JOBS_PER_HOUR": "100000",
    "FACEKIT_ACCEPTANCES_PER_ADDRESS": "100000",
    "FACEKIT_QUESTIONS_PER_CALLER": "100000",
}
#: For tests of all else: cells take many seconds to start, and much of a busy machine.
WITHOUT_JOBS = {"FACEKIT_JOBS": "false"}


class Texts:
    """Receives what the service wants sent, as a provider of text messages would."""

    def __init__(self) -> None:
        self.codes: dict[str, list[str]] = {}
        self._arrived = threading.Condition()
        texts = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                wanted = "sha256=" + hmac.digest(SECRET.encode(), body, hashlib.sha256).hex()
                right = hmac.compare_digest(self.headers.get("Facekit-Signature", ""), wanted)
                self.send_response(204 if right else 403)
                self.end_headers()
                if right:
                    texts._take(json.loads(body))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/sms"

    def code_for(self, phone: str, *, seconds: float = 20) -> str:
        """Return the code that was sent to a number last; each is taken once."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: self.codes.get(phone), seconds):
                raise AssertionError("no code was sent")
            return self.codes[phone].pop()

    def _take(self, message: Mapping[str, str]) -> None:
        with self._arrived:
            self.codes.setdefault(message["phone"], []).append(message["code"])
            self._arrived.notify_all()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Postgres:
    """A PostgreSQL server with a cluster of its own."""

    def __init__(self, programs: Path, base: Path, *, as_postgres: bool) -> None:
        self.base, self.data, self._programs = base, base / "data", programs
        self._become = (
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if as_postgres else []
        )

    def __enter__(self) -> Self:
        self.run("initdb", "-D", self.data, "-A", "trust", "-U", "facekit", "--no-sync", "-E", "UTF8")
        settings = f"-c listen_addresses= -c unix_socket_directories={self.base} -c fsync=off"
        self.run("pg_ctl", "-D", self.data, "-o", settings, "-l", self.base / "log", "-w", "start")
        return self

    def __exit__(self, *_: object) -> None:
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")

    def create(self, name: str) -> str:
        """Make a database, and return its address."""
        self.run("psql", "-h", self.base, "-U", "facekit", "-d", "postgres", "-c", f"create database {name}")
        return f"postgresql://facekit@/{name}?host={self.base}"

    def run(self, program: str, *arguments: Any) -> str:
        command = [*self._become, str(self._programs / program), *map(str, arguments)]
        return subprocess.run(
            command, check=True, capture_output=True, cwd="/", timeout=120, text=True
        ).stdout


class Server:
    """The service in a process of its own, as `python -m service` starts it."""

    def __init__(
        self,
        data: Path,
        texts: Texts,
        settings: Mapping[str, str] | None = None,
        *,
        generous: bool = True,
        program: str = "service",
    ) -> None:
        self.data, self.texts = data, texts
        self.command = ("-m", program)
        self.environment = {
            "FACEKIT_DATA": str(data),
            "FACEKIT_PORT": "0",
            "FACEKIT_SMS": "webhook",
            "FACEKIT_SMS_URL": texts.url,
            "FACEKIT_SMS_SECRET": SECRET,
            "FACEKIT_CONTACT": "privacy@example.org",
            **(GENEROUS if generous else {}),
            **(settings or {}),
        }
        self.process: subprocess.Popen[str]
        self.url = ""

    def start(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, *self.command],
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "listening on " in line:
                self.url = line.split("listening on ")[1].strip()
                return self
        assert self.process.stderr is not None
        raise AssertionError(f"the service did not start: {self.process.stderr.read()}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=f"{self.url}/v1", headers=headers, timeout=60, trust_env=False)

    def person(self, phone: str = "") -> "Person":
        return Person(self, phone or new_number())

    def database(self) -> Database:
        """Look into the database, beside the server."""
        return Database(self.environment.get("FACEKIT_DATABASE_URL", f"sqlite:///{self.data}/facekit.sqlite"))

    def log_lines(self) -> list[dict[str, Any]]:
        """Return what the service has logged."""
        files = sorted((self.data / "logs").glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


class Person:
    """Somebody with a phone, who accepts the policy and signs in; a context manager."""

    def __init__(self, server: Server, phone: str) -> None:
        self.server, self.phone = server, phone
        self.http = server.client()
        self.token, self.account = "", ""

    def accept(self) -> str:
        """Accept the policy that is in force; return the token for signing in."""
        policy = self.http.get("/policy").json()
        answer = self.http.post(
            "/policy/acceptances", json={"version": policy["version"], "digest": policy["digest"]}
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def sign_in(self) -> Self:
        """Sign in with a code."""
        self.http.headers["Facekit-Acceptance"] = self.accept()
        sent = self.http.post("/auth/otp", json={"phone": self.phone})
        assert sent.status_code == 202, sent.text
        code = self.server.texts.code_for(self.phone)
        given = {"challenge": sent.json()["challenge"], "phone": self.phone, "code": code}
        answer = self.http.post("/auth/otp/verify", json=given)
        assert answer.status_code == 200, answer.text
        self.token, self.account = answer.json()["token"], answer.json()["account"]
        del self.http.headers["Facekit-Acceptance"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"
        return self

    def step_up(self) -> Self:
        """Confirm with a fresh code."""
        sent = self.http.post("/auth/step-up/code")
        assert sent.status_code == 202, sent.text
        given = {"challenge": sent.json()["challenge"], "code": self.server.texts.code_for(self.phone)}
        answer = self.http.post("/auth/step-up", json=given)
        assert answer.status_code == 204, answer.text
        return self

    def run_the_service(self) -> Self:
        """Become one of those who run it, with the second factor given."""
        database = self.server.database()
        with database.begin() as session:
            session.get_one(Account, self.account).role = "operator"
            for signed_in in session.scalars(select(SignIn).where(SignIn.account_id == self.account)):
                signed_in.second_factor_at = datetime.now(UTC)
        database.close()
        return self

    def granted(self, kind: str = "consents") -> set[str]:
        """Return what is on."""
        return {one["name"] for one in self.http.get(f"/{kind}").json()["items"] if one["granted"]}

    def consent(self, purpose: str = "face.effect", *, kind: str = "consents") -> None:
        """Turn a purpose or a permission on."""
        shown = {one["name"]: one for one in self.http.get(f"/{kind}").json()["items"]}
        answer = self.http.put(f"/{kind}/{purpose}", json={"digest": shown[purpose]["digest"]})
        assert answer.status_code == 200, answer.text

    def __enter__(self) -> Self:
        return self.sign_in()

    def __exit__(self, *_: object) -> None:
        self.http.close()


def new_number() -> str:
    """Return a number that no other test uses."""
    # Not by `random`, which hypothesis makes repeat itself.
    return f"+86139{secrets.randbelow(10**8):08}"


def eventually(holds: Any, *, seconds: float = 20, every: float = 0.05) -> Any:
    """Wait until something holds, and return it."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > end:
            raise AssertionError("it did not come to be in time")
        time.sleep(every)
    return found
