"""Overwriting and unlinking: what is gone, what is not followed, and what is noticed."""

import os
import socket
import threading

import numpy as np
import pytest

from facekit import wiping
from facekit.errors import ErasureError
from facekit.wiping import BLOCK, entries, erase_entry, locked, wipe
from tests import erasing


@pytest.fixture
def folder(tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def content_after_erasing(tmp_path, folder, data):
    """Erase a file; return what its blocks hold, seen through a second name."""
    (tmp_path / "a").write_bytes(data)
    os.link(tmp_path / "a", tmp_path / "b")
    erase_entry(folder, "a")
    assert not (tmp_path / "a").exists()
    return (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("size", [0, 1, 4096, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 7])
def test_a_file_of_any_length_is_overwritten_to_its_end_and_unlinked(tmp_path, folder, size):
    assert content_after_erasing(tmp_path, folder, b"f" * size) == bytes(size)


def test_a_disk_that_takes_less_than_it_is_given_gets_the_rest(tmp_path, folder, monkeypatch):
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: real(file, data[:1000], at))
    assert content_after_erasing(tmp_path, folder, b"f" * 4500) == bytes(4500)


def test_without_overwriting_the_same_look_finds_what_was_there(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(wiping, "_overwrite", wiping._overwrite)
    erasing.without_overwriting()
    assert content_after_erasing(tmp_path, folder, b"a face") == b"a face"


def test_a_disk_that_only_seems_to_write_is_noticed(tmp_path, folder, monkeypatch):
    (tmp_path / "a").write_bytes(b"a face")
    monkeypatch.setattr(os, "pwrite", lambda _file, data, _at: len(data))
    with pytest.raises(ErasureError, match="does not read back as overwritten"):
        erase_entry(folder, "a")
    assert (tmp_path / "a").exists()  # to be tried again


def test_a_name_that_stays_is_noticed(tmp_path, folder, monkeypatch):
    (tmp_path / "a").write_bytes(b"a face")
    monkeypatch.setattr(os, "unlink", os.unlink)
    erasing.without_unlinking()
    with pytest.raises(ErasureError, match="still there"):
        erase_entry(folder, "a")


def test_every_change_is_on_the_disk_before_the_next_begins(tmp_path, folder, monkeypatch):
    (tmp_path / "a").write_bytes(b"a face")
    file, said = (tmp_path / "a").stat().st_ino, []

    def tell(name):
        real = getattr(os, name)

        def telling(*args, **options):
            on = "" if name == "unlink" else " file" if os.fstat(args[0]).st_ino == file else " folder"
            said.append(name + on)
            return real(*args, **options)

        monkeypatch.setattr(os, name, telling)

    for name in ("pwrite", "fsync", "unlink"):
        tell(name)
    erase_entry(folder, "a")
    assert said == ["pwrite file", "fsync file", "unlink", "fsync folder"]


def test_what_is_gone_already_is_no_error_and_the_folder_is_synced_all_the_same(folder, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    erase_entry(folder, "a")
    assert synced == [folder]


def test_a_link_is_removed_and_what_it_leads_to_stays(tmp_path, folder):
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "a").symlink_to("mine")
    (tmp_path / "b").symlink_to("nowhere")
    erase_entry(folder, "a")
    erase_entry(folder, "b")
    assert entries(folder) == ["mine"]
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_a_folder_goes_with_all_that_is_in_it_and_links_in_it_are_not_followed(tmp_path, folder):
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(b"a face")
    (tmp_path / "a" / "d").symlink_to(tmp_path / "mine")
    erase_entry(folder, "a")
    assert entries(folder) == ["mine"]
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_pipes_and_sockets_go_without_being_opened(tmp_path, folder, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # a socket's name has to be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
    for name in ("pipe", "socket"):
        erase_entry(folder, name)
    assert entries(folder) == []


def test_a_file_that_somebody_uses_is_waited_for_or_left_alone(tmp_path, folder):
    (tmp_path / "a").write_bytes(b"a face")
    with (tmp_path / "a").open("rb") as reader:
        with locked(reader.fileno(), shared=True):
            with pytest.raises(BlockingIOError):
                erase_entry(folder, "a", wait=False)
            assert reader.read() == b"a face"
            waiting = threading.Thread(target=erase_entry, args=(folder, "a"))
            waiting.start()
            waiting.join(0.05)
            assert waiting.is_alive()
        waiting.join()
    assert entries(folder) == []


def test_memory_of_any_kind_is_overwritten():
    for buffer in (bytearray(b"a face"), np.full((3, 5, 3), 200, np.uint8), np.ones(7)):
        wipe(memoryview(buffer).cast("B"))
        assert not np.any(np.frombuffer(buffer, np.uint8))


def test_memory_that_does_not_change_is_noticed(monkeypatch):
    class Stubborn:
        def fill(self, _):
            pass

        def any(self):
            return True

    monkeypatch.setattr(np, "frombuffer", lambda *_: Stubborn())
    with pytest.raises(ErasureError, match="does not read back as overwritten"):
        wipe(memoryview(bytearray(1)))
