"""``python -m service``: start the service. Settings are in the environment; `facekit serve` sets them."""

import os
import sys

from service.app import build, make_parts
from service.errors import SetupError
from service.listening import serve
from service.settings import Settings


def main() -> int:
    """Start, and serve until told to stop."""
    os.umask(0o077)  # what it writes is its own
    try:
        settings = Settings.load()
        serve(settings, lambda: build(make_parts(settings)))
    except SetupError as error:
        sys.stderr.write(f"facekit: {error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
