"""Dials beside the picture that they change."""

from collections.abc import Callable, Mapping
from typing import Any

from facekit.errors import InputError
from facekit.show.front import front
from facekit.show.views import Bundle, as_jpeg, bundle
from facekit.values import Image, as_image

__all__ = ["Play"]

Dial = tuple[float, float, float]  # least, most, and where it stands at first


class Play:
    """Dials beside the picture that they change.

    Parameters
    ----------
    draw : function
        Takes the dials by name and returns a picture of shape (H, W, 3), uint8.
    alt : str
        What there is to see.
    interactive : bool
        Whether there are sliders; without them the picture stays as it is at first.
    **dials : (least, most, first)
        By name: their ranges, and where they stand at first.

    Attributes
    ----------
    values : dict of str to float
        Where the dials stand.
    picture : Image
        What they show.
    """

    def __init__(
        self, draw: Callable[..., Image], *, alt: str, interactive: bool = True, **dials: Dial
    ) -> None:
        self._draw, self._alt = draw, alt
        self.values = {name: first for name, (_, _, first) in dials.items()}
        self.picture = as_image(draw(**self.values))
        self._box: Any = self._widgets(dials) if interactive else None

    def set(self, **dials: float) -> None:
        """Turn dials.

        Parameters
        ----------
        **dials : float
            By name.
        """
        for name, value in dials.items():
            if name not in self.values:
                raise InputError(f"no dial {name!r}; there are {', '.join(self.values)}")
            self.values[name] = float(value)
        self.picture = as_image(self._draw(**self.values))
        if self._box is not None:
            *sliders, picture = self._box.children
            picture.picture = as_jpeg(self.picture)
            for slider in sliders:
                slider.value = self.values[slider.description]

    def _moved(self, change: Mapping[str, Any]) -> None:
        name = change["owner"].description
        if change["new"] != self.values[name]:
            self.set(**{name: change["new"]})

    def _widgets(self, dials: Mapping[str, Dial]) -> Any:
        from ipywidgets import FloatSlider, VBox

        sliders = []
        for name, (least, most, first) in dials.items():
            slider = FloatSlider(first, min=least, max=most, step=(most - least) / 100, description=name)
            slider.observe(self._moved, "value")
            sliders.append(slider)
        height, width = self.picture.shape[:2]
        picture = front("picture", alt=self._alt, size=[width, height], picture=as_jpeg(self.picture))
        return VBox([*sliders, picture])

    def _repr_mimebundle_(self, **_: Any) -> Bundle:
        state = ", ".join(f"{name} {value:g}" for name, value in self.values.items())
        return bundle("jpeg", as_jpeg(self.picture), self._alt, state=state, widget=self._box)
