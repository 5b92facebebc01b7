"""The warp of a face mesh, against bare remapping, OpenCV triangle by triangle, and scikit-image."""

import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.table import Maker, Requirement, Table, in_turn, ratio, spread
from facekit import detect_faces, load_sample, warp_piecewise_affine
from facekit.topology import SURFACE_POINTS, face_triangles
from facekit.values import Image, Mask, Points, Triangles
from facekit.warp import facing, rasterise

SIDE = 600  # pixels
PADDING = 4
ROUNDS = 51  # the floor takes a millisecond, and so needs many
SKIMAGE = "scikit-image"
RUNS_OF_SKIMAGE = 3

Float = npt.NDArray[np.float32]


def scene() -> tuple[Image, Points, Points, Triangles]:
    """Return a photo, its mesh, that of another face filling 600 x 600 pixels, and the triangles."""
    photo = load_sample("obama")
    src = detect_faces(photo)[0].points[:SURFACE_POINTS]
    other = detect_faces(load_sample("astronaut"))[0].points[:SURFACE_POINTS]
    low, high = other.min(axis=0), other.max(axis=0)
    scale = (SIDE - 1 - 2 * PADDING) / (high - low)
    dst = ((other - low) * scale + PADDING).astype(np.float32)
    triangles = face_triangles()
    return photo, src, dst, triangles[facing(src, triangles) & facing(dst, triangles)]


def tables() -> Iterator[Table]:
    """Measure."""
    photo, src, dst, triangles = scene()
    whole, inside = warp_piecewise_affine(photo, src, dst, triangles, shape=(SIDE, SIDE))
    ways: dict[str, Callable[[], Image]] = {
        "facekit": lambda: warp_piecewise_affine(photo, src, dst, triangles, shape=(SIDE, SIDE))[0],
        "cv2.remap alone": bare_remap(photo, src, dst, triangles),
        "OpenCV, triangle by triangle": lambda: by_triangles(photo, src, dst, triangles),
        SKIMAGE: lambda: by_skimage(photo, src, dst),
    }
    answers: dict[str, Image] = {}

    def maker(name: str) -> Maker:
        def run() -> None:
            answers[name] = ways[name]()

        return lambda: run

    quick = [name for name in ways if name != SKIMAGE]
    runs = in_turn({name: maker(name) for name in quick}, rounds=ROUNDS, warm_up=3)
    slow = in_turn(
        {name: maker(name) for name in (SKIMAGE, "facekit")}, rounds=RUNS_OF_SKIMAGE, warm_up=0, patient=True
    )
    runs[SKIMAGE] = slow[SKIMAGE]
    within = _within(inside)
    rows = []
    times = {name: ratio(runs[name], runs["facekit"]) for name in quick}
    times[SKIMAGE] = ratio(slow[SKIMAGE], slow["facekit"])
    for name, answer in answers.items():
        off = np.abs(answer.astype(np.int16) - whole)[within]
        rows.append([name, str(len(runs[name])), spread(runs[name]), f"{times[name]:.2f}", *_off(off)])
    note = (
        f"{len(src)} points, {len(triangles)} triangles, from a photo of {photo.shape[1]} x {photo.shape[0]} "
        f"into {SIDE} x {SIDE} pixels, the whole call, in turn. Ratio: how many times as long as facekit. "
        "cv2.remap alone is given the finished map. Triangle by triangle is the tutorials' way: each "
        "triangle's box warped by warpAffine and put in through a mask. scikit-image: "
        "PiecewiseAffineTransform, which triangulates the points itself, and warp. Differences from "
        "facekit's answer in grey levels, away from the mesh's outer edge."
    )
    columns = ["way", "runs", "ms", "ratio", "largest difference", "99.9 %", "mean"]
    floor = ratio(runs["facekit"], runs["cv2.remap alone"])
    met = [
        Requirement("warp: times as long as cv2.remap alone", floor, 1.4, 1.2, at_most=True),
        Requirement(
            "warp: times faster than triangle by triangle", times["OpenCV, triangle by triangle"], 12
        ),
        Requirement("warp: times faster than scikit-image", times[SKIMAGE], 600),
    ]
    yield Table(f"Warp of a face mesh into {SIDE} x {SIDE}", columns, rows, note, met)


def _within(inside: Mask) -> Mask:
    return np.asarray(cv2.erode(inside.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0)


def _off(off: npt.NDArray[np.int16]) -> list[str]:
    return [f"{off.max()}", f"{np.quantile(off, 0.999):.0f}", f"{off.mean():.3f}"]


def bare_remap(photo: Image, src: Points, dst: Points, triangles: Triangles) -> Callable[[], Image]:
    """Make the map beforehand."""
    found = rasterise(src, dst, triangles, shape=(SIDE, SIDE))
    maps: list[Float] = []
    for part in (found.x, found.y):
        whole = np.zeros((SIDE, SIDE), np.float32)
        whole[found.box] = np.where(found.inside, part, 0)
        maps.append(whole)
    return lambda: np.asarray(cv2.remap(photo, maps[0], maps[1], cv2.INTER_LINEAR), np.uint8)


def by_triangles(photo: Image, src: Points, dst: Points, triangles: Triangles) -> Image:
    """Warp as OpenCV tutorials do."""
    result = np.zeros((SIDE, SIDE, 3), np.uint8)
    for triangle in triangles:
        ours, theirs = src[triangle], dst[triangle]
        x, y, width, height = cv2.boundingRect(ours)
        left, top, columns, rows = cv2.boundingRect(theirs)
        ours = ours - np.array([x, y], np.float32)
        theirs = theirs - np.array([left, top], np.float32)
        matrix = cv2.getAffineTransform(ours, theirs)
        part = cv2.warpAffine(
            photo[y : y + height, x : x + width],
            matrix,
            (columns, rows),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        mask = np.zeros((rows, columns, 3), np.float32)
        cv2.fillConvexPoly(mask, theirs.astype(np.int32), (1.0, 1.0, 1.0), 16, 0)
        box = np.s_[top : top + rows, left : left + columns]
        result[box] = result[box] * (1 - mask) + part * mask
    return result


def by_skimage(photo: Image, src: Points, dst: Points) -> Image:
    """Warp with scikit-image, which takes the map from the output to the source."""
    transform: Any = import_module("skimage.transform")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        moved = transform.PiecewiseAffineTransform.from_estimate(dst, src)
        warped = transform.warp(photo, moved, output_shape=(SIDE, SIDE), preserve_range=True)
    return np.asarray(np.rint(warped), np.uint8)
