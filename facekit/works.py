"""What a cell can be asked to do: from the bytes of a photo to the bytes of a result.

`prepare` runs in the fork server, before there is any photo: what it leaves in memory (compiled
kernels, templates) each cell finds there.
"""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Final

import cv2

from facekit.codec import decode_image, encode_image
from facekit.effects import EFFECTS, Effect
from facekit.errors import ConsentError, InputError, SampleError, TemplateError
from facekit.inside import Tell, Work
from facekit.landmarks import detect_faces
from facekit.ready import template_names
from facekit.swap import Dials, swap_face
from facekit.tasks import close_tasks
from facekit.templates import load_template
from facekit.values import Image, Template

__all__ = ["age", "anime", "avatar", "caricature", "gender", "prepare", "swap"]

_NOBODY: Final = "spacesuit"  # its face is drawn from averages
_ANY_WORK: Final = frozenset({"format", "alone"})  # options of every work
_DIALS: Final = frozenset({"face", "slot", *(dial.name for dial in fields(Dials))})


def swap(photo: bytearray, options: Mapping[str, Any], tell: Tell) -> bytes:
    """Put the photo's face into a ready template.

    Parameters
    ----------
    photo : bytearray
        A picture file; overwritten with zeros once it has been decoded.
    options : mapping
        ``template``, a name of `template_names`; optionally ``format`` of the result ("png" by
        default) and the dials of `swap_face`; ``alone``, whether nobody else may be in the photo.
    tell : function
        Is told "decode", the stages of `swap_face`, and "encode".

    Returns
    -------
    bytes
        A picture file.

    Raises
    ------
    FacekitError
        What `decode_image`, `swap_face` and `encode_image` refuse; an option is unknown; somebody else
        is in the photo.
    """
    dials = {name: value for name, value in options.items() if name not in ("template", *_ANY_WORK)}
    if unknown := dials.keys() - _DIALS:
        raise InputError(f"options: {', '.join(sorted(unknown))} unknown to a swap")
    template = _template(str(options.get("template", "")))
    image = _decoded(photo, options, tell)
    try:
        result = swap_face(image, template, progress=tell, **dials)
    except TypeError as error:
        raise InputError("options: a dial is not a number") from error
    return _encoded(result.image, options, tell)


_WORDS: Final = """
    Parameters
    ----------
    photo : bytearray
        A picture file; overwritten with zeros once it has been decoded.
    options : mapping
        The effect's parameters; optionally ``format`` and ``alone``, as in `swap`.
    tell : function
        Is told "decode", the stages of the effect, and "encode".

    Returns
    -------
    bytes
        A picture file.

    Raises
    ------
    FacekitError
        What `decode_image`, the effect and `encode_image` refuse; an option is unknown; somebody else is
        in the photo.
    """


def _work_of(effect: Effect) -> Work:
    """Return the work that does an effect of the catalogue."""

    def work(photo: bytearray, options: Mapping[str, Any], tell: Tell) -> bytes:
        chosen = effect.checked({name: value for name, value in options.items() if name not in _ANY_WORK})
        image = _decoded(photo, options, tell)
        result = effect.apply(image, chosen, progress=tell)
        return _encoded(result.image, options, tell)

    work.__doc__ = f"{effect.words}\n{_WORDS}"
    return work


age = _work_of(EFFECTS["age"])
anime = _work_of(EFFECTS["anime"])
avatar = _work_of(EFFECTS["avatar"])
caricature = _work_of(EFFECTS["caricature"])
gender = _work_of(EFFECTS["gender"])


def prepare() -> None:
    """Load, compile and try all that a cell will need, so that it finds it in memory.

    Notes
    -----
    The photo that it tries with is a picture of nobody, out of a ready template.
    """
    cv2.setNumThreads(1)  # a second thread would not survive the fork
    names = [name for name in template_names() if _is_here(name)]
    nobody = _template(_NOBODY).image
    photo = encode_image(nobody, "jpeg")
    for name in names:
        swap(bytearray(photo), {"template": name, "format": "jpeg", "shape": 0.5, "features": 0.5}, str)
    swap(bytearray(photo), {"template": _NOBODY, "format": "jpeg"}, str)
    for kind in ("png", "webp"):  # what is coded is the same for each template
        decode_image(encode_image(nobody[::4, ::4], kind))
    for work, options in _TRIED:
        work(bytearray(photo), {**options, "format": "jpeg"}, str)
    close_tasks()  # carried over a fork, one would hang


_TRIED: Final[tuple[tuple[Work, Mapping[str, Any]], ...]] = (
    (gender, {"toward": "female"}),
    (gender, {"toward": "male"}),
    (age, {"years": 20}),
    (age, {"years": -15}),
    (anime, {"style": "cel"}),
    (anime, {"style": "ink"}),
    (avatar, {}),
    (caricature, {}),
)


def _decoded(photo: bytearray, options: Mapping[str, Any], tell: Tell) -> Image:
    """Decode a photo and overwrite its file; refuse it if somebody else is in it who may not be."""
    tell("decode")
    image = decode_image(photo)
    # Clause 1.2.2(4)c: from here on the photo is pixels in this process alone, and ends with it.
    photo[:] = bytes(len(photo))
    # Clause 1.3.3 note: a second face needs a statement of its own.
    if options.get("alone") and len(detect_faces(image)) > 1:
        raise ConsentError("somebody else is in the photo: state that they agree, too, or cut them off")
    return image


def _encoded(image: Image, options: Mapping[str, Any], tell: Tell) -> bytes:
    tell("encode")
    return encode_image(image, str(options.get("format", "png")))


@cache
def _template(name: str) -> Template:
    """Load a ready template once; paths are not taken, for a cell opens no file of a user's."""
    if name not in template_names():
        raise TemplateError(f"expected a ready template's name, one of {', '.join(template_names())}")
    return load_template(name)


def _is_here(name: str) -> bool:
    try:
        _template(name)
    except SampleError:
        return False
    return True
