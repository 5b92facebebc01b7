"""What a drawing returns, and how it is written into a template's folder."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from facekit.values import FloatImage, Mask

QUALITY = 92


@dataclass(frozen=True)
class Slot:
    """The pose of the mean face in the picture, as `facekit.synthetic.place_face` takes it."""

    centre: tuple[float, float]
    eye_distance: float
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0


@dataclass(frozen=True)
class Drawn:
    """A picture, where faces go, what lies in front of them, and where they may show."""

    picture: FloatImage
    slots: tuple[Slot, ...]
    occluders: Mask
    mask: Mask

    def pixels(self) -> np.ndarray:
        """Return the picture as 8-bit sRGB."""
        return np.clip(self.picture + 0.5, 0, 255).astype(np.uint8)


def save(drawn: Drawn, folder: Path, title: str) -> None:
    """Write the picture, its masks and its description."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(drawn.pixels()).save(folder / "picture.webp", quality=QUALITY, method=6)
    for name, mask in (("occluders", drawn.occluders), ("mask", drawn.mask)):
        Image.fromarray(mask).save(folder / f"{name}.png", optimize=True)
    (folder / "template.toml").write_text(describe(drawn, title), encoding="utf-8")


def describe(drawn: Drawn, title: str) -> str:
    """Return the text of `template.toml`."""
    lines = [
        f'title = "{title}"',
        'credit = "drawn by code in this repository"',
        'licence = "Apache-2.0"',
        'picture = "picture.webp"',
    ]
    for slot in drawn.slots:
        lines += [
            "",
            "[[slots]]",
            f"centre = [{slot.centre[0]}, {slot.centre[1]}]",
            f"eye_distance = {slot.eye_distance}",
            f"yaw = {slot.yaw}",
            f"pitch = {slot.pitch}",
            f"roll = {slot.roll}",
            'occluders = "occluders.png"',
            'mask = "mask.png"',
        ]
    return "\n".join(lines) + "\n"
