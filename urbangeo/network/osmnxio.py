"""Street graphs of OSMnx and networkx, to plain tables and back, with everything that they carry.

Every edge of such a graph leads one way. Two that mirror each other (the same drawn line backwards,
the same attributes but for ``reversed`` and the last digits of ``length``) become one two-way link;
all others become one-way links, whatever their ``oneway`` says: it is the way's, and the edge that
is not there may not be driven. What a network has no column for is kept in further columns, under
its own name or, where a network has a column of that name, with ``osmnx_`` before it:
``back_…`` holds what differs on the way back.

Attributes that were read from GraphML as text stay text. Numbers and lists in them are read by
pattern; nothing is ever evaluated.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from urbangeo.crs import GEOD
from urbangeo.errors import CRSError, InputError, NetworkError, TableError
from urbangeo.network.ingest import IngestReport, strong_components
from urbangeo.network.lines import Lines
from urbangeo.network.osmtags import (
    ASSUMED_KMH,
    DRIVABLE,
    FASTEST_RAIL_KMH,
    FASTEST_ROAD_KMH,
    maxspeed_kmh,
    rail_class,
    road_class,
)
from urbangeo.network.profiles import LINK_CLASSES, RAIL_CLASSES, ROAD_CLASSES

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["OsmnxTables", "from_osmnx", "to_networkx"]

_KINDS = ("junction", "interchange", "station", "place", "waypoint")
_NODE_TEXT = ("kind", "name", "adcode", "source")
_NODE_OWN = frozenset({"id", "lon", "lat", "component", "precision_m", *_NODE_TEXT})
_LINK_TEXT = ("id", "mode", "class", "ref", "name", "status", "cite", "source")
_LINK_NUMBERS = ("length_m", "speed_kmh", "open_year", "planned_year", "precision_m")
_LINK_OWN = frozenset({"oneway", "component", *_LINK_TEXT, *_LINK_NUMBERS})
# Told of an edge by itself, so nothing to keep
_DRAWN = frozenset({"geometry"})
# Of a list of kinds of road along one edge the least holds, as of a list of limits the lowest does
_RANK = {kind: rank for rank, kind in enumerate(ROAD_CLASSES)}
_MARK = (
    "urbangeo_added"  # graph attribute of to_networkx: names of the edge attributes that it adds
)
_SERVICES = "urbangeo_services"
_SAME_DATUMS = ("World Geodetic System 1984", "China 2000", "China Geodetic Coordinate System 2000")
_LOOSE_END_M = 100.0
_NORTHERNMOST = 83.0  # nobody lives beyond, so a latitude above it is a longitude
_SHORTEST = 0.01  # of the drawn length: less is most likely kilometres given for metres
_SAME_LENGTH = 1e-9  # sums of the same segments in another order
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0", ""})


@dataclass(frozen=True, eq=False)
class OsmnxTables:
    """A graph as plain tables.

    Attributes
    ----------
    nodes
        ``id`` (the graph's, as text), ``kind``, ``name``, ``adcode``, ``source``, ``precision_m``,
        ``lon``, ``lat``, ``component`` and further columns; ``osmnx_id`` where ids were no text.
    links
        The columns of a network's links without ``from`` and ``to``, ``component``, ``key`` and
        ``back_key`` (of the edges that a link was), ``ring`` (id of the ring that it is a half
        of), and further columns. Where an edge did not have the attribute these hold "" among
        texts, NaN among floats, and else None; a cell may hold a list.
    tail, head
        Row in ``nodes`` of each link's ends.
    xy, offsets
        Vertices of all lines, degrees, WGS 84: line i is ``xy[offsets[i]:offsets[i + 1]]``.
    services
        The services that :func:`to_networkx` put into the graph, or None.
    graph
        Attributes of the graph itself.
    report
        What was read, kept, dropped, repaired and assumed.
    """

    nodes: pd.DataFrame
    links: pd.DataFrame
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    xy: NDArray[np.float64]
    offsets: NDArray[np.int64]
    services: pd.DataFrame | None
    graph: dict[str, Any]
    report: IngestReport


@dataclass
class _Edge:
    """An edge, or two that mirror each other, on its way to be a link."""

    tail: int
    head: int
    key: Hashable
    held: dict[str, Any]
    line: NDArray[np.float64]
    back_key: Hashable | None = None
    back: dict[str, Any] = field(default_factory=dict)
    twoway: bool = False


def from_osmnx(graph: nx.MultiDiGraph) -> OsmnxTables:
    """Read a street graph.

    Parameters
    ----------
    graph
        A MultiDiGraph as OSMnx makes it: an unprojected ``crs``, nodes with ``x`` and ``y``, edges
        with ``length`` (metres), ``highway``, ``maxspeed`` … and, where they are not straight, a
        ``geometry``. Or one of :func:`to_networkx`.

    Returns
    -------
    OsmnxTables
        Edges that a car cannot use are left out and counted. ``speed_kph`` goes before
        ``maxspeed``. A ring, which leads from a node to itself, is cut in two.

    Raises
    ------
    InputError
        If it is no MultiDiGraph.
    CRSError
        If the graph has no CRS, a projected one, or one of another datum.
    TableError
        If positions, lines or lengths cannot be used; all findings at once.
    NetworkError
        If it has no edge that a car or a train can use.
    """
    _check_graph(graph)
    return _Reader(graph).tables()


def _check_graph(graph: Any) -> None:
    import pyproj

    directed = getattr(graph, "is_directed", bool)() and getattr(graph, "is_multigraph", bool)()
    if not directed:
        raise InputError(
            f"graph is a {type(graph).__name__}; a MultiDiGraph as OSMnx makes it is expected. "
            "Of an undirected graph make one with networkx.MultiDiGraph(graph)."
        )
    stated = graph.graph.get("crs")
    if stated is None:
        raise CRSError(
            "The graph has no CRS. If its x and y are longitude and latitude, set "
            "graph.graph['crs'] = 'EPSG:4326' first."
        )
    try:
        crs = pyproj.CRS.from_user_input(stated)
    except pyproj.exceptions.CRSError as error:
        raise CRSError(f"The graph's CRS is {str(stated)!r}, which is none: {error}") from error
    if not crs.is_geographic:
        raise CRSError(
            f"The graph is projected ({crs.name}); longitude and latitude are expected. "
            "Take osmnx.project_graph(graph, to_latlong=True)."
        )
    if crs.datum is None or not str(crs.datum.name).startswith(_SAME_DATUMS):
        raise CRSError(
            f"The graph is in {crs.name}; WGS 84 is expected. "
            "Take osmnx.project_graph(graph, to_crs='EPSG:4326')."
        )


class _Reader:
    """One graph being read."""

    def __init__(self, graph: nx.MultiDiGraph) -> None:
        self.graph = graph
        self.own = _MARK in graph.graph
        added = str(graph.graph.get(_MARK, "")).split()
        self.skipped = _DRAWN | frozenset(added)
        self.dropped: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()
        self.noted: Counter[str] = Counter()
        self.assumed: Counter[str] = Counter()
        self.findings: list[str] = []
        self.row = {node: place for place, node in enumerate(graph.nodes)}
        self.lonlat = self._positions()
        if self.findings:
            raise TableError("graph: nodes", self.findings)

    def _positions(self) -> NDArray[np.float64]:
        made = np.full((len(self.row), 2), np.nan)
        for place, (node, held) in enumerate(self.graph.nodes(data=True)):
            made[place] = [_number(held.get(axis)) for axis in ("x", "y")]
            if not np.isfinite(made[place]).all():
                found = {axis: held.get(axis) for axis in ("x", "y")}
                self.findings.append(f"node {node!r} has the position {found}; x and y are needed")
        lon, lat = made.T
        swapped = (np.abs(lat) > _NORTHERNMOST) & (np.abs(lon) <= 90)
        names = list(self.row)
        for place in np.flatnonzero(swapped).tolist():
            self.findings.append(
                f"node {names[place]!r}: x {lon[place]:g}, y {lat[place]:g} look swapped"
            )
        for place in np.flatnonzero(~swapped & ((np.abs(lon) > 180) | (np.abs(lat) > 90))).tolist():
            self.findings.append(
                f"node {names[place]!r}: x {lon[place]:g}, y {lat[place]:g} are not degrees on "
                "the Earth"
            )
        ids = Counter(map(str, names))
        self.findings += [
            f"{count} nodes have the id {one!r} as text" for one, count in ids.items() if count > 1
        ]
        return made

    def tables(self) -> OsmnxTables:
        told = any(
            one in held
            for _, _, held in self.graph.edges(data=True)
            for one in ("highway", "railway", "class")
        )
        edges, means = [], []
        for edge in self._edges():
            meaning = self._meaning(edge.held, told)
            if meaning is not None:
                edges.append(edge)
                means.append(meaning)
        if not edges:
            raise NetworkError(
                "The graph has no edge that a car or a train can use; edges read: "
                f"{self.graph.number_of_edges()}, left out: {dict(self.dropped)}."
            )
        lengths = self._lengths(edges)
        if self.findings:
            raise TableError("graph: edges", self.findings)
        return self._cut(edges, means, lengths)

    def _edges(self) -> list[_Edge]:
        """Draw all edges and join those that mirror each other."""
        alone: dict[tuple[int, int], list[_Edge]] = {}
        made: list[_Edge] = []
        for one, other, key, held in self.graph.edges(keys=True, data=True):
            tail, head = self.row[one], self.row[other]
            line = self._line(tail, head, held, f"edge {one!r}-{other!r}")
            if tail == head and (line == line[0]).all():
                self.dropped["self_loops"] += 1
                continue
            edge = _Edge(
                tail,
                head,
                key,
                {
                    str(name): value
                    for name, value in held.items()
                    if value is not None and name not in self.skipped
                },
                line,
            )
            waiting = alone.get((head, tail), [])
            for place, twin in enumerate(waiting):
                back = _mirrored(twin, edge)
                if back is not None:
                    twin.twoway, twin.back_key, twin.back = True, key, back
                    del waiting[place]
                    break
            else:
                made.append(edge)
                alone.setdefault((tail, head), []).append(edge)
        return made

    def _line(
        self, tail: int, head: int, held: Mapping[str, Any], what: str
    ) -> NDArray[np.float64]:
        straight = self.lonlat[[tail, head]]
        drawn = held.get("geometry")
        if drawn is None or (isinstance(drawn, str) and not drawn.strip()):
            return straight
        if isinstance(drawn, str):
            drawn = shapely.from_wkt(drawn, on_invalid="ignore")
        if (
            not isinstance(drawn, shapely.LineString)
            or drawn.is_empty
            or not np.isfinite(shapely.get_coordinates(drawn)).all()
        ):
            self.repaired["geometry_unreadable"] += 1
            return straight
        line: NDArray[np.float64] = shapely.get_coordinates(drawn)
        ends = line[[0, -1]]
        if (ends == straight).all():
            return line
        off, back = (_apart_m(one, straight).max() for one in (ends, ends[::-1]))
        if back < off:
            self.repaired["geometry_backwards"] += 1
            line, off = line[::-1], back
        if off > _LOOSE_END_M:
            self.findings.append(
                f"{what}: its line ends {off:.0f} m from its nodes; {_LOOSE_END_M:.0f} m are "
                "allowed"
            )
        return line

    def _meaning(self, held: Mapping[str, Any], told: bool) -> tuple[str, str, float] | None:
        """Give mode, class and speed of an edge; None if it is left out."""
        own = str(held.get("class", "")) if self.own else ""
        if own in LINK_CLASSES:
            mode = "rail" if own in RAIL_CLASSES else "road"
            return mode, own, _positive(held.get("speed_kmh"))
        ways, rails = _listed(held.get("highway")), _listed(held.get("railway"))
        tags = {
            name: ";".join(_listed(held[name]))
            for name in ("ref", "name", "expressway", "motorroad", "highspeed")
            if name in held
        }
        if not ways and not rails:
            if told:
                self.dropped["no_way"] += 1
                return None
            ways = ["road"]
            self.noted["class_unknown"] += 1
        kmh = self._limit(held, FASTEST_ROAD_KMH if ways else FASTEST_RAIL_KMH)
        if ways:
            if not DRIVABLE.issuperset(ways):
                self.dropped["not_for_cars"] += 1
                return None
            if len(ways) > 1:
                self.noted["highway_list"] += 1
            value = max(ways, key=lambda one: (_RANK[road_class(tags, one)], one))
            kind = road_class(tags, value)
            if math.isnan(kmh):
                self.assumed[value] += 1
                kmh = ASSUMED_KMH.get(value, math.nan)
            return "road", kind, kmh
        kind = rail_class(tags, min(rails), None if math.isnan(kmh) else kmh)
        if not kind:
            self.dropped["no_track"] += 1
            return None
        return "rail", kind, kmh

    def _limit(self, held: Mapping[str, Any], fastest: float) -> float:
        kmh = _positive(held.get("speed_kph"))
        if not math.isnan(kmh):
            self.noted["speed_kph"] += 1
            return kmh
        read = maxspeed_kmh(";".join(_listed(held.get("maxspeed"))), fastest)
        if read.note.startswith("repair: "):
            self.repaired[read.note.removeprefix("repair: ")] += 1
        elif read.note:
            self.noted[read.note] += 1
        return math.nan if read.kmh is None else read.kmh

    def _lengths(self, edges: Sequence[_Edge]) -> NDArray[np.float64]:
        """Take the stated lengths, metres, and measure where none can be used."""
        drawn = _measured([edge.line for edge in edges])
        name = "length_m" if self.own else "length"
        raw = [edge.held.get(name) for edge in edges]
        stated = np.array([_positive(one) for one in raw])
        missing = np.array([one is None for one in raw])
        self.repaired["length_missing"] += int(missing.sum())
        self.repaired["length_unreadable"] += int((np.isnan(stated) & ~missing).sum())
        made = np.where(np.isnan(stated), drawn, stated)
        for place in np.flatnonzero(made < _SHORTEST * drawn).tolist():
            edge = edges[place]
            self.findings.append(
                f"edge {edge.tail}-{edge.head}: length is {made[place]:g}, but it is drawn "
                f"{drawn[place]:.0f} m long; metres are expected"
            )
        self.repaired["zero_length"] += int((made < _CENTIMETRE).sum())
        return np.maximum(made, _CENTIMETRE)

    def _cut(
        self,
        edges: Sequence[_Edge],
        means: Sequence[tuple[str, str, float]],
        lengths: NDArray[np.float64],
    ) -> OsmnxTables:
        """Cut rings in two and make the tables."""
        names = list(self.row)
        kinds = ["junction"] * len(names)
        ids = [str(one) for one in names]
        lonlat = [self.lonlat]
        amid: list[Hashable] = []  # where the ring of each way point begins
        taken = set(ids)
        owner: list[int] = []  # the edge of each link
        tails, heads, lines, metres, ring, part = [], [], [], [], [], []
        link_ids = _unique(
            str(edge.held["id"]) if self.own and "id" in edge.held else _edge_id(edge, ids)
            for edge in edges
        )
        for place, edge in enumerate(edges):
            if edge.tail != edge.head:
                pieces = [(edge.tail, edge.head, edge.line, lengths[place], "")]
            else:
                middle, share = _halfway(edge.line)
                node = len(ids)
                ids.append(_free(f"{link_ids[place]}~", taken))
                kinds.append("waypoint")
                lonlat.append(edge.line[middle : middle + 1])
                amid.append(names[edge.tail])
                self.repaired["rings"] += 1
                first = max(_CENTIMETRE, lengths[place] * share)
                rest = max(_CENTIMETRE, lengths[place] - first)
                pieces = [
                    (edge.tail, node, edge.line[: middle + 1], first, link_ids[place]),
                    (node, edge.head, edge.line[middle:], rest, link_ids[place]),
                ]
            for number, (begin, end, line, length, whole) in enumerate(pieces, 1):
                owner.append(place)
                tails.append(begin)
                heads.append(end)
                lines.append(line)
                metres.append(length)
                ring.append(whole)
                part.append(f"{link_ids[place]}.{number}" if whole else link_ids[place])
        tail, head = np.array(tails, dtype=np.int64), np.array(heads, dtype=np.int64)
        offsets = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
        links = self._links(edges, means, owner, part, metres, ring)
        component, sizes = _components(links, len(ids), tail, head)
        links["component"] = np.where(component[tail] == component[head], component[tail], -1)
        nodes = self._nodes(ids, kinds, np.concatenate(lonlat), component, amid)
        if not self.own:
            _mark_interchanges(nodes, links, tail, head)
        graph = dict(self.graph.graph)
        services = graph.pop(_SERVICES, None)
        graph.pop(_MARK, None)
        return OsmnxTables(
            nodes=nodes,
            links=links,
            tail=tail,
            head=head,
            xy=np.concatenate(lines),
            offsets=offsets.astype(np.int64),
            services=pd.DataFrame(services) if isinstance(services, list) else None,
            graph=graph,
            report=self._report(links, nodes, sizes, sum(edge.twoway for edge in edges)),
        )

    def _links(
        self,
        edges: Sequence[_Edge],
        means: Sequence[tuple[str, str, float]],
        owner: Sequence[int],
        ids: Sequence[str],
        metres: Sequence[float],
        ring: Sequence[str],
    ) -> pd.DataFrame:
        helds = [edges[place].held for place in owner]
        backs = [edges[place].back for place in owner]
        oneway = [not edges[place].twoway for place in owner]
        made: dict[str, Any] = {
            "id": list(ids),
            "mode": [means[place][0] for place in owner],
            "class": [means[place][1] for place in owner],
            "ref": [";".join(_listed(held.get("ref"))) for held in helds],
            "name": [";".join(_listed(held.get("name"))) for held in helds],
            "length_m": np.array(metres),
            "speed_kmh": np.array([means[place][2] for place in owner]),
            "oneway": np.array(oneway),
            "status": [
                str(held.get("status", "已建成")) if self.own else "已建成" for held in helds
            ],
            **{
                name: np.array([_number(held.get(name)) if self.own else np.nan for held in helds])
                for name in ("open_year", "planned_year")
            },
            "cite": [str(held.get("cite", "")) if self.own else "" for held in helds],
            "source": [str(held.get("source", "")) if self.own else _SOURCE for held in helds],
            "precision_m": np.array(
                [_number(held.get("precision_m")) if self.own else np.nan for held in helds]
            ),
            "component": 0,
        }
        for name in ("key", "back_key"):
            keys = [getattr(edges[place], name) for place in owner]
            if self.own:
                whole = [one or other for one, other in zip(ring, ids, strict=True)]
                keys = [_if(key != one, key) for key, one in zip(keys, whole, strict=True)]
            _add(made, name, keys)
        if any(ring):
            made["ring"] = list(ring)
        for name in dict.fromkeys(name for held in helds for name in held):
            values = [held.get(name) for held in helds]
            if name in {"name", "ref"}:
                values = [_if(isinstance(value, list), value) for value in values]
            elif name == "oneway":
                # it is the way's, and may differ from what the edges say together
                values = [
                    _if(value is not one, value) for value, one in zip(values, oneway, strict=True)
                ]
            elif name in _LINK_OWN and self.own:
                continue
            _add(made, f"osmnx_{name}" if name in _LINK_OWN else name, values)
        for name in dict.fromkeys(name for back in backs for name in back):
            _add(made, f"back_{name}", [back.get(name) for back in backs])
        return pd.DataFrame(made)

    def _nodes(
        self,
        ids: Sequence[str],
        kinds: list[str],
        lonlat: NDArray[np.float64],
        component: NDArray[np.int32],
        amid: Sequence[Hashable],
    ) -> pd.DataFrame:
        names = list(self.row)
        helds: list[Mapping[str, Any]] = [held for _, held in self.graph.nodes(data=True)]
        helds += [{"source": self.graph.nodes[one].get("source", "")} for one in amid]
        text = {
            name: [str(held.get(name, "")) if self.own else "" for held in helds]
            for name in ("name", "adcode", "source")
        }
        if self.own:
            kinds = [
                str(held["kind"]) if held.get("kind") in _KINDS else kind
                for held, kind in zip(helds, kinds, strict=True)
            ]
        else:
            text["name"] = [";".join(_listed(held.get("name"))) for held in helds]
            text["source"] = [_SOURCE] * len(ids)
        made: dict[str, Any] = {
            "id": list(ids),
            "kind": kinds,
            **text,
            "precision_m": np.array(
                [_number(held.get("precision_m")) if self.own else np.nan for held in helds]
            ),
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
            "component": component,
        }
        if any(not isinstance(one, str) for one in names):
            _add(made, "osmnx_id", [*names, *([None] * len(amid))])
        for name in dict.fromkeys(name for held in helds for name in held):
            if name in {"x", "y"} or (self.own and name in _NODE_OWN):
                continue
            values = [held.get(name) for held in helds]
            if name == "source":
                values[len(names) :] = [None] * len(amid)
            elif name == "name":
                values = [_if(isinstance(value, list), value) for value in values]
            _add(made, f"osmnx_{name}" if name in _NODE_OWN else str(name), values)
        return pd.DataFrame(made)

    def _report(
        self, links: pd.DataFrame, nodes: pd.DataFrame, sizes: tuple[int, ...], twoway: int
    ) -> IngestReport:
        road = int((links["mode"] == "road").sum())
        self.noted["merged_edges"] = twoway
        return IngestReport(
            source=str(self.graph.graph.get("title") or self.graph.graph.get("name") or "OSMnx"),
            read={
                "nodes": self.graph.number_of_nodes(),
                "edges": self.graph.number_of_edges(),
            },
            kept={"nodes": len(nodes), "road_links": road, "rail_links": len(links) - road},
            dropped=self.dropped,
            repaired=self.repaired,
            noted=self.noted,
            assumed=self.assumed,
            components=sizes,
        )


_CENTIMETRE = 0.01
_LARGEST = 2**63
_SOURCE = "OpenStreetMap (OSMnx)"


def _mirrored(one: _Edge, other: _Edge) -> dict[str, Any] | None:
    """Tell what differs on the way back; None if the other is not the one edge backwards."""
    if len(one.line) != len(other.line) or not (one.line == other.line[::-1]).all():
        return None
    if one.held.keys() != other.held.keys():
        return None
    back: dict[str, Any] = {}
    for name, value in one.held.items():
        theirs = other.held[name]
        try:
            if type(value) is type(theirs) and bool(value == theirs):
                continue
        except ValueError:  # an array, of which nobody can tell
            return None
        if name == "length":
            a, b = _number(value), _number(theirs)
            if not abs(a - b) <= _SAME_LENGTH * max(abs(a), abs(b)):
                return None
        elif name != "reversed" and not _same_members(value, theirs):
            return None
        back[name] = theirs
    return back


def _same_members(one: Any, other: Any) -> bool:
    """Tell whether two lists differ in order only: OSMnx makes them of sets, there and back."""
    if not (isinstance(one, list) and isinstance(other, list)):
        return False
    return sorted(map(repr, one)) == sorted(map(repr, other))


def _number(value: Any) -> float:
    """Read a number, also one that GraphML made text of; NaN if it is none."""
    if value is None or isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _positive(value: Any) -> float:
    number = _number(value)
    return number if 0 < number < math.inf else math.nan


def _listed(value: Any) -> list[str]:
    """Read a value or a list of values as texts; a list may have been made text by GraphML."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return []
    if isinstance(value, list | tuple | set):
        return [str(one) for one in value if str(one)]
    text = str(value).strip()
    if text.startswith("[") and text.endswith("]"):
        return [one or other for one, other in _QUOTED.findall(text) if one or other]
    return [text] if text else []


def _if(condition: bool, value: Any) -> Any:
    return value if condition else None


def _column(values: Sequence[Any]) -> Any:
    """Make a column that gives back each value as it was.

    Where there is none it holds "" among texts, NaN among floats, and else None.
    """
    kinds = {type(value) for value in values if value is not None}
    whole = all(value is not None for value in values)
    if kinds <= {str}:
        return pd.Series(["" if value is None else value for value in values], dtype="str")
    if kinds <= {float, np.float64}:
        return np.array([math.nan if value is None else value for value in values])
    if whole and kinds == {bool}:
        return np.array(values, dtype=bool)
    if whole and kinds == {int} and all(abs(value) < _LARGEST for value in values):
        return np.array(values, dtype=np.int64)
    made = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        made[place] = value
    return pd.Series(made, dtype=object)


def _add(made: dict[str, Any], name: str, values: Sequence[Any]) -> None:
    """Add a further column if it says anything."""
    if any(value is not None for value in values):
        while name in made:
            name = f"osmnx_{name}"
        made[name] = _column(values)


def _measured(lines: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Geodesic length of each line, metres."""
    if not lines:
        return np.zeros(0)
    offsets = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    return Lines(np.concatenate(lines), offsets).length_m()


def _apart_m(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(GEOD.inv(one[:, 0], one[:, 1], other[:, 0], other[:, 1])[2])


def _halfway(line: NDArray[np.float64]) -> tuple[int, float]:
    """Find the inner vertex nearest to half the way, and the share of the way up to it."""
    _, _, step = GEOD.inv(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1])
    way = np.cumsum(np.asarray(step, dtype=float)) / np.sum(step)
    middle = int(np.argmin(np.abs(way[:-1] - 0.5))) + 1
    return middle, float(way[middle - 1])


def _edge_id(edge: _Edge, ids: Sequence[str]) -> str:
    return f"{ids[edge.tail]}-{ids[edge.head]}-{edge.key}"


def _unique(names: Iterable[str]) -> list[str]:
    taken: set[str] = set()
    return [_free(name, taken) for name in names]


def _free(name: str, taken: set[str]) -> str:
    """Give the name, or the first of name#2, name#3 … that is not taken, and take it."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}#{number}"
    taken.add(found)
    return found


def _components(
    links: pd.DataFrame, n_nodes: int, tail: NDArray[np.int64], head: NDArray[np.int64]
) -> tuple[NDArray[np.int32], tuple[int, ...]]:
    """Number the components of the roads that are open, or of the railways if there is no road."""
    chosen = (links["status"] == "已建成").to_numpy() & (links["mode"] == "road").to_numpy()
    if not chosen.any():
        chosen[:] = True
    return strong_components(
        n_nodes, tail[chosen], head[chosen], links["oneway"].to_numpy(dtype=bool)[chosen]
    )


def _mark_interchanges(
    nodes: pd.DataFrame, links: pd.DataFrame, tail: NDArray[np.int64], head: NDArray[np.int64]
) -> None:
    """Call interchange what joins an expressway to another road."""
    fast = (links["class"] == "expressway").to_numpy()
    slow = (links["mode"] == "road").to_numpy() & ~fast
    both = np.ones(len(nodes), dtype=bool)
    for which in (fast, slow):
        both &= np.isin(np.arange(len(nodes)), np.concatenate([tail[which], head[which]]))
    nodes.loc[both, "kind"] = "interchange"


def to_networkx(
    nodes: pd.DataFrame,
    links: pd.DataFrame,
    tail: NDArray[np.int64],
    head: NDArray[np.int64],
    xy: NDArray[np.float64],
    offsets: NDArray[np.int64],
    *,
    services: pd.DataFrame | None = None,
    minutes: NDArray[np.float64] | None = None,
    graph: Mapping[str, Any] | None = None,
) -> nx.MultiDiGraph:
    """Make a directed multigraph that :func:`from_osmnx` takes back without loss.

    Parameters
    ----------
    nodes, links, tail, head, xy, offsets, services
        Tables as readers give them.
    minutes
        Time along each link, if it is wanted on the edges; NaN where there is none.
    graph
        Attributes of the graph, such as its title.

    Returns
    -------
    networkx.MultiDiGraph
        EPSG:4326. Each link is an edge, or two if it is not one-way, keyed by its id or by the
        keys that it had; with all its columns but for those that say nothing, its line as
        ``geometry`` where it is not straight, and ``length`` in metres as OSMnx has it. Halves of
        a ring are one again.
    """
    import networkx as nx

    added = [] if "length" in links.columns else ["length"]
    added += [] if minutes is None else ["minutes"]
    made = nx.MultiDiGraph(**{**(graph or {}), "crs": "EPSG:4326", _MARK: " ".join(added)})
    if services is not None and len(services):
        made.graph[_SERVICES] = services.to_dict("records")
    rings = links["ring"].tolist() if "ring" in links.columns else [""] * len(links)
    parts: dict[str, list[int]] = {}
    for place, ring in enumerate(rings):
        if ring:
            parts.setdefault(ring, []).append(place)
    joined = {
        two[0]: two[1]
        for two in parts.values()
        if len(two) == 2 and head[two[0]] == tail[two[1]] and tail[two[0]] == head[two[1]]
    }
    gone = {int(head[first]) for first in joined}
    seconds = set(joined.values())
    lon, lat = (nodes[axis].to_numpy(dtype=float).tolist() for axis in ("lon", "lat"))
    metres = links["length_m"].to_numpy(dtype=float).tolist()
    names: list[Hashable] = []
    for place, row in enumerate(_rows(nodes, ("lon", "lat", "component"))):
        key = row.pop("osmnx_id", None)
        names.append(row["id"] if key is None else key)
        row.pop("id")
        _restore(row, ("name",))
        if place not in gone:
            made.add_node(names[-1], x=lon[place], y=lat[place], **row)
    for place, row in enumerate(_rows(links, ("component", "ring"))):
        if place in seconds:
            continue
        last = joined.get(place, place)
        line = xy[offsets[place] : offsets[place + 1]]
        if last != place:
            row["id"] = rings[place]
            row["length_m"] += metres[last]
            line = np.concatenate([line, xy[offsets[last] + 1 : offsets[last + 1]]])
        if "length" in added:
            row["length"] = row["length_m"]
        if minutes is not None:
            span = float(minutes[place] + (minutes[last] if last != place else 0.0))
            if not math.isnan(span):
                row["minutes"] = span
        key, back_key = row.pop("key", row["id"]), row.pop("back_key", None)
        back = {
            name.removeprefix("back_"): row.pop(name)
            for name in [name for name in row if name.startswith("back_")]
        }
        twoway = not row["oneway"]
        _restore(row, ("name", "ref", "oneway"))
        ends = [int(tail[place]), int(head[last])]
        begin, end = names[ends[0]], names[ends[1]]
        straight = np.array([[lon[one], lat[one]] for one in ends])
        if len(line) > 2 or (line != straight).any():
            row["geometry"] = shapely.LineString(line)
        made.add_edge(begin, end, key=key, **row)
        if twoway:
            # a ring's way back starts where the way there does, and needs a key of its own
            back_key = back_key if back_key is not None else key
            if begin == end and back_key == key:
                back_key = f"{key}~back"
            if "geometry" in row:
                row["geometry"] = shapely.LineString(line[::-1])
            made.add_edge(end, begin, key=back_key, **{**row, **back})
    return made


def _rows(table: pd.DataFrame, without: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Give each row as a dict of what it says, as plain Python values."""
    left = set(without)
    columns = {
        str(name): table[name].tolist()
        for name in table.columns
        if name not in left and name != "geometry"
    }
    for place in range(len(table)):
        yield {
            name: values[place]
            for name, values in columns.items()
            if not _says_nothing(values[place])
        }


def _says_nothing(value: Any) -> bool:
    return (
        value is None
        or value is pd.NA
        or value == ""
        or (isinstance(value, float) and math.isnan(value))
    )


def _restore(row: dict[str, Any], names: Iterable[str]) -> None:
    """Put back what a graph said itself where a network has a column of that name."""
    for name in names:
        if f"osmnx_{name}" in row:
            row[name] = row.pop(f"osmnx_{name}")
