"""Get a figure's data ready: its maps, each with ground and layers in the figure's projection.

What is prepared does not depend on paper or language, so that a figure is prepared once and laid
out as often as it is printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from urbangeo.crs import WGS84, equal_area
from urbangeo.maps.base import Ground, ground_of, member_codes
from urbangeo.maps.circlelayer import CircleLayer, circle_bands, make_circle
from urbangeo.maps.layers import StyledLayer, make_layer
from urbangeo.maps.netsources import circle_of
from urbangeo.maps.records import FigureRecord, LayerRecord, MapRecord
from urbangeo.maps.regions import own_region
from urbangeo.maps.sources import fetch

if TYPE_CHECKING:
    import pyproj

    from urbangeo.maps.fetched import Fetched

__all__ = ["Layer", "MapPart", "Prepared", "prepare"]

Layer = StyledLayer | CircleLayer

_BOUNDARIES = ("counties", "prefectures", "province", "surroundings")


@dataclass
class MapPart:
    """One map of a figure.

    Attributes
    ----------
    title, title_en
        Where several stand side by side.
    extent
        What it is about; None for the whole province and for a circle.
    ground, layers
        In the figure's projection, layers lowest first.
    """

    title: str
    title_en: str
    extent: Any
    ground: Ground
    layers: list[Layer]

    def bounds(self, view: str) -> tuple[float, ...]:
        """Give what the map must show, metres: the province, the extent or the layers."""
        ground = self.ground
        if view == "layers" or not len(ground.members):
            boxes = [
                shapely.box(*layer.bounds)
                if isinstance(layer, CircleLayer)
                else shapely.box(*gpd.GeoSeries([p.geometry for p in layer.pieces]).total_bounds)
                for layer in self.layers
                if isinstance(layer, CircleLayer) or layer.pieces
            ]
            return tuple(shapely.bounds(shapely.union_all(boxes)).tolist())
        if view == "extent":
            return tuple(shapely.bounds(ground.outline).tolist())
        whole = shapely.union_all([ground.province, ground.outline])
        return tuple(shapely.bounds(whole).tolist())


@dataclass
class Prepared:
    """A figure's data.

    Attributes
    ----------
    crs
        Equal-area projection of all its maps.
    parts
        Its maps, left to right.
    frames
        The tables of boundaries, for their attribution.
    """

    figure: FigureRecord
    inputs: Mapping[str, Any]
    crs: pyproj.CRS
    parts: list[MapPart]
    frames: list[gpd.GeoDataFrame | None] = field(default_factory=list)

    @property
    def extents(self) -> list[Any]:
        """The extents of its maps, each once."""
        found: list[Any] = []
        for part in self.parts:
            if part.extent is not None and part.extent not in found:
                found.append(part.extent)
        return found

    @property
    def layers(self) -> list[Layer]:
        """The layers of all maps, each once."""
        found: list[Layer] = []
        for part in self.parts:
            found += [one for one in part.layers if not any(one is other for other in found)]
        return found

    @property
    def circles(self) -> list[CircleLayer]:
        """The circles that are drawn whole."""
        return [layer for layer in self.layers if isinstance(layer, CircleLayer)]

    @property
    def circle(self) -> CircleLayer | None:
        """The circle that the figure is about, where it has no extent."""
        circles = self.circles
        return circles[0] if circles and not len(self.parts[0].ground.members) else None

    @property
    def schematic(self) -> bool:
        """Tell whether the figure is called 示意."""
        resting = any(
            layer.schematic
            for layer in self.layers
            if isinstance(layer, CircleLayer) or layer.record.source.startswith("circle")
        )
        return self.figure.schematic or resting


def prepare(figure: FigureRecord, inputs: Mapping[str, Any]) -> Prepared:
    """Read, filter, shape and project all that a figure shows.

    Raises
    ------
    InputError
        If something cannot be drawn.
    CRSError
        If a table has no CRS.
    """
    if not any(inputs.get(name) is not None for name in _BOUNDARIES):
        inputs = {**own_region(figure.plan), **inputs}
    maps = figure.maps or (MapRecord(title=""),)
    extents = [_extent(one, figure, inputs) for one in maps]
    counties = _boundary("counties", inputs)
    circle = None
    if not any(extents) and any(layer.source == "circle" for layer in figure.layers):
        circle = circle_of(next(x for x in figure.layers if x.source == "circle"), inputs)
        codes: list[list[str]] = [[]]
        crs = equal_area(circle_bands(circle).total_bounds)
    else:
        codes = [_codes(one, counties) for one in extents]
        crs = _projection(tuple(sorted({code for part in codes for code in part})), counties)
    made = {
        number: _made(layer, number, figure, inputs, crs, circle)
        for number, layer in enumerate(figure.layers)
    }
    parts = []
    tables = _tables(inputs, circle=circle is not None)
    for record, extent, members in zip(maps, extents, codes, strict=True):
        ground = _ground(tuple(members), extent is None, tables, inputs, crs)
        layers = [
            made[number]
            for number, layer in enumerate(figure.layers)
            if not layer.maps or record.title in layer.maps
        ]
        _join(layers)
        parts.append(MapPart(record.title, record.title_en, extent, ground, layers))
    return Prepared(figure, inputs, crs, parts, list(tables.values()))


def _join(layers: Sequence[Layer]) -> None:
    """Let layers of one ``together`` lay their signs out together."""
    styled = [one for one in layers if isinstance(one, StyledLayer) and one.record.together]
    for layer in styled:
        layer.fellows = [one for one in styled if one.record.together == layer.record.together]


def _extent(record: MapRecord, figure: FigureRecord, inputs: Mapping[str, Any]) -> Any:
    chosen = inputs.get("extent") or record.extent or figure.extent
    if not chosen or not isinstance(chosen, str):
        return chosen or None
    from urbangeo.plans import extent

    return extent(chosen)


def _codes(extent: Any, counties: gpd.GeoDataFrame) -> list[str]:
    """Give the counties that a map is about; without an extent all of them."""
    if extent is not None:
        return member_codes(extent, counties)
    return [str(code) for code in counties["adcode"]]


def _boundary(name: str, inputs: Mapping[str, Any]) -> gpd.GeoDataFrame:
    if inputs.get(name) is not None:
        return inputs[name]
    from urbangeo.layer import load

    return load(name)


def _tables(inputs: Mapping[str, Any], *, circle: bool) -> dict[str, gpd.GeoDataFrame | None]:
    """Give the tables of boundaries that a ground is made of; a circle's has fewer."""
    tables: dict[str, gpd.GeoDataFrame | None] = dict.fromkeys(_BOUNDARIES)
    tables |= {name: _boundary(name, inputs) for name in ("counties", "province")}
    if circle:
        return tables
    tables["prefectures"] = _boundary("prefectures", inputs)
    if "surroundings" in inputs:
        tables["surroundings"] = inputs["surroundings"]
    else:
        from urbangeo.boundaries import surroundings

        tables["surroundings"] = surroundings()
    return tables


def _projection(codes: Sequence[str], counties: gpd.GeoDataFrame) -> pyproj.CRS:
    inside = counties[counties["adcode"].isin(codes)].to_crs(WGS84)
    return equal_area(inside.total_bounds)


def _ground(
    codes: tuple[str, ...],
    whole: bool,
    tables: Mapping[str, gpd.GeoDataFrame | None],
    inputs: Mapping[str, Any],
    crs: pyproj.CRS,
) -> Ground:
    if any(inputs.get(name) is not None for name in _BOUNDARIES) or "surroundings" in inputs:
        return ground_of(codes, crs, whole=whole and bool(codes), **tables)
    return _bundled_ground(codes, whole, crs)


@lru_cache(maxsize=16)
def _bundled_ground(codes: tuple[str, ...], whole: bool, crs: pyproj.CRS) -> Ground:
    """Give the ground of the boundaries that come with the library; kept for the process."""
    tables = _tables({}, circle=not codes)
    return ground_of(codes, crs, whole=whole and bool(codes), **tables)


def _made(
    layer: LayerRecord,
    number: int,
    figure: FigureRecord,
    inputs: Mapping[str, Any],
    crs: pyproj.CRS,
    circle: Any,
) -> Layer:
    if layer.source == "circle":
        return make_circle(circle or circle_of(layer, inputs), crs)
    fetched: Fetched = fetch(layer, figure, inputs)
    return make_layer(layer, fetched, number, figure, crs)
