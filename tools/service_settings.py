"""Write the table of settings in docs/service.md anew, from `service.settings.Settings`.

python tools/service_settings.py
"""

import sys
from pathlib import Path
from typing import Final, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from service.settings import Settings

PAGE: Final = Path(__file__).parents[1] / "docs" / "service.md"
HEADING: Final = "| setting | by default | what it is |\n|---|---|---|\n"


def table() -> str:
    """Return the table, a row for each setting."""
    rows = [
        f"| `FACEKIT_{name.upper()}` | {_default(one)} | {one.description} |\n"
        for name, one in Settings.model_fields.items()
    ]
    return HEADING + "".join(rows)


def _default(setting: FieldInfo) -> str:
    """Write a default down; those that depend on the machine are told in words, by the description."""
    value = setting.default
    if setting.default_factory is not None or value is None or isinstance(value, SecretStr) or value == "":
        return ""
    choices = get_args(setting.annotation) if get_origin(setting.annotation) is Literal else ()
    others = "".join(f", `{one}`" for one in choices if one != value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" + (
        f" (or {others[2:]})" if others else ""
    )


def main() -> int:
    """Write the page."""
    text = PAGE.read_text()
    before, _, _ = text.partition(HEADING)
    PAGE.write_text(before + table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
