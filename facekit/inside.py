"""What goes on inside a cell: walls, a key pair, one envelope, one work, one sealed result, the end.

Messages out: ``K`` the public key and the walls; ``S`` a stage that begins; ``R`` a part of the
sealed result; ``E`` an error; ``D`` done. In: ``J`` the job; ``U`` a part of the envelope; ``.`` its end.

A work is a function ``work(photo, options, tell) -> bytes``: from a photo's bytes, which it may
overwrite, and options that came from the caller as JSON, to the result's; `tell` takes the name of
each stage as it begins. A module of works may have a ``prepare()``, which the fork server calls once.
"""

import base64
import gc
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from facekit.envelope import open_sealed, seal_chunks
from facekit.errors import CellCrashedError, CellMemoryError, FacekitError, InputError
from facekit.frames import Frames
from facekit.keys import KemName, KeyPair
from facekit.telling import told
from facekit.walls import Limits, raise_walls

__all__ = ["Orders", "Tell", "Work", "live"]

Tell: TypeAlias = Callable[[str], object]
Work: TypeAlias = Callable[[bytearray, Mapping[str, Any], Tell], bytes]

_NO_MEMORY = -4  # OpenCV's code


@dataclass(frozen=True, slots=True)
class Orders:
    """What every cell of a fork server is told.

    Parameters
    ----------
    limits : Limits
        What it may use.
    kem : {"x25519", "mlkem768x25519"}
        The kind of its key.
    allow_weak : bool
        Live without a wall that cannot be had.
    readable : tuple of Path
        What it may read.
    works : mapping of str to Work
        What it can do.
    """

    limits: Limits
    kem: KemName
    allow_weak: bool
    readable: tuple[Path, ...]
    works: Mapping[str, Work]


def live(channel: socket.socket, orders: Orders, *, parent: int) -> NoReturn:
    """Be a cell, from birth to death; called in the child of a fork, and never returns.

    Parameters
    ----------
    channel : socket.socket
        To the caller; every other file descriptor is closed.
    orders : Orders
        From the fork server.
    parent : int
        The fork server's process id.
    """
    frames = Frames(channel)
    try:
        _silence()
        descriptors = os.sysconf("SC_OPEN_MAX")  # the walls lower it, and close none that is open
        gc.disable()  # too short a life to collect in, and a collection would copy the server's pages
        walls = raise_walls(
            orders.limits, parent=parent, readable=orders.readable, allow_weak=orders.allow_weak
        )
        _keep_only(channel.fileno(), below=descriptors)
        # Clause 1.2.2(1): the key that opens the upload is born here, and never leaves.
        keys = KeyPair.generate(orders.kem)
        frames.put_json(
            b"K", {"public_key": base64.b64encode(keys.public_bytes).decode(), "walls": list(walls)}
        )
        _work(frames, keys, orders.works)
        code = 0
    except BaseException as error:
        code = _explain(frames, error)
    # Clauses 1.2.1c, 1.2.3b: the kernel takes back all memory, and gives none of it out unwiped.
    os._exit(code)


def _silence() -> None:
    """Let nothing that is printed inside reach a terminal or a log."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)


def _keep_only(channel: int, *, below: int) -> None:
    """Close what the fork and the walls left open."""
    os.closerange(3, channel)
    os.closerange(channel + 1, below)


def _work(frames: Frames, keys: KeyPair, works: Mapping[str, Work]) -> None:
    first = frames.get()
    if first is None:  # nobody came
        return
    job = json.loads(first[1])
    work = works.get(job["work"])
    if work is None:
        raise InputError(f"expected one of the works {', '.join(works)}, got another")
    with keys:
        photo = open_sealed(b"".join(_envelope(frames)), keys, job=job["job"])
    # Clause 1.2.1c: the key is gone, so what is stored of the envelope opens for nobody.
    frames.put(b"S", b"opened")
    result = work(photo, job["options"], lambda stage: frames.put(b"S", stage.encode()))
    # Clause 1.2.2(3): to the client's key where it gave one, else to one of this job.
    sealed = seal_chunks(result, base64.b64decode(job["result_key"]), job=job["job"], direction="result")
    for part in sealed:
        frames.put_parts(b"R", part)
    frames.put(b"D")


def _envelope(frames: Frames) -> Iterator[bytearray]:
    while (message := frames.get()) is not None:
        kind, part = message
        if kind == b".":
            return
        yield part
    raise CellCrashedError("the envelope broke off")


def _explain(frames: Frames, error: BaseException) -> int:
    """Say what went wrong: facekit's own words, or no more than the kind of another's."""
    if isinstance(error, MemoryError) or getattr(error, "code", None) == _NO_MEMORY:
        error = CellMemoryError("the job needs more memory than its cell may have; try a smaller picture")
    if not isinstance(error, FacekitError):
        error = CellCrashedError(f"the job ended in a defect of facekit ({type(error).__name__})")
    with suppress(Exception):  # the caller may have gone
        frames.put_json(b"E", told(error))
    return 1
