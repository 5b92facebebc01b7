"""Commands about rights: the end of the service."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime

from service.parts import Parts
from service.rights.ending import announce, erase_all


class Terminate:
    """End the service: announce the day with --date; after it, --erase wipes all stores and keys."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what it can be given."""
        step = parser.add_mutually_exclusive_group(required=True)
        step.add_argument(
            "--date", type=_day, metavar="DATE", help="the day, in UTC, from which nothing new is taken in"
        )
        step.add_argument(
            "--erase", action="store_true", help="after that day, with the service stopped: erase everything"
        )

    def run(self, parts: Parts, given: Namespace) -> int:
        """Announce the end, or erase everything."""
        if given.erase:
            path = erase_all(parts)
            print(f"everything is erased and all keys are destroyed; the receipt is {path}")  # noqa: T201
        else:
            told = announce(parts, given.date)
            print(f"the service ends on {given.date:%Y-%m-%d}; {told} accounts have a notice")  # noqa: T201
        return 0


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ArgumentTypeError("expected a day, as 2027-03-01") from None
