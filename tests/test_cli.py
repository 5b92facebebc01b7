"""The command: what it prints, what it writes, what it refuses, and how it ends."""

import errno
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import facekit
from facekit.cli import app
from facekit.cli.base import CommandError, explain, shown
from facekit.cli.files import check_target, save_bytes
from facekit.cli.landmarks import mesh_document
from facekit.cli.overlay import draw_overlay
from facekit.codec import read_image, write_image
from facekit.errors import NoFaceError
from facekit.values import EffectResult

HEAVY = {"cryptography", "cv2", "scipy", "numba", "mediapipe", "matplotlib", "PIL", "numpy"}
COMMANDS = (
    *(
        "swap",
        *facekit.EFFECTS,
        "effects",
        "landmarks",
        "seal",
        "key",
        "open",
        "receipt",
        "residue",
        "proof",
        "templates",
        "samples",
        "models",
        "doctor",
        "demo",
    ),
)


def facekit_command(*args, env=None, **options):
    """Run the real command in a process of its own."""
    command = [sys.executable, "-m", "facekit", *map(str, args)]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=120, **options
    )


def run_patched(code, *args, env=None):
    """Run the command in a process of its own, after `code` has changed something in it."""
    start = [sys.executable, "-c", f"{code}\nfrom facekit.cli import app\napp()"]
    return subprocess.run(
        [*start, *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        check=False,
    )


def invoke(*args):
    """Run the command in this process, which is quicker."""
    result = CliRunner().invoke(app, [*map(str, args)])
    return subprocess.CompletedProcess(args, result.exit_code, result.stdout, result.stderr)


def only_line(run):
    """Return what the command said on standard error, after making sure that it is one plain line."""
    assert "Traceback" not in run.stderr
    assert run.stderr.startswith("facekit: ")
    assert run.stderr.count("\n") == 1
    return run.stderr


@pytest.fixture(scope="session")
def portrait(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "portrait.png"
    write_image(path, facekit.synthetic_face(256))
    return path


@pytest.fixture(scope="session")
def faces(portrait):
    return facekit.detect_faces(read_image(portrait))


@pytest.fixture
def blank(tmp_path):
    path = tmp_path / "blank.png"
    write_image(path, np.full((80, 80, 3), 128, np.uint8))
    return path


# -- help ----------------------------------------------------------------------------------


def test_help_loads_no_heavy_library():
    code = (
        "import sys, json; from facekit.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit as end: print(json.dumps([end.code, sorted(sys.modules)]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    status, loaded = json.loads(run.stdout.splitlines()[-1])
    assert status == 0
    assert not HEAVY & set(loaded)


def test_version_is_that_of_the_package():
    assert facekit_command("--version").stdout == f"facekit {facekit.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_speaks_json(command):
    run = CliRunner().invoke(app, [command, "--help"], terminal_width=120)
    assert run.exit_code == 0
    assert "--json" in run.output


@pytest.mark.parametrize("command", ["swap", "landmarks", *facekit.EFFECTS])
def test_picture_commands_show_examples(command):
    assert f"facekit {command} --batch" in CliRunner().invoke(app, [command, "--help"]).output


# -- landmarks -----------------------------------------------------------------------------


def test_landmarks_prints_a_row_for_each_face(portrait):
    run = facekit_command("landmarks", portrait)
    assert run.returncode == 0
    assert run.stdout.startswith("1 face in 256 x 256 pixels\n")
    assert all(title in run.stdout for title in ("Yaw°", "Pitch°", "Roll°", "Width"))
    assert run.stderr == ""


def test_landmarks_writes_arrays(portrait, faces, tmp_path):
    out = tmp_path / "mesh.npz"
    assert invoke("landmarks", portrait, "-o", out).returncode == 0
    with np.load(out, allow_pickle=False) as arrays:
        shapes = {name: arrays[name].shape for name in arrays.files}
        assert shapes == {
            "points": (1, 478, 2),
            "ibug68": (1, 68, 2),
            "depth": (1, 478),
            "blendshapes": (1, 52),
            "blendshape_names": (52,),
            "pose": (1, 4, 4),
            "box": (1, 4),
            "score": (1,),
            "image_size": (2,),
        }
        np.testing.assert_array_equal(arrays["points"][0], faces[0].points)


def test_landmarks_writes_json_that_agrees_with_the_mesh(portrait, faces, tmp_path):
    out = tmp_path / "mesh.json"
    assert invoke("landmarks", portrait, "-o", out).returncode == 0
    (written,) = json.loads(out.read_text())["faces"]
    np.testing.assert_allclose(written["points"], faces[0].points, atol=1e-3)
    np.testing.assert_allclose(written["ibug68"], faces[0].ibug68(), atol=1e-3)
    assert written["blendshapes"].keys() == dict(faces[0].blendshapes).keys()


def test_json_reply_holds_no_mesh_even_when_one_is_written(portrait, tmp_path):
    out = tmp_path / "mesh.json"
    reply = json.loads(invoke("landmarks", portrait, "-o", out, "--json").stdout)
    assert reply == {"image_size": [256, 256], "count": 1, "output": str(out)}
    (face,) = json.loads(invoke("landmarks", portrait, "--json").stdout)["faces"]
    assert face.keys() == {"box", "yaw", "pitch", "roll"}


def test_angles_follow_the_head():
    turned = facekit.detect_faces(facekit.synthetic_face(256, yaw=20.0, roll=10.0))
    image = np.zeros((256, 256, 3), np.uint8)
    straight = facekit.detect_faces(facekit.synthetic_face(256))
    before, after = (mesh_document(image, found)["faces"][0]["angles"] for found in (straight, turned))
    assert abs(after["yaw"] - before["yaw"] - 20) < 8
    assert abs(after["roll"] - before["roll"] - 10) < 4
    assert abs(after["pitch"] - before["pitch"]) < 8


def test_overlay_changes_the_face_only(portrait, faces):
    image = np.repeat(np.repeat(read_image(portrait), 3, 0), 3, 1)
    mesh = facekit.detect_faces(image)
    drawn = draw_overlay(image, mesh)
    x0, y0, x1, y1 = mesh[0].box
    changed = (drawn[: image.shape[0]] != image).any(axis=2)
    rows, cols = np.nonzero(changed)
    assert drawn.shape[1] == image.shape[1]
    assert x0 - 8 <= cols.min() < cols.max() <= x1 + 8
    assert y0 - 8 <= rows.min() < rows.max() <= y1 + 8


def test_overlay_enlarges_a_small_face_until_it_can_be_read(portrait, faces):
    drawn = draw_overlay(read_image(portrait), faces)
    factor = drawn.shape[1] // 256
    assert drawn.shape[1] == factor * 256
    assert factor * (faces[0].box[3] - faces[0].box[1]) >= 320


def test_overlay_numbers_faces_only_where_there_are_several(portrait, faces):
    image = read_image(portrait)
    corner = np.s_[: int(faces[0].box[1]) * 3 - 6]
    alone = draw_overlay(image, faces)
    both = draw_overlay(image, [faces[0], faces[0]])
    assert alone.shape == both.shape
    assert (alone[corner] != both[corner]).any()


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_overlay_is_written_in_the_format_of_its_name(portrait, tmp_path, suffix):
    out = tmp_path / f"overlay.{suffix}"
    assert invoke("landmarks", portrait, "-o", out).returncode == 0
    magic = {"png": b"\x89PNG", "jpg": b"\xff\xd8\xff", "webp": b"RIFF"}[suffix]
    assert out.read_bytes().startswith(magic)


# -- swap ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("templates") / "template.png"
    write_image(path, facekit.synthetic_face(300, seed=4, yaw=5.0))
    return path


def test_swap_writes_what_swap_face_makes(portrait, template, tmp_path):
    run = facekit_command("swap", portrait, "-t", template, "-o", tmp_path / "out.png", "--json")
    assert run.returncode == 0
    assert run.stderr == ""
    reply = json.loads(run.stdout)
    assert reply.keys() == {"output", "width", "height", "timings"}
    assert (reply["width"], reply["height"]) == (300, 300)
    expected = facekit.swap_face(read_image(portrait), facekit.load_template(template))
    np.testing.assert_array_equal(read_image(reply["output"]), expected.image)
    assert reply["timings"].keys() == expected.timings.keys()


def test_every_dial_of_swap_reaches_swap_face(portrait, template, tmp_path, monkeypatch):
    seen = {}

    def record(photo, template, **options):
        seen.update(options)
        return EffectResult(photo, np.zeros(photo.shape[:2], np.bool_), (), {})

    monkeypatch.setattr("facekit.swap.swap_face", record)
    dials = "--face 1 --slot 2 --shape .25 --features .5 --colour .75 --keep-mouth no --gaze photo"
    assert invoke("swap", portrait, "-t", template, "-o", tmp_path / "o.png", *dials.split()).returncode == 0
    assert seen == {
        "face": 1,
        "slot": 2,
        "shape": 0.25,
        "features": 0.5,
        "colour": 0.75,
        "keep_mouth": False,
        "gaze": "photo",
    }


def test_unknown_template_is_answered_with_the_known_ones(portrait, tmp_path):
    run = invoke("swap", portrait, "-t", "no-such-thing", "-o", tmp_path / "out.png")
    assert run.returncode == 3
    assert "no-such-thing" in only_line(run)
    assert "stamp" in run.stderr


@pytest.mark.parametrize("option", ["--face", "--slot"])
def test_face_and_slot_that_are_not_there_are_bad_input(portrait, template, tmp_path, option):
    run = invoke("swap", portrait, "-t", template, "-o", tmp_path / "out.png", option, "7")
    assert run.returncode == 3
    assert "7 was asked for" in only_line(run)
    assert list(tmp_path.iterdir()) == []


def test_template_without_a_face_is_named_as_the_culprit(portrait, blank, tmp_path):
    run = invoke("swap", portrait, "-t", blank, "-o", tmp_path / "out.png")
    assert run.returncode == 3
    assert only_line(run).startswith(f"facekit: template {blank}: ")


# -- refusals ------------------------------------------------------------------------------


def test_no_face_is_bad_input_with_one_line(blank, tmp_path):
    run = facekit_command("landmarks", blank, "-o", tmp_path / "mesh.npz")
    assert run.returncode == 3
    assert "no face" in only_line(run)
    assert list(tmp_path.iterdir()) == [blank]


def test_broken_picture_is_bad_input_and_named(tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 nothing more")
    run = invoke("landmarks", broken)
    assert run.returncode == 3
    assert str(broken) in only_line(run)


def test_missing_photo_is_bad_input(tmp_path):
    run = invoke("landmarks", tmp_path / "none.png")
    assert run.returncode == 3
    assert "no such file" in only_line(run)


def test_folder_as_photo_points_to_batch(tmp_path):
    run = invoke("landmarks", tmp_path)
    assert run.returncode == 3
    assert "--batch" in only_line(run)


def test_json_reply_carries_the_error_too(blank):
    run = invoke("landmarks", blank, "--json")
    assert run.returncode == 3
    error = json.loads(run.stdout)["error"]
    assert error["kind"] == "NoFaceError"
    assert error["message"] in only_line(run)


def test_unknown_extension_is_refused_before_the_work_with_the_known_ones(tmp_path):
    unreadable = tmp_path / "text.png"
    unreadable.write_text("no picture")
    run = invoke("landmarks", unreadable, "-o", tmp_path / "mesh.csv")
    assert run.returncode == 2
    line = only_line(run)
    assert ".csv" in line
    assert all(known in line for known in (".npz", ".json", ".png", ".jpg"))


def test_existing_output_is_refused_before_the_work_and_kept(tmp_path):
    unreadable, out = tmp_path / "text.png", tmp_path / "mesh.npz"
    unreadable.write_text("no picture")
    out.write_text("precious")
    run = invoke("landmarks", unreadable, "-o", out)
    assert run.returncode == 3
    assert "--force" in only_line(run)
    assert out.read_text() == "precious"


def test_force_overwrites(portrait, tmp_path):
    out = tmp_path / "mesh.json"
    out.write_text("old")
    assert invoke("landmarks", portrait, "-o", out, "--force").returncode == 0
    assert json.loads(out.read_text())["faces"]


def test_failure_with_force_keeps_the_old_output(blank, tmp_path):
    out = tmp_path / "mesh.json"
    out.write_text("old")
    assert invoke("landmarks", blank, "-o", out, "--force").returncode == 3
    assert out.read_text() == "old"


def test_missing_output_folder_is_named(portrait, tmp_path):
    run = invoke("landmarks", portrait, "-o", tmp_path / "none" / "mesh.npz")
    assert run.returncode == 3
    assert "no such folder" in only_line(run)


def test_output_that_is_the_input_is_refused_even_with_force(portrait, tmp_path):
    photo, link = tmp_path / "photo.png", tmp_path / "link.png"
    photo.write_bytes(portrait.read_bytes())
    link.symlink_to(photo)
    for out in (photo, link):
        run = invoke("landmarks", photo, "-o", out, "--force")
        assert run.returncode == 2
        assert "this is the input" in only_line(run)
    assert photo.read_bytes() == portrait.read_bytes()


def test_devices_and_folders_are_never_replaced(tmp_path):
    folder = tmp_path / "out.png"
    folder.mkdir()
    with pytest.raises(CommandError, match="not an ordinary file"):
        check_target(folder, known={".png"}, force=True)
    with pytest.raises(CommandError, match="not an ordinary file"):
        save_bytes(folder, b"", force=True)


@pytest.mark.parametrize(
    "args",
    [
        ["frobnicate"],
        ["landmarks"],
        ["landmarks", "a.png", "--batch", "b"],
        ["landmarks", "a.png", "--workers", "2"],
        ["landmarks", "--batch", "."],
        ["swap", "a.png", "-o", "b.png"],
        ["swap", "a.png", "--template", "t"],
        ["swap", "a.png", "--template", "t", "-o", "b.png", "--face", "-1"],
        ["swap", "a.png", "--template", "t", "-o", "b.png", "--shape", "2"],
        ["swap", "a.png", "--template", "t", "-o", "b.png", "--keep-mouth", "maybe"],
        ["swap", "a.png", "--template", "t", "-o", "b.exe"],
    ],
)
def test_wrong_usage_ends_with_2(args):
    assert CliRunner().invoke(app, args).exit_code == 2


# -- writing -------------------------------------------------------------------------------


def test_saving_does_not_replace_what_appeared_meanwhile(tmp_path, monkeypatch):
    out = tmp_path / "a.bin"
    monkeypatch.setattr("facekit.cli.files._check_free", lambda *_, **__: None)
    out.write_bytes(b"theirs")
    with pytest.raises(CommandError, match="already there"):
        save_bytes(out, b"ours", force=False)
    assert out.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [out]


def test_full_disk_leaves_nothing_and_says_so(tmp_path, monkeypatch):
    def fill(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fill)
    with pytest.raises(CommandError, match=r"cannot be written \(No space left"):
        save_bytes(tmp_path / "a.bin", b"x", force=False)
    assert list(tmp_path.iterdir()) == []


# -- defects, signals, pipes ---------------------------------------------------------------

BOOM = """
import facekit.codec
def boom(path):
    secret = 40 + 2
    raise ZeroDivisionError
facekit.codec.read_image = boom
"""
SLEEP = """
import facekit.codec, time
facekit.codec.read_image = lambda path: (print("ready", flush=True), time.sleep(60))
"""


def test_defect_ends_with_1_and_one_line(portrait):
    run = run_patched(BOOM, "landmarks", portrait)
    assert run.returncode == 1
    assert "defect" in only_line(run)
    assert "FACEKIT_DEBUG=1" in run.stderr


@pytest.mark.clause("1.3.2(3)", partly="the trace of a crash holds no values")
def test_debugging_shows_where_but_never_the_values(portrait):
    run = run_patched(BOOM, "landmarks", portrait, env={"FACEKIT_DEBUG": "1"})
    assert run.returncode == 1
    assert "Traceback" in run.stderr
    assert run.stderr.count("in boom") == 1
    assert "42" not in run.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_quietly_and_leaves_nothing(portrait, tmp_path, number, status):
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"{SLEEP}from facekit.cli import app\napp()",
            "landmarks",
            portrait,
            "-o",
            "a.npz",
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stderr.read() == ""
    assert process.returncode == status
    assert list(tmp_path.iterdir()) == []


def test_closed_pipe_is_no_error():
    with subprocess.Popen(
        [sys.executable, "-m", "facekit", "samples", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.close()
        complaint = process.stderr.read()
    assert complaint == ""
    assert process.returncode == 141


def test_missing_library_sends_to_the_doctor(portrait):
    run = run_patched("import sys; sys.modules['cv2'] = None\n", "landmarks", portrait)
    assert run.returncode == 3
    assert "facekit doctor" in only_line(run)


def test_memory_error_is_bad_input():
    assert explain(MemoryError()).code == 3
    assert explain(NoFaceError("nobody")).code == 3
    assert explain(ImportError("x", name="facekit.swap")).code == 1
    assert explain(KeyError("x")).code == 1


def test_file_names_cannot_steer_the_terminal(tmp_path):
    name = "a\x1b[31m\nfacekit: all is well.png"
    run = facekit_command("landmarks", tmp_path / name)
    assert run.returncode == 3
    assert "\x1b" not in only_line(run)
    assert shown("a\x1b\n\udcff") == r"a\x1b\n\udcff"


# -- lists ---------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["templates", "samples", "models"])
def test_lists_give_name_and_licence(command):
    run = invoke(command, "--json")
    assert run.returncode == 0
    rows = json.loads(run.stdout)[command]
    assert rows
    assert all(row["name"] and row["licence"] for row in rows)
    shown_names = invoke(command).stdout
    assert all(row["name"] in shown_names for row in rows)


def test_altered_model_is_listed_as_such(tmp_path):
    (tmp_path / "face_landmarker.task").write_bytes(b"another")
    run = facekit_command("models", "--json", env={"FACEKIT_MODELS": str(tmp_path)})
    states = {row["name"]: row["state"] for row in json.loads(run.stdout)["models"]}
    assert states["face_landmarker"] == "altered"
    assert states["selfie_segmenter"] == "right"


def test_altered_model_stops_the_work_with_advice(portrait, tmp_path):
    (tmp_path / "face_landmarker.task").write_bytes(b"another")
    run = facekit_command("landmarks", portrait, env={"FACEKIT_MODELS": str(tmp_path)})
    assert run.returncode == 3
    assert "FACEKIT_MODELS" in only_line(run)
