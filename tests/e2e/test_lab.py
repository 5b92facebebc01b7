"""JupyterLab as its users see it: the whole swap runs, a dial is turned, the picture follows."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "out" / "e2e"
NOTEBOOK = "60_whole_swap.ipynb"
TURNS = 20
PATIENCE = 120_000  # ms; a cold machine compiles kernels first


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def page(require):
    require("chromium", chromium() is not None, "Chromium is not here; Debian's package is chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1400, "height": 1000})
        browser.close()


@pytest.fixture
def lab(tmp_path):
    """A JupyterLab of its own, on a copy of the notebooks; its address, token included."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    homes = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--port=0", "--allow-root"]
    log = tmp_path / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            command, cwd=tmp_path / "notebooks", env=os.environ | homes, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            yield address(log, server)
        finally:
            server.terminate()
            server.wait(30)


def address(log: Path, server: subprocess.Popen[bytes]) -> str:
    for _ in range(600):
        found = re.search(r"http://127\.0\.0\.1:\d+/lab\?token=\w+", log.read_text())
        if found:
            return found.group()
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def open_notebook(page: Page, lab: str) -> None:
    page.goto(lab.replace("/lab?", f"/lab/tree/{NOTEBOOK}?"))
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible(timeout=PATIENCE)
    ready = page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    expect(ready.first).to_be_attached(timeout=PATIENCE)
    expect(page.get_by_text("Python 3").first).to_be_visible(timeout=PATIENCE)


def test_turning_a_dial_in_the_lab_changes_the_picture(page, lab, record_property):
    open_notebook(page, lab)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    slider = page.locator(".widget-slider .noUi-handle, .widget-slider [role=slider]").first
    expect(slider).to_be_attached(timeout=PATIENCE)
    busy = page.locator('.jp-Notebook-ExecutionIndicator[data-status="busy"]')
    expect(busy).to_have_count(0, timeout=PATIENCE)
    slider.scroll_into_view_if_needed()
    picture = page.locator(".widget-image").first
    expect(picture).to_be_visible(timeout=PATIENCE)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "lab-before.png")
    times = []
    for turn in range(TURNS):
        before = picture.get_attribute("src")
        start = time.perf_counter()
        slider.press("ArrowRight" if turn < TURNS // 2 else "ArrowLeft")
        page.wait_for_function(
            "([picture, before]) => picture.src !== before", arg=[picture.element_handle(), before]
        )
        times.append(1e3 * (time.perf_counter() - start))
    page.screenshot(path=SHOTS / "lab-after.png")
    record_property("slider to picture, ms, median of 20", round(median(times), 1))
    (SHOTS / "lab.txt").write_text(f"slider to picture: {median(times):.0f} ms, median of {TURNS}\n")
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").count() == 0
