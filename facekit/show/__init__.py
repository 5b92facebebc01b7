"""Views for notebooks: pictures and curves, dials and handles, and pictures that can be checked."""

from facekit.show.dials import Play
from facekit.show.handles import Drag
from facekit.show.portraits import portrait
from facekit.show.races import best_times
from facekit.show.references import check, psnr
from facekit.show.views import COLOURS, View, canvas, curves, draw_mesh, pictures

__all__ = [
    "COLOURS",
    "Drag",
    "Play",
    "View",
    "best_times",
    "canvas",
    "check",
    "curves",
    "draw_mesh",
    "pictures",
    "portrait",
    "psnr",
]
