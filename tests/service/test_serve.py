"""`facekit serve`: how the service starts, what it refuses to start with, and how it ends."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import warnings
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from facekit.cli import app
from service.listening import _bound
from service.settings import Settings
from tests.service.serving import eventually


class Command:
    """`facekit serve` in a process of its own."""

    def __init__(self, *options, env=None):
        command = [sys.executable, "-m", "facekit", "serve", *map(str, options)]
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = self.process.stdout.readline()  # nothing, where it does not start

    @property
    def url(self):
        return self.said.removeprefix("facekit: listening on ").strip()

    def child(self):
        return int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text())

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        _, self.errors = self.process.communicate(timeout=60)
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()


def refused(*options, env=None):
    """Return the line with which the command refuses to start."""
    with Command(*options, env=env) as command:
        assert command.said == ""
        assert command.wait() == 3
    assert command.errors.startswith("facekit: ")
    assert command.errors.count("\n") == 1
    return command.errors


def is_running(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_service_answers_and_ends_well_when_told_to(tmp_path, number):
    with Command("--port", 0, "--data", tmp_path / "data") as command:
        assert httpx.get(f"{command.url}/v1/policy", trust_env=False).status_code == 200
        service = command.child()
        assert command.end(number) == 0
    assert command.errors == ""
    assert not is_running(service)
    assert (tmp_path / "data" / "facekit.sqlite").is_file()


def test_the_service_does_not_outlive_a_command_that_was_killed(tmp_path):
    with Command("--port", 0, "--data", tmp_path) as command:
        service = command.child()
        assert is_running(service)
        command.process.kill()
        command.process.communicate()
    eventually(lambda: not is_running(service))


def test_ending_while_it_starts_is_ending_well(tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))  # PostgreSQL that says nothing keeps it waiting
    url = f"postgresql://nobody@127.0.0.1:{listener.getsockname()[1]}/none"
    command = subprocess.Popen(
        [sys.executable, "-m", "facekit", "serve", "--port", "0", "--data", str(tmp_path)],
        env=os.environ | {"FACEKIT_DATABASE_URL": url},
    )
    with listener, listener.accept()[0]:
        command.terminate()
        assert command.wait(60) == 0


@pytest.mark.clause("1.2.2(1)", partly="plain HTTP is for one machine, or stands behind a declared proxy")
def test_plain_http_that_others_could_reach_is_refused(tmp_path):
    line = refused("--host", "0.0.0.0", "--data", tmp_path)  # noqa: S104
    assert "plain HTTP is for this machine only; give tls_cert and tls_key, or behind_proxy" in line
    assert list(tmp_path.iterdir()) == []


def test_behind_a_declared_proxy_it_starts_and_believes_that_proxy_alone(tmp_path):
    options = ("--host", "0.0.0.0", "--port", 0, "--data", tmp_path, "--behind-proxy", "127.0.0.1")  # noqa: S104
    settings = {"FACEKIT_SMS": "none", "FACEKIT_CONTACT": "privacy@example.org"}
    with Command(*options, env=settings) as command:
        url = command.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        forwarded = {"X-Forwarded-For": "203.0.113.9"}
        assert httpx.get(f"{url}/v1/policy", headers=forwarded, trust_env=False).status_code == 200
        logs = tmp_path / "logs"
        eventually(lambda: any("203.0.113.0/24" in log.read_text() for log in logs.glob("*.jsonl")))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"FACEKIT_SMS": "pigeon-4711"}, "FACEKIT_SMS"),
        ({"FACEKIT_TLS_CERT": "pigeon-4711.pem"}, "tls_cert and tls_key: give both, or none"),
        (
            {"FACEKIT_TLS_CERT": "pigeon-4711", "FACEKIT_TLS_KEY": "pigeon-4711"},
            "FACEKIT_TLS_CERT, FACEKIT_TLS_KEY: expected a certificate and its key",
        ),
        ({"FACEKIT_HOST": "localhost", "FACEKIT_PORT": "pigeon-4711"}, "FACEKIT_PORT"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_repeated(tmp_path, settings, said):
    line = refused("--data", tmp_path, env=settings)
    assert said in line
    assert "pigeon-4711" not in line


def test_answers_are_sent_at_once(tmp_path):
    """asyncio turns Nagle's algorithm off on sockets that say that they are TCP's: 40 ms of every answer."""
    with _bound(Settings.load(data=tmp_path, port=0, contact="privacy@example.org")) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        line = refused("--port", taken.getsockname()[1], "--data", tmp_path)
    assert "FACEKIT_PORT: cannot listen there (address already in use)" in line


def test_wrong_usage_is_told_from_wrong_settings():
    assert CliRunner().invoke(app, ["serve", "--port", "99999"]).exit_code == 2
    assert CliRunner().invoke(app, ["serve", "--database-url", "postgresql://"]).exit_code == 2


def test_without_its_packages_it_says_how_to_install_them(monkeypatch):
    monkeypatch.setattr("facekit.checkup.missing_packages", lambda _: ["fastapi", "uvicorn"])
    run = CliRunner().invoke(app, ["serve"])
    assert run.exit_code == 3
    assert run.stderr == (
        "facekit: the service needs fastapi, uvicorn; install it: pip install 'facekit-reference[service]'\n"
    )


# -- TLS --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for this machine, which signs itself; and its key."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def speaking(version, cafile):
    """Return a context that speaks one version of TLS, however weak."""
    context = ssl.create_default_context(cafile=cafile)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    return context


def agreed(port, context):
    """Return the version of TLS that a server agrees to; nothing where it does not."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as sealed,
        ):
            return sealed.version()
    except (ssl.SSLError, ConnectionError):
        return None


@contextmanager
def a_server_that_takes_anything(certificate):
    """Any version of TLS, any cipher: the control of the test below."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.load_cert_chain(*certificate)

    def answer():
        with suppress(OSError), context.wrap_socket(listener.accept()[0], server_side=True):
            pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.clause("1.2.2(1)", partly="TLS of at least 1.2, and nothing in clear on the same port")
def test_tls_is_at_least_1_2_and_nothing_else_is_answered(tmp_path, certificate):
    old = speaking(ssl.TLSVersion.TLSv1_1, certificate[0])
    with a_server_that_takes_anything(certificate) as port:
        assert agreed(port, old) == "TLSv1.1"
    options = ("--port", 0, "--data", tmp_path, "--tls-cert", certificate[0], "--tls-key", certificate[1])
    with Command(*options) as command:
        assert command.url.startswith("https://127.0.0.1:")
        port = int(command.url.rpartition(":")[2])
        assert agreed(port, old) is None
        assert agreed(port, speaking(ssl.TLSVersion.TLSv1_2, certificate[0])) == "TLSv1.2"
        assert agreed(port, speaking(ssl.TLSVersion.TLSv1_3, certificate[0])) == "TLSv1.3"
        context = ssl.create_default_context(cafile=certificate[0])
        whole = httpx.get(f"https://localhost:{port}/v1/policy", verify=context, trust_env=False)
        assert whole.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"http://127.0.0.1:{port}/v1/policy", trust_env=False)
