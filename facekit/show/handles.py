"""Points on a picture that can be dragged, and the picture that follows them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from facekit.errors import InputError
from facekit.show.views import Bundle, as_jpeg, bundle
from facekit.values import Image, Points, as_image, as_points

__all__ = ["Drag"]


class Drag:
    """A picture with handles.

    Parameters
    ----------
    draw : function
        Takes points of shape (N, 2) and returns a picture of shape (H, W, 3), uint8.
    points : Points of shape (N, 2), float32, pixels
        Where the handles are at first.
    alt : str
        What there is to see.
    interactive : bool
        Whether there are handles; without them the picture stays as it is at first.

    Attributes
    ----------
    points : Points of shape (N, 2), float32, pixels
        Where the handles are.
    picture : Image
        What `draw` makes of them.
    """

    def __init__(
        self, draw: Callable[[Points], Image], points: Points, *, alt: str, interactive: bool = True
    ) -> None:
        self._draw, self._alt = draw, alt
        self.points: Points = np.array(as_points(points), np.float32)
        self.picture = as_image(draw(self.points))
        self._widget: Any = self._made() if interactive else None

    def move(self, handle: int, x: float, y: float) -> None:
        """Put a handle somewhere else.

        Parameters
        ----------
        handle : int
            Which.
        x, y : float, pixels
            Where.
        """
        if not 0 <= handle < len(self.points):
            raise InputError(f"no handle {handle}; there are {len(self.points)}")
        points = self.points.copy()
        points[handle] = x, y
        self._follow(points)

    def _follow(self, points: Points) -> None:
        self.points, self.picture = points, as_image(self._draw(points))
        if self._widget is not None:
            with self._widget.hold_sync():
                self._widget.points = points.tolist()
                self._widget.picture = as_jpeg(self.picture)
                self._widget.drawn += 1

    def _made(self) -> Any:
        import anywidget
        import traitlets

        class Handles(anywidget.AnyWidget):
            _esm = Path(__file__).with_name("handles.js")
            alt = traitlets.Unicode().tag(sync=True)
            size: Any = traitlets.List().tag(sync=True)
            points: Any = traitlets.List().tag(sync=True)
            picture = traitlets.Bytes().tag(sync=True)
            drawn = traitlets.Int(0).tag(sync=True)

        height, width = self.picture.shape[:2]
        widget = Handles(
            alt=self._alt, size=[width, height], points=self.points.tolist(), picture=as_jpeg(self.picture)
        )
        widget.observe(self._dragged, "points")
        return widget

    def _dragged(self, change: Any) -> None:
        points = np.array(change["new"], np.float32)
        if (points != self.points).any():
            self._follow(points)

    def _repr_mimebundle_(self, **_: Any) -> Bundle:
        state = "handles at " + ", ".join(f"({x:.0f}, {y:.0f})" for x, y in self.points)
        return bundle("jpeg", as_jpeg(self.picture), self._alt, state=state, widget=self._widget)
