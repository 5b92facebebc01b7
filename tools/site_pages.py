"""The pages made from what the repository says elsewhere: the commands' own help, and CITATION.cff."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
import yaml

from facekit.cli import app

ROOT = Path(__file__).parent.parent
EXIT_CODES = (
    "Exit codes: 0 done, 1 a defect, 2 wrong usage, 3 bad input with one line on standard error that says "
    "what to do, 130 interrupted."
)
CITE_THEM = (
    "The methods are others' work. The pages of the [reference](reference/README.md) name their "
    "sources: please cite them, too.\n"
)


def command_line() -> str:
    """Write what each command says by `--help`."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group, info_name="facekit", **group.context_settings)
    parts = [
        "# Command line",
        f"{group.help} Every command says this much of itself by `--help`.",
        EXIT_CODES,
        options(group, context),
    ]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = typer.Context(command, info_name=name, parent=context, **group.context_settings)
        usage = " ".join([inner.command_path, *command.collect_usage_pieces(inner)])
        parts += [f"## facekit {name}", command.help, f"```text\n{usage}\n```", options(command, inner)]
        parts += examples(command.epilog or "")
    return "\n\n".join(parts) + "\n"


def options(command: Any, context: typer.Context) -> str:
    """Write a command's arguments and options as a table, as its parser describes them."""
    rows = ["| option | what it does |", "|---|---|"]
    for parameter in command.get_params(context):
        name, text = parameter.get_help_record(context)
        rows.append(f"| `{name}` | {text.replace('|', '&#124;')} |")  # within code, a bar is no border
    return "\n".join(rows)


def examples(epilog: str) -> Iterator[str]:
    """Yield the examples in a command's epilogue as one block."""
    lines = [line.strip() for line in epilog.splitlines() if line.startswith("  ")]
    if lines:
        yield "```sh\n" + "\n".join(lines) + "\n```"


def citing() -> str:
    """Write CITATION.cff as a sentence, as BibTeX, and as it is."""
    source = (ROOT / "CITATION.cff").read_text()
    entry = yaml.safe_load(source)
    sentence = f"{names(entry, ', ')}. *{entry['title']}*, version {entry['version']}."
    return "\n\n".join(
        [
            "# How to cite",
            entry["message"],
            sentence,
            "## BibTeX",
            f"```bibtex\n{bibtex(entry)}\n```",
            "## CITATION.cff",
            f"```yaml\n{source.rstrip()}\n```",
            CITE_THEM,
        ]
    )


def bibtex(entry: Mapping[str, Any]) -> str:
    """Write a citation as BibTeX; braces keep the spelling of the title, and of authors that are groups."""
    fields = {
        "title": f"{{{entry['title']}}}",
        "author": names(entry, " and ", group="{{{}}}"),
        "version": str(entry["version"]),
        "year": str(entry.get("date-released", ""))[:4],
        "url": entry.get("url") or entry.get("repository-code", ""),
        "doi": entry.get("doi", ""),
        "note": f"Licence: {entry['license']}",
    }
    key = re.sub(r"\W.*", "", entry["title"])
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{entry['type']}{{{key},", *lines, "}"])


def names(entry: Mapping[str, Any], between: str, group: str = "{}") -> str:
    """Join the authors' names."""
    each = (
        group.format(one["name"]) if "name" in one else f"{one['family-names']}, {one['given-names']}"
        for one in entry["authors"]
    )
    return between.join(each)
