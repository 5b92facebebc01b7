"""Desks whose erasing has been taken out: run as ``python mutations.py NAME FOLDER SETTINGS``.

Each does one thing wrong that a careless change could do. The statements must notice.
"""

import sys
from pathlib import Path

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
    shelf.Kept.erase = nothing
    scratch.Scratch._erase_forgotten = nothing


def open_the_result():
    """Open the result in the desk, where it has no business to be open."""
    kept = []
    after_each_run(lambda result: kept.append(result.open()))


def write_to_the_disk():
    """Keep a copy of what a job made, in the clear, to look at some other day."""
    after_each_run(lambda result: Path(sys.argv[1], "debug.bin").write_bytes(result.open()))


def erase_nothing_at_the_start():
    """Start without looking at what an earlier run left."""
    shelf.Shelf.reconcile = nothing


def nothing(*_):
    return ()


def after_each_run(act):
    run = pool.Cells.run

    def curious(self, *args, **settings):
        result = run(self, *args, **settings)
        act(result)
        return result

    pool.Cells.run = curious


MUTATIONS = {
    function.__name__: function
    for function in (
        keep_the_upload,
        keep_the_result,
        open_the_result,
        write_to_the_disk,
        erase_nothing_at_the_start,
    )
}

if __name__ == "__main__":
    MUTATIONS[sys.argv.pop(1)]()
    desk.main()
