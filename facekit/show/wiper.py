"""Before and after, on top of each other."""

from typing import Any

import numpy as np

from facekit.errors import ArrayError
from facekit.show.front import front
from facekit.show.views import Bundle, as_jpeg, bundle
from facekit.values import Image, as_image

__all__ = ["Wipe"]


class Wipe:
    """Two pictures on top of each other, and a line to wipe from one to the other.

    Parameters
    ----------
    before, after : Image of one shape (H, W, 3), uint8
        Left and right of the line.
    alt : (str, str)
        What there is to see in each.
    at : float, 0 to 1
        Where the line is at first, as a share of the width.
    interactive : bool
        Whether the line can be moved.
    """

    def __init__(
        self, before: Image, after: Image, *, alt: tuple[str, str], at: float = 0.5, interactive: bool = True
    ) -> None:
        self._before, self._after, self._alt, self._at = as_image(before), as_image(after), alt, at
        if self._before.shape != self._after.shape:
            raise ArrayError(f"after: expected shape {self._before.shape}, got {self._after.shape}")
        if not 0 <= at <= 1:
            raise ArrayError(f"at: expected 0 to 1, got {at}")
        self._widget: Any = self._made() if interactive else None

    @property
    def at(self) -> float:
        """Where the line is, as a share of the width."""
        return self._at if self._widget is None else float(self._widget.at)

    @property
    def picture(self) -> Image:
        """Both pictures as they are shown now, with a white line of one pixel between them."""
        edge = round(self.at * self._before.shape[1])
        both = np.concatenate([self._before[:, :edge], self._after[:, edge:]], axis=1)
        if 0 < edge < both.shape[1]:
            both[:, edge] = 255
        return both

    def _made(self) -> Any:
        height, width = self._before.shape[:2]
        return front(
            "wiper",
            before=as_jpeg(self._before),
            after=as_jpeg(self._after),
            before_alt=self._alt[0],
            after_alt=self._alt[1],
            label="wipe from before to after",
            size=[width, height],
            at=self._at,
        )

    def _repr_mimebundle_(self, **_: Any) -> Bundle:
        alt = f"Left: {self._alt[0]} Right: {self._alt[1]}"
        state = f"line at {self.at:.0%}"
        return bundle("jpeg", as_jpeg(self.picture), alt, state=state, widget=self._widget)
