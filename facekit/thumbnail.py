"""A small copy of a picture, made by a process of its own; nothing looks for a face in it.

``python -m facekit.thumbnail SIDE WEAK`` takes a picture file on standard input and gives a WebP file on
standard output, or, with exit status 3, an error as JSON. It has the walls of a cell, so that a picture
made to take the decoder over gets nowhere, and it ends with the picture. Whoever calls `shrink` loads no
decoder.
"""

import json
import os
import subprocess
import sys
from typing import Final

from facekit.errors import CellCrashedError, CellTimeoutError, FacekitError
from facekit.telling import rebuilt, told
from facekit.walls import Limits, load_libraries, raise_walls, readable_folders

__all__ = ["main", "shrink"]

_MAX_PIXELS: Final = 24_000_000
_QUALITY: Final = 85
_SECONDS: Final = 20.0
_REFUSED: Final = 3
_LIMITS: Final = Limits(cpu_seconds=15)
# More threads could not enter a user namespace of their own, and would have nothing to do.
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def shrink(data: bytes, *, side: int = 512, allow_weak: bool = False) -> bytes:
    """Make a small copy of a picture, without any metadata.

    Parameters
    ----------
    data : bytes
        A picture file that `decode_image` reads, of at most 24 million pixels.
    side : int
        Pixels of the longer side, at most; a smaller picture stays as large as it is.
    allow_weak : bool
        Go on where a wall cannot be had; see `raise_walls`.

    Returns
    -------
    bytes
        A WebP file.

    Raises
    ------
    DecodeError, TooLargeError
        As from `decode_image`.
    CellError
        The process did not finish it, or cannot have its walls.

    Examples
    --------
    >>> from facekit import decode_image, encode_image, synthetic_face
    >>> decode_image(shrink(encode_image(synthetic_face(256)), side=64)).shape
    (64, 64, 3)
    """
    command = [sys.executable, "-m", "facekit.thumbnail", str(side), str(int(allow_weak))]
    try:
        run = subprocess.run(  # noqa: S603 (ourselves)
            command,
            input=data,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env=os.environ | _ONE_THREAD,
        )
    except subprocess.TimeoutExpired:
        raise CellTimeoutError("the picture took too long; try a smaller one") from None
    if run.returncode == _REFUSED:
        raise rebuilt(run.stdout)
    if run.returncode:
        raise CellCrashedError("the picture's process ended before it was done; try another picture")
    return run.stdout


def main() -> int:
    """Shrink what comes in; its arguments are those of `shrink`.

    Returns
    -------
    int
        The exit status.
    """
    side, allow_weak = int(sys.argv[1]), sys.argv[2] == "1"
    out = sys.stdout.buffer
    try:
        import numpy as np
        from PIL import Image

        from facekit.codec import decode_image, encode_image

        readable = readable_folders()
        load_libraries(readable)
        raise_walls(_LIMITS, parent=os.getppid(), readable=readable, allow_weak=allow_weak)
        picture = Image.fromarray(decode_image(sys.stdin.buffer.read(), max_pixels=_MAX_PIXELS))
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        out.write(encode_image(np.asarray(picture), "webp", quality=_QUALITY))
        status = 0
    except FacekitError as error:
        out.write(json.dumps(told(error)).encode())
        status = _REFUSED
    out.flush()
    return status


if __name__ == "__main__":
    sys.exit(main())
