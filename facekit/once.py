"""What is worked out once, and held for as long as the value that it belongs to."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["Once"]

Value = TypeVar("Value")


class Once:
    """Holds what was made first; a copy that is pickled, and so may leave memory, is empty.

    Examples
    --------
    >>> held = Once()
    >>> held.get(lambda: [1]) is held.get(lambda: [2])
    True
    """

    __slots__ = ("_held", "_lock")

    def __init__(self) -> None:
        self._held: Any = None
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type["Once"], tuple[()]]:
        """Leave behind what is held."""
        return Once, ()

    def get(self, make: Callable[[], Value]) -> Value:
        """Return what `make` returned the first time; other threads wait for it.

        Parameters
        ----------
        make : function
            Always the same for one holder; returns anything but None.

        Returns
        -------
        object
            The same one every time.
        """
        if self._held is None:
            with self._lock:
                if self._held is None:
                    self._held = make()
        held: Value = self._held
        return held
