"""Work that is done aside ends with its result or its error, with one thread or more, and after a fork."""

import os
import threading

import pytest

from facekit.aside import start_aside
from facekit.once import Once

threads = pytest.mark.parametrize("threads", ["1", "2"])


@threads
def test_result_comes_when_it_is_asked_for(threads, monkeypatch):
    monkeypatch.setenv("FACEKIT_THREADS", threads)
    assert start_aside(sorted, [3, 1, 2], reverse=True)() == [3, 2, 1]


@threads
def test_error_comes_when_the_result_is_asked_for(threads, monkeypatch):
    monkeypatch.setenv("FACEKIT_THREADS", threads)
    result = start_aside(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        result()


def test_one_thread_does_everything_itself(monkeypatch):
    monkeypatch.setenv("FACEKIT_THREADS", "1")
    assert start_aside(threading.current_thread)() is threading.current_thread()
    monkeypatch.setenv("FACEKIT_THREADS", "2")
    assert start_aside(threading.current_thread)() is not threading.current_thread()


def test_forked_child_has_a_thread_of_its_own(monkeypatch):
    monkeypatch.setenv("FACEKIT_THREADS", "2")
    assert start_aside(sum, [1, 2])() == 3
    child = os.fork()
    if not child:
        os._exit(0 if start_aside(sum, [1, 2])() == 3 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_what_fails_once_is_tried_again():
    held = Once()
    with pytest.raises(ZeroDivisionError):
        held.get(lambda: 1 / 0)
    assert held.get(lambda: 5) == held.get(lambda: 6) == 5
