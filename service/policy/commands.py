"""Commands about the policy."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime
from pathlib import Path

from service.errors import RefusedError
from service.parts import Parts
from service.policy.stated import FLAGS
from service.policy.versions import Draft, publish


class Publish:
    """Publish a version of the policy: what this release does and is set to do, with a text."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what it can be given."""
        parser.add_argument(
            "--effective",
            type=_date,
            metavar="DATE",
            help="the day, in UTC, from which it is in force; by default at once, where that may be",
        )
        parser.add_argument("--text", type=Path, metavar="FILE", help="its words; by default the package's")
        parser.add_argument(
            "--reason",
            action="append",
            choices=FLAGS,
            default=[],
            help="what matters and no register shows: another owner, or what else affects people much",
        )

    def run(self, parts: Parts, given: Namespace) -> int:
        """Publish; say which version it is, and how many accounts were told."""
        draft = Draft(given.effective, _read(given.text) if given.text else "", tuple(given.reason))
        new, told = publish(parts, draft)
        print(f"published {new.version}, in force from {new.effective_at:%Y-%m-%d %H:%M} UTC")  # noqa: T201
        if new.material:
            print(f"what matters: {', '.join(new.reasons)}; {told} accounts have a notice")  # noqa: T201
        return 0


def _date(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ArgumentTypeError("expected a day, as 2027-03-01") from None


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise RefusedError("--text: expected a file of text in UTF-8 that can be read") from None
    if not text.strip() or "\0" in text:
        raise RefusedError("--text: the file holds no text")
    return text
