"""The mannequin's face, unrolled: the mean colours of many, with eyes, brows and lips painted in."""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from facekit.assets import load_numbers
from facekit.synthetic.look import EDGE, Array, Look, Vector, lit, to_rgb
from facekit.synthetic.mesh import IRIS, mean_face
from facekit.topology import LEFT_BROW, LEFT_EYE, LIPS_INNER, RIGHT_BROW, RIGHT_EYE, face_triangles
from facekit.values import Image, Matte, Points

__all__ = ["lit_texture"]

_FINER = 5  # texels drawn for each one measured, so that painted lashes and irises are sharp


def lit_texture(turn: npt.NDArray[np.float64], look: Look) -> tuple[Image, Points]:
    """Light the texture, which shows a face lit from the front, as the turned face is lit."""
    # Takes a second to load, and those who only place a face do without.
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

    lab, layout = _texture(look)
    corners = mean_face()[face_triangles()]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal = np.zeros((468, 3))
    np.add.at(normal, face_triangles().ravel(), np.repeat(facing, 3, axis=0))
    normal /= -np.linalg.norm(normal, axis=1, keepdims=True) * np.sign(normal[1, 2])
    change = lit((normal @ turn.T).astype(np.float32), look) + EDGE * (1 + normal[:, 2]) ** 2
    coarse = lab.shape[0] // 8
    grid = np.stack(np.meshgrid(np.arange(coarse), np.arange(coarse)), axis=2) * 8
    spread = LinearNDInterpolator(layout, change)(grid)
    spread = np.where(np.isnan(spread), NearestNDInterpolator(layout, change)(grid), spread)
    light = cv2.resize(cv2.GaussianBlur(spread, (0, 0), 2.5), lab.shape[:2], interpolation=cv2.INTER_CUBIC)
    gain = light * (0.4 + look.skin[0] / 110)
    relit = lab + np.stack([gain, 0 * gain, 0 * gain], axis=2).astype(np.float32)
    return np.asarray(np.clip(to_rgb(relit) + 0.5, 0, 255), np.uint8), layout


@cache
def _texture(look: Look) -> tuple[Array, Points]:
    """Paint the unrolled face, and say where each of the 468 points lies in it."""
    axes = load_numbers("face_axes")
    coarse = (axes["texture_mean"] + look.gender / 2 * axes["texture_gender"]).astype(np.float32)
    known = cv2.erode(axes["inside"].astype(np.uint8), np.ones((7, 7), np.uint8))
    row, col = distance_transform_edt(known == 0, return_distances=False, return_indices=True)
    coarse = np.where(known[..., None] > 0, coarse, cv2.blur(coarse[row, col], (5, 5)))
    coarse = coarse * (0.55 + 0.45 * look.skin[0] / 67, 0.9, 0.9) + look.skin
    sides = (_FINER * coarse.shape[1], _FINER * coarse.shape[0])
    lab = np.asarray(cv2.resize(coarse, sides, interpolation=cv2.INTER_CUBIC), np.float32)
    layout: Points = ((axes["layout"] + 0.5) * _FINER - 0.5).astype(np.float32)
    for paint in (_paint_eyes, _paint_brows, _paint_lips):
        paint(lab, layout, look)
    return lab, layout


def _brush(shape: tuple[int, ...], outline: npt.NDArray[np.floating], blur: float, width: int = 0) -> Matte:
    """Return how much of each pixel an outline (or, with a width, an open stroke) covers."""
    matte = np.zeros(shape[:2], np.uint8)
    corners = np.round(outline * 16).astype(np.int32).reshape(-1, *outline.shape[-2:])
    if width:
        cv2.polylines(matte, list(corners), False, 255, width, cv2.LINE_AA, 4)
    else:
        cv2.fillPoly(matte, list(corners), 255, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(matte, (0, 0), blur) / np.float32(255), np.float32)


def _glaze(lab: Array, matte: Matte, colour: Vector) -> None:
    where = matte > 0
    lab[where] += matte[where][:, None] * (np.array(colour, np.float32) - lab[where])


def _paint_eyes(lab: Array, layout: Points, look: Look) -> None:
    unit = float(_FINER * 76)  # texels between the outer eye corners
    for lids in (RIGHT_EYE, LEFT_EYE):
        rim = layout[list(lids)]
        middle = (rim[0] + rim[8]) / 2 * (1, 0) + rim.mean(axis=0) * (0, 1)
        circle = np.stack([f(np.linspace(0, 2 * np.pi, 64)) for f in (np.cos, np.sin)], axis=1)
        opening = _brush(lab.shape, rim, 1.5)
        _glaze(lab, opening * 0.55, (look.skin[0] * 0.55 + 42, 2, 4))
        lowered = _brush(lab.shape, np.add(rim, (0, 0.035 * unit)), 5)
        for radius, colour, strength in (
            (IRIS * 1.05, (14, 2, 4), 0.9),
            (IRIS * 0.9, look.iris, 0.9),
            (IRIS * 0.45, (5, 0, 0), 0.95),
        ):
            disc = _brush(lab.shape, middle + radius * unit * circle, 1.5)
            _glaze(lab, disc * opening * strength, colour)
        _glaze(lab, np.clip(opening - lowered, 0, 1) * 0.5, (15, 4, 4))
        _glaze(lab, _brush(lab.shape, np.concatenate([rim[8:], rim[:1]]), 1.6, 7) * 0.85, (14, 5, 5))
        glint = middle + np.array([np.sign(look.light[0]) * 0.022, -0.026]) * unit + 0.013 * unit * circle
        _glaze(lab, _brush(lab.shape, glint, 1.0) * 0.9, (97, 0, 0))


def _paint_brows(lab: Array, layout: Points, look: Look) -> None:
    rng = np.random.default_rng(7)
    hairs = []
    for ring in (RIGHT_BROW, LEFT_BROW):
        low, high = layout[list(ring[:5])], layout[list(ring[:4:-1])]
        outward = np.sign(low[0, 0] - low[4, 0])
        for along in rng.uniform(0.03, 0.98, 150):
            edges = [[np.interp(4 * along, range(5), edge[:, k]) for k in (0, 1)] for edge in (low, high)]
            upward = np.subtract(edges[1], edges[0])
            start = edges[0] + upward * rng.uniform(0.05, 0.75)
            hairs.append(
                np.stack(
                    [
                        start,
                        start + upward * 0.4 + (outward * rng.uniform(14, 26) * min(1, 0.1 + 3 * along), 0),
                    ]
                )
            )
    colour = (look.hair[0] * 0.7 + 4, look.hair[1], look.hair[2])
    _glaze(lab, _brush(lab.shape, np.array(hairs), 1.4, 2) * 0.45, colour)


def _paint_lips(lab: Array, layout: Points, look: Look) -> None:
    ring = layout[list(LIPS_INNER)]
    seam = (ring[:11] + ring[[0, *range(19, 9, -1)]]) / 2
    _glaze(lab, _brush(lab.shape, ring, 5) * 0.45, (look.skin[0] * 0.6, 24, 12))
    _glaze(lab, _brush(lab.shape, seam, 2.5, 4) * 0.75, (look.skin[0] * 0.3, 16, 8))
