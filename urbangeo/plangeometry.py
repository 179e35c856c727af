"""Geometry from a plan's words, as far as words carry it.

A plan names counties, places and the order of nodes; it gives no coordinates. What is drawn from
it is therefore marked: ``geometry_from`` says how it was had, and ``schematic`` that it shows no
real course or site.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from urbangeo.crs import WGS84, equal_area
from urbangeo.names import normalise, short_name, stem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import geopandas as gpd
    import pandas as pd
    from shapely.geometry.base import BaseGeometry

    from urbangeo.plans import Plan

__all__ = ["located"]

_AREAS = ("group", "core", "pole")
_SEATS = ("prefecture_seat", "county_seat")
_STOPS = {"station", "airport", "port", "port_of_entry"}
_BETWEEN = re.compile(r"[;；、,，—－–~～]+")


def located(table: pd.DataFrame, kind: str, plan: Plan) -> gpd.GeoDataFrame:
    """Give a plan's table with geometry.

    Parameters
    ----------
    table
        Rows of one of the plan's tables.
    kind
        Name of the table.
    plan
        The plan, for its boundaries and gazetteer.

    Returns
    -------
    geopandas.GeoDataFrame
        As :meth:`urbangeo.plans.PlanTable.geo` says.
    """
    if kind == "extents":
        return _extents(table, plan)
    finder = _Finder(plan)
    if kind == "structures":
        return _structures(table, finder)
    if kind == "transport":
        return _with_geometry(table, [_course(row, finder) for row in table.to_dict("records")])
    if kind == "contradictions":
        return _with_geometry(table, [_subject(row, finder) for row in table.to_dict("records")])
    return _with_geometry(table, [_site(row, finder) for row in table.to_dict("records")])


@dataclass(frozen=True)
class _Found:
    """A geometry, how it was had, and for a point how far it may be off."""

    geometry: BaseGeometry | None = None
    how: str = ""
    schematic: bool = True
    precision_m: float = math.nan


class _Finder:
    """Finds points for names and counties."""

    def __init__(self, plan: Plan) -> None:
        self.counties = plan.county_layer.set_index("adcode", drop=False)
        self._by_name: dict[str, list[dict[Any, Any]]] = defaultdict(list)
        self._seats: dict[str, dict[Any, Any]] = {}
        for row in plan.gazetteer.to_dict("records"):
            for name in self._names(row):
                self._by_name[name].append(row)
            if row["kind"] == "county_seat":
                self._seats[row["adcode"]] = row

    @staticmethod
    def _names(row: dict[Any, Any]) -> set[str]:
        kind = "division" if row["kind"] in _SEATS else row["kind"]
        names = [row["name"], *filter(None, str(row["aliases"]).split(";"))]
        forms = {normalise(name) for name in names}
        forms |= {stem(normalise(name), kind) for name in names}
        return forms | {normalise(short_name(name)) for name in names}

    def place(self, name: str, codes: Collection[str]) -> _Found | None:
        """Give the place of a name, in one of some counties where these are known."""
        asked = normalise(name)
        # 乌江 alone is the river; only with its unit or its county is it the town.
        units = asked.endswith(("镇", "乡", "街道"))
        found: list[dict[Any, Any]] = []
        for form in dict.fromkeys((asked, stem(asked, "town"))):
            found = [
                row
                for row in self._by_name.get(form, ())
                if row["adcode"] in codes or (not codes and (row["kind"] != "town" or units))
            ]
            if found:
                break
        for seat in _SEATS:
            found = [row for row in found if row["kind"] == seat] or found
        # Of several places of one name none is guessed.
        return self._point(found[0], "place") if len(found) == 1 else None

    def seat(self, code: str) -> _Found | None:
        """Give the seat of a county."""
        return self._point(self._seats[code], "county_seat") if code in self._seats else None

    @staticmethod
    def _point(row: dict[Any, Any], how: str) -> _Found:
        return _Found(row["geometry"], how, how != "place", float(row["precision_m"]))

    def inside(self, code: str) -> _Found:
        """Give a point inside a county, and how far from it the county reaches."""
        import geopandas as gpd
        import shapely

        shape = self.counties.loc[[code]].geometry
        point = gpd.GeoSeries(shape.representative_point(), crs=WGS84)
        crs = equal_area(shape.total_bounds)
        corners = shapely.points(shapely.get_coordinates(shape.to_crs(crs).to_numpy()))
        reach = float(shapely.distance(corners, point.to_crs(crs).iloc[0]).max())
        return _Found(point.iloc[0], "county", True, math.ceil(reach / 100) * 100.0)

    def node(self, name: str, codes: Sequence[str]) -> BaseGeometry | None:
        """Give the point by which a line runs for a node: its place, or its only county's seat."""
        found = self.place(name, codes) if name else None
        if found is None and len(codes) == 1:
            found = self.seat(codes[0]) or self.inside(codes[0])
        return None if found is None else found.geometry


def _codes(row: dict[Any, Any]) -> list[str]:
    text = str(row.get("adcodes", "") or row.get("adcode", "") or "")
    return [code for code in text.split(";") if code]


def _site(row: dict[Any, Any], finder: _Finder) -> _Found:
    codes = _codes(row)
    for name in (row.get("place", ""), row.get("name", ""), row.get("title", "")):
        found = finder.place(str(name), codes) if name else None
        if found is not None:
            return found
    return finder.inside(codes[0]) if len(codes) == 1 else _Found()


def _course(row: dict[Any, Any], finder: _Finder) -> _Found:
    ends = [str(row["from"]), *_BETWEEN.split(str(row["via"])), str(row["to"])]
    names = [name for name in (one.strip() for one in ends) if name]
    found = _through([finder.node(name, ()) for name in names])
    if found is not None:
        return found
    if row["mode"] in {"air", "hub", "water"} or row["kind"] in _STOPS:
        return _site(row, finder)
    return _Found()


def _subject(row: dict[Any, Any], finder: _Finder) -> _Found:
    """Place a contradiction at what it is about: its place or places, or else its counties."""
    codes = _codes(row)
    names = [name for name in (one.strip() for one in str(row["place"]).split(";")) if name]
    places = [finder.place(name, codes) for name in names]
    if len(places) > 1:
        course = _through([None if one is None else one.geometry for one in places])
        if course is not None:
            return course
    for place in places:
        if place is not None:
            # The sign of a statement, which is no site, whatever the place's own precision.
            return replace(place, schematic=True)
    if len(codes) > 1:
        return _Found(finder.counties.loc[codes].union_all(), "counties")
    return finder.inside(codes[0]) if codes else _Found()


def _through(points: Sequence[BaseGeometry | None]) -> _Found | None:
    """Give the line through points in their order, as far as they are known."""
    known = [point for point in points if point is not None]
    line = _line(known)
    if line is None:
        return None
    whole = len(known) == len(points)
    return _Found(line, "places, in order" if whole else "known places, in order")


def _line(points: Iterable[BaseGeometry], *, closed: bool = False) -> BaseGeometry | None:
    import shapely

    corners = [(point.x, point.y) for point in points]
    apart = [one for one, before in zip(corners, [None, *corners], strict=False) if one != before]
    if closed and len(set(apart)) >= 3 and apart[0] != apart[-1]:
        apart.append(apart[0])
    line: BaseGeometry | None = shapely.LineString(apart) if len(apart) >= 2 else None
    return line


def _with_geometry(table: pd.DataFrame, found: Sequence[_Found]) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pandas as pd

    plain = pd.DataFrame(table).assign(
        geometry_from=[one.how for one in found],
        schematic=[one.geometry is not None and one.schematic for one in found],
        precision_m=[one.precision_m for one in found],
    )
    shapes = gpd.GeoSeries([one.geometry for one in found], index=plain.index, crs=WGS84)
    return gpd.GeoDataFrame(plain, geometry=shapes)


def _extents(table: pd.DataFrame, plan: Plan) -> gpd.GeoDataFrame:
    """Dissolve members; a filtered table yields the part that is left of each extent."""
    import geopandas as gpd

    rows: list[dict[Any, Any]] = []
    for key, left in table.groupby("extent", sort=False):
        whole = plan.extent(str(key))
        nested = (left["role"] == "extent").any()
        codes = list(whole.adcodes) if nested else [code for code in left["adcode"] if code]
        counties = whole.counties
        counties = counties[counties["adcode"].isin(codes)]
        shape = counties.union_all() if len(counties) else None
        rows.append(
            {
                "extent": key,
                "title": whole.title,
                "members": len(counties),
                "other_units": "；".join(whole.other_units["name"]),
                "area_km2": float(counties["area_km2"].sum()),
                "cite": left["cite"].iloc[0],
                "line": left["line"].iloc[0],
                "geometry_from": "counties dissolved" if shape is not None else "",
                "schematic": False,
                "geometry": shape,
            }
        )
    columns = ["extent", "title", "members", "other_units", "area_km2", "cite", "line"]
    columns += ["geometry_from", "schematic", "geometry"]
    return gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs=WGS84)


def _structures(table: pd.DataFrame, finder: _Finder) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import shapely

    rows: list[dict[Any, Any]] = []
    for key, nodes in table.groupby("structure", sort=False):
        ordered = nodes.sort_values("seq").to_dict("records")
        kind = str(ordered[0]["kind"])
        points = [finder.node(str(row["node"]), _codes(row)) for row in ordered]
        counties = {code for row in ordered for code in _codes(row)}
        shape, how = None, ""
        if kind in _AREAS and counties:
            shape = finder.counties.loc[sorted(counties)].union_all()
            how = "counties of the nodes"
        elif kind in _AREAS:
            known = [one for one in points if one is not None]
            shape = shapely.MultiPoint(known) if known else None
            how = "seats of the nodes" if known else ""
        else:
            shape = _line((one for one in points if one is not None), closed=kind == "ring")
            how = "" if shape is None else "seats and places of the nodes, in order"
        known_nodes = [
            one is not None or bool(_codes(row)) for one, row in zip(points, ordered, strict=True)
        ]
        rows.append(
            {
                "structure": key,
                "title": ordered[0]["title"],
                "kind": kind,
                "nodes": "—".join(str(row["node"]) for row in ordered if row["node"]),
                "missing": "、".join(
                    str(row["node"])
                    for row, known in zip(ordered, known_nodes, strict=True)
                    if row["node"] and not known
                ),
                "cite": ordered[0]["cite"],
                "line": ordered[0]["line"],
                "geometry_from": how,
                "schematic": True,
                "geometry": shape,
            }
        )
    columns = ["structure", "title", "kind", "nodes", "missing", "cite", "line"]
    columns += ["geometry_from", "schematic", "geometry"]
    return gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs=WGS84)
