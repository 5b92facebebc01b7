"""The account of who has signed in at a service, and what they have chosen."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from facekit.answers import ApiKey, Choice, CodeSent, Me, Session
from facekit.documents import read_answer, read_items
from facekit.wire import Wire

__all__ = ["Account", "Choices", "Code", "Language"]

Code = Callable[[], str]  # returns a code, once it has been sent
Language = Literal["en", "zh"]
_PLURAL: Final = {"purpose": "consents", "permission": "permissions"}


class Account:
    """The account of who has signed in; errors as `Client` says.

    Parameters
    ----------
    wire : Wire
        The way to the service.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    # -- what it shows ------------------------------------------------------------------------

    def me(self) -> Me:
        """Read what the account shows of itself.

        Returns
        -------
        Me
            The phone number is masked.
        """
        return read_answer(Me, self._wire.ask("GET", "/me"))

    def rename(self, name: str | None) -> Me:
        """Set the name that its owner wants shown.

        Parameters
        ----------
        name : str or None
            None takes it away.

        Returns
        -------
        Me
            As it is then.
        """
        return read_answer(Me, self._wire.ask("PATCH", "/me", json={"name": name}, repeatable=True))

    def choose_handle(self, handle: str) -> Me:
        """Choose the public handle.

        Parameters
        ----------
        handle : str
            Nobody else's.

        Returns
        -------
        Me
            As it is then.
        """
        return read_answer(Me, self._wire.ask("PUT", "/me/handle", json={"handle": handle}))

    def avatar(self) -> bytes:
        """Fetch the picture that the account shows.

        Returns
        -------
        bytes
            WebP; where there is none, a pattern in SVG.
        """
        with self._wire.stream("/me/avatar") as response:
            return response.read()

    def set_avatar(self, picture: bytes, media_type: str = "image/jpeg") -> None:
        """Set it. The service keeps a small copy, and looks for no face in it.

        Parameters
        ----------
        picture : bytes
            A picture file, of at most 2 MiB.
        media_type : str
            Its kind.
        """
        headers = {"Content-Type": media_type, "Content-Length": str(len(picture))}
        self._wire.ask("PUT", "/me/avatar", content=lambda: [picture], headers=headers)

    def remove_avatar(self) -> None:
        """Have it erased."""
        self._wire.ask("DELETE", "/me/avatar")

    # -- what opens it ------------------------------------------------------------------------

    def confirm(self, code: Code) -> None:
        """Confirm with a fresh code to the account's own phone; it counts for five minutes.

        Parameters
        ----------
        code : function
            Is called once the code has been sent, and returns it.
        """
        sent = read_answer(CodeSent, self._wire.ask("POST", "/auth/step-up/code"))
        given = {"challenge": sent.challenge, "code": code().strip()}
        self._wire.ask("POST", "/auth/step-up", json=given)

    def bind_phone(self, phone: str, code: Code) -> Me:
        """Bind a phone number; to change one, `confirm` first.

        Parameters
        ----------
        phone : str
            The number, with + and the country's code.
        code : function
            Is called once a code has been sent there, and returns it.

        Returns
        -------
        Me
            As it is then.
        """
        sent = read_answer(CodeSent, self._wire.ask("POST", "/auth/otp", json={"phone": phone}))
        given = {"challenge": sent.challenge, "phone": phone, "code": code().strip()}
        return read_answer(Me, self._wire.ask("POST", "/me/phone", json=given))

    def set_password(self, password: str) -> None:
        """Set a password; `confirm` first. Other sessions end where it takes another's place.

        Parameters
        ----------
        password : str
            8 characters or more, of any kind.
        """
        self._wire.ask("PUT", "/me/password", json={"password": password})

    def remove_password(self) -> None:
        """Do without a password; `confirm` first."""
        self._wire.ask("DELETE", "/me/password")

    def sessions(self) -> tuple[Session, ...]:
        """List the sessions.

        Returns
        -------
        tuple of Session
            This one is marked.
        """
        return read_items(Session, self._wire.ask("GET", "/me/sessions"))

    def end_session(self, session: str) -> None:
        """End a session.

        Parameters
        ----------
        session : str
            Its number.
        """
        self._wire.ask("DELETE", f"/me/sessions/{session}")

    def end_other_sessions(self) -> None:
        """End all sessions but this one."""
        self._wire.ask("DELETE", "/me/sessions")

    def api_keys(self) -> tuple[ApiKey, ...]:
        """List the API keys.

        Returns
        -------
        tuple of ApiKey
            Without their tokens.
        """
        return read_items(ApiKey, self._wire.ask("GET", "/me/api-keys"))

    def make_api_key(self, label: str, scopes: Sequence[str]) -> ApiKey:
        """Make an API key for a program; needs `confirm` first, for a key outlives the session.

        Parameters
        ----------
        label : str
            What its owner calls it.
        scopes : sequence of str
            What it may do, such as "jobs:read" and "jobs:write".

        Returns
        -------
        ApiKey
            With its token, which is shown this once.
        """
        asked = {"label": label, "scopes": list(scopes)}
        return read_answer(ApiKey, self._wire.ask("POST", "/me/api-keys", json=asked))

    def revoke_api_key(self, key: str) -> None:
        """Revoke an API key.

        Parameters
        ----------
        key : str
            Its number.
        """
        self._wire.ask("DELETE", f"/me/api-keys/{key}")

    def shut(self) -> None:
        """Say that something that opens the account has leaked: all of it ends, this session too."""
        self._wire.ask("POST", "/account/compromised")
        self._wire.token = None


class Choices:
    """Purposes that need consent, or permissions on the device; errors as `Client` says.

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
        """
        return read_answer(Choice, self._wire.ask("DELETE", f"{self._path}/{name}"))
