"""Views for notebooks: pictures and curves in one style, dials to turn, and pictures that can be checked.

A figure is worth nothing to who cannot see it: each has a title, axes with units, and a text in its
place. A picture in a notebook is compared with a committed one of the same name, because tools that
compare outputs do not look at pictures.
"""

import base64
import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.figure import Figure

from facekit.errors import ArrayError, InputError
from facekit.values import Image, Points, Triangles, as_image

__all__ = ["COLOURS", "Play", "View", "canvas", "check", "curves", "draw_mesh", "pictures", "play", "psnr"]

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
ALIKE = 45.0  # dB; a picture that differs more from its reference is another one
BLOCKS = 8  # a side, of the block hash
LEVELS = 4.0  # grey levels by which a block's mean may differ

Float = npt.NDArray[np.float64]
Dial = tuple[float, float, float]  # least, most, and where it stands at first


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

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        kind = f"image/{self._kind}"
        picture = base64.b64encode(self.encoded()).decode()
        return {kind: picture, "text/plain": self.alt}, {kind: {"alt": self.alt}}


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


# -- pictures that can be checked ----------------------------------------------------------


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
        path.write_bytes(cv2.imencode(".png", small[..., ::-1])[1].tobytes())
    if not path.exists():
        raise InputError(f"{path}: no such reference; FACEKIT_REFERENCES=write makes it")
    wanted = np.asarray(cv2.imread(str(path)))[..., ::-1]
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


# -- dials ---------------------------------------------------------------------------------


class Play:
    """Dials beside the picture that they change.

    Parameters
    ----------
    draw : function
        Takes the dials by name and returns a picture of shape (H, W, 3), uint8.
    dials : mapping of str to (least, most, first)
        Their ranges, and where they stand at first.
    alt : str
        What there is to see.
    interactive : bool
        Whether there are sliders; without them the picture stays as it is at first.

    Attributes
    ----------
    values : dict of str to float
        Where the dials stand.
    picture : Image
        What they show.
    """

    def __init__(
        self, draw: Callable[..., Image], dials: Mapping[str, Dial], *, alt: str, interactive: bool
    ) -> None:
        self._draw, self._alt = draw, alt
        self.values = {name: first for name, (_, _, first) in dials.items()}
        self.picture = as_image(draw(**self.values))
        self._box: Any = self._widgets(dials) if interactive else None

    def set(self, **dials: float) -> None:
        """Turn dials.

        Parameters
        ----------
        **dials : float
            By name.
        """
        for name, value in dials.items():
            if name not in self.values:
                raise InputError(f"no dial {name!r}; there are {', '.join(self.values)}")
            self.values[name] = float(value)
        self.picture = as_image(self._draw(**self.values))
        if self._box is not None:
            *sliders, picture = self._box.children
            picture.value = _jpeg(self.picture)
            for slider in sliders:
                slider.value = self.values[slider.description]

    def _moved(self, change: Mapping[str, Any]) -> None:
        name = change["owner"].description
        if change["new"] != self.values[name]:
            self.set(**{name: change["new"]})

    def _widgets(self, dials: Mapping[str, Dial]) -> Any:
        from ipywidgets import FloatSlider, VBox
        from ipywidgets import Image as Picture

        sliders = []
        for name, (least, most, first) in dials.items():
            slider = FloatSlider(first, min=least, max=most, step=(most - least) / 100, description=name)
            slider.observe(self._moved, "value")
            sliders.append(slider)
        return VBox([*sliders, Picture(value=_jpeg(self.picture), format="jpeg")])

    def _repr_mimebundle_(self, **arguments: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        standing = ", ".join(f"{name} {value:g}" for name, value in self.values.items())
        bundle = {
            "image/jpeg": base64.b64encode(_jpeg(self.picture)).decode(),
            "text/plain": f"{self._alt} ({standing})",
        }
        if self._box is not None:
            shown = self._box._repr_mimebundle_(**arguments)
            shown = shown[0] if isinstance(shown, tuple) else shown
            key = "application/vnd.jupyter.widget-view+json"
            bundle |= {key: shown[key]}
        return bundle, {"image/jpeg": {"alt": self._alt}}


def play(draw: Callable[..., Image], *, alt: str, interactive: bool = True, **dials: Dial) -> Play:
    """Show a picture that follows dials.

    Parameters
    ----------
    draw : function
        Takes the dials by name and returns a picture of shape (H, W, 3), uint8.
    alt : str
        What there is to see.
    interactive : bool
        As `Play` takes it.
    **dials : (least, most, first)
        By name.

    Returns
    -------
    Play
        For the notebook.
    """
    return Play(draw, dials, alt=alt, interactive=interactive)


def _jpeg(image: Image) -> bytes:
    return bytes(cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
