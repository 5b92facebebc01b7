"""Every cookie that the service sets; `watching` takes out any other, and ``GET /v1/cookies`` lists them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from fastapi import Response


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie.

    Parameters
    ----------
    words : str
        What it is for.
    seconds : int
        How long a browser keeps it.
    path : str
        Where it is sent back to.
    party : {"first", "third"}
        Whose it is.
    """

    words: str
    seconds: int
    path: str
    party: Literal["first", "third"] = "first"


OAUTH: Final = "facekit_oauth"
# Clauses 2 (head), 2(1): the public list; a session's own token is sent by programs, and is no cookie.
COOKIES: Final[Mapping[str, Cookie]] = MappingProxyType(
    {OAUTH: Cookie("binds a sign-in by another account to the browser that began it", 600, "/v1/auth/oauth")}
)


def set_cookie(response: Response, name: str, value: str, *, secure: bool) -> None:
    """Set one of the cookies, out of reach of scripts and of other sites' forms.

    Parameters
    ----------
    response : Response
        On which.
    name : str
        One of `COOKIES`.
    value : str
        Its value.
    secure : bool
        Whether the client came by TLS.
    """
    cookie = COOKIES[name]
    response.set_cookie(
        name, value, cookie.seconds, path=cookie.path, secure=secure, httponly=True, samesite="lax"
    )


def drop_cookie(response: Response, name: str, *, secure: bool) -> None:
    """Have the browser forget one of the cookies."""
    response.delete_cookie(name, path=COOKIES[name].path, secure=secure, httponly=True, samesite="lax")
