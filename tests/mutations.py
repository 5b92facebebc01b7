"""Desks whose erasing has been taken out: run as ``python mutations.py NAME FOLDER SETTINGS``.

Each does one thing wrong that a careless change could do. The statements must notice.
"""

import sys
from functools import partial

from facekit import desk, pool, scratch, shelf
from facekit.receipts import What


def keep_the_upload():
    """Forget to erase the upload once the cell has opened it."""
    erase = scratch.Scratch.erase

    def careless(self, what):
        if What(what) is not What.UPLOAD_STORED:
            erase(self, what)

    scratch.Scratch.erase = careless


def keep_the_result():
    """Say that the result was erased, and leave it."""
    shelf.Kept.erase = lambda self: None
    scratch.Scratch._erase_forgotten = lambda self: None


def open_the_result():
    """Open the result in the desk, where it has no business to be open."""
    run = pool.Cells.run
    kept = []

    def curious(self, *args, **settings):
        result = run(self, *args, **settings)
        kept.append(result.open())
        return result

    pool.Cells.run = curious


def write_to_the_disk():
    """Keep a copy of what a job made, in the clear, to look at some other day."""
    run = pool.Cells.run

    def curious(self, lease, *args, scratch, **settings):
        result = run(self, lease, *args, scratch=scratch, **settings)
        place = scratch._shelf._folder if hasattr(scratch._shelf, "_folder") else FOLDER
        with open(f"{place}/debug.bin", "wb") as file:
            file.write(result.open())
        return result

    pool.Cells.run = curious


def say_nothing_of_the_cell():
    """Issue the receipt without looking whether the cell has ended."""
    pool._look = lambda cell: None
    pool.Cell.has_gone = lambda self, seconds: True


def erase_nothing_at_the_start():
    """Start without looking at what an earlier run left."""
    shelf.Shelf.reconcile = lambda self: ()


MUTATIONS = {
    name: value
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == __name__ and not isinstance(value, partial)
}

if __name__ == "__main__":
    FOLDER = sys.argv[2]
    MUTATIONS[sys.argv.pop(1)]()
    desk.main()
