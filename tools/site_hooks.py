"""What MkDocs is told about this repository: which pages there are, and how maths becomes MathML.

The site mirrors the repository: README.md is its home, notebooks/README.md the gallery, and so on, so that
relative links between these files are links between pages. Notebooks, the reference, the command line and
the citation are written when the site is built, and nothing of them is committed.
"""

import html
import posixpath
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from site_notebooks import gallery, notebook_files, notebook_names
from site_pages import citing, command_line
from site_reference import module_pages, public_names

ROOT = Path(__file__).parent.parent
DOCUMENTS = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "benchmarks/README.md",
    "benchmarks/notes.md",
    "benchmarks/results.md",
    "datasets/README.md",
    "notebooks/mutants.md",
    "docs/data-map.md",
    "docs/effects.md",
    "docs/policy-coverage.md",
    "docs/policy.md",
    "docs/service.md",
    "docs/threat-model.md",
)
ALONE = {
    "README.md",
    "command-line.md",
    "datasets/README.md",
    "docs/effects.md",
    "docs/service.md",
}  # no other page stands beside them
WITHOUT_MENU = "---\nhide: [navigation]\n---\n"
PICTURES = {".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp"}
MATHS = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>([.,;:)]*)', re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages in the order of the menu."""
    config.nav = [
        {"Home": "README.md"},
        {
            "Gallery": [
                "notebooks/README.md",
                *(f"notebooks/{name}.md" for name in notebook_names()),
                "notebooks/mutants.md",
            ]
        },
        {"Reference": ["reference/README.md", *module_menu()]},
        {"Effects": "docs/effects.md"},
        {"Command line": "command-line.md"},
        {"Benchmarks": ["benchmarks/README.md", "benchmarks/results.md", "benchmarks/notes.md"]},
        {"Pictures and models": "datasets/README.md"},
        {"Service": "docs/service.md"},
        {
            "Policy": [
                "docs/policy.md",
                {"Coverage": "docs/policy-coverage.md"},
                {"Data map": "docs/data-map.md"},
                "docs/threat-model.md",
            ]
        },
        {"About": [{"How to cite": "citing.md"}, "CONTRIBUTING.md", "CHANGELOG.md"]},
    ]
    return config


def module_menu() -> list[dict[str, Any]]:
    """Return the modules' part of the menu, by chapter."""
    chapters: dict[str, list[Any]] = {}
    for page in module_pages():
        chapters.setdefault(page.chapter, []).append({page.name: page.path})
    return [{chapter: pages} for chapter, pages in chapters.items()]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add everything that is read from the repository or made from it."""
    texts = {name: (ROOT / name).read_text() for name in DOCUMENTS}
    texts["notebooks/README.md"] = gallery()
    texts["reference/README.md"] = public_names()
    texts |= {page.path: page.text for page in module_pages()}
    texts["command-line.md"] = command_line()
    texts["citing.md"] = citing()
    made: dict[str, str | bytes] = dict(notebook_files())
    made |= texts
    for name, text in list(made.items()):
        if isinstance(text, str) and name.endswith(".md"):
            made[name] = WITHOUT_MENU * (name in ALONE) + to_pages(text)
            for picture in pictures(text, posixpath.dirname(name)):
                made[picture] = (ROOT / picture).read_bytes()
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def to_pages(text: str) -> str:
    """Let links to notebooks lead to their pages."""
    return re.sub(r"(\]\([^)\s:]+)\.ipynb(#[^)\s]*)?\)", r"\1.md\2)", text)


def pictures(text: str, folder: str) -> set[str]:
    """Return the pictures of the repository that a page shows."""
    targets = (
        posixpath.normpath(posixpath.join(folder, path)) for path in re.findall(r"\]\(([^)\s:]+)\)", text)
    )
    return {target for target in targets if Path(target).suffix in PICTURES and (ROOT / target).is_file()}


def on_page_content(content: str, **_: Any) -> str:
    """Turn formulas into MathML, which browsers set by themselves."""
    return MATHS.sub(as_mathml, content)


def as_mathml(found: re.Match[str]) -> str:
    """Return one formula; the full stop after it does not go to the next line alone."""
    source = html.unescape(found[3]).strip()
    if found[2] == "[":
        return convert(source, display="block") + found[4]
    formula = convert(source)
    return f'<span class="formula">{formula}{found[4]}</span>' if found[4] else formula
