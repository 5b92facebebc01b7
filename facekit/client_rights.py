"""The rights of who has signed in at a service: to see all that it holds of them, and to leave."""

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from facekit.answers import Recipient, Request, Shared
from facekit.documents import read_answer, read_items
from facekit.errors import ReceiptError
from facekit.signing import holds, signer_id
from facekit.wire import Wire

__all__ = ["Right", "Rights", "verify_account_receipt"]

Right = Literal["access", "correct", "erase", "cancel", "appeal"]

_LABEL: Final = b"facekit account receipt v1\0"


class Rights:
    """The rights of who has signed in; errors as `Client` says.

    What shows or erases anything needs a fresh code: ``account.confirm`` first.

    Parameters
    ----------
    wire : Wire
        The way to the service.
    receipt_key : function
        Returns the key that receipts must be signed with.
    """

    def __init__(self, wire: Wire, receipt_key: Callable[[], bytes]) -> None:
        self._wire, self._receipt_key = wire, receipt_key

    def export(self) -> Mapping[str, Any]:
        """Fetch everything that the service holds of the account.

        Returns
        -------
        mapping
            Rows by table in ``tables``; in ``meaning``, what each column is for, and for how long.
        """
        found: Mapping[str, Any] = self._wire.ask("GET", "/privacy/export")
        return found

    def annex(self) -> Mapping[str, Any]:
        """Fetch the policy's annex, which is the same for all; nobody needs to sign in for it.

        Returns
        -------
        mapping
            Every field that the service can hold, what for and for how long; and who gets what.
        """
        found: Mapping[str, Any] = self._wire.ask("GET", "/policy/annex")
        return found

    def ask(self, kind: Right, *, what: str = "", about: str = "", text: str | None = None) -> Request:
        """Ask for what is one's right.

        Parameters
        ----------
        kind : {"access", "correct", "erase", "cancel", "appeal"}
            Which.
        what : str
            For "erase": what of the account, which stays.
        about : str
            For "appeal": the request that was refused.
        text : str, optional
            In one's own words.

        Returns
        -------
        Request
            Done already, where nobody is needed for it; else with the day by which it must be.
        """
        asked = {"kind": kind, "what": what, "about": about, "text": text}
        return read_answer(Request, self._wire.ask("POST", "/privacy/requests", json=asked))

    def requests(self) -> tuple[Request, ...]:
        """List one's requests.

        Returns
        -------
        tuple of Request
            Those by mail, too.
        """
        return read_items(Request, self._wire.ask("GET", "/privacy/requests"))

    def shared(self) -> tuple[Shared, ...]:
        """List what was sent to others about the account.

        Returns
        -------
        tuple of Shared
            To whom, what for, and which fields.
        """
        return read_items(Shared, self._wire.ask("GET", "/sharing"))

    def recipients(self) -> tuple[Recipient, ...]:
        """List who may get anything at all; nobody needs to sign in for it.

        Returns
        -------
        tuple of Recipient
            With all that each may get.
        """
        return read_items(Recipient, self._wire.ask("GET", "/recipients"))

    def cancel_account(self) -> Mapping[str, Any]:
        """Cancel the account. When this returns, it is gone, with all that it had.

        Returns
        -------
        mapping
            The receipt, verified: what went, what stays and why. It does not say whose account it was.

        Raises
        ------
        ReceiptError
            The receipt does not hold.
        """
        receipt: Mapping[str, Any] = self._wire.ask("POST", "/account/cancel")
        self._wire.token = None
        return verify_account_receipt(receipt, self._receipt_key())


def verify_account_receipt(receipt: Mapping[str, Any], public_key: bytes) -> Mapping[str, Any]:
    """Check that the receipt of a cancelled account is as it was issued, by the holder of a key.

    Parameters
    ----------
    receipt : mapping
        As it came as JSON.
    public_key : bytes of length 32
        The signer's, got on another way than the receipt.

    Returns
    -------
    mapping
        The same.

    Raises
    ------
    ReceiptError
        It was forged, edited, or signed with another key; or is no receipt.
    """
    try:
        document = dict(receipt)
        signature = b64decode(document.pop("signature"), validate=True)
        signed = _LABEL + json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
        right = document["signer"] == signer_id(public_key) and holds(signature, signed, public_key)
    except (ValueError, TypeError, KeyError):
        right = False
    if not right:
        raise ReceiptError("the receipt does not hold: forged, edited, or signed with another key")
    return receipt
