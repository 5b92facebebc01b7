"""Samples arrive checked and whole, and their list agrees with datasets/README.md."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facekit import data
from facekit.data import (
    fetch_samples,
    has_sample,
    list_samples,
    load_sample,
    sample_bytes,
    sample_path,
)
from facekit.errors import SampleError
from facekit.models import list_models
from facekit.synthetic import synthetic_face

ROOT = Path(__file__).parents[1]
README = ROOT / "datasets" / "README.md"
SAMPLES = {sample.name: sample for sample in list_samples()}
PICTURES = [sample.name for sample in list_samples() if sample.kind == "picture"]
SHAPES = {
    "astronaut": (512, 512, 3),
    "biden": (2204, 970, 3),
    "joconde": (1155, 743, 3),
    "obama": (1137, 910, 3),
}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty samples folder."""
    monkeypatch.setenv("FACEKIT_SAMPLES", str(tmp_path / "samples"))
    return tmp_path / "samples"


@pytest.fixture
def published(monkeypatch) -> dict[str, bytes]:
    """Small files in the place of the real ones, and a client that brings them; gives files by member."""
    files = {sample.member: f"this is {name}".encode() for name, sample in SAMPLES.items()}
    small = {}
    for name, sample in SAMPLES.items():
        content = files[sample.member]
        fields = {key: getattr(sample, key) for key in data.Sample.__slots__}
        fields |= {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        small[name] = data.Sample(**fields)
    monkeypatch.setattr(data, "_SAMPLES", small)
    monkeypatch.setattr(
        data, "fetch_members", lambda _package, sizes: {member: files[member] for member in sizes}
    )
    return files


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_loads(name, require_sample):
    require_sample(name)
    image = load_sample(name)
    assert image.dtype == np.uint8
    assert image.shape == SHAPES[name]
    assert image.std() > 20


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_the_registered_file(name, require_sample):
    require_sample(name)
    content = sample_path(name).read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (SAMPLES[name].size, SAMPLES[name].sha256)


def test_a_video_is_not_loaded_as_a_picture():
    with pytest.raises(SampleError, match="'carphone' is a video, not a picture; use sample_path"):
        load_sample("carphone")


@pytest.mark.parametrize(
    "call", [load_sample, sample_bytes, sample_path, has_sample, lambda x: fetch_samples([x])]
)
def test_an_unknown_sample_is_named_with_the_known_ones(call):
    with pytest.raises(
        SampleError, match="no sample 'mona'; there are: astronaut, biden, carphone, joconde, obama"
    ):
        call("mona")


@pytest.mark.parametrize("call", [load_sample, sample_bytes, sample_path])
def test_a_missing_sample_says_how_to_get_it(call, folder):
    with pytest.raises(SampleError) as caught:
        call("obama")
    assert (
        str(caught.value) == "sample 'obama' is not here; run `facekit samples --fetch` (or `make samples`)"
    )
    assert not has_sample("obama")


def test_an_altered_sample_is_refused(folder, published):
    fetch_samples(["obama"])
    path = sample_path("obama")
    for content in (b"That is obama", b"this is obama!", b"", b"this is obam"):
        path.write_bytes(content)
        assert not has_sample("obama")
        with pytest.raises(
            SampleError, match="sample 'obama' is altered; run `facekit samples --fetch` to replace"
        ):
            sample_bytes("obama")


def test_an_unreadable_sample_is_one_line_without_its_path(folder):
    (folder / "obama.jpg").mkdir(parents=True)
    with pytest.raises(SampleError, match=r"^sample 'obama' cannot be read \(Is a directory\)$"):
        sample_bytes("obama")


def test_fetching_brings_what_is_missing_and_leaves_the_rest_alone(folder, published):
    seen: list[tuple[str, str]] = []
    fetch_samples(["obama"])
    before = sample_path("obama").stat().st_mtime_ns
    fetch_samples(progress=lambda name, outcome: seen.append((name, outcome)))
    assert sorted(seen) == [(name, "here" if name == "obama" else "fetched") for name in sorted(SAMPLES)]
    assert sample_path("obama").stat().st_mtime_ns == before
    assert sorted(path.name for path in folder.iterdir()) == [
        "astronaut.png",
        "biden.jpg",
        "carphone.mp4",
        "joconde.jpg",
        "obama.jpg",
    ]
    assert all(sample_bytes(name) == f"this is {name}".encode() for name in SAMPLES)


def test_fetching_replaces_an_altered_file(folder, published):
    fetch_samples(["joconde"])
    sample_path("joconde").write_bytes(b"altered")
    fetch_samples(["joconde"])
    assert sample_bytes("joconde") == b"this is joconde"


def test_one_archive_is_fetched_once_for_all_its_samples(folder, published, monkeypatch):
    asked = []
    bring = data.fetch_members
    monkeypatch.setattr(
        data, "fetch_members", lambda package, sizes: asked.append(package.name) or bring(package, sizes)
    )
    fetch_samples(["obama", "biden", "obama"])
    assert asked == ["face-recognition"]


def test_the_others_arrive_where_one_client_is_missing(folder, published, monkeypatch):
    bring = data.fetch_members

    def without_npm(package, sizes):
        if package.kind == "npm":
            raise SampleError("npm is not here; install Node.js, which brings it")
        return bring(package, sizes)

    monkeypatch.setattr(data, "fetch_members", without_npm)
    seen: dict[str, str] = {}
    with pytest.raises(SampleError) as caught:
        fetch_samples(progress=seen.__setitem__)
    assert str(caught.value) == (
        "1 of 5 samples did not arrive (joconde): npm is not here; install Node.js, which brings it"
    )
    assert seen.pop("joconde") == "failed"
    assert set(seen.values()) == {"fetched"}
    assert [name for name in sorted(SAMPLES) if not has_sample(name)] == ["joconde"]


def test_a_file_of_the_right_size_and_wrong_digest_is_not_stored(folder, published):
    published[SAMPLES["astronaut"].member] = b"This is astronaut"
    with pytest.raises(
        SampleError, match=r"'astronaut' in scikit-image==0\.26\.0 is not the registered file"
    ):
        fetch_samples(["astronaut"])
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_one_line_without_its_path(folder, published):
    folder.write_bytes(b"")
    with pytest.raises(SampleError, match=r"the samples folder cannot be written \(\w") as caught:
        fetch_samples(["astronaut"])
    assert str(folder) not in str(caught.value)


def test_samples_lie_in_the_user_cache_where_no_folder_is_named(tmp_path, monkeypatch, published):
    monkeypatch.delenv("FACEKIT_SAMPLES", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fetch_samples(["obama"])
    assert sample_path("obama") == tmp_path / "facekit" / "samples" / "obama.jpg"


@pytest.mark.reaches_out("asks the registries of packages, as `facekit samples --fetch` does")
@pytest.mark.parametrize("package", sorted({sample.package.name for sample in list_samples()}))
def test_the_ordinary_clients_bring_the_registered_files(package, folder, require):
    names = [name for name, sample in SAMPLES.items() if sample.package.name == package]
    try:
        fetch_samples(names)
    except SampleError as error:
        require(
            "network", "is there a network" not in str(error) and "is not here" not in str(error), str(error)
        )
        raise
    assert all(has_sample(name) for name in names)


def test_listing_samples_loads_no_heavy_library():
    code = (
        "import sys; from facekit.data import list_samples; list_samples();"
        "print(*{name.partition('.')[0] for name in sys.modules}"
        " & {'mediapipe', 'cv2', 'scipy', 'numba', 'matplotlib'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_synthetic_faces_are_part_of_the_data():
    assert data.synthetic_face is synthetic_face
    with pytest.raises(AttributeError, match="has no attribute 'synthetic_fase'"):
        _ = data.synthetic_fase


def rows_of_readme() -> dict[str, list[str]]:
    """Rows of all tables whose first cell is a name in backticks."""
    rows = {}
    for line in README.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            assert cells[0] not in rows, f"{cells[0]} is listed twice"
            rows[cells[0].strip("`")] = cells
    return rows


def test_readme_lists_exactly_what_is_registered_and_shipped():
    assets = {path.name for path in (ROOT / "facekit" / "assets").glob("*.npz")}
    in_code = set(SAMPLES) | {model.file for model in list_models()} | assets
    with_digest = {
        name
        for name, cells in rows_of_readme().items()
        if any(re.fullmatch("`[0-9a-f]{64}`", c) for c in cells)
    }
    assert with_digest == in_code


@pytest.mark.parametrize("name", SAMPLES)
def test_readme_agrees_with_the_registry_of_samples(name):
    sample = SAMPLES[name]
    assert rows_of_readme()[name][1:] == [
        f"{sample.title}",
        sample.credit,
        sample.licence,
        f"{sample.package.kind}: {sample.package}",
        f"`{sample.member}`",
        f"{sample.size:,}",
        f"`{sample.sha256}`",
    ]


def test_readme_states_the_note_of_every_sample():
    text = " ".join(README.read_text(encoding="utf-8").split())
    for sample in list_samples():
        assert sample.note in text, sample.name


@pytest.mark.parametrize("model", list_models(), ids=lambda model: model.name)
def test_readme_agrees_with_the_registry_of_models(model):
    assert rows_of_readme()[model.file][1:] == [
        model.provenance,
        model.licence,
        model.carrier,
        f"<{model.address}>",
        f"{model.size:,}",
        f"`{model.sha256}`",
    ]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "facekit" / "assets").glob("*.npz")), ids=lambda path: path.name
)
def test_readme_agrees_with_the_shipped_numbers(path):
    content = path.read_bytes()
    cells = rows_of_readme()[path.name]
    assert cells[-2:] == [f"{len(content):,}", f"`{hashlib.sha256(content).hexdigest()}`"]


def test_no_sample_and_no_model_lies_in_the_repository():
    digests = {sample.sha256 for sample in list_samples()} | {model.sha256 for model in list_models()}
    sizes = {sample.size for sample in list_samples()} | {model.size for model in list_models()}
    kept = [path for top in ("facekit", "datasets", "tests", "docs") for path in (ROOT / top).rglob("*")]
    suspects = [path for path in kept if path.is_file() and path.stat().st_size in sizes]
    assert not [path.name for path in suspects if hashlib.sha256(path.read_bytes()).hexdigest() in digests]
