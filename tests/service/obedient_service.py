"""The service, with cells that do as the photo says: ``python -m tests.service.obedient_service``."""

import sys
from functools import partial

from service import app

app.make_parts = partial(app.make_parts, works={"swap": "obedient:obey"})

if __name__ == "__main__":
    from service.__main__ import main

    sys.exit(main())
