"""Places onto the graph, with the legs off it.

An ordinary road is entered anywhere along it. An expressway or a railway is entered only at its
interchanges and stations; a way point never. A place may enter at any road or node that is at
most twice as far as its nearest one, and at most :data:`DETOUR_M` farther; the search decides
which is fastest. A place that lies on a road therefore takes that road.

Roads that are cut off from the rest (a gated estate, the clipped edge of an extract) are entered
too, but never instead of the main network: a place beside such a road has a way onto each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from urbangeo.crs import GEOD, WGS84, equal_area
from urbangeo.network.compile import walkable
from urbangeo.network.graph import MS
from urbangeo.network.network import Network, check_modes
from urbangeo.network.profiles import LINK_CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "DETOUR_M",
    "NEVER",
    "Snaps",
    "entry_nodes",
    "nearest_roads",
    "open_roads",
    "snap",
    "snap_table",
]

DETOUR_M = 2000.0
"""How much farther than the nearest road another one may lie and still be tried, metres."""

TOUCH_M = 1.0
"""Roads that meet in a point are equally near, whatever the last digit says, metres."""

MOST_LINKS = 8
"""How many of the nearest roads are tried for each place."""

NEVER = np.int64(2**52)
"""Milliseconds that mean 'not this way'; exact as float64 and larger than any time."""

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Snaps:
    """Ways between places and the graph, one row each.

    Attributes
    ----------
    point
        Row of the place.
    vertex
        Vertex of the street through which the way leads.
    out_ms, in_ms
        From the place to the vertex and back, whole milliseconds; :data:`NEVER` against a
        one-way road.
    leg_ms
        The part of it that is off the network.
    leg_m
        Length of that part as the crow flies, metres.
    link
        Row of the link that is entered between its nodes, or -1.
    along
        Place on that link, from 0 at its tail to 1 at its head; NaN without a link.
    there_ms, back_ms
        Time of the whole link, from tail to head and back.
    at_tail
        Whether the way leads over the link's tail; each link stands twice, once for each end.
    foot
        Whether it is a way on foot.
    nearest_m
        For each place, metres to the nearest way onto the main network; NaN where there is none.
    island_m
        For each place, metres to the nearest way onto a road that is cut off from it; NaN where
        none is within reach.
    park_ms
        Milliseconds of parking that ``in_ms`` of a way by car holds.
    """

    point: IntArray
    vertex: IntArray
    out_ms: IntArray
    in_ms: IntArray
    leg_ms: IntArray
    leg_m: FloatArray
    link: IntArray
    along: FloatArray
    there_ms: IntArray
    back_ms: IntArray
    at_tail: NDArray[np.bool_]
    foot: NDArray[np.bool_]
    nearest_m: FloatArray
    island_m: FloatArray
    park_ms: int = 0

    @property
    def snapped(self) -> NDArray[np.bool_]:
        """For each place, whether it has a way onto the graph."""
        found = np.zeros(len(self.nearest_m), dtype=bool)
        found[self.point] = True
        return found

    @property
    def nearest_any_m(self) -> FloatArray:
        """For each place, metres to the nearest way in of any kind; NaN where there is none."""
        return np.fmin(self.nearest_m, self.island_m)

    def slowed(self, factor: float) -> Snaps:
        """Give the same ways with every time by car multiplied by ``factor``."""

        def slow(ms: IntArray, fixed: int = 0) -> IntArray:
            slower = np.rint((ms - fixed) * factor).astype(np.int64) + fixed
            return np.where(ms >= NEVER, NEVER, np.where(self.foot, ms, slower))

        times = ("out_ms", "leg_ms", "there_ms", "back_ms")
        slowed: dict[str, Any] = {name: slow(getattr(self, name)) for name in times}
        return replace(self, in_ms=slow(self.in_ms, self.park_ms), **slowed)


def open_roads(net: Network, mode: str) -> IntArray:
    """Rows of the links that may be entered anywhere by a mode: roads without controlled access."""
    return walkable(net) if mode in ("road", "walk") else np.empty(0, dtype=np.int64)


def entry_nodes(net: Network, modes: tuple[str, ...], mode: str) -> IntArray:
    """Rows of the nodes through which one gets onto the graph by a mode of the street.

    Stations and places, and interchanges by car, if an arc of these modes touches them.
    """
    kind = net._tables.nodes["kind"].to_numpy()
    graph = net.graph(modes)
    touched = np.zeros(graph.n_vertices, dtype=bool)
    touched[graph.heads] = True
    touched |= np.diff(graph.indptr) > 0
    wanted = (kind == "station") | (kind == "place")
    if mode == "road" and "road" in modes:
        wanted |= kind == "interchange"
    first = graph.layers.index(mode) * graph.n_nodes
    return np.flatnonzero(wanted & touched[first : first + graph.n_nodes])


class _Index:
    """Some of the shapes, for finding those near a spot."""

    def __init__(self, rows: IntArray, shapes: NDArray[np.object_]) -> None:
        self.rows, self._shapes = rows, shapes
        self.tree = shapely.STRtree(shapes)
        self._corners = cKDTree(shapely.get_coordinates(shapes)) if len(rows) else None

    def nearest_m(self, spots: NDArray[np.object_], limit_m: float) -> FloatArray:
        """Metres from each spot to the nearest shape; NaN if there is none at all.

        The nearest corner bounds the distance, so that few shapes have to be measured; where it is
        far the tree is walked, which takes ten times as long.
        """
        metres = np.full(len(spots), np.nan)
        if self._corners is None or not len(spots):
            return metres
        bound, _ = self._corners.query(shapely.get_coordinates(spots))
        near = np.flatnonzero(bound <= limit_m)
        reach = bound[near] * (1 + 1e-9) + 1e-6
        spot, place = self.tree.query(spots[near], predicate="dwithin", distance=reach)
        metres[near] = np.inf
        apart = shapely.distance(spots[near[spot]], self._shapes[place])
        np.minimum.at(metres, near[spot], apart)
        far = np.flatnonzero(bound > limit_m)
        if len(far):
            (which, _), apart = self.tree.query_nearest(
                spots[far], return_distance=True, all_matches=False
            )
            metres[far[which]] = apart
        return metres


@dataclass(frozen=True, eq=False)
class _WaysIn:
    """The shapes by which the street is entered by one mode, indexed."""

    mode: str
    first: int
    roads: IntArray
    nodes: IntArray
    shapes: NDArray[np.object_]
    main: NDArray[np.bool_]
    indices: tuple[_Index, ...]

    @classmethod
    def of(cls, net: Network, modes: tuple[str, ...], mode: str, to_plane: _Plane) -> _WaysIn:
        graph, t = net.graph(modes), net._tables
        first = graph.layers.index(mode) * graph.n_nodes
        roads = open_roads(net, mode) if mode in modes else np.empty(0, dtype=np.int64)
        nodes = entry_nodes(net, modes, mode)
        lines = t.lines.take(roads)
        flat = to_plane.xy(lines.xy)
        line = shapely.GeometryType.LINESTRING
        drawn = (
            shapely.from_ragged_array(line, flat, (lines.offsets,))
            if len(roads)
            else np.empty(0, dtype=object)
        )
        shapes = np.concatenate([drawn, shapely.points(to_plane.xy(t.lonlat[nodes]))])
        island = graph.component[first : first + graph.n_nodes] != 0
        main = ~np.concatenate([island[t.tail[roads]] | island[t.head[roads]], island[nodes]])
        if not main.any():  # nothing hangs together: then nothing is cut off either
            main[:] = True
        parts = (np.flatnonzero(main), np.flatnonzero(~main))
        indices = tuple(_Index(rows, shapes[rows]) for rows in parts)
        return cls(mode, first, roads, nodes, shapes, main, indices)

    def candidates(
        self, spots: NDArray[np.object_], limit_m: float
    ) -> tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray]:
        """Pairs of spots and shapes to try, their distances, and the nearest of each kind."""
        nearest = [one.nearest_m(spots, limit_m) for one in self.indices]
        pairs = []
        for found, one in zip((nearest[0], np.fmin(*nearest)), self.indices, strict=True):
            if not len(one.rows) or not len(spots):
                continue
            reach = np.minimum(np.minimum(2 * found, found + DETOUR_M) + TOUCH_M, limit_m)
            spot, place = one.tree.query(spots, predicate="dwithin", distance=np.nan_to_num(reach))
            pairs.append((spot, one.rows[place]))
        empty = np.empty(0, dtype=np.int64)
        spot = np.concatenate([empty, *(one for one, _ in pairs)])
        shape = np.concatenate([empty, *(one for _, one in pairs)])
        apart = shapely.distance(spots[spot], self.shapes[shape])
        order = np.lexsort((shape, apart, spot))
        spot, shape, apart = spot[order], shape[order], apart[order]
        # the nearest few roads of each of the two kinds
        keep = np.ones(len(spot), dtype=bool)
        for kind in (True, False):
            lines = np.flatnonzero((shape < len(self.roads)) & (self.main[shape] == kind))
            keep[lines[_rank(spot[lines]) >= MOST_LINKS]] = False
        return spot[keep], shape[keep], apart[keep], nearest[0], nearest[1]


class _Plane:
    """From degrees to the metres of the region's analysis CRS, and back."""

    def __init__(self, bounds: Sequence[float]) -> None:
        crs = equal_area(bounds)
        self._there = pyproj.Transformer.from_crs(WGS84, crs, always_xy=True)
        self._back = pyproj.Transformer.from_crs(crs, WGS84, always_xy=True)

    def xy(self, lonlat: FloatArray) -> FloatArray:
        return np.column_stack(self._there.transform(lonlat[:, 0], lonlat[:, 1]))

    def lonlat(self, xy: FloatArray) -> FloatArray:
        return np.column_stack(self._back.transform(xy[:, 0], xy[:, 1]))


def _ways_in(net: Network, modes: tuple[str, ...]) -> tuple[_Plane, tuple[_WaysIn, ...]]:
    def make() -> tuple[_Plane, tuple[_WaysIn, ...]]:
        plane = _Plane(net.bounds)
        layers = net.graph(modes).layers
        return plane, tuple(_WaysIn.of(net, modes, mode, plane) for mode in layers)

    return net.derived("ways in", modes, make)


def snap(
    net: Network,
    points: gpd.GeoSeries,
    modes: tuple[str, ...] = ("road", "rail"),
    tolerance_m: float | None = None,
) -> Snaps:
    """Find the ways between places and the graph.

    Parameters
    ----------
    net
        The network.
    points
        Points, EPSG:4326.
    modes
        Modes that may be used.
    tolerance_m
        Longest leg off the network that is bridged, metres; the ``max_km`` of the profile's rule
        for the mode if None.

    Returns
    -------
    Snaps
        A place farther from every way in than the tolerance has no row.
    """
    modes = check_modes(modes)
    plane, layers = _ways_in(net, modes)
    lonlat = shapely.get_coordinates(np.asarray(points.array))
    spots = shapely.points(plane.xy(lonlat)) if len(lonlat) else np.empty(0, dtype=object)
    rules = net.street_rules(modes)
    main, island = (np.full(len(spots), np.nan) for _ in range(2))
    parts: list[dict[str, Any]] = []
    for ways_in in layers:
        limit = rules[ways_in.mode].max_km * 1000.0 if tolerance_m is None else tolerance_m
        point, shape, _, near, far = ways_in.candidates(spots, limit)
        main, island = np.fmin(main, near), np.fmin(island, np.where(far <= limit, far, np.nan))
        parts += _legs(net, plane, ways_in, spots, lonlat, point, shape)
    columns = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
    park = _park_ms(net)
    return Snaps(**columns, nearest_m=main, island_m=island, park_ms=park)


def _park_ms(net: Network) -> int:
    return round(net.profile.car.park_min * MS)


def _legs(
    net: Network,
    plane: _Plane,
    ways_in: _WaysIn,
    spots: NDArray[np.object_],
    lonlat: FloatArray,
    point: IntArray,
    shape: IntArray,
) -> list[dict[str, Any]]:
    """Times of the ways by one mode: over nodes, and over both ends of roads."""
    t, mode, roads = net._tables, ways_in.mode, ways_in.roads
    # Legs are measured on the ellipsoid; the plane only found the candidates.
    foot = shapely.shortest_line(ways_in.shapes[shape], spots[point])
    begin = plane.lonlat(shapely.get_coordinates(shapely.get_point(foot, 0)))
    _, _, leg_m = GEOD.inv(begin[:, 0], begin[:, 1], lonlat[point, 0], lonlat[point, 1])
    leg_m = np.where(np.asarray(leg_m) < 0.5, 0.0, leg_m)  # closer than any table can tell
    leg = net.leg_ms(leg_m, mode)
    park = _park_ms(net) if mode == "road" else 0
    is_line = shape < len(roads)
    gate = np.flatnonzero(~is_line)
    line = np.flatnonzero(is_line)
    link = roads[shape[line]]
    along = shapely.line_locate_point(
        ways_in.shapes[shape[line]], spots[point[line]], normalized=True
    )
    there, back = net.link_ms(link, mode)
    one_way = t.oneway[link] if mode == "road" else np.zeros(len(link), dtype=bool)
    zero, nothing = np.zeros(len(gate), dtype=np.int64), np.full(len(gate), -1, dtype=np.int64)

    def rows(
        which: IntArray,
        vertex: IntArray,
        out: IntArray,
        inward: IntArray,
        *,
        at_tail: bool,
        entered: tuple[IntArray, FloatArray, IntArray, IntArray],
    ) -> dict[str, Any]:
        return {
            "point": point[which],
            "vertex": vertex + ways_in.first,
            "out_ms": out,
            "in_ms": np.where(inward >= NEVER, NEVER, inward + park),
            "leg_ms": leg[which],
            "leg_m": leg_m[which],
            "link": entered[0],
            "along": entered[1],
            "there_ms": entered[2],
            "back_ms": entered[3],
            "at_tail": np.full(len(which), at_tail),
            "foot": np.full(len(which), mode == "walk"),
        }

    over = (nothing, np.full(len(gate), np.nan), zero, zero)
    node = ways_in.nodes[shape[gate] - len(roads)]
    parts = [rows(gate, node, leg[gate], leg[gate], at_tail=False, entered=over)]
    entered = (link, along, there, back)
    to_tail, from_tail = _share(back, along), _share(there, along)
    parts.append(
        rows(
            line,
            t.tail[link],
            np.where(one_way, NEVER, leg[line] + to_tail),
            leg[line] + from_tail,
            at_tail=True,
            entered=entered,
        )
    )
    parts.append(
        rows(
            line,
            t.head[link],
            leg[line] + there - from_tail,
            np.where(one_way, NEVER, leg[line] + back - to_tail),
            at_tail=False,
            entered=entered,
        )
    )
    return parts


def _share(whole: IntArray, along: FloatArray) -> IntArray:
    share: IntArray = np.rint(whole * along).astype(np.int64)
    return share


def snap_table(
    net: Network,
    points: gpd.GeoSeries,
    modes: tuple[str, ...] = ("road", "rail"),
    tolerance_m: float | None = None,
) -> pd.DataFrame:
    """Tell how each place gets onto the network, and why where it does not.

    Parameters
    ----------
    net, points, modes, tolerance_m
        As for :func:`snap`.

    Returns
    -------
    pandas.DataFrame
        On the index of ``points``: ``status`` (``snapped``, ``island``: only onto roads that are
        cut off from the rest, ``controlled``: only an expressway or a railway is near, and is not
        entered there, ``too_far``), ``reason`` (Chinese, empty if snapped), ``link`` (id, or the
        node's), ``distance_m`` and ``leg_min`` of the nearest way in; empty and NaN if none.
    """
    modes = check_modes(modes)
    found = snap(net, points, modes, tolerance_m)
    t = net._tables
    order = np.lexsort((found.leg_m, found.point))
    first = order[np.r_[True, np.diff(found.point[order]) != 0]] if len(order) else order
    where = found.point[first]
    n = len(points)
    link, leg_m, leg_min = np.full(n, "", dtype=object), np.full(n, np.nan), np.full(n, np.nan)
    ids, names = t.links["id"].to_numpy(dtype=object), t.nodes["id"].to_numpy(dtype=object)
    graph = net.graph(modes)
    on_link = found.link[first] >= 0
    link[where] = np.where(
        on_link, ids[found.link[first]], names[found.vertex[first] % graph.n_nodes]
    )
    leg_m[where], leg_min[where] = found.leg_m[first], found.leg_ms[first] / MS
    status = np.full(n, "too_far", dtype=object)
    status[where] = "snapped"
    main = np.zeros(n, dtype=bool)
    main[found.point[graph.component[found.vertex] == 0]] = True
    status[(status == "snapped") & ~main] = "island"
    limits = [one.max_km * 1000.0 for one in net.street_rules(modes).values()]
    limit = max(limits) if tolerance_m is None else tolerance_m
    lost = np.flatnonzero(status == "too_far")
    status[lost[_controlled_m(net, points.iloc[lost]) <= limit]] = "controlled"
    reason = [
        _reason(one, metres, limit) for one, metres in zip(status, found.nearest_m, strict=True)
    ]
    return pd.DataFrame(
        {
            "status": status.astype(str),
            "reason": reason,
            "link": link.astype(str),
            "distance_m": leg_m,
            "leg_min": leg_min,
        },
        index=points.index,
    )


def nearest_roads(
    net: Network, lonlat: FloatArray, limit_m: float
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Find for each point the nearest road that may be entered, of the main network if it can be.

    Returns
    -------
    link, along, foot, metres
        Row of the link (-1 if none lies within ``limit_m``), place along it from 0 to 1, the
        nearest point on it (lon, lat), and the distance (infinite if none).
    """
    plane, (ways_in, *_) = _ways_in(net, ("road",))
    spots = shapely.points(plane.xy(lonlat)) if len(lonlat) else np.empty(0, dtype=object)
    shape = np.full(len(spots), -1, dtype=np.int64)
    for one in ways_in.indices:
        todo = np.flatnonzero(shape < 0)
        if not len(one.rows) or not len(todo):
            continue
        # nodes are among the shapes too, on roads or off them: so all within reach are looked at
        spot, place = one.tree.query(spots[todo], predicate="dwithin", distance=limit_m)
        rows = one.rows[place]
        road = rows < len(ways_in.roads)
        spot, rows = todo[spot[road]], rows[road]
        order = np.lexsort((rows, shapely.distance(spots[spot], ways_in.shapes[rows]), spot))
        first = order[np.r_[True, np.diff(spot[order]) != 0]] if len(order) else order
        shape[spot[first]] = rows[first]
    found = np.flatnonzero(shape >= 0)
    lines = ways_in.shapes[shape[found]]
    link = np.full(len(spots), -1, dtype=np.int64)
    along, metres = np.full(len(spots), np.nan), np.full(len(spots), np.inf)
    foot = np.full((len(spots), 2), np.nan)
    link[found] = ways_in.roads[shape[found]]
    along[found] = shapely.line_locate_point(lines, spots[found], normalized=True)
    at = shapely.line_interpolate_point(lines, along[found], normalized=True)
    foot[found] = plane.lonlat(shapely.get_coordinates(at))
    _, _, apart = GEOD.inv(*lonlat[found].T, *foot[found].T)
    metres[found] = apart
    return link, along, foot, metres


def _reason(status: str, nearest_m: float, limit_m: float) -> str:
    limit = f"{limit_m / 1000:g} 千米"
    if status == "snapped":
        return ""
    if status == "island":
        return "附近只有与主路网不连通的孤立路段"
    if status == "controlled":
        return (
            f"{limit}以内只有高速公路或铁路，沿线不能进入；最近的入口 {nearest_m / 1000:.1f} 千米"
        )
    if np.isnan(nearest_m):
        return "路网没有可进入的道路或车站"
    return f"距最近可进入的道路或车站 {nearest_m / 1000:.1f} 千米，超过 {limit}"


def _controlled_m(net: Network, points: gpd.GeoSeries) -> FloatArray:
    """Metres from each point to the nearest expressway or railway of the view."""
    t, rows = net._tables, net.link_rows
    fast = LINK_CLASSES.index("expressway")
    closed = rows[(~t.is_road | (t.codes("class") == fast))[rows]]
    apart = np.full(len(points), np.inf)
    if len(closed) and len(points):
        plane = _Plane(net.bounds)
        lines = t.lines.take(closed)
        kind = shapely.GeometryType.LINESTRING
        tree = shapely.STRtree(
            shapely.from_ragged_array(kind, plane.xy(lines.xy), (lines.offsets,))
        )
        spots = shapely.points(plane.xy(shapely.get_coordinates(np.asarray(points.array))))
        (which, _), metres = tree.query_nearest(spots, return_distance=True, all_matches=False)
        apart[which] = metres
    return apart


def _rank(groups: IntArray) -> IntArray:
    """Position of each row within its run of equal group numbers."""
    if not len(groups):
        return np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    sizes = np.diff(np.r_[starts, len(groups)])
    return np.arange(len(groups)) - np.repeat(starts, sizes)
