"""Places onto the graph, with the legs off it.

An ordinary road is entered anywhere along it. An expressway or a railway is entered only at its
interchanges and stations; a way point never. A place may enter at any road or node that is at
most twice as far as its nearest one, and at most :data:`DETOUR_M` farther; the search decides
which is fastest. A place that lies on a road therefore takes that road.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from urbangeo.crs import GEOD, equal_area
from urbangeo.network.network import Network, check_modes

__all__ = ["DETOUR_M", "NEVER", "Snaps", "entry_nodes", "open_roads", "snap"]

DETOUR_M = 2000.0
"""How much farther than the nearest road another one may lie and still be tried, metres."""

TOUCH_M = 1.0
"""Roads that meet in a point are equally near, whatever the last digit says, metres."""

MOST_LINKS = 8
"""How many of the nearest roads are tried for each place."""

NEVER = np.int64(2**52)
"""Milliseconds that mean 'not this way'; exact as float64 and larger than any time."""


@dataclass(frozen=True, eq=False)
class Snaps:
    """Ways between places and the graph, one row each.

    Attributes
    ----------
    point
        Row of the place.
    vertex
        Node through which the way leads.
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
    link_ms
        Time of the whole link.
    nearest_m
        For each place, metres to the nearest way in; NaN where there is none to look at.
    """

    point: NDArray[np.int64]
    vertex: NDArray[np.int64]
    out_ms: NDArray[np.int64]
    in_ms: NDArray[np.int64]
    leg_ms: NDArray[np.int64]
    leg_m: NDArray[np.float64]
    link: NDArray[np.int64]
    along: NDArray[np.float64]
    link_ms: NDArray[np.int64]
    nearest_m: NDArray[np.float64]

    @property
    def snapped(self) -> NDArray[np.bool_]:
        """For each place, whether it has a way onto the graph."""
        found = np.zeros(len(self.nearest_m), dtype=bool)
        found[self.point] = True
        return found

    def slowed(self, factor: float) -> Snaps:
        """Give the same ways with every time multiplied by ``factor``."""

        def slow(ms: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.where(ms < NEVER, np.rint(ms * factor).astype(np.int64), NEVER)

        return replace(
            self,
            out_ms=slow(self.out_ms),
            in_ms=slow(self.in_ms),
            leg_ms=slow(self.leg_ms),
            link_ms=slow(self.link_ms),
        )


def open_roads(net: Network, modes: tuple[str, ...]) -> NDArray[np.int64]:
    """Rows of the links that may be entered anywhere: roads without controlled access."""
    links = net._tables.links.iloc[net.link_rows]
    if "road" not in modes:
        return np.empty(0, dtype=np.int64)
    free = np.asarray((links["mode"] == "road") & (links["class"] != "expressway"))
    rows: NDArray[np.int64] = net.link_rows[free]
    return rows


def entry_nodes(net: Network, modes: tuple[str, ...]) -> NDArray[np.int64]:
    """Rows of the nodes through which controlled links are entered: interchanges, stations.

    A node that no arc of these modes touches is not among them.
    """
    kind = net._tables.nodes["kind"].to_numpy()
    graph = net.graph(modes)
    touched = np.zeros(graph.n_vertices, dtype=bool)
    touched[graph.heads] = True
    touched |= np.diff(graph.indptr) > 0
    wanted = (kind == "station") | (kind == "place")
    if "road" in modes:
        wanted |= kind == "interchange"
    return np.flatnonzero(wanted & touched[: graph.n_nodes])


@dataclass(frozen=True, eq=False)
class _WaysIn:
    """The shapes by which a view of a network is entered, indexed."""

    metric: pyproj.CRS
    roads: NDArray[np.int64]
    nodes: NDArray[np.int64]
    shapes: NDArray[np.object_]
    tree: shapely.STRtree


def _ways_in(net: Network, modes: tuple[str, ...]) -> _WaysIn:
    metric = equal_area(net.bounds)
    roads, nodes = open_roads(net, modes), entry_nodes(net, modes)
    lines = net._tables.links.geometry.iloc[roads].to_crs(metric)
    gates = net._tables.nodes.geometry.iloc[nodes].to_crs(metric)
    shapes = np.concatenate([np.asarray(lines.array), np.asarray(gates.array)])
    return _WaysIn(metric, roads, nodes, shapes, shapely.STRtree(shapes))


def snap(net: Network, points: gpd.GeoSeries, modes: tuple[str, ...] = ("road", "rail")) -> Snaps:
    """Find the ways between places and the graph.

    Parameters
    ----------
    net
        The network.
    points
        Points, EPSG:4326.
    modes
        Modes that may be used.

    Returns
    -------
    Snaps
        A place farther from every way in than the profile's ``access.max_km`` has no row.
    """
    modes = check_modes(modes)
    ways_in = net.derived("ways in", modes, lambda: _ways_in(net, modes))
    metric, roads, nodes = ways_in.metric, ways_in.roads, ways_in.nodes
    shapes, tree = ways_in.shapes, ways_in.tree
    tables = net._tables
    spots = np.asarray(points.to_crs(metric).array)
    lonlat = shapely.get_coordinates(np.asarray(points.array))
    nearest = np.full(len(spots), np.nan)
    if len(shapes) and len(spots):
        (which, _), distance = tree.query_nearest(spots, return_distance=True, all_matches=False)
        nearest[which] = distance
    limit = net.profile.access.max_km * 1000.0
    reach = np.minimum(np.minimum(2 * nearest, nearest + DETOUR_M) + TOUCH_M, limit)
    reach = np.nan_to_num(reach)
    point, shape = tree.query(spots, predicate="dwithin", distance=reach)
    distance = shapely.distance(spots[point], shapes[shape])
    order = np.lexsort((shape, distance, point))
    point, shape = point[order], shape[order]
    is_line = shape < len(roads)
    rank = _rank(point[is_line])
    keep = np.ones(len(point), dtype=bool)
    keep[np.flatnonzero(is_line)[rank >= MOST_LINKS]] = False
    point, shape, is_line = point[keep], shape[keep], is_line[keep]

    # Legs are measured on the ellipsoid; the plane only found the candidates.
    foot = shapely.shortest_line(shapes[shape], spots[point])
    start = gpd.GeoSeries(shapely.get_point(foot, 0), crs=metric).to_crs(points.crs)
    xy = shapely.get_coordinates(np.asarray(start.array))
    _, _, leg_m = GEOD.inv(xy[:, 0], xy[:, 1], lonlat[point, 0], lonlat[point, 1])
    leg_m = np.where(np.asarray(leg_m) < 0.5, 0.0, leg_m)  # closer than any table can tell
    leg = np.array([net.access_ms(float(one)) for one in leg_m], dtype=np.int64)

    rows: list[tuple[NDArray[np.int64], ...]] = []
    lengths: list[tuple[NDArray[np.float64], ...]] = []
    gate = ~is_line
    nothing = np.full(int(gate.sum()), -1, dtype=np.int64)
    rows.append(
        (
            point[gate],
            nodes[shape[gate] - len(roads)],
            leg[gate],
            leg[gate],
            leg[gate],
            nothing,
            np.zeros_like(nothing),
        )
    )
    lengths.append((leg_m[gate], np.full(len(nothing), np.nan)))
    link = roads[shape[is_line]]
    line = shapes[shape[is_line]]
    along = shapely.line_locate_point(line, spots[point[is_line]], normalized=True)
    whole = _link_ms(net, link)
    one_way = tables.links["oneway"].to_numpy(dtype=bool)[link]
    from_tail = np.rint(whole * along).astype(np.int64)
    for vertex, ride, against_out in (
        (tables.tail[link], from_tail, True),
        (tables.head[link], whole - from_tail, False),
    ):
        total = leg[is_line] + ride
        out = np.where(one_way & against_out, NEVER, total)
        back = np.where(one_way & (not against_out), NEVER, total)
        rows.append((point[is_line], vertex, out, back, leg[is_line], link, whole))
        lengths.append((leg_m[is_line], along))
    joined = [np.concatenate(column) for column in zip(*rows, strict=True)]
    measured = [np.concatenate(column) for column in zip(*lengths, strict=True)]
    return Snaps(
        point=joined[0],
        vertex=joined[1],
        out_ms=joined[2],
        in_ms=joined[3],
        leg_ms=joined[4],
        leg_m=measured[0],
        link=joined[5],
        along=measured[1],
        link_ms=joined[6],
        nearest_m=nearest,
    )


def _link_ms(net: Network, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole milliseconds of road links; the same numbers as in the graph."""
    cost = net.length_m[rows] * 3600.0 / net.speed_kmh[rows]
    return np.maximum(1, np.rint(cost)).astype(np.int64)


def _rank(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position of each row within its run of equal group numbers."""
    if not len(groups):
        return np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    sizes = np.diff(np.r_[starts, len(groups)])
    return np.arange(len(groups)) - np.repeat(starts, sizes)
