"""Signed receipts of cancelled accounts, and of a service that has ended: what went, what stays and why.

A receipt says nothing of whose account it was. It is JSON in one way only (keys sorted, no space, ASCII), and
what is signed, by Ed25519, is a label and that JSON without the signature. Whoever has the public key of
``GET /v1/receipt-key`` can check it, also when the service is gone.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any, Final

from facekit.signing import Signer, holds, signer_id

CANCELLATION: Final = "facekit cancellation receipt 1"
TERMINATION: Final = "facekit termination receipt 1"
_LABEL: Final = b"facekit account receipt v1\0"

#: What nobody can promise, or goes a little later.
LIMITS: Final = (
    "log lines name the account by a pseudonym, whose key is destroyed within 90 days, and go within 180",
    "counters of requests and codes, under keyed digests, go within a day",
    "backups and blocks that a disk has set aside may hold sealed copies; nobody has their key any more",
    "copies that people made themselves are theirs",
)


def issue(signer: Signer, content: Mapping[str, Any]) -> str:
    """Sign a receipt, and write it down in the one way there is."""
    document = {**content, "signer": signer.id}
    signature = signer.sign(_LABEL + _canonical(document))
    return _canonical({**document, "signature": b64encode(signature).decode()}).decode()


def is_genuine(receipt: str, public_key: bytes) -> bool:
    """Say whether a receipt is one that the holder of a key has issued, unchanged.

    >>> signer = Signer.generate()
    >>> receipt = issue(signer, {"rows": 1})
    >>> is_genuine(receipt, signer.public_bytes), is_genuine(receipt.replace("1", "2"), signer.public_bytes)
    (True, False)
    """
    try:
        document = json.loads(receipt)
        signature = b64decode(document.pop("signature"), validate=True)
        right = document["signer"] == signer_id(public_key)
        return right and holds(signature, _LABEL + _canonical(document), public_key)
    except (ValueError, KeyError, TypeError, AttributeError, NotBase64):
        return False


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
