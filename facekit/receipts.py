"""Erasure receipts: what of a job was erased, when and how, signed, with what nobody can promise.

A receipt is JSON in one way only: keys sorted, no space, ASCII, no number, as RFC 8785 [1]_ has it
(whose rules for numbers and other characters are not needed). What is signed, by Ed25519 [2]_, is a
label and that JSON without the signature.

A receipt tells nothing of the picture: no name, size, hash or count, and one row for each kind of
thing, never for each thing. Its times are those at which things were seen to be gone. Whoever sent
the picture and fetched the result saw both moments; when the work began does not stand there, so
how long it took does not either.

References
----------
.. [1] Rundgren, Jordan & Erdtman, "JSON Canonicalization Scheme (JCS)", RFC 8785, 2020.
.. [2] Josefsson & Liusvaara, "Edwards-Curve Digital Signature Algorithm (EdDSA)", RFC 8032, 2017.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args

from facekit.erasures import LIMITS, Erased, How, What, cut_time
from facekit.errors import ReceiptError
from facekit.policy import POLICY_VERSION
from facekit.signing import PUBLIC_SIZE, Signer, holds, signer_id

__all__ = [
    "Erased",
    "ErasureReceipt",
    "How",
    "Outcome",
    "ResultKey",
    "Signer",
    "Upload",
    "What",
    "is_job_id",
    "issue_receipt",
    "verify_receipt",
]

Outcome = Literal["delivered", "failed", "cancelled", "expired", "lost"]
Upload = Literal["sealed", "plain"]
ResultKey = Literal["client", "job", "none"]
Text: TypeAlias = str | bytes

MAX_SIZE: Final = 16 * 1024  # bytes of JSON
_MAX_ROWS: Final = 32
_FORMAT: Final = "facekit erasure receipt 1"
_LABEL: Final = b"facekit erasure receipt v1\0"
_JOB: Final = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]")  # 16 bytes in base64 for URLs
_SHORT: Final = re.compile(r"[0-9a-f]{16}")
# Clause 1.2.3b: each field is a word of a closed list, a random number or a time.
_WALL: Final = re.compile(r"[a-z][a-z_-]{0,39}")  # no digit: it could tell a size
_SENTENCE: Final = re.compile(r"[ -~]{1,300}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What of a job was erased.

    Parameters
    ----------
    job : str
        Its id, 16 random bytes.
    policy : str
        The version of the policy that was in force; see `facekit.policy`.
    issued : datetime
        UTC, milliseconds.
    outcome : {"delivered", "failed", "cancelled", "expired", "lost"}
        How the job ended.
    upload : {"sealed", "plain"}
        How it came in.
    result_key : {"client", "job", "none"}
        What the result was sealed to: the client's key, one of this job in memory, or there was none.
    erased : tuple of Erased
        What was erased; no kind and way stands there twice.
    walls : tuple of str
        What held around the process that worked on the job.
    limits : tuple of str
        What nobody can promise.
    signer : str
        Names the key that it is signed with.
    signature : bytes
        64 bytes.

    Raises
    ------
    ReceiptError
        A field is not of its form.
    """

    job: str
    policy: str
    issued: datetime
    outcome: Outcome
    upload: Upload
    result_key: ResultKey
    erased: tuple[Erased, ...]
    walls: tuple[str, ...]
    limits: tuple[str, ...]
    signer: str
    signature: bytes

    def __post_init__(self) -> None:
        object.__setattr__(self, "issued", cut_time(self.issued))
        _check(is_job_id(self.job), "job")
        for name, form in (("policy", _SHORT), ("signer", _SHORT)):
            _check(_fits(form, getattr(self, name)), name)
        for name, known in (("outcome", Outcome), ("upload", Upload), ("result_key", ResultKey)):
            _check(getattr(self, name) in get_args(known), name)
        for name, form in (("walls", _WALL), ("limits", _SENTENCE)):
            rows = getattr(self, name)
            _check(len(set(rows)) == len(rows) <= _MAX_ROWS, name)
            _check(all(_fits(form, row) for row in rows), name)
        _check(len({(row.what, row.how) for row in self.erased}) == len(self.erased), "erased")

    def to_json(self) -> str:
        """Write it down, in the one way there is.

        Returns
        -------
        str
            JSON, ASCII, one line.
        """
        return _dump(self._document() | {"signature": b64encode(self.signature).decode()})

    @classmethod
    def from_json(cls, text: Text) -> "ErasureReceipt":
        """Read what `to_json` wrote.

        Parameters
        ----------
        text : str or bytes
            At most 16 KiB.

        Returns
        -------
        ErasureReceipt
            Of the right form; whether it is true, `verify_receipt` says.

        Raises
        ------
        ReceiptError
            It is not what `to_json` would write, to the letter.
        """
        if len(text) > MAX_SIZE:
            raise ReceiptError(f"expected an erasure receipt of at most {MAX_SIZE} bytes, got more")
        try:
            document = json.loads(text)
            receipt = cls._from_document(document)
            # One comparison refuses what is unknown, missing, doubled, spaced, escaped or in another order.
            given = text if isinstance(text, str) else text.decode("ascii")
            _check(receipt.to_json() == given, "JSON")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise ReceiptError("expected an erasure receipt as it was issued, got something else") from None
        return receipt

    @classmethod
    def _from_document(cls, document: dict[str, object]) -> "ErasureReceipt":
        def texts(name: str) -> tuple[str, ...]:
            return tuple(map(str, document[name]))  # type: ignore[call-overload]

        rows: list[dict[str, str]] = document["erased"]  # type: ignore[assignment]
        return cls(
            job=str(document["job"]),
            policy=str(document["policy"]),
            issued=_moment(document["issued"]),
            outcome=document["outcome"],  # type: ignore[arg-type]  # which is checked in a moment
            upload=document["upload"],  # type: ignore[arg-type]
            result_key=document["result_key"],  # type: ignore[arg-type]
            erased=tuple(Erased(What(row["what"]), How(row["how"]), _moment(row["at"])) for row in rows),
            walls=texts("walls"),
            limits=texts("limits"),
            signer=str(document["signer"]),
            signature=b64decode(str(document["signature"]), validate=True),
        )

    def _document(self) -> dict[str, object]:
        """Return all but the signature."""
        return {
            "format": _FORMAT,
            "job": self.job,
            "policy": self.policy,
            "issued": _written(self.issued),
            "outcome": self.outcome,
            "upload": self.upload,
            "result_key": self.result_key,
            "erased": [{"what": row.what, "how": row.how, "at": _written(row.at)} for row in self.erased],
            "walls": list(self.walls),
            "limits": list(self.limits),
            "signer": self.signer,
        }

    def signed_bytes(self) -> bytes:
        """Return what the signature is over.

        Returns
        -------
        bytes
            The label of receipts, and the JSON without the signature.
        """
        return _LABEL + _dump(self._document()).encode("ascii")


def issue_receipt(
    signer: Signer,
    job: str,
    *,
    issued: datetime,
    outcome: Outcome,
    erased: Iterable[Erased],
    upload: Upload = "sealed",
    result_key: ResultKey = "none",
    walls: Iterable[str] = (),
) -> ErasureReceipt:
    """Sign a receipt. Who calls this has looked: a `Scratch` does.

    Parameters
    ----------
    signer : Signer
        The key.
    job : str
        Its id.
    issued : datetime
        Now.
    outcome : str
        As in `ErasureReceipt`.
    erased : iterable of Erased
        In any order.
    upload, result_key : str
        As in `ErasureReceipt`.
    walls : iterable of str
        As in `ErasureReceipt`.

    Returns
    -------
    ErasureReceipt
        With those limits that hold for what was erased.

    Raises
    ------
    ReceiptError
        A field is not of its form.
    """
    rows = tuple(sorted(erased, key=lambda row: (row.at, row.what, row.how)))
    stored = any(row.how is How.OVERWRITTEN_UNLINKED for row in rows)
    left_out = {
        name
        for name, said in (("plain", upload == "plain"), ("disk", stored), ("system", stored))
        if not said
    }
    receipt = ErasureReceipt(
        job=job,
        policy=POLICY_VERSION,
        issued=issued,
        outcome=outcome,
        upload=upload,
        result_key=result_key,
        erased=rows,
        walls=tuple(walls),
        limits=tuple(limit for name, limit in LIMITS.items() if name not in left_out),
        signer=signer.id,
        signature=b"",
    )
    return replace(receipt, signature=signer.sign(receipt.signed_bytes()))


def verify_receipt(receipt: ErasureReceipt | Text, public_key: bytes) -> ErasureReceipt:
    """Check that a receipt is as it was issued, by the holder of a key.

    Parameters
    ----------
    receipt : ErasureReceipt, str or bytes
        The receipt, or its JSON as it came.
    public_key : bytes of length 32
        The signer's, got on another way than the receipt: an Ed25519 key as in RFC 8032.

    Returns
    -------
    ErasureReceipt
        The same.

    Raises
    ------
    ReceiptError
        It was forged, edited, or signed with another key; or is no receipt.

    Notes
    -----
    That it holds means that the operator's software said so, after looking. It is no proof against
    an operator who runs other software; `docs/threat-model.md` says what is.

    Examples
    --------
    >>> from facekit import Scratch
    >>> with Scratch() as scratch:
    ...     photo = scratch.hold(bytearray(b"a photo"), "upload-held")
    >>> receipt = verify_receipt(scratch.receipt.to_json(), scratch.signer.public_bytes)
    >>> [(row.what.words, row.how.words) for row in receipt.erased]
    [('the upload in memory', 'overwritten')]
    >>> edited = receipt.to_json().replace("delivered", "cancelled")
    >>> verify_receipt(edited, scratch.signer.public_bytes)
    Traceback (most recent call last):
        ...
    facekit.errors.ReceiptError: the receipt does not hold: forged, edited, or signed with another key
    """
    if len(public_key) != PUBLIC_SIZE:
        raise ReceiptError(f"public_key: expected {PUBLIC_SIZE} bytes, got {len(public_key)}")
    found = ErasureReceipt.from_json(receipt.to_json() if isinstance(receipt, ErasureReceipt) else receipt)
    if found.signer != signer_id(public_key) or not holds(found.signature, found.signed_bytes(), public_key):
        raise ReceiptError("the receipt does not hold: forged, edited, or signed with another key")
    return found


def is_job_id(text: object) -> bool:
    """Say whether a job's id has the form of 16 random bytes, which hold no name and no size.

    Parameters
    ----------
    text : object
        The id, as ``secrets.token_urlsafe(16)`` makes one.

    Returns
    -------
    bool
        Whether it has.
    """
    return _fits(_JOB, text)


def _check(right: bool, name: str) -> None:
    if not right:
        raise ReceiptError(f"{name}: not of the form that a receipt allows")


def _fits(form: re.Pattern[str], text: object) -> bool:
    return isinstance(text, str) and form.fullmatch(text) is not None


def _written(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _moment(text: object) -> datetime:
    _check(_fits(_TIME, text), "times")
    return datetime.fromisoformat(str(text))


def _dump(document: dict[str, object]) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
