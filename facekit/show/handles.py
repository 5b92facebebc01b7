"""Points on a picture that can be dragged, and the picture that follows them."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facekit.errors import ArrayError, InputError
from facekit.show.front import front
from facekit.show.views import Bundle, as_jpeg, bundle
from facekit.values import Image, Points, Triangles, as_image, as_points

__all__ = ["Drag", "follow"]

BLUE, WHITE = (0, 114, 178), (255, 255, 255)
OPACITY = 0.35  # of the mesh, which shall not hide the face
SHIFT = 4  # OpenCV draws at 1/16 pixel


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
    names : sequence of str, optional
        Of the handles.
    mesh : function, optional
        Takes the same points and returns the vertices (V, 2) of a mesh to show over the picture.
    triangles : Triangles of shape (T, 3), optional
        Of that mesh.
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
        self,
        draw: Callable[[Points], Image],
        points: Points,
        *,
        alt: str,
        names: Sequence[str] = (),
        mesh: Callable[[Points], Points] | None = None,
        triangles: Triangles | None = None,
        interactive: bool = True,
    ) -> None:
        if (mesh is None) != (triangles is None):
            raise ArrayError("mesh and triangles: expected both or neither")
        self._draw, self._mesh, self._alt = draw, mesh, alt
        self._edges = _edges(triangles)
        self.points: Points = np.array(as_points(points), np.float32)
        self.picture = as_image(draw(self.points))
        if names and len(names) != len(self.points):
            raise ArrayError(f"names: expected {len(self.points)}, one for each handle, got {len(names)}")
        self._names = list(names) or [f"point {at + 1}" for at in range(len(self.points))]
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
                self._widget.vertices = self._vertices().tobytes()
                self._widget.picture = as_jpeg(self.picture)
                self._widget.drawn += 1

    def _vertices(self) -> Points:
        if self._mesh is None:
            return np.zeros((0, 2), np.float32)
        return np.ascontiguousarray(as_points(self._mesh(self.points)), np.float32)

    def _made(self) -> Any:
        height, width = self.picture.shape[:2]
        widget = front(
            "handles",
            alt=self._alt,
            size=[width, height],
            names=self._names,
            edges=self._edges.tolist(),
            points=self.points.tolist(),
            vertices=self._vertices().tobytes(),
            picture=as_jpeg(self.picture),
            drawn=0,
        )
        widget.observe(self._dragged, "points")
        return widget

    def _dragged(self, change: Any) -> None:
        points = np.array(change["new"], np.float32)
        if (points != self.points).any():
            self._follow(points)

    def _marked(self) -> Image:
        """Draw mesh and handles over the picture, for where there is no widget."""
        marked = self.picture.copy()
        vertices, unit = self._vertices(), 1 << SHIFT
        lines = np.round(vertices[self._edges] * unit).astype(np.int32)
        over = cv2.polylines(marked.copy(), list(lines), False, WHITE, 1, cv2.LINE_AA, SHIFT)
        marked = np.asarray(cv2.addWeighted(over, OPACITY, marked, 1 - OPACITY, 0), np.uint8)
        radius = max(3, self.picture.shape[1] // 100)
        for point in np.round(self.points * unit).astype(int).tolist():
            for colour, thickness in ((BLUE, cv2.FILLED), (WHITE, 1)):
                cv2.circle(marked, point, radius * unit, colour, thickness, cv2.LINE_AA, SHIFT)
        return marked

    def _repr_mimebundle_(self, **_: Any) -> Bundle:
        state = "handles at " + ", ".join(f"({x:.0f}, {y:.0f})" for x, y in self.points)
        return bundle("jpeg", as_jpeg(self._marked()), self._alt, state=state, widget=self._widget)


def follow(points: Points, held: Points, moved: Points, *, reach: float) -> Points:
    """Move points with the handles that are put among them.

    Each handle pulls on its neighbourhood by a Gaussian of the distance, so strongly that every handle comes
    to lie where it was put (Arad, Dyn, Reisfeld & Yeshurun, "Image Warping by Radial Basis Functions", CVGIP:
    Graphical Models and Image Processing 56(2), 1994).

    Parameters
    ----------
    points : Points of shape (N, 2), pixels
        What is to follow.
    held, moved : Points of shape (K, 2), pixels
        Where the handles were, no two at one place, and where they are.
    reach : float, pixels
        Standard deviation of the Gaussian.

    Returns
    -------
    Points of shape (N, 2), float32
        Where the points are then.

    Examples
    --------
    >>> held = np.array([[0, 0], [9, 0]])
    >>> follow(held, held, np.array([[2, 1], [9, 0]]), reach=4).round(3).tolist()
    [[2.0, 1.0], [9.0, 0.0]]
    """

    def nearness(one: Points) -> npt.NDArray[np.float64]:
        away = one[:, None].astype(np.float64) - held
        return np.asarray(np.exp(-(away**2).sum(axis=2) / (2 * reach**2)), np.float64)

    pull = np.linalg.solve(nearness(held), moved - held)
    return (points + nearness(points) @ pull).astype(np.float32)


def _edges(triangles: Triangles | None) -> npt.NDArray[np.int32]:
    """Return each edge once, as pairs of vertices; none where there is no mesh."""
    if triangles is None:
        return np.zeros((0, 2), np.int32)
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int32)
