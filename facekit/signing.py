"""The key that signs receipts: Ed25519 [1]_, in memory or in a file of its owner's alone.

References
----------
.. [1] Josefsson & Liusvaara, "Edwards-Curve Digital Signature Algorithm (EdDSA)", RFC 8032, 2017.
"""

import os
import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from facekit.errors import PrivacyError
from facekit.files import read_private, write_private

__all__ = ["PUBLIC_SIZE", "Signer", "holds", "signer_id"]

PUBLIC_SIZE: Final = 32  # bytes
_LARGEST: Final = 4096  # bytes of a key file
_ID_SIZE: Final = 16  # hexadecimal digits


class Signer:
    """Signs receipts. Make one with `generate` or `load`; printing it shows no key.

    Parameters
    ----------
    private : Ed25519PrivateKey
        The private key.

    Examples
    --------
    >>> signer = Signer.generate()
    >>> holds(signer.sign(b"done"), b"done", signer.public_bytes)
    True
    """

    __slots__ = ("_private", "id", "public_bytes")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_bytes = private.public_key().public_bytes_raw()
        self.id = signer_id(self.public_bytes)

    @classmethod
    def generate(cls) -> "Signer":
        """Make a new key, which is in memory only.

        Returns
        -------
        Signer
            With it. Its receipts can be checked for as long as somebody keeps its ``public_bytes``.
        """
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "Signer":
        """Load the key of a file, which is made if missing.

        Parameters
        ----------
        path : Path
            A private key in PEM (PKCS #8), readable by its owner alone; its folder exists. Of several
            processes that come first at once, all get the same key.

        Returns
        -------
        Signer
            With it.

        Raises
        ------
        PrivacyError
            Others can read the file, it holds something else, or it cannot be read or made.
        """
        try:
            pem = _read(path)
            if pem is None:
                _make(path)
                pem = _read(path)
        except OSError as error:
            raise PrivacyError(f"the key that signs receipts cannot be had ({error.strerror})") from error
        with suppress(ValueError, TypeError, UnsupportedAlgorithm):
            private = load_pem_private_key(pem or b"", None)
            if isinstance(private, Ed25519PrivateKey):
                return cls(private)
        raise PrivacyError("the key that signs receipts: expected an Ed25519 key in PEM, got something else")

    def sign(self, message: bytes) -> bytes:
        """Sign a message.

        Parameters
        ----------
        message : bytes
            With a label that says what it is for.

        Returns
        -------
        bytes
            64 bytes.
        """
        return self._private.sign(message)

    def __repr__(self) -> str:
        """Return the id, and nothing of the key."""
        return f"<Signer {self.id}>"

    def __reduce_ex__(self, _: object) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError("a Signer stays where it is: it cannot be pickled or copied")


def _read(path: Path) -> bytes | None:
    try:
        return read_private(path, most=_LARGEST)
    except FileNotFoundError:
        return None
    except PermissionError:
        raise PrivacyError(
            "the key that signs receipts must be a file that its owner, who is to run this, "
            "alone can read (mode 0600)"
        ) from None


def _make(path: Path) -> None:
    """Write a new key under another name, then link it: who comes second finds the first's, whole."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    part = path.with_name(f".facekit-{secrets.token_hex(8)}.part")
    try:
        write_private(part, pem)
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def holds(signature: bytes, message: bytes, public_key: bytes) -> bool:
    """Say whether a signature is right.

    Parameters
    ----------
    signature, message : bytes
        As from `Signer.sign`.
    public_key : bytes of length 32
        ``Signer.public_bytes``.

    Returns
    -------
    bool
        Whether the holder of the private half signed this message.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def signer_id(public_key: bytes) -> str:
    """Return the short name of a public key.

    Parameters
    ----------
    public_key : bytes of length 32
        ``Signer.public_bytes``.

    Returns
    -------
    str
        16 hexadecimal digits of its SHA-256: enough to find the key, not to trust it.
    """
    return sha256(public_key).hexdigest()[:_ID_SIZE]
