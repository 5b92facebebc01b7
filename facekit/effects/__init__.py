"""Effects on one picture: one effect a file, and the catalogue of all, which loads none of them.

The command line and the service read the catalogue, so a new effect is a file and an entry here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

from facekit.errors import InputError

if TYPE_CHECKING:
    from facekit.stopwatch import Progress
    from facekit.values import EffectResult, Image

__all__ = ["EFFECTS", "Effect", "Parameter"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What can be chosen of an effect.

    Parameters
    ----------
    name : str
        As the function calls it.
    words : str
        One sentence.
    default : str, float or int
        Where nothing is chosen.
    kind : {"number", "whole", "choice"}
        What it takes.
    least, most : float
        Its range, ends included; of no meaning for a choice.
    choices : tuple of str
        Of a choice.
    """

    name: str
    words: str
    default: str | float | int
    kind: Literal["number", "whole", "choice"] = "number"
    least: float = 0.0
    most: float = 1.0
    choices: tuple[str, ...] = ()

    def check(self, value: object) -> None:
        """Refuse what is out of range.

        Parameters
        ----------
        value : object
            What was chosen.

        Raises
        ------
        InputError
            It is of another kind, or out of range; the message says what may be chosen.

        Examples
        --------
        >>> Parameter("amount", "How far.", 1.0).check(2)
        Traceback (most recent call last):
        facekit.errors.InputError: amount: expected a number from 0 to 1
        """
        if self.kind == "choice":
            if value not in self.choices:
                raise InputError(f"{self.name}: expected one of {', '.join(self.choices)}")
            return
        kinds: tuple[type, ...] = (int,) if self.kind == "whole" else (int, float)
        right = isinstance(value, kinds) and not isinstance(value, bool)
        if not (right and self.least <= value <= self.most):  # type: ignore[operator]
            word = "whole number" if self.kind == "whole" else "number"
            raise InputError(f"{self.name}: expected a {word} from {self.least:g} to {self.most:g}")


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that can be done with a face.

    Parameters
    ----------
    name : str
        By which it is asked for.
    words : str
        One sentence.
    parameters : tuple of Parameter
        What can be chosen.
    home : str
        Its module within `facekit.effects`.
    function : str
        What that module calls it.
    """

    name: str
    words: str
    parameters: tuple[Parameter, ...]
    home: str
    function: str

    def load(self) -> "Callable[..., EffectResult]":
        """Load the effect.

        Returns
        -------
        function
            Takes the picture, and the parameters and `progress` by name.
        """
        return getattr(import_module(f"facekit.effects.{self.home}"), self.function)  # type: ignore[no-any-return]

    def checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters' values, those that were chosen and the defaults.

        Parameters
        ----------
        options : mapping of str to object
            What was chosen.

        Returns
        -------
        dict of str to object
            By name, in the catalogue's order.

        Raises
        ------
        InputError
            One is unknown or out of range.

        Examples
        --------
        >>> EFFECTS["gender"].checked({"amount": 0.5})
        {'toward': 'auto', 'amount': 0.5, 'face': 0}
        """
        if unknown := options.keys() - {one.name for one in self.parameters}:
            raise InputError(f"{', '.join(sorted(unknown))}: unknown to this effect")
        chosen = {one.name: options.get(one.name, one.default) for one in self.parameters}
        for one in self.parameters:
            one.check(chosen[one.name])
        return chosen

    def apply(
        self, image: "Image", options: Mapping[str, Any], *, progress: "Progress | None" = None
    ) -> "EffectResult":
        """Load the effect and do it.

        Parameters
        ----------
        image : Image of shape (H, W, 3), uint8
            The picture; never modified.
        options : mapping of str to object
            What was chosen.
        progress : function, optional
            Is told each stage as it begins.

        Returns
        -------
        EffectResult
            What it made.

        Raises
        ------
        FacekitError
            An option is unknown or out of range; what the effect itself refuses.

        Examples
        --------
        >>> from facekit import synthetic_face
        >>> EFFECTS["caricature"].apply(synthetic_face(128), {"amount": 0.2}).image.shape
        (128, 128, 3)
        """
        return self.load()(image, **self.checked(options), progress=progress)


_WAYS: Final = ("auto", "female", "male")
_FACE: Final = Parameter("face", "Which face, the largest first.", 0, "whole", 0, 19)

_ALL: Final = (
    Effect(
        "gender",
        "Make a face look more like a woman's or a man's, and still like this person's.",
        (
            Parameter("toward", "Which way; auto is the other one.", "auto", "choice", choices=_WAYS),
            Parameter("amount", "How far; most people see the other gender at 1.", 1.0, most=1.5),
            _FACE,
        ),
        "gender",
        "change_gender",
    ),
    Effect(
        "age",
        "Make a face look older or younger.",
        (Parameter("years", "By how many years; negative is younger.", 20.0, least=-30.0, most=40.0), _FACE),
        "age",
        "change_age",
    ),
    Effect(
        "anime",
        "Draw a picture as anime, its face by hand.",
        (
            Parameter("style", "Flat colours, or ink with tones.", "cel", "choice", choices=("cel", "ink")),
            Parameter("amount", "How much of the drawing covers the picture.", 1.0),
            _FACE,
        ),
        "anime",
        "animefy",
    ),
    Effect(
        "avatar",
        "Draw a vector portrait, wholly from measurements.",
        (Parameter("size", "Side of the picture in pixels.", 512, "whole", 16, 4096), _FACE),
        "portraits",
        "portray",
    ),
    Effect(
        "caricature",
        "Let what sets a face apart from the mean face grow, or shrink.",
        (Parameter("amount", "By which share; negative shrinks it.", 0.5, least=-1.0), _FACE),
        "morph",
        "caricature",
    ),
)  # fmt: skip

EFFECTS: Final[Mapping[str, Effect]] = MappingProxyType({one.name: one for one in _ALL})
"""All effects on one picture, by name; `facekit.swap_face`, which takes a template, is not among them."""
