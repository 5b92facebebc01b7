"""A picture of the reader's own, which stays in the kernel."""

from collections.abc import Callable
from typing import Any

from facekit.codec import decode_image, encode_image
from facekit.errors import FacekitError
from facekit.show.front import front, view_of
from facekit.values import Image, as_image

__all__ = ["Upload"]


class Upload:
    """A picture of the reader's own, from a file or the camera, and what is made of it.

    Both pictures travel between browser and kernel as messages. They are neither an output of a cell nor a
    widget's state, so a saved notebook holds neither, not even one that is saved with its widgets' state.

    Parameters
    ----------
    draw : function
        Takes the picture, uint8 of shape (H, W, 3), and returns another.
    alt : str
        What there is to see in the result.
    interactive : bool
        Whether there are buttons.

    Attributes
    ----------
    answer : str
        What was said to the last picture: why it could not be used, or "Done."
    """

    def __init__(self, draw: Callable[[Image], Image], *, alt: str, interactive: bool = True) -> None:
        self._draw, self.answer = draw, "No picture yet."
        self._widget: Any = front("upload", alt=alt) if interactive else None
        if self._widget is not None:
            self._widget.on_msg(self._asked)

    def give(self, data: bytes) -> Image | None:
        """Hand a picture in, as the browser does.

        Parameters
        ----------
        data : bytes
            Of a picture file; decoded under facekit's limits, its metadata dropped.

        Returns
        -------
        Image, or None
            What was made of it; None where `answer` says why it could not be used. It is not kept.
        """
        try:
            made = as_image(self._draw(decode_image(data)))
        except FacekitError as error:
            self.answer = str(error)
            return None
        self.answer = "Done."
        return made  # Clause 1.2.3b: neither picture becomes an attribute, an output or a widget's state.

    def _asked(self, _widget: Any, _message: Any, buffers: Any) -> None:
        made = self.give(bytes(buffers[0]))
        pictures = [] if made is None else [encode_image(made, "png")]
        self._widget.send({"answer": self.answer}, buffers=pictures)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        text = {"text/plain": "A place for your own picture."}
        return text | view_of(self._widget), {}
