"""Views for notebooks: pictures and curves, dials and handles, and pictures that can be checked."""

from facekit.show.brush import Paint
from facekit.show.dials import Play
from facekit.show.handles import Drag, follow
from facekit.show.portraits import portrait
from facekit.show.races import best_times
from facekit.show.references import check, psnr
from facekit.show.upload import Upload
from facekit.show.views import COLOURS, View, canvas, curves, draw_mesh, pictures
from facekit.show.wiper import Wipe

__all__ = [
    "COLOURS",
    "Drag",
    "Paint",
    "Play",
    "Upload",
    "View",
    "Wipe",
    "best_times",
    "canvas",
    "check",
    "curves",
    "draw_mesh",
    "follow",
    "pictures",
    "portrait",
    "psnr",
]
