"""Messages between a cell and its caller, over one socket: a letter, a length, and so many bytes."""

import json
import os
import socket
import struct
from collections.abc import Mapping
from typing import Any, Final

from facekit.errors import CellCrashedError
from facekit.files import write_all

__all__ = ["MAX_FRAME", "Frames"]

MAX_FRAME: Final = 1024 * 1024  # bytes; what one side can make the other set aside
_HEAD: Final = struct.Struct(">cI")


class Frames:
    """One end of the conversation.

    Parameters
    ----------
    channel : socket.socket
        A connected stream; taken over.

    Examples
    --------
    >>> here, there = map(Frames, socket.socketpair())
    >>> here.put(b"S", b"warp")
    >>> there.get()
    (b'S', bytearray(b'warp'))
    >>> here.close()
    >>> there.get() is None
    True
    >>> there.close()
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def put(self, kind: bytes, payload: bytes | bytearray | memoryview = b"") -> None:
        """Send one message.

        Parameters
        ----------
        kind : bytes
            One letter.
        payload : bytes-like
            At most `MAX_FRAME` bytes.

        Raises
        ------
        OSError
            The other side has gone.
        """
        self._write(_HEAD.pack(kind, len(payload)))
        self._write(payload)

    def put_parts(self, kind: bytes, part: bytes | bytearray | memoryview) -> None:
        """Send bytes of any length, as messages of one kind.

        Parameters
        ----------
        kind : bytes
            One letter.
        part : bytes-like
            Where it is empty, nothing is sent.

        Raises
        ------
        OSError
            The other side has gone.
        """
        view = memoryview(part).cast("B")
        for start in range(0, len(view), MAX_FRAME):
            self.put(kind, view[start : start + MAX_FRAME])

    def put_json(self, kind: bytes, document: Mapping[str, Any]) -> None:
        """Send a document.

        Parameters
        ----------
        kind : bytes
            One letter.
        document : mapping
            What JSON can hold, in at most `MAX_FRAME` bytes.

        Raises
        ------
        OSError
            The other side has gone.
        """
        self.put(kind, json.dumps(document, separators=(",", ":")).encode())

    def get(self) -> tuple[bytes, bytearray] | None:
        """Wait for one message.

        Returns
        -------
        (bytes, bytearray) or None
            Its letter and what it carries; None where the other side has gone, even in the middle.

        Raises
        ------
        CellCrashedError
            What comes is no message.
        """
        head = self._exactly(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        kind, size = _HEAD.unpack(head)
        if size > MAX_FRAME:
            raise CellCrashedError("the job's process spoke out of turn")
        payload = self._exactly(size)
        return (kind, payload) if len(payload) == size else None

    def close(self) -> None:
        """Hang up."""
        self._channel.close()

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        # As to a file: a cell has no system call for sockets.
        write_all(self._channel.fileno(), data)

    def _exactly(self, size: int) -> bytearray:
        """Return `size` bytes, or those that came before the other side went."""
        data = bytearray(size)
        filled = 0
        with memoryview(data) as view:
            while filled < size:
                try:
                    got = os.readv(self._channel.fileno(), [view[filled:]])
                except ConnectionResetError:  # gone, with something of ours unread
                    got = 0
                if not got:
                    break
                filled += got
        del data[filled:]
        return data
