"""The account of who has signed in at a service, and what they have chosen."""

from collections.abc import Mapping
from typing import Final, Literal

from facekit.answers import Choice, Me, read_answer, read_items
from facekit.wire import Wire

__all__ = ["Account", "Choices", "Language"]

Language = Literal["en", "zh"]
_PLURAL: Final = {"purpose": "consents", "permission": "permissions"}


class Account:
    """The account of who has signed in.

    Parameters
    ----------
    wire : Wire
        The way to the service.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def me(self) -> Me:
        """Read what the account shows of itself.

        Returns
        -------
        Me
            The phone number is masked.

        Raises
        ------
        ServiceRefusedError, ServiceLostError
            See `Wire.ask`.
        """
        return read_answer(Me, self._wire.ask("GET", "/me"))


class Choices:
    """Purposes that need consent, or permissions on the device.

    Parameters
    ----------
    wire : Wire
        The way to the service.
    kind : {"purpose", "permission"}
        Which of the two.
    """

    def __init__(self, wire: Wire, kind: Literal["purpose", "permission"]) -> None:
        self._wire, self._path = wire, f"/{_PLURAL[kind]}"

    def all(self, *, language: Language = "en") -> Mapping[str, Choice]:
        """List what can be chosen, and how each stands.

        Parameters
        ----------
        language : {"en", "zh"}
            Of the words.

        Returns
        -------
        mapping of str to Choice
            By name.

        Raises
        ------
        ServiceRefusedError, ServiceLostError
            See `Wire.ask`.
        """
        answer = self._wire.ask("GET", f"{self._path}?language={language}")
        return {choice.name: choice for choice in read_items(Choice, answer)}

    def turn_on(self, shown: Choice) -> Choice:
        """Turn one on, having been shown its words.

        Parameters
        ----------
        shown : Choice
            From `all`: the words that the person has read and agrees to.

        Returns
        -------
        Choice
            As it stands then.

        Raises
        ------
        ServiceRefusedError
            The words have changed since they were shown; or see `Wire.ask`.
        ServiceLostError
            See `Wire.ask`.
        """
        body = {"digest": shown.digest, "language": shown.language}
        return read_answer(Choice, self._wire.ask("PUT", f"{self._path}/{shown.name}", json=body))

    def turn_off(self, name: str) -> Choice:
        """Turn one off. What depends on it stops at once, and what it had is erased.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        Choice
            As it stands then.

        Raises
        ------
        ServiceRefusedError, ServiceLostError
            See `Wire.ask`.
        """
        return read_answer(Choice, self._wire.ask("DELETE", f"{self._path}/{name}"))
