"""Keys that envelopes are sealed to: born in memory, never written.

A public key is sent as the KEM's number at IANA (2 bytes, big-endian) and the raw key: X25519, or
ML-KEM-768 and then X25519, which together are X-Wing [1]_.

References
----------
.. [1] Barbosa, Connolly, Duarte, Kaiser, Schwabe, Varner & Westerbaan, "X-Wing: The Hybrid KEM You've
   Been Looking For", IACR Communications in Cryptology 1(1), 2024.
"""

from collections.abc import Iterable
from typing import Final, Literal, NoReturn, Self, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from facekit.errors import ErasedError, InputError, SealError

__all__ = [
    "AEAD_IDS",
    "KDF_ID",
    "KEMS",
    "KEM_IDS",
    "REFUSED",
    "AeadName",
    "KemName",
    "KeyPair",
    "check_option",
    "kem_of",
    "wrap",
]

KemName = Literal["x25519", "mlkem768x25519"]
AeadName = Literal["chacha20poly1305", "aes256gcm"]
Private: TypeAlias = X25519PrivateKey | MLKEM768X25519PrivateKey
Public: TypeAlias = X25519PublicKey | MLKEM768X25519PublicKey

KEMS: Final[dict[KemName, KEM]] = {"x25519": KEM.X25519, "mlkem768x25519": KEM.MLKEM768_X25519}
_AEADS: Final[dict[AeadName, AEAD]] = {
    "chacha20poly1305": AEAD.CHACHA20_POLY1305,
    "aes256gcm": AEAD.AES_256_GCM,
}
#: IANA's registry "Hybrid Public Key Encryption (HPKE)".
KEM_IDS: Final[dict[KemName, int]] = {"x25519": 0x0020, "mlkem768x25519": 0x647A}
KDF_ID: Final = 0x0001  # HKDF-SHA256
AEAD_IDS: Final[dict[AeadName, int]] = {"aes256gcm": 0x0002, "chacha20poly1305": 0x0003}
_MLKEM_SIZE = 1184
#: One text for all that does not authenticate, so that it tells nobody why.
REFUSED: Final = "the envelope does not open: altered, cut short, or for another key, job or direction"


class KeyPair:
    """A key pair that is born in memory and is never written.

    It cannot be pickled or copied, and printing it shows no key. Make one with `generate`; as a
    context manager it erases itself.

    Parameters
    ----------
    kem : {"x25519", "mlkem768x25519"}
        Which kind of key.
    private : X25519PrivateKey or MLKEM768X25519PrivateKey
        The private half; the pair takes it over.
    public_bytes : bytes
        The public half, as `public_bytes` gives it.

    Examples
    --------
    >>> with KeyPair.generate() as keys:
    ...     keys
    <KeyPair x25519>
    >>> keys
    <KeyPair x25519, erased>
    """

    __slots__ = ("_private", "kem", "public_bytes")

    def __init__(self, kem: KemName, private: Private, public_bytes: bytes) -> None:
        self.kem = kem
        self.public_bytes = public_bytes
        self._private: Private | None = private

    @classmethod
    def generate(cls, kem: KemName = "x25519") -> "KeyPair":
        """Make a new pair.

        Parameters
        ----------
        kem : {"x25519", "mlkem768x25519"}
            The second also holds against a quantum computer, as long as ML-KEM-768 does.

        Returns
        -------
        KeyPair
            Its ``public_bytes`` are what others seal to: 34 bytes, or 1,218.

        Raises
        ------
        InputError
            Another `kem`.
        """
        check_option("kem", kem, KEMS)
        curve = X25519PrivateKey.generate()
        if kem == "x25519":
            return cls.of(curve)
        lattice = MLKEM768PrivateKey.generate()
        raw = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        tag = KEM_IDS[kem].to_bytes(2)
        return cls(kem, MLKEM768X25519PrivateKey(lattice, curve), tag + raw)

    @classmethod
    def of(cls, private: X25519PrivateKey) -> "KeyPair":
        """Take over a private half.

        Parameters
        ----------
        private : X25519PrivateKey
            It.

        Returns
        -------
        KeyPair
            Of the kind "x25519".
        """
        tag = KEM_IDS["x25519"].to_bytes(2)
        return cls("x25519", private, tag + private.public_key().public_bytes_raw())

    def unwrap(self, wrapped: bytes, *, aead: AeadName, info: bytes) -> bytes:
        """Open what HPKE sealed to this key.

        Parameters
        ----------
        wrapped : bytes
            The encapsulated key, then the ciphertext.
        aead : {"chacha20poly1305", "aes256gcm"}
            The suite's cipher.
        info : bytes
            What the sealing was bound to.

        Returns
        -------
        bytes
            What was sealed.

        Raises
        ------
        ErasedError
            This pair has been erased.
        SealError
            It was altered, or sealed to another key or under another `info`.
        """
        if self._private is None:
            raise ErasedError("the key that opens this envelope has been erased")
        try:
            return _suite(self.kem, aead).decrypt(wrapped, self._private, info=info)
        except InvalidTag:
            raise SealError(REFUSED) from None

    def erase(self) -> None:
        """Let go of the private half; nothing can be opened with it any more.

        Notes
        -----
        OpenSSL overwrites a key when it frees it. Out of Python's reach remain what the processor,
        the swap or a copy of the whole memory may hold, and the 32 bytes of each envelope's file
        key, which lay in an immutable `bytes`. Only the end of the process gives these back.
        """
        self._private = None

    @property
    def erased(self) -> bool:
        """Whether the private half is gone."""
        return self._private is None

    def __enter__(self) -> Self:
        """Return the pair."""
        return self

    def __exit__(self, *_: object) -> None:
        """Erase the private half."""
        self.erase()

    def __repr__(self) -> str:
        """Return the kind of key, and nothing of the key."""
        return f"<KeyPair {self.kem}{', erased' if self._private is None else ''}>"

    def __reduce_ex__(self, _: object) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError("a KeyPair stays where it was made: it cannot be pickled or copied")


def kem_of(public_key: bytes) -> KemName:
    """Say of which kind a public key is.

    Parameters
    ----------
    public_key : bytes
        As `KeyPair.public_bytes`.

    Returns
    -------
    {"x25519", "mlkem768x25519"}
        From its first two bytes.

    Raises
    ------
    SealError
        Of none.
    """
    number = int.from_bytes(public_key[:2])
    for kem, known in KEM_IDS.items():
        if number == known:
            return kem
    raise SealError(f"public_key: expected a public key of facekit's, got {len(public_key)} other bytes")


def wrap(secret: bytes, public_key: bytes, *, aead: AeadName, info: bytes) -> bytes:
    """Seal a short secret by HPKE in base mode; `KeyPair.unwrap` is the way back.

    Parameters
    ----------
    secret : bytes
        What to seal.
    public_key : bytes
        As `KeyPair.public_bytes`.
    aead : {"chacha20poly1305", "aes256gcm"}
        The suite's cipher.
    info : bytes
        What the sealing is bound to.

    Returns
    -------
    bytes
        The encapsulated key, then the ciphertext.

    Raises
    ------
    SealError
        `public_key` is not a public key.
    """
    kem = kem_of(public_key)
    try:
        return _suite(kem, aead).encrypt(secret, _load_public(kem, public_key[2:]), info=info)
    except ValueError:  # of a wrong length, or a point of small order
        raise SealError(f"public_key: expected a {kem} key, got bytes that are none") from None


def _load_public(kem: KemName, raw: bytes) -> Public:
    if kem == "x25519":
        return X25519PublicKey.from_public_bytes(raw)
    lattice = MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_SIZE])
    return MLKEM768X25519PublicKey(lattice, X25519PublicKey.from_public_bytes(raw[_MLKEM_SIZE:]))


def _suite(kem: KemName, aead: AeadName) -> Suite:
    return Suite(KEMS[kem], KDF.HKDF_SHA256, _AEADS[aead])


def check_option(name: str, value: str, known: Iterable[str]) -> None:
    """Refuse a value that is not known.

    Parameters
    ----------
    name, value : str
        The option.
    known : iterable of str
        What it may be.

    Raises
    ------
    InputError
        As said.
    """
    if value not in known:
        raise InputError(f"{name}: expected one of {', '.join(known)}, got {value!r}")
