"""Templates: pictures with slots for faces.

A template is a folder with `template.toml`, or any picture with a face::

    title = "Space suit"
    credit = "drawn by code in this repository"
    licence = "Apache-2.0"
    picture = "picture.webp"     # or: sample = "astronaut"

    [[slots]]                    # without slots, the faces are looked for in the picture
    centre = [600, 410]          # the mean face under a pose: pixels, and degrees
    eye_distance = 150
    yaw = 0
    pitch = 0
    roll = 0
    mask = "mask.png"            # white where the new face may show
    occluders = "occluders.png"  # white where something lies in front of it

Slots that must be looked for are computed once and kept in the user's cache by the digest of
the picture: for template folders only, never for a user's own picture.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile
from zlib import error as ZlibError  # noqa: N812

import numpy as np

from facekit.codec import decode_image, read_image
from facekit.data import has_sample, sample_bytes
from facekit.errors import TemplateError
from facekit.files import save_whole, user_cache
from facekit.landmarks import detect_faces
from facekit.ready import CONFIG, ready_folder, template_names
from facekit.segment import face_mask, occluder_mask
from facekit.synthetic import place_face
from facekit.values import Blendshapes, FaceMesh, Image, Mask, Slot, Template
from facekit.views import box_of

__all__ = ["find_slots", "list_templates", "load_template", "template_from_picture", "template_names"]

CACHE_VERSION = 2  # counted up when the way in which slots are found changes
KNOWN = {"title", "credit", "licence", "picture", "sample", "slots"}
SLOT_NUMBERS = ("eye_distance", "yaw", "pitch", "roll")
SLOT_KNOWN = {"centre", "mask", "occluders", *SLOT_NUMBERS}
MAX_FACES = 20

Table = Mapping[str, Any]


def list_templates() -> list[Template]:
    """Load every ready template whose picture is here.

    Returns
    -------
    list of Template
        By name; those made from a sample that has not been fetched are left out.

    Raises
    ------
    TemplateError
        A folder is incomplete.

    Examples
    --------
    >>> {"card", "stamp"} <= {template.name for template in list_templates()}
    True
    """
    return [load_template(name) for name in template_names() if _is_here(name)]


def load_template(name_or_path: str | Path) -> Template:
    """Load a ready template by name, a template folder, or any picture with a face.

    Parameters
    ----------
    name_or_path : str or Path
        A name from `template_names`, else a folder with `template.toml`, else a picture.

    Returns
    -------
    Template
        With at least one slot.

    Raises
    ------
    TemplateError
        The name is unknown, the folder is incomplete, or the picture shows no face.
    SampleError
        The template is made from a sample picture that has not been fetched.
    InputError
        The picture cannot be read.

    Examples
    --------
    >>> template = load_template("stamp")
    >>> len(template.slots), template.licence
    (1, 'Apache-2.0')
    """
    path = Path(name_or_path)
    if str(name_or_path) in template_names():
        return _from_folder(ready_folder(str(name_or_path)), str(name_or_path))
    if path.is_dir():
        return _from_folder(path, path.name)
    if path.is_file():
        return template_from_picture(read_image(path))
    raise TemplateError(
        "no ready template has this name, and no such file is there; ready ones: "
        + ", ".join(template_names())
    )


def template_from_picture(image: Image, *, name: str = "picture") -> Template:
    """Make a template of any picture with a face; nothing is cached.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    name : str
        What to call it.

    Returns
    -------
    Template
        One slot for each face, largest first.

    Raises
    ------
    TemplateError
        The picture shows no face.

    Examples
    --------
    >>> from facekit import synthetic_face
    >>> len(template_from_picture(synthetic_face(256)).slots)
    1
    """
    # Clause 1.2.3b: it may be a user's picture, so it does not go through the cache.
    return Template(name, image, find_slots(image))


def find_slots(image: Image) -> tuple[Slot, ...]:
    """Find the faces of a picture, and what of each may be replaced.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.

    Returns
    -------
    tuple of Slot
        Largest first.

    Raises
    ------
    TemplateError
        The picture shows no face.
    """
    faces = detect_faces(image, max_faces=MAX_FACES)
    if not faces:
        raise TemplateError(
            "no face was found in the template's picture, and its template.toml declares no slot"
        )
    return tuple(Slot(face, face_mask(face, image.shape[:2]), occluder_mask(image, face)) for face in faces)


# -- folders -------------------------------------------------------------------------------


def _is_here(name: str) -> bool:
    sample = _read_config(ready_folder(name)).get("sample")
    return sample is None or has_sample(sample)


def _from_folder(folder: Path, name: str) -> Template:
    config = _read_config(folder)
    data = _picture_bytes(folder, config)
    image = decode_image(data)
    declared = config.get("slots", [])
    slots = (
        tuple(_declared_slot(folder, image, slot) for slot in declared)
        if declared
        else _cached_slots(data, image)
    )
    title, credit, licence = (str(config.get(key, "")) for key in ("title", "credit", "licence"))
    return Template(name, image, slots, title, credit, licence)


def _read_config(folder: Path) -> Table:
    try:
        config = tomllib.loads((folder / CONFIG).read_text("utf-8"))
    except OSError:
        raise TemplateError(f"the folder holds no readable {CONFIG}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TemplateError(f"{CONFIG} is not valid TOML: {error}") from None
    _refuse_unknown(config, KNOWN)
    if ("picture" in config) == ("sample" in config):
        raise TemplateError(f'{CONFIG}: expected either "picture" or "sample"')
    if not isinstance(config.get("picture", config.get("sample")), str):
        raise TemplateError(f'{CONFIG}: expected text for "picture" or "sample"')
    slots = config.get("slots", [])
    if not isinstance(slots, list) or not all(isinstance(slot, dict) for slot in slots):
        raise TemplateError(f"{CONFIG}: expected slots as tables, [[slots]]")
    for slot in slots:
        _refuse_unknown(slot, SLOT_KNOWN)
    return config


def _refuse_unknown(table: Table, known: set[str]) -> None:
    if unknown := sorted(set(table) - known):
        raise TemplateError(f"{CONFIG}: expected only {', '.join(sorted(known))}; got {', '.join(unknown)}")


def _picture_bytes(folder: Path, config: Table) -> bytes:
    if "sample" in config:
        return sample_bytes(str(config["sample"]))
    return _member(folder, str(config["picture"])).read_bytes()


def _member(folder: Path, name: str) -> Path:
    """Return a file inside the template's folder; a template may not point out of it."""
    path = folder / name.replace("\0", "")  # a path with NUL cannot even be asked about
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise TemplateError(f"{CONFIG} names a file that is not in the template's folder")
    return path


def _declared_slot(folder: Path, image: Image, slot: Table) -> Slot:
    """Pose the mean face as the table says."""
    try:
        centre = float(slot["centre"][0]), float(slot["centre"][1])
        numbers = {key: float(slot.get(key, 0.0)) for key in SLOT_NUMBERS}
    except (KeyError, IndexError, TypeError, ValueError):
        raise TemplateError(
            f"{CONFIG}: a slot needs centre = [x, y] and numbers for {', '.join(SLOT_NUMBERS)}"
        ) from None
    if not np.isfinite([*centre, *numbers.values()]).all():
        raise TemplateError(f"{CONFIG}: a slot needs finite numbers")
    if numbers["eye_distance"] <= 0:
        raise TemplateError(f"{CONFIG}: a slot needs an eye_distance above 0")
    mesh = place_face(centre, **numbers)
    shape = image.shape[:2]
    mask = face_mask(mesh, shape)
    if "mask" in slot:
        mask &= _read_mask(folder, str(slot["mask"]), shape)
    occluders = np.zeros(shape, np.bool_)
    if "occluders" in slot:
        occluders = _read_mask(folder, str(slot["occluders"]), shape)
    if not (mask & ~occluders).any():
        raise TemplateError("a slot shows nothing: its face lies outside the picture, or is covered")
    return Slot(mesh, mask, occluders)


def _read_mask(folder: Path, name: str, shape: tuple[int, ...]) -> Mask:
    mask = decode_image(_member(folder, name).read_bytes())[..., 1] >= 128
    if mask.shape != shape:
        raise TemplateError(f"a slot's mask has shape {mask.shape}; its picture has {shape}")
    return np.asarray(mask)


# -- cache ---------------------------------------------------------------------------------


def _cached_slots(data: bytes, image: Image) -> tuple[Slot, ...]:
    """Find the slots of a template folder's picture once per machine."""
    key = hashlib.sha256(data).hexdigest()
    path = user_cache() / "slots" / f"{key}-{CACHE_VERSION}.npz"
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            return tuple(_unpack(kept, index, image.shape[:2]) for index in range(int(kept["count"])))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, ZlibError):
        slots = find_slots(image)
    arrays: dict[str, Any] = {"count": len(slots)}
    for index, slot in enumerate(slots):
        arrays |= _pack(slot, index)
    packed = BytesIO()
    np.savez_compressed(packed, **arrays)
    with suppress(OSError):  # a cache that cannot be written is only slower
        path.parent.mkdir(parents=True, exist_ok=True)
        save_whole(path, packed.getvalue(), force=True)
    return slots


def _pack(slot: Slot, index: int) -> dict[str, Any]:
    mesh = slot.mesh
    return {
        f"points{index}": mesh.points,
        f"depth{index}": mesh.depth,
        f"names{index}": np.array(mesh.blendshapes.names),
        f"scores{index}": mesh.blendshapes.scores,
        f"pose{index}": mesh.pose,
        f"score{index}": np.array(mesh.score),
        f"mask{index}": np.packbits(slot.mask),
        f"occluders{index}": np.packbits(slot.occluders),
    }


def _unpack(kept: Any, index: int, shape: tuple[int, int]) -> Slot:
    points = kept[f"points{index}"]
    mesh = FaceMesh(
        points=points,
        depth=kept[f"depth{index}"],
        blendshapes=Blendshapes(tuple(kept[f"names{index}"].tolist()), kept[f"scores{index}"]),
        pose=kept[f"pose{index}"],
        score=float(kept[f"score{index}"]),
        box=box_of(points),
    )
    masks = (
        np.unpackbits(kept[f"{name}{index}"], count=shape[0] * shape[1]).reshape(shape).astype(np.bool_)
        for name in ("mask", "occluders")
    )
    return Slot(mesh, *masks)
