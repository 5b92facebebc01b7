"""The typed client of the service, with sealing built in.

A photo leaves this process sealed to the one process that will open it, and the result comes back sealed to
a key that was made for this one job and is gone after it. The client tells the service itself that the
result has arrived, whereupon it is erased there, and checks the receipt.
"""

import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from facekit.answers import Acceptance, CodeSent, Policy, SignedIn
from facekit.client_account import Account, Choices, Code, Language
from facekit.client_jobs import Jobs, Person, Photo, Source
from facekit.client_rights import Rights
from facekit.documents import read_answer
from facekit.envelope import open_sealed
from facekit.errors import ReceiptError, RemoteError
from facekit.keys import KemName, KeyPair
from facekit.receipts import ErasureReceipt
from facekit.wire import Wire

__all__ = ["Client", "Finished"]


@dataclass(frozen=True, slots=True)
class Finished:
    """What comes of a job.

    Parameters
    ----------
    job : str
        Its number.
    picture : bytearray
        The result, a picture file, in memory that is the caller's to overwrite.
    receipt : ErasureReceipt
        What the service has erased; verified, and about this job.
    """

    job: str
    picture: bytearray = field(repr=False)
    receipt: ErasureReceipt


class Client:
    """A client of one service, for one person or one product; a context manager.

    Parameters
    ----------
    url : str
        Where the service is: https, or http on this machine.
    token : str, optional
        Of a session, or an API key; `sign_in` gets one.
    receipt_key : bytes of length 32, optional
        The key that receipts must be signed with, got on another way than from the service. Without it the
        first key that the service names counts from then on, which proves less.
    patience : float, seconds
        How long in all one request may wait because the service says later (429, 503).
    verify : ssl.SSLContext, optional
        Which certificates to believe; by default those that Python does.
    transport : httpx.BaseTransport, optional
        Another way there than a plain connection. Proxies and passwords that the environment names are
        not used.

    Attributes
    ----------
    account : Account
        What the service knows of who has signed in.
    consents, permissions : Choices
        What they have turned on.
    jobs : Jobs
        Single steps of a job; `do` takes them all.
    rights : Rights
        To see everything, and to leave.

    Raises
    ------
    InputError
        `url` is none, or would send in clear to another machine.

    Notes
    -----
    Every method raises `ServiceRefusedError` where the service says no, and `ServiceLostError` where it
    cannot be reached. What is safe to ask for again is, a few times.

    Examples
    --------
    >>> with Client("https://faces.example.org", "fks_of_a_session") as client:
    ...     client
    <Client https://faces.example.org>
    >>> Client("http://faces.example.org")
    Traceback (most recent call last):
    facekit.errors.InputError: url: expected https://HOST, or http:// on this machine

    From a photo to a picture, once a person has accepted the policy and consented::

        with Client(url) as client:
            client.accept_policy(client.policy())
            client.sign_in("+8613800138000", code=input)
            client.consents.turn_on(client.consents.all()["face.effect"])
            client.permissions.turn_on(client.permissions.all()["storage"])
            done = client.swap("me.jpg", "joconde", person="me", over_14=True)
            Path("out.png").write_bytes(done.picture)
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        receipt_key: bytes | None = None,
        patience: float = 30.0,
        verify: ssl.SSLContext | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url
        self._wire = Wire(url, token, patience=patience, transport=transport, verify=verify)
        self._acceptance = ""
        self.account = Account(self._wire)
        self.consents = Choices(self._wire, "purpose")
        self.permissions = Choices(self._wire, "permission")
        self.jobs = Jobs(self._wire, receipt_key)
        self.rights = Rights(self._wire, self.jobs.receipt_key)

    # -- the way in ---------------------------------------------------------------------------

    def policy(self) -> Policy:
        """Read the policy that is in force; nobody needs to sign in for it.

        Returns
        -------
        Policy
            With its words.
        """
        return read_answer(Policy, self._wire.ask("GET", "/policy"))

    def accept_policy(self, shown: Policy, *, language: Language = "en") -> Acceptance:
        """Accept the policy, having been shown it. That is no consent to anything.

        Parameters
        ----------
        shown : Policy
            From `policy`: the words that the person has read and agrees to.
        language : {"en", "zh"}
            In which they were shown.

        Returns
        -------
        Acceptance
            It counts for who signs in next, within an hour; or for who has.

        Raises
        ------
        ServiceRefusedError
            Another version has come into force since.
        """
        body = {"version": shown.version, "digest": shown.digest, "language": language}
        accepted = read_answer(Acceptance, self._wire.ask("POST", "/policy/acceptances", json=body))
        self._acceptance = accepted.token or ""
        return accepted

    def sign_in(self, phone: str, code: Code) -> SignedIn:
        """Sign in with a code by text message; `accept_policy` first.

        Parameters
        ----------
        phone : str
            The number, with + and the country's code.
        code : function
            Is called once the code has been sent, and returns it.

        Returns
        -------
        SignedIn
            This client has its token already.

        Raises
        ------
        ServiceRefusedError
            The policy was not accepted; it is not the code; too many tries.
        """
        headers = self._accepted()
        sent = read_answer(
            CodeSent, self._wire.ask("POST", "/auth/otp", json={"phone": phone}, headers=headers)
        )
        given = {"challenge": sent.challenge, "phone": phone, "code": code().strip()}
        answer = self._wire.ask("POST", "/auth/otp/verify", json=given, headers=headers)
        return self._enter(read_answer(SignedIn, answer))

    def sign_in_with_password(self, phone: str, password: str) -> SignedIn:
        """Sign in with a password; `accept_policy` first.

        Parameters
        ----------
        phone, password : str
            The account's.

        Returns
        -------
        SignedIn
            This client has its token already.

        Raises
        ------
        ServiceRefusedError
            They do not fit, which of the two is not said; too many tries.
        """
        given = {"phone": phone, "password": password}
        answer = self._wire.ask("POST", "/auth/password", json=given, headers=self._accepted())
        return self._enter(read_answer(SignedIn, answer))

    def sign_out(self) -> None:
        """End the session."""
        self._wire.ask("POST", "/auth/logout")
        self._wire.token = None

    def _accepted(self) -> dict[str, str]:
        return {"Facekit-Acceptance": self._acceptance} if self._acceptance else {}

    def _enter(self, signed_in: SignedIn) -> SignedIn:
        self._wire.token, self._acceptance = signed_in.token, ""
        return signed_in

    # -- from a photo to a picture ------------------------------------------------------------

    def do(
        self,
        effect: str,
        photo: Photo,
        *,
        person: Person,
        over_14: bool,
        template: str | None = None,
        options: Mapping[str, Any] | None = None,
        source: Source = "file",
        kem: KemName = "x25519",
        progress: Callable[[str], object] | None = None,
    ) -> Finished:
        """Do a job from end to end; whatever happens, nothing of it stays at the service.

        Parameters
        ----------
        effect : str
            What to do; one of ``jobs.effects()``.
        photo : bytes, or path
            A picture file. It leaves this process sealed to the one process that will open it.
        person : {"me", "consenting"}
            Who is shown, as you attest: you, or somebody who has agreed to this.
        over_14 : bool
            Whether everybody shown is over 14, as you attest.
        template : str, optional
            One of ``jobs.templates()``.
        options : mapping, optional
            Of the effect.
        source : {"album", "camera", "file"}
            Where the photo came from on this device; the permission of that must be open.
        kem : {"x25519", "mlkem768x25519"}
            The kind of key that the result is sealed to.
        progress : function, optional
            Is told each stage as it begins.

        Returns
        -------
        Finished
            The picture, and the verified receipt. The service has been told that it arrived.

        Raises
        ------
        ServiceRefusedError
            The service said no, or the job failed; `.type` says which.
        ServiceLostError
            It cannot be reached, or no longer.
        TooLargeError, InputError
            The photo is larger than the service takes, or cannot be read.
        SealError
            What came back does not open.
        ReceiptError
            The receipt does not hold, or is not about this job.
        """
        with KeyPair.generate(kem) as keys:
            job = self.jobs.create(
                effect,
                person=person,
                over_14=over_14,
                template=template,
                options=options,
                source=source,
                result_key=keys.public_bytes,
            )
            try:
                self.jobs.upload(job, photo)
                self.jobs.wait(job.id, progress=progress)
                picture = open_sealed(self.jobs.fetch(job.id), keys, job=job.id, direction="result")
            except BaseException:
                with suppress(RemoteError, ReceiptError):
                    self.jobs.end(job.id)  # sooner than by its deadline
                raise
        receipt = self.jobs.end(job.id)
        if (receipt.outcome, receipt.upload, receipt.result_key) != ("delivered", "sealed", "client"):
            raise ReceiptError("the receipt tells of another course of this job than it took")
        return Finished(job.id, picture, receipt)

    def swap(
        self,
        photo: Photo,
        template: str,
        *,
        person: Person,
        over_14: bool,
        options: Mapping[str, Any] | None = None,
        source: Source = "file",
        progress: Callable[[str], object] | None = None,
    ) -> Finished:
        """Put the face of a photo into a template: `do` with the effect "swap".

        Parameters
        ----------
        photo : bytes, or path
            A picture file.
        template : str
            One of ``jobs.templates()``.
        person, over_14
            What you attest: see `do`.
        options : mapping, optional
            The dials of `swap_face`, and ``format`` of the result.
        source : {"album", "camera", "file"}
            As in `do`.
        progress : function, optional
            Is told each stage as it begins.

        Returns
        -------
        Finished
            As in `do`.
        """
        return self.do(
            "swap",
            photo,
            person=person,
            over_14=over_14,
            template=template,
            options=options,
            source=source,
            progress=progress,
        )

    # -- the end ------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connection; the session stays as it is."""
        self._wire.close()

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def __repr__(self) -> str:
        """Return where the service is, and nothing of the token."""
        return f"<Client {self.url}>"
