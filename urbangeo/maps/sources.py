"""Where a layer's rows come from: plans, the catalogue, extents, the network, circles, rivers.

Each source gives a table in EPSG:4326 with what the note must say of it. No row is dropped
without a count: what has no place is told in the figure's note.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urbangeo.catalog import record as layer_record
from urbangeo.crs import WGS84
from urbangeo.errors import InputError, UnknownNameError, UrbangeoError
from urbangeo.maps.fetched import ALONG, Fetched, Remark, attribution, chosen, name_columns
from urbangeo.maps.netsources import from_circle, from_network
from urbangeo.maps.plansources import COUNTED, EVERY, MADE, from_plan, split_plan

if TYPE_CHECKING:
    from urbangeo.maps.records import FigureRecord, LayerRecord

__all__ = ["fetch", "source_problems"]

KINDS = (
    *("plan:", "layer:", "extent:", "members:", "network", "circle", "circle:towns"),
    *("circle:area", "circle:missing", "rivers", "file:"),
)


def source_problems(
    values: Mapping[str, Any], figure: Mapping[str, Any], manifest: Path
) -> list[str]:
    """Tell what is wrong with a layer's source as far as that is known without reading it."""
    source = str(values.get("source", ""))
    if not source:
        return ["field 'source' is missing"]
    for name in ("course", "count"):
        if values.get(name) and not source.startswith("plan:"):
            return [f"{name} is for the tables of plans; source is {source!r}"]
    try:
        if source.startswith("plan:"):
            return _plan_problems(source, str(figure.get("plan", "")), values)
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
            if source == "circle:missing" and not values.get("within"):
                return ["source circle:missing needs the field 'within', an extent"]
        elif source not in KINDS:
            raise UnknownNameError("source", source, KINDS)
    except UrbangeoError as error:
        return [str(error)]
    return []


def _plan_problems(source: str, figure_plan: str, values: Mapping[str, Any]) -> list[str]:
    from urbangeo.plans import plan, plans

    key, table = split_plan(source, figure_plan)
    if not key:
        return [f"source is {source!r}, and the figure names no plan; give plan:<plan>/<table>"]
    found = plan(str(plans()["key"].iloc[0]) if key == EVERY else key)
    rows = found.projects if table == "projects" else found.table(table)
    known = [*rows.columns, *MADE, *(("plan",) if key == EVERY else ())]
    filters = [*values.get("where", {}), *values.get("where_not", {})]
    ordering = [
        column
        for name in _COLUMNS
        if values.get(name) not in {None, "", ALONG}
        for column in name_columns(values[name])
    ]
    counted = COUNTED if values.get("count") else known
    problems = [str(UnknownNameError("field", one, known)) for one in filters if one not in known]
    problems += [
        str(UnknownNameError("field", one, counted)) for one in ordering if one not in counted
    ]
    if values.get("course") and table != "transport":
        problems.append("course is for a plan's table of transport; leave it out")
    return problems


_COLUMNS = ("field", "group", "sort", "place")


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
        found = from_plan(layer, figure)
    elif source.startswith("layer:"):
        found = _from_catalogue(layer)
    elif source.startswith(("extent:", "members:")):
        found = _from_extent(layer)
    elif source == "network":
        found = from_network(layer, inputs)
    elif source.startswith("circle"):
        found = from_circle(layer, inputs)
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


def _from_catalogue(layer: LayerRecord) -> Fetched:
    from urbangeo.layer import load

    frame = load(layer.source.removeprefix("layer:"), extent=layer.within or None)
    title = layer_record(layer.source.removeprefix("layer:")).title_zh
    about = tuple(f"{title.partition('：')[0]}：{words}" for words in attribution(frame))
    frame = chosen(frame, layer)
    return Fetched(frame, len(frame), attributions=about)


def _from_extent(layer: LayerRecord) -> Fetched:
    import geopandas as gpd

    from urbangeo.plans import extent

    kind, _, name = layer.source.partition(":")
    found = extent(name)
    about = attribution(found.counties)
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


def _from_rivers(layer: LayerRecord) -> Fetched:
    from urbangeo.layer import load
    from urbangeo.maps.rivers import ATTRIBUTION, available, rivers

    if layer.optional and not available():
        import geopandas as gpd

        frame = gpd.GeoDataFrame({"name": [], "rank": []}, geometry=[], crs=WGS84)
        return Fetched(
            frame,
            0,
            notes=(
                Remark("未装河流数据，河流未绘。", "No rivers: their data are not installed. "),
            ),
        )
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
