"""The notebooks as web pages, for people without Jupyter: Voila runs one, and its widgets work."""

import pytest
from playwright.sync_api import Page, expect

NOTEBOOK = "30_poisson_blending.ipynb"
PATIENCE = 180_000  # ms; the page is there when the notebook has run


@pytest.fixture(scope="module")
def voila(page: Page, serve):
    page.goto(f"{serve('voila', '.')}/voila/render/{NOTEBOOK}", timeout=PATIENCE)
    expect(page.get_by_role("application")).to_be_visible(timeout=PATIENCE)
    return page


def test_page_shows_prose_code_and_pictures_and_no_error(voila):
    assert voila.get_by_text("blend_poisson").count() > 5
    assert voila.get_by_role("img").count() > 10
    assert voila.locator("img:not([alt])").count() == 0
    assert voila.get_by_text("Traceback").count() == 0


@pytest.mark.clause("2 p-3rd", partly="notebooks in Voila, in a browser")
def test_page_loads_nothing_from_other_hosts(voila, elsewhere):
    assert elsewhere() == []


def test_painting_the_mask_changes_the_blend(voila, shots):
    canvas = voila.get_by_role("application")
    canvas.scroll_into_view_if_needed()
    picture, outline = canvas.locator("img"), canvas.locator("path").first
    before, ring = picture.get_attribute("src"), outline.get_attribute("d")
    canvas.screenshot(path=shots / "voila-paint-before.png")
    box = canvas.bounding_box()
    voila.mouse.move(box["x"] + 0.35 * box["width"], box["y"] + 0.3 * box["height"])
    voila.mouse.down()
    voila.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.12 * box["height"], steps=12)
    voila.mouse.up()
    voila.wait_for_function(
        "([path, old]) => path.getAttribute('d') !== old", arg=[outline.element_handle(), ring]
    )
    assert picture.get_attribute("src") != before
    canvas.screenshot(path=shots / "voila-paint-after.png")


def test_brush_works_without_a_mouse(voila):
    canvas = voila.get_by_role("application")
    outline = canvas.locator("path").first
    ring = outline.get_attribute("d")
    voila.get_by_label("erase").check()
    for key in ["ArrowUp"] * 5 + [" "]:
        canvas.press(key)
    voila.wait_for_function(
        "([path, old]) => path.getAttribute('d') !== old", arg=[outline.element_handle(), ring]
    )


def test_dial_works_too(voila):
    slider = voila.locator(".noUi-handle").first
    picture = voila.get_by_alt_text("come from the rim")
    before = picture.get_attribute("src")
    slider.press("ArrowRight")
    voila.wait_for_function("([one, old]) => one.src !== old", arg=[picture.element_handle(), before])
