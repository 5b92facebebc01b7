"""Views: each has a title, labels and a text; pictures are told from other pictures."""

import base64
from types import SimpleNamespace

import numpy as np
import pytest

from facekit import detect_faces, show
from facekit.errors import ArrayError, InputError


def ramp(height=40, width=60):
    across = np.linspace(0, 255, width).astype(np.uint8)
    return np.repeat(np.broadcast_to(across, (height, width))[..., None], 3, axis=2).copy()


@pytest.fixture
def reference(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEKIT_REFERENCES", "write")
    show.check("ramp", ramp(), folder=tmp_path)
    monkeypatch.delenv("FACEKIT_REFERENCES")
    return tmp_path


def test_pictures_come_with_a_text_for_who_cannot_see_them():
    data, metadata = show.pictures(
        ramp(), ramp() > 9, titles=["one", "two"], alt="A ramp."
    )._repr_mimebundle_()
    assert data["text/plain"] == "A ramp."
    assert metadata["image/jpeg"]["alt"] == "A ramp."
    assert base64.b64decode(data["image/jpeg"])[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    ("name", "value"), [("JPY_SESSION_NAME", "a.ipynb"), ("SERVER_SOFTWARE", "voila/0.5")]
)
def test_front_ends_that_drop_a_pictures_text_get_it_in_html(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    data, _ = show.pictures(ramp(), titles=["one"], alt='A "ramp".')._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}
    assert data["text/html"].startswith('<img alt="A &quot;ramp&quot;." src="data:image/jpeg;base64,')


def test_curves_are_drawn_as_png():
    view = show.curves(
        [1, 2], {"a": [1, 2], "b": [2, 1]}, title="t", x_label="x", y_label="y", alt="Lines.", log="xy"
    )
    assert view.encoded()[:4] == b"\x89PNG"


def test_figure_without_labels_is_refused():
    figure, axes = show.canvas()
    axes.set_title("no labels")
    with pytest.raises(ArrayError, match="labels"):
        show.View(figure, "Nothing.")


def test_figure_without_a_text_is_refused():
    with pytest.raises(ArrayError, match="alt"):
        show.pictures(ramp(), titles=["one"], alt=" ")


def test_a_title_for_each_picture_is_asked_for():
    with pytest.raises(ArrayError, match="titles"):
        show.pictures(ramp(), ramp(), titles=["one"], alt="Two ramps.")


def test_picture_agrees_with_its_reference(reference):
    said = show.check("ramp", ramp(), folder=reference)
    assert said == "ramp: as its reference (at least 45 dB, 64 of 64 blocks)"
    noisy = np.clip(ramp() + np.random.default_rng(0).integers(-1, 2, ramp().shape), 0, 255).astype(np.uint8)
    assert show.check("ramp", noisy, folder=reference) == said


def test_changed_picture_is_told(reference):
    brighter = np.clip(ramp().astype(int) + 3, 0, 255).astype(np.uint8)
    assert "NOT as its reference" in show.check("ramp", brighter, folder=reference)
    spot = ramp()
    spot[:5, :7] = 255 - spot[:5, :7]
    assert "63 of 64 blocks" in show.check("ramp", spot, folder=reference)


def test_picture_of_another_shape_is_told(reference):
    assert "another shape" in show.check("ramp", ramp(50, 60), folder=reference)


def test_missing_reference_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="FACEKIT_REFERENCES=write"):
        show.check("none", ramp(), folder=tmp_path)


def test_equal_pictures_have_an_infinite_ratio():
    assert show.psnr(ramp(), ramp()) == float("inf")
    assert show.psnr(np.zeros((2, 2)), np.full((2, 2), 255)) == 0


def test_too_many_curves_are_refused():
    with pytest.raises(ArrayError, match="at most 7"):
        show.curves([0], {str(k): [k] for k in range(8)}, title="t", x_label="x", y_label="y", alt="Dots.")


def test_ways_are_timed_in_turn_and_the_best_run_of_each_counts(monkeypatch):
    clock, calls = iter([0, 5, 5, 7, 10, 13, 13, 19]), []
    monkeypatch.setattr("facekit.show.races.time", SimpleNamespace(perf_counter=lambda: next(clock)))
    best = show.best_times(lambda: calls.append("a"), lambda: calls.append("b"), rounds=2)
    assert best == [3, 2]
    assert calls == ["a", "b", "a", "b"]


def test_a_portrait_has_one_face_in_its_middle(require_sample):
    require_sample("astronaut")
    image = show.portrait("astronaut", 200)
    (face,) = detect_faces(image)
    x0, y0, x1, y1 = face.box
    assert image.shape == (200, 200, 3)
    assert 70 < (x0 + x1) / 2 < 130
    assert 70 < (y0 + y1) / 2 < 130
