"""The named styles of points, lines and areas: what a manifest may ask for by name.

Signs follow the habit of Chinese planning maps: a star for the centre, circles within circles by
rank of city, broad bands and arrows for axes and corridors, hatched zones, squares by level of a
park. Hues are those of Okabe and Ito (2008), which people with any colour vision tell apart;
neighbours differ in lightness, outline or pattern as well, so that grey is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from matplotlib.colors import is_color_like
from matplotlib.path import Path as DrawnPath

from urbangeo.errors import InputError, UnknownNameError
from urbangeo.maps.style import BANDS, COLOURS, LINES, Line

__all__ = [
    "STYLES",
    "AreaStyle",
    "LineStyle",
    "Mark",
    "PointStyle",
    "Style",
    "colour",
    "marker",
    "named_style",
    "own_style",
    "varied",
]

HUES = {
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
    "black": "#1A1A1A",
    "red": "#B3202A",
    "forest": "#1B5E3B",
    "navy": "#0B3C6F",
    "violet": "#4B2E83",
    "brown": "#7A4A1E",
    "grey": "#8C8C8C",
    "water": "#2F7FB5",
    "paper": "#FFFFFF",
}
"""Colours by name: the eight of Okabe and Ito, and dark ones for outlines."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One shape of a sign: matplotlib's marker or a name in :data:`SHAPES`, sizes in mm."""

    shape: str
    size: float
    face: str = COLOURS["paper"]
    edge: str = COLOURS["ink"]
    edge_width: float = 0.17


@dataclass(frozen=True, slots=True)
class PointStyle:
    """A sign at a point: marks one on the other, lowest first."""

    marks: tuple[Mark, ...]

    @property
    def size(self) -> float:
        """Width, millimetres."""
        return max(mark.size for mark in self.marks)


@dataclass(frozen=True, slots=True)
class LineStyle:
    """Lines one on the other, lowest first; ``arrow`` is ``""``, ``"end"`` or ``"both"``."""

    lines: tuple[Line, ...]
    arrow: str = ""
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class AreaStyle:
    """A fill, a hatching, an outline.

    Attributes
    ----------
    fill, opacity
        Colour, and how much it hides; empty for none.
    hatch, angle, spacing, hatch_width
        Colour of hatching lines, degrees from east, distance and width in millimetres.
    edge
        Outline, or None.
    """

    fill: str = ""
    opacity: float = 1.0
    hatch: str = ""
    angle: float = 45.0
    spacing: float = 1.6
    hatch_width: float = 0.2
    edge: Line | None = None


Style = PointStyle | LineStyle | AreaStyle

# Shapes that matplotlib lacks, drawn in a square from -1 to 1.
_OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "plane": (
        *((0.0, 1.0), (0.14, 0.8), (0.14, 0.3), (1.0, -0.2), (1.0, -0.42), (0.14, -0.16)),
        *((0.11, -0.62), (0.4, -0.84), (0.4, -1.0), (0.0, -0.88), (-0.4, -1.0), (-0.4, -0.84)),
        *((-0.11, -0.62), (-0.14, -0.16), (-1.0, -0.42), (-1.0, -0.2), (-0.14, 0.3), (-0.14, 0.8)),
    ),
    "anchor": (
        *((-0.12, 0.4), (-0.5, 0.4), (-0.5, 0.18), (-0.12, 0.18), (-0.12, -0.62), (-0.5, -0.48)),
        *((-0.68, -0.16), (-0.5, -0.1), (-0.95, 0.14), (-1.0, -0.36), (-0.85, -0.28)),
        *((-0.6, -0.72), (0.0, -1.0), (0.6, -0.72), (0.85, -0.28), (1.0, -0.36), (0.95, 0.14)),
        *((0.5, -0.1), (0.68, -0.16), (0.5, -0.48), (0.12, -0.62), (0.12, 0.18), (0.5, 0.18)),
        *((0.5, 0.4), (0.12, 0.4), (0.24, 0.6), (0.2, 0.88), (0.0, 1.0), (-0.2, 0.88)),
        (-0.24, 0.6),
    ),
    "bolt": ((0.3, 1.0), (-0.6, -0.1), (-0.05, -0.1), (-0.3, -1.0), (0.6, 0.2), (0.05, 0.2)),
    "drop": (
        *((0.0, 1.0), (0.34, 0.35), (0.62, -0.12), (0.66, -0.48), (0.5, -0.78), (0.22, -0.96)),
        *((0.0, -1.0), (-0.22, -0.96), (-0.5, -0.78), (-0.66, -0.48), (-0.62, -0.12)),
        (-0.34, 0.35),
    ),
    "flag": ((-0.6, 1.0), (0.85, 0.55), (-0.38, 0.05), (-0.38, -1.0), (-0.6, -1.0)),
    "hall": (
        *((0.0, 1.0), (0.95, 0.4), (0.95, 0.2), (0.7, 0.2), (0.7, -0.7), (1.0, -0.7)),
        *((1.0, -1.0), (-1.0, -1.0), (-1.0, -0.7), (-0.7, -0.7), (-0.7, 0.2), (-0.95, 0.2)),
        (-0.95, 0.4),
    ),
    "mountain": ((-1.0, -0.8), (-0.3, 0.8), (0.05, 0.1), (0.35, 0.5), (1.0, -0.8)),
    "tree": (
        *((0.0, 1.0), (0.5, 0.25), (0.25, 0.25), (0.75, -0.5), (0.14, -0.5), (0.14, -1.0)),
        *((-0.14, -1.0), (-0.14, -0.5), (-0.75, -0.5), (-0.25, 0.25), (-0.5, 0.25)),
    ),
    "train": (
        *((-0.55, 1.0), (0.55, 1.0), (0.75, 0.75), (0.75, -0.4), (0.5, -0.62), (0.8, -1.0)),
        *((0.5, -1.0), (0.25, -0.68), (-0.25, -0.68), (-0.5, -1.0), (-0.8, -1.0)),
        *((-0.5, -0.62), (-0.75, -0.4), (-0.75, 0.75)),
    ),
    "wave": (
        *((-1.0, 0.1), (-0.6, 0.5), (-0.2, 0.1), (0.2, 0.5), (0.6, 0.1), (1.0, 0.5)),
        *((1.0, 0.0), (0.6, -0.4), (0.2, 0.0), (-0.2, -0.4), (-0.6, 0.0), (-1.0, -0.4)),
    ),
}
SHAPES = tuple(_OUTLINES)
"""Names of the shapes drawn here."""
_MATPLOTLIB = frozenset("os^v<>Dd*PXphH8+x|_")


@cache
def marker(shape: str) -> Any:
    """Give the marker of a shape, as matplotlib takes it.

    Raises
    ------
    UnknownNameError
        If there is no such shape.
    """
    if shape in _MATPLOTLIB:
        return shape
    if shape not in _OUTLINES:
        raise UnknownNameError("shape", shape, [*SHAPES, *sorted(_MATPLOTLIB)])
    corners = _OUTLINES[shape]
    return DrawnPath([*corners, corners[0]], closed=True)


def colour(name: str) -> str:
    """Give a colour by its name in the style sheet, or as ``#RRGGBB``.

    Raises
    ------
    UnknownNameError
        If it is neither.
    """
    if name in HUES:
        return HUES[name]
    if name in COLOURS:
        return COLOURS[name]
    if name.startswith("#") and is_color_like(name):
        return name
    raise UnknownNameError("colour", name, [*HUES, *COLOURS], "Or give it as #RRGGBB.")


def _point(*marks: Mark) -> PointStyle:
    return PointStyle(marks)


def _in_circle(shape: str, face: str, size: float = 3.0, inner: float = 0.62) -> PointStyle:
    paper = COLOURS["paper"]
    return _point(Mark("o", size, face, paper, 0.16), Mark(shape, size * inner, paper, paper, 0.05))


def _in_square(shape: str, face: str, size: float = 2.8, inner: float = 0.7) -> PointStyle:
    paper = COLOURS["paper"]
    return _point(Mark("s", size, face, paper, 0.16), Mark(shape, size * inner, paper, paper, 0.05))


def _line(tone: str, width: float, dashes: tuple[float, ...] = (), **options: Any) -> LineStyle:
    arrow = options.pop("arrow", "")
    opacity = options.pop("opacity", 1.0)
    return LineStyle((Line(tone, width, dashes, **options),), arrow, opacity)


def _belt(tone: str, angle: float, edge: float = 0.3) -> AreaStyle:
    return AreaStyle(tone, 0.30, tone, angle, 2.0, 0.16, Line(tone, edge))


def _points() -> dict[str, PointStyle]:
    ink, paper, h = COLOURS["ink"], COLOURS["paper"], HUES
    return {
        # Cities and towns, by rank
        "centre": _point(Mark("*", 4.2, h["red"], paper, 0.25)),
        "core": _point(Mark("o", 5.0, h["red"], paper, 0.2), Mark("*", 3.4, paper, paper, 0.05)),
        "capital": _point(Mark("o", 4.0, paper, h["red"], 0.45), Mark("*", 2.7, h["red"])),
        "city-1": _point(Mark("o", 3.4, paper, ink, 0.34), Mark("o", 1.9, ink, ink, 0.1)),
        "city-2": _point(Mark("o", 2.8, paper, ink, 0.28), Mark("o", 1.2, ink, ink, 0.1)),
        "city-3": _point(Mark("o", 2.2, ink, paper, 0.17)),
        "city-4": _point(Mark("o", 1.7, paper, ink, 0.28)),
        "seat": _point(Mark("o", 1.7, ink, paper, 0.17)),
        "county-seat": _point(Mark("o", 1.5, paper, ink, 0.24)),
        "town": _point(Mark("o", 1.05, ink, paper, 0.14)),
        "town-special": _point(Mark("o", 1.5, h["vermilion"], paper, 0.17)),
        "town-satellite": _point(Mark("D", 1.5, h["blue"], paper, 0.17)),
        "town-function": _point(Mark("^", 1.8, h["violet"], paper, 0.17)),
        "village": _point(Mark("p", 1.7, h["green"], paper, 0.17)),
        "node": _point(Mark("o", 1.3, paper, h["navy"], 0.3)),
        "pole": _point(Mark("o", 4.4, h["orange"], ink, 0.2), Mark("o", 1.5, ink, ink, 0.1)),
        # Traffic
        "airport": _in_circle("plane", h["navy"], 3.6, 0.72),
        "general-airport": _point(
            Mark("o", 2.9, paper, h["navy"], 0.26), Mark("plane", 1.9, h["navy"], h["navy"], 0.05)
        ),
        "port": _in_circle("anchor", h["blue"], 3.2, 0.68),
        "dry-port": _in_square("anchor", h["brown"], 2.7, 0.72),
        "station-hsr": _in_square("train", h["violet"], 2.9, 0.66),
        "station": _point(Mark("s", 2.4, paper, ink, 0.26), Mark("train", 1.5, ink, ink, 0.05)),
        "bus-station": _point(Mark("s", 1.9, h["sky"], ink, 0.2)),
        "hub": _point(Mark("D", 3.4, h["orange"], ink, 0.22), Mark("o", 1.2, ink, ink, 0.05)),
        "logistics": _point(Mark("p", 2.8, h["brown"], paper, 0.17)),
        "interchange": _point(Mark("D", 1.2, paper, ink, 0.2)),
        # Parks and industry
        "park-national": _point(
            Mark("s", 3.2, h["vermilion"], ink, 0.22), Mark("s", 1.2, paper, paper, 0.05)
        ),
        "park-provincial": _point(Mark("s", 2.4, h["orange"], ink, 0.2)),
        "park-municipal": _point(Mark("s", 1.9, paper, h["vermilion"], 0.34)),
        "base": _point(Mark("h", 3.2, h["violet"], paper, 0.2)),
        "industry": _point(Mark("s", 1.6, h["brown"], paper, 0.15)),
        "data-centre": _point(Mark("s", 2.2, h["navy"], paper, 0.17)),
        "liquor": _point(Mark("d", 2.6, h["red"], paper, 0.17)),
        # Tourism
        "scenic-major": _point(Mark("^", 2.8, h["forest"], paper, 0.2)),
        "scenic": _point(Mark("^", 2.1, h["green"], ink, 0.17)),
        "tourism-base": _point(
            Mark("o", 4.2, h["vermilion"], paper, 0.2), Mark("hall", 2.5, paper, paper, 0.05)
        ),
        "tourism-base-main": _point(
            Mark("o", 5.4, h["red"], paper, 0.2), Mark("hall", 3.3, paper, paper, 0.05)
        ),
        "tourism-hub": _point(Mark("h", 2.9, h["orange"], ink, 0.2)),
        "tourism-hub-minor": _point(Mark("h", 2.2, paper, h["vermilion"], 0.3)),
        "red-site": _in_circle("flag", h["red"], 2.9, 0.66),
        "heritage": _in_square("hall", h["brown"], 2.7, 0.74),
        "night": _point(Mark("*", 2.4, h["yellow"], ink, 0.17)),
        # Water, power, waste
        "reservoir-built": _point(Mark("drop", 2.7, h["blue"], h["navy"], 0.15)),
        "reservoir-building": _point(Mark("drop", 2.7, h["sky"], h["navy"], 0.24)),
        "reservoir-planned": _point(Mark("drop", 2.7, paper, h["water"], 0.3)),
        "coal-mine": _point(Mark("X", 2.5, ink, paper, 0.17)),
        "coal-mine-planned": _point(Mark("X", 2.5, paper, ink, 0.26)),
        "substation-500": _point(
            Mark("o", 3.4, paper, h["red"], 0.3), Mark("bolt", 2.5, h["red"], h["red"], 0.05)
        ),
        "substation-220": _point(
            Mark("o", 2.8, paper, h["violet"], 0.28),
            Mark("bolt", 2.0, h["violet"], h["violet"], 0.05),
        ),
        "substation-110": _point(
            Mark("o", 2.2, paper, h["brown"], 0.26), Mark("bolt", 1.6, h["brown"])
        ),
        "substation-35": _point(Mark("o", 1.5, paper, h["brown"], 0.26)),
        "power-plant": _in_square("bolt", h["vermilion"], 2.8, 0.74),
        "solar": _point(Mark("8", 2.3, h["yellow"], ink, 0.17)),
        "wind": _point(Mark("P", 2.4, h["sky"], ink, 0.17)),
        "gas": _point(Mark("v", 2.2, h["orange"], ink, 0.17)),
        "oil": _point(Mark("v", 2.2, ink, paper, 0.17)),
        "waste": _point(Mark("s", 2.0, h["grey"], ink, 0.17)),
        "sewage": _in_square("wave", h["water"], 2.6, 0.76),
        # Services
        "service-core": _point(
            Mark("o", 4.6, h["red"], paper, 0.2), Mark("P", 2.5, paper, paper, 0.05)
        ),
        "service-centre": _point(
            Mark("o", 3.6, h["vermilion"], paper, 0.2), Mark("P", 1.9, paper, paper, 0.05)
        ),
        "service-node": _point(
            Mark("o", 2.6, paper, h["vermilion"], 0.3), Mark("P", 1.5, h["vermilion"])
        ),
        "hospital": _in_square("P", h["red"], 2.7, 0.68),
        "school": _in_square("flag", h["blue"], 2.6, 0.7),
        "culture": _in_square("hall", h["violet"], 2.6, 0.72),
        "sport": _in_square("*", h["green"], 2.7, 0.76),
        "care": _in_circle("P", h["purple"], 2.6, 0.6),
        # Protected areas: the level by depth, the kind by shape
        "reserve-national": _in_square("tree", h["forest"], 3.3, 0.78),
        "reserve-provincial": _point(
            Mark("s", 2.7, paper, h["forest"], 0.28), Mark("tree", 1.9, h["forest"])
        ),
        "landscape-national": _in_circle("mountain", h["violet"], 3.4, 0.72),
        "landscape-provincial": _point(
            Mark("o", 2.8, paper, h["violet"], 0.28), Mark("mountain", 1.9, h["violet"])
        ),
        "forest-national": _point(Mark("tree", 3.3, h["forest"], paper, 0.17)),
        "forest-provincial": _point(Mark("tree", 2.8, paper, h["forest"], 0.3)),
        "wetland-national": _in_circle("wave", h["blue"], 3.3, 0.72),
        "wetland-provincial": _point(
            Mark("o", 2.7, paper, h["water"], 0.28), Mark("wave", 1.8, h["water"])
        ),
        "geopark-national": _point(Mark("mountain", 3.3, h["brown"], paper, 0.17)),
        "geopark-provincial": _point(Mark("mountain", 2.9, paper, h["brown"], 0.3)),
        "city-park": _point(Mark("tree", 2.2, h["green"], ink, 0.15)),
        # Verdicts
        "inside": _point(Mark("o", 1.7, ink, paper, 0.17)),
        "gained": _point(Mark("o", 2.2, h["vermilion"], paper, 0.17)),
        "gained-later": _point(Mark("D", 2.1, h["sky"], ink, 0.2)),
        "outside": _point(Mark("o", 1.3, paper, h["grey"], 0.26)),
        "contradiction": _point(Mark("X", 2.6, h["red"], paper, 0.2)),
        "project": _point(Mark("s", 1.5, h["blue"], paper, 0.15)),
    }


def _lines() -> dict[str, LineStyle]:
    h, paper = HUES, COLOURS["paper"]
    fixed = {name: LineStyle((line,)) for name, line in LINES.items()}
    return {
        **fixed,
        "river": _line(h["water"], 0.42),
        "river-minor": _line("#7FB2D6", 0.26),
        # Structure: broad bands, whose ends show the direction
        "axis": _line(h["red"], 1.9, arrow="both", opacity=0.55),
        "axis-minor": _line(h["orange"], 1.2, (4.0, 1.2), arrow="both", opacity=0.8),
        "corridor": _line(h["blue"], 1.5, arrow="both", opacity=0.55),
        "corridor-ecological": _line(h["green"], 1.4, (2.6, 1.0), opacity=0.75),
        "link-major": _line(h["vermilion"], 0.8),
        "link-minor": _line(h["orange"], 0.5, (1.8, 0.8)),
        "ring": _line(h["violet"], 0.9, (3.0, 0.9)),
        "barrier": _line(h["forest"], 2.6, opacity=0.45),
        # Traffic; planned lines have gaps
        "channel-hsr": _line(h["violet"], 0.9),
        "channel-rail": _line(COLOURS["ink"], 0.65, (1.6, 1.0), case=0.2,
                              case_colour=COLOURS["ink"], gap=paper),
        "channel-road": _line(h["vermilion"], 0.75),
        "planned-hsr": _line(h["violet"], 0.5, (1.4, 0.8)),
        "planned-rail": _line(COLOURS["ink"], 0.4, (1.2, 0.8)),
        "planned-road": _line(h["vermilion"], 0.5, (1.6, 0.8)),
        "building-road": _line(h["vermilion"], 0.55, (3.4, 0.6)),
        "studied": _line(h["grey"], 0.4, (0.5, 0.6)),
        "metro": _line(h["blue"], 0.6),
        "waterway": _line(h["sky"], 1.0, case=0.25, case_colour=h["navy"]),
        "greenway": _line(h["green"], 0.6, (0.5, 0.6)),
        "route": _line(h["brown"], 0.6, (1.8, 0.7), arrow="end"),
        "freight": _line(h["brown"], 0.9, arrow="both"),
        # Utilities
        "gas-pipe": _line(h["orange"], 0.6, (2.6, 0.6, 0.4, 0.6)),
        "oil-pipe": _line(COLOURS["ink"], 0.6, (2.6, 0.6, 0.4, 0.6)),
        "power-line": _line(h["red"], 0.4, (2.2, 0.5)),
        "water-transfer": _line(h["blue"], 0.6, (2.2, 0.6)),
        "link-outside": _line(h["grey"], 0.5, (1.2, 0.7), arrow="end"),
    }  # fmt: skip


def _areas() -> dict[str, AreaStyle]:
    h = HUES
    depths = {f"class-{i}": AreaStyle(BANDS[5 - i], edge=LINES["county"]) for i in range(1, 6)}
    return {
        **depths,
        "extent-fill": AreaStyle(COLOURS["member"]),
        "area-highlight": AreaStyle(h["orange"], 0.30, edge=Line(h["vermilion"], 0.3)),
        "belt-1": _belt(h["red"], 45),
        "belt-2": _belt(h["blue"], 135),
        "belt-3": _belt(h["orange"], 0),
        "belt-4": _belt(h["violet"], 90),
        "belt-5": _belt(h["green"], 20),
        "belt-corridor": AreaStyle(h["orange"], 0.45, edge=Line(h["brown"], 0.35, (2.0, 0.8))),
        "group": AreaStyle(h["sky"], 0.28, edge=Line(h["navy"], 0.4, (1.6, 0.8))),
        "core-area": AreaStyle(h["vermilion"], 0.32, edge=Line(h["red"], 0.45)),
        "ring-area": AreaStyle(h["yellow"], 0.30, edge=Line(h["brown"], 0.35, (2.4, 0.8))),
        "metro-area": AreaStyle("", edge=Line(h["violet"], 0.7, (3.0, 0.9))),
        "metro-area-fill": AreaStyle(h["purple"], 0.28, edge=Line(h["violet"], 0.5)),
        "service-circle": AreaStyle(h["purple"], 0.22, edge=Line(h["violet"], 0.4, (1.2, 0.8))),
        "barrier-area": AreaStyle(h["green"], 0.30, h["forest"], 60, 2.2, 0.16),
        "zone-ecological": AreaStyle("", hatch=h["forest"], angle=45, spacing=1.6,
                                     edge=Line(h["forest"], 0.25)),
        "zone-farm": AreaStyle("", hatch=h["brown"], angle=0, spacing=1.6,
                               edge=Line(h["brown"], 0.25)),
        "zone-industry": AreaStyle("", hatch=h["vermilion"], angle=135, spacing=1.6,
                                   edge=Line(h["vermilion"], 0.25)),
        "zone-red-line": AreaStyle("", hatch=h["red"], angle=90, spacing=1.2,
                                   edge=Line(h["red"], 0.35)),
        "promised": AreaStyle("", hatch=h["vermilion"], angle=45, spacing=2.0,
                              edge=Line(h["vermilion"], 0.7)),
        "computed": AreaStyle(h["sky"], 0.5, edge=Line(h["navy"], 0.55)),
        "gained-area": AreaStyle(h["orange"], 0.5, edge=Line(h["brown"], 0.3)),
        "lake": AreaStyle("#BFDDEE", edge=Line(h["water"], 0.18)),
    }  # fmt: skip


STYLES: Mapping[str, Style] = MappingProxyType({**_lines(), **_areas(), **_points()})
"""Every named style."""


def named_style(name: str, own: Mapping[str, Style] | None = None) -> Style:
    """Give a style by its name, of a manifest's own or of the style sheet.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if own and name in own:
        return own[name]
    if name not in STYLES:
        raise UnknownNameError("style", name, [*(own or ()), *STYLES])
    return STYLES[name]


def varied(style: Style, tone: str = "", size: float | None = None) -> Style:
    """Give a style in another colour or size.

    Parameters
    ----------
    tone
        Colour of a sign's lowest mark, of a line, or of an area's fill and hatching.
    size
        Width of a sign or a line, millimetres.

    Raises
    ------
    InputError
        If the size is not above 0, or given for an area.
    """
    if size is not None and not size > 0:
        raise InputError(f"The size is {size!r}; a number of millimetres above 0 is expected.")
    if isinstance(style, PointStyle):
        marks = style.marks
        if tone:
            hollow = marks[0].face == COLOURS["paper"]
            first = replace(marks[0], edge=tone) if hollow else replace(marks[0], face=tone)
            marks = (first, *marks[1:])
        if size is not None:
            factor = size / style.size
            marks = tuple(replace(mark, size=mark.size * factor) for mark in marks)
        return PointStyle(marks)
    if isinstance(style, LineStyle):
        lines = style.lines
        if tone:
            lines = tuple(replace(line, colour=tone) for line in lines)
        if size is not None:
            lines = tuple(replace(line, width=size) for line in lines)
        return replace(style, lines=lines)
    if size is not None:
        raise InputError("An area has no size; leave it out, or give width_km for a belt.")
    if tone:
        edge = replace(style.edge, colour=tone) if style.edge else None
        return replace(
            style,
            fill=tone if style.fill else "",
            hatch=tone if style.hatch else "",
            edge=edge,
        )
    return style


_FIELDS = {
    "point": ("shape", "size", "face", "edge", "edge_width"),
    "line": ("colour", "width", "dashes", "case", "case_colour", "gap", "arrow", "opacity"),
    "area": (
        *("fill", "opacity", "hatch", "angle", "spacing", "hatch_width"),
        *("edge", "edge_width", "edge_dashes"),
    ),
}
_COLOURS = {"face", "colour", "case_colour", "gap", "fill", "hatch", "edge"}


def own_style(entry: Mapping[str, Any], known: Mapping[str, Style]) -> Style:
    """Make a style of a manifest's table ``[style.NAME]``.

    Parameters
    ----------
    entry
        ``like``, a style that it starts from, with ``colour`` and ``size`` to vary it; or ``kind``
        (point, line, area) with that kind's fields.
    known
        The manifest's styles so far.

    Raises
    ------
    InputError
        If a field, colour or number is wrong.
    """
    if "like" in entry:
        unknown = set(entry) - {"like", "colour", "size"}
        if unknown:
            raise InputError(f"Unknown field {sorted(unknown)}; beside 'like': colour, size.")
        base = named_style(str(entry["like"]), known)
        tone = colour(str(entry["colour"])) if "colour" in entry else ""
        return varied(base, tone, entry.get("size"))
    kind = entry.get("kind")
    if kind not in _FIELDS:
        raise InputError(f"kind is {kind!r}; known: {', '.join(_FIELDS)}; or give 'like'.")
    values = {name: value for name, value in entry.items() if name != "kind"}
    for name, value in values.items():
        if name not in _FIELDS[kind]:
            raise UnknownNameError(f"field of a {kind} style", name, _FIELDS[kind])
        if name in _COLOURS:
            values[name] = colour(str(value)) if value else ""
        elif name in {"dashes", "edge_dashes"}:
            values[name] = tuple(_number(name, one) for one in value)
        elif name not in {"shape", "arrow", "angle"}:
            values[name] = _number(name, value)
    if kind == "point":
        marker(str(values.get("shape", "o")))
        return PointStyle((Mark(**{"shape": "o", "size": 2.0, **values}),))
    if kind == "line":
        arrow, opacity = str(values.pop("arrow", "")), values.pop("opacity", 1.0)
        if arrow not in {"", "end", "both"}:
            raise InputError(f"arrow is {arrow!r}; known: '', 'end', 'both'.")
        return LineStyle((Line(**{"colour": COLOURS["ink"], "width": 0.4, **values}),), arrow,
                         opacity)  # fmt: skip
    edge = values.pop("edge", "")
    width, dashes = values.pop("edge_width", 0.25), values.pop("edge_dashes", ())
    return AreaStyle(**values, edge=Line(edge, width, dashes) if edge else None)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise InputError(f"{name} is {value!r}; a number above 0 is expected.")
    return float(value)
