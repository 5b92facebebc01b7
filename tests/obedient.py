"""A work that does as the photo says: a first line of JSON, then what that is done with."""

import json

import captives


def obey(photo, options, tell):
    """Do a work of captives.py, or one below: ``{"do": "sleep", "seconds": 60}``, a line break, the rest."""
    order, _, rest = bytes(photo).partition(b"\n")
    told = json.loads(order)
    name = told.pop("do")
    return (globals().get(name) or getattr(captives, name))(bytearray(rest), told, tell)


def gabble(photo, options, tell):
    """Tell of stages without end."""
    while True:
        tell("warp")
