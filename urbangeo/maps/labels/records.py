"""A name to be placed on a map, and where it was placed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from urbangeo.maps.style import COLOURS, Weight

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

__all__ = ["Label", "Placed", "Placement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A name to be placed.

    Attributes
    ----------
    key
        Identifies the label; given back with its place.
    texts
        What may be written, best first; further ones are for narrow places.
    x, y
        The point that is named, in the map's coordinates (metres). For an area, any point of it.
    area
        The area that is named, in the map's coordinates, or None for a point.
    run
        The line along which the name is written, in the map's coordinates: a belt's axis, a river.
    radius
        Half the width of the point's symbol, or of the line named; along a line of radius 0 the
        name stands on it, else beside it. Millimetres.
    size, weight, colour
        Of the type; points.
    priority
        Lower is placed first.
    required
        Never left out in favour of another that is not required, and set in smaller type or aside
        with a leader line before it is left out at all.
    leader
        Whether it may stand aside with a leader line.
    spots
        If given, the label is centred on one of these points of the map, best first. Along a run
        they are what is left where the run is too short or too winding.
    halo
        Colour of the halo; best that of the ground.
    badge
        Colour of a frame around it, as a road number has one; empty for none.
    """

    key: str
    texts: tuple[str, ...]
    x: float
    y: float
    area: BaseGeometry | None = None
    run: BaseGeometry | None = None
    radius: float = 0.0
    size: float
    weight: Weight = "regular"
    colour: str = COLOURS["ink"]
    priority: int = 0
    required: bool = False
    leader: bool = False
    spots: tuple[tuple[float, float], ...] = ()
    halo: str = COLOURS["paper"]
    badge: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A label with its place: centre and box in millimetres from the page's lower left corner.

    ``label`` bears the size in which it is written. ``leader`` holds the ends of the leader line,
    at the label and at what it names. ``angle`` is that of the writing, degrees anticlockwise; the
    box is upright all the same and holds the whole of the name, ``corners`` are the name's own.
    """

    label: Label
    text: str
    x: float
    y: float
    box: tuple[float, float, float, float]
    leader: tuple[tuple[float, float], tuple[float, float]] | None = None
    angle: float = 0.0
    corners: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """Labels that found room, in the order given, and those that did not.

    ``repeated`` are those that another one within 3 mm says already.
    """

    placed: tuple[Placed, ...]
    left_out: tuple[Label, ...]
    repeated: tuple[Label, ...] = ()
