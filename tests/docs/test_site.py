"""The documentation site: whole, readable without eyes, and silent towards other hosts."""

import importlib.util
import pkgutil
import re
import subprocess
import sys
import threading
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest
import typer
import yaml
from markdown_it import MarkdownIt
from playwright.sync_api import sync_playwright

import facekit
from facekit.cli import app

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(ROOT.glob("notebooks/[0-9][0-9]_*.ipynb"))
DOCUMENTS = {
    "README.md": "index.html",
    "CHANGELOG.md": "CHANGELOG.html",
    "CONTRIBUTING.md": "CONTRIBUTING.html",
    "benchmarks/README.md": "benchmarks/index.html",
    "benchmarks/notes.md": "benchmarks/notes.html",
    "benchmarks/results.md": "benchmarks/results.html",
    "datasets/README.md": "datasets/index.html",
    "notebooks/mutants.md": "notebooks/mutants.html",
    "docs/data-map.md": "docs/data-map.html",
    "docs/effects.md": "docs/effects.html",
    "docs/policy-coverage.md": "docs/policy-coverage.html",
    "docs/policy.md": "docs/policy.html",
    "docs/service.md": "docs/service.html",
    "docs/threat-model.md": "docs/threat-model.html",
}
LOADING = {  # attributes for which a browser asks by itself
    "script": ("src",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "iframe": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "link": ("href",),
    "use": ("href",),
    "input": ("src",),
}
ASSET = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
OTHER_HOST = re.compile(r"^\s*(\w+:)?//")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """What a test wants to know about a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.text, self.styles, self.stack = [], set(), [], [], []
        self.title = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = SimpleNamespace(tag=tag, inside=tuple(self.stack), attributes=dict(attributes))
        self.tags.append(found)
        self.ids |= {value for name, value in attributes if name in ("id", "name") and value}
        self.styles += [value for name, value in attributes if name == "style"]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        while tag in self.stack and self.stack.pop() != tag:
            pass

    def handle_data(self, data):
        if "style" in self.stack:
            self.styles.append(data)
        elif self.stack[-1:] == ["title"]:
            self.title += data
        elif "script" not in self.stack:
            self.text.append(data)

    def all(self, *names, within=""):
        return [tag for tag in self.tags if tag.tag in names and (not within or within in tag.inside)]


@pytest.fixture(scope="session")
def site(require, tmp_path_factory):
    """The folder of the site, built with warnings as errors."""
    there = all(
        map(importlib.util.find_spec, ("mkdocs", "material", "mkdocstrings_handlers", "latex2mathml"))
    )
    require("docs", there, "the extra docs is not installed; `make docs` installs it")
    folder = tmp_path_factory.mktemp("site")
    # Not --quiet: that would hide the warnings from --strict.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture(scope="session")
def pages(site):
    return {str(path.relative_to(site)): parsed(path) for path in sorted(site.rglob("*.html"))}


@cache
def parsed(path):
    return Page(path.read_text())


def links(pages):
    for name, page in pages.items():
        for tag in page.all("a"):
            if tag.attributes.get("href") is not None:
                yield name, tag.attributes["href"]


def test_every_link_within_the_site_leads_to_a_file_and_a_place_in_it(site, pages):
    dead = []
    for name, href in links(pages):
        if urlsplit(href).scheme:
            continue
        found = urlsplit(urljoin(f"/{name}", href))
        path = unquote(found.path).lstrip("/")
        target = path + "index.html" if not path or path.endswith("/") else path
        place = unquote(found.fragment)
        there = (site / target).is_file() and (not place or place in pages[target].ids)
        if not there:
            dead.append(f"{name}: {href}")
    assert not dead


def test_links_to_other_hosts_are_well_formed(pages):
    found = {href for _, href in links(pages) if urlsplit(href).scheme}
    assert found
    for href in found:
        assert re.fullmatch(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+(/\S*)?", href), href
        if "doi.org" in href:
            assert re.fullmatch(r"https://doi\.org/10\.\d{4,9}/\S+", href), href
    alike = {href.rstrip("/").lower() for href in found}
    assert len(alike) == len(found), "two links differ only by a slash or by case"


@pytest.mark.clause("2 p-3rd", "6.1", partly="pages of the documentation")
def test_no_page_loads_anything_from_another_host(site, pages):
    asked = [
        (name, value)
        for name, page in pages.items()
        for tag in page.tags
        for attribute in LOADING.get(tag.tag, ())
        for value in (tag.attributes.get(attribute) or "").split(",")
        if tag.attributes.get("rel") not in ("canonical", "next", "prev")
    ]
    sheets = {path.name: path.read_text() for path in site.rglob("*.css")}
    sheets |= {name: " ".join(page.styles) for name, page in pages.items()}
    asked += [(name, "".join(found)) for name, text in sheets.items() for found in ASSET.findall(text)]
    assert len(asked) > len(pages)
    assert not [one for one in asked if OTHER_HOST.match(one[1])]


def test_what_pages_load_is_there(site, pages):
    for name, page in pages.items():
        for tag in page.tags:
            for attribute in LOADING.get(tag.tag, ()):
                value = tag.attributes.get(attribute)
                if value and not value.startswith("data:"):
                    path = unquote(urlsplit(urljoin(f"/{name}", value)).path).lstrip("/")
                    assert (site / (path or "index.html")).exists(), (name, value)


def test_every_picture_has_a_text_in_its_place(pages):
    for name, page in pages.items():
        for tag in page.all("img", within="article"):
            assert len(tag.attributes["alt"].split()) >= 2, (name, tag.attributes)
        assert all("alt" in tag.attributes for tag in page.all("img"))


def test_every_page_has_one_heading_a_title_a_language_and_a_skip_link(pages):
    for name, page in pages.items():
        assert len(page.all("h1")) == 1, name
        assert len(page.all("title")) == 1, name
        assert page.all("html")[0].attributes["lang"] == "en"
        if name != "404.html":
            assert any(tag.attributes.get("class") == "md-skip" for tag in page.all("a")), name
    titles = [page.title for name, page in pages.items() if name != "404.html"]
    assert all(titles)
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", sorted(facekit.__all__))
def test_every_public_name_is_described(name, pages):
    module = next(module for module, names in facekit._HOME.items() if name in names)
    page = pages[f"reference/{module}.html"]
    assert f"facekit.{module}.{name}" in page.ids
    index = {tag.attributes.get("href") for tag in pages["reference/index.html"].all("a")}
    assert f"{module}.html#facekit.{module}.{name}" in index


def test_every_module_has_a_page(pages):
    modules = {found.name for found in pkgutil.iter_modules(facekit.__path__)} - {"__main__", "cli"}
    offering = {module for module in facekit._HOME if "." in module}  # inside of packages
    described = {Path(name).stem for name in pages if name.startswith("reference/")} - {"index"}
    assert described == modules | offering


def test_every_command_and_option_is_described(pages):
    text = "".join(pages["command-line.html"].text)
    for name, command in typer.main.get_command(app).commands.items():
        assert f"facekit {name}" in text
        assert "\\|" not in text
        for option in [
            option for parameter in command.params for option in parameter.opts if option[:1] == "-"
        ]:
            assert option in text


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.fixture(params=NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def notebook(request, pages):
    cells = nbformat.read(request.param, as_version=4).cells
    page = pages[f"notebooks/{request.param.stem}.html"]
    return SimpleNamespace(name=request.param.stem, cells=cells, page=page, text="".join(page.text))


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_the_gallery_shows_every_notebook(notebook, site, pages):
    gallery = pages["notebooks/index.html"]
    assert any(
        tag.attributes.get("href") == f"{notebook.name}.html" for tag in gallery.all("a", within="article")
    )
    source = f"{notebook.name}/thumbnail.webp"
    (picture,) = [tag for tag in gallery.all("img") if tag.attributes["src"] == source]
    assert picture.attributes["alt"]
    assert 1000 < (site / "notebooks" / source).stat().st_size < 60_000


def test_a_notebook_shows_all_its_pictures_and_no_widget_without_one(notebook):
    shown = [
        output for output in outputs(notebook) if any("image/" in kind for kind in output.get("data", {}))
    ]
    assert len(notebook.page.all("img", within="figure")) == len(shown) > 0
    assert "(children=(" not in notebook.text


def test_a_notebook_shows_what_it_printed(notebook):
    for output in outputs(notebook):
        if output.output_type == "stream":
            assert output.text.strip() in notebook.text


def test_a_notebook_keeps_its_headings_answers_and_formulas(notebook):
    prose = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    printed = [
        output.data["text/markdown"]
        for output in outputs(notebook)
        if "text/markdown" in output.get("data", {})
    ]
    made = MarkdownIt().parse("\n\n".join([prose, *printed]))
    assert len(notebook.page.all("h2", within="article")) == sum(token.tag == "h2" for token in made) // 2
    assert len(notebook.page.all("details")) == prose.count("<details>") > 0
    formulas = re.sub(r"`[^`]*`", "", prose).count("$$") // 2
    blocks = [tag for tag in notebook.page.all("math") if tag.attributes.get("display") == "block"]
    assert len(blocks) == formulas
    assert "$" not in "".join(re.sub(r"`[^`]*`", "", prose).split("$")[::2])
    assert not any(
        "arithmatex" in tag.attributes.get("class", "") for tag in notebook.page.all("span", "div")
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_has_the_lists_and_tables_that_it_has_as_a_file(document, pages):
    page = pages[DOCUMENTS[document]]
    made = MarkdownIt().enable("table").parse((ROOT / document).read_text())
    for tag in ("li", "tr"):
        assert len(page.all(tag, within="article")) == sum(
            token.tag == tag and token.nesting == 1 for token in made
        )
    assert len(page.all("pre", within="article")) == sum(token.type == "fence" for token in made)


def test_the_citation_is_that_of_the_file(pages):
    entry, text = yaml.safe_load((ROOT / "CITATION.cff").read_text()), "".join(pages["citing.html"].text)
    assert f"title = {{{{{entry['title']}}}}}" in text
    assert f"version = {{{entry['version']}}}" in text


# The texts of a page that stand out from their ground by less than 4.5 to 1 (WCAG 2.2, 1.4.3).
FAINT = """() => {
  const channels = colour => [...colour.match(/[\\d.]+/g).map(Number), 1].slice(0, 4)
  const over = (top, below) => below.map((value, k) => k < 3 ? top[k] * top[3] + value * (1 - top[3]) : 1)
  const linear = value => value <= 10.3 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
  const ancestors = tag => tag ? [tag, ...ancestors(tag.parentElement)] : []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = new Set()
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim(), tag = texts.currentNode.parentElement
    if (!text || !tag.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue
    const styles = ancestors(tag).map(one => getComputedStyle(one))
    const grounds = styles.map(one => channels(one.backgroundColor)).reverse()
    const ground = grounds.reduce((below, top) => over(top, below), [255, 255, 255, 1])
    const ink = channels(styles[0].color)
    ink[3] *= styles.reduce((product, one) => product * one.opacity, 1)
    const [dark, light] = [luminance(ground), luminance(over(ink, ground))].sort((a, b) => a - b)
    if ((light + 0.05) / (dark + 0.05) < 4.5) found.add(tag.className + ": " + text.slice(0, 40))
  }
  return [...found]
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def address(site):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


SOME = ["index", "notebooks/index", f"notebooks/{NOTEBOOKS[0].stem}", "reference/swap", "benchmarks/results"]


@pytest.mark.clause("2 p-3rd", partly="the documentation in a browser")
def test_a_browser_asks_no_other_host_and_finds_words(browser, address):
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    for name in SOME:
        page.goto(f"{address}/{name}.html", wait_until="networkidle")
    page.get_by_placeholder("Search").press_sequentially("Poisson")
    page.locator(".md-search-result__item").first.wait_for()
    page.close()
    assert len(asked) > len(SOME)
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert not said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_read_on_a_phone_and_in_both_schemes(scheme, browser, address):
    page = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    for name in SOME:
        page.goto(f"{address}/{name}.html")
        assert page.evaluate("document.documentElement.scrollWidth") == 360, name
        assert page.evaluate(FAINT) == [], name
    grounds = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.close()
    assert (grounds == "rgb(255, 255, 255)") is (scheme == "light")
