"""What a job holds in memory, and how each kind of it is erased."""

from facekit.errors import ErasureError, InputError
from facekit.keys import KeyPair
from facekit.wiping import wipe

__all__ = ["Key", "Memory"]


class Memory:
    """A buffer that is to be overwritten.

    Parameters
    ----------
    buffer : bytearray, memoryview or array
        Writable and contiguous. Until it is erased, a bytearray cannot change its length, since
        moving it would leave a copy.

    Raises
    ------
    InputError
        It cannot be overwritten.
    """

    def __init__(self, buffer: object) -> None:
        self._view = _writable(buffer)

    def erase(self) -> None:
        """Overwrite it, and look.

        Raises
        ------
        ErasureError
            It does not read back as overwritten.
        """
        wipe(self._view)


class Key:
    """A key pair whose private half is to go.

    Parameters
    ----------
    pair : KeyPair
        The pair.
    """

    def __init__(self, pair: KeyPair) -> None:
        self._pair = pair

    def erase(self) -> None:
        """Erase it, and ask.

        Raises
        ------
        ErasureError
            The private half is still there.
        """
        self._pair.erase()
        if not self._pair.erased:
            raise ErasureError("a key is still there")


def _writable(buffer: object) -> memoryview:
    """Return all memory of a buffer as bytes that can be written to."""
    if isinstance(buffer, bytes | str):
        raise InputError(f"buffer: {type(buffer).__name__} can never be overwritten; hold a bytearray")
    try:
        view = memoryview(buffer)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise InputError(f"buffer: expected memory of plain numbers, got {type(buffer).__name__}") from None
    if view.readonly:
        raise InputError("buffer: expected one that can be overwritten, got one that is read-only")
    if not view.c_contiguous:
        raise InputError("buffer: expected all of its memory, got a view that leaves some out")
    if "O" in view.format:  # what is overwritten would be where they are, and not they
        raise InputError("buffer: expected plain numbers, got objects")
    try:
        return view.cast("B") if view.nbytes else memoryview(bytearray())
    except TypeError:
        raise InputError(f"buffer: expected plain numbers, got elements of {view.format!r}") from None
