"""Networks with more in them: new links, another network's railway, a timetable's stations.

Nothing is changed in place. A draft gathers nodes, links and cuts, and makes one new view of
them: a road that is joined between its nodes is closed in the view, and its pieces are added.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import shapely.ops
from numpy.typing import NDArray

from urbangeo.crs import GEOD, WGS84, require_crs
from urbangeo.errors import InputError, NetworkError, TableError, UnknownNameError
from urbangeo.network.compile import walkable
from urbangeo.network.facts import Facts
from urbangeo.network.ingest import IngestReport
from urbangeo.network.lines import Lines
from urbangeo.network.network import Network
from urbangeo.network.profiles import LINK_CLASSES, RAIL_CLASSES
from urbangeo.network.snap import _Plane, nearest_roads
from urbangeo.network.tables import (
    NODE_COLUMNS,
    Tables,
    check_links,
    check_services,
    completed,
    stacked,
)

__all__ = ["added", "merged", "timetabled"]

_AT_END_M = 1.0  # a foot so near a road's end is that end
_SAME_PLACE_M = 100.0  # an end so near a node is at that node
_SAME_STOP_M = 150.0  # a stop so near a station is that station, whatever it is called
_DRAWN = "用户绘制"
_STATION = re.compile(
    r"(火车站|高铁站|地铁站|站|\s*(railway |metro |subway )?station)$", re.IGNORECASE
)


@dataclass
class _Draft:
    """What is to be added to a network."""

    net: Network
    nodes: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    cuts: dict[int, list[tuple[float, int]]] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)

    @cached_property
    def plane(self) -> _Plane:
        """The metres in which roads are joined and cut."""
        return _Plane(self.net.bounds)

    def fresh(self, key: str) -> str:
        """Give an id that is not taken: the one wished for, or it with a number."""
        made, number = key, 1
        while made in self.given or self._stands(made):
            number += 1
            made = f"{key}~{number}"
        self.given.add(made)
        return made

    def _stands(self, key: str) -> bool:
        """Whether a node or a link bears an id already."""
        t = self.net._tables
        return any(bool((table["id"] == key).any()) for table in (t.nodes, t.links))

    def node(self, key: str, kind: str, lonlat: Sequence[float], **more: Any) -> int:
        """Add a node; its row in the table to come."""
        row = {"id": self.fresh(key), "kind": kind, "lon": lonlat[0], "lat": lonlat[1], **more}
        self.nodes.append(row)
        return len(self.net._tables.nodes) + len(self.nodes) - 1

    def lonlat(self, row: int) -> tuple[float, float]:
        """Position of a node, old or new."""
        known = len(self.net._tables.nodes)
        if row < known:
            lon, lat = self.net._tables.lonlat[row]
        else:
            lon, lat = self.nodes[row - known]["lon"], self.nodes[row - known]["lat"]
        return float(lon), float(lat)

    def link(self, tail: int, head: int, line: NDArray[np.float64] | None, **row: Any) -> None:
        """Add a link between two node rows; straight if no line is given."""
        xy = np.array([self.lonlat(tail), self.lonlat(head)]) if line is None else line
        self.links.append({**row, "_tail": tail, "_head": head, "_line": xy})

    def join(
        self, lonlat: NDArray[np.float64], limit_m: float, name: str, kind: str = "junction"
    ) -> NDArray[np.int64]:
        """Find for each point a node on the nearest road that may be entered, cutting it there.

        Returns
        -------
        numpy.ndarray
            Node rows, -1 where no road lies within ``limit_m``.
        """
        t = self.net._tables
        link, along, foot, metres = nearest_roads(self.net, lonlat, limit_m)
        length = np.where(link >= 0, t.chord_m[np.maximum(link, 0)], 0.0)
        rows = np.full(len(lonlat), -1, dtype=np.int64)
        for one in np.flatnonzero(np.isfinite(metres)).tolist():
            road = int(link[one])
            if along[one] * length[one] <= _AT_END_M:
                rows[one] = t.tail[road]
            elif (1 - along[one]) * length[one] <= _AT_END_M:
                rows[one] = t.head[road]
            else:
                rows[one] = self._cut(road, float(along[one]), float(length[one]))
                if rows[one] >= 0:
                    continue
                # in the terrain of the nearer end, which tells how winding and slow the pieces are
                nearer = t.tail[road] if along[one] <= 0.5 else t.head[road]
                rows[one] = self.node(
                    f"{name}:{t.links['id'].iloc[road]}",
                    kind,
                    foot[one],
                    terrain=t.nodes["terrain"].iloc[nearer],
                    source="接入点，由计算得出",
                )
                self.cuts.setdefault(road, []).append((float(along[one]), int(rows[one])))
        return rows

    def _cut(self, road: int, along: float, length_m: float) -> int:
        """Node at which a road was cut there already, or -1."""
        for place, node in self.cuts.get(road, ()):
            if abs(place - along) * length_m <= _AT_END_M:
                return node
        return -1

    def made(self, step: str, **changes: Any) -> Network:
        """Make the view.

        Raises
        ------
        TableError
            If a new link holds anything that cannot be used.
        """
        t = self.net._tables
        new_nodes = completed(pd.DataFrame(self.nodes), (*NODE_COLUMNS, "lon", "lat"))
        nodes = stacked(t.nodes, new_nodes)
        pieces = [_pieces(t, road, cuts, self) for road, cuts in sorted(self.cuts.items())]
        parts = [(t.links, t.tail, t.head, t.lines), *pieces]
        if self.links:
            parts.append(_checked(self.links, nodes, step))
        # the few new rows first: the whole table is copied once, however many roads are cut
        more = [one[0] for one in parts[1:]]
        links = stacked(t.links, reduce(stacked, more)) if more else t.links
        tables = Tables(
            nodes,
            links,
            np.concatenate([one[1] for one in parts]),
            np.concatenate([one[2] for one in parts]),
            Lines.joined([one[3] for one in parts]),
            t.services,
        )
        state = self.net._link_state
        state = np.zeros(len(t.links), dtype=np.int8) if state is None else state.copy()
        # pieces are open when their road was, in another year too; new links are open in any
        of_pieces = [
            np.full(len(one[0]), state[road])
            for road, one in zip(sorted(self.cuts), pieces, strict=True)
        ]
        state[list(self.cuts)] = -1
        state = np.concatenate([state, *of_pieces, np.ones(len(self.links), dtype=np.int8)])
        slopes = self.net._slopes
        return replace(
            self.net,
            _tables=tables,
            _link_state=state,
            _slopes=None if slopes is None else slopes.extended(len(links)),
            history=(*self.net.history, step),
            **changes,
        )


_Part = tuple[pd.DataFrame, NDArray[np.int64], NDArray[np.int64], Lines]


def _pieces(t: Tables, road: int, cuts: Sequence[tuple[float, int]], draft: _Draft) -> _Part:
    """Cut one road at some places along it."""
    places = sorted(cuts)
    nodes = [int(t.tail[road]), *(node for _, node in places), int(t.head[road])]
    shares = np.diff([0.0, *(place for place, _ in places), 1.0])
    line = t.lines.take(np.array([road])).xy
    ends = np.cumsum([0.0, *shares])
    rows = pd.concat([t.links.iloc[[road]]] * len(shares), ignore_index=True)
    rows["length_m"] = rows["length_m"] * shares
    rows["id"] = [draft.fresh(f"{one}~{k + 1}") for k, one in enumerate(rows["id"])]
    lines = []
    for k, (begin, end) in enumerate(pairwise(ends)):
        xy = _between(line, begin, end, draft.plane)
        xy[0], xy[-1] = draft.lonlat(nodes[k]), draft.lonlat(nodes[k + 1])
        lines.append(shapely.LineString(xy))
    return (
        rows,
        np.array(nodes[:-1], dtype=np.int64),
        np.array(nodes[1:], dtype=np.int64),
        Lines.of(np.array(lines, dtype=object)),
    )


def _between(
    line: NDArray[np.float64], begin: float, end: float, plane: _Plane
) -> NDArray[np.float64]:
    """Give the part of a line between two shares of its length in metres."""
    flat = shapely.LineString(plane.xy(line))
    part = shapely.ops.substring(flat, begin, end, normalized=True)
    return plane.lonlat(shapely.get_coordinates(part))


def _checked(links: Sequence[dict[str, Any]], nodes: pd.DataFrame, where: str) -> _Part:
    """Check new links as those of any table, between the few nodes that they join."""
    ours = ("_tail", "_head", "_line")
    frame = pd.DataFrame([{k: v for k, v in one.items() if k not in ours} for one in links])
    used, ends = np.unique([(one["_tail"], one["_head"]) for one in links], return_inverse=True)
    few = nodes.iloc[used].reset_index(drop=True)
    ids = few["id"].to_numpy(dtype=object)
    frame["from"], frame["to"] = ids[ends.reshape(-1, 2).T]
    lines = [shapely.LineString(one["_line"]) for one in links]
    table = gpd.GeoDataFrame(frame, geometry=lines, crs=WGS84)
    made, tail, head, drawn = check_links(table, few, where)
    return made, used[tail], used[head], drawn


# -- new links -------------------------------------------------------------------------------


def added(net: Network, links: pd.DataFrame, join_m: float) -> Network:
    """Add links from a table; see :meth:`urbangeo.network.Network.with_links`."""
    if not len(links):
        raise InputError("with_links: the table has no row.")
    if "class" not in links.columns:
        found = ", ".join(map(str, links.columns))
        raise TableError("with_links", [f"column 'class' is missing; found: {found}"])
    table = links.reset_index(drop=True)
    bad = sorted({str(one) for one in table["class"]} - set(LINK_CLASSES))
    if bad:
        raise UnknownNameError("class", bad[0], LINK_CLASSES, "Column class of with_links.")
    if "id" in table.columns:
        stated = table["id"].dropna().astype(str)
        taken = stated.duplicated() | stated.isin(net._tables.links["id"])
        rows = np.flatnonzero((taken & (stated != "")).reindex(table.index, fill_value=False))
        if len(rows):
            findings = [f"row {one + 2}: id {table['id'][one]!r} is taken" for one in rows]
            raise TableError("with_links", findings)
    draft = _Draft(net)
    if {"from", "to"} <= set(table.columns):
        _add_named(draft, table)
    elif isinstance(table, gpd.GeoDataFrame):
        require_crs(table, "with_links")
        _add_drawn(draft, table.to_crs(WGS84), join_m)
    else:
        raise InputError(
            "with_links: the table has neither the columns from and to nor geometry. Name the "
            "nodes, or give a GeoDataFrame of lines."
        )
    named = [str(one.get("name") or one["id"]) for one in draft.links[:3]]
    more = f" and {len(draft.links) - 3} more" if len(draft.links) > 3 else ""
    return draft.made(f"with_links({named}{more})")


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Rows of a table without its active geometry, whatever that is called."""
    if isinstance(table, gpd.GeoDataFrame):
        table = pd.DataFrame(table.drop(columns=table.geometry.name))
    return table.to_dict("records")


def _columns(row: Mapping[Any, Any], number: int) -> dict[str, Any]:
    """Columns of a new link, with what a user need not state."""
    kind = str(row["class"])
    kept = {
        key: value
        for key, value in row.items()
        if key not in ("geometry", "from", "to", "interchanges")
        and not (pd.api.types.is_scalar(value) and pd.isna(value))
    }
    return {
        "mode": "rail" if kind in RAIL_CLASSES else "road",
        "source": _DRAWN,
        **kept,
        "id": str(kept.get("id") or f"new-{number + 1}"),
    }


def _add_named(draft: _Draft, table: pd.DataFrame) -> None:
    t = draft.net._tables
    lines = None
    if isinstance(table, gpd.GeoDataFrame):
        require_crs(table, "with_links")
        lines = table.geometry.to_crs(WGS84)
    for number, row in enumerate(_records(table)):
        ends = []
        for column in ("from", "to"):
            place = int(t.node_row.get_indexer(pd.Index([row[column]]))[0])
            if place < 0:
                raise UnknownNameError(
                    "node",
                    str(row[column]),
                    [],
                    f"Column {column} of with_links, row {number + 2}.",
                )
            ends.append(place)
        line = None if lines is None else shapely.get_coordinates(lines.iloc[number])
        columns = _columns(row, number)
        columns["id"] = draft.fresh(columns["id"])
        draft.link(ends[0], ends[1], line, **columns)


def _add_drawn(draft: _Draft, table: gpd.GeoDataFrame, join_m: float) -> None:
    shapes = np.asarray(table.geometry.array)
    for number, (row, shape) in enumerate(zip(_records(table), shapes, strict=True)):
        columns = _columns(row, number)
        what = f"with_links, row {number + 2} ({columns.get('name') or columns['id']})"
        line = shapely.get_coordinates(_one_line(shape, what))
        flat = shapely.LineString(draft.plane.xy(line))
        stops = _listed_stops(draft, row.get("interchanges"), flat, join_m, what)
        listed = {node for _, node in stops}
        # on a short line a stop in its middle is near both ends
        near = min(join_m, flat.length / 4)
        for place in (0.0, 1.0):
            if all(abs(one - place) * flat.length > near for one, _ in stops):
                end = line[0 if place == 0 else -1]
                node = _end_node(draft, end, str(columns["class"]), join_m, what)
                if node not in listed:
                    stops.append((place, node))
        stops.sort()
        if len({node for _, node in stops}) < 2:
            raise NetworkError(
                f"{what}: both its ends join the network at one node, so it leads nowhere. Draw it "
                "longer, or list the interchanges."
            )
        _add_between(draft, line, stops, columns)


def _add_between(
    draft: _Draft,
    line: NDArray[np.float64],
    stops: Sequence[tuple[float, int]],
    columns: Mapping[str, Any],
) -> None:
    """Add the pieces of a line between its stops."""
    total = float(pd.to_numeric(columns.get("length_m", np.nan), errors="coerce"))
    span = stops[-1][0] - stops[0][0]
    several = len(stops) > 2
    for k, ((begin, tail), (end, head)) in enumerate(pairwise(stops)):
        xy = _between(line, begin, end, draft.plane)
        xy = np.vstack([draft.lonlat(tail), xy, draft.lonlat(head)])
        row = dict(columns)
        row["id"] = draft.fresh(f"{row['id']}~{k + 1}" if several else row["id"])
        if np.isfinite(total):  # what is no number is refused with its row
            row["length_m"] = total * (end - begin) / span
        draft.link(tail, head, xy, **row)


def _one_line(shape: Any, what: str) -> shapely.LineString:
    """Refuse what is no single line."""
    if isinstance(shape, shapely.MultiLineString):
        shape = shapely.line_merge(shape)
    if not isinstance(shape, shapely.LineString) or shape.is_empty:
        found = "nothing" if shape is None else str(getattr(shape, "geom_type", type(shape)))
        raise InputError(
            f"{what}: geometry is {found}; one LineString is expected. Give a row to each line."
        )
    return shape


def _listed_stops(
    draft: _Draft,
    listed: Any,
    flat: shapely.LineString,
    join_m: float,
    what: str,
) -> list[tuple[float, int]]:
    """Nodes that a line's ``interchanges`` names, with their places along it."""
    if pd.api.types.is_scalar(listed) and pd.isna(listed):
        return []
    names = listed.split(";") if isinstance(listed, str) else list(listed)
    t = draft.net._tables
    usable = t.nodes[t.nodes["kind"] != "waypoint"]
    stops = set()
    for name in filter(None, (str(one).strip() for one in names)):
        rows = usable.index[(usable["id"] == name) | (usable["name"] == name)].to_numpy()
        if not len(rows):
            raise UnknownNameError(
                "interchange", name, sorted({*usable["name"]} - {""}), f"{what}."
            )
        spots = shapely.points(draft.plane.xy(t.lonlat[rows]))
        apart = shapely.distance(spots, flat)
        best = int(np.argmin(apart))
        if apart[best] > join_m:
            raise NetworkError(
                f"{what}: interchange {name!r} lies {apart[best] / 1000:.1f} km from the line; at "
                f"most {join_m / 1000:g} km is expected. Draw the line to it, or raise join_m."
            )
        place = float(shapely.line_locate_point(flat, spots[best], normalized=True))
        stops.add((place, int(rows[best])))
    return sorted(stops)


def _end_node(draft: _Draft, end: NDArray[np.float64], kind: str, join_m: float, what: str) -> int:
    """Node at which the end of a drawn line joins the network.

    For a railway the nearest station. For a road the node where it ends, if there is one; for an
    expressway the nearest interchange; else a place on the nearest road that may be entered.
    """
    net, t = draft.net, draft.net._tables
    kinds = t.nodes["kind"].to_numpy()
    railway, fast = kind in RAIL_CLASSES, kind == "expressway"
    if railway:
        trials = [(kinds == "station", join_m)]
    else:
        roads = net.link_rows[t.is_road[net.link_rows]]
        meets = _touched(t, roads) & (kinds != "waypoint")
        if not fast:  # where expressways branch nobody turns off into the country
            meets &= _touched(t, walkable(net)) | (kinds != "junction")
        trials = [(meets, min(_SAME_PLACE_M, join_m))]
        if fast:
            trials.append((_touched(t, roads) & (kinds == "interchange"), join_m))
    # a degree of latitude is 110 km or more: a cheap sieve before measuring
    apart_deg = np.abs(t.lonlat - end) * [np.cos(np.radians(end[1])), 1.0]
    for usable, limit in trials:
        wanted = np.flatnonzero(usable & (apart_deg <= 1.05 * limit / 110_000.0).all(axis=1))
        if not len(wanted):
            continue
        lonlat = t.lonlat[wanted]
        _, _, apart = GEOD.inv(*np.broadcast_to(end, lonlat.shape).T, *lonlat.T)
        best = int(np.argmin(apart))
        if apart[best] <= limit:
            return int(wanted[best])
    joint = -1
    if not railway:
        new = "interchange" if fast else "junction"
        joint = int(draft.join(end[None], join_m, "joint", new)[0])
    if joint < 0:
        sought = "no station" if railway else "no road that may be entered"
        advice = "to a station" if railway else "to a road, list an interchange"
        raise NetworkError(
            f"{what}: its end ({end[0]:.4f}, {end[1]:.4f}) finds {sought} within "
            f"{join_m / 1000:g} km. Draw it {advice}, or raise join_m."
        )
    return joint


def _touched(t: Tables, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Nodes at which some links end."""
    touched = np.zeros(len(t.nodes), dtype=bool)
    touched[t.tail[rows]] = touched[t.head[rows]] = True
    return touched


# -- another network's railway ---------------------------------------------------------------


def merged(roads: Network, rail: Network) -> Network:
    """Put a railway onto roads; see :meth:`urbangeo.network.Network.merge`.

    Raises
    ------
    NetworkError
        If one has no road, or the other neither a railway nor a service.
    """
    r, s = roads._tables, rail._tables
    road_rows = roads.link_rows[r.is_road[roads.link_rows]]
    rail_rows = rail.link_rows[~s.is_road[rail.link_rows]]
    calls = s.services.iloc[rail.service_rows].reset_index(drop=True)
    if not len(road_rows):
        raise NetworkError(f"{roads.facts.title} has no road to merge a railway onto.")
    if not len(rail_rows) and not len(calls):
        raise NetworkError(f"{rail.facts.title} has neither a railway nor a service to merge.")
    stations = np.unique(s.node_row.get_indexer(pd.Index(calls["station"])))
    used = np.unique(np.concatenate([s.tail[rail_rows], s.head[rail_rows], stations]).astype(int))
    moved = s.nodes.iloc[used].reset_index(drop=True)
    renamed = _renamed(moved["id"], r.nodes["id"])
    moved["id"] = moved["id"].replace(renamed)
    calls["station"] = calls["station"].replace(renamed)
    tracks = s.links.iloc[rail_rows].reset_index(drop=True)
    tracks["id"] = tracks["id"].replace(_renamed(tracks["id"], r.links["id"].iloc[road_rows]))
    tracks["length_m"] = rail.length_m[rail_rows]
    place = np.full(len(s.nodes), -1, dtype=np.int64)
    place[used] = len(r.nodes) + np.arange(len(used))
    links = stacked(r.links.iloc[road_rows].reset_index(drop=True), tracks)
    tables = Tables(
        stacked(r.nodes, moved),
        links,
        np.concatenate([r.tail[road_rows], place[s.tail[rail_rows]]]),
        np.concatenate([r.head[road_rows], place[s.head[rail_rows]]]),
        Lines.joined([r.lines.take(road_rows), s.lines.take(rail_rows)]),
        calls,
    )
    facts = Facts(
        title=f"{roads.facts.title}＋{rail.facts.title}的铁路",
        schematic=roads.facts.schematic or rail.facts.schematic,
        attribution=tuple(dict.fromkeys([*roads.facts.attribution, *rail.facts.attribution])),
    )
    base = Network(
        tables,
        roads.profile,
        facts,
        history=(f"merge({roads.facts.title}, {rail.facts.title})",),
        _road_factor=roads._road_factor,
    )
    called = set(calls["station"])
    wanted = np.flatnonzero(tables.nodes["id"].isin(called).to_numpy())
    return _joined(base, wanted, base.history[0], kept={"rail_links": len(tracks)})


def _renamed(ids: pd.Series, taken: pd.Series) -> dict[str, str]:
    """New ids for those that are taken."""
    known = {*taken, *ids}
    return {one: _fresh_id(one, known, "rail") for one in sorted(set(ids) & set(taken))}


def _joined(
    net: Network, stations: NDArray[np.int64], step: str, kept: Mapping[str, int]
) -> Network:
    """Join station nodes to the nearest road that may be entered, by a connector each."""
    draft = _Draft(net)
    t = net._tables
    limit = net.profile.access.max_km * 1000.0
    joints = draft.join(t.lonlat[stations], limit, "joint")
    metres = []
    for station, joint in zip(stations.tolist(), joints.tolist(), strict=True):
        if joint < 0:
            continue
        if joint == station:
            continue  # it stands on the road already
        _, _, apart = GEOD.inv(*draft.lonlat(station), *draft.lonlat(joint))
        metres.append(float(apart))
        name = str(t.nodes["id"].iloc[station])
        draft.link(
            station,
            joint,
            None,
            id=draft.fresh(f"connector:{name}"),
            mode="road",
            source="车站接入最近道路，由计算得出",
            # a station that stands at a junction has a link of its own to it, a metre long
            **({"length_m": _AT_END_M} if apart < _AT_END_M else {}),
            **{"class": "connector"},
        )
    snapping = {
        "snapped": int((joints >= 0).sum()),
        "unsnapped": int((joints < 0).sum()),
        **({"median_m": float(np.median(metres)), "max_m": max(metres)} if metres else {}),
    }
    report = IngestReport(source=step, kept={**kept, "stations": len(stations)}, snapping=snapping)
    made = draft.made(step, report=report)
    return replace(made, history=net.history)


# -- a timetable -----------------------------------------------------------------------------


def timetabled(net: Network, feed: Any, step: str, join_m: float) -> Network:
    """Let the services of a feed run; see :meth:`urbangeo.network.Network.with_services`."""
    t = net._tables
    known = t.nodes[t.nodes["kind"] == "station"]
    stops = feed.nodes.reset_index(drop=True)
    at = stops[["lon", "lat"]].to_numpy(dtype=float)
    own = known[["lon", "lat"]].to_numpy(dtype=float)
    names = np.array([_plain(one) for one in known["name"]], dtype=object)
    taken = set(t.nodes["id"])
    ids, fresh = {}, []
    for row, (stop, spot) in enumerate(zip(stops.to_dict("records"), at, strict=True)):
        if len(own):
            _, _, apart = GEOD.inv(*np.broadcast_to(spot, own.shape).T, *own.T)
            name = _plain(stop["name"])
            alike = np.where((names == name) & (name != ""), apart, np.inf)
            best, near = int(np.argmin(alike)), int(np.argmin(apart))
            if alike[best] <= join_m or apart[near] <= min(join_m, _SAME_STOP_M):
                place = best if alike[best] <= join_m else near
                ids[stop["id"]] = str(known["id"].iloc[place])
                continue
        ids[stop["id"]] = _fresh_id(str(stop["id"]), taken, "stop")
        fresh.append(row)
    new = stops.iloc[fresh].assign(id=[ids[one] for one in stops["id"].iloc[fresh]])
    nodes = stacked(t.nodes, completed(new, (*NODE_COLUMNS, "lon", "lat")))
    least: dict[str, float] = {}
    for one in feed.transfers.itertuples():
        least[ids[one.station]] = max(float(one.minutes), least.get(ids[one.station], 0.0))
    stated = nodes["id"].map(least).to_numpy(dtype=float)
    nodes["transfer_min"] = np.fmax(nodes["transfer_min"].to_numpy(dtype=float), stated)
    calls, joined = _one_call_each(feed.services.assign(station=feed.services["station"].map(ids)))
    if not len(calls):
        raise NetworkError(
            f"{step} leaves no service of the feed: all stops of each lie within {join_m:g} m of "
            "one station of the network. Give a smaller join_m."
        )
    base = replace(
        net,
        _tables=replace(
            t, nodes=nodes, services=check_services(calls, nodes, step), stored_digest=""
        ),
        _service_state=None,
        history=(*net.history, step),
    )
    # stations that a map drew beside its tracks have no road either
    on_road = _touched(base._tables, base.link_rows[t.is_road[base.link_rows]])
    called = base._tables.nodes["id"].isin(set(calls["station"])).to_numpy()
    made = _joined(base, np.flatnonzero(called & ~on_road), step, kept={})
    repaired = {**feed.report.repaired}
    if joined:
        repaired["call_same_station"] = repaired.get("call_same_station", 0) + joined
    snapping = made.report.snapping if made.report else {}
    return replace(made, report=replace(feed.report, repaired=repaired, snapping=snapping))


def _one_call_each(calls: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Make one call of calls at one station running: two stops of a feed may be one station here.

    Returns
    -------
    pandas.DataFrame, int
        The calls, and how many were joined to the one before. A service left with one is dropped.
    """
    calls = calls.sort_values(["service", "seq"], kind="stable").reset_index(drop=True)
    before = calls[["service", "station"]].shift()
    again = ((before == calls[["service", "station"]]).all(axis=1)).to_numpy()
    if not again.any():
        return calls, 0
    call = np.cumsum(~again) - 1
    stay = calls["dwell_min"].fillna(0.0) + calls["run_min"].where(again, 0.0).fillna(0.0)
    out = calls[~again].reset_index(drop=True)
    out["dwell_min"] = np.bincount(call, weights=stay)
    for column in ("boarding", "alighting"):
        if column in calls.columns:
            out[column] = calls[column].groupby(call).any().to_numpy()
    out["seq"] = out.groupby("service").cumcount() + 1
    size = out.groupby("service")["seq"].transform("size")
    return out[size > 1].reset_index(drop=True), int(again.sum())


def _fresh_id(key: str, taken: set[str], prefix: str) -> str:
    """Put a prefix before an id until it is free, and take it."""
    while key in taken:
        key = f"{prefix}:{key}"
    taken.add(key)
    return key


def _plain(name: object) -> str:
    return _STATION.sub("", str(name).strip())
