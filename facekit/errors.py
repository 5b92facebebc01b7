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
    │   ├── ControlError           a search that missed what it had planted itself
    │   ├── EgressError            something tried to reach another machine
    │   ├── ErasedError            what is asked for has been erased
    │   ├── ErasureError           something could not be erased: the duty to stays open
    │   ├── ReceiptError           a receipt that is forged, edited or for another key
    │   └── SealError              an envelope that does not open, or a key that cannot seal
    ├── CellError                  a job that its cell did not finish
    │   ├── CellTimeoutError       it took too long, or its lease ran out
    │   ├── CellMemoryError        it needed more memory than a cell may have
    │   ├── CellCrashedError       its process ended before its work did
    │   ├── WallError              a wall of the cell cannot be had on this machine
    │   └── QueueFullError         too many jobs wait already
    ├── RemoteError                a service that was asked did not do it
    │   ├── ServiceLostError       it cannot be reached, or answers what nobody understands
    │   └── ServiceRefusedError    it said why: `.type`, `.title`, `.detail`, `.status`
    └── TemplateError              a template that cannot be used

A message states what came and what was wanted. It never holds a pixel, a path or a
file name of the user's. facekit's errors know no HTTP and no exit codes; a `ServiceRefusedError` only
carries the number that a service gave.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

__all__ = [
    "ArrayError",
    "CellCrashedError",
    "CellError",
    "CellMemoryError",
    "CellTimeoutError",
    "ControlError",
    "DecodeError",
    "DegenerateMeshError",
    "EgressError",
    "ErasedError",
    "ErasureError",
    "FaceError",
    "FaceIndexError",
    "FacekitError",
    "InputError",
    "ModelError",
    "NoFaceError",
    "NumericsError",
    "PrivacyError",
    "QueueFullError",
    "ReceiptError",
    "RemoteError",
    "SampleError",
    "SealError",
    "ServiceLostError",
    "ServiceRefusedError",
    "SolverError",
    "TemplateError",
    "TooLargeError",
    "WallError",
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


class ControlError(PrivacyError):
    """A search for residue missed what it had planted itself, so its silence would prove nothing."""


class EgressError(PrivacyError):
    """Something tried to reach another machine, or could not be watched."""


class ErasedError(PrivacyError):
    """What is asked for has been erased."""


class ErasureError(PrivacyError):
    """Something could not be erased; the message says what is left, and the duty to erase it stays open."""


class ReceiptError(PrivacyError):
    """An erasure receipt is forged or edited, or was signed with another key."""


class SealError(PrivacyError):
    """An envelope does not open, or a public key is not one."""


class CellError(FacekitError):
    """A job that the cell it was given to did not finish; nothing of it is left."""


class CellTimeoutError(CellError):
    """The job took too long, or was not begun before its cell's lease ran out."""


class CellMemoryError(CellError):
    """The job needed more memory than a cell may have."""


class CellCrashedError(CellError):
    """The cell's process ended before its work did."""


class WallError(CellError):
    """A wall that a cell must have cannot be had on this machine; the message names it."""


class QueueFullError(CellError):
    """As many jobs wait as may wait."""


class RemoteError(FacekitError):
    """A service that was asked for something did not do it."""


class ServiceLostError(RemoteError):
    """The service cannot be reached, or answers what nobody understands."""


class ServiceRefusedError(RemoteError):
    """The service said no, and why.

    Parameters
    ----------
    type, title, detail : str
        The kind of problem, which is constant, such as ``/v1/problems/no-consent``; the kind in words;
        what to do about it.
    status : int
        The number of the service's answer.
    retry_after : float, optional
        Seconds until it is worth asking again, where the service says so.
    more : mapping
        What else it said, such as the ``purpose`` that needs consent.
    """

    def __init__(
        self,
        type: str,  # noqa: A002 (RFC 9457 calls it that)
        title: str,
        detail: str,
        status: int,
        *,
        retry_after: float | None = None,
        more: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        self.type, self.title, self.detail, self.status = type, title, detail, status
        self.retry_after, self.more = retry_after, more
        super().__init__(f"{title}: {detail}")


class TemplateError(FacekitError):
    """A template is unknown, incomplete or has no usable face slot."""
