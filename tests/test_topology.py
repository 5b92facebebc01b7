"""The mesh is one closed disc, the same on both sides, and MediaPipe's own."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from facekit.assets import load_numbers
from facekit.synthetic import synthetic_mesh
from facekit.topology import (
    FACE_OVAL,
    INNER_FACE,
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS,
    LIPS_INNER,
    LIPS_OUTER,
    REGIONS,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_IRIS,
    SURFACE_POINTS,
    face_triangles,
    mirror_permutation,
)
from facekit.warp import signed_areas

TOOL = Path(__file__).parents[1] / "tools" / "make_topology.py"
ASK = """
import json, runpy, sys
from pathlib import Path
tool = runpy.run_path(sys.argv[1])
tool["main"].__globals__["ASSET"] = Path(sys.argv[2])
tool["main"]()
from mediapipe.tasks.python.vision import FaceLandmarksConnections as Connections
lists = {n: v for n, v in vars(Connections).items() if n.startswith("FACE_LANDMARKS_")}
print(json.dumps({n: [(e.start, e.end) for e in v] for n, v in lists.items()}))
"""


@pytest.fixture(scope="module")
def mediapipe(tmp_path_factory):
    """Ask another process, so that MediaPipe is not loaded here: its edge lists, and the asset made anew."""
    made = tmp_path_factory.mktemp("topology") / "topology.npz"
    asked = subprocess.run(
        [sys.executable, "-c", ASK, TOOL, made], check=True, capture_output=True, text=True
    )
    return json.loads(asked.stdout.splitlines()[-1]), made


def edges_of(rows):
    """Every edge with its direction."""
    return [(int(t[k]), int(t[(k + 1) % 3])) for t in rows for k in range(3)]


def undirected(pairs):
    return {frozenset(pair) for pair in pairs}


def around(ring):
    return undirected(zip(ring, (*ring[1:], ring[0]), strict=True))


BOTH = pytest.mark.parametrize("irises", [False, True])


@BOTH
def test_mesh_is_a_closed_disc(irises):
    rows = face_triangles(irises=irises)
    corners, edges = set(rows.ravel().tolist()), undirected(edges_of(rows))
    assert corners == set(range(478 if irises else SURFACE_POINTS))
    assert len(corners) - len(edges) + len(rows) == 1  # Euler: a disc without holes


@BOTH
def test_every_edge_is_shared_by_two_triangles_or_lies_on_the_oval(irises):
    count = Counter(frozenset(edge) for edge in edges_of(face_triangles(irises=irises)))
    assert set(count.values()) == {1, 2}
    assert {edge for edge, times in count.items() if times == 1} == around(FACE_OVAL)


@BOTH
def test_neighbours_are_wound_the_same_way(irises):
    assert max(Counter(edges_of(face_triangles(irises=irises))).values()) == 1


@BOTH
def test_triangles_are_clockwise_on_a_face_seen_from_the_front(irises):
    mesh = synthetic_mesh(512)
    rows = face_triangles(irises=irises)
    rows = rows[(rows < SURFACE_POINTS).all(axis=1)]  # irises reach under the lids, and turn triangles over
    areas = signed_areas(mesh.points, rows)
    assert (areas > -0.5).all()
    assert (areas > 0).mean() > 0.97


@BOTH
def test_triangulation_is_read_only(irises):
    with pytest.raises(ValueError, match="read-only"):
        face_triangles(irises=irises)[0, 0] = 5


def test_mirror_is_its_own_inverse():
    mirror = mirror_permutation()
    np.testing.assert_array_equal(mirror[mirror], np.arange(478))
    assert 20 < (mirror == np.arange(478)).sum() < 40  # the midline


def test_mirror_puts_points_where_the_mirrored_face_has_them():
    points = synthetic_mesh(512).points[:SURFACE_POINTS]
    mirrored = points[mirror_permutation()[:SURFACE_POINTS]] * [-1, 1] + [512, 0]
    assert np.linalg.norm(mirrored - points, axis=1).max() < 0.02 * 0.27 * 512


@pytest.mark.parametrize(
    ("right", "left"),
    [(RIGHT_EYE, LEFT_EYE), (RIGHT_BROW, LEFT_BROW), (RIGHT_IRIS, LEFT_IRIS)],
    ids=["eyes", "brows", "irises"],
)
def test_paired_regions_are_each_others_mirror_point_by_point(right, left):
    assert mirror_permutation()[list(right)].tolist() == list(left)


@pytest.mark.parametrize("name", ["face_oval", "lips_outer", "lips_inner", "nose"])
def test_middle_regions_are_their_own_mirror(name):
    ring = REGIONS[name]
    assert {int(i) for i in mirror_permutation()[list(ring)]} == set(ring)


@pytest.mark.parametrize("name", REGIONS)
def test_region_holds_no_point_twice(name):
    assert len(set(REGIONS[name])) == len(REGIONS[name])


@pytest.mark.parametrize("name", ["face_oval", "right_eye", "left_eye", "lips_outer", "lips_inner"])
def test_rings_follow_edges_of_the_mesh(name):
    assert around(REGIONS[name]) <= undirected(edges_of(face_triangles()))


@pytest.mark.parametrize("name", [name for name in REGIONS if "iris" not in name])
def test_rings_do_not_cross_themselves(name):
    points = load_numbers("face_axes")["mean"][list(REGIONS[name]), :2].astype(float)
    area = np.cross(
        np.column_stack([points, np.zeros(len(points))]),
        np.column_stack([np.roll(points, -1, axis=0), np.zeros(len(points))]),
    )[:, 2]
    assert abs(area.sum()) > 0
    ends = np.roll(points, -1, axis=0)
    for i in range(len(points)):
        for j in range(i + 2, len(points) - (i == 0)):
            assert not crosses(points[i], ends[i], points[j], ends[j]), (i, j)


def crosses(a, b, c, d):
    def side(p, q, r):
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def test_inner_face_holds_every_feature_and_no_point_of_the_oval():
    assert not set(INNER_FACE) & set(FACE_OVAL)
    assert set(LIPS_OUTER) | set(LIPS_INNER) | set(LEFT_EYE) | set(RIGHT_BROW) <= set(INNER_FACE)
    assert max(INNER_FACE) < SURFACE_POINTS


# -- MediaPipe's own -----------------------------------------------------------------------


def test_edges_are_mediapipes_but_for_the_filled_eyes_and_mouth(mediapipe):
    theirs = undirected(mediapipe[0]["FACE_LANDMARKS_TESSELATION"])
    mine = undirected(edges_of(face_triangles()))
    assert theirs <= mine
    added = {point for edge in mine - theirs for point in edge}
    assert added <= set(LEFT_EYE) | set(RIGHT_EYE) | set(LIPS_INNER)


def test_regions_are_mediapipes(mediapipe):
    lists = mediapipe[0]
    assert around(FACE_OVAL) == undirected(lists["FACE_LANDMARKS_FACE_OVAL"])
    assert around(LEFT_EYE) == undirected(lists["FACE_LANDMARKS_LEFT_EYE"])
    assert around(RIGHT_EYE) == undirected(lists["FACE_LANDMARKS_RIGHT_EYE"])
    assert around(LIPS_OUTER) | around(LIPS_INNER) == undirected(lists["FACE_LANDMARKS_LIPS"])
    for ring, name in ((LEFT_BROW, "LEFT_EYEBROW"), (RIGHT_BROW, "RIGHT_EYEBROW")):
        assert set(ring) == {point for edge in lists[f"FACE_LANDMARKS_{name}"] for point in edge}
    for iris, name in ((LEFT_IRIS, "LEFT_IRIS"), (RIGHT_IRIS, "RIGHT_IRIS")):
        assert around(iris[1:]) == undirected(lists[f"FACE_LANDMARKS_{name}"])


def test_tool_makes_the_asset_that_ships(mediapipe):
    shipped = load_numbers("topology")
    with np.load(mediapipe[1]) as made:
        assert set(made.files) == set(shipped)
        for name in made.files:
            np.testing.assert_array_equal(made[name], shipped[name])
            assert made[name].dtype == shipped[name].dtype
