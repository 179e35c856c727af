"""Where a layer's rows come from: plans, the catalogue, extents, the network, circles, rivers.

Each source gives a table in EPSG:4326 with what the note must say of it. No row is dropped
without a count: what has no place is told in the figure's note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urbangeo.catalog import record as layer_record
from urbangeo.crs import WGS84
from urbangeo.errors import InputError, UnknownNameError, UrbangeoError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from urbangeo.maps.manifest import FigureRecord, LayerRecord

__all__ = ["Fetched", "fetch", "source_problems"]

KINDS = (
    *("plan:", "layer:", "extent:", "members:", "network", "circle", "circle:towns"),
    *("circle:area", "rivers", "file:"),
)


@dataclass(frozen=True)
class Fetched:
    """A layer's rows, and what the note says of them.

    Attributes
    ----------
    frame
        EPSG:4326; rows without geometry included.
    total
        Rows that the filter left.
    schematic
        Geometry was made from words.
    sources, attributions
        For the note.
    """

    frame: gpd.GeoDataFrame
    total: int
    schematic: bool = False
    sources: tuple[str, ...] = ()
    attributions: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def _split_plan(source: str, figure_plan: str) -> tuple[str, str]:
    name = source.removeprefix("plan:")
    key, _, table = name.rpartition("/")
    return key or figure_plan, table


def source_problems(
    values: Mapping[str, Any], figure: Mapping[str, Any], manifest: Path
) -> list[str]:
    """Tell what is wrong with a layer's source as far as that is known without reading it."""
    source = str(values.get("source", ""))
    if not source:
        return ["field 'source' is missing"]
    asked = [*values.get("where", {}), *values.get("where_not", {})]
    asked += [values[name] for name in ("field", "group", "sort", "place") if values.get(name)]
    asked = [name for name in asked if name != ALONG]
    try:
        if source.startswith("plan:"):
            return _plan_problems(source, str(figure.get("plan", "")), asked)
        if source.startswith("layer:"):
            layer_record(source.removeprefix("layer:"))
        elif source.startswith(("extent:", "members:")):
            from urbangeo.plans import extent

            if not extent(source.partition(":")[2]).adcodes:
                return [f"the extent of {source!r} has no member"]
        elif source.startswith("file:"):
            path = _file(source, manifest)
            if not path.is_file():
                return [f"there is no file {path}"]
        elif source.startswith("circle"):
            if not values.get("centres"):
                return ["a circle needs the field 'centres'"]
            if source not in KINDS:
                raise UnknownNameError("source", source, KINDS)
        elif source not in KINDS:
            raise UnknownNameError("source", source, KINDS)
    except UrbangeoError as error:
        return [str(error)]
    return []


def _plan_problems(source: str, figure_plan: str, asked: list[str]) -> list[str]:
    from urbangeo.plans import plan

    key, table = _split_plan(source, figure_plan)
    if not key:
        return [f"source is {source!r}, and the figure names no plan; give plan:<plan>/<table>"]
    found = plan(key)
    rows = found.projects if table == "projects" else found.table(table)
    known = [*rows.columns, *_MADE]
    return [str(UnknownNameError("field", name, known)) for name in asked if name not in known]


ALONG = "along"
"""As ``sort``: members in their order along the line that fits them best."""

_MADE = ("geometry_from", "schematic", "precision_m")


def _file(source: str, manifest: Path) -> Path:
    return manifest.parent / source.removeprefix("file:")


def fetch(layer: LayerRecord, figure: FigureRecord, inputs: Mapping[str, Any]) -> Fetched:
    """Give a layer's rows.

    Parameters
    ----------
    inputs
        What the caller of :func:`urbangeo.draw` gave instead of what would be read.

    Raises
    ------
    InputError
        If a column is missing or no row is left.
    """
    source = layer.source
    if source.startswith("plan:"):
        found = _from_plan(layer, figure)
    elif source.startswith("layer:"):
        found = _from_catalogue(layer)
    elif source.startswith(("extent:", "members:")):
        found = _from_extent(layer)
    elif source == "network":
        found = _from_network(layer, inputs)
    elif source.startswith("circle"):
        found = _from_circle(layer, inputs)
    elif source == "rivers":
        found = _from_rivers(layer)
    else:
        found = _from_file(layer, figure)
    if not found.total and not layer.optional:
        told = f" after where = {dict(layer.where)}" if layer.where else ""
        raise InputError(
            f"{_where(layer, figure)}: no row is left of {source!r}{told}. Correct the filter, or "
            "set optional = true."
        )
    return found


def _where(layer: LayerRecord, figure: FigureRecord) -> str:
    return f"{figure.file.name or 'figure'}, {figure.key}, {layer.name}"


def chosen(frame: pd.DataFrame, layer: LayerRecord) -> Any:
    """Give the rows that a layer's filters keep.

    Raises
    ------
    UnknownNameError
        If a column is not there.
    """
    keep = None
    for columns, wanted in ((layer.where, True), (layer.where_not, False)):
        for column, values in columns.items():
            if column not in frame.columns:
                known = [name for name in frame.columns if name != "geometry"]
                raise UnknownNameError(f"field of {layer.source!r}", column, known)
            cells = frame[column].astype("string").fillna("")
            hit = cells.map(lambda cell, values=values: matches(cell, values)).astype(bool)
            hit = hit if wanted else ~hit
            keep = hit if keep is None else keep & hit
    return frame if keep is None else frame[keep]


def matches(cell: str, values: tuple[str, ...]) -> bool:
    """Tell whether a cell is one of some values or patterns."""
    return any(fnmatchcase(cell, value) for value in values)


def _from_plan(layer: LayerRecord, figure: FigureRecord) -> Fetched:
    import pandas as pd

    from urbangeo.maps.nodes import node_points
    from urbangeo.plans import plan

    key, name = _split_plan(layer.source, figure.plan)
    owner = plan(key)
    table = owner.projects if name == "projects" else owner.table(name)
    if layer.within:
        table = table.within(layer.within)
    if layer.touching:
        table = table.touching(layer.touching)
    rows = chosen(table, layer)
    about = owner.record
    title = about.title if "《" in about.title else f"《{about.title}》"
    cites = [one for one in dict.fromkeys(rows["cite"].astype(str)) if one] if len(rows) else []
    source = f"{title}（{about.publisher}，{about.date}）"
    by_node = name == "structures" and layer.shape in {"points", "hull", "belt", "curve"}
    if by_node:
        frame = node_points(rows, owner)
    else:
        if layer.place:
            renamed = rows.assign(place=rows[layer.place])
            rows = table._owner()._as_table(pd.DataFrame(renamed), name)
        frame = rows.geo() if len(rows) else _empty(rows)
    words = bool(len(frame)) and bool(frame["schematic"].fillna(False).astype(bool).any())
    told = source + "、".join(cites[:3]) + ("等" if len(cites) > 3 else "")
    return Fetched(frame, len(frame), words, (told,))


def _empty(rows: pd.DataFrame) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pandas as pd

    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=[None] * len(rows), crs=WGS84)


def _attribution(frame: gpd.GeoDataFrame) -> tuple[str, ...]:
    words = str(frame.attrs.get("provenance", {}).get("attribution", ""))
    return (words,) if words else ()


def _from_catalogue(layer: LayerRecord) -> Fetched:
    from urbangeo.layer import load

    frame = load(layer.source.removeprefix("layer:"), extent=layer.within or None)
    title = layer_record(layer.source.removeprefix("layer:")).title_zh
    about = tuple(f"{title.partition('：')[0]}：{words}" for words in _attribution(frame))
    frame = chosen(frame, layer)
    return Fetched(frame, len(frame), attributions=about)


def _from_extent(layer: LayerRecord) -> Fetched:
    import geopandas as gpd

    from urbangeo.plans import extent

    kind, _, name = layer.source.partition(":")
    found = extent(name)
    about = _attribution(found.counties)
    if kind == "members":
        roles = found.members.set_index("adcode")["role"]
        frame = found.counties.assign(role=lambda rows: rows["adcode"].map(roles))
    else:
        frame = gpd.GeoDataFrame(
            {"name": [found.title], "area_km2": [found.area_km2]},
            geometry=[found.outline],
            crs=WGS84,
        )
    frame = chosen(frame, layer)
    return Fetched(frame, len(frame), attributions=about)


@lru_cache(maxsize=8)
def _network(year: int | None, profile: str) -> Any:
    from urbangeo.network import Network

    return Network.backbone(year, profile or None)


def _from_network(layer: LayerRecord, inputs: Mapping[str, Any]) -> Fetched:
    net = inputs.get("network")
    if net is None:
        net = _network(layer.year, layer.profile)
    elif layer.year is not None:
        net = net.at(layer.year)
    frame = chosen(net.links, layer)
    about = tuple(str(one) for one in net.describe().get("attribution", ()) if one)
    return Fetched(frame, len(frame), bool(net.is_schematic), attributions=about)


@lru_cache(maxsize=32)
def computed_circle(
    centres: tuple[str, ...], minutes: float, year: int | None, direction: str, profile: str
) -> Any:
    """Give a commuting circle on the bundled network; kept for the process."""
    from urbangeo.access.circle import commuting_circle

    net = _network(2022 if year is None else year, profile)
    return commuting_circle(list(centres), minutes, net, direction=direction)


def circle_of(layer: LayerRecord, inputs: Mapping[str, Any]) -> Any:
    """Give the circle that was given, or computes it."""
    if inputs.get("circle") is not None:
        return inputs["circle"]
    asked = {name: inputs[name] for name in ("centre", "minutes", "network") if name in inputs}
    if asked:
        from urbangeo.access.circle import commuting_circle

        return commuting_circle(
            **{"centre": list(layer.centres), "minutes": layer.minutes, **asked}
        )
    return computed_circle(layer.centres, layer.minutes, layer.year, layer.direction, layer.profile)


def _from_circle(layer: LayerRecord, inputs: Mapping[str, Any]) -> Fetched:
    import geopandas as gpd

    years = layer.years or (layer.year,)
    if inputs.get("circle") is not None:
        circles = [inputs["circle"]]
    else:
        circles = [
            computed_circle(layer.centres, layer.minutes, year, layer.direction, layer.profile)
            for year in years
        ]
    last = circles[-1]
    about = tuple(str(one) for one in last.network.get("attribution", ()) if one)
    schematic = bool(last.network.get("schematic", True))
    if layer.source == "circle:area":
        frame = gpd.GeoDataFrame(
            {
                "name": ["、".join(layer.centres)] * len(circles),
                "minutes": [layer.minutes] * len(circles),
                "year": [str(one.network.get("year", "")) for one in circles],
            },
            geometry=[one.polygon for one in circles],
            crs=WGS84,
        )
    else:
        # The year from which each town is inside, for as many years as were asked.
        frame = last.towns.assign(since="")
        for year, circle in reversed(list(zip(years, circles, strict=True))):
            inside = circle.towns["status"] == "inside"
            frame["since"] = frame["since"].where(~inside, str(year or "inside"))
        frame["since"] = frame["since"].where(frame["since"] != "", "outside")
        frame = frame.to_crs(WGS84)
    frame = chosen(frame, layer)
    return Fetched(frame, len(frame), schematic, attributions=about)


def _from_rivers(layer: LayerRecord) -> Fetched:
    from urbangeo.layer import load
    from urbangeo.maps.rivers import ATTRIBUTION, available, rivers

    if layer.optional and not available():
        import geopandas as gpd

        frame = gpd.GeoDataFrame({"name": [], "rank": []}, geometry=[], crs=WGS84)
        return Fetched(frame, 0, notes=("未装河流数据，河流未绘。",))
    west, south, east, north = load("province").total_bounds
    frame = chosen(rivers((west - 2, south - 2, east + 2, north + 2)), layer)
    return Fetched(frame, len(frame), attributions=(ATTRIBUTION,))


def _from_file(layer: LayerRecord, figure: FigureRecord) -> Fetched:
    from urbangeo.crs import to_wgs84
    from urbangeo.vector import read_vector

    path = _file(layer.source, figure.file)
    frame = to_wgs84(read_vector(path, f"file {path.name}"), path.name)
    frame = chosen(frame, layer)
    return Fetched(frame, len(frame), sources=(path.name,))
