"""Raw bodies: what they claim is looked at before a byte of them is read, and what comes is held to it."""

from collections.abc import Collection

from fastapi import Request

from service.errors import LengthRequiredError, MediaTypeError, TooLongError


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
