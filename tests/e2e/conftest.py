"""A real Chromium, whose camera sees the astronaut, and servers of the notebooks."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from facekit import encode_image, show

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@pytest.fixture(scope="session")
def shots():
    """The folder for what a test saw."""
    folder = ROOT / "out" / "e2e"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    film = tmp_path_factory.mktemp("camera") / "face.mjpeg"
    film.write_bytes(encode_image(show.portrait("astronaut", 480), "jpeg") * 8)
    camera = ["ui-for-media-stream", "device-for-media-stream"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                *(f"--use-fake-{one}" for one in camera),
                f"--use-file-for-fake-video-capture={film}",
            ],
        )
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.facekit_answered = []  # addresses, of all that was loaded
        page.on("requestfinished", lambda request: page.facekit_answered.append(request.url))
        yield page
        browser.close()


@pytest.fixture
def elsewhere(page):
    """Return a function that lists what was loaded from any other host than this machine."""

    def listed() -> list[str]:
        loaded = (url for url in page.facekit_answered if not url.startswith(("blob:", "data:")))
        return [url for url in loaded if urlsplit(url).hostname != "127.0.0.1"]

    return listed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the notebooks."""
    here = tmp_path_factory.mktemp("notebooks")
    shutil.copytree(ROOT / "notebooks", here / "notebooks")
    return here


@pytest.fixture(scope="module")
def serve(folder):
    """Start a server on the copy, with a home of its own, at the port given; return its address."""
    servers = []

    def start(*command: str) -> str:
        homes = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")}
        homes["JUPYTERLAB_SETTINGS_DIR"] = str(folder / "settings")
        log, port = folder / f"{command[0]}.log", free_port()
        with log.open("w") as out:
            server = subprocess.Popen(
                [sys.executable, "-m", *command, "--no-browser", f"--port={port}"],
                cwd=folder / "notebooks",
                env=os.environ | homes,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        servers.append(server)
        for _ in range(600):
            assert server.poll() is None, log.read_text()
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}"
            time.sleep(0.1)
        raise AssertionError(log.read_text())

    yield start
    for server in servers:
        server.terminate()
        server.wait(30)
