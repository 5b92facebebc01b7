"""Widgets: what the kernel makes of a turned dial, a dragged point, a stroke, and a picture of one's own.

That browsers send what is expected here is tests/e2e's part.
"""

import base64

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facekit import decode_image, encode_image, show
from facekit.errors import ArrayError, InputError

VIEW = "application/vnd.jupyter.widget-view+json"


def ramp(height=40, width=60):
    across = np.linspace(0, 255, width).astype(np.uint8)
    return np.repeat(np.broadcast_to(across, (height, width))[..., None], 3, axis=2).copy()


def lit(light):
    return np.clip(ramp() * light, 0, 255).astype(np.uint8)


def test_turning_a_dial_changes_the_picture():
    player = show.Play(lit, alt="A ramp.", light=(0, 2, 1))
    before = player.picture
    player.set(light=0.5)
    assert player.values == {"light": 0.5}
    assert (player.picture == lit(0.5)).all()
    assert (player.picture != before).any()


def test_moving_a_slider_changes_the_picture_that_is_shown():
    player = show.Play(lit, alt="A ramp.", light=(0, 2, 1))
    slider, picture = player._box.children
    before = picture.picture
    slider.value = 0.5
    assert (player.picture == lit(0.5)).all()
    assert picture.picture != before


def test_setting_a_dial_moves_its_slider():
    player = show.Play(lit, alt="A ramp.", light=(0, 2, 1))
    player.set(light=1.5)
    assert player._box.children[0].value == 1.5


def test_dials_are_shown_by_their_values():
    data, _ = show.Play(lit, alt="A ramp.", light=(0, 2, 1))._repr_mimebundle_()
    assert data["text/plain"] == "A ramp. (light 1)"
    assert VIEW in data


def test_without_dials_the_picture_alone_is_shown():
    data, _ = show.Play(lit, alt="A ramp.", interactive=False, light=(0, 2, 1))._repr_mimebundle_()
    assert VIEW not in data
    assert data["image/jpeg"]


def test_unknown_dial_is_refused():
    with pytest.raises(InputError, match="light"):
        show.Play(lit, alt="A ramp.", light=(0, 2, 1)).set(dark=1)


def marked(points):
    image = ramp()
    for x, y in points.astype(int):
        image[y, x] = 255, 0, 0
    return image


def test_picture_follows_a_handle():
    handles = show.Drag(marked, np.array([[5, 6], [20, 9]], np.float32), alt="Two points on a ramp.")
    handles.move(1, 30, 31)
    assert (handles.picture[31, 30] == (255, 0, 0)).all()
    assert (handles.picture[9, 20] == ramp()[9, 20]).all()
    assert handles._widget.points == [[5, 6], [30, 31]]


def test_dragging_in_the_browser_moves_the_points():
    handles = show.Drag(marked, np.array([[5, 6]], np.float32), alt="A point on a ramp.")
    before = handles._widget.picture
    handles._widget.points = [[8.0, 7.0]]
    assert handles.points.tolist() == [[8, 7]]
    assert (handles.picture[7, 8] == (255, 0, 0)).all()
    assert handles._widget.picture != before
    assert handles._widget.drawn == 1


def test_handles_are_shown_by_their_places():
    data, _ = show.Drag(marked, np.array([[5, 6]], np.float32), alt="A point.")._repr_mimebundle_()
    assert data["text/plain"] == "A point. (handles at (5, 6))"
    assert VIEW in data


def test_unknown_handle_is_refused():
    with pytest.raises(InputError, match="there are 1"):
        show.Drag(marked, np.array([[5, 6]], np.float32), alt="A point.", interactive=False).move(1, 0, 0)


TRIANGLE = np.array([[0, 1, 2]], np.int32)


def corners(points):
    return points[0] + np.array([[0, 0], [10, 0], [0, 10]], np.float32)


def meshed(**more):
    at = np.array([[5, 6]], np.float32)
    return show.Drag(marked, at, alt="A triangle.", mesh=corners, triangles=TRIANGLE, **more)


def test_mesh_follows_a_handle():
    handles = meshed()
    assert handles._widget.edges == [[0, 1], [0, 2], [1, 2]]
    handles.move(0, 7, 8)
    sent = np.frombuffer(handles._widget.vertices, np.float32).reshape(-1, 2)
    assert (sent == corners(handles.points)).all()


def test_mesh_and_handles_are_drawn_where_there_is_no_widget():
    data, _ = meshed(interactive=False)._repr_mimebundle_()
    seen = decode_image(base64.b64decode(data["image/jpeg"])).astype(int)
    assert (seen[6, 8:14] - ramp()[6, 8:14]).min() > 30
    assert np.abs(seen[30:] - ramp()[30:]).max() < 20


def test_handles_have_names():
    handles = show.Drag(
        marked, np.array([[5, 6], [9, 9]], np.float32), alt="Points.", names=["left", "right"]
    )
    assert handles._widget.names == ["left", "right"]
    with pytest.raises(ArrayError, match="one for each handle"):
        show.Drag(marked, np.array([[5, 6]], np.float32), alt="Points.", names=["left", "right"])


def test_mesh_without_triangles_is_refused():
    with pytest.raises(ArrayError, match="both or neither"):
        show.Drag(marked, np.array([[5, 6]], np.float32), alt="A point.", mesh=corners)


def red_inside(mask):
    return np.where(mask[..., None], np.uint8([255, 0, 0]), ramp())


def painter(**more):
    return show.Paint(red_inside, np.zeros((40, 60), bool), alt="A painted ramp.", **more)


def test_stroke_paints_the_mask_and_the_picture_follows():
    paint = painter()
    paint.stroke(np.array([[10, 20], [50, 20]]), radius=3)
    assert paint.mask[20, 10:51].all()
    assert paint.mask[17, 30]
    assert not paint.mask[16, 30]
    assert (paint.picture == red_inside(paint.mask)).all()


def test_rubber_takes_the_mask_away():
    paint = painter()
    paint.stroke(np.array([[10, 20], [50, 20]]), radius=3)
    paint.stroke(np.array([[30, 0], [30, 39]]), radius=2, erase=True)
    assert not paint.mask[20, 30]
    assert paint.mask[20, 20]


@settings(deadline=None)
@given(
    st.tuples(*[st.floats(-5, 65), st.floats(-5, 45)] * 2),
    st.floats(0, 12),
)
def test_brush_reaches_as_far_as_its_radius_from_the_line(ends, radius):
    paint = painter(interactive=False)
    start, end = np.reshape(ends, (2, 2)).astype(np.float32).astype(float)
    paint.stroke(np.array([start, end]), radius=radius)
    fine = start + np.linspace(0, 1, 400)[:, None] * (end - start)
    y, x = np.indices(paint.mask.shape)
    away = np.sqrt(((np.dstack([x, y])[:, :, None] - fine) ** 2).sum(axis=-1)).min(axis=-1)
    slack = np.hypot(*(end - start)) / 400 + 1e-3
    assert paint.mask[away < radius - slack].all()
    assert not paint.mask[away > radius + slack].any()


def test_strokes_of_the_browser_are_painted():
    paint = painter()
    before, outline = paint._widget.picture, paint._widget.outline
    stroke = {"points": [[10, 20], [50, 20]], "radius": 3, "erase": False}
    paint._widget._handle_custom_msg({"pieces": [stroke, {**stroke, "radius": 1, "erase": True}]}, [])
    assert paint.mask[18, 30]
    assert not paint.mask[20, 30]
    assert paint._widget.picture != before
    assert paint._widget.outline != outline
    assert paint._widget.drawn == 1


def test_painted_mask_is_shown_by_its_share():
    paint = painter()
    paint.stroke(np.array([[30, 20]]), radius=100)
    data, _ = paint._repr_mimebundle_()
    assert data["text/plain"] == "A painted ramp. (100.0% painted)"
    assert VIEW in data


def test_mask_and_picture_of_two_sizes_are_refused():
    with pytest.raises(ArrayError, match="expected a picture of"):
        show.Paint(red_inside, np.zeros((40, 60), bool)[:, :1], alt="A ramp.")


def wiper(**more):
    return show.Wipe(ramp(), 255 - ramp(), alt=("A ramp.", "A ramp downwards."), **more)


def test_both_sides_of_the_line_are_seen():
    wipe = wiper(at=0.25)
    assert (wipe.picture[:, :15] == ramp()[:, :15]).all()
    assert (wipe.picture[:, 15] == 255).all()
    assert (wipe.picture[:, 16:] == 255 - ramp()[:, 16:]).all()


def test_line_moved_in_the_browser_moves_the_picture():
    wipe = wiper()
    wipe._widget.at = 1.0
    assert (wipe.picture == ramp()).all()
    assert wipe._repr_mimebundle_()[0]["text/plain"].endswith("(line at 100%)")


def test_pictures_of_two_sizes_cannot_be_wiped():
    with pytest.raises(ArrayError, match="after: expected shape"):
        show.Wipe(ramp(), ramp(41), alt=("A.", "B."))
    with pytest.raises(ArrayError, match="at: expected 0 to 1"):
        wiper(at=1.5)


def inverted(image):
    return 255 - image


def own(**more):
    return show.Upload(inverted, alt="Your picture, inverted.", **more)


def test_picture_of_ones_own_is_worked_on():
    assert (own(interactive=False).give(encode_image(ramp(), "png")) == 255 - ramp()).all()


@pytest.mark.clause("1.2.3b", partly="a picture handed to a notebook is in no widget's state")
def test_picture_of_ones_own_is_answered_by_a_message_and_kept_nowhere():
    upload, sent = own(), []
    upload._widget.send = lambda content, buffers=(): sent.append((content, buffers))
    state, data = upload._widget.get_state(), encode_image(ramp(), "png")
    upload._widget._handle_custom_msg({}, [memoryview(data)])
    ((content, (answer,)),) = sent
    assert content == {"answer": "Done."}
    assert (decode_image(answer) == 255 - ramp()).all()
    assert upload._widget.get_state() == state
    assert not any(isinstance(value, bytes | np.ndarray) for value in vars(upload).values())


def test_what_is_no_picture_is_answered_by_what_to_do():
    upload, sent = own(), []
    upload._widget.send = lambda content, buffers=(): sent.append((content, buffers))
    upload._widget._handle_custom_msg({}, [memoryview(b"no picture at all")])
    ((content, buffers),) = sent
    assert not buffers
    assert content["answer"] == upload.answer != "Done."


def test_place_for_ones_own_picture_is_no_picture_itself():
    data, _ = own()._repr_mimebundle_()
    assert set(data) == {VIEW, "text/plain"}
    assert VIEW not in own(interactive=False)._repr_mimebundle_()[0]
