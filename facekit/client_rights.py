"""The rights of who has signed in at a service: to see all that it holds of them, and to leave."""

from collections.abc import Callable, Mapping
from typing import Any

from facekit.answers import CodeSent, read_answer
from facekit.wire import Wire

__all__ = ["Rights"]


class Rights:
    """The rights of who has signed in.

    Parameters
    ----------
    wire : Wire
        The way to the service.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def confirm(self, code: Callable[[], str]) -> None:
        """Confirm with a fresh code to the account's own phone; it counts for five minutes.

        Parameters
        ----------
        code : function
            Is called once the code has been sent, and returns it.

        Raises
        ------
        ServiceRefusedError, ServiceLostError
            See `Wire.ask`.
        """
        sent = read_answer(CodeSent, self._wire.ask("POST", "/auth/step-up/code"))
        given = {"challenge": sent.challenge, "code": code().strip()}
        self._wire.ask("POST", "/auth/step-up", json=given)

    def export(self) -> Mapping[str, Any]:
        """Fetch everything that the service holds of the account; `confirm` first.

        Returns
        -------
        mapping
            As JSON.

        Raises
        ------
        ServiceRefusedError, ServiceLostError
            See `Wire.ask`.
        """
        found: Mapping[str, Any] = self._wire.ask("GET", "/privacy/export")
        return found

    def cancel_account(self) -> Mapping[str, Any]:
        """Cancel the account, and have all of it erased; `confirm` first.

        Returns
        -------
        mapping
            The receipt, as JSON.

        Raises
        ------
        ServiceRefusedError, ServiceLostError
            See `Wire.ask`.
        """
        found: Mapping[str, Any] = self._wire.ask("POST", "/account/cancel", repeatable=False)
        return found
