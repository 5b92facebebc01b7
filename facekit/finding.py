"""Which faces of a picture are worked on: detected, and picked by number."""

from collections.abc import Sequence

from facekit.errors import FaceIndexError, NoFaceError
from facekit.landmarks import detect_faces
from facekit.values import FaceMesh, Image

__all__ = ["find_face", "find_faces"]

USUAL = 6  # faces that are looked for, where no later one is asked for


def find_faces(image: Image, wanted: Sequence[int]) -> list[FaceMesh]:
    """Detect the faces of a picture and pick some.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    wanted : sequence of int
        Which faces, by their rank, largest first; one may be asked for more than once.

    Returns
    -------
    list of FaceMesh
        Those faces, in the order asked for.

    Raises
    ------
    NoFaceError
        The picture shows no face.
    FaceIndexError
        It has fewer faces than are asked for.

    Examples
    --------
    >>> from facekit import synthetic_face
    >>> len(find_faces(synthetic_face(256), [0, 0]))
    2
    """
    found = detect_faces(image, max_faces=max(USUAL, *(face + 1 for face in wanted)))
    if not found:
        raise NoFaceError("no face was found in the photo; try a sharper one, taken from the front")
    for face in wanted:
        if not 0 <= face < len(found):
            raise FaceIndexError(f"face {face} was asked for; the photo shows {len(found)}, from 0")
    return [found[face] for face in wanted]


def find_face(image: Image, face: int | None = None) -> FaceMesh:
    """Detect the faces of a picture and pick one.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.
    face : int, optional
        Which face, largest first. By default, the largest.

    Returns
    -------
    FaceMesh
        That face.

    Raises
    ------
    NoFaceError, FaceIndexError
        As in `find_faces`.

    Examples
    --------
    >>> from facekit import synthetic_face
    >>> find_face(synthetic_face(256)).points.shape
    (478, 2)
    """
    return find_faces(image, [face or 0])[0]
