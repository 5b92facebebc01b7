"""Views for notebooks: pictures and curves, dials and handles, and pictures that can be checked."""

from facekit.show.dials import Play, play
from facekit.show.handles import Drag, drag
from facekit.show.references import check, psnr
from facekit.show.views import COLOURS, View, canvas, curves, draw_mesh, pictures

__all__ = [
    "COLOURS",
    "Drag",
    "Play",
    "View",
    "canvas",
    "check",
    "curves",
    "drag",
    "draw_mesh",
    "pictures",
    "play",
    "psnr",
]
