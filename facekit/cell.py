"""One job in one short-lived, walled-in process.

::

    caller                         fork server                    cell
    Cells.lease()   <- public key, walls -----------------------  key pair, walls
    seal(photo, public key)
    Cells.run()     -- envelope (ciphertext) ------------------>  opens, erases its key
                    <- stages, sealed result -------------------  works, seals, ends
                    <- how it ended --  reaps

The caller never holds a byte of the photo or of the result unless it has the key: what it was given
sealed stays sealed. A cell is used once. Whatever happens in it (a crash, a loop, a picture made to
take the decoder over) ends with it, and the next job gets another; Apple's Private Cloud Compute
[1]_ calls this stateless computation.

References
----------
.. [1] Apple, "Private Cloud Compute: A new frontier for AI privacy in the cloud", 2024.
"""

import atexit
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from facekit.envelope import Bytes, seal
from facekit.keys import KeyPair
from facekit.pool import WORKS, CellResult, Cells, Lease
from facekit.privacy import Scratch
from facekit.receipts import What
from facekit.walls import Limits

__all__ = ["WORKS", "CellResult", "Cells", "Job", "Lease", "Limits", "run_in_cell"]


@dataclass(frozen=True, slots=True)
class Job:
    """What `run_in_cell` is to do.

    Parameters
    ----------
    photo : bytes
        A picture file.
    work : str
        One of `WORKS`.
    options : mapping
        The work's: for a swap ``template``, ``format``, and the dials of `swap_face`.
    result_key : bytes, optional
        The public key that the result is sealed to; by default, one that `CellResult` holds.
    """

    photo: Bytes = field(repr=False)
    work: str = "swap"
    options: Mapping[str, Any] = field(default_factory=dict)
    result_key: bytes | None = None


def run_in_cell(job: Job, *, cells: Cells | None = None) -> CellResult:
    """Do one job in a process of its own, which ends with it.

    Parameters
    ----------
    job : Job
        A photo and what to make of it.
    cells : Cells, optional
        Started ones; by default, cells that are started by the first call and end with the process.

    Returns
    -------
    CellResult
        `CellResult.open` gives the picture; its receipt is signed by the signer of the cells.

    Raises
    ------
    FacekitError
        As `Cells.run` and `Cells.start`.

    Notes
    -----
    The photo is in the caller's memory already, and stays there until the caller drops it; the receipt
    says so. Who must not hold it leases a cell and has the client seal to the lease's key.

    Examples
    --------
    >>> from facekit import encode_image, synthetic_face
    >>> result = run_in_cell(Job(encode_image(synthetic_face(256)), "swap", {"template": "stamp"}))
    >>> result.open()[1:4]
    bytearray(b'PNG')
    >>> [row.what.words for row in result.receipt.erased]
    ['the upload in memory', 'all memory of the process that worked on the job']
    """
    cells = cells or _shared()
    keys = KeyPair.generate() if job.result_key is None else None
    with Scratch(signer=cells.signer, upload="plain") as scratch:
        lease = cells.lease(scratch.job)
        envelope = bytearray(seal(job.photo, lease.public_key, job=lease.job))
        result = cells.run(
            lease,
            scratch.hold(envelope, What.UPLOAD_HELD),
            job.work,
            job.options,
            result_key=keys.public_bytes if keys else job.result_key,
            scratch=scratch,
        )
        scratch.result_key = "client" if keys is None else "job"
    return replace(result, keys=keys, receipt=scratch.receipt)


@cache
def _shared() -> Cells:
    cells = Cells().start()
    atexit.register(cells.close)
    return cells


os.register_at_fork(after_in_child=_shared.cache_clear)  # the cells are the parent's
