"""A key pair in a file, for who works with commands: for one result, and erased once that is opened.

`KeyPair` itself is never written. Where one process makes the key and another opens the result, as
`facekit key` and `facekit open` do, it must be, so it lies where its owner alone can read it.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from facekit.errors import PrivacyError
from facekit.files import read_private, write_private
from facekit.keys import KeyPair
from facekit.wiping import erase_entry

__all__ = ["erase_key_file", "make_key_file", "read_key_file"]

_LARGEST: Final = 4096  # bytes


def make_key_file(path: Path) -> bytes:
    """Make a new key pair, and write its private half.

    Parameters
    ----------
    path : Path
        Where to: a file that is not there yet. It is made for its owner alone.

    Returns
    -------
    bytes
        The public half, as ``KeyPair.public_bytes``.

    Raises
    ------
    FileExistsError
        There is a file.
    OSError
        It cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     public = make_key_file(Path(folder, "result.key"))
    ...     read_key_file(Path(folder, "result.key")).public_bytes == public
    True
    """
    private = X25519PrivateKey.generate()
    write_private(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return KeyPair.of(private).public_bytes


def read_key_file(path: Path) -> KeyPair:
    """Read a key pair.

    Parameters
    ----------
    path : Path
        From `make_key_file`.

    Returns
    -------
    KeyPair
        With it.

    Raises
    ------
    PrivacyError
        Others can read the file, or it holds something else.
    OSError
        It cannot be read.
    """
    try:
        pem = read_private(path, most=_LARGEST)
    except PermissionError:
        raise PrivacyError("a key must be a file that its owner alone can read (mode 0600)") from None
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        private = load_pem_private_key(pem, None)
        if isinstance(private, X25519PrivateKey):
            return KeyPair.of(private)
    raise PrivacyError("expected a key that `facekit key` made, got something else")


def erase_key_file(path: Path) -> None:
    """Overwrite a key's file, and remove it.

    Parameters
    ----------
    path : Path
        From `make_key_file`.

    Raises
    ------
    OSError, ErasureError
        It is still there.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        erase_entry(folder, path.name)
    finally:
        os.close(folder)
