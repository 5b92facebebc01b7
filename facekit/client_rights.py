"""The rights of who has signed in at a service: to see all that it holds of them, and to leave."""

from collections.abc import Mapping
from typing import Any

from facekit.wire import Wire

__all__ = ["Rights"]


class Rights:
    """The rights of who has signed in; errors as `Client` says.

    Parameters
    ----------
    wire : Wire
        The way to the service.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def export(self) -> Mapping[str, Any]:
        """Fetch everything that the service holds of the account; ``account.confirm`` first.

        Returns
        -------
        mapping
            As JSON.
        """
        found: Mapping[str, Any] = self._wire.ask("GET", "/privacy/export")
        return found

    def cancel_account(self) -> Mapping[str, Any]:
        """Cancel the account, and have all of it erased; ``account.confirm`` first.

        Returns
        -------
        mapping
            The receipt, as JSON.
        """
        found: Mapping[str, Any] = self._wire.ask("POST", "/account/cancel", repeatable=False)
        return found
