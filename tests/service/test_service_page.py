"""docs/service.md: its commands run, in their order, at a real server; its table is that of the settings."""

import base64
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from facekit import load_template, read_image, synthetic_face, verify_receipt, write_image
from facekit.client_rights import verify_account_receipt
from service.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "service.md"

spec = importlib.util.spec_from_file_location("service_settings", ROOT / "tools" / "service_settings.py")
settings_tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(settings_tool)


def blocks():
    return re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, require):
    """The folder in which all commands of the page were run, in order, by one shell."""
    require("curl", bool(shutil.which("curl")), "curl is not here; Debian's package is curl")
    place = tmp_path_factory.mktemp("page")
    write_image(place / "me.jpg", synthetic_face(256, seed=5))
    programs = place / "bin"
    programs.mkdir()
    for name, module in (("facekit", "-m facekit"), ("python3", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
        (programs / name).chmod(0o755)
    with (place / "said.txt").open("w") as said:
        shell = subprocess.Popen(
            ["bash", "-xeuo", "pipefail", "-c", "\n".join(blocks())],
            cwd=place,
            env={
                **os.environ,
                "PATH": f"{programs}:{os.environ['PATH']}",
                "FACEKIT_PORT": str(free_port()),
                "FACEKIT_DATA": str(place / "data"),
            },
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            code = shell.wait(timeout=300)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)  # the service, too, where a command had failed
    assert code == 0, f"{(place / 'said.txt').read_text()}\n{(place / 'service.log').read_text()}"
    return place


def document(folder, name):
    return json.loads((folder / name).read_text())


def key_of(folder):
    return base64.b64decode((folder / "receipt.pub").read_text())


def test_the_page_has_every_step():
    assert len(blocks()) >= 12


def test_the_result_that_the_commands_made_is_a_picture_and_its_key_is_gone(folder):
    assert read_image(folder / "out.png").shape == load_template("stamp").image.shape
    assert not (folder / "result.key").exists()


def test_events_and_the_receipt_were_told(folder):
    said = (folder / "said.txt").read_text()
    assert '"stage":"blend"' in said.replace('": "', '":"')
    assert "The signature holds" in said
    receipt = verify_receipt((folder / "receipt.json").read_text(), key_of(folder))
    assert (receipt.outcome, receipt.upload, receipt.result_key) == ("delivered", "sealed", "client")


def test_the_export_holds_what_was_chosen_and_nothing_of_the_photo(folder):
    text = (folder / "export.json").read_text()
    assert "+8613800138000" in text
    assert "face.effect" in text


def test_after_the_cancellation_the_session_is_nobodys(folder):
    assert verify_account_receipt(document(folder, "cancelled.json"), key_of(folder))
    assert (folder / "after.txt").read_text() == "401\n"
    assert document(folder, "after.json")["type"] == "/v1/problems/unknown-caller"


def test_the_table_of_settings_is_theirs():
    assert settings_tool.table() in PAGE.read_text(), "run python tools/service_settings.py"


def test_no_setting_is_without_a_description():
    assert all(one.description for one in Settings.model_fields.values())
