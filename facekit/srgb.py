"""Every mode of Pillow to 8-bit sRGB over white, the right way up, a block at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageCms, ImageFile, TiffImagePlugin

from facekit.headers import MAX_EXIF
from facekit.values import Image

__all__ = ["upright_srgb"]

_BLOCK: Final = (512, 2048)  # rows and columns converted at a time
_MAX_PROFILE: Final = 4 * 2**20  # bytes; the largest press profiles have 3 MB
_ORIENTATION: Final = 0x0112
_INTENT: Final = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS: Final = ImageCms.Flags.BLACKPOINTCOMPENSATION
_SPACES: Final = MappingProxyType({"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"})


def upright_srgb(picture: ImageFile.ImageFile) -> Image:
    """Turn what Pillow has loaded into plain pixels.

    Parameters
    ----------
    picture : PIL.ImageFile.ImageFile
        Loaded; its colour key may be dropped.

    Returns
    -------
    Image of shape (H, W, 3), uint8
        Upright, in sRGB, over white.

    Notes
    -----
    Beside `picture` and the result, only one block is held.

    Examples
    --------
    >>> from PIL import PngImagePlugin
    >>> file = BytesIO()
    >>> Pillow.new("1", (3, 2)).save(file, "png")
    >>> picture = PngImagePlugin.PngImageFile(BytesIO(file.getvalue()))
    >>> upright_srgb(picture).shape
    (2, 3, 3)
    """
    orientation = _orientation(picture)
    columns, rows = picture.size
    turned = orientation >= 5
    upright: Image = np.empty((columns, rows, 3) if turned else (rows, columns, 3), np.uint8)
    # A view of the result as the file stores it: turning then costs no second picture.
    stored = upright.swapaxes(0, 1) if turned else upright
    if orientation in (3, 4, 6, 7):
        stored = stored[::-1]
    if orientation in (2, 3, 7, 8):
        stored = stored[:, ::-1]
    to_rgb = _converter(picture)
    for box in _boxes(columns, rows):
        left, top, right, bottom = box
        stored[top:bottom, left:right] = to_rgb(picture.crop(box))
    return upright


def _orientation(picture: ImageFile.ImageFile) -> int:
    # Pillow turns a TIFF by itself while it loads.
    if picture.format == "TIFF" or len(picture.info.get("exif") or b"") > MAX_EXIF:
        return 1
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except Exception:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _boxes(columns: int, rows: int) -> Iterator[tuple[int, int, int, int]]:
    height, width = _BLOCK
    for top in range(0, rows, height):
        for left in range(0, columns, width):
            yield left, top, min(left + width, columns), min(top + height, rows)


# Colour: every mode of Pillow to 8-bit sRGB over white.


@dataclass(frozen=True, slots=True)
class _Converter:
    """Turns one block of a picture into RGB.

    Parameters
    ----------
    scale : function or None
        Brings samples of more than 8 bits to 0..255.
    key : int or None
        The deep grey value that stands for transparent.
    native : str
        Pillow mode in which `profile` expects the colours.
    profile : ImageCmsTransform or None
        To sRGB.
    """

    scale: Callable[[npt.NDArray[Any]], npt.NDArray[np.uint8]] | None
    key: int | None
    native: str
    profile: ImageCms.ImageCmsTransform | None

    def __call__(self, block: Pillow.Image) -> Image:
        """Return `block` as an array of shape (rows, columns, 3)."""
        colours, alpha = self._parts(block)
        if self.profile is not None:
            colours = self.profile.apply(colours.convert(self.native))
        rgb = colours.convert("RGB")
        if alpha is not None:
            white = Pillow.new("RGB", block.size, "white")
            white.paste(rgb, mask=alpha)
            rgb = white
        return np.asarray(rgb)

    def _parts(self, block: Pillow.Image) -> tuple[Pillow.Image, Pillow.Image | None]:
        """Split colours of 8 bits from the alpha channel."""
        if self.scale is not None:
            deep = np.asarray(block)
            alpha = None if self.key is None else Pillow.fromarray(deep != self.key).convert("L")
            return Pillow.fromarray(self.scale(deep)), alpha
        if not block.has_transparency_data:
            return block, None
        grey = block.mode in ("L", "LA")
        block = block.convert("LA" if grey else "RGBA")
        return (block.getchannel("L") if grey else block.convert("RGB")), block.getchannel("A")


def _converter(picture: ImageFile.ImageFile) -> _Converter:
    mode = picture.mode
    deep = mode in ("I", "F") or mode.startswith("I;16")
    key = picture.info.get("transparency")
    if isinstance(key, tuple) and max(key) > 255:  # a 16-bit colour, of which 8 bits are left
        del picture.info["transparency"]
    native, profile = _profile(picture)
    return _Converter(
        _deep_scale(picture) if deep else None,
        key if isinstance(key, int) and deep else None,
        native,
        profile,
    )


def _deep_scale(picture: ImageFile.ImageFile) -> Callable[[npt.NDArray[Any]], npt.NDArray[np.uint8]]:
    tags = picture.tag_v2 if isinstance(picture, TiffImagePlugin.TiffImageFile) else {}
    white: float = 4095 if tags.get(258) == (12,) else 65535
    if picture.mode in ("I", "F"):
        white = _guess_white(picture)
    inverted = tags.get(262) == 0

    def scale(deep: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        level = np.nan_to_num(deep.astype(np.float32), nan=0.0) * np.float32(255 / white)
        level = np.clip(level, 0, 255)
        levels: npt.NDArray[np.uint8] = np.rint(255 - level if inverted else level).astype(np.uint8)
        return levels

    return scale


def _guess_white(picture: ImageFile.ImageFile) -> float:
    peak = 0.0
    for box in _boxes(*picture.size):
        block = np.asarray(picture.crop(box))
        peak = max(peak, float(np.max(block, initial=0, where=np.isfinite(block))))
    return next((white for white in (1.0, 255.0, 65535.0) if peak <= white), peak)


def _profile(picture: ImageFile.ImageFile) -> tuple[str, ImageCms.ImageCmsTransform | None]:
    """Return the mode to convert from and the way to sRGB, or None where there is nothing to do."""
    own = {"CMYK": "CMYK", "LAB": "LAB"}.get(picture.mode, "RGB")
    if own == "RGB" and (picture.mode in ("1", "L", "LA", "F") or picture.mode.startswith("I")):
        own = "L"
    embedded = picture.info.get("icc_profile")
    srgb = ImageCms.createProfile("sRGB")
    try:
        if isinstance(embedded, bytes) and 128 <= len(embedded) <= _MAX_PROFILE:
            source = ImageCms.ImageCmsProfile(BytesIO(embedded))
            native = _SPACES[source.profile.xcolor_space.strip()]
            if native == own or (own, native) == ("L", "RGB"):
                way = ImageCms.buildTransform(source, srgb, native, "RGB", _INTENT, _FLAGS)
                return native, None if _is_identity(way, native) else way
    except (ImageCms.PyCMSError, OSError, KeyError, TypeError, ValueError):
        pass  # a broken profile says nothing about the pixels
    if own == "LAB":
        return own, ImageCms.buildTransform(ImageCms.createProfile("LAB"), srgb, own, "RGB", _INTENT)
    return own, None


def _is_identity(way: ImageCms.ImageCmsTransform, native: str) -> bool:
    """Tell whether no colour moves by more than a level: sRGB under one of its many names."""
    if native not in ("L", "RGB"):
        return False
    levels = np.linspace(0, 255, 18).round().astype(np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 18, 3)
    before = Pillow.fromarray(probe).convert(native)
    after = np.asarray(way.apply(before), np.int16)
    return bool(np.abs(after - np.asarray(before.convert("RGB"), np.int16)).max() <= 1)
