"""Draw a picture as anime: flat colours and drawn features, or black ink with screen tones.

find -> narrow the chin -> parts -> colours -> tones -> lines -> features -> compose. What lies around
the face is simplified from the picture; the face itself is drawn from the mesh.

References
----------
.. [1] Winnemoeller, Olsen & Gooch, "Real-Time Video Abstraction", SIGGRAPH 2006, for flat tones.
.. [2] Kang, Lee & Chui, "Coherent Line Drawing", NPAR 2007, for the ink.
.. [3] Winnemoeller, Kyprianidis & Olsen, "XDoG", Computers & Graphics 36(6), 2012.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from facekit.compositing import as_bytes
from facekit.effects.anime_face import draw_brows, draw_features, draw_glasses
from facekit.effects.anime_lines import draw_lines
from facekit.effects.anime_look import Palette, take_colours
from facekit.effects.anime_scene import Scene, look_at
from facekit.effects.anime_shape import narrowed
from facekit.effects.anime_tones import Tones, ink_tones, paint, tones_of
from facekit.effects.finish import finish
from facekit.effects.reshape import reshape
from facekit.errors import ArrayError
from facekit.finding import find_face
from facekit.segment import cut_out
from facekit.stopwatch import Progress, Stopwatch
from facekit.values import EffectResult, FaceMesh, FloatImage, Image, as_image
from facekit.views import box_of

__all__ = ["animefy"]

WORN = 0.5  # score from which glasses are drawn
ROOM = 0.3  # outer-eye distances around a face into which its features may reach

Style = Literal["cel", "ink"]
Floats = npt.NDArray[np.float32]


def animefy(
    image: Image,
    *,
    style: Style = "cel",
    amount: float = 1.0,
    face: int | None = None,
    progress: Progress | None = None,
) -> EffectResult:
    """Draw a picture as anime, with one face redrawn by hand, as it were.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture; never modified.
    style : {"cel", "ink"}
        Flat colours with clean shadows, or black ink with screen tones, as in manga.
    amount : float in [0, 1]
        0 gives the picture back, 1 the drawing; between, one shows through the other.
    face : int, optional
        Which face is drawn, largest first. By default, the largest. All else is simplified.
    progress : function, optional
        Is told each stage as it begins.

    Returns
    -------
    EffectResult
        `mask` tells which pixels differ from `image`.

    Raises
    ------
    ArrayError
        `image` is not a picture, `style` is unknown or `amount` is out of range.
    NoFaceError
        The picture shows no face.
    FaceIndexError
        It has fewer faces than `face` asks for.

    References
    ----------
    .. [1] Kang, Lee & Chui, "Coherent Line Drawing", NPAR 2007.
    .. [2] Winnemoeller, Kyprianidis & Olsen, "XDoG", Computers & Graphics 36(6), 2012.

    Examples
    --------
    >>> from facekit.synthetic import synthetic_face
    >>> result = animefy(synthetic_face(192))
    >>> result.image.shape, list(result.timings)
    ((192, 192, 3), ['detect', 'shape', 'parts', 'tones', 'lines', 'features'])
    """
    image = as_image(image)
    if style not in ("cel", "ink"):
        raise ArrayError(f'style: expected "cel" or "ink", got {style!r}')
    if not 0 <= amount <= 1:
        raise ArrayError(f"amount: expected 0 to 1, got {amount:g}")
    watch = Stopwatch(progress)
    with watch("detect"):
        mesh = find_face(image, face)
    if amount == 0:
        return finish(image, image.copy(), mesh, watch)
    drawn = _drawn(image, mesh, style, watch)
    if amount < 1:
        drawn = image + np.float32(amount) * (drawn - image)
    return finish(image, as_bytes(drawn), mesh, watch)


def _drawn(image: Image, mesh: FaceMesh, style: Style, watch: Stopwatch) -> FloatImage:
    with watch("shape"):
        image, mesh = _slimmed(image, mesh)
    with watch("parts"):
        scene = look_at(image, mesh)
        look = take_colours(scene)
    with watch("tones"):
        tones = tones_of(scene)
        canvas = paint(scene, look, tones) if style == "cel" else ink_tones(scene, look, tones)
    with watch("lines"):
        look = look if style == "cel" else _black(look)
        draw_lines(canvas, scene, look, tones, strong=style == "ink")
    with watch("features"):
        _features(canvas, scene, look, tones, plain=style == "ink")
    return canvas


def _slimmed(image: Image, mesh: FaceMesh) -> tuple[Image, FaceMesh]:
    """Narrow the chin in the picture itself, so that neck, hair and light go with it."""
    moved = narrowed(mesh)
    return reshape(image, mesh, moved), replace(mesh, points=moved, box=box_of(moved))


def _features(canvas: FloatImage, scene: Scene, look: Palette, tones: Tones, *, plain: bool) -> None:
    part, mesh, box = cut_out(canvas, scene.mesh, ROOM * scene.unit)
    part, close, free = np.ascontiguousarray(part), replace(scene, mesh=mesh), 1 - tones.hair[box]
    draw_features(part, close, look, free, plain=plain)
    draw_brows(part, close, look, np.maximum(free, np.float32(0.75)))
    if scene.glasses > WORN:
        draw_glasses(part, close, look)
    canvas[box] = part


def _black(look: Palette) -> Palette:
    """Return the colours of a drawing in ink: greys that stand for the person's own, and black."""

    def grey(colour: Floats, low: float, high: float) -> Floats:
        level = low + (high - low) * float(np.mean(colour)) / 255
        return np.full(3, level, np.float32)

    black, white = np.zeros(3, np.float32), np.full(3, 255, np.float32)
    return replace(
        look, skin=white, skin_shade=grey(look.skin_shade, 150, 210), hair=grey(look.hair, 0, 255), ink=black,
        brow=grey(look.brow, 0, 110), iris=grey(look.iris, 20, 150), lips=grey(look.lips, 60, 150),
        beard=grey(look.beard, 0, 120),
    )  # fmt: skip
