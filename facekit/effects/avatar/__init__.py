"""A vector portrait, drawn from measurements alone.

measure -> design -> write and paint. `measure` turns a photo and a mesh into a `Portrait`: numbers
and names. `design` turns that into named layers of curves (`figure`, `head`, `hair`, `eyes`, `mouth`,
`beard`). `svg` writes them, and `raster` paints the same curves in the same order.
"""

from facekit.effects.avatar.draw import Avatar, draw_avatar
from facekit.effects.avatar.expression import Action, read_action
from facekit.effects.avatar.measure import measure_face, measure_mesh
from facekit.effects.avatar.portrait import Look, Portrait

__all__ = [
    "Action",
    "Avatar",
    "Look",
    "Portrait",
    "draw_avatar",
    "measure_face",
    "measure_mesh",
    "read_action",
]
