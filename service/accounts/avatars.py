"""The picture that a person shows of themselves: plain data of theirs, made anew, and never looked at.

It may well be a face (clause 1.3.1 p1 b), so it has nothing to do with jobs: a process of its own makes a
small copy without metadata (`facekit.thumbnail`), which is kept sealed under the account's key. Who has
none is shown a pattern.
"""

from threading import BoundedSemaphore
from typing import Final

from facekit.headers import sniff
from facekit.thumbnail import shrink
from service.accounts.patterns import pattern
from service.accounts.service import held
from service.accounts.store import Picture
from service.caller import Caller
from service.errors import MediaTypeError
from service.parts import Parts

LARGEST: Final = 2 * 2**20
MEDIA_TYPES: Final = ("image/png", "image/jpeg", "image/webp")
_COLUMN: Final = "avatars.picture"
_SIDE: Final = 512
_TURNS: Final = BoundedSemaphore(2)


def put(parts: Parts, caller: Caller, data: bytes) -> None:
    """Keep a small copy of a picture, in the place of the one before.

    Raises
    ------
    MediaTypeError
        It is none of the kinds that are taken, whatever it calls itself.
    FacekitError
        It cannot be read.
    """
    if f"image/{sniff(data).lower()}" not in MEDIA_TYPES:
        raise MediaTypeError(f"expected one of {', '.join(MEDIA_TYPES)}")
    # Clause 1.3.1 p1 b: made anew without metadata, and no face is looked for in it.
    with _TURNS:
        small = shrink(data, side=_SIDE, allow_weak=parts.settings.allow_weak_cell)
    sealed = parts.vault.seal(caller.account_id, _COLUMN, small)
    with parts.database.begin() as session:
        held(session, caller.account_id)
        session.merge(Picture(account_id=caller.account_id, picture=sealed, used_at=parts.clock()))


def read(parts: Parts, caller: Caller) -> tuple[str, bytes]:
    """Return the picture, or the pattern of who has none, with its media type."""
    now = parts.clock()
    with parts.database.begin() as session:
        found = session.get(Picture, caller.account_id)
        if found is not None and found.used_at.date() != now.date():
            found.used_at = now
    if found is None:
        return "image/svg+xml", pattern(caller.account_id).encode()
    return "image/webp", parts.vault.open(caller.account_id, _COLUMN, found.picture)


def remove(parts: Parts, caller: Caller) -> None:
    """Erase the picture, if there is one."""
    # Clause 5.2: what was shown is gone from here at once.
    with parts.database.begin() as session:
        found = session.get(Picture, caller.account_id)
        if found is not None:
            session.delete(found)
