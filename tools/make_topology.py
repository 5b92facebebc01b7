"""Write facekit/assets/topology.npz: the fixed triangulation of the face mesh.

The 852 surface triangles are those of MediaPipe's face mesh (Apache-2.0), whose edge list names
each triangle by three edges in a row. The holes that it leaves for the eyes and the mouth are
filled here: by strips across the 468 points, and by a fan and a collar around each iris.

    python tools/make_topology.py
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from mediapipe.tasks.python.vision import FaceLandmarksConnections

from facekit.assets import load_numbers
from facekit.topology import LEFT_EYE, LEFT_IRIS, LIPS_INNER, RIGHT_EYE, RIGHT_IRIS

Triangle = tuple[int, int, int]
ASSET = Path(__file__).parents[1] / "facekit" / "assets" / "topology.npz"


def surface() -> list[Triangle]:
    """Read the surface triangles off the edge list, three edges at a time."""
    edges = FaceLandmarksConnections.FACE_LANDMARKS_TESSELATION
    return [(edges[i].start, edges[i + 1].start, edges[i + 2].start) for i in range(0, len(edges), 3)]


def strip(ring: Sequence[int]) -> list[Triangle]:
    """Fill a lens-shaped ring by zig-zag between its two sides, corner to corner."""
    half = len(ring) // 2
    one, other = list(ring[: half + 1]), [ring[0], *reversed(ring[half:])]
    filled: list[Triangle] = []
    for i in range(half):
        filled += [(one[i], one[i + 1], other[i]), (one[i + 1], other[i + 1], other[i])]
    return [t for t in filled if len(set(t)) == 3]


def collar(ring: Sequence[int], iris: Sequence[int]) -> list[Triangle]:
    """Join the eye's ring to the four edge points of the iris, and those to its centre.

    Both rings start at the eye's first corner and run the same way round.
    """
    centre, *edge = iris
    step = len(ring) // 4
    filled: list[Triangle] = [(edge[k], edge[(k + 1) % 4], centre) for k in range(4)]
    for i in range(len(ring)):
        inner = edge[((i + step // 2) // step) % 4]
        following = edge[((i + 1 + step // 2) // step) % 4]
        filled.append((ring[i], ring[(i + 1) % len(ring)], inner))
        if following != inner:
            filled.append((ring[(i + 1) % len(ring)], following, inner))
    return filled


def wound(triangles: list[Triangle], points: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """Turn every triangle clockwise on the screen (y down) on the mean face."""
    rows = np.array(triangles, np.int32)
    a, b, c = (points[rows[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    rows[area < 0] = rows[area < 0][:, [0, 2, 1]]
    return rows


def main() -> None:
    """Assemble both triangulations and the mirror, and write them."""
    axes = load_numbers("face_axes")
    mean = axes["mean"][:, :2]
    irises = np.concatenate([_iris(mean, RIGHT_EYE), _iris(mean, LEFT_EYE)])
    points = np.concatenate([mean, irises]).astype(np.float32)
    mouth = strip(LIPS_INNER)
    closed = surface() + mouth + strip(RIGHT_EYE) + strip(LEFT_EYE)
    opened = surface() + mouth + collar(RIGHT_EYE, RIGHT_IRIS) + collar(LEFT_EYE, LEFT_IRIS)
    mirror = np.concatenate([axes["mirror"], [473, 476, 475, 474, 477, 468, 471, 470, 469, 472]])
    np.savez_compressed(
        ASSET,
        triangles=wound(closed, points),
        triangles_iris=wound(opened, points),
        mirror=mirror.astype(np.int16),
    )


def _iris(mean: npt.NDArray[np.float32], ring: Sequence[int]) -> npt.NDArray[np.float32]:
    """Place a small iris in the middle of an eye, only to know which way triangles turn."""
    centre = mean[list(ring)].mean(axis=0)
    cross = np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]]) * 0.03
    return np.asarray(centre + cross, np.float32)


if __name__ == "__main__":
    main()
