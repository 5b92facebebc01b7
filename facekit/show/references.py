"""Pictures that can be checked: tools that compare a notebook's outputs do not look at its pictures."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facekit.codec import read_image, write_image
from facekit.errors import InputError
from facekit.values import Image, as_image

__all__ = ["check", "psnr"]

ALIKE = 45.0  # dB; a picture that differs more from its reference is another one
BLOCKS = 8  # a side, of the block hash
LEVELS = 4.0  # grey levels by which a block's mean may differ

Float = npt.NDArray[np.float64]


def check(name: str, image: Image, *, folder: str | Path = "references") -> str:
    """Compare a picture with the committed one of its name.

    Parameters
    ----------
    name : str
        Of the reference.
    image : Image of shape (H, W, 3), uint8
        What the notebook made; compared at 160 pixels of width.
    folder : path
        Where references lie.

    Returns
    -------
    str
        A line that is always the same while the pictures agree (45 dB, and all of 8 x 8 blocks within 4
        grey levels), and says by how much they differ where they do not.

    Raises
    ------
    InputError
        There is no such reference. With FACEKIT_REFERENCES=write it is written.
    """
    image = as_image(image)
    small = np.asarray(cv2.resize(image, _small(image), interpolation=cv2.INTER_AREA), np.uint8)
    path = Path(folder) / f"{name}.png"
    if os.environ.get("FACEKIT_REFERENCES") == "write":
        path.parent.mkdir(exist_ok=True)
        write_image(path, small, force=True)
    if not path.exists():
        raise InputError(f"{path}: no such reference; FACEKIT_REFERENCES=write makes it")
    wanted = read_image(path)
    if wanted.shape != small.shape:
        return f"{name}: another shape than its reference, {small.shape[:2]} for {wanted.shape[:2]}"
    likeness, blocks = psnr(small, wanted), int((np.abs(_means(small) - _means(wanted)) <= LEVELS).sum())
    if likeness >= ALIKE and blocks == BLOCKS**2:
        return f"{name}: as its reference (at least {ALIKE:g} dB, {blocks} of {blocks} blocks)"
    return f"{name}: NOT as its reference: {likeness:.1f} dB, {blocks} of {BLOCKS**2} blocks"


def psnr(image: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    """Return the peak signal-to-noise ratio of two pictures.

    Parameters
    ----------
    image, other : ndarray of one shape, 0 to 255
        Pictures.

    Returns
    -------
    float
        Decibels; infinite where they are equal.
    """
    error = float(np.mean((image.astype(np.float64) - other) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def _small(image: Image) -> tuple[int, int]:
    width = min(160, image.shape[1])
    return width, max(round(image.shape[0] * width / image.shape[1]), 1)


def _means(image: Image) -> Float:
    """Return the means of 8 x 8 blocks, in grey levels."""
    grey = image.astype(np.float64).mean(axis=2)
    return np.asarray(cv2.resize(grey, (BLOCKS, BLOCKS), interpolation=cv2.INTER_AREA), np.float64)
