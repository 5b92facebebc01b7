"""Pictures and curves in one style. Each has a title, axes with units, and a text for who cannot see it."""

import base64
import io
import os
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.figure import Figure

from facekit.codec import encode_image
from facekit.errors import ArrayError
from facekit.show.front import view_of
from facekit.values import Image, Points, Triangles

__all__ = ["COLOURS", "View", "as_jpeg", "bundle", "canvas", "curves", "draw_mesh", "pictures"]

# Okabe & Ito's colours, which colour-blind people tell apart, and which stand on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.facecolor": "white",  # a dark theme shows a white card, which is readable
    "savefig.facecolor": "white",
}
DOTS = 90  # per inch

Float = npt.NDArray[np.float64]
Bundle: TypeAlias = tuple[dict[str, Any], dict[str, Any]]  # an output's data and metadata, by MIME type


class View:
    """A figure as a notebook shows it: a small picture, and a text for who cannot see it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Every axes in it has a title and labels.
    alt : str
        What there is to see, in a sentence.
    photo : bool
        Whether it is stored as a photo (JPEG), not as a drawing (PNG).

    Raises
    ------
    ArrayError
        A title, a label or the text is missing.
    """

    def __init__(self, figure: Figure, alt: str, *, photo: bool = False) -> None:
        for axes in figure.axes:
            titles = [axes.get_title(loc) for loc in ("left", "center", "right")]
            if not (any(titles) and axes.get_xlabel() and axes.get_ylabel()):
                raise ArrayError("figure: expected a title and both labels on every axes")
        if not alt.strip():
            raise ArrayError("alt: expected a sentence that says what there is to see")
        self.figure, self.alt, self._kind = figure, alt, "jpeg" if photo else "png"

    def encoded(self) -> bytes:
        """Return the figure as JPEG or PNG bytes.

        Returns
        -------
        bytes
            As stored in a notebook.
        """
        buffer = io.BytesIO()
        with rc_context(STYLE):
            self.figure.savefig(buffer, format=self._kind, dpi=DOTS)
        return buffer.getvalue()

    def _repr_mimebundle_(self, **_: Any) -> Bundle:
        return bundle(self._kind, self.encoded(), self.alt)


def canvas(rows: int = 1, cols: int = 1, *, size: tuple[float, float] = (8.0, 3.2)) -> tuple[Figure, Any]:
    """Make room for a drawing of one's own; show it by `View(figure, alt)`.

    Parameters
    ----------
    rows, cols : int
        Of axes.
    size : (width, height), inches
        Of the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        In the notebooks' style, and known to no global state.
    axes : matplotlib.axes.Axes, or an array of them
        As `Figure.subplots` returns them.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        return figure, figure.subplots(rows, cols)


def pictures(
    *images: npt.NDArray[Any], titles: Sequence[str], alt: str, width: float = 9.0, unit: str = "pixels"
) -> View:
    """Show pictures beside each other.

    Parameters
    ----------
    *images : ndarray of shape (H, W, 3), uint8, or (H, W)
        Colour pictures; masks and fields in grey.
    titles : sequence of str
        One for each.
    alt : str
        What there is to see.
    width : float, inches
        Of the figure.
    unit : str
        Of both axes.

    Returns
    -------
    View
        For the notebook.
    """
    if len(titles) != len(images):
        raise ArrayError(f"titles: expected {len(images)}, one for each picture, got {len(titles)}")
    each = width / len(images)
    tallest = max(image.shape[0] / image.shape[1] for image in images)
    figure, axes = canvas(1, len(images), size=(width, each * tallest + 0.6))
    for one, image, title in zip(np.atleast_1d(axes), images, titles, strict=True):
        one.imshow(image, cmap="gray", interpolation="nearest")
        one.set_title(title, loc="left")
        one.set(xlabel=f"x, {unit}", ylabel=f"y, {unit}")
        one.set_xticks([0, image.shape[1] - 1])
        one.set_yticks([0, image.shape[0] - 1])
    return View(figure, alt, photo=True)


def draw_mesh(axes: Any, points: Points, triangles: Triangles, *, colour: str = COLOURS[0]) -> None:
    """Draw a mesh's edges.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where.
    points : Points of shape (N, 2), pixels
        Vertices.
    triangles : Triangles of shape (T, 3)
        Rows.
    colour : str
        Of the lines.
    """
    axes.triplot(points[:, 0], points[:, 1], triangles, color=colour, linewidth=0.5)


def curves(
    x: Sequence[float] | Float,
    series: Mapping[str, Sequence[float] | Float],
    *,
    title: str,
    x_label: str,
    y_label: str,
    alt: str,
    log: str = "",
) -> View:
    """Show how figures go.

    Parameters
    ----------
    x : sequence of float
        Where.
    series : mapping of str to sequence of float
        Names and values; at most seven.
    title, x_label, y_label : str
        With units.
    alt : str
        What there is to see.
    log : {"", "x", "y", "xy"}
        Which axes are logarithmic.

    Returns
    -------
    View
        For the notebook.
    """
    if len(series) > len(COLOURS):
        raise ArrayError(f"series: expected at most {len(COLOURS)}, got {len(series)}")
    figure, axes = canvas()
    for (name, values), colour, marker in zip(series.items(), COLOURS, "osD^vXP", strict=False):
        axes.plot(x, values, label=name, color=colour, marker=marker, markersize=4)
    if "x" in log:
        axes.set_xscale("log")
    if "y" in log:
        axes.set_yscale("log")
    axes.set_title(title, loc="left")
    axes.set(xlabel=x_label, ylabel=y_label)
    if len(series) > 1:
        axes.legend(frameon=False)
    return View(figure, alt)


def as_jpeg(image: Image) -> bytes:
    """Encode a picture as a notebook stores it.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.

    Returns
    -------
    bytes
        JPEG.
    """
    return encode_image(image, "jpeg", quality=90)


def bundle(kind: str, picture: bytes, alt: str, *, state: str = "", widget: Any = None) -> Bundle:
    """Say the same thing three ways: as a widget, as a picture, and in words.

    Parameters
    ----------
    kind : {"jpeg", "png"}
        Of the picture.
    picture : bytes
        Encoded.
    alt : str
        What there is to see.
    state : str
        How it stands now; told in words alone.
    widget : ipywidgets.DOMWidget, optional
        What a notebook with a kernel shows.

    Returns
    -------
    data, metadata : dict
        For Jupyter's `_repr_mimebundle_`.
    """
    encoded = base64.b64encode(picture).decode()
    text = {"text/plain": f"{alt} ({state})" if state else alt}
    if widget is None and _is_live():
        source = f"data:image/{kind};base64,{encoded}"
        return text | {"text/html": f'<img alt="{escape(alt)}" src="{source}">'}, {}
    return text | {f"image/{kind}": encoded} | view_of(widget), {f"image/{kind}": {"alt": alt}}


def _is_live() -> bool:
    """Say whether JupyterLab or Voila shows the output: neither hands a picture's text to its readers."""
    return "JPY_SESSION_NAME" in os.environ or os.environ.get("SERVER_SOFTWARE", "").startswith("voila")
