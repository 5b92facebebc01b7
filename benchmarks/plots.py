"""Two plots of the Poisson tables: time against size, and error against time."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from benchmarks.table import slope

FOLDER = Path(__file__).parent
TITLE = "Poisson, import mode, ellipse over a quarter of {0} x {0}"
SIZE = 512  # of the second plot
LEAST_ERROR = 1e-3  # grey levels; drawn for anything below, a direct solver among them

# Okabe & Ito's colours, which colour-blind people tell apart; one for each family, facekit in the strongest.
FAMILIES = {
    "facekit": ("#0072B2", "o"),
    "cv2": ("#D55E00", "s"),
    "scipy": ("#009E73", "D"),
    "pyamg": ("#CC79A7", "^"),
    "sine": ("#E69F00", "v"),
    "fpie": ("#666666", "X"),
}
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "svg.hashsalt": "facekit",
    "svg.fonttype": "path",
}
Series = Mapping[str, list[tuple[int, float, float]]]


def draw(tables: list[dict[str, Any]], folder: Path = FOLDER) -> list[Path]:
    """Draw both plots from the tables of results.json; return where they are."""
    series = collect(tables)
    with mpl.rc_context(STYLE):
        paths = [folder / "poisson_time.svg", folder / "poisson_error.svg"]
        for path, fill in zip(paths, (_time_against_size, _error_against_time), strict=True):
            figure, axes = plt.subplots(figsize=(8, 5.2), layout="constrained")
            fill(axes, series)
            figure.savefig(path, metadata={"Date": None})
            plt.close(figure)
    return paths


def collect(tables: list[dict[str, Any]]) -> Series:
    """Gather (size, seconds, worst error) by method."""
    series: dict[str, list[tuple[int, float, float]]] = {}
    for table in tables:
        for name, row in table["data"].items():
            if table["title"] == TITLE.format(row[0] if isinstance(row, list) else ""):
                size, seconds, worst, _ = row
                series.setdefault(name, []).append((size, seconds, worst))
    return series


def _time_against_size(axes: Axes, series: Series) -> None:
    ends = []
    for name, rows in series.items():
        sizes, seconds, _ = zip(*rows, strict=True)
        colour, marker = _look(name)
        known = "known" in name
        axes.plot(
            sizes,
            [1e3 * one for one in seconds],
            marker=marker,
            color=colour,
            markersize=5,
            linewidth=2.4 if name.startswith("facekit") else 1.3,
            linestyle="--" if known else "-",
            markerfacecolor="white" if known else colour,
        )
        steep = f", slope {slope([size**2 for size in sizes], seconds):.2f}" if len(rows) > 2 else ""
        ends.append((sizes[-1], 1e3 * seconds[-1], name + steep, colour))
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    places = sorted({size for rows in series.values() for size, *_ in rows})
    axes.set_xticks(places, [f"{size}" for size in places])
    axes.set_xlim(places[0] * 0.9, places[-1] * 4.2)
    axes.set_xlabel("side of the picture, pixels; the mask covers a quarter of it")
    axes.set_ylabel("milliseconds")
    axes.set_title("Blending three channels: time against size")
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    _label(axes, ends, [(size, 1e3 * one) for rows in series.values() for size, one, _ in rows])


def _error_against_time(axes: Axes, series: Series) -> None:
    points = [(name, row) for name, rows in series.items() for row in rows if row[0] == SIZE]
    for name, (_, seconds, worst) in points:
        colour, marker = _look(name)
        known = "known" in name
        axes.plot(
            1e3 * seconds,
            max(worst, LEAST_ERROR),
            marker=marker,
            color=colour,
            markersize=9 if name.startswith("facekit") else 7,
            markerfacecolor="white" if known else colour,
            markeredgewidth=1.6,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.axhline(0.5, color="#444444", linewidth=0.8, linestyle=(0, (4, 4)))
    axes.set_title(f"The same blend at {SIZE} x {SIZE}: error against time")
    axes.set_xlabel("milliseconds")
    axes.set_ylabel("largest error against the direct solution, grey levels")
    left, right = axes.get_xlim()
    axes.set_xlim(left, right * 4)
    axes.text(right * 3.9, 0.55, "half a grey level: what is required", ha="right", color="#444444")
    low = f"{LEAST_ERROR:g} or less"
    axes.set_ylim(LEAST_ERROR / 2, 600)
    axes.text(left * 1.05, LEAST_ERROR * 0.62, f"lowest line: {low}", color="#777777", fontsize=8)
    ends = [(1e3 * row[1], max(row[2], LEAST_ERROR), name, _look(name)[0]) for name, row in points]
    _label(axes, ends, [(x, y) for x, y, _, _ in ends])


def _look(name: str) -> tuple[str, str]:
    return next(look for family, look in FAMILIES.items() if name.startswith(family))


def _label(
    axes: Axes, ends: list[tuple[float, float, str, str]], points: Sequence[tuple[float, float]]
) -> None:
    """Write each name right of its point, pushed up where it would lie on another name or point."""
    figure = axes.figure
    figure.canvas.draw()
    places = [axes.transData.transform((x, y)) for x, y, _, _ in ends]
    taken = [(x - 5, x + 5, y) for x, y in (axes.transData.transform(point) for point in points)]
    for (x, y), (_, _, name, colour) in sorted(zip(places, ends, strict=True), key=lambda end: end[0][1]):
        own = (x - 5, x + 5, y)
        left, right = x + 9, x + 9 + 5.9 * len(name)
        while any(left < b and right > a and abs(y - at) < 13 for a, b, at in taken if (a, b, at) != own):
            y += 2
        taken.append((left, right, y))
        label_x, label_y = axes.transData.inverted().transform((left, y))
        text = axes.text(label_x, label_y, name, color=colour, va="center", fontsize=8.5)
        text.set_path_effects([withStroke(linewidth=3, foreground="white")])


if __name__ == "__main__":
    for path in draw(json.loads((FOLDER / "results.json").read_text())["tables"]):
        print(path)
