"""The demonstration of the service, and the service of one's own that it starts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from facekit import demo_service, load_template, read_image
from facekit.client import Client
from facekit.demo_service import show_service
from facekit.errors import ControlError, ServiceLostError
from facekit.local_service import LocalService
from facekit.receipts import ErasureReceipt

STEPS = [
    "start",
    "accept",
    "sign in",
    "consent",
    "sealed job",
    "receipt",
    "search",
    "export",
    "cancel",
    "search",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "facekit", "demo", "--service", "-o", str(out), "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return SimpleNamespace(out=out, run=run, reply=json.loads(run.stdout))


def test_it_goes_from_accepting_to_leaving_and_says_so(made):
    told = [line.strip() for line in made.run.stderr.splitlines()]
    places = [next(k for k, line in enumerate(told) if line.startswith(step)) for step in STEPS[:-1]]
    assert places == sorted(places)
    assert told[-1].startswith("search")


def test_nothing_is_left_and_the_controls_were_found(made):
    assert (made.run.returncode, made.reply["state"]) == (0, "clean")
    states = {name: one["state"] for name, one in made.reply["searches"].items()}
    controls = [name for name in states if name.startswith("the ")]
    assert len(controls) == 2
    assert {states[name] for name in controls} == {"found"}
    assert {states[name] for name in set(states) - set(controls)} == {"clean"}


def test_the_result_is_saved_and_its_receipt_names_what_was_erased(made):
    picture = read_image(made.reply["picture"])
    assert picture.shape == load_template(demo_service.TEMPLATE).image.shape
    assert [path.name for path in made.out.iterdir()] == [Path(made.reply["picture"]).name]
    receipt = ErasureReceipt.from_json(
        json.dumps(made.reply["receipt"], sort_keys=True, separators=(",", ":"))
    )
    assert receipt.outcome == "delivered"
    assert made.reply["cancelled"]["signer"] == receipt.signer


def test_what_a_careless_service_leaves_is_found(tmp_path, monkeypatch):
    """The same, where a copy of the upload stays in the service's folder for temporary files."""
    swap = Client.swap

    def careless(client, photo, *args, **options):
        (room,) = Path(os.environ["TMPDIR"]).glob("facekit-demo-*/temporary")
        (room / "upload.tmp").write_bytes(photo)
        return swap(client, photo, *args, **options)

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(Client, "swap", careless)
    told = []
    made = show_service(tmp_path / "out", say=told.append)
    assert made.state == "found"
    assert {Path(hit.place).name for report in made.searches.values() for hit in report.hits} == {
        "upload.tmp"
    }
    assert any(line.startswith("search") and not line.endswith(" 0 found") for line in told)


def test_a_search_that_misses_its_control_proves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("facekit.demo_service.find_residue", lambda *_, **__: SimpleNamespace(hits=()))
    with pytest.raises(ControlError, match="would prove nothing"):
        show_service(tmp_path)


# -- a service of one's own ---------------------------------------------------------------------


def test_a_service_that_does_not_start_says_why(tmp_path):
    with pytest.raises(ServiceLostError, match="does not start: FACEKIT_SMS"):
        LocalService(tmp_path, {"SMS": "pigeon"})


def test_it_is_not_set_up_as_another_one_is_and_ends_with_all_its_processes(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEKIT_DATABASE_URL", "postgresql://nobody@192.0.2.1/production")
    monkeypatch.setenv("FACEKIT_HOST", "192.0.2.1")
    with LocalService(tmp_path, {"JOBS": "false"}) as service, Client(service.url) as client:
        assert client.jobs.receipt_key() == service.receipt_key
        client.accept_policy(client.policy())
        assert client.sign_in("+8613800138000", service.code).created
        processes = service.processes()
        assert len(processes) >= 2
    assert (tmp_path / "data" / "facekit.sqlite").is_file()
    assert not any(Path(f"/proc/{pid}").exists() for pid in processes)
