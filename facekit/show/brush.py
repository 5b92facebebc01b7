"""A mask painted by hand, and what is made of it."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

from facekit.errors import ArrayError
from facekit.show.front import front
from facekit.show.views import Bundle, as_jpeg, bundle
from facekit.values import Image, Mask, Points, as_image, as_mask, as_points

__all__ = ["Paint"]


class Paint:
    """A mask that is painted on a picture, and the picture that follows it.

    Parameters
    ----------
    draw : function
        Takes the mask and returns a picture of the same height and width, uint8.
    mask : Mask of shape (H, W), bool
        What is painted at first.
    alt : str
        What there is to see.
    radius : float, pixels
        Of the brush at first.
    interactive : bool
        Whether there is a brush; without it the picture stays as it is at first.

    Attributes
    ----------
    mask : Mask of shape (H, W), bool
        What is painted.
    picture : Image of shape (H, W, 3)
        What `draw` makes of it.
    """

    def __init__(
        self,
        draw: Callable[[Mask], Image],
        mask: Mask,
        *,
        alt: str,
        radius: float = 8.0,
        interactive: bool = True,
    ) -> None:
        self._draw, self._alt, self._radius = draw, alt, radius
        self.mask = as_mask(mask).copy()
        self.picture = as_image(draw(self.mask))
        if self.picture.shape[:2] != self.mask.shape:
            raise ArrayError(f"draw: expected a picture of {self.mask.shape}, got {self.picture.shape}")
        self._widget: Any = self._made() if interactive else None

    def stroke(self, points: Points, *, radius: float | None = None, erase: bool = False) -> None:
        """Move the brush along a line.

        Parameters
        ----------
        points : Points of shape (N, 2), pixels
            Along which straight lines.
        radius : float, pixels, optional
            Of the brush.
        erase : bool
            Whether the mask is taken away there.
        """
        self._paint([(points, self._radius if radius is None else radius, erase)])

    def _paint(self, strokes: Sequence[tuple[Points, float, bool]]) -> None:
        mask = self.mask.copy()
        for points, radius, erase in strokes:
            mask[_swept(as_points(points), radius, mask.shape)] = not erase
        self.mask, self.picture = mask, as_image(self._draw(mask))
        if self._widget is not None:
            with self._widget.hold_sync():
                self._widget.picture, self._widget.outline = as_jpeg(self.picture), _outline(mask)
                self._widget.drawn += 1

    def _made(self) -> Any:
        height, width = self.mask.shape
        widget = front(
            "brush",
            alt=self._alt,
            size=[width, height],
            radius=self._radius,
            picture=as_jpeg(self.picture),
            outline=_outline(self.mask),
            drawn=0,
        )
        widget.on_msg(self._asked)
        return widget

    def _asked(self, _widget: Any, message: Any, _buffers: Any) -> None:
        self._paint([(piece["points"], piece["radius"], piece["erase"]) for piece in message["pieces"]])

    def _repr_mimebundle_(self, **_: Any) -> Bundle:
        marked = self.picture.copy()
        cv2.drawContours(marked, _contours(self.mask), -1, (255, 255, 255), 1)
        state = f"{self.mask.mean():.1%} painted"
        return bundle("jpeg", as_jpeg(marked), self._alt, state=state, widget=self._widget)


def _swept(points: Points, radius: float, shape: tuple[int, ...]) -> Mask:
    """Return the pixels whose centres are within `radius` of a line through `points`."""
    swept = np.zeros(shape, bool)
    for start, end in zip(points, [*points[1:], points[-1]], strict=True):
        first = np.floor(np.minimum(start, end) - radius).astype(int).clip(0)
        last = np.ceil(np.maximum(start, end) + radius).astype(int).clip(-1)
        box = swept[first[1] : last[1] + 1, first[0] : last[0] + 1]  # where the brush can reach
        y, x = np.indices(box.shape, np.float32)
        (dx, dy), (px, py) = end - start, (x + first[0] - start[0], y + first[1] - start[1])
        along = np.clip((px * dx + py * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
        box |= (px - along * dx) ** 2 + (py - along * dy) ** 2 <= radius * radius
    return swept


def _contours(mask: Mask) -> Any:
    return cv2.findContours(mask.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]


def _outline(mask: Mask) -> str:
    """Return the mask's outline as an SVG path through the pixels at its border."""
    return "".join(
        "M" + "L".join(f"{x} {y}" for x, y in ring.reshape(-1, 2).tolist()) + "Z" for ring in _contours(mask)
    )
