"""What can be asked for: effects with their options, and ready templates.

The server never loads a picture, so what is here is what can be known without: names, words, ranges.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field, ValidationError, create_model

import facekit.effects
from facekit.ready import Ready, ready_templates
from service.errors import RefusedError
from service.schemas import Schema


class SwapOptions(Schema):
    """The dials of a swap, as `facekit.swap_face` has them, and the result's format."""

    model_config = ConfigDict(strict=True)

    face: int = Field(0, ge=0, le=19)
    """Which face of the photo, the largest first."""
    slot: int = Field(0, ge=0, le=19)
    """Which face of the template."""
    shape: float = Field(0.0, ge=0, le=1, allow_inf_nan=False)
    """How much of the shape of the face comes along."""
    features: float = Field(1.0, ge=0, le=1, allow_inf_nan=False)
    """How much of its features does."""
    colour: float = Field(1.0, ge=0, le=1, allow_inf_nan=False)
    """How far its colour is matched to the template's."""
    keep_mouth: bool | Literal["auto"] = "auto"
    """Whether the template's mouth stays."""
    gaze: Literal["template", "photo"] = "template"
    """Whose eyes look."""
    format: Literal["png", "jpeg", "webp"] = "png"
    """The result's format."""


class _EffectOptions(Schema):
    """What every effect of the catalogue can be asked for besides its own."""

    model_config = ConfigDict(strict=True)

    format: Literal["png", "jpeg", "webp"] = "png"
    """The result's format."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that can be done with a face.

    Parameters
    ----------
    words : str
        What.
    options : type of Schema
        What can be chosen.
    takes_template : bool
        Whether a template belongs to it.
    """

    words: str
    options: type[Schema]
    takes_template: bool


def _options_of(effect: facekit.effects.Effect) -> type[Schema]:
    """Return the schema of an effect's options: its parameters, and the result's format."""
    name = f"{effect.name.capitalize()}Options"
    chosen: dict[str, Any] = {one.name: _field_of(one) for one in effect.parameters}
    words = f"The options of `facekit {effect.name}`, and the result's format."
    return create_model(name, __base__=_EffectOptions, __module__=__name__, __doc__=words, **chosen)


def _field_of(one: facekit.effects.Parameter) -> tuple[Any, Any]:
    if one.kind == "choice":
        return Literal[one.choices], Field(one.default, description=one.words)
    kind = int if one.kind == "whole" else float
    bounds: dict[str, Any] = {"ge": one.least, "le": one.most}
    if kind is float:
        bounds["allow_inf_nan"] = False
    return kind, Field(one.default, description=one.words, **bounds)


#: Each is one of `facekit.pool.WORKS`: the swap, and what facekit's own catalogue holds.
EFFECTS: Final[Mapping[str, Effect]] = MappingProxyType(
    {"swap": Effect("Put the face of the photo into a template.", SwapOptions, takes_template=True)}
    | {
        name: Effect(one.words, _options_of(one), takes_template=False)
        for name, one in facekit.effects.EFFECTS.items()
    }
)


@cache
def templates() -> tuple[Ready, ...]:
    """Return the ready templates whose pictures are here."""
    return ready_templates()


def checked(effect: str, template: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a cell is told, of what was asked.

    Parameters
    ----------
    effect, template : str
        Names.
    options : mapping
        The effect's.

    Raises
    ------
    RefusedError
        One of them is unknown, or out of its range. Nothing is repeated.
    """
    found = EFFECTS.get(effect)
    if found is None:
        raise RefusedError("effect: there is no such effect; GET /v1/effects lists them")
    if found.takes_template != (template is not None):
        raise RefusedError("template: this effect " + ("needs one" if found.takes_template else "takes none"))
    if template is not None and all(template != one.name for one in templates()):
        raise RefusedError("template: there is no such template; GET /v1/templates lists them")
    try:
        chosen = found.options.model_validate(dict(options))
    except ValidationError as error:
        known = found.options.model_fields
        places = {str(fault["loc"][0]) for fault in error.errors(include_input=False) if fault["loc"]}
        wrong = ", ".join(sorted(places & known.keys())) or "an unknown one"
        raise RefusedError(f"options: {wrong}; GET /v1/effects says what each may be") from None
    return chosen.model_dump() | ({} if template is None else {"template": template})
