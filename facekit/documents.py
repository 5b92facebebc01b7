"""JSON that came from a service, as values of the kind that it should be.

A field that a newer service adds is passed over; one that is missing or of another type is an error.
"""

import base64
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

from facekit.errors import ServiceLostError

__all__ = ["read_answer", "read_items"]

T = TypeVar("T")


def read_answer(kind: type[T], document: object) -> T:
    """Make a value of what came as JSON.

    Parameters
    ----------
    kind : dataclass
        What it should be.
    document : object
        What `json.loads` made of it.

    Returns
    -------
    object
        Of that kind.

    Raises
    ------
    ServiceLostError
        It is something else.

    Examples
    --------
    >>> from facekit.answers import CodeSent
    >>> read_answer(CodeSent, {"challenge": "Zm9v", "seconds": 300, "new": True})
    CodeSent(challenge='Zm9v', seconds=300)
    >>> read_answer(CodeSent, {"challenge": 7})
    Traceback (most recent call last):
    facekit.errors.ServiceLostError: CodeSent.challenge: expected str in the service's answer, got int
    """
    if not isinstance(document, dict):
        raise ServiceLostError(f"expected a {kind.__name__} in the service's answer, got something else")
    hints, values = get_type_hints(kind), {}
    for one in fields(kind):  # type: ignore[arg-type]
        try:
            values[one.name] = _read(hints[one.name], document.get(one.name))
        except (TypeError, ValueError) as error:
            raise ServiceLostError(
                f"{kind.__name__}.{one.name}: expected {error} in the service's answer, "
                f"got {type(document.get(one.name)).__name__}"
            ) from None
    return kind(**values)


def read_items(kind: type[T], document: object) -> tuple[T, ...]:
    """Make values of a list that came as JSON.

    Parameters
    ----------
    kind : dataclass
        What each of its ``items`` should be.
    document : object
        What `json.loads` made of it.

    Returns
    -------
    tuple
        In their order.

    Raises
    ------
    ServiceLostError
        It is something else.

    Examples
    --------
    >>> from facekit.answers import CodeSent
    >>> read_items(CodeSent, {"items": [{"challenge": "Zm9v", "seconds": 300}]})
    (CodeSent(challenge='Zm9v', seconds=300),)
    """
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise ServiceLostError(
            f"expected a list of {kind.__name__} in the service's answer, got something else"
        )
    return tuple(read_answer(kind, item) for item in items)


_PLAIN: Final = (str, bool, int, float)


def _read(wanted: Any, given: object) -> Any:
    """Read one value; a TypeError's or ValueError's message is what was wanted."""
    if isinstance(wanted, UnionType):
        if given is None and NoneType in get_args(wanted):
            return None
        return _read(get_args(wanted)[0], given)
    if get_origin(wanted) is tuple and isinstance(given, list):
        return tuple(_read(get_args(wanted)[0], one) for one in given)
    if is_dataclass(wanted) and isinstance(wanted, type):
        return read_answer(wanted, given)
    if (wanted in _PLAIN and type(given) is wanted) or given in _words(wanted):
        return given
    if get_origin(wanted) is Mapping and isinstance(given, dict):
        return given
    if wanted is bytes and isinstance(given, str):
        return _base64(given)
    if wanted is datetime and isinstance(given, str):
        return _moment(given)
    raise TypeError(getattr(wanted, "__name__", "another type"))


def _words(wanted: Any) -> tuple[Any, ...]:
    return get_args(wanted) if get_origin(wanted) is Literal else ()


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("base64") from None


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("a time") from None
