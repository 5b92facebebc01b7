"""The proof that anyone can run: one job from end to end, and a search that finds nothing of it.

This process is the client. It has the photo, seals it, and later opens the result, so a search of its
own memory must find both: the positive control of the proof as a whole. A desk (`facekit.desk`)
does the job in other processes, and is believed nothing: its memory, its folder and the places where
programs leave things behind are searched, twice, and the receipt that it gives is verified.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from facekit.canaries import Canaries, canaries_of
from facekit.codec import decode_image, encode_image
from facekit.desk import Desk
from facekit.envelope import open_sealed, seal
from facekit.errors import ControlError, NoFaceError
from facekit.keys import KeyPair
from facekit.landmarks import detect_faces
from facekit.receipts import ErasureReceipt, verify_receipt
from facekit.residue import ResidueReport, State, find_residue, worst
from facekit.synthetic import synthetic_face
from facekit.tasks import close_tasks
from facekit.templates import load_template

__all__ = ["Proof", "canaries_of_photo", "canaries_of_result", "photo_of_nobody", "prove"]

Say = Callable[[str], object]

OPTIONS: Final[Mapping[str, Any]] = MappingProxyType({"template": "stamp", "format": "webp"})
_SHARED: Final = Path("/dev/shm")  # noqa: S108 (searched, not used)


@dataclass(frozen=True, slots=True)
class Proof:
    """What was seen.

    Parameters
    ----------
    searches : mapping of str to ResidueReport
        By moment, in order; the first is the control, which must find something.
    receipt : ErasureReceipt
        The desk's, verified.
    seconds : float
        All in all.
    """

    searches: Mapping[str, ResidueReport]
    receipt: ErasureReceipt
    seconds: float

    @property
    def state(self) -> State:
        """``"found"`` if any search but the control found something, ``"clean"`` if all could read all."""
        _, *others = self.searches.values()
        return worst(others)


def canaries_of_photo(photo: bytes) -> Canaries:
    """Choose what to search for of a photo: its file, its pixels, its face's points.

    Parameters
    ----------
    photo : bytes
        A picture file that shows a face.

    Returns
    -------
    Canaries
        Of all that a job has of it before there is a result.

    Raises
    ------
    NoFaceError
        It shows none.
    InputError
        It is too small or too even for anybody to tell its bytes from others'.
    """
    image = decode_image(photo)
    faces = detect_faces(image)
    close_tasks()
    if not faces:
        raise NoFaceError("no face was found in the photo; the proof needs one that is found")
    return canaries_of(upload=photo, pixels=image, landmarks=faces[0])


def canaries_of_result(result: bytes, template: str) -> Canaries:
    """Choose what to search for of a result: its file, and its pixels.

    Parameters
    ----------
    result : bytes
        A WebP file, which a swap into `template` made.
    template : str
        A ready template's name.

    Returns
    -------
    Canaries
        Only of what the swap changed: the rest is the template's, and in memory before any job. Of the
        file, therefore, only the end: in WebP's arithmetic code [1]_, what comes after the first
        changed block is different to the last byte.

    References
    ----------
    .. [1] Bankoski et al., "VP8 Data Format and Decoding Guide", RFC 6386, 2011.
    """
    x0, y0, x1, y1 = load_template(template).slots[0].mesh.box
    inner = [slice(round(a + (b - a) / 4), round(b - (b - a) / 4)) for a, b in ((y0, y1), (x0, x1))]
    face = decode_image(result)[inner[0], inner[1]]
    return canaries_of(result=face) + canaries_of(result=result[-len(result) // 4 :])


def prove(
    photo: bytes | None = None,
    *,
    folder: str | Path | None = None,
    usual: bool = False,
    exclude: Iterable[str | os.PathLike[str]] = (),
    options: Mapping[str, Any] = OPTIONS,
    say: Say = str,
) -> Proof:
    """Do one job from end to end at a desk of its own, and search for what is left of it.

    Parameters
    ----------
    photo : bytes, optional
        A picture file that shows a face; by default, one of nobody.
    folder : str or Path, optional
        Where the desk keeps sealed files; by default, a temporary one.
    usual : bool
        Search all `usual_places`, too, which may take minutes; by default, the desk's own folder for
        temporary files and shared memory.
    exclude : iterable of path
        Where the photo itself lies.
    options : mapping
        For the swap.
    say : function
        Is told what is going on, a line at a time.

    Returns
    -------
    Proof
        It holds where `Proof.state` is ``"clean"``.

    Raises
    ------
    ControlError
        What is there for certain was not found, so a search proves nothing here.
    ReceiptError
        The receipt does not hold.
    FacekitError
        The job failed.
    """
    began = time.monotonic()
    photo = photo_of_nobody() if photo is None else photo
    sought, left_out = canaries_of_photo(photo), tuple(exclude)
    with tempfile.TemporaryDirectory(prefix="facekit-proof-") as room:
        home = Path(room, "desk") if folder is None else Path(folder)
        places = [Path(room), home]
        searches = {"control": _control(sought, room)}
        say("control: the photo is found in this process, which has it")
        with Desk(home, {"count": 1}, temporary=room) as desk, KeyPair.generate() as keys:
            ticket = desk.lease()
            say(f"the desk is process {desk.pid}; one of its cells waits, with a key of its own")
            sealed = seal(photo, ticket.public_key, job=ticket.job)
            desk.run(ticket.job, sealed, "swap", options, result_key=keys.public_bytes)
            say("the photo went there sealed; the swap is done, and the cell has ended")
            stored = sought + canaries_of(upload=sealed)
            for where, report in _search(sought, stored, places, desk, usual=usual, exclude=left_out):
                searches[f"{where}, while the result waits"] = report
            envelope = desk.fetch(ticket.job)
            result = open_sealed(envelope, keys, job=ticket.job, direction="result")
            receipt = verify_receipt(desk.acknowledge(ticket.job), desk.receipt_key)
            say("the result has arrived and opens; the desk has erased it, and its receipt holds")
            sought += canaries_of_result(bytes(result), options["template"])
            stored += sought + canaries_of(result=envelope)
            for where, report in _search(sought, stored, places, desk, usual=usual, exclude=left_out):
                searches[f"{where}, after delivery"] = report
    return Proof(MappingProxyType(searches), receipt, time.monotonic() - began)


def _search(
    sought: Canaries, stored: Canaries, places: list[Path], desk: Desk, **settings: Any
) -> Iterator[tuple[str, ResidueReport]]:
    """Search what is stored, for sealed bytes as well; and memory, where sealed bytes may pass."""
    yield "stored", find_residue(stored, folders=[*places, *_shared()], **settings)
    yield "in memory", find_residue(sought, processes=desk.processes(), usual=False)


def _shared() -> Iterator[Path]:
    """Yield what programs of this user share in memory; nobody else's could the desk have written."""
    for path in _SHARED.iterdir() if _SHARED.is_dir() else ():
        with suppress(OSError):  # it has gone meanwhile
            if path.lstat().st_uid == os.getuid():
                yield path


def photo_of_nobody() -> bytes:
    """Draw a face that nobody has, and that no earlier proof has left anywhere.

    Returns
    -------
    bytes
        A JPEG file.
    """
    return encode_image(synthetic_face(768, seed=int.from_bytes(os.urandom(3))), "jpeg")


def _control(sought: Canaries, room: str) -> ResidueReport:
    """Search where the photo is: in this process."""
    found = find_residue(sought, folders=[room], processes=[os.getpid()], usual=False)
    if not found.hits:
        raise ControlError("the search did not find the photo where it is, in this process's own memory")
    return found
