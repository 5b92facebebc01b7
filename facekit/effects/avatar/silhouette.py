"""Which class of hair and beard a head has, by how much hair lies where around it.

References
----------
.. [1] Yacoob & Davis, "Detection and Analysis of Hair", IEEE PAMI 28(7), 2006, for volume, length and
   hairline as what tells heads of hair apart.
"""

from dataclasses import dataclass

import numpy as np

from facekit.effects.avatar.canonical import CENTRE, PER_UNIT, View
from facekit.effects.avatar.portrait import Beard, HairClass, Parting
from facekit.values import Mask, Matte

__all__ = ["Silhouette", "beard_class", "measure_silhouette"]

SEEN = 0.35  # of a zone must lie in the photo, or nothing is known of it


@dataclass(frozen=True, slots=True)
class Silhouette:
    """Where hair is around a head; shares of zones in [0, 1], nan beyond the photo.

    Parameters
    ----------
    crown : float
        Above the forehead.
    sides : float
        Beside the brows.
    cheeks : float
        Beside nose and mouth.
    jaw : float
        Beside the chin.
    shoulders : float
        Below the chin, on either side.
    fringe : float
        Over the upper forehead.
    lean : float
        How much more hair covers the forehead at the picture's left than at its right, -1 to 1.
    height : float, outer-eye distances
        How far hair reaches above the forehead's top, nan where the photo ends first.
    width : float, outer-eye distances
        How far hair reaches beside the head, above the ears.
    hairline : float, outer-eye distances
        How far below the forehead's top the middle of the hairline lies.
    """

    crown: float
    sides: float
    cheeks: float
    jaw: float
    shoulders: float
    fringe: float
    lean: float
    height: float
    width: float
    hairline: float

    def hair_class(self) -> HairClass:
        """Name the silhouette.

        Returns
        -------
        {"bald", "buzz", "short", "side-parted", "fringe", "bob", "long", "tied-up", "curly"}
            What the zones agree with most simply.
        """
        length = max(_known(self.shoulders, 0.0), 0.0)
        jaw, cheeks = _known(self.jaw, 0.0), _known(self.cheeks, 0.0)
        height = _known(self.height, 0.75)
        if _known(self.crown, 0.6) < 0.16 and max(cheeks, jaw) < 0.3 and _known(self.sides, 0.0) < 0.75:
            return "bald"
        if np.isnan(self.jaw) and cheeks > 0.4:
            return "long"
        if length > 0.2 and jaw > 0.2:
            return "long"
        if jaw > 0.3 or cheeks > 0.6 or (cheeks > 0.45 and jaw > 0.15):
            return "bob"
        if self.height > 1.0 and self.fringe < 0.5 and _known(self.width, 0.1) > 0.45:
            return "curly"
        if self.height > 0.95 and _known(self.sides, 0.5) < 0.75:
            return "tied-up"
        if height < 0.44 and self.fringe < 0.35:
            return "buzz"
        if self.fringe > 0.6:
            return "fringe"
        return "side-parted" if abs(self.lean) > 0.16 else "short"

    def parting(self) -> Parting:
        """Tell on which side of the picture the hair is parted.

        Returns
        -------
        {"left", "middle", "right"}
            Where less of the forehead is covered.
        """
        if self.lean > 0.08:
            return "right"
        return "left" if self.lean < -0.08 else "middle"


def _known(value: float, otherwise: float) -> float:
    return otherwise if np.isnan(value) else value


def measure_silhouette(view: View) -> Silhouette:
    """Measure how much hair lies where around a head.

    Parameters
    ----------
    view : View
        A head.

    Returns
    -------
    Silhouette
        By zones that move with the face's own outline.
    """
    points = (view.points - np.array(CENTRE, np.float32)) / np.float32(PER_UNIT)
    top, chin = float(points[10, 1]), float(points[152, 1])
    left, right = float(points[[234, 127], 0].min()), float(points[[454, 356], 0].max())
    middle = (left + right) / 2
    brow = float(points[[105, 334], 1].mean())

    def beside(y0: float, y1: float, near: float, far: float) -> float:
        """Return the share of hair in two boxes beside the face; the fuller one counts more."""
        shares = [
            _share(view.hair, view.box(left - far, y0, left - near, y1)),
            _share(view.hair, view.box(right + near, y0, right + far, y1)),
        ]
        known = [one for one in shares if not np.isnan(one)]
        return float(0.65 * max(known) + 0.35 * min(known)) if known else float("nan")

    over = [
        _share(view.hair, view.within(*ring))
        for ring in ((54, 103, 67, 109, 10, 151, 108, 69, 104), (284, 332, 297, 338, 10, 151, 337, 299, 333))
    ]
    fringe = float(np.nan_to_num(np.nanmean(over))) if not np.isnan(over).all() else 0.0
    lean = float(np.nan_to_num(over[0] - over[1]))
    return Silhouette(
        crown=_share(view.hair, view.box(middle - 0.5, top - 0.32, middle + 0.5, top - 0.04)),
        sides=beside(brow - 0.3, brow + 0.1, 0.0, 0.16),
        cheeks=beside(0.15, 0.5 * chin, 0.06, 0.36),
        jaw=beside(0.62 * chin, chin, 0.0, 0.36),
        shoulders=beside(chin + 0.12, chin + 0.42, -0.22, 0.28),
        fringe=fringe,
        lean=lean,
        height=_height(view, top, middle),
        width=_width(view, left, right, brow),
        hairline=_hairline(view, top, middle),
    )


def _share(matte: Matte, zone: Mask) -> float:
    """Return how much of a zone a matte covers; nan where the photo shows too little of it."""
    count = int(zone.sum())
    return float(matte[zone].mean()) if count > 20 else float("nan")


def _height(view: View, top: float, middle: float) -> float:
    """Return how far hair reaches above the forehead's top."""
    x, y = round(middle * PER_UNIT + CENTRE[0]), round(top * PER_UNIT + CENTRE[1])
    cols = slice(max(x - 12, 0), x + 13)
    rows = view.hair[: max(y, 1), cols].mean(axis=1)
    seen = view.inside[: max(y, 1), cols].mean(axis=1) > 0.5
    covered = np.flatnonzero(rows > 0.4)
    if not covered.size:
        return 0.0 if seen.sum() > 0.5 * PER_UNIT else float("nan")
    first = int(covered[0])
    if first == 0 or not seen[max(first - 3, 0)]:
        return float("nan")
    return float((y - first) / PER_UNIT)


def _width(view: View, left: float, right: float, brow: float) -> float:
    """Return how far hair reaches beside the head between its top and the brows."""
    row = slice(round((brow - 0.45) * PER_UNIT + CENTRE[1]), round((brow - 0.05) * PER_UNIT + CENTRE[1]))
    lines = view.hair[row].mean(axis=0)
    start, end = round(left * PER_UNIT + CENTRE[0]), round(right * PER_UNIT + CENTRE[0])
    reaches = [
        float((lines[: max(start, 0)] > 0.5).sum()),
        float((lines[min(end, len(lines)) :] > 0.5).sum()),
    ]
    return float(np.clip(np.mean(reaches) / PER_UNIT, 0, 0.8))


def _hairline(view: View, top: float, middle: float) -> float:
    """Return how far below the forehead's top the middle of the hairline lies."""
    x = round(middle * PER_UNIT + CENTRE[0])
    start, end = (round((top + shift) * PER_UNIT + CENTRE[1]) for shift in (-0.35, 0.45))
    column = view.hair[max(start, 0) : max(end, 1), max(x - 8, 0) : x + 9].mean(axis=1)
    covered = np.flatnonzero(column > 0.5)
    if not covered.size:
        return 0.0
    return float(np.clip((covered[-1] + 1 + max(start, 0) - CENTRE[1]) / PER_UNIT - top, -0.2, 0.35))


def beard_class(view: View) -> Beard:
    """Name a beard by where it grows, and how thickly.

    Parameters
    ----------
    view : View
        A head.

    Returns
    -------
    {"none", "stubble", "moustache", "goatee", "full"}
        The class.
    """
    lip = _share(view.beard, view.within(164, 167, 165, 92, 186, 40, 37, 0, 267, 270, 410, 322, 391, 393))
    chin = _share(view.beard, view.within(18, 83, 182, 194, 32, 140, 176, 152, 400, 369, 262, 418, 406, 313))
    jaws = [
        _share(view.beard, view.within(*ring))
        for ring in (
            (214, 192, 213, 58, 172, 136, 150, 169, 210),
            (434, 416, 433, 288, 397, 365, 379, 394, 430),
        )
    ]
    lip, chin, jaw = (
        float(np.nan_to_num(one))
        for one in (lip, chin, np.nanmean(jaws) if not np.isnan(jaws).all() else 0.0)
    )
    if max(lip, chin) < 0.12 or lip + jaw < 0.14:
        return "none"
    if chin > 0.3 and (jaw > 0.3 or lip < 0.3):  # a lip that seems bare over a beard is lit, or grey
        return "full"
    if lip > 0.3:
        return "goatee" if chin > 0.3 else "moustache"
    return "stubble"
