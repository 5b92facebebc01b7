"""A work that does as the photo says: a first line of JSON, then what that is done with."""

import json

import captives


def obey(photo, options, tell):
    """Do one of the captives' works; ``{"do": "sleep", "seconds": 60}`` and a line break go before the rest."""
    order, _, rest = bytes(photo).partition(b"\n")
    told = json.loads(order)
    return getattr(captives, told.pop("do"))(bytearray(rest), told, tell)
