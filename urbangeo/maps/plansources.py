"""Rows of a plan's tables for a layer: at their places, as areas, along the network, counted."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from urbangeo.crs import WGS84
from urbangeo.maps.fetched import Fetched, Remark, chosen
from urbangeo.maps.regions import prefectures_of
from urbangeo.plangeometry import _codes

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from urbangeo.maps.records import FigureRecord, LayerRecord
    from urbangeo.plans import Plan, PlanRecord, PlanTable

__all__ = ["EVERY", "MADE", "from_plan", "plan_source", "split_plan"]

EVERY = "*"
"""In the place of a plan: all bundled plans."""

MADE = ("geometry_from", "schematic", "precision_m")
"""Columns that a place brings with it."""

COUNTED = ("adcode", "name", "count")
"""Columns of counted rows."""


def split_plan(source: str, figure_plan: str) -> tuple[str, str]:
    """Give the plan and the table that a source names; the plan is the figure's unless named."""
    name = source.removeprefix("plan:")
    key, _, table = name.rpartition("/")
    return key or figure_plan, table


def from_plan(layer: LayerRecord, figure: FigureRecord) -> Fetched:
    """Give the rows of a plan's table.

    Raises
    ------
    UnknownNameError
        If a column of the filters is missing.
    """
    from urbangeo.plans import plan

    key, name = split_plan(layer.source, figure.plan)
    if key == EVERY:
        return _from_every_plan(layer, figure, name)
    owner = plan(key)
    table = owner.projects if name == "projects" else owner.table(name)
    if layer.within:
        table = table.within(layer.within)
    if layer.touching:
        table = table.touching(layer.touching)
    rows = chosen(table, layer)
    cites = (
        [one for one in dict.fromkeys(rows[_cite(name)].astype(str)) if one] if len(rows) else []
    )
    told = plan_source(owner.record) + "、".join(cites[:3])
    sources = (told + ("等" if len(cites) > 3 else ""),)
    if layer.count:
        frame, notes = _counted(rows, owner, layer, figure)
        return Fetched(frame, len(frame), sources=sources, notes=notes)
    if layer.course:
        frame, attributions = _along_network(rows)
        return Fetched(
            frame, len(frame), schematic=True, sources=sources, attributions=attributions
        )
    if not len(rows):
        frame = _with_shapes(rows, [])
    elif layer.shape == "counties":
        frame = _as_counties(rows, owner)
    elif name == "structures" and layer.shape in _BY_NODE:
        from urbangeo.maps.nodes import node_points

        frame = node_points(rows, owner)
    else:
        frame = _at_place(rows, table, name, layer).geo()
    words = bool(len(frame)) and bool(frame["schematic"].fillna(False).astype(bool).any())
    return Fetched(frame, len(frame), words, sources)


def _cite(table: str) -> str:
    return "where_a" if table == "contradictions" else "cite"


def _from_every_plan(layer: LayerRecord, figure: FigureRecord, name: str) -> Fetched:
    """Give the rows of all bundled plans, the latest first, with the column ``plan``."""
    import pandas as pd

    from urbangeo.plans import plan, plans

    keys = [str(key) for key in plans()["key"]]
    keys = [key for key in keys if name == "projects" or name in plan(key).tables_held()]
    found = {key: from_plan(replace(layer, source=f"plan:{key}/{name}"), figure) for key in keys}
    found = {key: one for key, one in found.items() if one.total}
    frames = [one.frame.assign(plan=key) for key, one in found.items()]
    if not frames:
        return from_plan(replace(layer, source=f"plan:{keys[0]}/{name}"), figure)
    # Chapters of several plans in one note would fill it.
    titles = [plan_source(plan(key).record) for key in found]
    return Fetched(
        pd.concat(frames, ignore_index=True),
        sum(one.total for one in found.values()),
        any(one.schematic for one in found.values()),
        tuple(titles),
        notes=tuple(note for one in found.values() for note in one.notes),
    )


def plan_source(about: PlanRecord) -> str:
    """Name a plan as a source: title, publisher and date, as far as they are known."""
    title = about.title if "《" in about.title else f"《{about.title}》"
    told = "，".join(filter(None, (about.publisher, about.date)))
    return f"{title}（{told}）" if told else title


_BY_NODE = ("points", "hull", "belt", "curve")


def _at_place(rows: Any, table: PlanTable, name: str, layer: LayerRecord) -> Any:
    """Give rows that are looked up by the column that the layer names."""
    import pandas as pd

    if not layer.place:
        return rows
    renamed = rows.assign(place=rows[layer.place])
    return table._owner()._as_table(pd.DataFrame(renamed), name)


def _with_shapes(rows: pd.DataFrame, shapes: Any, **columns: Any) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pandas as pd

    plain = pd.DataFrame(rows).assign(**columns)
    return gpd.GeoDataFrame(
        plain, geometry=gpd.GeoSeries(list(shapes), index=plain.index, crs=WGS84)
    )


def _as_counties(rows: pd.DataFrame, owner: Plan) -> gpd.GeoDataFrame:
    """Give each row as the area of the counties that it names."""
    import shapely

    areas = owner.county_layer.set_index("adcode").geometry
    shapes = [
        shapely.union_all([areas[code] for code in codes], grid_size=1e-7) if codes else None
        for codes in _codes_of(rows)
    ]
    how = ["" if shape is None else "counties" for shape in shapes]
    return _with_shapes(rows, shapes, geometry_from=how, schematic=False, precision_m=math.nan)


def _codes_of(rows: pd.DataFrame) -> list[list[str]]:
    return [_codes(row) for row in rows.to_dict("records")]


def _along_network(rows: pd.DataFrame) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Give transport items the course of the links that were drawn for them.

    Which links these are stands in the network's table of projects; a road that only leads to a
    project is not its course. An item that is a node stands at the node.
    """
    import shapely

    from urbangeo.maps.netsources import skeleton
    from urbangeo.network.projects import Projects

    net = skeleton(None, "")
    table = Projects.of(net).table.set_index("item")
    links = net.links
    lines = links.loc[links["class"] != "connector"].set_index("id").geometry
    points = net.nodes.set_index("id").geometry
    shapes = []
    for item in rows["id"]:
        ids: tuple[str, ...] = table["ids"][item] if item in table.index else ()
        course = [lines[one] for one in ids if one in lines.index]
        spots = [points[one] for one in ids if one in points.index]
        if course:
            shapes.append(shapely.line_merge(shapely.union_all(course)))
        else:
            shapes.append(spots[0] if spots else None)
    how = ["" if shape is None else "network" for shape in shapes]
    frame = _with_shapes(rows, shapes, geometry_from=how, schematic=True, precision_m=math.nan)
    return frame, tuple(str(one) for one in net.describe().get("attribution", ()) if one)


def _counted(
    rows: pd.DataFrame, owner: Plan, layer: LayerRecord, figure: FigureRecord
) -> tuple[gpd.GeoDataFrame, tuple[Remark, ...]]:
    """Give each county or prefecture of the extent, with how many rows name it.

    A row that names several counts once for each.
    """
    counties = owner.county_layer
    units = counties if layer.count == "county" else prefectures_of(owner)
    above = "adcode" if layer.count == "county" else "prefecture_adcode"
    chief = dict(zip(counties["adcode"], counties[above], strict=True))
    named = [{chief[code] for code in codes if code in chief} for codes in _codes_of(rows)]
    if figure.extent:
        from urbangeo.plans import extent

        asked = {chief[code] for code in extent(figure.extent).adcodes}
        units = units[units["adcode"].isin(asked)]
    known = set(units["adcode"])
    counts = {code: sum(code in one for one in named) for code in known}
    frame = units[["adcode", "geometry"]].to_crs(WGS84)
    short = units["short_name"] if "short_name" in units else units["name"]
    frame = frame.assign(name=short, count=[counts[code] for code in units["adcode"]])
    notes = []
    english = layer.name_en or layer.name
    silent = sum(not one for one in named)
    beyond = sum(bool(one - known) for one in named)
    total = len(named)
    if silent:
        notes.append(
            Remark(
                f"“{layer.name}”{total}项中{silent}项未点名县（市、区），未计入。",
                f"Of {total} of “{english}” {silent} name no county and are not counted. ",
            )
        )
    if beyond:
        notes.append(
            Remark(
                f"“{layer.name}”另有{beyond}项涉及规划范围以外的县（市、区），其外未绘。",
                f"{beyond} of “{english}” also name counties beyond the extent. ",
            )
        )
    return frame, tuple(notes)
