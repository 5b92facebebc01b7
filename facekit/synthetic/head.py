"""The mannequin's head: ellipsoids around the face mesh, the nearest last."""

import cv2
import numpy as np
import numpy.typing as npt

from facekit.synthetic.look import Array, Look, Vector, lit, to_rgb
from facekit.synthetic.mesh import FLIP, mean_face, rotation
from facekit.synthetic.texture import lit_texture
from facekit.topology import face_triangles
from facekit.values import FaceMesh, FloatImage, Image, Mask, Matte
from facekit.warp import warp_piecewise_affine

__all__ = ["draw_head"]

_DRAWN = 1_000_000  # pixels up to which a drawing is made at twice the size, then shrunk


def draw_head(shape: tuple[int, int], mesh: FaceMesh, look: Look) -> tuple[FloatImage, Matte]:
    """Draw a mannequin's head around a face mesh.

    Parameters
    ----------
    shape : (rows, cols)
        Size of the picture.
    mesh : FaceMesh
        From `place_face`.
    look : Look
        Colours and light.

    Returns
    -------
    picture : FloatImage of shape (rows, cols, 3)
        Colours, 0..255; meaningless where the matte is 0.
    matte : Matte of shape (rows, cols)
        How much of each pixel the mannequin covers.
    """
    rows, cols = shape
    finer = 2 if rows * cols < _DRAWN else 1
    fine = (rows * finer, cols * finer)
    turn = FLIP @ mesh.pose[:3, :3].astype(np.float64) @ FLIP
    scale, origin = _frame(mesh, turn)
    y, x = (np.mgrid[: fine[0], : fine[1]].astype(np.float32) + 0.5) / finer - 0.5
    rays = np.asarray((np.stack([x, y], axis=2) - origin) / scale, np.float32)
    texture, layout = lit_texture(turn, look)
    nearest_last = np.argsort(-mesh.depth[face_triangles()].mean(axis=1))
    target = (mesh.points[:468] + 0.5) * finer - 0.5
    face, inside = warp_piecewise_affine(texture, layout, target, face_triangles()[nearest_last], shape=fine)
    picture, matte = _compose(rays, turn, look, face, inside, scale * finer)
    return (
        np.asarray(cv2.resize(picture, (cols, rows), interpolation=cv2.INTER_AREA), np.float32),
        np.asarray(cv2.resize(matte, (cols, rows), interpolation=cv2.INTER_AREA), np.float32),
    )


def _frame(mesh: FaceMesh, turn: npt.NDArray[np.float64]) -> tuple[float, Array]:
    """Return pixels for one unit, and where the middle of the mean face lies."""
    flat = (mean_face() @ turn.T)[:, :2]
    scale = np.linalg.norm(mesh.points[10] - mesh.points[152]) / np.linalg.norm(flat[10] - flat[152])
    return float(scale), np.asarray((mesh.points - scale * flat).mean(axis=0), np.float32)


def _compose(
    rays: Array,
    turn: npt.NDArray[np.float64],
    look: Look,
    face: Image,
    inside: Mask,
    unit: float,
) -> tuple[FloatImage, Matte]:
    """Stack body, head, face and hair, the nearest last; `unit` in pixels."""
    upright = rotation(roll=float(np.degrees(np.arctan2(turn[1, 0], turn[1, 1]))))
    body = rays - ((turn - upright) @ (0, 0.5, 0.95))[:2].astype(np.float32)
    neck = _Solid(body, (0, 1.0, 1.0), (0.55, 2.0, 0.55), upright)
    skull = _Solid(rays, (0, -0.7, 0.95), (0.84, 0.9, 1.0), turn)
    jaw = _Solid(rays, (0, 0.1, 0.8), (0.76, 0.75, 0.72), turn)
    ears = [_Solid(rays, (side * 0.86, -0.1, 0.92), (0.1, 0.27, 0.17), turn) for side in (-1, 1)]
    head = skull.seen | jaw.seen | inside
    lab = _paint(neck, look.skin, look)
    below_chin = np.roll(_soften(head.astype(np.float32), unit * 0.12), int(unit * 0.22), axis=0)
    lab[..., 0] -= 0.3 * look.skin[0] * below_chin
    hair, tuft, mane = _hair(rays, turn, look, np.minimum(skull.depth, jaw.depth))
    lab = _cover(lab, hair, mane)
    matte = neck.seen | head | (mane > 0.5)
    if look.shirt:
        chest = _Solid(body, (0, 2.75, 1.1), (2.15, 1.3, 0.9), upright)
        crease = 0.25 * look.cloth[0] * _soften((neck.seen & ~chest.seen).astype(np.float32), unit * 0.12)
        lab = np.where(chest.seen[..., None], _paint(chest, look.cloth, look, shade=crease), lab)
        matte |= chest.seen
    for ear in ears:
        inner = np.exp(-(((ear.place[..., 1:] - (-0.1, 0.86)) / (0.15, 0.07)) ** 2).sum(axis=2))
        lab = np.where(ear.seen[..., None], _paint(ear, look.skin, look, shade=12 * inner), lab)
        matte |= ear.seen
    lab = np.where((skull.seen | jaw.seen)[..., None], _paint(skull, look.skin, look, jaw), lab)
    picture = _join(to_rgb(np.asarray(lab, np.float32)), face, inside, skull.seen | jaw.seen, unit)
    return _cover(picture, to_rgb(hair), tuft), np.maximum(matte, tuft)


def _hair(rays: Array, turn: npt.NDArray[np.float64], look: Look, scalp: Array) -> tuple[Array, Matte, Matte]:
    """Comb hair from the crown: what lies over the head, how much of it shows, and what hangs behind."""
    if look.bald:
        none = np.zeros(rays.shape[:2], np.float32)
        return np.zeros((*none.shape, 3), np.float32), none, none
    cap = _Solid(rays, (0, -0.72, 0.95), (0.9, 1.0, 1.12), turn)
    x, y, z = np.moveaxis(cap.place, 2, 0)
    around = np.arctan2(x, 1.35 - z) / (2 * np.pi) + 0.5
    rng = np.random.default_rng(11)
    coarse, fine, finest = (
        np.interp(around * n, np.arange(n + 1), rng.normal(0, 1, n + 1)) for n in (90, 240, 700)
    )
    strands = coarse + fine + finest
    fall = np.clip((z - 0.08) / 0.68, 0, 1)
    line = -1.1 + 0.3 * (x + 0.25) ** 2 + 0.85 * fall**3 + 0.012 * (fine + finest)
    above = np.clip((line - y) / 0.06 + 0.5, 0, 1) * cap.seen * (cap.depth < scalp + 0.05)
    gloss = 10 * np.exp(-(((cap.normal @ (0.1, -0.75, -0.65) - 0.93) / 0.06) ** 2))
    lab = _paint(cap, look.hair, look, shade=-2.0 * strands - gloss)
    behind = np.clip((0.0 - y) / 0.03 + 0.5, 0, 1) * cap.seen
    return lab, np.asarray(above, np.float32), np.asarray(behind, np.float32)


def _join(picture: FloatImage, face: Image, inside: Mask, flesh: Mask, unit: float) -> FloatImage:
    """Lay the face on the head; the step at its border fades away outwards."""
    step = (face.astype(np.float32) - picture) * inside[..., None]
    spread = 2 * _soften(step, unit * 0.14) * flesh[..., None]
    return np.asarray(picture + np.where(inside[..., None], step, spread), np.float32)


def _soften(picture: Array, sigma: float) -> Array:
    side = 2 * int(sigma * 1.5) + 1
    return np.asarray(cv2.stackBlur(picture, (side, side)), np.float32)


def _cover(lower: Array, upper: Array, share: Matte) -> Array:
    return np.asarray(lower + share[..., None] * (upper - lower), np.float32)


def _paint(
    solid: "_Solid", colour: Vector, look: Look, other: "_Solid | None" = None, *, shade: Array | float = 0.0
) -> Array:
    """Return the lit colours of a solid, or of two melted together."""
    normal = solid.normal
    if other is not None:
        nearness = np.clip(0.5 + (other.depth - solid.depth) / 0.8, 0, 1)[..., None]
        normal = normal * nearness + other.normal * (1 - nearness)
    lab = np.empty(normal.shape, np.float32)
    lab[:] = colour
    lab[..., 0] += lit(normal, look) * (0.4 + colour[0] / 110) - shade
    return lab


class _Solid:
    """An ellipsoid as the viewer sees it, one value a pixel: `depth`, `normal`, `place` (unturned)."""

    def __init__(self, rays: Array, centre: Vector, radii: Vector, turn: npt.NDArray[np.float64]) -> None:
        middle = turn @ centre
        half = np.sqrt(((turn * radii) ** 2).sum(axis=1))
        cols, rows = (
            slice(*np.searchsorted(axis, (middle[k] - half[k], middle[k] + half[k])))
            for k, axis in enumerate((rays[0, :, 0], rays[:, 0, 1]))
        )
        shrink = (turn / radii).astype(np.float32)  # columns: the axes of the ellipsoid over its radii
        near = (rays[rows, cols] - middle[:2].astype(np.float32)) @ shrink[:2]
        step = shrink[2]
        a, b, c = step @ step, near @ step, np.einsum("ijk,ijk->ij", near, near) - 1
        under = b * b - a * c
        t = -(b + np.sqrt(np.maximum(under, 0))) / a
        ball = near + t[..., None] * step
        normal = ball @ shrink.T
        normal /= np.sqrt(np.einsum("ijk,ijk->ij", normal, normal) + 1e-12)[..., None]
        self.seen = np.zeros(rays.shape[:2], bool)
        self.depth = np.full(rays.shape[:2], 9, np.float32)
        self.normal = np.zeros((*rays.shape[:2], 3), np.float32)
        self.place = np.zeros_like(self.normal)
        self.seen[rows, cols] = under > 0
        self.depth[rows, cols] = np.where(under > 0, t + middle[2], 9)
        self.normal[rows, cols] = normal
        self.place[rows, cols] = ball * np.array(radii, np.float32) + np.array(centre, np.float32)
