"""MediaPipe's tasks: networks that are started when first needed, kept, and always closed.

The only module that imports MediaPipe. A task is kept per thread and reused; it is never carried
across a fork, where it would hang, and what it writes to stderr as it starts is muted.
"""

import concurrent.futures.thread  # noqa: F401  (loaded first, on purpose: see _close_all)
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from facekit.errors import ModelError
from facekit.values import Image

__all__ = ["close_tasks", "mediapipe", "muted_stderr", "run_task"]

CANNOT_START = "MediaPipe cannot start: run `facekit doctor` ({})"

Create = Callable[[], Any]


def run_task(name: str, create: Create, method: str, image: Image) -> Any:
    """Run a network over a picture; the calling thread keeps the task for the next time.

    Parameters
    ----------
    name : str
        What this thread keeps the task under.
    create : function
        Makes the task, where the thread has none of that name.
    method : str
        The task's method that takes a picture, such as ``"detect"``.
    image : Image of shape (H, W, 3), uint8
        The picture; at most 32,767 pixels a side, beyond which MediaPipe aborts the process.

    Returns
    -------
    object
        What the task answers.

    Raises
    ------
    ModelError
        MediaPipe cannot start.
    """
    held = vars(_local).get(name)
    if held is None:
        held = vars(_local)[name] = _Held(create)
    return held.run(method, image)


def close_tasks() -> None:
    """Close the calling thread's tasks, for instance before the process forks."""
    for held in list(vars(_local).values()):
        held.close()
    vars(_local).clear()


@cache
def mediapipe() -> Any:
    """Import MediaPipe when first needed; it takes longer than everything else together.

    Returns
    -------
    module
        MediaPipe.

    Raises
    ------
    ModelError
        It is not installed, or a library that it needs is missing.
    """
    try:
        with muted_stderr():  # matplotlib, which it loads, chatters where no home is writable
            import mediapipe as module
    except (ImportError, OSError) as error:
        raise ModelError(CANNOT_START.format(type(error).__name__)) from error
    return module


@contextmanager
def muted_stderr() -> Iterator[None]:
    """Hide what native code writes to file descriptor 2; show it after all if the block raises.

    Yields
    ------
    None
        Nothing.
    """
    with _stderr_lock:
        kept = os.memfd_create("stderr") if hasattr(os, "memfd_create") else os.open(os.devnull, os.O_RDWR)
        saved = os.dup(2)
        os.dup2(kept, 2)
        try:
            yield
        except BaseException:
            os.lseek(kept, 0, os.SEEK_SET)
            os.write(saved, os.read(kept, 1 << 16))
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(kept)


class _Held:
    """One task of one thread, closed when the thread or the process ends."""

    def __init__(self, create: Create) -> None:
        self._quiet = True  # the first run chatters too
        self._task = _started(create)
        self._finalizer = weakref.finalize(self, self._task.close)
        self._finalizer.atexit = False  # too late for MediaPipe: see _close_all
        _alive.add(self)

    def run(self, method: str, image: Image) -> Any:
        """Run the network, muted the first time."""
        picture = mediapipe().Image(
            image_format=mediapipe().ImageFormat.SRGB, data=np.ascontiguousarray(image)
        )
        if not self._quiet:
            return getattr(self._task, method)(picture)
        with muted_stderr():
            self._quiet = False
            return getattr(self._task, method)(picture)

    def close(self) -> None:
        """Close the task."""
        self._finalizer()

    def forget(self) -> None:
        """Drop a task that belongs to the parent process: closing it here would hang."""
        self._finalizer.detach()


def _started(create: Create) -> Any:
    """Start a task."""
    mediapipe()
    try:
        with muted_stderr():
            return create()
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(CANNOT_START.format(type(error).__name__)) from error


_local = threading.local()
_alive: "weakref.WeakSet[_Held]" = weakref.WeakSet()
_inherited: list[_Held] = []  # after a fork: kept, so that no destructor of theirs ever runs
_stderr_lock = threading.Lock()


def _close_all() -> None:
    for held in list(_alive):
        held.close()


# MediaPipe closes tasks through a thread pool, which Python shuts down before `atexit` runs. What
# is registered here, after the pool's own module, runs just before that.
threading._register_atexit(_close_all)  # type: ignore[attr-defined]  # noqa: SLF001


def _after_fork() -> None:
    global _local, _stderr_lock
    _inherited.extend(_alive)
    for held in _inherited:
        held.forget()
    _local, _stderr_lock = threading.local(), threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
