"""What the process frees is overwritten, or goes back to the system, which wipes it."""

import ctypes
from contextlib import suppress
from typing import Final

# Of the GNU C library's mallopt.
_MMAP_THRESHOLD: Final = -3
_PERTURB: Final = -6
_LARGE: Final = 64 * 1024  # bytes


def wipe_what_is_freed() -> None:
    """Have the C library overwrite what is freed, and give back at once what is large.

    Notes
    -----
    For what nobody can overwrite: Python's ``bytes``. A result under a job's own key, and a plain upload,
    pass through such on their way. Not wiped so are objects of up to 1,032 bytes, and on systems without
    the GNU C library nothing: receipts promise neither (`facekit.erasures.LIMITS`).
    """
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_PERTURB, 0xFF)
        # By default the bound rises with what is freed, up to 32 MiB, below which memory is kept.
        mallopt(_MMAP_THRESHOLD, _LARGE)
