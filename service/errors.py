"""Everything that the service refuses, as one tree; `problems` says what each is in HTTP.

::

    ServiceError
    ├── UnknownCallerError        nobody has signed in, or no longer
    ├── NotAllowedError           somebody has, and may not do this
    │   ├── NotAcceptedError      the policy's current version has not been accepted
    │   ├── NoConsentError        a purpose or permission is off; `.name` says which
    │   ├── NotAttestedError      nobody has said that the person shown is old enough, and agrees
    │   ├── NoScopeError          the API key has not the scope
    │   ├── StepUpError           this needs a fresh code
    │   └── SecondFactorError     operators need their second factor
    ├── AbsentError               there is no such thing, or it is somebody else's
    ├── GoneError                 there was, and it has been erased
    ├── ConflictError             it contradicts what is there
    ├── MalformedError            what came in has not the form that was asked for
    ├── RefusedError              what came in is well formed, and cannot be used
    ├── TooManyError              over a limit; `.retry_after` says when to come back
    ├── BodyError                 about the body of an upload, all but the last before it is read
    │   ├── LengthRequiredError   its length was not said
    │   ├── TooLongError          it is longer than the service takes
    │   ├── MediaTypeError        it is not of a kind that the service takes
    │   └── BrokenOffError        it broke off, or did not go on in time
    ├── RangeError                a range that the result does not have
    ├── UpstreamError             another party that is needed did not do its part
    ├── ClosedError               the service is closing, or its cells have closed
    ├── EndedError                the service has ended, for good
    └── SetupError                it cannot start as it is set up

A message says what to do. It never holds what came in.
"""


class ServiceError(Exception):
    """Root of every error that the service raises on purpose."""


class UnknownCallerError(ServiceError):
    """Nobody has signed in, or no longer."""


class NotAllowedError(ServiceError):
    """Somebody has signed in, and may not do this."""


class NotAcceptedError(NotAllowedError):
    """The policy's current version has not been accepted."""


class NoConsentError(NotAllowedError):
    """A purpose or a permission is off.

    Parameters
    ----------
    name : str
        Which; a name of the service's own.
    kind : {"purpose", "permission"}
        Of which kind.
    """

    def __init__(self, name: str, kind: str = "purpose") -> None:
        super().__init__(f"the {kind} {name!r} is off; PUT /v1/{_ROUTES[kind]}/{name} turns it on")
        self.name, self.kind = name, kind


_ROUTES = {"purpose": "consents", "permission": "permissions"}


class NotAttestedError(NotAllowedError):
    """Nobody has said that the person shown is old enough, and agrees."""


class NoScopeError(NotAllowedError):
    """The API key has not the scope."""


class StepUpError(NotAllowedError):
    """A fresh code is needed."""


class SecondFactorError(NotAllowedError):
    """Operators need their second factor."""


class AbsentError(ServiceError):
    """There is no such thing, or it is somebody else's."""


class GoneError(ServiceError):
    """There was such a thing, and it has been erased."""


class ConflictError(ServiceError):
    """It contradicts what is there."""


class MalformedError(ServiceError):
    """What came in has not the form that was asked for."""


class RefusedError(ServiceError):
    """What came in is well formed, and cannot be used."""


class TooManyError(ServiceError):
    """Over a limit.

    Parameters
    ----------
    message : str
        What to do.
    retry_after : float
        Seconds until it is worth trying again.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BodyError(ServiceError):
    """About the body of an upload."""


class LengthRequiredError(BodyError):
    """Its length was not said."""


class TooLongError(BodyError):
    """It is longer than the service takes."""


class MediaTypeError(BodyError):
    """It is not of a kind that the service takes."""


class BrokenOffError(BodyError):
    """It broke off, or did not go on in time."""


class RangeError(ServiceError):
    """A range that the result does not have.

    Parameters
    ----------
    size : int
        How many bytes it has.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"the range lies outside the {size} bytes that there are")
        self.size = size


class UpstreamError(ServiceError):
    """Another party that is needed did not do its part."""


class ClosedError(ServiceError):
    """The service is closing, or its cells have closed."""


class EndedError(ServiceError):
    """The service has ended, for good."""

    def __init__(self, message: str = "the service has ended; exporting and cancelling still work") -> None:
        super().__init__(message)


class SetupError(ServiceError):
    """The service cannot start as it is set up."""
