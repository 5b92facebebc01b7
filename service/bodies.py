"""Raw bodies: what they claim is looked at before a byte of them is read, and what comes is held to it."""

from collections.abc import Collection
from typing import Final

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from service.errors import LengthRequiredError, MediaTypeError, TooLongError

#: Bytes of a body that is read before it is known whose it is.
LONGEST_JSON: Final = 2**16
#: By this a route says in its ``openapi_extra`` that it takes more.
MORE: Final = "x-longest-body"


def bounded(scope: Scope, receive: Receive) -> Receive:
    """Stop reading where a body of JSON is too long; who takes another body reads it by `whole_body`.

    Parameters
    ----------
    scope, receive
        Of a request, as in ASGI.

    Returns
    -------
    receive
        In its place; raises HTTPException 413, for any other error would count as malformed JSON.
    """
    claimed, came = Headers(scope=scope).get("content-length", ""), 0

    async def take() -> Message:
        nonlocal came
        route = scope.get("route")
        if not (isinstance(route, APIRoute) and route.body_field):
            return await receive()
        most = (route.openapi_extra or {}).get(MORE, LONGEST_JSON)
        if claimed.isdecimal() and int(claimed) > most:
            raise HTTPException(413)
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise HTTPException(413)
        return message

    return take


async def whole_body(request: Request, *, largest: int, media_types: Collection[str]) -> bytes:
    """Read a body into memory.

    Parameters
    ----------
    request : Request
        Whose body has not been read.
    largest : int
        Bytes, at most.
    media_types : collection of str
        Those that are taken.

    Raises
    ------
    MediaTypeError, LengthRequiredError, TooLongError
        From its headers, with nothing read; the last one also where more comes than they say.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in media_types:
        raise MediaTypeError(f"expected one of {', '.join(media_types)}")
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()):
        raise LengthRequiredError("say the length of the body: Content-Length")
    if int(length) > largest:
        raise TooLongError(f"expected at most {largest} bytes")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise TooLongError(f"expected at most {largest} bytes")
    return bytes(body)
