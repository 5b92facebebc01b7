"""Which face of a picture an effect works on."""

from facekit.errors import FaceIndexError, NoFaceError
from facekit.landmarks import detect_faces
from facekit.values import FaceMesh, Image

__all__ = ["find_face"]


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
    NoFaceError
        The picture shows no face.
    FaceIndexError
        It has fewer faces than `face` asks for.

    Examples
    --------
    >>> from facekit import synthetic_face
    >>> find_face(synthetic_face(256)).points.shape
    (478, 2)
    """
    wanted = 0 if face is None else face
    found = detect_faces(image, max_faces=max(6, wanted + 1))
    if not found:
        raise NoFaceError("no face was found in the photo; try a sharper one, taken from the front")
    if not 0 <= wanted < len(found):
        raise FaceIndexError(f"face {wanted} was asked for; the photo shows {len(found)}, from 0")
    return found[wanted]
