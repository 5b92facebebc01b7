"""Faces are found however they lie, the same way every time, and nothing leaves the machine."""

import os
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from facekit import landmarks, tasks
from facekit.data import load_sample
from facekit.errors import ArrayError, ModelError
from facekit.landmarks import detect_faces
from facekit.likeness import likeness
from facekit.synthetic import synthetic_face, synthetic_mesh
from facekit.tasks import close_tasks
from facekit.topology import mirror_permutation
from facekit.views import carry_back, look, turned

ANGLES = range(0, 360, 30)
NETWORK = {
    *("socket", "socketpair", "connect", "accept", "accept4", "bind", "listen", "shutdown"),
    *("send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg"),
    *("getaddrinfo", "gethostbyname", "gethostbyname_r", "getnameinfo", "res_query", "res_search"),
    *("curl_easy_init", "curl_easy_perform", "SSL_connect", "SSL_write"),
}


def eye_distance(face):
    return float(np.hypot(*(face.points[263] - face.points[33])))


def bias(face, points):
    """Mean distance of a face's points from `points`, in eye distances."""
    return float(np.hypot(*(face.points - points).T).mean()) / eye_distance(face)


def crowd(rows, cols, cell):
    return np.tile(synthetic_face(cell, seed=1), (rows, cols, 1))


def run(code, **options):
    """Run Python in a fresh process; return what it said."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False, **options
    )
    return done.returncode, done.stdout, done.stderr


def check_turned(image, degrees):
    (upright,) = detect_faces(image, max_faces=1)
    view = turned(image.shape[1], image.shape[0], degrees)
    picture, used = look(image, view, side=max(view.size))
    (found,) = detect_faces(picture, max_faces=1)
    truth = upright.points @ used.matrix[:, :2].T + used.matrix[:, 2]
    assert bias(found, truth) < 0.03
    turn = (found.angles()[2] - upright.angles()[2] - degrees + 180) % 360 - 180
    assert abs(turn) < 5
    back = carry_back(found, used)
    assert back.angles() == pytest.approx(upright.angles(), abs=6)


@pytest.mark.parametrize("degrees", ANGLES)
def test_astronaut_is_found_at_every_angle(degrees, require_sample):
    require_sample("astronaut")
    check_turned(load_sample("astronaut"), degrees)


@pytest.mark.parametrize("degrees", ANGLES)
def test_drawn_face_is_found_at_every_angle(degrees):
    check_turned(synthetic_face(320, seed=5), degrees)


def test_mirrored_picture_gives_mirrored_points():
    image = synthetic_face(300, seed=6, yaw=8)
    (face,), (mirrored,) = detect_faces(image), detect_faces(image[:, ::-1])
    middle = (face.points[:, 0].mean() + mirrored.points[:, 0].mean()) / 2
    assert abs(middle - 149.5) / eye_distance(face) < 0.01
    assert abs((mirrored.points - face.points)[:, 1].mean()) / eye_distance(face) < 0.01


@pytest.mark.parametrize("side", [96, 128, 192])
def test_mesh_is_not_shifted_by_half_a_pixel(side):
    """Half a pixel is what shares counted from the picture's edge would be off; a mirror doubles it."""
    image = synthetic_face(side)
    mesh, mirrored = detect_faces(image)[0].points, detect_faces(image[:, ::-1])[0].points
    back = mirrored[mirror_permutation()] * [-1, 1] + [side - 1, 0]
    assert abs((mesh - back)[:, 0].mean() / 2) < 0.2
    assert np.abs((mesh - synthetic_mesh(side).points).mean(axis=0)).max() < 0.3


def test_largest_face_comes_first_and_no_more_than_asked():
    image = np.full((300, 640, 3), 140, np.uint8)
    image[20:180, 10:170] = synthetic_face(160, seed=1)
    image[10:266, 200:456] = synthetic_face(256, seed=2)
    image[60:180, 500:620] = synthetic_face(120, seed=3)
    faces = detect_faces(image, thorough=True)
    assert [round(face.points[:, 0].mean() / 100) for face in faces] == [3, 1, 6]
    assert len(detect_faces(image, max_faces=2)) == 2


def test_thorough_search_finds_a_small_face_beside_a_large_one():
    image = np.full((1500, 1500, 3), 120, np.uint8)
    image[100:800, 100:800] = synthetic_face(700, seed=1)
    image[1250:1370, 1250:1370] = synthetic_face(120, seed=2)  # the face itself is 60 pixels wide
    assert len(detect_faces(image)) == 1
    large, small = detect_faces(image, thorough=True)
    assert 40 < small.box[2] - small.box[0] < 80 < large.box[2] - large.box[0]


def test_search_starts_by_itself_where_a_first_look_shows_nobody():
    image = np.full((1500, 1500, 3), 120, np.uint8)
    image[1250:1370, 1250:1370] = synthetic_face(120, seed=2)
    assert not landmarks._detect(image, 6)
    (face,) = detect_faces(image)
    (alone,) = detect_faces(synthetic_face(120, seed=2))
    assert bias(face, alone.points + 1250) < 0.03


@pytest.mark.parametrize("cell", [128, 200])
def test_each_of_forty_faces_is_found_once(cell):
    faces = detect_faces(crowd(5, 8, cell), max_faces=60, thorough=True)
    cells = {tuple((face.points.mean(axis=0) // cell).astype(int).tolist()) for face in faces}
    assert len(faces) == len(cells) == 40


def test_one_face_is_one_face_however_thorough():
    assert len(detect_faces(synthetic_face(512, seed=3), max_faces=20, thorough=True)) == 1


def test_no_face_gives_an_empty_list():
    noise = np.random.default_rng(1).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    for image in (np.zeros((64, 64, 3), np.uint8), noise, np.full((1, 1, 3), 200, np.uint8)):
        assert detect_faces(image) == []


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1), (40, 40000), (2, 2)])
def test_odd_shapes_are_pictures_too(shape):
    assert detect_faces(np.full((*shape, 3), 90, np.uint8)) == []


def test_upside_down_mesh_is_doubted():
    image = synthetic_face(256, seed=4)
    (face,) = detect_faces(image)
    assert face.score > landmarks.DOUBT
    flipped = 255 - face.points  # the mesh of a face that stands on its head
    assert likeness(image, flipped) < landmarks.DOUBT
    assert landmarks._is_doubtful(replace(face, score=likeness(image, flipped)))
    assert not landmarks._is_doubtful(face)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 3)),
        np.zeros((0, 5, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(image):
    with pytest.raises(ArrayError):
        detect_faces(image)


@pytest.mark.parametrize("max_faces", [0, -1, 101])
def test_max_faces_has_bounds(max_faces):
    with pytest.raises(ArrayError, match="max_faces"):
        detect_faces(np.zeros((5, 5, 3), np.uint8), max_faces=max_faces)


def same(a, b):
    return a.points.tobytes() + a.pose.tobytes() + a.depth.tobytes() == (
        b.points.tobytes() + b.pose.tobytes() + b.depth.tobytes()
    ) and (a.score, a.box, dict(a.blendshapes)) == (b.score, b.box, dict(b.blendshapes))


@pytest.mark.parametrize("thorough", [False, True])
def test_same_picture_gives_the_same_bits_and_stays_untouched(thorough):
    image = synthetic_face(200, seed=8)
    before = image.copy()
    image.setflags(write=False)
    (first,), (again,) = (detect_faces(image, thorough=thorough) for _ in range(2))
    assert same(first, again)
    np.testing.assert_array_equal(image, before)


def test_a_view_of_an_array_gives_what_its_copy_gives():
    image = synthetic_face(200, seed=8)
    (strided,), (copied,) = detect_faces(image[:, ::-1]), detect_faces(image[:, ::-1].copy())
    assert same(strided, copied)


def test_threads_find_the_same_each_with_its_own_landmarker():
    images = [synthetic_face(160, seed=seed) for seed in range(4)]
    alone = [detect_faces(image)[0] for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: detect_faces(image)[0], images * 2))
    assert all(same(a, b) for a, b in zip(alone * 2, together, strict=True))


def test_landmarker_closes_with_its_thread():
    seen = []

    def work():
        detect_faces(synthetic_face(96))
        (held,) = vars(tasks._local).values()
        seen.append(held._finalizer)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not seen[0].alive


def test_closed_landmarkers_start_again():
    image = synthetic_face(96)
    (first,) = detect_faces(image)
    close_tasks()
    assert not vars(tasks._local)
    assert same(first, detect_faces(image)[0])


FORK = """
import os, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of a fork beside threads
from facekit import detect_faces, synthetic_face
image = synthetic_face(128)
(before,) = detect_faces(image)
child = os.fork()
if not child:
    (after,) = detect_faces(image)
    os._exit(7 if (after.points == before.points).all() else 8)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert len(detect_faces(image)) == 1
print("both")
"""


def test_child_of_a_process_that_has_detected_detects_too():
    assert run(FORK) == (0, "both\n", "")


QUIET = "from facekit import detect_faces, synthetic_face; print(len(detect_faces(synthetic_face(128))))"


def test_nothing_is_chattered_even_with_a_landmarker_open_at_exit():
    assert run(QUIET) == (0, "1\n", "")


def test_nothing_is_chattered_where_no_home_is_writable(tmp_path):
    nowhere = tmp_path / "file"
    nowhere.touch()
    hidden = {"MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    assert run(QUIET, env=env | {"HOME": str(nowhere)}) == (0, "1\n", "")


@pytest.mark.skipif(
    (3, 13) <= sys.version_info < (3, 13, 3),
    reason="this Python itself complains at exit of threads it did not start; mended in 3.13.3",
)
def test_exit_is_clean_with_threads_that_have_detected():
    code = (
        "import threading; from facekit import detect_faces, synthetic_face\n"
        "work = lambda: detect_faces(synthetic_face(128))\n"
        "work(); thread = threading.Thread(target=work); thread.start(); thread.join()\n"
    )
    assert run(code) == (0, "", "")


def test_failure_to_start_is_named_and_shows_what_was_muted(monkeypatch, capfd):
    def fail(_):
        os.write(2, b"native words\n")
        raise RuntimeError("no graph")

    monkeypatch.setattr(
        tasks.mediapipe().tasks.vision.FaceLandmarker, "create_from_options", staticmethod(fail)
    )
    close_tasks()
    with pytest.raises(ModelError, match="facekit doctor"):
        detect_faces(np.zeros((8, 8, 3), np.uint8))
    assert "native words" in capfd.readouterr().err


def test_stderr_works_again_after_it_was_muted(capfd):
    with tasks.muted_stderr():
        os.write(2, b"hidden\n")
    os.write(2, b"shown\n")
    assert capfd.readouterr().err == "shown\n"


# -- the pin: MediaPipe cannot reach the network ----------------------------------------------


def dynamic_symbols(data):
    """Names in the .dynsym tables of a 64-bit little-endian ELF file."""
    assert data[:6] == b"\x7fELF\x02\x01"
    start, size, count = (struct.unpack_from("<Q", data, 40)[0], *struct.unpack_from("<HH", data, 58))
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, start + index * size) for index in range(count)]
    names = set()
    for _, kind, _, _, offset, length, link, _, _, entry in sections:
        if kind == 11:  # SHT_DYNSYM
            text = sections[link][4]
            for place in range(offset, offset + length, entry):
                first = text + struct.unpack_from("<I", data, place)[0]
                names.add(data[first : data.index(b"\0", first)].decode())
    return names


@pytest.mark.clause("1.2.3a", partly="the landmarker's library has no network code")
def test_mediapipes_native_library_knows_no_network_call():
    (library,) = (Path(find_spec("mediapipe").origin).parent / "tasks").rglob("libmediapipe.so")
    names = dynamic_symbols(library.read_bytes())
    assert {"malloc", "pthread_create"} <= names  # so the reader reads
    assert not names & NETWORK


def test_symbol_reader_sees_network_calls_where_there_are_some(require):
    import _socket

    path = getattr(_socket, "__file__", None)
    require("elf", path is not None, "this Python has its socket module built in")
    assert {"socket", "connect"} <= dynamic_symbols(Path(path).read_bytes())


# Kills the process on socket, connect, sendto, sendmsg or recvfrom; see seccomp(2).
WALL = """
import ctypes, platform, struct, sys
calls = {
    "x86_64": (0xC000003E, (41, 42, 44, 45, 46, 307)),
    "aarch64": (0xC00000B7, (198, 203, 206, 207, 211)),
}
arch, numbers = calls[platform.machine()]
rules = [(0x20, 0, 0, 4), (0x15, 1, 0, arch), (0x06, 0, 0, 0x80000000), (0x20, 0, 0, 0)]
for left, number in zip(range(len(numbers), 0, -1), numbers):
    rules.append((0x15, left, 0, number))
rules += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x80000000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *rule) for rule in rules))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("rules", ctypes.c_void_p)]
program = Program(len(rules), ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
    sys.exit(99)
"""


@pytest.mark.clause("1.2.3a", "1.2.2(2)", partly="finding a face makes no network call")
def test_detection_makes_no_network_call(require):
    control, _, _ = run(WALL + "import socket; socket.socket()")
    require("seccomp", control != 99, "this kernel lets nobody filter system calls")
    assert control == -31  # SIGSYS: the filter bites
    assert run(WALL + QUIET) == (0, "1\n", "")


def test_filter_lets_everything_else_through(require):
    status, said, _ = run(WALL + "print('here')")
    require("seccomp", status != 99, "this kernel lets nobody filter system calls")
    assert (status, said) == (0, "here\n")


def test_pictures_are_not_resampled_by_opencv_threads_into_other_bits():
    image = synthetic_face(200, seed=8)
    threads = cv2.getNumThreads()
    (many,) = detect_faces(image, thorough=True)
    try:
        cv2.setNumThreads(1)
        (one,) = detect_faces(image, thorough=True)
    finally:
        cv2.setNumThreads(threads)
    assert same(many, one)
