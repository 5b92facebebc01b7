"""What numpydoc has and Markdown has not: references and choices in docstrings, and names that are links."""

import re
from typing import Any

from griffe import Attribute, Docstring, Extension, Object
from site_reference import homes_of_names

NAME = re.compile(r"(?<!`)`(\w+)`(?!`)")
COMMENT = re.compile(r"  # (?!type:|noqa)(.+)$")
REWRITTEN = (
    (re.compile(r"^(\s*)\.\. \[(\d+)\] ", re.MULTILINE), r"\1\2. "),  # a reference is an item of a list
    (re.compile(r"\[(\d+)\]_"), r"[\1]"),
    # griffe would leave out the quotes.
    (re.compile(r"^( *\w+ : )\{(\".*\")\}", re.MULTILINE), r"\1Literal[\2]"),
    (re.compile(r"^( *\w+ : .* or )(\"\w+\")", re.MULTILINE), r"\1Literal[\2]"),
)


class Docstrings(Extension):
    """Rewrite docstrings for mkdocstrings."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Bring a docstring into a form that Markdown knows, and turn names of facekit into links."""
        if obj.docstring:
            text = obj.docstring.value
            for pattern, replacement in REWRITTEN:
                text = pattern.sub(replacement, text)
            obj.docstring.value = NAME.sub(as_link, text)

    def on_attribute_instance(self, *, attr: Attribute, **_: Any) -> None:
        """Take the comment beside a constant or a type, such as its shape, for its docstring."""
        found = COMMENT.search(attr.source)
        if found and not attr.docstring and attr.parent and attr.parent.is_module:
            attr.docstring = Docstring(found[1], parent=attr)


def as_link(found: re.Match[str]) -> str:
    """Return a name as a link to where it is described, or as it is."""
    home = homes_of_names().get(found[1])
    return f"[`{found[1]}`][{home}]" if home else found[0]
