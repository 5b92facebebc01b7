"""facekit: from a photo of a face to a picture, by mathematics that can be read.

Every name below loads its module when it is first used, so importing facekit costs
little more than importing numpy and pulls in no vision library.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facekit.blend import blend_poisson
    from facekit.canaries import canaries_of
    from facekit.cell import run_in_cell
    from facekit.checkup import doctor
    from facekit.client import Client
    from facekit.codec import decode_image, encode_image, read_image, write_image
    from facekit.colour import match_colour
    from facekit.data import list_samples, load_sample, synthetic_face
    from facekit.effects import EFFECTS
    from facekit.effects.age import change_age
    from facekit.effects.anime import animefy
    from facekit.effects.avatar import draw_avatar
    from facekit.effects.gender import change_gender
    from facekit.effects.morph import average, caricature, morph
    from facekit.envelope import open_sealed, seal
    from facekit.landmarks import detect_faces
    from facekit.privacy import Scratch
    from facekit.receipts import verify_receipt
    from facekit.residue import find_residue
    from facekit.swap import swap_face, swap_faces
    from facekit.templates import list_templates, load_template
    from facekit.warp import warp_piecewise_affine

__version__ = "0.1.0"

_HOME = {
    "blend": ("blend_poisson",),
    "cell": ("run_in_cell",),
    "canaries": ("canaries_of",),
    "checkup": ("doctor",),
    "client": ("Client",),
    "codec": ("decode_image", "encode_image", "read_image", "write_image"),
    "colour": ("match_colour",),
    "data": ("list_samples", "load_sample", "synthetic_face"),
    "effects": ("EFFECTS",),
    "effects.age": ("change_age",),
    "effects.anime": ("animefy",),
    "effects.avatar": ("draw_avatar",),
    "effects.gender": ("change_gender",),
    "effects.morph": ("average", "caricature", "morph"),
    "envelope": ("open_sealed", "seal"),
    "landmarks": ("detect_faces",),
    "privacy": ("Scratch",),
    "receipts": ("verify_receipt",),
    "residue": ("find_residue",),
    "swap": ("swap_face", "swap_faces"),
    "templates": ("list_templates", "load_template"),
    "warp": ("warp_piecewise_affine",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "EFFECTS",
    "Client",
    "Scratch",
    "animefy",
    "average",
    "blend_poisson",
    "canaries_of",
    "caricature",
    "change_age",
    "change_gender",
    "decode_image",
    "detect_faces",
    "doctor",
    "draw_avatar",
    "encode_image",
    "find_residue",
    "list_samples",
    "list_templates",
    "load_sample",
    "load_template",
    "match_colour",
    "morph",
    "open_sealed",
    "read_image",
    "run_in_cell",
    "seal",
    "swap_face",
    "swap_faces",
    "synthetic_face",
    "verify_receipt",
    "warp_piecewise_affine",
    "write_image",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'facekit' has no attribute {name!r}")
    value = getattr(import_module(f"facekit.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
