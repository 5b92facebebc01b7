"""Files are there whole or not at all, whatever happens while they are written."""

import os
import subprocess
import sys

import pytest

from facekit.files import save_whole, user_cache


def no_links(*_):
    raise PermissionError(1, "no hard links here")


@pytest.mark.parametrize("link", [os.link, no_links])
def test_a_new_file_is_alone_in_its_folder(tmp_path, monkeypatch, link):
    monkeypatch.setattr(os, "link", link)
    save_whole(tmp_path / "a.bin", b"ours", force=False)
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"ours"]


def test_a_file_in_parts_is_whole_or_not_there(tmp_path):
    def parts():
        yield b"the first part"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        save_whole(tmp_path / "a.bin", parts(), force=False)
    assert not list(tmp_path.iterdir())
    save_whole(tmp_path / "a.bin", iter([b"two ", b"parts"]), force=False)
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"two parts"]


def test_a_file_is_replaced_only_by_force(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"theirs")
    with pytest.raises(FileExistsError):
        save_whole(path, b"ours", force=False)
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"theirs"]
    save_whole(path, b"ours", force=True)
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"ours"]


@pytest.mark.parametrize("link", [os.link, no_links])
@pytest.mark.parametrize("dangling", [False, True], ids=["file", "dangling link"])
def test_what_comes_meanwhile_is_not_replaced(tmp_path, monkeypatch, link, dangling):
    path = tmp_path / "a.bin"
    come = (lambda _: path.symlink_to("nowhere")) if dangling else (lambda _: path.write_bytes(b"theirs"))
    monkeypatch.setattr(os, "fsync", come)
    monkeypatch.setattr(os, "link", link)
    with pytest.raises(FileExistsError):
        save_whole(path, b"ours", force=False)
    assert list(tmp_path.iterdir()) == [path]
    assert path.is_symlink() if dangling else path.read_bytes() == b"theirs"


@pytest.mark.parametrize("blow", [KeyboardInterrupt(), MemoryError(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("force", [False, True])
def test_a_failure_at_any_step_leaves_the_folder_as_it_was(tmp_path, monkeypatch, step, force, blow):
    path = tmp_path / "a.bin"
    if force:
        path.write_bytes(b"old")

    def fail(*_):
        raise blow

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(step, fail)
    with pytest.raises(type(blow)):
        save_whole(path, b"new", force=force)
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"old"] * force


def test_a_killed_writer_leaves_no_half_file_under_the_name(tmp_path):
    path = tmp_path / "a.bin"
    code = (
        "import os, pathlib, sys\nfrom facekit.files import save_whole\n"
        "os.fsync = lambda _: os.kill(os.getpid(), 9)\n"
        "save_whole(pathlib.Path(sys.argv[1]), b'whole', force=True)"
    )
    assert subprocess.run([sys.executable, "-c", code, path], check=False).returncode == -9
    assert not path.exists()


def test_a_new_file_follows_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        save_whole(tmp_path / "a.bin", b"", force=False)
    finally:
        os.umask(before)
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o640


def test_the_user_cache_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "facekit"
