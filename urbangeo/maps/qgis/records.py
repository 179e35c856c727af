"""What of a map goes to a GIS: its tables, their classes, styles and names, and where from.

The records know nothing of matplotlib and of QGIS. :mod:`urbangeo.maps.qgis.exporting` makes them
of a figure; :mod:`urbangeo.maps.qgis.geopackage` and :mod:`urbangeo.maps.qgis.project` write them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from urbangeo.maps.style import COLOURS, Weight

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj

    from urbangeo.maps.symbols import Style

__all__ = [
    "CLASS",
    "LABEL",
    "LABEL_ANGLE",
    "LABEL_LAT",
    "LABEL_LEADER",
    "LABEL_LON",
    "LABEL_SIZE",
    "SHIFT_X",
    "SHIFT_Y",
    "Box",
    "ExportClass",
    "ExportLayer",
    "ExportMap",
    "Kind",
    "NameStyle",
    "Provenance",
    "ascii_name",
]

Kind = Literal["point", "line", "area"]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""

CLASS = "class"
"""Column of the class, by which a table is styled."""
LABEL, LABEL_LON, LABEL_LAT = "label", "label_lon", "label_lat"
"""Columns of the name on the map and of its middle on the sheet, degrees; missing where the sheet
does not show it."""
LABEL_SIZE, LABEL_ANGLE = "label_size", "label_angle"
"""Columns of its size, points, and of its turn from level, degrees counter-clockwise."""
LABEL_LEADER = "label_leader"
"""Column that is 1 where a leader line ties the name to its place."""
SHIFT_X, SHIFT_Y = "shift_x_mm", "shift_y_mm"
"""Columns by how much a sign stands beside its place, right and down, millimetres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameStyle:
    """How names are written: points, colours, and which come first (0) if not all have room."""

    size: float
    weight: Weight = "regular"
    colour: str = COLOURS["ink"]
    halo: str = COLOURS["paper"]
    priority: int = 4
    badge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportClass:
    """A class of a table.

    Attributes
    ----------
    value
        In the column :data:`CLASS`; different from those of the other classes.
    label
        In the legend; empty for a class that the legend of the sheet leaves out.
    style
        How its rows are drawn.
    names
        How they are named; None where they are not.
    inside
        The outline of an area is drawn on its inner side only, in its whole width.
    """

    value: str
    label: str
    style: Style
    names: NameStyle | None = None
    inside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a table's rows are from, in words.

    Attributes
    ----------
    plan, cites
        The plan's key, and the chapters that the rows cite.
    sources, attributions, licences
        Documents; what data require to be said of them; what their licences are.
    network, year
        Digest of the network that the rows rest on, and the year at whose end it is taken.
    schematic
        Places or courses were made from words, or from a network that is a skeleton.
    """

    plan: str = ""
    cites: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    attributions: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    network: str = ""
    year: str = ""
    schematic: bool = False

    def words(self) -> str:
        """Tell it in a sentence, Chinese."""
        parts = [
            ("资料来源", "；".join(self.sources)),
            ("数据", "；".join(self.attributions)),
            ("许可", "；".join(self.licences)),
            ("路网年份", self.year),
            ("路网校验码", self.network[:12]),
        ]
        told = [f"{name}：{text}" for name, text in parts if text]
        if self.schematic:
            told.append("示意：位置与走向不代表实际选址和线形")
        return "；".join(told) + "。" if told else ""


@dataclass(frozen=True, eq=False, kw_only=True)
class ExportLayer:
    """A table and how it is drawn.

    Attributes
    ----------
    table
        Name in the GeoPackage: ASCII, lower case. Layers that name the same table share it.
    title
        Chinese, as the layer tree shows it.
    kind
        Of all geometries.
    frame
        EPSG:4326, rows in the order in which they are drawn, with the column :data:`CLASS`.
    classes
        Topmost first.
    zorder
        Height in the pile of the map; the tables of a map are drawn from the lowest.
    provenance
        Where it is from.
    ground
        It belongs to the ground, which the legend explains first.
    """

    table: str
    title: str
    kind: Kind
    frame: gpd.GeoDataFrame
    classes: tuple[ExportClass, ...]
    zorder: float
    provenance: Provenance = field(default_factory=Provenance)
    ground: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class ExportMap:
    """A map of the atlas.

    Attributes
    ----------
    figure, part
        The figure's key; title of one of several maps on its sheet.
    heading, title
        As printed: of the plan; of the figure, with its number.
    crs
        The map's equal-area projection.
    window
        What the sheet shows, metres of ``crs``.
    scale
        Metres on the ground for a metre on paper.
    page
        Width and height of the paper, millimetres.
    frame
        Of the map on the paper, millimetres from its lower left corner.
    layers
        Lowest first.
    inset
        Window and frame of the enlarged part, if there is one.
    bar_km
        Length of the scale bar.
    note
        Paragraphs of the sheet's note.
    ground
        Colour where nothing is drawn.
    """

    figure: str
    title: str
    crs: pyproj.CRS
    window: Box
    scale: float
    page: tuple[float, float]
    frame: Box
    layers: tuple[ExportLayer, ...]
    inset: tuple[Box, Box] | None = None
    bar_km: float = 30.0
    part: str = ""
    heading: str = ""
    note: tuple[str, ...] = ()
    ground: str = COLOURS["ground"]

    @property
    def key(self) -> str:
        """What tells it from all other maps of the atlas."""
        return f"{self.figure} {self.part}".strip()

    @property
    def name(self) -> str:
        """Title, with its part."""
        return f"{self.title}（{self.part}）" if self.part else self.title


def ascii_name(text: str) -> str:
    """Give a name that every GIS takes: lower-case letters, digits, underscores.

    Letters beyond ASCII become their code points, so that different names stay different.

    Examples
    --------
    >>> ascii_name("qianzhong-2023/fig-4")
    'qianzhong_2023_fig_4'
    >>> ascii_name("我的/图")
    'u6211_u7684_u56fe'
    """
    spelled = "".join(
        letter if letter.isascii() else f"_u{ord(letter):x}_" for letter in text.lower()
    )
    name = re.sub(r"[^0-9a-z]+", "_", spelled).strip("_")
    return name if name[:1].isalpha() else f"t_{name}"
