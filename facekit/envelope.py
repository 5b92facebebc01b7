"""Sealed envelopes: what only the holder of one key can read, for one job, in one direction.

A fresh file key is sealed to the reader's public key by HPKE [1]_; under it the data follow in
chunks, by STREAM [2]_ with age's nonces [3]_. Numbers are big-endian, suites have IANA's numbers::

    header   "FKSE", version 1, KEM, KDF, AEAD (2 bytes each), chunk size in bytes (4)
    key      HPKE, base mode: encapsulated key (32 bytes, or 1,120 hybrid), sealed file key (48)
             info = "facekit envelope v1 ", direction, 0, header, job id
    chunks   AEAD under the file key, 16 bytes of tag each, no associated data
             nonce = position, from 0 (11 bytes), then 1 for the last chunk, else 0

So the file key opens for its recipient, job, direction and header alone, and a chunk for its place
alone. The last chunk is the only one that may be short; it is empty only if all is.

Not held: who sealed. Whoever has the public key can seal an envelope, and the whole of an envelope
opens as often as it comes; who keeps a key for one job opens one upload with it, and erases it. An
envelope's length tells the length of what is in it.

References
----------
.. [1] Barnes, Bhargavan, Lipp & Wood, "Hybrid Public Key Encryption", RFC 9180, 2022.
.. [2] Hoang, Reyhanitabar, Rogaway & Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
   Misuse-Resistance", CRYPTO 2015.
.. [3] Valsorda & Cartwright-Cox, "The age file encryption format", C2SP, 2021.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count
from typing import BinaryIO, Final, Literal, TypeAlias, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from facekit.errors import InputError, SealError
from facekit.keys import (
    AEAD_IDS,
    KDF_ID,
    KEM_IDS,
    KEMS,
    REFUSED,
    AeadName,
    KemName,
    KeyPair,
    check_option,
    kem_of,
    wrap,
)

__all__ = [
    "CHUNK_SIZE",
    "HEADER_SIZE",
    "MAX_CHUNK_SIZE",
    "KeyPair",
    "data_size",
    "open_chunks",
    "open_sealed",
    "read_header",
    "seal",
    "seal_chunks",
    "sealed_size",
]

CHUNK_SIZE: Final = 64 * 1024  # bytes of data in a chunk
MAX_CHUNK_SIZE: Final = 16 * 1024 * 1024  # what a stranger's header can make the reader set aside

Direction = Literal["upload", "result"]
Bytes: TypeAlias = bytes | bytearray | memoryview
Source: TypeAlias = Bytes | BinaryIO | Iterable[Bytes]
Cipher: TypeAlias = ChaCha20Poly1305 | AESGCM

_KEM_NAMES = {number: name for name, number in KEM_IDS.items()}
_AEAD_NAMES = {number: name for name, number in AEAD_IDS.items()}
_MAGIC, _VERSION = b"FKSE", 1
_HEADER = struct.Struct(">4sBHHHI")
_LABEL = b"facekit envelope v1 "
HEADER_SIZE: Final = _HEADER.size  # bytes
_KEY_SIZE, _TAG_SIZE = 32, 16
_READ_SIZE = 1024 * 1024


def seal(
    data: Bytes,
    public_key: bytes,
    *,
    job: str | bytes,
    direction: Direction = "upload",
    aead: AeadName = "chacha20poly1305",
) -> bytes:
    """Seal data so that only the holder of one key can read them, for one job.

    Parameters
    ----------
    data : bytes, bytearray or memoryview
        What to seal; may be empty.
    public_key : bytes
        The reader's ``KeyPair.public_bytes``.
    job : str or bytes
        The job's id; a str is taken as UTF-8.
    direction : {"upload", "result"}
        What is sealed as one does not open as the other.
    aead : {"chacha20poly1305", "aes256gcm"}
        The cipher. AES is faster where the processor has instructions for it.

    Returns
    -------
    bytes
        The envelope, different each time. Its length tells the length of `data`.

    Raises
    ------
    InputError
        `job` is empty or no text, or an option is unknown.
    SealError
        `public_key` is not a public key.

    See Also
    --------
    open_sealed : The way back.
    seal_chunks : The same for what is too large to hold.

    Notes
    -----
    The format and its sources stand in the module's docstring.

    Examples
    --------
    >>> keys = KeyPair.generate()
    >>> envelope = seal(b"a photo", keys.public_bytes, job="41c8")
    >>> open_sealed(envelope, keys, job="41c8")
    bytearray(b'a photo')
    """
    return b"".join(seal_chunks(data, public_key, job=job, direction=direction, aead=aead))


def open_sealed(
    envelope: Bytes, key_pair: KeyPair, *, job: str | bytes, direction: Direction = "upload"
) -> bytearray:
    """Open an envelope.

    Parameters
    ----------
    envelope : bytes, bytearray or memoryview
        What `seal` or `seal_chunks` made.
    key_pair : KeyPair
        The pair whose public half it was sealed to.
    job : str or bytes
        The job's id, as it was sealed.
    direction : {"upload", "result"}
        As it was sealed.

    Returns
    -------
    bytearray
        The data, in memory that is the caller's to overwrite. No other copy is left.

    Raises
    ------
    ErasedError
        `key_pair` has been erased.
    InputError
        `job` is empty, or `direction` is unknown.
    SealError
        Not an envelope; or altered, cut short, put together from others, or for another key, job
        or direction. Nothing is given out then.

    See Also
    --------
    open_chunks : The same for what is too large to hold.

    Notes
    -----
    The format and its sources stand in the module's docstring.

    Examples
    --------
    >>> keys = KeyPair.generate()
    >>> envelope = seal(b"a photo", keys.public_bytes, job="41c8")
    >>> open_sealed(envelope, keys, job="77d0")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    facekit.errors.SealError: the envelope does not open: ...
    """
    chunks: list[bytearray] = []
    try:
        for chunk in open_chunks(envelope, key_pair, job=job, direction=direction):
            chunks.append(chunk)  # noqa: PERF402 (those that came before a refusal are overwritten)
        return bytearray().join(chunks)
    finally:
        for chunk in chunks:
            _wipe(chunk)


def seal_chunks(
    source: Source,
    public_key: bytes,
    *,
    job: str | bytes,
    direction: Direction = "upload",
    aead: AeadName = "chacha20poly1305",
    chunk_size: int = CHUNK_SIZE,
) -> Iterator[bytes]:
    """Seal a stream, in memory that does not grow with its length.

    Parameters
    ----------
    source : bytes, binary file, or iterable of bytes
        What to seal; how it is cut into parts does not matter. A part is read before the next is
        asked for, so one buffer can bring them all.
    public_key : bytes
        The reader's ``KeyPair.public_bytes``.
    job : str or bytes
        As in `seal`.
    direction : {"upload", "result"}
        As in `seal`.
    aead : {"chacha20poly1305", "aes256gcm"}
        As in `seal`.
    chunk_size : int
        Bytes of data in a chunk, 1 to 16 MiB: what sealing and opening hold at a time.

    Returns
    -------
    iterator of bytes
        Parts of the envelope, in order: to be written or sent one after the other.

    Raises
    ------
    InputError
        `job` is empty, an option is unknown, or `chunk_size` is out of range.
    SealError
        `public_key` is not a public key.

    Examples
    --------
    >>> keys = KeyPair.generate()
    >>> frames = [b"one ", b"two ", b"three"]
    >>> parts = list(seal_chunks(frames, keys.public_bytes, job="41c8", chunk_size=5))
    >>> [len(part) - 16 for part in parts[1:]]
    [5, 5, 3]
    >>> [bytes(chunk) for chunk in open_chunks(parts, keys, job="41c8")]
    [b'one t', b'wo th', b'ree']
    """
    check_option("aead", aead, AEAD_IDS)
    if not 1 <= chunk_size <= MAX_CHUNK_SIZE:
        raise InputError(f"chunk_size: expected 1 to {MAX_CHUNK_SIZE} bytes, got {chunk_size}")
    suite = KEM_IDS[kem_of(public_key)], KDF_ID, AEAD_IDS[aead]
    header = _HEADER.pack(_MAGIC, _VERSION, *suite, chunk_size)
    file_key = os.urandom(_KEY_SIZE)
    wrapped = wrap(file_key, public_key, aead=aead, info=_info(header, job, direction))
    # From here on lazily; what is wrong with the arguments has been said.
    return _sealed(header + wrapped, _cipher(aead, file_key), _Parts(source), chunk_size)


def sealed_size(size: int, public_key: bytes, *, chunk_size: int = CHUNK_SIZE) -> int:
    """Say how long an envelope will be, before anything is sealed.

    Parameters
    ----------
    size : int
        Bytes of data.
    public_key : bytes
        The reader's ``KeyPair.public_bytes``.
    chunk_size : int
        As in `seal_chunks`.

    Returns
    -------
    int
        Bytes of the envelope.

    Raises
    ------
    SealError
        `public_key` is not a public key.

    Examples
    --------
    >>> keys = KeyPair.generate()
    >>> sealed_size(7, keys.public_bytes), len(seal(b"a photo", keys.public_bytes, job="41c8"))
    (118, 118)
    """
    chunks = max(-(-size // chunk_size), 1)
    wrapped = KEMS[kem_of(public_key)].enc_length() + _KEY_SIZE + _TAG_SIZE
    return HEADER_SIZE + wrapped + size + chunks * _TAG_SIZE


def _sealed(head: bytes, cipher: Cipher, parts: "_Parts", chunk_size: int) -> Iterator[bytes]:
    yield head
    buffer = bytearray(chunk_size)
    try:
        for position in count():
            data = parts.fill(buffer)
            last = parts.at_end()
            yield cipher.encrypt(_nonce(position, last=last), data, None)
            if last:
                return
    finally:
        _wipe(buffer)


def open_chunks(
    parts: Source, key_pair: KeyPair, *, job: str | bytes, direction: Direction = "upload"
) -> Iterator[bytearray]:
    """Open an envelope as it comes, in memory that does not grow with its length.

    Parameters
    ----------
    parts : bytes, binary file, or iterable of bytes
        The envelope; how it is cut into parts does not matter.
    key_pair : KeyPair
        The pair whose public half it was sealed to.
    job : str or bytes
        As in `open_sealed`.
    direction : {"upload", "result"}
        As in `open_sealed`.

    Yields
    ------
    bytearray
        One authenticated chunk of the data each, in order, the caller's to overwrite. Until the
        iterator has ended by itself, the end may be missing: act on the whole only then.

    Raises
    ------
    ErasedError, InputError, SealError
        As in `open_sealed`; for what is wrong in the middle of the envelope, in its place.
    """
    source = _Parts(parts)
    cipher, chunk_size = _open_head(source, key_pair, job, direction)
    buffer = bytearray(chunk_size + _TAG_SIZE)
    for position in count():
        sealed = source.fill(buffer)
        last = source.at_end()
        data = _open_chunk(cipher, _nonce(position, last=last), sealed)
        if position and not data:  # one way only to cut the same data
            raise SealError(REFUSED)
        yield data
        if last:
            return


def _open_head(
    source: "_Parts", key_pair: KeyPair, job: str | bytes, direction: Direction
) -> tuple[Cipher, int]:
    """Return the cipher under the file key, and the size of the chunks."""
    header = bytes(source.fill(bytearray(HEADER_SIZE)))
    kem, aead, chunk_size = read_header(header)
    if kem != key_pair.kem:
        raise SealError(f"the envelope is for a key of kind {kem}, got one of kind {key_pair.kem}")
    wrapped = source.fill(bytearray(KEMS[kem].enc_length() + _KEY_SIZE + _TAG_SIZE))
    file_key = key_pair.unwrap(bytes(wrapped), aead=aead, info=_info(header, job, direction))
    return _cipher(aead, file_key), chunk_size


def read_header(head: Bytes) -> tuple[KemName, AeadName, int]:
    """Read the header of an envelope; nothing but an envelope begins with one.

    Parameters
    ----------
    head : bytes, bytearray or memoryview
        At least the first `HEADER_SIZE` bytes of what may be an envelope.

    Returns
    -------
    kem, aead : str
        Its suite.
    chunk_size : int
        Bytes of data in a chunk.

    Raises
    ------
    SealError
        It begins with none, or with one of another version.

    Examples
    --------
    >>> read_header(seal(b"a photo", KeyPair.generate().public_bytes, job="41c8"))
    ('x25519', 'chacha20poly1305', 65536)
    """
    if len(head) < HEADER_SIZE or head[: len(_MAGIC)] != _MAGIC:
        raise SealError("expected a sealed envelope, got something else")
    _, version, kem_id, kdf_id, aead_id, chunk_size = _HEADER.unpack_from(head)
    if version != _VERSION:
        raise SealError(f"expected an envelope of version {_VERSION}, got version {version}")
    kem, aead = _KEM_NAMES.get(kem_id), _AEAD_NAMES.get(aead_id)
    if kem is None or aead is None or kdf_id != KDF_ID or not 1 <= chunk_size <= MAX_CHUNK_SIZE:
        raise SealError("the envelope's header holds what this version of facekit does not know")
    return kem, aead, chunk_size


def data_size(head: Bytes, size: int) -> int:
    """Say how many bytes of data are in an envelope, which its length tells anybody.

    Parameters
    ----------
    head : bytes, bytearray or memoryview
        As in `read_header`.
    size : int
        Bytes of the whole envelope.

    Returns
    -------
    int
        Bytes of data, where the envelope is a whole one.

    Raises
    ------
    SealError
        As in `read_header`, or it is too short for an envelope.

    Examples
    --------
    >>> envelope = seal(b"a photo", KeyPair.generate().public_bytes, job="41c8")
    >>> data_size(envelope, len(envelope))
    7
    """
    kem, _, chunk_size = read_header(head)
    chunks = size - HEADER_SIZE - KEMS[kem].enc_length() - _KEY_SIZE - _TAG_SIZE
    if chunks < _TAG_SIZE:
        raise SealError("expected a whole envelope, got the beginning of one")
    return chunks - -(-chunks // (chunk_size + _TAG_SIZE)) * _TAG_SIZE


def _open_chunk(cipher: Cipher, nonce: bytes, sealed: memoryview) -> bytearray:
    data = bytearray(max(len(sealed) - _TAG_SIZE, 0))
    try:
        cipher.decrypt_into(nonce, sealed, None, data)
    except InvalidTag:
        _wipe(data)  # the library decrypts before it looks at the tag
        raise SealError(REFUSED) from None
    return data


class _Parts:
    """Bytes that come in parts of any length, taken in pieces of a chosen one."""

    def __init__(self, source: Source) -> None:
        if isinstance(source, Bytes):
            self._parts: Iterator[Bytes] = iter((source,))
        elif hasattr(source, "read"):
            self._parts = iter(partial(source.read, _READ_SIZE), b"")
        else:
            self._parts = iter(source)
        self._part = memoryview(b"")
        self._taken = 0

    def at_end(self) -> bool:
        """Say whether nothing follows; the answer may have to wait for the next part."""
        while self._taken == len(self._part):
            self._part.release()  # the source may fill the same buffer again
            part = next(self._parts, None)
            self._part, self._taken = memoryview(b"" if part is None else part).cast("B"), 0
            if part is None:
                return True
        return False

    def fill(self, buffer: bytearray) -> memoryview:
        """Fill `buffer` as far as the parts reach, and return what was filled."""
        view, filled = memoryview(buffer), 0
        while filled < len(view) and not self.at_end():
            size = min(len(view) - filled, len(self._part) - self._taken)
            view[filled : filled + size] = self._part[self._taken : self._taken + size]
            self._taken += size
            filled += size
        return view[:filled]


def _info(header: bytes, job: str | bytes, direction: Direction) -> bytes:
    """Return what the file key is bound to; only the job's id varies in length, and it comes last."""
    check_option("direction", direction, get_args(Direction))
    if not job:
        raise InputError("job: expected the job's id, got nothing")
    try:
        job_id = job.encode() if isinstance(job, str) else bytes(job)
    except UnicodeEncodeError:
        raise InputError("job: expected text that UTF-8 can hold, got half of a character") from None
    return _LABEL + direction.encode() + b"\0" + header + job_id


def _cipher(aead: AeadName, key: bytes) -> Cipher:
    return ChaCha20Poly1305(key) if aead == "chacha20poly1305" else AESGCM(key)


def _nonce(position: int, *, last: bool) -> bytes:
    return position.to_bytes(11) + last.to_bytes(1)


def _wipe(buffer: bytearray) -> None:
    buffer[:] = bytes(len(buffer))
