"""Marks planted in whatever a request can hold, and looked for in whatever the service can write.

All marks begin alike, with words that nothing else has: so one pass over the bytes finds all of them, as
they are and as they get into files: in UTF-16, in hexadecimal, in base64 at any alignment.
"""

import base64
import copy
import itertools
import json
import mmap
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from service.examples import example_of


class Request(NamedTuple):
    """A request with marks in it; what was planted where."""

    where: str
    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class Marks:
    """Makes marks, and finds them."""

    def __init__(self, word="") -> None:
        self.word = word or f"zq{secrets.token_hex(6)}"
        self._numbers = itertools.count()

    def new(self) -> str:
        """Return a mark that was not there before."""
        return f"{self.word}x{next(self._numbers)}x"

    def forms(self) -> dict[str, bytes]:
        """Return what all marks have in them, in each form in which they could be written."""
        plain = self.word.encode()
        forms = {"as it is": plain, "hex": plain.hex().encode(), "upper hex": plain.hex().upper().encode()}
        forms |= {name: self.word.encode(name) for name in ("utf-16-le", "utf-16-be")}
        for offset in range(3):
            whole = base64.b64encode(bytes(offset) + plain + bytes(3))
            forms[f"base64, {offset} in"] = whole[-(-8 * offset // 6) : (8 * (offset + len(plain))) // 6]
        return forms

    def pattern(self) -> "re.Pattern[bytes]":
        """Return what finds all of them."""
        return re.compile(b"|".join(map(re.escape, self.forms().values())), re.IGNORECASE)

    def found_in(self, data: bytes) -> list[bytes]:
        """Return what is around each mark in some bytes."""
        return [data[max(hit.start() - 40, 0) : hit.end() + 12] for hit in self.pattern().finditer(data)]

    def files(self, folder: Path) -> dict[str, list[bytes]]:
        """Search every file under a folder; return where marks are, and what is around them."""
        hits = {}
        for path in sorted(folder.rglob("*")):
            try:
                if not path.is_file() or not path.stat().st_size:
                    continue
                with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    around = self.found_in(data)
            except FileNotFoundError:
                continue
            if around:
                hits[str(path.relative_to(folder))] = around
        return hits


def requests(
    document: Mapping[str, Any], marks: Marks, method: str, template: str, path: str
) -> Iterator[Request]:
    """Go through the requests to one operation, each with marks in one of its places.

    Parameters
    ----------
    document : mapping
        The OpenAPI document.
    marks : Marks
        Makes them.
    method, template : str
        The operation.
    path : str
        Its path, filled in with what there is.
    """
    said = document["paths"][template][method.lower()]
    json_body = said.get("requestBody", {}).get("content", {}).get("application/json")
    given = {
        one["name"]: str(example_of(one["schema"], {}))
        for one in said.get("parameters", ())
        if one["in"] == "header" and one["required"]
    }
    body = None
    if json_body:
        given["Content-Type"] = "application/json"
        body = next(iter(json_body["examples"].values()))["value"]
    encoded = None if body is None else _encoded(body)
    yield from _in_headers(said, marks, method, path, given, encoded)
    yield from _in_query(said, marks, method, path, given, encoded)
    for name in re.findall(r"{(\w+)}", template):
        yield Request(f"path {name}", method, _filled(template, name, marks.new()), given, encoded)
    yield Request("path beyond", method, f"{path}/{marks.new()}", given, encoded)
    if body is not None:
        for where, one in _in_json(body, marks):
            yield Request(f"body {where}", method, path, given, _encoded(one))
        yield Request("body no JSON", method, path, given, f'{{"{marks.new()}": {marks.new()}'.encode())
        yield Request("body no UTF-8", method, path, given, marks.new().encode() + b"\xff\xfe")
    yield from _in_other_bodies(said, marks, method, path, given)


def _in_headers(said, marks, method, path, given, body) -> Iterator[Request]:
    names = [one["name"] for one in said.get("parameters", ()) if one["in"] == "header"]
    common = ("User-Agent", "Referer", "Accept", "Accept-Language", "Origin", "X-Forwarded-For", "From")
    marked = {name: marks.new() for name in (*common, "X-Unknown", "If-None-Match", "Idempotency-Key")}
    marked |= {f"X-{marks.new()}": "1", "Cookie": f"facekit_oauth={marks.new()}; {marks.new()}={marks.new()}"}
    yield Request("headers", method, path, marked | given, body)
    for name in names:
        yield Request(f"header {name}", method, path, given | {name: marks.new()}, body)
    for value in (f"Bearer {marks.new()}", f"Bearer fkk_{marks.new()}", f"Basic {marks.new()}", marks.new()):
        yield Request("header Authorization", method, path, given | {"Authorization": value}, body)
    yield Request(
        "header Facekit-Acceptance",
        method,
        path,
        given | {"Authorization": "", "Facekit-Acceptance": marks.new()},
        body,
    )


def _in_query(said, marks, method, path, given, body) -> Iterator[Request]:
    named = [one["name"] for one in said.get("parameters", ()) if one["in"] == "query"]
    query = "&".join(f"{name}={marks.new()}" for name in (*named, "unknown", marks.new()))
    yield Request("query", method, f"{path}?{query}", given, body)
    yield Request("query in UTF-16", method, f"{path}?{marks.new()}%00%ff={marks.new()}%00", given, body)


def _filled(template: str, name: str, value: str) -> str:
    filled = template.replace(f"{{{name}}}", value)
    return re.sub(r"{\w+}", "a" * 22, filled)


def _in_json(value: Any, marks: Marks, where: str = "") -> Iterator[tuple[str, Any]]:
    """Go through copies of a body, each with a mark in the place of a field, beside it, or as its name."""
    for wrong in (marks.new(), f"{marks.new()}{'y' * 5000}", [marks.new()], {marks.new(): marks.new()}):
        yield f"{where or 'whole'} as {type(wrong).__name__}", wrong
    if isinstance(value, dict):
        yield f"{where} unknown field", {**value, marks.new(): marks.new()}
        for name, one in value.items():
            for inner, changed in _in_json(one, marks, f"{where}.{name}"):
                yield inner, {**copy.deepcopy(value), name: changed}
    elif isinstance(value, list) and value:
        for inner, changed in _in_json(value[0], marks, f"{where}.0"):
            yield inner, [changed, *value[1:]]


def _in_other_bodies(said, marks, method, path, given) -> Iterator[Request]:
    kinds = [kind for kind in said.get("requestBody", {}).get("content", {}) if kind != "application/json"]
    for kind in (*kinds, "text/plain", f"text/{marks.new()}"):
        headers = given | {"Content-Type": kind.replace("*", "png")}
        yield Request(f"body {kind}", method, path, headers, marks.new().encode() * 3)
    boundary = marks.new()
    part = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{marks.new()}"; '
        f'filename="{marks.new()}.jpg"\r\n'
        f"Content-Type: image/{marks.new()}\r\n\r\n{marks.new()}\r\n--{boundary}--\r\n"
    )
    headers = given | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    yield Request("multipart", method, path, headers, part.encode())


def _encoded(value: Any) -> bytes:

    return json.dumps(value).encode()
