"""Everything that facekit refuses, as one tree.

::

    FacekitError
    ├── InputError                 what came in cannot be used
    │   ├── DecodeError            bytes that are not a whole picture
    │   ├── TooLargeError          over a limit on bytes, pixels or frames
    │   └── ArrayError             an array of the wrong shape or type
    ├── FaceError
    │   ├── NoFaceError            nobody found
    │   └── FaceIndexError         fewer faces than asked for
    ├── ModelError                 a model file is missing or altered
    ├── SampleError                a sample picture is missing or altered
    ├── NumericsError
    │   ├── DegenerateMeshError    a triangle without area
    │   └── SolverError            a solution that misses its equations
    ├── PrivacyError
    │   ├── ErasedError            what is asked for has been erased
    │   └── SealError              an envelope that does not open, or a key that cannot seal
    └── TemplateError              a template that cannot be used

A message states what came and what was wanted. It never holds a pixel, a path or a
file name of the user's. facekit's errors know no HTTP and no exit codes.
"""

from collections.abc import Sequence

__all__ = [
    "ArrayError",
    "DecodeError",
    "DegenerateMeshError",
    "ErasedError",
    "FaceError",
    "FaceIndexError",
    "FacekitError",
    "InputError",
    "ModelError",
    "NoFaceError",
    "NumericsError",
    "PrivacyError",
    "SampleError",
    "SealError",
    "SolverError",
    "TemplateError",
    "TooLargeError",
]


class FacekitError(Exception):
    """Root of every error that facekit raises on purpose."""


class InputError(FacekitError):
    """What came in cannot be used."""


class DecodeError(InputError):
    """The bytes are not a whole picture in a known format."""


class TooLargeError(InputError):
    """The input is over a limit on bytes, pixels or frames."""


class ArrayError(InputError):
    """An array has the wrong shape or type."""


class FaceError(FacekitError):
    """The faces in a picture do not fit what was asked."""


class NoFaceError(FaceError):
    """No face was found."""


class FaceIndexError(FaceError):
    """Fewer faces were found than the index asks for."""


class ModelError(FacekitError):
    """A model file is missing, or is not the registered one."""


class SampleError(FacekitError):
    """A sample picture is missing, or is not the registered one."""


class NumericsError(FacekitError):
    """A computation has no answer that can be trusted."""


class DegenerateMeshError(NumericsError):
    """A triangle that must carry picture has no area.

    Parameters
    ----------
    triangles : sequence of int
        Rows of the triangulation that are flat.
    """

    def __init__(self, triangles: Sequence[int]) -> None:
        self.triangles = tuple(triangles)
        shown = ", ".join(map(str, self.triangles[:8])) + (", ..." if len(triangles) > 8 else "")
        super().__init__(f"{len(self.triangles)} triangle(s) without area: rows {shown}")


class SolverError(NumericsError):
    """A solution misses its equations by more than the tolerance.

    Parameters
    ----------
    residual, tolerance : float
        Largest residual found, and the largest allowed, in grey levels.
    """

    def __init__(self, residual: float, tolerance: float) -> None:
        self.residual = residual
        self.tolerance = tolerance
        super().__init__(f"the solution misses its equations by {residual:.3g}, over {tolerance:.3g}")


class PrivacyError(FacekitError):
    """What keeps personal data private was not given, or has done its work."""


class ErasedError(PrivacyError):
    """What is asked for has been erased."""


class SealError(PrivacyError):
    """An envelope does not open, or a public key is not one."""


class TemplateError(FacekitError):
    """A template is unknown, incomplete or has no usable face slot."""
