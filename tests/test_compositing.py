"""Colours are laid over a canvas alike with and without a compiler, in any number of threads."""

import numpy as np
import pytest

from facekit import compositing
from facekit.compositing import as_bytes, lay_over

RNG = np.random.default_rng(3)
CANVAS = RNG.uniform(0, 255, (150, 90, 3)).astype(np.float32)
COVER = np.clip(RNG.uniform(-0.5, 1.5, (140, 70)), 0, 1).astype(np.float32)
CLIP = np.clip(RNG.uniform(-0.5, 1.5, (150, 90)), 0, 1).astype(np.float32)
COLOURS = np.float32([200, 30, 90]), RNG.uniform(0, 255, CANVAS.shape).astype(np.float32)


def laid(colour, clip=None, opacity=1.0):
    canvas = CANVAS.copy()
    lay_over(canvas, colour, COVER, at=(7, 11), opacity=opacity, clip=clip)
    return canvas


@pytest.mark.parametrize("colour", COLOURS, ids=["colour", "picture"])
@pytest.mark.parametrize("clip", [None, CLIP], ids=["whole", "clipped"])
def test_plain_version_lays_the_same(monkeypatch, colour, clip):
    compiled = laid(colour, clip, 0.8)
    monkeypatch.setattr(compositing, "can_compile", lambda: False)
    np.testing.assert_allclose(laid(colour, clip, 0.8), compiled, atol=1e-4)


def test_nothing_is_painted_beyond_the_shape_and_all_of_it_where_it_covers():
    canvas = laid(COLOURS[0])
    box = np.s_[7:147, 11:81]
    np.testing.assert_allclose(canvas[box][COVER == 1] - COLOURS[0], 0, atol=1e-4)
    np.testing.assert_array_equal(canvas[box][COVER == 0], CANVAS[box][COVER == 0])
    canvas[box] = CANVAS[box]
    np.testing.assert_array_equal(canvas, CANVAS)


def test_threads_change_no_bit(monkeypatch):
    found = []
    for threads in ("1", "4"):
        monkeypatch.setenv("FACEKIT_THREADS", threads)
        canvas = laid(COLOURS[1], CLIP)
        found.append((canvas.tobytes(), as_bytes(canvas).tobytes()))
    assert found[0] == found[1]


def test_plain_version_rounds_the_same(monkeypatch):
    canvas = CANVAS * 2 - 100
    compiled = as_bytes(canvas)
    monkeypatch.setattr(compositing, "can_compile", lambda: False)
    np.testing.assert_array_equal(as_bytes(canvas), compiled)
