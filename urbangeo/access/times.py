"""Travel times: one to many and many to many, in whole milliseconds underneath."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from urbangeo.access.engine import table
from urbangeo.access.entries import entries, vertex_lonlat
from urbangeo.access.points import PlaceLike, as_points, check_inside
from urbangeo.access.searches import nearest_end, reach, reach_dense
from urbangeo.crs import GEOD
from urbangeo.errors import InputError
from urbangeo.network.graph import MS, Graph
from urbangeo.network.network import MODES, Network, check_modes, check_network
from urbangeo.network.snap import Snaps, snap

__all__ = [
    "Asked",
    "Direct",
    "Search",
    "arrivals",
    "check_cutoff",
    "check_direction",
    "check_minutes",
    "direct_pairs",
    "direct_times",
    "pair_times",
    "search",
    "travel_times",
]

LONGEST_MIN = 24 * 60.0


def check_minutes(minutes: float, what: str = "minutes") -> float:
    """Refuse a number of minutes that is not above 0 and at most 24 hours.

    Raises
    ------
    InputError
        Naming what was given.
    """
    good = isinstance(minutes, int | float | np.number) and not isinstance(minutes, bool)
    if not good or not math.isfinite(minutes) or not 0 < minutes <= LONGEST_MIN:
        raise InputError(
            f"{what} is {minutes!r}; a number above 0 and at most {LONGEST_MIN:.0f} (24 hours) is "
            "expected."
        )
    return float(minutes)


def check_direction(direction: str) -> str:
    """Refuse a direction that is neither ``to`` nor ``from``."""
    if direction not in ("to", "from"):
        raise InputError(f"direction is {direction!r}; 'to' (towards the centre) or 'from'.")
    return direction


@dataclass(frozen=True, eq=False)
class Search:
    """Outcome of a search from some points over the graph.

    Attributes
    ----------
    ms
        Whole milliseconds as float64, one row for each point and a column for each vertex;
        infinite where not reached.
    before
        Vertex before each vertex on its fastest way, of several the lowest number; the graph's
        ``n_vertices`` or more stands for the point itself, -1 for what is not reached. None
        unless asked for.
    """

    ms: NDArray[np.float64]
    before: NDArray[np.int32] | None


def search(
    graph: Graph,
    snaps: Snaps,
    points: NDArray[np.int64],
    *,
    reverse: bool = False,
    cutoff_ms: float = math.inf,
    paths: bool = False,
    engine: str | None = None,
) -> Search:
    """Search from points over the whole graph, or towards them.

    Parameters
    ----------
    graph, snaps
        The graph, and how the points get onto it.
    points
        Rows of the points to search from.
    reverse
        Search along arcs turned round: times *to* the points.
    cutoff_ms
        Vertices farther than this stay infinite; inclusive.
    paths
        Also give the tree of fastest ways.
    engine
        ``scipy`` or ``numba``; chosen by :func:`urbangeo.access.engine.choose` if None.
    """
    starts = entries(snaps, points, leaving=not reverse)
    if not paths:
        return Search(
            reach_dense(graph, starts, reverse=reverse, limit_ms=cutoff_ms, engine=engine), None
        )
    found = reach(graph, starts, reverse=reverse, limit_ms=cutoff_ms, paths=True, engine=engine)
    assert found.before is not None
    before = np.full((len(points), graph.n_vertices), -1, dtype=np.int32)
    before[found.rows, found.vertices] = found.before
    return Search(found.dense(), before)


def pair_times(
    net: Network,
    graph: Graph,
    snaps: Snaps,
    lonlat: NDArray[np.float64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    cutoff_ms: float = math.inf,
    *,
    engine: str | None = None,
) -> NDArray[np.float64]:
    """Times from each of ``rows`` to each of ``columns``, points of one table.

    Parameters
    ----------
    net, graph, snaps
        The network, its graph, and how the points get onto it.
    lonlat
        Degrees of the points.
    rows, columns
        Rows of the points; a row may stand several times.
    cutoff_ms
        Longer times are infinite; inclusive.
    engine
        One of :data:`urbangeo.access.engine.ENGINES`; chosen by the shape of the question if None.

    Returns
    -------
    numpy.ndarray
        Whole milliseconds as float64, infinite where there is no way; shape (rows, columns).
    """
    starts, ends = entries(snaps, rows, leaving=True), entries(snaps, columns, leaving=False)
    where = vertex_lonlat(net._tables.lonlat, graph)
    out = table(graph, starts, ends, limit_ms=cutoff_ms, lonlat=where, engine=engine)
    row, column, ms, _ = direct_pairs(net, graph.layers, snaps, lonlat, rows, columns)
    kept = ms <= cutoff_ms
    np.minimum.at(out, (row[kept], column[kept]), ms[kept])
    return out


def arrivals(
    found: Search, snaps: Snaps, far: NDArray[np.int64], *, reverse: bool
) -> NDArray[np.float64]:
    """Times at points, from the times at vertices and the legs between; shape (near, far)."""
    return nearest_end(found.ms, entries(snaps, far, leaving=reverse))


@dataclass(frozen=True, eq=False)
class Direct:
    """Times between places that need not pass a vertex.

    Attributes
    ----------
    ms
        Milliseconds, infinite for pairs that have no direct way.
    link
        Row of the link along which it leads, or -1 where it leads across.
    """

    ms: NDArray[np.float64]
    link: NDArray[np.int64]


def direct_times(
    net: Network,
    layers: tuple[str, ...],
    snaps: Snaps,
    lonlat: NDArray[np.float64],
    near: NDArray[np.int64],
    far: NDArray[np.int64],
    *,
    reverse: bool,
) -> Direct:
    """Find the times between places that need not pass a vertex; shape (near, far).

    Two places on one link travel along it. Two places that lie closer to each other than to the
    network together go across. Times lead from ``near`` to ``far``, or back if ``reverse``.
    """
    ms = np.full((len(near), len(far)), np.inf)
    link = np.full(ms.shape, -1, dtype=np.int64)
    begin, end = (far, near) if reverse else (near, far)
    row, column, time, by = direct_pairs(net, layers, snaps, lonlat, begin, end)
    place = (column, row) if reverse else (row, column)
    ms[place], link[place] = time, by
    return Direct(ms, link)


def direct_pairs(
    net: Network,
    layers: tuple[str, ...],
    snaps: Snaps,
    lonlat: NDArray[np.float64],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """List the pairs of places between which a way needs no vertex; see :func:`direct_times`.

    Returns
    -------
    row, column, ms, link
        Places in ``begin`` and ``end``, each pair once with its fastest time, whole milliseconds,
        and the row of the link along which it leads, -1 if across.
    """
    parts = [*_across(net, layers, snaps, lonlat, begin, end), _along(net, snaps, begin, end)]
    row, column, ms, link = (np.concatenate([one[place] for one in parts]) for place in range(4))
    usable = np.flatnonzero(np.isfinite(ms))
    # of equally fast ways the one across, then the link that comes first in the table
    order = usable[np.lexsort((link[usable], ms[usable], column[usable], row[usable]))]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(row[order]) != 0) | (np.diff(column[order]) != 0)
    order = order[first]
    return row[order], column[order], ms[order], link[order]


_Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]


def _across(
    net: Network,
    layers: tuple[str, ...],
    snaps: Snaps,
    lonlat: NDArray[np.float64],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
) -> list[_Pairs]:
    """Pairs that lie closer to each other than to the network together, for each mode."""
    nearest = np.nan_to_num(snaps.nearest_any_m)
    rules = net.street_rules(layers)
    limit = max(one.max_km for one in rules.values()) * 1000.0
    reach_m = np.minimum(nearest[begin] + nearest[end].max(initial=0.0), limit) + 0.5
    tree, near = cKDTree(_on_sphere(lonlat[end])), _on_sphere(lonlat[begin])
    parts = []
    for first in range(0, len(begin), _CHUNK):
        last = min(first + _CHUNK, len(begin))
        close = tree.query_ball_point(near[first:last], reach_m[first:last], return_sorted=True)
        row = np.repeat(np.arange(first, last), [len(one) for one in close])
        column = np.concatenate([np.empty(0), *close]).astype(np.int64)
        one, other = begin[row], end[column]
        _, _, apart = GEOD.inv(*lonlat[one].T, *lonlat[other].T)
        apart = np.asarray(apart)
        between = nearest[one] + nearest[other] + 0.5
        for mode, rule in rules.items():
            kept = np.flatnonzero(apart <= np.minimum(between, rule.max_km * 1000.0 + 0.5))
            leg = net.leg_ms(apart[kept], mode) + (snaps.park_ms if mode == "road" else 0)
            nothing = np.full(len(kept), -1, dtype=np.int64)
            parts.append((row[kept], column[kept], leg.astype(float), nothing))
    return parts


_CHUNK = 512  # origins whose neighbours are measured at once
_LEAST_RADIUS_M = 6_335_000.0
"""A little below the least radius of curvature of WGS 84, along a meridian at the equator. The
chord on a sphere of this radius is never longer than the way on the ellipsoid, so that looking
within a distance on it misses nothing that lies as near."""


def _on_sphere(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    lon, lat = np.radians(lonlat).T
    flat = np.cos(lat)
    return _LEAST_RADIUS_M * np.column_stack([flat * np.cos(lon), flat * np.sin(lon), np.sin(lat)])


def _along(net: Network, snaps: Snaps, begin: NDArray[np.int64], end: NDArray[np.int64]) -> _Pairs:
    """Pairs that enter the same link, for each link that they share."""
    # each link stands twice for each point, once for each end; one of them is enough
    items = np.flatnonzero(snaps.at_tail)
    sides = []
    for points in (begin, end):
        asked = pd.DataFrame({"point": points, "place": np.arange(len(points))})
        ways = pd.DataFrame({"point": snaps.point[items], "item": items})
        ways["link"], ways["foot"] = snaps.link[items], snaps.foot[items]
        sides.append(asked.merge(ways, on="point"))
    pairs = sides[0].merge(sides[1], on=["link", "foot"], suffixes=("_begin", "_end"))
    one, other = pairs["item_begin"].to_numpy(), pairs["item_end"].to_numpy()
    link, foot = pairs["link"].to_numpy(), pairs["foot"].to_numpy()
    back = snaps.along[other] < snaps.along[one]
    whole = np.where(back, snaps.back_ms[one], snaps.there_ms[one])
    ride = np.rint(np.abs(snaps.along[other] - snaps.along[one]) * whole)
    ride += np.where(foot, 0, snaps.park_ms)
    total = snaps.leg_ms[one] + snaps.leg_ms[other] + ride
    total = np.where(net._tables.oneway[link] & ~foot & back, np.inf, total)
    return pairs["place_begin"].to_numpy(), pairs["place_end"].to_numpy(), total, link


def travel_times(
    net: Network,
    origins: PlaceLike,
    destinations: PlaceLike | None = None,
    cutoff: float | None = None,
    *,
    modes: Iterable[str] = MODES,
    direction: str = "from",
    form: str = "wide",
    engine: str | None = None,
) -> pd.DataFrame:
    """Measure the time from each origin to each destination, door to door.

    Parameters
    ----------
    net
        The network.
    origins, destinations
        Names, Places, (lon, lat), GeoDataFrames of points, or files; the nodes of the network
        if ``destinations`` is None. A place may stand several times.
    cutoff
        Minutes, above 0 and at most 24 hours; longer times are left out. Inclusive. No cutoff if
        None.
    modes
        Any of ``road``, ``rail`` and ``walk``.
    direction
        ``from`` the origins to the destinations, or ``to`` the origins from the destinations: the
        way back, in a table of the same shape. ``travel_times(net, "贵阳", towns,
        direction="to")`` is how long each town takes to 贵阳.
    form
        ``wide``: a row for each origin and a column for each destination. ``long``: a row for each
        pair that is reached, which for ranges takes far less memory.
    engine
        ``scipy``, ``numba`` or, between listed places, ``cch``, which all give the same;
        chosen by the shape of the question if None (:func:`urbangeo.access.engine.choose`).

    Returns
    -------
    pandas.DataFrame
        Wide: minutes, float64, on the callers' own indices; NaN where a destination is not
        reached or a place cannot get onto the network. Long: columns ``origin``,
        ``destination`` (labels of the callers' indices, ids of nodes) and ``minutes``, ordered by
        them as they were given.

    Raises
    ------
    InputError
        If the cutoff, a word or a place cannot be used, nothing is given, or an engine is asked
        for that is not there.
    NetworkError
        If the network has no link of these modes.

    Notes
    -----
    A wide table of all nodes takes 8 bytes for each origin and node. Between listed places, a
    block of at most 256 MB stands beside the table. For tables that do not fit into memory see
    :func:`urbangeo.travel_time_matrix`.
    """
    chosen = check_modes(modes)
    check_network(net)
    limit = check_cutoff(cutoff)
    check_direction(direction)
    if form not in ("wide", "long"):
        raise InputError(f"form is {form!r}; 'wide' or 'long' is expected.")
    if destinations is None and engine == "cch":
        raise InputError(
            "The engine 'cch' answers between listed places; to all nodes choose 'numba' or "
            "'scipy', or leave engine out."
        )
    begin = as_points(origins, "origins")
    check_inside(begin, net, "origins")
    if destinations is None:
        return _to_nodes(net, begin, limit, chosen, direction == "to", form, engine)
    end = as_points(destinations, "destinations")
    asked = Asked.of(net, begin, end, chosen)
    near, far = (asked.begin, asked.end) if direction == "from" else (asked.end, asked.begin)
    times = pair_times(net, asked.graph, asked.snaps, asked.lonlat, near, far, limit, engine=engine)
    if direction == "to":
        times = times.T
    if form == "wide":
        return pd.DataFrame(_minutes(times), begin.index, end.index, copy=False)
    row, column = np.nonzero(np.isfinite(times))
    return pd.DataFrame(
        {
            "origin": begin.index.take(row),
            "destination": end.index.take(column),
            "minutes": times[row, column] / MS,
        }
    )


@dataclass(frozen=True, eq=False)
class Asked:
    """Origins and destinations on one graph.

    Attributes
    ----------
    graph
        The graph.
    snaps
        How the points get onto it; points at one place share a row.
    lonlat
        Degrees of the points.
    begin, end
        Row of each origin and of each destination.
    """

    graph: Graph
    snaps: Snaps
    lonlat: NDArray[np.float64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        net: Network,
        origins: gpd.GeoDataFrame,
        destinations: gpd.GeoDataFrame,
        modes: tuple[str, ...],
    ) -> Asked:
        """Bring two tables of points, as :func:`as_points` gives them, onto the graph."""
        both = [one[["lon", "lat"]].to_numpy(dtype=float) for one in (origins, destinations)]
        lonlat, row = np.unique(np.concatenate(both), axis=0, return_inverse=True)
        points = gpd.GeoSeries(gpd.points_from_xy(*lonlat.T), crs=origins.crs)
        row = row.ravel().astype(np.int64)
        begin, end = row[: len(origins)], row[len(origins) :]
        return cls(net.graph(modes), snap(net, points, modes), lonlat, begin, end)


def check_cutoff(cutoff: float | None) -> float:
    """Give a cutoff in milliseconds, infinite if there is none.

    Raises
    ------
    InputError
        If it is 0, negative, infinite, not a number, or more than 24 hours.
    """
    if cutoff is None:
        return math.inf
    try:
        return float(round(check_minutes(cutoff, "cutoff") * MS))
    except InputError as error:
        raise InputError(f"{error} Leave it out for no cutoff.") from None


def _to_nodes(
    net: Network,
    begin: gpd.GeoDataFrame,
    limit_ms: float,
    modes: tuple[str, ...],
    reverse: bool,
    form: str,
    engine: str | None,
) -> pd.DataFrame:
    """Times of all nodes, by whichever mode is fastest."""
    graph = net.graph(modes)
    snaps = snap(net, begin.geometry, modes)
    starts = entries(snaps, np.arange(len(begin)), leaving=not reverse)
    ids = pd.Index(net._tables.nodes["id"])
    if form == "wide" and len(graph.layers) == 1:
        times = reach_dense(
            graph,
            starts,
            reverse=reverse,
            limit_ms=limit_ms,
            columns=graph.n_nodes,
            unit=MS,
            missing=math.nan,
            engine=engine,
        )
        return pd.DataFrame(times, begin.index, ids, copy=False)
    if form == "wide":
        all_ms = reach_dense(graph, starts, reverse=reverse, limit_ms=limit_ms, engine=engine)
        return pd.DataFrame(_minutes(graph.at_nodes(all_ms)), begin.index, ids, copy=False)
    found = reach(graph, starts, reverse=reverse, limit_ms=limit_ms, engine=engine)
    street = np.flatnonzero(found.vertices < graph.n_streets)
    row, ms = found.rows[street], found.ms[street]
    node = found.vertices[street] % graph.n_nodes
    order = np.lexsort((ms, node, row))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(row[order]) != 0) | (np.diff(node[order]) != 0)
    order = order[first]
    return pd.DataFrame(
        {
            "origin": begin.index.take(row[order]),
            "destination": ids.take(node[order]),
            "minutes": ms[order] / MS,
        }
    )


def _minutes(ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Milliseconds to minutes, infinity to NaN, in place."""
    ms /= MS
    ms[np.isinf(ms)] = np.nan
    return ms
