"""The search finds what is left wherever it lies, says what it could not read, and is never clean by luck."""

import base64
import bz2
import gzip
import io
import json
import lzma
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import zipfile
import zlib
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from facekit import canaries_of, encode_image, find_residue, residue, stored, unpack
from facekit.errors import ControlError, FacekitError, InputError
from facekit.needles import Seeker
from facekit.residue import usual_places
from facekit.sweep import BUFFER_SIZE

RNG = np.random.default_rng(11)
# Of 64 different bytes, so that what packs them changes every one.
UPLOAD = RNG.integers(128, 192, 20_000, np.uint8).tobytes()
PIXELS = RNG.integers(128, 192, (64, 80, 3), np.uint8)
NAME = "holiday of nobody.jpg"
CANARIES = canaries_of(upload=UPLOAD, pixels=PIXELS, name=NAME)
ROOT = os.geteuid() == 0


def search(*folders, canaries=CANARIES, **options):
    return find_residue(canaries, folders=folders, usual=False, **options)


def kinds(report):
    return {(hit.kind, hit.form) for hit in report.hits}


@contextmanager
def child(code, *, wait=True, **options):
    """Run Python code in a process of its own that says when it is ready; it gets the upload on its input."""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
    )
    try:
        process.stdin.write(len(UPLOAD).to_bytes(4) + UPLOAD)
        process.stdin.flush()
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


READ = """
import mmap, os, sys, time
upload = sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(4)))
"""
READY = "\nprint('ready', flush=True)\ntime.sleep(600)\n"


# -- files --------------------------------------------------------------------------------------


def test_an_empty_folder_is_clean_and_the_report_says_what_was_searched(tmp_path):
    (tmp_path / "other.bin").write_bytes(RNG.bytes(5000))
    (tmp_path / "inner").mkdir()
    report = search(tmp_path)
    assert (report.state, report.hits, report.unread) == ("clean", (), ())
    assert (report.searched.files, report.searched.bytes, report.searched.names) == (1, 5000, 2)
    assert "an SQLite database" in report.control
    assert str(tmp_path) in report.control
    assert str(report).startswith("clean after ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inner", "other.bin"]


@pytest.mark.parametrize("start", [0, 1, 5, BUFFER_SIZE - 10_000, 3 * BUFFER_SIZE + 7])
def test_a_copy_is_found_wherever_it_lies_in_a_file(tmp_path, start):
    (tmp_path / "big").write_bytes(np.random.default_rng(start).bytes(start) + UPLOAD + bytes(100))
    report = search(tmp_path)
    assert report.state == "found"
    (hit,) = report.hits
    assert (hit.place, hit.kind, hit.form) == (str(tmp_path / "big"), "upload", "raw")
    assert hit.count == 32
    assert start <= hit.offset < start + len(UPLOAD)


def test_a_report_shows_places_and_never_what_was_found(tmp_path):
    (tmp_path / "left").write_bytes(UPLOAD)
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "inside").write_bytes(UPLOAD)
    (tmp_path / "link").symlink_to(f"/nowhere/{NAME}")
    report = search(tmp_path)
    text = str(report) + repr(report)
    assert NAME not in text
    assert not any(repr(UPLOAD[at : at + 8])[2:-1] in text for at in range(len(UPLOAD) - 8))
    places = {hit.place for hit in report.hits if hit.kind == "name"}
    assert places == {f"{tmp_path} (names in it)", f"{tmp_path}/link (what it points to)"}
    assert any(hit.kind == "upload" and hit.place.endswith("/inside") for hit in report.hits)


def gz(data):
    return gzip.compress(data[:7000]) + gzip.compress(data[7000:])


def zipped(data, name="inner.bin"):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return stream.getvalue()


def notebook(picture):
    output = {"output_type": "display_data", "data": {"image/png": base64.b64encode(picture).decode()}}
    return json.dumps({"cells": [{"cell_type": "code", "outputs": [output]}], "nbformat": 4}).encode()


# Compressible, so that the packed bytes are others.
TEXT = b"a line of a log that is much like others\n" * 300
MANY = b"".join(TEXT[:4000] + UPLOAD[at : at + 2000] for at in range(0, 20_000, 2000))


@pytest.mark.parametrize(
    ("name", "make", "wanted"),
    [
        ("log.gz", lambda: gz(MANY), ("upload", "raw")),
        ("log.bz2", lambda: bz2.compress(MANY), ("upload", "raw")),
        ("log.xz", lambda: lzma.compress(MANY), ("upload", "raw")),
        ("log.z", lambda: zlib.compress(MANY), ("upload", "raw")),
        ("log.zip", lambda: zipped(MANY), ("upload", "raw")),
        ("twice.zip", lambda: zipped(gz(MANY)), ("upload", "raw")),
        ("encoded.gz", lambda: gz(base64.b64encode(UPLOAD)), ("upload", "base64")),
        ("picture.png", lambda: encode_image(PIXELS, "png"), ("pixels", "RGB")),
        ("picture.zip", lambda: zipped(encode_image(PIXELS, "png")), ("pixels", "RGB")),
        ("arrays.npz", lambda: npz(PIXELS), ("pixels", "RGB")),
        ("seen.ipynb", lambda: notebook(encode_image(PIXELS, "png")), ("pixels", "RGB")),
        ("raw.ipynb", lambda: notebook(UPLOAD), ("upload", "base64")),
    ],
)
def test_what_lies_packed_is_found(tmp_path, name, make, wanted):
    data = make()
    (tmp_path / name).write_bytes(data)
    report = search(tmp_path)
    assert wanted in kinds(report)
    if name != "raw.ipynb":  # it could not have been found unpacked
        assert all(" » " in hit.place for hit in report.hits)


def npz(array):
    stream = io.BytesIO()
    np.savez_compressed(stream, array=np.concatenate([array, np.zeros((500, 80, 3), np.uint8)]))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("cut.gz", gzip.compress(MANY)[:-2000], "cannot be unpacked"),
        ("cut.zip", zipped(MANY)[:-2000], "cannot be unpacked"),
        ("cut.png", encode_image(PIXELS, "png")[:5000], "is a picture that cannot be decoded"),
        ("bad.ipynb", b"{}", "is no notebook"),
        ("new.zst", b"\x28\xb5\x2f\xfd" + bytes(50), "is packed by zstd"),
        ("deep.gz", gz(gz(gz(gz(MANY)))), "packed more times over"),
    ],
)
def test_what_cannot_be_unpacked_makes_the_search_incomplete(tmp_path, name, data, why):
    (tmp_path / name).write_bytes(data)
    report = search(tmp_path)
    assert report.state == "incomplete"
    assert why in report.unread[0].why


def test_a_bomb_is_given_up_and_not_taken_for_clean(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "_MOST", 5_000_000)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(20_000_000)))
    (tmp_path / "nested.zip").write_bytes(zipped(zipped(bytes(20_000_000))))
    report = search(tmp_path)
    assert [one.why for one in report.unread] == ["unpacks to more than is looked at"] * 2
    assert report.searched.bytes_unpacked < 11_000_000


def test_a_password_makes_the_search_incomplete(tmp_path):
    data = bytearray(zipped(MANY))
    data[6] |= 1  # says that the member is encrypted
    data[data.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "closed.zip").write_bytes(data)
    assert search(tmp_path).unread[0].why == "cannot be unpacked"


def test_attributes_of_files_are_searched(tmp_path, require):
    path = tmp_path / "plain"
    path.write_bytes(b"nothing")
    try:
        os.setxattr(path, "user.thumbnail", UPLOAD[:3000])
    except OSError:
        require("xattr", False, "the temporary folder's file system has no attributes")
    assert [hit.place for hit in search(tmp_path).hits] == [f"{path} (attributes)"]


def test_a_huge_sparse_file_is_searched_where_it_holds_something(tmp_path):
    with (tmp_path / "sparse").open("wb") as file:
        file.seek(2**40)
        file.write(UPLOAD)
    report = search(tmp_path)
    assert kinds(report) == {("upload", "raw")}
    assert report.hits[0].offset > 2**40
    assert report.searched.bytes < 10_000_000


def test_pipes_sockets_links_and_loops_neither_block_nor_count_as_unread(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "outside").symlink_to("/proc/self/mem")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(tmp_path / "s"))
        report = search(tmp_path)
    assert (report.state, report.searched.names) == ("clean", 4)


def test_the_kernels_own_file_systems_are_not_walked():
    report = search("/proc", "/sys", Path("/proc/self"))
    assert (report.state, report.searched.files) == ("clean", 0)


def test_names_that_are_no_text_are_searched_and_shown_in_one_line(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff\n\x1b[31m"
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(UPLOAD)
    (hit,) = search(tmp_path).hits
    assert hit.place == f"{tmp_path}/\\xff\\n\\x1b[31m"


def test_a_file_that_two_folders_show_is_read_once(tmp_path):
    (tmp_path / "a").write_bytes(UPLOAD)
    os.link(tmp_path / "a", tmp_path / "b")
    report = search(tmp_path, tmp_path, tmp_path / "a")
    assert (report.searched.files, len(report.hits)) == (1, 1)


def test_the_pattern_itself_is_left_out_under_all_its_names_but_copies_are_not(tmp_path):
    (tmp_path / "me.jpg").write_bytes(UPLOAD)
    os.link(tmp_path / "me.jpg", tmp_path / "also me.jpg")
    report = search(tmp_path, exclude=[tmp_path / "me.jpg"])
    assert (report.state, report.excluded) == ("clean", 2)
    (tmp_path / "copy").write_bytes(UPLOAD)
    assert [hit.place for hit in search(tmp_path, exclude=[tmp_path / "me.jpg"]).hits] == [
        str(tmp_path / "copy")
    ]


def test_a_file_that_vanishes_is_said_to_be_unread(tmp_path, monkeypatch):
    (tmp_path / "brief").write_bytes(UPLOAD)
    whole = residue.search_folder

    def list_then_lose(sweep, folder, **options):
        with monkeypatch.context() as patch:
            patch.setattr("facekit.stored._veiled", lambda *_: (tmp_path / "brief").unlink() or set())
            whole(sweep, folder, **options)

    monkeypatch.setattr(residue, "search_folder", list_then_lose)
    report = search(tmp_path)
    assert report.state == "incomplete"
    assert [(one.place, one.why) for one in report.unread] == [
        (str(tmp_path / "brief"), "vanished before it was read")
    ]


@pytest.mark.parametrize(("most", "why"), [(1, []), (100, ["changed all the while it was read"])])
def test_a_file_that_grows_is_read_again_but_not_for_ever(tmp_path, monkeypatch, most, why):
    log, whole, rounds = tmp_path / "log", stored._search_bytes, []

    def read_and_grow(sweep, file, place):
        size = whole(sweep, file, place)
        if place == str(log) and len(rounds) < most:
            with log.open("ab") as more:
                more.write(UPLOAD)
            rounds.append(size)
        return size

    monkeypatch.setattr(stored, "_search_bytes", read_and_grow)
    log.write_bytes(b"begun")
    report = search(tmp_path)
    assert report.state == "found"  # what came while it was read was read, too
    assert [one.why for one in report.unread] == why


POWERLESS = """
import json, sys
from facekit import canaries_of, find_residue
canaries = canaries_of(upload=sys.stdin.buffer.read())
report = find_residue(canaries, folders=[sys.argv[1]], processes=[1], usual=False)
print(json.dumps([report.state, [[one.place, one.why] for one in report.unread]]))
"""


def test_what_may_not_be_read_is_listed(tmp_path, require):
    require(
        "setpriv", not ROOT or bool(shutil.which("setpriv")), "root cannot give up its powers: no setpriv"
    )
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "secret").write_bytes(UPLOAD)
    (tmp_path / "secret").chmod(0)
    powerless = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if ROOT else []
    command = [*powerless, sys.executable, "-c", POWERLESS, tmp_path]
    run = subprocess.run(command, input=UPLOAD, capture_output=True, check=True)
    (tmp_path / "closed").chmod(0o700)
    state, unread = json.loads(run.stdout)
    assert state == "incomplete"
    assert unread == [
        [f"{tmp_path}/closed", "permission denied"],
        [f"{tmp_path}/secret", "permission denied"],
        ["process 1", "cannot be read (permission denied)"],
    ]


# -- databases ----------------------------------------------------------------------------------


@contextmanager
def database(path, **settings):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for name, value in settings.items():
            connection.execute(f"pragma {name}={value}")
        connection.execute("create table uploads (id integer primary key, photo blob)")
        yield connection


def insert_and_delete(connection):
    connection.execute("insert into uploads values (1, ?)", (UPLOAD,))
    connection.execute("delete from uploads")


def test_rows_that_sqlite_deleted_are_found_in_its_file(tmp_path):
    with database(tmp_path / "app.db", secure_delete="off", journal_mode="delete") as connection:
        insert_and_delete(connection)
        report = search(tmp_path)
    assert [hit.place for hit in report.hits] == [str(tmp_path / "app.db")]
    assert report.searched.databases == 1


def test_rows_that_sqlite_overwrote_are_not_found(tmp_path):
    with database(tmp_path / "app.db", secure_delete="on", journal_mode="truncate") as connection:
        connection.execute("insert into uploads values (1, ?)", (UPLOAD,))
        assert search(tmp_path).state == "found"
        connection.execute("delete from uploads")
        assert search(tmp_path).state == "clean"


def test_rows_are_found_in_the_write_ahead_log(tmp_path):
    with database(tmp_path / "app.db", secure_delete="on", journal_mode="wal") as connection:
        insert_and_delete(connection)
        report = search(tmp_path)
    assert str(tmp_path / "app.db-wal") in {hit.place for hit in report.hits}


@pytest.fixture(scope="module")
def postgres(require, tmp_path_factory):
    """A PostgreSQL of its own, which only listens on a socket in a folder; gives data folder and psql."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    require("postgresql", bool(found), "PostgreSQL's server is not here; Debian's package is postgresql")
    programs = found[-1].parent
    base = Path(f"/tmp/facekit-pg-{os.getpid()}")  # short, for its socket; open to its user  # noqa: S108
    become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if ROOT else []
    base.mkdir(mode=0o755)
    if ROOT:
        subprocess.run(["chown", "postgres", base], check=True)

    def run(*command, **options):
        return subprocess.run(
            [*become, *map(str, command)], check=True, capture_output=True, cwd="/", timeout=120, **options
        )

    data = base / "data"
    try:
        run(programs / "initdb", "-D", data, "-A", "trust", "-U", "facekit", "--no-sync", "-E", "UTF8")
        settings = f"-c listen_addresses= -c unix_socket_directories={base} -c autovacuum=off -c fsync=off"
        run(programs / "pg_ctl", "-D", data, "-o", settings, "-l", base / "log", "-w", "start")
        yield data, lambda sql: run(
            programs / "psql", "-h", base, "-U", "facekit", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-Atq",
            input=sql.encode(),
        )  # fmt: skip
        run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        subprocess.run(["rm", "-rf", base], check=True)


def test_a_row_that_postgresql_deleted_is_found_in_its_write_ahead_log(postgres):
    data, psql = postgres
    psql("create table uploads (photo bytea); checkpoint;")
    assert search(data).state == "clean"
    psql(f"insert into uploads values ('\\x{UPLOAD.hex()}')")  # noqa: S608 (our own)
    psql("checkpoint; delete from uploads; checkpoint;")
    places = {hit.place.removeprefix(str(data)).split("/")[1] for hit in search(data).hits}
    assert places == {"base", "pg_wal"}  # the table's file, and the log
    psql("vacuum full uploads; checkpoint;")
    places = {hit.place.removeprefix(str(data)).split("/")[1] for hit in search(data).hits}
    assert places == {"pg_wal"}


# -- processes ----------------------------------------------------------------------------------


def processes(*pids, canaries=CANARIES):
    return find_residue(canaries, processes=pids, usual=False)


def test_a_process_that_holds_the_photo_is_found_and_another_is_clean():
    with child(READ + READY) as holder, child("import sys, time" + READY) as other:
        report = processes(holder.pid)
        assert {hit.place for hit in report.hits} == {f"process {holder.pid}"}
        assert report.searched.processes == 1
        assert report.searched.bytes_of_memory > 1_000_000
        assert processes(other.pid).state == "clean"


def test_a_photo_that_was_let_go_of_may_still_be_there_and_one_that_was_overwritten_is_not():
    with child(READ + "del upload" + READY) as careless:
        assert processes(careless.pid).state == "found"
    wiping = (
        "import sys, time\nsize = 20000\nupload = bytearray(size)\nview = memoryview(upload)\n"
        "raw = open(0, 'rb', buffering=0)\nraw.read(4)\ngot = 0\n"
        "while got < size: got += raw.readinto(view[got:])\n"
    )
    with child(wiping + READY) as holder:
        assert processes(holder.pid).state == "found"
    with child(wiping + "upload[:] = bytes(size)" + READY) as careful:
        assert processes(careful.pid).state == "clean"


def test_a_process_that_held_the_photo_and_ended_leaves_nothing_and_is_not_clean():
    with child(READ + READY) as holder:
        assert processes(holder.pid).state == "found"
        holder.kill()
        holder.wait()
        report = processes(holder.pid)
    assert (report.state, report.hits) == ("incomplete", ())
    assert [(one.place, one.why) for one in report.unread] == [(f"process {holder.pid}", "is no process")]


def test_a_process_that_ends_meanwhile_is_said_to(monkeypatch):
    from facekit import running

    with child("import sys, time" + READY) as brief:
        whole = running._search_words

        def end_it(sweep, folder, place):
            if folder.name == str(brief.pid):
                brief.kill()
                brief.wait()
            whole(sweep, folder, place)

        monkeypatch.setattr(running, "_search_words", end_it)
        report = processes(brief.pid)
    assert [one.why for one in report.unread] == ["ended while it was searched"]


@pytest.mark.parametrize(
    "hold",
    [
        "file = os.memfd_create('held'); os.write(file, upload)",
        "file = open(sys.argv[0] + '.held', 'w+b'); file.write(upload); file.flush(); os.unlink(file.name)",
        "area = mmap.mmap(-1, 1 << 20); area[100:100 + len(upload)] = upload",
    ],
)
def test_what_only_a_process_still_holds_is_found(hold, tmp_path):
    with child(f"{READ}sys.argv = [{str(tmp_path / 'x')!r}]\n{hold}{READY}") as holder:
        places = {hit.place.partition(" (")[2] for hit in processes(holder.pid).hits}
    assert "" in places
    assert len(places) == 2 or "mmap" in hold


def test_arguments_and_environment_are_searched():
    with child("import time" + READY, env={**os.environ, "PHOTO": NAME}) as holder:
        assert f"process {holder.pid} (environ)" in {hit.place for hit in processes(holder.pid).hits}


def test_who_holds_only_canaries_is_not_found_to_hold_a_photo():
    """The command chooses canaries in a process of its own, and so never holds the photo itself."""
    code = (
        "import json, os, sys\nfrom pathlib import Path\n"
        "from facekit import find_residue\nfrom facekit.cli.residue import _canaries\n"
        "if __name__ == '__main__':\n"
        "    report = find_residue(_canaries([Path(sys.argv[1])]), processes=[os.getpid()], usual=False)\n"
        "    print(json.dumps([report.state, [hit.place for hit in report.hits]]))\n"
    )
    path = Path("/dev/shm") / f"facekit-{os.getpid()}.bin"  # noqa: S108
    path.write_bytes(UPLOAD)
    try:
        run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    finally:
        path.unlink()
    assert json.loads(run.stdout) == ["clean", []]


# -- the control --------------------------------------------------------------------------------


def test_a_matcher_that_finds_nothing_ends_in_an_error(tmp_path, monkeypatch):
    (tmp_path / "left").write_bytes(UPLOAD)
    nothing = np.zeros(0, np.int64)
    monkeypatch.setattr(Seeker, "find", lambda *_: (nothing, nothing))
    with pytest.raises(ControlError, match="planted in its own memory"):
        search(tmp_path)


def test_a_matcher_that_misses_one_pattern_ends_in_an_error(tmp_path, monkeypatch):
    whole = Seeker.find

    def all_but_one(self, length):
        positions, which = whole(self, length)
        return positions[which != 7], which[which != 7]

    monkeypatch.setattr(Seeker, "find", all_but_one)
    with pytest.raises(ControlError, match="missed 1 of"):
        search(tmp_path)


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        ("facekit.stored.unpack", "a file: gz"),
        ("facekit.stored.search_file", "a file: file"),
        ("facekit.stored._veiled", "a file name"),
        ("facekit.controls.search_process", "the memory of a child process"),
        ("facekit.running._search_memory", "the memory of a child process"),
    ],
)
def test_a_part_of_the_search_that_does_nothing_ends_in_an_error(tmp_path, monkeypatch, broken, where):
    monkeypatch.setattr(broken, lambda *_, **__: True if broken.endswith("memory") else set())
    with pytest.raises(ControlError, match=where):
        search(tmp_path)


def test_borders_between_readings_are_part_of_the_control(tmp_path, monkeypatch):
    monkeypatch.setattr("facekit.sweep.LONGEST", 1)  # nothing is kept for the next part
    with pytest.raises(ControlError, match="a file: file"):
        search(tmp_path)


def test_a_failed_control_and_an_interrupted_one_leave_nothing_planted(tmp_path, monkeypatch):
    monkeypatch.setattr("facekit.stored.unpack", lambda *_: None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(ControlError):
        search(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options",
    [{}, {"folders": ["/nowhere at all"]}, {"processes": [1], "exclude": ["/nowhere at all"]}],
)
def test_a_search_of_nothing_is_refused(options):
    with pytest.raises(InputError):
        find_residue(CANARIES, usual=False, **options)


def test_the_error_belongs_to_the_tree():
    assert issubclass(ControlError, FacekitError)


# -- usual places -------------------------------------------------------------------------------


def test_usual_places_are_those_where_things_are_left(tmp_path, monkeypatch):
    for name in ("tmp", "cache", "data/jupyter/runtime", "work/.ipynb_checkpoints", "ipython"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("JUPYTER_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("JUPYTER_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path / "work")
    places = set(usual_places())
    names = ("tmp", "cache", "data/jupyter/runtime", "work/.ipynb_checkpoints", "ipython")
    assert {tmp_path / name for name in names} <= places
    assert Path("/tmp") in places  # noqa: S108


def test_swap_that_can_be_read_is_and_swap_that_cannot_is_listed(tmp_path, monkeypatch):
    (tmp_path / "swap").write_bytes(bytes(5000) + UPLOAD)
    monkeypatch.setattr(residue, "usual_places", lambda: (tmp_path / "empty",))
    monkeypatch.setattr(residue, "_swaps", lambda: [tmp_path / "swap", tmp_path / "gone"])
    (tmp_path / "empty").mkdir()
    report = find_residue(CANARIES)
    assert [hit.place for hit in report.hits] == [f"swap {tmp_path / 'swap'}"]
    assert [one.place for one in report.unread] == [f"swap {tmp_path / 'gone'}"]


def test_crash_dumps_in_a_processs_folder_are_searched(tmp_path, monkeypatch):
    monkeypatch.setattr(residue, "_core_pattern", lambda: "core")
    monkeypatch.setattr(residue, "usual_places", tuple)
    (tmp_path / "core.77").write_bytes(UPLOAD)
    (tmp_path / "other").write_bytes(UPLOAD)
    with child("import time" + READY, cwd=tmp_path) as holder:
        report = find_residue(CANARIES, processes=[holder.pid])
    assert [hit.place for hit in report.hits] == [str(tmp_path / "core.77")]
