"""Who is in front: a matte of the people in a picture.

References
----------
.. [1] Tkachenka et al., "Real-time Hair Segmentation and Recoloring on Mobile GPUs", CVPR
   Workshop on Computer Vision for AR/VR, 2019, for the kind of network.
.. [2] He, Sun & Tang, "Guided Image Filtering", IEEE PAMI 35(6), 2013.
"""

from typing import Any

import cv2
import numpy as np

from facekit.guided import guided_filter
from facekit.models import load_model
from facekit.tasks import mediapipe, run_task
from facekit.values import Image, Matte, as_image

__all__ = ["person_matte"]

NETWORK_SIDE = 256  # pixels; the network sees no more, so a larger picture is shrunken first
CELL = 1.5  # of the network's pixels: how far from where it says so an edge may lie
SOFTNESS = 0.03  # of white: contrast of an edge that the matte must follow
SURE = 0.1, 0.9  # of the network's scores: beyond these there is no doubt


def person_matte(image: Image) -> Matte:
    """Tell the people in a picture from the background.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.

    Returns
    -------
    Matte of shape (H, W)
        1 on people, with hair, clothes and what they hold; 0 behind them. Soft where hair is.

    Raises
    ------
    ArrayError
        `image` is not a picture.
    ModelError
        The model file is missing or altered, or MediaPipe cannot start.

    Notes
    -----
    Deterministic. The network looks at 256 by 256 pixels, made for one or two people who fill much
    of a picture; a guided filter then moves its edges to the picture's own.

    References
    ----------
    .. [1] He, Sun & Tang, "Guided Image Filtering", IEEE PAMI 35(6), 2013.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face
    >>> matte = person_matte(synthetic_face(256))
    >>> bool(matte[150, 128] > 0.9), bool(matte[5, 5] < 0.1)
    (True, True)
    """
    image = as_image(image)
    rows, cols = image.shape[:2]
    size = min(cols, NETWORK_SIDE), min(rows, NETWORK_SIDE)
    seen = image if size == (cols, rows) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # Clause 1.2.1a: who stands in front of what; nothing that would tell one person from another.
    found = run_task("selfie segmenter", _create, "segment", np.asarray(seen, np.uint8))
    score = np.array(found.confidence_masks[0].numpy_view(), np.float32).reshape(size[::-1])
    low, high = SURE
    score = np.clip((score - np.float32(low)) / np.float32(high - low), 0, 1)
    reach = CELL * max(rows, cols) / NETWORK_SIDE
    return guided_filter(image, score, radius=max(reach, 2.0), softness=SOFTNESS)


def _create() -> Any:
    """Start a segmenter."""
    tasks = mediapipe().tasks
    options = tasks.vision.ImageSegmenterOptions(
        base_options=tasks.BaseOptions(model_asset_buffer=load_model("selfie_segmenter")),
        output_confidence_masks=True,
        output_category_mask=False,
    )
    return tasks.vision.ImageSegmenter.create_from_options(options)
